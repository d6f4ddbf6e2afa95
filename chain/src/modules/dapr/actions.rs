//! What anybody may ask of the payout engine.

use crate::merkle::MerklePath;
use primitives::{Credits, EpochId, PersonId, WorkId, codec_struct};

/// Settles an epoch whose totals and revenue are on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinaliseEpoch {
    /// Epoch.
    pub epoch: EpochId,
}

codec_struct!(FinaliseEpoch { epoch });

/// Pays a payout to its payee's account. Anybody may ask for it; nobody else can be paid by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Epoch.
    pub epoch: EpochId,
    /// Work.
    pub work: WorkId,
    /// Who is paid.
    pub payee: PersonId,
    /// How much.
    pub amount: Credits,
    /// Path of the payout to the epoch's payout root.
    pub path: MerklePath,
}

codec_struct!(Claim { epoch, work, payee, amount, path });
