//! `cwe client`.

mod earlier;
mod failure;
mod print;
mod settings;

pub(crate) use failure::ClientFailure;

use crate::{
    cli::{Status, Submit, Whose},
    files::FileError,
    output::Failure,
    progress,
};
use chain::{
    modules::usage::Phase,
    node::{self, Following, Mirror},
};
use engine::{
    client::{
        BundleState, BundleStatus, Client, ClientError, Clock, Folder, JournalError, Lines, LinkError,
        MachineClock, Progress, Signers, UsageLog, http::HttpSigners,
    },
    message::OpenedEpoch,
    opening::{EpochDocument, OpeningError},
};
use primitives::{EpochId, Region, Tier, Time};
use proofs::{blind::BlindSignature, receipt::Denomination};
use rand_core::OsRng;
use settings::Setup;
use sim::progress::Stage;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long the client's own node may take to have all blocks: a chain of years, on a small machine.
const FOLLOWING: Duration = Duration::from_secs(3_600);
/// How often it is asked what became of bundles.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How far the clock of whatever wrote a log may be ahead of this machine's, in seconds.
const CLOCK_SLACK: u64 = 300;
/// What the folder of an epoch is called, before its number.
const EPOCH_FOLDER: &str = "epoch-";
/// The folder of the client's own node.
const CHAIN_FOLDER: &str = "chain";

/// A client with its own node, which has all blocks that there were when it started.
struct Desk {
    setup: Setup,
    mirror: Mirror,
}

impl Desk {
    fn open(whose: &Whose) -> Result<Self, Failure> {
        let setup = settings::read(whose)?;
        Ok(Self { mirror: follow(&setup)?, setup })
    }

    fn folder(&self, epoch: EpochId) -> PathBuf {
        self.setup.dir.join(format!("{EPOCH_FOLDER}{epoch}"))
    }

    /// What the chain has of an epoch.
    fn opened(&self, epoch: EpochId) -> Result<OpenedEpoch, OpeningError> {
        self.mirror.read(|ledger| EpochDocument::on_record(ledger.state(), epoch))?.opened()
    }

    fn client(&self, epoch: EpochId) -> Result<Client, ClientFailure> {
        let disk = Folder::open(self.folder(epoch))?;
        Ok(Client::open(Box::new(disk), self.opened(epoch)?, self.setup.own)?)
    }

    /// A failure of the client of an epoch, with its folder where that says more.
    fn failure(&self, error: ClientError) -> ClientFailure {
        match error {
            ClientError::OtherLog { epoch } => ClientFailure::OtherLog { dir: self.folder(epoch), epoch },
            error => error.into(),
        }
    }

    /// When the epoch opened, by the chain: its window begins then.
    fn opens(&self, epoch: EpochId) -> Option<Time> {
        self.mirror.read(|ledger| Some(ledger.state().openings.get(&epoch)?.opened))
    }

    /// The epoch that takes bundles in.
    fn open_epoch(&self) -> Result<EpochId, ClientFailure> {
        let (found, next, may_open) = self.mirror.read(|ledger| {
            let (state, origin) = (ledger.state(), ledger.origin());
            let (last, next) = (state.epochs.iter().next_back(), state.next_epoch(origin));
            let has_keys = state.issuer_keys.iter().any(|key| key.epoch == next);
            let may_open = has_keys && state.in_hand(origin).contains(&next);
            (last.map(|last| (last.epoch, last.phase)), next, may_open)
        });
        match found {
            Some((epoch, Phase::Open)) => Ok(epoch),
            // Whoever began in time may still find out what parties answer.
            Some((epoch, Phase::Frozen)) if self.is_begun(epoch)? => Ok(epoch),
            Some((epoch, phase)) => {
                let phase = format!("{phase:?}").to_lowercase();
                let then = if may_open { "may open any moment" } else { "is not open" };
                let what = format!("epoch {epoch} is {phase}, and epoch {next} {then}");
                Err(ClientFailure::NoEpoch { what, may_open })
            }
            None => {
                let what = "none has opened on this chain".into();
                Err(ClientFailure::NoEpoch { what, may_open: false })
            }
        }
    }

    /// Epochs for which there is a folder, in order.
    fn folders(&self) -> Vec<EpochId> {
        epochs(&self.setup.dir)
    }

    /// Forgets keys and plays of epochs that are over. What cannot be forgotten is named, and keeps nothing else from going
    /// on; a folder in which another client is at work is that one's.
    fn retire(&self, whose: &Whose) {
        for epoch in self.folders() {
            let dir = self.folder(epoch);
            let disk = Folder::open(&dir).map_err(ClientError::from);
            let retired = disk.and_then(|disk| Client::retire(Box::new(disk), epoch, &self.mirror));
            match retired {
                Ok(_) | Err(ClientError::Journal(JournalError::InUse { .. }) | ClientError::Record(_)) => {}
                Err(error) => print::kept(whose, &dir, &error),
            }
        }
    }

