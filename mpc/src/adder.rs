//! Adds four numbers bit by bit: carry-save adders, then a tree of carries.
//!
//! Three rows a, b, d become two with the same sum, `a ^ b ^ d` and twice the majority of them. The majority is
//! `a ^ (a ^ b)(a ^ d)`: one product. Four numbers take two such adders. The carry into a position of the sum of the two
//! rows that are left is found by joining spans (Kogge and Stone 1973 have the operator; here it is a plain tree): a span
//! generates a carry if its upper half does, or if that hands on what its lower half generates.

use crate::{
    binary::{And, Checker, Number, Wire},
    session::{Abort, Session},
    step::Name,
};
use std::sync::Arc;

/// Four numbers, added up as far as carry-save adders go.
pub(crate) struct Saved {
    /// Carries of the first three: bit j counts for position j + 1.
    pub(crate) first: Number,
    /// Bits of the sum of the first row and the carries, and the fourth.
    sum: Number,
    /// Carries of the same: bit j counts for position j + 1.
    pub(crate) second: Number,
}

/// Adds a number that all know to three others. All have as many bits; so many positions have carries.
///
/// # Errors
/// Those of a round.
pub(crate) async fn four(
    session: &mut Session,
    checker: &mut Checker,
    public: &[Arc<Wire>],
    numbers: &[Number; 3],
) -> Result<Saved, Abort> {
    let [a, b, d] = numbers;
    let (first_sum, first) = carry_save(session, checker, a, b, d).await?;
    let shifted = shift(checker, &first);
    let (sum, second) = carry_save(session, checker, public, &first_sum, &shifted).await?;
    Ok(Saved { first, sum, second })
}

/// Carries move up by a position; nothing is carried into the lowest.
fn shift(checker: &Checker, carries: &[Arc<Wire>]) -> Number {
    let zero = checker.public(vec![0; carries[0].bits.own.len()]);
    std::iter::once(zero).chain(carries[..carries.len() - 1].iter().cloned()).collect()
}

async fn carry_save(
    session: &mut Session,
    checker: &mut Checker,
    a: &[Arc<Wire>],
    b: &[Arc<Wire>],
    d: &[Arc<Wire>],
) -> Result<(Number, Number), Abort> {
    let two: Number = a.iter().zip(b).map(|(a, b)| a.xor(b)).collect();
    let factor = |((wire, a), d): ((&Arc<Wire>, &Arc<Wire>), &Arc<Wire>)| And {
        wire: wire.clone(),
        with: &a.bits ^ &d.bits,
    };
    let pairs = two.iter().zip(a).zip(d).map(factor).collect();
    let products = checker.and(session, Name::CarrySave, pairs).await?;
    let sum = two.iter().zip(d).map(|(two, d)| two.xor(d)).collect();
    let carries = a.iter().zip(&products).map(|(a, product)| a.xor(product)).collect();
    Ok((sum, carries))
}

/// What a span of positions does with carries: whether it generates one, and whether it hands on one from below. A span
/// that begins at the lowest position is handed none.
#[derive(Clone)]
struct Span {
    generate: Arc<Wire>,
    propagate: Option<Arc<Wire>>,
}

impl Saved {
    /// The carry into each of some positions, which ascend and are all above 1, in the sum of the two rows that are
    /// left.
    ///
    /// # Errors
    /// Those of a round.
    pub(crate) async fn carries<const N: usize>(
        &self,
        session: &mut Session,
        checker: &mut Checker,
        positions: [usize; N],
    ) -> Result<[Arc<Wire>; N], Abort> {
        let leaves = self.leaves(session, checker, positions[N - 1]).await?;
        let mut from = 0;
        let mut groups: [Vec<Span>; N] = positions.map(|to| {
            let group = leaves[from..to - 1].to_vec();
            from = to - 1;
            group
        });
        while groups.iter().any(|group| group.len() > 1) {
            groups = halve(session, checker, groups).await?;
        }
        let mut below: Option<Span> = None;
        let mut found = Vec::with_capacity(N);
        for group in groups {
            let span = group.into_iter().next().expect("positions ascend");
            let span = match below.take() {
                None => span,
                Some(low) => halve(session, checker, [vec![low, span]]).await?[0].swap_remove(0),
            };
            found.push(span.generate.clone());
            below = Some(span);
        }
        Ok(found.try_into().unwrap_or_else(|_| unreachable!("one for each position")))
    }

    /// A span for each position below `top`, but the lowest: the second row has no bit there, so that nothing is
    /// generated.
    async fn leaves(
        &self,
        session: &mut Session,
        checker: &mut Checker,
        top: usize,
    ) -> Result<Vec<Span>, Abort> {
        let rows = || self.sum[1..top].iter().zip(&self.second[..top - 1]);
        let pairs = rows().map(|(x, y)| And { wire: x.clone(), with: y.bits.clone() }).collect();
        let generate = checker.and(session, Name::Generate, pairs).await?;
        let propagate = rows().enumerate().map(|(at, (x, y))| (at > 0).then(|| x.xor(y)));
        let spans = generate.into_iter().zip(propagate);
        Ok(spans.map(|(generate, propagate)| Span { generate, propagate }).collect())
    }
}

/// Joins neighbours in each group, in one round.
async fn halve<const N: usize>(
    session: &mut Session,
    checker: &mut Checker,
    groups: [Vec<Span>; N],
) -> Result<[Vec<Span>; N], Abort> {
    let and = |wire: &Arc<Wire>, with: &Arc<Wire>| And { wire: wire.clone(), with: with.bits.clone() };
    let mut pairs = Vec::new();
    for [low, high] in groups.iter().flat_map(|group| group.as_chunks::<2>().0) {
        let handed = high.propagate.as_ref().expect("only the lowest span has nothing below");
        pairs.push(and(handed, &low.generate));
        pairs.extend(low.propagate.as_ref().map(|low| and(handed, low)));
    }
    let mut products = checker.and(session, Name::Carry, pairs).await?.into_iter();
    let mut product = move || products.next().expect("a product for each pair");
    Ok(groups.map(|group| {
        let (pairs, rest) = group.as_chunks::<2>();
        let mut joined: Vec<_> = Vec::with_capacity(pairs.len() + rest.len());
        for [low, high] in pairs {
            let generate = high.generate.xor(&product());
            joined.push(Span { generate, propagate: low.propagate.as_ref().map(|_| product()) });
        }
        joined.extend_from_slice(rest);
        joined
    }))
}
