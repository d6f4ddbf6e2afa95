//! Where a chain begins: its number, its first parameters, and who holds which office.

use crate::{
    modules::treasury::Account,
    poseidon::felt_to_bytes,
    signature::PublicKey,
    state::{Draft, State},
};
use primitives::{
    ChainId, Credits, Digest, Domain, Encode, EpochId, GovernanceParams, PersonId, codec_struct, hash,
    params::ParamsError,
};
use thiserror::Error;

/// Holder of an office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Who.
    pub person: PersonId,
    /// Key of their account.
    pub key: PublicKey,
}

codec_struct!(Authority { person, key });

/// Where a chain begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Number of the chain, in every signature.
    pub chain: ChainId,
    /// Number of the first epoch.
    pub first_epoch: EpochId,
    /// Parameters in force until the first epoch opens: they bound prices of works.
    pub params: GovernanceParams,
    /// Puts persons on record.
    pub registrar: Authority,
    /// Seats committees, publishes keys and opens epochs, until governance does.
    pub steward: Authority,
    /// Reports revenue and attests reserves.
    pub treasury: Authority,
}

codec_struct!(Genesis { chain, first_epoch, params, registrar, steward, treasury });

/// Why a chain cannot begin there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// A parameter is outside its bounds.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// One person holds two offices.
    #[error("{person} holds two offices")]
    TwoOffices {
        /// Who.
        person: PersonId,
    },
    /// An office is named like an account on L1.
    #[error("{person} names an account on L1, not a person")]
    NotAPerson {
        /// Who.
        person: PersonId,
    },
}

impl Genesis {
    /// Digest of the genesis alone.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Genesis, &[&self.to_bytes()])
    }

    /// The first state, and what the first block names as its parent.
    pub(super) fn state(&self) -> Result<(State, Digest), GenesisError> {
        self.params.check()?;
        let mut state = State::default();
        let mut draft = Draft::new(&state);
        for Authority { person, key } in [&self.registrar, &self.steward, &self.treasury] {
            if draft.has::<Account>(person) {
                return Err(GenesisError::TwoOffices { person: *person });
            }
            if person.layer1_address().is_some() {
                return Err(GenesisError::NotAPerson { person: *person });
            }
            draft.put(Account { owner: *person, key: *key, nonce: 0, balance: Credits::ZERO });
        }
        let changes = draft.into_changes();
        state.commit(changes);
        let root = felt_to_bytes(&state.root());
        Ok((state, hash::hash(Domain::Genesis, &[&self.digest().0, &root])))
    }
}
