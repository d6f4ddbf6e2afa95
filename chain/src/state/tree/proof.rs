//! Leaves, and proofs that stand without the tree.

use super::{TREE_DEPTH, TreeError};
use crate::{
    merkle,
    poseidon::{Felt, FeltDomain, hash_many, wire},
};
use ark_ff::Zero;
use primitives::{CodecError, Decode, Encode, Reader, Writer};
use serde::{Deserialize, Serialize};

/// One leaf of the state tree. The default is the sentinel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// What the leaf is about.
    #[serde(with = "wire::hex")]
    pub key: Felt,
    /// The next larger key that has a leaf, or 0 if there is none.
    #[serde(with = "wire::hex")]
    pub next_key: Felt,
    /// What the ledger holds for the key.
    #[serde(with = "wire::hex")]
    pub value: Felt,
}

impl Leaf {
    /// The node that stands for the leaf.
    pub fn hash(&self) -> Felt {
        hash_many(FeltDomain::StateLeaf, &[self.key, self.next_key, self.value])
    }
}

/// Proof that a key has a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    /// The key's leaf.
    pub leaf: Leaf,
    /// Where it stands.
    pub position: u32,
    /// Sibling nodes, the lowest first.
    #[serde(with = "wire::hex_seq")]
    pub siblings: Vec<Felt>,
}

impl Inclusion {
    /// The root that the proof leads to.
    pub fn root(&self) -> Felt {
        merkle::climb(self.leaf.hash(), self.position, &self.siblings)
    }

    /// Checks that `key` has `value` in the state with `root`.
    ///
    /// Errors: [`TreeError::ReservedKey`], [`TreeError::OtherKey`], [`TreeError::OtherValue`],
    /// [`TreeError::PathLength`], [`TreeError::OtherRoot`].
    pub fn verify(&self, root: Felt, key: Felt, value: Felt) -> Result<(), TreeError> {
        if key.is_zero() {
            return Err(TreeError::ReservedKey);
        }
        if self.leaf.key != key {
            return Err(TreeError::OtherKey { expected: key, found: self.leaf.key });
        }
        if self.leaf.value != value {
            return Err(TreeError::OtherValue { expected: value, found: self.leaf.value });
        }
        check_path(&self.siblings, root, || self.root())
    }
}

/// Proof that a key has no leaf: the leaf of the largest smaller key, whose next key is larger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// The leaf of the largest smaller key.
    pub low: Leaf,
    /// Where it stands.
    pub position: u32,
    /// Sibling nodes, the lowest first.
    #[serde(with = "wire::hex_seq")]
    pub siblings: Vec<Felt>,
}

impl Absence {
    /// The root that the proof leads to.
    pub fn root(&self) -> Felt {
        merkle::climb(self.low.hash(), self.position, &self.siblings)
    }

    /// Checks that `key` has no leaf in the state with `root`. Keys are compared as integers.
    ///
    /// Errors: [`TreeError::ReservedKey`], [`TreeError::NotBelow`], [`TreeError::NotBeyond`],
    /// [`TreeError::PathLength`], [`TreeError::OtherRoot`].
    pub fn verify(&self, root: Felt, key: Felt) -> Result<(), TreeError> {
        if key.is_zero() {
            return Err(TreeError::ReservedKey);
        }
        let (low, next) = (self.low.key, self.low.next_key);
        if low >= key {
            return Err(TreeError::NotBelow { key, low });
        }
        if !next.is_zero() && next <= key {
            return Err(TreeError::NotBeyond { key, next });
        }
        check_path(&self.siblings, root, || self.root())
    }
}

/// A path has one sibling a level, so that no inner node passes for a leaf, and leads to the root.
fn check_path(siblings: &[Felt], expected: Felt, found: impl Fn() -> Felt) -> Result<(), TreeError> {
    if siblings.len() != TREE_DEPTH {
        return Err(TreeError::PathLength { found: siblings.len() });
    }
    let found = found();
    if found == expected { Ok(()) } else { Err(TreeError::OtherRoot { expected, found }) }
}

impl Encode for Leaf {
    fn encode(&self, w: &mut Writer) {
        for x in [&self.key, &self.next_key, &self.value] {
            wire::put(w, x);
        }
    }
}

impl Decode for Leaf {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { key: wire::take(r)?, next_key: wire::take(r)?, value: wire::take(r)? })
    }
}

macro_rules! proof_codec {
    ($($name:ident { $leaf:ident })*) => {$(
        impl Encode for $name {
            fn encode(&self, w: &mut Writer) {
                self.$leaf.encode(w);
                self.position.encode(w);
                wire::put_seq(w, &self.siblings);
            }
        }
        impl Decode for $name {
            fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
                let ($leaf, position) = (Leaf::decode(r)?, u32::decode(r)?);
                let siblings = wire::take_seq(r, TREE_DEPTH)?;
                if siblings.len() == TREE_DEPTH {
                    Ok(Self { $leaf, position, siblings })
                } else {
                    Err(CodecError::Invalid { what: "path through the state" })
                }
            }
        }
    )*};
}
proof_codec!(Inclusion { leaf } Absence { low });
