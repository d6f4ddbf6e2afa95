//! Three places with a network namespace each, and between them a line that is slow and loses packets.
//!
//! They lie within a namespace that the test makes for itself. None of them has a name, and each is gone with the last of
//! its processes: there is nothing to clean up, and nothing of the machine's own network is changed. `relay.py` is the line:
//! it works where the kernel cannot lose packets by itself.

use serde::Deserialize;
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Programs that this takes, each with what makes it say its version.
const TOOLS: [(&str, &str); 4] =
    [("unshare", "--version"), ("nsenter", "--version"), ("ip", "-V"), ("python3", "--version")];
/// Commands that run a program in a network namespace of its own: as anybody, where the kernel lets anybody, and as root.
const ENTRIES: [&[&str]; 2] = [&["unshare", "--user", "--map-root-user", "--net"], &["unshare", "--net"]];
/// The line.
const RELAY: &str = include_str!("relay.py");

/// The places. The first is where the test itself is.
pub(crate) const PLACES: [&str; 3] = ["10.77.0.1", "10.77.0.2", "10.77.0.3"];
/// Bits of their addresses that all have in common.
const PREFIX: u8 = 24;

/// How the line is.
pub(crate) struct Quality {
    /// Which packets are lost follows from it and from their order.
    pub(crate) seed: u64,
    /// For how long each packet is on its way.
    pub(crate) delay: Duration,
    /// Of a hundred packets so many are lost.
    pub(crate) loss: u32,
}

/// What went from one place to another.
#[derive(Debug, Deserialize)]
pub(crate) struct Way {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) carried: u64,
    pub(crate) lost: u64,
}

/// What the line did.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) ways: Vec<Way>,
    /// The shortest time that it held a packet, in milliseconds.
    pub(crate) shortest_ms: f64,
}

/// The command that runs a program in a network namespace in which places can be made.
///
/// # Errors
/// If this machine does not allow that: why.
pub(crate) fn entry() -> Result<&'static [&'static str], String> {
    for (tool, version) in TOOLS {
        let there = Command::new(tool).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            return Err(format!("{tool} was not found"));
        }
    }
    let mut said = String::new();
    for entry in ENTRIES {
        let tried = [entry, &["ip", "tuntap", "add", "name", "probe", "mode", "tun"]].concat();
        let output = Command::new(tried[0]).args(&tried[1..]).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(entry);
        }
        said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    }
    Err(format!("no network namespace with a TUN device can be made here: {said}"))
}

/// A process that does nothing, and ends with this one at the latest.
struct Idle(Child);

impl Idle {
    /// Starts one in a new network namespace.
    fn apart() -> Self {
        let mut command = Command::new("unshare");
        let command = command.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("unshare starts");
        // It repeats what it hears once it is there.
        child.stdin.as_mut().expect("piped").write_all(b"?").expect("it listens");
        child.stdout.as_mut().expect("piped").read_exact(&mut [0]).expect("it is there");
        Self(child)
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The places and the line between them. Whoever makes it has to be in a namespace of its own already.
pub(crate) struct Network {
    /// Those who keep the namespaces of other places.
    apart: [Idle; PLACES.len() - 1],
    line: Idle,
}

impl Network {
    /// Makes places, and the line between them.
    pub(crate) fn lay(Quality { seed, delay, loss }: &Quality) -> Self {
        let device = |number: usize| format!("place{number}");
        let ends = PLACES.iter().enumerate().map(|(number, address)| format!("{}={address}", device(number)));
        let mut command = Command::new("python3");
        command.args(["-c", RELAY, &seed.to_string(), &delay.as_millis().to_string(), &loss.to_string()]);
        let command = command.args(ends).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut line = Idle(command.spawn().expect("python3 starts"));
        let mut ready = [0; 6];
        line.0.stdout.as_mut().expect("piped").read_exact(&mut ready).expect("the line is ready");
        assert_eq!(&ready, b"ready\n");

        let network = Self { apart: std::array::from_fn(|_| Idle::apart()), line };
        for (number, address) in PLACES.iter().enumerate() {
            let (device, through) = (device(number), network.through(number));
            if let Some(keeper) = number.checked_sub(1) {
                let process = network.apart[keeper].0.id().to_string();
                ip(&[], &["link", "set", "dev", &device, "netns", &process]);
            }
            ip(&through, &["link", "set", "dev", "lo", "up"]);
            ip(&through, &["address", "add", &format!("{address}/{PREFIX}"), "dev", &device]);
            ip(&through, &["link", "set", "dev", &device, "up"]);
        }
        network
    }

    /// The command that runs a program in a place. Empty for the first.
    pub(crate) fn through(&self, place: usize) -> Vec<String> {
        let Some(keeper) = place.checked_sub(1) else { return Vec::new() };
        let process = self.apart[keeper].0.id().to_string();
        ["nsenter", "--target", &process, "--net"].map(str::to_owned).to_vec()
    }

    /// Ends the line: what it did.
    pub(crate) fn cut(mut self) -> Report {
        let line = &mut self.line.0;
        drop(line.stdin.take());
        let mut told = String::new();
        BufReader::new(line.stdout.take().expect("piped")).read_line(&mut told).expect("the line tells");
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"))
    }
}

/// Has `ip` do something, through a command if there is one.
fn ip(through: &[String], arguments: &[&str]) {
    let line: Vec<&str> =
        through.iter().map(String::as_str).chain(["ip"]).chain(arguments.to_vec()).collect();
    let done = Command::new(line[0]).args(&line[1..]).output().expect("ip starts");
    assert!(done.status.success(), "{line:?}: {done:?}");
}
