//! Sealing seeds to the holders of their shares: a key encapsulation over ristretto255, HKDF-SHA512,
//! ChaCha20-Poly1305, with a commitment to each key.
//!
//! One ephemeral `E_i = r_i B_kem` serves both holders of share i, and the bundle proof shows that its exponent is
//! known to whoever made the bundle (check (g)). Without that, a copied ephemeral would turn complaints into a
//! decryption oracle. The commitment to the key makes a ciphertext decrypt under one key only.

use crate::{
    generators::bases,
    sharing::{held, holders, split::ShareSeed},
    wire::WirePoint,
};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce, aead::Aead};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::IsIdentity};
use hkdf::Hkdf;
use primitives::{CodecError, Decode, Digest, Domain, Encode, PartyId, Reader, Writer, codec_struct, hash};
use rand_core::{CryptoRng, RngCore};
use sha2::Sha512;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Length of a sealed seed: 32 bytes and an authentication tag of 16.
const SEALED_BYTES: usize = 32 + 16;

/// Why a party cannot read a share that was sealed to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    /// The ephemeral is not a usable group element.
    #[error("ephemeral of share {share} is not a usable group element")]
    Ephemeral {
        /// Which share.
        share: PartyId,
    },
    /// The key does not match its commitment.
    #[error("key of share {share} does not match its commitment")]
    KeyCommitment {
        /// Which share.
        share: PartyId,
    },
    /// The ciphertext does not authenticate.
    #[error("ciphertext of share {share} does not authenticate")]
    Ciphertext {
        /// Which share.
        share: PartyId,
    },
}

impl SealError {
    /// The share that cannot be read.
    pub fn share(self) -> PartyId {
        match self {
            Self::Ephemeral { share } | Self::KeyCommitment { share } | Self::Ciphertext { share } => share,
        }
    }
}

/// A party's encapsulation key.
#[derive(Clone, Zeroize)]
#[zeroize(drop)]
pub struct KemKey(pub(super) Scalar);

impl KemKey {
    /// A fresh key.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        Self(Scalar::random(rng))
    }

    /// The public half, `sk B_kem`.
    pub fn public(&self) -> WirePoint {
        (self.0 * bases().kem).into()
    }
}

impl std::fmt::Debug for KemKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KemKey(..)")
    }
}

/// A seed's ciphertext with the commitment to its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Commitment to the key.
    pub commitment: [u8; 32],
    /// Ciphertext with its authentication tag.
    pub ciphertext: [u8; SEALED_BYTES],
}

codec_struct!(Sealed { commitment, ciphertext });

/// The key and the key commitment that `secret` gives in `context`.
fn derive(secret: &[u8; 32], context: &[&[u8]]) -> (Zeroizing<[u8; 32]>, [u8; 32]) {
    let info = hash::hash(Domain::Sealing, context);
    let mut okm = Zeroizing::new([0; 64]);
    Hkdf::<Sha512>::new(None, secret)
        .expand(&info.0, okm.as_mut())
        .expect("64 bytes are one block of HKDF-SHA512");
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(&okm[..32]);
    (key, okm[32..].try_into().expect("half of 64 bytes"))
}

impl Sealed {
    /// Encrypts under a key that is used this once, so the nonce is constant.
    fn seal(secret: &[u8; 32], context: &[&[u8]], seed: &ShareSeed) -> Self {
        let (key, commitment) = derive(secret, context);
        let cipher = ChaCha20Poly1305::new(Key::from_slice(key.as_ref()));
        let sealed = cipher.encrypt(&Nonce::default(), seed.0.as_slice());
        let sealed = sealed.expect("a seed is far below the cipher's limit");
        Self { commitment, ciphertext: sealed.try_into().expect("a seed and a tag have a fixed length") }
    }

    fn open(&self, secret: &[u8; 32], context: &[&[u8]], share: PartyId) -> Result<ShareSeed, SealError> {
        let (key, commitment) = derive(secret, context);
        if !bool::from(commitment.ct_eq(&self.commitment)) {
            return Err(SealError::KeyCommitment { share });
        }
        let cipher = ChaCha20Poly1305::new(Key::from_slice(key.as_ref()));
        let plaintext = cipher.decrypt(&Nonce::default(), self.ciphertext.as_slice());
        let plaintext = Zeroizing::new(plaintext.map_err(|_| SealError::Ciphertext { share })?);
        Ok(ShareSeed(plaintext.as_slice().try_into().expect("a plaintext is a tag shorter")))
    }
}

/// The seeds of a bundle, sealed to their holders: all of a bundle that is never published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedShares {
    /// For each share, its seed sealed to each of its two holders, in the order of [`holders`].
    pub keys: [[Sealed; 2]; 3],
}

