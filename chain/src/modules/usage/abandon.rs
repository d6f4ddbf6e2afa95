//! Giving up an epoch that cannot be settled.

use super::{AbandonEpoch, Epoch, Phase, UsageError, open::known, prepare::only_steward};
use crate::{
    modules::treasury::{self, Fund, TreasuryError},
    state::Draft,
};
use primitives::{Credits, PersonId};

/// Runs [`AbandonEpoch`].
///
/// All revenue that was reported joins what is carried to the creators of the next epoch, without fee or shares:
/// subscribers paid for works, and nothing says which. What was carried into this epoch has never left that fund.
/// What is on record of the epoch stays on record, so that everybody can see what could not be settled.
pub(crate) fn abandon_epoch(
    draft: &mut Draft<'_>,
    signer: PersonId,
    action: &AbandonEpoch,
) -> Result<(), UsageError> {
    only_steward(draft, signer)?;
    let AbandonEpoch { epoch, reason } = *action;
    let record = known(draft, epoch)?;
    match record.phase {
        Phase::Open | Phase::Frozen | Phase::Aggregated => {}
        // Its payouts are owed. Nobody takes them back.
        Phase::Finalised => return Err(UsageError::Settled { epoch }),
        Phase::Abandoned => return Err(UsageError::Abandoned { epoch }),
    }
    if let Some(epoch) = draft.base().unended_before(epoch) {
        return Err(UsageError::PreviousNotOver { epoch });
    }
    let revenues = draft.base().revenues_of(epoch);
    let reported = revenues.map(|tier| tier.revenue).try_fold(Credits::ZERO, Credits::checked_add);
    let reported = reported.ok_or(TreasuryError::Overflow)?;
    treasury::drain(draft, Fund::Revenue, reported)?;
    treasury::fill(draft, Fund::Carried, reported)?;
    draft.put(Epoch { phase: Phase::Abandoned, abandoned: Some(reason), ..record });
    Ok(())
}
