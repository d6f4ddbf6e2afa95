//! A whole epoch on this machine: a world, devices, attackers, three parties, a chain, claims, and every check of the
//! outcome. What comes out is an [`Outcome`], which [`folder`] writes as a run folder.

mod claims;
mod collect;
mod error;
mod evidence;
pub mod folder;
pub mod layer1;
mod metrics;
pub mod outcome;
mod page;
mod rewards;
mod statements;
pub mod stopped;
mod submissions;
mod verdicts;

pub use collect::{Away, Outage};
pub use error::DemoError;
pub use layer1::{Layer1, OnLayer1};
pub use metrics::{ActorMetrics, Metrics, TierMetrics};
pub use outcome::{AttackReport, Outcome, PayoutRow, Verdict};
pub use rewards::ChainMoney;
pub use statements::Statements;
pub use stopped::Stopped;

use crate::{
    adversary,
    check::{self, CarriedOver, Comparison, TruthRow},
    device,
    progress::{Progress, Stage, Timed},
    rogue::Adversary,
    workload::{self, Workload, WorkloadOptions},
    world::{World, WorldError},
};
use chain::{
    Genesis, Node,
    light::{self, EpochRecord, RecordError},
    modules::{dapr::Claim, usage::check_shards},
    node::read_blocks,
};
use engine::{Operation, Shelf, Summary};
use folder::Manifest;
use primitives::{
    Digest, GovernanceParams, Preset,
    limits::{MAX_BATCH, MAX_SHARD_WIDTH},
};
use std::{collections::BTreeMap, path::Path};

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
    /// Fewest bundles of a batch while the window lasts.
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
        rewards::pay(&mut node, world.epoch)?;
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
    let money = ChainMoney::of(&node);
    let records: Vec<_> = earlier.iter().map(|epoch| &epoch.record).chain([&last.record]).collect();
    let (verified, node) = verify(node, genesis.clone(), scratch, &records, progress)?;
    let claims = claimed.on_layer1();
    let used = &last.workload;
    let layer1 = anchor(connected, (&world, used), node, (genesis, claims), scratch, progress)?;
    claimed.settle_on_layer1(layer1.paid_in_full());
    let inputs = outcome::Inputs {
        manifest: Manifest::new(options, &workload)?,
        adversary: options.adversary,
        preset: options.preset,
        workload: last.workload,
        world,
        collected: last.collected,
        messages: last.messages,
        rows: last.rows,
        comparison: last.comparison,
        record: last.record,
        earlier,
        claimed,
        money,
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
    let running = engine::start(config, node, operation);
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

#[cfg(test)]
mod tests;
