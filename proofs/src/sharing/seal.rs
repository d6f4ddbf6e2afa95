//! Sealing shares to their holders: a key encapsulation over ristretto255, HKDF-SHA512, ChaCha20-Poly1305, with a
//! commitment to each key.
//!
//! One ephemeral `E_i = r_i B_kem` serves both holders of share i, and the bundle proof shows that its exponent is
//! known to whoever made the bundle (check (g)). Without that, a copied ephemeral would turn later complaints into a
//! decryption oracle. The commitment to the key makes a ciphertext decrypt under one key only.

use crate::{
    generators::bases,
    sharing::{
        held, holders,
        split::{ShareOpening, Shares},
    },
    wire::{WirePoint, WireScalar},
};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce, aead::Aead};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::IsIdentity};
use hkdf::Hkdf;
use primitives::{CodecError, Decode, Digest, Domain, Encode, PartyId, Reader, Writer, hash, limits};
use rand_core::{CryptoRng, RngCore};
use sha2::Sha512;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Bytes that authentication adds to a ciphertext.
const TAG_BYTES: usize = 16;

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
    /// The plaintext is not a vector of canonical scalars of the shard's width.
    #[error("plaintext of share {share} is not a vector of {width} scalars")]
    Plaintext {
        /// Which share.
        share: PartyId,
        /// Width of the shard.
        width: usize,
    },
}

/// A party's encapsulation key.
#[derive(Zeroize)]
#[zeroize(drop)]
pub struct KemKey(Scalar);

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

/// A ciphertext with the commitment to its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Commitment to the key.
    pub commitment: [u8; 32],
    /// Ciphertext with its authentication tag.
    pub ciphertext: Vec<u8>,
}

impl Encode for Sealed {
    fn encode(&self, w: &mut Writer) {
        w.raw(&self.commitment);
        w.bytes(&self.ciphertext);
    }
}

impl Decode for Sealed {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { commitment: r.array()?, ciphertext: r.bytes(EXPLICIT_LIMIT)?.to_vec() })
    }
}

/// Longest ciphertext: the explicit share of the widest shard.
const EXPLICIT_LIMIT: usize = (limits::MAX_SHARD_WIDTH + 1) * 32 + TAG_BYTES;

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
    fn seal(secret: &[u8; 32], context: &[&[u8]], plaintext: &[u8]) -> Self {
        let (key, commitment) = derive(secret, context);
        let cipher = ChaCha20Poly1305::new(Key::from_slice(key.as_ref()));
        let ciphertext = cipher
            .encrypt(&Nonce::default(), plaintext)
            .expect("plaintexts are far below the cipher's limit");
        Self { commitment, ciphertext }
    }

    fn open(
        &self,
        secret: &[u8; 32],
        context: &[&[u8]],
        share: PartyId,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (key, commitment) = derive(secret, context);
        if !bool::from(commitment.ct_eq(&self.commitment)) {
            return Err(SealError::KeyCommitment { share });
        }
        let cipher = ChaCha20Poly1305::new(Key::from_slice(key.as_ref()));
        let plaintext = cipher.decrypt(&Nonce::default(), self.ciphertext.as_slice());
        plaintext.map(Zeroizing::new).map_err(|_| SealError::Ciphertext { share })
    }
}

/// The shares of a bundle, as they are uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedShares {
    /// `E_i`, one a share.
    pub ephemerals: [WirePoint; 3],
    /// For each share, the 32-byte seed (or the key of the explicit share) sealed to each of its two holders.
    pub keys: [[Sealed; 2]; 3],
    /// The explicit third share under its own key.
    pub explicit: Sealed,
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

fn kem_context<'a>(
    context: &'a Digest,
    share: &'a [u8; 1],
    recipient: &'a [u8; 1],
    ephemeral: &'a WirePoint,
) -> [&'a [u8]; 5] {
    [b"key", &context.0, share, recipient, &ephemeral.0]
}

