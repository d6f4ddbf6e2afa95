//! Public keys of issuers, as their services show them to whoever puts them on record.

use super::{
    HttpError, LinkError,
    agent::{Agent, JSON, MAX_ANSWER_BYTES, Question, at, base, garbage},
};
use chain::modules::usage::{RegionSigner, TierKey};
use primitives::{EpochId, Region, Tier, ids::from_hex};
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use std::sync::Arc;

#[derive(Deserialize)]
struct Body<T> {
    epoch: EpochId,
    keys: Vec<T>,
}

#[derive(Deserialize)]
struct OfTier {
    tier: Tier,
    key: String,
}

#[derive(Deserialize)]
struct OfRegion {
    region: Region,
    denomination: u8,
    key: String,
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

    /// Keys of the tiers for which it signs tokens in an epoch.
    ///
    /// # Errors
    /// If there is no answer for now, or it is none.
    pub fn tiers(&self, epoch: EpochId) -> Result<Vec<TierKey>, LinkError> {
        let read = |OfTier { tier, key }| Ok::<_, LinkError>(TierKey { tier, key: der(&key)? });
        self.get::<OfTier>(epoch)?.into_iter().map(read).collect()
    }

    /// Keys of the regions and denominations for which it signs receipts in an epoch.
    ///
    /// # Errors
    /// If there is no answer for now, or it is none.
    pub fn regions(&self, epoch: EpochId) -> Result<Vec<RegionSigner>, LinkError> {
        let read = |OfRegion { region, denomination, key }| {
            Ok::<_, LinkError>(RegionSigner { region, denomination, key: der(&key)? })
        };
        self.get::<OfRegion>(epoch)?.into_iter().map(read).collect()
    }

    fn get<T: DeserializeOwned>(&self, epoch: EpochId) -> Result<Vec<T>, LinkError> {
        let url = at(&self.base, &format!("v1/keys/{epoch}"));
        let reply = self.agent.exchange(Question::get(url, JSON, MAX_ANSWER_BYTES))?;
        if reply.status != 200 {
            return Err(reply.error());
        }
        let body: Body<T> = reply.json("a list of keys")?;
        if body.epoch == epoch {
            Ok(body.keys)
        } else {
            Err(garbage(format!("keys of epoch {} where those of {epoch} were asked for", body.epoch)))
        }
    }
}

/// The ledger looks at what is in it.
fn der(digits: &str) -> Result<Vec<u8>, LinkError> {
    from_hex(digits).map_err(|_| garbage("a key that is not written in hexadecimal digits"))
}
