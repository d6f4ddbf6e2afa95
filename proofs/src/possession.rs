//! Proof that whoever shows a public key of a blind signer has the private one, and shows it for what it is meant for.
//!
//! Public keys of issuers are public before they are on record. Without a proof one issuer could show another's key as its own:
//! on record for one purpose it is lost for every other. So with each key comes a signature under that very key, of a message
//! that names chain, epoch, purpose and key. The issuer makes it by itself, as its own client: it blinds the message, signs and
//! unblinds.
//!
//! Nobody gets such a signature from an honest issuer by handing it in blinded: an issuer signs what others blinded for the epoch
//! that is open and under keys that are on record for it, and what is on record is not put there again. What an issuer shows of
//! its own keys names their own purposes, and is no proof for another.

use crate::{
    blind::{BlindError, BlindIssuer, BlindKey, BlindSignature},
    receipt::Denomination,
};
use primitives::{ChainId, Digest, Domain, Encode, EpochId, Region, Tier, hash};
use rand_core::{CryptoRng, RngCore};
use std::fmt;

/// What a blind signer's key is for in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Tokens of a tier.
    Token(Tier),
    /// Receipts of a region, each of so many views.
    Receipt(Region, Denomination),
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(tier) => write!(f, "tier {tier}"),
            Self::Receipt(region, of) => write!(f, "region {region} and {} views", of.views()),
        }
    }
}

/// What is signed: chain, epoch, purpose and key.
fn message((chain, epoch, purpose): (ChainId, EpochId, Purpose), key: &BlindKey) -> Digest {
    let (kind, of): (&[u8], Vec<u8>) = match purpose {
        Purpose::Token(tier) => (b"token", tier.to_bytes()),
        Purpose::Receipt(region, denomination) => (b"receipt", (region, denomination).to_bytes()),
    };
    hash::hash(Domain::KeyPossession, &[&chain.to_bytes(), &epoch.to_bytes(), kind, &of, key.der()])
}

/// The proof that this signer has the key that it shows for a purpose.
///
/// # Errors
/// If the private key does not fit the public one.
pub fn prove(
    issuer: &BlindIssuer,
    at: (ChainId, EpochId, Purpose),
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<BlindSignature, BlindError> {
    let message = message(at, issuer.public());
    let (request, pending) = issuer.public().blind(&message.0, rng)?;
    pending.finish(&issuer.sign(&request, rng)?)
}

/// Checks that whoever showed a key for a purpose has it.
///
/// # Errors
/// [`BlindError::Signature`] if that does not follow.
pub fn verify(
    key: &BlindKey,
    at: (ChainId, EpochId, Purpose),
    proof: &BlindSignature,
) -> Result<(), BlindError> {
    key.verify(&message(at, key).0, proof)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{issuer, other_issuer};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_proof_is_of_one_key_for_one_purpose_in_one_epoch_of_one_chain() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let region = |at: u8| Region::try_from(at).unwrap();
        let views = |views| Denomination::new(views).unwrap();
        let receipt = |at, of| Purpose::Receipt(region(at), views(of));
        let places = [
            (ChainId(5), EpochId(3), receipt(1, 4)),
            (ChainId(6), EpochId(3), receipt(1, 4)),
            (ChainId(5), EpochId(4), receipt(1, 4)),
            (ChainId(5), EpochId(3), receipt(2, 4)),
            (ChainId(5), EpochId(3), receipt(1, 1)),
            (ChainId(5), EpochId(3), Purpose::Token(Tier(1))),
            (ChainId(5), EpochId(3), Purpose::Token(Tier(2))),
        ];
        for at in places {
            let proof = prove(issuer(), at, &mut rng).unwrap();
            for other in places {
                assert_eq!(verify(issuer().public(), other, &proof).is_ok(), other == at, "{at:?} {other:?}");
            }
            assert_eq!(verify(other_issuer().public(), at, &proof), Err(BlindError::Signature));
        }
    }
}
