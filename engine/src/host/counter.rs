//! The party's counter: what clients hand in over it, what became of it, and the receipts that they get for it.
//!
//! A receipt is given once the bundle's proof holds, its tags are new, and its bytes are on this party's disk. Bundles that
//! come together are written together. No address ever comes here.

mod standings;

use crate::{
    api::{Desk, Edition, EpochInfo, Outcome, Receipt, Status, Submission},
    effect::{Event, Refusal},
    message::{Address, Message, Phase},
    party::{collect::MAX_UNSETTLED, evidence::Evidence},
    settlement::{Port, read},
    store::Store,
    telemetry::Telemetry,
    transport::{Switchboard, Transport},
};
use chain::{light, modules::usage::Opening};
use primitives::{ChainId, Digest, EpochId, PartyId, ShardIndex, Time};
use proofs::{
    committee::PartySigner,
    inclusion::{FinalBatch, batch_root},
    tally::SignedHeader,
};
use standings::{Place, Standing, Standings};
use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Most bundles that wait for their answer. More are told to come back.
const MAX_WAITING: usize = crate::intake::MAX_IN_FLIGHT;
/// For how long a record is given again. It is proved from the state after a block, and another one after the next; both hold.
const RECORD_FRESH: Duration = Duration::from_secs(60);
/// Most refused bundles that are remembered.
const MAX_REFUSED: usize = 1 << 16;
/// When those may come again that find no room.
const COME_BACK: Duration = Duration::from_secs(2);

/// The epoch in hand.
struct Current {
    epoch: EpochId,
    info: Option<EpochInfo>,
    board: Arc<Switchboard>,
    /// The party whose seat this host has; a standby takes nothing in.
    signer: Option<PartySigner>,
}

impl Current {
    fn party(&self) -> Option<PartyId> {
        self.signer.as_ref().map(PartySigner::party)
    }

    fn receipt(&self, chain: ChainId, id: Digest) -> Option<Receipt> {
        Some(Receipt::sign(self.signer.as_ref()?, chain, self.epoch, id))
    }
}

#[derive(Default)]
struct Inner {
    current: Option<Current>,
    bundles: Standings,
    /// Where the final bundles of the epoch before are, for whoever asks late.
    before: BTreeMap<Digest, Place>,
    /// The store has room for few more, as of the last look at the disk: who submits does not wait for it.
    is_full: bool,
    waiters: BTreeMap<Digest, Vec<oneshot::Sender<Submission>>>,
    /// Refused ones, the oldest first.
    refused: VecDeque<Digest>,
    /// Taken in by the party, and not yet on disk.
    fresh: Vec<Digest>,
    evidence: Vec<Arc<Evidence>>,
}

impl Inner {
    /// Whether there is no room for one more bundle.
    fn is_busy(&self) -> bool {
        let waiting = self.bundles.waiting();
        waiting >= MAX_WAITING || waiting + self.bundles.taken() >= MAX_UNSETTLED
    }
}

/// The record that was asked for last: it takes a while to make.
struct LastRecord {
    epoch: EpochId,
    made: Instant,
    bytes: Arc<[u8]>,
}

/// The counter of a party.
pub(super) struct Counter {
    chain: ChainId,
    genesis: Digest,
    store: Arc<Store>,
    port: Arc<dyn Port>,
    telemetry: Telemetry,
    inner: Mutex<Inner>,
    last_record: Mutex<Option<LastRecord>>,
}

impl Counter {
    pub(super) fn new(
        (chain, genesis): (ChainId, Digest),
        store: Arc<Store>,
        port: Arc<dyn Port>,
        started: Time,
    ) -> Self {
        let (telemetry, inner, last_record) = (Telemetry::new(started), Mutex::default(), Mutex::default());
        Self { chain, genesis, store, port, telemetry, inner, last_record }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panics while holding the counter")
    }

