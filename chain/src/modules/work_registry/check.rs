//! Guards of the work registry.

use super::{DeprecateWork, Gone, RegisterWork, Removal, Terms, UpdateWork, Work, work_id};
use crate::{
    ledger::Context,
    modules::{
        dapr::payout::{Split, SplitError, check_splits},
        governance::Unit,
        identity::{Identity, Roles, Status},
    },
    state::Draft,
};
use primitives::{EpochId, Layer1Address, PersonId, WorkId, limits};
use thiserror::Error;

/// Which rule a registration or a change of a work breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WorkError {
    /// The signer is not on record as a creator.
    #[error("{signer} is not a creator")]
    NotCreator {
        /// Who signed.
        signer: PersonId,
    },
    /// The creator's status is not `Active`.
    #[error("creator {signer} is {status:?}, not active")]
    CreatorNotActive {
        /// Who signed.
        signer: PersonId,
        /// Where they stand.
        status: Status,
    },
    /// The work is registered.
    #[error("work {work} is registered already")]
    AlreadyRegistered {
        /// The work.
        work: WorkId,
    },
    /// The registry is full: an epoch over more works could not open.
    #[error("the registry holds {limit} works, as many as an epoch may have")]
    RegistryFull {
        /// Works that the registry holds at most.
        limit: usize,
    },
    /// The creator has as many works as one may have.
    #[error("{signer} has {limit} works, as many as one creator may have")]
    TooManyWorks {
        /// Who signed.
        signer: PersonId,
        /// Works that a creator has at most.
        limit: u32,
    },
    /// The price is outside governance's bounds.
    #[error("price {} is outside {} to {}", Unit::Ratio.show(*price), Unit::Ratio.show(*min), Unit::Ratio.show(*max))]
    Price {
        /// Price asked for, Q32.
        price: u64,
        /// Smallest allowed, Q32.
        min: u64,
        /// Largest allowed, Q32.
        max: u64,
    },
    /// The splits are not a division of the whole.
    #[error(transparent)]
    Splits(#[from] SplitError),
    /// A payee is not on record.
    #[error("payee {payee} is not registered")]
    UnknownPayee {
        /// Who.
        payee: PersonId,
    },
    /// The change would hold in an epoch that has opened.
    #[error("epoch {from} has opened: changes hold from epoch {earliest} on")]
    NotFuture {
        /// Epoch asked for.
        from: EpochId,
        /// First epoch that has not opened.
        earliest: EpochId,
    },
    /// There is no such work.
    #[error("work {work} is not registered")]
    UnknownWork {
        /// The work.
        work: WorkId,
    },
    /// Other terms wait to hold, and a record has room for one change to come: a later one would drop them.
    #[error(
        "work {work} has other terms from epoch {from} on: a change from that epoch or an earlier one takes their place"
    )]
    TermsPlanned {
        /// The work.
        work: WorkId,
        /// First epoch of the terms that wait.
        from: EpochId,
    },
    /// The work is away before the update would bring it back, and a record has no room for a gap.
    #[error(
        "work {work} takes no part from epoch {gone} on: an update that brings it back holds from epoch {latest} on or earlier"
    )]
    BackLater {
        /// The work.
        work: WorkId,
        /// First epoch without it.
        gone: EpochId,
        /// Last epoch that an update may name.
        latest: EpochId,
    },
    /// The work is removed for good.
    #[error("work {work} is removed from epoch {from} on")]
    Removed {
        /// The work.
        work: WorkId,
        /// First epoch without it.
        from: EpochId,
    },
    /// The work leaves earlier, or in the same epoch, already.
    #[error("work {work} leaves in epoch {from} already")]
    Gone {
        /// The work.
        work: WorkId,
        /// First epoch without it.
        from: EpochId,
    },
    /// The work is somebody else's.
    #[error("work {work} is not of {signer}")]
    NotOwner {
        /// The work.
        work: WorkId,
        /// Who signed.
        signer: PersonId,
    },
}

/// Most works in the registry: what the shards of an epoch hold at their widest.
const MAX_WORKS: usize = limits::MAX_WORKS;

/// Runs [`RegisterWork`].
pub(crate) fn register_work(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &RegisterWork,
) -> Result<(), WorkError> {
    let creator = only_active_creator(draft, signer)?.clone();
    let id = work_id(&action.fingerprint, &signer);
    // Chain spec 6.1, "no duplicate work_ids were accepted".
    if draft.has::<Work>(&id) {
        return Err(WorkError::AlreadyRegistered { work: id });
    }
    // A work is never removed. Counting all of them, active or not, keeps an epoch from ever having more works than its
    // shards can hold, and so from never opening.
    if draft.base().works.len() >= MAX_WORKS {
        return Err(WorkError::RegistryFull { limit: MAX_WORKS });
    }
    if creator.works >= limits::MAX_WORKS_PER_CREATOR {
        return Err(WorkError::TooManyWorks { signer, limit: limits::MAX_WORKS_PER_CREATOR });
    }
    check_terms(draft, at, action.price, &action.splits, action.active_from)?;
    draft.put(Identity { works: creator.works + 1, ..creator });
    draft.put(Work {
        id,
        creator: signer,
        fingerprint: action.fingerprint,
        media: action.media,
        category: action.category,
        metadata: action.metadata,
        active_from: action.active_from,
        terms: Terms { from: action.active_from, price: action.price, splits: action.splits.clone() },
        next: None,
        gone: None,
    });
    Ok(())
}

