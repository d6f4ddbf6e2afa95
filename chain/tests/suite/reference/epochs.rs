//! Epochs: what is fixed when they open, what they bring, and how they end. What the parties do in them is an input.

use super::{
    identity::{STEWARD, TREASURER},
    model::Model,
    payouts::Settled,
    settings::Values,
};
use chain::modules::{
    governance::{ModuleId, Unsupported},
    identity::Status,
    treasury::Fund,
    usage::{AbandonEpoch, OpenEpoch, Phase, PublishKeys, ReportRevenue, SubmitAggregate, UsageError},
};
use primitives::{CategoryId, EpochId, PersonId, Tier, WorkId, params::TierTerms};
use proofs::{shard::ShardError, tally::SignedHeader};
use std::collections::BTreeMap;

/// Most tiers of an epoch.
const MAX_TIERS: usize = 8;

/// A work as it takes part in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) category: CategoryId,
    pub(super) price: i128,
    pub(super) splits: Vec<(PersonId, i128)>,
    pub(super) resting: bool,
}

/// What was counted of a work in a tier.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) listeners: i128,
    pub(super) value: i128,
}

#[derive(Clone)]
pub(super) struct Epoch {
    pub(super) phase: Phase,
    pub(super) settings: Values,
    pub(super) tiers: BTreeMap<Tier, TierTerms>,
    pub(super) sold: BTreeMap<Tier, u64>,
    pub(super) works: BTreeMap<WorkId, Listed>,
    /// Bundles of earlier epochs with totals, when this one's came.
    pub(super) earlier: i128,
    pub(super) bundles: i128,
    /// Subscriptions and revenue, by tier.
    pub(super) revenue: BTreeMap<Tier, (i128, i128)>,
    pub(super) totals: BTreeMap<(Tier, WorkId), Counted>,
    pub(super) settled: Option<Settled>,
}

impl Epoch {
    /// Whether it is neither settled nor given up.
    pub(super) fn runs(&self) -> bool {
        !matches!(self.phase, Phase::Finalised | Phase::Abandoned)
    }
}

impl Model {
    fn only_steward(&self, signer: PersonId) -> Result<(), UsageError> {
        if self.acts(signer, STEWARD) { Ok(()) } else { Err(UsageError::NotSteward { signer }) }
    }

    fn only_next(&self, found: EpochId) -> Result<(), UsageError> {
        let expected = self.next_epoch();
        if found == expected { Ok(()) } else { Err(UsageError::NotNextEpoch { expected, found }) }
    }

    pub(super) fn revealed(&self, epoch: EpochId) -> usize {
        self.reveals.get(&epoch).map_or(0, BTreeMap::len)
    }

    pub(super) fn set_committee(&mut self, by: PersonId) -> Result<(), UsageError> {
        self.only_steward(by)?;
        let epoch = self.next_epoch();
        if self.revealed(epoch) >= 2 {
            return Err(UsageError::CommitteeFixed { epoch });
        }
        self.reveals.remove(&epoch);
        self.has_committee = true;
        Ok(())
    }

    pub(super) fn publish_keys(&mut self, by: PersonId, action: &PublishKeys) -> Result<(), UsageError> {
        self.only_steward(by)?;
        let epoch = action.epoch;
        match self.epochs.get(&epoch) {
            Some(known) if known.runs() => return Err(UsageError::KeysActive { epoch }),
            Some(_) => return Err(UsageError::KeysExpired { epoch }),
            None => self.only_next(epoch)?,
        }
        if self.issuers.iter().any(|(of, _)| *of == epoch) {
            return Err(UsageError::KeysPublished { epoch });
        }
        self.issuers.extend(action.tiers.iter().map(|key| (epoch, key.tier)));
        Ok(())
    }

