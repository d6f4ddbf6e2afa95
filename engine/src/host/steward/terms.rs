//! What a steward is given, and what it says.

use crate::settlement::SettlementError;
use chain::modules::usage::PublishKeys;
use primitives::{EpochId, Tier, params::TierTerms};
use std::time::Duration;
use thiserror::Error;

/// What an epoch is opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Tiers, ascending.
    pub tiers: Vec<TierTerms>,
    /// Subscriptions sold, in the same order.
    pub sales: Vec<(Tier, u64)>,
    /// Most works of one shard.
    pub shard_width: u16,
}

/// Where a steward has from what is not on the chain.
pub trait Source {
    /// Terms of the epoch that opens next.
    ///
    /// # Errors
    /// If there are none, with the reason.
    fn terms(&self, epoch: EpochId) -> Result<Terms, String>;

    /// Public keys of the issuers in an epoch.
    ///
    /// # Errors
    /// If somebody cannot be asked or has none, with the reason.
    fn keys(&self, epoch: EpochId) -> Result<PublishKeys, String>;
}

/// What the service has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Something is on record now.
    OnRecord {
        /// What.
        what: String,
    },
    /// The next epoch is left alone for a while.
    Rests {
        /// How long.
        seconds: u64,
    },
    /// It waits for something.
    Waits {
        /// For what, and why.
        what: String,
    },
    /// It has the parties make the beacon of an epoch, opens it and settles it.
    Epoch {
        /// Which.
        epoch: EpochId,
    },
    /// An epoch is open: it takes bundles in.
    Open {
        /// Which.
        epoch: EpochId,
    },
    /// The ledger has closed the books on an epoch.
    Over {
        /// Which.
        epoch: EpochId,
        /// Whether it is settled; else it was given up.
        settled: bool,
    },
    /// The window of an epoch is over, and nothing of it comes on record: it may have to be given up.
    Overdue {
        /// Which.
        epoch: EpochId,
        /// Since when.
        seconds: u64,
    },
    /// Something was refused, and is tried again.
    Refused {
        /// Why.
        reason: String,
    },
}

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// For how long the parties take bundles in.
    pub window: Duration,
    /// Time between the end of what an epoch takes in and the keys of the next.
    pub rest: Duration,
    /// For how long a third party that reveals nothing for the beacon is waited for.
    pub beacon_patience: Duration,
}

/// Why the service stops by itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The ledger refuses something again and again.
    #[error("epoch {epoch}: the chain refuses what is due: {error}")]
    Refused {
        /// Of which epoch.
        epoch: EpochId,
        /// Why.
        error: Box<SettlementError>,
    },
    /// The terms of an epoch are none.
    #[error("epoch {epoch} has no terms: {reason}")]
    Terms {
        /// Of which epoch.
        epoch: EpochId,
        /// Why.
        reason: String,
    },
}
