//! A whole epoch on this machine: a world, devices, attackers, three parties, a chain, claims, and every check of the
//! outcome. What comes out is an [`Outcome`], which [`folder`] writes as a run folder.

mod claims;
mod collect;
mod evidence;
pub mod folder;
pub mod layer1;
mod metrics;
pub mod outcome;
mod page;
mod statements;
pub mod stopped;
mod submissions;
mod verdicts;

pub use collect::{Away, Outage};
pub use layer1::{Layer1, OnLayer1};
pub use metrics::{ActorMetrics, Metrics, TierMetrics};
pub use outcome::{AttackReport, Outcome, PayoutRow, Verdict};
pub use statements::Statements;
pub use stopped::Stopped;

use crate::{
    adversary,
    check::{self, CarriedOver, Comparison, TruthRow},
    device::{self, DeviceError},
    progress::{Progress, Stage, Timed},
    rogue::Adversary,
    workload::{self, Workload, WorkloadError, WorkloadOptions},
    world::{World, WorldError},
};
use chain::{
    Genesis, Node,
    bridge::{AnchorError, AttestError, PortError},
    light::{self, EpochRecord, RecordError},
    modules::{dapr::Claim, usage::check_shards},
    node::{NodeError, read_blocks},
};
use engine::{Operation, Shelf, Summary};
use primitives::{
    Digest, Domain, Encode, GovernanceParams, Preset, hash,
    limits::{MAX_BATCH, MAX_SHARD_WIDTH},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Bundles in a batch.
pub const DEFAULT_BATCH: usize = 24;
/// Most works of one shard, unless a run asks for fewer: as many as a shard can hold.
pub const DEFAULT_SHARD_WIDTH: u16 = MAX_SHARD_WIDTH as u16;
/// Most epochs of a run.
pub const MAX_EPOCHS: u64 = 52;

const _: () = assert!(DEFAULT_BATCH <= MAX_BATCH);

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The workload.
    pub workload: WorkloadOptions,
    /// Parameters of the epochs.
    pub preset: Preset,
    /// Fewest listeners with which a cell is published, if it is not the preset's.
    pub k_anonymity: Option<u32>,
    /// Epochs, one after the other, at least one.
    pub epochs: u64,
    /// Bundles in a batch.
    pub batch: usize,
    /// Most works of one shard: more works are dealt to several.
    pub shard_width: u16,
    /// Where the epoch is anchored.
    pub layer1: Layer1,
    /// An actor that is taken away for a while.
    pub outage: Option<Outage>,
    /// A party that cheats.
    pub adversary: Option<Adversary>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workload: WorkloadOptions::default(),
            preset: Preset::Spec,
            k_anonymity: None,
            epochs: 1,
            batch: DEFAULT_BATCH,
            shard_width: DEFAULT_SHARD_WIDTH,
            layer1: Layer1::default(),
            outage: None,
            adversary: None,
        }
    }
}

