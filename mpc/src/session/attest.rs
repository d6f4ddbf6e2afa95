//! What a party signs at a barrier.

use crate::step::Step;
use primitives::{Digest, Domain, Encode, PartyId, hash};

/// A party's signature key, and the keys of all three. The engine has them; a computation only says what to sign.
pub trait Attest: Send {
    /// Signs a digest as the party whose side this is.
    fn sign(&self, digest: &Digest) -> [u8; 64];

    /// Whether a signature over a digest is that of `party`.
    fn verify(&self, party: PartyId, digest: &Digest, signature: &[u8; 64]) -> bool;
}

/// What `party` signs at a barrier of a session: that it has everything that was sent to it before.
pub fn barrier_digest(session: &Digest, step: Step, party: PartyId) -> Digest {
    hash::hash(Domain::Barrier, &[&session.0, &step.to_bytes(), &party.to_bytes()])
}