    /// Where the final bundles of an epoch are, by the batches that this party signed and the chain anchored. Of others their
    /// signers know it.
    fn finals_on_disk(&self, epoch: EpochId) -> BTreeMap<Digest, Place> {
        let mut names = self.store.signed(epoch);
        read(&*self.port, |ledger| {
            let shards = ledger.state().openings.get(&epoch).map_or(0, Opening::shard_count);
            let shards = (0..).map(ShardIndex).take(shards);
            let anchored = shards.flat_map(|shard| ledger.state().anchors_of(epoch, shard));
            let of_batch = |SignedHeader { header, .. }: &SignedHeader| {
                let names = names.remove(&header.digest())?;
                (batch_root(&names) == header.batch_root).then(|| Arc::new(FinalBatch::new(header, names)))
            };
            anchored.filter_map(of_batch).flat_map(Place::all_of).collect()
        })
    }

    /// Begins with what is on disk of the epoch before this one.
    pub(super) fn remember(&self, epoch: EpochId) {
        let before = epoch.0.checked_sub(1).map(|before| self.finals_on_disk(EpochId(before)));
        self.inner().before = before.unwrap_or_default();
    }

    /// Goes on to an epoch, in a party's seat or in none, of which these bundles are on disk already.
    pub(super) fn enter(
        &self,
        (epoch, signer): (EpochId, Option<PartySigner>),
        board: Arc<Switchboard>,
        on_disk: impl IntoIterator<Item = Digest>,
    ) {
        let mut bundles = Standings::on_disk(on_disk);
        for (id, place) in self.finals_on_disk(epoch) {
            bundles.put(id, Standing::Final(place));
        }
        if self.inner().current.is_none() {
            self.remember(epoch);
        }
        let mut inner = self.inner();
        let waiters = mem::take(&mut inner.waiters);
        let evidence = mem::take(&mut inner.evidence);
        let before = match inner.current {
            Some(_) => mem::take(&mut inner.bundles).into_finals(),
            None => mem::take(&mut inner.before),
        };
        let current = Some(Current { epoch, info: None, board, signer });
        *inner = Inner { current, bundles, before, evidence, ..Inner::default() };
        drop(inner);
        for waiter in waiters.into_values().flatten() {
            drop(waiter.send(Submission::Refused { refusal: Refusal::NotInTime, retry_after: None }));
        }
    }

    /// The epoch is open, for as long as its window lasts.
    pub(super) fn opened(&self, edition: Edition, (opens, closes): (Time, Time)) {
        if let Some(current) = &mut self.inner().current {
            let Some(party) = current.party() else { return };
            let (phase, edition) = (Phase::Collect, Arc::new(edition));
            current.info =
                Some(EpochInfo { party, phase, opens: Some(opens), closes: Some(closes), edition });
        }
    }

    /// Digest of the chain's genesis.
    pub(super) fn genesis(&self) -> Digest {
        self.genesis
    }

    /// Something happened in the epoch.
    pub(super) fn event(&self, event: &Event) {
        let mut inner = self.inner();
        let own = inner.current.as_ref().and_then(Current::party);
        match event {
            Event::Phase(phase) => {
                let Some(current) = &mut inner.current else { return };
                self.telemetry.phase(current.epoch, *phase);
                if let Some(info) = &mut current.info {
                    info.phase = *phase;
                }
            }
            Event::Provisional { party, bundle } if Some(*party) == own => inner.fresh.push(*bundle),
            Event::Parked { party, bundle } if Some(*party) == own => {
                if let Some(Standing::Waiting(bytes)) = inner.bundles.get(bundle) {
                    let bytes = bytes.clone();
                    inner.bundles.put(*bundle, Standing::Parked(bytes));
                }
            }
            Event::Refused { party, bundle, refusal } if Some(*party) == own => {
                self.telemetry.refused(refusal);
                self.refused(&mut inner, *bundle, refusal);
            }
            Event::Final { party, batch } if Some(*party) == own => {
                self.telemetry.finals(batch.bundles().len());
                self.telemetry.batches(batch.shard(), batch.position() + 1);
                for (id, place) in Place::all_of(batch.clone()) {
                    inner.bundles.put(id, Standing::Final(place));
                    if let Some(given) = self.receipt(&inner, id) {
                        self.answer(&mut inner, id, || Submission::Taken(given.clone()));
                    }
                }
            }
            Event::Verified { bundles, took } => self.telemetry.verified(*bundles, *took),
            Event::Evidence { evidence, .. } => inner.evidence.push(Arc::new(evidence.as_ref().clone())),
            _ => {}
        }
    }

