//! What an issuer asks the chain: where an epoch stands, and which keys are on record.
//!
//! An issuer has keys for epochs to come. If it signed whatever it has a key for, who has paid once would have tokens of all
//! those epochs in a day, and each would later take the place of somebody who has paid for that epoch. So it signs for the
//! epoch that is open, and for no other.

use super::{
    IssuerError, OpenError,
    keys::{Keys, Purpose},
};
use chain::{
    modules::usage::{Epoch, Phase},
    node::Mirror,
    state::State,
};
use primitives::{ChainId, EpochId};
use proofs::blind::BlindIssuer;

/// Where an epoch stands, for whoever signs in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not opened, as far as is known here.
    Ahead,
    /// It takes bundles in.
    Open {
        /// Most bundles of a subscriber, in the tier that has most.
        max_bundles: u16,
    },
    /// It takes no more bundles in, and is not over: requests that were signed are signed again, and no others.
    Closed,
    /// It is settled or given up: what is signed for it counts nowhere any more.
    Over,
}

/// The chain, as an issuer asks it.
pub trait Record: Send + Sync {
    /// Where an epoch stands.
    fn standing(&self, epoch: EpochId) -> Standing;

    /// The public key on record for a purpose, in DER.
    fn key(&self, purpose: Purpose) -> Option<Vec<u8>>;

    /// Which chain it is.
    fn chain(&self) -> ChainId;
}

impl Record for Mirror {
    fn standing(&self, epoch: EpochId) -> Standing {
        self.read(|ledger| {
            let state = ledger.state();
            standing(state.epochs.get(&epoch), || most_bundles(state, epoch))
        })
    }

    fn key(&self, purpose: Purpose) -> Option<Vec<u8>> {
        self.read(|ledger| {
            let state = ledger.state();
            match purpose {
                Purpose::Token(epoch, tier) => Some(state.issuer_keys.get(&(epoch, tier))?.key.clone()),
                Purpose::Receipt(epoch, region, of) => {
                    Some(state.region_keys.get(&(epoch, region, of.views()))?.key.clone())
                }
            }
        })
    }

    fn chain(&self) -> ChainId {
        self.read(|ledger| ledger.origin().chain)
    }
}

fn standing(found: Option<&Epoch>, max_bundles: impl FnOnce() -> Option<u16>) -> Standing {
    match found {
        None => Standing::Ahead,
        Some(epoch) if epoch.is_over() => Standing::Over,
        // Without what was fixed when it opened there is nothing to sign for.
        Some(epoch) if epoch.phase == Phase::Open => {
            max_bundles().map_or(Standing::Ahead, |max_bundles| Standing::Open { max_bundles })
        }
        Some(_) => Standing::Closed,
    }
}

fn most_bundles(state: &State, epoch: EpochId) -> Option<u16> {
    state.openings.get(&epoch)?.tiers.iter().map(|terms| terms.max_bundles).max()
}

/// Whether a key may sign: most bundles of a subscriber in the open epoch, or nothing for one that has closed, in which no
/// more than repeats are signed.
pub(super) fn may_sign(
    record: &dyn Record,
    purpose: Purpose,
    key: &BlindIssuer,
) -> Result<Option<u16>, IssuerError> {
    let epoch = purpose.epoch();
    let max_bundles = match record.standing(epoch) {
        Standing::Ahead => return Err(IssuerError::NotOpen { epoch }),
        Standing::Over => return Err(IssuerError::EpochOver { epoch }),
        Standing::Open { max_bundles } => Some(max_bundles),
        Standing::Closed => None,
    };
    match record.key(purpose) {
        Some(der) if der == key.public().der() => Ok(max_bundles),
        _ => Err(IssuerError::OtherKey { epoch }),
    }
}

/// Checks keys against those that are on record already, of epochs that are not over.
pub(super) fn check_keys(record: &dyn Record, keys: &Keys) -> Result<(), OpenError> {
    let is_other = |(purpose, key): &(&Purpose, &BlindIssuer)| {
        record.standing(purpose.epoch()) != Standing::Over
            && record.key(**purpose).is_some_and(|der| der != key.public().der())
    };
    match keys.iter().find(is_other) {
        Some((purpose, _)) => Err(OpenError::OtherKey { purpose: *purpose }),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A chain that says of every epoch the same, and has one key on record or none.
    pub(crate) struct Fixed(pub(crate) Standing, pub(crate) Option<Vec<u8>>);

    impl Record for Fixed {
        fn standing(&self, _: EpochId) -> Standing {
            self.0
        }

        fn key(&self, _: Purpose) -> Option<Vec<u8>> {
            self.1.clone()
        }

        fn chain(&self) -> ChainId {
            ChainId(5)
        }
    }
}
