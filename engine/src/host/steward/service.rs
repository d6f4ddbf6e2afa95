//! One epoch after the other: what a pilot needs on record, the keys of the issuers, the opening, the reports.

use super::{Hurries, Registration, attend};
use crate::{
    host::in_hand,
    settlement::{Office, Offices, Plan, Port, SettlementError, read, signed},
};
use chain::{
    Ledger, Payload,
    modules::usage::{Phase, PublishKeys},
    node::ClientError,
};
use primitives::{Credits, Digest, Domain, EpochId, Tier, hash, params::TierTerms};
use rand_chacha::ChaCha20Rng;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};
use thiserror::Error;

/// How often the service looks whether it may go on.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long what failed is left alone.
const AGAIN: Duration = Duration::from_secs(2);
/// Refusals in a row after which nothing is tried any more. A few are no harm: what was confirmed before a restart comes in
/// a block later, and until then the ledger seems to lack it.
const MAX_REFUSALS: u32 = 8;

/// What an epoch is opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Tiers, ascending.
    pub tiers: Vec<TierTerms>,
    /// Subscriptions sold, in the same order.
    pub sales: Vec<(Tier, u64)>,
    /// Most works of one shard.
    pub shard_width: u16,
}

/// Where a steward has from what is not on the chain.
pub trait Source {
    /// Terms of the epoch that opens next.
    ///
    /// # Errors
    /// If there are none, with the reason.
    fn terms(&self, epoch: EpochId) -> Result<Terms, String>;

    /// Public keys of the issuers in an epoch.
    ///
    /// # Errors
    /// If somebody cannot be asked or has none, with the reason.
    fn keys(&self, epoch: EpochId) -> Result<PublishKeys, String>;
}

/// What the service has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Something is on record now.
    OnRecord {
        /// What.
        what: String,
    },
    /// The next epoch is left alone for a while.
    Rests {
        /// How long.
        seconds: u64,
    },
    /// It waits for something.
    Waits {
        /// For what, and why.
        what: String,
    },
    /// It has the parties make the beacon of an epoch, opens it and settles it.
    Epoch {
        /// Which.
        epoch: EpochId,
    },
    /// The ledger has closed the books on an epoch.
    Over {
        /// Which.
        epoch: EpochId,
        /// Whether it is settled; else it was given up.
        settled: bool,
    },
    /// Something was refused, and is tried again.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Why the service stops by itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The ledger refuses something again and again.
    #[error("epoch {epoch}: the chain refuses what is due: {error}")]
    Refused {
        /// Of which epoch.
        epoch: EpochId,
        /// Why.
        error: Box<SettlementError>,
    },
    /// The terms of an epoch are none.
    #[error("epoch {epoch} has no terms: {reason}")]
    Terms {
        /// Of which epoch.
        epoch: EpochId,
        /// Why.
        reason: String,
    },
}

/// The offices of a pilot, all on one host.
pub struct Service {
    registration: Registration,
    offices: Offices,
    /// Time between the end of what an epoch takes in and the keys of the next.
    rest: Duration,
    /// For how long a third party that reveals nothing for the beacon is waited for.
    patience: Duration,
}

impl Service {
    /// Offices that admit a committee and run its epochs. `rest` is the time between two epochs; a third party that reveals
    /// nothing for the beacon is waited for as long as `patience`.
    pub fn new(
        registration: Registration,
        (steward, treasury, auditors): (Office, Office, Vec<Office>),
        rng: ChaCha20Rng,
        (rest, patience): (Duration, Duration),
    ) -> Self {
        // What is to be done follows from the chain whenever they look.
        let plan = Plan {
            epoch: EpochId(0),
            tiers: Vec::new(),
            shard_width: 0,
            sales: Vec::new(),
            attestation: Digest::default(),
            reserve: Credits::ZERO,
        };
        Self { registration, offices: Offices { steward, treasury, auditors, plan, rng }, rest, patience }
    }