    fn refused(&self, inner: &mut Inner, id: Digest, refusal: &Refusal) {
        if *refusal == Refusal::TakenIn {
            if matches!(inner.bundles.get(&id), Some(Standing::Waiting(_) | Standing::Parked(_))) {
                inner.fresh.push(id);
            }
            return;
        }
        if *refusal == Refusal::Duplicate && !matches!(inner.bundles.get(&id), Some(Standing::Waiting(_))) {
            return;
        }
        let again =
            matches!(refusal, Refusal::Busy | Refusal::TooFarAhead | Refusal::MayBeCounted | Refusal::Closed);
        inner.bundles.remove(&id);
        if *refusal == Refusal::Duplicate {
            // The door has seen it, and what became of it nobody remembers: no word is given for it.
            return self.answer(inner, id, || Submission::Pending);
        }
        if !again {
            inner.bundles.put(id, Standing::Refused(refusal.clone()));
            inner.refused.push_back(id);
            if inner.refused.len() > MAX_REFUSED
                && let Some(oldest) = inner.refused.pop_front()
            {
                // It may have become final all the same: the chain decides.
                if matches!(inner.bundles.get(&oldest), Some(Standing::Refused(_))) {
                    inner.bundles.remove(&oldest);
                }
            }
        }
        let retry_after = again.then_some(COME_BACK);
        self.answer(inner, id, || Submission::Refused { refusal: refusal.clone(), retry_after });
    }

    fn receipt(&self, inner: &Inner, id: Digest) -> Option<Receipt> {
        inner.current.as_ref()?.receipt(self.chain, id)
    }

    fn answer(&self, inner: &mut Inner, id: Digest, submission: impl Fn() -> Submission) {
        for waiter in inner.waiters.remove(&id).into_iter().flatten() {
            // Whoever asked may be gone.
            drop(waiter.send(submission()));
        }
    }

    /// Writes what was taken in since the last time, and gives the receipts. `false` if it cannot be written: the party
    /// stops then.
    pub(super) fn flush(&self) -> bool {
        let epoch = self.inner().current.as_ref().map(|current| current.epoch);
        let Some(epoch) = epoch else { return true };
        let is_full = self.store.is_nearly_full(epoch);
        let mut inner = self.inner();
        inner.is_full = is_full;
        let fresh = mem::take(&mut inner.fresh);
        let bytes = |id: &Digest| match inner.bundles.get(id) {
            Some(Standing::Waiting(bytes) | Standing::Parked(bytes)) => Some((*id, bytes.clone())),
            // It came from a peer, and nobody waits for a receipt.
            _ => None,
        };
        let written: Vec<_> = fresh.iter().filter_map(bytes).collect();
        drop(inner);
        if written.is_empty() {
            return true;
        }
        if let Err(error) = self.store.keep_bundles(epoch, &written) {
            tracing::error!(%error, "bundles cannot be kept, and the party stops");
            return false;
        }
        let mut inner = self.inner();
        for (id, _) in written {
            self.telemetry.accepted();
            // Unless it became final, or was refused, meanwhile.
            if !matches!(inner.bundles.get(&id), Some(Standing::Final(_) | Standing::Refused(_))) {
                inner.bundles.put(id, Standing::Taken);
            }
            if let Some(receipt) = self.receipt(&inner, id) {
                self.answer(&mut inner, id, || Submission::Taken(receipt.clone()));
            }
        }
        true
    }
}

