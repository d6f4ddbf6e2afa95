//! `cwe work verify`.

use super::{
    WorkFailure,
    register::{fingerprint, read_by},
};
use crate::{
    account::{Node, text},
    cli::{Format, work::VerifyWork},
    output::{self, Failure, facts},
};
use chain::wallet::manifest::{Manifest, ManifestError, SignedManifest};
use serde_json::{Value, json};

/// What was checked, whether it holds, and what was found.
#[derive(Debug, PartialEq, Eq)]
struct Check {
    what: &'static str,
    /// None where it says something and decides nothing.
    holds: Option<bool>,
    found: String,
}

impl Check {
    fn of(what: &'static str, expected: &Value, found: &Value) -> Self {
        let holds = expected == found;
        let found = if holds { text(found) } else { format!("{}, and not {}", text(found), text(expected)) };
        Self { what, holds: Some(holds), found }
    }
}

/// Verifies a manifest.
pub(crate) fn verify(arguments: &VerifyWork) -> Result<(), Failure> {
    let signed = read_by(&arguments.manifest, SignedManifest::parse)?;
    let manifest = &signed.manifest;
    let mut checks = of_itself(&signed);
    let (found, bytes) = fingerprint(&arguments.file)?;
    checks.push(Check::of("fingerprint of the file", &json!(manifest.fingerprint), &json!(found)));
    checks.push(Check::of("length of the file", &json!(manifest.bytes), &json!(bytes)));
    if !arguments.offline {
        let node = Node::connect(&arguments.ask.url).map_err(WorkFailure::NoNode)?;
        let chain = node.ask("cwe_chain", &[])?;
        checks.push(Check::of("chain", &json!(manifest.chain), &chain["chain"]));
        let record = node.find("cwe_work", &[json!(manifest.work)])?;
        let account = node.find("cwe_account", &[json!(manifest.creator)])?;
        checks.extend(on_record(&signed, record.as_ref(), account.as_ref()));
    }
    let broken: Vec<&Check> = checks.iter().filter(|check| check.holds == Some(false)).collect();
    match arguments.ask.output {
        Format::Json => output::json(&object(manifest, &checks, broken.is_empty()))?,
        Format::Table => {
            let mark = |check: &Check| match check.holds {
                Some(true) => "✓",
                Some(false) => "✗",
                None => "·",
            };
            let rows =
                checks.iter().map(|check| [format!("{} {}", mark(check), check.what), check.found.clone()]);
            output::print(&format!("Work {}\n\n{}", manifest.work, facts(&rows.collect::<Vec<_>>())))?;
        }
    }
    match broken.first() {
        None => Ok(()),
        Some(first) => {
            let what = format!("{}: {}", first.what, first.found);
            Err(WorkFailure::DoesNotHold { path: arguments.manifest.clone(), what }.into())
        }
    }
}

/// What a manifest says of itself.
fn of_itself(signed: &SignedManifest) -> Vec<Check> {
    let check = |what, checked: Result<(), ManifestError>, good: String| {
        let holds = Some(checked.is_ok());
        Check { what, holds, found: checked.map_or_else(|error| error.to_string(), |()| good) }
    };
    vec![
        check("signature", signed.check_signature(), format!("of key {}", signed.key)),
        check("name of the work", signed.check_work(), "of this fingerprint and this creator".into()),
    ]
}

fn object(manifest: &Manifest, checks: &[Check], holds: bool) -> Value {
    let check = |check: &Check| json!({ "what": check.what, "holds": check.holds, "found": check.found });
    json!({
        "holds": holds,
        "work": manifest.work,
        "manifest": manifest,
        "checks": checks.iter().map(check).collect::<Vec<_>>(),
    })
}

/// What the ledger says of a manifest.
fn on_record(signed: &SignedManifest, record: Option<&Value>, account: Option<&Value>) -> Vec<Check> {
    let manifest = &signed.manifest;
    let Some(record) = record else {
        return vec![Check {
            what: "on record",
            holds: Some(false),
            found: "no such work is registered".into(),
        }];
    };
    let mut checks = vec![
        Check::of("manifest on record", &json!(manifest.digest()), &record["metadata"]),
        Check::of("creator on record", &json!(manifest.creator), &record["creator"]),
        Check::of("media on record", &json!(manifest.media), &record["media"]),
        Check::of("category on record", &json!(manifest.category), &record["category"]),
    ];
    // Keys of accounts may change, and an old manifest stays what it is: its hash is on record.
    let same = account.is_some_and(|account| account["key"] == json!(signed.key));
    checks.push(Check {
        what: "key of the creator's account",
        holds: same.then_some(true),
        found: if same { "the one that signed" } else { "another one now" }.into(),
    });
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::{
        modules::work_registry::{MediaType, work_id},
        signature::SecretKey,
    };
    use primitives::{CategoryId, ChainId, Digest, PersonId};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn signed() -> SignedManifest {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (fingerprint, creator) = (Digest([1; 32]), PersonId([2; 32]));
        let manifest = Manifest {
            chain: ChainId(1),
            work: work_id(&fingerprint, &creator),
            creator,
            fingerprint,
            bytes: 3,
            media: MediaType::Text,
            category: CategoryId(4),
            title: None,
        };
        manifest.sign(&SecretKey::generate(&mut rng), &mut rng)
    }

    /// Whatever was changed, the answer has the same shape, and names each check that fails.
    #[test]
    fn a_changed_manifest_is_told_check_by_check() {
        let fails = |signed: &SignedManifest| {
            let checks = of_itself(signed);
            checks
                .iter()
                .filter(|check| check.holds == Some(false))
                .map(|check| check.what)
                .collect::<Vec<_>>()
        };
        let good = signed();
        assert!(fails(&good).is_empty());
        let mut titled = good.clone();
        titled.manifest.title = Some("Another".into());
        assert_eq!(fails(&titled), ["signature"]);
        let mut renamed = good;
        renamed.manifest.fingerprint = Digest([7; 32]);
        assert_eq!(fails(&renamed), ["signature", "name of the work"]);
        let shown = object(&renamed.manifest, &of_itself(&renamed), false);
        assert_eq!((&shown["holds"], shown["checks"].as_array().map(Vec::len)), (&json!(false), Some(2)));
    }

    #[test]
    fn what_is_on_record_is_compared() {
        let signed = signed();
        let account = json!({ "key": signed.key });
        let record = json!({
            "metadata": signed.manifest.digest(), "creator": signed.manifest.creator, "media": "text", "category": 4,
        });
        let checks = on_record(&signed, Some(&record), Some(&account));
        assert!(checks.iter().all(|check| check.holds == Some(true)), "{checks:?}");
        for (name, value) in [
            ("metadata", json!("00")),
            ("creator", json!("00")),
            ("media", json!("audio")),
            ("category", json!(5)),
        ] {
            let mut other = record.clone();
            other[name] = value;
            let checks = on_record(&signed, Some(&other), Some(&account));
            assert_eq!(checks.iter().filter(|check| check.holds == Some(false)).count(), 1, "{name}");
        }
        let rotated = on_record(&signed, Some(&record), Some(&json!({ "key": "00" })));
        assert_eq!(rotated.iter().filter(|check| check.holds.is_none()).count(), 1);
        assert_eq!(on_record(&signed, None, None)[0].holds, Some(false));
    }
}
