//! A node that follows: it reaches the same root, comes back from its own files, and stops at the first wrong block.

mod waiting;

use crate::{
    rpc::{Running, SOON, settled},
    sequencer::{SEQUENCER, author, sequencer_key},
    world::*,
};
use chain::{
    Block, Genesis, Ledger, Payload, Transaction,
    ledger::ReplayError,
    modules::identity::Rotate,
    node::{Fork, NodeError, Notice, Role, RunError, Store, read_evidence, rpc::codes},
    sequencer::{BlockError, Seal, SealedBlock},
    signature::SecretKey,
};
use jsonrpsee::{
    Extensions, PendingSubscriptionSink, RpcModule,
    core::SubscriptionError,
    server::Server,
    types::{ErrorObjectOwned, Params},
};
use primitives::{ChainId, Encode, Time, ids};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::json;
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Runtime;

fn full(follow: &Running) -> Role {
    Role::Full { follow: follow.url() }
}

/// Waits until a node has a block of this height.
fn wait_for(node: &Running, height: u64) {
    while let Ok(notice) = node.notices.recv_timeout(Duration::from_secs(30)) {
        if matches!(notice, Notice::Block { height: found, .. } if found == height) {
            return;
        }
    }
    panic!("no block {height}");
}

#[test]
fn a_full_node_reaches_the_same_root_and_comes_back() {
    let (world, dir) = settled();
    let genesis = || world.ledger.origin().clone();
    let sequencer = Running::sequencer(dir.path(), genesis());
    let copy = tempfile::tempdir().expect("a directory");
    let (height, client) = (world.ledger.height(), sequencer.client());
    {
        let node = Running::start(copy.path(), genesis(), full(&sequencer));
        wait_for(&node, height);
        let theirs = node.client();
        let head = || theirs.call("cwe_head", &[]).expect("a head");
        while head()["height"] != json!(height) {}
        assert_eq!(head(), client.call("cwe_head", &[]).expect("a head"));
        let refused = theirs.call("cwe_submit", &[json!("00")]);
        assert!(matches!(
            refused,
            Err(chain::node::ClientError::Refused { data: Some(data), .. }) if data["sequencer"] == json!(sequencer.url())
        ));
        node.stop().expect("stops");
    }
    // While it was away a block was made; it goes on where it was.
    let claim = world.ledger.state().claims_of_epoch(FIRST).remove(0);
    let bytes = ids::to_hex(&Transaction::open(Payload::Claim(claim)).to_bytes());
    client.call("cwe_submit", &[json!(bytes)]).expect("owed");
    let node = Running::start(copy.path(), genesis(), full(&sequencer));
    wait_for(&node, height + 1);
    node.stop().expect("stops");
    sequencer.stop().expect("stops");
    let file = |dir: &Path| fs::read(dir.join("blocks.log")).expect("a log");
    assert!(file(dir.path()) == file(copy.path()), "the same blocks with the same seals");
}

/// A server that says of itself what a sequencer's node says, and hands out whatever bytes it was given as blocks.
struct Liar {
    address: SocketAddr,
    blocks: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How often it was asked for blocks.
    asked: Arc<AtomicUsize>,
    /// It ends subscriptions as soon as they begin.
    ends: Arc<AtomicBool>,
    /// It refuses to give blocks.
    busy: Arc<AtomicBool>,
    _runtime: Runtime,
}

