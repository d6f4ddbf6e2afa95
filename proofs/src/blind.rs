//! RFC 9474 blind RSA signatures, variant RSABSSA-SHA384-PSS-Deterministic, as tokens and receipts use them.
//!
//! "Deterministic" is about the message, which is not randomised again: each message of this protocol already holds
//! 256 secret random bits (a fresh key or a serial), which is what RFC 9474, section 5, asks of that variant. The
//! PSS salt is random.
//!
//! Blinding, signing and unblinding are those of `blind-rsa-signatures`; signatures are verified by `ring`, which takes
//! a fraction of the time and accepts no other length of salt than that of the variant.
//!
//! The signer's secret operation is blinded by the library; message and signature become public later, so nothing
//! else here need be constant time.

use blind_rsa_signatures::{KeyPair, Options, PublicKey, Secret, SecretKey};
use primitives::{CodecError, Decode, Encode, Reader, Writer, limits};
use rand_core::{CryptoRng, RngCore};
use ring::signature::{RSA_PSS_2048_8192_SHA384, RsaPublicKeyComponents};
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a blind signature protocol ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BlindError {
    /// The signature does not verify under the key.
    #[error("the signature does not verify")]
    Signature,
    /// The blinded message is not a number below the modulus.
    #[error("the blinded message is out of range")]
    Request,
    /// The signer's answer does not lead to a valid signature.
    #[error("the signer's answer does not unblind to a valid signature")]
    Response,
    /// Key generation failed, or the key has other parameters than 2,048 bits and exponent 65,537.
    #[error("the key is unusable")]
    Key,
}

/// What stands before the modulus in the encoding of every key with a modulus of 2,048 bits: SubjectPublicKeyInfo,
/// rsaEncryption, no parameters, a bit string, a sequence, an integer with a leading zero byte.
const DER_HEAD: [u8; 33] = [
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
    0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00,
];
/// What stands after it: the exponent 65,537.
const DER_TAIL: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

/// The exponent of every key, most significant byte first.
const EXPONENT: [u8; 3] = [1, 0, 1];

const _: () = assert!(DER_HEAD.len() + limits::RSA_BYTES + DER_TAIL.len() == limits::RSA_KEY_BYTES);

/// A signature on a message that the signer never saw.
pub type BlindSignature = [u8; limits::RSA_BYTES];

/// Public key of a blind signer, kept with its canonical DER encoding.
#[derive(Clone, Debug)]
pub struct BlindKey {
    der: Vec<u8>,
    key: PublicKey,
}

impl PartialEq for BlindKey {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for BlindKey {}

impl BlindKey {
    /// Reads a key from DER. Only the encoding that [`BlindKey::der`] gives back is accepted.
    pub fn from_der(der: &[u8]) -> Result<Self, BlindError> {
        let key = PublicKey::from_der(der).map_err(|_| BlindError::Key)?;
        let body = der.strip_prefix(&DER_HEAD).and_then(|rest| rest.strip_suffix(&DER_TAIL));
        if body.is_none_or(|modulus| modulus.len() != limits::RSA_BYTES || modulus[0] < 0x80) {
            return Err(BlindError::Key);
        }
        Ok(Self { der: der.to_vec(), key })
    }

