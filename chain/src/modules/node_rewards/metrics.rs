//! What nodes say of themselves: commitments to what they kept, served and did in an epoch, and what came of the audit.

use super::{
    CommitMetrics, Content, Contribution, NodeError, NodeScores, check::own_node, content::CHUNK_BYTES,
    sum_tree::Sum, types::NodeId,
};
use crate::{
    ledger::Context,
    modules::{
        usage::{Epoch, Phase, undrawn},
        work_registry::Work,
    },
    poseidon::Felt,
    state::{
        Draft, Fields, Leaf, State, TableId, ToFelts,
        fields::{codec_enum, number_enum, record},
    },
};
use primitives::{CodecError, Decode, Encode, EpochId, PersonId, Reader, WorkId, Writer};

/// Most works that one node keeps content of for rewards: what every node of every operator commits to, an epoch, stays
/// below 34 MB.
pub const MAX_STORED: usize = 256;

const _: () = assert!(MAX_STORED * 32 * super::MAX_NODES < 34 << 20 && CHUNK_BYTES >= 8 * 32);

/// Works whose content a node keeps, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredWorks(pub Vec<WorkId>);

impl Encode for StoredWorks {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.0);
    }
}

impl Decode for StoredWorks {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.seq(MAX_STORED).map(Self)
    }
}

/// What a node says that it did in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It kept all content of these works.
    Storage(StoredWorks),
    /// It has vouchers: root of the tree of them.
    Bandwidth(Sum),
    /// It has receipts for jobs: root of the tree over clients, each over their receipts.
    Compute(Sum),
}

codec_enum!(Claimed("claim of a node") {
    0 => Storage,
    1 => Bandwidth,
    2 => Compute,
});

impl Claimed {
    /// Of what kind that is.
    pub fn kind(&self) -> Contribution {
        match self {
            Self::Storage(_) => Contribution::Storage,
            Self::Bandwidth(_) => Contribution::Bandwidth,
            Self::Compute(_) => Contribution::Compute,
        }
    }
}

impl ToFelts for Claimed {
    fn felts(&self, out: &mut Fields) {
        match self {
            Self::Storage(works) => out.push(&0u8).push(&works.0),
            Self::Bandwidth(sum) => out.push(&1u8).push(sum),
            Self::Compute(sum) => out.push(&2u8).push(sum),
        };
    }
}

number_enum! {
    /// How an audit stands.
    Audit("audit") {
        /// Nothing was answered.
        Due = 0,
        /// Everything that was asked for was shown.
        Passed = 1,
        /// Something else was shown.
        Failed = 2,
    }
}

/// Places for records of epochs. An epoch is audited while the next one runs, and that one may be closed while another
/// runs: three epochs have records at a time.
pub(super) const SLOTS: u8 = 3;

/// Which of the places the records of an epoch take. Older ones are overwritten, and the state does not grow.
pub(super) fn slot(epoch: EpochId) -> u8 {
    u8::try_from(epoch.0 % u64::from(SLOTS)).expect("below the number of places")
}

/// What a node committed to in an epoch, and what came of it (chain spec 5, "metrics commitments").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// The node.
    pub node: NodeId,
    /// The epoch.
    pub epoch: EpochId,
    /// What it says of itself.
    pub claimed: Claimed,
    /// Units of that: chunks, vouchers, or units of services.
    pub units: u64,
    /// How the audit stands.
    pub audit: Audit,
    /// Units that count after it.
    pub counted: u64,
}

record!(Metrics { node, epoch, claimed, units, audit, counted });

impl Leaf for Metrics {
    type Key = (u8, NodeId, Contribution);
    const TABLE: TableId = TableId::Metrics;
    fn key(&self) -> Self::Key {
        (slot(self.epoch), self.node, self.claimed.kind())
    }
    fn value(&self) -> Vec<Felt> {
        self.to_felts()
    }
}

impl State {
    /// What a node committed to of a kind in an epoch, as long as it is not overwritten.
    pub fn metrics_of(&self, node: NodeId, epoch: EpochId, kind: Contribution) -> Option<&Metrics> {
        self.metrics.get(&(slot(epoch), node, kind)).filter(|metrics| metrics.epoch == epoch)
    }

