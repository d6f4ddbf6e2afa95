//! The OpenAPI document, made of the table of routes (OpenAPI 3.1).

use super::{
    schema::Shape,
    table::{Answer, Content, Endpoint, Place, ROUTES, Route},
};
use primitives::limits::MAX_BUNDLE_BYTES;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// Version of the OpenAPI format.
const FORMAT: &str = "3.1.0";

/// The document, as it is served.
pub(super) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| document().to_string())
}

/// The document.
fn document() -> Value {
    let mut paths = json!({});
    for route in ROUTES {
        paths[route.path][route.method.name()] = operation(route);
    }
    let mut schemas = json!({});
    for shape in Shape::ALL {
        schemas[shape.name()] = shape.schema();
    }
    json!({
        "openapi": FORMAT,
        "info": {
            "title": "Clean Web Economy party",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": "Takes bundles in for one of the three parties of a committee, and tells what became of them. \
                Identifiers, keys and signatures are lower-case hexadecimal digits, times are seconds since 1970. Every \
                answer that is an error has the shape Error. A path that is not here is answered with 404, another \
                method with 405, and a connection too many with 429. A request whose head is no HTTP, too long or too \
                slow is answered with 400, 431 or 408 and no body.",
        },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn operation(route: &Route) -> Value {
    let mut responses = json!({});
    for answer in route.answers {
        responses[answer.status.to_string()] = response(route, answer);
    }
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.about,
        "parameters": route.places.iter().copied().map(parameter).collect::<Vec<_>>(),
        "responses": responses,
    });
    if route.endpoint == Endpoint::Submit {
        operation["requestBody"] = json!({
            "required": true,
            "description": format!("The canonical bytes of one bundle, {MAX_BUNDLE_BYTES} at most."),
            "content": { "application/octet-stream": {} },
        });
    }
    operation
}

fn parameter(place: Place) -> Value {
    let number = json!({ "type": "integer", "minimum": 0 });
    let (about, schema) = match place {
        Place::Bundle => {
            ("Identifier of a bundle.", json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }))
        }
        Place::Epoch => ("Number of an epoch.", number),
        Place::Part => ("Number of a part, from 0 on.", number),
    };
    json!({ "name": place.name(), "in": "path", "required": true, "description": about, "schema": schema })
}

fn response(route: &Route, answer: &Answer) -> Value {
    let json = |shape: Shape| json!({ "schema": shape.reference() });
    let content = match answer.content {
        Content::Json(shape) => json!({ "application/json": json(shape) }),
        Content::Bytes => json!({ "application/octet-stream": {} }),
        Content::JsonOrBytes(shape) => {
            json!({ "application/json": json(shape), "application/octet-stream": {} })
        }
        Content::Text => json!({ "text/plain": { "schema": { "type": "string" } } }),
    };
    let mut headers = json!({});
    if answer.retry {
        headers["retry-after"] = json!({
            "description": "Seconds after which to come again, if that is of use.",
            "schema": { "type": "integer", "minimum": 1 },
        });
    }
    if route.endpoint == Endpoint::Submit && answer.status == 202 {
        headers["location"] = json!({
            "description": "Path of the bundle's status.",
            "schema": { "type": "string" },
        });
    }
    json!({ "description": answer.about, "headers": headers, "content": content })
}
