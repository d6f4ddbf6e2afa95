//! Two evaluations of one epoch beside each other: who is paid more, which works lose, what the threshold keeps back,
//! where the money goes. Every sum of money is exact.

use crate::economics::{Evaluation, views};
use chain::modules::dapr::payout::RevenueSplit;
use serde::Serialize;
use std::collections::BTreeMap;

/// Works in the list of those that lose most.
pub const LOSERS: usize = 10;
/// Points of a drawn Lorenz curve, beside its first.
const LORENZ_POINTS: usize = 100;
/// Thresholds that the curve of suppressed value reaches at least, and at most.
const THRESHOLDS: (u32, u32) = (20, 200);

/// Sizes of creators, the most listened to first: name, and the share of creators up to its end, in thousandths.
const BANDS: [(&str, usize); 4] = [("Stars", 10), ("Known", 100), ("Middle", 500), ("Small", 1_000)];

/// Creators of about one size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Band {
    /// Its name.
    pub name: &'static str,
    /// Creators in it.
    pub creators: usize,
    /// Fewest listeners of a creator in it, summed over works.
    pub fewest: u64,
    /// Most listeners of a creator in it.
    pub most: u64,
    /// Creators who are paid more than before.
    pub better: usize,
    /// Creators who are paid the same, mostly nothing.
    pub same: usize,
    /// Creators who are paid less.
    pub worse: usize,
    /// What they were paid together before, in micro-credits.
    pub before: u64,
    /// What they are paid after.
    pub after: u64,
}

/// Creators by size: the most listened to hundredth, the rest of the tenth, the rest of the half, and the other half.
/// Size is the number of listeners of all works, which no parameter changes; of equals, the first by number is larger.
pub fn bands(before: &Evaluation, after: &Evaluation) -> Vec<Band> {
    #[derive(Default)]
    struct Creator {
        listeners: u64,
        before: u64,
        after: u64,
    }
    let mut creators = BTreeMap::<u32, Creator>::new();
    for (old, new) in before.works().zip(after.works()) {
        let creator = creators.entry(old.creator).or_default();
        creator.listeners += u64::from(old.listeners);
        creator.before += old.payout.0;
        creator.after += new.payout.0;
    }
    let mut sorted: Vec<Creator> = creators.into_values().collect();
    sorted.sort_by_key(|creator| std::cmp::Reverse(creator.listeners));
    let mut begin = 0;
    let band = |(name, thousandths): (&'static str, usize)| {
        let end = (sorted.len() * thousandths).div_ceil(1_000);
        let members = &sorted[begin..end];
        begin = end;
        let count = |is: fn(&Creator) -> bool| members.iter().filter(|creator| is(creator)).count();
        Band {
            name,
            creators: members.len(),
            fewest: members.last().map_or(0, |creator| creator.listeners),
            most: members.first().map_or(0, |creator| creator.listeners),
            better: count(|c| c.after > c.before),
            same: count(|c| c.after == c.before),
            worse: count(|c| c.after < c.before),
            before: members.iter().map(|c| c.before).sum(),
            after: members.iter().map(|c| c.after).sum(),
        }
    };
    BANDS.into_iter().map(band).collect()
}

/// Where the revenue of an epoch goes, in micro-credits. `fee + eco + infra + bands + carried = revenue`, to the unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// What subscriptions paid.
    pub revenue: u64,
    /// Protocol fee.
    pub fee: u64,
    /// The Eco-Reserve's share.
    pub eco: u64,
    /// The infrastructure's share.
    pub infra: u64,
    /// The pool of creators.
    pub creators: u64,
    /// What each band of creators is paid.
    pub bands: Vec<u64>,
    /// What stays in the pool for the next epoch: all of it if no work has weight, and else nothing.
    pub carried: u64,
}

impl Flow {
    /// The flow of a split, with what bands are paid.
    pub fn new(split: &RevenueSplit, bands: impl Iterator<Item = u64>) -> Self {
        let bands: Vec<u64> = bands.collect();
        let paid: u64 = bands.iter().sum();
        Self {
            revenue: split.revenue.0,
            fee: split.fee.0,
            eco: split.eco.0,
            infra: split.infra.0,
            creators: split.creators.0,
            carried: split.creators.0.saturating_sub(paid),
            bands,
        }
    }

