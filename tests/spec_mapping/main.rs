//! SPEC-MAPPING.md is kept honest here: every pointer leads to something that is there, every row is well formed, and
//! what is called done has a test.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Columns of a table of rules. Other tables of the file are not looked at.
const HEADER: [&str; 6] = ["ID", "Section", "Rule", "Code", "Tests", "Status"];

/// Sections of the two specifications that hold rules; each has rows.
const SECTIONS: [(&str, &[&str]); 2] = [
    (
        "DAPR",
        &[
            "1", "2.1", "2.2", "2.3", "2.4", "2.5", "3", "4.1", "4.2", "4.3", "4.4", "5.1", "5.2", "5.3",
            "6", "7.1", "7.2", "7.3", "7.4", "7.5", "8.1", "8.2", "8.3", "9", "10.1", "10.2", "10.3", "10.4",
            "11.1", "11.2", "11.3", "12",
        ],
    ),
    (
        "CHAIN",
        &[
            "0", "1", "2", "3", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.8", "4", "5", "6.1",
            "6.2", "6.3", "6.4", "6.5", "7", "7.1", "7.2", "7.3", "8", "9",
        ],
    ),
];

/// How far a rule is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Done,
    Partly,
    Open,
}

/// A place in the repository: a file, and a name that is defined in it, or a name inside that.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pointer {
    path: String,
    names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    line: usize,
    id: String,
    section: String,
    code: Vec<Pointer>,
    tests: Vec<Pointer>,
    status: Status,
}

/// Splits an identifier such as `DAPR-7.2-1` into specification, section and number.
fn split_id(id: &str) -> Option<(&str, &str, u32)> {
    let mut parts = id.split('-');
    let (spec, section, number) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let known = SECTIONS.iter().any(|(name, _)| *name == spec);
    let well_formed = section.split('.').all(digits) && digits(number) && !number.starts_with('0');
    (known && well_formed && parts.next().is_none()).then(|| Some((spec, section, number.parse().ok()?)))?
}

fn cells(line: &str) -> Vec<&str> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(str::trim).collect()
}

/// Pointers of a cell: each in backquotes, with commas between them; nothing else but a dash for none.
fn pointers(cell: &str) -> Result<Vec<Pointer>, String> {
    if cell.is_empty() || cell == "-" {
        return Ok(Vec::new());
    }
    cell.split(',')
        .map(|one| {
            let text = one.trim().strip_prefix('`').and_then(|t| t.strip_suffix('`'));
            let text = text.filter(|t| !t.contains('`')).ok_or_else(|| format!("not a pointer: {one}"))?;
            let mut parts = text.split("::").map(str::to_owned);
            let path = parts.next().filter(|p| !p.is_empty()).ok_or("a pointer without a file")?;
            let names: Vec<_> = parts.collect();
            let is_name = |n: &String| n.chars().all(|c| c.is_alphanumeric() || c == '_') && !n.is_empty();
            if !names.iter().all(is_name) || (path.ends_with(".rs") && names.is_empty()) {
                return Err(format!("a pointer into code names something in it: {text}"));
            }
            Ok(Pointer { path, names })
        })
        .collect()
}

fn status(cell: &str) -> Result<Status, String> {
    let (word, reason) = cell.split_once(':').unwrap_or((cell, ""));
    let status = match word.trim() {
        "done" => Status::Done,
        "partly" => Status::Partly,
        "open" => Status::Open,
        other => return Err(format!("unknown status {other:?}")),
    };
    if status != Status::Done && reason.trim().is_empty() {
        return Err(format!("{} needs a reason, as in '{0}: no proof yet'", word.trim()));
    }
    Ok(status)
}

