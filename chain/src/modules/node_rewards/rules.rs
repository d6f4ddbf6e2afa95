//! Rules of node rewards that governance sets.

use super::Contribution;
use crate::modules::governance::{RulesError, within};
use primitives::{BasisPoints, Credits, codec_struct};
use serde::{Deserialize, Serialize};

/// Fewest places that an audit may ask for: whoever lacks a tenth passes 44 of them with 0.9^44, less than one in a
/// hundred.
pub const MIN_SAMPLES: u8 = 44;
/// Most places that an audit may ask for: answers stay far below what a block holds.
pub const MAX_SAMPLES: u8 = 128;
/// Most witnesses of a node: with [`super::MAX_NODES_PER_OPERATOR`] it bounds how long a report is.
pub const MAX_WITNESSES: u8 = 15;
/// Fewest witnesses from which a median says anything: of two, one alone decides.
pub const MIN_WITNESSES: u8 = 3;

/// What one kind of contribution earns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Its part of an epoch's budget.
    pub share: BasisPoints,
    /// Most that a million units earn, however few there are to divide the part among. Without it the only node of a
    /// young network would earn as much as a thousand, and faking would pay best where there is least to do.
    pub rate: Credits,
}

codec_struct!(Schedule { share, rate });

/// How nodes are rewarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRules {
    /// What an operator deposits for a node.
    pub bond: Credits,
    /// Epochs between the last one in which a node takes part and the return of its bond.
    pub notice: u8,
    /// Most that all contributions of an epoch earn together.
    pub budget: Credits,
    /// Places that an audit asks for.
    pub samples: u8,
    /// Nodes that are paid for one work's content, each of another operator.
    pub replicas: u16,
    /// Most units of one client that count for one node in an epoch.
    pub client_units: u64,
    /// Witnesses of a node.
    pub witnesses: u8,
    /// Uptime below which a node earns nothing for it.
    pub uptime_floor: BasisPoints,
    /// Most that one node earns of what a kind of contribution is given.
    pub node_cap: BasisPoints,
    /// The same for all nodes of one operator.
    pub operator_cap: BasisPoints,
    /// Part of the bond that a wrong answer costs.
    pub slash_wrong: BasisPoints,
    /// Part of the bond that no answer costs.
    pub slash_silent: BasisPoints,
    /// Content kept, in chunks.
    pub storage: Schedule,
    /// Content served, in vouchers.
    pub bandwidth: Schedule,
    /// Jobs done, in the units of their services.
    pub compute: Schedule,
    /// Being there, in basis points of an epoch.
    pub uptime: Schedule,
    /// Running an aggregator party for an epoch.
    pub aggregation: Schedule,
    /// Ordering transactions for an epoch.
    pub sequencing: Schedule,
    /// Proving blocks. Nothing is paid for it until there are proofs.
    pub proving: Schedule,
    /// Curation tasks.
    pub curation: Schedule,
}

codec_struct!(NodeRules {
    bond,
    notice,
    budget,
    samples,
    replicas,
    client_units,
    witnesses,
    uptime_floor,
    node_cap,
    operator_cap,
    slash_wrong,
    slash_silent,
    storage,
    bandwidth,
    compute,
    uptime,
    aggregation,
    sequencing,
    proving,
    curation,
});

impl NodeRules {
    /// What a kind of contribution earns.
    pub fn schedule(&self, kind: Contribution) -> &Schedule {
        match kind {
            Contribution::Storage => &self.storage,
            Contribution::Bandwidth => &self.bandwidth,
            Contribution::Compute => &self.compute,
            Contribution::Uptime => &self.uptime,
            Contribution::Aggregation => &self.aggregation,
            Contribution::Sequencing => &self.sequencing,
            Contribution::Proving => &self.proving,
            Contribution::Curation => &self.curation,
        }
    }

