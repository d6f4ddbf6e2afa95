//! Subscribers' clients as processes: each has a code for each issuer, hands in what its log says, and checks in the end that
//! it was counted.

use super::{
    Hosts, HostsError, devices::in_lanes, failed, folder, issuers, processes, settings::ClientFile,
    write_private,
};
use crate::{
    device,
    progress::{Progress, Stage},
    workload::{SubscriberSpec, draw},
    world::World,
};
use chain::node::origin;
use engine::{
    issuer::{Code, Serving, Subscriber, codes},
    message::OpenedEpoch,
};
use primitives::PartyId;
use proofs::receipt::Denomination;
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    fmt::Write,
    fs, io,
    path::PathBuf,
    process::ExitStatus,
    time::{SystemTime, UNIX_EPOCH},
};

/// Stages of a client that hands in. Its lines say when each is over.
const STAGES: [Stage; 4] = [Stage::Tokens, Stage::Receipts, Stage::Bundles, Stage::HandedIn];
/// Seconds that a work lasts, and a quarter of it.
const LENGTH: u32 = 200;
const QUARTER: u32 = LENGTH / 4;
/// The longest that a client asks what became of its bundles, in seconds.
const ASKING: &str = "60";

/// What a client printed when it handed in, and when it was asked what became of that.
const SUBMITTED: &str = "submitted.json";
const STATUS: &str = "status.json";

/// What a client handed in: all that its log has.
pub(super) struct Reported {
    /// Whose client, by its place.
    pub(super) subscriber: usize,
    /// Bundles.
    pub(super) bundles: usize,
}

/// What `cwe client submit` prints, as far as it is looked at.
#[derive(Deserialize)]
struct Report {
    summary: Summary,
    bundles: Vec<String>,
}

#[derive(Deserialize)]
struct Summary {
    plays: usize,
    events: usize,
}

/// What `cwe client status` prints, as far as it is looked at.
#[derive(Deserialize)]
struct Status {
    bundles: Vec<Standing>,
}

#[derive(Deserialize)]
struct Standing {
    state: String,
    #[serde(default)]
    inclusion_checked: bool,
}

impl Hosts {
    /// Starts the issuers, and makes a folder for the client of everybody who played something, with a code for each issuer.
    ///
    /// # Errors
    /// If a file cannot be written, or an issuer does not answer.
    pub fn start_issuers(&mut self) -> Result<(), HostsError> {
        let genesis = origin::to_json(&self.world.genesis());
        issuers::lay_out(&self.options, &self.world, &self.ports, &genesis)?;
        for place in self.with_plays() {
            self.lay_out_client(place, &genesis)?;
        }
        self.issuers = issuers::start(&self.options, &self.world, &self.ports)?;
        Ok(())
    }

    /// Has the clients hand in what was played, `lanes` of them side by side. The issuers have to run.
    ///
    /// # Errors
    /// If a client does not hand everything in.
    pub fn hand_in_by_clients(
        &mut self,
        opened: &OpenedEpoch,
        lanes: usize,
        progress: &dyn Progress,
    ) -> Result<(), HostsError> {
        let places = self.with_plays();
        let totals = self.totals(opened, &places)?;
        let stages = || STAGES.into_iter().zip(totals).filter(|(_, total)| *total > 0);
        stages().for_each(|(stage, total)| progress.begin(stage, total));
        let hosts = &*self;
        let reported = in_lanes(places, lanes, |place| hosts.submit_by_client(place, progress))?;
        stages().for_each(|(stage, _)| progress.end(stage));
        self.reported.extend(reported);
        Ok(())
    }

    /// Has each client check that its bundles are in batches that the committee signed and the chain has: of how many that
    /// is so.
    ///
    /// # Errors
    /// If a client does not come to its end.
    pub fn confirm(&self, lanes: usize, progress: &dyn Progress) -> Result<usize, HostsError> {
        progress.begin(Stage::Inclusion, self.reported.iter().map(|reported| reported.bundles as u64).sum());
        let arguments = ["client", "status", "--config", "client.toml", "--wait", ASKING, "-o", "json"];
        let checked = in_lanes(self.reported.iter().collect(), lanes, |Reported { subscriber, bundles }| {
            let ended = self.run_client(*subscriber, &arguments, STATUS, |_| ())?;
            // One that says what is missing has looked.
            let looked = matches!(ended.code(), Some(0 | 1));
            let status: Status =
                self.printed(*subscriber, STATUS, (looked, "say what became of its bundles"))?;
            let is_checked = |bundle: &&Standing| bundle.state == "final" && bundle.inclusion_checked;
            progress.advance(Stage::Inclusion, *bundles as u64);
            Ok(status.bundles.iter().filter(is_checked).count())
        })?;
        progress.end(Stage::Inclusion);
        Ok(checked.into_iter().sum())
    }

    /// Everybody who played something.
    fn with_plays(&self) -> Vec<usize> {
        let subscribers = self.workload.subscribers.iter().enumerate();
        subscribers.filter(|(_, one)| !one.events.is_empty()).map(|(place, _)| place).collect()
    }

    fn client(&self, place: usize) -> PathBuf {
        folder(&self.options.dir, "clients").join((place + 1).to_string())
    }

