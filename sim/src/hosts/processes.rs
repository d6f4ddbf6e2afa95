//! Processes with their folders, settings and logs.

use super::{
    Cable, HostsError, Options, Sites, failed, folder,
    settings::{NodeFile, PartyFile, PeerLine},
};
use crate::world::World;
use chain::{node::origin, wallet::keyfile};
use engine::host::Seat;
use primitives::{PartyId, ids::to_hex};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// How long a process may take to end that was asked to.
const ENDING: Duration = Duration::from_secs(30);
/// Says what a process logs. A run's folder is there to be looked at.
const LOG_LEVEL: &str = "CWE_LOG";
/// Has a process end when its standard input does, and so not outlive this program, not even if that is killed.
const BOUND: &str = "--ends-with-stdin";
/// Name of a process's log in its folder.
pub(super) const LOG: &str = "log.txt";

/// Addresses that were free a moment ago, or whose ports were free here.
pub(super) struct Ports {
    node: SocketAddr,
    /// By seat.
    links: BTreeMap<Seat, SocketAddr>,
    apis: BTreeMap<Seat, SocketAddr>,
    /// Of tokens, and of receipts.
    issuers: [SocketAddr; 2],
    /// Where a host reaches another, if a cable lies between them.
    cables: BTreeMap<(Seat, Seat), SocketAddr>,
}

impl Ports {
    pub(super) fn free(sites: &Sites) -> io::Result<Self> {
        let held: Vec<TcpListener> = (0..3 + 2 * Seat::ALL.len())
            .map(|_| TcpListener::bind((sites.here, 0)))
            .collect::<io::Result<_>>()?;
        let mut free = held.iter().map(TcpListener::local_addr);
        let mut next = || free.next().expect("one for each");
        let node = next()?;
        let (mut links, mut apis) = (BTreeMap::new(), BTreeMap::new());
        for seat in Seat::ALL {
            links.insert(seat, sites.of(seat, next()?));
            apis.insert(seat, sites.of(seat, next()?));
        }
        Ok(Self { node, links, apis, issuers: [next()?, next()?], cables: BTreeMap::new() })
    }

    pub(super) fn node_url(&self) -> String {
        format!("ws://{}", self.node)
    }

    pub(super) fn api_url(&self, party: PartyId) -> String {
        format!("http://{}", self.apis[&Seat::Party(party)])
    }

    /// Where the issuers of tokens and of receipts listen.
    pub(super) fn issuers(&self) -> [SocketAddr; 2] {
        self.issuers
    }

    /// Lays a cable between any two hosts: of two, the lower one dials.
    pub(super) fn lay_cables(&mut self) -> io::Result<BTreeMap<(Seat, Seat), Cable>> {
        let mut cables = BTreeMap::new();
        for from in Seat::ALL {
            for to in Seat::ALL.into_iter().filter(|to| from.dials(*to)) {
                let cable = Cable::lay(self.links[&to])?;
                self.cables.insert((from, to), cable.at());
                cables.insert((from, to), cable);
            }
        }
        Ok(cables)
    }

    fn link(&self, from: Seat, to: Seat) -> SocketAddr {
        *self.cables.get(&(from, to)).unwrap_or(&self.links[&to])
    }
}

/// What a process uses.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// Processor time of the threads that run, by their names.
    pub cpu: BTreeMap<String, Duration>,
    /// Bytes in memory now.
    pub resident: u64,
    /// Most bytes that were in memory.
    pub peak: u64,
}

/// A process of a run, in a folder of its own.
pub struct Process {
    /// The program, after the command that runs it where it is to be, with its arguments.
    line: Vec<OsString>,
    dir: PathBuf,
    /// It ends by itself once its standard input is closed, which the system does when this program is gone.
    child: Option<Child>,
}

impl Process {
    /// Starts the program in the folder of a name, with what it says in a log there, through a command if there is one.
    pub(super) fn start(
        options: &Options,
        (name, through): (&str, &[String]),
        arguments: &[&str],
    ) -> Result<Self, HostsError> {
        let program = [options.program.clone().into_os_string()];
        let line = through.iter().map(OsString::from).chain(program);
        let arguments = arguments.iter().chain(&[BOUND]).map(OsString::from);
        let line = line.chain(arguments).collect();
        let mut process = Self { line, dir: folder(&options.dir, name), child: None };
        process.run().map_err(|error| failed(&format!("{name} cannot be started"), error))?;
        Ok(process)
    }

    /// Starts it, if it does not run.
    ///
    /// # Errors
    /// If the system does not.
    pub fn run(&mut self) -> io::Result<()> {
        if self.child.is_some() {
            return Ok(());
        }
        let log = append(&self.log())?;
        let (program, arguments) = self.line.split_first().expect("a program");
        let mut command = command(Path::new(program), &self.dir);
        self.child = Some(command.args(arguments).stdout(log.try_clone()?).stderr(log).spawn()?);
        Ok(())
    }

    /// Kills it, as a machine does that loses its power: nothing is finished, nothing is said.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Has it stand still, or go on, as a machine does that is out of breath.
    ///
    /// # Errors
    /// If the system does not.
    pub fn stand_still(&mut self, still: bool) -> io::Result<()> {
        let Some(child) = &self.child else { return Ok(()) };
        let signal = if still { "-STOP" } else { "-CONT" };
        Command::new("kill").args([signal, &child.id().to_string()]).status().map(drop)
    }

