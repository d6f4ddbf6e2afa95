//! Three parties as processes of their own: an epoch over real sockets, and what a killed process leaves as it was.

#[path = "common/hosts.rs"]
mod committee;
mod common;

use committee::{LONG, Run, assert_counted};
use common::{cwe, error, path, stdout};
use engine::{
    client::{Answer, Parties},
    host::Seat,
};
use primitives::{Decode, PartyId};
use proofs::bundle::Bundle;
use serde_json::Value;
use sim::{
    hosts::{Condition, Hosts, Sites},
    progress::Silent,
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long a process may take to get somewhere.
const PATIENCE: Duration = Duration::from_secs(180);

/// A run on this machine's loopback.
fn start(dir: &Path, window: u64, patience: u32, cables: bool) -> Hosts {
    committee::start(dir, Run { window, patience, cables, sites: Sites::default() })
}

/// Waits until a process has said something as often as this.
fn wait_for(hosts: &mut Hosts, seat: Seat, words: &str, times: usize) {
    let (log, begun) = (hosts.host(seat).log(), Instant::now());
    while fs::read_to_string(&log).unwrap_or_default().matches(words).count() < times {
        assert!(begun.elapsed() < PATIENCE, "{seat} never says {words:?}: {}", text(&log));
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn text(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_default()
}

/// What a host says of itself.
fn status(dir: &Path, host: &str) -> Value {
    let config = dir.join(host).join("party.toml");
    serde_json::from_str(stdout(&cwe(&["party", "status", "--config", path(&config), "-o", "json"])))
        .expect("JSON")
}

fn restart(hosts: &mut Hosts, seat: Seat) {
    hosts.host(seat).kill();
    hosts.host(seat).run().expect("it starts again");
}

const ONE: Seat = Seat::Party(PartyId::ALL[0]);
const TWO: Seat = Seat::Party(PartyId::ALL[1]);
const THREE: Seat = Seat::Party(PartyId::ALL[2]);

#[test]
fn an_epoch_is_settled_across_processes() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 25, LONG, false);
    let opened = hosts.opened(&Silent).expect("it opens");
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    let settled = hosts.settle(&Silent).expect("it settles");
    assert_counted(&settled);
}

/// While the books of the first epoch are open, the next one takes bundles in, freezes and opens its totals. A party is killed
/// in between, and comes back to both. What the first carried over is published with the second.
#[test]
fn the_next_epoch_is_under_way_while_the_last_is_closed() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 25, LONG, false);
    let opened = hosts.opened(&Silent).expect("it opens");
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    let first = hosts.handed_in().next().expect("a bundle").to_vec();
    hosts.leave_unreported(true);
    hosts.turn(&Silent).expect("it goes on to the next");
    let opened = hosts.opened(&Silent).expect("it opens beside the one before");
    wait_for(&mut hosts, ONE, "epoch 2: collect", 1);
    restart(&mut hosts, TWO);
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    // Of a bundle of the first epoch the receipt is as it was.
    let id = Bundle::from_bytes(&first).expect("a bundle").id();
    let http = hosts.http();
    let again = PartyId::ALL.map(|party| http.submit(party, &id, &first).expect("an answer"));
    assert!(again.iter().all(|answer| matches!(answer, Answer::Promised(_))), "{again:?}");
    wait_for(&mut hosts, THREE, "epoch 2: settle", 1);
    let text = text(&hosts.host(THREE).log());
    assert!(text.contains("epoch 1: settle") && !text.contains("epoch 1: done"), "{text}");
    let status = status(dir.path(), "party-1");
    assert_eq!((&status["epoch"], &status["closing"]), (&2.into(), &1.into()), "{status}");
    assert_eq!(
        (&status["closing_phase"], &status["seat"]),
        (&"settle".into(), &"party 1".into()),
        "{status}"
    );
    hosts.leave_unreported(false);
    assert_counted(&hosts.settled_before(&Silent).expect("the first settles"));
    assert_counted(&hosts.settle(&Silent).expect("the second settles"));
}

