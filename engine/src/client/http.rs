//! Signers and parties over HTTP.
//!
//! Answers are bounded in length and time, redirections are not followed, and nothing but TLS 1.3 is spoken where the
//! address says `https`. A status below 500 that stands for a lasting refusal is one; whatever asks for patience is a
//! [`LinkError::Busy`]; anything that the interface does not know is [`LinkError::Garbage`].

use super::{Answer, LinkError, Parties, Receipt, Signers, Standing};
use primitives::{Decode, Digest, EpochId, PartyId, Region, Tier, limits};
use proofs::{blind::BlindSignature, inclusion::Inclusion, receipt::Denomination};
use reqwest::{
    Client, Method, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
    redirect::Policy,
    tls::Version,
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};

/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest time of a whole exchange: a party answers as soon as it has checked a bundle, and says when that takes longer.
const EXCHANGE: Duration = Duration::from_secs(60);
/// Longest answer. The longest that means something is an inclusion as JSON, of some kilobytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Longest document of an epoch: the identifiers of all works it may have, and as much again for keys, terms and what is
/// carried over.
const MAX_DOCUMENT_BYTES: usize = 2 * 32 * limits::MAX_WORKS;
/// Longest pause that an answer may ask for. One who asks for more is taken to ask for this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);
/// Refusals that are none: the bundle may come again, or has come.
const TEMPORARY: [&str; 5] = ["broken-body", "busy", "duplicate", "may-be-counted", "too-far-ahead"];
/// Statuses by which a party refuses a bundle for good.
const REFUSALS: [u16; 4] = [400, 409, 413, 422];

const BYTES: &str = "application/octet-stream";
const JSON: &str = "application/json";

/// Why there is no way to speak to an address.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The address is none of HTTP.
    #[error("{url}: not an address of the form http://host:port or https://host:port")]
    Url {
        /// The address.
        url: String,
    },
    /// A credential has characters that no header holds.
    #[error("the code for {who} has characters that no code has; copy it again")]
    Code {
        /// Whose.
        who: &'static str,
    },
    /// Nothing can be asked at all.
    #[error("no HTTP on this machine: {reason}")]
    Machine {
        /// Why.
        reason: String,
    },
}

/// A runtime and what speaks HTTP in it. Its functions block, and must not be called from within another runtime.
struct Agent {
    runtime: Runtime,
    client: Client,
}

/// What is asked.
struct Question<'a> {
    method: Method,
    url: Url,
    code: Option<&'a HeaderValue>,
    body: Option<&'a [u8]>,
    /// Form in which the answer is wanted.
    accept: &'static str,
    /// Longest answer that is read.
    limit: usize,
}

impl<'a> Question<'a> {
    fn get(url: Url, accept: &'static str, limit: usize) -> Self {
        Self { method: Method::GET, url, code: None, body: None, accept, limit }
    }

    fn post(url: Url, body: &'a [u8], accept: &'static str) -> Self {
        let (method, limit) = (Method::POST, MAX_ANSWER_BYTES);
        Self { method, url, code: None, body: Some(body), accept, limit }
    }
}

/// An answer, whatever it says.
struct Reply {
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// The body of every error.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error: String,
    kind: String,
}

/// The body of a standing.
#[derive(Deserialize)]
struct StatusBody {
    state: String,
    receipt: Option<Receipt>,
    refusal: Option<ErrorBody>,
}

impl Agent {
    fn new() -> Result<Arc<Self>, HttpError> {
        let failed = |error: &dyn std::fmt::Display| HttpError::Machine { reason: error.to_string() };
        // Where another part of the program has chosen a provider already, that one serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(EXCHANGE)
            .redirect(Policy::none())
            .tls_version_min(Version::TLS_1_3)
            .build()
            .map_err(|error| failed(&error))?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Ok(Arc::new(Self { runtime: runtime.map_err(|error| failed(&error))?, client }))
    }

