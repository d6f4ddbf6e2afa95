//! Runs the epoch through the actors: hands everything in to all three parties, follows their events, and waits for the
//! end.

use super::{
    DemoError, Options, Statements, Stopped,
    submissions::{Schedule, Submission},
};
use crate::{
    adversary::{ATTACKS, Attack},
    device::{self, Parcel},
    progress::{Progress, Stage},
    workload::Workload,
    world::World,
};
use chain::light::SignerKeys;
use engine::{Address, Event, Evidence, Phase, Refusal, Running, message::OpenedEpoch};
use primitives::{Digest, PartyId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, mpsc::RecvTimeoutError},
    time::{Duration, Instant},
};

/// Most first answers that are waited for at a time: three a bundle. Far below what an intake holds.
const MAX_OUTSTANDING: usize = 3 * 96;
/// With no event for so long, a run is given up. The longest silence of an honest run is one batch on the pool.
const STALL: Duration = Duration::from_secs(120);

/// The same for a run with a party that cheats: well beyond the 45 seconds of the others' patience with a leader, also on a
/// busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

const _: () = assert!(MAX_OUTSTANDING < engine::intake::MAX_IN_FLIGHT);

/// An actor that is taken away during a run and brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Which actor.
    pub actor: Address,
    /// After how many batches it goes.
    pub after_batches: u64,
    /// How long it stays away.
    pub lasting: Duration,
}

/// What happened while an actor was away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Away {
    /// Batches that became final.
    pub batches: u64,
    /// Whether the epoch ended.
    pub ended: bool,
}

/// An honest bundle that was handed in.
pub(super) struct Handed {
    pub(super) subscriber: usize,
    pub(super) parcel: Parcel,
}

/// What the actors did with everything that was handed in.
#[derive(Default)]
pub(super) struct Collected {
    /// Honest bundles.
    pub(super) honest: BTreeMap<Digest, Handed>,
    /// Attacks, in order.
    pub(super) attacks: Vec<Attack>,
    /// Bundles in final batches.
    pub(super) accepted: BTreeSet<Digest>,
    /// Bundles of which a party complained with evidence.
    pub(super) struck: BTreeSet<Digest>,
    /// Batches.
    pub(super) batches: u64,
    /// What the parties publish of the bundles in them.
    pub(super) statements: Statements,
    /// The last refusal of a bundle by each party.
    pub(super) refusals: BTreeMap<Digest, BTreeMap<PartyId, Refusal>>,
    /// Refusals of bytes that had come before.
    pub(super) duplicates: BTreeMap<Digest, BTreeMap<PartyId, Refusal>>,
    /// Messages that actors dropped, by reason.
    pub(super) dropped: BTreeMap<String, u64>,
    /// Evidence against parties.
    pub(super) evidence: Vec<Evidence>,
    /// What happened during the outage.
    pub(super) away: Option<Away>,
    /// The first honest bundle that was handed in: the first with receipts, if there is one.
    pub(super) sample: Option<Parcel>,
    /// Keys of the blind signers, as the parties have them.
    pub(super) signers: SignerKeys,
}

impl Collected {
    /// How an attack was answered.
    pub(super) fn seen(&self, attack: &Attack) -> BTreeMap<PartyId, Refusal> {
        let by =
            if attack.expected.refusal() == Refusal::Duplicate { &self.duplicates } else { &self.refusals };
        by.get(&attack.parcel.id).cloned().unwrap_or_default()
    }
}

struct Tracker<'a> {
    running: &'a Running,
    progress: &'a dyn Progress,
    outage: Option<Outage>,
    cheated: bool,
    phase: &'static str,
    opened: Option<OpenedEpoch>,
    outstanding: usize,
    ended: bool,
    out: Collected,
}

/// Runs the epoch to its end.
pub(super) fn collect(
    options: &Options,
    (world, workload): (&World, &Workload),
    (running, statements): (&Running, Statements),
    progress: &dyn Progress,
) -> Result<Collected, DemoError> {
    let mut tracker = Tracker {
        running,
        progress,
        outage: options.outage,
        cheated: options.adversary.is_some(),
        phase: Phase::Announce.name(),
        opened: None,
        outstanding: 0,
        ended: false,
        out: Collected { statements, ..Collected::default() },
    };
    running.begin();
    let epoch = tracker.opened()?;
    progress.end(Stage::Opening);
    tracker.out.signers = SignerKeys::from(&epoch.shards[0].keys);

    let bundles = workload.subscribers.iter().map(|s| Ok(device::cut(world, &epoch, s)?.len()));
    let bundles = bundles.sum::<Result<usize, DemoError>>()?;
    progress.begin(Stage::Bundles, bundles as u64);
    progress.begin(Stage::Checks, ((bundles + ATTACKS) * PartyId::ALL.len()) as u64);
    let schedule = Schedule::new(workload);
    for number in 0..schedule.groups() {
        let submissions = schedule.group(number, (world, workload, &epoch), progress)?;
        for submission in submissions {
            tracker.hand_in(submission)?;
        }
    }
    progress.end(Stage::Bundles);
    let full = (bundles / options.batch.max(1)) as u64;
    if tracker.outage.is_some_and(|outage| outage.after_batches <= full) {
        tracker.wait(|tracker| tracker.outage.is_none())?;
    }
    tracker.wait(|tracker| tracker.outstanding == 0)?;
    progress.end(Stage::Checks);

    progress.begin(Stage::Settling, 1);
    running.end_of_window();
    tracker.wait(|tracker| tracker.ended)?;
    progress.advance(Stage::Settling, 1);
    progress.end(Stage::Settling);
    Ok(tracker.out)
}

