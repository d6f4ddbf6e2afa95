//! Creators claim what they are owed, and a few of them try it twice.

use super::DemoError;
use crate::progress::{Progress, Stage};
use chain::{
    Node, Payload, Transaction, TxError,
    modules::dapr::{Claim, DaprError},
    transaction::EnvelopeError,
};
use primitives::{Credits, EpochId};
use std::collections::BTreeSet;

/// What became of the claims.
pub(super) struct Claimed {
    /// Every claim, and whether it was paid, in the order of the payout tree. Those of accounts on L1 are not paid here.
    pub(super) claims: Vec<(Claim, bool)>,
    /// Sum of what was paid.
    pub(super) paid: Credits,
    /// Second claims that were tried.
    pub(super) doubles_tried: u64,
    /// Second claims that were refused as such.
    pub(super) doubles_rejected: u64,
}

impl Claimed {
    /// Claims of accounts on L1.
    pub(super) fn on_layer1(&self) -> Vec<Claim> {
        let all = self.claims.iter().map(|(claim, _)| claim);
        all.filter(|claim| claim.payee.layer1_address().is_some()).cloned().collect()
    }

    /// Takes note of whether they were paid there.
    pub(super) fn settle_on_layer1(&mut self, paid: bool) {
        for (claim, settled) in &mut self.claims {
            if claim.payee.layer1_address().is_some() {
                *settled = paid;
                self.paid = if paid { [self.paid, claim.amount].into_iter().sum() } else { self.paid };
            }
        }
    }
}

/// Claims every payout of the epoch, then tries the first, the middle and the last of them again.
pub(super) fn claim_all(
    node: &mut Node,
    epoch: EpochId,
    progress: &dyn Progress,
) -> Result<Claimed, DemoError> {
    let claims = node.ledger().state().claims_of_epoch(epoch);
    let here = claims.iter().filter(|claim| claim.payee.layer1_address().is_none()).count();
    progress.begin(Stage::Claims, here as u64);
    let mut claimed =
        Claimed { claims: Vec::new(), paid: Credits::ZERO, doubles_tried: 0, doubles_rejected: 0 };
    for claim in claims {
        if claim.payee.layer1_address().is_some() {
            claimed.claims.push((claim, false));
            continue;
        }
        let paid = submit(node, &claim)?.is_ok();
        if paid {
            claimed.paid = [claimed.paid, claim.amount].into_iter().sum();
        }
        claimed.claims.push((claim, paid));
        progress.advance(Stage::Claims, 1);
    }
    node.produce_block()?;

    let paid: Vec<&Claim> = claimed.claims.iter().filter(|(_, paid)| *paid).map(|(claim, _)| claim).collect();
    let last = paid.len().saturating_sub(1);
    let again: BTreeSet<usize> = [0, last / 2, last].into();
    for claim in again.into_iter().filter_map(|place| paid.get(place)) {
        claimed.doubles_tried += 1;
        if let Err(TxError::Dapr(DaprError::AlreadyClaimed { .. })) = submit(node, claim)? {
            claimed.doubles_rejected += 1;
        }
    }
    node.produce_block()?;
    progress.end(Stage::Claims);
    Ok(claimed)
}

/// Submits a claim, in the next block if this one is full.
fn submit(node: &mut Node, claim: &Claim) -> Result<Result<(), TxError>, DemoError> {
    let tx = Transaction::open(Payload::Claim(claim.clone()));
    match node.submit(&tx) {
        Err(TxError::Envelope(EnvelopeError::BlockFull)) => {
            node.produce_block()?;
            Ok(node.submit(&tx))
        }
        answer => Ok(answer),
    }
}
