//! Settings of the processes of a pilot, as `cwe node run`, `cwe party run`, `cwe issuer run` and `cwe client` read them.

use primitives::{Digest, Region, Tier};
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

/// What an issuer signs.
#[derive(Clone, Debug)]
pub enum Signs {
    /// Tokens of these tiers.
    Tokens(Vec<Tier>),
    /// Receipts of these regions.
    Receipts(Vec<Region>),
}

/// Settings of an issuer, in a folder with `genesis.json` and `codes.json`.
#[derive(Clone, Debug)]
pub struct IssuerFile {
    /// The sequencer's node.
    pub node: String,
    /// What it signs.
    pub signs: Signs,
    /// Where it answers.
    pub listen: SocketAddr,
    /// Epochs for which it has keys, from the first on.
    pub epochs: u64,
}

impl fmt::Display for IssuerFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, listen, epochs, .. } = self;
        let listed = |each: Vec<String>| each.join(", ");
        let (signs, own, numbers) = match &self.signs {
            Signs::Tokens(tiers) => {
                ("tokens", "tiers", listed(tiers.iter().map(ToString::to_string).collect()))
            }
            Signs::Receipts(regions) => {
                ("receipts", "regions", listed(regions.iter().map(ToString::to_string).collect()))
            }
        };
        write!(
            f,
            r#"genesis = "genesis.json"
# The sequencer's node, from which its own follows the chain: it signs for the epoch that is open there, and for no other.
node = "{node}"
# tokens, or receipts.
signs = "{signs}"
# Its keys, what was signed for whom in epochs that are not over, and a copy of the chain. Keep a copy of the keys: public
# halves are on the chain, and no other key is taken for one of them.
dir = "data"
# Hashes of the codes of those who may ask: `cwe issuer code` adds to it.
codes = "codes.json"
# Where it answers, in plain HTTP: put a proxy with TLS in front.
listen = "{listen}"
{own} = [{numbers}]
# Keys are made ahead for so many epochs. Raise `epochs` in time, and start it again.
first_epoch = 1
epochs = {epochs}
"#
        )
    }
}

/// Settings of a subscriber's client, in a folder with `genesis.json`, `token.code` and perhaps `receipt.code`.
#[derive(Clone, Debug)]
pub struct ClientFile {
    /// The sequencer's node.
    pub node: String,
    /// The parties' APIs, in order of seat.
    pub parties: [String; 3],
    /// The tier that is paid for.
    pub tier: Tier,
    /// Where tokens are signed.
    pub tokens: String,
    /// The region that serves the subscriber, and where its receipts are signed.
    pub receipts: Option<(Region, String)>,
}

impl fmt::Display for ClientFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, parties: [one, two, three], tier, tokens, receipts } = self;
        write!(
            f,
            r#"genesis = "genesis.json"
node = "{node}"
# The parties, in order of seat.
parties = ["{one}", "{two}", "{three}"]
tier = {tier}
# What was handed in, and a copy of the chain.
dir = "data"
# With the next line, parties and issuers see a proxy in place of this machine. Their addresses are then to be https:// or
# to end in .onion: what is not encrypted, whoever runs the proxy's other end reads and changes.
# proxy = "socks5h://127.0.0.1:9050"

[tokens]
url = "{tokens}"
# A file for nobody else to read, from `cwe issuer code`.
code = "token.code"
"#
        )?;
        let Some((region, url)) = receipts else { return Ok(()) };
        write!(
            f,
            r#"
# The signer of receipts of the region that serves this client. Without it no play is backed.
[receipts]
region = {region}
url = "{url}"
code = "receipt.code"
"#
        )
    }
}
