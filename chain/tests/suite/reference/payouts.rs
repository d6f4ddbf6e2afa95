//! Where an epoch's money goes, in exact fractions, and who has claimed theirs.
//!
//! Histories keep alpha at one and beta at zero: then a weight is `U P`, without powers.

use super::{
    epochs::{Counted, Epoch, Listed},
    identity::is_on_layer1,
    model::{Model, credits},
};
use chain::modules::{
    dapr::{Claim, DaprError, SettleError},
    treasury::Fund,
    usage::Phase,
};
use dashu::{integer::IBig, rational::RBig};
use primitives::{EpochId, PersonId, Tier, WorkId};
use std::collections::BTreeMap;

/// The figures of a settled epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) revenue: i128,
    pub(super) fee: i128,
    pub(super) eco: i128,
    pub(super) infra: i128,
    pub(super) creators: i128,
    pub(super) carried_in: i128,
    pub(super) paid: i128,
    pub(super) on_layer1: i128,
    pub(super) carried_out: i128,
    /// What each payee is owed for each work, where it is something.
    pub(super) owed: BTreeMap<(WorkId, PersonId), i128>,
}

/// Divides a pool by shares, largest remainder first, then by name: every part is its exact part rounded down, and those
/// that lost most by that get the units that are left.
fn divide<K: Ord + Copy>(pool: i128, shares: &[(K, RBig)]) -> Vec<(K, i128)> {
    let whole = shares.iter().fold(RBig::ZERO, |sum, (_, share)| sum + share);
    if whole == RBig::ZERO {
        return Vec::new();
    }
    let exact = |share: &RBig| RBig::from(IBig::from(pool)) * share / &whole;
    let mut parts: Vec<(K, i128, RBig)> = shares
        .iter()
        .map(|(key, share)| {
            let part = exact(share);
            let floor = part.floor();
            let rest = part - RBig::from(floor.clone());
            (*key, i128::try_from(floor).expect("a part of the pool"), rest)
        })
        .collect();
    parts.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    let given: i128 = parts.iter().map(|(_, part, _)| part).sum();
    let left = usize::try_from(pool - given).expect("floors are not above the whole");
    parts.iter_mut().take(left).for_each(|(_, part, _)| *part += 1);
    parts.into_iter().map(|(key, part, _)| (key, part)).collect()
}

impl Epoch {
    fn points_of(&self, revenue: i128, share: &str) -> i128 {
        revenue * self.settings[share] / 10_000
    }

    /// Weights of all works, over all tiers or in one, in 2^-50 of a view.
    fn weights(&self, tier: Option<Tier>) -> Vec<(WorkId, RBig)> {
        let used = |work: &WorkId| -> IBig {
            let cells =
                self.totals.iter().filter(|((of, id), _)| id == work && tier.is_none_or(|t| t == *of));
            cells.map(|(_, counted)| IBig::from(counted.value)).sum()
        };
        let weighed = |(id, listed): (&WorkId, &Listed)| {
            (*id, listed.category, used(id) << 32, used(id) * IBig::from(listed.price))
        };
        let weighed: Vec<_> = self.works.iter().map(weighed).collect();
        let weight = |(id, category, _, priced): &(WorkId, _, IBig, IBig)| {
            if self.settings["price_normalised"] == 0 {
                return (*id, RBig::from(priced.clone()));
            }
            // Prices shift money inside a category: each weight times what the category weighs without prices, over
            // what it weighs with them, rounded down in units of 2^-82.
            let of_category = weighed.iter().filter(|(_, of, _, _)| of == category);
            let (without, with) = of_category
                .fold((IBig::ZERO, IBig::ZERO), |(without, with), work| (without + &work.2, with + &work.3));
            if with == IBig::ZERO {
                return (*id, RBig::ZERO);
            }
            let exact = RBig::from((priced.clone() << 32) * without) / RBig::from(with);
            (*id, RBig::from(exact.floor()))
        };
        weighed.iter().map(weight).collect()
    }

    /// Shares of some revenue: fee, Eco-Reserve, infrastructure, creators.
    fn shares(&self, revenue: i128) -> [i128; 4] {
        let [fee, eco, infra] =
            ["fee_share", "eco_share", "infra_share"].map(|share| self.points_of(revenue, share));
        [fee, eco, infra, revenue - fee - eco - infra]
    }

    /// With what earlier epochs left to creators.
    fn settle(&self, carried: i128) -> Result<Settled, SettleError> {
        for tier in self.tiers.keys() {
            if !self.revenue.contains_key(tier) {
                return Err(SettleError::Revenue { tier: *tier });
            }
        }
        self.check_listeners()?;
        let by_tier = self.settings["pool_by_tier"] == 1;
        let revenue: i128 = self.revenue.values().map(|(_, amount)| amount).sum();
        let parts: Vec<[i128; 4]> = if by_tier {
            self.revenue.values().map(|(_, amount)| self.shares(*amount)).collect()
        } else {
            vec![self.shares(revenue)]
        };
        let [fee, eco, infra, creators] =
            [0, 1, 2, 3].map(|part| parts.iter().map(|parts| parts[part]).sum());
        let pools = if by_tier { self.pools_by_tier(carried) } else { self.one_pool(creators + carried) };
        let mut of_works = BTreeMap::<WorkId, i128>::new();
        for (pool, weights) in pools {
            for (work, part) in divide(pool, &weights) {
                *of_works.entry(work).or_default() += part;
            }
        }
        let paid: i128 = of_works.values().sum();
        let mut owed = BTreeMap::new();
        for (work, amount) in of_works {
            let splits = &self.works[&work].splits;
            let shares: Vec<_> =
                splits.iter().map(|(who, share)| (*who, RBig::from(IBig::from(*share)))).collect();
            let parts = divide(amount, &shares).into_iter().filter(|(_, part)| *part > 0);
            owed.extend(parts.map(|(payee, part)| ((work, payee), part)));
        }
        let there = owed.iter().filter(|((_, payee), _)| is_on_layer1(payee));
        let on_layer1 = there.map(|(_, amount)| amount).sum();
        let (carried_in, carried_out) = (carried, creators + carried - paid);
        Ok(Settled { revenue, fee, eco, infra, creators, carried_in, paid, on_layer1, carried_out, owed })
    }

