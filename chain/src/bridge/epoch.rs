//! A final epoch as the mirror takes it: its record, and where it stands in the state.

use super::contracts::mirror::IEpochMirror;
use crate::{
    ledger::EpochProof,
    modules::usage::Epoch,
    poseidon::{Felt, felt_to_bytes},
};
use alloy::primitives::{B256, U256};
use primitives::Digest;

/// A field element as the contracts take it.
pub(super) fn number(felt: &Felt) -> U256 {
    U256::from_le_bytes(felt_to_bytes(felt))
}

/// The record of a final epoch as the mirror takes it; `None` before it is final.
pub fn mirrored(epoch: &Epoch) -> Option<IEpochMirror::EpochRecord> {
    let bytes = |digest: &Digest| B256::from(digest.0);
    let summary = epoch.summary.as_ref()?;
    Some(IEpochMirror::EpochRecord {
        epoch: epoch.epoch.0,
        opening: number(&epoch.opening),
        params: bytes(&epoch.params),
        batches: epoch.batches(),
        bundles: epoch.bundles(),
        last: bytes(&epoch.last()),
        anchors: bytes(&epoch.anchors()),
        root: bytes(&epoch.root()?),
        aggregate: bytes(&epoch.aggregate()?),
        revenues: number(epoch.revenues.as_ref()?),
        revenue: summary.revenue.0,
        fee: summary.fee.0,
        eco: summary.eco.0,
        infra: summary.infra.0,
        creators: summary.creators.0,
        carriedIn: summary.carried_in.0,
        paid: summary.paid.0,
        onLayer1: summary.on_layer1.0,
        carriedOut: summary.carried_out.0,
        sumOfWeights: U256::from_le_bytes(summary.sum_of_weights.to_le_bytes::<32>()),
        payoutRoot: number(&summary.payout_root),
        figures: number(&summary.figures),
    })
}

/// Where an epoch stands in the state after a batch, as the mirror takes it.
pub(super) fn state_proof(proof: &EpochProof, batch: u64) -> IEpochMirror::StateProof {
    IEpochMirror::StateProof {
        batch,
        nextKey: number(&proof.inclusion.leaf.next_key),
        position: proof.inclusion.position,
        siblings: proof.inclusion.siblings.iter().map(number).collect(),
        tableCount: proof.table.count,
        tableSiblings: proof.table.siblings.iter().map(number).collect(),
    }
}
