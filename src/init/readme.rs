//! What to do with the folders of a pilot.

use super::places::Places;
use engine::host::Seat;

/// Name of the file.
pub(super) const NAME: &str = "README.txt";

const START: &str = "\
Start these, each in a terminal of its own, in this order. Each says what it is
doing; ctrl-C ends it, and the same command goes on where it was.

  cd node            && cwe node run --config node.toml
  cd token-issuer    && cwe issuer run --config issuer.toml
  cd receipt-issuer  && cwe issuer run --config issuer.toml
  cd party-1         && cwe party run --config party.toml
  cd party-2         && cwe party run --config party.toml
  cd party-3         && cwe party run --config party.toml
  cd standby         && cwe party run --config party.toml

Works have to be on record before an epoch opens that is to pay them:

  cwe work register song.flac --key creator/creator.key --category 3 \\
      --media audio --title \"A song\" --url NODE

Then the steward, who opens the first epoch:

  cd steward         && cwe steward run --config steward.toml

Each subscriber has a code, and a copy of client-example with its own:

  cwe issuer code --config token-issuer/issuer.toml --tier 1 --out token.code
  cwe issuer code --config receipt-issuer/issuer.toml --views 400 \\
      --out receipt.code
  cwe client submit --config client-example/client.toml --log plays.csv
  cwe client status --config client-example/client.toml --wait 600
";

/// The line of who stands by, where nobody does.
const STANDBY: &str = "  cd standby         && cwe party run --config party.toml\n";

const HOSTS: &str = "
Each folder is for one host, and for nobody else: node, steward and the issuers
go with party-1 to the first. Proxies with TLS stand in front of the APIs and
the issuers; the node's port is for the hosts and clients of the pilot alone. A
folder that was carried away is to be deleted here.
";

const COUNCIL: &str = "
council/ has the keys of councillors, oracles and a voter; `cwe gov` uses them.
What is in these folders besides settings is secret, and there is no other copy.
";

/// What to do.
pub(super) fn text(places: &Places) -> String {
    let mut start = START.replace("NODE", &places.node_url());
    if places.seats().all(|seat| seat != Seat::Standby) {
        start = start.replace(STANDBY, "");
    }
    let hosts = if places.is_local() { "" } else { HOSTS };
    format!("{start}{hosts}{COUNCIL}")
}
