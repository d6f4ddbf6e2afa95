//! Processes with their folders, settings and logs.

use super::{HostsError, Options, failed, folder};
use crate::world::World;
use chain::{node::origin, wallet::keyfile};
use primitives::{PartyId, ids::to_hex};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long a process may take to end that was asked to.
const ENDING: Duration = Duration::from_secs(30);
/// Says what a process logs. A run's folder is there to be looked at.
const LOG_LEVEL: &str = "CWE_LOG";
/// Name of a process's log in its folder.
const LOG: &str = "log.txt";

/// Addresses on this machine that were free a moment ago.
pub(super) struct Ports {
    node: SocketAddr,
    links: [SocketAddr; 3],
    apis: [SocketAddr; 3],
}

impl Ports {
    pub(super) fn free() -> io::Result<Self> {
        let held: Vec<TcpListener> =
            (0..7).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<_>>()?;
        let at = |place: usize| held[place].local_addr();
        Ok(Self { node: at(0)?, links: [at(1)?, at(2)?, at(3)?], apis: [at(4)?, at(5)?, at(6)?] })
    }

    pub(super) fn node_url(&self) -> String {
        format!("ws://{}", self.node)
    }

    pub(super) fn api_url(&self, party: PartyId) -> String {
        format!("http://{}", self.apis[party.index()])
    }
}

/// A process of a run, in a folder of its own.
pub struct Process {
    program: PathBuf,
    arguments: Vec<String>,
    dir: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Starts the program in the folder of a name, with what it says in a log there.
    pub(super) fn start(options: &Options, name: &str, arguments: &[&str]) -> Result<Self, HostsError> {
        let (program, dir) = (options.program.clone(), folder(&options.dir, name));
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut process = Self { program, arguments, dir, child: None };
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
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .current_dir(&self.dir)
            .env(LOG_LEVEL, std::env::var(LOG_LEVEL).unwrap_or_else(|_| "info".into()))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.child = Some(child);
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

/// Makes the folders of all processes, with their settings and keys.
pub(super) fn lay_out(options: &Options, world: &World, ports: &Ports) -> Result<(), HostsError> {
    let at = |name: &str| folder(&options.dir, name);
    let write = |path: &Path, text: &str| {
        fs::write(path, text).map_err(|error| failed(&path.display().to_string(), error))
    };
    let genesis = origin::to_json(&world.genesis());
    for name in ["node", "party-1", "party-2", "party-3"] {
        fs::create_dir_all(at(name)).map_err(|error| failed(&at(name).display().to_string(), error))?;
        write(&at(name).join("genesis.json"), &genesis)?;
    }
    let key = at("node").join("sequencer.key");
    keyfile::write(&key, &world.sequencer_key())
        .map_err(|error| failed(&key.display().to_string(), io::Error::other(error.to_string())))?;
    let node = format!(
        "role = \"sequencer\"\ndir = \"data\"\ngenesis = \"genesis.json\"\nkey = \"sequencer.key\"\nlisten = \"{}\"\n\
         block_seconds = 1\nheartbeat_seconds = 5\n",
        ports.node
    );
    write(&at("node").join("node.toml"), &node)?;
    for party in PartyId::ALL {
        let dir = at(&format!("party-{party}"));
        let secret = dir.join("host.secret");
        write_private(&secret, &format!("{}\n", to_hex(world.host_secret(party).expose())))
            .map_err(|error| failed(&secret.display().to_string(), error))?;
        let peers = [party.next(), party.previous()];
        let peers = peers.map(|peer| format!("{peer} = \"{}\"\n", ports.links[peer.index()])).concat();
        let settings = format!(
            "party = {party}\ndir = \"data\"\ngenesis = \"genesis.json\"\nsecret = \"host.secret\"\nnode = \"{}\"\n\
             links = \"{}\"\napi = \"{}\"\nwindow_seconds = {}\nbatch = {}\ntick_milliseconds = {}\n\n[peers]\n{peers}",
            ports.node_url(),
            ports.links[party.index()],
            ports.apis[party.index()],
            options.window.as_secs().max(1),
            options.batch,
            options.tick.as_millis().max(10),
        );
        write(&dir.join("party.toml"), &settings)?;
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
