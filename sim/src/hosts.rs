//! An epoch across processes: a sequencer's node, three hosts of parties, those who hold an office, and subscribers who hand
//! in over HTTP. Everything that crosses between them crosses sockets, and whatever dies is started again.
//!
//! Who hands in is either a client for each subscriber, a process that has token and receipts from issuers that are processes
//! too, or devices in this program, whose bundles can be made in advance.
//!
//! `hosts/processes.rs` starts and kills them, `hosts/settings.rs` is what they read, `hosts/issuers.rs` and
//! `hosts/clients.rs` are issuers and clients, `hosts/devices.rs` makes bundles here, `hosts/settling.rs` goes from one epoch to
//! the next and compares what came of each, `hosts/sites.rs` says where each process is, `hosts/cable.rs` lies between hosts
//! if it is asked for, and `hosts/registry.rs` puts the world on record over JSON-RPC.

mod cable;
mod clients;
mod devices;
mod error;
mod issuers;
mod processes;
mod registry;
pub mod settings;
mod settling;
mod sites;

pub use cable::{Cable, Condition};
pub use devices::Made;
pub use error::HostsError;
pub use processes::{Process, Usage, name_of, write_private};
pub use settling::Settled;
pub use sites::{Site, Sites};

use crate::{
    check::CarriedOver,
    progress::{Progress, Stage},
    workload::Workload,
    world::World,
};
use chain::{
    Ledger,
    node::{Following, Mirror, wait_until},
};
use clients::Reported;
use devices::HandedIn;
use engine::{
    client::http::HttpParties,
    host::{
        Seat,
        steward::{self, Awaited},
    },
    message::OpenedEpoch,
    opening::EpochDocument,
    settlement::SettlementError,
};
use primitives::{Decode, GovernanceParams, PartyId};
use processes::Ports;
use settling::{Before, Desk};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Subscribers when nothing else is asked for: each client is a process with a node of its own.
pub const DEFAULT_SUBSCRIBERS: usize = 24;
/// Works when nothing else is asked for: few enough for five listeners each.
pub const DEFAULT_WORKS: usize = 32;
/// How long a process may take to answer after it was started.
const STARTING: Duration = Duration::from_secs(120);
/// How long an epoch may take to open, and to end once its window has.
const MOVING: Duration = Duration::from_secs(600);
/// How long an end is waited for before it is looked whether those who hold an office have stopped.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often something that is away is tried again.
const AGAIN: Duration = Duration::from_millis(300);
/// How long a third party that reveals nothing for the beacon is waited for.
const BEACON_PATIENCE: Duration = Duration::from_secs(30);
/// Subscribers whose bundles are made at a time.
const GROUP: usize = 16;

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program that is started as node and as parties: `cwe`.
    pub program: PathBuf,
    /// Where everything of the run is kept. It is made, and must be empty.
    pub dir: PathBuf,
    /// Parameters of the epoch.
    pub params: GovernanceParams,
    /// Most works of one shard.
    pub shard_width: u16,
    /// For how long bundles are taken in.
    pub window: Duration,
    /// Fewest bundles of a batch while the window lasts.
    pub batch: usize,
    /// How often parties are told that time passes.
    pub tick: Duration,
    /// Ticks of silence after which the standby may have a party's seat.
    pub patience: u32,
    /// Where processes are.
    pub sites: Sites,
    /// Whether cables lie between hosts, which can be cut. All have to be on loopback then.
    pub cables: bool,
}

/// Everything that runs.
pub struct Hosts {
    options: Options,
    world: World,
    workload: Workload,
    ports: Ports,
    node: Process,
    hosts: BTreeMap<Seat, Process>,
    cables: BTreeMap<(Seat, Seat), Cable>,
    mirror: Arc<Mirror>,
    http: HttpParties,
    stop: Arc<AtomicBool>,
    offices: Option<JoinHandle<Result<(), SettlementError>>>,
    desk: Arc<Mutex<Desk>>,
    handed_in: Vec<HandedIn>,
    before: Option<Before>,
    /// What earlier epochs carried over.
    carried: CarriedOver,
    /// Processes of issuers, once they were asked for.
    issuers: Vec<Process>,
    /// What clients handed in.
    reported: Vec<Reported>,
}

