//! What each route answers.

use super::{
    Service,
    body::Long,
    desk::{Busy, EpochInfo, PART_BYTES, Statements, Status},
    door,
    problem::Problem,
    submit::submit,
    table::{Endpoint, Route},
};
use crate::party::evidence::Evidence;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, ALLOW, CACHE_CONTROL, VARY},
    web::{Bytes, Data, Payload, block},
};
use primitives::{Digest, Encode, EpochId, ids::to_hex};
use proofs::inclusion::Inclusion;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How long a record may be kept by whoever asked for it. It is final: an hour only bounds what a false one would do.
const RECORD_CACHE: &str = "public, max-age=3600";
/// Bytes that have no other format than this project's.
const BYTES: &str = "application/octet-stream";
/// Format of Prometheus, which is asked for by this name.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers a request of a route, and counts it by the route's name.
pub(super) async fn answer(
    route: &'static Route,
    request: HttpRequest,
    body: Payload,
    service: Data<Service>,
) -> HttpResponse {
    // Whoever was turned away at the door may have asked before that was said.
    let answered = match request.conn_data::<door::Place>() {
        Some(_) => endpoint(route.endpoint, &request, body, &service).await,
        None => Err(Problem::Crowded),
    };
    let response = answered.unwrap_or_else(|problem| problem.response());
    service.desk.telemetry().answered(route.name, response.status().as_u16());
    response
}

/// Answers a method that a route does not take.
pub(super) async fn other_method(
    route: &'static Route,
    request: HttpRequest,
    service: Data<Service>,
) -> HttpResponse {
    let allow = route.method.allow();
    let response = if request.method() == actix_web::http::Method::OPTIONS {
        HttpResponse::NoContent().insert_header((ALLOW, allow)).finish()
    } else {
        Problem::Method { allow }.response()
    };
    service.desk.telemetry().answered(route.name, response.status().as_u16());
    response
}

/// Answers a path that no route has.
pub(super) async fn no_route(service: Data<Service>) -> HttpResponse {
    let response = Problem::NoRoute.response();
    service.desk.telemetry().answered("none", response.status().as_u16());
    response
}

async fn endpoint(
    endpoint: Endpoint,
    request: &HttpRequest,
    body: Payload,
    service: &Service,
) -> Result<HttpResponse, Problem> {
    let desk = &service.desk;
    match endpoint {
        Endpoint::Epoch => Ok(epoch(&desk.epoch().ok_or(Problem::NoEpoch)?)),
        Endpoint::EpochDocument => Ok(long(BYTES, [desk.epoch().ok_or(Problem::NoEpoch)?.edition.bytes()])),
        Endpoint::Submit => submit(request, body, service).await,
        Endpoint::Status => {
            let id = bundle(request)?;
            Ok(json(&status(id, desk.status(&id))?))
        }
        Endpoint::Inclusion => {
            let wants_bytes = request.headers().get(ACCEPT).is_some_and(|accept| accept == BYTES);
            match desk.status(&bundle(request)?) {
                Status::Final(found) => Ok(final_receipt(&found, wants_bytes)),
                Status::Unknown => Err(Problem::UnknownBundle),
                Status::Waiting | Status::Provisional(_) | Status::Refused(_) => Err(Problem::NotFinal),
            }
        }
        Endpoint::Record => {
            let (epoch, asked) = (named_epoch(request)?, desk.clone());
            let record = from_disk(move || asked.record(epoch)).await?.ok_or(Problem::NoRecord)?;
            Ok(shared("application/json", record))
        }
        Endpoint::Statements => {
            let (epoch, asked) = (named_epoch(request)?, desk.clone());
            let found = from_disk(move || Ok(asked.statements(epoch))).await?;
            Ok(json(&statements(&found.ok_or(Problem::NoStatements)?)))
        }
        Endpoint::StatementsPart => {
            let (epoch, asked) = (named_epoch(request)?, desk.clone());
            let part = request.match_info().query("part").parse::<u32>().map_err(|_| Problem::NotAPart)?;
            let part = from_disk(move || asked.statements_part(epoch, part)).await?;
            Ok(shared(BYTES, part.ok_or(Problem::NoStatements)?))
        }
        Endpoint::Evidence => {
            let found: Vec<_> = desk.evidence().iter().map(|found| evidence(found)).collect();
            Ok(json(&json!({ "evidence": found })))
        }
        Endpoint::Health => desk.health().map(|()| json(&json!({ "alive": true }))).map_err(Problem::Unwell),
        Endpoint::Ready => desk.ready().map(|()| json(&json!({ "ready": true }))).map_err(Problem::NotReady),
        Endpoint::Metrics => Ok(text(PROMETHEUS, desk.metrics())),
        Endpoint::OpenApi => Ok(text("application/json", super::openapi::text())),
    }
}