    /// Whether the parts sum to the revenue, to the unit.
    pub fn is_exact(&self) -> bool {
        let paid: u128 = self.bands.iter().map(|x| u128::from(*x)).sum();
        let parts = [self.fee, self.eco, self.infra, self.carried].map(u128::from);
        paid + u128::from(self.carried) == u128::from(self.creators)
            && paid + parts.iter().sum::<u128>() == u128::from(self.revenue)
    }
}

/// A category on both sides. Shares from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Category {
    /// Its number.
    pub category: u16,
    /// Its share of value before.
    pub usage_before: f64,
    /// Its share of payouts before.
    pub payout_before: f64,
    /// Its share of value after.
    pub usage_after: f64,
    /// Its share of payouts after.
    pub payout_after: f64,
    /// Share of payouts over share of value before; 1 is parity.
    pub parity_before: f64,
    /// The same after.
    pub parity_after: f64,
}

/// Every category with value on both sides.
pub fn categories(before: &Evaluation, after: &Evaluation) -> Vec<Category> {
    let after: BTreeMap<_, _> = views::categories(after).into_iter().map(|c| (c.category, c)).collect();
    let both =
        views::categories(before).into_iter().filter_map(|old| Some((old, *after.get(&old.category)?)));
    both.map(|(old, new)| Category {
        category: old.category.0,
        usage_before: old.usage,
        payout_before: old.payout,
        usage_after: new.usage,
        payout_after: new.payout,
        parity_before: old.parity(),
        parity_after: new.parity(),
    })
    .collect()
}

/// A work that is paid less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loser {
    /// Its name.
    pub work: String,
    /// Its category.
    pub category: u16,
    /// Subscribers who played it.
    pub listeners: u32,
    /// Its payout before, in micro-credits.
    pub before: u64,
    /// Its payout after.
    pub after: u64,
    /// Whether it would still be published.
    pub published: bool,
}

/// The works that lose most, the greatest loss first; of equals, by place. Only works that today's rules publish: what a
/// smaller audience plays is nobody's business.
pub fn losers(before: &Evaluation, after: &Evaluation) -> Vec<Loser> {
    let pairs = before.works().zip(after.works());
    let mut losing: Vec<_> = pairs.filter(|(old, new)| old.published && new.payout < old.payout).collect();
    losing.sort_by_key(|(old, new)| (std::cmp::Reverse(old.payout.0 - new.payout.0), old.work));
    let row = |(old, new): &(crate::economics::WorkResult<'_>, crate::economics::WorkResult<'_>)| Loser {
        work: old.name.to_owned(),
        category: old.category.0,
        listeners: old.listeners,
        before: old.payout.0,
        after: new.payout.0,
        published: new.published,
    };
    losing.iter().take(LOSERS).map(row).collect()
}

/// A row of `payouts.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PayoutRow {
    /// The work's name; of works that today's rules do not publish, one row for all.
    pub work: String,
    /// Payout before, in micro-credits.
    pub before: u64,
    /// Payout after.
    pub after: u64,
}

/// Name of the row of all works that today's rules do not publish.
pub const NOT_PUBLISHED: &str = "(not published today)";

/// Payouts of every work that today's rules publish, by place, and of all others together. The columns sum to the pools.
pub fn payouts(before: &Evaluation, after: &Evaluation) -> Vec<PayoutRow> {
    let mut others = PayoutRow { work: NOT_PUBLISHED.into(), before: 0, after: 0 };
    let mut rows = Vec::new();
    for (old, new) in before.works().zip(after.works()) {
        if old.published {
            rows.push(PayoutRow { work: old.name.to_owned(), before: old.payout.0, after: new.payout.0 });
        } else {
            others.before += old.payout.0;
            others.after += new.payout.0;
        }
    }
    rows.push(others);
    rows
}

/// The share of value below each threshold, from 0 on: what `k_anonymity` would keep back.
pub fn suppressed(evaluation: &Evaluation, most: u32) -> Vec<f64> {
    let mut by_listeners = vec![0_u64; most as usize + 1];
    let mut all = 0;
    for work in evaluation.works() {
        all += work.value;
        if let Some(sum) = by_listeners.get_mut(work.listeners as usize) {
            *sum += work.value;
        }
    }
    let mut below = 0;
    let share = |value: u64| {
        let share = if all == 0 { 0.0 } else { below as f64 / all as f64 };
        below += value;
        share
    };
    by_listeners.into_iter().map(share).collect()
}

/// The largest threshold that a curve for both sides should reach.
pub fn threshold_reach(before: &Evaluation, after: &Evaluation) -> u32 {
    let largest = before.params().k_anonymity.max(after.params().k_anonymity);
    largest.saturating_mul(2).clamp(THRESHOLDS.0, THRESHOLDS.1)
}

