//! What a host reports of itself: its numbers, whether it is well, and lines in its log with epoch, phase and peer.
//!
//! It stands around the host's parts and changes none of them: [`Seen`] takes note of what the host tells, [`Overheard`]
//! of what its links tell, and [`Report`] is the desk with both at hand. What takes a disk to find out is measured by
//! [`Measuring`], on a thread of its own, so that whoever asks for numbers is answered from memory.

use super::{Lack, Linked, Seat, Told, counter::Counter, machine};
use crate::{
    api::{Busy, Desk, EpochInfo, Outcome, Statements, Status},
    link::{
        Handler, Host as Peer, LinkEvent, LinkState, Refusal, STEP_ACKNOWLEDGE, STEP_ANSWER, Versions,
        hello::Mismatch,
    },
    message::Phase,
    party::evidence::Evidence,
    settlement::Port,
    store::Store,
    telemetry::{self, Telemetry, truth},
};
use chain::node::{Notice, now};
use primitives::{Digest, EpochId, PartyId};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often what is on disk is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// Epochs whose phases are noted.
const PHASES: usize = 3;

/// What a host has told so far.
#[derive(Default)]
struct Notes {
    /// The phase of each epoch in hand, and of the one before, and since when.
    phases: BTreeMap<EpochId, (Phase, Instant)>,
    /// What this host waits for.
    waits: Option<Lack>,
    /// Whether the sequencer's node was away when it was last asked.
    is_away: bool,
    /// What this host is being kept waiting for, since when.
    stalls: BTreeMap<(PartyId, &'static str), Option<Instant>>,
    lost: BTreeMap<PartyId, u64>,
    stalled: BTreeMap<(PartyId, &'static str), u64>,
    aborted: u64,
}

impl Notes {
    /// The epoch that is shown: the last one that has opened, or the one that opens next.
    fn shown(&self) -> Option<(EpochId, (Phase, Instant))> {
        let mut last_first = self.phases.iter().rev();
        let opened = last_first.find(|(_, (phase, _))| *phase > Phase::Announce);
        opened.or_else(|| self.phases.iter().next_back()).map(|(epoch, said)| (*epoch, *said))
    }

    /// An epoch before that, which is being closed, its phase and since when it has been in it.
    fn closing(&self) -> Option<(EpochId, (Phase, Instant))> {
        let (shown, _) = self.shown()?;
        let before = self.phases.range(..shown).next_back();
        let closing = before.filter(|(_, (phase, _))| !matches!(phase, Phase::Done | Phase::Aborted));
        closing.map(|(epoch, said)| (*epoch, *said))
    }
}

/// What a host told so far, for whoever asks.
#[derive(Default)]
pub(super) struct Seen(Mutex<Notes>);

impl Seen {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().expect("nobody panics while taking notes")
    }

    /// Takes note of what a host tells, and logs it.
    pub(super) fn told(&self, told: &Told) {
        let mut notes = self.notes();
        match told {
            Told::Waits { what } => {
                notes.waits = Some(*what);
                match what.sits_out() {
                    true => tracing::warn!(%what, "takes no part, and waits"),
                    false => tracing::info!(%what, "waits for the chain"),
                }
            }
            Told::Epoch { epoch, again } => {
                notes.waits = None;
                tracing::info!(%epoch, again, "takes part in an epoch");
            }
            Told::Phase { epoch, phase } => {
                if notes.phases.get(epoch).is_none_or(|(before, _)| before != phase) {
                    notes.phases.insert(*epoch, (*phase, Instant::now()));
                    while notes.phases.len() > PHASES {
                        notes.phases.pop_first();
                    }
                    tracing::info!(%epoch, phase = phase.name(), "the epoch enters a phase");
                }
            }
            Told::Aborted { epoch, culprit, reason } => {
                notes.aborted += 1;
                let blamed = culprit.map(|party| party.to_string());
                tracing::error!(%epoch, blamed, reason, "the epoch stopped without a result");
            }
            Told::Chain(Notice::Unreachable { reason }) => {
                notes.is_away = true;
                tracing::warn!(reason, "the sequencer's node does not answer");
            }
            Told::Chain(Notice::Connected { .. } | Notice::Block { .. }) => notes.is_away = false,
            Told::Seat { seat, .. } => tracing::info!(%seat, "has a seat"),
            Told::NoAddress { seat, key } => {
                tracing::warn!(%seat, %key, "no address of a host is in the settings");
            }
            Told::Chain(_) | Told::Started { .. } | Told::Stopped => {}
        }
    }

    fn link(&self, event: &LinkEvent) {
        let mut notes = self.notes();
        match event {
            LinkEvent::Lost { peer: Peer::Party(peer), .. } => *notes.lost.entry(*peer).or_default() += 1,
            LinkEvent::Stalled { peer: Peer::Party(peer), step, waited } => {
                let key = (*peer, step_label(step));
                let since = Instant::now().checked_sub(*waited);
                if notes.stalls.insert(key, since.or(Some(Instant::now()))).flatten().is_none() {
                    *notes.stalled.entry(key).or_default() += 1;
                }
            }
            LinkEvent::Moving { peer: Peer::Party(peer), step, .. } => {
                notes.stalls.insert((*peer, step_label(step)), None);
            }
            _ => {}
        }
    }
}

/// A word for a step, of which there are few.
fn step_label(step: &str) -> &'static str {
    match step {
        STEP_ACKNOWLEDGE => "acknowledge",
        STEP_ANSWER => "answer",
        _ => "protocol",
    }
}

