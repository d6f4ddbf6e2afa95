//! Signers and parties over HTTP.
//!
//! Answers are bounded in length and time, redirections are not followed, and nothing but TLS 1.3 is spoken where the
//! address says `https`. A status below 500 that stands for a lasting refusal is one; whatever asks for patience is a
//! [`LinkError::Busy`]; anything that the interface does not know is [`LinkError::Garbage`].

mod agent;
mod foreign;
mod keys;
pub mod operator;
mod proxy;
pub mod reader;

pub use keys::{HttpKeys, ShownKey};
pub use proxy::Circuits;

use super::{Answer, LinkError, Parties, Receipt, Signers, Standing};
use agent::{
    Agent, BYTES, ErrorBody, JSON, MAX_ANSWER_BYTES, Question, Reply, at, base, garbage, is_temporary,
};
use foreign::shown;
use primitives::{Decode, Digest, EpochId, PartyId, Region, Tier, limits};
use proofs::{blind::BlindSignature, inclusion::Inclusion, receipt::Denomination};
use reqwest::{Url, header::HeaderValue};
use serde::Deserialize;
use std::{net::IpAddr, sync::Arc};
use thiserror::Error;

/// Longest document of an epoch: the identifiers of all works it may have, and as much again for keys, terms and what is
/// carried over.
const MAX_DOCUMENT_BYTES: usize = 2 * 32 * limits::MAX_WORKS;
/// Statuses by which a party refuses a bundle for good.
const REFUSALS: [u16; 4] = [400, 409, 413, 422];

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
    /// The address of a proxy is none.
    #[error("{url}: not a proxy of the form socks5h://host:port, without a name and a password")]
    Proxy {
        /// The address.
        url: String,
    },
    /// An address that is not encrypted, and a proxy whose other end is anybody's.
    #[error(
        "{url}: with `proxy`, whoever runs its other end could read and change what is said there, codes among it; use an \
         address of the form https://host, or one that ends in .onion"
    )]
    Open {
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

/// The body of a standing.
#[derive(Deserialize)]
struct StatusBody {
    state: String,
    receipt: Option<Receipt>,
    refusal: Option<ErrorBody>,
}

/// Says at which address nobody answers: somebody else may have taken over.
fn placed(base: &Url, error: LinkError) -> LinkError {
    match error {
        LinkError::Unreachable { reason } => {
            LinkError::Unreachable { reason: format!("{}: {reason}", base.origin().ascii_serialization()) }
        }
        error => error,
    }
}

/// Who speaks to somebody, through a circuit of its own if there are circuits.
fn agent(whom: &str, circuits: Option<&Circuits>) -> Result<Arc<Agent>, HttpError> {
    Agent::through(circuits.map(|circuits| circuits.of(whom)).transpose()?)
}

/// An address, if what is said there is for nobody on the way: whoever runs the exit of a circuit sees all that is not
/// encrypted. Onion services are, by their names, and nobody stands between a machine and itself.
fn reached(base: Url, circuits: Option<&Circuits>) -> Result<Url, HttpError> {
    if circuits.is_some() && base.scheme() == "http" && !is_onion(&base) && !is_loopback(&base) {
        return Err(HttpError::Open { url: base.to_string() });
    }
    Ok(base)
}

fn is_onion(base: &Url) -> bool {
    base.domain().is_some_and(|name| name.trim_end_matches('.').ends_with(".onion"))
}

fn is_loopback(base: &Url) -> bool {
    let address = |host: &str| host.trim_matches(['[', ']']).parse::<IpAddr>();
    base.host_str().is_some_and(|host| host == "localhost" || address(host).is_ok_and(|ip| ip.is_loopback()))
}

/// The three parties, each at an address.
pub struct HttpParties {
    agents: [Arc<Agent>; 3],
    bases: [Url; 3],
}

impl HttpParties {
    /// Parties at these addresses, in order of party. Asks them nothing yet.
    ///
    /// # Errors
    /// If an address cannot be one.
    pub fn new(urls: [&str; 3]) -> Result<Self, HttpError> {
        Self::through(urls, None)
    }

    /// The same, each through a circuit of its own, if there are circuits.
    ///
    /// # Errors
    /// If an address cannot be one; [`HttpError::Open`] if the other end of a circuit could read along.
    pub fn through(urls: [&str; 3], circuits: Option<&Circuits>) -> Result<Self, HttpError> {
        let [first, second, third] = urls;
        let at = |url| reached(base(url)?, circuits);
        let bases = [at(first)?, at(second)?, at(third)?];
        let own = |whom| agent(whom, circuits);
        let agents = match circuits {
            Some(_) => [own("party-1")?, own("party-2")?, own("party-3")?],
            None => {
                let shared = Agent::new()?;
                [shared.clone(), shared.clone(), shared]
            }
        };
        Ok(Self { agents, bases })
    }

    fn get(
        &self,
        party: PartyId,
        path: &str,
        accept: &'static str,
        limit: usize,
    ) -> Result<Reply, LinkError> {
        let base = &self.bases[party.index()];
        let reply = self.agents[party.index()].exchange(Question::get(at(base, path), accept, limit));
        reply.map_err(|error| placed(base, error))
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
        let base = &self.bases[party.index()];
        let question = Question::post(at(base, "v1/bundles"), bytes, JSON);
        let reply = self.agents[party.index()].exchange(question).map_err(|error| placed(base, error))?;
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
            ("refused", _) => {
                let kind = shown(&refusal.unwrap_or_default().kind);
                // It did not come to stay, and may come again.
                Ok(if is_temporary(&kind) { Standing::Unknown } else { Standing::Refused { kind } })
            }
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
    agent: Arc<Agent>,
    base: Url,
    code: HeaderValue,
}

impl Counter {
    fn new(
        (url, code): (&str, &str),
        who: &'static str,
        circuits: Option<&Circuits>,
    ) -> Result<Self, HttpError> {
        let mut value =
            HeaderValue::from_str(&format!("Bearer {code}")).map_err(|_| HttpError::Code { who })?;
        // Kept out of what the library prints.
        value.set_sensitive(true);
        Ok(Self { agent: agent(who, circuits)?, base: reached(base(url)?, circuits)?, code: value })
    }

    fn sign(&self, path: &str, request: &BlindSignature) -> Result<BlindSignature, LinkError> {
        let question = Question::post(at(&self.base, path), request, BYTES);
        let reply = self.agent.exchange(question.with(&self.code));
        let reply = reply.map_err(|error| placed(&self.base, error))?;
        if reply.status != 200 {
            return Err(reply.error());
        }
        let length = reply.body.len();
        let answer = reply.body.try_into();
        answer.map_err(|_| garbage(format!("{length} bytes where a signature has {}", limits::RSA_BYTES)))
    }
}

/// The issuer of tokens and the signers of receipts, each at an address with a code.
pub struct HttpSigners {
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
        Self::through(tokens, receipts, None)
    }

    /// The same, each through a circuit of its own, if there are circuits.
    ///
    /// # Errors
    /// If an address or a code cannot be one; [`HttpError::Open`] if the other end of a circuit could read along.
    pub fn through(
        tokens: (&str, &str),
        receipts: Option<(&str, &str)>,
        circuits: Option<&Circuits>,
    ) -> Result<Self, HttpError> {
        let receipts = receipts.map(|own| Counter::new(own, "receipts", circuits)).transpose()?;
        Ok(Self { tokens: Counter::new(tokens, "tokens", circuits)?, receipts })
    }
}

impl Signers for HttpSigners {
    fn token(
        &self,
        epoch: EpochId,
        tier: Tier,
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        self.tokens.sign(&format!("v1/tokens/{epoch}/{tier}"), request)
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
        counter.sign(&format!("v1/receipts/{epoch}/{region}/{}", denomination.views()), request)
    }
}