impl Liar {
    fn start(genesis: &Genesis, blocks: Vec<Vec<u8>>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let blocks = Arc::new(Mutex::new(blocks));
        let mut module = RpcModule::new(blocks.clone());
        let chain = json!({ "chain": genesis.chain, "genesis": genesis.digest() });
        module.register_method("cwe_chain", move |_, _, _| chain.clone()).expect("a method");
        let (asked, ends, busy): (Arc<AtomicUsize>, Arc<AtomicBool>, Arc<AtomicBool>) = Default::default();
        let (counted, is_busy, is_ending) = (asked.clone(), busy.clone(), ends.clone());
        let range = move |params: Params<'_>, blocks: &Arc<Mutex<Vec<Vec<u8>>>>, _: &Extensions| {
            counted.fetch_add(1, Ordering::Relaxed);
            if is_busy.load(Ordering::Relaxed) {
                return Err(ErrorObjectOwned::owned(codes::BUSY, "busy", None::<()>));
            }
            let from: Vec<usize> = params.parse().expect("a height");
            let blocks = blocks.lock().expect("no panic");
            let given: Vec<String> =
                blocks.iter().skip(from[0] - 1).map(|bytes| ids::to_hex(bytes)).collect();
            Ok(json!({ "blocks": given, "head": blocks.len() }))
        };
        module.register_method("cwe_blocks", range).expect("a method");
        let silent = move |_: Params<'static>, sink: PendingSubscriptionSink, _, _| {
            let is_ending = is_ending.clone();
            async move {
                let Ok(sink) = sink.accept().await else { return Ok(()) };
                if is_ending.load(Ordering::Relaxed) {
                    return Err(SubscriptionError::from("it ends here"));
                }
                sink.closed().await;
                Ok(())
            }
        };
        module
            .register_subscription("cwe_subscribeHeads", "cwe_heads", "cwe_unsubscribeHeads", silent)
            .expect("a subscription");
        let server = runtime.block_on(Server::builder().build("127.0.0.1:0")).expect("a socket");
        let address = server.local_addr().expect("an address");
        let entered = runtime.enter();
        runtime.spawn(server.start(module).stopped());
        drop(entered);
        Self { address, blocks, asked, ends, busy, _runtime: runtime }
    }

    fn role(&self) -> Role {
        Role::Full { follow: format!("ws://{}", self.address) }
    }
}

fn seal(block: Block) -> SealedBlock {
    let seal = Seal::sign(CHAIN, &block, &author(), &mut ChaCha20Rng::seed_from_u64(1));
    SealedBlock { block, seal: Some(seal) }
}

/// Each way to lie stops the node at the block, with the rule, and nothing of the block is taken.
#[test]
fn a_full_node_stops_at_the_first_wrong_block_and_names_the_rule() {
    let (world, _) = settled();
    let genesis = world.ledger.origin().clone();
    let honest: Vec<SealedBlock> = world.blocks.iter().cloned().map(seal).collect();
    let stop = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut blocks: Vec<Vec<u8>> = honest.iter().map(Encode::to_bytes).collect();
        change(&mut blocks);
        let (liar, dir) = (Liar::start(&genesis, blocks), tempfile::tempdir().expect("a directory"));
        let mut node = Running::start(dir.path(), genesis.clone(), liar.role());
        let Err(RunError::Block { height: 2, error, fork: None, .. }) = node.ended() else {
            panic!("it stops at block 2");
        };
        let taken = chain::node::read_blocks(dir.path()).expect("blocks");
        assert_eq!(taken, world.blocks[..1], "the good one and nothing of the wrong one");
        *error
    };
    let put = |block: &SealedBlock| {
        let bytes = block.to_bytes();
        move |blocks: &mut Vec<Vec<u8>>| blocks[1] = bytes.clone()
    };
    let second = honest[1].clone();
    let resealed = |change: &dyn Fn(&mut Block)| {
        let mut block = second.block.clone();
        change(&mut block);
        seal(block)
    };
    // On the way: whoever is between cannot seal.
    let mut bytes = second.to_bytes();
    bytes.truncate(bytes.len() - 1);
    assert!(matches!(stop(&|blocks| blocks[1] = bytes.clone()), BlockError::Codec { height: 2, .. }));
    let mut touched = second.clone();
    touched.block.time = Time(touched.block.time.0 + 1);
    assert_eq!(stop(&put(&touched)), BlockError::Seal { height: 2, signer: SEQUENCER });
    let unsealed = SealedBlock { seal: None, ..second.clone() };
    assert_eq!(stop(&put(&unsealed)), BlockError::NoSeal { height: 2 });
    let mut other = second.clone();
    other.seal.as_mut().expect("sealed").signer = REGISTRAR;
    assert_eq!(stop(&put(&other)), BlockError::NotASequencer { height: 2, signer: REGISTRAR });
    // By the sequencer itself.
    let left_out = resealed(&|block| drop(block.transactions.pop()));
    assert!(matches!(
        stop(&put(&left_out)),
        BlockError::Replay(
            ReplayError::StateRoot { height: 2, .. } | ReplayError::Transaction { height: 2, .. }
        )
    ));
    let twice = resealed(&|block| block.transactions.push(block.transactions[0].clone()));
    assert!(matches!(stop(&put(&twice)), BlockError::Replay(ReplayError::Transaction { height: 2, .. })));
    let skipped = honest[2].to_bytes();
    assert_eq!(
        stop(&|blocks| blocks[1] = skipped.clone()),
        BlockError::Replay(ReplayError::Height { expected: 2, found: 3 })
    );
}