/// A handler of links of which notes are taken, and whose lines in the log name the peer.
pub(super) struct Overheard<H> {
    pub(super) seen: Arc<Seen>,
    pub(super) handler: Arc<H>,
}

/// Whom an event is about.
fn peer_of(event: &LinkEvent) -> Option<Peer> {
    match event {
        LinkEvent::Connected { peer, .. }
        | LinkEvent::Lost { peer, .. }
        | LinkEvent::Unreachable { peer, .. }
        | LinkEvent::Stalled { peer, .. }
        | LinkEvent::Moving { peer, .. } => Some(*peer),
        LinkEvent::Refused { peer, .. } => *peer,
        LinkEvent::Listening { .. } => None,
    }
}

/// Whether a peer only asked whether this host is there, as `cwe party doctor` does.
fn is_probe(event: &LinkEvent) -> bool {
    matches!(
        event,
        LinkEvent::Refused { reason: Refusal::Mismatch(Mismatch::Version { found: Versions::NONE, .. }), .. }
    )
}

impl<H: Handler> Handler for Overheard<H> {
    fn received(&self, from: Peer, bytes: Vec<u8>) {
        let _span = tracing::error_span!("link", peer = %from).entered();
        self.handler.received(from, bytes);
    }

    fn event(&self, event: LinkEvent) {
        self.seen.link(&event);
        let peer = peer_of(&event).map(|peer| peer.to_string());
        let _span = tracing::error_span!("link", peer).entered();
        match is_probe(&event) {
            true => tracing::info!("asked whether this host is here"),
            false => self.handler.event(event),
        }
    }
}

/// The desk of a host that reports of itself.
pub(super) struct Report<P> {
    pub(super) counter: Arc<Counter>,
    pub(super) seen: Arc<Seen>,
    pub(super) links: Linked,
    pub(super) node: Arc<P>,
}

/// The node of a host, as far as a report needs it.
pub(super) trait Node: Port + 'static {
    /// Height and time of the last block.
    fn head(&self) -> (u64, u64);
    /// Whether it has stopped by itself.
    fn has_stopped(&self) -> bool;
}

