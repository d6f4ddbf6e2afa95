//! The party's counter: what clients hand in over it, what became of it, and the receipts that they get for it.
//!
//! A receipt is given once the bundle's proof holds, its tags are new, and its bytes are on this party's disk. Bundles that
//! come together are written together. No address ever comes here.

mod finals;
mod of;
mod published;
mod shared;
mod standings;

use crate::{
    api::{Busy, Desk, Edition, EpochInfo, Outcome, Statements, Status, Submission},
    effect::{Event, Refusal},
    message::{Address, Message, Phase},
    opening::EpochDocument,
    party::evidence::Evidence,
    settlement::{Port, read},
    store::Store,
    telemetry::Telemetry,
    transport::{Switchboard, Transport},
};
use chain::light::{self, SignerKeys};
use of::{COME_BACK, Of};
use primitives::{ChainId, Digest, EpochId, Time};
use proofs::committee::PartySigner;
use published::Published;
use shared::Shared;
use standings::{Place, Standing, Standings};
use std::{
    mem,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::oneshot;

/// Epochs of which there are receipts: one that takes bundles in, one that is closed, and one that is over, for whoever asks late.
const KEPT: usize = 3;
/// Most public records in memory: each may have tens of megabytes.
const MAX_RECORDS: usize = 8;

#[derive(Default)]
struct Inner {
    /// The last epochs, oldest first.
    epochs: Vec<Of>,
    evidence: Vec<Arc<Evidence>>,
}

impl Inner {
    fn of(&mut self, epoch: EpochId) -> Option<&mut Of> {
        self.epochs.iter_mut().find(|of| of.epoch == epoch)
    }

    /// The last epoch that has opened and is not over.
    fn open(&self) -> Option<&Of> {
        self.epochs.iter().rev().find(|of| of.info.is_some())
    }

    /// The last epoch in which a bundle was seen.
    fn seen(&self, id: &Digest) -> Option<&Of> {
        self.epochs.iter().rev().find(|of| of.bundles.get(id).is_some())
    }

    /// Puts an epoch beside the others, in place of itself and of those that are too old.
    fn put(&mut self, of: Of) {
        self.epochs.retain(|other| other.epoch != of.epoch);
        self.epochs.push(of);
        self.epochs.sort_by_key(|of| of.epoch);
        let old = self.epochs.len().saturating_sub(KEPT);
        self.epochs.drain(..old);
    }
}

/// The counter of a party.
pub(super) struct Counter {
    chain: ChainId,
    genesis: Digest,
    store: Arc<Store>,
    port: Arc<dyn Port>,
    telemetry: Telemetry,
    inner: Mutex<Inner>,
    records: Shared<EpochId>,
    published: Published,
}

impl Counter {
    pub(super) fn new(
        (chain, genesis): (ChainId, Digest),
        store: Arc<Store>,
        port: Arc<dyn Port>,
        (started, published): (Time, PathBuf),
    ) -> Self {
        let (telemetry, inner, records) =
            (Telemetry::new(started), Mutex::default(), Shared::new(MAX_RECORDS));
        let published = Published::new(published);
        Self { chain, genesis, store, port, telemetry, inner, records, published }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panics while holding the counter")
    }

    /// Goes on to an epoch, in a party's seat or in none, of which these bundles are on disk already.
    pub(super) fn enter(
        &self,
        (epoch, signer): (EpochId, Option<PartySigner>),
        board: Arc<Switchboard>,
        on_disk: impl IntoIterator<Item = Digest>,
    ) {
        let mut bundles = Standings::on_disk(on_disk);
        for (id, place) in self.places_on_disk(epoch) {
            bundles.put(id, Standing::Final(place));
        }
        if self.inner().epochs.is_empty() {
            self.remember(epoch);
        }
        self.inner().put(Of { board: Some(board), signer, ..Of::over(epoch, bundles) });
    }

    /// An epoch is over: what stays of it are the places of its final bundles.
    pub(super) fn leave(&self, epoch: EpochId) {
        let mut inner = self.inner();
        let Some(of) = inner.of(epoch) else { return };
        let finals = Standings::finals(mem::take(&mut of.bundles).into_finals());
        let signer = of.signer.take();
        let Of { waiters, .. } = mem::replace(of, Of { signer, ..Of::over(epoch, finals) });
        drop(inner);
        for waiter in waiters.into_values().flatten() {
            drop(waiter.send(Submission::Refused { refusal: Refusal::NotInTime, retry_after: None }));
        }
    }

    /// The epoch is open, for as long as its window lasts.
    pub(super) fn opened(&self, epoch: EpochId, edition: Edition, (opens, closes): (Time, Time)) {
        if let Some(of) = self.inner().of(epoch) {
            let Some(party) = of.party() else { return };
            let (phase, edition) = (Phase::Collect, Arc::new(edition));
            of.info = Some(EpochInfo { party, phase, opens: Some(opens), closes: Some(closes), edition });
        }
    }

    /// Bundles that this party has of the epoch that takes them in.
    pub(super) fn taken_in(&self) -> usize {
        self.inner().open().map_or(0, |of| of.bundles.taken_in())
    }

    /// Digest of the chain's genesis.
    pub(super) fn genesis(&self) -> Digest {
        self.genesis
    }

    /// Something happened in an epoch.
    pub(super) fn event(&self, epoch: EpochId, event: &Event) {
        let mut inner = self.inner();
        if let Event::Evidence { evidence, .. } = event {
            inner.evidence.push(Arc::new(evidence.as_ref().clone()));
        }
        let Some(of) = inner.of(epoch) else { return };
        let own = of.party();
        match event {
            Event::Phase(phase) => {
                if let Some(info) = &mut of.info {
                    info.phase = *phase;
                }
            }
            Event::Provisional { party, bundle } if Some(*party) == own => of.fresh.push(*bundle),
            Event::Parked { party, bundle } if Some(*party) == own => {
                if let Some(Standing::Waiting(bytes)) = of.bundles.get(bundle) {
                    let bytes = bytes.clone();
                    of.bundles.put(*bundle, Standing::Parked(bytes));
                }
            }
            Event::Refused { party, bundle, refusal } if Some(*party) == own => {
                self.telemetry.refused(refusal);
                of.refused(*bundle, refusal);
            }
            Event::Final { party, batch } if Some(*party) == own => {
                self.telemetry.finals(batch.bundles().len());
                self.telemetry.batches(batch.shard(), batch.position() + 1);
                for (id, place) in Place::all_of(batch.clone()) {
                    of.bundles.put(id, Standing::Final(place));
                    if let Some(given) = of.receipt(self.chain, id) {
                        of.answer(id, || Submission::Taken(given.clone()));
                    }
                }
            }
            Event::Verified { bundles, took } => self.telemetry.verified(*bundles, *took),
            _ => {}
        }
    }

    /// Writes what an epoch took in since the last time, and gives the receipts. `false` if it cannot be written: the party
    /// stops then.
    pub(super) fn flush(&self, epoch: EpochId) -> bool {
        let is_full = self.store.is_nearly_full(epoch);
        let mut inner = self.inner();
        let Some(of) = inner.of(epoch) else { return true };
        of.is_full = is_full;
        let fresh = mem::take(&mut of.fresh);
        let bytes = |id: &Digest| match of.bundles.get(id) {
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
        let Some(of) = inner.of(epoch) else { return true };
        for (id, _) in written {
            self.telemetry.accepted();
            // Unless it became final, or was refused, meanwhile.
            if !matches!(of.bundles.get(&id), Some(Standing::Final(_) | Standing::Refused(_))) {
                of.bundles.put(id, Standing::Taken);
            }
            if let Some(receipt) = of.receipt(self.chain, id) {
                of.answer(id, || Submission::Taken(receipt.clone()));
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
        self.inner().open().and_then(|of| of.info.clone())
    }

    fn submit(&self, id: Digest, bytes: Arc<[u8]>) -> Outcome {
        let mut inner = self.inner();
        let refuse = |refusal, retry_after| now(Submission::Refused { refusal, retry_after });
        // What an epoch refused that takes nothing in any more may be of the next one.
        let seen = inner.seen(&id).filter(|of| !matches!(of.bundles.get(&id), Some(Standing::Refused(_))));
        let Some(of) = seen.or_else(|| inner.open()) else {
            return refuse(Refusal::Closed, Some(COME_BACK));
        };
        let fresh = match of.bundles.get(&id) {
            Some(Standing::Taken | Standing::Final(_)) => {
                return now(of.receipt(self.chain, id).map_or(Submission::Pending, Submission::Taken));
            }
            Some(Standing::Refused(refusal)) => return refuse(refusal.clone(), None),
            Some(Standing::Waiting(_) | Standing::Parked(_)) => false,
            None if of.is_full => return refuse(Refusal::EpochFull, None),
            None if of.is_busy() => return refuse(Refusal::Busy, Some(COME_BACK)),
            None => true,
        };
        let (Some(party), Some(board), epoch) = (of.party(), of.board.clone(), of.epoch) else {
            return refuse(Refusal::Closed, None);
        };
        let (answer, answered) = oneshot::channel();
        let of = inner.of(epoch).expect("looked up above");
        let waiters = of.waiters.entry(id).or_default();
        // Who hands the same bundle in again and again waits once.
        waiters.retain(|waiter| !waiter.is_closed());
        waiters.push(answer);
        if fresh {
            of.bundles.put(id, Standing::Waiting(bytes.clone()));
        }
        drop(inner);
        if fresh && !board.send(Address::Outside, Address::Intake(party), Message::Submit(bytes)) {
            self.inner().of(epoch).into_iter().for_each(|of| of.refused(id, &Refusal::Busy));
        }
        Box::pin(async { answered.await.unwrap_or(Submission::Pending) })
    }

    fn status(&self, id: &Digest) -> Status {
        let inner = self.inner();
        let Some(of) = inner.seen(id) else { return Status::Unknown };
        let place = match of.bundles.get(id) {
            None => return Status::Unknown,
            Some(Standing::Waiting(_) | Standing::Parked(_)) => return Status::Waiting,
            Some(Standing::Taken) => {
                return of.receipt(self.chain, *id).map_or(Status::Unknown, Status::Provisional);
            }
            Some(Standing::Refused(refusal)) => return Status::Refused(refusal.clone()),
            Some(Standing::Final(place)) => place.clone(),
        };
        // The party goes on while the receipt's path is made.
        drop(inner);
        Status::Final(Box::new(place.receipt()))
    }

    fn record(&self, epoch: EpochId) -> Result<Option<Arc<[u8]>>, Busy> {
        self.records.get(epoch, || {
            let record = read(&*self.port, |ledger| light::record(ledger, epoch)).ok();
            Ok(record.and_then(|record| serde_json::to_vec_pretty(&record).ok()))
        })
    }

    fn statements(&self, epoch: EpochId) -> Option<Statements> {
        let bytes = self.published.bytes(epoch)?;
        let document = read(&*self.port, |ledger| EpochDocument::on_record(ledger.state(), epoch)).ok()?;
        Some(Statements { bytes, signers: SignerKeys::from(&document) })
    }

    fn statements_part(&self, epoch: EpochId, part: u32) -> Result<Option<Arc<[u8]>>, Busy> {
        self.published.part(epoch, part)
    }

    fn evidence(&self) -> Vec<Arc<Evidence>> {
        self.inner().evidence.clone()
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    fn ready(&self) -> Result<(), Vec<String>> {
        let stands_by = |of: &Of| of.board.is_some() && of.signer.is_none();
        Err(vec![match self.epoch().map(|info| info.phase) {
            Some(Phase::Collect) => return Ok(()),
            Some(phase) => format!("no bundles are taken in: the epoch is in phase {}", phase.name()),
            None if self.inner().epochs.iter().any(stands_by) => {
                "this host stands by: it takes nothing in".into()
            }
            None => "no epoch is open".into(),
        }])
    }

    fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }
}
