//! A pilot as its operators run it: `cwe init committee`, a process for each folder, works, two clients, one epoch from its
//! beacon to a payout. One client is killed in the middle.

mod common;
#[path = "common/pilot.rs"]
mod pilot;

use chain::node;
use common::{cwe, error, path, stdout};
use engine::client::{
    LinkError, Signers,
    http::{HttpSigners, operator::HttpOperator},
};
use pilot::{PATIENCE, Process, done, json, port};
use primitives::{EpochId, Tier};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// For how long the epoch takes bundles in.
const WINDOW: &str = "50";
/// A folder for another client: settings and genesis of the example, and codes of its own.
fn another_client(pilot: &Path) {
    let (example, own) = (pilot.join("client-example"), pilot.join("client-2"));
    fs::create_dir(&own).expect("made");
    for name in ["client.toml", "genesis.json"] {
        fs::copy(example.join(name), own.join(name)).expect("copied");
    }
    for (issuer, what, code) in [
        ("token-issuer", ["--tier", "1"], "token.code"),
        // Fewer than it plays.
        ("receipt-issuer", ["--views", "1"], "receipt.code"),
    ] {
        let config = pilot.join(issuer).join("issuer.toml");
        let out = own.join(code);
        done(&["issuer", "code", "--config", path(&config), what[0], what[1], "--out", path(&out)]);
    }
}

/// A log of plays, which began an hour ago, for a client.
fn played(client: &Path, works: &[&str]) -> PathBuf {
    let begun = node::now().0 - 3_600;
    let line = |(work, time): (&&str, u64)| format!("{time},{work},200,200,yes\n");
    let lines: String = works.iter().zip(begun..).map(line).collect();
    let log = client.join("plays.csv");
    fs::write(&log, format!("time,work,seconds_played,length_seconds,backed\n{lines}")).expect("written");
    log
}

/// Hands plays in, again while no epoch is open.
fn submit(client: &Path, log: &Path) -> Value {
    let (config, begun) = (client.join("client.toml"), Instant::now());
    loop {
        let asked = ["client", "submit", "--config", path(&config), "--log", path(log), "-q", "-o", "json"];
        let output = cwe(&asked);
        match output.status.code() {
            Some(0) => return json(&output),
            Some(2) if begun.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(300)),
            _ => panic!("{output:?}"),
        }
    }
}

/// A log that is not handed in as it is: what is said of it.
#[track_caller]
fn turned_away(client: &Path, log: &Path) -> String {
    let config = client.join("client.toml");
    let output =
        cwe(&["client", "submit", "--config", path(&config), "--log", path(log), "-q", "-o", "json"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stderr).expect("JSON");
    format!("{}: {}", said["error"].as_str().expect("a text"), said["advice"].as_str().expect("advice"))
}

/// Hands plays in and is killed as soon as the first bundle is made; the bundle.
fn killed(pilot: &Path, log: &Path) -> Vec<u8> {
    let bundle = pilot.join("client-example/data/epoch-1/bundle-00000");
    let arguments = ["client", "submit", "--config", "client.toml", "--log", path(log), "-q"];
    let begun = Instant::now();
    while !bundle.exists() {
        let mut client = Process::start(pilot, "client-example", &arguments);
        while !bundle.exists() && client.child.try_wait().expect("a child").is_none() {
            thread::sleep(Duration::from_millis(2));
        }
        client.child.kill().expect("killed, or gone");
        client.child.wait().expect("it ends");
        assert!(begun.elapsed() < PATIENCE, "{}", client.text());
    }
    fs::read(&bundle).expect("a bundle")
}

/// Whether a party gives the final receipt of a bundle.
fn has_receipt(party: &Process, bundle: &str) -> bool {
    let operator = HttpOperator::new(&api(party)).expect("an address");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        match operator.ask(&format!("v1/bundles/{bundle}/inclusion")) {
            Ok(answer) if answer.status == 200 => return true,
            _ => thread::sleep(Duration::from_millis(300)),
        }
    }
    false
}

/// Where a party's API is.
fn api(party: &Process) -> String {
    let text = party.text();
    let url = text.split("API at ").nth(1).and_then(|rest| rest.split_whitespace().next());
    url.expect("an address").trim_end_matches(',').to_owned()
}

