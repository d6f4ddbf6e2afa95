//! Collects what a doctor judges by. Nothing of the party is written, and a party that runs goes on.

use super::facts::{Facts, Kept, Key, Node, PeerFacts, Port, Seat};
use crate::{
    client::http::operator::HttpOperator,
    host::{self, HostSecret, machine, outlook},
    link::{Endpoint, Host, probe},
    telemetry::read::Samples,
};
use chain::{
    Ledger,
    node::{Following, Mirror, NodeClient, wait_until},
};
use primitives::{Digest, Time};
use proofs::committee::Member;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a peer may take to answer.
const PEER_PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to check the chain up to its head.
const CHAIN_PATIENCE: Duration = Duration::from_secs(120);
/// The blocks of a node's folder: with a copy of them only the newest are asked for.
const BLOCKS: &str = "blocks.log";

/// Where a host and everything that it needs should be, by its settings.
pub struct Place {
    /// Its secret, or why it cannot be used.
    pub secret: Result<HostSecret, String>,
    /// The file of the secret.
    pub secret_path: PathBuf,
    /// Its folder.
    pub dir: PathBuf,
    /// The ledger before the first block.
    pub start: Ledger,
    /// The sequencer's node.
    pub node: String,
    /// Where it takes links.
    pub links: SocketAddr,
    /// Where it serves its API.
    pub api: SocketAddr,
    /// The same as an address that can be asked.
    pub api_url: String,
    /// Where the others take links, by their keys.
    pub peers: BTreeMap<Digest, String>,
    /// APIs of the others, as far as they are known, by their keys.
    pub peer_apis: BTreeMap<Digest, String>,
}

/// Collects the facts.
pub fn gather(place: &Place) -> Facts {
    let answers = numbers(&place.api_url);
    let other = answers.as_ref().and_then(|numbers| other(place, numbers));
    let numbers = answers.filter(|_| other.is_none());
    let is_running = numbers.is_some();
    let (node, now) = (ask_node(&place.node), chain::node::now());
    let committee = match &node {
        Node::There { height, genesis, .. } if *genesis == place.start.origin().digest().to_string() => {
            on_record(place, *height)
        }
        Node::There { .. } => Err("the node's chain is another".into()),
        Node::Away(_) => Err("the node does not answer".into()),
    };
    let seat = seat(place, &committee);
    let members = committee.ok().flatten().unwrap_or_default();
    // A host without a seat may be none of those whose address it has.
    let is_other = |host: Host, member: &Member| match seat {
        Seat::Own(own) => own != host,
        _ => place.peers.contains_key(&member.signing),
    };
    let others = members.iter().filter(|(host, member)| is_other(**host, member));
    let peers = others.map(|(host, member)| (*host, ask_peer(place, &seat, (*host, member)))).collect();
    let known = |key: &&Digest| members.is_empty() || members.values().any(|member| member.signing == **key);
    let strangers = place.peers.keys().filter(|key| !known(key)).copied().collect();
    let links = ("links", place.links, port(place.links, is_running));
    let api = ("the API", place.api, other.unwrap_or_else(|| port(place.api, is_running)));
    let outlook = numbers.as_ref().map(|numbers| outlook::outlook(None, (now, numbers)));
    let to_come = outlook.and_then(|outlook| outlook.disk_to_come);
    let files = |numbers: &Samples| numbers.get("process_max_fds").map(|most| most as u64);
    Facts {
        is_running,
        key: place.secret.as_ref().map_or_else(|reason| Key::Unusable(reason.clone()), |_| Key::Sound),
        kept: vec![
            kept(&place.secret_path, 0o600),
            kept(&place.dir, 0o700),
            kept(&place.dir.join("store"), 0o700),
        ],
        genesis: place.start.origin().digest(),
        node,
        now,
        seat,
        peers,
        strangers,
        ports: vec![links, api],
        disk: machine::disk(&place.dir),
        disk_to_come: to_come.map(|bytes| bytes as u64),
        most_files: numbers.as_ref().map_or_else(machine::most_files, files),
    }
}

/// What the party at an address says of itself, if one answers.
fn numbers(url: &str) -> Option<Samples> {
    let answer = HttpOperator::new(url).ok()?.ask("metrics").ok()?;
    let samples = Samples::read(&answer.body);
    samples.get("cwe_chain_height").is_some().then_some(samples)
}

