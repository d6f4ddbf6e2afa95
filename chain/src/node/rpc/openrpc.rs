//! The OpenRPC document, made of the table of methods (OpenRPC 1.3).

use super::{
    Failure, MAX_BATCH, MAX_CALLS, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, MAX_SUBSCRIPTIONS, Service,
    args::{Args, Kind, MAX_PAGE, Param},
    error::{MEANINGS, codes},
    keys,
    table::{METHODS, Method, SUBSCRIPTIONS, Subscription, UNSUBSCRIBE},
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
                little-endian. Amounts are in micro-credits, times in seconds since 1970. Several calls in one request \
                are for HTTP; a WebSocket takes one a message.",
        },
        "x-limits": limits(),
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

/// Errors of a call: those of subscriptions come from these alone.
fn errors() -> Value {
    let of_subscriptions = [codes::NEEDS_WEBSOCKET, codes::SUBSCRIPTIONS];
    let of_calls = MEANINGS.iter().filter(|(code, _)| !of_subscriptions.contains(code));
    of_calls.map(|(code, message)| json!({ "code": code, "message": message })).collect()
}

fn subscription_errors() -> Value {
    let ours = [codes::RULE, codes::MEMPOOL, codes::NO_SEQUENCER, codes::NOT_FOUND, codes::FILES];
    let mut all: Vec<_> = MEANINGS.iter().filter(|(code, _)| !ours.contains(code)).collect();
    all.sort_by_key(|(code, _)| *code != codes::NEEDS_WEBSOCKET);
    all.into_iter().map(|(code, message)| json!({ "code": code, "message": message })).collect()
}

/// What one request, one answer and one connection may have.
fn limits() -> Value {
    json!({
        "batch_calls": MAX_BATCH,
        "batches": "over HTTP alone",
        "request_bytes": MAX_REQUEST_BYTES,
        "answer_bytes": MAX_RESPONSE_BYTES,
        "subscriptions_of_a_connection": MAX_SUBSCRIPTIONS,
        "calls_under_way_of_a_websocket": MAX_CALLS,
        "items_of_a_page": MAX_PAGE,
    })
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
        "paramStructure": "either",
        "params": UNSUBSCRIBE.iter().map(param).collect::<Vec<_>>(),
        "result": { "name": "ended", "schema": { "type": "boolean" } },
        "errors": subscription_errors(),
    })
}
