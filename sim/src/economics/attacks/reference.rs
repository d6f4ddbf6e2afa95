//! What a work of the market gains by splitting itself, by faking receipts, and by its price. The work is the one with
//! the most listeners ([`Epoch::widest_work`](crate::economics::Epoch::widest_work)); nobody else changes anything.
//!
//! Gains are payout after over payout before. A gain `g` in weight shows as `g / (1 + share (g - 1))` in payout, since
//! the pool is what it was: [`closed_form::on_share`](crate::economics::closed_form::on_share).

use super::{Weights, backed_from_everywhere, paid, weigh};
use crate::economics::{
    Evaluation, ReplayScope,
    market::work_id,
    values::{WorkTotals, scaled},
};
use chain::modules::dapr::weight::WorkUsage;
use primitives::Credits;

/// The work, as the committee publishes it, and its weight.
struct Reference<'a> {
    evaluation: &'a Evaluation,
    place: u32,
    usage: &'a WorkUsage,
    weights: Weights,
}

impl<'a> Reference<'a> {
    /// `None` if it is not published, or has no payout that could grow.
    fn of(evaluation: &'a Evaluation) -> Option<Self> {
        let place = evaluation.epoch.widest?;
        let index = evaluation.usage.published.binary_search(&place).ok()?;
        let usage = &evaluation.usage.usage[index];
        let weights = weigh(evaluation, std::slice::from_ref(usage));
        Some(Self { evaluation, place, usage, weights })
    }

    /// What works of these weights would be paid in its place.
    fn paid(&self, added: Weights) -> Credits {
        let pool = self.evaluation.split().creators;
        paid(self.evaluation, pool, self.usage.category, self.weights, added)
    }

    /// Payout with works of these weights in its place, over its own.
    fn gain(&self, added: Weights) -> f64 {
        ratio(self.paid(added), self.paid(self.weights))
    }

    /// A part of the work with so much value, so many views and listeners; receipts in proportion to views, each
    /// region rounded down.
    fn part(&self, part: usize, value: u64, views: u64, listeners: u64) -> WorkUsage {
        let totals: &WorkTotals = &self.evaluation.usage.totals[self.place as usize];
        let backed =
            totals.backed.map(|n| (u128::from(n) * u128::from(views) / u128::from(totals.views)) as u64);
        WorkUsage {
            work: work_id(usize::MAX - part),
            value,
            views,
            listeners,
            backed: backed.iter().sum(),
            backed_squares: backed.iter().map(|n| u128::from(*n) * u128::from(*n)).sum(),
            ..self.usage.clone()
        }
    }

    /// The gain with these parts in its place, of which those below the threshold are not published.
    fn split(&self, mut parts: Vec<WorkUsage>) -> f64 {
        let threshold = u64::from(self.evaluation.params().k_anonymity.max(1));
        parts.retain(|part| part.listeners >= threshold);
        self.gain(weigh(self.evaluation, &parts))
    }
}

fn ratio(after: Credits, before: Credits) -> f64 {
    if before == Credits::ZERO { 1.0 } else { after.0 as f64 / before.0 as f64 }
}

/// Gain of dealing the work's events to `parts` works in turn, each event keeping its value. On a small share it is
/// `parts^(1 - alpha)`: 1 at `alpha = 1`, up to rounding. 1 if the work is not published.
pub fn split_by_usage(evaluation: &Evaluation, parts: u32) -> f64 {
    let Some(work) = Reference::of(evaluation) else { return 1.0 };
    let usage = work.usage;
    let each = (0..u64::from(parts)).map(|i| {
        let views = usage.views / u64::from(parts) + u64::from(i < usage.views % u64::from(parts));
        let value = scaled(usage.value, views, usage.views);
        work.part(i as usize, value, views, usage.listeners.min(views))
    });
    work.split(each.filter(|part| part.views > 0).collect())
}