impl Tracker<'_> {
    fn opened(&mut self) -> Result<OpenedEpoch, DemoError> {
        loop {
            self.wait(|tracker| tracker.opened.is_some())?;
            if let Some(epoch) = self.opened.take() {
                return Ok(epoch);
            }
        }
    }

    /// Hands a bundle in to all three parties, once there is room for its answers.
    fn hand_in(&mut self, submission: Submission) -> Result<(), DemoError> {
        let parcel = match &submission {
            Submission::Honest(_, parcel) => parcel,
            Submission::Attack(attack) => &attack.parcel,
        };
        for party in PartyId::ALL {
            self.running.submit(party, parcel.bytes.clone());
        }
        self.outstanding += PartyId::ALL.len();
        match submission {
            Submission::Honest(subscriber, mut parcel) => {
                let has_receipts = |parcel: &Parcel| parcel.region.0.is_some();
                if !self.out.sample.as_ref().is_some_and(|kept| has_receipts(kept) || !has_receipts(&parcel))
                {
                    self.out.sample = Some(parcel.clone());
                }
                // The parties have the bytes now.
                parcel.bytes = Arc::new([]);
                self.out.honest.insert(parcel.id, Handed { subscriber, parcel });
            }
            Submission::Attack(attack) => self.out.attacks.push(*attack),
        }
        self.wait(|tracker| tracker.outstanding <= MAX_OUTSTANDING)
    }

    /// Follows events until something holds. The outage, if one is due, takes place first.
    fn wait(&mut self, until: impl Fn(&Self) -> bool) -> Result<(), DemoError> {
        loop {
            while let Ok(event) = self.running.events().try_recv() {
                self.follow(event)?;
            }
            if self.outage.is_some_and(|outage| self.out.batches >= outage.after_batches) {
                self.take_away()?;
            }
            if until(self) {
                return Ok(());
            }
            self.next(if self.cheated { PATIENCE } else { STALL })?;
        }
    }

    /// Takes an actor away, watches what goes on without it, and brings it back.
    fn take_away(&mut self) -> Result<(), DemoError> {
        let Some(outage) = self.outage.take() else { return Ok(()) };
        let before = self.out.batches;
        self.running.stop(outage.actor);
        let end = Instant::now() + outage.lasting;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            match self.running.events().recv_timeout(left) {
                Ok(event) => self.follow(event)?,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(DemoError::ActorsGone { phase: self.phase });
                }
            }
        }
        self.out.away = Some(Away { batches: self.out.batches - before, ended: self.ended });
        self.running.resume(outage.actor);
        Ok(())
    }

    fn next(&mut self, limit: Duration) -> Result<(), DemoError> {
        match self.running.events().recv_timeout(limit) {
            Ok(event) => self.follow(event),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = limit.as_secs();
                // With a party that cheats, silence is one more way of stopping the others.
                Err(if self.cheated {
                    self.stopped(None, None, format!("nothing happened for {seconds} seconds"))
                } else {
                    DemoError::Stalled { seconds, phase: self.phase }
                })
            }
            Err(RecvTimeoutError::Disconnected) => Err(DemoError::ActorsGone { phase: self.phase }),
        }
    }

    fn follow(&mut self, event: Event) -> Result<(), DemoError> {
        match event {
            Event::Opened(epoch) => self.opened = Some(epoch),
            Event::Phase(phase) => {
                self.phase = phase.name();
                self.ended |= phase == Phase::Done;
            }
            Event::Provisional { .. } => self.answered(),
            Event::Refused { party, bundle, refusal } => {
                // These come after a provisional receipt; all others are a party's first answer.
                let later =
                    matches!(refusal, Refusal::Share { .. } | Refusal::Objected { .. } | Refusal::NotInTime);
                if !later {
                    self.answered();
                }
                let by = if refusal == Refusal::Duplicate {
                    &mut self.out.duplicates
                } else {
                    &mut self.out.refusals
                };
                by.entry(bundle).or_default().insert(party, refusal);
            }
            Event::Complaint { bundle, .. } => {
                self.out.struck.insert(bundle);
            }
            Event::Batch { shard, position, bundles, published } => {
                self.out.batches += 1;
                self.out.statements.keep((shard, position), &published)?;
                self.out.accepted.extend(bundles);
            }
            // The record says who has a seat.
            Event::Final { .. } | Event::Silent { .. } | Event::Seated { .. } | Event::Verified { .. } => {}
            Event::Evidence { evidence, .. } => {
                if !self.out.evidence.contains(&evidence) {
                    self.out.evidence.push(*evidence);
                }
            }
            Event::Parked { .. } => {}
            Event::Broken { at } => {
                let what = format!("{at}: what it rests on could not be stored, and it stopped");
                *self.out.dropped.entry(what).or_default() += 1;
            }
            Event::Dropped { at, from, reason } => {
                *self.out.dropped.entry(format!("{at} from {from}: {reason}")).or_default() += 1;
            }
            Event::Aborted { accuser, culprit, reason } => {
                return Err(self.stopped(accuser, culprit, reason));
            }
        }
        Ok(())
    }

    fn stopped(&mut self, accuser: Option<PartyId>, named: Option<PartyId>, reason: String) -> DemoError {
        let evidence = std::mem::take(&mut self.out.evidence);
        DemoError::Aborted(Box::new(Stopped { accuser, named, reason, phase: self.phase, evidence }))
    }

    fn answered(&mut self) {
        self.outstanding = self.outstanding.saturating_sub(1);
        self.progress.advance(Stage::Checks, 1);
    }
}
