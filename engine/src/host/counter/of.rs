//! What a counter has of one epoch.

use super::standings::{Standing, Standings};
use crate::{
    api::{EpochInfo, Receipt, Submission},
    effect::Refusal,
    party::collect::MAX_UNSETTLED,
    transport::Switchboard,
};
use primitives::{ChainId, Digest, EpochId, PartyId};
use proofs::committee::PartySigner;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::sync::oneshot;

/// Most bundles that wait for their answer. More are told to come back.
const MAX_WAITING: usize = crate::intake::MAX_IN_FLIGHT;
/// Most refused bundles that are remembered.
const MAX_REFUSED: usize = 1 << 16;
/// When those may come again that find no room.
pub(super) const COME_BACK: Duration = Duration::from_secs(2);

/// An epoch in hand, or one that is over.
pub(super) struct Of {
    pub(super) epoch: EpochId,
    /// While it takes bundles in, and until it is over.
    pub(super) info: Option<EpochInfo>,
    /// Its actors, until it is over.
    pub(super) board: Option<Arc<Switchboard>>,
    /// The party whose seat this host has or had; a standby takes nothing in.
    pub(super) signer: Option<PartySigner>,
    pub(super) bundles: Standings,
    /// The store has room for few more, as of the last look at the disk: who submits does not wait for it.
    pub(super) is_full: bool,
    pub(super) waiters: BTreeMap<Digest, Vec<oneshot::Sender<Submission>>>,
    /// Refused ones, the oldest first.
    pub(super) refused: VecDeque<Digest>,
    /// Taken in by the party, and not yet on disk.
    pub(super) fresh: Vec<Digest>,
}

impl Of {
    /// One that is over, of whose final bundles it is known where they are.
    pub(super) fn over(epoch: EpochId, bundles: Standings) -> Self {
        let (waiters, refused, fresh) = Default::default();
        Self {
            epoch,
            info: None,
            board: None,
            signer: None,
            bundles,
            is_full: false,
            waiters,
            refused,
            fresh,
        }
    }

    pub(super) fn party(&self) -> Option<PartyId> {
        self.signer.as_ref().map(PartySigner::party)
    }

    pub(super) fn receipt(&self, chain: ChainId, id: Digest) -> Option<Receipt> {
        Some(Receipt::sign(self.signer.as_ref()?, chain, self.epoch, id))
    }

    /// Whether there is no room for one more bundle.
    pub(super) fn is_busy(&self) -> bool {
        let waiting = self.bundles.waiting();
        waiting >= MAX_WAITING || waiting + self.bundles.taken() >= MAX_UNSETTLED
    }

    pub(super) fn answer(&mut self, id: Digest, submission: impl Fn() -> Submission) {
        for waiter in self.waiters.remove(&id).into_iter().flatten() {
            // Whoever asked may be gone.
            drop(waiter.send(submission()));
        }
    }

    pub(super) fn refused(&mut self, id: Digest, refusal: &Refusal) {
        if *refusal == Refusal::TakenIn {
            if matches!(self.bundles.get(&id), Some(Standing::Waiting(_) | Standing::Parked(_))) {
                self.fresh.push(id);
            }
            return;
        }
        if *refusal == Refusal::Duplicate && !matches!(self.bundles.get(&id), Some(Standing::Waiting(_))) {
            return;
        }
        let again =
            matches!(refusal, Refusal::Busy | Refusal::TooFarAhead | Refusal::MayBeCounted | Refusal::Closed);
        self.bundles.remove(&id);
        if *refusal == Refusal::Duplicate {
            // The door has seen it, and what became of it nobody remembers: no word is given for it.
            return self.answer(id, || Submission::Pending);
        }
        if !again {
            self.bundles.put(id, Standing::Refused(refusal.clone()));
            self.refused.push_back(id);
            if self.refused.len() > MAX_REFUSED
                && let Some(oldest) = self.refused.pop_front()
            {
                // It may have become final all the same: the chain decides.
                if matches!(self.bundles.get(&oldest), Some(Standing::Refused(_))) {
                    self.bundles.remove(&oldest);
                }
            }
        }
        let retry_after = again.then_some(COME_BACK);
        self.answer(id, || Submission::Refused { refusal: refusal.clone(), retry_after });
    }
}
