//! Subscriptions bought to play one's own works.

use super::{MAX_PUPPETS, PLAYS, Weights, backed_from_everywhere, paid, weigh};
use crate::economics::{Evaluation, ReplayScope, evaluation::revenue, market::work_id, values::scaled};
use chain::modules::dapr::{payout::split_revenue, weight::WorkUsage};
use primitives::{CategoryId, Credits};

/// What an attack with puppets costs and brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attack {
    /// Subscriptions bought, `s`.
    pub subscriptions: u64,
    /// Works played, `m`.
    pub works: u32,
    /// Value of one puppet after the cap, in 2^-18 views.
    pub value: u64,
    /// What the subscriptions cost. Registering works costs nothing here.
    pub cost: Credits,
    /// What the attacker's works are paid.
    pub payout: Credits,
}

impl Attack {
    /// Payout less cost, in micro-credits.
    pub fn profit(&self) -> i128 {
        i128::from(self.payout.0) - i128::from(self.cost.0)
    }

    /// Profit over cost: from -1; above 0 the attack pays. 0 for no subscription.
    pub fn roi(&self) -> f64 {
        if self.cost == Credits::ZERO { 0.0 } else { self.profit() as f64 / self.cost.0 as f64 }
    }
}

/// `subscriptions` puppets that play one work [`PLAYS`] times each.
pub fn puppets(evaluation: &Evaluation, subscriptions: u64) -> Attack {
    catalogue(evaluation, subscriptions, 1, PLAYS)
}

/// `subscriptions` puppets that spread `plays` plays each, as evenly as they go, over `works` works of one creator.
///
/// The attacker has every advantage that the rules allow: prices at the upper bound, all views backed from all regions
/// alike, and with normalised prices the category that pays best. A puppet's value is counted and capped like anybody's.
/// Below the threshold of listeners the works are not published, and all is lost.
///
/// # Panics
///
/// For more than [`MAX_PUPPETS`] subscriptions, or no work.
pub fn catalogue(evaluation: &Evaluation, subscriptions: u64, works: u32, plays: u16) -> Attack {
    assert!(subscriptions <= MAX_PUPPETS && works > 0, "an attack of that size is not computed");
    let cost = revenue(subscriptions as usize);
    let (usage, value) = usage(evaluation, subscriptions, works, plays);
    let attack = Attack { subscriptions, works, value, cost, payout: Credits::ZERO };
    if subscriptions < u64::from(evaluation.params().k_anonymity) || usage.is_empty() {
        return attack;
    }
    // Works with the same usage weigh the same: each kind is weighed once.
    let mut added = Weights::default();
    for (kind, count) in &usage {
        let one = weigh(evaluation, std::slice::from_ref(kind));
        let count = ruint::aliases::U256::from(*count);
        added.priced += one.priced * count;
        added.unpriced += one.unpriced * count;
    }
    let everybody = evaluation.epoch.market.subscribers() + subscriptions as usize;
    let pool = split_revenue(evaluation.params(), revenue(everybody)).creators;
    let in_category = |category| paid(evaluation, pool, category, Weights::default(), added);
    let payout = if evaluation.params().price_normalised {
        evaluation.weighted.categories.keys().map(|category| in_category(*category)).max()
    } else {
        Some(in_category(CategoryId(0)))
    };
    Attack { payout: payout.unwrap_or_default(), ..attack }
}

/// The usage of each kind of work of the attacker with the number of works of that kind, and the value of one puppet.
fn usage(
    evaluation: &Evaluation,
    subscriptions: u64,
    works: u32,
    plays: u16,
) -> (Vec<(WorkUsage, u32)>, u64) {
    let values = &evaluation.usage.values;
    let (each, over) = (u32::from(plays) / works, u32::from(plays) % works);
    let kinds = [(each + 1, over), (each, works - over)];
    let kinds = kinds.into_iter().filter(|(plays, count)| *plays > 0 && *count > 0);
    let mut kinds: Vec<(u32, u32, u64)> = kinds
        .map(|(n, count)| {
            let value = match evaluation.rules.replay_scope {
                ReplayScope::Work => values.of(n),
                ReplayScope::Creator => scaled(values.of(plays.into()), n.into(), u64::from(plays)),
            };
            (n, count, value)
        })
        .collect();
    let sum = |kinds: &[(u32, u32, u64)]| kinds.iter().map(|(_, count, x)| u64::from(*count) * x).sum();
    let uncapped: u64 = sum(&kinds);
    if let Some(cap) = evaluation.rules.value_cap().filter(|cap| uncapped > *cap) {
        for (_, _, value) in &mut kinds {
            *value = scaled(*value, cap, uncapped);
        }
    }
    let value = sum(&kinds);
    let kinds = kinds.into_iter().map(|(n, count, value)| {
        let views = subscriptions * u64::from(values.counted(n));
        let (backed, backed_squares) = backed_from_everywhere(views);
        let usage = WorkUsage {
            work: work_id(usize::MAX),
            category: CategoryId(0),
            price: evaluation.params().price_max,
            value: subscriptions * value,
            views,
            listeners: subscriptions,
            backed,
            backed_squares,
        };
        (usage, count)
    });
    (kinds.collect(), value)
}

/// Numbers of subscriptions that are tried: the fewest with which anything is published, and 1, 2, 5, 10, 20, 50 and
/// so on, up to as many as there are honest subscribers.
pub fn sizes(evaluation: &Evaluation) -> Vec<u64> {
    let fewest = u64::from(evaluation.params().k_anonymity.max(1));
    let most = (evaluation.epoch.market.subscribers() as u64).max(fewest).min(MAX_PUPPETS);
    let steps = (0..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let steps = steps.skip_while(|s| *s <= fewest).take_while(|s| *s <= most);
    std::iter::once(fewest.min(MAX_PUPPETS)).chain(steps).collect()
}

/// The best return of an attack over [`sizes`].
pub fn best_roi(evaluation: &Evaluation, attack: impl Fn(u64) -> Attack) -> f64 {
    sizes(evaluation).into_iter().map(|s| attack(s).roi()).max_by(f64::total_cmp).unwrap_or(0.0)
}
