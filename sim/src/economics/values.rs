//! What plays are worth: the ledger's `value(j)` summed over the plays of a subscriber, and those sums over a market.

use super::{Epoch, ReplayScope, Rules};
use primitives::{
    GovernanceParams,
    limits::{MAX_QUARTERS, REGIONS},
};

/// Sums of `value(j)`: what the first n plays are worth.
#[derive(Clone, Debug)]
pub(super) struct Values {
    params: GovernanceParams,
    /// Place n holds the value of n plays, in 2^-18 views.
    sums: Vec<u64>,
    /// Plays that count, if there is a limit.
    limit: Option<u16>,
}

impl Values {
    /// The sums up to `most` plays.
    pub(super) fn new(rules: &Rules, most: u16) -> Self {
        // Without a limit, the function is asked beyond any J_max that a proof could bear.
        let params = GovernanceParams { j_max: rules.j_max().unwrap_or(u16::MAX), ..rules.params.clone() };
        let mut values = Self { params, sums: vec![0], limit: rules.j_max() };
        for n in 0..rules.j_max().unwrap_or(most) {
            values.sums.push(values.sums[usize::from(n)] + values.whole(n));
        }
        values
    }

    /// Value of the whole play with index j (from 0), in 2^-18 views.
    fn whole(&self, j: u16) -> u64 {
        self.params.event_value(j, MAX_QUARTERS)
    }

    /// What n plays are worth, in 2^-18 views.
    pub(super) fn of(&self, n: u32) -> u64 {
        let n = self.counted(n);
        match self.sums.get(n as usize) {
            Some(sum) => *sum,
            None => {
                let known = self.sums.len() as u32 - 1;
                // Indices beyond 2^16 are worth what the last one is: at most one 2^-18 view too much each.
                let rest = (known..n).map(|j| self.whole(j.min(u32::from(u16::MAX) - 1) as u16));
                self.sums[known as usize] + rest.sum::<u64>()
            }
        }
    }

    /// How many of n plays count.
    pub(super) fn counted(&self, n: u32) -> u32 {
        self.limit.map_or(n, |limit| n.min(limit.into()))
    }
}

/// What the committee would count of a work.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WorkTotals {
    /// Value, in 2^-18 views.
    pub(super) value: u64,
    /// Views that count.
    pub(super) views: u64,
    /// Backed views by region.
    pub(super) backed: [u64; REGIONS as usize],
}

/// What a subscriber's plays are worth, in 2^-18 views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscriberValue {
    /// Before the cap, works below the threshold included.
    pub uncapped: u64,
    /// Before the cap, in published works alone.
    pub uncapped_published: u64,
    /// After the cap, in published works: what directs money in this epoch. It sums to the usage of all published works.
    pub counted: u64,
}

/// Counts of every work and subscriber under `rules`.
///
/// - **Value**: the sum of `value(j)` over the plays of a (subscriber, work), or of a (subscriber, creator) shared among
///   the works by plays.
/// - **Cap**: a subscriber's values above it are scaled down in proportion, each rounded down, as if plays were spread
///   evenly over the epoch.
/// - **Backed views**: of each subscriber who has receipts, [`crate::workload::draw::BACKED_PERCENT`] of the views that
///   count, evenly over the row: the whole part of a running sum that starts at the subscriber's phase. All are of the
///   subscriber's region.
/// - **Threshold**: works with fewer than `k_anonymity` listeners are counted, and marked as not published.
pub(super) fn count(
    epoch: &Epoch,
    rules: &Rules,
    values: &Values,
) -> (Vec<WorkTotals>, Vec<SubscriberValue>) {
    let threshold = rules.params.k_anonymity;
    let mut works = vec![WorkTotals::default(); epoch.listeners.len()];
    let mut subscribers = Vec::with_capacity(epoch.phases.len());
    let mut row_values = Vec::new();
    for (subscriber, phase) in epoch.phases.iter().enumerate() {
        let row = epoch.row(subscriber);
        let (row_works, row_plays) = (&epoch.works_of[row.clone()], &epoch.plays[row]);
        row_values.clear();
        match rules.replay_scope {
            ReplayScope::Work => row_values.extend(row_plays.iter().map(|n| values.of(u32::from(*n)))),
            ReplayScope::Creator => by_creator(epoch, row_works, row_plays, values, &mut row_values),
        }
        let published = |work: &u32| epoch.listeners[*work as usize] >= threshold;
        let mut value = SubscriberValue::default();
        for (work, x) in row_works.iter().zip(&row_values) {
            value.uncapped += x;
            value.uncapped_published += if published(work) { *x } else { 0 };
        }
        if let Some(cap) = rules.value_cap().filter(|cap| value.uncapped > *cap) {
            for x in &mut row_values {
                *x = scaled(*x, cap, value.uncapped);
            }
        }
        for ((work, plays), x) in row_works.iter().zip(row_plays).zip(&row_values) {
            let total = &mut works[*work as usize];
            total.value += x;
            total.views += u64::from(values.counted(u32::from(*plays)));
            value.counted += if published(work) { *x } else { 0 };
        }
        if let Some(region) = epoch.market.regions[subscriber] {
            let mut hundredths = u64::from(*phase);
            for (work, plays) in row_works.iter().zip(row_plays) {
                let views = u64::from(values.counted(u32::from(*plays)));
                hundredths += views * u64::from(crate::workload::draw::BACKED_PERCENT);
                // At most (99 + 85 views) / 100, and so never more than the views.
                let backed = hundredths / 100;
                hundredths -= backed * 100;
                works[*work as usize].backed[usize::from(region)] += backed;
            }
        }
        subscribers.push(value);
    }
    (works, subscribers)
}

/// Values of a row whose plays count for each creator together.
fn by_creator(epoch: &Epoch, works: &[u32], plays: &[u16], values: &Values, out: &mut Vec<u64>) {
    let creator = |place: usize| epoch.market.works[works[place] as usize].creator;
    let mut begin = 0;
    while begin < works.len() {
        // A creator's works are neighbours.
        let end = (begin..works.len()).find(|i| creator(*i) != creator(begin)).unwrap_or(works.len());
        let all: u32 = plays[begin..end].iter().map(|n| u32::from(*n)).sum();
        let value = values.of(all);
        out.extend(plays[begin..end].iter().map(|n| scaled(value, u64::from(*n), u64::from(all))));
        begin = end;
    }
}

/// `floor(value * part / whole)` for a part of at most the whole.
pub(super) fn scaled(value: u64, part: u64, whole: u64) -> u64 {
    let product = u128::from(value) * u128::from(part) / u128::from(whole);
    u64::try_from(product).expect("a part of the whole")
}
