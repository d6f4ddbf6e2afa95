//! A whole epoch on this machine: a world, devices, attackers, three parties, a chain, claims, and every check of the
//! outcome. What comes out is an [`Outcome`], which [`folder`] writes as a run folder.

mod claims;
mod collect;
pub mod folder;
pub mod layer1;
mod metrics;
pub mod outcome;
mod page;
mod statements;
mod submissions;
mod verdicts;

pub use collect::{Away, Outage};
pub use layer1::{Layer1, OnLayer1};
pub use metrics::{ActorMetrics, Metrics, TierMetrics};
pub use outcome::{AttackReport, Outcome, PayoutRow, Verdict};
pub use statements::Statements;

use crate::{
    adversary, check,
    device::{self, DeviceError},
    progress::{Progress, Stage, Timed},
    workload::{self, Workload, WorkloadError, WorkloadOptions},
    world::{EPOCH, World, WorldError},
};
use chain::{
    Genesis, Node,
    bridge::{AnchorError, AttestError, PortError},
    light::{self, EpochRecord, RecordError},
    modules::{dapr::Claim, usage::check_shards},
    node::{NodeError, read_blocks},
};
use engine::Summary;
use primitives::{
    Digest, Domain, Encode, GovernanceParams, PartyId, Preset, hash,
    limits::{MAX_BATCH, MAX_SHARD_WIDTH},
};
use serde::Serialize;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Bundles in a batch.
pub const DEFAULT_BATCH: usize = 24;
/// Most works of one shard, unless a run asks for fewer: as many as a shard can hold.
pub const DEFAULT_SHARD_WIDTH: u16 = MAX_SHARD_WIDTH as u16;
/// The threshold of a demo, whatever its preset says: the parties do not compare under encryption yet, so every cell is
/// opened.
pub const K_ANONYMITY: u32 = 0;

const _: () = assert!(DEFAULT_BATCH <= MAX_BATCH);

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The workload.
    pub workload: WorkloadOptions,
    /// Parameters of the epoch; the threshold is [`K_ANONYMITY`] all the same.
    pub preset: Preset,
    /// Bundles in a batch.
    pub batch: usize,
    /// Most works of one shard: more works are dealt to several.
    pub shard_width: u16,
    /// Where the epoch is anchored.
    pub layer1: Layer1,
    /// An actor that is taken away for a while.
    pub outage: Option<Outage>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workload: WorkloadOptions::default(),
            preset: Preset::Spec,
            batch: DEFAULT_BATCH,
            shard_width: DEFAULT_SHARD_WIDTH,
            layer1: Layer1::default(),
            outage: None,
        }
    }
}

impl Options {
    /// Parameters of the run.
    pub fn params(&self) -> GovernanceParams {
        GovernanceParams { k_anonymity: K_ANONYMITY, ..self.preset.params() }
    }
}

/// Why a run has no outcome.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    /// There is no workload.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// Bundles cannot be padded: there are too few events that count nothing.
    #[error(
        "a bundle is padded with events that count nothing, and one subscriber needs {needed} of them in an epoch; \
         with {works} works in a shard and {views} views that count there are {available}: take more works, wider \
         shards, or another preset"
    )]
    Padding {
        /// Padding events that the busiest device needs.
        needed: usize,
        /// Padding events that there are.
        available: usize,
        /// Works of the smallest shard.
        works: usize,
        /// Views that count.
        views: u16,
    },
    /// There is no world.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A device fails.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The node fails.
    #[error("the node failed: {0}")]
    Node(#[from] NodeError),
    /// What the parties publish cannot be kept.
    #[error("{}: {error}", path.display())]
    Statements {
        /// Where.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The parties stopped.
    #[error("the epoch was aborted: {reason}{}", .culprit.map(|p| format!(" (party {p} is to blame)")).unwrap_or_default())]
    Aborted {
        /// Who is to blame, if anybody.
        culprit: Option<PartyId>,
        /// Why.
        reason: String,
    },
    /// Nothing happened for a long time.
    #[error("nothing happened for {seconds} seconds in phase {phase}")]
    Stalled {
        /// How long.
        seconds: u64,
        /// The phase.
        phase: &'static str,
    },
    /// The actors are gone.
    #[error("the actors stopped in phase {phase}")]
    ActorsGone {
        /// The phase.
        phase: &'static str,
    },
    /// L1 gives no answer.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Nobody's key is at hand for this L1.
    #[error("an account with wei is needed on L1, chain {chain}: name the file of its key with --l1-key")]
    NoLayer1Key {
        /// Chain number.
        chain: u64,
    },
    /// The account on L1 has nothing to pay for gas.
    #[error(
        "account {account} has no wei on L1, chain {chain}, to pay for gas: send it some, or name another key"
    )]
    NoWei {
        /// The account.
        account: String,
        /// Chain number.
        chain: u64,
    },
    /// The L1 does not run the contracts.
    #[error(
        "L1, chain {chain}, does not run these contracts, which need the rules of the Prague hard fork: {error}"
    )]
    OtherRules {
        /// Chain number.
        chain: u64,
        /// What it says.
        error: String,
    },
    /// The L1 is one where money is real.
    #[error("this is main net: the keys of a simulated world are no secret, so take a test network")]
    MainNet,
    /// Something was not done on L1.
    #[error(transparent)]
    Anchor(Box<AnchorError>),
    /// A member of the committee does not sign for L1.
    #[error("the committee does not attest: {0}")]
    Attest(Box<AttestError>),
    /// The chain has no record of the epoch.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The record cannot be read back from what it is written as.
    #[error("the record does not survive its own format: {0}")]
    Format(#[from] serde_json::Error),
}

impl From<AnchorError> for DemoError {
    fn from(error: AnchorError) -> Self {
        Self::Anchor(Box::new(error))
    }
}