#[test]
fn a_sequencer_that_seals_two_blocks_of_one_height_convicts_itself() {
    let (world, _) = settled();
    let genesis = world.ledger.origin().clone();
    let liar = Liar::start(&genesis, vec![seal(world.blocks[0].clone()).to_bytes()]);
    let dir = tempfile::tempdir().expect("a directory");
    let mut node = Running::start(dir.path(), genesis.clone(), liar.role());
    wait_for(&node, 1);
    // Another past, with a block on top of it.
    let mut other = Ledger::genesis(genesis).expect("valid");
    let mut blocks = Vec::new();
    for time in [5, 6] {
        other.begin(Time(time));
        blocks.push(seal(other.seal()).to_bytes());
    }
    *liar.blocks.lock().expect("no panic") = blocks;
    let Err(RunError::Block { height: 2, error, fork: Some(Fork { signer, kept }), .. }) = node.ended()
    else {
        panic!("it stops at block 2 with evidence");
    };
    assert!(matches!(*error, BlockError::Replay(ReplayError::Parent { height: 2, .. })));
    let kept = fs::read_to_string(kept.expect("written")).expect("a file");
    let evidence = read_evidence(&kept).expect("evidence");
    let key = author().key.public_key();
    assert_eq!((signer, evidence.check(CHAIN, &key)), (Some(SEQUENCER), Ok(SEQUENCER)));
}

/// When keys of the genesis may be changed.
const LATER: Time = Time(1_000_000_000);

/// Who gives itself another key in the first of two blocks is convicted under the key before it, and who comes back with
/// the block in its log, and knows that key no more, keeps both.
#[test]
fn two_blocks_of_one_height_are_kept_whatever_key_is_on_record_after_them() {
    let world = crate::sequencer::world();
    let genesis = world.ledger.origin().clone();
    let (mut old, mut rng) = (world.ledger.clone(), ChaCha20Rng::seed_from_u64(3));
    old.begin(LATER);
    let key = SecretKey::generate(&mut rng).public_key();
    let rotate = Payload::Rotate(Rotate { key });
    let rotate = Transaction::signed(rotate, CHAIN, (SEQUENCER, 0), &sequencer_key(), &mut rng);
    old.apply(&rotate).expect("a new key");
    let ours = seal(old.seal());
    let mut other = world.ledger.clone();
    let theirs = [1, 2].map(|seconds| {
        other.begin(LATER.after(seconds));
        seal(other.seal()).to_bytes()
    });
    for back in [false, true] {
        let liar = Liar::start(&genesis, vec![ours.to_bytes()]);
        let dir = tempfile::tempdir().expect("a directory");
        let mut node = Running::start(dir.path(), genesis.clone(), liar.role());
        wait_for(&node, 1);
        if back {
            node.stop().expect("stops");
            node = Running::start(dir.path(), genesis.clone(), liar.role());
        }
        *liar.blocks.lock().expect("no panic") = theirs.to_vec();
        let Err(RunError::Block { height: 2, fork: Some(Fork { signer, kept }), .. }) = node.ended() else {
            panic!("it stops at block 2 with both blocks");
        };
        assert_eq!(signer, (!back).then_some(SEQUENCER));
        let kept = fs::read_to_string(kept.expect("written")).expect("a file");
        let evidence = read_evidence(&kept).expect("evidence");
        assert_eq!(evidence.check(CHAIN, &sequencer_key().public_key()), Ok(SEQUENCER));
    }
}

