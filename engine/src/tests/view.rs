//! What one party sees of a whole epoch does not say who listened to what: a statistical test.
//!
//! In each shard of an epoch two subscribers listen. There are two worlds, and in one they have changed places, so that the
//! totals are the same: of four works two are published and two stay closed. Nothing is made up: devices, parties with all
//! their rounds, coordinator, settlement and chain are those of any epoch. Each shard is a run, and no two of a world have
//! a subscriber, a seed or a letter in common. For each party `seen.rs` keeps of it
//!
//! - the two bundles as they were handed in, and by whom: a party may know from elsewhere whose bundle it has,
//! - the two seeds that the party opens of each, and what they leave of the vector that the bundle shows,
//! - every letter that the party gets from another,
//! - every message of coordinator and settlement, and all that they are told, of which the chain's record is made,
//! - the order of all this, and of the two subscribers in it.
//!
//! What its own actors tell each other, and what it says itself, follow from this and from its own randomness. What comes
//! before the epoch is open comes before anybody listens, and so do keys, tokens and receipts of subscribers, which are the
//! same in both worlds.
//!
//! **Statistics.** For each bit of all this, some 8 million for the three parties, it is counted how often it is one in **n** =
//! 96 runs of each world, in two epochs.
//!
//! **False alarms.** If nothing depends on the world, the two counts of a bit are more than [`BOUND`] deviations apart with
//! a chance below 3.6 * 10^-11, whatever the chance of the bit: this is the largest tail of the hypergeometric
//! distributions. So any are with one below 3 * 10^-4. Seeds are fixed: the verdict is always the same.
//!
//! **Power.** A bit that is one in half the runs of one world, and in all or none of the other, is found with a chance
//! above 0.99; one that is in 19 of 20 of the other with a chance of 0.7. Two leaks are planted in what devices send: seeds
//! that are not drawn anew, and an order that depends on the works. They are found, by exactly the parties that can see
//! them, in 48 runs of each world. There a bit of the first kind is found with a chance of 1 in 18, and a number of 32
//! bytes that is random in one world and fixed in the other is missed with one below 10^-6.
//!
//! **Not found** is what depends on several bits together and on no single one, but for what `seen.rs` computes of the
//! bundles; a bias of less than the above; what shows over several bundles, such as masks that are used twice; and times.

mod devices;
mod seen;

use super::{
    mesh::Mesh,
    world::{EPOCH, world_with},
};
use devices::{Devices, EPOCHS, SHARDS, Subscriber, listening};
use mpc::views::Ones;
use primitives::PartyId;
use proofs::{epoch::EpochContext, tally::header::leader};
use seen::{ARRIVAL, PROPOSED, Seen, View, unmasked};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// Standard deviations that the counts of a bit may be apart.
const BOUND: f64 = 6.6;
/// Most bits of all three views of a shard: the chance of a false alarm rests on it.
const MOST_BITS: usize = 8_300_000;

/// A part of what a party sees.
type Part = (PartyId, String);

/// Where the randomness of an epoch in one of the two worlds comes from.
fn seed(number: usize, swapped: bool) -> u64 {
    100 + 2 * number as u64 + u64::from(swapped)
}