/// The record of an epoch comes from a party, and holds under a state root of a node.
fn assert_fetched(party: &Process, node: &str, dir: &Path) {
    let (url, file) = (api(party), dir.join("epoch.json"));
    let ask = |epoch| {
        cwe(&["epoch", "fetch", "--url", &url, "--epoch", epoch, "--node", node, "-o", "json", path(dir)])
    };
    let missing = ask("2");
    assert_eq!(missing.status.code(), Some(2), "{missing:?}");
    assert!(error(&missing).contains("no public record of epoch 2") && !file.exists(), "{missing:?}");
    let fetched = ask("1");
    assert_eq!(fetched.status.code(), Some(0), "{fetched:?}");
    let fetched = json(&fetched);
    assert!(fetched["block"].is_u64(), "{fetched}");
    let root = fetched["state_root"].as_str().expect("a root");
    let verified = json(&done(&["epoch", "verify", path(dir), "--root", root, "-o", "json"]));
    assert_eq!((&verified["anchored"], &verified["epoch"]), (&true.into(), &1.into()), "{verified}");
    let shown = done(&["epoch", "show", path(dir)]);
    assert!(stdout(&shown).contains(root), "{shown:?}");
    let before = fs::read(&file).expect("written");
    let again = ask("1");
    assert_eq!((again.status.code(), fs::read(&file).ok()), (Some(2), Some(before)), "{again:?}");
    assert_eq!(fs::read_dir(dir).expect("a folder").count(), 1, "nothing else is left there");

    // With what was published of every bundle, each of them is verified again.
    let whole = dir.with_file_name("epoch-1-with-bundles");
    let ask =
        [&["epoch", "fetch", "--url", &url, "--epoch", "1", "--bundles", "-q"], &[path(&whole)][..]].concat();
    let begun = Instant::now();
    let fetched = loop {
        let fetched = cwe(&ask);
        if fetched.status.success() {
            break fetched;
        }
        assert!(begun.elapsed() < PATIENCE && !whole.exists(), "the party publishes them soon: {fetched:?}");
        thread::sleep(Duration::from_millis(300));
    };
    assert!(stdout(&fetched).contains("epoch audit"), "{fetched:?}");
    let audited = json(&done(&["epoch", "audit", path(&whole), "-q", "-o", "json"]));
    assert_eq!((&audited["holds"], &audited["bundles"]), (&true.into(), &verified["bundles"]), "{audited}");
    assert_eq!(audited["gaps"], serde_json::json!([]), "{audited}");
    let stream = whole.join("statements.bin");
    let mut changed = fs::read(&stream).expect("fetched");
    let last = changed.len() - 40;
    changed[last] ^= 1;
    fs::write(&stream, changed).expect("written");
    let refused = cwe(&["epoch", "audit", path(&whole), "-q"]);
    assert_eq!(refused.status.code(), Some(1), "a bundle that nobody proved: {refused:?}");
}

/// A code gives its place to another, and is taken off the list: by the first digits of its hash.
fn assert_codes_can_be_taken_back(pilot: &Path) {
    let config = pilot.join("token-issuer/issuer.toml");
    let issuer = |command: &str, arguments: &[&str]| {
        cwe(&[&["issuer", command, "--config", path(&config), "-o", "json"], arguments].concat())
    };
    let listed = || fs::read_to_string(pilot.join("token-issuer/codes.json")).expect("a list");
    let (before, made) = (listed(), json(&issuer("code", &["--tier", "2"])));
    let digits = |of: &Value| of["hash"].as_str().expect("a hash")[..12].to_owned();
    let other = json(&issuer("code", &["--replace", &digits(&made)]));
    assert_eq!((&other["tier"], listed().contains(&digits(&other))), (&2.into(), true), "{other}");
    let refused = issuer("revoke", &[&digits(&made)]);
    assert_eq!(refused.status.code(), Some(2), "it is off the list: {refused:?}");
    assert!(error(&refused).contains("no code has a hash that begins with"), "{refused:?}");
    let file = pilot.join("client-example/token.code");
    let [of, all] = [&["--of", path(&file)][..], &[]].map(|of| json(&issuer("codes", of))["codes"].clone());
    assert_eq!((of.as_array().map(Vec::len), all.as_array().map(Vec::len)), (Some(1), Some(2)), "{all}");
    assert_eq!(of[0]["tier"], 1, "{of}");
    assert_eq!(json(&issuer("revoke", &[&digits(&other)]))["hash"], other["hash"]);
    assert_eq!(listed(), before);
}

