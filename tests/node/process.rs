//! A chain in a folder, nodes of it as processes, and transactions for them.

use crate::common::{cwe, path, stdout};
use chain::{
    Genesis, Payload, Transaction,
    modules::identity::{Register, Roles},
    node::{NodeClient, origin},
    signature::SecretKey,
    wallet::keyfile,
};
use primitives::{Digest, Domain, Encode, PersonId, hash, ids};
use rand_core::OsRng;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};
use tempfile::TempDir;

/// A chain for development, in a folder.
pub(crate) struct Net {
    pub(crate) dir: TempDir,
    /// What making it printed.
    pub(crate) printed: String,
}

impl Net {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let made = cwe(&["node", "init", path(dir.path()), "--chain", "31000", "-o", "json"]);
        assert_eq!(made.status.code(), Some(0), "{made:?}");
        Self { printed: stdout(&made).to_owned(), dir }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("node.toml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn genesis(&self) -> Genesis {
        let text = fs::read_to_string(self.dir.path().join("genesis.json")).expect("written");
        origin::from_json(&text).expect("a genesis")
    }

    pub(crate) fn key(&self, office: &str) -> SecretKey {
        keyfile::read(&self.dir.path().join("keys").join(format!("{office}.key"))).expect("a key")
    }

    /// Who holds an office.
    pub(crate) fn person(&self, office: &str) -> PersonId {
        let key = self.key(office).public_key();
        let genesis = self.genesis();
        genesis.offices.iter().find(|holder| holder.key == key).expect("an office").person
    }

    /// Arguments that run a node of this chain.
    pub(crate) fn run(&self, more: &[&str]) -> Vec<String> {
        let genesis = self.dir.path().join("genesis.json");
        let own = ["node", "run", "--genesis", path(&genesis), "-o", "json"];
        own.iter().chain(more).map(|text| (*text).to_owned()).collect()
    }

    /// The sequencer, on a port that is free.
    pub(crate) fn sequencer(&self, more: &[&str]) -> Process {
        let (config, own) = (self.config(), ["--listen", "127.0.0.1:0", "--block-seconds", "1", "--config"]);
        Process::start(&self.run(&[&own[..], &[path(&config)], more].concat()))
    }

    /// Transactions of the registrar.
    pub(crate) fn load(&self) -> Load {
        let (genesis, key) = (self.genesis(), self.key("registrar"));
        let office = genesis.offices.iter().find(|office| office.key == key.public_key());
        let signer = office.expect("an office").person;
        Load { genesis, key, signer, nonce: 0 }
    }
}

/// Transactions, each valid after the one before.
pub(crate) struct Load {
    genesis: Genesis,
    key: SecretKey,
    signer: PersonId,
    pub(crate) nonce: u64,
}

impl Load {
    /// Whose they are.
    pub(crate) fn signer(&self) -> PersonId {
        self.signer
    }

    /// The next, as it is submitted, and its identifier.
    pub(crate) fn next(&mut self) -> (Value, Digest) {
        let name = |what: &str| hash::hash(Domain::Simulation, &[what.as_bytes(), &self.nonce.to_le_bytes()]);
        let payload = Payload::Register(Register {
            person: PersonId(name("person").0),
            key: SecretKey::generate(&mut OsRng).public_key(),
            roles: Roles::CREATOR,
            credential: name("credential"),
            nullifier: name("nullifier"),
        });
        let by = (self.signer, self.nonce);
        let tx = Transaction::signed(payload, self.genesis.chain, by, &self.key, &mut OsRng);
        self.nonce += 1;
        (json!(ids::to_hex(&tx.to_bytes())), tx.id())
    }
}

/// A node as a process. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
    address: String,
    /// What it said of what it found when it started.
    pub(crate) restored: u64,
}

impl Process {
    pub(crate) fn start(arguments: &[String]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cwe"));
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().expect("the command runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut process = Self { child, lines, address: String::new(), restored: 0 };
        loop {
            let event = process.event().expect("it starts");
            match event["event"].as_str() {
                Some("restored") => process.restored = event["transactions"].as_u64().expect("a number"),
                Some("started") => {
                    process.address = event["listen"].as_str().expect("an address").to_owned();
                    return process;
                }
                _ => {}
            }
        }
    }

    fn event(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).expect("text");
        (read > 0).then(|| serde_json::from_str(&line).expect("one JSON object a line"))
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    pub(crate) fn client(&self) -> NodeClient {
        NodeClient::connect(&self.url()).expect("it answers")
    }

    /// The last thing that it said, once it has ended.
    pub(crate) fn last_event(&mut self) -> Option<Value> {
        let mut last = None;
        while let Some(event) = self.event() {
            last = Some(event);
        }
        last
    }

    /// Waits for a block.
    pub(crate) fn wait_for(&mut self, height: u64) {
        while self.event().expect("it runs")["height"] != json!(height) {}
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a service manager does, and gives its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let sent = Command::new("kill").arg(self.id().to_string()).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("it ends").code()
    }

    /// Ends it at once, with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
