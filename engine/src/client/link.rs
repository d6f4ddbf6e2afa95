//! Whom a client speaks to: signers, parties, and the record on the chain. Each behind a trait, so that tests and
//! simulations answer in the same process.

use crate::api::Receipt;
use primitives::{Digest, EpochId, PartyId, Region, ShardIndex, Tier};
use proofs::{
    blind::BlindSignature,
    inclusion::Inclusion,
    receipt::Denomination,
    tally::{SignedHeader, SignedRoot},
};
use std::time::Duration;
use thiserror::Error;

/// Why there is no answer that means anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Nobody answers. The same bytes may be sent again.
    #[error("cannot be reached: {reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
    /// It asks to come back later.
    #[error("{}", put_off(.kind))]
    Busy {
        /// Why, in a word.
        kind: String,
        /// How long to wait, if it says so.
        retry_after: Option<Duration>,
    },
    /// It answers, or does not, for longer than it is waited for in all.
    #[error("takes too long: it was waited for {} s in all", .waited.as_secs())]
    Slow {
        /// How long it was waited for.
        waited: Duration,
    },
    /// It refuses for good.
    #[error("refuses ({kind}): {text}")]
    Refused {
        /// Why, in a word.
        kind: String,
        /// Why, in a sentence.
        text: String,
    },
    /// It answers with what is no answer.
    #[error("answers with what is no answer: {what}")]
    Garbage {
        /// What is wrong with it.
        what: String,
    },
}

/// How it is said that somebody is to be asked later. `closed` is the kind of a party that takes bundles of no epoch in.
fn put_off(kind: &str) -> String {
    match kind {
        "closed" => "takes no bundles in now".into(),
        kind => format!("has no time now ({kind})"),
    }
}

/// What a party says to a bundle that it is handed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has taken the bundle in.
    Promised(Receipt),
    /// It has the bundle and is not done with it. Ask for its standing.
    Waiting,
    /// It refuses the bundle for good.
    Refused {
        /// Why, in a word.
        kind: String,
        /// Why, in a sentence.
        text: String,
    },
}

/// Where a bundle stands with a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The party has not heard of it, or no longer remembers.
    Unknown,
    /// It is being checked.
    Waiting,
    /// It was taken in, and waits for a batch.
    Provisional(Receipt),
    /// It is in an anchored batch, or so the party says: see [`Parties::inclusion`].
    Final,
    /// It is not counted.
    Refused {
        /// Why, in a word.
        kind: String,
    },
}

/// The three parties, as a client reaches them. Calls block, and several parties are called at a time.
pub trait Parties: Sync {
    /// Hands a bundle in.
    ///
    /// # Errors
    /// If there is no answer for now. A refusal is an answer.
    fn submit(&self, party: PartyId, bundle: &Digest, bytes: &[u8]) -> Result<Answer, LinkError>;

    /// Asks where a bundle stands.
    ///
    /// # Errors
    /// If there is no answer for now.
    fn standing(&self, party: PartyId, bundle: &Digest) -> Result<Standing, LinkError>;

    /// Asks for the final receipt of a bundle; `None` until there is one.
    ///
    /// # Errors
    /// If there is no answer for now.
    fn inclusion(&self, party: PartyId, bundle: &Digest) -> Result<Option<Inclusion>, LinkError>;
}