/// What an issuer of tokens says to a client whose epoch is not open: the kind, and whether it may come again.
fn unsigned(issuer: &Process, client: &Path, epoch: u64) -> (String, bool) {
    let text = issuer.text();
    let url = text.split("signs tokens at ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let code = fs::read_to_string(client.join("token.code")).expect("a code");
    let signers = HttpSigners::new((url.expect("an address"), code.trim()), None).expect("an address");
    match signers.token(EpochId(epoch), Tier(1), &[0; 256]) {
        Err(LinkError::Busy { kind, .. }) => (kind, true),
        Err(LinkError::Refused { kind, .. }) => (kind, false),
        other => panic!("{other:?}"),
    }
}

/// Every bundle is in a batch, and that was checked. The first of them.
fn assert_final(client: &Path) -> String {
    let config = client.join("client.toml");
    let status = json(&done(&["client", "status", "--config", path(&config), "--wait", "240", "-o", "json"]));
    let bundles = status["bundles"].as_array().expect("a list");
    assert!(!bundles.is_empty(), "{status}");
    for bundle in bundles {
        assert_eq!(
            (&bundle["state"], &bundle["inclusion_checked"]),
            (&"final".into(), &true.into()),
            "{status}"
        );
    }
    bundles[0]["bundle"].as_str().expect("an identifier").to_owned()
}

#[cfg(unix)]
fn assert_secrets_are_private(pilot: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let files = [
        "node/sequencer.key",
        "party-1/host.secret",
        "party-1/operator.key",
        "steward/keys/steward.key",
        "creator/creator.key",
        "client-example/token.code",
    ];
    for file in files {
        let mode = fs::metadata(pilot.join(file)).expect("written").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
}

#[test]
fn a_pilot_is_laid_out_and_used() {
    let dir = tempfile::tempdir().expect("a folder");
    let pilot = &dir.path().join("pilot");
    let (port, own) = (port().to_string(), path(pilot).to_owned());
    let short = ["--window-seconds", WINDOW, "--epochs", "2", "--k-anonymity", "1"];
    let lay_out = [&["init", "committee", &own, "--port", &port, "-o", "json"], &short[..]].concat();
    let made = json(&done(&lay_out));
    #[cfg(unix)]
    assert_secrets_are_private(pilot);
    let refused = cwe(&lay_out);
    assert_eq!(refused.status.code(), Some(2), "a folder with something in it is left alone");
    assert!(error(&refused).contains("is there already"), "{refused:?}");
    let party = pilot.join("party-2/party.toml");
    let keys = done(&["party", "keys", "--config", path(&party)]);
    let member = fs::read_to_string(pilot.join("steward/members/party-2.json")).expect("written");
    assert_eq!(json(&keys), serde_json::from_str::<Value>(&member).expect("JSON"));

    assert_codes_can_be_taken_back(pilot);
    let mut node = Process::start(pilot, "node", &["node", "run", "--config", "node.toml"]);
    node.wait_for("listening on");
    let issue = ["issuer", "run", "--config", "issuer.toml", "-q"];
    let mut issuers = ["token-issuer", "receipt-issuer"].map(|name| Process::start(pilot, name, &issue));
    let serve = ["party", "run", "--config", "party.toml"];
    let mut parties =
        vec![Process::start(pilot, "party-1", &serve), Process::start(pilot, "party-2", &serve)];
    issuers.iter_mut().for_each(|issuer| issuer.wait_for("at http://"));
    parties.iter_mut().for_each(|party| party.wait_for("API at http://"));
    another_client(pilot);
    // There is a key of each epoch, and neither is open.
    for epoch in [1, 2] {
        assert_eq!(unsigned(&issuers[0], &pilot.join("client-example"), epoch), ("not-open".into(), true));
    }

    let (song, key) = (pilot.join("song.flac"), pilot.join("creator/creator.key"));
    fs::write(&song, "a song").expect("written");
    let url = made["node"].as_str().expect("an address");
    let register = ["--key", path(&key), "--category", "3", "--media", "audio", "--url", url, "-o", "json"];
    let work = json(&done(&[&["work", "register", path(&song)], &register[..]].concat()));
    let work = work["work"].as_str().expect("an identifier");

    let mut steward = Process::start(pilot, "steward", &["steward", "run", "--config", "steward.toml"]);
    let (first, second) = (pilot.join("client-example"), pilot.join("client-2"));
    let log = played(&first, &[work; 3]);
    steward.wait_for("for party 3, 60 s at most, to commit to the beacon of epoch 1\n");
    parties.push(Process::start(pilot, "party-3", &serve));
    steward.wait_for("epoch 1 is open\n");
    let before = killed(pilot, &log);
    let report = submit(&first, &log);
    assert_eq!(
        (&report["complete"], report["refused"].as_array().map(Vec::len)),
        (&true.into(), Some(0)),
        "{report}"
    );
    assert!(report["not_backed"].is_null(), "{report}");
    let earlier = &report["before_opening"];
    assert_eq!((&earlier["plays"], &earlier["first"][0]), (&3.into(), &2.into()), "plays from before");
    let after = fs::read(first.join("data/epoch-1/bundle-00000")).expect("a bundle");
    assert!(before == after, "the same bytes are handed in again");
    let mistyped = format!("{}{}", &work[1..], &work[..1]);
    let said = turned_away(&second, &played(&second, &[work, &mistyped]));
    assert!(said.contains("line 3: 1 play is of a work that epoch 1 does not have"), "{said}");
    assert!(said.contains("--leave-out-unknown") && !said.contains(&mistyped), "{said}");
    assert!(!second.join("data/epoch-1/plan").exists(), "nothing is begun with it");
    let report = submit(&second, &played(&second, &[work; 2]));
    assert_eq!(report["complete"], true, "{report}");
    let lacking = &report["not_backed"];
    assert_eq!(lacking["plays"], 1, "its issuer has no more views, and the epoch takes it in: {report}");
    assert!(lacking["why"].as_str().is_some_and(|why| why.contains("budget")), "{report}");
    let bundle = assert_final(&first);
    // The other one does not ask what became of its bundles.
    let secrets = ["key", "plan", "token"].map(|name| second.join("data/epoch-1").join(name));
    assert!(secrets.iter().all(|file| file.exists()));
    steward.wait_for("epoch 1 is settled");
    issuers.iter_mut().for_each(|issuer| issuer.wait_for("epoch 1 is over"));
    assert_eq!(unsigned(&issuers[0], &second, 1), ("epoch-over".into(), false));

    let creator = made["creator"].as_str().expect("a person");
    let paid = json(&done(&["payouts", "--creator", creator, "--url", url, "-o", "json"]));
    assert!(paid.to_string().contains(work), "the work is paid for: {paid}");
    assert_fetched(&parties[0], url, &pilot.join("epoch-1"));
    steward.wait_for("issuers' keys of epoch 2");
    // What was paid for with the first epoch is not handed in with the second by mistake.
    parties[0].wait_for("epoch 2: collect");
    let said = turned_away(&first, &log);
    assert!(said.contains("lines 2, 3 and 4: 3 plays began between the first and the last"), "{said}");
    assert!(said.contains("epoch 1") && said.contains("--again"), "{said}");
    turned_away(&second, &second.join("plays.csv"));
    assert!(!secrets.iter().any(|file| file.exists()), "of an epoch that is over nothing secret is left");
    assert_final(&second);
    // Their bundles are gone by then. Whoever asks late is answered all the same, also by a process that was started since.
    parties.into_iter().for_each(Process::end);
    let mut parties = ["party-1", "party-2", "party-3"].map(|name| Process::start(pilot, name, &serve));
    parties.iter_mut().for_each(|party| party.wait_for("API at http://"));
    let answered = parties.iter().filter(|party| has_receipt(party, &bundle)).count();
    assert!(answered >= 2, "{answered} parties know of bundle {bundle}");
    steward.end();
    parties.into_iter().chain(issuers).chain([node]).for_each(Process::end);
}