/// Who it is that answers with these numbers, if it is not this host. A release that does not say who it is is believed, and
/// so is every party while this host's own key is not known.
fn other(place: &Place, numbers: &Samples) -> Option<Port> {
    let said = numbers.iter().find(|sample| sample.name == "cwe_host_info")?;
    let of = |label: &str| said.labels.get(label).cloned().unwrap_or_default();
    let (key, genesis) = (of("key"), of("genesis"));
    let own = place.secret.as_ref().ok()?.member().signing;
    let is_own = key == own.to_string() && genesis == place.start.origin().digest().to_string();
    (!is_own).then_some(Port::Other { key, genesis })
}

fn ask_node(url: &str) -> Node {
    let answer = NodeClient::connect(url).and_then(|client| client.call("cwe_chain", &[]));
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Node::Away(error.to_string()),
    };
    let head = &answer["head"];
    match (answer["genesis"].as_str(), head["height"].as_u64(), head["time"].as_u64()) {
        (Some(genesis), Some(height), Some(time)) => {
            Node::There { genesis: genesis.into(), height, time: Time(time) }
        }
        _ => Node::Away(format!("{url} does not answer as a node does")),
    }
}

/// A folder of the doctor's own, gone when it has looked.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("cwe-doctor-{}", std::process::id()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is a part of a public chain.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Who sits where in the epoch in hand.
type Members = BTreeMap<Host, Member>;

/// The committee of the epoch in hand, by a chain that is checked from its first block. None if there is none.
fn on_record(place: &Place, height: u64) -> Result<Option<Members>, String> {
    let scratch = Scratch::new().map_err(|error| format!("no folder to check the chain in: {error}"))?;
    // The party may be writing to it: what is torn at its end is fetched again.
    drop(fs::copy(place.dir.join("chain").join(BLOCKS), scratch.0.join(BLOCKS)));
    let following = Following { dir: scratch.0.clone(), start: place.start.clone(), url: place.node.clone() };
    let mirror = Mirror::start(following, |_| ()).map_err(|error| error.to_string())?;
    let is_there = wait_until(&mirror, CHAIN_PATIENCE, |_| mirror.head().height >= height);
    let found = mirror.read(|ledger| host::members(ledger.state(), host::in_hand(ledger)[0]));
    let reached = mirror.head().height;
    let stopped = mirror.stop();
    match (is_there, stopped) {
        (true, _) => Ok(found),
        (false, Err(error)) => Err(error.to_string()),
        (false, Ok(())) => Err(format!("block {reached} of {height} was reached in {CHAIN_PATIENCE:.0?}")),
    }
}

fn seat(place: &Place, committee: &Result<Option<Members>, String>) -> Seat {
    let Ok(secret) = &place.secret else { return Seat::Unknown("the secret cannot be used".into()) };
    let own = secret.member();
    match committee {
        Err(reason) => Seat::Unknown(reason.clone()),
        Ok(None) => Seat::NoCommittee,
        Ok(Some(members)) => match members.iter().find(|(_, member)| **member == own) {
            Some((host, _)) => Seat::Own(*host),
            None => Seat::None { own: own.signing },
        },
    }
}

fn ask_peer(place: &Place, seat: &Seat, (peer, member): (Host, &Member)) -> PeerFacts {
    let (origin, key) = (place.start.origin(), member.signing);
    let address = place.peers.get(&key).cloned();
    let there = match (seat, &place.secret, &address) {
        (Seat::Own(_) | Seat::None { .. }, Ok(secret), Some(address)) => {
            let calls_as = Host::ALL.into_iter().find(|host| *host != peer).expect("there are four");
            let own = if let Seat::Own(own) = seat { *own } else { calls_as };
            let endpoint = Endpoint { address: address.clone(), key };
            let chain = (origin.chain, origin.digest());
            Some(probe::probe((&secret.link_key(), own), (peer, &endpoint), chain, PEER_PATIENCE))
        }
        _ => None,
    };
    let clock = place.peer_apis.get(&key).map(|url| {
        let answer = HttpOperator::new(url).map_err(|error| error.to_string())?;
        let answer = answer.ask("healthz").map_err(|error| error.to_string())?;
        let date = answer.date.ok_or("its answer has no date")?;
        Ok((date, chain::node::now()))
    });
    PeerFacts { address, key, there, clock }
}

/// Who has an address. A party that answers on its API has both.
fn port(at: SocketAddr, is_running: bool) -> Port {
    match TcpListener::bind(at) {
        Ok(_) => Port::Free,
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_running => Port::Own,
        Err(error) => Port::Taken(error.to_string()),
    }
}

#[cfg(unix)]
fn kept(path: &Path, wanted: u32) -> Kept {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777);
    Kept { path: path.into(), mode, wanted }
}

#[cfg(not(unix))]
fn kept(path: &Path, wanted: u32) -> Kept {
    Kept { path: path.into(), mode: None, wanted }
}