    fn exchange(&self, question: Question<'_>) -> Result<Reply, LinkError> {
        let Question { method, url, code, body, accept, limit } = question;
        let mut request = self.client.request(method, url).header(ACCEPT, accept);
        if let Some(code) = code {
            request = request.header(AUTHORIZATION, code.clone());
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, BYTES).body(body.to_vec());
        }
        let unreachable =
            |error: reqwest::Error| LinkError::Unreachable { reason: causes(&error.without_url()) };
        self.runtime.block_on(async {
            let mut response = request.send().await.map_err(unreachable)?;
            let status = response.status().as_u16();
            let asked =
                response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let retry_after = asked.map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
                if body.len() + chunk.len() > limit {
                    return Err(garbage(format!("more than {limit} bytes")));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Reply { status, retry_after, body })
        })
    }
}

/// An error with all that caused it: the outermost says little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn garbage(what: impl Into<String>) -> LinkError {
    LinkError::Garbage { what: what.into() }
}

impl Reply {
    fn json<T: for<'de> Deserialize<'de>>(&self, what: &str) -> Result<T, LinkError> {
        serde_json::from_slice(&self.body).map_err(|error| garbage(format!("not {what}: {error}")))
    }

    /// What a status that is no success says.
    fn error(&self) -> LinkError {
        let ErrorBody { error, kind } = serde_json::from_slice(&self.body).unwrap_or_default();
        let kind = if kind.is_empty() { format!("status {}", self.status) } else { kind };
        match self.status {
            408 | 425 | 429 | 500..=599 => LinkError::Busy { kind, retry_after: self.retry_after },
            400..=499 if TEMPORARY.contains(&kind.as_str()) => {
                LinkError::Busy { kind, retry_after: self.retry_after }
            }
            400..=499 if !error.is_empty() => LinkError::Refused { kind, text: error },
            status => garbage(format!("HTTP status {status}")),
        }
    }
}

/// An address to which paths are added.
fn base(url: &str) -> Result<Url, HttpError> {
    let bad = || HttpError::Url { url: url.to_owned() };
    let mut parsed: Url = url.parse().map_err(|_| bad())?;
    if !["http", "https"].contains(&parsed.scheme()) || parsed.query().is_some() || !parsed.has_host() {
        return Err(bad());
    }
    if !parsed.path().ends_with('/') {
        parsed.set_path(&format!("{}/", parsed.path()));
    }
    Ok(parsed)
}

fn at(base: &Url, path: &str) -> Url {
    base.join(path).expect("a path of letters, digits and slashes is relative to any base")
}

/// The three parties, each at an address.
pub struct HttpParties {
    agent: Arc<Agent>,
    bases: [Url; 3],
}

impl HttpParties {
    /// Parties at these addresses, in order of party. Asks them nothing yet.
    ///
    /// # Errors
    /// If an address cannot be one.
    pub fn new(urls: [&str; 3]) -> Result<Self, HttpError> {
        let [first, second, third] = urls;
        Ok(Self { agent: Agent::new()?, bases: [base(first)?, base(second)?, base(third)?] })
    }

    fn get(
        &self,
        party: PartyId,
        path: &str,
        accept: &'static str,
        limit: usize,
    ) -> Result<Reply, LinkError> {
        self.agent.exchange(Question::get(at(&self.bases[party.index()], path), accept, limit))
    }

    /// The document of the epoch that a party has open, as bytes.
    ///
    /// # Errors
    /// If the party gives none. The document is the party's word: it is to be checked against the chain.
    pub fn epoch_document(&self, party: PartyId) -> Result<Vec<u8>, LinkError> {
        let reply = self.get(party, "v1/epoch/document", BYTES, MAX_DOCUMENT_BYTES)?;
        if reply.status == 200 { Ok(reply.body) } else { Err(reply.error()) }
    }
}

impl Parties for HttpParties {
    fn submit(&self, party: PartyId, _: &Digest, bytes: &[u8]) -> Result<Answer, LinkError> {
        let url = at(&self.bases[party.index()], "v1/bundles");
        let reply = self.agent.exchange(Question::post(url, bytes, JSON))?;
        match reply.status {
            200 => reply.json("a receipt").map(Answer::Promised),
            202 => Ok(Answer::Waiting),
            _ => match reply.error() {
                // The party has these bytes: what it makes of them is its standing.
                LinkError::Busy { kind, .. } if kind == "duplicate" => Ok(Answer::Waiting),
                LinkError::Refused { kind, text } if REFUSALS.contains(&reply.status) => {
                    Ok(Answer::Refused { kind, text })
                }
                // Whatever lacks the route, or wants a code, is no party.
                LinkError::Refused { .. } => Err(garbage(format!("HTTP status {}", reply.status))),
                other => Err(other),
            },
        }
    }