/// An answer that is known already.
fn now(submission: Submission) -> Outcome {
    Box::pin(std::future::ready(submission))
}

impl Desk for Counter {
    fn epoch(&self) -> Option<EpochInfo> {
        self.inner().current.as_ref().and_then(|current| current.info.clone())
    }

    fn submit(&self, id: Digest, bytes: Arc<[u8]>) -> Outcome {
        let mut inner = self.inner();
        let refuse = |refusal, retry_after| now(Submission::Refused { refusal, retry_after });
        let Some(current) = inner.current.as_ref().filter(|current| current.info.is_some()) else {
            return refuse(Refusal::Closed, Some(COME_BACK));
        };
        let Some(party) = current.party() else { return refuse(Refusal::Closed, None) };
        let board = current.board.clone();
        let fresh = match inner.bundles.get(&id) {
            Some(Standing::Taken | Standing::Final(_)) => {
                return now(self.receipt(&inner, id).map_or(Submission::Pending, Submission::Taken));
            }
            Some(Standing::Refused(refusal)) => return refuse(refusal.clone(), None),
            Some(Standing::Waiting(_) | Standing::Parked(_)) => false,
            None if inner.is_full => return refuse(Refusal::EpochFull, None),
            None if inner.is_busy() => return refuse(Refusal::Busy, Some(COME_BACK)),
            None => true,
        };
        let (answer, answered) = oneshot::channel();
        let waiters = inner.waiters.entry(id).or_default();
        // Who hands the same bundle in again and again waits once.
        waiters.retain(|waiter| !waiter.is_closed());
        waiters.push(answer);
        if fresh {
            inner.bundles.put(id, Standing::Waiting(bytes.clone()));
        }
        drop(inner);
        if fresh && !board.send(Address::Outside, Address::Intake(party), Message::Submit(bytes)) {
            let mut inner = self.inner();
            self.refused(&mut inner, id, &Refusal::Busy);
        }
        Box::pin(async { answered.await.unwrap_or(Submission::Pending) })
    }

    fn status(&self, id: &Digest) -> Status {
        let inner = self.inner();
        let place = match inner.bundles.get(id) {
            None => match inner.before.get(id) {
                Some(place) => place.clone(),
                None => return Status::Unknown,
            },
            Some(Standing::Final(place)) => place.clone(),
            Some(Standing::Waiting(_) | Standing::Parked(_)) => return Status::Waiting,
            Some(Standing::Taken) => {
                return self.receipt(&inner, *id).map_or(Status::Unknown, Status::Provisional);
            }
            Some(Standing::Refused(refusal)) => return Status::Refused(refusal.clone()),
        };
        // The party goes on while the receipt's path is made.
        drop(inner);
        Status::Final(Box::new(place.receipt()))
    }

    fn record(&self, epoch: EpochId) -> Option<Arc<[u8]>> {
        let mut kept = self.last_record.lock().expect("nobody panics while making a record");
        let is_fresh = |record: &&LastRecord| record.epoch == epoch && record.made.elapsed() < RECORD_FRESH;
        if let Some(record) = kept.as_ref().filter(is_fresh) {
            return Some(record.bytes.clone());
        }
        let record = read(&*self.port, |ledger| light::record(ledger, epoch)).ok()?;
        let bytes: Arc<[u8]> = serde_json::to_vec_pretty(&record).ok()?.into();
        *kept = Some(LastRecord { epoch, made: Instant::now(), bytes: bytes.clone() });
        Some(bytes)
    }

    fn evidence(&self) -> Vec<Arc<Evidence>> {
        self.inner().evidence.clone()
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    fn ready(&self) -> Result<(), Vec<String>> {
        match self.epoch().map(|info| info.phase) {
            Some(Phase::Collect) => Ok(()),
            Some(phase) => {
                Err(vec![format!("no bundles are taken in: the epoch is in phase {}", phase.name())])
            }
            None => Err(vec!["no epoch is open".into()]),
        }
    }

    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }
}
