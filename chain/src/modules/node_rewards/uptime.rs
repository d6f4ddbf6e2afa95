//! Uptime, as others saw it. Nobody reports on nodes of its own.
//!
//! The beacon of an epoch puts its nodes in a ring. A node is watched by the next nodes after it that belong to other
//! operators, one of each. The nodes of an epoch are fixed before anybody reveals anything of its beacon, so nobody can
//! choose its neighbours. A node's uptime is the lower median of what its witnesses report.

use super::{
    AttestUptime, MAX_NODES_PER_OPERATOR, MAX_WITNESSES, MIN_WITNESSES, NodeError,
    check::own_node,
    metrics::{in_time, may_overwrite, slot},
    types::{Node, NodeId},
};
use crate::{
    ledger::Context,
    poseidon::Felt,
    state::{Draft, Leaf, State, TableId, ToFelts},
};
use primitives::{BasisPoints, CodecError, Decode, Domain, Encode, EpochId, PersonId, Reader, Writer, hash};
use std::collections::{BTreeMap, BTreeSet};

/// Most nodes that one is a witness of: it is drawn by those before it, and at most so many of them stand between it and
/// the first that finds enough witnesses before it.
pub const MAX_SEEN: usize = (MAX_WITNESSES as usize + 1) * MAX_NODES_PER_OPERATOR;

/// What a witness saw in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UptimeReport {
    /// The epoch.
    pub epoch: EpochId,
    /// The node that watched.
    pub witness: NodeId,
    /// The nodes that it was drawn for, ascending, with the part of the epoch in which each was there.
    pub seen: Vec<(NodeId, BasisPoints)>,
}

impl Encode for UptimeReport {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        self.witness.encode(w);
        w.seq(&self.seen);
    }
}

impl Decode for UptimeReport {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (epoch, witness) = (Decode::decode(r)?, Decode::decode(r)?);
        Ok(Self { epoch, witness, seen: r.seq(MAX_SEEN)? })
    }
}

impl Leaf for UptimeReport {
    type Key = (u8, NodeId);
    const TABLE: TableId = TableId::UptimeReport;
    fn key(&self) -> Self::Key {
        (slot(self.epoch), self.witness)
    }
    fn value(&self) -> Vec<Felt> {
        (self.epoch, self.witness, self.seen.clone()).to_felts()
    }
}

/// Who watches whom in an epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Witnesses of each node.
    pub witnesses: BTreeMap<NodeId, Vec<NodeId>>,
}

impl Watch {
    /// Draws witnesses for nodes that stand in a ring in this order.
    fn draw(ring: &[&Node], count: u8) -> Self {
        let drawn = |at: usize| {
            let mut operators = BTreeSet::from([ring[at].operator]);
            let after = ring[at + 1..].iter().chain(&ring[..at]);
            let others = after.filter(|node| operators.insert(node.operator)).map(|node| node.id);
            others.take(count.into()).collect()
        };
        Self { witnesses: (0..ring.len()).map(|at| (ring[at].id, drawn(at))).collect() }
    }

    /// The nodes that one is drawn for, ascending.
    pub fn targets(&self, witness: NodeId) -> Vec<NodeId> {
        let watched = self.witnesses.iter().filter(|(_, witnesses)| witnesses.contains(&witness));
        watched.map(|(node, _)| *node).collect()
    }
}

impl State {
    /// Who watches whom in an epoch. Nobody before it opened.
    pub fn watch(&self, epoch: EpochId) -> Watch {
        let Some(seed) = self.audit_seed(epoch) else { return Watch::default() };
        let place = |node: &Node| hash::hash(Domain::Witness, &[&seed.0, &node.id.0]);
        let mut ring: Vec<&Node> = self.nodes.iter().filter(|node| node.takes_part(epoch)).collect();
        ring.sort_by_cached_key(|node| place(node));
        Watch::draw(&ring, self.version_of(epoch).rules.nodes.witnesses)
    }

    /// What a witness reported of an epoch, as long as it is not overwritten.
    pub fn report_of(&self, epoch: EpochId, witness: NodeId) -> Option<&UptimeReport> {
        self.reports.get(&(slot(epoch), witness)).filter(|report| report.epoch == epoch)
    }

