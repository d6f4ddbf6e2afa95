//! Public keys of issuers, as their services show them to whoever puts them on record.

use super::{
    HttpError, LinkError,
    agent::{Agent, JSON, MAX_ANSWER_BYTES, Question, at, base, garbage},
};
use primitives::{ChainId, EpochId, Region, Tier, ids::from_hex};
use proofs::{
    blind::{BlindError, BlindKey, BlindSignature},
    possession::{self, Purpose},
    receipt::Denomination,
};
use reqwest::Url;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// Longest time in which an issuer may say which keys it has: a few milliseconds for each of them.
const TIME: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
struct Body {
    epoch: EpochId,
    keys: Vec<Line>,
}

/// A key of a tier, or of a region and denomination.
#[derive(Deserialize)]
struct Line {
    tier: Option<Tier>,
    region: Option<Region>,
    denomination: Option<u8>,
    key: String,
    /// Of an issuer of an older version none.
    possession: Option<String>,
}

/// A key that an issuer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownKey {
    /// What it is shown for.
    pub purpose: Purpose,
    /// The public key, in DER.
    pub key: Vec<u8>,
    /// What is to prove that the issuer has the private one.
    pub possession: Option<BlindSignature>,
}

impl ShownKey {
    /// Whether it is a key, and the issuer's own, for what it shows it for in an epoch.
    ///
    /// # Errors
    /// [`BlindError::Key`] if it is none, and [`BlindError::Signature`] without a proof that it is its own.
    pub fn check(&self, (chain, epoch): (ChainId, EpochId)) -> Result<(), BlindError> {
        let key = BlindKey::from_der(&self.key)?;
        let proof = self.possession.as_ref().ok_or(BlindError::Signature)?;
        possession::verify(&key, (chain, epoch, self.purpose), proof)
    }
}

/// An issuer whose keys are asked for.
pub struct HttpKeys {
    agent: Arc<Agent>,
    base: Url,
}

impl HttpKeys {
    /// The issuer at an address. Asks it nothing yet.
    ///
    /// # Errors
    /// If the address cannot be one.
    pub fn new(url: &str) -> Result<Self, HttpError> {
        Ok(Self { agent: Agent::new()?, base: base(url)? })
    }

    /// Keys that it shows for an epoch. Nothing is checked of them.
    ///
    /// # Errors
    /// If there is no answer for now, or it is none.
    pub fn of(&self, epoch: EpochId) -> Result<Vec<ShownKey>, LinkError> {
        let url = at(&self.base, &format!("v1/keys/{epoch}"));
        let reply = self.agent.exchange(Question::get(url, JSON, MAX_ANSWER_BYTES).within(TIME))?;
        if reply.status != 200 {
            return Err(reply.error());
        }
        let body: Body = reply.json("a list of keys")?;
        if body.epoch != epoch {
            return Err(garbage(format!(
                "keys of epoch {} where those of {epoch} were asked for",
                body.epoch
            )));
        }
        body.keys.into_iter().map(read).collect()
    }
}

fn read(line: Line) -> Result<ShownKey, LinkError> {
    let bytes = |digits: &str| {
        from_hex(digits).map_err(|_| garbage("a key that is not written in hexadecimal digits"))
    };
    let purpose = match (line.tier, line.region, line.denomination.map(Denomination::new)) {
        (Some(tier), None, None) => Purpose::Token(tier),
        (None, Some(region), Some(Some(of))) => Purpose::Receipt(region, of),
        _ => return Err(garbage("a key that is neither of a tier nor of a region and denomination")),
    };
    // A proof of another length is none.
    let possession =
        line.possession.as_deref().map(bytes).transpose()?.and_then(|proof| proof.try_into().ok());
    Ok(ShownKey { purpose, key: bytes(&line.key)?, possession })
}
