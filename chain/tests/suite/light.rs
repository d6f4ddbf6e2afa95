//! Every value of the public record is checked or bound.

use crate::world::*;
use chain::{
    light::{Anchoring, Decimal128, EpochRecord, Finding, record, verify},
    modules::dapr::SettleError,
};
use primitives::{Credits, Digest, ShardIndex};
use serde_json::Value;

const SHARD: ShardIndex = ShardIndex(0);

fn sound() -> EpochRecord {
    record(&World::settled().ledger, FIRST).expect("settled")
}

fn text(record: &EpochRecord) -> String {
    serde_json::to_string(record).expect("serialises")
}

/// Whether a program that reads this JSON would accept it.
fn accepted(json: &Value) -> bool {
    let read = serde_json::from_value::<EpochRecord>(json.clone());
    read.is_ok_and(|record| verify(&record, None).is_ok())
}

/// Every change of one place of a JSON tree: other numbers, other strings, flipped flags, elements and fields that
/// are missing or too many. `path` names the place for whoever reads a failure.
fn changes(value: &Value, path: &str, out: &mut Vec<(String, Value)>) {
    let mut change = |what: &str, value: Value| out.push((format!("{path} {what}"), value));
    match value {
        Value::Null => change("set", Value::from(1)),
        Value::Bool(flag) => change("flipped", Value::from(!flag)),
        Value::Number(number) => {
            let number = number.as_u64().expect("the record's numbers are unsigned integers");
            change("plus one", Value::from(number.wrapping_add(1)));
            change("largest", Value::from(u64::MAX));
            change("large", Value::from(1u64 << 53));
            if number > 0 {
                change("minus one", Value::from(number - 1));
                change("zero", Value::from(0));
            }
            change("as text", Value::from(number.to_string()));
        }
        Value::String(text) => {
            change("longer", Value::from(format!("{text}0")));
            change("leading zero", Value::from(format!("0{text}")));
            change("empty", Value::from(""));
            if let Some(last) = text.chars().last() {
                let other = if last == '1' { '2' } else { '1' };
                change("last digit", Value::from(format!("{}{other}", &text[..text.len() - 1])));
                let first = if text.starts_with('1') { '2' } else { '1' };
                change("first digit", Value::from(format!("{first}{}", &text[1..])));
            }
            if text.bytes().any(|b| b.is_ascii_lowercase()) {
                change("upper case", Value::from(text.to_uppercase()));
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                let with = |edit: fn(&mut Vec<Value>, usize)| {
                    let mut items = items.clone();
                    edit(&mut items, i);
                    Value::from(items)
                };
                out.push((format!("{path}[{i}] removed"), with(|items, i| drop(items.remove(i)))));
                out.push((format!("{path}[{i}] twice"), with(|items, i| items.insert(i, items[i].clone()))));
                if i > 0 && items[i] != items[i - 1] {
                    out.push((format!("{path}[{i}] swapped"), with(|items, i| items.swap(i, i - 1))));
                }
                let mut inner = Vec::new();
                changes(item, &format!("{path}[{i}]"), &mut inner);
                for (what, changed) in inner {
                    let mut items = items.clone();
                    items[i] = changed;
                    out.push((what, Value::from(items)));
                }
            }
            if items.is_empty() {
                out.push((format!("{path} filled"), Value::from(vec![1])));
            }
        }
        Value::Object(fields) => {
            let mut more = fields.clone();
            more.insert("extra".into(), Value::from(1));
            out.push((format!("{path} with an unknown field"), Value::from(more)));
            for (name, item) in fields {
                let mut fewer = fields.clone();
                fewer.remove(name);
                out.push((format!("{path}.{name} removed"), Value::from(fewer)));
                let mut inner = Vec::new();
                changes(item, &format!("{path}.{name}"), &mut inner);
                for (what, changed) in inner {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), changed);
                    out.push((what, Value::from(fields)));
                }
            }
        }
    }
}

#[test]
fn no_value_of_the_record_can_be_changed() {
    let json = serde_json::to_value(sound()).expect("serialises");
    assert!(accepted(&json));
    let mut all = Vec::new();
    changes(&json, "record", &mut all);
    assert!(all.len() > 2_500, "{} changes", all.len());
    let missed: Vec<_> = all.iter().filter(|(_, json)| accepted(json)).map(|(what, _)| what).collect();
    assert_eq!(missed, Vec::<&String>::new());
}