fn row(line: usize, text: &str) -> Result<Row, String> {
    let cells = cells(text);
    let [id, section, rule, code, tests, state] = cells[..] else {
        return Err(format!("{} cells where there are {}", cells.len(), HEADER.len()));
    };
    let (_, own, _) = split_id(id).ok_or_else(|| format!("malformed identifier {id:?}"))?;
    if own != section {
        return Err(format!("{id} stands under section {section}"));
    }
    if rule.is_empty() {
        return Err(format!("{id} has no rule"));
    }
    let (code, tests, status) = (pointers(code)?, pointers(tests)?, status(state)?);
    match status {
        Status::Done if code.is_empty() => return Err(format!("{id} is done without code")),
        Status::Done if tests.is_empty() => return Err(format!("{id} is done without a test")),
        Status::Partly if code.is_empty() => return Err(format!("{id} is partly done without code")),
        _ => {}
    }
    Ok(Row { line, id: id.to_owned(), section: section.to_owned(), code, tests, status })
}

/// Reads all tables of rules. Every fault is told, with its line.
fn parse(text: &str) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let mut inside = false;
    for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if !line.starts_with('|') {
            inside = false;
        } else if cells(line) == HEADER {
            inside = true;
        } else if inside && !cells(line).iter().all(|c| c.bytes().all(|b| b == b'-' || b == b':')) {
            match row(at, line) {
                Ok(row) => rows.push(row),
                Err(fault) => faults.push(format!("line {at}: {fault}")),
            }
        } else if !inside && cells(line).first().is_some_and(|c| split_id(c).is_some()) {
            faults.push(format!("line {at}: a rule outside a table with the header {HEADER:?}"));
        }
    }
    let mut next = BTreeMap::<(&str, &str), u32>::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        if !seen.insert(&row.id) {
            faults.push(format!("line {}: {} is there twice", row.line, row.id));
            continue;
        }
        let (spec, section, number) = split_id(&row.id).expect("rows have well-formed identifiers");
        let expected = next.entry((spec, section)).or_insert(1);
        if number != *expected {
            faults.push(format!("line {}: {} where number {expected} is next", row.line, row.id));
        }
        *expected = number + 1;
    }
    (rows, faults)
}

/// Whether `source` defines `name`: as an item, or, where `inner` is set, as a variant, a field or a method.
fn defines(source: &str, name: &str, inner: bool) -> bool {
    const ITEMS: [&str; 9] =
        ["fn ", "struct ", "enum ", "trait ", "const ", "static ", "type ", "mod ", "macro_rules! "];
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let named = |text: &str| text.strip_prefix(name).is_some_and(ends);
    source.lines().any(|line| {
        let line = line.trim_start();
        if line.starts_with("//") {
            return false;
        }
        if ITEMS.iter().any(|item| line.split(item).skip(1).any(named)) {
            return true;
        }
        let bare = line.strip_prefix("pub ").unwrap_or(line);
        let after = bare.strip_prefix(name).filter(|rest| ends(rest)).map(str::trim_start);
        // Types that a macro of ours defines stand alone on their line, with what the macro needs in parentheses.
        let by_macro = name.starts_with(|c: char| c.is_uppercase())
            && after.is_some_and(|rest| rest.is_empty() || rest.starts_with("(\"") || rest.starts_with("(u"));
        let member = inner
            && after.is_some_and(|rest| {
                rest.is_empty() || rest.starts_with([',', '(', '{', '=']) || rest.starts_with(": ")
            });
        by_macro || member
    })
}

/// Whether `name` is a test in `source`.
fn is_test(source: &str, name: &str) -> bool {
    let mut marked = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[test]") {
            marked = true;
        } else if let Some(rest) = line.strip_prefix("fn ") {
            if marked && rest.strip_prefix(name).is_some_and(|r| r.starts_with(['(', '<'])) {
                return true;
            }
            marked = false;
        }
    }
    false
}

/// What is wrong with a pointer into the repository at `root`.
fn dead(root: &Path, pointer: &Pointer, test: bool) -> Option<String> {
    let Pointer { path, names } = pointer;
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Some(format!("{path} leads out of the repository"));
    }
    let Ok(source) = fs::read_to_string(root.join(path)) else {
        return Some(format!("{path} is not there"));
    };
    if test {
        let [name] = names.as_slice() else { return Some(format!("{path}: a test is one name")) };
        return (!is_test(&source, name)).then(|| format!("{path} has no test {name}"));
    }
    let missing = names.iter().enumerate().find(|(at, name)| !defines(&source, name, *at > 0));
    missing.map(|(_, name)| format!("{path} does not define {name}"))
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in
        fs::read_dir(folder).expect("a folder of the repository").map(|e| e.expect("an entry").path())
    {
        let name = entry.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if name.starts_with('.') || name.starts_with("target") || name == "runs" || name == "node_modules" {
            continue;
        }
        if entry.is_dir() {
            sources(&entry, into);
        } else if name.ends_with(".rs") && name != "spec_mapping.rs" {
            into.push(entry);
        }
    }
}

