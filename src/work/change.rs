//! `cwe work update` and `cwe work deprecate`, and which terms of a record hold.

use super::{WorkFailure, in_order};
use crate::{
    account::{self, Facts, Wallet},
    cli::work::{Deprecate, Update},
    output::Failure,
};
use chain::{
    Payload,
    modules::work_registry::{DeprecateWork, UpdateWork},
};
use primitives::EpochId;
use serde_json::{Value, json};

/// Changes price and splits of a work.
pub(super) fn update(arguments: &Update) -> Result<(), Failure> {
    let Update { work, terms, account } = arguments;
    let splits = in_order(&terms.splits)?;
    let wallet = Wallet::open(account)?;
    // What is not given is what is on record, and what is planned is not to be dropped: the account's last transactions
    // may yet change both.
    wallet.wait_for_block()?;
    let node = &wallet.node;
    let work = node.work(work)?;
    let record = node.ask("cwe_work", &[json!(work)])?;
    let next = node.next_epoch()?;
    let from = terms.from.unwrap_or(next);
    let mut facts: Facts = vec![("work", json!(work)), ("from_epoch", json!(from))];
    if let Some(planned) = planned(&record, next) {
        let comes = record["gone"]["from"].as_u64().is_none_or(|gone| planned.0 < gone);
        if terms.from.is_none() && from < planned && comes {
            return Err(WorkFailure::Planned { work, from: planned }.into());
        }
        facts.push(("in_place_of_those_from_epoch", json!(planned)));
    }
    if !record["gone"].is_null() {
        facts.push(("leaves_no_more_in_epoch", record["gone"]["from"].clone()));
    }
    let last = terms_in(&record, from);
    let action = UpdateWork {
        work,
        price: terms.price.map_or_else(|| node.field(last, "price"), Ok)?,
        splits: if splits.is_empty() { node.field(last, "splits")? } else { splits },
        from,
    };
    facts.push(("price", json!(action.price)));
    facts.push(("splits", json!(action.splits)));
    account::run_by(&wallet, &account.send, Payload::UpdateWork(action), facts)
}

/// Takes a work out.
pub(super) fn deprecate(arguments: &Deprecate) -> Result<(), Failure> {
    let Deprecate { work, from, account } = arguments;
    let wallet = Wallet::open(account)?;
    let work = wallet.node.work(work)?;
    let from = from.map_or_else(|| wallet.node.next_epoch(), Ok)?;
    let facts = vec![("work", json!(work)), ("without_it_from_epoch", json!(from))];
    account::run_by(&wallet, &account.send, Payload::DeprecateWork(DeprecateWork { work, from }), facts)
}

/// First epoch of a work's terms, that of its own if they are from before it.
pub(super) fn first_epoch(work: &Value, terms: &Value) -> u64 {
    let [from, active] = [&terms["from"], &work["active_from"]].map(|epoch| epoch.as_u64().unwrap_or(0));
    from.max(active)
}

/// The terms that hold in an epoch, or those that will hold first.
pub(super) fn terms_in(work: &Value, epoch: EpochId) -> &Value {
    let [terms, next] = [&work["terms"], &work["next"]];
    let overtaken = epoch.0.max(first_epoch(work, terms));
    if next["from"].as_u64().is_some_and(|from| from <= overtaken) { next } else { terms }
}

/// The epoch from which other terms hold than in the next that opens, if there are any.
fn planned(work: &Value, next: EpochId) -> Option<EpochId> {
    let from = work["next"]["from"].as_u64()?;
    (from > first_epoch(work, &work["terms"]).max(next.0)).then_some(EpochId(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(active: u64, terms: u64, next: Option<u64>) -> Value {
        let next = next.map(|from| json!({ "from": from, "price": 2 }));
        json!({ "active_from": active, "terms": { "from": terms, "price": 1 }, "next": next })
    }

    #[test]
    fn terms_hold_until_others_do() {
        let price = |work: &Value, epoch| terms_in(work, EpochId(epoch))["price"].as_u64();
        let two = work(2, 2, Some(5));
        assert_eq!([2, 4, 5, 9].map(|epoch| price(&two, epoch)), [Some(1), Some(1), Some(2), Some(2)]);
        assert_eq!(planned(&two, EpochId(4)), Some(EpochId(5)));
        assert_eq!(planned(&two, EpochId(5)), None);
        // Those of the registration never hold: others do from its first epoch on, or from before that.
        for never in [work(5, 5, Some(5)), work(5, 5, Some(3))] {
            assert_eq!((price(&never, 1), planned(&never, EpochId(1))), (Some(2), None));
        }
        assert_eq!((price(&work(2, 2, None), 9), planned(&work(2, 2, None), EpochId(1))), (Some(1), None));
    }
}
