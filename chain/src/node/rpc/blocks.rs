//! Methods about the chain, its blocks and transactions.

use super::{
    Failure, Service,
    args::Args,
    error::{codes, refusal},
};
use crate::{
    Payload, Transaction,
    node::{
        Place,
        producer::{Submission, now},
        shared::{Head, Shared, Standing},
    },
    poseidon::wire,
    sequencer::{Answer, Refusal, SealedBlock},
    transaction::EnvelopeError,
};
use primitives::{Decode, Digest, Encode, ids};
use serde_json::{Value, json};
use std::sync::{Arc, mpsc::TrySendError};
use tokio::{
    sync::{Semaphore, oneshot},
    task::spawn_blocking,
};

/// Most blocks of one range.
pub(super) const MAX_RANGE: u64 = 256;
/// Bytes of blocks with which a range ends: enough that a node that catches up does not wait for the way to and fro. One
/// block is given whatever its length.
const RANGE_BYTES: usize = 1 << 20;

pub(super) fn head_object(head: &Head) -> Value {
    json!({
        "height": head.height,
        "digest": head.digest,
        "time": head.time,
        "state_root": wire::to_hex(&head.state_root),
    })
}

pub(super) fn chain(service: &Service, _: &Args) -> Result<Value, Failure> {
    let view = service.shared.view();
    let (genesis, [epoch, next]) = view.read(|ledger| {
        let (state, genesis) = (ledger.state(), ledger.origin());
        (genesis.clone(), [state.running_epoch(genesis), state.next_epoch(genesis)])
    });
    Ok(json!({
        "chain": genesis.chain,
        "genesis": genesis.digest(),
        "first_epoch": genesis.first_epoch,
        "epoch": epoch,
        "next_epoch": next,
        "role": if service.submissions.is_some() { "sequencer" } else { "full" },
        "sequencer": service.sequencer,
        "instance": service.instance,
        "head": head_object(&view.head),
    }))
}

pub(super) fn head(service: &Service, _: &Args) -> Result<Value, Failure> {
    Ok(head_object(&service.shared.view().head))
}

pub(super) fn block_object(sealed: &SealedBlock) -> Value {
    let SealedBlock { block, seal } = sealed;
    let ids: Vec<Digest> = block.transactions.iter().map(Transaction::id).collect();
    json!({
        "height": block.height,
        "digest": block.digest(),
        "parent": block.parent,
        "time": block.time,
        "state_root": wire::to_hex(&block.state_root),
        "seal": seal,
        "transactions": ids,
    })
}

pub(super) fn block(service: &Service, args: &Args) -> Result<Value, Failure> {
    let height = args.number(0)?;
    Ok(block_object(&read(service, height)?))
}

fn read(service: &Service, height: u64) -> Result<SealedBlock, Failure> {
    let found = service.shared.archive.block(height).map_err(|error| Failure::files(&error))?;
    found.ok_or_else(|| Failure::not_found(format!("there is no block {height}")))
}

pub(super) fn blocks(service: &Service, args: &Args) -> Result<Value, Failure> {
    let from = args.number(0)?.max(1);
    let count = (args.count(1)? as u64).min(MAX_RANGE);
    let head = service.shared.view().head.height;
    let (mut given, mut bytes) = (Vec::new(), 0);
    for height in from..=head.min(from.saturating_add(count - 1)) {
        let block = read(service, height)?.to_bytes();
        if !given.is_empty() && bytes + block.len() > RANGE_BYTES {
            break;
        }
        bytes += block.len();
        given.push(ids::to_hex(&block));
    }
    Ok(json!({ "blocks": given, "head": head }))
}

