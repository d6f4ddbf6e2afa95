//! What is in the folders of a pilot.

use super::{InitFailure, places::Places, readme};
use crate::{
    cli::InitCommittee,
    files::{self, FileError},
    node,
};
use chain::{Genesis, ledger::Authority, node::origin, signature::SecretKey, wallet::keyfile};
use engine::{
    host::{HostSecret, Seat, steward::MemberFile},
    issuer::{Code, Serving, Subscriber, codes},
};
use primitives::{ChainId, Digest, EpochId, PersonId, Region, Tier, ids::to_hex};
use rand_core::OsRng;
use sim::{
    demo::DEFAULT_BATCH,
    hosts::{
        name_of,
        settings::{ClientFile, IssuerFile, NodeFile, PartyFile, PeerLine, Signs},
    },
    workload::draw::TIERS,
    world::TERMS,
};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};
use zeroize::Zeroizing;

/// Seconds from the first transaction of a block to its end, and without any.
const BLOCK_SECONDS: [u32; 2] = [1, 10];
/// A party may be silent for one of so many parts of a window before it may lose its seat, but for no shorter and no longer than
/// this many seconds.
const PATIENCE_PART: u32 = 20;
const PATIENCE: [u32; 2] = [60, 3_600];
/// The region of the example's serving nodes.
const REGION: u8 = 1;
/// Views an epoch for which the example's client has receipts.
const VIEWS: u64 = 400;
/// Subscriptions that the example's terms say are sold, in each tier.
const SOLD: u64 = 100;
/// Auditors whose keys the steward of a pilot has.
const AUDITORS: [&str; 2] = ["auditor-1", "auditor-2"];
/// Offices whose keys are for the steward's folder: the council decides over them, and the sequencer is the node's.
const OF_STEWARD: [&str; 3] = ["registrar", "steward", "treasurer"];

/// Who stands by, in the steward's settings.
const STANDBY: &str =
    "# And of who stands by for a party that is gone for good.\nstandby = \"members/standby.json\"\n";

/// What was laid out.
pub(super) struct Made {
    pub(super) chain: ChainId,
    pub(super) genesis: Digest,
    pub(super) creator: PersonId,
    pub(super) places: Places,
    pub(super) readme: String,
}

/// Writes every folder into one that is empty.
pub(super) fn write(dir: &Path, arguments: &InitCommittee, places: Places) -> Result<Made, InitFailure> {
    let (keys, authorities): (Vec<_>, Vec<_>) = node::offices(&mut OsRng).into_iter().unzip();
    let genesis = genesis(arguments, authorities);
    let text = origin::to_json(&genesis);
    files::write(&dir.join("genesis.json"), &text)?;
    let folder = |name: &str, with_genesis: bool| {
        let path = dir.join(name);
        private_folder(&path)?;
        if with_genesis {
            files::write(&path.join("genesis.json"), &text)?;
        }
        Ok::<_, FileError>(path)
    };
    let node_dir = folder("node", true)?;
    let [block_seconds, heartbeat_seconds] = BLOCK_SECONDS;
    let settings = NodeFile { listen: places.node(), block_seconds, heartbeat_seconds };
    files::write(&node_dir.join("node.toml"), &settings.to_string())?;
    let steward_dir = folder("steward", true)?;
    for name in ["keys", "members"] {
        private_folder(&steward_dir.join(name))?;
    }
    let (creator_dir, council_dir) = (folder("creator", false)?, folder("council", false)?);
    for (name, key) in &keys {
        let path = match *name {
            "sequencer" => node_dir.clone(),
            "creator" => creator_dir.clone(),
            name if OF_STEWARD.contains(&name) || AUDITORS.contains(&name) => steward_dir.join("keys"),
            _ => council_dir.clone(),
        };
        keyfile::write(&path.join(format!("{name}.key")), key)?;
    }
    let secrets: BTreeMap<_, _> =
        places.seats().map(|seat| (seat, HostSecret::generate(&mut OsRng))).collect();
    for seat in places.seats() {
        let path = folder(&name_of(seat), true)?;
        let member = write_party(&path, seat, arguments, (&places, &secrets))?;
        let member = serde_json::to_string_pretty(&member).expect("a member is JSON");
        let name = format!("{}.json", name_of(seat));
        files::write(&steward_dir.join("members").join(name), &(member + "\n"))?;
    }
    files::write(&steward_dir.join("steward.toml"), &steward(arguments, &places))?;
    let (tokens, receipts) = (folder("token-issuer", true)?, folder("receipt-issuer", true)?);
    let region = Region::try_from(REGION).expect("a region");
    let (tiers, epochs) = (TIERS.map(|(tier, _)| tier).to_vec(), arguments.epochs);
    let signed = [(&tokens, Signs::Tokens(tiers)), (&receipts, Signs::Receipts(vec![region]))];
    for (number, (path, signs)) in (0..).zip(signed) {
        let settings = IssuerFile { node: places.node_url(), signs, listen: places.issuer(number), epochs };
        files::write(&path.join("issuer.toml"), &settings.to_string())?;
    }
    let client_dir = folder("client-example", true)?;
    let (token, receipt) = (Code::generate(&mut OsRng), Code::generate(&mut OsRng));
    codes::add(tokens.join("codes.json"), Subscriber::new(token.hash(), Tier(1)))?;
    codes::add(receipts.join("codes.json"), Serving::new(receipt.hash(), VIEWS))?;
    files::write_secret(&client_dir.join("token.code"), token.reveal())?;
    files::write_secret(&client_dir.join("receipt.code"), receipt.reveal())?;
    let [tokens, receipts] = places.issuers();
    let settings = ClientFile {
        node: places.node_url(),
        parties: places.apis(),
        tier: Tier(1),
        tokens,
        receipts: Some((region, receipts)),
    };
    files::write(&client_dir.join("client.toml"), &settings.to_string())?;
    let readme = readme::text(&places);
    files::write(&dir.join(readme::NAME), &readme)?;
    let creator = keys.iter().zip(&genesis.offices).find(|((name, _), _)| *name == "creator");
    let creator = creator.expect("a creator is among the offices").1.person;
    Ok(Made { chain: genesis.chain, genesis: genesis.digest(), creator, places, readme })
}