impl<P: Node> Report<P> {
    /// The parties that this host has a link to, or tries to.
    fn links(&self, telemetry: &Telemetry) -> BTreeSet<PartyId> {
        let links = self.links.lock().expect("nobody panics while holding it");
        let (seat, links) = links.as_ref().map(|(seat, links)| (*seat, links.status())).unzip();
        // Whoever lost its seat may be linked from there still, until the epoch is over in which it did.
        let has_lost = self.seen.notes().waits.is_some_and(Lack::is_of_seat);
        for one in Seat::ALL {
            let is_own = seat == Some(one) && !has_lost;
            telemetry.set(&telemetry::SEAT, &[("seat", &one.to_string())], truth(is_own));
        }
        let mut linked = BTreeSet::new();
        for status in links.unwrap_or_default() {
            let Peer::Party(peer) = status.peer else { continue };
            linked.insert(peer);
            let up = status.state == LinkState::Connected;
            let unacknowledged = usize::try_from(status.unacknowledged.frames).unwrap_or(usize::MAX);
            let round_trip = status.round_trip;
            telemetry.link(peer, telemetry::LinkState { up, round_trip, unacknowledged });
            let name = peer.to_string();
            let labels = [("peer", name.as_str())];
            telemetry.set(&telemetry::LINK_AGE, &labels, status.since.as_secs_f64());
            telemetry.set(&telemetry::LINK_LAG, &labels, status.unacknowledged.bytes as f64);
            telemetry.set(&telemetry::LINK_VERSION, &labels, status.version.unwrap_or(0).into());
            telemetry.so_far(&telemetry::LINK_SENT, &labels, status.sent.bytes);
            telemetry.so_far(&telemetry::LINK_RESENT, &labels, status.resent.bytes);
            telemetry.so_far(&telemetry::LINK_RECEIVED, &labels, status.received.bytes);
            telemetry.so_far(&telemetry::LINK_LOST, &labels, 0);
            for step in ["acknowledge", "answer"] {
                let labels = [("peer", name.as_str()), ("step", step)];
                telemetry.so_far(&telemetry::STALLS, &labels, 0);
                telemetry.set(&telemetry::STALLED, &labels, 0.0);
            }
        }
        linked
    }

    fn notes(&self, telemetry: &Telemetry) {
        let notes = self.seen.notes();
        if let Some((epoch, (phase, since))) = notes.shown() {
            telemetry.phase(epoch, phase);
            telemetry.set(&telemetry::PHASE_AGE, &[], since.elapsed().as_secs_f64());
        }
        let closing = notes.closing();
        let age = closing.map_or(0.0, |(_, (_, since))| since.elapsed().as_secs_f64());
        telemetry.set(&telemetry::CLOSING, &[], closing.map_or(0.0, |(epoch, _)| epoch.0 as f64));
        telemetry.set(&telemetry::CLOSING_AGE, &[], age);
        telemetry.in_phase(&telemetry::CLOSING_PHASE, closing.map(|(_, (phase, _))| phase));
        telemetry.set(&telemetry::WAITING, &[], truth(notes.waits.is_some()));
        telemetry.set(&telemetry::SITTING_OUT, &[], truth(notes.waits.is_some_and(Lack::sits_out)));
        telemetry.set(&telemetry::FOLLOWING, &[], truth(!notes.is_away));
        telemetry.so_far(&telemetry::ABORTED, &[], notes.aborted);
        for (peer, count) in &notes.lost {
            telemetry.so_far(&telemetry::LINK_LOST, &[("peer", &peer.to_string())], *count);
        }
        for ((peer, step), since) in &notes.stalls {
            let waited = since.map_or(0.0, |since| since.elapsed().as_secs_f64());
            telemetry.set(&telemetry::STALLED, &[("peer", &peer.to_string()), ("step", step)], waited);
        }
        for ((peer, step), count) in &notes.stalled {
            telemetry.so_far(&telemetry::STALLS, &[("peer", &peer.to_string()), ("step", step)], *count);
        }
    }
}

impl<P: Node> Desk for Report<P> {
    fn epoch(&self) -> Option<EpochInfo> {
        self.counter.epoch()
    }

    fn submit(&self, id: Digest, bytes: Arc<[u8]>) -> Outcome {
        self.telemetry().offered(bytes.len());
        self.counter.submit(id, bytes)
    }

    fn status(&self, id: &Digest) -> Status {
        self.counter.status(id)
    }

    fn record(&self, epoch: EpochId) -> Result<Option<Arc<[u8]>>, Busy> {
        self.counter.record(epoch)
    }

