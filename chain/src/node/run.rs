//! A node that runs: opens its files, answers queries, and makes or follows blocks until it is told to stop.

use super::{
    ClientError, Journal, NodeError, ServeError, Store,
    follower::Follower,
    producer::{self, Producer},
    rpc::{self, Service},
    shared::{Head, Shared},
};
use crate::{
    Block, Genesis,
    log::TornTail,
    sequencer::{Author, BlockError, Evidence, Limits, LimitsError, Sequencer},
};
use primitives::{ChainId, Digest, PersonId, Time};
use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{atomic::AtomicBool, mpsc::sync_channel},
};
use thiserror::Error;
use tokio::runtime::Builder;

/// Threads that answer queries and read from sockets.
const NETWORK_THREADS: usize = 2;
/// Threads that make proofs and records.
const READING_THREADS: usize = 8;
/// Transactions that wait until the sequencer has a look: beyond these a caller is told to come back.
const INBOX: usize = 1024;

/// What a node does.
#[derive(Debug)]
pub enum Role {
    /// Orders transactions into blocks.
    Sequencer {
        /// Who it is, with the key.
        author: Author,
        /// Its limits.
        limits: Limits,
    },
    /// Follows a sequencer's node and checks every block.
    Full {
        /// Address of that node.
        follow: String,
    },
}

/// A node.
#[derive(Debug)]
pub struct Config {
    /// Its files.
    pub dir: PathBuf,
    /// Where the chain begins.
    pub genesis: Genesis,
    /// What it does.
    pub role: Role,
    /// Where it answers queries.
    pub listen: SocketAddr,
    /// Most connections at once.
    pub max_connections: u32,
}

/// What a node has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It answers queries.
    Started {
        /// Where.
        listen: SocketAddr,
        /// Its last block.
        head: Head,
    },
    /// A crash had left part of a block behind, which was cut off.
    Torn(TornTail),
    /// Confirmed transactions were taken from the journal.
    Restored {
        /// How many.
        transactions: usize,
        /// Height of their block.
        height: u64,
    },
    /// A block is on disk.
    Block {
        /// Its height.
        height: u64,
        /// Its digest.
        digest: Digest,
        /// Its time.
        time: Time,
        /// How many transactions it has.
        transactions: usize,
    },
    /// The node that is followed does not answer. It is tried again.
    Unreachable {
        /// Why.
        reason: String,
    },
}

impl Notice {
    pub(super) fn block(block: &Block) -> Self {
        let (height, digest, time) = (block.height, block.digest(), block.time);
        Self::Block { height, digest, time, transactions: block.transactions.len() }
    }
}

/// Why a node stops by itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// Its files, or its own blocks.
    #[error(transparent)]
    Node(Box<NodeError>),
    /// It cannot answer queries.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The runtime cannot be started.
    #[error("the runtime of the network cannot be started: {0}")]
    Runtime(io::Error),
    /// A limit is outside its bounds.
    #[error("limit {0}")]
    Limits(#[from] LimitsError),
    /// Its key is not that of a sequencer on record.
    #[error("{person} is no sequencer of this chain, or has another key on record than this one")]
    NotASequencer {
        /// Whose key it was given.
        person: PersonId,
    },
    /// The node that is followed cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The node that is followed is of another chain.
    #[error("{url} is of chain {} with genesis {}, this node of chain {} with genesis {}",
        found.0, found.1, expected.0, expected.1)]
    OtherChain {
        /// Where.
        url: String,
        /// Chain and genesis of this node.
        expected: Box<(ChainId, Digest)>,
        /// Chain and genesis of the other.
        found: Box<(ChainId, Digest)>,
    },
    /// A block that was given is wrong.
    #[error("block {height} from {url} is wrong: {error}")]
    Block {
        /// Who gave it.
        url: String,
        /// Its height.
        height: u64,
        /// The rule that it breaks.
        error: Box<BlockError>,
        /// Who signed two blocks of one height, if that is so, and the file with both.
        evidence: Option<(PersonId, Option<PathBuf>)>,
    },
}

impl From<NodeError> for RunError {
    fn from(error: NodeError) -> Self {
        Self::Node(Box::new(error))
    }
}

/// Runs a node until `stop` is set, or until it has to stop by itself. A sequencer that is told to stop finishes the
/// block in hand.
pub fn run(config: Config, stop: &AtomicBool, notice: &(dyn Fn(Notice) + Sync)) -> Result<(), RunError> {
    let Config { dir, genesis, role, listen, max_connections } = config;
    if let Role::Full { follow } = &role {
        super::client::check_url(follow)?;
    }
    let (store, ledger) = Store::open_sealed(&dir, genesis, producer::now())?;
    if let Some(torn) = store.torn() {
        notice(Notice::Torn(torn));
    }
    let shared = Shared::new(ledger.clone(), store.archive());
    let network = Builder::new_multi_thread()
        .worker_threads(NETWORK_THREADS)
        .max_blocking_threads(READING_THREADS)
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let start = |service: Service| -> Result<_, RunError> {
        let head = service.shared.view().head;
        let (bound, server) = network.block_on(rpc::serve(service, listen, max_connections))?;
        notice(Notice::Started { listen: bound, head });
        Ok(server)
    };
    let (server, ended) = match role {
        Role::Sequencer { author, limits } => {
            let person = author.person;
            if ledger.sequencer_key(&person) != Some(author.key.public_key()) {
                return Err(RunError::NotASequencer { person });
            }
            let (journal, taken) = Journal::open(&dir, ledger.height()).map_err(NodeError::from)?;
            if let Some(first) = taken.first() {
                notice(Notice::Restored { transactions: taken.len(), height: first.height });
            }
            let core = Sequencer::new(ledger, author, limits, 0)?;
            let producer = Producer::start(core, store, journal, taken, shared.clone())?;
            let (submissions, inbox) = sync_channel(INBOX);
            let server = start(Service { shared, submissions: Some(submissions), sequencer: None })?;
            (server, producer.run(&inbox, stop, notice).map_err(RunError::from))
        }
        Role::Full { follow } => {
            let service =
                Service { shared: shared.clone(), submissions: None, sequencer: Some(follow.clone()) };
            let server = start(service)?;
            let follower = Follower { ledger: Some(ledger), store, shared, url: follow, dir };
            (server, follower.run(stop, notice))
        }
    };
    // Those who are connected are told; whoever holds on is cut off when the runtime goes.
    let _ = server.stop();
    network.shutdown_timeout(GOODBYE);
    ended
}

/// How long connections may take to end.
const GOODBYE: std::time::Duration = std::time::Duration::from_secs(2);

/// The evidence in a file that a full node wrote.
pub fn read_evidence(text: &str) -> Option<Evidence> {
    let bytes = primitives::ids::from_hex(text.trim()).ok()?;
    primitives::Decode::from_bytes(&bytes).ok()
}
