//! The tree against a naive model, and every field of its proofs.

use super::*;
use crate::poseidon::tests::felt;
use ark_ff::Field;
use primitives::{CodecError, Decode, Encode};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The definition: an association list in the order of insertion, and a root computed from scratch.
#[derive(Clone, Default)]
struct Model(Vec<(Felt, Felt)>);

impl Model {
    fn find(&self, key: Felt) -> Option<usize> {
        self.0.iter().position(|(k, _)| *k == key)
    }

    fn leaves(&self) -> Vec<Leaf> {
        let all: Vec<_> = std::iter::once((Felt::ZERO, Felt::ZERO)).chain(self.0.iter().copied()).collect();
        let next = |key: Felt| all.iter().map(|(k, _)| *k).filter(|k| *k > key).min().unwrap_or(Felt::ZERO);
        all.iter().map(|(key, value)| Leaf { key: *key, next_key: next(*key), value: *value }).collect()
    }

    fn root(&self) -> Felt {
        let mut level: Vec<_> = self.leaves().iter().map(Leaf::hash).collect();
        let mut vacant = Felt::ZERO;
        for _ in 0..TREE_DEPTH {
            level = level.chunks(2).map(|c| hash2(c[0], c.get(1).copied().unwrap_or(vacant))).collect();
            vacant = hash2(vacant, vacant);
        }
        level[0]
    }
}

/// Few different keys, so that they meet, at both ends of the order.
fn key() -> impl Strategy<Value = Felt> {
    prop_oneof![(0..12u64).prop_map(Felt::from), (1..4u64).prop_map(|k| -Felt::from(k)), felt()]
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Felt, Felt),
    Update(Felt, Felt),
    Root,
    WhatIf(Vec<(Felt, Felt)>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (key(), felt()).prop_map(|(k, v)| Step::Insert(k, v)),
        3 => (key(), felt()).prop_map(|(k, v)| Step::Update(k, v)),
        1 => Just(Step::Root),
        1 => prop::collection::vec((key(), felt()), 0..4).prop_map(Step::WhatIf),
    ]
}

fn insert_both(
    tree: &mut IndexedTree,
    model: &mut Model,
    key: Felt,
    value: Felt,
) -> Result<(), TestCaseError> {
    let expected = match model.find(key) {
        _ if key.is_zero() => Err(TreeError::ReservedKey),
        Some(i) => Err(TreeError::Present { key, position: u32::try_from(i + 1).expect("few") }),
        None => {
            model.0.push((key, value));
            Ok(())
        }
    };
    prop_assert_eq!(tree.insert(key, value), expected);
    Ok(())
}

