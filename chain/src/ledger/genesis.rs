//! Where a chain begins: its number, its first parameters and rules, and who holds which office.

use crate::{
    modules::{
        governance::{Councillor, Rules, RulesError, Version, first_versions},
        identity::{Identity, Roles, Status},
        treasury::Account,
    },
    poseidon::felt_to_bytes,
    signature::PublicKey,
    state::{Draft, State},
};
use primitives::{
    ChainId, CodecError, Credits, Decode, Digest, Domain, Encode, EpochId, GovernanceParams, PersonId,
    Reader, Time, Writer, codec_struct, hash, params::ParamsError,
};
use thiserror::Error;

/// Most offices at genesis.
const MAX_OFFICES: usize = 256;

/// Holder of one or more offices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Who.
    pub person: PersonId,
    /// Key of their account.
    pub key: PublicKey,
    /// What they may act as.
    pub roles: Roles,
}

codec_struct!(Authority { person, key, roles });

/// Where a chain begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Number of the chain, in every signature.
    pub chain: ChainId,
    /// Number of the first epoch.
    pub first_epoch: EpochId,
    /// No block is older.
    pub time: Time,
    /// Parameters of the first epoch, and of those after it until governance sets others.
    pub params: GovernanceParams,
    /// Rules of the ledger, likewise.
    pub rules: Rules,
    /// Who holds an office. Governance gives and takes offices from there on.
    pub offices: Vec<Authority>,
}

impl Encode for Genesis {
    fn encode(&self, w: &mut Writer) {
        self.chain.encode(w);
        self.first_epoch.encode(w);
        self.time.encode(w);
        self.params.encode(w);
        self.rules.encode(w);
        w.seq(&self.offices);
    }
}

impl Decode for Genesis {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            chain: Decode::decode(r)?,
            first_epoch: Decode::decode(r)?,
            time: Decode::decode(r)?,
            params: Decode::decode(r)?,
            rules: Decode::decode(r)?,
            offices: r.seq(MAX_OFFICES)?,
        })
    }
}

/// Why a chain cannot begin there.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// A parameter is outside its bounds.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// A rule is outside its bounds.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// One person stands in the list of offices twice.
    #[error("{person} is listed twice")]
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
    /// Nobody holds an office without which no epoch ever opens, and no proposal is ever made.
    #[error("nobody is {office}")]
    Vacant {
        /// The office.
        office: &'static str,
    },
    /// One person both says what was sold and reports what it brought: nothing would bind the one to the other.
    #[error("{person} would be steward and treasurer")]
    StewardIsTreasurer {
        /// Who.
        person: PersonId,
    },
}

impl Genesis {
    /// A chain that begins at time zero, with the rules that hold where nothing else is said.
    pub fn new(
        chain: ChainId,
        first_epoch: EpochId,
        params: GovernanceParams,
        offices: Vec<Authority>,
    ) -> Self {
        Self { chain, first_epoch, time: Time(0), params, rules: Rules::default(), offices }
    }

    /// Digest of the genesis alone.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Genesis, &[&self.to_bytes()])
    }

    /// The first state, and what the first block names as its parent.
    pub(super) fn state(&self) -> Result<(State, Digest), GenesisError> {
        self.params.check()?;
        self.rules.check()?;
        for (office, role) in
            [("registrar", Roles::REGISTRAR), ("steward", Roles::STEWARD), ("treasurer", Roles::TREASURER)]
        {
            if !self.offices.iter().any(|holder| holder.roles.has(role)) {
                return Err(GenesisError::Vacant { office });
            }
        }
        let mut state = State::default();
        let mut draft = Draft::new(&state);
        for Authority { person, key, roles } in self.offices.iter().cloned() {
            if draft.has::<Account>(&person) {
                return Err(GenesisError::TwoOffices { person });
            }
            if person.layer1_address().is_some() {
                return Err(GenesisError::NotAPerson { person });
            }
            if roles.has(Roles::STEWARD.with(Roles::TREASURER)) {
                return Err(GenesisError::StewardIsTreasurer { person });
            }
            draft.put(Account { owner: person, key, nonce: 0, balance: Credits::ZERO });
            let (status, credential, since) = (Status::Active, Digest::default(), self.time);
            draft.put(Identity { person, roles, status, credential, since, keyed: since });
            if roles.has(Roles::COUNCILLOR) {
                let until = self.time.after(self.rules.governance.council_term);
                draft.put(Councillor { person, until, election: 0 });
            }
        }
        let (from, params, rules) = (self.first_epoch, self.params.clone(), self.rules.clone());
        draft.put(Version::first(from, params, rules));
        for version in first_versions(from) {
            draft.put(version);
        }
        let changes = draft.into_changes();
        state.commit(changes);
        let root = felt_to_bytes(&state.root());
        Ok((state, hash::hash(Domain::Genesis, &[&self.digest().0, &root])))
    }
}