/// Where a transaction stands.
pub(super) fn status(service: &Service, id: &Digest) -> Result<Value, Failure> {
    // First where it stands in no block: between the two looks it may only have gone into one.
    let standing = service.shared.standing(id);
    let place = service.shared.archive.find(id).map_err(|error| Failure::files(&error))?;
    let mut object = json!({
        "transaction": id,
        "status": "unknown",
        "height": null,
        "position": null,
        "confirmation": null,
        "waits": null,
        "refusal": null,
    });
    let mut set = |key: &str, value: Value| object[key] = value;
    match (place, standing) {
        (Some(place), _) => {
            set("status", json!("in-block"));
            set("height", json!(place.height));
            set("position", json!(place.position));
        }
        (None, Some(Standing::Confirmed(confirmation))) => {
            set("status", json!("confirmed"));
            set("height", json!(confirmation.promise.height));
            set("position", json!(confirmation.promise.position));
            set("confirmation", json!(confirmation));
        }
        (None, Some(Standing::Waits { signer, nonce, next })) => {
            set("status", json!("waits"));
            set("waits", json!({ "signer": signer, "nonce": nonce, "next": next }));
        }
        (None, Some(Standing::Refused(found))) => {
            set("status", json!("refused"));
            set("refusal", refusal(&found));
        }
        (None, None) => {}
    }
    Ok(object)
}

pub(super) fn transaction(service: &Service, args: &Args) -> Result<Value, Failure> {
    status(service, &args.id(0)?)
}

/// Whether the ledger after the last block would take a payload now.
pub(super) fn check(service: &Service, args: &Args) -> Result<Value, Failure> {
    let payload = Payload::from_bytes(&args.bytes(0)?);
    let payload = payload.map_err(|error| args.expected(0, &format!("a payload: {error}")))?;
    if payload.takes_long() {
        return Err(
            args.expected(0, "a payload that is judged at once; this one is judged when it is handed in")
        );
    }
    let signer = args.id_or_none(1)?;
    let view = service.shared.view();
    let found = view.read(|ledger| ledger.consider(signer, &payload, now()));
    let refused = found.err().map(|error| refusal(&Refusal::Rule(error)));
    Ok(json!({ "height": view.head.height, "refusal": refused }))
}

/// Takes a transaction, and answers once it has its place, waits, or is refused.
pub(super) async fn submit(
    service: Arc<Service>,
    args: &Args,
    turns: Arc<Semaphore>,
) -> Result<Value, Failure> {
    let Some(submissions) = &service.submissions else {
        return Err(Failure {
            code: codes::NO_SEQUENCER,
            message: "this node takes no transactions: submit to the sequencer's".into(),
            data: Some(json!({ "sequencer": service.sequencer })),
        });
    };
    let transaction = Transaction::from_bytes(&args.bytes(0)?);
    let transaction = transaction.map_err(|error| args.expected(0, &format!("a transaction: {error}")))?;
    let id = transaction.id();
    if place(&service, &id)?.is_some() {
        return status(&service, &id);
    }
    let turn = turns.acquire_owned().await.map_err(|_| Failure::busy())?;
    let shared = service.shared.clone();
    let checked = spawn_blocking(move || {
        let _turn = turn;
        (check_signature(&shared, &transaction), transaction)
    });
    let (checked, transaction) = checked.await.map_err(|_| Failure::busy())?;
    let answer = match checked {
        Err(error) => Answer::Refused(Refusal::Rule(error.into())),
        Ok(()) => {
            let (reply, answer) = oneshot::channel();
            submissions.try_send(Submission { transaction, reply }).map_err(|error| match error {
                TrySendError::Full(_) | TrySendError::Disconnected(_) => Failure::busy(),
            })?;
            // The sequencer stops without an answer where its files fail.
            answer.await.map_err(|_| Failure::busy())?
        }
    };
    match answer {
        // It may have gone into a block since the first look, and is refused because its nonce is spent: by itself.
        Answer::Refused(found) if place(&service, &id)?.is_none() => Err((&found).into()),
        _ => status(&service, &id),
    }
}

fn place(service: &Service, id: &Digest) -> Result<Option<Place>, Failure> {
    service.shared.archive.find(id).map_err(|error| Failure::files(&error))
}

/// Checks signer and signature by the last block, so that what somebody signs in another's name costs the sequencer
/// nothing. What the block in hand may have changed is left to the sequencer.
fn check_signature(shared: &Shared, transaction: &Transaction) -> Result<(), EnvelopeError> {
    let Some(authorisation) = &transaction.authorisation else { return Ok(()) };
    // In this order: what the block in hand changed is forgotten after the ledger has it.
    let may_have_changed = shared.may_have_changed(&authorisation.signer);
    match shared.view().read(|ledger| ledger.check_ahead(transaction)) {
        Err(error) if !may_have_changed => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
