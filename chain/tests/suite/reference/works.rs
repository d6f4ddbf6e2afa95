//! The work registry: who registers what, and what holds from which epoch on.

use super::{
    identity::{CREATOR, is_on_layer1},
    model::Model,
};
use chain::modules::{
    dapr::payout::{Split, SplitError},
    identity::Status,
    work_registry::{DeprecateWork, MAX_SPLITS, RegisterWork, Removal, UpdateWork, WorkError, work_id},
};
use primitives::{CategoryId, EpochId, PersonId, WorkId};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) price: i128,
    pub(super) splits: Vec<(PersonId, i128)>,
}

#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) creator: PersonId,
    pub(super) category: CategoryId,
    pub(super) active_from: EpochId,
    /// All terms that hold or may hold, by the epoch from which they do.
    pub(super) terms: BTreeMap<EpochId, Terms>,
    pub(super) gone: Option<(EpochId, Removal)>,
}

impl Work {
    pub(super) fn terms_in(&self, epoch: EpochId) -> &Terms {
        self.terms.range(..=epoch).next_back().expect("a work has terms once it takes part").1
    }

    pub(super) fn is_offered(&self, epoch: EpochId) -> bool {
        epoch >= self.active_from && self.gone.is_none_or(|(from, _)| epoch < from)
    }
}

/// The first thing that is wrong with a division.
fn wrong(splits: &[Split]) -> Option<SplitError> {
    let count = splits.len();
    if count == 0 {
        return Some(SplitError::Empty);
    }
    if count > MAX_SPLITS {
        return Some(SplitError::TooMany { count, limit: MAX_SPLITS });
    }
    if let Some(nothing) = splits.iter().find(|split| split.share.get() == 0) {
        return Some(SplitError::ZeroShare { payee: nothing.payee });
    }
    for (place, split) in splits.iter().enumerate().skip(1) {
        let (before, payee) = (splits[place - 1].payee, split.payee);
        if before == payee {
            return Some(SplitError::Duplicate { payee });
        }
        if before > payee {
            return Some(SplitError::Unsorted { payee });
        }
    }
    let total: u32 = splits.iter().map(|split| u32::from(split.share.get())).sum();
    (total != 10_000).then_some(SplitError::NotWhole { total })
}

impl Model {
    fn only_creator(&self, signer: PersonId) -> Result<(), WorkError> {
        match self.people.get(&signer) {
            Some(who) if who.roles & CREATOR == 0 => Err(WorkError::NotCreator { signer }),
            None => Err(WorkError::NotCreator { signer }),
            Some(who) if who.status != Status::Active => {
                Err(WorkError::CreatorNotActive { signer, status: who.status })
            }
            Some(_) => Ok(()),
        }
    }

    /// Price inside the bounds in force, a division of the whole among those who can be paid, and no epoch that opened.
    fn terms(&self, price: u64, splits: &[Split], from: EpochId) -> Result<Terms, WorkError> {
        let (min, max) = (self.rule("price_min"), self.rule("price_max"));
        if i128::from(price) < min || i128::from(price) > max {
            let bound = |bound: i128| u64::try_from(bound).expect("a price");
            return Err(WorkError::Price { price, min: bound(min), max: bound(max) });
        }
        if let Some(error) = wrong(splits) {
            return Err(WorkError::Splits(error));
        }
        for Split { payee, .. } in splits {
            let zero = payee.0 == [0; 32];
            let is_there = if is_on_layer1(payee) { !zero } else { self.people.contains_key(payee) };
            if !is_there {
                return Err(WorkError::UnknownPayee { payee: *payee });
            }
        }
        self.only_future(from)?;
        let splits = splits.iter().map(|split| (split.payee, i128::from(split.share.get()))).collect();
        Ok(Terms { price: price.into(), splits })
    }

    fn only_future(&self, from: EpochId) -> Result<(), WorkError> {
        let earliest = self.next_epoch();
        if from >= earliest { Ok(()) } else { Err(WorkError::NotFuture { from, earliest }) }
    }

    pub(super) fn register_work(&mut self, by: PersonId, action: &RegisterWork) -> Result<(), WorkError> {
        self.only_creator(by)?;
        let work = work_id(&action.fingerprint, &by);
        if self.works.contains_key(&work) {
            return Err(WorkError::AlreadyRegistered { work });
        }
        let limit = 4_096;
        if self.works.values().filter(|work| work.creator == by).count() >= limit as usize {
            return Err(WorkError::TooManyWorks { signer: by, limit });
        }
        let from = action.active_from;
        let terms = BTreeMap::from([(from, self.terms(action.price, &action.splits, from)?)]);
        let category = action.category;
        self.works.insert(work, Work { creator: by, category, active_from: from, terms, gone: None });
        Ok(())
    }

    fn own(&mut self, by: PersonId, id: WorkId) -> Result<&mut Work, WorkError> {
        let work = self.works.get_mut(&id).ok_or(WorkError::UnknownWork { work: id })?;
        if work.creator == by { Ok(work) } else { Err(WorkError::NotOwner { work: id, signer: by }) }
    }

    /// A change takes the place of what was planned from its epoch on, and brings back what was deprecated. Two terms are
    /// kept: a change after both, or one that would bring a work back after a gap, is refused.
    pub(super) fn update_work(&mut self, by: PersonId, action: &UpdateWork) -> Result<(), WorkError> {
        self.only_creator(by)?;
        let id = action.work;
        let gone = self.own(by, id)?.gone;
        if let Some((from, Removal::Removed)) = gone {
            return Err(WorkError::Removed { work: id, from });
        }
        let terms = self.terms(action.price, &action.splits, action.from)?;
        let next = self.next_epoch();
        if let Some((gone, _)) = gone
            && action.from > gone
            && action.from > next
        {
            return Err(WorkError::BackLater {
                work: id,
                gone,
                latest: if gone > next { gone } else { next },
            });
        }
        let work = self.own(by, id)?;
        let holds = work.terms.range(..next).next_back().map_or(next, |(from, _)| *from);
        let kept: Vec<EpochId> = work.terms.range(holds..).map(|(from, _)| *from).collect();
        let kept: Vec<EpochId> = kept.into_iter().filter(|from| *from < action.from).collect();
        if let [_, planned] = kept[..] {
            return Err(WorkError::TermsPlanned { work: id, from: planned });
        }
        work.terms.retain(|from, _| kept.contains(from));
        work.terms.insert(action.from, terms);
        work.gone = None;
        Ok(())
    }

    pub(super) fn deprecate_work(&mut self, by: PersonId, action: &DeprecateWork) -> Result<(), WorkError> {
        self.only_creator(by)?;
        self.own(by, action.work)?;
        self.remove_work(action.work, action.from, Removal::Deprecated)
    }

    /// Takes a work out. What is removed stays removed; what was deprecated may leave sooner, or for good.
    pub(super) fn remove_work(
        &mut self,
        id: WorkId,
        from: EpochId,
        removal: Removal,
    ) -> Result<(), WorkError> {
        let gone = self.works.get(&id).ok_or(WorkError::UnknownWork { work: id })?.gone;
        self.only_future(from)?;
        let leaves = match gone {
            None => from,
            Some((before, Removal::Removed)) => {
                return Err(WorkError::Removed { work: id, from: before });
            }
            Some((before, Removal::Deprecated)) => {
                if removal == Removal::Deprecated && before <= from {
                    return Err(WorkError::Gone { work: id, from: before });
                }
                before.min(from)
            }
        };
        self.works.entry(id).and_modify(|work| work.gone = Some((leaves, removal)));
        Ok(())
    }
}
