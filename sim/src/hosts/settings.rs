//! Settings of the processes of a committee, as `cwe node run` and `cwe party run` read them.

use primitives::Digest;
use std::{fmt, net::SocketAddr, time::Duration};

/// Settings of a sequencer's node, in a folder with `genesis.json` and `sequencer.key`.
#[derive(Clone, Debug)]
pub struct NodeFile {
    /// Where it answers JSON-RPC.
    pub listen: SocketAddr,
    /// Seconds from the first transaction of a block to its end.
    pub block_seconds: u32,
    /// Seconds after which a block without transactions is made.
    pub heartbeat_seconds: u32,
}

impl fmt::Display for NodeFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listen, block_seconds, heartbeat_seconds } = self;
        write!(
            f,
            r#"role = "sequencer"
dir = "data"
genesis = "genesis.json"
key = "sequencer.key"
# Where JSON-RPC is answered. It has no passwords: keep it on this machine, or among those of the pilot.
listen = "{listen}"
# Seconds from the first transaction of a block to its end, and after which a block without any is made.
block_seconds = {block_seconds}
heartbeat_seconds = {heartbeat_seconds}
"#
        )
    }
}

/// Another host, in the settings of one.
#[derive(Clone, Debug)]
pub struct PeerLine {
    /// The key that is on record of it.
    pub key: Digest,
    /// Where it takes links, as `host:port`.
    pub address: String,
    /// What people call it.
    pub name: String,
}

/// Settings of a host, in a folder with `genesis.json` and `host.secret`.
#[derive(Clone, Debug)]
pub struct PartyFile {
    /// File with the key of whoever runs it, if that is kept there.
    pub operator: Option<&'static str>,
    /// The sequencer's node.
    pub node: String,
    /// Where it takes links.
    pub links: SocketAddr,
    /// Where its API is.
    pub api: SocketAddr,
    /// For how long an epoch takes bundles in.
    pub window: Duration,
    /// Fewest bundles of a batch while the window lasts.
    pub batch: usize,
    /// How often it is told that time passes.
    pub tick: Duration,
    /// The others, and where they take links.
    pub peers: Vec<PeerLine>,
}

impl fmt::Display for PartyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, links, api, batch, .. } = self;
        let (window, tick) = (self.window.as_secs().max(1), self.tick.as_millis().max(10));
        write!(
            f,
            r#"dir = "data"
genesis = "genesis.json"
# 64 hexadecimal digits, for nobody else to read: the host's keys follow from it, and by them the chain says which seat it has.
secret = "host.secret"
"#
        )?;
        if let Some(operator) = self.operator {
            writeln!(f, "# The account that is paid for running this party.\noperator = \"{operator}\"")?;
        }
        write!(
            f,
            r#"# The sequencer's node.
node = "{node}"
# Where the others link to.
links = "{links}"
# Where clients hand in, in plain HTTP: put a proxy with TLS in front.
api = "{api}"
# For how long an epoch takes bundles in: the same for all hosts.
window_seconds = {window}
# Fewest bundles of a batch while the window lasts: the same for all hosts.
batch = {batch}
# The unit of every patience.
tick_milliseconds = {tick}

# The others, by the key that is on record of them.
[peers]
"#
        )?;
        let line = |PeerLine { key, address, name }: &PeerLine| format!("{key} = \"{address}\" # {name}\n");
        self.peers.iter().try_for_each(|peer| f.write_str(&line(peer)))
    }
}