fn agree(tree: &mut IndexedTree, model: &Model, probe: Felt) -> Result<(), TestCaseError> {
    let root = model.root();
    prop_assert_eq!(tree.root(), root);
    prop_assert_eq!(tree.len(), model.0.len());
    for (key, value) in &model.0 {
        prop_assert_eq!(tree.get(*key), Some(*value));
        let proof = tree.prove(*key).expect("present");
        prop_assert_eq!(proof.verify(root, *key, *value), Ok(()));
        prop_assert_eq!(tree.prove_absence(*key), None);
    }
    match model.find(probe) {
        Some(_) => prop_assert!(tree.prove(probe).is_some()),
        None if probe.is_zero() => {
            prop_assert_eq!((tree.get(probe), tree.prove_absence(probe)), (None, None));
        }
        None => {
            prop_assert_eq!((tree.get(probe), tree.prove(probe)), (None, None));
            let proof = tree.prove_absence(probe).expect("absent");
            prop_assert_eq!(proof.verify(root, probe), Ok(()));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_tree_is_the_model(steps in prop::collection::vec(step(), 1..30), probe in key()) {
        let (mut tree, mut model) = (IndexedTree::new(), Model::default());
        for step in steps {
            match step {
                Step::Insert(key, value) => insert_both(&mut tree, &mut model, key, value)?,
                Step::Update(key, value) => {
                    let expected = match model.find(key) {
                        _ if key.is_zero() => Err(TreeError::ReservedKey),
                        None => Err(TreeError::Missing { key }),
                        Some(i) => {
                            model.0[i].1 = value;
                            Ok(())
                        }
                    };
                    prop_assert_eq!(tree.update(key, value), expected);
                }
                Step::Root => prop_assert_eq!(tree.root(), model.root()),
                Step::WhatIf(inserts) => {
                    let (mut tree, mut model) = (tree.clone(), model.clone());
                    for (key, value) in inserts {
                        insert_both(&mut tree, &mut model, key, value)?;
                    }
                    agree(&mut tree, &model, probe)?;
                }
            }
        }
        agree(&mut tree, &model, probe)?;
    }

    /// What a circuit for an insertion does: three paths, two writes.
    #[test]
    fn an_insertion_is_two_writes_on_proved_paths(keys in prop::collection::btree_set(1..1000u64, 2..12)) {
        let (mut tree, keys) = (IndexedTree::new(), keys.into_iter().map(Felt::from).rev().collect::<Vec<_>>());
        for key in keys {
            let (value, free) = (key.square(), u32::try_from(tree.len() + 1).expect("few"));
            let low = tree.prove_absence(key).expect("absent");
            prop_assert_eq!(low.verify(tree.root(), key), Ok(()));
            let changed = Leaf { next_key: key, ..low.low };
            let between = merkle::climb(changed.hash(), low.position, &low.siblings);
            tree.insert(key, value).expect("absent");
            let siblings = tree.siblings(free);
            prop_assert_eq!(merkle::climb(merkle::EMPTY, free, &siblings), between);
            let leaf = Leaf { key, next_key: low.low.next_key, value };
            prop_assert_eq!(merkle::climb(leaf.hash(), free, &siblings), tree.root());
        }
    }
}

/// A tree with keys 10, 20, ... and their squares, and its root.
fn example() -> (IndexedTree, Felt) {
    let mut tree = IndexedTree::new();
    for i in 1..=9u64 {
        let key = Felt::from(10 * i);
        tree.insert(key, key.square()).expect("new");
    }
    let root = tree.root();
    (tree, root)
}

fn felts<const N: usize>(xs: [u64; N]) -> [Felt; N] {
    xs.map(Felt::from)
}

#[test]
fn every_field_of_a_proof_of_inclusion_counts() {
    let (mut tree, root) = example();
    let [key, value, one, other] = felts([50, 2500, 1, 20]);
    let good = tree.prove(key).expect("present");
    assert_eq!(good.verify(root, key, value), Ok(()));
    let tampered = |change: &dyn Fn(&mut Inclusion)| {
        let mut proof = good.clone();
        change(&mut proof);
        proof.verify(root, key, value).expect_err("a tampered proof")
    };
    assert_eq!(tampered(&|p| p.leaf.key = other), TreeError::OtherKey { expected: key, found: other });
    assert_eq!(
        tampered(&|p| p.leaf.value += one),
        TreeError::OtherValue { expected: value, found: value + one }
    );
    let wrong_root = |error| matches!(error, TreeError::OtherRoot { expected, .. } if expected == root);
    assert!(wrong_root(tampered(&|p| p.leaf.next_key += one)));
    for bit in 0..TREE_DEPTH {
        assert!(wrong_root(tampered(&|p| p.position ^= 1 << bit)), "bit {bit} of the position");
        assert!(wrong_root(tampered(&|p| p.siblings[bit] += one)), "sibling {bit}");
    }
    assert_eq!(tampered(&|p| p.siblings.truncate(31)), TreeError::PathLength { found: 31 });
    assert_eq!(tampered(&|p| p.siblings.push(one)), TreeError::PathLength { found: 33 });

    assert_eq!(good.verify(root, other, value), Err(TreeError::OtherKey { expected: other, found: key }));
    assert_eq!(good.verify(root, key, one), Err(TreeError::OtherValue { expected: one, found: value }));
    assert_eq!(good.verify(one, key, value), Err(TreeError::OtherRoot { expected: one, found: root }));
    assert_eq!(good.verify(root, Felt::ZERO, value), Err(TreeError::ReservedKey));
}

#[test]
fn every_field_of_a_proof_of_absence_counts() {
    let (mut tree, root) = example();
    let [key, low, next, one] = felts([55, 50, 60, 1]);
    let good = tree.prove_absence(key).expect("absent");
    assert_eq!(good.verify(root, key), Ok(()));
    let tampered = |change: &dyn Fn(&mut Absence)| {
        let mut proof = good.clone();
        change(&mut proof);
        proof.verify(root, key).expect_err("a tampered proof")
    };
    let wrong_root = |error| matches!(error, TreeError::OtherRoot { expected, .. } if expected == root);
    assert_eq!(tampered(&|p| p.low.key = key), TreeError::NotBelow { key, low: key });
    assert_eq!(tampered(&|p| p.low.next_key = key), TreeError::NotBeyond { key, next: key });
    assert!(wrong_root(tampered(&|p| p.low.key -= one)));
    assert!(wrong_root(tampered(&|p| p.low.next_key += one)));
    assert!(wrong_root(tampered(&|p| p.low.next_key = Felt::ZERO)), "no next key");
    assert!(wrong_root(tampered(&|p| p.low.value += one)));
    for bit in 0..TREE_DEPTH {
        assert!(wrong_root(tampered(&|p| p.position ^= 1 << bit)), "bit {bit} of the position");
        assert!(wrong_root(tampered(&|p| p.siblings[bit] += one)), "sibling {bit}");
    }
    assert_eq!(tampered(&|p| p.siblings.truncate(31)), TreeError::PathLength { found: 31 });

    let [present, below, beyond] = felts([60, 45, 65]);
    assert_eq!(good.verify(root, present), Err(TreeError::NotBeyond { key: present, next }));
    assert_eq!(good.verify(root, below), Err(TreeError::NotBelow { key: below, low }));
    assert_eq!(good.verify(root, beyond), Err(TreeError::NotBeyond { key: beyond, next }));
    assert_eq!(good.verify(root, Felt::ZERO), Err(TreeError::ReservedKey));
}

#[test]
fn an_inner_node_does_not_pass_for_a_leaf() {
    let (mut tree, root) = example();
    let proof = tree.prove(Felt::from(50u64)).expect("present");
    let short = Inclusion { siblings: proof.siblings[1..].to_vec(), position: proof.position >> 1, ..proof };
    let refused = short.verify(root, Felt::from(50u64), Felt::from(2500u64));
    assert_eq!(refused, Err(TreeError::PathLength { found: 31 }));
}

#[test]
fn proofs_have_one_encoding() {
    let (mut tree, _) = example();
    let present = tree.prove(Felt::from(50u64)).expect("present");
    let absent = tree.prove_absence(-Felt::ONE).expect("absent");
    assert_eq!(Inclusion::from_bytes(&present.to_bytes()), Ok(present.clone()));
    assert_eq!(Absence::from_bytes(&absent.to_bytes()), Ok(absent.clone()));
    let text = serde_json::to_string(&present).expect("JSON");
    assert_eq!(serde_json::from_str::<Inclusion>(&text).expect("JSON"), present);
    let text = serde_json::to_string(&absent).expect("JSON");
    assert_eq!(serde_json::from_str::<Absence>(&text).expect("JSON"), absent);

    let short = Inclusion { siblings: present.siblings[1..].to_vec(), ..present.clone() };
    let invalid = CodecError::Invalid { what: "path through the state" };
    assert_eq!(Inclusion::from_bytes(&short.to_bytes()), Err(invalid));
    let mut bytes = present.to_bytes();
    bytes[..32].fill(0xff);
    assert_eq!(Inclusion::from_bytes(&bytes), Err(CodecError::Invalid { what: "field element" }));
}

/// A whole block's worth of keys at once, which takes the parallel way, gives the root of one by one.
#[test]
fn batches_and_single_steps_agree() {
    let all: BTreeMap<u64, Felt> = (1..=600u64).map(|i| (i * 7919 % 601, Felt::from(i))).collect();
    let (mut batch, mut single) = (IndexedTree::new(), IndexedTree::new());
    for (key, value) in &all {
        batch.insert(Felt::from(*key), *value).expect("new");
        single.insert(Felt::from(*key), *value).expect("new");
        single.root();
    }
    assert_eq!(batch.root(), single.root());
}