    /// Makes the folder of a client, and has its codes on the issuers' lists.
    fn lay_out_client(&self, place: usize, genesis: &str) -> Result<(), HostsError> {
        let SubscriberSpec { name, tier, region, events } = &self.workload.subscribers[place];
        let [tokens, receipts] = self.ports.issuers().map(|listen| format!("http://{listen}"));
        let settings = ClientFile {
            node: self.ports.node_url(),
            parties: PartyId::ALL.map(|party| self.ports.api_url(party)),
            tier: *tier,
            tokens,
            receipts: region.0.map(|region| (region, receipts)),
        };
        let dir = self.client(place);
        let unmade = |error| failed(&dir.display().to_string(), error);
        fs::create_dir_all(&dir).map_err(unmade)?;
        fs::write(dir.join("client.toml"), settings.to_string()).map_err(unmade)?;
        fs::write(dir.join("genesis.json"), genesis).map_err(unmade)?;

        let mut rng = draw::rng("codes", self.world.seed, name);
        let mut code = |file: &str| {
            let code = Code::generate(&mut rng);
            let written = write_private(&dir.join(file), &format!("{}\n", code.reveal()));
            written.map_err(unmade).map(|()| code.hash())
        };
        let unlisted = |error| failed("a list of codes", io::Error::other(error));
        let [subscribers, serving] = issuers::lists(&self.options.dir);
        let paid = Subscriber::new(code("token.code")?, *tier);
        codes::add(subscribers, paid).map_err(unlisted)?;
        if region.0.is_some() {
            let views = events.iter().filter(|event| event.backed).count() as u64;
            let served = Serving::new(code("receipt.code")?, views);
            codes::add(serving, served).map_err(unlisted)?;
        }
        Ok(())
    }

    /// Steps of each of [`STAGES`] for some subscribers.
    fn totals(&self, opened: &OpenedEpoch, places: &[usize]) -> Result<[u64; STAGES.len()], HostsError> {
        let (mut receipts, mut bundles) = (0, 0);
        for place in places {
            let subscriber = &self.workload.subscribers[*place];
            for events in device::cut(&self.world, opened, subscriber)? {
                let backed = events.iter().filter(|event| subscriber.events[**event].backed).count();
                receipts += Denomination::cover(backed).len() as u64;
                bundles += 1;
            }
        }
        Ok([places.len() as u64, receipts, bundles, bundles])
    }

    /// Writes the log of a subscriber, and has the client hand it in.
    fn submit_by_client(&self, place: usize, progress: &dyn Progress) -> Result<Reported, HostsError> {
        let (dir, subscriber) = (self.client(place), &self.workload.subscribers[place]);
        let path = dir.join("plays.csv");
        fs::write(&path, log(&self.world, subscriber))
            .map_err(|error| failed(&path.display().to_string(), error))?;
        let arguments = ["client", "submit", "--config", "client.toml", "--log", "plays.csv", "-o", "json"];
        let ended = self.run_client(place, &arguments, SUBMITTED, |line| {
            for stage in STAGES {
                stage.steps_over(line).into_iter().for_each(|steps| progress.advance(stage, steps));
            }
        })?;
        let what = "hand in what its log says";
        let Report { summary, bundles } = self.printed(place, SUBMITTED, (ended.success(), what))?;
        // Nobody compares with plays that the client left out.
        let played = subscriber.events.len();
        let all = (summary.plays, summary.events) == (played, played);
        if all {
            Ok(Reported { subscriber: place, bundles: bundles.len() })
        } else {
            Err(self.stuck(place, what))
        }
    }

    fn run_client(
        &self,
        place: usize,
        arguments: &[&str],
        printed: &str,
        said: impl FnMut(&str),
    ) -> Result<ExitStatus, HostsError> {
        let (dir, program) = (self.client(place), self.options.program.as_path());
        let ended = processes::run_to_end((program, &dir), arguments, printed, said);
        ended.map_err(|error| failed("a client", error))
    }

    /// What a client printed into a file, if it did what it was to do.
    fn printed<T: DeserializeOwned>(
        &self,
        place: usize,
        file: &str,
        (done, what): (bool, &'static str),
    ) -> Result<T, HostsError> {
        let read = fs::read(self.client(place).join(file)).ok();
        let printed = read.filter(|_| done).and_then(|printed| serde_json::from_slice(&printed).ok());
        printed.ok_or_else(|| self.stuck(place, what))
    }

    fn stuck(&self, place: usize, what: &'static str) -> HostsError {
        let subscriber = self.workload.subscribers[place].name.clone();
        HostsError::Client { subscriber, what, log: self.client(place).join(processes::LOG) }
    }
}

/// The log of a subscriber, as a player on a device keeps it.
fn log(world: &World, subscriber: &SubscriberSpec) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut text = String::from("time,work,seconds_played,length_seconds,backed\n");
    for event in &subscriber.events {
        let (work, played) = (world.works[event.work], u32::from(event.quarters) * QUARTER);
        let backed = if event.backed { "yes" } else { "no" };
        // Plays of one second stay in their order.
        writeln!(text, "{now},{work},{played},{LENGTH},{backed}").expect("a string takes every line");
    }
    text
}