/// What the parties see of each shard of an epoch.
fn views(devices: Devices, number: usize, swapped: bool) -> Vec<(PartyId, View)> {
    let mut world = world_with(4 * SHARDS as u16, 4, 2);
    world.config.plan.sales[0].1 = 2 * SHARDS as u64;
    let (mut mesh, opened) = Mesh::opened_with(world, seed(number, swapped));
    let subscriber = |shard, who| Subscriber { pair: SHARDS * number + shard, who };
    let places = (0..SHARDS).flat_map(|shard| [0, 1].map(|who| (subscriber(shard, who).key(), who)));
    let seen = Rc::new(RefCell::new(Seen::new(opened.clone(), places.collect())));
    let ears = seen.clone();
    mesh.overhear = Box::new(move |from, to, message| ears.borrow_mut().hear(from, to, message));

    let mut listened = listening();
    if swapped {
        listened.reverse();
    }
    let bundle = |shard: usize, context: &EpochContext, who: usize| {
        let seed = seed(number, swapped) << 32 | (2 * shard + who) as u64;
        devices.bundle(context, subscriber(shard, who), &listened[who], seed)
    };
    let order = devices.order(&listened);
    let shards = opened.shards.iter().enumerate();
    let bundles: Vec<_> =
        shards.flat_map(|(shard, context)| order.map(|who| bundle(shard, context, who))).collect();
    mesh.submit_all(&bundles);
    mesh.close();
    mesh.assert_done();
    let record = mesh.node.lock().unwrap().record(EPOCH).unwrap();
    let published = record.works.iter().filter(|work| work.listeners == 2).count();
    assert_eq!(published, 2 * SHARDS, "half the works are published");
    drop(mesh);
    Rc::into_inner(seen).expect("the mesh is gone").into_inner().views()
}

/// How often each bit is one of what the parties see in some epochs of one of the two worlds.
fn ones(devices: Devices, epochs: usize, swapped: bool) -> BTreeMap<Part, Ones> {
    let mut ones = BTreeMap::<Part, Ones>::new();
    for number in 0..epochs {
        let mut runs = BTreeMap::<Part, Vec<Vec<u8>>>::new();
        for (party, view) in views(devices, number, swapped) {
            view.into_iter().for_each(|(part, bytes)| runs.entry((party, part)).or_default().push(bytes));
        }
        // One part after the other: counts of all of them are far more than a cache holds.
        for (part, runs) in runs {
            let ones = ones.entry(part).or_default();
            runs.iter().for_each(|bytes| ones.add(bytes));
        }
    }
    ones
}

/// The parts that tell the two worlds apart, with the bits by which they do and how often each is one.
fn told_apart(devices: Devices, epochs: usize) -> BTreeMap<Part, Vec<(usize, [u16; 2])>> {
    let (one, other) = rayon::join(|| ones(devices, epochs, false), || ones(devices, epochs, true));
    assert!(one.keys().eq(other.keys()), "there are the same messages in either world");
    assert!(one.values().all(|ones| usize::from(ones.runs()) == SHARDS * epochs), "and in every shard");
    assert!(one.values().map(Ones::bits).sum::<usize>() < MOST_BITS);
    let apart = |(part, ones): (Part, Ones)| {
        let apart = ones.apart(&other[&part], BOUND);
        (part, apart)
    };
    one.into_iter().map(apart).filter(|(_, apart)| !apart.is_empty()).collect()
}

#[test]
fn no_party_sees_who_listened_to_what() {
    let found = told_apart(Devices::Honest, EPOCHS);
    assert!(found.is_empty(), "seeds from {} on: {found:?}", seed(0, false));
}

#[test]
fn devices_that_give_something_away_are_found_by_whoever_sees_it() {
    let found = told_apart(Devices::Leaking, 1);
    // Each party lacks one share. Of one of the two subscribers the seed of that share is always the same.
    let stale = |party: PartyId| (0..2).filter(move |who| Devices::Leaking.is_stale(*who, party.previous()));
    let masks =
        PartyId::ALL.into_iter().flat_map(|party| stale(party).map(move |who| (party, unmasked(who))));
    let arrivals = PartyId::ALL.map(|party| (party, ARRIVAL.to_owned()));
    let followers = PartyId::ALL.into_iter().filter(|party| *party != leader(0));
    let proposals = followers.map(|party| (party, PROPOSED.to_owned()));
    let expected: BTreeSet<Part> = masks.chain(arrivals).chain(proposals).collect();
    assert!(found.keys().eq(&expected), "seeds from {} on: {found:?}", seed(0, false));
}