    /// Whether nothing more comes of what nodes did in an epoch: it is scored, or was given up.
    pub fn is_scored(&self, epoch: EpochId) -> bool {
        self.scores.get(&epoch).is_some()
            || self.epochs.get(&epoch).is_some_and(|record| record.phase == Phase::Abandoned)
    }
}

/// Checks that nodes can still say something of an epoch: it is running, and nobody knows anything of the next beacon,
/// by which it is audited.
pub(super) fn in_time(draft: &Draft<'_>, at: &Context<'_>, epoch: EpochId) -> Result<(), NodeError> {
    let running = draft.base().running_epoch(at.genesis);
    let record = draft.get::<Epoch>(&epoch).filter(|_| epoch == running);
    let phase = record.ok_or(NodeError::NotRunning { epoch, running })?.phase;
    if phase == Phase::Abandoned {
        return Err(NodeError::Abandoned { epoch });
    }
    // Whoever knows a beacon knows what it will be asked: nothing is fixed after the first reveal.
    if undrawn(draft, at) != EpochId(epoch.0 + 1) {
        return Err(NodeError::Drawn { epoch });
    }
    Ok(())
}

/// Checks that a record of `found` may be overwritten by one of another epoch.
pub(super) fn may_overwrite(draft: &Draft<'_>, found: EpochId, epoch: EpochId) -> Result<(), NodeError> {
    if found == epoch || draft.has::<NodeScores>(&found) || draft.base().is_scored(found) {
        Ok(())
    } else {
        Err(NodeError::NotScored { epoch: found })
    }
}

/// Runs [`CommitMetrics`].
pub(crate) fn commit_metrics(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &CommitMetrics,
) -> Result<(), NodeError> {
    let CommitMetrics { node: id, epoch, claimed } = action.clone();
    let (node, kind) = (own_node(draft, id, signer)?, claimed.kind());
    in_time(draft, at, epoch)?;
    if !node.takes_part(epoch) {
        return Err(NodeError::NotPart { node: id, epoch });
    }
    if !node.services.offer(kind) {
        return Err(NodeError::NotOffered { node: id, kind });
    }
    // Chain spec 6.4: "economic bonding if required". A bond that was cut is filled up before anything else is earned.
    let needed = draft.base().version_of(epoch).rules.nodes.bond;
    if node.bond < needed {
        return Err(NodeError::Bond { node: id, bond: node.bond, needed });
    }
    if let Some(found) = draft.get::<Metrics>(&(slot(epoch), id, kind)) {
        if found.epoch == epoch {
            return Err(NodeError::AlreadyCommitted { node: id, epoch, kind });
        }
        may_overwrite(draft, found.epoch, epoch)?;
    }
    let units = match &claimed {
        Claimed::Storage(works) => chunks(draft, signer, epoch, works)?,
        Claimed::Bandwidth(sum) | Claimed::Compute(sum) => sum.units,
    };
    if units == 0 {
        return Err(NodeError::NothingToDo);
    }
    draft.put(Metrics { node: id, epoch, claimed, units, audit: Audit::Due, counted: 0 });
    Ok(())
}

/// Chunks of all works that an operator's node says it keeps.
fn chunks(
    draft: &Draft<'_>,
    operator: PersonId,
    epoch: EpochId,
    StoredWorks(works): &StoredWorks,
) -> Result<u64, NodeError> {
    if let Some(pair) = works.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(NodeError::WorkOrder { work: pair[1] });
    }
    let mut sum = 0;
    for &work in works {
        let content = draft.get::<Content>(&work).filter(|content| content.from <= epoch);
        sum += u64::from(content.ok_or(NodeError::NoContent { work, epoch })?.chunks);
        // Whoever made the content can make it again without having kept it.
        if draft.get::<Work>(&work).is_some_and(|work| work.creator == operator) {
            return Err(NodeError::OwnContent { work });
        }
    }
    Ok(sum)
}
