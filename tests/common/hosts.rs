//! Small runs across processes, for tests of what happens between them.

use primitives::Preset;
use sim::{
    demo,
    hosts::{Hosts, Options, Settled, Sites},
    progress::Silent,
    workload::WorkloadOptions,
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// What a run is to be like.
pub(crate) struct Run {
    pub(crate) window: u64,
    /// Ticks of 200 ms.
    pub(crate) patience: u32,
    pub(crate) cables: bool,
    pub(crate) sites: Sites,
}

/// A party that is started again is back before this many ticks are over.
pub(crate) const LONG: u32 = 600;

/// A run with few subscribers, in a folder of its own.
pub(crate) fn start(dir: &Path, Run { window, patience, cables, sites }: Run) -> Hosts {
    let workload = WorkloadOptions { seed: 5, subscribers: 6, works: 16, plays_scale: None, usage: None };
    let options = demo::Options { workload, ..demo::Options::default() };
    let workload = demo::prepare(&options).expect("a workload");
    let hosts = Options {
        program: PathBuf::from(env!("CARGO_BIN_EXE_cwe")),
        dir: dir.to_owned(),
        params: Preset::Spec.params(),
        shard_width: demo::DEFAULT_SHARD_WIDTH,
        window: Duration::from_secs(window),
        batch: 4,
        tick: Duration::from_millis(200),
        patience,
        sites,
        cables,
    };
    Hosts::start(hosts, workload, &Silent).expect("it starts")
}

/// Every bundle is counted once, as a plaintext count has it, and the record holds.
pub(crate) fn assert_counted(settled: &Settled) {
    assert_eq!(settled.comparison.mismatches, [], "{:?}", settled.comparison);
    let listed: usize = settled
        .record
        .shards
        .iter()
        .flat_map(|shard| &shard.headers)
        .map(|header| header.count as usize)
        .sum();
    assert_eq!(listed, settled.bundles, "every bundle is in one batch");
}