/// Each party is killed once, without warning, in another phase, and the sequencer too. The totals are as without it.
#[test]
fn whoever_is_killed_goes_on_where_the_epoch_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 45, LONG, false);
    let opened = hosts.opened(&Silent).expect("it opens");
    restart(&mut hosts, ONE);
    hosts.node().kill();
    hosts.node().run().expect("it starts again");
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    restart(&mut hosts, TWO);
    wait_for(&mut hosts, THREE, ": close", 1);
    restart(&mut hosts, THREE);
    wait_for(&mut hosts, ONE, ": open", 1);
    restart(&mut hosts, ONE);
    hosts.node().kill();
    hosts.node().run().expect("it starts again");
    let settled = hosts.settle(&Silent).expect("it settles");
    assert_counted(&settled);
}

/// A party is gone for good while bundles are collected: the others freeze the epoch, and the standby opens the totals in
/// its seat. Another party and the standby are killed meanwhile, and come back.
#[test]
fn a_party_that_is_gone_for_good_is_replaced() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 25, 40, false);
    let opened = hosts.opened(&Silent).expect("it opens");
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    hosts.host(TWO).kill();
    wait_for(&mut hosts, ONE, "the standby has taken a seat", 1);
    restart(&mut hosts, ONE);
    restart(&mut hosts, Seat::Standby);
    let settled = hosts.settle(&Silent).expect("it settles");
    assert_counted(&settled);
    let replaced = settled.record.replacement.as_ref().map(|seat| Seat::Party(seat.party));
    assert_eq!(replaced, Some(TWO));
}

/// A party is gone for good when the next epoch is about to open beside the one that is closed. The standby takes the seat, and
/// the beacon of the next epoch begins anew with it.
#[test]
fn a_party_that_is_replaced_is_replaced_in_the_epoch_that_comes() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 25, 40, false);
    let opened = hosts.opened(&Silent).expect("it opens");
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    hosts.host(TWO).kill();
    hosts.turn(&Silent).expect("it goes on to the next");
    let opened = hosts.opened_by(&[ONE, THREE], &Silent).expect("it opens");
    hosts.hand_in(&opened, &Silent).expect("two take all in");
    let first = hosts.settled_before(&Silent).expect("the first settles");
    assert_counted(&first);
    let replaced = first.record.replacement.as_ref().map(|seat| Seat::Party(seat.party));
    assert_eq!(replaced, Some(TWO));
    // Of a link to the seat that it has now nothing is told.
    let status = status(dir.path(), "standby");
    let peers: Vec<_> = status["links"].as_array().expect("links").iter().map(|link| &link["peer"]).collect();
    assert_eq!((&status["seat"], peers), (&"party 2".into(), vec![&"1".into(), &"3".into()]), "{status}");
    assert_counted(&hosts.settle(&Silent).expect("the second settles"));
}

/// A party whose links are cut contributes to the next beacon all the same, over the chain. So the next epoch has it when it
/// loses its seat in the one that is closed: it leaves both, and whoever stood by has its seat in both.
#[test]
fn a_party_that_loses_its_seat_leaves_the_epoch_that_has_opened_since() {
    let dir = tempfile::tempdir().expect("a folder");
    // Patience for longer than it takes the next epoch to open, on a machine that is busy.
    let mut hosts = start(dir.path(), 25, 100, true);
    let opened = hosts.opened(&Silent).expect("it opens");
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    for other in [ONE, THREE] {
        hosts.cable(TWO, other).expect("there is one").set(Condition::Cut);
    }
    hosts.turn(&Silent).expect("it goes on to the next");
    let opened = hosts.opened_by(&[ONE, THREE], &Silent).expect("it opens");
    wait_for(&mut hosts, TWO, "epoch 2: collect", 1);
    wait_for(&mut hosts, TWO, "waits for a committee with new keys of this host", 1);
    hosts.hand_in(&opened, &Silent).expect("two take all in");
    let first = hosts.settled_before(&Silent).expect("the first settles");
    assert_counted(&first);
    let unwell = status(dir.path(), "party-2");
    assert_eq!((&unwell["healthy"], &unwell["seat"]), (&false.into(), &Value::Null), "{unwell}");
    let second = hosts.settle(&Silent).expect("the second settles");
    assert_counted(&second);
    let replaced =
        [&first, &second].map(|of| of.record.replacement.as_ref().map(|seat| Seat::Party(seat.party)));
    assert_eq!(replaced, [Some(TWO); 2]);
}