/// Identifiers of rules that a text cites.
fn cited(text: &str) -> BTreeSet<&str> {
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.');
    text.split(word).map(|w| w.trim_end_matches(['.', '-'])).filter(|w| split_id(w).is_some()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn mapping() -> (Vec<Row>, Vec<String>) {
    parse(&fs::read_to_string(root().join("SPEC-MAPPING.md")).expect("SPEC-MAPPING.md is there"))
}

#[test]
fn the_mapping_is_well_formed_and_has_every_section() {
    let (rows, mut faults) = mapping();
    for (spec, sections) in SECTIONS {
        for section in sections {
            let found = rows.iter().any(|r| r.section == *section && r.id.starts_with(spec));
            if !found {
                faults.push(format!("{spec}, section {section}, has no row"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_pointer_is_dead() {
    let (rows, _) = mapping();
    let faults: Vec<_> = rows
        .iter()
        .flat_map(|row| {
            let code = row.code.iter().filter_map(|p| dead(root(), p, false));
            let tests = row.tests.iter().filter_map(|p| dead(root(), p, true));
            code.chain(tests).map(|fault| format!("line {}, {}: {fault}", row.line, row.id))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rules_that_the_code_cites_are_in_the_mapping() {
    let (rows, _) = mapping();
    let known: BTreeSet<_> = rows.iter().map(|r| r.id.as_str()).collect();
    let mut files = Vec::new();
    sources(root(), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        for id in cited(&text) {
            assert!(known.contains(id), "{} cites {id}, which is no row of SPEC-MAPPING.md", file.display());
        }
    }
}

#[cfg(test)]
mod of_the_parser {
    use super::*;

    fn table(rows: &[&str]) -> String {
        let head = "| ID | Section | Rule | Code | Tests | Status |\n|---|---|---|---|---|---|\n";
        format!("# Title\n\n{head}{}\n", rows.join("\n"))
    }

    fn faults(rows: &[&str]) -> Vec<String> {
        parse(&table(rows)).1
    }

    #[test]
    fn a_good_table_has_no_faults() {
        let rows = [
            "| DAPR-7.2-1 | 7.2 | a rule | `a/b.rs::f` | `a/b.rs::t` | done |",
            "| DAPR-7.2-2 | 7.2 | a rule | `a/b.rs::T::f`, `docs/x.md` | - | partly: no proof |",
            "| CHAIN-3-1 | 3 | a rule | - | - | open: later |",
        ];
        let (parsed, faults) = parse(&table(&rows));
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(parsed.len(), 3);
        assert_eq!(parsed[1].code[0].names, ["T", "f"]);
        assert_eq!(parsed[2].status, Status::Open);
    }

    #[test]
    fn each_fault_is_told() {
        for (bad, why) in [
            ("| DAPR-7.2-0 | 7.2 | r | - | - | open: x |", "malformed identifier"),
            ("| DAPR-7.x-1 | 7.x | r | - | - | open: x |", "malformed identifier"),
            ("| OTHER-1-1 | 1 | r | - | - | open: x |", "malformed identifier"),
            ("| DAPR-7.2-1-1 | 7.2 | r | - | - | open: x |", "malformed identifier"),
            ("| DAPR-7.2-1 | 7.3 | r | - | - | open: x |", "stands under section"),
            ("| DAPR-7.2-1 | 7.2 |  | - | - | open: x |", "has no rule"),
            ("| DAPR-7.2-1 | 7.2 | r | - | - | finished |", "unknown status"),
            ("| DAPR-7.2-1 | 7.2 | r | - | - | open |", "needs a reason"),
            ("| DAPR-7.2-1 | 7.2 | r | `a.rs::f` | - | partly: |", "needs a reason"),
            ("| DAPR-7.2-1 | 7.2 | r | - | - | partly: x |", "partly done without code"),
            ("| DAPR-7.2-1 | 7.2 | r | - | `a.rs::t` | done |", "done without code"),
            ("| DAPR-7.2-1 | 7.2 | r | `a.rs::f` | - | done |", "done without a test"),
            ("| DAPR-7.2-1 | 7.2 | r | a.rs::f | - | open: x |", "not a pointer"),
            ("| DAPR-7.2-1 | 7.2 | r | `a.rs` | - | open: x |", "names something"),
            ("| DAPR-7.2-1 | 7.2 | r | `a.rs::f g` | - | open: x |", "names something"),
            ("| DAPR-7.2-1 | 7.2 | r | - | open: x |", "cells"),
            ("| DAPR-7.2-2 | 7.2 | r | - | - | open: x |", "number 1 is next"),
        ] {
            let found = faults(&[bad]);
            assert!(found.len() == 1 && found[0].contains(why), "{bad} gave {found:?}");
        }
        let row = "| DAPR-7.2-1 | 7.2 | r | - | - | open: x |";
        assert!(faults(&[row, row])[0].contains("there twice"));
        assert!(parse(row).1[0].contains("outside a table"));
    }

    #[test]
    fn definitions_are_told_from_uses() {
        let source = "\
pub struct Bundle {
    pub tags: Vec<u8>,
}
pub enum Phase {
    Open = 0,
    Other { tier: u8 },
}
hex_id!(
    /// A work.
    WorkId
);
// fn commented() {}
fn verify(context: &Context) { check(context) }
const LIMIT: usize = 3;
";
        for name in ["Bundle", "Phase", "WorkId", "verify", "LIMIT"] {
            assert!(defines(source, name, false), "{name}");
        }
        for name in ["Bund", "check", "commented", "context", "Context", "tags"] {
            assert!(!defines(source, name, false), "{name}");
        }
        for member in ["tags", "Open", "Other"] {
            assert!(defines(source, member, true), "{member}");
        }
        assert!(!defines(source, "Closed", true));
    }

    #[test]
    fn only_tests_are_tests() {
        let source = "#[test]\nfn one() {}\nfn helper() {}\n#[test]\n#[ignore]\nfn two() {}\n    #[test]\n    fn three(\n";
        for (name, expected) in [
            ("one", true),
            ("helper", false),
            ("two", true),
            ("three", true),
            ("on", false),
            ("absent", false),
        ] {
            assert_eq!(is_test(source, name), expected, "{name}");
        }
    }

    #[test]
    fn a_pointer_that_leads_nowhere_is_dead() {
        let pointer =
            |path: &str, name: &str| Pointer { path: path.to_owned(), names: vec![name.to_owned()] };
        let alive = pointer("tests/spec_mapping.rs", "a_pointer_that_leads_nowhere_is_dead");
        assert_eq!(dead(root(), &alive, true), None);
        assert_eq!(dead(root(), &alive, false), None);
        let helper = pointer("tests/spec_mapping.rs", "dead");
        assert_eq!(dead(root(), &helper, false), None);
        assert!(dead(root(), &helper, true).is_some_and(|f| f.contains("no test")));
        assert!(
            dead(root(), &pointer("tests/absent.rs", "x"), false).is_some_and(|f| f.contains("not there"))
        );
        assert!(dead(root(), &pointer("../x.rs", "x"), false).is_some_and(|f| f.contains("leads out")));
        let absent = pointer("tests/spec_mapping.rs", ["not", "here"].join("_").as_str());
        assert!(dead(root(), &absent, false).is_some_and(|f| f.contains("does not define")));
    }

    #[test]
    fn citations_are_found_in_prose() {
        let found = cited("// DAPR-7.2-1: \"unique\", see also (CHAIN-3.1-2). Not SHA-512-1, not DAPR-7.2.");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["CHAIN-3.1-2", "DAPR-7.2-1"]);
    }
}
