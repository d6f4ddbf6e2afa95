//! `cwe gov impact` as a member of governance meets it: the page, its figures, its bytes, and what a bad file gets.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};
use tempfile::TempDir;

/// A small market, few samples.
const SMALL: [&str; 8] =
    ["--synthetic", "80", "--seeds", "3", "--samples", "4", "--plays-per-subscriber", "200"];

fn cwe(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cwe")).args(arguments).output().expect("the command runs")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("written")
}

fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_str(&read(folder, name)).expect("JSON")
}

fn impact(before: &str, after: &str, out: &Path, more: &[&str]) -> Output {
    let arguments =
        [&["gov", "impact", before, after, "--quiet", "--out", path(out)], &SMALL[..], more].concat();
    let output = cwe(&arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!output.stdout.starts_with(b"\n"), "it begins with what it says");
    output
}

/// A comparison that several tests look at.
fn shared() -> PathBuf {
    static RUN: OnceLock<TempDir> = OnceLock::new();
    let folder = RUN.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        impact("spec", "guarded", &folder.path().join("run"), &[]);
        folder
    });
    folder.path().join("run")
}

/// Every figure of a page: where metrics.json has it, the machine's value, and the text.
fn figures(page: &str) -> Vec<(String, f64, String)> {
    let attribute = |tag: &str, name: &str| {
        let from = tag.split_once(&format!("{name}=\""))?.1;
        Some(from.split_once('"')?.0.to_owned())
    };
    let pieces = page.split("<span ").skip(1).filter(|piece| piece.contains("data-key="));
    let figure = |piece: &str| {
        let (tag, rest) = piece.split_once('>')?;
        let text = rest.split_once('<')?.0.to_owned();
        Some((attribute(tag, "data-key")?, attribute(tag, "data-value")?.parse().ok()?, text))
    };
    pieces.map(|piece| figure(piece).unwrap_or_else(|| panic!("no figure: {piece:.80}"))).collect()
}

/// A number as the page writes it, and half a unit of its last decimal.
fn number(text: &str) -> (f64, f64) {
    let unit = if text.ends_with('%') || text.ends_with("pts") { 0.01 } else { 1.0 };
    let digits: String = text
        .chars()
        .map(|c| if c == '−' { '-' } else { c })
        .filter(|c| c.is_ascii_digit() || "-.".contains(*c))
        .collect();
    let digits = digits.trim_end_matches('.');
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len() as i32);
    let value: f64 = digits.parse().unwrap_or_else(|_| panic!("no number: {text}"));
    (value * unit, 0.5 * 10_f64.powi(-decimals) * unit)
}

#[test]
fn the_page_has_its_parts_by_name() {
    let page = read(&shared(), "report.html");
    for id in [
        "verdict",
        "tile-gini",
        "tile-top1",
        "tile-cross-subsidy",
        "tile-better-off",
        "tile-parity",
        "tile-attack-roi",
    ] {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    for chart in [
        "lorenz",
        "deciles",
        "bands",
        "categories",
        "attack-sizes",
        "attack-map",
        "tornado-gini",
        "tornado-attack",
        "threshold",
        "flow",
    ] {
        let svg = format!("<svg id=\"{chart}\" role=\"img\" aria-labelledby=\"{chart}-title {chart}-desc\"");
        assert!(page.contains(&svg) && page.contains(&format!("<title id=\"{chart}-title\">")), "{chart}");
    }
    for check in ["budget", "split", "multipliers", "cap", "attack", "parity", "audience"] {
        assert!(page.contains(&format!("id=\"check-{check}\"")), "{check}");
    }
    // What the table says of the threshold is what holds.
    for untrue in ["Epochs still run", "Today epochs run", "once it is enforced"] {
        assert!(!page.contains(untrue), "{untrue}");
    }
}

#[test]
fn every_figure_on_the_page_is_the_one_in_the_metrics() {
    let metrics = json(&shared(), "metrics.json");
    let figures = figures(&read(&shared(), "report.html"));
    assert!(figures.len() > 40, "{} figures", figures.len());
    for (key, value, text) in figures {
        // serde_json reads the last bit of a number as it likes.
        let found = metrics.pointer(&key).and_then(Value::as_f64).unwrap_or(f64::NAN);
        assert!((found - value).abs() <= 2.0 * f64::EPSILON * value.abs(), "{key}: {found}, not {value}");
        if key.ends_with("/value") {
            // Texts of checks stand in the metrics as well, word for word.
            let text_key = key.replace("/value", "/text");
            assert_eq!(metrics.pointer(&text_key).and_then(Value::as_str), Some(&*text), "{text_key}");
        } else {
            let (shown, half) = number(&text);
            assert!((shown - value).abs() <= half * 1.000_001, "{key}: {text} is not {value}");
        }
    }
}

#[test]
fn the_page_is_small_and_opens_offline() {
    let page = read(&shared(), "report.html");
    assert!(page.len() < 500_000, "{} bytes", page.len());
    for reference in ["http:", "https:", "src=", "<script", "<link", "@import", "javascript:", "url(//"] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.matches("href=").count() == 0, "nothing to follow");
}

#[test]
fn the_manifests_command_gives_the_same_bytes_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = json(&shared(), "manifest.json");
    let again = folder.path().join("again");
    let mut words: Vec<&str> = manifest["command"].as_str().expect("text").split(' ').skip(1).collect();
    words.extend(["--quiet", "--out", path(&again)]);
    let output = Command::new(env!("CARGO_BIN_EXE_cwe"))
        .args(&words)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("the command runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let files = manifest["reproducible"].as_array().expect("a list");
    assert_eq!(files.len(), fs::read_dir(&again).expect("a folder").count());
    for file in files {
        let name = file.as_str().expect("a name");
        assert!(read(&shared(), name) == read(&again, name), "{name} differs");
    }
    assert_ne!(manifest["before_hash"], manifest["after_hash"]);
}

