//! What a service refuses, and how it says so.

use crate::{api::limits::RETRY, issuer::IssuerError};
use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde_json::json;
use thiserror::Error;

/// Seconds after which a request may come again that could not be answered.
const RETRY_SECONDS: u64 = 30;
/// The same, before an epoch is open: a client that hears of the opening first asks a block too early.
const RETRY_OPENING_SECONDS: u64 = 2;

/// What the shell itself has to refuse, beside an issuer.
#[derive(Debug, Error)]
pub(super) enum Problem {
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error("there is nothing at this path")]
    NoRoute,
    #[error("this path takes {0} alone")]
    Method(&'static str),
    #[error("a part of the path is not a number that it stands for")]
    Path,
    #[error("the body is longer than any request")]
    TooLong,
    #[error("the body did not come")]
    NoBody,
    #[error("there is no room for another connection")]
    Crowded,
    #[error("the service stops")]
    Stopping,
}

impl Problem {
    fn status(&self) -> StatusCode {
        use IssuerError as E;
        match self {
            Self::Issuer(E::NoCode | E::UnknownCode) => StatusCode::UNAUTHORIZED,
            Self::Issuer(E::OtherTier { .. }) => StatusCode::FORBIDDEN,
            Self::Issuer(E::NoKey { .. }) | Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Issuer(E::Request) | Self::Path => StatusCode::BAD_REQUEST,
            Self::Issuer(E::EpochOver { .. }) => StatusCode::GONE,
            Self::Issuer(E::OtherRequest { .. } | E::Budget { .. } | E::Receipts { .. }) => {
                StatusCode::CONFLICT
            }
            Self::Issuer(E::NotOpen { .. } | E::OtherKey { .. } | E::Full | E::Disk(_)) | Self::Stopping => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoBody => StatusCode::REQUEST_TIMEOUT,
            Self::Crowded => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn kind_and_hint(&self) -> (&'static str, &'static str) {
        match self {
            Self::Issuer(error) => (error.kind(), error.hint()),
            Self::NoRoute => {
                ("no-route", "one service signs tokens, another one receipts: look at the address")
            }
            Self::Method(_) => ("method", "use the method that the header Allow names"),
            Self::Path => ("path", "epoch, tier, region and denomination are decimal numbers"),
            Self::TooLong => ("too-long", "send the blinded message as it is"),
            Self::NoBody => ("no-body", "send it again: the same request gets the same answer"),
            Self::Crowded => ("crowded", "close connections that are not needed, or come back later"),
            Self::Stopping => ("stopping", "send it again later: the same request gets the same answer"),
        }
    }
}

/// The answer that says what is wrong.
pub(super) fn problem(problem: &Problem) -> HttpResponse {
    let (kind, hint) = problem.kind_and_hint();
    // What a disk says names files of the operator.
    let error = match problem {
        Problem::Issuer(IssuerError::Disk(_)) => "the answer cannot be put on disk".to_owned(),
        other => other.to_string(),
    };
    let mut response = HttpResponse::build(problem.status());
    if [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&problem.status()) {
        let seconds = match problem {
            Problem::Issuer(IssuerError::NotOpen { .. }) => RETRY_OPENING_SECONDS,
            Problem::Crowded => RETRY.as_secs(),
            _ => RETRY_SECONDS,
        };
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    // What is left of a connection that had no place is not waited for.
    if matches!(problem, Problem::Crowded) {
        response.force_close();
    }
    if let Problem::Method(method) = problem {
        response.insert_header((header::ALLOW, *method));
    }
    if problem.status() == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    response.json(json!({ "error": error, "kind": kind, "hint": hint }))
}
