//! The command as its users meet it: what it prints where, its exit codes, and what a record's verification finds.

mod common;
#[path = "common/demo.rs"]
mod demo;

use common::{cwe, error, path, stdout};
use demo::small_demo;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};
use tempfile::TempDir;

/// A small run that several tests look at, and what it printed.
struct Run {
    folder: TempDir,
    printed: Output,
}

impl Run {
    fn out(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn shared() -> &'static Self {
        static RUN: OnceLock<Run> = OnceLock::new();
        RUN.get_or_init(|| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let out = folder.path().join("run");
            let printed = small_demo("5", &out, &["--works", "16", "-o", "json"]);
            Run { folder, printed }
        })
    }
}

#[test]
fn a_run_prints_one_json_object_and_nothing_else() {
    let run = Run::shared();
    assert_eq!(run.printed.status.code(), Some(0), "{:?}", run.printed);
    assert!(run.printed.stderr.is_empty(), "quiet");
    let object: Value = serde_json::from_str(stdout(&run.printed)).expect("one JSON object");
    for key in ["events_submitted", "events_accepted", "bundles_accepted", "pool", "paid_total", "claims_ok"]
    {
        assert!(object[key].as_u64().is_some_and(|n| n > 0), "{key}: {}", object[key]);
    }
    for key in ["duplicates_rejected", "forged_rejected", "double_claims_rejected"] {
        assert!(object[key].as_u64().is_some_and(|n| n > 0), "{key}: {}", object[key]);
    }
    for key in ["tally_verified", "totals_match_plaintext", "holds"] {
        assert_eq!(object[key], Value::Bool(true), "{key}");
    }
    assert_eq!(object["pool"], object["paid_total"]);
    assert!(object["actors"]["party-2"]["messages"].as_u64().is_some_and(|n| n > 0));
    assert_eq!(object["out"].as_str(), run.out().to_str());
    let metrics = fs::read(run.out().join("metrics.json")).expect("written");
    let metrics: Value = serde_json::from_slice(&metrics).expect("JSON");
    assert!(metrics.as_object().expect("an object").iter().all(|(key, value)| object[key] == *value));
}

