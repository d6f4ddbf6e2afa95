//! Why a request has no answer: one variant for each reason, each with its status, its short name and what to do next.

use super::limits::{RETRY, RETRY_CLOSED};
use crate::effect::Refusal;
use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{ALLOW, CACHE_CONTROL, RETRY_AFTER},
    },
};
use primitives::limits::MAX_BUNDLE_BYTES;
use serde_json::{Value, json};
use std::time::Duration;
use thiserror::Error;

/// Why a request has no answer.
#[derive(Debug, Error)]
pub(super) enum Problem {
    /// No route has this path.
    #[error("there is nothing at this path")]
    NoRoute,
    /// The route takes another method.
    #[error("this path does not take this method, but {allow}")]
    Method {
        /// The methods that it takes.
        allow: &'static str,
    },
    /// What is in the path's place of a bundle is no identifier.
    #[error("this is not the identifier of a bundle")]
    NotAnId,
    /// What is in the path's place of an epoch is no number.
    #[error("this is not the number of an epoch")]
    NotAnEpoch,
    /// What is in the path's place of a part is no number.
    #[error("this is not the number of a part")]
    NotAPart,
    /// A body is announced as something else than bytes.
    #[error("a bundle comes as application/octet-stream, without a content encoding")]
    ContentType,
    /// A body is longer than any bundle.
    #[error("the body is longer than the {MAX_BUNDLE_BYTES} bytes of the longest bundle")]
    TooLong,
    /// A body did not come in time.
    #[error("the body did not come within {} seconds", .allowed.as_secs())]
    SlowBody {
        /// How long it had.
        allowed: Duration,
    },
    /// A body broke off, or was framed wrongly.
    #[error("the body broke off before its end")]
    BrokenBody,
    /// The connection has no place.
    #[error("there are too many connections, in all or from this address")]
    Crowded,
    /// Too many bundles are being read or waited for.
    #[error("too many bundles are being handed in")]
    Full,
    /// The bundle is not counted.
    #[error("{refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// When it may come again, if the desk says so.
        retry_after: Option<Duration>,
    },
    /// No epoch has opened.
    #[error("no epoch is open")]
    NoEpoch,
    /// Nothing is known of a bundle.
    #[error("this party knows of no such bundle")]
    UnknownBundle,
    /// A bundle is not in an anchored batch.
    #[error("the bundle is in no batch that the chain has anchored")]
    NotFinal,
    /// An epoch has no public record.
    #[error("this epoch has no public record here")]
    NoRecord,
    /// What was published of an epoch's bundles is not here, or has no such part.
    #[error("what was published of this epoch's bundles is not here, or has fewer parts")]
    NoStatements,
    /// The process is broken.
    #[error("the party's process is broken: {0}")]
    Unwell(String),
    /// The party cannot take bundles in.
    #[error("the party is not ready: {}", .0.join("; "))]
    NotReady(Vec<String>),
    /// What is asked for cannot be read from a disk.
    #[error("the party cannot read this now")]
    Unreadable,
}

