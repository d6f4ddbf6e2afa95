//! Where a chain begins: its number, its first parameters and rules, and who holds which office.

use crate::{
    modules::{
        governance::{Councillor, Rules, RulesError, Version, first_versions},
        identity::{Identity, Roles, Status},
        treasury::Account,
    },
    poseidon::{Felt, felt_to_bytes, wire},
    signature::PublicKey,
    state::{Draft, State},
};
use primitives::{
    ChainId, CodecError, Decode, Digest, Domain, Encode, EpochId, GovernanceParams, PersonId, Reader, Time,
    Writer, codec_struct, hash, params::ParamsError,
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
    /// The chain that this one goes on from, with its whole state. Everything above is then what that one began with,
    /// but for the number.
    pub continues: Option<Continued>,
}

/// Where another chain stood when this one went on from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continued {
    /// Its number.
    pub chain: ChainId,
    /// Its last block.
    pub height: u64,
    /// Digest of that block.
    pub head: Digest,
    /// Root of its state, and of the first state of this one.
    pub root: Felt,
}

impl Encode for Continued {
    fn encode(&self, w: &mut Writer) {
        self.chain.encode(w);
        self.height.encode(w);
        self.head.encode(w);
        wire::put(w, &self.root);
    }
}

impl Decode for Continued {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            chain: Decode::decode(r)?,
            height: Decode::decode(r)?,
            head: Decode::decode(r)?,
            root: wire::take(r)?,
        })
    }
}

impl Encode for Genesis {
    fn encode(&self, w: &mut Writer) {
        self.chain.encode(w);
        self.first_epoch.encode(w);
        self.time.encode(w);
        self.params.encode(w);
        self.rules.encode(w);
        w.seq(&self.offices);
        self.continues.encode(w);
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
            continues: Decode::decode(r)?,
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
    /// The chain goes on from another: it begins with that one's snapshot.
    #[error("the chain goes on from chain {chain}: it begins with a snapshot of that one")]
    NeedsSnapshot {
        /// Number of the other chain.
        chain: ChainId,
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
        Self { chain, first_epoch, time: Time(0), params, rules: Rules::default(), offices, continues: None }
    }

    /// Digest of the genesis alone.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Genesis, &[&self.to_bytes()])
    }

    /// The first state, and what the first block names as its parent.
    pub(super) fn state(&self) -> Result<(State, Digest), GenesisError> {
        if let Some(Continued { chain, .. }) = self.continues {
            return Err(GenesisError::NeedsSnapshot { chain });
        }
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
            draft.put(Account::new(person, key));
            let (status, credential, since) = (Status::Active, Digest::default(), self.time);
            draft.put(Identity { person, roles, status, credential, since, keyed: since, works: 0 });
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
        let root = state.root();
        Ok((state, self.parent(&root)))
    }

    /// What the first block names as its parent.
    pub(super) fn parent(&self, root: &Felt) -> Digest {
        hash::hash(Domain::Genesis, &[&self.digest().0, &felt_to_bytes(root)])
    }
}