/// The recount of a reader who has nothing but the two files.
#[test]
fn the_rows_of_the_workload_sum_to_the_public_record() {
    let out = Run::shared().out();
    let record: Value =
        serde_json::from_slice(&fs::read(out.join("epoch.json")).expect("written")).expect("JSON");
    let rows = fs::read_to_string(out.join("workload.csv")).expect("written");
    let rows: Vec<Vec<&str>> = rows.lines().skip(1).map(|line| line.split(',').collect()).collect();
    for work in record["works"].as_array().expect("a list") {
        let of_work = || rows.iter().filter(|row| row[4] == work["work_id"].as_str().expect("a name"));
        let value: u64 = of_work().map(|row| row[8].parse::<u64>().expect("a number")).sum();
        assert_eq!(work["raw_usage"], value);
        assert_eq!(work["views"], of_work().count());
        assert_eq!(work["listeners"], of_work().filter(|row| row[5] == "0").count());
        assert_eq!(work["backed"], of_work().filter(|row| row[7] == "1").count());
    }
    let payouts = fs::read_to_string(out.join("payouts.csv")).expect("written");
    let paid: u64 = payouts
        .lines()
        .skip(1)
        .map(|row| row.split(',').nth(3).expect("a field").parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(record["revenue"]["paid"], paid);
}

#[test]
fn the_manifests_command_gives_the_same_files_again() {
    let run = Run::shared();
    let manifest: Value =
        serde_json::from_slice(&fs::read(run.out().join("manifest.json")).expect("written")).expect("JSON");
    let again = run.folder.path().join("again");
    let mut words: Vec<&str> = manifest["command"].as_str().expect("text").split(' ').skip(1).collect();
    words.extend(["--quiet", "--out", path(&again)]);
    let output = Command::new(env!("CARGO_BIN_EXE_cwe"))
        .args(&words)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for file in manifest["reproducible"].as_array().expect("a list") {
        let name = file.as_str().expect("a name");
        let read = |folder: &Path| fs::read(folder.join(name)).expect("written");
        assert!(read(&run.out()) == read(&again), "{name} differs");
    }
}

#[test]
fn an_honest_record_holds_and_is_anchored_by_its_root_alone() {
    let run = Run::shared();
    let object: Value = serde_json::from_str(stdout(&run.printed)).expect("JSON");
    let (out, root) = (run.out(), object["state_root"].as_str().expect("a root"));
    let verified = cwe(&["epoch", "verify", path(&out)]);
    assert_eq!(verified.status.code(), Some(0));
    assert!(stdout(&verified).contains("not known"), "{}", stdout(&verified));
    let verified = cwe(&["epoch", "verify", path(&out), "--root", root, "-o", "json"]);
    assert_eq!(verified.status.code(), Some(0));
    let verdict: Value = serde_json::from_str(stdout(&verified)).expect("one JSON object");
    assert_eq!((&verdict["holds"], &verdict["anchored"]), (&Value::Bool(true), &Value::Bool(true)));
    let other = root.chars().rev().collect::<String>();
    let refused = cwe(&["epoch", "verify", path(&out), "--root", &other]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(error(&refused).contains(&format!("root {root} is not the trusted root {other}")));
    // As L1 spells it, the record's root and one that is none.
    let on_layer1 = object["layer1"]["epoch_root"].as_str().expect("a root");
    let verified = cwe(&["epoch", "verify", path(&out), "--root", on_layer1]);
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
    let last = object["layer1"]["last_root"].as_str().expect("a root");
    let refused = cwe(&["epoch", "verify", path(&out), "--root", last]);
    assert_eq!(refused.status.code(), Some(1));
    let said = format!("root {on_layer1} (for nodes {root}) is not the trusted root {last}");
    assert!(error(&refused).contains(&said), "{}", error(&refused));
    let shown = cwe(&["epoch", "show", path(&out)]);
    assert_eq!(shown.status.code(), Some(0));
    assert!(stdout(&shown).contains("Eco-Reserve") && stdout(&shown).contains(root));
}

/// Adds one to a number of the record, wherever `pointer` leads.
fn with_one_more(record: &Value, pointer: &str) -> Value {
    let mut changed = record.clone();
    let figure = changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is in a record"));
    *figure = match figure {
        Value::Number(n) => (n.as_u64().expect("an integer") + 1).into(),
        Value::String(text) => {
            let last = text.pop().expect("not empty");
            let next = if last == '1' { '2' } else { '1' };
            format!("{text}{next}").into()
        }
        other => panic!("{pointer} is {other}"),
    };
    changed
}

#[test]
fn a_changed_figure_is_refused_and_the_finding_names_it() {
    let run = Run::shared();
    let record: Value =
        serde_json::from_slice(&fs::read(run.out().join("epoch.json")).expect("written")).expect("JSON");
    let file = run.folder.path().join("changed.json");
    for (pointer, named) in [
        ("/works/0/raw_usage", "works: raw_usage"),
        ("/works/0/weighted_usage", "works: weighted_usage"),
        ("/works/0/payout", "works: payout"),
        ("/works/0/bandwidth", "works: bandwidth"),
        ("/works/0/reputation", "works: reputation"),
        ("/works/0/discovery_weight", "works: discovery_weight"),
        ("/works/0/listeners", "works: listeners"),
        ("/works/0/price", "works: "),
        ("/works/0/splits/0/amount", "works: splits"),
        ("/revenue/eco", "revenue: eco"),
        ("/revenue/fee", "revenue: fee"),
        ("/tiers/0/price", "revenue of tier 1"),
        ("/tiers/0/subscriptions", "revenue of tier 1"),
        ("/shards/0/totals/0/value", "proof of shard 0: "),
        ("/shards/0/totals/0/views", "proof of shard 0: "),
        ("/shards/0/headers/0/count", "headers: header 0 of shard 0"),
        ("/shards/0/headers/0/batch_root", "headers: header 0 of shard 0"),
        ("/shards/0/root/last", "root of shard 0: "),
        ("/beacon/key", "beacon: "),
        ("/payout_root", "payout_root"),
        ("/health/gini", "health: gini"),
        ("/epoch", "epoch"),
        ("/chain", ""),
    ] {
        fs::write(&file, with_one_more(&record, pointer).to_string()).expect("written");
        let refused = cwe(&["epoch", "verify", path(&file), "-o", "json"]);
        assert_eq!(refused.status.code(), Some(1), "{pointer}: {refused:?}");
        error(&refused);
        let verdict: Value = serde_json::from_str(stdout(&refused)).expect("one JSON object");
        assert_eq!(verdict["holds"], Value::Bool(false));
        let findings = verdict["findings"].as_array().expect("a list");
        let named = findings.iter().any(|finding| finding.as_str().is_some_and(|text| text.contains(named)));
        assert!(named, "{pointer}: {findings:?}");
    }
}

#[test]
fn what_is_no_record_is_bad_input() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = cwe(&["epoch", "verify", path(folder.path())]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(error(&missing).contains("epoch.json"));
    let file = folder.path().join("epoch.json");
    fs::write(&file, "{\"format\": 1,\n \"works\": 3}").expect("written");
    let broken = cwe(&["epoch", "verify", path(folder.path())]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(error(&broken).contains("line 2"), "{}", error(&broken));
    let root = cwe(&["epoch", "verify", path(folder.path()), "--root", "xyz"]);
    assert_eq!(root.status.code(), Some(2), "a wrong call");
}

/// Runs the demo on a usage file with these bytes.
fn with_usage(bytes: &[u8], more: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("usage.tsv");
    fs::write(&file, bytes).expect("written");
    let out = folder.path().join("out");
    let output = cwe(&[&["demo", "--quiet", "--usage", path(&file), "--out", path(&out)], more].concat());
    assert!(!out.exists(), "nothing is written");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left behind");
    output
}

#[test]
fn bad_usage_files_are_refused_with_file_and_row() {
    let cases: [(&[u8], &str, &str); 6] = [
        (b"user\twork\nu\tw\n", "row 1", "no plays column"),
        (b"user\twork\tplays\nu\tw\t3\nu\tv\t-4\n", "row 3", "plays"),
        (b"user\twork\tplays\nu\tw\xff\xfe\t3\n", "row 2", "not UTF-8"),
        (b"", "row 1", "empty"),
        (b"user\twork\tplays\n", "row 2", "missing"),
        (b"user\twork\tplays\nu\tw\n", "row 2", ""),
    ];
    for (bytes, row, what) in cases {
        let refused = with_usage(bytes, &[]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let line = error(&refused);
        assert!(line.contains("usage.tsv") && line.contains(row) && line.contains(what), "{line}");
        assert!(refused.stdout.is_empty());
    }
}

#[test]
fn numbers_that_make_no_run_are_refused() {
    for (arguments, what) in [
        (["--works", "262145"], "262144"),
        (["--works", "0"], "at least one work"),
        (["--subscribers", "0"], "at least one subscriber"),
        (["--plays-scale", "0"], "above 0"),
    ] {
        let refused = with_usage(b"user\twork\tplays\nu\tw\t3\n", &arguments);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(error(&refused).contains(what), "{}", error(&refused));
    }
    for wrong in
        [&["demo", "--preset", "lavish"][..], &["demo", "--seed", "-1"], &["demo", "--works", "many"], &[]]
    {
        assert_eq!(cwe(wrong).status.code(), Some(2), "{wrong:?}");
    }
    for width in ["-1", "3", "4097", "abc"] {
        let refused = cwe(&["demo", "--shard-width", width]);
        assert_eq!(refused.status.code(), Some(2));
        let text = String::from_utf8_lossy(&refused.stderr);
        assert!(text.contains("expected a whole number from 4 to 4096"), "{text}");
    }
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("thesis.txt");
    fs::write(&file, "years of work").expect("written");
    let refused =
        cwe(&["demo", "--quiet", "--subscribers", "2", "--works", "8", "--out", path(folder.path())]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(error(&refused).contains("with something else in it"));
    assert_eq!(fs::read_to_string(&file).expect("still there"), "years of work");
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_where_nothing_can_be_made_is_a_wrong_call() {
    let output = cwe(&["demo", "--quiet", "--subscribers", "6", "--works", "16", "--out", "/proc/run"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(error(&output).starts_with("error: /proc/run: cannot be created"), "{}", error(&output));
}

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let help = cwe(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for word in ["demo", "epoch", "sim", "work", "payouts", "gov", "node", "Exit codes"] {
        assert!(stdout(&help).contains(word), "{word}");
    }
    assert!(stdout(&cwe(&["demo", "--help"])).contains("Examples:"));
    for family in ["epoch", "node", "party", "client", "issuer", "steward", "init"] {
        let help = cwe(&[family, "--help"]);
        assert!(stdout(&help).contains(&format!("Examples:\n  cwe {family} ")), "{help:?}");
    }
    // Every command of a family has an example of itself.
    for family in ["epoch", "work", "gov", "node", "party", "client", "issuer", "steward", "init"] {
        let help = cwe(&[family, "--help"]);
        let listed = stdout(&help).split("Commands:").nth(1).expect("a list").split("Options:").next();
        let names = listed.expect("a list").lines().filter_map(|line| line.strip_prefix("  "));
        let names =
            names.filter_map(|line| line.split(' ').next()).filter(|name| !["", "help"].contains(name));
        for name in names {
            let help = cwe(&[family, name, "--help"]);
            assert!(stdout(&help).contains(&format!("  cwe {family} {name}")), "{family} {name}: {help:?}");
        }
    }
    let twice =
        cwe(&["init", "committee", "/proc/pilot", "--hosts", "a.example.org,b.example.org,a.example.org"]);
    assert_eq!(
        (twice.status.code(), error(&twice).contains("a.example.org is there twice")),
        (Some(2), true),
        "{twice:?}"
    );
    let help = cwe(&["epoch", "verify", "--help"]);
    for word in ["--root", "state_root", "layer1.epoch_root", "layer1.last_root"] {
        assert!(stdout(&help).contains(word), "{word}");
    }
}

/// An interrupt leaves neither a run folder nor the beginning of one.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    let mut run = Command::new(env!("CARGO_BIN_EXE_cwe"))
        .args(["demo", "--quiet", "--out", path(&out)])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the command runs");
    let begun = || fs::read_dir(folder.path()).expect("a folder").count() > 0;
    while !begun() && run.try_wait().expect("a child").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let interrupted = Command::new("kill").args(["-INT", &run.id().to_string()]).status().expect("kill runs");
    assert!(interrupted.success());
    assert_eq!(run.wait().expect("a child").code(), Some(130));
    assert!(!begun(), "nothing is left behind");
}

#[test]
fn failures_are_json_where_results_are() {
    let said = |arguments: &[&str]| -> Value {
        let output = cwe(&[arguments, &["-o", "json"]].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        serde_json::from_slice(&output.stderr).expect("one JSON object")
    };
    let missing = said(&["epoch", "verify", "no/such/folder"]);
    assert!(missing["error"].as_str().is_some_and(|text| text.contains("no/such/folder")), "{missing}");
    assert!(missing["code"] == 2 && missing["advice"].is_string(), "{missing}");
    let wrong = said(&["epoch", "verfy"]);
    assert!(wrong["error"].as_str().is_some_and(|text| text.contains("verfy")), "{wrong}");
    assert_eq!(wrong["code"], 2);
}

#[test]
fn plays_that_are_yet_to_come_are_refused_with_their_lines() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("plays.csv");
    let work = "07".repeat(32);
    let lines =
        [1_700_000_000u64, 9_700_000_000, 9_700_000_001].map(|time| format!("{time},{work},9,9,yes\n"));
    let head = "time,work,seconds_played,length_seconds,backed\n";
    fs::write(&log, format!("{head}{}", lines.concat())).expect("written");
    let refused = cwe(&["client", "submit", "--config", "no/client.toml", "--log", path(&log)]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let said = error(&refused);
    assert!(said.contains("lines 3 and 4: 2 plays begin later") && said.contains("UTC"), "{said}");
    assert!(said.contains("nothing was sent") && !said.contains(&work), "{said}");
    // What is wrong and what to do about it are told apart for programs.
    fs::write(&log, format!("{head}1,{work},9,9,maybe\n")).expect("written");
    let refused = cwe(&["client", "submit", "--config", "no/client.toml", "--log", path(&log), "-o", "json"]);
    let said: Value = serde_json::from_slice(&refused.stderr).expect("one JSON object");
    let (wrong, advice) = (said["error"].as_str().expect("a text"), said["advice"].as_str().expect("a text"));
    assert!(
        wrong.ends_with("line 2: backed must be yes or no") && advice.contains("correct the line"),
        "{said}"
    );
}

/// What a client would send through a proxy is for nobody at its other end.
#[test]
fn settings_with_a_proxy_and_open_addresses_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    let work = "07".repeat(32);
    let head = "time,work,seconds_played,length_seconds,backed";
    fs::write(place("plays.csv"), format!("{head}\n1700000000,{work},9,9,yes\n")).expect("written");
    fs::write(place("token.code"), "07".repeat(32)).expect("written");
    #[cfg(unix)]
    fs::set_permissions(place("token.code"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("private");
    let said = |tokens: &str| {
        let settings = format!(
            "genesis = \"genesis.json\"\nnode = \"ws://127.0.0.1:1\"\ntier = 1\nproxy = \"socks5h://127.0.0.1:1\"\n\
             parties = [\"https://a.example\", \"http://b.onion\", \"http://127.0.0.1:4503\"]\n\
             [tokens]\nurl = \"{tokens}\"\ncode = \"token.code\"\n"
        );
        fs::write(place("client.toml"), settings).expect("written");
        let (config, log) = (place("client.toml"), place("plays.csv"));
        let refused = cwe(&["client", "submit", "--config", path(&config), "--log", path(&log)]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        error(&refused).to_owned()
    };
    let open = said("http://tokens.example");
    assert!(open.contains("client.toml: http://tokens.example/: with `proxy`"), "{open}");
    assert!(open.contains("use an address of the form https://host"), "{open}");
    let closed = said("https://tokens.example");
    assert!(closed.contains("genesis.json") && !closed.contains("proxy"), "{closed}");
}

/// What stands in a terminal of 80 columns, and in any that is wider.
#[test]
fn help_fits_eighty_columns() {
    let families: [&[&str]; 32] = [
        &[],
        &["demo"],
        &["epoch"],
        &["epoch", "show"],
        &["epoch", "fetch"],
        &["epoch", "verify"],
        &["epoch", "audit"],
        &["bundle", "show"],
        &["sim", "sweep"],
        &["gov"],
        &["gov", "impact"],
        &["gov", "propose"],
        &["gov", "open-case"],
        &["work", "register"],
        &["work", "update"],
        &["payouts"],
        &["node"],
        &["node", "init"],
        &["node", "run"],
        &["party"],
        &["party", "run"],
        &["party", "doctor"],
        &["client"],
        &["client", "submit"],
        &["client", "status"],
        &["issuer"],
        &["issuer", "code"],
        &["issuer", "codes"],
        &["issuer", "revoke"],
        &["steward"],
        &["init"],
        &["init", "committee"],
    ];
    for family in families {
        let help = cwe(&[family, &["--help"]].concat());
        for line in stdout(&help).lines() {
            assert!(line.chars().count() <= 80, "{family:?}: {line}");
        }
    }
}
