//! The cap on what one subscriber adds in an epoch (protocol notes, section 3).
//!
//! Each bundle commits to its value, `C_val = val B + r B~`; check (f) of the bundle proof ties that to the digits. The
//! commitments of a subscriber's bundles add up, `Cum_n = Cum_(n-1) + C_val`, and a Bulletproofs range proof of 32 bits
//! (Bunz et al. 2018, section 4.2), in the bundle's own transcript, shows that `value_cap - Cum_n` is not negative. The
//! crate `bulletproofs` makes it; `equation` checks it together with all else that a batch holds.

pub(crate) mod equation;

use crate::{
    generators::bases,
    transcript::BundleTranscript,
    wire::{WirePoint, WireScalar},
};
use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::MultiscalarMul};
use primitives::{CodecError, Decode, Encode, Reader, Writer, codec_struct};
use rand_core::{CryptoRng, RngCore};
use std::sync::OnceLock;
use zeroize::Zeroize;

/// Bits of what is left below the cap.
pub const CAP_BITS: usize = 32;
/// Length of a range proof of [`CAP_BITS`] bits: four elements, three scalars, five rounds of two elements, two scalars.
pub const CAP_PROOF_BYTES: usize = 32 * (4 + 3 + 2 * 5 + 2);

/// A range proof, as it travels. Whether its bytes are a proof is found out when it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapProof {
    /// Canonical bytes of the Bulletproofs range proof.
    pub bytes: [u8; CAP_PROOF_BYTES],
}

codec_struct!(CapProof { bytes });

fn bulletproof_generators() -> &'static BulletproofGens {
    static GENERATORS: OnceLock<BulletproofGens> = OnceLock::new();
    GENERATORS.get_or_init(|| BulletproofGens::new(CAP_BITS, 1))
}

fn pedersen() -> PedersenGens {
    PedersenGens { B: bases().key, B_blinding: bases().value_blinding }
}

/// `val B + r B~`, in constant time.
pub(crate) fn commit(value: &Scalar, blinding: &Scalar) -> RistrettoPoint {
    RistrettoPoint::multiscalar_mul([value, blinding], [bases().key, bases().value_blinding])
}

/// What a subscriber has added in an epoch so far: the opening of `Cum`. Its holder keeps it from bundle to bundle.
#[derive(Clone, Default, Zeroize)]
#[zeroize(drop)]
pub struct Spent {
    value: u64,
    blinding: Scalar,
}

impl std::fmt::Debug for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spent(..)")
    }
}

/// For the holder's own disk: it opens `Cum`.
impl Encode for Spent {
    fn encode(&self, w: &mut Writer) {
        self.value.encode(w);
        WireScalar(self.blinding).encode(w);
    }
}

impl Decode for Spent {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let value = u64::decode(r)?;
        if value >> CAP_BITS != 0 {
            return Err(CodecError::Invalid { what: "spent value" });
        }
        Ok(Self { value, blinding: WireScalar::decode(r)?.0 })
    }
}

impl Spent {
    /// Value added so far, in 2^-18 views.
    pub fn value(&self) -> u64 {
        self.value
    }

    /// `Cum`.
    pub fn commitment(&self) -> WirePoint {
        commit(&Scalar::from(self.value), &self.blinding).into()
    }

    /// After one bundle more.
    pub(crate) fn plus(&self, value: u64, blinding: &Scalar) -> Self {
        Self { value: self.value + value, blinding: self.blinding + blinding }
    }

    /// Proves that `cap` is not exceeded. `room` is what is left of it, unless the prover lies.
    pub(crate) fn prove(
        &self,
        room: u64,
        transcript: &mut BundleTranscript,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> CapProof {
        let (generators, transcript) = (bulletproof_generators(), transcript.for_range_proof());
        let blinding = -self.blinding;
        let proof = RangeProof::prove_single_with_rng(
            generators,
            &pedersen(),
            transcript,
            room & u64::from(u32::MAX),
            &blinding,
            CAP_BITS,
            rng,
        );
        let (proof, _) = proof.expect("32 bits are a size of range proofs, and the generators suffice");
        CapProof { bytes: proof.to_bytes().try_into().expect("a range proof of 32 bits has a fixed length") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spent_comes_back_from_disk() {
        let spent = Spent::default().plus(77, &Scalar::from(5u8));
        let again = Spent::from_bytes(&spent.to_bytes()).unwrap();
        assert_eq!((again.value(), again.commitment()), (77, spent.commitment()));
        let too_much = Spent { value: 1 << CAP_BITS, blinding: Scalar::ZERO };
        assert!(Spent::from_bytes(&too_much.to_bytes()).is_err());
    }
}