impl From<AttestError> for DemoError {
    fn from(error: AttestError) -> Self {
        Self::Attest(Box::new(error))
    }
}

/// Builds the workload of a run, and checks that a run of it is possible.
pub fn prepare(options: &Options) -> Result<Workload, DemoError> {
    let params = options.params();
    let workload = workload::build(&options.workload, &params)?;
    check_padding(&workload, &params, options.shard_width)?;
    Ok(workload)
}

/// Small worlds with few views that count nothing leave too little to pad with. Any subscriber may be the attacker.
fn check_padding(workload: &Workload, params: &GovernanceParams, shard_width: u16) -> Result<(), DemoError> {
    let shards = check_shards(workload.works.len(), shard_width).map_err(WorldError::from)?;
    let works = workload.works.len() / shards;
    let width = (1..).map(|digits| 1 << (2 * digits)).find(|width| *width >= works).unwrap_or(works);
    let available = width * usize::from(primitives::limits::VIEW_INDICES - params.j_max);
    let busiest = workload.subscribers.iter().map(|s| device::most_padding(s.events.len(), shards)).max();
    let needed = busiest.unwrap_or(0) + adversary::EXTRA_PADDING;
    let views = params.j_max;
    if needed > available { Err(DemoError::Padding { needed, available, works, views }) } else { Ok(()) }
}

/// Runs a workload from [`prepare`] to its end. The node lives in `scratch`, which must be empty, and what the parties
/// publish of bundles stays there for whoever writes the run folder.
pub fn run(
    options: &Options,
    workload: Workload,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Outcome, DemoError> {
    let progress = &Timed::new(progress);
    let connected = options.layer1.connect(workload.seed)?;
    let params = options.params();
    let world = World::new(&workload, &params, options.shard_width, progress)?;
    let genesis = world.genesis();
    let mut node = Node::open(scratch, genesis.clone())?;
    world.register(&workload, &mut node, progress)?;

    progress.begin(Stage::Opening, 1);
    let running = engine::start(world.config(options.batch), node);
    let collected = Statements::begin(scratch)
        .and_then(|kept| collect::collect(options, (&world, &workload), (&running, kept), progress));
    let Summary { mut node, messages } = running.finish();
    let collected = collected?;

    let record = node.record(EPOCH)?;
    let rows = outcome::truth(&workload, &world, &collected);
    let comparison = check::compare(&rows, &record);
    let mut claimed = claims::claim_all(&mut node, progress)?;
    let (verified, node) = verify(node, genesis.clone(), scratch, &record, progress)?;
    let claims = claimed.on_layer1();
    let layer1 = anchor(connected, (&world, &workload), node, (genesis, claims), scratch, progress)?;
    claimed.settle_on_layer1(layer1.paid_in_full());
    let inputs = outcome::Inputs {
        config_hash: config_hash(options, &params, &workload)?,
        preset: options.preset,
        options,
        workload,
        world,
        collected,
        messages,
        rows,
        comparison,
        record,
        claimed,
        layer1,
        verified,
        timings: progress.durations(),
    };
    Ok(inputs.conclude())
}

/// What a full node and a light client say in the end.
struct Verified {
    /// The state root of the settling block, from a node that replayed the log.
    root: Digest,
    /// What the light client found.
    light: Result<light::Verdict, light::Refused>,
}

/// Replays the whole log in a fresh node, takes the state root from it, and has a light client check the record, as it
/// is written to a file, against that root.
fn verify(
    node: Node,
    genesis: Genesis,
    scratch: &Path,
    record: &EpochRecord,
    progress: &dyn Progress,
) -> Result<(Verified, Node), DemoError> {
    progress.begin(Stage::Verification, 2);
    drop(node);
    let node = Node::open(scratch, genesis)?;
    let proof = node.ledger().epoch_proof(EPOCH).ok_or(RecordError::NotSettled { epoch: EPOCH })?;
    let root = light::verify::root_digest(&proof.state_root);
    progress.advance(Stage::Verification, 1);
    let written: EpochRecord = serde_json::from_slice(&folder::record_json(record)?)?;
    let light = light::verify(&written, Some(root));
    progress.advance(Stage::Verification, 1);
    progress.end(Stage::Verification);
    Ok((Verified { root, light }, node))
}

/// Brings the chain of a node to L1.
fn anchor(
    connected: layer1::Connected,
    (world, workload): (&World, &Workload),
    node: Node,
    (genesis, claims): (Genesis, Vec<Claim>),
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<OnLayer1, DemoError> {
    let missing = || RecordError::NotSettled { epoch: EPOCH };
    let epoch = node.ledger().state().epochs.get(&EPOCH).cloned().ok_or_else(missing)?;
    let proof = node.ledger().epoch_proof(EPOCH).cloned().ok_or_else(missing)?;
    drop(node);
    let blocks = read_blocks(scratch)?;
    let shown = layer1::Shown { genesis, blocks: &blocks, epoch: &epoch, proof: &proof, claims };
    layer1::run(connected, (world, workload), &shown, scratch, progress)
}

/// Digest of everything that decides a run: the options, the parameters, and the workload with all its draws.
fn config_hash(
    options: &Options,
    params: &GovernanceParams,
    workload: &Workload,
) -> Result<Digest, DemoError> {
    #[derive(Serialize)]
    struct Config<'a> {
        batch: usize,
        preset: Preset,
        shard_width: u16,
        workload: &'a Workload,
    }
    let Options { batch, preset, shard_width, .. } = *options;
    let config = Config { batch, preset, shard_width, workload };
    let config = serde_json::to_vec(&config)?;
    Ok(hash::hash(Domain::Simulation, &[b"config", &params.to_bytes(), &config]))
}

#[cfg(test)]
mod tests;
