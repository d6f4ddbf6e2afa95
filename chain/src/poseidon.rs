//! Poseidon over BN254's scalar field: the hash of everything that a circuit has to recompute.
//!
//! Two uses of one permutation (state of three, x^5, 8 full and 57 partial rounds; [`constants`]):
//!
//! - [`hash2`] starts from the state `(0, a, b)`, permutes once and returns the first element. It is circomlib's
//!   `Poseidon(2)`, and nothing but inner nodes of trees uses it.
//! - [`hash_many`] is a sponge of rate two. Its state starts as `(domain + 2^32 * length, 0, 0)`; each step adds the
//!   next two inputs to the second and third element, a missing last one counting as zero, and permutes; the hash is
//!   the first element at the end. An empty input is permuted once.
//!
//! Domains start at 1, so a sponge never starts where `hash2` does, and the length in the capacity says whether the
//! last zero is an input: no two different calls absorb the same sequence of states (Poseidon paper, section 4.2,
//! which puts a domain and a length into the capacity for the same reason).

pub mod constants;
pub mod permutation;
pub mod wire;

use ark_ff::{AdditiveGroup, PrimeField};
pub use permutation::permute;
pub use wire::{felt_from_bytes, felt_to_bytes};

/// An element of BN254's scalar field, which is also the base field of Baby Jubjub.
pub type Felt = ark_bn254::Fr;

/// Bytes that a field element holds whatever they are: `2^248` is below the modulus, `2^256` is not.
pub const CHUNK_BYTES: usize = 31;

macro_rules! felt_domains {
    ($($(#[$doc:meta])* $name:ident = $tag:literal),* $(,)?) => {
        /// What a sponge hash is for. Tags are part of the protocol: they are never used twice and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[repr(u32)]
        pub enum FeltDomain {
            $($(#[$doc])* $name = $tag,)*
        }
        impl FeltDomain {
            /// Every domain.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

felt_domains! {
    /// A leaf `(key, next_key, value)` of the state tree.
    StateLeaf = 1,
    /// A key of the state tree: module, kind and identifier.
    StateKey = 2,
    /// A value of the state tree: the fields of one record.
    StateValue = 3,
    /// A leaf `(work, weight, amount)` of an epoch's payout tree.
    PayoutLeaf = 4,
    /// Root of a list: its count and the top of its tree.
    ListRoot = 5,
    /// A transaction, as it is signed.
    Transaction = 6,
    /// The challenge of a Schnorr signature.
    SignatureChallenge = 7,
    /// A byte string.
    Bytes = 8,
    /// A nullifier: of a claim, a vote or a person.
    Nullifier = 9,
    /// A commitment that a credential opens.
    Credential = 10,
    /// A work of an epoch, with its terms.
    ListedWork = 11,
}

/// `Poseidon(a, b)` in circomlib's convention: an inner node of a tree.
pub fn hash2(a: Felt, b: Felt) -> Felt {
    let mut state = [Felt::ZERO, a, b];
    permute(&mut state);
    state[0]
}

/// The sponge hash of `xs` in `domain` (module documentation). Injective in the domain, the length and the elements,
/// up to collisions of the permutation. Panics at 2^32 elements, which no limit of this project comes near.
pub fn hash_many(domain: FeltDomain, xs: &[Felt]) -> Felt {
    let length = u32::try_from(xs.len()).expect("inputs are bounded far below 2^32");
    let mut state = [Felt::from(u64::from(length) << 32 | domain as u64), Felt::ZERO, Felt::ZERO];
    if xs.is_empty() {
        permute(&mut state);
    }
    for pair in xs.chunks(2) {
        for (x, input) in state[1..].iter_mut().zip(pair) {
            *x += input;
        }
        permute(&mut state);
    }
    state[0]
}

/// The sponge hash of a byte string: of its length in bytes, then its chunks.
pub fn hash_bytes(domain: FeltDomain, bytes: &[u8]) -> Felt {
    let mut xs = vec![Felt::from(bytes.len() as u64)];
    xs.extend(felts_from_bytes(bytes));
    hash_many(domain, &xs)
}

/// Little-endian chunks of [`CHUNK_BYTES`] bytes, the last one shorter. Trailing zeros within the last chunk do not
/// show, so whoever hashes the elements binds the length as well, as [`hash_bytes`] does.
pub fn felts_from_bytes(bytes: &[u8]) -> Vec<Felt> {
    bytes.chunks(CHUNK_BYTES).map(Felt::from_le_bytes_mod_order).collect()
}

#[cfg(test)]
pub(crate) mod tests;