/// The issuer of the subscriber's tier and the signers of its region, as a client reaches them. Both know who asks and
/// see nothing of what they sign, but for the denomination of a receipt. The same request gets the same answer.
pub trait Signers {
    /// Has a request for a token signed.
    ///
    /// # Errors
    /// If there is no answer for now, or the issuer refuses.
    fn token(
        &self,
        epoch: EpochId,
        tier: Tier,
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError>;

    /// Has a request for a receipt signed.
    ///
    /// # Errors
    /// If there is no answer for now, or the signer refuses.
    fn receipt(
        &self,
        epoch: EpochId,
        at: (Region, Denomination),
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError>;
}

/// What the chain has anchored of an epoch. It is to come from the client's own node or from a proof of the state, and
/// not from a party: a final receipt is worth what the record is worth.
pub trait Record {
    /// The header at a position, if one is anchored.
    ///
    /// # Errors
    /// If there is no answer for now.
    fn header(
        &self,
        epoch: EpochId,
        shard: ShardIndex,
        position: u64,
    ) -> Result<Option<SignedHeader>, LinkError>;

    /// The frozen root of a shard, if it is anchored: nothing is counted in it that is in no batch by then.
    ///
    /// # Errors
    /// If there is no answer for now.
    fn root(&self, epoch: EpochId, shard: ShardIndex) -> Result<Option<SignedRoot>, LinkError>;

    /// Whether an epoch is settled or given up, as far as anybody knows by now: then parties have forgotten the bundles of
    /// the one before it.
    ///
    /// # Errors
    /// If there is no answer for now.
    fn is_over(&self, epoch: EpochId) -> Result<bool, LinkError>;
}

/// Time, as a client waits for others.
pub trait Clock {
    /// Time since some moment.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, pause: Duration);

    /// Waits while others are at work, for as long as `pause` at most. `came` waits by itself, for as long as it is told, and
    /// says whether something came: then there is no more to wait for.
    fn wait(&self, pause: Duration, came: &mut dyn FnMut(Duration) -> bool);

    /// Whether the epoch takes no bundles in any more, as far as the client's own node knows: nobody is waited for then, and
    /// nothing more is made.
    fn is_over(&self) -> bool {
        false
    }

    /// Is told for whom the client waits, and why, each time that there was no answer.
    fn waits(&self, _who: &'static str, _error: &LinkError) {}
}

/// The time of the machine.
#[derive(Debug)]
pub struct MachineClock(std::time::Instant);

impl Default for MachineClock {
    fn default() -> Self {
        Self(std::time::Instant::now())
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, pause: Duration) {
        std::thread::sleep(pause);
    }

    fn wait(&self, pause: Duration, came: &mut dyn FnMut(Duration) -> bool) {
        came(pause);
    }
}

/// How long a client tries before it leaves the rest to its next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Times in a row that somebody may have no answer.
    pub attempts: u32,
    /// Pause after the first of them. Each later one is twice as long.
    pub first: Duration,
    /// Longest pause. Whoever asks for a longer one is tried after this.
    pub longest: Duration,
}

impl Default for Patience {
    /// Nine minutes of pauses in all: longer than a party takes to start again.
    fn default() -> Self {
        Self { attempts: 16, first: Duration::from_millis(500), longest: Duration::from_secs(60) }
    }
}

impl Patience {
    /// The pause after so many times without an answer, from 1. `None` if patience is at its end.
    pub fn pause(&self, failures: u32, asked: Option<Duration>) -> Option<Duration> {
        if failures >= self.attempts {
            return None;
        }
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(20));
        Some(doubled.max(asked.unwrap_or_default()).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_closed_is_not_busy() {
        let said = |kind: &str| LinkError::Busy { kind: kind.into(), retry_after: None }.to_string();
        assert_eq!(said("closed"), "takes no bundles in now");
        assert_eq!(said("busy"), "has no time now (busy)");
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_come_to_an_end() {
        let seconds = Duration::from_secs;
        let patience = Patience { attempts: 6, first: seconds(1), longest: seconds(10) };
        let pauses: Vec<_> = (1..=6).map(|n| patience.pause(n, None)).collect();
        assert_eq!(
            pauses,
            [1, 2, 4, 8, 10].map(|s| Some(seconds(s))).into_iter().chain([None]).collect::<Vec<_>>()
        );
        assert_eq!(patience.pause(1, Some(seconds(5))), Some(seconds(5)));
        assert_eq!(patience.pause(1, Some(seconds(3600))), Some(seconds(10)));
    }
}
