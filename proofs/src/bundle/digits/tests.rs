//! What digits amount to, on one-hot digits and on lines.

use super::*;
use crate::testing::small;

fn hot(n: usize) -> [Residue; 4] {
    std::array::from_fn(|i| if i == n & 3 { Residue::ONE } else { Residue::ZERO })
}

fn entries(layout: Layout, (work, view, quarters): (usize, usize, usize), backed: bool) -> Entries<Residue> {
    let digits = (0..layout.work_digits())
        .map(|d| hot(work >> (2 * d)))
        .chain((0..VIEW_DIGITS).map(|d| hot(view >> (2 * d))))
        .chain([hot(quarters - 1)])
        .collect();
    Entries { digits, backed: if backed { Residue::ONE } else { Residue::ZERO } }
}

#[test]
fn lin_of_one_hot_digits_is_the_number_of_the_event() {
    let layout = Layout { work_digits: 6 };
    let event = entries(layout, (1234, 45, 4), false);
    assert_eq!(lin(layout, &event.digits), Residue::from(1234 * 64 + 45));
}

#[test]
fn one_hot_digits_amount_to_their_work_and_count() {
    let (_, context) = small();
    let layout = Layout::of(&context);
    let tau = Residue::from(12345);
    let weighing = Weighing::new(&context, layout, tau);
    let power = |n: usize| (0..n).fold(Residue::ONE, |p, _| p * tau);
    assert_eq!(weighing.value, power(16), "tau^W");
    for (work, view, quarters, backed) in
        [(0, 0, 4, true), (9, 3, 1, false), (15, 31, 2, true), (7, 32, 4, true)]
    {
        let event = entries(layout, (work, view, quarters), backed);
        assert_eq!(weighing.place(&event), power(work));
        let (value, count) = weighing.count(&event, &Residue::ONE);
        let counted = view < usize::from(context.params.j_max);
        let worth = u64::from(context.params.view_value(view as u16)) * quarters as u64;
        let limb = |shift, yes: bool| if yes { Residue::from(&power_of_two(shift)) } else { Residue::ZERO };
        let expected = limb(LISTENER_SHIFT, view == 0)
            + limb(BACKED_SHIFT, backed && counted)
            + limb(VIEWS_SHIFT, counted)
            + Residue::from(worth);
        assert_eq!((value, count), (Residue::from(worth), expected), "view {view}");
        assert_eq!(weighing.amount(&[event], &Residue::ONE), power(work) * count + weighing.value * value);
    }
}

/// The verifier's values are the prover's polynomials at x.
#[test]
fn values_at_x_are_the_polynomials_at_x() {
    let (_, context) = small();
    let layout = Layout::of(&context);
    let weighing = Weighing::new(&context, layout, Residue::from(777));
    let x = Residue::from(31_337);
    let mut next = 1u64;
    let mut line = || {
        next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Polynomial(vec![Residue::from(next), Residue::from(next >> 7)])
    };
    let lines: Vec<_> = (0..2)
        .map(|_| Entries {
            digits: (0..layout.digits()).map(|_| std::array::from_fn(|_| line())).collect(),
            backed: line(),
        })
        .collect();
    let at = |p: &Polynomial| p.0.iter().zip(x.powers()).map(|(c, power)| *c * power).sum::<Residue>();
    let values: Vec<_> = lines
        .iter()
        .map(|e| Entries {
            digits: e.digits.iter().map(|d| d.each_ref().map(at)).collect(),
            backed: at(&e.backed),
        })
        .collect();
    let polynomial = weighing.amount(&lines, &Polynomial(vec![Residue::ZERO, Residue::ONE]));
    assert_eq!(polynomial.0.len(), layout.degree() + 1);
    assert_eq!(at(&polynomial), weighing.amount(&values, &x));
}