    /// Asks it to end, and kills it if it does not.
    pub(super) fn end(&mut self) {
        let Some(child) = &mut self.child else { return };
        let asked = Command::new("kill").arg(child.id().to_string()).status();
        let begun = Instant::now();
        while asked.is_ok() && begun.elapsed() < ENDING {
            if matches!(child.try_wait(), Ok(Some(_))) {
                self.child = None;
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.kill();
    }

    /// What it uses, by the kernel's account. Nothing where the kernel keeps none, or it does not run.
    pub fn usage(&self) -> Option<Usage> {
        let dir = PathBuf::from("/proc").join(self.child.as_ref()?.id().to_string());
        let mut cpu = BTreeMap::new();
        for task in fs::read_dir(dir.join("task")).ok()?.flatten() {
            // A thread may end meanwhile.
            let read = |name: &str| fs::read_to_string(task.path().join(name));
            let (Ok(name), Ok(account)) = (read("comm"), read("schedstat")) else { continue };
            let nanoseconds = account.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0);
            *cpu.entry(name.trim().to_owned()).or_default() += Duration::from_nanos(nanoseconds);
        }
        let status = fs::read_to_string(dir.join("status")).ok()?;
        let kilobytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<u64>().ok()
        };
        Some(Usage { cpu, resident: kilobytes("VmRSS")? << 10, peak: kilobytes("VmHWM")? << 10 })
    }

    /// Its log.
    pub fn log(&self) -> PathBuf {
        self.dir.join(LOG)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs the program in a folder to its end; how it ended. What it prints is in a new file there of the name `printed`, and
/// what it says besides in its log: `said` hears each line of that.
///
/// # Errors
/// If it cannot be started, or a file cannot be written.
pub(super) fn run_to_end(
    (program, dir): (&Path, &Path),
    arguments: &[&str],
    printed: &str,
    mut said: impl FnMut(&str),
) -> io::Result<ExitStatus> {
    let (printed, mut log) = (File::create(dir.join(printed))?, append(&dir.join(LOG))?);
    let mut command = command(program, dir);
    let mut child = command.args(arguments).arg(BOUND).stdout(printed).stderr(Stdio::piped()).spawn()?;
    // Its standard input is open until it has ended.
    let held = child.stdin.take();
    let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let heard = lines.map_while(Result::ok).try_for_each(|line| {
        said(&line);
        writeln!(log, "{line}")
    });
    let ended = child.wait()?;
    drop(held);
    heard.map(|()| ended)
}

/// The program in a folder, with what it needs to be looked at, and a pipe to its standard input.
fn command(program: &Path, dir: &Path) -> Command {
    let mut command = Command::new(program);
    let level = std::env::var(LOG_LEVEL).unwrap_or_else(|_| "info".into());
    command.current_dir(dir).env(LOG_LEVEL, level).stdin(Stdio::piped());
    command
}

fn append(log: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(log)
}

/// The name of a host's folder.
pub fn name_of(seat: Seat) -> String {
    seat.to_string().replace(' ', "-")
}

/// Makes the folders of all processes, with their settings and keys.
pub(super) fn lay_out(options: &Options, world: &World, ports: &Ports) -> Result<(), HostsError> {
    let at = |name: &str| folder(&options.dir, name);
    let write = |path: &Path, text: &str| {
        fs::write(path, text).map_err(|error| failed(&path.display().to_string(), error))
    };
    let genesis = origin::to_json(&world.genesis());
    let names = Seat::ALL.map(name_of);
    for name in names.iter().map(String::as_str).chain(["node"]) {
        fs::create_dir_all(at(name)).map_err(|error| failed(&at(name).display().to_string(), error))?;
        write(&at(name).join("genesis.json"), &genesis)?;
    }
    let key = at("node").join("sequencer.key");
    keyfile::write(&key, &world.sequencer_key())
        .map_err(|error| failed(&key.display().to_string(), io::Error::other(error.to_string())))?;
    let node = NodeFile { listen: ports.node, block_seconds: 1, heartbeat_seconds: 5 };
    write(&at("node").join("node.toml"), &node.to_string())?;
    for seat in Seat::ALL {
        let dir = at(&name_of(seat));
        let secret = dir.join("host.secret");
        write_private(&secret, &format!("{}\n", to_hex(world.host_secret(seat).expose())))
            .map_err(|error| failed(&secret.display().to_string(), error))?;
        let peer = |peer| PeerLine {
            key: world.host_secret(peer).member().signing,
            address: ports.link(seat, peer).to_string(),
            name: peer.to_string(),
        };
        let settings = PartyFile {
            operator: None,
            node: ports.node_url(),
            links: ports.links[&seat],
            api: ports.apis[&seat],
            window: options.window,
            batch: options.batch,
            tick: options.tick,
            peers: Seat::ALL.into_iter().filter(|other| *other != seat).map(peer).collect(),
        };
        write(&dir.join("party.toml"), &settings.to_string())?;
    }
    Ok(())
}

/// Writes a new file that nobody else may read.
///
/// # Errors
/// If it cannot be written, or is there.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