/// An answer of JSON.
pub(super) fn json(value: &impl Serialize) -> HttpResponse {
    text(
        "application/json",
        serde_json::to_string(value).expect("numbers, texts and lists of them have JSON"),
    )
}

fn text(kind: &str, text: impl Into<Bytes>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store")).content_type(kind);
    response.body(text.into())
}

fn long<const N: usize>(kind: &str, parts: [Bytes; N]) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store")).content_type(kind);
    response.body(Long::new(parts))
}

/// What takes a disk to find out.
async fn from_disk<T: Send + 'static>(
    find: impl FnOnce() -> Result<Option<T>, Busy> + Send + 'static,
) -> Result<Option<T>, Problem> {
    let found = block(find).await.map_err(|_| Problem::Unreadable)?;
    found.map_err(|Busy| Problem::Unreadable)
}

/// An answer that stays the same, and that many readers may have at a time.
fn shared(kind: &str, bytes: Arc<[u8]>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, RECORD_CACHE)).content_type(kind);
    response.body(Long::new([Bytes::from_owner(bytes)]))
}

fn named_epoch(request: &HttpRequest) -> Result<EpochId, Problem> {
    request.match_info().query("epoch").parse().map_err(|_| Problem::NotAnEpoch)
}

fn statements(found: &Statements) -> Value {
    let Statements { bytes, signers } = found;
    json!({ "bytes": bytes, "part_bytes": PART_BYTES, "signers": signers })
}

fn bundle(request: &HttpRequest) -> Result<Digest, Problem> {
    request.match_info().query("id").parse().map_err(|_| Problem::NotAnId)
}

/// The epoch for readers. What it opened with was laid out once.
fn epoch(info: &EpochInfo) -> HttpResponse {
    let EpochInfo { party, phase, opens, closes, edition } = info;
    let [opens, closes] = [opens, closes].map(|time| json!(time));
    let now = format!(
        r#"{{"party":{party},"phase":"{}","opens":{opens},"closes":{closes},"opening":"#,
        phase.name()
    );
    long("application/json", [now.into(), edition.view(), Bytes::from_static(b"}")])
}

fn status(id: Digest, status: Status) -> Result<Value, Problem> {
    Ok(match status {
        Status::Unknown => return Err(Problem::UnknownBundle),
        Status::Waiting => json!({ "bundle": id, "state": "waiting" }),
        Status::Provisional(receipt) => json!({ "bundle": id, "state": "provisional", "receipt": receipt }),
        Status::Final(found) => json!({ "bundle": id, "state": "final", "inclusion": inclusion(&found) }),
        Status::Refused(refusal) => {
            json!({ "bundle": id, "state": "refused", "refusal": Problem::from(refusal).view() })
        }
    })
}

fn inclusion(found: &Inclusion) -> Value {
    json!({
        "chain": found.chain,
        "epoch": found.epoch,
        "shard": found.shard,
        "position": found.position,
        "bundle": found.bundle,
        "index": found.index,
        "path": found.path,
        "bytes": to_hex(&found.to_bytes()),
    })
}

fn final_receipt(found: &Inclusion, wants_bytes: bool) -> HttpResponse {
    let mut response = if wants_bytes { text(BYTES, found.to_bytes()) } else { json(&inclusion(found)) };
    response.headers_mut().insert(VARY, actix_web::http::header::HeaderValue::from_static("accept"));
    response
}

fn evidence(found: &Evidence) -> Value {
    let kind = match found {
        Evidence::Equivocation(_) => "equivocation",
        Evidence::Omission(_) => "omission",
        Evidence::DoubleUse(_) => "double-use",
    };
    json!({ "kind": kind, "party": found.party(), "bytes": to_hex(&found.to_bytes()) })
}
