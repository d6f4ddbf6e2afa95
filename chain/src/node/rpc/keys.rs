//! Keys of tables as calls spell them: what each is made of, and reading one.

use super::{Failure, args::Args};
use crate::{
    modules::{
        governance::{ModuleId, Say},
        node_rewards::Contribution,
        treasury::Fund,
    },
    poseidon::Felt,
    state::{Part, TableId, ToFelts},
    wallet::address,
};
use primitives::{Decode, Digest, ids};
use serde::Serialize;
use serde_json::{Map, Value, json};

fn kind(part: Part) -> &'static str {
    match part {
        Part::Number => "number",
        Part::Identifier => "identifier",
        Part::Address => "address",
    }
}

/// The parts of a table's keys, in their order.
pub(super) fn parts_object(table: TableId) -> Value {
    let parts = table.part_names().iter().zip(table.parts());
    parts
        .map(|(name, part)| {
            let mut object = json!({ "name": name, "kind": kind(part) });
            if let Some(values) = values(table, name) {
                object["values"] = values;
            }
            object
        })
        .collect()
}

/// The numbers of what a part names, where it names one of a few things.
fn values(table: TableId, part: &str) -> Option<Value> {
    Some(match (table, part) {
        (TableId::FundBalance, "fund") => numbers::<Fund>(),
        (TableId::ModuleVersion, "module") => numbers::<ModuleId>(),
        (TableId::CouncilSay, "say") => numbers::<Say>(),
        (TableId::Metrics, "kind") => numbers::<Contribution>(),
        (TableId::RewardNullifier, "payee_kind") => json!({ "node": 0, "person": 1 }),
        _ => return None,
    })
}

/// Names and numbers of all that one byte can stand for.
fn numbers<T: Decode + Serialize>() -> Value {
    let named = (0..=u8::MAX).filter_map(|number| {
        let name = serde_json::to_value(T::from_bytes(&[number]).ok()?).ok()?;
        Some((name.as_str()?.to_owned(), json!(number)))
    });
    Value::Object(named.collect::<Map<_, _>>())
}

/// The parts of the keys of every table, by its name.
pub(super) fn all() -> Value {
    let all = TableId::ALL.iter().map(|table| (table.name().to_owned(), parts_object(*table)));
    Value::Object(all.collect::<Map<_, _>>())
}

/// Reads the table and the key of a call. A key of another shape has no record under it, and a proof of that would say
/// nothing of the record that was meant.
pub(super) fn read(args: &Args) -> Result<(TableId, Vec<Felt>), Failure> {
    let name = args.text(0)?;
    let table = TableId::ALL.iter().find(|table| table.name() == name);
    let table = *table.ok_or_else(|| args.expected(0, "the name of a table: see cwe_tables"))?;
    let (given, parts) = (args.list(1)?, table.parts());
    let felts: Option<Vec<Vec<Felt>>> =
        given.iter().zip(&parts).map(|(value, part)| felts(value, *part)).collect();
    match felts {
        Some(felts) if given.len() == parts.len() => Ok((table, felts.concat())),
        _ => Err(args.expected(1, &format!("the key of {name}: {}", spelled(table)))),
    }
}

fn spelled(table: TableId) -> String {
    let parts = table.part_names().iter().zip(table.parts());
    let parts: Vec<String> = parts.map(|(name, part)| format!("{name} ({})", kind(part))).collect();
    format!("[{}]", parts.join(", "))
}

/// A part of a key as records spell it.
fn felts(value: &Value, part: Part) -> Option<Vec<Felt>> {
    let bytes = |digits: &str| ids::from_hex(digits).ok();
    Some(match part {
        Part::Number => value.as_u64()?.to_felts(),
        Part::Identifier => Digest(bytes(value.as_str()?)?.try_into().ok()?).to_felts(),
        Part::Address => address::read(value.as_str()?).ok()?.to_felts(),
    })
}
