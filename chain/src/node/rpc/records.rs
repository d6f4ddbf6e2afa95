//! Methods about what the ledger has on record after the last block.

use super::{
    Failure, Service,
    args::{Args, page},
    discovery::Wanted,
    keys,
};
use crate::{
    modules::{
        treasury::FundBalance,
        work_registry::{Terms, Work},
    },
    poseidon::wire,
    signature::PublicKey,
    state::{StateProof, TableId},
};
use primitives::{Digest, PersonId, WorkId};
use serde_json::{Map, Value, json};
use std::ops::Bound;

pub(super) fn account(service: &Service, args: &Args) -> Result<Value, Failure> {
    let person: PersonId = args.id(0)?;
    let account = service.shared.view().read(|ledger| ledger.state().accounts.get(&person).cloned());
    let account = account.ok_or_else(|| Failure::not_found(format!("{person} has no account")))?;
    Ok(json!({
        "owner": account.owner,
        "key": account.key,
        "nonce": account.nonce,
        "balance": account.balance,
        "wallet": account.wallet.map(|wallet| wallet.to_string()),
    }))
}

pub(super) fn nonce(service: &Service, args: &Args) -> Result<Value, Failure> {
    let person: PersonId = args.id(0)?;
    let sealed = service.shared.view().read(|ledger| ledger.nonce(&person));
    let sealed = sealed.ok_or_else(|| Failure::not_found(format!("{person} has no account")))?;
    Ok(json!({ "sealed": sealed, "next": service.shared.next_nonce(&person).unwrap_or(sealed).max(sealed) }))
}

/// Most accounts that are named for one key.
const MAX_HOLDERS: usize = 16;

pub(super) fn account_of(service: &Service, args: &Args) -> Result<Value, Failure> {
    let digits: Digest = args.id(0)?;
    let key = digits.to_string().parse::<PublicKey>();
    let key = key.map_err(|_| args.expected(0, "a public key: these digits are those of none"))?;
    let view = service.shared.view();
    let persons: Vec<PersonId> = view.read(|ledger| {
        let accounts = ledger.state().accounts.iter().filter(|account| account.key == key);
        accounts.map(|account| account.owner).take(MAX_HOLDERS).collect()
    });
    Ok(json!({ "public_key": key, "persons": persons }))
}

pub(super) fn identity(service: &Service, args: &Args) -> Result<Value, Failure> {
    let person: PersonId = args.id(0)?;
    let identity = service.shared.view().read(|ledger| ledger.state().identities.get(&person).cloned());
    let identity = identity.ok_or_else(|| Failure::not_found(format!("{person} is not on record")))?;
    Ok(json!({
        "person": identity.person,
        "roles": identity.roles,
        "status": identity.status,
        "credential": identity.credential,
        "since": identity.since,
    }))
}

fn terms_object(terms: &Terms) -> Value {
    json!({ "from": terms.from, "price": terms.price, "splits": terms.splits })
}

pub(super) fn work_object(work: &Work) -> Value {
    json!({
        "id": work.id,
        "creator": work.creator,
        "fingerprint": work.fingerprint,
        "media": work.media,
        "category": work.category,
        "metadata": work.metadata,
        "active_from": work.active_from,
        "terms": terms_object(&work.terms),
        "next": work.next.as_ref().map(terms_object),
        "gone": work.gone.map(|gone| json!({ "from": gone.from, "removal": gone.removal })),
    })
}

pub(super) fn work(service: &Service, args: &Args) -> Result<Value, Failure> {
    let id: WorkId = args.id(0)?;
    let work = service.shared.view().read(|ledger| ledger.state().works.get(&id).map(work_object));
    work.ok_or_else(|| Failure::not_found(format!("work {id} is not registered")))
}

pub(super) fn works(service: &Service, args: &Args) -> Result<Value, Failure> {
    let after: Option<WorkId> = args.id_or_none(0)?;
    let count = args.count(1)?;
    let wanted = Wanted::read(args, 2)?;
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let view = service.shared.view();
    let (page, next, total) = view.read(|ledger| {
        let works = &ledger.state().works;
        let found = works.range((from, Bound::Unbounded)).filter(|work| wanted.has(work));
        let (page, next) = page(found, count, |work| work.id);
        (page.into_iter().map(work_object).collect::<Vec<_>>(), next, works.len())
    });
    Ok(json!({ "works": page, "next": next, "total": total }))
}

pub(super) fn funds(service: &Service, _: &Args) -> Result<Value, Failure> {
    let view = service.shared.view();
    let (supply, funds) = view.read(|ledger| {
        let state = ledger.state();
        let supply = state.supply.get(&()).cloned().unwrap_or_default();
        let fund = |fund: &FundBalance| {
            let name = serde_json::to_value(fund.fund).ok()?;
            Some((name.as_str()?.to_owned(), json!(fund.balance)))
        };
        (supply, state.funds.iter().filter_map(fund).collect::<Map<_, _>>())
    });
    Ok(json!({
        "height": view.head.height,
        "minted": supply.minted,
        "burnt": supply.burnt,
        "in_existence": supply.in_existence(),
        "funds": funds,
    }))
}

pub(super) fn version(service: &Service, _: &Args) -> Result<Value, Failure> {
    let view = service.shared.view();
    let version = view.read(|ledger| ledger.state().in_force(ledger.origin()).clone());
    Ok(json!({
        "from": version.from,
        "params": version.params,
        "params_digest": version.params.digest(),
        "rules": version.rules,
        "rules_digest": version.rules.digest(),
        "proposal": version.proposal,
        "review_by": version.review_by,
    }))
}

pub(super) fn tables(_: &Service, _: &Args) -> Result<Value, Failure> {
    let table = |table: &TableId| json!({ "name": table.name(), "number": *table as u32, "key": keys::parts_object(*table) });
    Ok(json!({ "tables": TableId::ALL.iter().map(table).collect::<Vec<_>>() }))
}

pub(super) fn proof(service: &Service, args: &Args) -> Result<Value, Failure> {
    let (table, key) = keys::read(args)?;
    let view = service.shared.view();
    let proof: Option<StateProof> = view.prove(|ledger| ledger.prove_at(table, &key));
    let proof = proof.ok_or_else(|| args.expected(1, "a key that a record can have"))?;
    Ok(json!({
        "height": view.head.height,
        "state_root": wire::to_hex(&view.head.state_root),
        "proof": proof,
    }))
}
