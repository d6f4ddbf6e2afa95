//! The figures of an evaluation, in named columns of a fixed order.

use super::{Evaluation, attacks, views};
use crate::report;
use serde::Serialize;

/// Names of the columns of [`Metrics`], in order.
pub const METRICS: [&str; 9] = [
    "gini",
    "top1_share",
    "cross_subsidy",
    "worst_parity",
    "value_suppressed",
    "roi_puppet",
    "roi_catalogue",
    "gain_split",
    "gain_bandwidth",
];

/// Figures of an evaluation (economics notes, sections 4 and 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Gini coefficient of payouts over all works that were played, those below the threshold with a payout of 0.
    /// From 0, all alike, to below 1.
    pub gini: f64,
    /// Share of payouts of the `floor(n / 100)` best-paid of the n works that were played, at least one. 0 to 1.
    pub top1_share: f64,
    /// `0.5 mean |x_u / mean x - 1|` over all subscribers, where `x_u` is the value that directs money
    /// ([`counted`](super::SubscriberValue::counted)): the share of fees that follows the plays of somebody else. 0 to 1.
    pub cross_subsidy: f64,
    /// The least, over categories, of share of payouts over share of value. The value is that of all works played,
    /// published or not, so that a category that the threshold hits shows. 1 is parity; from 0.
    pub worst_parity: f64,
    /// Share of all value, after the cap, that lies in works below the threshold. 0 to 1.
    pub value_suppressed: f64,
    /// The best profit over cost of puppets that play one work, over the numbers of subscriptions of
    /// [`attacks::sizes`]. From -1; above 0 the attack pays.
    pub roi_puppet: f64,
    /// The same with the plays of each puppet spread over [`attacks::CATALOGUE`] works.
    pub roi_catalogue: f64,
    /// The larger of two gains, as payout after over payout before, of splitting the most widely heard work into
    /// [`attacks::PARTS`]: by usage ([`attacks::split_by_usage`]) and by replay reset
    /// ([`attacks::split_by_reset`]). 1 is no gain.
    pub gain_split: f64,
    /// Payout of the most widely heard work with all of its views backed from all regions alike, over its payout with
    /// none backed ([`attacks::fake_bandwidth`]). 1 is no gain.
    pub gain_bandwidth: f64,
}

impl Metrics {
    /// The figures, in the order of [`METRICS`].
    pub fn values(&self) -> [f64; METRICS.len()] {
        [
            self.gini,
            self.top1_share,
            self.cross_subsidy,
            self.worst_parity,
            self.value_suppressed,
            self.roi_puppet,
            self.roi_catalogue,
            self.gain_split,
            self.gain_bandwidth,
        ]
    }
}

impl Evaluation {
    /// Measures the evaluation. The attacks are added to it one by one; none changes it.
    pub fn metrics(&self) -> Metrics {
        let played = (0..self.payouts.len()).filter(|work| self.epoch.listeners[*work] > 0);
        let mut payouts: Vec<u64> = played.map(|work| self.payouts[work]).collect();
        payouts.sort_unstable();
        Metrics {
            gini: report::gini_of_ascending(&payouts),
            top1_share: top_share(&payouts),
            cross_subsidy: self.cross_subsidy(),
            worst_parity: views::worst_parity(&views::categories(self)),
            value_suppressed: self.value_suppressed(),
            roi_puppet: attacks::best_roi(self, |s| attacks::puppets(self, s)),
            roi_catalogue: attacks::best_roi(self, |s| {
                attacks::catalogue(self, s, attacks::CATALOGUE, attacks::PLAYS)
            }),
            gain_split: attacks::split_by_usage(self, attacks::PARTS)
                .max(attacks::split_by_reset(self, attacks::PARTS)),
            gain_bandwidth: attacks::fake_bandwidth(self),
        }
    }

    fn cross_subsidy(&self) -> f64 {
        let values = &self.usage.subscribers;
        let total: u128 = values.iter().map(|x| u128::from(x.counted)).sum();
        if total == 0 {
            return 0.0;
        }
        // mean |x_u / mean x - 1| = sum |n x_u - total| / (n total)
        let n = values.len() as u128;
        let spread: u128 = values.iter().map(|x| (n * u128::from(x.counted)).abs_diff(total)).sum();
        spread as f64 / (n as f64 * total as f64) / 2.0
    }

    fn value_suppressed(&self) -> f64 {
        let all: u64 = self.usage.totals.iter().map(|work| work.value).sum();
        let published: u64 = self.usage.usage.iter().map(|work| work.value).sum();
        if all == 0 { 0.0 } else { (all - published) as f64 / all as f64 }
    }
}

/// Share of the best hundredth of ascending amounts, at least one.
fn top_share(ascending: &[u64]) -> f64 {
    let total: u128 = ascending.iter().map(|x| u128::from(*x)).sum();
    if total == 0 {
        return 0.0;
    }
    let best = &ascending[ascending.len() - (ascending.len() / 100).max(1)..];
    best.iter().map(|x| u128::from(*x)).sum::<u128>() as f64 / total as f64
}