#[test]
fn rows_of_payouts_sum_to_the_pools_of_the_metrics() {
    let metrics = json(&shared(), "metrics.json");
    let rows = read(&shared(), "payouts.csv");
    let sum = |column: usize| -> u64 {
        // Names of synthetic works have no comma.
        let field = |row: &str| row.split(',').nth(column).and_then(|field| field.parse::<u64>().ok());
        rows.lines().skip(1).map(|row| field(row).expect("a number")).sum()
    };
    assert_eq!(metrics["flow_before"]["creators"], sum(1));
    assert_eq!(metrics["flow_after"]["creators"], sum(2));
}

#[test]
fn both_sides_alike_change_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let template = cwe(&["gov", "params", "guarded"]);
    assert_eq!(template.status.code(), Some(0));
    let file = folder.path().join("guarded.toml");
    fs::write(&file, &template.stdout).expect("a file");
    let out = folder.path().join("run");
    impact("guarded", path(&file), &out, &[]);
    let (page, metrics) = (read(&out, "report.html"), json(&out, "metrics.json"));
    assert_eq!(metrics["verdict"]["headline"], "No change");
    assert_eq!(metrics["verdict"]["changed"], false);
    assert!(page.contains("No change") && page.contains("data-changed=\"false\""));
    for (key, value, text) in figures(&page) {
        if key.ends_with("/change") {
            assert_eq!((value, text.as_str()), (0.0, "no change"), "{key}");
        }
    }
    assert_eq!(metrics["tiles"]["better_off"]["better"], 0.0);
    assert_eq!(metrics["losers"], Value::Array(Vec::new()));
    let manifest = json(&out, "manifest.json");
    assert_eq!(manifest["before_hash"], manifest["after_hash"], "a template is its preset");
}

#[test]
fn a_usage_table_is_taken_as_it_is_and_json_is_one_object() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rows: Vec<String> =
        (0..12).flat_map(|u| (0..6).map(move |w| format!("u{u}\tsong <{w}>\t{}\n", 1 + u * w))).collect();
    let usage = folder.path().join("plays.tsv");
    fs::write(&usage, format!("user\twork\tplays\n{}", rows.concat())).expect("a file");
    let after = folder.path().join("after.toml");
    fs::write(&after, "preset = \"spec\"\nk_anonymity = 2\nvalue_cap = 40.5\n").expect("a file");
    let out = folder.path().join("run");
    let arguments = ["gov", "impact", "spec", path(&after), "--usage", path(&usage), "--seeds", "1"];
    let output =
        cwe(&[&arguments[..], &["--samples", "0", "-o", "json", "-q", "--out", path(&out)]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "quiet");
    let mut object: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(object.as_object_mut().expect("an object").remove("out"), Some(path(&out).into()));
    assert_eq!(object, json(&out, "metrics.json"));
    assert_eq!(object["size"]["plays"], (0..12).flat_map(|u| (0..6).map(move |w| 1 + u * w)).sum::<u64>());
    let page = read(&out, "report.html");
    assert!(!page.contains("song <"), "names are escaped");
    assert!(!page.contains("tornado-gini") && page.contains("40.5"));
}

#[test]
fn bad_input_is_told_in_one_line_with_file_key_and_bound() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |text: &str| {
        let file = folder.path().join("proposal.toml");
        fs::write(&file, text).expect("a file");
        file
    };
    let out = folder.path().join("run");
    let refused = |after: &str, more: &[&str]| {
        let output = cwe(&[&["gov", "impact", "spec", after, "--out", path(&out)], more].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!(text.lines().count(), 1, "one line: {text}");
        assert!(text.starts_with("error: "), "{text}");
        assert!(!out.exists(), "nothing is written");
        text
    };
    for (text, expected) in [
        ("beta = 3\n", "proposal.toml: row 1: beta: 3 is outside 0 to 2"),
        ("\nvalue_cap = 0.5\n", "proposal.toml: row 2: value_cap: 0.5 is outside 1 to"),
        ("gamma = 1\n", "proposal.toml: row 1: gamma: no parameter of that name"),
        ("k = \"much\"\n", "proposal.toml: row 1: k: much is not a decimal number"),
        ("k 1\n", "proposal.toml: row 1: no TOML"),
        ("preset = \"soft\"\n", "proposal.toml: row 1: preset: soft is not a preset"),
        ("fee_share = 0.9\neco_share = 0.2\n", "leave nothing for creators"),
    ] {
        let told = refused(path(&file(text)), &[]);
        assert!(told.contains(expected), "{told}");
    }
    assert!(refused("missing.toml", &[]).contains("missing.toml: cannot be read"));
    assert!(refused("flat", &["--synthetic", "0"]).contains("--synthetic 0"));
    assert!(refused("flat", &["--seeds", "0"]).contains("--seeds 0"));
    assert!(refused("flat", &["--quiet", "--usage", "missing.tsv"]).contains("missing.tsv"));
    // A folder of somebody else is left alone.
    fs::create_dir(&out).expect("a folder");
    fs::write(out.join("letter.txt"), "dear").expect("a file");
    let output = cwe(&["gov", "impact", "spec", "flat", "--quiet", "--out", path(&out)]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(read(&out, "letter.txt"), "dear");
}