/// The secret exponents `r_i` of the ephemerals.
#[derive(Zeroize)]
#[zeroize(drop)]
pub struct Ephemerals(pub(crate) [Scalar; 3]);

impl Ephemerals {
    /// Fresh exponents.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        Self(std::array::from_fn(|_| Scalar::random(rng)))
    }
}

/// What the holder of `key` and whoever made the bundle have in common for a share: `sk E_i`.
pub(super) fn shared_secret(
    ephemeral: &WirePoint,
    share: PartyId,
    key: &KemKey,
) -> Result<RistrettoPoint, SealError> {
    let ephemeral = ephemeral.decompress().filter(|e| !e.is_identity());
    Ok(key.0 * ephemeral.ok_or(SealError::Ephemeral { share })?)
}

fn kem_context<'a>(
    context: &'a Digest,
    share: &'a [u8; 1],
    recipient: &'a [u8; 1],
    ephemeral: &'a WirePoint,
) -> [&'a [u8]; 5] {
    [b"key", &context.0, share, recipient, &ephemeral.0]
}

impl SealedShares {
    /// Seals `seeds` to the parties whose keys are `recipients`, bound to `context`; gives the `E_i`, one a share, with
    /// them.
    pub(crate) fn seal(
        seeds: &[ShareSeed; 3],
        ephemerals: &Ephemerals,
        recipients: &[RistrettoPoint; 3],
        context: &Digest,
    ) -> ([WirePoint; 3], Self) {
        let points = ephemerals.0.map(|r| WirePoint::from(r * bases().kem));
        let keys = PartyId::ALL.map(|share| {
            let i = share.index();
            holders(share).map(|holder| {
                let shared = Zeroizing::new((ephemerals.0[i] * recipients[holder.index()]).compress().0);
                let (share, holder) = ([u8::from(share)], [u8::from(holder)]);
                Sealed::seal(&shared, &kem_context(context, &share, &holder, &points[i]), &seeds[i])
            })
        });
        (points, Self { keys })
    }

    /// What a bundle's proof and identifier bind in place of the ciphertexts, so that both can be checked without them.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::SealedShares, &[&self.to_bytes()])
    }

    /// Opens the two seeds that `party` holds, in the order of [`held`].
    pub fn open(
        &self,
        ephemerals: &[WirePoint; 3],
        (party, key): (PartyId, &KemKey),
        context: &Digest,
    ) -> Result<[ShareSeed; 2], SealError> {
        let [own, next] = held(party).map(|share| self.open_one(ephemerals, (party, key), share, context));
        Ok([own?, next?])
    }

    /// Opens the seed of one share that `party` holds.
    ///
    /// # Panics
    /// If the party does not hold the share.
    pub fn open_one(
        &self,
        ephemerals: &[WirePoint; 3],
        (party, key): (PartyId, &KemKey),
        share: PartyId,
        context: &Digest,
    ) -> Result<ShareSeed, SealError> {
        let ephemeral = &ephemerals[share.index()];
        let secret = shared_secret(ephemeral, share, key)?;
        self.open_with((share, ephemeral), party, &secret, context)
    }

    /// Makes what is sealed to one holder of a share unreadable: a lie of a device.
    pub(crate) fn garble(&mut self, share: PartyId, holder: PartyId) {
        let slot = holders(share).iter().position(|known| *known == holder);
        let slot = slot.expect("a share is sealed to its holders");
        self.keys[share.index()][slot].ciphertext[0] ^= 1;
    }

    /// Opens the seed of `share` that is sealed to `party`, by the secret that they have in common.
    ///
    /// # Panics
    /// If the party does not hold the share.
    pub(super) fn open_with(
        &self,
        (share, ephemeral): (PartyId, &WirePoint),
        party: PartyId,
        secret: &RistrettoPoint,
        context: &Digest,
    ) -> Result<ShareSeed, SealError> {
        let i = share.index();
        let slot =
            holders(share).iter().position(|holder| *holder == party).expect("a party opens what it holds");
        let secret = Zeroizing::new(secret.compress().0);
        let (number, holder) = ([u8::from(share)], [u8::from(party)]);
        self.keys[i][slot].open(&secret, &kem_context(context, &number, &holder, ephemeral), share)
    }
}

impl Encode for SealedShares {
    fn encode(&self, w: &mut Writer) {
        self.keys.iter().flatten().for_each(|k| k.encode(w));
    }
}

impl Decode for SealedShares {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut pair = || Ok([Sealed::decode(r)?, Sealed::decode(r)?]);
        Ok(Self { keys: [pair()?, pair()?, pair()?] })
    }
}
