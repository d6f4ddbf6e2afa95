//! Audits: what a beacon asks a node for, and whether the answer holds (chain spec 6.4, "random audits").
//!
//! What a node says of epoch `E` is fixed before anybody reveals anything of the beacon of `E + 1`. Places are drawn from
//! those reveals, and from nothing else: the key of an epoch also hashes a block, and whoever makes blocks could try
//! many. The node answers while `E + 1` runs.

use super::{
    AnswerAudit, Claimed, Content, Contribution, Evidence, EvidenceError, Metrics, NodeError, NodeRules,
    check::{cut_bond, node_of},
    metrics::Audit,
    types::{Node, NodeId},
};
use crate::{
    modules::usage::{Epoch, Phase},
    state::{Draft, State},
};
use primitives::{ChainId, Digest, Domain, Encode, EpochId, PersonId, WorkId, hash};

impl State {
    /// What is drawn from the beacon of an epoch: hash of what the parties revealed. None before it opened.
    pub fn audit_seed(&self, epoch: EpochId) -> Option<Digest> {
        let opening = self.openings.get(&epoch)?;
        let reveals: Vec<u8> = opening
            .reveals
            .iter()
            .flat_map(|(party, value)| [party.to_bytes(), value.to_bytes()].concat())
            .collect();
        Some(hash::hash(Domain::AuditSeed, &[&opening.chain.to_bytes(), &epoch.to_bytes(), &reveals]))
    }

    /// The audit of what a node committed to of a kind in an epoch. None if it committed to nothing, or the next epoch has
    /// not opened.
    pub fn audit(&self, node: NodeId, epoch: EpochId, kind: Contribution) -> Option<Audited<'_>> {
        let metrics = self.metrics_of(node, epoch, kind)?;
        let seed = self.audit_seed(EpochId(epoch.0 + 1))?;
        // What a node and its clients signed names the chain on which the epoch ran.
        let chain = self.openings.get(&epoch)?.chain;
        let (node, rules) = (self.nodes.get(&node)?, &self.version_of(epoch).rules.nodes);
        Some(Audited { state: self, chain, node, metrics, seed, rules })
    }

    /// Audits of a node that wait for an answer.
    pub fn audits_due(&self, node: NodeId) -> Vec<Audited<'_>> {
        let asking = self.epochs.iter().rev().take(2).filter(|asking| !asking.is_over());
        let asked = asking.filter_map(|asking| asking.epoch.0.checked_sub(1).map(EpochId));
        let asked = asked.filter(|epoch| !self.is_scored(*epoch));
        asked
            .flat_map(|epoch| Contribution::AUDITED.map(|kind| self.audit(node, epoch, kind)))
            .flatten()
            .filter(|audited| audited.metrics.audit == Audit::Due)
            .collect()
    }
}

/// An audit: what was committed to, and the beacon that asks.
#[derive(Clone, Copy)]
pub struct Audited<'a> {
    pub(super) state: &'a State,
    pub(super) chain: ChainId,
    /// The node.
    pub node: &'a Node,
    /// What it committed to.
    pub metrics: &'a Metrics,
    pub(super) seed: Digest,
    pub(super) rules: &'a NodeRules,
}

impl Audited<'_> {
    /// Units that are asked for, in the order of the answer: each drawn from all that were claimed.
    ///
    /// A draw is 128 bits modulo a number of at most 64, so that no unit is likelier than another by more than 2^-64.
    pub fn places(&self) -> Vec<u64> {
        let Metrics { node, epoch, claimed, units, .. } = self.metrics;
        let draw = |number: u8| {
            let parts: [&[u8]; 5] =
                [&self.seed.0, &node.0, &epoch.to_bytes(), &claimed.kind().to_bytes(), &[number]];
            let wide = hash::hash(Domain::AuditDraw, &parts).0;
            let number = u128::from_le_bytes(*wide.first_chunk().expect("a hash has 32 bytes"));
            u64::try_from(number % u128::from(*units)).expect("below a number of 64 bits")
        };
        (0..self.rules.samples).map(draw).collect()
    }

    /// Works and chunks that are asked for, if content was claimed: works one after the other, each chunk a unit.
    pub fn chunks(&self) -> Vec<(WorkId, u32)> {
        let Claimed::Storage(works) = &self.metrics.claimed else { return Vec::new() };
        let ends: Vec<(u64, &Content)> = works
            .0
            .iter()
            .filter_map(|work| self.state.contents.get(work))
            .scan(0, |end, content| {
                *end += u64::from(content.chunks);
                Some((*end, content))
            })
            .collect();
        let chunk = |unit: u64| {
            let (end, content) = ends[ends.partition_point(|(end, _)| *end <= unit)];
            let before_end = u32::try_from(end - unit).expect("a place in a work of fewer chunks");
            (content.work, content.chunks - before_end)
        };
        self.places().into_iter().map(chunk).collect()
    }

    /// Checks an answer, and gives the number of places that count. It is one for each place that was asked for, or less
    /// where a client has got another key since.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, evidence: &Evidence) -> Result<usize, EvidenceError> {
        match (&self.metrics.claimed, evidence) {
            (Claimed::Storage(_), Evidence::Storage(shown)) => self.check_chunks(&shown.0),
            (Claimed::Bandwidth(root), Evidence::Bandwidth(shown)) => self.check_vouchers(root, &shown.0),
            (Claimed::Compute(root), Evidence::Compute(shown)) => self.check_jobs(root, &shown.0),
            (claimed, _) => Err(EvidenceError::Kind { expected: claimed.kind(), found: evidence.kind() }),
        }
    }
}

/// Runs [`AnswerAudit`]. An answer that does not hold is on record as such, and costs a part of the bond: refusing it
/// would let a node try again.
pub(crate) fn answer_audit(
    draft: &mut Draft<'_>,
    signer: PersonId,
    action: &AnswerAudit,
) -> Result<(), NodeError> {
    let AnswerAudit { node: id, epoch, ref evidence } = *action;
    let (node, kind) = (node_of(draft, id, signer)?.clone(), evidence.kind());
    let audit_epoch = EpochId(epoch.0.saturating_add(1));
    let state = draft.base();
    if state.epochs.get(&epoch).is_some_and(|record| record.phase == Phase::Abandoned) {
        return Err(NodeError::Abandoned { epoch });
    }
    match draft.get::<Epoch>(&audit_epoch) {
        None => return Err(NodeError::TooEarly { epoch }),
        Some(record) if record.is_over() => return Err(NodeError::TooLate { epoch }),
        Some(_) => {}
    }
    let audited = state.audit(id, epoch, kind);
    let audited = audited.ok_or(NodeError::NotCommitted { node: id, epoch, kind })?;
    if audited.metrics.audit != Audit::Due {
        return Err(NodeError::Answered { node: id, epoch, kind });
    }
    let (expected, found) = (usize::from(audited.rules.samples), evidence.len());
    if found != expected {
        return Err(NodeError::Samples { expected, found });
    }
    let metrics = audited.metrics.clone();
    match audited.check(evidence) {
        Ok(valid) => {
            // Places are drawn evenly: the part of them that counts is, on average, the part of the units that counts.
            let counted = u128::from(metrics.units) * valid as u128 / expected as u128;
            let counted = u64::try_from(counted).expect("not more than was claimed");
            draft.put(Metrics { audit: Audit::Passed, counted, ..metrics });
        }
        Err(_) => {
            cut_bond(draft, node, audited.rules.slash_wrong)?;
            draft.put(Metrics { audit: Audit::Failed, ..metrics });
        }
    }
    Ok(())
}
