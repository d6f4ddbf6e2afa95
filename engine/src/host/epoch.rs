//! One epoch of a host, from its beacon to its end.

use super::{
    Host, HostError, LOOK_EVERY, Seat, Told, crossing::address, memory::OnDisk, place::has_lost,
    replay::Replay,
};
use crate::{
    actor::Surroundings,
    actors::Actors,
    api::Edition,
    coordinator::Coordinator,
    effect::{Core, Event},
    intake::Intake,
    message::{Address, Message, Phase, Sitting},
    opening::{EpochDocument, OpeningError},
    party::{Party, standby::Standby},
    settlement::{Settlement, read},
    store::{Change, EpochState},
    transport::Switchboard,
    verifier::Verifier,
};
use chain::modules::usage::{CommitteeSeat, Phase as ChainPhase, beacon_commitment};
use primitives::{Digest, EpochId, PartyId, Time};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::sync::{
    Arc,
    mpsc::{self, Receiver},
};

/// Most events that are handled before what they ask for is written.
const EVENTS_AT_ONCE: usize = 256;

/// Most bundles of final batches that a party keeps in memory, some 40 KB each: peers that are a little behind ask for the last
/// ones. All others are on disk.
const ARCHIVED: usize = 1 << 10;

/// What is under way.
struct Running<'a> {
    host: &'a Host<'a>,
    epoch: EpochId,
    seat: Seat,
    /// The committee on record, when this began.
    committee: Option<CommitteeSeat>,
    actors: Actors,
    /// The furthest phase that is on disk.
    phase: Option<Phase>,
    /// When the window ends, once the epoch is open.
    closes: Option<Time>,
    is_closed: bool,
    /// What was acknowledged before a restart, as long as it is not checked again.
    replay: Option<Replay>,
}

/// Runs an epoch to its end, or until the host is told to stop or takes no more part in it. Whether it is over. `state` is
/// what the store has of it.
pub(super) fn run(
    host: &Host<'_>,
    (epoch, seat): (EpochId, Seat),
    state: EpochState,
) -> Result<bool, HostError> {
    let committee = read(&*host.port, |ledger| ledger.state().committee_for(epoch).cloned());
    let again = state.phase.is_some() || state.beacon.is_some();
    (host.told)(Told::Epoch { epoch, again });
    let (board, events, actors) = start(host, (epoch, seat), &state)?;
    let on_disk = host.store.bundle_ids(epoch);
    let party = match seat {
        Seat::Party(party) => Some(host.setup.secret.secrets(party).signer),
        Seat::Standby => None,
    };
    host.counter.enter((epoch, party), board.clone(), on_disk);
    host.crossing.enter(epoch, board);
    let mut running = Running {
        host,
        epoch,
        seat,
        committee,
        actors,
        phase: state.phase,
        closes: None,
        is_closed: false,
        replay: None,
    };
    let ended = running.run(&events);
    host.crossing.leave(epoch);
    running.actors.finish();
    host.counter.leave(epoch);
    if matches!(ended, Ok(true)) {
        host.counter.publish(epoch);
    }
    ended
}

/// What the party has contributed to the beacon, unless the chain has spent its commitment: the committee is another since,
/// and the party draws a new one.
fn contribution(host: &Host<'_>, (epoch, party): (EpochId, PartyId)) -> Result<Option<Digest>, HostError> {
    let Some(value) = host.store.contribution(epoch) else { return Ok(None) };
    let commitment = beacon_commitment(host.of.0, epoch, party, &value);
    let is_spent = |ledger: &chain::Ledger| {
        let seat = ledger.state().committees.get(&epoch);
        seat.is_some_and(|seat| seat.spent.contains(&commitment))
    };
    if !read(&*host.port, is_spent) {
        return Ok(Some(value));
    }
    host.store.write(&[Change::Spent(epoch)])?;
    Ok(None)
}

