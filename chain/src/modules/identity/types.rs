//! Records of the identity module.

use crate::poseidon::Felt;
use crate::state::{
    Fields, Leaf, TableId, ToFelts,
    fields::{number_enum, record},
    leaf,
};
use primitives::{CodecError, Decode, Digest, Encode, PersonId, Reader, Time, Writer, codec_struct};
use serde::{Deserialize, Serialize};

number_enum! {
    /// Where a person stands (chain spec 3.4).
    Status("status") {
        /// On record, not yet confirmed.
        Pending = 0,
        /// Confirmed.
        Active = 1,
        /// Set aside; may come back.
        Suspended = 2,
        /// Withdrawn for good.
        Revoked = 3,
    }
}

impl Status {
    /// Whether a status may follow this one. Nothing follows `Revoked`.
    pub fn may_become(self, next: Self) -> bool {
        use Status::{Active, Pending, Revoked, Suspended};
        matches!(
            (self, next),
            (Pending, Active | Revoked) | (Active, Suspended | Revoked) | (Suspended, Active | Revoked)
        )
    }
}

/// What a person may act as: a set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(u16);

impl Roles {
    /// Registers works.
    pub const CREATOR: Self = Self(1);
    /// Takes a share of works of others.
    pub const COLLABORATOR: Self = Self(1 << 1);
    /// Issues subscription tokens.
    pub const ISSUER: Self = Self(1 << 2);
    /// Runs an aggregator party.
    pub const COMMITTEE: Self = Self(1 << 3);
    /// Serves content.
    pub const NODE: Self = Self(1 << 4);
    /// Votes.
    pub const VOTER: Self = Self(1 << 5);
    /// Attests the reserve behind the credits.
    pub const AUDITOR: Self = Self(1 << 6);
    /// Reports what ecological assets are worth and protect.
    pub const ORACLE: Self = Self(1 << 7);
    /// Sits on the council. Elections give it.
    pub const COUNCILLOR: Self = Self(1 << 8);
    /// Puts persons on record.
    pub const REGISTRAR: Self = Self(1 << 9);
    /// Seats committees, publishes keys, opens epochs.
    pub const STEWARD: Self = Self(1 << 10);
    /// Reports revenue, and mints for who pays in.
    pub const TREASURER: Self = Self(1 << 11);
    /// Orders transactions into blocks.
    pub const SEQUENCER: Self = Self(1 << 12);

    /// What a registrar may put on record, by a credential. Everything else is an office, which governance gives.
    pub const BY_CREDENTIAL: Self = Self((1 << 6) - 1);

    /// Offices that a proposal gives and takes. Elections give the seats of the council.
    pub const GIVEN: Self = Self(Self::KNOWN & !Self::BY_CREDENTIAL.0 & !Self::COUNCILLOR.0);

    const KNOWN: u16 = (1 << 13) - 1;

    /// Every role under the name that credentials give it.
    pub const NAMED: [(&str, Self); 6] = [
        ("creator", Self::CREATOR),
        ("collaborator", Self::COLLABORATOR),
        ("issuer", Self::ISSUER),
        ("committee", Self::COMMITTEE),
        ("node", Self::NODE),
        ("voter", Self::VOTER),
    ];

    /// The role of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, role)| *role)
    }

    /// These roles and others.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These roles without others.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Encode for Roles {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for Roles {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let bits = u16::decode(r)?;
        if bits & !Self::KNOWN == 0 {
            Ok(Self(bits))
        } else {
            Err(CodecError::Invalid { what: "set of roles" })
        }
    }
}

impl ToFelts for Roles {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.0);
    }
}

/// A person or organisation on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub person: PersonId,
    /// What they may act as.
    pub roles: Roles,
    /// Where they stand.
    pub status: Status,
    /// Commitment to the credential, which stays off the chain. Zero for who holds an office since genesis.
    pub credential: Digest,
    /// When the status became what it is.
    pub since: Time,
    /// When the account got its key.
    pub keyed: Time,
    /// Works that the person registered, whatever became of them.
    pub works: u32,
}

record!(Identity { person, roles, status, credential, since, keyed, works });

impl Identity {
    /// Whether the person is active in a role.
    pub fn acts_as(&self, role: Roles) -> bool {
        self.status == Status::Active && self.roles.has(role)
    }
}

leaf!(Identity by person: PersonId);

/// A personhood nullifier that is taken: the same human gives the same nullifier, and nobody learns which human.
///
/// It does not say whose it is; the identity's credential commitment does not either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nullifier {
    /// The nullifier.
    pub nullifier: Digest,
}

codec_struct!(Nullifier { nullifier });

impl Leaf for Nullifier {
    type Key = Digest;
    const TABLE: TableId = TableId::Nullifier;
    fn key(&self) -> Digest {
        self.nullifier
    }
    fn value(&self) -> Vec<Felt> {
        vec![Felt::from(1u64)]
    }
}