    /// Whether something was handed in for an epoch, or is about to be.
    fn is_begun(&self, epoch: EpochId) -> Result<bool, ClientFailure> {
        let folder = self.folder(epoch);
        Ok(folder.is_dir() && Client::decided(Box::new(Folder::open(folder)?))?.is_some())
    }

    /// Stops before anything of a log is sent that is wrong with it, as far as can be told: an epoch takes one log of a
    /// subscription, which cannot be corrected later.
    fn review(
        &self,
        arguments: &Submit,
        (epoch, log): (EpochId, &UsageLog),
        unknown: Option<&Lines>,
    ) -> Result<(), ClientFailure> {
        if !arguments.again {
            earlier::review((&arguments.log, log), &self.earlier(epoch)?)?;
        }
        match unknown {
            Some(lines) if !arguments.leave_out_unknown => {
                Err(ClientFailure::Unknown { log: arguments.log.clone(), lines: lines.clone(), epoch })
            }
            _ => Ok(()),
        }
    }
}

/// Starts the client's own node, and waits until it has every block.
fn follow(setup: &Setup) -> Result<Mirror, ClientFailure> {
    let dir = setup.dir.join(CHAIN_FOLDER);
    let io = |error: io::Error| FileError::Unwritten { path: dir.clone(), error };
    fs::create_dir_all(&dir).map_err(io)?;
    let following = Following { dir: dir.clone(), start: setup.start.clone(), url: setup.node.clone() };
    let mirror = Mirror::start(following, |_| ()).map_err(Box::new)?;
    if mirror.catch_up(FOLLOWING).map_err(Box::new)? {
        return Ok(mirror);
    }
    match mirror.stop() {
        Err(error) => Err(Box::new(error).into()),
        Ok(()) => Err(ClientFailure::Behind { dir }),
    }
}

/// Hands the plays of a log in.
pub(crate) fn submit(arguments: &Submit) -> Result<(), Failure> {
    // First what can be wrong without anybody else.
    let log = UsageLog::read(&arguments.log, |_| ()).map_err(ClientFailure::from)?;
    let now = node::now();
    if let Some(lines) = log.find(|play| play.time > now.0.saturating_add(CLOCK_SLACK)) {
        return Err(ClientFailure::Early { log: arguments.log.clone(), lines, now }.into());
    }
    let desk = Desk::open(&arguments.whose)?;
    desk.retire(&arguments.whose);
    let progress = progress::choose(arguments.quiet);
    let epoch = desk.open_epoch()?;
    let client = desk.client(epoch)?;
    let unknown = client.unknown(&log);
    if !client.is_begun(&log).map_err(|error| desk.failure(error))? {
        desk.review(arguments, (epoch, &log), unknown.as_ref())?;
    }
    print::unknown(&arguments.whose, epoch, unknown.as_ref());
    let earlier = desk.opens(epoch).and_then(|opens| Some((log.find(|play| play.time < opens.0)?, opens)));
    print::earlier(&arguments.whose, epoch, earlier.as_ref());
    let (mut token, mut receipts, mut made, mut taken) = (None, None, None, None);
    let mut tell = |at: Progress| match at {
        Progress::Token => step(&*progress, Stage::Tokens, &mut token, (1, 1)),
        Progress::Receipts { done, of } => step(&*progress, Stage::Receipts, &mut receipts, (done, of)),
        Progress::Made { done, of } => step(&*progress, Stage::Bundles, &mut made, (done, of)),
        Progress::Waits { pause } => print::delays(&arguments.whose, pause),
        Progress::TakenIn { done, of } => step(&*progress, Stage::HandedIn, &mut taken, (done, of)),
        _ => {}
    };
    let Setup { parties, signers, .. } = &desk.setup;
    let clock = Waiting {
        whose: &arguments.whose,
        desk: &desk,
        epoch,
        clock: MachineClock::default(),
        told: RefCell::default(),
    };
    let unbacked = Unbacked(signers);
    let signers: &dyn Signers = if arguments.without_receipts { &unbacked } else { signers };
    let report = client.run(&log, signers, (parties, &clock), &mut OsRng, &mut tell);
    let report = report.map_err(|error| desk.failure(error))?;
    let earlier = earlier.map(|(lines, _)| lines);
    print::report(&arguments.whose, epoch, &report, (earlier, unknown))
}

