//! The rollup on L1: the same tests on the embedded EVM and on anvil.

mod attester;
mod crash;
mod places;
mod sender;
mod way;

use crate::{layer1, world::*};
use chain::{
    Block, Genesis, Ledger,
    bridge::{
        Anchor, Attestation, Attested, Attester, B256, Batch, Policy, Port, PrivateKeySigner, Sender,
        attester::domain, batch::root_on_layer1, batches,
    },
};
use places::{Place, key};
use primitives::{Credits, PartyId};
use std::path::Path;

/// More micro-credits than any epoch here owes.
const CAP: Credits = Credits(1_000_000_000_000);

/// Keys of the committee's members on L1.
fn members() -> [PrivateKeySigner; 3] {
    [key(0xa1), key(0xa2), key(0xa3)]
}

fn genesis_ledger(world: &World) -> Ledger {
    let origin: &Genesis = world.ledger.origin();
    Ledger::genesis(origin.clone()).expect("a valid genesis")
}

fn genesis_root(world: &World) -> B256 {
    root_on_layer1(&genesis_ledger(world).state_root())
}

/// Every block of a world as batches.
fn all_batches(world: &World) -> Vec<Batch> {
    let mut all: Vec<Batch> = Vec::new();
    for block in &world.blocks {
        let root = all.last().map_or_else(|| genesis_root(world), |batch| batch.new_root);
        all.extend(batches(all.len() as u64 + 1, root, block));
    }
    all
}

fn sender(place: &dyn Place, key: PrivateKeySigner, dir: &Path) -> Sender<Box<dyn Port>> {
    let journal = dir.join(format!("{}.journal", key.address()));
    Sender::open(place.connect(), key, journal, Policy::default()).expect("an account")
}

/// The contracts of a world's chain.
fn deployed(world: &World, place: &dyn Place, dir: &Path) -> Anchor<Box<dyn Port>> {
    let committee = members().map(|member| member.address());
    let sender = sender(place, places::rich(), dir);
    Anchor::deploy(sender, genesis_root(world), committee, CAP).expect("deployed").0
}

/// The committee, at the genesis of a world, with its records in a folder.
fn attesters<P: Port>(world: &World, anchor: &mut Anchor<P>, dir: &Path) -> [Attester; 3] {
    let domain = domain(anchor.sender().chain_id(), anchor.contracts().rollup);
    let [first, second, third] = members();
    let attester = |party: PartyId, key| {
        let record = dir.join(format!("attested by {party}"));
        Attester::open(party, key, domain.clone(), genesis_ledger(world), record).expect("a record")
    };
    [attester(PartyId::ALL[0], first), attester(PartyId::ALL[1], second), attester(PartyId::ALL[2], third)]
}

/// What two members say of every batch.
fn attested<P: Port>(world: &World, anchor: &mut Anchor<P>) -> Vec<(Batch, Vec<Attestation>)> {
    let dir = tempfile::tempdir().expect("a directory");
    let [_, mut second, mut third] = attesters(world, anchor, dir.path());
    let sign = |block: &Block| {
        let [first, other] =
            [&mut second, &mut third].map(|member| member.attest(block).expect("an honest block"));
        let pairs = first.into_iter().zip(other);
        let pair = |((batch, one), (same, two)): (Attested, Attested)| {
            assert_eq!(batch, same, "both cut alike");
            (batch, vec![one, two])
        };
        pairs.map(pair).collect::<Vec<_>>()
    };
    let all: Vec<_> = world.blocks.iter().flat_map(sign).collect();
    assert!(all.iter().map(|(batch, _)| batch).eq(&all_batches(world)));
    all
}

/// An epoch with two payees on L1.
fn world() -> World {
    layer1::settled()
}
