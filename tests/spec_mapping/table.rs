//! Reading the tables of rules.

use crate::pointer::Pointer;
use std::collections::{BTreeMap, BTreeSet};

/// Columns of a table of rules. Other tables of the file are not looked at.
const HEADER: [&str; 6] = ["ID", "Section", "Rule", "Code", "Tests", "Status"];

/// Sections of the two specifications that hold rules; each has rows.
pub(crate) const SECTIONS: [(&str, &[&str]); 2] = [
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
pub(crate) enum Status {
    Done,
    Partly,
    Open,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) id: String,
    pub(crate) section: String,
    pub(crate) code: Vec<Pointer>,
    pub(crate) tests: Vec<Pointer>,
    pub(crate) status: Status,
}

/// Splits an identifier such as `DAPR-7.2-1` into specification, section and number.
pub(crate) fn split_id(id: &str) -> Option<(&str, &str, u32)> {
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
pub(crate) fn parse(text: &str) -> (Vec<Row>, Vec<String>) {
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

#[cfg(test)]
mod tests {
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
}