/// How often it is said for whom is waited.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Waits for others as long as the epoch takes bundles in, and says for whom.
struct Waiting<'a> {
    whose: &'a Whose,
    desk: &'a Desk,
    epoch: EpochId,
    clock: MachineClock,
    /// For whom that was said, and when last.
    told: RefCell<BTreeMap<&'static str, Duration>>,
}

impl Clock for Waiting<'_> {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn sleep(&self, pause: Duration) {
        self.clock.sleep(pause);
    }

    fn wait(&self, pause: Duration, came: &mut dyn FnMut(Duration) -> bool) {
        self.clock.wait(pause, came);
    }

    fn is_over(&self) -> bool {
        self.desk.mirror.read(|ledger| {
            let found = ledger.state().epochs.get(&self.epoch);
            found.is_some_and(|found| found.phase != Phase::Open)
        })
    }

    fn waits(&self, who: &'static str, error: &LinkError) {
        let now = self.now();
        let is_new = |at: &Duration| now.saturating_sub(*at) >= TELL_EVERY;
        if self.told.borrow().get(who).is_none_or(is_new) {
            self.told.borrow_mut().insert(who, now);
            print::waits(self.whose, who, error);
        }
    }
}

/// Signers of whom no receipt is asked.
struct Unbacked<'a>(&'a HttpSigners);

impl Signers for Unbacked<'_> {
    fn token(
        &self,
        epoch: EpochId,
        tier: Tier,
        request: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        self.0.token(epoch, tier, request)
    }

    fn receipt(
        &self,
        _: EpochId,
        _: (Region, Denomination),
        _: &BlindSignature,
    ) -> Result<BlindSignature, LinkError> {
        let text = "--without-receipts was given".into();
        Err(LinkError::Refused { kind: "not-asked".into(), text })
    }
}

/// Shows how far a stage is, from what it was at before.
fn step(
    progress: &dyn sim::progress::Progress,
    stage: Stage,
    before: &mut Option<usize>,
    (done, of): (usize, usize),
) {
    let last = match *before {
        Some(last) => last,
        None => {
            progress.begin(stage, of as u64);
            0
        }
    };
    progress.advance(stage, done.saturating_sub(last) as u64);
    if done == of && (last < of || before.is_none()) {
        progress.end(stage);
    }
    *before = Some(done);
}

/// Shows what became of the bundles.
pub(crate) fn status(arguments: &Status) -> Result<(), Failure> {
    let desk = Desk::open(&arguments.whose)?;
    desk.retire(&arguments.whose);
    let mut begun = Vec::new();
    for epoch in desk.folders() {
        begun.extend(desk.is_begun(epoch)?.then_some(epoch));
    }
    let (asked, dir) = (arguments.epoch, &desk.setup.dir);
    let epoch = begun.iter().rev().find(|epoch| asked.is_none_or(|asked| asked == **epoch)).copied();
    let nothing = || ClientFailure::Nothing { dir: dir.clone(), asked, epochs: begun };
    let epoch = epoch.ok_or_else(nothing)?;
    let client = desk.client(epoch)?;
    let (begun, patience) = (Instant::now(), Duration::from_secs(arguments.wait));
    let bundles = loop {
        let found = client.status(&desk.setup.parties, &desk.mirror).map_err(ClientFailure::from)?;
        if found.iter().all(is_decided) || begun.elapsed() >= patience {
            break found;
        }
        thread::sleep(ASK_EVERY);
    };
    print::bundles(&arguments.whose, epoch, &bundles)?;
    let missing = bundles.iter().filter(|bundle| matches!(bundle.state, BundleState::Missing { .. })).count();
    match missing {
        0 => Ok(()),
        count => Err(ClientFailure::Missing { count, dir: desk.folder(epoch) }.into()),
    }
}

/// Whether nothing more becomes of a bundle. One that is missing may be shown by a party that is away, or that hears of the
/// chain later than this client.
fn is_decided(bundle: &BundleStatus) -> bool {
    use BundleState::{Missing, Open, Provisional};
    !matches!(bundle.state, Open | Provisional { .. } | Missing { .. })
}

/// Epochs for which a folder has one, in order.
fn epochs(dir: &Path) -> Vec<EpochId> {
    let names = fs::read_dir(dir).into_iter().flatten();
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut epochs: Vec<_> = names.filter_map(|name| name.strip_prefix(EPOCH_FOLDER)?.parse().ok()).collect();
    epochs.sort_unstable();
    epochs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(epochs(dir.path()), []);
        for name in ["epoch-9", "epoch-10", "epoch-x", "chain"] {
            fs::create_dir(dir.path().join(name)).expect("made");
        }
        assert_eq!(epochs(dir.path()), [EpochId(9), EpochId(10)]);
        assert_eq!(epochs(&dir.path().join("nothing")), []);
    }
}