#[test]
fn the_record_has_the_fields_of_spec_7_5() {
    let json = serde_json::to_value(sound()).expect("serialises");
    let works = json["works"].as_array().expect("a list");
    assert_eq!(works.len(), 5);
    for work in works {
        assert_eq!(work["work_id"].as_str().map(str::len), Some(64));
        assert!(work["weighted_usage"].as_str().is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit())));
        assert!(work["raw_usage"].is_u64() && work["bandwidth"].is_u64() && work["payout"].is_u64());
        assert_eq!(work["epoch"], FIRST.0);
        assert!(work["reputation"].is_u64() && work["discovery_weight"].is_string());
    }
}

#[test]
fn the_record_is_the_same_byte_for_byte_and_stays_so() {
    let mut world = World::settled();
    let first = text(&record(&world.ledger, FIRST).expect("settled"));
    assert_eq!(first, text(&sound()));
    for claim in world.ledger.state().claims_of_epoch(FIRST) {
        world.open_ok(chain::Payload::Claim(claim));
    }
    world.run_epoch(primitives::EpochId(FIRST.0 + 1), &bundles());
    assert_eq!(first, text(&record(&world.ledger, FIRST).expect("settled")));
    let read: EpochRecord = serde_json::from_str(&first).expect("reads back");
    assert_eq!(text(&read), first);
}

#[test]
fn an_epoch_that_is_not_sealed_has_no_record() {
    let mut world = World::aggregated();
    let missing = chain::light::RecordError::NotSettled { epoch: FIRST };
    assert_eq!(record(&world.ledger, FIRST), Err(missing.clone()));
    world.open_ok(finalise(FIRST));
    assert_eq!(record(&world.ledger, FIRST), Err(missing));
}

/// An attacker who owns every key of a chain of his own writes a record in which all figures fit together.
#[test]
fn a_made_up_chain_is_never_taken_for_the_trusted_one() {
    let honest = verify(&sound(), None).expect("sound");
    let mut attacker = World::opened();
    let mut votes = bundles();
    votes.push((group(0, 0), vec![plays(4, 9, false)]));
    attacker.count(FIRST, &votes);
    attacker.open_ok(finalise(FIRST));
    attacker.seal();
    let forged = record(&attacker.ledger, FIRST).expect("settled");
    let verdict = verify(&forged, None).expect("consistent in itself");
    assert_eq!(verdict.anchoring, Anchoring::NotAnchored);
    let refused = verify(&forged, Some(honest.state_root)).expect_err("another chain");
    let (expected, found) = (honest.state_root, verdict.state_root);
    assert_eq!(refused.findings, [Finding::TrustedRoot { expected, found }]);
    // Nor does it help him to write the trusted root into his record.
    let mut root_too = forged.clone();
    root_too.state.root = sound().state.root;
    assert_eq!(verify(&root_too, Some(honest.state_root)).expect_err("forged").findings, [Finding::Table]);
    // Or the whole of the trusted record's place in the state.
    let moved = EpochRecord { state: sound().state, ..forged };
    let findings = verify(&moved, Some(honest.state_root)).expect_err("forged").findings;
    assert!(matches!(findings[..], [Finding::Leaf(_)]), "{findings:?}");
}

#[test]
fn the_findings_name_what_does_not_hold() {
    let sound = sound();
    let work = sound.works[0].work_id;
    let findings = |record: &EpochRecord| verify(record, None).expect_err("changed").findings;

    let mut record = sound.clone();
    record.works[0].payout = Credits(record.works[0].payout.0 + 1);
    assert_eq!(findings(&record), [Finding::Work { work, field: "payout" }]);

    let mut record = sound.clone();
    record.revenue.fee = Credits(0);
    let (expected, found) = (sound.revenue.fee, Credits(0));
    assert_eq!(findings(&record), [Finding::Money { field: "fee", expected, found }]);

    // A total moved from one work to another: the commitments do not open, and the figures differ.
    let mut record = sound.clone();
    record.shards[0].totals[0].value += 1;
    let found = findings(&record);
    assert!(matches!(found[0], Finding::Tally { .. }), "{found:?}");
    assert!(found.contains(&Finding::Work { work, field: "raw_usage" }));

    let mut record = sound.clone();
    record.shards[0].headers[1].count += 1;
    assert!(matches!(findings(&record)[0], Finding::Header { position: 1, .. }));

    let mut record = sound.clone();
    record.beacon.block = Digest([9; 32]);
    assert_eq!(findings(&record)[0], Finding::BeaconKey);

    // What cannot be recomputed is bound by the leaf.
    let mut record = sound.clone();
    record.works[0].creator = person(3);
    let found = findings(&record);
    assert!(matches!(found[..], [Finding::Leaf(_)]), "{found:?}");
}

