//! An epoch across processes: a sequencer's node, three hosts of parties, those who hold an office, and subscribers who hand
//! in over HTTP. Everything that crosses between them crosses sockets, and whatever dies is started again.
//!
//! Who hands in is either a client for each subscriber, a process that has token and receipts from issuers that are processes
//! too, or devices in this program, whose bundles can be made in advance.
//!
//! `hosts/processes.rs` starts and kills them, `hosts/settings.rs` is what they read, `hosts/issuers.rs` and
//! `hosts/clients.rs` are issuers and clients, `hosts/sites.rs` says where each process is, `hosts/cable.rs` lies between hosts
//! if it is asked for, and `hosts/registry.rs` puts the world on record over JSON-RPC.

mod cable;
mod clients;
mod error;
mod issuers;
mod processes;
mod registry;
pub mod settings;
mod sites;

pub use cable::{Cable, Condition};
pub use error::HostsError;
pub use processes::{Process, Usage, name_of, write_private};
pub use sites::{Site, Sites};

use crate::{
    check::{self, CarriedOver, Comparison, TruthRow, event_value},
    device::{Device, Parcel},
    progress::{Progress, Stage},
    workload::{SubscriberSpec, Workload},
    world::World,
};
use chain::{
    Ledger,
    light::{self, EpochRecord},
    modules::usage::{Epoch as EpochOnRecord, Phase},
    node::{Following, Mirror, wait_until},
};
use clients::Reported;
use engine::{
    client::{Answer, LinkError, Parties, http::HttpParties},
    host::{
        Seat,
        steward::{self, Awaited},
    },
    message::OpenedEpoch,
    opening::EpochDocument,
    settlement::{Plan, SettlementError},
};
use primitives::{Decode, EpochId, GovernanceParams, PartyId, RegionTag};
use processes::Ports;
use rayon::prelude::*;
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

/// What came of a run.
#[derive(Debug)]
pub struct Settled {
    /// The public record of the epoch, which a light client has checked.
    pub record: EpochRecord,
    /// How it compares with a plaintext count of what was handed in.
    pub comparison: Comparison,
    /// Bundles that were handed in.
    pub bundles: usize,
    /// Clients of subscribers that handed in, each a process.
    pub clients: usize,
}

/// A bundle that was handed in, and whose it is.
struct HandedIn {
    subscriber: usize,
    parcel: Parcel,
}

/// An epoch that is closed while the next one takes bundles in.
struct Before {
    epoch: EpochId,
    truth: Vec<TruthRow>,
    bundles: usize,
}

/// What those who hold an office are to do, by epoch; an epoch whose books are to stay open is left alone once it has totals.
#[derive(Default)]
struct Desk {
    plans: BTreeMap<EpochId, Plan>,
    unreported: Option<EpochId>,
}

impl Desk {
    fn plan(&self, ledger: &Ledger, epoch: EpochId) -> Option<Plan> {
        let has_totals = |epoch: &EpochOnRecord| epoch.phase == Phase::Aggregated;
        let is_left =
            self.unreported == Some(epoch) && ledger.state().epochs.get(&epoch).is_some_and(has_totals);
        self.plans.get(&epoch).filter(|_| !is_left).cloned()
    }
}

/// The bundles of one subscriber, to be handed in.
pub struct Made {
    subscriber: usize,
    parcels: Vec<Parcel>,
}

impl Made {
    /// How many bundles and events there are, padding not counted.
    pub fn count(&self) -> (usize, usize) {
        (self.parcels.len(), self.parcels.iter().map(|parcel| parcel.events.len()).sum())
    }

    /// Bytes of the bundles.
    pub fn bytes(&self) -> usize {
        self.parcels.iter().map(|parcel| parcel.bytes.len()).sum()
    }
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

    /// Has devices make their bundles, and hands each to all three parties. A bundle that two took in is handed in; the
    /// third gets it from them.
    ///
    /// # Errors
    /// If a bundle cannot be made, or two parties do not take it in.
    pub fn hand_in(&mut self, opened: &OpenedEpoch, progress: &dyn Progress) -> Result<(), HostsError> {
        progress.begin(Stage::Bundles, self.workload.subscribers.len() as u64);
        let places: Vec<usize> = (0..self.workload.subscribers.len()).collect();
        for group in places.chunks(GROUP) {
            let made = self.make(opened, group)?;
            self.submit(made, GROUP, progress)?;
        }
        progress.end(Stage::Bundles);
        Ok(())
    }