    fn standing(&self, party: PartyId, bundle: &Digest) -> Result<Standing, LinkError> {
        let reply = self.get(party, &format!("v1/bundles/{bundle}"), JSON, MAX_ANSWER_BYTES)?;
        match reply.status {
            200 => {}
            404 => return reply.json("an error").map(|_: ErrorBody| Standing::Unknown),
            _ => return Err(reply.error()),
        }
        let StatusBody { state, receipt, refusal } = reply.json("a status")?;
        match (state.as_str(), receipt) {
            ("waiting", _) => Ok(Standing::Waiting),
            ("provisional", Some(receipt)) => Ok(Standing::Provisional(receipt)),
            ("final", _) => Ok(Standing::Final),
            ("refused", _) => Ok(Standing::Refused { kind: refusal.unwrap_or_default().kind }),
            _ => Err(garbage("a status that is none")),
        }
    }

    fn inclusion(&self, party: PartyId, bundle: &Digest) -> Result<Option<Inclusion>, LinkError> {
        let reply = self.get(party, &format!("v1/bundles/{bundle}/inclusion"), BYTES, MAX_ANSWER_BYTES)?;
        match reply.status {
            200 => {
                let read = Inclusion::from_bytes(&reply.body);
                read.map(Some).map_err(|error| garbage(format!("not an inclusion: {error}")))
            }
            404 => Ok(None),
            _ => Err(reply.error()),
        }
    }
}

/// An address with the code that is shown there.
struct Counter {
    base: Url,
    code: HeaderValue,
}

impl Counter {
    fn new((url, code): (&str, &str), who: &'static str) -> Result<Self, HttpError> {
        let mut value =
            HeaderValue::from_str(&format!("Bearer {code}")).map_err(|_| HttpError::Code { who })?;
        // Kept out of what the library prints.
        value.set_sensitive(true);
        Ok(Self { base: base(url)?, code: value })
    }
}

/// The issuer of tokens and the signers of receipts, each at an address with a code.
pub struct HttpSigners {
    agent: Arc<Agent>,
    tokens: Counter,
    receipts: Option<Counter>,
}

impl HttpSigners {
    /// An issuer of tokens, and the signers of a region if the subscriber is served by one: each by its address and the code
    /// that it knows the subscriber by. Asks them nothing yet.
    ///
    /// # Errors
    /// If an address or a code cannot be one.
    pub fn new(tokens: (&str, &str), receipts: Option<(&str, &str)>) -> Result<Self, HttpError> {
        let receipts = receipts.map(|own| Counter::new(own, "receipts")).transpose()?;
        Ok(Self { agent: Agent::new()?, tokens: Counter::new(tokens, "tokens")?, receipts })
    }

    fn sign(
        &self,
        counter: &Counter,
        path: &str,
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        let question = Question::post(at(&counter.base, path), request, BYTES);
        let reply = self.agent.exchange(Question { code: Some(&counter.code), ..question })?;
        if reply.status != 200 {
            return Err(reply.error());
        }
        let length = reply.body.len();
        let answer = reply.body.try_into();
        answer.map_err(|_| garbage(format!("{length} bytes where a signature has {}", limits::RSA_BYTES)))
    }
}

impl Signers for HttpSigners {
    fn token(
        &self,
        epoch: EpochId,
        tier: Tier,
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        self.sign(&self.tokens, &format!("v1/tokens/{epoch}/{tier}"), request)
    }

    fn receipt(
        &self,
        epoch: EpochId,
        (region, denomination): (Region, Denomination),
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        let counter = self.receipts.as_ref().ok_or_else(|| LinkError::Refused {
            kind: "no-signer".into(),
            text: "no address of a signer of receipts was given".into(),
        })?;
        self.sign(counter, &format!("v1/receipts/{epoch}/{region}/{}", denomination.views()), request)
    }
}