    pub(super) fn open_epoch(&mut self, by: PersonId, action: &OpenEpoch) -> Result<(), UsageError> {
        self.only_steward(by)?;
        let epoch = action.epoch;
        self.only_next(epoch)?;
        for module in ModuleId::ALL {
            let version = *self.modules[&module].range(..=epoch).next_back().expect("a first version").1;
            // This program has the first version of each module.
            if version > 1 {
                return Err(UsageError::Unsupported(Unsupported { module, epoch, version, supported: 1 }));
            }
        }
        match self.epochs.iter().next_back() {
            Some((last, Epoch { phase: Phase::Open, .. })) => {
                return Err(UsageError::PreviousOpen { epoch: *last });
            }
            Some((last, _)) => self.first_to_end(*last)?,
            None => {}
        }
        let settings = self.settings.all(epoch);
        self.check_tiers(action, settings["value_cap"])?;
        check_sales(action)?;
        if !self.has_committee {
            return Err(UsageError::NoCommittee { epoch });
        }
        if self.revealed(epoch) < 2 {
            return Err(UsageError::TooFewReveals { count: self.revealed(epoch) });
        }
        let works = self.works_of(epoch, &settings);
        if works.is_empty() {
            return Err(UsageError::Shard(ShardError::Empty));
        }
        self.at_home.extend(works.keys());
        let opened = Epoch {
            phase: Phase::Open,
            settings,
            tiers: action.tiers.iter().map(|terms| (terms.tier, terms.clone())).collect(),
            sold: action.sold.iter().map(|sales| (sales.tier, sales.subscriptions)).collect(),
            works,
            earlier: 0,
            bundles: 0,
            revenue: BTreeMap::new(),
            totals: BTreeMap::new(),
            settled: None,
        };
        self.epochs.insert(epoch, opened);
        Ok(())
    }

    /// Works that take part, offered and of active creators, and those that took part before and rest.
    fn works_of(&self, epoch: EpochId, settings: &Values) -> BTreeMap<WorkId, Listed> {
        let mut works = BTreeMap::new();
        for (id, work) in &self.works {
            let active = self.people.get(&work.creator).is_some_and(|who| who.status == Status::Active);
            let resting = !(active && work.is_offered(epoch));
            if resting && !self.at_home.contains(id) {
                continue;
            }
            let terms = work.terms_in(epoch).clone();
            let price = terms.price.max(settings["price_min"]).min(settings["price_max"]);
            works.insert(*id, Listed { category: work.category, price, splits: terms.splits, resting });
        }
        works
    }

    fn check_tiers(&self, action: &OpenEpoch, limit: i128) -> Result<(), UsageError> {
        let (tiers, epoch) = (&action.tiers, action.epoch);
        if tiers.is_empty() {
            return Err(UsageError::NoTier);
        }
        if tiers.len() > MAX_TIERS {
            return Err(UsageError::TooManyTiers { count: tiers.len() });
        }
        for place in 1..tiers.len() {
            if tiers[place].tier <= tiers[place - 1].tier {
                return Err(UsageError::TierOrder { tier: tiers[place].tier });
            }
        }
        for terms in tiers {
            let (tier, cap) = (terms.tier, terms.value_cap);
            if terms.max_bundles == 0 {
                return Err(UsageError::TierWithoutBundles { tier });
            }
            if cap < 1 << 18 || i128::from(cap) > limit {
                let limit = u64::try_from(limit).expect("a cap");
                return Err(UsageError::TierCap { tier, cap, limit });
            }
            if !self.issuers.contains(&(epoch, tier)) {
                return Err(UsageError::NoIssuerKey { tier, epoch });
            }
        }
        Ok(())
    }

    pub(super) fn report_revenue(&mut self, by: PersonId, action: &ReportRevenue) -> Result<(), UsageError> {
        if !self.acts(by, TREASURER) {
            return Err(UsageError::NotTreasury { signer: by });
        }
        let ReportRevenue { epoch, tier, subscriptions: reported } = *action;
        let known = self.running_or(epoch)?;
        let terms = known.tiers.get(&tier).ok_or(UsageError::UnknownTier { epoch, tier })?;
        if known.revenue.contains_key(&tier) {
            return Err(UsageError::RevenueReported { epoch, tier });
        }
        let sold = known.sold[&tier];
        if reported < sold {
            return Err(UsageError::FewerThanSold { tier, sold, reported });
        }
        let revenue = i128::from(terms.price.0) * i128::from(reported);
        if revenue > u64::MAX.into() {
            return Err(UsageError::RevenueOverflow { tier });
        }
        self.issue(revenue)?;
        *self.money.fund(Fund::Revenue) += revenue;
        let record = (i128::from(reported), revenue);
        self.epochs.entry(epoch).and_modify(|known| {
            known.revenue.insert(tier, record);
        });
        Ok(())
    }