    /// Has the devices of some subscribers, by their places, make their bundles.
    ///
    /// # Errors
    /// If a bundle cannot be made.
    pub fn make(&self, opened: &OpenedEpoch, places: &[usize]) -> Result<Vec<Made>, HostsError> {
        let (world, workload) = (&self.world, &self.workload);
        let make = |place: &usize| {
            let mut device = Device::new(world, opened, &workload.subscribers[*place])?;
            Ok::<_, HostsError>(Made { subscriber: *place, parcels: device.bundles(0)? })
        };
        places.par_iter().map(make).collect()
    }

    /// Hands bundles in to all three parties, those of `lanes` subscribers side by side: a subscriber's own go on from each
    /// other.
    ///
    /// # Errors
    /// If two parties do not take one in.
    pub fn submit(
        &mut self,
        made: Vec<Made>,
        lanes: usize,
        progress: &dyn Progress,
    ) -> Result<(), HostsError> {
        let http = &self.http;
        let handed = in_lanes(made, lanes, |Made { subscriber, parcels }| {
            parcels.iter().try_for_each(|parcel| submit(http, parcel))?;
            progress.advance(Stage::Bundles, 1);
            Ok(parcels.into_iter().map(move |parcel| HandedIn { subscriber, parcel }))
        })?;
        self.handed_in.extend(handed.into_iter().flatten());
        Ok(())
    }

    /// Whether revenue of the epoch in hand is left unreported once it has totals, so that its books stay open.
    pub fn leave_unreported(&self, leave: bool) {
        self.desk.lock().expect("no panic").unreported = leave.then_some(self.world.epoch);
    }

    /// Goes on to the next epoch, which opens as soon as nothing more can be added to the one in hand. That one is closed
    /// meanwhile.
    ///
    /// # Errors
    /// If its keys cannot be put on record.
    pub fn turn(&mut self, progress: &dyn Progress) -> Result<(), HostsError> {
        let (epoch, truth, bundles) = (self.world.epoch, self.truth(), self.bundles());
        self.before = Some(Before { epoch, truth, bundles });
        (self.handed_in, self.reported) = (Vec::new(), Vec::new());
        self.world.turn(&self.workload, None, progress)?;
        registry::publish(&self.world, &self.mirror, progress)?;
        self.desk.lock().expect("no panic").plans.insert(self.world.epoch, self.world.plan());
        Ok(())
    }

    /// Waits until the epoch before the one in hand is settled, and checks what came of it.
    ///
    /// # Errors
    /// If it is not settled in time, or its record does not hold.
    ///
    /// # Panics
    /// If there is none.
    pub fn settled_before(&mut self, progress: &dyn Progress) -> Result<Settled, HostsError> {
        let before = self.before.take().expect("an epoch before this one");
        self.settled_of(before, progress)
    }

    /// Waits until the epoch is settled, checks what came of it, and ends everything.
    ///
    /// # Errors
    /// If it is not settled in time, or its record does not hold.
    pub fn settle(mut self, progress: &dyn Progress) -> Result<Settled, HostsError> {
        let settled = self.settled(progress)?;
        self.end();
        Ok(settled)
    }

    /// Waits until the epoch is settled, and checks what came of it. Everything goes on running.
    ///
    /// # Errors
    /// If it is not settled in time, or its record does not hold.
    pub fn settled(&mut self, progress: &dyn Progress) -> Result<Settled, HostsError> {
        let (epoch, truth, bundles) = (self.world.epoch, self.truth(), self.bundles());
        let clients = self.reported.len();
        let settled = self.settled_of(Before { epoch, truth, bundles }, progress)?;
        Ok(Settled { clients, ..settled })
    }

    fn settled_of(&mut self, of: Before, progress: &dyn Progress) -> Result<Settled, HostsError> {
        progress.begin(Stage::Settling, 1);
        let Before { epoch, truth, bundles } = of;
        let over = |ledger: &Ledger| ledger.state().epochs.get(&epoch).is_some_and(|on| on.is_over());
        let begun = Instant::now();
        while !wait_until(&self.mirror, LOOK_EVERY, over) {
            if let Some(offices) = self.offices.take_if(|offices| offices.is_finished()) {
                offices.join().expect("no panic")?;
            }
            if begun.elapsed() > self.options.window + MOVING {
                return Err(HostsError::Stalled { what: "end", dir: self.options.dir.clone() });
            }
        }
        progress.end(Stage::Settling);
        let record = self.mirror.read(|ledger| light::record(ledger, epoch))?;
        light::verify(&record, None).map_err(HostsError::Light)?;
        let (comparison, carried) = check::compare(&truth, &record, &self.carried);
        self.carried = carried;
        Ok(Settled { record, comparison, bundles, clients: 0 })
    }

