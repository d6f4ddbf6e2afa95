//! A pilot's processes, for tests of what its operators do.

use crate::common::{cwe, stdout};
use serde_json::Value;
use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a step may take on a machine with other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);
/// From the node's port to those of all others, as `cwe init committee --help` has them.
const PORTS: [u16; 9] = [0, 101, 102, 103, 201, 202, 203, 301, 302];

/// A process in a folder of the pilot, with a log.
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    pub(crate) child: Child,
}

impl Process {
    /// Starts the command in a folder.
    pub(crate) fn start(pilot: &Path, folder: &str, arguments: &[&str]) -> Self {
        let dir = pilot.join(folder);
        let log = dir.join("log.txt");
        let file = File::create(&log).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_cwe"))
            .args(arguments)
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("the same file"))
            .stderr(file)
            .spawn()
            .expect("it starts");
        Self { name: folder.into(), log, child }
    }

    /// What it has said.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it has said something.
    pub(crate) fn wait_for(&mut self, words: &str) {
        let begun = Instant::now();
        while !self.text().contains(words) {
            let ended = self.child.try_wait().expect("a child");
            let in_time = ended.is_none() && begun.elapsed() < PATIENCE;
            assert!(in_time, "{} never says {words:?}: {}", self.name, self.text());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks it to end, and sees it end well.
    pub(crate) fn end(mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(asked.success());
        let ended = self.child.wait().expect("it ends");
        assert_eq!(ended.code(), Some(0), "{}: {}", self.name, self.text());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port from which all that the pilot needs are free. Tests that run beside each other begin a whole pilot apart.
pub(crate) fn port() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let begin = 20_000 + 400 * u16::try_from(std::process::id() % 80).expect("small");
    let mut ports = (begin..=60_000).step_by(400);
    ports.find(|port| PORTS.iter().all(|more| is_free(port + more))).expect("free ports")
}

/// Runs the command, which ends well.
#[track_caller]
pub(crate) fn done(arguments: &[&str]) -> Output {
    let output = cwe(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
    output
}

/// What a command printed, as JSON.
pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_str(stdout(output)).expect("JSON")
}
