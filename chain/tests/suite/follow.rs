//! A node that follows: it reaches the same root, comes back from its own files, and stops at the first wrong block.

use crate::{
    rpc::{Running, settled},
    sequencer::{SEQUENCER, author},
    world::*,
};
use chain::{
    Block, Genesis, Ledger, Payload, Transaction,
    ledger::ReplayError,
    node::{NodeError, Notice, Role, RunError, Store, read_evidence},
    sequencer::{BlockError, Seal, SealedBlock},
};
use jsonrpsee::{Extensions, PendingSubscriptionSink, RpcModule, server::Server, types::Params};
use primitives::{ChainId, Encode, Time, ids};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::json;
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
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
    _runtime: Runtime,
}

impl Liar {
    fn start(genesis: &Genesis, blocks: Vec<Vec<u8>>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let blocks = Arc::new(Mutex::new(blocks));
        let mut module = RpcModule::new(blocks.clone());
        let chain = json!({ "chain": genesis.chain, "genesis": genesis.digest() });
        module.register_method("cwe_chain", move |_, _, _| chain.clone()).expect("a method");
        let range = |params: Params<'_>, blocks: &Arc<Mutex<Vec<Vec<u8>>>>, _: &Extensions| {
            let from: Vec<usize> = params.parse().expect("a height");
            let blocks = blocks.lock().expect("no panic");
            let given: Vec<String> =
                blocks.iter().skip(from[0] - 1).map(|bytes| ids::to_hex(bytes)).collect();
            json!({ "blocks": given, "head": blocks.len() })
        };
        module.register_method("cwe_blocks", range).expect("a method");
        let silent = |_: Params<'static>, sink: PendingSubscriptionSink, _, _| async move {
            if let Ok(sink) = sink.accept().await {
                sink.closed().await;
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
        Self { address, blocks, _runtime: runtime }
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
        let Err(RunError::Block { height: 2, error, evidence: None, .. }) = node.ended() else {
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
    let early = resealed(&|block| block.time = Time(u64::MAX));
    assert!(matches!(stop(&put(&early)), BlockError::Ahead { height: 2, .. }));
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
    let Err(RunError::Block { height: 2, error, evidence: Some((signer, Some(path))), .. }) = node.ended()
    else {
        panic!("it stops at block 2 with evidence");
    };
    assert!(matches!(*error, BlockError::Replay(ReplayError::Parent { height: 2, .. })));
    let evidence = read_evidence(&fs::read_to_string(path).expect("written")).expect("evidence");
    let key = author().key.public_key();
    assert_eq!((signer, evidence.check(CHAIN, &key)), (SEQUENCER, Ok(SEQUENCER)));
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
    let refused = Store::open_sealed(other.path(), genesis(), primitives::Time(1)).map(|_| ());
    assert!(matches!(refused, Err(NodeError::Block(error)) if *error == BlockError::NoSeal { height: 1 }));
    assert!(Store::open_sealed(dir.path(), genesis(), primitives::Time(1)).is_ok());
}
