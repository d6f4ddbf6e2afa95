//! One epoch after the other: what a pilot needs on record, the keys of the issuers, the opening, the reports.

use super::{
    Hurries, Registration, ServiceError, Source, Terms, Times, Told, attend, is_away,
    overdue::{Overdue, Stands},
};
use crate::{
    host::in_hand,
    settlement::{Office, Offices, Plan, Port, SettlementError, read, signed},
};
use chain::{Ledger, Payload, modules::usage::Phase, state::State};
use primitives::{Credits, Digest, Domain, EpochId, PartyId, hash};
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
/// How long parties may take to make a beacon before it is said that they are waited for.
const BEACON_TAKES: Duration = Duration::from_secs(5);
/// How long what failed is left alone.
const AGAIN: Duration = Duration::from_secs(2);
/// Refusals in a row after which nothing is tried any more. A few are no harm: what was confirmed before a restart comes in
/// a block later, and until then the ledger seems to lack it.
const MAX_REFUSALS: u32 = 8;

/// The offices of a pilot, all on one host.
pub struct Service {
    registration: Registration,
    offices: Offices,
    times: Times,
}

impl Service {
    /// Offices that admit a committee and run its epochs.
    pub fn new(
        registration: Registration,
        (steward, treasury, auditors): (Office, Office, Vec<Office>),
        rng: ChaCha20Rng,
        times: Times,
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
        Self { registration, offices: Offices { steward, treasury, auditors, plan, rng }, times }
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
        let mut refusals = 0;
        let hurries = Hurries::new(self.times.beacon_patience);
        let (begun, overdue) = (BTreeMap::new(), Overdue::default());
        let mut round = Round { source, told, hurries, begun, overdue, rests: None, waits: None };
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
                    round.waits(halt.to_string());
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
        let clocks = (chain::node::now(), Instant::now());
        let stands = read(port, Stands::first);
        if let Some(late) = round.overdue.look(stands, self.times.window, clocks) {
            (round.told)(late);
        }
        let mut done = Ok(());
        for (place, epoch) in read(port, in_hand).into_iter().enumerate() {
            let halted = |halt: Halt| (epoch, if place > 0 { halt.behind(epoch) } else { halt });
            done = done.and(self.epoch(port, round, epoch).map_err(halted));
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
            round.begun.insert(epoch, Begun { terms, since: Instant::now(), is_open: false });
        }
        let begun = round.begun.get_mut(&epoch).expect("it was put there");
        self.offices.plan = read(port, |ledger| plan(ledger, epoch, begun.terms.as_ref()));
        attend(port, &mut self.offices, &mut round.hurries)?;
        if begun.is_open {
            return Ok(());
        }
        begun.is_open = read(port, |ledger| ledger.state().openings.get(&epoch).is_some());
        if begun.is_open {
            (round.told)(Told::Open { epoch });
        } else if begun.since.elapsed() > BEACON_TAKES
            && let Some(what) =
                read(port, |ledger| lacking(ledger.state(), epoch, self.times.beacon_patience))
        {
            round.waits(what);
        }
        Ok(())
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
        if !published && !is_first && round.rests(epoch, self.times.rest) {
            return Ok(None);
        }
        let terms = round.source.terms(epoch).map_err(Halt::Terms)?;
        let Offices { steward, rng, .. } = &mut self.offices;
        while let Some(what) = self.registration.act(port, steward, rng)? {
            (round.told)(Told::OnRecord { what });
        }
        if !published {
            let keys = round.source.keys(epoch).map_err(Halt::Waits)?;
            // What issuers show ends nothing, whatever the ledger makes of it: other keys may come.
            signed(port, steward, Payload::PublishKeys(keys), rng).map_err(|error| {
                match is_away(&error) {
                    true => Halt::from(error),
                    false => Halt::Waits(format!("other keys of issuers for epoch {epoch}: {error}")),
                }
            })?;
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
    begun: BTreeMap<EpochId, Begun>,
    overdue: Overdue,
    /// The next one, and since when it could be prepared.
    rests: Option<(EpochId, Instant)>,
    /// What it was last said that is waited for.
    waits: Option<String>,
}

/// An epoch that has begun.
struct Begun {
    /// What it is to open with.
    terms: Option<Terms>,
    since: Instant,
    is_open: bool,
}

impl Round<'_> {
    /// Says what is waited for: once, however often it is looked for.
    fn waits(&mut self, what: String) {
        if self.waits.as_ref() != Some(&what) {
            self.waits = Some(what.clone());
            (self.told)(Told::Waits { what });
        }
    }

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

impl Halt {
    /// The same in an epoch that comes after one whose books are being closed: that goes on, whatever this one lacks.
    fn behind(self, epoch: EpochId) -> Self {
        match self {
            Self::Terms(reason) => Self::Waits(format!("terms of epoch {epoch}: {reason}")),
            Self::Chain(error) if !is_away(&error) => Self::Waits(format!("epoch {epoch}: {error}")),
            other => other,
        }
    }
}

impl From<SettlementError> for Halt {
    fn from(error: SettlementError) -> Self {
        Self::Chain(Box::new(error))
    }
}

/// Whose part of a beacon keeps an epoch from opening, and for how long it is waited for: `patience` for a value, and what is on
/// record with the committee for a commitment.
fn lacking(state: &State, epoch: EpochId, patience: Duration) -> Option<String> {
    let said: BTreeMap<_, _> = state.contributions(epoch).map(|of| (of.party, of.value.is_some())).collect();
    let reveal = said.values().any(|has_revealed| *has_revealed) || said.len() == PartyId::ALL.len();
    let lacks = |party: &PartyId| match said.get(party) {
        None => !reveal,
        Some(has_revealed) => reveal && !has_revealed,
    };
    let absent: Vec<_> = PartyId::ALL.into_iter().filter(lacks).map(|party| party.to_string()).collect();
    let seat = u64::from(state.committee_for(epoch)?.seating.patience);
    let (what, seconds) = if reveal { ("reveal", patience.as_secs()) } else { ("commit to", seat) };
    let who = match absent.as_slice() {
        [] => return None,
        [one] => format!("for party {one}, {seconds} s at most,"),
        several => format!("for parties {}", several.join(" and ")),
    };
    Some(format!("{who} to {what} the beacon of epoch {epoch}"))
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

#[cfg(test)]
mod tests;
