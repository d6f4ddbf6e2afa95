//! What anybody asks a party: the public record of an epoch.

use super::{
    HttpError, JSON, LinkError, agent::Agent, agent::ErrorBody, agent::Question, at, base, garbage, placed,
};
use primitives::EpochId;
use reqwest::Url;
use std::{sync::Arc, time::Duration};

/// Longest time in which a record may come: half a gibibyte at a megabit a second, and a quarter more.
const DOWNLOAD: Duration = Duration::from_secs(5_400);
/// How a party says that it has no such record.
const NO_RECORD: &str = "no-record";

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
        let question = Question::get(at(&self.base, &format!("v1/epochs/{epoch}/record")), JSON, limit);
        let asked = self.agent.exchange(question.within(DOWNLOAD));
        let reply = asked.map_err(|error| placed(&self.base, error))?;
        match reply.status {
            200 => Ok(Some(reply.body)),
            404 if reply.json("an error").is_ok_and(|ErrorBody { kind, .. }| kind == NO_RECORD) => Ok(None),
            404 => Err(garbage("HTTP status 404: this is not the API of a party")),
            _ => Err(reply.error()),
        }
    }
}