fn genesis(arguments: &InitCommittee, offices: Vec<Authority>) -> Genesis {
    let mut params = arguments.preset.params();
    params.k_anonymity = arguments.k_anonymity.unwrap_or(params.k_anonymity);
    let chain = node::chain_number(arguments.chain, &mut OsRng);
    let mut genesis = Genesis::new(chain, EpochId(1), params, offices);
    genesis.time = chain::node::now();
    genesis
}

/// Makes a folder that nobody else may enter.
fn private_folder(path: &Path) -> Result<(), FileError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| FileError::Unwritten { path: path.into(), error })
}

/// Writes the folder of a host; what it gives away for the record.
fn write_party(
    path: &Path,
    seat: Seat,
    arguments: &InitCommittee,
    (places, secrets): (&Places, &BTreeMap<Seat, HostSecret>),
) -> Result<MemberFile, InitFailure> {
    let secret = &secrets[&seat];
    files::write_secret(&path.join("host.secret"), &Zeroizing::new(to_hex(secret.expose())))?;
    let operator = SecretKey::generate(&mut OsRng);
    keyfile::write(&path.join("operator.key"), &operator)?;
    let peer = |(peer, secret): (&Seat, &HostSecret)| PeerLine {
        key: secret.member().signing,
        address: places.peer(*peer),
        name: peer.to_string(),
    };
    let settings = PartyFile {
        operator: Some("operator.key"),
        node: places.node_url(),
        links: places.links(seat),
        api: places.api(seat),
        window: Duration::from_secs(arguments.window_seconds.into()),
        batch: DEFAULT_BATCH,
        tick: Duration::from_secs(1),
        peers: secrets.iter().filter(|(other, _)| **other != seat).map(peer).collect(),
    };
    files::write(&path.join("party.toml"), &settings.to_string())?;
    Ok(MemberFile { member: secret.member(), operator: operator.public_key() })
}

fn steward(arguments: &InitCommittee, places: &Places) -> String {
    let (node, rest, [tokens, receipts]) = (places.node_url(), arguments.rest_seconds, places.issuers_here());
    let tier = |(tier, (price, bundles)): (usize, (primitives::Credits, u16))| {
        let tier = tier + 1;
        format!("\n[[tiers]]\ntier = {tier}\nprice = {}\nmax_bundles = {bundles}\nsold = {SOLD}\n", price.0)
    };
    let stands_by = places.seats().any(|seat| seat == Seat::Standby);
    let standby = if stands_by { STANDBY } else { "" };
    let tiers: String = TERMS.into_iter().enumerate().map(tier).collect();
    format!(
        r#"genesis = "genesis.json"
node = "{node}"
# A copy of the chain. It can be deleted.
dir = "data"
# What `cwe party keys` prints for each party, in order of seat.
members = ["members/party-1.json", "members/party-2.json", "members/party-3.json"]
{standby}# Most works of one shard.
shard_width = {width}
# For how long the parties take bundles in, as their settings say. An epoch that does not go on after that is said to be overdue.
window_seconds = {window}
# Seconds between the end of one window and the next. Final receipts are to be had for longer: until the epoch after is over.
rest_seconds = {rest}
# How long a party may be silent while it is needed before the others sign for the standby to take its seat for good. Longer than
# a restart or an upgrade takes, and shorter than an epoch can wait. It is on record with the committee, and holds from the
# next epoch on. As long is waited for a third party that does not commit to the beacon of an epoch.
seat_patience_seconds = {patience}
# How long a third party is waited for that committed to the beacon, and does not reveal.
beacon_patience_seconds = 60

[keys]
registrar = "keys/registrar.key"
steward = "keys/steward.key"
treasurer = "keys/treasurer.key"
auditors = ["keys/{first}.key", "keys/{second}.key"]

# Issuers whose public keys go on record for each epoch: who signs tokens of which tiers, and receipts of which regions. Nothing
# else that one shows is taken. Read again before each epoch opens.
[[issuers]]
url = "{tokens}"
tiers = {signed:?}

[[issuers]]
url = "{receipts}"
regions = [{REGION}]

# What is on sale: read again before each epoch opens. A price is in millionths of a credit. No more subscribers of a
# tier are taken in than are sold, and what is sold is reported as revenue. `value_cap_views` below the parameters' cap
# can be given too.
{tiers}"#,
        patience = (arguments.window_seconds / PATIENCE_PART).clamp(PATIENCE[0], PATIENCE[1]),
        window = arguments.window_seconds,
        signed = (1..=TERMS.len()).collect::<Vec<_>>(),
        width = sim::demo::DEFAULT_SHARD_WIDTH,
        first = AUDITORS[0],
        second = AUDITORS[1],
        tiers = tiers.trim_start(),
    )
}