impl Hosts {
    /// Starts the chain, puts the world on record, and starts the parties.
    ///
    /// # Errors
    /// If anything of it does not come up.
    pub fn start(options: Options, workload: Workload, progress: &dyn Progress) -> Result<Self, HostsError> {
        let mut world = World::new(&workload, &options.params, options.shard_width, progress)?;
        world.patience = options.patience;
        let mut ports = Ports::free(&options.sites).map_err(|error| failed("free ports", error))?;
        let cables = if options.cables { ports.lay_cables() } else { Ok(BTreeMap::new()) };
        let cables = cables.map_err(|error| failed("cables", error))?;
        processes::lay_out(&options, &world, &ports)?;
        let node = Process::start(&options, ("node", &[]), &["node", "run", "--config", "node.toml"])?;
        let start = Ledger::genesis(world.genesis()).expect("the world's genesis is one");
        let following = Following { dir: options.dir.join("mirror"), start, url: ports.node_url() };
        wait(STARTING, || {
            Mirror::start(following.clone(), |_| ())
                .map(|mirror| {
                    let up = mirror.connect().is_ok();
                    drop(mirror.stop());
                    up
                })
                .unwrap_or(false)
        })
        .then_some(())
        .ok_or_else(|| HostsError::NoAnswer { who: "the node".into(), log: node.log() })?;
        let mirror = Arc::new(Mirror::start(following, |_| ())?);
        registry::register(&world, &workload, &mirror, progress)?;
        let start = |seat| {
            let arguments = ["party", "run", "--config", "party.toml"];
            let site = (&*processes::name_of(seat), options.sites.through(seat));
            Ok((seat, Process::start(&options, site, &arguments)?))
        };
        let hosts = Seat::ALL.into_iter().map(start).collect::<Result<_, HostsError>>()?;
        let urls = PartyId::ALL.map(|party| ports.api_url(party));
        let http = HttpParties::new([&urls[0], &urls[1], &urls[2]])?;
        let (stop, port) = (Arc::new(AtomicBool::new(false)), Awaited::new(mirror.clone()));
        let desk = Desk { plans: BTreeMap::from([(world.epoch, world.plan())]), unreported: None };
        let desk = Arc::new(Mutex::new(desk));
        let (mut offices, told, plans) = (world.offices(), stop.clone(), desk.clone());
        let offices = thread::spawn(move || {
            let plan = |ledger: &Ledger, epoch| plans.lock().expect("no panic").plan(ledger, epoch);
            steward::serve(&port, &mut offices, &plan, BEACON_PATIENCE, &told)
        });
        Ok(Self {
            options,
            world,
            workload,
            ports,
            node,
            hosts,
            cables,
            mirror,
            http,
            stop,
            offices: Some(offices),
            desk,
            handed_in: Vec::new(),
            before: None,
            carried: CarriedOver::default(),
            issuers: Vec::new(),
            reported: Vec::new(),
        })
    }

    /// The process that has a seat, or stands by for one.
    pub fn host(&mut self, seat: Seat) -> &mut Process {
        self.hosts.get_mut(&seat).expect("every seat has a host")
    }

    /// The cable between two hosts, if cables lie between them.
    pub fn cable(&self, one: Seat, other: Seat) -> Option<&Cable> {
        self.cables.get(&(one.min(other), one.max(other)))
    }

    /// The sequencer's process.
    pub fn node(&mut self) -> &mut Process {
        &mut self.node
    }

    /// Where the API of a party is.
    pub fn api(&self, party: PartyId) -> String {
        self.ports.api_url(party)
    }

    /// The parties, as clients reach them.
    pub fn http(&self) -> &HttpParties {
        &self.http
    }

    /// What devices handed in of the epoch in hand.
    pub fn handed_in(&self) -> impl Iterator<Item = &[u8]> {
        self.handed_in.iter().map(|handed| &*handed.parcel.bytes)
    }

    /// Waits until the epoch is open, and gives what devices go by: what a party serves, if it is what the chain has.
    ///
    /// # Errors
    /// If it does not open, or a party serves something else.
    pub fn opened(&mut self, progress: &dyn Progress) -> Result<OpenedEpoch, HostsError> {
        self.opened_by(&PartyId::ALL.map(Seat::Party), progress)
    }

    /// The same where only these hosts of parties are there.
    ///
    /// # Errors
    /// Those of [`Self::opened`].
    pub fn opened_by(&mut self, by: &[Seat], progress: &dyn Progress) -> Result<OpenedEpoch, HostsError> {
        progress.begin(Stage::Opening, 1);
        let epoch = self.world.epoch;
        let stalled = |what| HostsError::Stalled { what, dir: self.options.dir.clone() };
        let open = |ledger: &Ledger| ledger.state().openings.get(&epoch).is_some();
        wait_until(&self.mirror, MOVING, open).then_some(()).ok_or_else(|| stalled("open"))?;
        let on_chain = self.mirror.read(|ledger| EpochDocument::on_record(ledger.state(), epoch))?;
        for party in PartyId::ALL.into_iter().filter(|party| by.contains(&Seat::Party(*party))) {
            // It may show the epoch before for a moment.
            let mut served = None;
            let is_shown = wait(STARTING, || {
                served = self.http.epoch_document(party).ok();
                served
                    .as_ref()
                    .is_some_and(|bytes| EpochDocument::from_bytes(bytes).as_ref() == Ok(&on_chain))
            });
            if !is_shown {
                let reason = if served.is_some() { "it is not what the chain has" } else { "it serves none" };
                return Err(HostsError::Document { party, reason: reason.into() });
            }
        }
        progress.end(Stage::Opening);
        Ok(on_chain.opened()?)
    }

    /// Asks every process to end, and waits until it has.
    pub fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let node = [&mut self.node];
        self.hosts.values_mut().chain(&mut self.issuers).chain(node).for_each(Process::end);
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn failed(what: &str, error: io::Error) -> HostsError {
    HostsError::Io { what: what.into(), error }
}

/// Waits until something is so, and says whether it is.
fn wait(patience: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if is_so() {
            return true;
        }
        thread::sleep(AGAIN);
    }
    false
}

/// The folder of a process in a run.
fn folder(dir: &Path, name: &str) -> PathBuf {
    dir.join(name)
}
