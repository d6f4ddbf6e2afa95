//! Methods about epochs and what they pay.

use super::{Failure, Service, args::Args};
use crate::{
    Payload, Transaction,
    light::record,
    modules::{
        dapr::{Inputs, PayoutLeaf, settle},
        usage::{Phase, TierRevenue},
    },
    state::State,
};
use primitives::{Encode, EpochId, PersonId, ids};
use serde_json::{Value, json};

pub(super) fn epoch(service: &Service, args: &Args) -> Result<Value, Failure> {
    let epoch = EpochId(args.number(0)?);
    let view = service.shared.view();
    view.read(|ledger| {
        let state = ledger.state();
        let found = state.epochs.get(&epoch).ok_or_else(|| unknown(epoch))?;
        let tiers = state.revenues_of(epoch).count();
        Ok(json!({
            "epoch": epoch,
            "phase": phase_name(found.phase),
            "tiers_reported": tiers,
            "settled_in": ledger.epoch_proof(epoch).map(|proof| proof.height),
        }))
    })
}

fn unknown(epoch: EpochId) -> Failure {
    Failure::not_found(format!("epoch {epoch} has not opened"))
}

fn phase_name(phase: Phase) -> String {
    format!("{phase:?}").to_lowercase()
}

pub(super) fn epoch_record(service: &Service, args: &Args) -> Result<Value, Failure> {
    let epoch = EpochId(args.number(0)?);
    let record = service.shared.view().read(|ledger| record(ledger, epoch));
    let record = record.map_err(|error| Failure::not_found(error.to_string()))?;
    serde_json::to_value(record).map_err(|error| Failure::files(&error))
}

/// What an epoch that has its totals will pay a person, if all its revenue is on record.
fn expected(state: &State, epoch: EpochId) -> Option<Vec<PayoutLeaf>> {
    let opening = state.openings.get(&epoch)?;
    let tallies: Vec<_> = state.aggregates_of(epoch).map(|aggregate| &aggregate.tally).collect();
    let revenues: Vec<TierRevenue> = state.revenues_of(epoch).cloned().collect();
    let (settlement, _) = settle(&Inputs { opening, revenues: &revenues, tallies: &tallies }).ok()?;
    Some(settlement.leaves().collect())
}

pub(super) fn payouts(service: &Service, args: &Args) -> Result<Value, Failure> {
    let (person, epoch): (PersonId, _) = (args.id(0)?, EpochId(args.number(1)?));
    service.shared.view().read(|ledger| {
        let state = ledger.state();
        let phase = state.epochs.get(&epoch).ok_or_else(|| unknown(epoch))?.phase;
        let leaves = match (state.settlements.get(&epoch), phase) {
            (Some(settlement), _) => settlement.leaves().collect(),
            (None, Phase::Aggregated) => expected(state, epoch).unwrap_or_default(),
            (None, _) => Vec::new(),
        };
        let status = |leaf: &PayoutLeaf| match phase {
            Phase::Finalised if leaf.payee.layer1_address().is_some() => "on-layer1",
            Phase::Finalised if state.claims.get(&(epoch, leaf.work, leaf.payee)).is_some() => "claimed",
            Phase::Finalised => "claimable",
            _ => "expected",
        };
        let of_person = leaves.iter().filter(|leaf| leaf.payee == person);
        let payouts: Vec<Value> = of_person
            .map(|leaf| json!({ "work": leaf.work, "amount": leaf.amount, "status": status(leaf) }))
            .collect();
        Ok(json!({ "person": person, "epoch": epoch, "phase": phase_name(phase), "payouts": payouts }))
    })
}

pub(super) fn claims(service: &Service, args: &Args) -> Result<Value, Failure> {
    let (person, epoch): (PersonId, _) = (args.id(0)?, EpochId(args.number(1)?));
    service.shared.view().read(|ledger| {
        let state = ledger.state();
        state.epochs.get(&epoch).ok_or_else(|| unknown(epoch))?;
        let mut claims = state.claims_in(epoch, &person);
        claims.retain(|claim| {
            claim.payee.layer1_address().is_none()
                && state.claims.get(&(claim.epoch, claim.work, claim.payee)).is_none()
        });
        let claims: Vec<Value> = claims
            .into_iter()
            .map(|claim| {
                let (work, amount) = (claim.work, claim.amount);
                let bytes = Transaction::open(Payload::Claim(claim)).to_bytes();
                json!({ "work": work, "amount": amount, "transaction": ids::to_hex(&bytes) })
            })
            .collect();
        Ok(json!({ "person": person, "epoch": epoch, "claims": claims }))
    })
}
