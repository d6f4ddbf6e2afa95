//! The committee of an epoch: three parties, their keys, and what two of them sign together.

use crate::wire::WirePoint;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use primitives::{CodecError, Decode, Digest, Encode, PartyId, Reader, Writer, codec_struct};
use rand_core::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Signatures that make a statement of the committee: two of three.
pub const QUORUM: usize = 2;

/// Public keys of one party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Ed25519 key of its signatures.
    pub signing: Digest,
    /// Key to which shares are sealed, `sk B_kem`.
    pub kem: WirePoint,
}

codec_struct!(Member { signing, kem });

/// The three parties of an epoch, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Committee {
    members: [Member; 3],
}

/// Why a committee's keys or signatures do not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommitteeError {
    /// A signing key is not a point of the curve, or a weak one.
    #[error("signing key of party {party} is invalid")]
    SigningKey {
        /// Whose.
        party: PartyId,
    },
    /// A sealing key is not an element of the group, or is the neutral one.
    #[error("sealing key of party {party} is invalid")]
    KemKey {
        /// Whose.
        party: PartyId,
    },
    /// Two parties share a key.
    #[error("parties {first} and {second} have the same key")]
    SharedKey {
        /// One of them.
        first: PartyId,
        /// The other.
        second: PartyId,
    },
    /// A signature does not verify.
    #[error("signature of party {party} does not verify")]
    Signature {
        /// Whose.
        party: PartyId,
    },
    /// Fewer than two parties signed.
    #[error("{count} signatures are fewer than the {QUORUM} of a quorum")]
    NoQuorum {
        /// How many did.
        count: usize,
    },
    /// The leader did not sign.
    #[error("the leader, party {leader}, did not sign")]
    LeaderMissing {
        /// Who had to.
        leader: PartyId,
    },
}

impl Committee {
    /// A committee of three parties whose keys are valid and distinct.
    pub fn new(members: [Member; 3]) -> Result<Self, CommitteeError> {
        for party in PartyId::ALL {
            let member = &members[party.index()];
            let key = VerifyingKey::from_bytes(&member.signing.0).ok().filter(|k| !k.is_weak());
            key.ok_or(CommitteeError::SigningKey { party })?;
            let kem = member.kem.decompress().filter(|p| *p != Default::default());
            kem.ok_or(CommitteeError::KemKey { party })?;
            let other = &members[party.next().index()];
            if member.signing == other.signing || member.kem == other.kem {
                return Err(CommitteeError::SharedKey { first: party, second: party.next() });
            }
        }
        Ok(Self { members })
    }

    /// Keys of one party.
    pub fn member(&self, party: PartyId) -> &Member {
        &self.members[party.index()]
    }

    /// The committee with another party in a seat.
    ///
    /// # Errors
    /// If its keys are invalid or another party's.
    pub fn with(&self, party: PartyId, member: Member) -> Result<Self, CommitteeError> {
        let mut members = self.members.clone();
        members[party.index()] = member;
        Self::new(members)
    }

    /// Checks one party's signature on `message`.
    pub fn verify(
        &self,
        party: PartyId,
        message: &Digest,
        signature: &[u8; 64],
    ) -> Result<(), CommitteeError> {
        VerifyingKey::from_bytes(&self.member(party).signing.0)
            .and_then(|key| key.verify_strict(&message.0, &Signature::from_bytes(signature)))
            .map_err(|_| CommitteeError::Signature { party })
    }
}

impl Encode for Committee {
    fn encode(&self, w: &mut Writer) {
        for member in &self.members {
            member.encode(w);
        }
    }
}

impl Decode for Committee {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let members = [Member::decode(r)?, Member::decode(r)?, Member::decode(r)?];
        Self::new(members).map_err(|_| CodecError::Invalid { what: "committee" })
    }
}

/// A party's signing key.
#[derive(Clone)]
pub struct PartySigner {
    party: PartyId,
    key: SigningKey,
}

impl PartySigner {
    /// A fresh key for `party`.
    pub fn generate(party: PartyId, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self { party, key: SigningKey::from_bytes(&seed) }
    }

    /// The same key in another seat: that of a standby, which takes any.
    #[must_use]
    pub fn seated(self, party: PartyId) -> Self {
        Self { party, ..self }
    }

    /// Whose key this is.
    pub fn party(&self) -> PartyId {
        self.party
    }

    /// The public half.
    pub fn public(&self) -> Digest {
        Digest(self.key.verifying_key().to_bytes())
    }

    /// Signs a digest, which is already bound to its domain.
    pub fn sign(&self, message: &Digest) -> [u8; 64] {
        self.key.sign(&message.0).to_bytes()
    }
}

/// Signatures of several parties on one message, in order of party.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures(BTreeMap<PartyId, [u8; 64]>);

impl Signatures {
    /// Adds a party's signature; a second one of the same party replaces the first.
    pub fn insert(&mut self, party: PartyId, signature: [u8; 64]) {
        self.0.insert(party, signature);
    }

    /// Who signed, and what.
    pub fn iter(&self) -> impl Iterator<Item = (PartyId, &[u8; 64])> {
        self.0.iter().map(|(party, signature)| (*party, signature))
    }

    /// Number of signatures.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody signed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that every signature verifies and that they are a quorum, with the leader among them if one is named.
    pub fn verify(
        &self,
        committee: &Committee,
        message: &Digest,
        leader: Option<PartyId>,
    ) -> Result<(), CommitteeError> {
        for (party, signature) in self.iter() {
            committee.verify(party, message, signature)?;
        }
        if self.len() < QUORUM {
            return Err(CommitteeError::NoQuorum { count: self.len() });
        }
        match leader {
            Some(leader) if !self.0.contains_key(&leader) => Err(CommitteeError::LeaderMissing { leader }),
            _ => Ok(()),
        }
    }
}

impl Encode for Signatures {
    fn encode(&self, w: &mut Writer) {
        w.map(&self.0, <[u8; 64]>::encode);
    }
}

impl Decode for Signatures {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self(r.map(PartyId::ALL.len(), "order of signatures", Reader::array)?))
    }
}

impl Serialize for Signatures {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(
            self.iter().map(|(party, signature)| (u8::from(party), primitives::ids::to_hex(signature))),
        )
    }
}

impl<'de> Deserialize<'de> for Signatures {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let map = BTreeMap::<PartyId, String>::deserialize(d)?;
        let read = |(party, text): (PartyId, String)| {
            let bytes = primitives::ids::from_hex(&text).map_err(D::Error::custom)?;
            Ok((party, bytes.try_into().map_err(|_| D::Error::custom("a signature has 64 bytes"))?))
        };
        map.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}