/// Gain of publishing the work in `parts` works of which listeners play as much in all: each listener's plays are
/// spread evenly, and every part begins again at `j = 1`. A listener with n plays is worth
/// `parts h_k(n / parts) / h_k(n)` times as much, and with the replay scope `creator` as much as before. Caps hold; what
/// a capped listener gives to other works is left as it was. 1 if the work is not published.
pub fn split_by_reset(evaluation: &Evaluation, parts: u32) -> f64 {
    let Some(work) = Reference::of(evaluation) else { return 1.0 };
    let values = &evaluation.usage.values;
    // value, views, listeners of each part
    let mut each = vec![(0, 0, 0); parts as usize];
    for (subscriber, plays) in &evaluation.epoch.widest_plays {
        let (n, subscriber) = (u32::from(*plays), *subscriber as usize);
        let (low, over) = (n / parts, n % parts);
        let [before, mut high_value, mut low_value] = match evaluation.rules.replay_scope {
            ReplayScope::Work => [n, low + 1, low].map(|n| values.of(n)),
            ReplayScope::Creator => {
                let all = plays_of_creator(evaluation, subscriber, work.place);
                let value = values.of(all);
                [n, low + 1, low].map(|n| scaled(value, n.into(), all.max(n).into()))
            }
        };
        let after = u64::from(over) * high_value + u64::from(parts - over) * low_value;
        let uncapped = evaluation.subscribers()[subscriber].uncapped - before + after;
        if let Some(cap) = evaluation.rules.value_cap().filter(|cap| uncapped > *cap) {
            high_value = scaled(high_value, cap, uncapped);
            low_value = scaled(low_value, cap, uncapped);
        }
        for (i, (value, views, listeners)) in (0..).zip(&mut each) {
            let (n, x) = if i < over { (low + 1, high_value) } else { (low, low_value) };
            *value += x;
            *views += u64::from(values.counted(n));
            *listeners += u64::from(n > 0);
        }
    }
    let played = each.into_iter().enumerate().filter(|(_, (_, views, _))| *views > 0);
    work.split(played.map(|(i, (value, views, listeners))| work.part(i, value, views, listeners)).collect())
}

/// Plays of all works of a work's creator by a subscriber.
fn plays_of_creator(evaluation: &Evaluation, subscriber: usize, work: u32) -> u32 {
    let epoch = &evaluation.epoch;
    let creator = epoch.market.creator(work as usize);
    let row = epoch.row(subscriber);
    let plays = epoch.works_of[row.clone()].iter().zip(&epoch.plays[row]);
    plays
        .filter(|(work, _)| epoch.market.creator(**work as usize) == creator)
        .map(|(_, n)| u32::from(*n))
        .sum()
}

/// Gain of having all views backed from all regions alike over having none backed. On a small share it is
/// `lambda^beta`, where `lambda` is by how much credibility grows: `(b_min + (1 - b_min)(1 + delta)) / b_min`. 1 if the
/// work is not published.
pub fn fake_bandwidth(evaluation: &Evaluation) -> f64 {
    let Some(work) = Reference::of(evaluation) else { return 1.0 };
    let (backed, backed_squares) = backed_from_everywhere(work.usage.views);
    let with = |backed, backed_squares| {
        work.paid(weigh(evaluation, &[WorkUsage { backed, backed_squares, ..work.usage.clone() }]))
    };
    ratio(with(backed, backed_squares), with(0, 0))
}

/// What the work would be paid at another price inside the bounds (Q32), all others keeping theirs. It never falls as
/// the price rises: with a flat fee nobody pays more for a dearer work, so creators race to the bound. `None` if the
/// work is not published.
///
/// # Panics
///
/// If the price is outside the bounds.
pub fn payout_at_price(evaluation: &Evaluation, price: u64) -> Option<Credits> {
    let work = Reference::of(evaluation)?;
    Some(work.paid(weigh(evaluation, &[WorkUsage { price, ..work.usage.clone() }])))
}
