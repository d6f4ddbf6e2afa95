//! A node that is killed with -9, again and again, in the middle of a history.

use super::history;
use chain::{Block, Genesis, Node, node::read_blocks};
use primitives::{Decode, Encode};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// Tells a process of this test that it is the node, and where its directory is.
const NODE: &str = "CWE_TEST_NODE";
/// This test's name.
const NAME: &str = "reference::killed::a_node_killed_at_random_blocks_comes_to_the_same_root";
/// What the node prints before the height of a block that is on disk.
const DONE: &str = "on disk: ";
/// The seed of the history, and of the moments at which the node is killed.
const SEED: u64 = 7;
const BLOCKS: usize = 22;

/// The node: goes on from wherever it was, and says which blocks are on disk.
fn go_on(dir: &Path) {
    let read = |name: &str| fs::read(dir.join(name)).expect("written before");
    let genesis = Genesis::from_bytes(&read("genesis")).expect("a genesis");
    let mut node = Node::open(dir.join("node"), genesis).expect("opens after any kill");
    for height in node.ledger().height() + 1.. {
        let Ok(bytes) = fs::read(dir.join(height.to_string())) else {
            return;
        };
        let block = Block::from_bytes(&bytes).expect("a block");
        node.begin(block.time);
        for tx in &block.transactions {
            node.submit(tx).expect("valid the first time");
        }
        assert_eq!(node.produce_block().expect("on disk"), block);
        println!("{DONE}{height}");
    }
}

/// Lets the node go on in a process of its own, kills it some time after so many more blocks, and gives the last of them
/// that it said is on disk.
fn run_and_kill(dir: &Path, rng: &mut ChaCha20Rng) -> Option<u64> {
    let mut node = Command::new(env::current_exe().expect("this program"))
        .args([NAME, "--exact", "--nocapture"])
        .env(NODE, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let (wanted, pause) = (1 + rng.next_u64() % 4, Duration::from_micros(rng.next_u64() % 40_000));
    // Read from until after the kill: a node that nobody listens to would end by itself.
    let mut lines = BufReader::new(node.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let said = lines.by_ref().filter_map(|line| line.rsplit_once(DONE)?.1.parse().ok());
    let last = said.take(usize::try_from(wanted).expect("a few")).last();
    thread::sleep(pause);
    // On Unix this is the signal that nobody can handle.
    node.kill().expect("was not waited for yet");
    node.wait().expect("ended");
    last
}

#[test]
fn a_node_killed_at_random_blocks_comes_to_the_same_root() {
    if let Some(dir) = env::var_os(NODE) {
        return go_on(dir.as_ref());
    }
    let history = history(SEED, BLOCKS);
    let (blocks, mut ledger) = (&history.world.blocks, history.world.ledger.clone());
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, bytes: Vec<u8>| fs::write(dir.path().join(name), bytes).expect("written");
    write("genesis", ledger.origin().to_bytes());
    blocks.iter().for_each(|block| write(&block.height.to_string(), block.to_bytes()));

    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let (mut kills, mut height) = (0, 0);
    while height < blocks.len() {
        let acknowledged = run_and_kill(dir.path(), &mut rng).unwrap_or(height as u64);
        let found = read_blocks(dir.path().join("node")).expect("a sound log, up to a torn tail");
        // Nothing that was acknowledged is lost, and nothing else is there.
        assert!(found.len() as u64 >= acknowledged, "{} blocks, {acknowledged} acknowledged", found.len());
        assert!(found[..] == blocks[..found.len()], "other blocks after {kills} kills");
        assert!(found.len() > height, "the node does not go on after {kills} kills");
        (kills, height) = (kills + 1, found.len());
    }
    assert!(kills >= BLOCKS / 8, "killed {kills} times only");
    let mut node = Node::open(dir.path().join("node"), ledger.origin().clone()).expect("opens");
    assert_eq!(node.ledger().head(), ledger.head());
    assert_eq!(node.ledger().clone().state_root(), ledger.state_root());
    // It goes on from there.
    assert_eq!(node.produce_block().expect("on disk").height, blocks.len() as u64 + 1);
}
