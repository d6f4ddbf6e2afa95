//! The OpenRPC document, made of the table of methods (OpenRPC 1.3).

use super::{
    Failure, Service,
    args::{Args, Kind, Param},
    error::codes,
    keys,
    table::{METHODS, Method, SUBSCRIPTIONS, Subscription},
};
use serde_json::{Value, json};

/// Version of the OpenRPC format.
const FORMAT: &str = "1.3.2";

pub(super) fn discover(_: &Service, _: &Args) -> Result<Value, Failure> {
    Ok(document())
}

/// The document.
pub(super) fn document() -> Value {
    let methods = METHODS.iter().map(method);
    let subscriptions = SUBSCRIPTIONS
        .iter()
        .flat_map(|subscription| [self::subscription(subscription), unsubscription(subscription)]);
    json!({
        "openrpc": FORMAT,
        "info": {
            "title": "Clean Web Economy node",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Identifiers, keys and field elements are lower-case hexadecimal digits; field elements are \
                little-endian. Amounts are in micro-credits, times in seconds since 1970.",
        },
        "methods": methods.chain(subscriptions).collect::<Vec<Value>>(),
    })
}

fn param(param: &Param) -> Value {
    let mut object = json!({
        "name": param.name,
        "description": param.about,
        "required": param.required,
        "schema": param.kind.schema(),
    });
    if param.kind == Kind::Key {
        object["x-parts"] = keys::all();
    }
    object
}

fn object(fields: &[&str]) -> Value {
    json!({ "type": "object", "required": fields })
}

fn errors() -> Value {
    json!([
        { "code": codes::RULE, "message": "a rule of the ledger" },
        { "code": codes::MEMPOOL, "message": "a limit of the mempool" },
        { "code": codes::NO_SEQUENCER, "message": "this node takes no transactions" },
        { "code": codes::NOT_FOUND, "message": "there is no such thing" },
        { "code": codes::BUSY, "message": "the node has too much to do at the moment" },
        { "code": codes::FILES, "message": "the node's files fail" },
    ])
}

fn subscription_errors() -> Value {
    json!([{ "code": codes::NEEDS_WEBSOCKET, "message": "subscriptions need a WebSocket" }])
}

fn method(method: &Method) -> Value {
    json!({
        "name": method.name,
        "description": method.about,
        "paramStructure": "either",
        "params": method.params.iter().map(param).collect::<Vec<_>>(),
        "result": { "name": "result", "schema": object(method.result) },
        "errors": errors(),
    })
}

/// A subscription. OpenRPC has no word for what it brings; that stands in an extension.
fn subscription(subscription: &Subscription) -> Value {
    json!({
        "name": subscription.name,
        "description": subscription.about,
        "paramStructure": "either",
        "params": subscription.params.iter().map(param).collect::<Vec<_>>(),
        "result": { "name": "subscription", "schema": { "type": ["string", "integer"] } },
        "x-notification": { "name": subscription.notification, "schema": object(subscription.result) },
        "x-unsubscribe": subscription.unsubscribe,
        "errors": subscription_errors(),
    })
}

fn unsubscription(subscription: &Subscription) -> Value {
    json!({
        "name": subscription.unsubscribe,
        "description": format!("Ends a subscription of {}.", subscription.name),
        "paramStructure": "by-position",
        "params": [{
            "name": "subscription",
            "required": true,
            "schema": { "type": ["string", "integer"] },
        }],
        "result": { "name": "ended", "schema": { "type": "boolean" } },
        "errors": subscription_errors(),
    })
}
