//! SPEC-MAPPING.md is kept honest here: every pointer leads to something that is there, every row is well formed, and
//! what is called done has a test.

mod pointer;
mod table;

use pointer::dead;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use table::{Row, SECTIONS, parse, split_id};

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in
        fs::read_dir(folder).expect("a folder of the repository").map(|e| e.expect("an entry").path())
    {
        let name = entry.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if name.starts_with('.')
            || name.starts_with("target")
            || ["runs", "node_modules", "spec_mapping"].contains(&name)
        {
            continue;
        }
        if entry.is_dir() {
            sources(&entry, into);
        } else if name.ends_with(".rs") {
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

#[test]
fn citations_are_found_in_prose() {
    let found = cited("// DAPR-7.2-1: \"unique\", see also (CHAIN-3.1-2). Not SHA-512-1, not DAPR-7.2.");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["CHAIN-3.1-2", "DAPR-7.2-1"]);
}