/// The Lorenz curve, thinned to about a hundred points.
pub fn lorenz(evaluation: &Evaluation) -> Vec<(f64, f64)> {
    let points = views::lorenz(evaluation);
    let steps = (points.len() - 1).min(LORENZ_POINTS);
    (0..=steps).map(|i| points[i * (points.len() - 1) / steps]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::economics::{Epoch, Market, Rules, evaluate};
    use primitives::Preset;
    use std::sync::Arc;

    fn pair(change: impl FnOnce(&mut Rules)) -> (Evaluation, Evaluation) {
        let market = Arc::new(Market::synthetic(2, 80));
        let epoch = Epoch::draw(&market, 2, Some("300".parse().expect("a number")));
        let before = Rules::preset(Preset::Spec);
        let mut after = before.clone();
        change(&mut after);
        [before, after].map(|rules| evaluate(&epoch, &rules).expect("inside bounds")).into()
    }

    #[test]
    fn bands_hold_every_creator_once_and_every_unit() {
        let (before, after) = pair(|rules| rules.params.k_anonymity = 2);
        let bands = bands(&before, &after);
        let creators = views::creator_payouts(&before).len();
        assert_eq!(bands.iter().map(|band| band.creators).sum::<usize>(), creators);
        for band in &bands {
            assert_eq!(band.better + band.same + band.worse, band.creators);
        }
        assert!(bands.windows(2).all(|pair| pair[0].fewest >= pair[1].most), "{bands:?}");
        assert_eq!(bands.iter().map(|band| band.before).sum::<u64>(), before.split().creators.0);
        assert_eq!(bands.iter().map(|band| band.after).sum::<u64>(), after.split().creators.0);
        assert!(bands[3].better > 0, "small creators come out from below the threshold");
    }

    #[test]
    fn flows_are_exact_and_a_pool_that_nobody_earns_is_carried() {
        let (before, nothing) = pair(|rules| rules.params.k_anonymity = 1 << 20);
        for evaluation in [&before, &nothing] {
            let bands = bands(evaluation, evaluation);
            let flow = Flow::new(evaluation.split(), bands.iter().map(|band| band.after));
            assert!(flow.is_exact(), "{flow:?}");
        }
        let flow = Flow::new(nothing.split(), [0, 0].into_iter());
        assert_eq!(flow.carried, nothing.split().creators.0);
        let lost = Flow { fee: flow.fee - 1, ..flow };
        assert!(!lost.is_exact());
    }

    #[test]
    fn losers_are_published_today_and_sorted_by_loss() {
        let (before, after) = pair(|rules| rules.params.k_anonymity = 8);
        let losers = losers(&before, &after);
        assert!(!losers.is_empty() && losers.len() <= LOSERS);
        assert!(losers.iter().all(|work| work.listeners >= 5 && work.after < work.before));
        assert!(losers.windows(2).all(|w| w[0].before - w[0].after >= w[1].before - w[1].after));
        assert!(losers.iter().any(|work| !work.published), "works of 5 to 7 listeners lose everything");
    }

    #[test]
    fn rows_of_payouts_sum_to_the_pools_and_name_no_small_audience() {
        let (before, after) = pair(|rules| rules.params.k_anonymity = 2);
        let rows = payouts(&before, &after);
        let sum = |part: fn(&PayoutRow) -> u64| rows.iter().map(part).sum::<u64>();
        assert_eq!(sum(|row| row.before), before.split().creators.0);
        assert_eq!(sum(|row| row.after), after.split().creators.0);
        assert_eq!(rows.len() - 1, before.works().filter(|work| work.published).count());
        assert!(rows.last().is_some_and(|row| row.work == NOT_PUBLISHED && row.before == 0 && row.after > 0));
    }

    #[test]
    fn suppressed_value_is_what_an_evaluation_measures_at_that_threshold() {
        let (before, after) = pair(|rules| rules.params.k_anonymity = 9);
        let curve = suppressed(&before, threshold_reach(&before, &after));
        assert_eq!(curve.len(), 21);
        assert!(curve.is_sorted() && curve[0] == 0.0 && curve[1] == 0.0);
        assert!((curve[5] - before.metrics().value_suppressed).abs() < 1e-12);
        assert!((curve[9] - after.metrics().value_suppressed).abs() < 1e-12);
    }
}