    /// Runs epochs until `stop` is set: the next one opens while the books of the one before are closed.
    ///
    /// # Errors
    /// If the ledger refuses what is due, or an epoch has no terms. It can be started again then.
    pub fn run(
        &mut self,
        port: &dyn Port,
        source: &dyn Source,
        told: &dyn Fn(Told),
        stop: &AtomicBool,
    ) -> Result<(), ServiceError> {
        let (mut refusals, mut waits) = (0, None);
        let mut round =
            Round { source, told, hurries: Hurries::new(self.patience), begun: BTreeMap::new(), rests: None };
        while !stop.load(Ordering::Relaxed) {
            match self.round(port, &mut round) {
                Ok(()) => {
                    refusals = 0;
                    pause(LOOK_EVERY, stop);
                }
                Err((epoch, Halt::Terms(reason))) => return Err(ServiceError::Terms { epoch, reason }),
                Err((epoch, Halt::Chain(error))) if refusals == MAX_REFUSALS && !is_away(&error) => {
                    return Err(ServiceError::Refused { epoch, error });
                }
                Err((_, Halt::Chain(error))) if !is_away(&error) => {
                    refusals += 1;
                    told(Told::Refused { reason: error.to_string() });
                    pause(AGAIN, stop);
                }
                Err((_, halt)) => {
                    let what = halt.to_string();
                    // What is waited for is told once, however often it is looked for.
                    if waits.as_ref() != Some(&what) {
                        waits = Some(what.clone());
                        told(Told::Waits { what });
                    }
                    pause(AGAIN, stop);
                }
            }
        }
        Ok(())
    }

    /// Does what is due in every epoch in hand.
    fn round(&mut self, port: &dyn Port, round: &mut Round<'_>) -> Result<(), (EpochId, Halt)> {
        let phase_of = |epoch| {
            read(port, |ledger| {
                ledger.state().epochs.get(&epoch).filter(|on| on.is_over()).map(|on| on.phase)
            })
        };
        let over: Vec<_> = round.begun.keys().filter_map(|epoch| Some((*epoch, phase_of(*epoch)?))).collect();
        for (epoch, phase) in over {
            round.begun.remove(&epoch);
            (round.told)(Told::Over { epoch, settled: phase == Phase::Finalised });
        }
        let mut done = Ok(());
        for (place, epoch) in read(port, in_hand).into_iter().enumerate() {
            let halt = |halt| match halt {
                // The books of the one before are closed all the same.
                Halt::Terms(reason) if place > 0 => Halt::Waits(format!("terms of epoch {epoch}: {reason}")),
                halt => halt,
            };
            done = done.and(self.epoch(port, round, epoch).map_err(|found| (epoch, halt(found))));
        }
        done
    }

    /// What is due in one epoch.
    fn epoch(&mut self, port: &dyn Port, round: &mut Round<'_>, epoch: EpochId) -> Result<(), Halt> {
        if !round.begun.contains_key(&epoch) {
            let is_open = read(port, |ledger| ledger.state().openings.get(&epoch).is_some());
            let terms = match is_open {
                true => None,
                false => match self.prepare(port, round, epoch)? {
                    None => return Ok(()),
                    terms => terms,
                },
            };
            (round.told)(Told::Epoch { epoch });
            round.begun.insert(epoch, terms);
        }
        let terms = round.begun.get(&epoch).and_then(Option::as_ref);
        self.offices.plan = read(port, |ledger| plan(ledger, epoch, terms));
        Ok(attend(port, &mut self.offices, &mut round.hurries)?)
    }

