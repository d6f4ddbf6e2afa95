//! How fast a party's store is on this machine: bundles by the size of a group, and transitions.
//!
//! `cargo run --release -p engine --example store_speed [FOLDER]`. The folder decides which disk is measured; it is made,
//! and removed at the end.

use engine::{
    Phase,
    store::{Change, Owner, Store},
};
use primitives::{ChainId, Digest, EpochId, hash};
use std::{path::PathBuf, time::Instant};

/// Bytes of a bundle of 32 events over the widest shard.
const BUNDLE_BYTES: usize = 34 * 1024;
/// Bundles of each measurement.
const BUNDLES: u64 = 2048;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("store-speed"), PathBuf::from);
    let owner = Owner { chain: ChainId(1), genesis: Digest::default() };
    let (store, _) = Store::open(&dir, owner)?;
    let bytes = vec![0x5a; BUNDLE_BYTES];
    let id = |n: u64| hash::hash(hash::Domain::Simulation, &[&n.to_le_bytes()]);
    for (epoch, group) in (1..).zip([1, 8, 32, 128, 512]) {
        let (began, epoch) = (Instant::now(), EpochId(epoch));
        for first in (0..BUNDLES).step_by(group) {
            let bundles: Vec<_> = (first..first + group as u64).map(|n| (id(n), &bytes)).collect();
            store.keep_bundles(epoch, &bundles)?;
        }
        let took = began.elapsed().as_secs_f64();
        let (rate, each) = (BUNDLES as f64 / took, took * 1e3 * group as f64 / BUNDLES as f64);
        println!("groups of {group:3}: {rate:7.0} bundles a second, {each:6.2} ms a group");
    }
    let began = Instant::now();
    for n in 0..200 {
        store.write(&[Change::Attempt(EpochId(1), n), Change::Phase(EpochId(1), Phase::Open)])?;
    }
    println!("transitions: {:.2} ms each", began.elapsed().as_secs_f64() * 5.0);
    let size = store.size()?;
    drop(store);
    let began = Instant::now();
    let (store, _) = Store::open(&dir, owner)?;
    println!("opening and checking {} MB: {:.2} s", size.total() >> 20, began.elapsed().as_secs_f64());
    drop(store);
    Ok(std::fs::remove_dir_all(dir)?)
}
