//! What a party's store promises, tried from outside: its files, its tree and its copies are changed by hand.

#![cfg(unix)]

mod copies;
mod damage;
mod growth;
mod kept;
mod migration;

use engine::{
    Phase,
    party::{
        Carried,
        voting::{Record, Turn, Vote},
    },
    store::{Change, Limits, Owner, Recovered, Store, StoreError},
};
use primitives::{ChainId, Decode, Digest, Encode, EpochId, PartyId, ShardIndex};
use std::path::Path;

/// Small files of bundles, so that there are many.
const SMALL: Limits = Limits { bundle_file_bytes: 4096, compact_above: 16 << 20 };

fn owner() -> Owner {
    Owner { chain: ChainId(7), genesis: Digest([1; 32]) }
}

fn open(dir: &Path) -> (Store, Recovered) {
    try_open(dir).expect("the store opens")
}

fn try_open(dir: &Path) -> Result<(Store, Recovered), StoreError> {
    Store::open_with(dir, owner(), SMALL)
}

fn digest(n: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    Digest(bytes)
}

/// A vote of shard 2 at a position, with so many marks.
fn vote(position: u64, marks: u64) -> Record {
    let vote = Some(Vote { turn: Turn { position, view: 0 }, digest: digest(position) });
    let pledged = (0..marks).map(digest).collect();
    Record { shard: ShardIndex(2), position, term: 0, vote, frozen: None, pledged }
}

/// What the party carries over: nothing of so many works, all of one name.
fn carried(name: u8, works: u32) -> Carried {
    let none = Carried::none(PartyId::ALL[1]).to_bytes();
    let names = vec![[name; 32]; works as usize].concat();
    Carried::from_bytes(&[&works.to_le_bytes(), names.as_slice(), &none[4..]].concat())
        .expect("the same form")
}

/// A record of each kind, of one epoch.
fn whole(epoch: u64) -> Vec<Change> {
    let epoch = EpochId(epoch);
    vec![
        Change::Beacon(epoch, digest(9)),
        Change::Vote(epoch, vote(3, 5)),
        Change::Keep(ShardIndex(2), vec![carried(1, 1), carried(2, 2)]),
        Change::Attempt(epoch, 1),
        Change::Phase(epoch, Phase::Open),
    ]
}

/// Bundles with these numbers: each has its own length and bytes.
fn bundles(numbers: std::ops::Range<u64>) -> Vec<(Digest, Vec<u8>)> {
    let bundle = |n: u64| (0..500 + n * 53 % 700).map(|at| (at * (n + 1)).to_le_bytes()[0]).collect();
    numbers.map(|n| (digest(n), bundle(n))).collect()
}

/// All bundles of an epoch, none of them damaged.
fn read(store: &Store, epoch: u64) -> Vec<(Digest, Vec<u8>)> {
    store.bundles(EpochId(epoch)).collect::<Result<_, _>>().expect("no bundle is damaged")
}
