//! A node that runs: opens its files, answers queries, and makes or follows blocks until it is told to stop.

use super::{
    ClientError, Journal, NodeError, ServeError, Store,
    follower::Follower,
    producer::Producer,
    rpc::{self, Patience, Payouts, Service},
    shared::{Head, Shared},
};
use crate::{
    Block, Ledger,
    log::TornTail,
    sequencer::{Author, BlockError, Evidence, Limits, LimitsError, Sequencer},
    signature::{PublicKey, SecretKey},
};
use primitives::{ChainId, Digest, PersonId, Time};
use rand_core::{OsRng, RngCore};
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
pub(super) const READING_THREADS: usize = 8;
/// Transactions that wait until the sequencer has a look: beyond these a caller is told to come back.
const INBOX: usize = 1024;

/// What a node does.
#[derive(Debug)]
pub enum Role {
    /// Orders transactions into blocks.
    Sequencer {
        /// The key of their account. Whose that is the ledger says, after the last block: keys change, and the office
        /// is given and taken.
        key: SecretKey,
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
pub struct Config {
    /// Its files.
    pub dir: PathBuf,
    /// The ledger before the chain's first block ([`super::origin::start`]).
    pub start: Ledger,
    /// What it does.
    pub role: Role,
    /// Where it answers queries.
    pub listen: SocketAddr,
    /// Most connections at once.
    pub max_connections: u32,
    /// How long it waits for whoever is connected.
    pub patience: Patience,
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
    /// A sequencer has no block yet, and begins the chain.
    Begins {
        /// Number of the chain.
        chain: ChainId,
    },
    /// The node that is followed is behind this one.
    Behind {
        /// Which.
        url: String,
        /// Height of its last block.
        theirs: u64,
        /// Height of this node's last block.
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
    /// The node that is followed does not answer, or answers that it cannot. It is tried again.
    Unreachable {
        /// Why.
        reason: String,
    },
    /// The node that is followed answers again.
    Connected {
        /// Height of this node's last block.
        height: u64,
    },
    /// The clock of this sequencer is behind its last block. Blocks have the time of that one until the clock is there.
    ClockBehind {
        /// What the clock says.
        now: Time,
        /// Time of the last block.
        last: Time,
    },
    /// A block is from a later time than it is by this node's clock. It is asked for again until its time has come.
    Early {
        /// Its height.
        height: u64,
        /// Its time.
        time: Time,
        /// What the clock says.
        now: Time,
    },
    /// A block that was just made has a time that is long over: the sequencer holds the ledger's clock back, or its own is
    /// wrong, or this node's is.
    Stale {
        /// Its height.
        height: u64,
        /// Its time.
        time: Time,
        /// What the clock says.
        now: Time,
    },
    /// It was told to stop, and has: nothing is under way any more.
    Stopped {
        /// Its last block.
        head: Head,
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
    /// Its directory cannot be opened.
    #[error("{dir}: {error}", dir = .dir.display())]
    Open {
        /// The directory.
        dir: PathBuf,
        /// What is wrong with it.
        error: Box<NodeError>,
    },
    /// Its files failed while it ran, or its own blocks.
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
    #[error("the key {key} is {}, as of block {height}",
        person.map_or_else(|| "nobody's".into(), |person| format!("that of {person}, who is no sequencer")))]
    NotASequencer {
        /// The key it was given.
        key: Box<PublicKey>,
        /// Whose account has it, if one does.
        person: Option<PersonId>,
        /// The last block.
        height: u64,
    },
    /// The node that is followed cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The node that is followed is this one.
    #[error("{url} is this node itself")]
    FollowsItself {
        /// Where.
        url: String,
    },
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
        /// Two blocks of the height before, if the node that is followed now shows another than before.
        fork: Option<Fork>,
    },
}

/// Two blocks of one height.
#[derive(Debug)]
pub struct Fork {
    /// Who signed both, if both are signed under a key that this node knows to be theirs.
    pub signer: Option<PersonId>,
    /// The file with both.
    pub kept: Result<PathBuf, io::Error>,
}

/// The sequencer whose key this is, after the last block.
fn author(ledger: &Ledger, key: SecretKey) -> Result<Author, RunError> {
    let public = key.public_key();
    let holders = || ledger.state().accounts.iter().filter(|account| account.key == public);
    let holder = holders().find(|account| ledger.sequencer_key(&account.owner).is_some());
    match holder {
        Some(account) => Ok(Author { person: account.owner, key }),
        None => {
            let person = holders().next().map(|account| account.owner);
            Err(RunError::NotASequencer { key: Box::new(public), person, height: ledger.height() })
        }
    }
}

impl From<NodeError> for RunError {
    fn from(error: NodeError) -> Self {
        Self::Node(Box::new(error))
    }
}

/// Runs a node until `stop` is set, or until it has to stop by itself. A sequencer that is told to stop finishes the
/// block in hand.
pub fn run(config: Config, stop: &AtomicBool, notice: &(dyn Fn(Notice) + Sync)) -> Result<(), RunError> {
    let Config { dir, start, role, listen, max_connections, patience } = config;
    if let Role::Full { follow } = &role {
        super::client::check_url(follow)?;
    }
    let unopened = |error: NodeError| RunError::Open { dir: dir.clone(), error: Box::new(error) };
    let (store, ledger) = Store::open_sealed(&dir, start).map_err(unopened)?;
    if let Some(torn) = store.torn() {
        notice(Notice::Torn(torn));
    }
    let shared = Shared::new(ledger.clone(), store.archive());
    let shown = shared.clone();
    let network = Builder::new_multi_thread()
        .worker_threads(NETWORK_THREADS)
        .max_blocking_threads(READING_THREADS)
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    // Whoever follows a node tells by it whether that is the node itself, under whatever address.
    let mut drawn = [0; 32];
    OsRng.fill_bytes(&mut drawn);
    let instance = Digest(drawn);
    let start = |service: Service| -> Result<_, RunError> {
        let head = service.shared.view().head;
        let (bound, server) = network.block_on(rpc::serve(service, listen, max_connections, patience))?;
        notice(Notice::Started { listen: bound, head });
        Ok(server)
    };
    let (server, ended) = match role {
        Role::Sequencer { key, limits } => {
            let author = author(&ledger, key)?;
            let (journal, taken) =
                Journal::open(&dir, ledger.height()).map_err(|error| unopened(error.into()))?;
            if ledger.height() == 0 && taken.is_empty() {
                notice(Notice::Begins { chain: ledger.origin().chain });
            }
            if let Some(first) = taken.first() {
                notice(Notice::Restored { transactions: taken.len(), height: first.height });
            }
            let core = Sequencer::new(ledger, author, limits, 0)?;
            let producer = Producer::start(core, store, journal, taken, shared.clone()).map_err(unopened)?;
            let (submissions, inbox) = sync_channel(INBOX);
            let server = start(Service {
                shared,
                submissions: Some(submissions),
                sequencer: None,
                payouts: Payouts::default(),
                instance,
            })?;
            (server, producer.run(&inbox, stop, notice).map_err(RunError::from))
        }
        Role::Full { follow } => {
            let service = Service {
                shared: shared.clone(),
                submissions: None,
                sequencer: Some(follow.clone()),
                payouts: Payouts::default(),
                instance,
            };
            let server = start(service)?;
            let follower = Follower::new(ledger, store, shared, (follow, instance), dir);
            (server, follower.run(stop, notice))
        }
    };
    // Those who are connected are told; whoever holds on is cut off when the runtime goes.
    let _ = server.stop();
    network.shutdown_timeout(GOODBYE);
    ended?;
    notice(Notice::Stopped { head: shown.view().head });
    Ok(())
}

/// How long connections may take to end.
const GOODBYE: std::time::Duration = std::time::Duration::from_secs(2);

/// The evidence in a file that a full node wrote.
pub fn read_evidence(text: &str) -> Option<Evidence> {
    let bytes = primitives::ids::from_hex(text.trim()).ok()?;
    primitives::Decode::from_bytes(&bytes).ok()
}