impl Options {
    /// Parameters of the run.
    pub fn params(&self) -> GovernanceParams {
        let params = self.preset.params();
        GovernanceParams { k_anonymity: self.k_anonymity.unwrap_or(params.k_anonymity), ..params }
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
    /// The parties stopped: nothing was paid.
    #[error("the epoch was aborted: {}{}", .0.reason, .0.in_words())]
    Aborted(Box<Stopped>),
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
    let mut world = World::new(&workload, &params, options.shard_width, progress)?;
    let genesis = world.genesis();
    let mut node = Node::open(scratch, genesis.clone())?;
    world.register(&workload, &mut node, progress)?;

    let (mut carried, mut in_the_open) = (Shelf::default(), CarriedOver::default());
    let mut earlier = Vec::new();
    let (last, mut claimed) = loop {
        let used = workload.in_epoch(world.epoch);
        let (ended, back) =
            epoch(options, (&world, used, node), (carried, in_the_open), (scratch, progress))?;
        node = back;
        let claimed = claims::claim_all(&mut node, world.epoch, progress)?;
        if world.epoch.0 == options.epochs.max(1) {
            break (ended, claimed);
        }
        let Ended { record, comparison, rows, shelf, closed, .. } = ended;
        (carried, in_the_open) = (shelf, closed);
        let seated = record.replacement.as_ref().map(|seated| seated.party);
        earlier.push(EarlierEpoch { record, comparison, rows });
        world.turn(&workload, seated, progress)?;
        world.publish_keys(&mut node, progress)?;
    };
    let records: Vec<_> = earlier.iter().map(|epoch| &epoch.record).chain([&last.record]).collect();
    let (verified, node) = verify(node, genesis.clone(), scratch, &records, progress)?;
    let claims = claimed.on_layer1();
    let used = &last.workload;
    let layer1 = anchor(connected, (&world, used), node, (genesis, claims), scratch, progress)?;
    claimed.settle_on_layer1(layer1.paid_in_full());
    let inputs = outcome::Inputs {
        config_hash: config_hash(options, &params, &workload)?,
        preset: options.preset,
        options,
        workload: last.workload,
        world,
        collected: last.collected,
        messages: last.messages,
        rows: last.rows,
        comparison: last.comparison,
        record: last.record,
        earlier,
        claimed,
        layer1,
        verified,
        timings: progress.durations(),
    };
    Ok(inputs.conclude())
}

/// What is left of an epoch before the last.
pub struct EarlierEpoch {
    /// Its public record.
    pub record: EpochRecord,
    /// How that compares with a plaintext count.
    pub comparison: Comparison,
    /// Its accepted events.
    pub rows: Vec<TruthRow>,
}

/// An epoch that came to its end.
struct Ended {
    workload: Workload,
    collected: collect::Collected,
    messages: BTreeMap<String, u64>,
    record: EpochRecord,
    rows: Vec<TruthRow>,
    comparison: Comparison,
    shelf: Shelf,
    closed: CarriedOver,
}

/// Runs one epoch. `carried` is what the parties carry over, as their shares and in the open.
fn epoch(
    options: &Options,
    (world, workload, node): (&World, Workload, Node),
    (carried, in_the_open): (Shelf, CarriedOver),
    (scratch, progress): (&Path, &dyn Progress),
) -> Result<(Ended, Node), DemoError> {
    progress.begin(Stage::Opening, 1);
    let config = world.config(options.batch, carried);
    let operation = Operation { disguise: world.disguise(options.adversary), ..Operation::default() };
    let running = engine::start_with(config, node, operation).expect("no votes are kept on disk");
    let collected = Statements::begin(scratch, world.epoch)
        .and_then(|kept| collect::collect(options, (world, &workload), (&running, kept), progress));
    let Summary { node, carried: shelf, messages } = running.finish();
    let collected = collected?;
    let record = node.record(world.epoch)?;
    let rows = outcome::truth(&workload, world, &collected);
    let (comparison, closed) = check::compare(&rows, &record, &in_the_open);
    let ended = Ended { workload, collected, messages, record, rows, comparison, shelf, closed };
    Ok((ended, node))
}

/// What a full node and a light client say in the end.
struct Verified {
    /// The state root of the settling block, from a node that replayed the log.
    root: Digest,
    /// What the light client found.
    light: Result<light::Verdict, light::Refused>,
}

/// Replays the whole log in a fresh node, takes the state roots from it, and has a light client check each record, as it
/// is written to a file, against its root. The last is the one that is shown.
fn verify(
    node: Node,
    genesis: Genesis,
    scratch: &Path,
    records: &[&EpochRecord],
    progress: &dyn Progress,
) -> Result<(Verified, Node), DemoError> {
    progress.begin(Stage::Verification, 1 + records.len() as u64);
    drop(node);
    let node = Node::open(scratch, genesis)?;
    progress.advance(Stage::Verification, 1);
    let (mut root, mut light) = (Digest::default(), Err(light::Refused { findings: Vec::new() }));
    for record in records {
        let epoch = record.epoch;
        let proof = node.ledger().epoch_proof(epoch).ok_or(RecordError::NotSettled { epoch })?;
        root = light::verify::root_digest(&proof.state_root);
        let written: EpochRecord = serde_json::from_slice(&folder::record_json(record)?)?;
        light = light::verify(&written, Some(root));
        progress.advance(Stage::Verification, 1);
        if light.is_err() {
            break;
        }
    }
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
    let missing = || RecordError::NotSettled { epoch: world.epoch };
    let epoch = node.ledger().state().epochs.get(&world.epoch).cloned().ok_or_else(missing)?;
    let proof = node.ledger().epoch_proof(world.epoch).cloned().ok_or_else(missing)?;
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
        epochs: u64,
        preset: Preset,
        shard_width: u16,
        workload: &'a Workload,
    }
    let Options { batch, epochs, preset, shard_width, .. } = *options;
    let config = Config { batch, epochs, preset, shard_width, workload };
    let config = serde_json::to_vec(&config)?;
    Ok(hash::hash(Domain::Simulation, &[b"config", &params.to_bytes(), &config]))
}

#[cfg(test)]
mod tests;