/// A link is cut for ten seconds, another carries everything late, a third damages what it carries, and a party stands still
/// for a while: all hold their patience, and the totals are as without it.
#[test]
fn links_that_are_cut_slow_or_noisy_and_a_slow_party_lose_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 30, LONG, true);
    let opened = hosts.opened(&Silent).expect("it opens");
    let set = |hosts: &Hosts, one, other, condition| {
        hosts.cable(one, other).expect("there is one").set(condition);
    };
    set(&hosts, TWO, THREE, Condition::Slow(Duration::from_millis(100)));
    set(&hosts, ONE, THREE, Condition::Noisy(50));
    set(&hosts, ONE, TWO, Condition::Cut);
    let cut = Instant::now();
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    std::thread::sleep(Duration::from_secs(10).saturating_sub(cut.elapsed()));
    set(&hosts, ONE, TWO, Condition::Sound);
    wait_for(&mut hosts, ONE, ": open", 1);
    // Once more, in the middle of what the parties compute together.
    set(&hosts, TWO, THREE, Condition::Cut);
    hosts.host(ONE).stand_still(true).expect("it stands still");
    std::thread::sleep(Duration::from_secs(3));
    set(&hosts, TWO, THREE, Condition::Sound);
    hosts.host(ONE).stand_still(false).expect("it goes on");
    let settled = hosts.settle(&Silent).expect("it settles");
    assert_counted(&settled);
}

/// `cwe demo --processes`: issuers and clients are processes too, each with a folder and a log. What is on record is what the
/// logs of plays say, and each client has seen its bundles in a batch.
#[test]
fn the_demo_across_processes_has_issuers_and_clients() {
    let dir = tempfile::tempdir().expect("a folder");
    let run = dir.path().join("run");
    let small = ["--subscribers", "5", "--works", "12", "--k-anonymity", "1", "--seed", "5"];
    let asked = [&["demo", "--processes", "-q", "-o", "json", "--out", path(&run)], &small[..]].concat();
    let output = cwe(&asked);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told: Value = serde_json::from_str(stdout(&output)).expect("JSON");
    assert_eq!(told["as_counted_in_the_open"], true, "{told}");
    assert_eq!(told["inclusion_checked"], told["bundles"], "{told}");

    for (issuer, signs) in [("token-issuer", "tokens"), ("receipt-issuer", "receipts")] {
        let log = text(&run.join(issuer).join("log.txt"));
        assert!(log.contains(&format!("signs {signs} at http://")) && log.contains("stopped"), "{log}");
        assert!(run.join(issuer).join("data/chain/blocks.log").is_file(), "{issuer} follows the chain");
    }
    let clients: Vec<PathBuf> = fs::read_dir(run.join("clients"))
        .expect("a folder")
        .map(|entry| entry.expect("a client").path())
        .collect();
    assert_eq!(told["clients"], clients.len(), "{told}");
    let read = |path: PathBuf| serde_json::from_str::<Value>(&text(&path)).expect("JSON");
    let mut plays = 0;
    for client in &clients {
        let (submitted, status) = (read(client.join("submitted.json")), read(client.join("status.json")));
        let lines = text(&client.join("plays.csv")).lines().count() - 1;
        assert_eq!(submitted["summary"]["events"], lines, "{submitted}");
        assert_eq!(submitted["bundles"].as_array().map(Vec::len), status["bundles"].as_array().map(Vec::len));
        assert!(text(&client.join("log.txt")).contains("tokens from their issuer: 1"), "{client:?}");
        plays += lines;
    }
    let record = read(run.join("epoch.json"));
    let views: u64 =
        record["works"].as_array().expect("works").iter().filter_map(|work| work["views"].as_u64()).sum();
    assert_eq!(views, plays as u64, "with one listener enough, every play is on record");

    let again = cwe(&asked);
    assert_eq!(again.status.code(), Some(2), "a folder with something in it is left alone");
    assert!(error(&again).contains(path(&run)), "{again:?}");
}