    /// Uptime of the nodes of an epoch, as far as their witnesses saw it: of each the lower median of what was reported,
    /// if more than half of its witnesses did, and there are enough of them.
    pub fn uptimes(&self, epoch: EpochId, watch: &Watch) -> BTreeMap<NodeId, BasisPoints> {
        let saw = |witness: &NodeId, node: &NodeId| {
            let seen = &self.report_of(epoch, *witness)?.seen;
            let at = seen.binary_search_by_key(node, |(seen, _)| *seen).ok()?;
            Some(seen[at].1)
        };
        let uptime = |(node, witnesses): (&NodeId, &Vec<NodeId>)| {
            let mut seen: Vec<BasisPoints> = witnesses.iter().filter_map(|w| saw(w, node)).collect();
            seen.sort();
            let enough = witnesses.len() >= MIN_WITNESSES.into() && 2 * seen.len() > witnesses.len();
            enough.then(|| (*node, seen[(seen.len() - 1) / 2]))
        };
        watch.witnesses.iter().filter_map(uptime).collect()
    }
}

/// Runs [`AttestUptime`].
pub(crate) fn attest_uptime(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &AttestUptime,
) -> Result<(), NodeError> {
    let AttestUptime { epoch, witness, seen } = action.clone();
    let node = own_node(draft, witness, signer)?;
    in_time(draft, at, epoch)?;
    if !node.takes_part(epoch) {
        return Err(NodeError::NotPart { node: witness, epoch });
    }
    if let Some(found) = draft.get::<UptimeReport>(&(slot(epoch), witness)) {
        if found.epoch == epoch {
            return Err(NodeError::Reported { witness, epoch });
        }
        may_overwrite(draft, found.epoch, epoch)?;
    }
    // Exactly those it was drawn for: a witness neither looks away from one, nor says a word of another.
    let targets = draft.base().watch(epoch).targets(witness);
    let named: Vec<NodeId> = seen.iter().map(|(node, _)| *node).collect();
    if let Some(pair) = named.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(NodeError::SeenOrder { node: pair[1] });
    }
    if let Some(node) = named.iter().find(|node| targets.binary_search(node).is_err()) {
        return Err(NodeError::NotDrawn { witness, node: *node });
    }
    if let Some(node) = targets.iter().find(|node| named.binary_search(node).is_err()) {
        return Err(NodeError::NotSeen { witness, node: *node });
    }
    draft.put(UptimeReport { epoch, witness, seen });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::node_rewards::testing::node;

    /// A ring of operators with so many nodes each.
    fn ring(nodes: &[u8]) -> Vec<Node> {
        nodes.iter().enumerate().flat_map(|(o, n)| (0..*n).map(move |i| node(o as u8, i))).collect()
    }

    #[test]
    fn nobody_watches_nodes_of_its_own_and_no_operator_watches_twice() {
        let all = ring(&[3, 1, 2, 5, 1, 1, 4]);
        let watch = Watch::draw(&all.iter().collect::<Vec<_>>(), 4);
        let operator: BTreeMap<_, _> = all.iter().map(|node| (node.id, node.operator)).collect();
        for (node, witnesses) in &watch.witnesses {
            let of: BTreeSet<_> = witnesses.iter().map(|witness| operator[witness]).collect();
            assert_eq!((witnesses.len(), of.len()), (4, 4));
            assert!(!of.contains(&operator[node]));
            assert!(witnesses.iter().all(|witness| watch.targets(*witness).contains(node)));
        }
    }

    #[test]
    fn a_report_is_never_longer_than_its_limit() {
        // Every operator has as many nodes as it may, side by side: the last of them draw, and are drawn by, most.
        let most = MAX_NODES_PER_OPERATOR as u8;
        for nodes in [
            vec![most; 20],
            vec![1, most, most, 1, 1, most, most, most, 1, 1, most, most, most, most, most, 1, 1, 1],
        ] {
            let all = ring(&nodes);
            let watch = Watch::draw(&all.iter().collect::<Vec<_>>(), MAX_WITNESSES);
            let longest = all.iter().map(|node| watch.targets(node.id).len()).max();
            assert!(longest.expect("nodes") <= MAX_SEEN, "{longest:?}");
        }
    }

    #[test]
    fn two_operators_have_one_witness_each() {
        let all = ring(&[2, 2]);
        let watch = Watch::draw(&all.iter().collect::<Vec<_>>(), 7);
        assert!(watch.witnesses.values().all(|witnesses| witnesses.len() == 1));
    }
}
