//! What the registrar says of persons.

use super::{Roles, Status};
use crate::signature::PublicKey;
use primitives::{Digest, PersonId, codec_struct};

/// Puts a person on record, as `Pending`, with an empty account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Who.
    pub person: PersonId,
    /// Key of the account.
    pub key: PublicKey,
    /// What they may act as; at least one role.
    pub roles: Roles,
    /// Commitment to the credential.
    pub credential: Digest,
    /// Personhood nullifier of the credential.
    pub nullifier: Digest,
}

codec_struct!(Register { person, key, roles, credential, nullifier });

/// Changes where a person stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetStatus {
    /// Who.
    pub person: PersonId,
    /// The new status.
    pub status: Status,
}

codec_struct!(SetStatus { person, status });

/// Gives the signer's account another key. Signed with the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotate {
    /// The new key.
    pub key: PublicKey,
}

codec_struct!(Rotate { key });
