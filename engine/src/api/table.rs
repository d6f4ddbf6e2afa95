//! The table of routes. The server takes its routes from here, and so does the OpenAPI document: neither has a path, a
//! method or an answer that the other has not.

use super::schema::Shape;

/// What answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Epoch,
    EpochDocument,
    Submit,
    Status,
    Inclusion,
    Record,
    Statements,
    StatementsPart,
    Evidence,
    Health,
    Ready,
    Metrics,
    OpenApi,
}

/// How a route is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// `GET`, and `HEAD` with it.
    Get,
    /// `POST`.
    Post,
}

impl Method {
    /// What the path of a route with this method takes, for the header `allow`.
    pub(super) fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD, OPTIONS",
            Self::Post => "POST, OPTIONS",
        }
    }

    /// Its name in the OpenAPI document.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
        }
    }
}

/// A part of a path that says what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `{id}`: the identifier of a bundle.
    Bundle,
    /// `{epoch}`: the number of an epoch.
    Epoch,
    /// `{part}`: the number of a part of what is long.
    Part,
}

impl Place {
    /// Its name between the braces.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bundle => "id",
            Self::Epoch => "epoch",
            Self::Part => "part",
        }
    }
}

/// What an answer consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// JSON of this shape.
    Json(Shape),
    /// Bytes.
    Bytes,
    /// JSON of this shape, or bytes if the client accepts them rather.
    JsonOrBytes(Shape),
    /// Text.
    Text,
}

/// An answer that a route gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: u16,
    /// When it is given.
    pub(super) about: &'static str,
    /// What it consists of.
    pub(super) content: Content,
    /// Whether it may say when to come again.
    pub(super) retry: bool,
}

/// A route.
#[derive(Debug)]
pub(super) struct Route {
    /// What answers.
    pub(super) endpoint: Endpoint,
    /// How it is asked.
    pub(super) method: Method,
    /// Its path, with places in braces.
    pub(super) path: &'static str,
    /// Its name among the numbers, and in the OpenAPI document.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) about: &'static str,
    /// The places in its path.
    pub(super) places: &'static [Place],
    /// Its answers, by status.
    pub(super) answers: &'static [Answer],
}

const fn ok(content: Content, about: &'static str) -> Answer {
    Answer { status: 200, about, content, retry: false }
}

const fn no(status: u16, about: &'static str) -> Answer {
    Answer { status, about, content: Content::Json(Shape::Error), retry: false }
}

const fn later(status: u16, about: &'static str) -> Answer {
    Answer { status, about, content: Content::Json(Shape::Error), retry: true }
}

const NO_EPOCH: Answer = later(503, "No epoch has opened yet.");
const NO_ID: Answer = no(400, "The path names no bundle.");
const UNPUBLISHED: Answer = no(404, "It is not here: not yet, not any more, or never.");
const UNREADABLE: Answer = later(503, "The party cannot read it now.");