/// Runs [`UpdateWork`]. From its epoch on it holds whatever was planned, and before that nothing changes.
pub(crate) fn update_work(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &UpdateWork,
) -> Result<(), WorkError> {
    only_active_creator(draft, signer)?;
    let mut work =
        draft.get::<Work>(&action.work).ok_or(WorkError::UnknownWork { work: action.work })?.clone();
    if work.creator != signer {
        return Err(WorkError::NotOwner { work: action.work, signer });
    }
    if let Some(Gone { from, removal: Removal::Removed }) = work.gone {
        return Err(WorkError::Removed { work: work.id, from });
    }
    check_terms(draft, at, action.price, &action.splits, action.from)?;
    let earliest = draft.base().next_epoch(at.genesis);
    if let Some(Gone { from: gone, .. }) = work.gone {
        let latest = gone.max(earliest);
        if latest < action.from {
            return Err(WorkError::BackLater { work: work.id, gone, latest });
        }
    }
    work.overtake(earliest);
    if let Some(planned) = work.next.as_ref().filter(|planned| planned.from < action.from) {
        return Err(WorkError::TermsPlanned { work: work.id, from: planned.from });
    }
    work.next = Some(Terms { from: action.from, price: action.price, splits: action.splits.clone() });
    work.gone = None;
    draft.put(work);
    Ok(())
}

/// Runs [`DeprecateWork`].
pub(crate) fn deprecate_work(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &DeprecateWork,
) -> Result<(), WorkError> {
    only_active_creator(draft, signer)?;
    let DeprecateWork { work, from } = *action;
    let creator = draft.get::<Work>(&work).ok_or(WorkError::UnknownWork { work })?.creator;
    if creator != signer {
        return Err(WorkError::NotOwner { work, signer });
    }
    remove_work(draft, at, work, (Removal::Deprecated, from))
}

/// Takes a work out of all epochs from one on that has not opened.
pub(crate) fn remove_work(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    id: WorkId,
    (removal, from): (Removal, EpochId),
) -> Result<(), WorkError> {
    let mut work = draft.get::<Work>(&id).ok_or(WorkError::UnknownWork { work: id })?.clone();
    not_before_next(draft, at, from)?;
    match work.gone {
        Some(Gone { from, removal: Removal::Removed }) => return Err(WorkError::Removed { work: id, from }),
        Some(gone) if removal == Removal::Deprecated && gone.from <= from => {
            return Err(WorkError::Gone { work: id, from: gone.from });
        }
        // A removal makes a deprecation final, and never later.
        Some(gone) => work.gone = Some(Gone { from: gone.from.min(from), removal }),
        None => work.gone = Some(Gone { from, removal }),
    }
    draft.put(work);
    Ok(())
}

/// Chain spec 3.1: "Update pricing and splits (for future epochs only)."
fn not_before_next(draft: &Draft<'_>, at: &Context<'_>, from: EpochId) -> Result<(), WorkError> {
    let earliest = draft.base().next_epoch(at.genesis);
    if from < earliest { Err(WorkError::NotFuture { from, earliest }) } else { Ok(()) }
}

fn only_active_creator<'a>(draft: &'a Draft<'_>, signer: PersonId) -> Result<&'a Identity, WorkError> {
    // Chain spec 3.4: "WorkRegistry (only legitimate creators can register works)".
    let identity = draft.get::<Identity>(&signer).filter(|i| i.roles.has(Roles::CREATOR));
    let identity = identity.ok_or(WorkError::NotCreator { signer })?;
    let status = identity.status;
    if status == Status::Active { Ok(identity) } else { Err(WorkError::CreatorNotActive { signer, status }) }
}

fn check_terms(
    draft: &Draft<'_>,
    at: &Context<'_>,
    price: u64,
    splits: &[Split],
    from: EpochId,
) -> Result<(), WorkError> {
    // Spec 8.3: "Creators MAY set a price multiplier", inside bounds that governance sets.
    let params = &draft.base().in_force(at.genesis).params;
    let (min, max) = (params.price_min, params.price_max);
    if !(min..=max).contains(&price) {
        return Err(WorkError::Price { price, min, max });
    }
    check_splits(splits)?;
    if let Some(split) = splits.iter().find(|split| !may_be_paid(draft, &split.payee)) {
        return Err(WorkError::UnknownPayee { payee: split.payee });
    }
    not_before_next(draft, at, from)
}

/// Whether somebody can ever claim what a payee is owed: a person on record, or an account on L1 other than the zero
/// address, whose key nobody has.
fn may_be_paid(draft: &Draft<'_>, payee: &PersonId) -> bool {
    match payee.layer1_address() {
        Some(address) => address != Layer1Address::default(),
        None => draft.has::<Identity>(payee),
    }
}

#[cfg(test)]
mod tests;
