//! Arguments of `cwe node`.

use super::{Ask, Format};
use chain::node::origin::MAX_CHAIN;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const RUN_EXAMPLES: &str = "\
Examples:
  cwe node init net
  cwe node run --config net/node.toml
      a chain of your own with one sequencer, whose JSON-RPC listens on
      127.0.0.1:4300

  cwe node run --role full --genesis net/genesis.json --dir copy \\
      --listen 127.0.0.1:4301 --follow ws://127.0.0.1:4300
      a full node that follows it and checks every block

  curl -s -H 'content-type: application/json' http://127.0.0.1:4300 \\
      -d '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}'
      every method with its parameters, as an OpenRPC document

Settings come from, the later before the earlier: defaults, the file of
--config, the environment (CWE_NODE_LISTEN and so on), flags. `cwe node config`
says where each comes from. An unknown key or an unknown CWE_NODE_ variable is
an error.

A confirmation is given once the transaction is on the sequencer's disk with its
place in the next block, so that a sequencer that was killed makes the block
that it promised. SIGTERM and ctrl-C end the block in hand first.

A full node stops at the first block that breaks a rule, with exit code 4, and
names block and rule; it says when the node that it follows is behind it. A
sequencer that has no block yet says that it begins the chain; where its log is
gone and its journal is not, it does not start. The JSON-RPC has no passwords:
listen on this machine alone, or put a proxy in front.";

const INIT_EXAMPLES: &str = "\
Examples:
  cwe node init net
  cwe node init net --chain 31000

DIR holds genesis.json, node.toml (commented) and keys/, one file an office,
readable by you alone. The keys are drawn on this machine: good for development,
where one person holds every office.

genesis.json can be edited until the first block is made, and every node takes
it from there: offices with their keys, parameters, and rules. Four councillors
sit from the start, as many as a veto takes, and one of the five seats of
rules.governance.council_seats is vacant; there are two auditors and two
oracles, as many as have to agree. Later all of that is governance's: `cwe gov
call-election`, `cwe gov propose --give auditor`, and `cwe gov propose --set
governance.council_seats=N`.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  cwe node export next --config net/node.toml
  cwe node run --genesis next/genesis.json --dir next/data \\
      --key net/keys/sequencer.key
      another chain that goes on from where this one stands: the same state and
      the same root, from block 1 on under a number of its own

The node of the folder is stopped, and every block of it is repeated. OUT holds
genesis.json, which names the old chain, its last block and its root, and
state.snapshot, which is that state; every node of the new chain has both. No
signature for the old chain holds on the new one. A chain goes on from a state
without an open epoch, since the parties' signatures name the chain.

What it prints as root is the state root of the old chain's last block: compare
it with `cwe node status` of a node that you trust.";

const EXAMPLES: &str = "\
Examples:
  cwe node init net
  cwe node run --config net/node.toml
      a chain of your own with one sequencer
  cwe node status --url ws://127.0.0.1:4300";

/// What to do with a node.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum NodeCommand {
    /// Make a chain for development: genesis, keys and a commented file of settings
    Init(Init),
    /// Run a node: a sequencer, or a full node that checks every block
    Run(Run),
    /// Show the settings of a node, and where each comes from
    #[command(after_help = "Examples:\n  cwe node config --config net/node.toml --block-seconds 5")]
    Config(ShowConfig),
    /// Write the state of a stopped node as the genesis of another chain, which goes on from there
    Export(Export),
    /// Ask a node what it does and which block is its last
    #[command(
        after_help = "Examples:\n  cwe node status\n  cwe node status --url ws://127.0.0.1:4301 -o json"
    )]
    Status(Ask),
}

/// Arguments of `cwe node init`.
#[derive(Debug, Args)]
#[command(after_help = INIT_EXAMPLES)]
pub(crate) struct Init {
    /// The folder to make
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Number of the chain, which is in every signature [default: drawn]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_CHAIN))]
    pub(crate) chain: Option<u64>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// Arguments of `cwe node run`.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct Run {
    /// How it runs.
    #[command(flatten)]
    pub(crate) settings: NodeSettings,
    /// Events as one JSON object a line on standard output, or as lines for people on standard error
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// Nothing about single blocks
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// Arguments of `cwe node config`.
#[derive(Debug, Args)]
pub(crate) struct ShowConfig {
    /// How it would run.
    #[command(flatten)]
    pub(crate) settings: NodeSettings,
    /// How to print the settings
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// Arguments of `cwe node export`.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct Export {
    /// The folder to write
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// Number of the new chain, another than the old one's [default: drawn]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_CHAIN))]
    pub(crate) chain: Option<u64>,
    /// A file of settings, as `cwe node init` writes it, for --dir and --genesis
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the stopped node's files
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<String>,
    /// Where its chain begins
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<String>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// Settings of a node, where they are given as flags.
#[derive(Debug, Default, Args)]
pub(crate) struct NodeSettings {
    /// A file of settings, as `cwe node init` writes it; paths in it are relative to the file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// sequencer or full
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// Folder of the node's files
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<String>,
    /// Where the chain begins
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: Option<String>,
    /// Where to answer queries
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// The node that a full node follows, ws://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(crate) follow: Option<String>,
    /// File with the sequencer's key, 64 hexadecimal digits, readable by you alone
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<String>,
    /// Seconds from the first transaction of a block to its end
    #[arg(long, value_name = "S")]
    pub(crate) block_seconds: Option<String>,
    /// Seconds after which a block without transactions is made
    #[arg(long, value_name = "S")]
    pub(crate) heartbeat_seconds: Option<String>,
    /// Transactions with which a block is full
    #[arg(long, value_name = "N")]
    pub(crate) block_transactions: Option<String>,
    /// Most connections at once
    #[arg(long, value_name = "N")]
    pub(crate) max_connections: Option<String>,
}
