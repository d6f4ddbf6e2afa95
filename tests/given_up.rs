//! An epoch that cannot finish, across processes: it is said to be overdue, given up by a command, and the next one opens.

mod common;
#[path = "common/pilot.rs"]
mod pilot;

use common::{cwe, error, path};
use pilot::{Process, done, json, port};
use primitives::EpochId;
use std::{fs, path::Path};

/// Puts a work on record, without which no epoch opens.
fn register(pilot: &Path, url: &str) {
    let (song, key) = (pilot.join("song.flac"), pilot.join("creator/creator.key"));
    fs::write(&song, "a song").expect("written");
    let register = ["--key", path(&key), "--category", "3", "--media", "audio", "--url", url];
    done(&[&["work", "register", path(&song)], &register[..]].concat());
}

/// Two parties lose their disks while the epoch is open: nobody can open its totals any more, and nothing on the chain says
/// so. Whoever holds the steward's office gives it up, once beside a steward that runs and once without one.
#[test]
fn an_epoch_that_cannot_finish_is_given_up_and_the_next_one_opens() {
    let dir = tempfile::tempdir().expect("a folder");
    let pilot = &dir.path().join("pilot");
    let port = port().to_string();
    let short = ["--window-seconds", "8", "--epochs", "2", "--k-anonymity", "1"];
    let made = json(&done(
        &[&["init", "committee", path(pilot), "--port", &port, "-o", "json"], &short[..]].concat(),
    ));
    let config = pilot.join("steward/steward.toml");
    let settings = fs::read_to_string(&config).expect("written");
    let hasty = settings.replace("seat_patience_seconds = 60", "seat_patience_seconds = 3");
    assert_ne!(settings, hasty);
    fs::write(&config, hasty).expect("written");

    let mut node = Process::start(pilot, "node", &["node", "run", "--config", "node.toml"]);
    node.wait_for("listening on");
    register(pilot, made["node"].as_str().expect("an address"));
    let issue = ["issuer", "run", "--config", "issuer.toml", "-q"];
    let mut issuers = ["token-issuer", "receipt-issuer"].map(|name| Process::start(pilot, name, &issue));
    let serve = ["party", "run", "--config", "party.toml"];
    let mut parties = ["party-1", "party-2", "party-3"].map(|name| Process::start(pilot, name, &serve));
    parties.iter_mut().for_each(|party| party.wait_for("API at http://"));
    issuers.iter_mut().for_each(|issuer| issuer.wait_for("at http://"));
    let run = ["steward", "run", "--config", "steward.toml"];
    let mut steward = Process::start(pilot, "steward", &run);
    steward.wait_for("epoch 1 is open\n");

    let abandon = |epoch: &str, more: &[&str]| {
        let asked = ["steward", "abandon", "--config", path(&config), "--epoch", epoch, "-o", "json"];
        cwe(&[&asked, more].concat())
    };
    let refused = |epoch: &str, why: &str| {
        let output = abandon(epoch, &[]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(error(&output).contains(why), "{output:?}");
    };
    refused("2", "epoch 2 has not opened");
    let judged = json(&abandon("1", &["--dry-run"]));
    assert_eq!(judged["dry_run"], true, "{judged}");

    parties[0].wait_for("epoch 1: collect");
    let [first, second, third] = parties;
    for (name, party) in [("party-2", second), ("party-3", third)] {
        drop(party);
        fs::remove_dir_all(pilot.join(name).join("data/store")).expect("it had one");
    }
    let mut parties =
        [first, Process::start(pilot, "party-2", &serve), Process::start(pilot, "party-3", &serve)];
    steward.wait_for("epoch 1 is overdue");
    steward.wait_for("`cwe steward abandon --config steward.toml --epoch 1` gives it up");

    let why = pilot.join("why.md");
    fs::write(&why, "two parties lost their disks").expect("written");
    let given = abandon("1", &["--text", path(&why)]);
    assert_eq!(given.status.code(), Some(0), "{given:?}");
    let given = json(&given);
    assert_eq!((&given["epoch"], &given["status"]), (&EpochId(1).0.into(), &"in-block".into()), "{given}");
    assert!(given["reason"].is_string() && given["signer"].is_string(), "{given}");
    steward.wait_for("epoch 1 was given up\n");
    steward.wait_for("epoch 2 is open\n");
    parties.iter_mut().for_each(|party| party.wait_for("epoch 2: collect"));
    refused("1", "epoch 1 was abandoned");

    steward.end();
    let given = abandon("2", &[]);
    assert_eq!(given.status.code(), Some(0), "{given:?}");
    assert_ne!(json(&given)["reason"], "", "a reason is on record all the same");
    let mut steward = Process::start(pilot, "steward", &run);
    steward.wait_for("has no key for epoch 3");
}
