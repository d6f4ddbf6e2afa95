//! What an epoch pays under rules, by the ledger's own functions.

use super::{
    EconomicsError, Epoch, Rules, SUBSCRIPTION,
    values::{SubscriberValue, Values, WorkTotals, count},
};
use chain::modules::dapr::{
    payout::{RevenueSplit, largest_remainder, split_revenue},
    weight::{WorkUsage, WorkWeight, weights},
};
use primitives::{CategoryId, Credits, GovernanceParams, params::ONE_Q32};
use ruint::aliases::U256;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Usage of every work and subscriber: depends on the plays, `k`, `J_max`, the cap, the threshold, the scope of
/// repeated views, and prices.
#[derive(Debug)]
pub(super) struct Usage {
    pub(super) values: Values,
    pub(super) totals: Vec<WorkTotals>,
    pub(super) subscribers: Vec<SubscriberValue>,
    /// Places of the published works with usage, ascending, and what the committee publishes of them.
    pub(super) published: Vec<u32>,
    pub(super) usage: Vec<WorkUsage>,
}

/// Weights of the published works: depends on their usage and on every parameter of the weight.
#[derive(Debug)]
pub(super) struct Weighted {
    pub(super) weights: Vec<U256>,
    pub(super) sum: U256,
    /// With normalised prices, for each category the sums of weights without and with prices, before normalising.
    pub(super) categories: BTreeMap<CategoryId, (U256, U256)>,
}

/// An epoch under rules: usage, weight and payout of each work, value of each subscriber.
#[derive(Clone, Debug)]
pub struct Evaluation {
    pub(super) epoch: Arc<Epoch>,
    pub(super) rules: Rules,
    pub(super) usage: Arc<Usage>,
    pub(super) weighted: Arc<Weighted>,
    /// Where the revenue of the honest subscribers goes.
    split: RevenueSplit,
    /// Payout of every work, by place.
    pub(super) payouts: Arc<Vec<u64>>,
}

/// A work in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkResult<'a> {
    /// Its place in the market.
    pub work: usize,
    /// Its name.
    pub name: &'a str,
    /// Its category.
    pub category: CategoryId,
    /// Its creator, as a number from 0.
    pub creator: u32,
    /// Subscribers who played it.
    pub listeners: u32,
    /// Value of its views after the cap, in 2^-18 views, published or not.
    pub value: u64,
    /// Whether enough listeners have it published. If not, it has no weight and no payout.
    pub published: bool,
    /// Its weight, in units of [`WEIGHT_SCALE_BITS`](chain::modules::dapr::weight::WEIGHT_SCALE_BITS).
    pub weight: U256,
    /// Its payout.
    pub payout: Credits,
}

/// Evaluates, and keeps what the next change of rules leaves as it was: usage where only weights change, weights where
/// only shares of revenue change.
#[derive(Debug, Default)]
pub struct Engine {
    last: Option<Evaluation>,
}

/// Evaluates an epoch under rules.
pub fn evaluate(epoch: &Arc<Epoch>, rules: &Rules) -> Result<Evaluation, EconomicsError> {
    Engine::default().evaluate(epoch, rules)
}

impl Engine {
    /// Evaluates an epoch under rules.
    pub fn evaluate(&mut self, epoch: &Arc<Epoch>, rules: &Rules) -> Result<Evaluation, EconomicsError> {
        rules.check()?;
        let last = self.last.take().filter(|last| Arc::ptr_eq(&last.epoch, epoch));
        let usage = match &last {
            Some(last) if same_usage(&last.rules, rules) => last.usage.clone(),
            _ => Arc::new(Usage::new(epoch, rules)),
        };
        let weighted = match &last {
            Some(last) if Arc::ptr_eq(&last.usage, &usage) && same_weights(&last.rules, rules) => {
                last.weighted.clone()
            }
            _ => Arc::new(Weighted::new(rules, &usage.usage)?),
        };
        let split = split_revenue(&rules.params, revenue(epoch.market.subscribers()));
        let payouts = match &last {
            Some(last) if Arc::ptr_eq(&last.weighted, &weighted) && last.split == split => {
                last.payouts.clone()
            }
            _ => Arc::new(pay(epoch.listeners.len(), split.creators, &usage, &weighted)),
        };
        let evaluation =
            Evaluation { epoch: epoch.clone(), rules: rules.clone(), usage, weighted, split, payouts };
        self.last = Some(evaluation.clone());
        Ok(evaluation)
    }
}

/// What so many subscriptions cost.
pub(super) fn revenue(subscriptions: usize) -> Credits {
    SUBSCRIPTION.checked_mul(subscriptions as u64).expect("fewer than 2^32 subscriptions of 2^24 units")
}

/// Whether two sets of rules count alike.
fn same_usage(a: &Rules, b: &Rules) -> bool {
    let part = |r: &Rules| {
        let p = &r.params;
        (p.k, r.j_max(), r.value_cap(), p.k_anonymity, r.replay_scope, p.price_min, p.price_max)
    };
    part(a) == part(b)
}

/// Whether two sets of rules weigh the same usage alike.
fn same_weights(a: &Rules, b: &Rules) -> bool {
    let part = |r: &Rules| {
        let p = &r.params;
        (p.alpha, p.beta, p.b_min, p.delta, p.price_normalised)
    };
    part(a) == part(b)
}