impl Problem {
    /// Status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NotAnId | Self::NotAnEpoch | Self::NotAPart | Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::NoRoute | Self::UnknownBundle | Self::NotFinal | Self::NoRecord | Self::NoStatements => {
                StatusCode::NOT_FOUND
            }
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowBody { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Crowded | Self::Full => StatusCode::TOO_MANY_REQUESTS,
            Self::Refused { refusal, .. } => refused(refusal).0,
            Self::NoEpoch | Self::Unwell(_) | Self::NotReady(_) | Self::Unreadable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Short name, which stays the same when the text changes.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::NoRoute => "no-route",
            Self::Method { .. } => "method",
            Self::NotAnId => "not-an-id",
            Self::NotAnEpoch => "not-an-epoch",
            Self::NotAPart => "not-a-part",
            Self::ContentType => "content-type",
            Self::TooLong => "too-long",
            Self::SlowBody { .. } => "slow-body",
            Self::BrokenBody => "broken-body",
            Self::Crowded => "crowded",
            Self::Full => "full",
            Self::Refused { refusal, .. } => refusal.kind(),
            Self::NoEpoch => "no-epoch",
            Self::UnknownBundle => "unknown-bundle",
            Self::NotFinal => "not-final",
            Self::NoRecord => "no-record",
            Self::NoStatements => "no-statements",
            Self::Unwell(_) => "unwell",
            Self::NotReady(_) => "not-ready",
            Self::Unreadable => "unreadable",
        }
    }

    /// What to do next.
    fn hint(&self) -> &'static str {
        match self {
            Self::NoRoute => "/openapi.json lists every path",
            Self::Method { .. } => "/openapi.json lists the method of every path",
            Self::NotAnId => "an identifier is 64 lower-case hexadecimal digits",
            Self::NotAnEpoch => "an epoch is a number in decimal digits",
            Self::NotAPart => "parts are numbered from 0, in decimal digits",
            Self::ContentType => {
                "send the canonical bytes of the bundle as they are, with content-type: application/octet-stream"
            }
            Self::TooLong => "send one bundle a request",
            Self::SlowBody { .. } => "send it again over a faster link; a bundle that came twice counts once",
            Self::BrokenBody => "send it again; a bundle that came twice counts once",
            Self::Crowded => {
                "use one connection for all requests, and come back after the seconds in retry-after"
            }
            Self::Full => "come back after the seconds in retry-after",
            Self::Refused { refusal, .. } => refused(refusal).2,
            Self::NoEpoch => "come back after the seconds in retry-after",
            Self::UnknownBundle => "hand it in, or ask the party that it was handed in to",
            Self::NotFinal => "ask for its status, and come back when it is final",
            Self::NoRecord => "a record is there when its epoch is final",
            Self::NoStatements => {
                "it is there soon after its epoch is settled, and until the next one is; or ask another party"
            }
            Self::Unwell(_) => "restart the process",
            Self::NotReady(_) => "come back after the seconds in retry-after, or go to another party",
            Self::Unreadable => "come back after the seconds in retry-after, or go to another party",
        }
    }

    /// When the same request may have an answer, if ever.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Crowded | Self::Full | Self::Unreadable | Self::NotReady(_) => Some(RETRY),
            Self::NoEpoch => Some(RETRY_CLOSED),
            Self::Refused { refusal, retry_after } => {
                // What may come again and what may not is the refusal's to say; the desk only says when.
                refused(refusal).1.map(|general| retry_after.unwrap_or(general))
            }
            _ => None,
        }
    }

    /// What is told of it: `{"error", "kind", "hint"}`.
    pub(super) fn view(&self) -> Value {
        json!({ "error": self.to_string(), "kind": self.kind(), "hint": self.hint() })
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> String {
        self.view().to_string()
    }

    /// The answer.
    pub(super) fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        response.insert_header((CACHE_CONTROL, "no-store")).content_type("application/json");
        if let Some(after) = self.retry_after() {
            // Whole seconds, and never the moment before there is room.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.insert_header((RETRY_AFTER, seconds.max(1)));
        }
        if let Self::Method { allow } = self {
            response.insert_header((ALLOW, *allow));
        }
        // What is left of a connection that had no place, or of a body that nobody will read, is not waited for.
        if matches!(self, Self::Crowded | Self::SlowBody { .. } | Self::BrokenBody | Self::TooLong) {
            response.force_close();
        }
        response.body(self.body())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal, retry_after: None }
    }
}

/// Status of a refusal, when the same bundle may come again if ever, and what to do next.
fn refused(refusal: &Refusal) -> (StatusCode, Option<Duration>, &'static str) {
    const LATER: &str = "hand the same bundle in again after the seconds in retry-after";
    const OTHER: &str = "make another bundle: this one will never be counted";
    const OVER: &str = "nothing more of this subscriber is counted in this epoch";
    match refusal {
        Refusal::Closed => (
            StatusCode::SERVICE_UNAVAILABLE,
            Some(RETRY_CLOSED),
            "look at /v1/epoch for when bundles are taken in, and make a bundle for that epoch",
        ),
        Refusal::TooLong { .. } => (StatusCode::PAYLOAD_TOO_LARGE, None, "send one bundle a request"),
        Refusal::Malformed(_) => {
            (StatusCode::BAD_REQUEST, None, "send the canonical bytes of one bundle, and nothing else")
        }
        Refusal::UnknownShard { .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, None, "/v1/epoch lists the shards of the epoch")
        }
        Refusal::Proof(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            None,
            "make the bundle for the epoch that /v1/epoch/document describes",
        ),
        Refusal::Sealed(_) | Refusal::Share { .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            None,
            "seal the shares to the keys of the committee in /v1/epoch/document",
        ),
        Refusal::Busy | Refusal::TooFarAhead => (StatusCode::TOO_MANY_REQUESTS, Some(RETRY), LATER),
        Refusal::MayBeCounted => (StatusCode::CONFLICT, Some(RETRY_CLOSED), LATER),
        Refusal::Duplicate | Refusal::TakenIn => {
            (StatusCode::CONFLICT, None, "ask for the status of the bundle")
        }
        Refusal::Replay { .. } | Refusal::SpentReceipt { .. } | Refusal::ReusedEphemeral { .. } => {
            (StatusCode::CONFLICT, None, OTHER)
        }
        Refusal::SpentElsewhere => {
            (StatusCode::CONFLICT, None, "make a bundle that goes on from the last one that was taken in")
        }
        Refusal::TooManyBundles { .. } | Refusal::Unsold { .. } | Refusal::EpochFull => {
            (StatusCode::CONFLICT, None, OVER)
        }
        Refusal::Objected { .. } => (StatusCode::CONFLICT, None, OTHER),
        Refusal::NotInTime => (StatusCode::CONFLICT, None, "make a bundle for the next epoch"),
    }
}