    /// Bundles of the epoch in hand.
    fn bundles(&self) -> usize {
        self.handed_in.len() + self.reported.iter().map(|reported| reported.bundles).sum::<usize>()
    }

    /// Asks every process to end, and waits until it has.
    pub fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let node = [&mut self.node];
        self.hosts.values_mut().chain(&mut self.issuers).chain(node).for_each(Process::end);
    }

    /// What was handed in, in the open: what devices put into bundles, and all that is in the logs of clients.
    fn truth(&self) -> Vec<TruthRow> {
        let by_devices = self.handed_in.iter().flat_map(|HandedIn { subscriber, parcel }| {
            parcel.events.iter().map(|place| self.row(*subscriber, *place, parcel.region))
        });
        let by_clients = self.reported.iter().flat_map(|Reported { subscriber, .. }| {
            let SubscriberSpec { events, region, .. } = &self.workload.subscribers[*subscriber];
            (0..events.len()).map(|place| self.row(*subscriber, place, *region))
        });
        by_devices.chain(by_clients).collect()
    }

    /// One event of a subscriber, by its place, with the region of its bundle.
    fn row(&self, subscriber: usize, place: usize, region: RegionTag) -> TruthRow {
        let (params, subscriber) = (&self.options.params, &self.workload.subscribers[subscriber]);
        let event = &subscriber.events[place];
        TruthRow {
            epoch: self.world.epoch.0,
            subscriber: subscriber.name.clone(),
            tier: subscriber.tier.0,
            region: u8::from(region),
            work_id: self.world.works[event.work],
            view: event.view,
            quarters: event.quarters,
            backed: u8::from(event.backed),
            value: event_value(params.k, params.j_max, event.view, event.quarters),
        }
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Hands a bundle to all three parties, the same bytes again as long as fewer than two have taken it in.
fn submit(http: &HttpParties, parcel: &Parcel) -> Result<(), HostsError> {
    let begun = Instant::now();
    let mut taken = [false; 3];
    loop {
        let mut reason = String::new();
        for party in PartyId::ALL.into_iter().filter(|party| !taken[party.index()]).collect::<Vec<_>>() {
            match http.submit(party, &parcel.id, &parcel.bytes) {
                Ok(Answer::Promised(_)) => taken[party.index()] = true,
                Ok(Answer::Waiting) => {}
                Ok(Answer::Refused { text, .. }) => reason = format!("party {party}: {text}"),
                Err(LinkError::Busy { .. }) => {}
                Err(error) => reason = format!("party {party}: {error}"),
            }
        }
        let count = taken.iter().filter(|taken| **taken).count();
        if count == 3 || (count == 2 && begun.elapsed() > AGAIN) {
            return Ok(());
        }
        if begun.elapsed() > STARTING {
            return Err(HostsError::NotTaken { bundle: parcel.id, count, reason });
        }
        thread::sleep(AGAIN);
    }
}

/// Does something with each of a list, with `lanes` of them at a time. What comes of them is in no order. After one that
/// fails no other is begun.
fn in_lanes<I: Send, T: Send>(
    list: Vec<I>,
    lanes: usize,
    act: impl Fn(I) -> Result<T, HostsError> + Sync,
) -> Result<Vec<T>, HostsError> {
    let next = Mutex::new(list.into_iter());
    let lane = || {
        let mut done = Vec::new();
        loop {
            let Some(one) = next.lock().expect("no panic").next() else { return Ok(done) };
            match act(one) {
                Ok(came) => done.push(came),
                Err(error) => {
                    next.lock().expect("no panic").by_ref().for_each(drop);
                    return Err(error);
                }
            }
        }
    };
    let lanes: Vec<Result<Vec<T>, HostsError>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..lanes.max(1)).map(|_| scope.spawn(lane)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    lanes.into_iter().collect::<Result<Vec<_>, _>>().map(|done| done.into_iter().flatten().collect())
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