    /// Canonical DER encoding (SubjectPublicKeyInfo).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Blinds `message`: what the signer is sent, and what the holder keeps to unblind the answer.
    pub fn blind(
        &self,
        message: &[u8],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(BlindSignature, Pending), BlindError> {
        let result = self.key.blind(rng, message, false, &Options::default()).map_err(|_| BlindError::Key)?;
        let request = result.blind_msg.0.try_into().map_err(|_| BlindError::Key)?;
        let secret = Zeroizing::new(result.secret.0);
        Ok((request, Pending { key: self.clone(), message: message.to_vec(), secret }))
    }

    /// The modulus, most significant byte first.
    fn modulus(&self) -> &[u8] {
        &self.der[DER_HEAD.len()..][..limits::RSA_BYTES]
    }

    /// Checks a signature.
    pub fn verify(&self, message: &[u8], signature: &BlindSignature) -> Result<(), BlindError> {
        verify_under(self.modulus(), message, signature)
    }
}

/// Checks a signature of the variant under a modulus of 2,048 to 8,192 bits and the exponent 65,537.
///
/// It is as long as the modulus and a number below it (RFC 8017, section 5.2.2), so that nobody can spell it otherwise,
/// and its salt has 48 bytes, as RFC 9474 asks of the variant.
pub fn verify_under(modulus: &[u8], message: &[u8], signature: &[u8]) -> Result<(), BlindError> {
    let key = RsaPublicKeyComponents { n: modulus, e: &EXPONENT[..] };
    key.verify(&RSA_PSS_2048_8192_SHA384, message, signature).map_err(|_| BlindError::Signature)
}

impl Encode for BlindKey {
    fn encode(&self, w: &mut Writer) {
        w.bytes(&self.der);
    }
}

impl Decode for BlindKey {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let der = r.bytes(limits::RSA_KEY_BYTES)?;
        Self::from_der(der).map_err(|_| CodecError::Invalid { what: "blind RSA key" })
    }
}

/// Longest message that a [`Pending`] is read back with: twice the digest that tokens and receipts sign.
const MAX_MESSAGE_BYTES: usize = 64;

/// A request that waits for the signer's answer.
///
/// Its encoding is for the holder's own disk: whoever reads it can tell which request the signature came from.
pub struct Pending {
    key: BlindKey,
    message: Vec<u8>,
    /// What the message was blinded by.
    secret: Zeroizing<Vec<u8>>,
}

impl Pending {
    /// Unblinds the answer; the result verifies.
    pub fn finish(self, answer: &BlindSignature) -> Result<BlindSignature, BlindError> {
        let Self { key, message, secret } = self;
        let answer = blind_rsa_signatures::BlindSignature(answer.to_vec());
        let secret = Secret(secret.to_vec());
        let signature = key.key.finalize(&answer, &secret, None, &message, &Options::default());
        signature.map_err(|_| BlindError::Response)?.0.try_into().map_err(|_| BlindError::Response)
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pending(..)")
    }
}

impl Encode for Pending {
    fn encode(&self, w: &mut Writer) {
        self.key.encode(w);
        w.bytes(&self.message);
        w.bytes(&self.secret);
    }
}

impl Decode for Pending {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let key = BlindKey::decode(r)?;
        let message = r.bytes(MAX_MESSAGE_BYTES)?.to_vec();
        let secret = Zeroizing::new(r.bytes(limits::RSA_BYTES)?.to_vec());
        if secret.len() != limits::RSA_BYTES {
            return Err(CodecError::Invalid { what: "blinding factor" });
        }
        Ok(Self { key, message, secret })
    }
}

/// A blind signer.
pub struct BlindIssuer {
    secret: SecretKey,
    public: BlindKey,
}

impl BlindIssuer {
    /// A fresh key of 2,048 bits.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Result<Self, BlindError> {
        let pair = KeyPair::generate(rng, limits::RSA_BITS).map_err(|_| BlindError::Key)?;
        let der = pair.pk.to_der().map_err(|_| BlindError::Key)?;
        Ok(Self { secret: pair.sk, public: BlindKey::from_der(&der)? })
    }

    /// Reads a key from what [`BlindIssuer::secret_der`] gave.
    ///
    /// # Errors
    /// [`BlindError::Key`] if it is no private key of 2,048 bits with exponent 65,537.
    pub fn from_secret_der(der: &[u8]) -> Result<Self, BlindError> {
        let secret = SecretKey::from_der(der).map_err(|_| BlindError::Key)?;
        let public = secret.public_key().and_then(|key| key.to_der()).map_err(|_| BlindError::Key)?;
        Ok(Self { secret, public: BlindKey::from_der(&public)? })
    }

    /// The private key in DER (PKCS #8): whoever has it signs in the signer's place. For the signer's own disk.
    pub fn secret_der(&self) -> Result<Zeroizing<Vec<u8>>, BlindError> {
        self.secret.to_der().map(Zeroizing::new).map_err(|_| BlindError::Key)
    }

    /// The public key.
    pub fn public(&self) -> &BlindKey {
        &self.public
    }

    /// Signs a blinded message, without learning what it is.
    pub fn sign(
        &self,
        request: &BlindSignature,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<BlindSignature, BlindError> {
        let answer =
            self.secret.blind_sign(rng, request, &Options::default()).map_err(|_| BlindError::Request)?;
        answer.0.try_into().map_err(|_| BlindError::Request)
    }
}

impl std::fmt::Debug for BlindIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlindIssuer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::issuer;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_request_that_was_put_on_disk_is_finished_with_the_same_answer() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let (request, pending) = issuer().public().blind(&[7; 32], &mut rng).unwrap();
        let stored = pending.to_bytes();
        let answer = issuer().sign(&request, &mut rng).unwrap();
        let signature = Pending::from_bytes(&stored).unwrap().finish(&answer).unwrap();
        assert_eq!(pending.finish(&answer), Ok(signature));
        assert_eq!(issuer().public().verify(&[7; 32], &signature), Ok(()));
        for end in 0..stored.len() {
            assert!(Pending::from_bytes(&stored[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_signer_that_was_put_on_disk_is_the_same_signer() {
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let again = BlindIssuer::from_secret_der(&issuer().secret_der().unwrap()).unwrap();
        assert_eq!(again.public(), issuer().public());
        let (request, pending) = issuer().public().blind(&[8; 32], &mut rng).unwrap();
        let answer = again.sign(&request, &mut rng).unwrap();
        assert!(pending.finish(&answer).is_ok());
        assert_eq!(BlindIssuer::from_secret_der(issuer().public().der()).unwrap_err(), BlindError::Key);
    }
}
