//! Licences and sources of everything that is compiled, without any tool but cargo. `deny.toml` holds the one list of
//! licences; where cargo-deny is installed, `./test dependencies` checks the rest of that file.

use std::{collections::BTreeSet, path::Path, process::Command};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The quoted entries of the list `allow = [ ... ]` in `deny.toml`.
fn allowed(deny: &str) -> BTreeSet<&str> {
    let list = deny.split_once("\nallow = [").expect("deny.toml lists licences").1;
    let list = list.split_once(']').expect("the list ends").0;
    list.split('"').skip(1).step_by(2).collect()
}

/// Licences that single packages may have besides: each `[[licenses.exceptions]]` of `deny.toml`.
fn exceptions(deny: &str) -> BTreeSet<(&str, &str)> {
    let tables = deny.split("[[licenses.exceptions]]").skip(1);
    let entry = |table: &'_ str| -> (usize, usize) {
        let quoted: Vec<_> = table.match_indices('"').map(|(at, _)| at).collect();
        (quoted[0], quoted[1])
    };
    let mut found = BTreeSet::new();
    for table in tables {
        let (start, end) = entry(table);
        let (package, rest) = (&table[start + 1..end], &table[end + 1..]);
        let (start, end) = entry(rest);
        found.insert((package, &rest[start + 1..end]));
    }
    found
}

/// Whether a licence expression holds with the licences that `is_allowed` accepts. `AND` binds before `OR`; `/` is an
/// old way to write `OR`.
fn satisfied(expression: &str, is_allowed: &impl Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut at = 0;
    let holds = any_of(&words, &mut at, is_allowed);
    holds && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, is_allowed: &impl Fn(&str) -> bool) -> bool {
    let mut holds = all_of(words, at, is_allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        holds |= all_of(words, at, is_allowed);
    }
    holds
}

fn all_of(words: &[&str], at: &mut usize, is_allowed: &impl Fn(&str) -> bool) -> bool {
    let mut holds = one_of(words, at, is_allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        holds &= one_of(words, at, is_allowed);
    }
    holds
}

fn one_of(words: &[&str], at: &mut usize, is_allowed: &impl Fn(&str) -> bool) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let holds = any_of(words, at, is_allowed);
        *at += 1;
        return holds;
    }
    if words.get(*at) == Some(&"WITH") {
        *at += 2;
        let with = words[*at - 3..(*at).min(words.len())].join(" ");
        return is_allowed(&with);
    }
    is_allowed(word)
}

#[test]
fn every_licence_is_on_the_list() {
    let deny = read("deny.toml");
    let (allowed, exceptions) = (allowed(&deny), exceptions(&deny));
    assert!(allowed.contains("Apache-2.0") && allowed.contains("MIT"), "the list was read: {allowed:?}");
    let arguments =
        ["tree", "--workspace", "--locked", "--offline", "--edges", "normal,build,dev", "--prefix", "none"];
    let tree = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--format", "{p}|{l}|"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("cargo writes UTF-8");
    let mut seen = 0;
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let mut fields = line.split('|');
        let (package, licence) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        let name = package.split(' ').next().unwrap_or("");
        let may = |l: &str| allowed.contains(l) || exceptions.contains(&(name, l));
        assert!(satisfied(licence, &may), "{package} has the licence {licence:?}");
        seen += 1;
    }
    assert!(seen > 50, "the tree was read: {seen} lines");
}

#[test]
fn every_package_is_ours_or_of_the_one_registry_with_a_checksum() {
    let lock = read("Cargo.lock");
    let manifest = read("Cargo.toml");
    let mut registries = BTreeSet::new();
    let mut ours = BTreeSet::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let prefix = format!("{name} = \"");
            package.lines().find_map(|l| Some(l.strip_prefix(&prefix)?.strip_suffix('"')?.to_owned()))
        };
        let name = field("name").expect("a package has a name");
        match field("source") {
            Some(source) => {
                assert!(source.starts_with("registry+"), "{name} comes from {source}");
                assert!(field("checksum").is_some_and(|c| c.len() == 64), "{name} has no checksum");
                registries.insert(source);
            }
            None => drop(ours.insert(name)),
        }
    }
    assert_eq!(registries.len(), 1, "one registry serves everything: {registries:?}");
    let members = manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']'));
    let members = members.expect("the workspace lists its members").0;
    let mut expected: BTreeSet<_> = members.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    expected.insert("cwe".to_owned());
    assert_eq!(ours, expected, "packages without a source are the workspace's own");
}

#[test]
fn licence_expressions_are_read_as_they_are_meant() {
    let allowed = |l: &str| ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].contains(&l);
    for good in [
        "MIT",
        "MIT/Other",
        "Other OR MIT",
        "MIT AND Zlib",
        "(MIT OR Other) AND Zlib",
        "Other OR MIT AND Zlib",
    ] {
        assert!(satisfied(good, &allowed), "{good}");
    }
    for bad in
        ["", "Other", "MIT AND Other", "(MIT OR Zlib) AND Other", "MIT WITH LLVM-exception", "MIT Zlib"]
    {
        assert!(!satisfied(bad, &allowed), "{bad}");
    }
    assert!(satisfied("Apache-2.0 WITH LLVM-exception", &allowed));
}
