//! What epochs pay, kept for a few epochs: it is made once, and not for everybody who asks.

use crate::{
    merkle::Tree,
    modules::{
        dapr::{Inputs, PayoutLeaf, settle},
        usage::{Phase, TierRevenue},
    },
    node::shared::View,
    poseidon::Felt,
};
use primitives::{Digest, EpochId, PersonId};
use proofs::tally::Tally;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Epochs that are kept, the last ones that were asked for: those who claim do so for the last few.
const KEPT: usize = 4;

/// What an epoch pays, or will.
pub(super) struct Paid {
    leaves: Vec<PayoutLeaf>,
    of: BTreeMap<PersonId, Vec<usize>>,
    /// Made when the first path is asked for.
    tree: OnceLock<Tree>,
}

impl Paid {
    fn new(leaves: Vec<PayoutLeaf>) -> Self {
        let mut of: BTreeMap<PersonId, Vec<usize>> = BTreeMap::new();
        for (position, leaf) in leaves.iter().enumerate() {
            of.entry(leaf.payee).or_default().push(position);
        }
        Self { leaves, of, tree: OnceLock::new() }
    }

    /// What a person is paid, by ascending work, with the place of each in the tree.
    pub(super) fn to(&self, person: &PersonId) -> impl Iterator<Item = (usize, &PayoutLeaf)> {
        self.of.get(person).into_iter().flatten().map(|position| (*position, &self.leaves[*position]))
    }

    /// The payout tree.
    pub(super) fn tree(&self) -> &Tree {
        self.tree.get_or_init(|| {
            let leaves: Vec<Felt> = self.leaves.iter().map(PayoutLeaf::hash).collect();
            Tree::of(&leaves)
        })
    }
}

/// Of which epoch, and as of which block if it is not settled.
type Key = (EpochId, Option<Digest>);

/// What epochs pay, the last ones that were asked for.
#[derive(Default)]
pub(in crate::node) struct Payouts(Mutex<VecDeque<(Key, Arc<Paid>)>>);

impl Payouts {
    /// What an epoch pays or, while it is not settled, will pay if nothing changes; nothing before its totals are there.
    /// Whoever asks holds the turn for what takes long, so that nothing is made twice at once.
    pub(super) fn get(&self, view: &View, epoch: EpochId) -> Arc<Paid> {
        let settled = view.read(|ledger| ledger.state().settlements.get(&epoch).is_some());
        let key = (epoch, (!settled).then_some(view.head.digest));
        let mut kept = self.lock();
        if let Some(found) = kept.iter().position(|(of, _)| *of == key).and_then(|at| kept.remove(at)) {
            let paid = found.1.clone();
            kept.push_back(found);
            return paid;
        }
        drop(kept);
        let leaves = view.read(|ledger| {
            let settlement = ledger.state().settlements.get(&epoch);
            settlement.map(|settlement| settlement.leaves().collect())
        });
        let paid = Arc::new(Paid::new(leaves.or_else(|| expected(view, epoch)).unwrap_or_default()));
        let mut kept = self.lock();
        // What was expected before the last block is of no more use.
        kept.retain(|((of, _), _)| *of != epoch);
        kept.push_back((key, paid.clone()));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        paid
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Key, Arc<Paid>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an epoch that has its totals will pay, if all its revenue is on record. Settling takes long, and nobody else waits
/// for the ledger meanwhile.
fn expected(view: &View, epoch: EpochId) -> Option<Vec<PayoutLeaf>> {
    let (opening, revenues, taken, tallies) = view.read(|ledger| {
        let state = ledger.state();
        state.epochs.get(&epoch).filter(|found| found.phase == Phase::Aggregated)?;
        // What is taken over is known once the epoch before is over.
        state.unended_before(epoch).is_none().then_some(())?;
        let tallies: Vec<Tally> =
            state.aggregates_of(epoch).map(|aggregate| aggregate.tally.clone()).collect();
        let revenues: Vec<TierRevenue> = state.revenues_of(epoch).cloned().collect();
        let opening = state.openings.get(&epoch)?.clone();
        let taken = state.taken_over(&opening);
        Some((opening, revenues, taken, tallies))
    })?;
    let tallies: Vec<&Tally> = tallies.iter().collect();
    let (settlement, _) =
        settle(&Inputs { opening: &opening, revenues: &revenues, taken: &taken, tallies: &tallies }).ok()?;
    Some(settlement.leaves().collect())
}
