//! Guards of the payout engine.

use super::{
    Claim, ClaimNullifier, FinaliseEpoch, Inputs, Payout, PayoutLeaf, Reputation, SettleError, settle,
};
use crate::{
    merkle::MerkleError,
    modules::{
        treasury::{self, Fund, TreasuryError},
        usage::{Aggregate, Epoch, Phase, TierRevenue},
    },
    poseidon::{Felt, FeltDomain, hash_many},
    state::{Draft, ToFelts},
};
use primitives::{Credits, EpochId, PersonId, WorkId};
use thiserror::Error;

/// Which rule a settlement or a claim breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DaprError {
    /// There is no such epoch.
    #[error("epoch {epoch} has not opened")]
    UnknownEpoch {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch has no totals yet.
    #[error("epoch {epoch} has no totals yet: it is {found:?}")]
    NotAggregated {
        /// The epoch.
        epoch: EpochId,
        /// How far it is.
        found: Phase,
    },
    /// The epoch is settled, once and for all.
    #[error("epoch {epoch} is settled")]
    AlreadyFinalised {
        /// The epoch.
        epoch: EpochId,
    },
    /// The epoch was given up: it is never settled, and nothing is owed for it.
    #[error("epoch {epoch} was abandoned")]
    Abandoned {
        /// The epoch.
        epoch: EpochId,
    },
    /// An earlier epoch is neither settled nor given up: what it leaves is paid with this one.
    #[error("epoch {epoch} comes first: it is neither settled nor given up")]
    PreviousNotOver {
        /// The earlier epoch.
        epoch: EpochId,
    },
    /// The epoch's figures cannot be computed.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// The epoch is not settled: there is nothing to claim yet.
    #[error("epoch {epoch} is not settled")]
    NotFinalised {
        /// The epoch.
        epoch: EpochId,
    },
    /// The payout was claimed.
    #[error("payout of work {work} in epoch {epoch} to {payee} was claimed")]
    AlreadyClaimed {
        /// The epoch.
        epoch: EpochId,
        /// The work.
        work: WorkId,
        /// Who was paid.
        payee: PersonId,
    },
    /// The payee is an account on L1: the vault there pays it, and nobody pays it twice.
    #[error("payee {payee} is an account on L1 and is paid there")]
    PaidOnLayer1 {
        /// Who would be paid.
        payee: PersonId,
    },
    /// The path has no valid shape.
    #[error(transparent)]
    Path(#[from] MerkleError),
    /// The path does not lead from this payout to the epoch's payout root.
    #[error("epoch {epoch} owes no {amount} to {payee} for work {work}")]
    NotOwed {
        /// The epoch.
        epoch: EpochId,
        /// The work.
        work: WorkId,
        /// Who would be paid.
        payee: PersonId,
        /// How much.
        amount: Credits,
    },
    /// A movement of credits fails.
    #[error(transparent)]
    Treasury(#[from] TreasuryError),
}

/// What binds an epoch's revenue records.
pub(crate) fn revenues_commitment(revenues: &[TierRevenue]) -> Felt {
    hash_many(FeltDomain::StateValue, &revenues.to_felts())
}

/// Runs [`FinaliseEpoch`].
pub(crate) fn finalise(draft: &mut Draft<'_>, action: &FinaliseEpoch) -> Result<(), DaprError> {
    let epoch = action.epoch;
    let record = draft.get::<Epoch>(&epoch).ok_or(DaprError::UnknownEpoch { epoch })?.clone();
    match record.phase {
        Phase::Aggregated => {}
        Phase::Finalised => return Err(DaprError::AlreadyFinalised { epoch }),
        Phase::Abandoned => return Err(DaprError::Abandoned { epoch }),
        found @ (Phase::Open | Phase::Frozen) => return Err(DaprError::NotAggregated { epoch, found }),
    }
    let state = draft.base();
    if let Some(epoch) = state.unended_before(epoch) {
        return Err(DaprError::PreviousNotOver { epoch });
    }
    let opening = state.openings.get(&epoch).expect("an epoch on record has its opening on record");
    let tallies: Vec<_> = state.aggregates_of(epoch).map(|Aggregate { tally, .. }| tally).collect();
    let revenues: Vec<TierRevenue> = state.revenues_of(epoch).cloned().collect();
    let taken = &state.taken_over(opening);
    let (settlement, summary) = settle(&Inputs { opening, revenues: &revenues, taken, tallies: &tallies })?;

    let here = summary.paid.checked_sub(summary.on_layer1).expect("a part of what is paid");
    // Revenue and what was carried leave their funds; shares, payouts and what is carried on enter theirs.
    treasury::drain(draft, Fund::Revenue, summary.revenue)?;
    treasury::drain(draft, Fund::Carried, summary.carried_in)?;
    for (fund, amount) in [
        (Fund::Fee, summary.fee),
        (Fund::Eco, summary.eco),
        (Fund::Infrastructure, summary.infra),
        (Fund::Unclaimed, here),
        (Fund::Layer1, summary.on_layer1),
        (Fund::Carried, summary.carried_out),
    ] {
        treasury::fill(draft, fund, amount)?;
    }
    for figures in &settlement.works {
        let (work, weight, amount) = (figures.work, figures.weight, figures.payout);
        if !weight.is_zero() {
            draft.put(Payout { epoch, work, weight, amount });
        }
        draft.put(Reputation { work, reputation: figures.reputation });
    }
    let revenues = Some(revenues_commitment(&revenues));
    draft.put(Epoch { phase: Phase::Finalised, revenues, summary: Some(summary), ..record });
    draft.put(settlement);
    Ok(())
}

/// Runs [`Claim`].
pub(crate) fn claim(draft: &mut Draft<'_>, action: &Claim) -> Result<(), DaprError> {
    let Claim { epoch, work, payee, amount, path } = action.clone();
    if payee.layer1_address().is_some() {
        return Err(DaprError::PaidOnLayer1 { payee });
    }
    let record = draft.get::<Epoch>(&epoch).ok_or(DaprError::UnknownEpoch { epoch })?;
    if record.phase == Phase::Abandoned {
        return Err(DaprError::Abandoned { epoch });
    }
    let root = record.summary.as_ref().ok_or(DaprError::NotFinalised { epoch })?.payout_root;
    // Chain spec 6.3: "no double-claims occurred".
    if draft.has::<ClaimNullifier>(&(epoch, work, payee)) {
        return Err(DaprError::AlreadyClaimed { epoch, work, payee });
    }
    let leaf = PayoutLeaf { epoch, work, payee, amount };
    if path.root(leaf.hash())? != root {
        return Err(DaprError::NotOwed { epoch, work, payee, amount });
    }
    treasury::drain(draft, Fund::Unclaimed, amount)?;
    treasury::credit(draft, payee, amount)?;
    draft.put(ClaimNullifier { epoch, work, payee });
    Ok(())
}
