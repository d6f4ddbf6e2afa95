//! Anonymous subscription tokens (protocol notes, section 2).
//!
//! A device draws a fresh key for every epoch and has its public half blindly signed by the issuer of its tier, who
//! knows that the subscriber has paid and sees nothing of the key. Nothing links the keys of two epochs.

use crate::{
    blind::{BlindError, BlindIssuer, BlindKey, BlindSignature},
    generators::bases,
    wire::WirePoint,
};
use curve25519_dalek::scalar::Scalar;
use primitives::{ChainId, Digest, Domain, Encode, EpochId, Tier, hash};
use rand_core::{CryptoRng, RngCore};
use zeroize::{Zeroize, Zeroizing};

/// A subscriber's secret key of one epoch.
#[derive(Zeroize)]
#[zeroize(drop)]
pub struct SubscriberKey(Scalar);

impl SubscriberKey {
    /// A fresh key.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        Self(Scalar::random(rng))
    }

    /// `Y = sk B`.
    pub fn public(&self) -> WirePoint {
        (self.0 * bases().key).into()
    }

    /// The key's bytes, for its holder's own disk. Whoever has them speaks in the holder's place for the epoch, and can
    /// tell which works its bundles are of.
    pub fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The key that [`SubscriberKey::secret_bytes`] gave; `None` if the bytes are not those of a key.
    pub fn from_secret_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let scalar: Option<Scalar> = Scalar::from_canonical_bytes(*bytes).into();
        scalar.filter(|scalar| *scalar != Scalar::ZERO).map(Self)
    }

    pub(crate) fn secret(&self) -> &Scalar {
        &self.0
    }
}

impl std::fmt::Debug for SubscriberKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubscriberKey(..)")
    }
}

/// What a token's signature is on: chain, epoch, tier and key.
pub fn message(chain: ChainId, epoch: EpochId, tier: Tier, key: &WirePoint) -> Digest {
    hash::hash(Domain::Token, &[&chain.to_bytes(), &epoch.to_bytes(), &tier.to_bytes(), &key.0])
}

/// Obtains a token from the tier's issuer. The two sides run in one call; each sees only what the other sends.
pub fn issue(
    issuer: &BlindIssuer,
    message: &Digest,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<BlindSignature, BlindError> {
    let (request, pending) = issuer.public().blind(&message.0, rng)?;
    let answer = issuer.sign(&request, rng)?;
    pending.finish(&answer)
}

/// Checks a token.
pub fn verify(key: &BlindKey, message: &Digest, token: &BlindSignature) -> Result<(), BlindError> {
    key.verify(&message.0, token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::issuer;
    use blind_rsa_signatures::{Hash, Options, PublicKey};
    use primitives::Decode;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_token_is_valid_for_its_chain_epoch_tier_and_key_alone() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let key = SubscriberKey::generate(&mut rng).public();
        let own = message(ChainId(1), EpochId(2), Tier(3), &key);
        let token = issue(issuer(), &own, &mut rng).unwrap();
        assert_eq!(verify(issuer().public(), &own, &token), Ok(()));
        let foreign = SubscriberKey::generate(&mut rng).public();
        for other in [
            message(ChainId(9), EpochId(2), Tier(3), &key),
            message(ChainId(1), EpochId(9), Tier(3), &key),
            message(ChainId(1), EpochId(2), Tier(9), &key),
            message(ChainId(1), EpochId(2), Tier(3), &foreign),
        ] {
            assert_eq!(verify(issuer().public(), &other, &token), Err(BlindError::Signature));
        }
        let mut flipped = token;
        flipped[100] ^= 1;
        assert_eq!(verify(issuer().public(), &own, &flipped), Err(BlindError::Signature));
    }

    #[test]
    fn a_key_comes_back_from_its_bytes_and_from_no_others() {
        let key = SubscriberKey::generate(&mut ChaCha20Rng::seed_from_u64(1));
        let again = SubscriberKey::from_secret_bytes(&key.secret_bytes()).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(SubscriberKey::from_secret_bytes(&[0; 32]).is_none());
        assert!(SubscriberKey::from_secret_bytes(&[0xff; 32]).is_none());
    }

    #[test]
    fn a_signature_is_a_number_below_the_modulus() {
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let (key, modulus) = (issuer().public(), &issuer().public().der()[33..33 + 256]);
        // The sum of signature and modulus has the same powers, and one that fits is soon found.
        let spellings = (0u8..100).find_map(|n| {
            let message = Digest([n; 32]);
            let token = issue(issuer(), &message, &mut rng).unwrap();
            let (mut sum, mut carry) = (token, 0);
            for (digit, added) in sum.iter_mut().zip(modulus).rev() {
                let total = u16::from(*digit) + u16::from(*added) + carry;
                (*digit, carry) = (total as u8, total >> 8);
            }
            (carry == 0).then_some((message, token, sum))
        });
        let (message, token, sum) = spellings.expect("the modulus is not far above half of what fits");
        assert_eq!(verify(key, &message, &token), Ok(()));
        assert_eq!(verify(key, &message, &sum), Err(BlindError::Signature));
    }

    #[test]
    fn a_signature_with_a_salt_of_another_length_is_refused() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let key = PublicKey::from_der(issuer().public().der()).unwrap();
        let message = Digest([7; 32]);
        for (length, expected) in [
            (48, Ok(())),
            (0, Err(BlindError::Signature)),
            (32, Err(BlindError::Signature)),
            (47, Err(BlindError::Signature)),
            (49, Err(BlindError::Signature)),
        ] {
            let options = Options::new(Hash::Sha384, false, length);
            let blinded = key.blind(&mut rng, message.0, false, &options).unwrap();
            let answer = issuer().sign(&blinded.blind_msg.0.try_into().unwrap(), &mut rng).unwrap();
            let answer = blind_rsa_signatures::BlindSignature(answer.to_vec());
            let signature = key.finalize(&answer, &blinded.secret, None, message.0, &options);
            let signature = signature.expect("the library takes any salt").0.try_into().unwrap();
            assert_eq!(verify(issuer().public(), &message, &signature), expected, "{length} bytes");
        }
    }

    #[test]
    fn a_wrong_answer_of_the_issuer_is_noticed() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let (request, pending) = issuer().public().blind(b"message", &mut rng).unwrap();
        let mut answer = issuer().sign(&request, &mut rng).unwrap();
        answer[7] ^= 1;
        assert_eq!(pending.finish(&answer), Err(BlindError::Response));
        assert_eq!(issuer().sign(&[0xff; 256], &mut rng), Err(BlindError::Request));
    }

    #[test]
    fn a_key_has_one_encoding() {
        let key = issuer().public();
        assert_eq!(BlindKey::from_bytes(&key.to_bytes()).as_ref(), Ok(key));
        let mut der = key.der().to_vec();
        der.push(0);
        assert_eq!(BlindKey::from_der(&der), Err(BlindError::Key));
        assert_eq!(BlindKey::from_der(&der[1..]), Err(BlindError::Key));
        // Exponent 3 in place of 65,537, padded by two bytes of modulus: the same length, another key.
        let mut small = key.der().to_vec();
        small.truncate(292);
        small.extend([1, 3]);
        assert_eq!(BlindKey::from_der(&small), Err(BlindError::Key));
    }
}
