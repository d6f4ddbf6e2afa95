//! The shell of a full node: asks a sequencer's node for blocks, checks each, and stops at the first that is wrong.
//!
//! Blocks come by height, in ranges; news of a head only says when to ask again. So a node that was away, one that lost
//! its connection and one that keeps up all do the same.

use super::{
    Fork, Notice, RunError, Store,
    client::{ClientError, NodeClient},
    durable,
    producer::now,
    shared::Shared,
};
use crate::{
    Ledger,
    sequencer::{BlockError, Evidence, SealedBlock},
    signature::PublicKey,
};
use primitives::{ChainId, CodecError, Decode, Digest, Encode, Time, ids};
use serde_json::{Value, json};
use std::{
    mem,
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

/// Seconds by which the time of a block that was just made may be behind this node's clock before it says so. A sequencer
/// makes a block of the hour at least ([`crate::sequencer::Limits`]) and gives it the time of its clock, and blocks are
/// asked for every few seconds: ten minutes are no accident, and shorter than every period of the ledger.
const STALE: u32 = 600;

/// A full node's way through the chain.
pub(super) struct Follower {
    /// The ledger after the last block. It is gone once a block is wrong.
    ledger: Option<Ledger>,
    store: Store,
    shared: Arc<Shared>,
    url: String,
    dir: PathBuf,
    /// Under which key the last block was sealed that was checked here.
    sealed_by: Option<PublicKey>,
    told: Told,
    /// What this run of the node is known by.
    instance: Digest,
}

/// What was said already, and is not said again until it was different.
#[derive(Default)]
struct Told {
    unreachable: bool,
    /// Last block of the node that is followed, while it is behind this one.
    behind: Option<u64>,
    early: Option<u64>,
    stale: bool,
}

/// What came of asking for blocks.
enum Fetched {
    /// Some were taken, and there may be more.
    Some,
    /// There are none.
    None,
    /// The next is from a later time than it is.
    Early,
}

impl Follower {
    /// A node that goes on from here.
    pub(super) fn new(
        ledger: Ledger,
        store: Store,
        shared: Arc<Shared>,
        (url, instance): (String, Digest),
        dir: PathBuf,
    ) -> Self {
        let (ledger, sealed_by, told) = (Some(ledger), None, Told::default());
        Self { ledger, store, shared, url, dir, sealed_by, told, instance }
    }

    /// Follows until it is told to stop, or until a block is wrong.
    pub(super) fn run(mut self, stop: &AtomicBool, notice: &dyn Fn(Notice)) -> Result<(), RunError> {
        while !stop.load(Ordering::Relaxed) {
            match self.follow(stop, notice) {
                Ok(()) => {}
                // One that refuses has too much to do, or a disk that fails. Others are followed again when it is mended.
                Err(RunError::Client(
                    error @ (ClientError::Unreachable { .. }
                    | ClientError::Answer { .. }
                    | ClientError::Refused { .. }),
                )) => {
                    // Once: it may be away for hours.
                    if !self.told.unreachable {
                        notice(Notice::Unreachable { reason: error.to_string() });
                        self.told.unreachable = true;
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
        // Blocks that were there when we came are as old as they are.
        let mut live = false;
        while !stop.load(Ordering::Relaxed) {
            let fetched = self.fetch(&client, live, notice)?;
            if mem::take(&mut self.told.unreachable) {
                notice(Notice::Connected { height: self.shared.view().head.height });
            }
            match fetched {
                Fetched::Some => continue,
                Fetched::Early => {
                    pause(PAUSE, stop);
                    continue;
                }
                Fetched::None => live = true,
            }
            let asked = Instant::now();
            while asked.elapsed() < ASK_EVERY && !stop.load(Ordering::Relaxed) {
                if news.next(LOOK_EVERY).is_some() || !client.is_connected() {
                    break;
                }
                if news.is_over() {
                    let (url, reason) = (self.url.clone(), "it ended the subscription".into());
                    return Err(ClientError::Unreachable { url, reason }.into());
                }
            }
        }
        Ok(())
    }

    /// Refuses to follow another chain, or itself: that would bring no block, and look like a chain that stands still.
    fn check_chain(&self, client: &NodeClient) -> Result<(), RunError> {
        let answer = client.call("cwe_chain", &[])?;
        if text(&answer["instance"]) == Some(self.instance) {
            return Err(RunError::FollowsItself { url: self.url.clone() });
        }
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

    /// Asks for the next blocks and checks them.
    fn fetch(
        &mut self,
        client: &NodeClient,
        live: bool,
        notice: &dyn Fn(Notice),
    ) -> Result<Fetched, RunError> {
        let from = self.shared.view().head.height + 1;
        let (blocks, head) = blocks(client, &self.url, from)?;
        if blocks.is_empty() {
            self.look_back(client, head, notice)?;
            return Ok(Fetched::None);
        }
        self.told.behind = None;
        let (mut taken, mut fetched) = (Vec::new(), Fetched::Some);
        for (height, sealed) in (from..).zip(blocks) {
            let clock = now();
            let sealed = sealed.map_err(|error| {
                let error = BlockError::Codec { height, error };
                self.wrong(client, height, None, error)
            })?;
            match self.check(&sealed, clock) {
                Ok(()) => {}
                // Whoever has the right clock, that time comes. Nothing is decided by it before.
                Err(BlockError::Ahead { height, time, now }) => {
                    if self.told.early.replace(height) != Some(height) {
                        notice(Notice::Early { height, time, now });
                    }
                    fetched = Fetched::Early;
                    break;
                }
                Err(error) => return Err(self.wrong(client, height, Some(&sealed), error)),
            }
            self.store.append(&sealed)?;
            notice(Notice::block(&sealed.block));
            if live {
                self.look_at_time(&sealed, clock, notice);
            }
            taken.push(sealed);
        }
        if !taken.is_empty() {
            self.shared.advance(taken, self.ledger.clone().expect("the last block was good"));
        }
        Ok(fetched)
    }

    /// Says once that the node that is followed is behind this one, and stops if its last block is another than ours: a
    /// chain that was begun again reaches our height only after a while, and all that it signs until then is false.
    fn look_back(
        &mut self,
        client: &NodeClient,
        theirs: u64,
        notice: &dyn Fn(Notice),
    ) -> Result<(), RunError> {
        let height = self.shared.view().head.height;
        if theirs >= height {
            self.told.behind = None;
            return Ok(());
        }
        let before = self.told.behind.replace(theirs);
        if before.is_none() {
            notice(Notice::Behind { url: self.url.clone(), theirs, height });
        }
        if before == Some(theirs) || theirs == 0 {
            return Ok(());
        }
        let given = blocks(client, &self.url, theirs)?.0.into_iter().next();
        let found = match given {
            Some(Ok(SealedBlock { block, .. })) if block.height == theirs => block.digest(),
            _ => return Ok(()),
        };
        match self.shared.archive.block_digest(theirs) {
            Ok(Some(ours)) if ours != found => {
                let error = Box::new(BlockError::Other { height: theirs, ours, found });
                let fork = self.fork(client, theirs);
                Err(RunError::Block { url: self.url.clone(), height: theirs, error, fork })
            }
            _ => Ok(()),
        }
    }

    /// Checks a block, and goes on to the ledger after it.
    fn check(&mut self, sealed: &SealedBlock, clock: Time) -> Result<(), BlockError> {
        let ledger = self.ledger.as_ref().expect("it is only gone when the node stops");
        let key = sealed.check_seal(ledger)?;
        // One of another past is wrong now, whatever its time.
        if sealed.block.parent == ledger.head() {
            sealed.check_time(clock)?;
        }
        let ledger = self.ledger.take().expect("it was there");
        // A block that follows another than ours leaves the key of ours, which may have signed that one too.
        self.ledger = Some(ledger.replay(&sealed.block)?);
        self.sealed_by = Some(key);
        Ok(())
    }

    /// Says once that blocks are made with a time that is long over.
    fn look_at_time(&mut self, sealed: &SealedBlock, now: Time, notice: &dyn Fn(Notice)) {
        let (height, time) = (sealed.block.height, sealed.block.time);
        let stale = time.after(STALE) < now;
        if stale && !self.told.stale {
            notice(Notice::Stale { height, time, now });
        }
        self.told.stale = stale;
    }

    /// A block is wrong. If it has another past than the node that gave it showed before, both pasts are kept, whatever
    /// else is wrong with it: its seal may be under a key that only one of the two pasts knows.
    fn wrong(
        &self,
        client: &NodeClient,
        height: u64,
        sealed: Option<&SealedBlock>,
        error: BlockError,
    ) -> RunError {
        let other_past = sealed.is_some_and(|SealedBlock { block, .. }| {
            let ours =
                height.checked_sub(1).and_then(|before| self.shared.archive.block_digest(before).ok()?);
            block.height == height && ours.is_some_and(|ours| ours != block.parent)
        });
        let fork = if other_past { self.fork(client, height - 1) } else { None };
        RunError::Block { url: self.url.clone(), height, error: Box::new(error), fork }
    }

    /// Two blocks of one height, if the node now shows another than it showed us. Both are kept whoever signed them: who
    /// knows the key of that time can check them, and the node may not show its own again.
    fn fork(&self, client: &NodeClient, height: u64) -> Option<Fork> {
        let ours = self.shared.archive.block(height).ok()??;
        let theirs = blocks(client, &self.url, height).ok()?.0.into_iter().next()?.ok()?;
        if theirs.block.height != height || theirs.block.digest() == ours.block.digest() {
            return None;
        }
        let (chain, after) = self.shared.view().read(|ledger| {
            let account = ours.seal.and_then(|seal| ledger.state().accounts.get(&seal.signer));
            (ledger.origin().chain, account.map(|account| account.key))
        });
        let evidence = Evidence::TwoBlocks((ours, theirs));
        // The block may have changed its signer's key.
        let keys = [self.sealed_by, after];
        let signer = keys.into_iter().flatten().find_map(|key| evidence.check(chain, &key).ok());
        let path = self.dir.join(format!("evidence-{height}.hex"));
        let written = durable::write(&path, ids::to_hex(&evidence.to_bytes()).as_bytes());
        Some(Fork { signer, kept: written.map(|()| path) })
    }
}

/// Blocks of a node, or what is none.
type Given = Vec<Result<SealedBlock, CodecError>>;

/// Blocks of a node from a height on, as many as it gives at once, and the height of its last.
fn blocks(client: &NodeClient, url: &str, from: u64) -> Result<(Given, u64), ClientError> {
    let answer = client.call("cwe_blocks", &[json!(from)])?;
    let bad = |reason: String| ClientError::Answer { url: url.into(), method: "cwe_blocks".into(), reason };
    let list = answer["blocks"].as_array().ok_or_else(|| bad("no list of blocks".into()))?;
    let block = |value: &Value| {
        let bytes = value.as_str().and_then(|text| ids::from_hex(text).ok());
        let bytes = bytes.ok_or_else(|| bad("a block is not in hexadecimal digits".into()))?;
        Ok(SealedBlock::from_bytes(&bytes))
    };
    let head = answer["head"].as_u64().ok_or_else(|| bad("no height of its last block".into()))?;
    Ok((list.iter().map(block).collect::<Result<_, _>>()?, head))
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