    /// An epoch that is neither settled nor given up.
    fn running_or(&self, epoch: EpochId) -> Result<&Epoch, UsageError> {
        match self.epochs.get(&epoch) {
            None => Err(UsageError::UnknownEpoch { epoch }),
            Some(Epoch { phase: Phase::Finalised, .. }) => Err(UsageError::Settled { epoch }),
            Some(Epoch { phase: Phase::Abandoned, .. }) => Err(UsageError::Abandoned { epoch }),
            Some(known) => Ok(known),
        }
    }

    /// All that was reported joins what is carried to the next epoch's creators.
    pub(super) fn abandon(&mut self, by: PersonId, action: &AbandonEpoch) -> Result<(), UsageError> {
        self.only_steward(by)?;
        let reported: i128 = self.running_or(action.epoch)?.revenue.values().map(|(_, amount)| amount).sum();
        self.first_to_end(action.epoch)?;
        self.drain(Fund::Revenue, reported)?;
        *self.money.fund(Fund::Carried) += reported;
        self.epochs.entry(action.epoch).and_modify(|known| known.phase = Phase::Abandoned);
        Ok(())
    }

    /// Epochs end one after the other.
    fn first_to_end(&self, epoch: EpochId) -> Result<(), UsageError> {
        match self.runs_before(epoch) {
            Some(epoch) => Err(UsageError::PreviousNotOver { epoch }),
            None => Ok(()),
        }
    }

    /// An epoch before this one that is neither settled nor given up.
    pub(super) fn runs_before(&self, epoch: EpochId) -> Option<EpochId> {
        self.epochs.range(..epoch).find(|(_, known)| known.runs()).map(|(epoch, _)| *epoch)
    }

    pub(super) fn anchored(&mut self, signed: &SignedHeader) {
        let header = &signed.header;
        self.epochs.entry(header.epoch).and_modify(|known| known.bundles += i128::from(header.count));
    }

    /// A set is frozen once everybody knows what is taken over.
    pub(super) fn freeze(&mut self, epoch: EpochId) -> Result<(), UsageError> {
        for (before, known) in self.epochs.range(..epoch) {
            if matches!(known.phase, Phase::Open | Phase::Frozen) {
                return Err(UsageError::PreviousNotAggregated { epoch: *before });
            }
        }
        self.epochs.entry(epoch).and_modify(|known| known.phase = Phase::Frozen);
        Ok(())
    }

    /// Totals, from outside: the parties and their proofs say what they are. Indices beyond the works are padding.
    pub(super) fn aggregated(&mut self, action: &SubmitAggregate) {
        let known = self.epochs.get_mut(&action.epoch).expect("an open epoch");
        let works: Vec<WorkId> = known.works.keys().copied().collect();
        for (tier, counts) in action.tally.totals.iter() {
            for (index, count) in counts {
                if let Some(work) = works.get(usize::from(index.0)) {
                    let counted = Counted { listeners: count.listeners.into(), value: count.value.into() };
                    known.totals.insert((tier, *work), counted);
                }
            }
        }
        (known.phase, known.earlier) = (Phase::Aggregated, self.counted);
        self.counted += known.bundles;
    }
}

/// Sales are on record for each tier, in its order, and for no other; what was sold is a sum of money.
fn check_sales(action: &OpenEpoch) -> Result<(), UsageError> {
    for (place, terms) in action.tiers.iter().enumerate() {
        let tier = terms.tier;
        match action.sold.get(place) {
            Some(sales) if sales.tier == tier => {
                if u128::from(terms.price.0) * u128::from(sales.subscriptions) > u64::MAX.into() {
                    return Err(UsageError::RevenueOverflow { tier });
                }
            }
            _ => return Err(UsageError::Sales { tier }),
        }
    }
    match action.sold.get(action.tiers.len()) {
        None => Ok(()),
        Some(more) => Err(UsageError::Sales { tier: more.tier }),
    }
}
