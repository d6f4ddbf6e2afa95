//! The guard against puppets (economics notes, section 4): a budget for multipliers, and the cap on a subscriber's value
//! that goes with it.
//!
//! A puppet's value is at most the cap V, and what multiplies it at most `mu` times what multiplies an honest value. So
//! a puppet weighs at most `rho = mu V / E[min(x, V)]` mean subscribers, and puppets pay only if `theta rho > 1`. The
//! cap at which `E[min(x, V)] = theta mu V` makes that impossible, and so does every smaller one, because
//! `E[min(x, V)] / V` falls as V grows. All of this is for `alpha = 1`: at another exponent, merging or splitting is a
//! multiplier of its own, without a bound.

use super::{Evaluation, Rules, rules::q32_to_f64};
use primitives::params::ONE_Q32;

/// `mu = b_min^-beta (P_max / P_min) (b_min + (1 - b_min)(1 + delta))^beta`: how much more a unit of value weighs with
/// every advantage than with none.
pub fn mu(rules: &Rules) -> f64 {
    let p = &rules.params;
    let [b_min, delta, beta] = [p.b_min, p.delta, p.beta].map(q32_to_f64);
    let full = b_min + (1.0 - b_min) * (1.0 + delta);
    (full / b_min).powf(beta) * (q32_to_f64(p.price_max) / q32_to_f64(p.price_min))
}

/// Whether multipliers leave room for a guard: `mu < 1 / theta`, and `alpha = 1`.
pub fn inside_budget(rules: &Rules) -> bool {
    rules.params.alpha == ONE_Q32 && mu(rules) * rules.theta() < 1.0
}

/// The largest cap, in 2^-18 views and rounded down, under which no number of puppets pays against these subscribers:
/// `sum over u of p_u min(1, V / x_u) = theta mu V N`, where `x_u` is a subscriber's value before any cap and `p_u` what
/// of it lies in published works. With no threshold that is `E[min(x, V)] = theta mu V`. The cap of the evaluation's own
/// rules plays no part.
///
/// `None` if there is no such cap: the budget is exceeded, or so much honest value is below the threshold, which puppets
/// in numbers pass, that no cap makes up for it.
pub fn cap(evaluation: &Evaluation) -> Option<u64> {
    if !inside_budget(&evaluation.rules) {
        return None;
    }
    let mut values: Vec<(u64, u64)> =
        evaluation.subscribers().iter().map(|x| (x.uncapped, x.uncapped_published)).collect();
    values.sort_unstable();
    let needed = values.len() as f64 * evaluation.rules.theta() * mu(&evaluation.rules);
    // From the left: what subscribers below V give whole; and those above, V times p / x each.
    let mut above: f64 = values.iter().filter(|(x, _)| *x > 0).map(|(x, p)| *p as f64 / *x as f64).sum();
    let mut below = 0.0;
    if above <= needed {
        return None;
    }
    for (i, (x, published)) in values.iter().enumerate() {
        if *x > 0 {
            above -= *published as f64 / *x as f64;
            below += *published as f64;
        }
        let next = values.get(i + 1).map_or(f64::INFINITY, |(x, _)| *x as f64);
        // Between x and the next value: below + above V = needed V.
        let solution = below / (needed - above);
        if needed > above && solution < next {
            return Some(solution as u64);
        }
    }
    None
}