/// A chain that was begun again is behind for a while, and would be waited for until it is not.
#[test]
fn a_chain_that_was_begun_again_is_noticed_while_it_is_behind() {
    let (world, _) = settled();
    let genesis = world.ledger.origin().clone();
    let honest: Vec<Vec<u8>> =
        world.blocks.iter().take(3).cloned().map(|block| seal(block).to_bytes()).collect();
    let liar = Liar::start(&genesis, honest.clone());
    let dir = tempfile::tempdir().expect("a directory");
    let mut node = Running::start(dir.path(), genesis.clone(), liar.role());
    wait_for(&node, 3);
    // It lost two blocks, and is told so once.
    *liar.blocks.lock().expect("no panic") = honest[..1].to_vec();
    let behind = || node.notices.recv_timeout(SOON).expect("a notice");
    assert!(matches!(behind(), Notice::Behind { theirs: 1, height: 3, .. }));
    let mut other = Ledger::genesis(genesis).expect("valid");
    let again: Vec<Vec<u8>> = [5, 6]
        .map(|time| {
            other.begin(Time(time));
            seal(other.seal()).to_bytes()
        })
        .to_vec();
    *liar.blocks.lock().expect("no panic") = again;
    let Err(RunError::Block { height: 2, error, fork: Some(Fork { kept, .. }), .. }) = node.ended() else {
        panic!("it stops with both blocks");
    };
    assert!(matches!(*error, BlockError::Other { height: 2, .. }));
    assert!(kept.is_ok());
}

#[test]
fn a_node_does_not_follow_itself() {
    let (world, _) = settled();
    // The address has to be known before the node is there.
    let free =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("an address");
    let dir = tempfile::tempdir().expect("a directory");
    let role = Role::Full { follow: format!("ws://{free}") };
    let mut node = Running::full_at(free, dir.path(), world.ledger.origin().clone(), role);
    assert!(matches!(node.ended(), Err(RunError::FollowsItself { .. })));
}

#[test]
fn a_node_of_another_chain_is_not_followed() {
    let (world, _) = settled();
    let liar = Liar::start(&Genesis { chain: ChainId(8), ..world.ledger.origin().clone() }, Vec::new());
    let dir = tempfile::tempdir().expect("a directory");
    let mut node = Running::start(dir.path(), world.ledger.origin().clone(), liar.role());
    assert!(matches!(node.ended(), Err(RunError::OtherChain { found, .. }) if found.0 == ChainId(8)));
}

#[test]
fn a_log_whose_blocks_were_changed_is_refused_on_opening() {
    let (world, dir) = settled();
    let genesis = || world.ledger.origin().clone();
    let other = tempfile::tempdir().expect("a directory");
    let mut store = Store::open(other.path(), genesis()).expect("opens").0;
    let unsealed = SealedBlock { block: world.blocks[0].clone(), seal: None };
    store.append(&unsealed).expect("on disk");
    drop(store);
    let start = || Ledger::genesis(genesis()).expect("valid");
    let refused = Store::open_sealed(other.path(), start()).map(|_| ());
    assert!(matches!(refused, Err(NodeError::Block(error)) if *error == BlockError::NoSeal { height: 1 }));
    assert!(Store::open_sealed(dir.path(), start()).is_ok());
}
