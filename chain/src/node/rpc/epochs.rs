//! Methods about epochs and what they pay.

use super::{
    Failure, Service,
    args::{Args, page},
};
use crate::{
    Payload, Transaction,
    light::record,
    modules::{
        dapr::{Claim, PayoutLeaf},
        usage::Phase,
    },
};
use primitives::{Encode, EpochId, PersonId, WorkId, ids};
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

/// A page of what an epoch pays a person: what comes after a work, as many as asked for, and the work to go on after.
struct Page {
    person: PersonId,
    epoch: EpochId,
    count: usize,
    after: Option<WorkId>,
}

impl Page {
    fn asked(args: &Args) -> Result<Self, Failure> {
        let (person, epoch) = (args.id(0)?, EpochId(args.number(1)?));
        let count = args.count(3)?;
        Ok(Self { person, epoch, count, after: args.id_or_none(2)? })
    }

    /// What is on the page, of payouts by ascending work, and the last work of it if there are more.
    fn of<T>(
        &self,
        payouts: impl Iterator<Item = T>,
        work: impl Fn(&T) -> WorkId,
    ) -> (Vec<T>, Option<WorkId>) {
        let rest = payouts.skip_while(|payout| self.after.is_some_and(|after| work(payout) <= after));
        page(rest, self.count, &work)
    }
}

pub(super) fn payouts(service: &Service, args: &Args) -> Result<Value, Failure> {
    let page = Page::asked(args)?;
    let (person, epoch) = (page.person, page.epoch);
    let view = service.shared.view();
    let found = view.read(|ledger| ledger.state().epochs.get(&epoch).map(|found| found.phase));
    let phase = found.ok_or_else(|| unknown(epoch))?;
    let paid = service.payouts.get(&view, epoch);
    let (of_person, next) = page.of(paid.to(&person).map(|(_, leaf)| leaf), |leaf| leaf.work);
    let payouts: Vec<Value> = view.read(|ledger| {
        let claims = &ledger.state().claims;
        let status = |leaf: &PayoutLeaf| match phase {
            Phase::Finalised if leaf.payee.layer1_address().is_some() => "on-layer1",
            Phase::Finalised if claims.get(&(epoch, leaf.work, leaf.payee)).is_some() => "claimed",
            Phase::Finalised => "claimable",
            _ => "expected",
        };
        let payout =
            |leaf: &&PayoutLeaf| json!({ "work": leaf.work, "amount": leaf.amount, "status": status(leaf) });
        of_person.iter().map(payout).collect()
    });
    let phase = phase_name(phase);
    Ok(json!({ "person": person, "epoch": epoch, "phase": phase, "payouts": payouts, "next": next }))
}

pub(super) fn claims(service: &Service, args: &Args) -> Result<Value, Failure> {
    let page = Page::asked(args)?;
    let (person, epoch) = (page.person, page.epoch);
    let view = service.shared.view();
    let phase = view.read(|ledger| ledger.state().epochs.get(&epoch).map(|found| found.phase));
    // An account on L1 is paid by the vault there.
    if phase.ok_or_else(|| unknown(epoch))? != Phase::Finalised || person.layer1_address().is_some() {
        return Ok(json!({ "person": person, "epoch": epoch, "claims": [], "next": null }));
    }
    let paid = service.payouts.get(&view, epoch);
    let (unpaid, next) = view.read(|ledger| {
        let claims = &ledger.state().claims;
        let unpaid = paid.to(&person).filter(|(_, leaf)| claims.get(&(epoch, leaf.work, person)).is_none());
        page.of(unpaid, |(_, leaf)| leaf.work)
    });
    let claim = |(position, leaf): (usize, &PayoutLeaf)| {
        let PayoutLeaf { work, payee, amount, .. } = *leaf;
        let path = paid.tree().path(position)?;
        let bytes = Transaction::open(Payload::Claim(Claim { epoch, work, payee, amount, path })).to_bytes();
        Some(json!({ "work": work, "amount": amount, "transaction": ids::to_hex(&bytes) }))
    };
    let claims: Vec<Value> = unpaid.into_iter().filter_map(claim).collect();
    Ok(json!({ "person": person, "epoch": epoch, "claims": claims, "next": next }))
}
