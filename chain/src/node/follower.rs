//! The shell of a full node: asks a sequencer's node for blocks, checks each, and stops at the first that is wrong.
//!
//! Blocks come by height, in ranges; news of a head only says when to ask again. So a node that was away, one that lost
//! its connection and one that keeps up all do the same.

use super::{
    Notice, RunError, Store,
    client::{ClientError, NodeClient},
    producer::now,
    shared::Shared,
};
use crate::{
    Ledger,
    ledger::ReplayError,
    sequencer::{BlockError, Evidence, SealedBlock},
};
use primitives::{ChainId, CodecError, Decode, Digest, Encode, PersonId, ids};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Longest time until a node asks for blocks even if nobody told it of one.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// Longest time until it looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Pause before it tries again to reach a node that does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// A full node's way through the chain.
pub(super) struct Follower {
    /// The ledger after the last block. It is gone once a block is wrong.
    pub(super) ledger: Option<Ledger>,
    pub(super) store: Store,
    pub(super) shared: Arc<Shared>,
    pub(super) url: String,
    pub(super) dir: PathBuf,
}

impl Follower {
    /// Follows until it is told to stop, or until a block is wrong.
    pub(super) fn run(mut self, stop: &AtomicBool, notice: &dyn Fn(Notice)) -> Result<(), RunError> {
        let mut told = false;
        while !stop.load(Ordering::Relaxed) {
            match self.follow(stop, notice) {
                Ok(()) => told = false,
                Err(RunError::Client(
                    error @ (ClientError::Unreachable { .. } | ClientError::Answer { .. }),
                )) => {
                    // Once: it may be away for hours.
                    if !told {
                        notice(Notice::Unreachable { reason: error.to_string() });
                        told = true;
                    }
                    pause(PAUSE, stop);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Follows over one connection.
    fn follow(&mut self, stop: &AtomicBool, notice: &dyn Fn(Notice)) -> Result<(), RunError> {
        let client = NodeClient::connect(&self.url)?;
        self.check_chain(&client)?;
        let mut news = client.subscribe(["cwe_subscribeHeads", "cwe_unsubscribeHeads"], &[])?;
        while !stop.load(Ordering::Relaxed) {
            while !stop.load(Ordering::Relaxed) && self.fetch(&client, notice)? {}
            let asked = Instant::now();
            while asked.elapsed() < ASK_EVERY && !stop.load(Ordering::Relaxed) {
                if news.next(LOOK_EVERY).is_some() || !client.is_connected() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Refuses to follow another chain.
    fn check_chain(&self, client: &NodeClient) -> Result<(), RunError> {
        let answer = client.call("cwe_chain", &[])?;
        let found: Option<(ChainId, Digest)> =
            answer["chain"].as_u64().map(ChainId).zip(text(&answer["genesis"]));
        let expected = self.shared.view().read(|ledger| (ledger.origin().chain, ledger.origin().digest()));
        match found {
            Some(found) if found == expected => Ok(()),
            found => Err(RunError::OtherChain {
                url: self.url.clone(),
                expected: Box::new(expected),
                found: Box::new(found.unwrap_or_default()),
            }),
        }
    }

    /// Asks for the next blocks and checks them. Whether there were any.
    fn fetch(&mut self, client: &NodeClient, notice: &dyn Fn(Notice)) -> Result<bool, RunError> {
        let from = self.shared.view().head.height + 1;
        let blocks = blocks(client, &self.url, from)?;
        if blocks.is_empty() {
            return Ok(false);
        }
        let mut taken = Vec::new();
        for (height, sealed) in (from..).zip(blocks) {
            let ledger = self.ledger.take().expect("it is only gone when the node stops");
            let checked = sealed
                .map_err(|error| BlockError::Codec { height, error })
                .and_then(|sealed| Ok((sealed.check(ledger, now())?, sealed)));
            let (ledger, sealed) = checked.map_err(|error| self.wrong(client, height, error))?;
            self.store.append(&sealed)?;
            notice(Notice::block(&sealed.block));
            self.ledger = Some(ledger);
            taken.push(sealed);
        }
        self.shared.advance(taken, self.ledger.clone().expect("the last block was good"));
        Ok(true)
    }

    /// A block is wrong. If the node that gave it has another past than it showed before, its sequencer signed twice.
    fn wrong(&self, client: &NodeClient, height: u64, error: BlockError) -> RunError {
        let evidence = match &error {
            BlockError::Replay(ReplayError::Parent { .. }) => self.evidence(client, height - 1),
            _ => None,
        };
        let evidence = evidence.map(|(person, evidence)| {
            let path = self.dir.join(format!("evidence-{}.hex", height - 1));
            let written = std::fs::write(&path, ids::to_hex(&evidence.to_bytes()));
            (person, written.map(|()| path).ok())
        });
        RunError::Block { url: self.url.clone(), height, error: Box::new(error), evidence }
    }

    /// Two sealed blocks of one height, if the node now shows another than it showed us.
    fn evidence(&self, client: &NodeClient, height: u64) -> Option<(PersonId, Evidence)> {
        let ours = self.shared.archive.block(height).ok()??;
        let theirs = blocks(client, &self.url, height).ok()?.into_iter().next()?.ok()?;
        let signer = ours.seal?.signer;
        let (chain, key) = self.shared.view().read(|ledger| {
            let account = ledger.state().accounts.get(&signer);
            (ledger.origin().chain, account.map(|account| account.key))
        });
        let evidence = Evidence::TwoBlocks((ours, theirs));
        evidence.check(chain, &key?).ok().map(|person| (person, evidence))
    }
}

/// Blocks of a node from a height on, as many as it gives at once.
fn blocks(
    client: &NodeClient,
    url: &str,
    from: u64,
) -> Result<Vec<Result<SealedBlock, CodecError>>, ClientError> {
    let answer = client.call("cwe_blocks", &[json!(from)])?;
    let bad = |reason: String| ClientError::Answer { url: url.into(), method: "cwe_blocks".into(), reason };
    let list = answer["blocks"].as_array().ok_or_else(|| bad("no list of blocks".into()))?;
    let block = |value: &Value| {
        let bytes = value.as_str().and_then(|text| ids::from_hex(text).ok());
        let bytes = bytes.ok_or_else(|| bad("a block is not in hexadecimal digits".into()))?;
        Ok(SealedBlock::from_bytes(&bytes))
    };
    list.iter().map(block).collect()
}

fn text<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_str()?.parse().ok()
}

fn pause(time: Duration, stop: &AtomicBool) {
    let begun = Instant::now();
    while begun.elapsed() < time && !stop.load(Ordering::Relaxed) {
        thread::sleep(LOOK_EVERY.min(time));
    }
}