/// Every route.
pub(super) const ROUTES: &[Route] = &[
    Route {
        endpoint: Endpoint::Epoch,
        method: Method::Get,
        path: "/v1/epoch",
        name: "epoch",
        about: "The epoch: its phase, and what it opened with.",
        places: &[],
        answers: &[ok(Content::Json(Shape::Epoch), "The epoch that is open, or the last one."), NO_EPOCH],
    },
    Route {
        endpoint: Endpoint::EpochDocument,
        method: Method::Get,
        path: "/v1/epoch/document",
        name: "epochDocument",
        about: "Canonical bytes of what the epoch opened with: all that bundles are made and checked with. Compare it with \
            the chain before you use it.",
        places: &[],
        answers: &[ok(Content::Bytes, "The document."), NO_EPOCH],
    },
    Route {
        endpoint: Endpoint::Submit,
        method: Method::Post,
        path: "/v1/bundles",
        name: "submit",
        about: "Hands a bundle in. The same bytes get the same receipt, however often they come.",
        places: &[],
        answers: &[
            ok(Content::Json(Shape::Receipt), "The bundle is verified and on the party's disk."),
            Answer {
                status: 202,
                about: "The bundle is in hand. The header location says where to ask for it.",
                content: Content::Json(Shape::Pending),
                retry: true,
            },
            no(400, "The body is no bundle, or it broke off."),
            no(408, "The body did not come in time."),
            later(409, "The bundle uses what was used before, or its subscriber has no room left."),
            no(413, "The body is longer than any bundle."),
            no(415, "The body is announced as something else than bytes."),
            no(422, "A check of the bundle failed."),
            later(429, "There is no room now."),
            later(503, "No bundles are taken in now."),
        ],
    },
    Route {
        endpoint: Endpoint::Status,
        method: Method::Get,
        path: "/v1/bundles/{id}",
        name: "status",
        about: "How a bundle stands.",
        places: &[Place::Bundle],
        answers: &[
            ok(Content::Json(Shape::Status), "How it stands."),
            NO_ID,
            no(404, "Nothing is known of it."),
        ],
    },
    Route {
        endpoint: Endpoint::Inclusion,
        method: Method::Get,
        path: "/v1/bundles/{id}/inclusion",
        name: "inclusion",
        about: "The final receipt of a bundle: the path from it to the root of its batch, which the chain has anchored. With \
            accept: application/octet-stream it comes as canonical bytes.",
        places: &[Place::Bundle],
        answers: &[
            ok(Content::JsonOrBytes(Shape::Inclusion), "The final receipt."),
            NO_ID,
            no(404, "Nothing is known of the bundle, or it is not final."),
        ],
    },
    Route {
        endpoint: Endpoint::Record,
        method: Method::Get,
        path: "/v1/epochs/{epoch}/record",
        name: "record",
        about: "The public record of an epoch: everything that its figures follow from.",
        places: &[Place::Epoch],
        answers: &[
            ok(Content::Json(Shape::Record), "The record."),
            no(400, "The path names no epoch."),
            no(404, "The epoch has no public record here."),
            UNREADABLE,
        ],
    },
    Route {
        endpoint: Endpoint::Statements,
        method: Method::Get,
        path: "/v1/epochs/{epoch}/statements",
        name: "statements",
        about: "What there is for an audit of an epoch: how long that is which was published of its bundles, and the keys of the \
            blind signers.",
        places: &[Place::Epoch],
        answers: &[
            ok(Content::Json(Shape::Statements), "What there is."),
            no(400, "The path names no epoch."),
            UNPUBLISHED,
            UNREADABLE,
        ],
    },
    Route {
        endpoint: Endpoint::StatementsPart,
        method: Method::Get,
        path: "/v1/epochs/{epoch}/statements/{part}",
        name: "statementsPart",
        about: "A part of what was published of an epoch's bundles. All parts, from 0 on, one after the other are the file that \
            an audit reads.",
        places: &[Place::Epoch, Place::Part],
        answers: &[
            ok(Content::Bytes, "The part."),
            no(400, "The path names no epoch, or no part."),
            UNPUBLISHED,
            UNREADABLE,
        ],
    },
    Route {
        endpoint: Endpoint::Evidence,
        method: Method::Get,
        path: "/v1/evidence",
        name: "evidence",
        about: "Evidence against parties, which anybody can check.",
        places: &[],
        answers: &[ok(Content::Json(Shape::Evidence), "What there is.")],
    },
    Route {
        endpoint: Endpoint::Health,
        method: Method::Get,
        path: "/healthz",
        name: "health",
        about: "Whether the process is alive.",
        places: &[],
        answers: &[ok(Content::Json(Shape::Health), "It is."), no(503, "Only a restart mends it.")],
    },
    Route {
        endpoint: Endpoint::Ready,
        method: Method::Get,
        path: "/readyz",
        name: "ready",
        about: "Whether the party can take bundles in.",
        places: &[],
        answers: &[ok(Content::Json(Shape::Ready), "It can."), later(503, "It cannot, and says why.")],
    },
    Route {
        endpoint: Endpoint::Metrics,
        method: Method::Get,
        path: "/metrics",
        name: "metrics",
        about: "The party's numbers, in the text format of Prometheus.",
        places: &[],
        answers: &[ok(Content::Text, "The numbers.")],
    },
    Route {
        endpoint: Endpoint::OpenApi,
        method: Method::Get,
        path: "/openapi.json",
        name: "openapi",
        about: "This document.",
        places: &[],
        answers: &[ok(Content::Json(Shape::OpenApi), "The document.")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_path_and_every_name_is_there_once() {
        let paths: BTreeSet<_> = ROUTES.iter().map(|route| route.path).collect();
        let names: BTreeSet<_> = ROUTES.iter().map(|route| route.name).collect();
        assert_eq!((paths.len(), names.len()), (ROUTES.len(), ROUTES.len()));
        for route in ROUTES {
            assert!(route.answers.is_sorted_by(|a, b| a.status < b.status), "{}", route.name);
            let named: Vec<_> = route.places.iter().map(|place| format!("{{{}}}", place.name())).collect();
            let in_path: Vec<_> = route.path.split('/').filter(|part| part.starts_with('{')).collect();
            assert_eq!(named, in_path, "{}", route.path);
        }
    }
}
