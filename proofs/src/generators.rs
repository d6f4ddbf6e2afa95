//! Bases of commitments. Each is the hash of a canonical name to the group, so nobody knows a relation between any
//! two of them (protocol notes, section 1).

use crate::shard::Shard;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar, traits::MultiscalarMul};
use primitives::{ChainId, Digest, Domain, Encode, ShardIndex, hash, limits};
use std::sync::OnceLock;

/// Base-4 digits of a view index.
pub const VIEW_DIGITS: usize = 3;
/// Most base-4 digits of a work index.
pub const MAX_WORK_DIGITS: usize = 6;

/// The element that `name` and `parts` hash to.
pub fn hash_to_group(name: &str, parts: &[&[u8]]) -> RistrettoPoint {
    let all: Vec<&[u8]> = std::iter::once(name.as_bytes()).chain(parts.iter().copied()).collect();
    RistrettoPoint::from_uniform_bytes(&hash::hash_wide(Domain::Generator, &all))
}

/// Bases that do not depend on an epoch.
pub struct Bases {
    /// `H`, the base of blinding factors of vectors.
    pub blinding: RistrettoPoint,
    /// `B`, the base of subscribers' keys and of single values.
    pub key: RistrettoPoint,
    /// `B~`, the base of blinding factors of single values.
    pub value_blinding: RistrettoPoint,
    /// `B_kem`, the base of the parties' encapsulation keys.
    pub kem: RistrettoPoint,
}

/// The fixed bases.
pub fn bases() -> &'static Bases {
    static BASES: OnceLock<Bases> = OnceLock::new();
    BASES.get_or_init(|| Bases {
        blinding: hash_to_group("blinding", &[]),
        key: hash_to_group("key", &[]),
        value_blinding: hash_to_group("value-blinding", &[]),
        kem: hash_to_group("kem", &[]),
    })
}

/// Bases of entries 1, 2 and 3 of a one-hot base-4 digit; entry 0 is determined by them.
pub type DigitBases = [RistrettoPoint; 3];

fn digit_bases(event: usize, kind: &str, digit: usize) -> DigitBases {
    let at = [event as u8, digit as u8];
    std::array::from_fn(|i| hash_to_group("digit", &[kind.as_bytes(), &at, &[i as u8 + 1]]))
}

/// Bases of the digits of one event of a bundle.
pub struct EventBases {
    /// Digits of the work index, least significant first; narrow shards use the first few.
    pub work: [DigitBases; MAX_WORK_DIGITS],
    /// Digits of the view index, least significant first.
    pub view: [DigitBases; VIEW_DIGITS],
    /// The played fraction, one digit.
    pub fraction: DigitBases,
    /// Whether the event is backed.
    pub backed: RistrettoPoint,
}

/// Bases of the event at place `event` of a bundle.
pub fn event_bases(event: usize) -> &'static EventBases {
    static EVENTS: [OnceLock<EventBases>; limits::BUNDLE_SIZES[2]] =
        [const { OnceLock::new() }; limits::BUNDLE_SIZES[2]];
    EVENTS[event].get_or_init(|| EventBases {
        work: std::array::from_fn(|d| digit_bases(event, "work", d)),
        view: std::array::from_fn(|d| digit_bases(event, "view", d)),
        fraction: digit_bases(event, "fraction", 0),
        backed: hash_to_group("backed", &[&[event as u8]]),
    })
}

/// `Q = H2G("epoch", chain, K_epoch, shard)`, the base of an epoch's tags in one shard.
pub fn tag_base(chain: ChainId, epoch_key: &Digest, shard: ShardIndex) -> RistrettoPoint {
    hash_to_group("epoch", &[&chain.to_bytes(), &epoch_key.0, &shard.to_bytes()])
}

/// `G_w` of every index of a shard, padding included.
pub struct WorkBases {
    points: Vec<RistrettoPoint>,
    works: usize,
    digest: Digest,
}

impl WorkBases {
    /// Hashes the works of `shard` to the group.
    pub fn new(shard: &Shard) -> Self {
        let named = shard.works().iter().map(|id| hash_to_group("work", &[&id.0]));
        let padding = (shard.works().len()..shard.width())
            .map(|i| hash_to_group("padding", &[&(i as u64).to_le_bytes()]));
        let points: Vec<_> = named.chain(padding).collect();
        let fixed = [bases().blinding, bases().key, bases().value_blinding, bases().kem];
        let bytes: Vec<u8> = points.iter().chain(&fixed).flat_map(|p| p.compress().0).collect();
        let works = shard.works().len();
        Self { points, works, digest: hash::hash(Domain::Generator, &[b"digest", &bytes]) }
    }

    /// Number of works: the bases after so many are of padding.
    pub fn works(&self) -> usize {
        self.works
    }

    /// The bases, one for each index.
    pub fn points(&self) -> &[RistrettoPoint] {
        &self.points
    }

    /// `<entries, G> + blinding H`, in constant time. There are as many entries as bases.
    pub fn commit(&self, entries: &[Scalar], blinding: &Scalar) -> RistrettoPoint {
        let points = self.points.iter().chain([&bases().blinding]);
        RistrettoPoint::multiscalar_mul(entries.iter().chain([blinding]), points)
    }

    /// Digest of the bases of the works and of the fixed ones. Bases of digits are constants of this version of the
    /// protocol and are not part of it.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::WorkId;
    use std::collections::BTreeSet;

    #[test]
    fn all_bases_differ() {
        let shard = Shard::new(ShardIndex(0), vec![WorkId([1; 32]), WorkId([2; 32])]).unwrap();
        let mut all: Vec<RistrettoPoint> = WorkBases::new(&shard).points().to_vec();
        all.extend([bases().blinding, bases().key, bases().value_blinding, bases().kem]);
        for event in 0..8 {
            let e = event_bases(event);
            all.extend(e.work.iter().chain(&e.view).chain([&e.fraction]).flatten());
            all.push(e.backed);
        }
        all.push(tag_base(ChainId(1), &Digest([0; 32]), ShardIndex(0)));
        all.push(tag_base(ChainId(1), &Digest([0; 32]), ShardIndex(1)));
        all.push(tag_base(ChainId(2), &Digest([0; 32]), ShardIndex(0)));
        let distinct: BTreeSet<_> = all.iter().map(|p| p.compress().0).collect();
        assert_eq!(distinct.len(), all.len());
    }
}