/// Each rule of the check, broken alone, is named by its own finding.
#[test]
fn every_rule_has_its_finding() {
    let sound = sound();
    type Edit = fn(&mut EpochRecord);
    type Named = fn(&Finding) -> bool;
    let rules: [(Edit, Named); 33] = [
        (|r| r.format = 1, |f| *f == Finding::Format { found: 1 }),
        (|r| r.scales.price = "1".into(), |f| *f == Finding::Scales),
        (|r| r.beacon.reveals.swap(0, 1), |f| *f == Finding::Reveals),
        (|r| r.beacon.reveals.truncate(1), |f| *f == Finding::Reveals),
        (|r| r.beacon.key = digest(0), |f| *f == Finding::BeaconKey),
        (|r| r.beacon.skipped.clear(), |f| *f == Finding::Skipped),
        (|r| r.committee[1] = r.committee[0].clone(), |f| matches!(f, Finding::Committee(_))),
        (|r| r.params.alpha = 0, |f| matches!(f, Finding::Params(_))),
        (|r| r.tiers[0].max_bundles = 0, |f| *f == Finding::Tiers),
        (|r| r.tiers[0].value_cap = 1, |f| *f == Finding::Tiers),
        (|r| r.tiers = vec![r.tiers[0].clone(); 9], |f| *f == Finding::Tiers),
        (|r| r.works[4].shard = ShardIndex(1), |f| *f == Finding::Shards { expected: 2, found: 1 }),
        (|r| r.shard_width = 3, |f| matches!(f, Finding::Shard(_))),
        (|r| r.works.swap(0, 1), |f| matches!(f, Finding::Shard(_))),
        (|r| r.works[2].splits.swap(0, 1), |f| matches!(f, Finding::Splits { .. })),
        (
            |r| r.shards[0].headers[1].running.swap(0, 1),
            |f| *f == Finding::RunningOrder { shard: SHARD, position: 1 },
        ),
        (
            |r| r.shards[0].headers[0].running[0].shares[2].0 = [0xff; 32],
            |f| *f == Finding::RunningPoint { shard: SHARD, position: 0 },
        ),
        (
            |r| r.shards[0].headers[1].previous = digest(0),
            |f| matches!(f, Finding::Header { position: 1, .. }),
        ),
        (|r| r.shards[0].root.batches += 1, |f| matches!(f, Finding::Root { .. })),
        (|r| r.shards[0].totals.swap(0, 1), |f| matches!(f, Finding::Cell { .. })),
        (
            |r| r.shards[0].proof.tiers[0].response.blinding = curve25519_dalek::scalar::Scalar::ONE.into(),
            |f| matches!(f, Finding::Tally { .. }),
        ),
        (|r| r.shards[0].after[0].shares[1].0 = [0xff; 32], |f| matches!(f, Finding::Carried { .. })),
        (|r| r.shards[0].before = r.shards[0].after.clone(), |f| matches!(f, Finding::Tally { .. })),
        (|r| r.shards[0].squares.swap(0, 1), |f| *f == Finding::Squares { shard: SHARD }),
        (|r| r.shards[0].squares[0].sum = Decimal128(1 << 40), |f| matches!(f, Finding::Tally { .. })),
        (
            |r| r.shards[0].aggregate_signatures = Default::default(),
            |f| matches!(f, Finding::AggregateSignatures { .. }),
        ),
        (|r| r.tiers[1].subscriptions += 1, |f| matches!(f, Finding::Settle(_))),
        (
            |r| r.tiers[1].sold = r.tiers[1].subscriptions + 1,
            |f| matches!(f, Finding::Settle(SettleError::FewerThanSold { .. })),
        ),
        (|r| r.sum_of_weights = Default::default(), |f| *f == Finding::SumOfWeights),
        (|r| r.payout_root = 1u64.into(), |f| *f == Finding::PayoutRoot),
        (|r| r.health.gini += 1, |f| *f == Finding::Health { field: "gini" }),
        (|r| r.state.table.siblings.clear(), |f| matches!(f, Finding::TablePath(_))),
        (|r| r.state.table.position = 0, |f| *f == Finding::Table),
    ];
    for (place, (edit, named)) in rules.into_iter().enumerate() {
        let mut record = sound.clone();
        edit(&mut record);
        let refused = verify(&record, None).expect_err("changed");
        assert!(refused.findings.iter().any(named), "rule {place}: {refused}");
    }
}
