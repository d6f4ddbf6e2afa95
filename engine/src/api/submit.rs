//! Handing a bundle in: what is looked at before the desk gets it, and how long a client waits.
//!
//! Nothing here is logged. The desk gets bytes, and no trace of whom they came from.

use super::{Service, desk::Submission, limits::RETRY, problem::Problem};
use crate::intake;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName},
    rt::time::timeout,
    web::{Bytes, Payload},
};
use primitives::{Digest, limits::MAX_BUNDLE_BYTES};
use serde_json::json;

/// Reads a bundle, hands it to the desk, and waits for what becomes of it.
pub(super) async fn submit(
    request: &HttpRequest,
    body: Payload,
    service: &Service,
) -> Result<HttpResponse, Problem> {
    check_head(request)?;
    // Held while the body comes and while the desk works: what clients make this process hold in memory is bounded.
    let _place = service.submissions.try_acquire().map_err(|_| Problem::Full)?;
    let bytes = read(body, service).await?;
    let (id, bundle) = intake::read(&bytes);
    // The desk counts what it refuses itself, and never gets to see these.
    bundle.inspect_err(|refusal| service.desk.telemetry().refused(refusal))?;
    let answer = service.desk.submit(id, bytes.as_ref().into());
    match timeout(service.limits.patience, answer).await {
        Ok(Submission::Taken(receipt)) => Ok(super::json(&receipt)),
        Ok(Submission::Refused { refusal, retry_after }) => Err(Problem::Refused { refusal, retry_after }),
        Ok(Submission::Pending) | Err(_) => Ok(pending(id)),
    }
}

/// What the head of the request says of its body.
fn check_head(request: &HttpRequest) -> Result<(), Problem> {
    let header = |name: HeaderName| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or_default().trim().to_ascii_lowercase())
    };
    let essence =
        header(CONTENT_TYPE).map(|value| value.split(';').next().unwrap_or_default().trim().to_owned());
    let encoding = header(CONTENT_ENCODING);
    if essence.as_deref() != Some("application/octet-stream") || encoding.is_some_and(|e| e != "identity") {
        return Err(Problem::ContentType);
    }
    // One that says that it is too long is not read at all.
    let length = header(CONTENT_LENGTH).and_then(|value| value.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BUNDLE_BYTES as u64) {
        return Err(Problem::TooLong);
    }
    Ok(())
}

/// Reads the body: all of it within its time, and no more than a bundle has.
async fn read(body: Payload, service: &Service) -> Result<Bytes, Problem> {
    let allowed = service.limits.body;
    match timeout(allowed, body.to_bytes_limited(MAX_BUNDLE_BYTES)).await {
        Err(_) => Err(Problem::SlowBody { allowed }),
        Ok(Err(_)) => Err(Problem::TooLong),
        Ok(Ok(Err(_))) => Err(Problem::BrokenBody),
        Ok(Ok(Ok(bytes))) => Ok(bytes),
    }
}

fn pending(id: Digest) -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header((header::LOCATION, format!("/v1/bundles/{id}")))
        .insert_header((header::RETRY_AFTER, RETRY.as_secs()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(json!({ "bundle": id, "state": "waiting" }).to_string())
}
