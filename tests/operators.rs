//! What operators have: status, doctor, numbers, alerts, logs that name nobody, and a backup that cannot make a party sign
//! twice.

#[path = "common/hosts.rs"]
mod committee;

use committee::{LONG, Run, assert_counted};
use engine::{
    host::{HostSecret, Seat},
    telemetry::{METRICS, read::Samples},
};
use primitives::{Decode, Encode, PartyId, ids::to_hex};
use proofs::bundle::Bundle;
use serde_json::Value;
use sim::{
    hosts::{Hosts, Sites},
    progress::Silent,
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

/// How long a process may take to get somewhere.
const PATIENCE: Duration = Duration::from_secs(180);

fn start(dir: &Path, window: u64) -> Hosts {
    committee::start(dir, Run { window, patience: LONG, cables: false, sites: Sites::default() })
}

fn cwe(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cwe")).args(arguments).output().expect("it runs")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn config(dir: &Path, party: u8) -> String {
    dir.join(format!("party-{party}")).join("party.toml").display().to_string()
}

/// Waits until a party says something.
fn wait_for(dir: &Path, party: u8, words: &str) {
    wait_for_last(dir, party, ("", words));
}

/// Waits until a party says something after the last time that it said something else.
fn wait_for_last(dir: &Path, party: u8, (after, words): (&str, &str)) {
    let (log, begun) = (dir.join(format!("party-{party}")).join("log.txt"), Instant::now());
    loop {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let rest = if after.is_empty() {
            Some(text.as_str())
        } else {
            text.rsplit_once(after).map(|(_, rest)| rest)
        };
        if rest.is_some_and(|rest| rest.contains(words)) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "party {party} never says {words:?} after {after:?}: {text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every file below a folder.
fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

const IDENTIFIER: &str = "the bundle's identifier";
const SEALED: &str = "a sealed seed";

/// What in a bundle could name a subscriber or what was watched.
fn traces(bundle: &Bundle, opened: &engine::message::OpenedEpoch) -> Vec<(&'static str, Vec<u8>)> {
    let context = opened.context(bundle.envelope.shard).expect("a shard of the epoch");
    let mut traces = vec![
        ("the subscriber's key", bundle.envelope.key.0.to_vec()),
        ("the token", bundle.token.to_vec()),
        (IDENTIFIER, bundle.id().0.to_vec()),
    ];
    traces.extend(bundle.sealed().keys.iter().flatten().map(|sealed| (SEALED, sealed.to_bytes())));
    traces.extend(bundle.tags.iter().map(|tag| ("a tag", tag.0.to_vec())));
    traces.extend(bundle.pseudonyms(context).iter().map(|name| ("a pseudonym", name.0.to_vec())));
    traces.extend(bundle.receipts.iter().map(|receipt| ("a receipt", receipt.serial.to_vec())));
    traces
}

/// Addresses of this machine in a text that no setting names: those of clients, whose ports the system chose.
fn strange_addresses(text: &str, known: &str) -> Vec<String> {
    // Hosts that call each other before the committee is on record are refused, and named by the port they called from.
    let lines = text.lines().filter(|line| !line.contains("no link with"));
    let mut found = Vec::new();
    for line in lines {
        for (at, _) in line.match_indices("127.0.0.1:") {
            let port: String = line[at + 10..].chars().take_while(char::is_ascii_digit).collect();
            if !known.contains(&format!("127.0.0.1:{port}")) {
                found.push(line.to_owned());
            }
        }
    }
    found
}

#[test]
fn operators_see_a_running_committee_and_logs_name_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 75);
    let opened = hosts.opened(&Silent).expect("it opens");
    hosts.hand_in(&opened, &Silent).expect("all is taken in");

    let shown = cwe(&["party", "status", "--config", &config(dir.path(), 1), "-o", "json"]);
    let status = json(&shown);
    assert_eq!(shown.status.code(), Some(0), "{status}");
    assert_eq!((&status["healthy"], &status["phase"]), (&Value::Bool(true), &"collect".into()), "{status}");
    assert_eq!(status["links"].as_array().map(Vec::len), Some(2), "{status}");
    assert!(status["bundles"]["accepted"].as_u64() > Some(0), "{status}");
    let table = cwe(&["party", "status", "--url", &hosts.api(PartyId::ALL[1])]);
    let text = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(text.contains("The party is well") && text.contains("party 3"), "{text}");

    let looked = cwe(&["party", "doctor", "--config", &config(dir.path(), 1), "-o", "json"]);
    let report = json(&looked);
    assert_eq!(looked.status.code(), Some(0), "{report}");
    let said = |words: &str| report["findings"].to_string().contains(words);
    assert!(said("party 2 is there with the key on record") && said("party 3 is there"), "{report}");
    assert!(said("the secret is that of party 1 on record") && said("this party's own"), "{report}");
    wait_for(dir.path(), 2, "asked whether this host is here");

    // How fast bundles come is told once the window has lasted for a while.
    let begun = Instant::now();
    let forecast = || json(&cwe(&["party", "status", "--config", &config(dir.path(), 1), "-o", "json"]));
    while forecast()["to_come"]["disk_bytes"].is_null() {
        assert!(begun.elapsed() < PATIENCE, "{}", forecast());
        std::thread::sleep(Duration::from_millis(500));
    }
    let samples = once_final(&hosts.api(PartyId::ALL[0]));
    assert_named_numbers_are_served(&samples);

    let bundles: Vec<Bundle> =
        hosts.handed_in().map(|bytes| Bundle::from_bytes(bytes).expect("a bundle")).collect();
    for party in 1..=3 {
        wait_for_last(dir.path(), party, (": done", "waits for"));
    }
    assert_counted(&hosts.settle(&Silent).expect("it settles"));
    let known: String =
        (1..=3).map(|party| fs::read_to_string(config(dir.path(), party)).expect("settings")).collect();
    for party in 1..=3 {
        let home = dir.path().join(format!("party-{party}"));
        let log = fs::read_to_string(home.join("log.txt")).expect("a log");
        let data: Vec<_> = files_below(&home.join("data"))
            .into_iter()
            .map(|path| (fs::read(&path).unwrap_or_default(), path))
            .collect();
        assert!(log.contains("collect") && data.len() > 2, "the search has something to search");
        for (what, bytes) in bundles.iter().flat_map(|bundle| traces(bundle, &opened)) {
            let hex = to_hex(&bytes);
            assert!(
                !log.contains(&hex) && !contains(log.as_bytes(), &bytes),
                "{what} is in the log of {party}"
            );
            for (content, path) in &data {
                // Names of bundles outlive their epoch by one, so that clients can fetch receipts: of these alone.
                let data = home.join("data");
                if what == IDENTIFIER && path.starts_with(data.join("store").join("signed")) {
                    continue;
                }
                // What is published for audit is there for all to see, as on any other host.
                if what != SEALED && path.starts_with(data.join("published")) {
                    continue;
                }
                assert!(!contains(content, &bytes), "{what} is in {} after the epoch", path.display());
                assert!(!contains(content, hex.as_bytes()), "{what} is in {}", path.display());
            }
        }
        let secret = fs::read_to_string(home.join("host.secret")).expect("the secret");
        assert!(!log.contains(secret.trim()), "the host's secret is in its log");
        assert_eq!(strange_addresses(&log, &known), Vec::<String>::new());
    }
}

/// A party's disk is lost while bundles are taken in. Whether it starts with nothing or from a copy, it signs nothing in
/// that epoch.
#[test]
fn a_party_whose_disk_was_lost_sits_the_epoch_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let (copy, party) = (dir.path().join("copy"), PartyId::ALL[2]);
    let (settings, to) = (config(dir.path(), 3), copy.display().to_string());
    let mut hosts = start(dir.path(), 120);
    let opened = hosts.opened(&Silent).expect("it opens");
    let epoch = opened.shards[0].epoch;
    let in_use = cwe(&["party", "backup", "--config", &settings, "--to", &to]);
    assert_eq!(in_use.status.code(), Some(2), "{in_use:?}");
    assert!(String::from_utf8_lossy(&in_use.stderr).contains("stop it first"), "{in_use:?}");
    hosts.host(Seat::Party(party)).kill();

    let stopped = cwe(&["party", "doctor", "--config", &settings, "-o", "json"]);
    assert_eq!(json(&stopped)["running"], false, "{stopped:?}");
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    let away = cwe(&["party", "status", "--config", &settings]);
    assert_eq!(away.status.code(), Some(3), "{away:?}");
    let store = dir.path().join("party-3").join("data").join("store");
    let inside = store.join("copy").display().to_string();
    let refused = cwe(&["party", "backup", "--config", &settings, "--to", &inside]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let made = cwe(&["party", "backup", "--config", &settings, "--to", &to, "-o", "json"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let over = cwe(&["party", "restore", "--config", &settings, "--from", &to]);
    assert_eq!(over.status.code(), Some(2), "a store that is there is not replaced: {over:?}");

    fs::remove_dir_all(&store).expect("the disk is lost");
    hosts.host(Seat::Party(party)).run().expect("it starts");
    wait_for(dir.path(), 3, "its store does not");
    hosts.host(Seat::Party(party)).kill();
    fs::remove_dir_all(&store).expect("the empty store");
    let restored = cwe(&["party", "restore", "--config", &settings, "--from", &to, "-o", "json"]);
    assert_eq!(restored.status.code(), Some(0), "{restored:?}");
    assert_eq!(json(&restored)["sits_out_through"], serde_json::json!(epoch), "{restored:?}");
    hosts.host(Seat::Party(party)).run().expect("it starts");
    wait_for(dir.path(), 3, "sits this one out");

    // The other two take bundles in and agree on batches.
    hosts.hand_in(&opened, &Silent).expect("two take them in");
    // Whoever led the batch.
    for one in &PartyId::ALL[..2] {
        assert!(once_final(&hosts.api(*one)).sum("cwe_bundles_final_total") > 0.0, "party {one}");
    }
    let three = served(&hosts.api(party));
    assert_eq!(three.get("cwe_waiting_for_chain"), Some(1.0));
    assert!(three.sum("cwe_batch_position") < 1.0, "it takes no part");
    assert!(served(&hosts.api(PartyId::ALL[0])).sum("cwe_evidence") < 1.0, "nobody signed twice");
}

/// The doctor names a secret that is not that of the seat.
#[test]
fn the_doctor_names_what_is_wrong_with_a_host_that_is_stopped() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), 60);
    hosts.opened(&Silent).expect("it opens");
    hosts.host(Seat::Party(PartyId::ALL[0])).kill();
    hosts.host(Seat::Party(PartyId::ALL[1])).kill();
    let secret = dir.path().join("party-1").join("host.secret");
    let other = HostSecret::from_bytes([9; 32]);
    fs::write(&secret, to_hex(other.expose())).expect("another secret");
    let looked = cwe(&["party", "doctor", "--config", &config(dir.path(), 1), "-o", "json"]);
    assert_eq!(looked.status.code(), Some(1), "{looked:?}");
    let report = json(&looked).to_string();
    for words in [
        "no seat on record has this host's key",
        "party 3 refuses this host's key",
        "party 2 cannot be reached",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
    assert!(!report.contains(&to_hex(other.expose())), "the secret is not shown");

    // Party 3 runs, and answers where this one's API is to be.
    let settings = config(dir.path(), 1);
    let third = hosts.api(PartyId::ALL[2]).replace("http://", "api = \"") + "\"";
    let text = fs::read_to_string(&settings).expect("settings");
    let lines = text.lines().map(|line| if line.starts_with("api = ") { &third } else { line });
    fs::write(&settings, lines.collect::<Vec<_>>().join("\n")).expect("written");
    let looked = cwe(&["party", "doctor", "--config", &settings, "-o", "json"]);
    let report = json(&looked);
    assert_eq!((looked.status.code(), &report["running"]), (Some(1), &Value::Bool(false)), "{report}");
    assert!(report["findings"].to_string().contains("answers another party, with key"), "{report}");
}

fn served(url: &str) -> Samples {
    let operator = engine::client::http::operator::HttpOperator::new(url).expect("an address");
    Samples::read(&operator.ask("metrics").expect("it answers").body)
}

/// The numbers of a party once a batch is final.
fn once_final(url: &str) -> Samples {
    let begun = Instant::now();
    loop {
        let samples = served(url);
        if samples.sum("cwe_batch_position") > 0.0 {
            return samples;
        }
        assert!(begun.elapsed() < PATIENCE, "no batch is final");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Names of numbers in a text.
fn named(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words =
        text.split(|c| !is_name(c)).filter(|word| word.starts_with("cwe_") || word.starts_with("process_"));
    words.map(str::to_owned).collect()
}

/// Alerts and dashboard ask for nothing that a host does not serve, and both are well formed.
fn assert_named_numbers_are_served(samples: &Samples) {
    let served: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    // What counts only what went wrong is there once something has.
    let may_be_absent = ["cwe_bundles_refused_total", "cwe_http_turned_away_total"];
    for file in ["deploy/prometheus/cwe-party.rules.yml", "deploy/grafana/cwe-party.json"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a file");
        let names = named(&text);
        assert!(names.len() > 8, "{file} names numbers");
        for name in names {
            assert!(
                served.contains(name.as_str()) || may_be_absent.contains(&name.as_str()),
                "{file}: {name}"
            );
        }
    }
}

#[test]
fn the_docs_list_every_number() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operators.md")).expect("docs");
    let listed: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| Some(line.split_once('`')?.0.to_owned()))
        .filter(|name| METRICS.iter().any(|metric| metric.name == name))
        .collect();
    let missing: Vec<_> =
        METRICS.iter().filter(|metric| !listed.contains(metric.name)).map(|m| m.name).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn the_files_for_operators_are_well_formed() {
    let read = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name);
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/cwe-party.json")).expect("JSON");
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() > 5));
    let rules = read("deploy/prometheus/cwe-party.rules.yml");
    let mut alerts = 0;
    for (number, line) in rules.lines().enumerate() {
        // The part of YAML that the file keeps to: indentation in twos, no tabs, keys and list items.
        let body = line.trim_start();
        assert!(
            !line.contains('\t') && (line.len() - body.len()).is_multiple_of(2),
            "line {}: {line}",
            number + 1
        );
        let item = body.strip_prefix("- ").unwrap_or(body);
        let is_key = item.split_once(':').is_some_and(|(key, rest)| {
            key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && (rest.is_empty() || rest.starts_with(' '))
        });
        assert!(body.is_empty() || body.starts_with('#') || is_key, "line {}: {line}", number + 1);
        assert_eq!(line.matches('"').count() % 2, 0, "line {}: {line}", number + 1);
        alerts += usize::from(body.starts_with("- alert: "));
    }
    assert!(alerts >= 10);
    for part in ["expr: ", "for: ", "severity: ", "summary: ", "page: "] {
        assert_eq!(rules.matches(part).count(), alerts, "every alert has {part}");
    }
    let guide = read("docs/operators.md");
    for page in rules.lines().filter_map(|line| line.trim().strip_prefix("page: ")) {
        let anchor = page.trim_matches('"').rsplit_once('#').expect("a page has an anchor").1;
        let heading =
            |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-") == anchor;
        assert!(guide.lines().filter(|line| line.starts_with('#')).any(heading), "{page}");
    }
    for unit in ["cwe-node.service", "cwe-party@.service", "cwe-steward.service", "cwe-issuer@.service"] {
        let text = read(&format!("deploy/systemd/{unit}"));
        for line in [
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "Restart=on-failure",
            "RestartPreventExitStatus=2 4",
            "UMask=0077",
        ] {
            assert!(text.lines().any(|found| found == line), "{unit} lacks {line}");
        }
        assert!(text.contains("StateDirectory=") && text.contains("TimeoutStopSec="), "{unit}");
    }
}
