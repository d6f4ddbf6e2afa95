//! Shapes of the JSON that the API gives, as JSON Schema 2020-12, which OpenAPI 3.1 takes as it is.

use serde_json::{Value, json};

/// A shape of JSON that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    Error,
    Epoch,
    Receipt,
    Pending,
    Status,
    Inclusion,
    Record,
    Statements,
    Evidence,
    Health,
    Ready,
    OpenApi,
}

impl Shape {
    /// Every shape.
    pub(super) const ALL: [Self; 12] = [
        Self::Error,
        Self::Epoch,
        Self::Receipt,
        Self::Pending,
        Self::Status,
        Self::Inclusion,
        Self::Record,
        Self::Statements,
        Self::Evidence,
        Self::Health,
        Self::Ready,
        Self::OpenApi,
    ];

    /// Its name in the document.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::Epoch => "Epoch",
            Self::Receipt => "Receipt",
            Self::Pending => "Pending",
            Self::Status => "Status",
            Self::Inclusion => "Inclusion",
            Self::Record => "Record",
            Self::Statements => "Statements",
            Self::Evidence => "Evidence",
            Self::Health => "Health",
            Self::Ready => "Ready",
            Self::OpenApi => "OpenApi",
        }
    }

    /// A reference to it.
    pub(super) fn reference(self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name()) })
    }

    /// What it is.
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Error => closed(json!({
                "error": text("What is wrong, for people."),
                "kind": text("What is wrong, for programs: a short name that stays the same."),
                "hint": text("What to do next."),
            })),
            Self::Epoch => epoch(),
            Self::Receipt => closed(json!({
                "chain": number("Chain of the epoch."),
                "epoch": number("Epoch of the bundle."),
                "party": party(),
                "bundle": hex(Some(64), "Identifier of the bundle."),
                "signature": hex(Some(128), "The party's Ed25519 signature."),
            })),
            Self::Pending => closed(json!({
                "bundle": hex(Some(64), "Identifier of the bundle."),
                "state": { "type": "string", "enum": ["waiting"] },
            })),
            Self::Status => status(),
            Self::Inclusion => closed(json!({
                "chain": number("Chain that anchored the batch."),
                "epoch": number("Epoch of the bundle."),
                "shard": number("Shard of the bundle."),
                "position": number("Position of the batch in its shard."),
                "bundle": hex(Some(64), "Identifier of the bundle."),
                "index": number("Its place in the batch."),
                "path": { "type": "array", "items": hex(Some(64), "A hash beside the way to the root.") },
                "bytes": hex(None, "Canonical bytes of all of it."),
            })),
            // Its format is the record's own: docs and code of the chain describe it.
            Self::Record => json!({ "type": "object", "description": "The public record of an epoch." }),
            Self::Statements => statements(),
            Self::Evidence => closed(json!({ "evidence": { "type": "array", "items": closed(json!({
                "kind": { "type": "string", "enum": ["equivocation", "omission", "double-use"] },
                "party": party(),
                "bytes": hex(None, "Canonical bytes, which anybody can check."),
            })) } })),
            Self::Health => closed(json!({ "alive": { "type": "boolean" } })),
            Self::Ready => closed(json!({ "ready": { "type": "boolean" } })),
            Self::OpenApi => {
                json!({ "type": "object", "required": ["openapi", "info", "paths", "components"] })
            }
        }
    }
}

fn statements() -> Value {
    let issuer = closed(json!({
        "tier": number("The tier."),
        "key": hex(None, "DER of the key of its token issuer."),
    }));
    let signer = closed(json!({
        "region": number("The region."),
        "denomination": number("Views that a receipt stands for."),
        "key": hex(None, "DER of the key."),
    }));
    closed(json!({
        "bytes": number("Bytes of all parts together."),
        "part_bytes": number("Bytes of each part but the last, which may have fewer."),
        "signers": closed(json!({
            "tiers": { "type": "array", "items": issuer },
            "receipts": { "type": "array", "items": signer },
        })),
    }))
}

fn epoch() -> Value {
    let time = json!({ "type": ["integer", "null"], "description": "Seconds since 1970, if it is known." });
    let tier = closed(json!({
        "tier": number("The tier."),
        "price": number("Price of a subscription, in micro-credits."),
        "max_bundles": number("Most bundles of one subscriber."),
        "value_cap": number("Most value of one subscriber, in 2^-18 views."),
        "sold": number("Subscriptions that were sold."),
        "issuer": { "type": ["string", "null"], "description": "DER of the key of its tokens, if there is one." },
    }));
    let region = closed(json!({
        "region": number("The region."),
        "denomination": number("Views that a receipt stands for."),
        "key": hex(None, "DER of the key of its receipts."),
    }));
    let shard = closed(json!({
        "shard": number("The shard."),
        "width": number("Places of the shard, padding included."),
        "works": { "type": "array", "items": hex(Some(64), "A work, at the place of its index.") },
    }));
    let member = closed(json!({
        "signing": hex(Some(64), "Ed25519 key of a party's signatures."),
        "kem": hex(Some(64), "Key to which shares are sealed."),
    }));
    let opening = closed(json!({
        "chain": number("The chain."),
        "genesis": hex(Some(64), "Digest of the chain's genesis."),
        "epoch": number("The epoch."),
        "beacon": hex(Some(64), "The beacon key."),
        "block": hex(Some(64), "The sealed block that the beacon hashes."),
        "committee": { "type": "array", "items": member },
        "params": { "type": "object", "description": "Parameters of the epoch." },
        "tiers": { "type": "array", "items": tier },
        "regions": { "type": "array", "items": region },
        "shards": { "type": "array", "items": shard },
    }));
    closed(json!({
        "party": party(),
        "phase": { "type": "string", "enum": crate::message::Phase::ALL.map(|phase| phase.name()) },
        "opens": time,
        "closes": time,
        "opening": opening,
    }))
}

/// One of four states, each with what belongs to it.
fn status() -> Value {
    let state = |name: &str, more: Value| {
        let mut fields = json!({
            "bundle": hex(Some(64), "Identifier of the bundle."),
            "state": { "type": "string", "enum": [name] },
        });
        for (name, schema) in more.as_object().expect("given as an object") {
            fields[name.as_str()] = schema.clone();
        }
        closed(fields)
    };
    json!({ "oneOf": [
        state("waiting", json!({})),
        state("provisional", json!({ "receipt": Shape::Receipt.reference() })),
        state("final", json!({ "inclusion": Shape::Inclusion.reference() })),
        state("refused", json!({ "refusal": Shape::Error.reference() })),
    ] })
}

/// An object of exactly these fields.
fn closed(fields: Value) -> Value {
    let required: Vec<_> = fields.as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect();
    json!({ "type": "object", "properties": fields, "required": required, "additionalProperties": false })
}

fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn number(about: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": about })
}

fn party() -> Value {
    json!({ "type": "integer", "minimum": 1, "maximum": 3, "description": "A party." })
}

/// Lower-case hexadecimal digits: so many, or any even number.
fn hex(digits: Option<usize>, about: &str) -> Value {
    let pattern = digits.map_or("^([0-9a-f]{2})*$".to_owned(), |digits| format!("^[0-9a-f]{{{digits}}}$"));
    json!({ "type": "string", "pattern": pattern, "description": about })
}
