//! Three parties as processes of their own: an epoch over real sockets, and what a killed process leaves as it was.

use primitives::{PartyId, Preset};
use sim::{
    demo,
    hosts::{Hosts, Options, Settled},
    progress::Silent,
    workload::WorkloadOptions,
};
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// How long a process may take to get somewhere.
const PATIENCE: Duration = Duration::from_secs(180);

/// A run with few subscribers, in a folder of its own, whose window lasts as long as this.
fn start(dir: &std::path::Path, window: u64) -> Hosts {
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
    };
    Hosts::start(hosts, workload, &Silent).expect("it starts")
}

/// Every bundle is counted once, as a plaintext count has it, and the record holds.
fn assert_counted(settled: &Settled) {
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

/// Waits until a process has said something as often as this.
fn wait_for(hosts: &mut Hosts, party: PartyId, words: &str, times: usize) {
    let (log, begun) = (hosts.party(party).log(), Instant::now());
    while fs::read_to_string(&log).unwrap_or_default().matches(words).count() < times {
        assert!(begun.elapsed() < PATIENCE, "party {party} never says {words:?}: {}", text(&log));
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn text(log: &std::path::Path) -> String {
    fs::read_to_string(log).unwrap_or_default()
}

fn restart(hosts: &mut Hosts, party: PartyId) {
    hosts.party(party).kill();
    hosts.party(party).run().expect("it starts again");
}

#[test]
fn an_epoch_is_settled_across_processes() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 25);
    let opened = hosts.opened(&Silent).expect("it opens");
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    let settled = hosts.settle(&Silent).expect("it settles");
    assert_counted(&settled);
}

/// Each party is killed once, without warning, in another phase, and the sequencer too. The totals are as without it.
#[test]
fn whoever_is_killed_goes_on_where_the_epoch_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 45);
    let [one, two, three] = PartyId::ALL;
    let opened = hosts.opened(&Silent).expect("it opens");
    restart(&mut hosts, one);
    hosts.node().kill();
    hosts.node().run().expect("it starts again");
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    restart(&mut hosts, two);
    wait_for(&mut hosts, three, ": close", 1);
    restart(&mut hosts, three);
    wait_for(&mut hosts, one, ": open", 1);
    restart(&mut hosts, one);
    let settled = hosts.settle(&Silent).expect("it settles");
    assert_counted(&settled);
}