    /// Checks every bound.
    pub(crate) fn check(&self) -> Result<(), RulesError> {
        let million = 1_000_000 * Credits::ONE.0;
        // With nothing at stake a wrong answer would cost nothing.
        within("nodes.bond", self.bond.0, Credits::ONE.0..=million)?;
        // With one epoch, a node's bond would be back before the audits of its last epoch are over.
        within("nodes.notice", self.notice.into(), 2..=52)?;
        within("nodes.budget", self.budget.0, 0..=1_000 * million)?;
        within("nodes.samples", self.samples.into(), MIN_SAMPLES.into()..=MAX_SAMPLES.into())?;
        within("nodes.replicas", self.replicas.into(), 1..=1_000)?;
        within("nodes.client_units", self.client_units, 1..=1 << 40)?;
        within("nodes.witnesses", self.witnesses.into(), MIN_WITNESSES.into()..=MAX_WITNESSES.into())?;
        let whole = u64::from(BasisPoints::WHOLE.get());
        within("nodes.node_cap", self.node_cap.get().into(), 1..=whole)?;
        within("nodes.operator_cap", self.operator_cap.get().into(), self.node_cap.get().into()..=whole)?;
        // Who cannot answer must not get off lightly by a wrong answer, nor by none at all.
        within("nodes.slash_silent", self.slash_silent.get().into(), 1..=whole)?;
        within("nodes.slash_wrong", self.slash_wrong.get().into(), self.slash_silent.get().into()..=whole)?;
        let shares = Contribution::ALL.iter().map(|kind| u64::from(self.schedule(*kind).share.get())).sum();
        // Chain spec 3.8: "Calculate and distribute rewards in CWE credits, within budgets set by governance."
        within("shares of the budget", shares, 0..=whole)?;
        Contribution::ALL
            .iter()
            .try_for_each(|kind| within("rate", self.schedule(*kind).rate.0, 0..=million * 1_000_000))
    }
}

impl Default for NodeRules {
    fn default() -> Self {
        let points = |points| BasisPoints::new(points).expect("a part of the whole");
        let schedule = |share, rate| Schedule { share: points(share), rate: Credits(rate) };
        let one = Credits::ONE.0;
        Self {
            bond: Credits(10 * one),
            notice: 2,
            budget: Credits(10_000 * one),
            samples: 50,
            replicas: 3,
            client_units: 10_000,
            witnesses: 7,
            uptime_floor: points(9_000),
            node_cap: points(1_000),
            operator_cap: points(2_000),
            slash_wrong: points(5_000),
            slash_silent: points(1_000),
            // A million chunks are a quarter of a gigabyte.
            storage: schedule(3_000, one / 100),
            bandwidth: schedule(2_500, 160 * one),
            compute: schedule(1_500, one),
            // A credit for an epoch without an interruption.
            uptime: schedule(1_000, 100 * one),
            // So many credits for a party, a sequencer, a task.
            aggregation: schedule(1_000, 100 * one * 1_000_000),
            sequencing: schedule(500, 50 * one * 1_000_000),
            proving: schedule(0, 0),
            curation: schedule(500, 5 * one * 1_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_is_kept() {
        let points = |points| BasisPoints::new(points).expect("a part");
        let good = NodeRules::default;
        assert_eq!(good().check(), Ok(()));
        let schedule = |share, rate| Schedule { share: points(share), rate: Credits(rate) };
        for (name, rules) in [
            ("nodes.bond", NodeRules { bond: Credits(0), ..good() }),
            ("nodes.notice", NodeRules { notice: 1, ..good() }),
            ("nodes.budget", NodeRules { budget: Credits(u64::MAX), ..good() }),
            ("nodes.samples", NodeRules { samples: MIN_SAMPLES - 1, ..good() }),
            ("nodes.samples", NodeRules { samples: MAX_SAMPLES + 1, ..good() }),
            ("nodes.replicas", NodeRules { replicas: 0, ..good() }),
            ("nodes.client_units", NodeRules { client_units: 0, ..good() }),
            ("nodes.witnesses", NodeRules { witnesses: MIN_WITNESSES - 1, ..good() }),
            ("nodes.witnesses", NodeRules { witnesses: MAX_WITNESSES + 1, ..good() }),
            ("nodes.node_cap", NodeRules { node_cap: points(0), ..good() }),
            ("nodes.operator_cap", NodeRules { operator_cap: points(999), ..good() }),
            ("nodes.slash_silent", NodeRules { slash_silent: points(0), ..good() }),
            ("nodes.slash_wrong", NodeRules { slash_wrong: points(999), ..good() }),
            ("shares of the budget", NodeRules { proving: schedule(1, 0), ..good() }),
            ("rate", NodeRules { compute: schedule(1_500, u64::MAX), ..good() }),
        ] {
            assert_eq!(rules.check().map_err(|error| error.name), Err(name));
        }
    }
}