impl SealedShares {
    /// Seals `shares` to the parties whose keys are `recipients`, bound to `context`.
    ///
    /// # Panics
    /// If the third share is not explicit, which [`Shares::split`] never returns.
    pub fn seal(
        shares: &Shares,
        ephemerals: &Ephemerals,
        recipients: &[RistrettoPoint; 3],
        context: &Digest,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Self {
        let mut content_key = Zeroizing::new([0; 32]);
        rng.fill_bytes(content_key.as_mut());
        let points = ephemerals.0.map(|r| WirePoint::from(r * bases().kem));
        let keys = PartyId::ALL.map(|share| {
            let i = share.index();
            let secret: &[u8; 32] = match &shares.0[i] {
                ShareOpening::Seed(seed) => seed,
                ShareOpening::Explicit { .. } => &content_key,
            };
            holders(share).map(|holder| {
                let shared = Zeroizing::new((ephemerals.0[i] * recipients[holder.index()]).compress().0);
                let (share, holder) = ([u8::from(share)], [u8::from(holder)]);
                Sealed::seal(&shared, &kem_context(context, &share, &holder, &points[i]), secret)
            })
        });
        let ShareOpening::Explicit { entries, blinding } = &shares.0[2] else {
            panic!("the third share is written out");
        };
        let plaintext =
            Zeroizing::new(entries.iter().chain([blinding]).flat_map(Scalar::to_bytes).collect::<Vec<u8>>());
        let explicit = Sealed::seal(&content_key, &[b"explicit", &context.0], &plaintext);
        Self { ephemerals: points, keys, explicit }
    }

    /// Opens the two shares that `party` holds, in the order of [`held`].
    pub fn open(
        &self,
        party: PartyId,
        key: &KemKey,
        context: &Digest,
        width: usize,
    ) -> Result<[ShareOpening; 2], SealError> {
        let [own, next] = held(party);
        Ok([
            self.open_one(own, party, key, context, width)?,
            self.open_one(next, party, key, context, width)?,
        ])
    }

    fn open_one(
        &self,
        share: PartyId,
        party: PartyId,
        key: &KemKey,
        context: &Digest,
        width: usize,
    ) -> Result<ShareOpening, SealError> {
        let i = share.index();
        let ephemeral = self.ephemerals[i].decompress().filter(|e| !e.is_identity());
        let shared = Zeroizing::new((key.0 * ephemeral.ok_or(SealError::Ephemeral { share })?).compress().0);
        let slot =
            holders(share).iter().position(|holder| *holder == party).expect("a party opens what it holds");
        let (number, holder) = ([u8::from(share)], [u8::from(party)]);
        let secret = self.keys[i][slot].open(
            &shared,
            &kem_context(context, &number, &holder, &self.ephemerals[i]),
            share,
        )?;
        let malformed = SealError::Plaintext { share, width };
        let secret: Zeroizing<[u8; 32]> =
            Zeroizing::new(secret.as_slice().try_into().map_err(|_| malformed)?);
        if share != PartyId::ALL[2] {
            return Ok(ShareOpening::Seed(*secret));
        }
        let plaintext = self.explicit.open(&secret, &[b"explicit", &context.0], share)?;
        let (chunks, rest) = plaintext.as_chunks::<32>();
        if chunks.len() != width + 1 || !rest.is_empty() {
            return Err(malformed);
        }
        let read = |bytes: &[u8; 32]| WireScalar::from_bytes(bytes).map(|s| s.0).map_err(|_| malformed);
        let entries = chunks[..width].iter().map(read).collect::<Result<_, _>>()?;
        Ok(ShareOpening::Explicit { entries, blinding: read(&chunks[width])? })
    }

    /// What the bundle proof says of all ciphertexts.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::Ciphertexts, &[&self.to_bytes()])
    }
}

impl Encode for SealedShares {
    fn encode(&self, w: &mut Writer) {
        self.ephemerals.iter().for_each(|e| e.encode(w));
        self.keys.iter().flatten().for_each(|k| k.encode(w));
        self.explicit.encode(w);
    }
}

impl Decode for SealedShares {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let ephemerals = [WirePoint::decode(r)?, WirePoint::decode(r)?, WirePoint::decode(r)?];
        let mut pair = || Ok([Sealed::decode(r)?, Sealed::decode(r)?]);
        let keys = [pair()?, pair()?, pair()?];
        Ok(Self { ephemerals, keys, explicit: Sealed::decode(r)? })
    }
}
