//! The L1s that the suite runs on, and ports that fail as real ones do.

use alloy::primitives::Bytes;
use chain::bridge::{
    Address, B256, Embedded, Endpoint, Mining, Port, PortError, PrivateKeySigner, Receipt, U256,
    port::{Call, Fees},
};
use std::{
    cell::RefCell,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    rc::Rc,
};

/// A key of which anvil and the embedded L1 give the account wei. Everybody knows it.
pub(crate) fn rich() -> PrivateKeySigner {
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80".parse().expect("a key")
}

/// A key without wei.
pub(crate) fn key(n: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(n)).expect("a key")
}

pub(crate) fn ether(n: u64) -> U256 {
    U256::from(n) * U256::from(10).pow(U256::from(18))
}

/// An L1 that several connections reach.
pub(crate) trait Place {
    /// A new connection.
    fn connect(&self) -> Box<dyn Port>;
}

/// The embedded L1, shared.
pub(crate) type Shared = Rc<RefCell<Embedded>>;

pub(crate) fn embedded(mining: Mining) -> Shared {
    Rc::new(RefCell::new(Embedded::new(&[(rich().address(), ether(10_000))], mining)))
}

impl Place for Shared {
    fn connect(&self) -> Box<dyn Port> {
        Box::new(Rc::clone(self))
    }
}

/// anvil in a process of its own, from the packages of `contracts/`.
pub(crate) struct Anvil {
    process: Child,
    url: String,
}

impl Anvil {
    pub(crate) fn start() -> Self {
        let binary = binary();
        let mut process = Command::new(&binary)
            .args(["--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}; run `npm ci` in contracts/", binary.display()));
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let url = lines
            .find_map(|line| Some(format!("http://{}", line.expect("text").strip_prefix("Listening on ")?)));
        let url = url.expect("anvil says where it listens");
        // Whatever else it prints is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }
}

/// The program itself. The script that npm puts before it would leave it running.
fn binary() -> PathBuf {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/@foundry-rs");
    let entries = std::fs::read_dir(&packages).into_iter().flatten().flatten();
    let binaries = entries.map(|entry| entry.path().join("bin/anvil"));
    let found = binaries.filter(|path| path.is_file()).min();
    found.unwrap_or_else(|| panic!("no anvil in {}: run `npm ci` in contracts/", packages.display()))
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Place for Anvil {
    fn connect(&self) -> Box<dyn Port> {
        Box::new(Endpoint::new(&self.url).expect("a URL"))
    }
}

/// Passes every request on, but for what an implementation changes.
pub(crate) trait Detour {
    type Inner: Port;
    fn inner(&mut self) -> &mut Self::Inner;
    /// Called before every request.
    fn before(&mut self) -> Result<(), PortError> {
        Ok(())
    }
    fn send(&mut self, raw: &[u8]) -> Result<(), PortError> {
        self.inner().send(raw)
    }
    fn receipt(&mut self, transaction: B256) -> Result<Option<Receipt>, PortError> {
        self.inner().receipt(transaction)
    }
    fn wait(&mut self) -> Result<(), PortError> {
        self.inner().wait()
    }
}

/// Makes a [`Detour`] a port.
pub(crate) struct Via<D>(pub(crate) D);

macro_rules! pass {
    ($($name:ident($($arg:ident: $t:ty),*) -> $r:ty;)*) => {
        $(fn $name(&mut self, $($arg: $t),*) -> Result<$r, PortError> {
            self.0.before()?;
            self.0.inner().$name($($arg),*)
        })*
    };
}

impl<D: Detour> Port for Via<D> {
    pass! {
        chain_id() -> u64;
        genesis() -> B256;
        height() -> u64;
        nonce(account: Address) -> u64;
        balance(account: Address) -> U256;
        fees() -> Fees;
        call(call: &Call) -> Bytes;
        estimate(call: &Call) -> u64;
    }
    fn send(&mut self, raw: &[u8]) -> Result<(), PortError> {
        self.0.before()?;
        self.0.send(raw)
    }
    fn receipt(&mut self, transaction: B256) -> Result<Option<Receipt>, PortError> {
        self.0.before()?;
        self.0.receipt(transaction)
    }
    fn wait(&mut self) -> Result<(), PortError> {
        self.0.before()?;
        self.0.wait()
    }
}
