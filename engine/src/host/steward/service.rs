//! One epoch after the other: what a pilot needs on record, the keys of the issuers, the opening, the reports.

use super::{Registration, serve};
use crate::settlement::{Office, Offices, Plan, Port, SettlementError, read, signed};
use chain::{
    Ledger, Payload,
    modules::usage::{Phase, PublishKeys},
    node::ClientError,
};
use primitives::{Credits, Digest, Domain, EpochId, Tier, hash, params::TierTerms};
use rand_chacha::ChaCha20Rng;
use std::{
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
    /// The next epoch is left alone for a while, so that clients fetch the receipts of the one that is over.
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
    /// Time between the end of an epoch and the keys of the next.
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

    /// Runs epochs until `stop` is set.
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
        // What is waited for is told once, however often it is looked for.
        let mut wait = |what: String| {
            if waits.as_ref() != Some(&what) {
                waits = Some(what.clone());
                told(Told::Waits { what });
            }
            pause(AGAIN, stop);
        };
        let mut rested = read(port, |ledger| ledger.state().epochs.iter().next().is_none());
        while !stop.load(Ordering::Relaxed) {
            let epoch = read(port, |ledger| {
                let open = ledger.state().epochs.iter().next_back().filter(|last| !last.is_over());
                open.map_or_else(|| ledger.state().next_epoch(ledger.origin()), |open| open.epoch)
            });
            match self.epoch(port, source, (epoch, &mut rested), told, stop) {
                Ok(()) => refusals = 0,
                Err(Halt::Terms(reason)) => return Err(ServiceError::Terms { epoch, reason }),
                Err(Halt::Waits(what)) => wait(what),
                Err(Halt::Chain(error)) if is_away(&error) => wait(error.to_string()),
                Err(Halt::Chain(error)) if refusals == MAX_REFUSALS => {
                    return Err(ServiceError::Refused { epoch, error });
                }
                Err(Halt::Chain(error)) => {
                    refusals += 1;
                    told(Told::Refused { reason: error.to_string() });
                    pause(AGAIN, stop);
                }
            }
        }
        Ok(())
    }

    /// One epoch, from whatever the chain has of it to its end.
    fn epoch(
        &mut self,
        port: &dyn Port,
        source: &dyn Source,
        (epoch, rested): (EpochId, &mut bool),
        told: &dyn Fn(Told),
        stop: &AtomicBool,
    ) -> Result<(), Halt> {
        let is_open = read(port, |ledger| ledger.state().openings.get(&epoch).is_some());
        let terms = if is_open { None } else { Some(source.terms(epoch).map_err(Halt::Terms)?) };
        if !is_open {
            let Offices { steward, rng, .. } = &mut self.offices;
            while let Some(what) = self.registration.act(port, steward, rng)? {
                told(Told::OnRecord { what });
            }
            let published =
                read(port, |ledger| ledger.state().issuer_keys.iter().any(|key| key.epoch == epoch));
            if !published {
                if !std::mem::replace(rested, true) && !self.rest.is_zero() {
                    told(Told::Rests { seconds: self.rest.as_secs() });
                    pause(self.rest, stop);
                }
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let keys = source.keys(epoch).map_err(Halt::Waits)?;
                signed(port, steward, Payload::PublishKeys(keys), rng)?;
                told(Told::OnRecord { what: format!("the issuers' keys of epoch {epoch}") });
            }
        }
        let has_works = read(port, |ledger| ledger.state().works.iter().next().is_some());
        if !is_open && !has_works {
            let what = "a work on record, before an epoch can open: cwe work register puts one there";
            return Err(Halt::Waits(what.into()));
        }
        told(Told::Epoch { epoch });
        let plan = |ledger: &Ledger| plan(ledger, epoch, terms.as_ref());
        if serve(port, &mut self.offices, &plan, (epoch, self.patience), stop)? {
            let settled = read(port, |ledger| {
                ledger.state().epochs.get(&epoch).is_some_and(|on| on.phase == Phase::Finalised)
            });
            *rested = false;
            told(Told::Over { epoch, settled });
        }
        Ok(())
    }
}

/// Why an epoch does not go on.
enum Halt {
    Terms(String),
    Waits(String),
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
