//! What is killed leaves no process behind that it started.

#![cfg(target_os = "linux")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a demo may take until all are started.
const STARTING: Duration = Duration::from_secs(180);
/// How long those may take to end whose starter is gone.
const ENDING: Duration = Duration::from_secs(20);

/// Whoever is killed ends nothing: what the demo has started ends by itself all the same, and says so if it serves.
#[test]
fn a_demo_that_is_killed_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path().canonicalize().expect("its real name");
    let serving = ["node", "party-1", "party-2", "party-3", "standby", "token-issuer", "receipt-issuer"];
    for signal in ["-KILL", "-TERM"] {
        let run = dir.join(signal);
        let mut demo = Command::new(env!("CARGO_BIN_EXE_cwe"))
            .args(["demo", "--processes", "-q", "--subscribers", "5", "--works", "12", "--seed", "5"])
            .arg("--out")
            .arg(&run)
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        let begun = Instant::now();
        // With a client beside all who serve.
        let started = loop {
            let running = running_in(&run);
            if running.len() > serving.len() {
                break running;
            }
            assert!(demo.try_wait().expect("it is ours").is_none(), "it ended with {running:?}");
            assert!(begun.elapsed() < STARTING, "only {running:?} were started");
            thread::sleep(Duration::from_millis(20));
        };
        let killed = Command::new("kill").args([signal, &demo.id().to_string()]).status();
        assert!(killed.expect("kill starts").success());
        demo.wait().expect("it is ours");
        let begun = Instant::now();
        while !running_in(&run).is_empty() {
            assert!(begun.elapsed() < ENDING, "of {started:?} there still are {:?}", running_in(&run));
            thread::sleep(Duration::from_millis(20));
        }
        for name in serving {
            let log = fs::read_to_string(run.join(name).join("log.txt")).expect("its log");
            assert!(log.contains("stopped"), "{name} after {signal}: {log}");
        }
    }
}

/// Processes, by their numbers, that were started in a folder or in one within it.
fn running_in(dir: &Path) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let is_there = |process: &fs::DirEntry| {
        // One that has ended is nowhere.
        fs::read_link(process.path().join("cwd")).is_ok_and(|at| at.starts_with(dir))
    };
    let numbers = processes.filter(is_there).map(|process| process.file_name().to_str()?.parse().ok());
    numbers.flatten().collect()
}