/// Starts the actors of an epoch, with what the store has of it.
fn start(
    host: &Host<'_>,
    (epoch, seat): (EpochId, Seat),
    state: &EpochState,
) -> Result<(Arc<Switchboard>, Receiver<Event>, Actors), HostError> {
    let own = address(seat);
    let mut cores: Vec<(Address, Box<dyn Core>)> = vec![
        (Address::Coordinator, Box::new(Coordinator::new())),
        (Address::Settlement, Box::new(Settlement::new(host.port.clone(), epoch, None))),
        (own, core(host, (epoch, seat), state)?),
    ];
    if let Seat::Party(party) = seat {
        cores.push((Address::Intake(party), Box::new(Intake::new(party))));
        cores.push((Address::Verifier(party), Box::new(Verifier::new(party))));
    }
    let board = Arc::new(Switchboard::with_exterior(own, host.crossing.of(epoch)));
    let (publish, events) = mpsc::channel();
    let memory = OnDisk { store: host.store.clone(), epoch, carried: host.carried.clone() };
    let around = Surroundings {
        board: board.clone(),
        events: publish,
        memory: Arc::new(memory),
        tick: host.setup.tick,
    };
    Ok((board, events, Actors::start(cores, around)))
}

/// What has the seat.
fn core(
    host: &Host<'_>,
    (epoch, seat): (EpochId, Seat),
    state: &EpochState,
) -> Result<Box<dyn Core>, HostError> {
    let (of, sat) = ((host.of.0, epoch), state.attempt.map(Sitting::of_number));
    let rng = ChaCha20Rng::from_rng(rand_core::OsRng).expect("the machine has randomness");
    let Seat::Party(party) = seat else {
        // It signs for whichever seat it gets.
        let standby = Standby::new(of, host.setup.secret.secrets(PartyId::ALL[0]), rng);
        return Ok(Box::new(standby.with_sitting(sat)));
    };
    let votes: Vec<_> = state.votes.values().cloned().collect();
    let contribution = contribution(host, (epoch, party))?;
    let party =
        Party::new(of, host.setup.secret.secrets(party), (host.setup.batch, host.carried.clone()), rng)
            .with_votes(&votes)
            .with_signed(host.store.signed(epoch))
            .with_contribution(contribution)
            .with_sitting(sat)
            .with_archived(ARCHIVED)
            .with_marks(host.store.mark_sets()?);
    Ok(Box::new(party))
}

