//! What `cwe bundle show` prints of a bundle: one object for programs, tables for people.

use super::{Proof, Shown};
use crate::output::table;
use proofs::{
    bundle::{Bundle, Part},
    wire::WirePoint,
};
use serde_json::{Value, json};
use sim::report::thousands;
use std::collections::BTreeMap;

/// Where the symbols of the parts are explained.
const NOTE: &str = "docs/notes/bundle-proof.md";

/// Whether the bundle says that it is its subscriber's first of the epoch.
fn is_first(bundle: &Bundle) -> bool {
    bundle.previous == WirePoint::default()
}

/// The one object of `-o json`.
pub(super) fn object(Shown { bytes, bundle, pseudonyms, proof, .. }: &Shown) -> Value {
    let envelope = &bundle.envelope;
    let parts = bundle.parts();
    let lengths = |of_proof: bool| {
        let parts = parts.iter().filter(move |part| part.proof == of_proof);
        parts.map(|part| (part.name, part.bytes)).collect::<BTreeMap<_, _>>()
    };
    let named = parts.iter().filter(|part| !part.symbol.is_empty());
    let symbols: BTreeMap<_, _> = named.map(|part| (part.name, part.symbol)).collect();
    let (verdict, reason) = match proof {
        Proof::Holds => ("holds", None),
        Proof::Refused(error) => ("refused", Some(error.to_string())),
        Proof::NotChecked(why) => ("not checked", Some((*why).to_owned())),
    };
    let hold = pseudonyms.as_ref().map(|_| matches!(proof, Proof::Holds));
    let receipts: Vec<_> = bundle.receipts.iter().map(|receipt| receipt.denomination.views()).collect();
    json!({
        "id": bundle.id(),
        "chain": envelope.chain,
        "epoch": envelope.epoch,
        "shard": envelope.shard,
        "window": envelope.window,
        "tier": envelope.tier,
        "region": envelope.region,
        "key": envelope.key,
        "first_of_subscriber": is_first(bundle),
        "events": bundle.tags.len(),
        "event_tags": bundle.tags,
        "event_pseudonyms": pseudonyms,
        "event_pseudonyms_hold": hold,
        "proof_usage": {
            "verdict": verdict,
            "reason": reason,
            "bytes": lengths(true).values().sum::<usize>(),
            "parts": lengths(true),
        },
        "proof_bandwidth": {
            "region": envelope.region,
            "denominations": receipts,
            "views": bundle.receipted_views(),
        },
        "statement": lengths(false),
        "symbols": symbols,
        "bytes": bytes,
    })
}

/// The tables for people.
pub(super) fn text(shown: &Shown) -> String {
    open(shown) + &pseudonyms(shown) + &receipts(&shown.bundle) + &lengths(shown) + &verdict(&shown.proof)
}

/// What the envelope says.
fn open(Shown { file, bundle, .. }: &Shown) -> String {
    let envelope = &bundle.envelope;
    let first =
        if is_first(bundle) { "the first of its subscriber" } else { "not the first of its subscriber" };
    let open = [
        ("chain", envelope.chain.to_string()),
        ("epoch", envelope.epoch.to_string()),
        ("shard", envelope.shard.to_string()),
        ("window", envelope.window.to_string()),
        ("tier", envelope.tier.to_string()),
        ("region", region(bundle)),
        ("key of the epoch", envelope.key.to_string()),
        ("bundle of the epoch", first.into()),
        ("events", format!("{}, padding included", bundle.tags.len())),
    ];
    let rows = open.map(|(name, value)| [name.into(), value]).into();
    format!("Bundle {} ({file})\n\nWhat it says openly\n{}", bundle.id(), table(["", ""], 2, rows))
}

fn region(bundle: &Bundle) -> String {
    bundle.envelope.region.0.map_or("none".into(), |region| region.to_string())
}

/// Pseudonyms, with how far they can be trusted, or the tags in their place.
fn pseudonyms(Shown { bundle, pseudonyms, proof, .. }: &Shown) -> String {
    let (heading, values): (&str, Vec<String>) = match (pseudonyms, proof) {
        (None, _) => (
            "event_pseudonyms: not known. They need the epoch's key, which --record FOLDER gives; these are the tags C",
            bundle.tags.iter().map(ToString::to_string).collect(),
        ),
        (Some(known), proof) => (
            match proof {
                Proof::Holds => "event_pseudonyms, P = H(K_epoch || C)",
                Proof::Refused(_) => {
                    "event_pseudonyms by this record's K_epoch: not to be relied on, as the proof does not hold"
                }
                Proof::NotChecked(_) => {
                    "event_pseudonyms, P = H(K_epoch || C), if the record is of the bundle's run: not checked"
                }
            },
            known.iter().map(ToString::to_string).collect(),
        ),
    };
    let lines: String = values.iter().map(|value| format!(" {value}\n")).collect();
    format!("\n{heading}\n{lines}")
}

fn receipts(bundle: &Bundle) -> String {
    if bundle.receipts.is_empty() {
        return "\nproof_bandwidth\n no receipts: no event is backed\n".into();
    }
    let mut counts = BTreeMap::<u8, u64>::new();
    for receipt in &bundle.receipts {
        *counts.entry(receipt.denomination.views()).or_default() += 1;
    }
    let rows = counts.iter().map(|(views, n)| [region(bundle), views.to_string(), n.to_string()]);
    let table = table(["region", "denomination", "receipts"], 1, rows.collect());
    format!("\nproof_bandwidth\n{table} {} events are backed\n", bundle.receipted_views())
}

/// The parts of the proof and of its statement, each with its symbol in the note.
fn lengths(Shown { bytes, bundle, .. }: &Shown) -> String {
    let (proof, statement): (Vec<_>, Vec<_>) = bundle.parts().into_iter().partition(|part| part.proof);
    let sum = proof.iter().map(|part| part.bytes).sum::<usize>();
    let parts = |parts: &[Part], all: &str, sum: usize| {
        let row =
            |part: &Part| [part.name.replace('_', " "), part.symbol.into(), thousands(part.bytes as u64)];
        let mut rows: Vec<_> = parts.iter().map(row).collect();
        rows.push([all.into(), String::new(), thousands(sum as u64)]);
        table(["part", "symbol", "bytes"], 2, rows)
    };
    format!(
        "\nproof_usage, in bytes\n{}\nWhat it is about, in bytes\n{}\
         \nSymbols are those of {NOTE}. Its tag T_e is the specification's commitment C_{{w,j}}, the C above.\n",
        parts(&proof, "the proof", sum),
        parts(&statement, "the whole bundle", *bytes),
    )
}

fn verdict(proof: &Proof) -> String {
    match proof {
        Proof::Holds => "\nProof       holds, under the signers' keys beside the record\n".into(),
        Proof::Refused(error) => format!("\nProof       does not hold: {error}\n"),
        Proof::NotChecked(why) => format!("\nProof       not checked: {why}\n"),
    }
}