    /// No more listeners than subscriptions and subscribers of earlier epochs whose usage may be among them.
    fn check_listeners(&self) -> Result<(), SettleError> {
        for ((tier, work), Counted { listeners, .. }) in &self.totals {
            let (subscriptions, carried) = (self.revenue.get(tier).map_or(0, |sold| sold.0), self.earlier);
            if *listeners > subscriptions + carried {
                let [listeners, subscriptions, carried] =
                    [*listeners, subscriptions, carried].map(|n| u64::try_from(n).expect("a count"));
                let (work, tier) = (*work, *tier);
                return Err(SettleError::Listeners { work, tier, listeners, subscriptions, carried });
            }
        }
        Ok(())
    }

    fn one_pool(&self, whole: i128) -> Vec<(i128, Vec<(WorkId, RBig)>)> {
        vec![(whole, self.weights(None))]
    }

    /// One pool for each tier with usage. Carried money joins them in proportion, and what is left over of it the first.
    fn pools_by_tier(&self, carried: i128) -> Vec<(i128, Vec<(WorkId, RBig)>)> {
        let mut pools = Vec::new();
        for (tier, (_, revenue)) in &self.revenue {
            let weights = self.weights(Some(*tier));
            if weights.iter().any(|(_, weight)| *weight > RBig::ZERO) {
                pools.push((self.shares(*revenue)[3], weights));
            }
        }
        let whole: i128 = pools.iter().map(|(pool, _)| pool).sum();
        let joins: Vec<i128> =
            pools.iter().map(|(pool, _)| if whole == 0 { 0 } else { carried * pool / whole }).collect();
        let left = carried - joins.iter().sum::<i128>();
        pools.iter_mut().zip(joins).for_each(|((pool, _), join)| *pool += join);
        if let Some((first, _)) = pools.first_mut() {
            *first += left;
        }
        pools
    }
}

impl Model {
    pub(super) fn finalise(&mut self, epoch: EpochId) -> Result<(), DaprError> {
        let known = self.epochs.get(&epoch).ok_or(DaprError::UnknownEpoch { epoch })?;
        match known.phase {
            Phase::Aggregated => {}
            Phase::Finalised => return Err(DaprError::AlreadyFinalised { epoch }),
            Phase::Abandoned => return Err(DaprError::Abandoned { epoch }),
            found => return Err(DaprError::NotAggregated { epoch, found }),
        }
        if let Some(epoch) = self.runs_before(epoch) {
            return Err(DaprError::PreviousNotOver { epoch });
        }
        let settled = known.settle(self.money.in_fund(Fund::Carried))?;
        self.drain(Fund::Revenue, settled.revenue)?;
        self.drain(Fund::Carried, settled.carried_in)?;
        for (fund, amount) in [
            (Fund::Fee, settled.fee),
            (Fund::Eco, settled.eco),
            (Fund::Infrastructure, settled.infra),
            (Fund::Unclaimed, settled.paid - settled.on_layer1),
            (Fund::Layer1, settled.on_layer1),
            (Fund::Carried, settled.carried_out),
        ] {
            *self.money.fund(fund) += amount;
        }
        let known = self.epochs.get_mut(&epoch).expect("looked up above");
        (known.phase, known.settled) = (Phase::Finalised, Some(settled));
        Ok(())
    }

    pub(super) fn claim(&mut self, action: &Claim, path_holds: bool) -> Result<(), DaprError> {
        let Claim { epoch, work, payee, amount, .. } = *action;
        if is_on_layer1(&payee) {
            return Err(DaprError::PaidOnLayer1 { payee });
        }
        let known = self.epochs.get(&epoch).ok_or(DaprError::UnknownEpoch { epoch })?;
        if known.phase == Phase::Abandoned {
            return Err(DaprError::Abandoned { epoch });
        }
        let settled = known.settled.as_ref().ok_or(DaprError::NotFinalised { epoch })?;
        let owed = settled.owed.get(&(work, payee)).copied();
        if self.claimed.contains(&(epoch, work, payee)) {
            return Err(DaprError::AlreadyClaimed { epoch, work, payee });
        }
        if !path_holds || owed.map(credits) != Some(amount) {
            return Err(DaprError::NotOwed { epoch, work, payee, amount });
        }
        self.drain(Fund::Unclaimed, amount.0.into())?;
        self.pay(payee, amount.0.into())?;
        self.claimed.insert((epoch, work, payee));
        Ok(())
    }
}