impl Running<'_> {
    /// Whether the epoch came to its end.
    fn run(&mut self, events: &Receiver<Event>) -> Result<bool, HostError> {
        if !read(&*self.host.port, |ledger| ledger.state().openings.get(&self.epoch).is_some()) {
            self.tell(Address::Coordinator, Message::Begin);
        }
        let mut block = None;
        while !self.host.is_stopped()? {
            let first = events.recv_timeout(LOOK_EVERY).ok();
            let more = std::iter::from_fn(|| events.try_recv().ok()).take(EVENTS_AT_ONCE);
            for event in first.into_iter().chain(more) {
                self.event(&event)?;
            }
            if !self.host.counter.flush(self.epoch) || self.host.store.lost_marks() {
                return Err(HostError::Unwritten);
            }
            // News of the chain are looked at when they come.
            let head = self.host.port.mirror().head().height;
            if block.replace(head) != Some(head) {
                self.tell(Address::Settlement, Message::Tick);
                if self.has_lost_seat() || self.has_other_committee() {
                    return Ok(false);
                }
            }
            self.replay()?;
            let is_late = self.closes.is_some_and(|closes| closes <= chain::node::now());
            // What is checked again was taken in before the window ended.
            if is_late && !self.is_closed && self.replay.is_none() {
                self.is_closed = true;
                self.tell(Address::Coordinator, Message::EndOfWindow);
            }
            if self.is_over() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the epoch, which has not opened, has another committee than when this began, or the same set anew: its beacon
    /// begins anew.
    fn has_other_committee(&self) -> bool {
        let is_other =
            |ledger: &chain::Ledger| ledger.state().committee_for(self.epoch) != self.committee.as_ref();
        self.closes.is_none() && read(&*self.host.port, is_other)
    }

    /// Whether this host has lost its seat in the epoch before this one, since this one opened.
    fn has_lost_seat(&self) -> bool {
        let Seat::Party(party) = self.seat else { return false };
        read(&*self.host.port, |ledger| has_lost(ledger.state(), (self.epoch, party)))
    }

    fn tell(&self, to: Address, message: Message) {
        // Nobody of this host is ever away.
        let _taken = self.actors.send(Address::Outside, to, message);
    }

    /// Whether the chain has closed the books on the epoch, and this party knows.
    fn is_over(&self) -> bool {
        let over =
            |ledger: &chain::Ledger| ledger.state().epochs.get(&self.epoch).is_some_and(|on| on.is_over());
        matches!(self.phase, Some(Phase::Done | Phase::Aborted)) && read(&*self.host.port, over)
    }

    fn event(&mut self, event: &Event) -> Result<(), HostError> {
        self.host.counter.event(self.epoch, event);
        if let Some(replay) = &mut self.replay {
            replay.event(event);
        }
        match event {
            Event::Opened(_) => self.opened()?,
            Event::Phase(phase) => {
                if self.phase.is_none_or(|before| before < *phase) {
                    self.phase = Some(*phase);
                    self.host.store.write(&[Change::Phase(self.epoch, *phase)])?;
                }
                (self.host.told)(Told::Phase { epoch: self.epoch, phase: *phase });
            }
            Event::Broken { .. } => return Err(HostError::Unwritten),
            Event::Aborted { culprit, reason, .. } => {
                let (epoch, culprit, reason) = (self.epoch, *culprit, reason.clone());
                (self.host.told)(Told::Aborted { epoch, culprit, reason });
            }
            Event::Dropped { at, from, reason } => {
                tracing::debug!(%at, %from, reason, "a message was dropped")
            }
            Event::Silent { party } => tracing::warn!(%party, "a party has been silent for too long"),
            Event::Seated { party } => tracing::warn!(%party, "the standby has taken a seat"),
            Event::Evidence { evidence, .. } => {
                tracing::error!(party = %evidence.party(), "there is evidence against a party");
            }
            _ => {}
        }
        Ok(())
    }

    /// The epoch is open: bundles that were acknowledged before a restart come first, then those of clients.
    fn opened(&mut self) -> Result<(), HostError> {
        let (host, epoch) = (self.host, self.epoch);
        let failed = |error: OpeningError| HostError::Epoch { epoch, reason: error.to_string() };
        let document = read(&*host.port, |ledger| EpochDocument::on_record(ledger.state(), epoch));
        let document = document.map_err(failed)?;
        // By the chain, and not by when this host looked: windows end together.
        let opens = document.opening().opened;
        let window = u32::try_from(host.setup.window.as_secs()).unwrap_or(u32::MAX);
        let closes = opens.after(window);
        self.closes = Some(closes);
        // Who stands by takes no bundles in.
        let Seat::Party(_) = self.seat else { return Ok(()) };
        let edition = Edition::new(document, host.counter.genesis()).map_err(failed)?;
        host.counter.opened(epoch, edition, (opens, closes));
        // With the totals on record nothing is added up any more.
        let has_totals = read(&*host.port, |ledger| {
            let phase = ledger.state().epochs.get(&epoch).map(|on_record| on_record.phase);
            !matches!(phase, Some(ChainPhase::Open | ChainPhase::Frozen))
        });
        if !has_totals {
            self.replay = Some(Replay::new(host.store.bundles(epoch)));
        }
        self.replay()
    }

    /// Goes on with what was acknowledged before a restart.
    fn replay(&mut self) -> Result<(), HostError> {
        let (Some(replay), Seat::Party(party)) = (&mut self.replay, self.seat) else { return Ok(()) };
        let (intake, verifier) = (Address::Intake(party), Address::Verifier(party));
        let send = |verify| {
            // Nobody of this host is ever away.
            let _taken = self.actors.send(intake, verifier, verify);
        };
        if replay.go_on(send)? {
            self.replay = None;
        }
        Ok(())
    }
}
