//! What anybody asks a party: the public record of an epoch, and what was published of its bundles.

use super::{
    HttpError, JSON, LinkError, agent::Agent, agent::BYTES, agent::ErrorBody, agent::Question, at, base,
    garbage, placed,
};
use crate::api::PART_BYTES;
use chain::light::SignerKeys;
use primitives::EpochId;
use reqwest::Url;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};

/// Longest time in which a record may come: half a gibibyte at a megabit a second, and a quarter more.
const DOWNLOAD: Duration = Duration::from_secs(5_400);
/// Longest time in which a part may come: a mebibyte at a tenth of that.
const PART: Duration = Duration::from_secs(90);
/// How a party says that it has no such record.
const NO_RECORD: &str = "no-record";
/// How it says that it has nothing of an epoch's bundles.
const NO_STATEMENTS: &str = "no-statements";
/// Longest list of what there is for an audit: keys of every tier, region and denomination take less.
const MAX_INDEX_BYTES: usize = 1 << 20;

/// What a party has for an audit of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Index {
    /// How long the stream is.
    pub bytes: u64,
    /// How long each part of it is but the last.
    part_bytes: u64,
    /// Keys of the blind signers.
    pub signers: SignerKeys,
}

impl Index {
    /// In how many parts the stream comes.
    pub fn parts(&self) -> u64 {
        self.bytes.div_ceil(PART_BYTES as u64)
    }
}

/// A party, as a reader asks it.
pub struct HttpReader {
    agent: Arc<Agent>,
    base: Url,
}

impl HttpReader {
    /// A party at an address. Asks it nothing yet.
    ///
    /// # Errors
    /// If the address cannot be one.
    pub fn new(url: &str) -> Result<Self, HttpError> {
        Ok(Self { agent: Agent::new()?, base: base(url)? })
    }

    /// The public record of an epoch as JSON of at most `limit` bytes, or `None` if the party has none. It is the party's
    /// word, to be verified against a state root that the reader trusts.
    ///
    /// # Errors
    /// If the party gives none, or a longer one.
    pub fn record(&self, epoch: EpochId, limit: usize) -> Result<Option<Vec<u8>>, LinkError> {
        self.ask((&format!("v1/epochs/{epoch}/record"), JSON, limit), DOWNLOAD, NO_RECORD)
    }

    /// What there is for an audit of an epoch, or `None` if the party has nothing. It is the party's word.
    ///
    /// # Errors
    /// If the party gives none, or not as this version understands it.
    pub fn statements(&self, epoch: EpochId) -> Result<Option<Index>, LinkError> {
        let path = format!("v1/epochs/{epoch}/statements");
        let Some(bytes) = self.ask((&path, JSON, MAX_INDEX_BYTES), PART, NO_STATEMENTS)? else {
            return Ok(None);
        };
        let index: Index = serde_json::from_slice(&bytes).map_err(|error| garbage(error.to_string()))?;
        match index.part_bytes == PART_BYTES as u64 {
            true => Ok(Some(index)),
            false => {
                Err(garbage(format!("its parts are {} bytes long, and not {PART_BYTES}", index.part_bytes)))
            }
        }
    }

    /// A part of what was published of an epoch's bundles, or `None` if the party does not have it any more.
    ///
    /// # Errors
    /// If the party gives none, or a longer one.
    pub fn statements_part(&self, epoch: EpochId, part: u64) -> Result<Option<Vec<u8>>, LinkError> {
        self.ask((&format!("v1/epochs/{epoch}/statements/{part}"), BYTES, PART_BYTES), PART, NO_STATEMENTS)
    }

    /// What there is at a path, or `None` if the party says by this kind of error that there is nothing.
    fn ask(
        &self,
        (path, accept, limit): (&str, &'static str, usize),
        time: Duration,
        none: &str,
    ) -> Result<Option<Vec<u8>>, LinkError> {
        let asked = self.agent.exchange(Question::get(at(&self.base, path), accept, limit).within(time));
        let reply = asked.map_err(|error| placed(&self.base, error))?;
        match reply.status {
            200 => Ok(Some(reply.body)),
            404 if reply.json("an error").is_ok_and(|ErrorBody { kind, .. }| kind == none) => Ok(None),
            404 => Err(garbage("HTTP status 404: this is not the API of a party")),
            _ => Err(reply.error()),
        }
    }
}