    fn statements(&self, epoch: EpochId) -> Option<Statements> {
        self.counter.statements(epoch)
    }

    fn statements_part(&self, epoch: EpochId, part: u32) -> Result<Option<Arc<[u8]>>, Busy> {
        self.counter.statements_part(epoch, part)
    }

    fn evidence(&self) -> Vec<Arc<Evidence>> {
        self.counter.evidence()
    }

    fn health(&self) -> Result<(), String> {
        if self.node.has_stopped() {
            return Err("this party's own node has stopped: its log says why".into());
        }
        self.counter.health()
    }

    fn ready(&self) -> Result<(), Vec<String>> {
        let ready = self.counter.ready();
        let notes = self.seen.notes();
        ready.map_err(|mut reasons| {
            reasons.extend(notes.waits.map(|what| format!("this host waits for {what}")));
            if notes.is_away {
                reasons.push("the sequencer's node does not answer".into());
            }
            reasons
        })
    }

    fn telemetry(&self) -> &Telemetry {
        self.counter.telemetry()
    }

    fn metrics(&self) -> String {
        let telemetry = self.telemetry();
        let linked = self.links(telemetry);
        self.notes(telemetry);
        let (height, time) = self.node.head();
        telemetry.set(&telemetry::HEIGHT, &[], height as f64);
        telemetry.set(&telemetry::HEAD_AGE, &[], now().0 as f64 - time as f64);
        if let Some(info) = self.counter.epoch() {
            for (metric, time) in [(&telemetry::OPENS, info.opens), (&telemetry::CLOSES, info.closes)] {
                telemetry.set(metric, &[], time.map_or(0.0, |time| time.0 as f64));
            }
        }
        let evidence = self.counter.evidence();
        for party in PartyId::ALL {
            let count = evidence.iter().filter(|found| found.party() == party).count();
            telemetry.set(&telemetry::EVIDENCE, &[("party", &party.to_string())], count as f64);
        }
        telemetry.set(&telemetry::EPOCH_BUNDLES, &[], self.counter.taken_in() as f64);
        // Of peers that there were and are no more, such as one whose seat this host has taken, nothing is told.
        let is_old = |peer: &PartyId| !linked.contains(peer);
        telemetry.render_without(&PartyId::ALL.into_iter().filter(is_old).collect::<Vec<_>>())
    }
}

/// Measures what takes a disk to find out, until it is dropped.
pub(super) struct Measuring {
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Measuring {
    /// Begins. Without a thread for it, those numbers are missing and the host runs all the same.
    pub(super) fn start(counter: Arc<Counter>, store: Arc<Store>, dir: PathBuf) -> Self {
        let (end, ended) = mpsc::channel();
        let measure = move || {
            loop {
                measure(counter.telemetry(), &store, &dir);
                match ended.recv_timeout(MEASURE_EVERY) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = thread::Builder::new().name("measuring".into()).spawn(measure);
        Self { end: Some(end), thread: thread.ok() }
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed.
            drop(thread.join());
        }
    }
}

fn measure(telemetry: &Telemetry, store: &Store, dir: &std::path::Path) {
    match store.size() {
        Ok(size) => {
            telemetry.store("records", size.records);
            telemetry.store("large", size.large);
            telemetry.store("bundles", size.bundles);
        }
        Err(error) => tracing::warn!(%error, "the store cannot be measured"),
    }
    for part in ["chain", "published"] {
        telemetry.store(part, machine::folder_bytes(&dir.join(part)));
    }
    if let Some(disk) = machine::disk(dir) {
        telemetry.set(&telemetry::DISK_FREE, &[], disk.free as f64);
        telemetry.set(&telemetry::DISK_SIZE, &[], disk.size as f64);
    }
    let files =
        [(&telemetry::OPEN_FILES, machine::open_files()), (&telemetry::MOST_FILES, machine::most_files())];
    for (metric, count) in files {
        if let Some(count) = count {
            telemetry.set(metric, &[], count as f64);
        }
    }
}