impl Usage {
    fn new(epoch: &Epoch, rules: &Rules) -> Self {
        let values = Values::new(rules, epoch.max_plays);
        let (totals, subscribers) = count(epoch, rules, &values);
        let params = &rules.params;
        let threshold = params.k_anonymity.max(1);
        let published: Vec<u32> = (0..)
            .zip(&epoch.listeners)
            .filter(|(_, listeners)| **listeners >= threshold)
            .map(|(work, _)| work)
            .collect();
        let usage = published.iter().map(|work| {
            let place = *work as usize;
            let total = &totals[place];
            let work = &epoch.market.works[place];
            WorkUsage {
                work: epoch.market.ids[place],
                category: work.category,
                price: work.price(params),
                value: total.value,
                views: total.views,
                listeners: epoch.listeners[place].into(),
                backed: total.backed.iter().sum(),
                backed_squares: total.backed.iter().map(|n| u128::from(*n) * u128::from(*n)).sum(),
            }
        });
        let usage = usage.collect();
        Self { values, totals, subscribers, published, usage }
    }
}

impl Weighted {
    fn new(rules: &Rules, usage: &[WorkUsage]) -> Result<Self, EconomicsError> {
        let params = &rules.params;
        let mut categories = BTreeMap::<_, (U256, U256)>::new();
        let weights = if params.price_normalised {
            let neutral: Vec<_> =
                usage.iter().map(|work| WorkUsage { price: ONE_Q32, ..work.clone() }).collect();
            let unnormalised = rules.unnormalised();
            let (unpriced, priced) = (weigh(&unnormalised, &neutral)?, weigh(&unnormalised, usage)?);
            for (work, (unpriced, priced)) in usage.iter().zip(unpriced.iter().zip(&priced)) {
                let sums = categories.entry(work.category).or_default();
                sums.0 += unpriced;
                sums.1 += priced;
            }
            weights(params, usage)?.into_iter().map(|w| w.weight).collect()
        } else {
            weigh(params, usage)?
        };
        let sum = weights.iter().fold(U256::ZERO, |sum, w| sum + w);
        Ok(Self { weights, sum, categories })
    }
}

/// Weights without normalised prices. Then a weight depends on the figures of its own work alone, so works with the same
/// figures are weighed once: thousands of works have one listener and few plays.
fn weigh(params: &GovernanceParams, usage: &[WorkUsage]) -> Result<Vec<U256>, EconomicsError> {
    let mut kinds = HashMap::new();
    let mut distinct = Vec::new();
    let kind_of: Vec<usize> = usage
        .iter()
        .map(|work| {
            // At beta = 0 credibility is a factor of exactly one, whatever was backed.
            let backing =
                if params.beta == 0 { (0, 0, 0) } else { (work.views, work.backed, work.backed_squares) };
            *kinds.entry((work.value, work.price, backing)).or_insert_with(|| {
                distinct.push(work.clone());
                distinct.len() - 1
            })
        })
        .collect();
    let weights = weights(params, &distinct)?;
    Ok(kind_of.into_iter().map(|kind| weights[kind].weight).collect())
}

/// Sum of weights: more than 2^100 of them fit.
pub(super) fn total(weights: &[WorkWeight]) -> U256 {
    weights.iter().fold(U256::ZERO, |sum, w| sum + w.weight)
}

/// Payouts of all works, by place.
fn pay(works: usize, pool: Credits, usage: &Usage, weighted: &Weighted) -> Vec<u64> {
    let shares: Vec<_> =
        usage.usage.iter().map(|work| work.work).zip(weighted.weights.iter().copied()).collect();
    let mut payouts = vec![0; works];
    for (work, paid) in usage.published.iter().zip(largest_remainder(pool, &shares)) {
        payouts[*work as usize] = paid.0;
    }
    payouts
}

impl Evaluation {
    /// The epoch.
    pub fn epoch(&self) -> &Arc<Epoch> {
        &self.epoch
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The parameters among the rules.
    pub fn params(&self) -> &GovernanceParams {
        &self.rules.params
    }

    /// Where the revenue goes. The payouts sum to its `creators` to the unit, unless no work has weight.
    pub fn split(&self) -> &RevenueSplit {
        &self.split
    }

    /// Payout of every work of the market, by place, in micro-credits.
    pub fn payouts(&self) -> &[u64] {
        &self.payouts
    }

    /// What the committee publishes of every published work, by place, and what the registry says of it.
    pub fn published_usage(&self) -> &[WorkUsage] {
        &self.usage.usage
    }

    /// Value of every subscriber, by place.
    pub fn subscribers(&self) -> &[SubscriberValue] {
        &self.usage.subscribers
    }

    /// Whether a work is published.
    pub fn published(&self, work: usize) -> bool {
        self.epoch.listeners[work] >= self.rules.params.k_anonymity.max(1)
    }

    /// Every work that was played, by place.
    pub fn works(&self) -> impl Iterator<Item = WorkResult<'_>> {
        let mut weights = self.weighted.weights.iter();
        let played = (0..self.payouts.len()).filter(|work| self.epoch.listeners[*work] > 0);
        played.map(move |work| {
            let market = &self.epoch.market;
            let published = self.published(work);
            let weight = if published { weights.next().copied() } else { None };
            WorkResult {
                work,
                name: market.work_name(work),
                category: market.category(work),
                creator: market.creator(work),
                listeners: self.epoch.listeners[work],
                value: self.usage.totals[work].value,
                published,
                weight: weight.unwrap_or_default(),
                payout: Credits(self.payouts[work]),
            }
        })
    }
}
