//! Places that a row points to.

use std::{fs, path::Path};

/// A place in the repository: a file, and a name that is defined in it, or a name inside that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub(crate) path: String,
    pub(crate) names: Vec<String>,
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
pub(crate) fn dead(root: &Path, pointer: &Pointer, test: bool) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root;

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
        let alive = pointer("tests/spec_mapping/pointer.rs", "a_pointer_that_leads_nowhere_is_dead");
        assert_eq!(dead(root(), &alive, true), None);
        assert_eq!(dead(root(), &alive, false), None);
        let helper = pointer("tests/spec_mapping/pointer.rs", "dead");
        assert_eq!(dead(root(), &helper, false), None);
        assert!(dead(root(), &helper, true).is_some_and(|f| f.contains("no test")));
        assert!(
            dead(root(), &pointer("tests/absent.rs", "x"), false).is_some_and(|f| f.contains("not there"))
        );
        assert!(dead(root(), &pointer("../x.rs", "x"), false).is_some_and(|f| f.contains("leads out")));
        let absent = pointer("tests/spec_mapping/pointer.rs", ["not", "here"].join("_").as_str());
        assert!(dead(root(), &absent, false).is_some_and(|f| f.contains("does not define")));
    }
}