    /// Puts on record what an epoch needs before its beacon is made, and gives its terms. Nothing, if it is left alone for a
    /// while.
    fn prepare(
        &mut self,
        port: &dyn Port,
        round: &mut Round<'_>,
        epoch: EpochId,
    ) -> Result<Option<Terms>, Halt> {
        let published = read(port, |ledger| ledger.state().issuer_keys.iter().any(|key| key.epoch == epoch));
        let is_first = read(port, |ledger| ledger.state().epochs.iter().next().is_none());
        if !published && !is_first && round.rests(epoch, self.rest) {
            return Ok(None);
        }
        let terms = round.source.terms(epoch).map_err(Halt::Terms)?;
        let Offices { steward, rng, .. } = &mut self.offices;
        while let Some(what) = self.registration.act(port, steward, rng)? {
            (round.told)(Told::OnRecord { what });
        }
        if !published {
            let keys = round.source.keys(epoch).map_err(Halt::Waits)?;
            signed(port, steward, Payload::PublishKeys(keys), rng)?;
            (round.told)(Told::OnRecord { what: format!("the issuers' keys of epoch {epoch}") });
        }
        if read(port, |ledger| ledger.state().works.iter().next().is_none()) {
            let what = "a work on record, before an epoch can open: cwe work register puts one there";
            return Err(Halt::Waits(what.into()));
        }
        Ok(Some(terms))
    }
}

/// What the service knows of the epochs in hand.
struct Round<'a> {
    source: &'a dyn Source,
    told: &'a dyn Fn(Told),
    hurries: Hurries,
    /// Those that have begun, each with the terms that it is to open with.
    begun: BTreeMap<EpochId, Option<Terms>>,
    /// The next one, and since when it could be prepared.
    rests: Option<(EpochId, Instant)>,
}

impl Round<'_> {
    /// Whether an epoch is to be left alone for a while yet.
    fn rests(&mut self, epoch: EpochId, rest: Duration) -> bool {
        if self.rests.is_none_or(|(of, _)| of != epoch) {
            self.rests = Some((epoch, Instant::now()));
            if !rest.is_zero() {
                (self.told)(Told::Rests { seconds: rest.as_secs() });
            }
        }
        self.rests.is_some_and(|(_, since)| since.elapsed() < rest)
    }
}

/// Why an epoch does not go on.
#[derive(Debug, Error)]
enum Halt {
    #[error("{0}")]
    Terms(String),
    #[error("{0}")]
    Waits(String),
    #[error("{0}")]
    Chain(Box<SettlementError>),
}

impl From<SettlementError> for Halt {
    fn from(error: SettlementError) -> Self {
        Self::Chain(Box::new(error))
    }
}

/// Whether nobody answers where the sequencer is.
fn is_away(error: &SettlementError) -> bool {
    matches!(error, SettlementError::Away(error) if matches!(**error, ClientError::Unreachable { .. }))
}

/// Waits, but not for longer than until `stop` is set.
fn pause(how_long: Duration, stop: &AtomicBool) {
    let begun = Instant::now();
    while begun.elapsed() < how_long && !stop.load(Ordering::Relaxed) {
        thread::sleep(LOOK_EVERY.min(how_long));
    }
}

/// What is to be done in an epoch: once it is open, what it opened with; before that, what it is to open with. The reserve
/// of a pilot is what is in existence, and what is to be reported beside: what subscribers paid.
fn plan(ledger: &Ledger, epoch: EpochId, terms: Option<&Terms>) -> Plan {
    let state = ledger.state();
    let (tiers, sales, shard_width) = match (state.openings.get(&epoch), terms) {
        (Some(opening), _) => {
            let sales = opening.sold.iter().map(|of| (of.tier, of.subscriptions)).collect();
            (opening.tiers.clone(), sales, opening.shard_width)
        }
        (None, Some(terms)) => (terms.tiers.clone(), terms.sales.clone(), terms.shard_width),
        (None, None) => (Vec::new(), Vec::new(), 0),
    };
    let open = tiers.iter().zip(&sales).filter(|(of, _)| state.revenues.get(&(epoch, of.tier)).is_none());
    let due = open.filter_map(|(of, (_, sold))| of.price.checked_mul(*sold));
    let add = |sum: Credits, more: Credits| Credits(sum.0.saturating_add(more.0));
    let reserve = due.fold(state.total_supply().in_existence(), add);
    let attestation = hash::hash(Domain::Attestation, &[b"reported sales", &epoch.0.to_le_bytes()]);
    Plan { epoch, tiers, shard_width, sales, attestation, reserve }
}
