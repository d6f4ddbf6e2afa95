//! The file that says where a chain begins: JSON, with offices by their names. A chain that goes on from another has that
//! one's last state in a snapshot beside it.

use crate::{
    Genesis, Ledger,
    ledger::{Authority, Continued, GenesisError, MigrationError, SnapshotError},
    modules::{governance::Rules, identity::Roles},
    poseidon::{Felt, wire},
    signature::PublicKey,
};
use primitives::{ChainId, Digest, EpochId, GovernanceParams, PersonId, Time};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest file of a genesis: 256 offices take less than 64 KiB, everything else less than 16.
pub const MAX_GENESIS_BYTES: u64 = 1 << 20;

/// Largest number of a chain: it stands in JSON, whose readers often keep 53 bits. Zero is no chain for wallets.
pub const MAX_CHAIN: u64 = (1 << 53) - 1;
/// Name of the snapshot beside the genesis of a chain that goes on from another.
pub const SNAPSHOT_FILE: &str = "state.snapshot";

/// What offices are called. What credentials give has its names with them.
const OFFICES: [(&str, Roles); 7] = [
    ("auditor", Roles::AUDITOR),
    ("oracle", Roles::ORACLE),
    ("councillor", Roles::COUNCILLOR),
    ("registrar", Roles::REGISTRAR),
    ("steward", Roles::STEWARD),
    ("treasurer", Roles::TREASURER),
    ("sequencer", Roles::SEQUENCER),
];

/// Every role and its name.
pub fn role_names() -> impl Iterator<Item = (&'static str, Roles)> {
    Roles::NAMED.into_iter().chain(OFFICES)
}

/// Why a file says nothing of a chain.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OriginError {
    /// It is no JSON of this form.
    #[error("no genesis: {0}")]
    Json(#[from] serde_json::Error),
    /// A role that there is not.
    #[error("{person} has the role {name:?}, which there is not")]
    Role {
        /// Whose.
        person: PersonId,
        /// What it is called.
        name: String,
    },
    /// A number that is none of a chain.
    #[error("chain {chain} is outside 1 to {MAX_CHAIN}")]
    Chain {
        /// What was given.
        chain: ChainId,
    },
    /// No chain can begin like this.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The snapshot is none.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The chain does not go on from that state.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    chain: ChainId,
    first_epoch: EpochId,
    time: Time,
    offices: Vec<Office>,
    params: GovernanceParams,
    rules: Rules,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    continues: Option<Before>,
}

/// Where another chain stood when this one went on from it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    chain: ChainId,
    height: u64,
    head: Digest,
    #[serde(with = "wire::hex")]
    root: Felt,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Office {
    person: PersonId,
    key: PublicKey,
    roles: Vec<String>,
}

/// Writes a genesis as a file.
pub fn to_json(genesis: &Genesis) -> String {
    let names = |roles: Roles| role_names().filter(move |(_, role)| roles.has(*role));
    let offices = genesis.offices.iter().map(|office| Office {
        person: office.person,
        key: office.key,
        roles: names(office.roles).map(|(name, _)| name.to_owned()).collect(),
    });
    let file = File {
        chain: genesis.chain,
        first_epoch: genesis.first_epoch,
        time: genesis.time,
        offices: offices.collect(),
        params: genesis.params.clone(),
        rules: genesis.rules.clone(),
        continues: genesis.continues.map(|Continued { chain, height, head, root }| Before {
            chain,
            height,
            head,
            root,
        }),
    };
    serde_json::to_string_pretty(&file).expect("names, numbers and texts are JSON") + "\n"
}

/// Reads a genesis, and checks that a chain can begin there. Whether one that goes on from another can, its snapshot says:
/// [`start`].
///
/// Errors: every variant of [`OriginError`].
pub fn from_json(text: &str) -> Result<Genesis, OriginError> {
    let File { chain, first_epoch, time, offices, params, rules, continues } = serde_json::from_str(text)?;
    if !(1..=MAX_CHAIN).contains(&chain.0) {
        return Err(OriginError::Chain { chain });
    }
    let office = |Office { person, key, roles }| {
        let add = |all: Roles, name: String| {
            let role = role_names().find(|(known, _)| *known == name).map(|(_, role)| role);
            role.map(|role| all.with(role)).ok_or(OriginError::Role { person, name })
        };
        let roles = roles.into_iter().try_fold(Roles::default(), add)?;
        Ok::<_, OriginError>(Authority { person, key, roles })
    };
    let offices = offices.into_iter().map(office).collect::<Result<_, _>>()?;
    let continues =
        continues.map(|Before { chain, height, head, root }| Continued { chain, height, head, root });
    let genesis = Genesis { chain, first_epoch, time, params, rules, offices, continues };
    if genesis.continues.is_none() {
        Ledger::genesis(genesis.clone())?;
    }
    Ok(genesis)
}

/// The ledger before a chain's first block: that of its genesis, or the last state of the chain that it goes on from.
///
/// Errors: [`OriginError::Genesis`], [`OriginError::Snapshot`], [`OriginError::Migration`].
pub fn start(genesis: Genesis, snapshot: Option<&[u8]>) -> Result<Ledger, OriginError> {
    match snapshot {
        Some(bytes) => Ok(Ledger::continued(genesis, &Ledger::restore(bytes)?)?),
        None => Ok(Ledger::genesis(genesis)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::SecretKey;
    use primitives::{Decode, Encode, Preset};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn every_role_has_a_name() {
        let all = role_names().fold(Roles::default(), |all, (_, role)| all.with(role));
        let bits = u16::from_bytes(&all.to_bytes()).expect("two bytes");
        assert_eq!(bits.count_ones() as usize, role_names().count());
        // The next role is none: whoever adds one names it here.
        assert!(Roles::from_bytes(&(bits + 1).to_bytes()).is_err());
    }

    #[test]
    fn a_genesis_survives_its_file_and_a_changed_one_is_refused() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let mut office = |n: u8, roles| {
            let key = SecretKey::generate(&mut rng).public_key();
            Authority { person: PersonId([n; 32]), key, roles }
        };
        let offices = vec![
            office(1, Roles::REGISTRAR.with(Roles::SEQUENCER)),
            office(2, Roles::STEWARD),
            office(3, Roles::TREASURER),
        ];
        let mut genesis = Genesis::new(ChainId(7), EpochId(3), Preset::Spec.params(), offices);
        genesis.time = Time(12);
        let text = to_json(&genesis);
        assert_eq!(from_json(&text).expect("as it was written"), genesis);
        assert!(
            matches!(from_json(&text.replace("steward", "stuart")), Err(OriginError::Role { name, .. }) if name == "stuart")
        );
        for none in ["0", "9007199254740992"] {
            let none = text.replace("\"chain\": 7", &format!("\"chain\": {none}"));
            assert!(matches!(from_json(&none), Err(OriginError::Chain { .. })), "{none}");
        }
        assert!(matches!(from_json(&text.replace("\"chain\"", "\"chian\"")), Err(OriginError::Json(_))));
        // One that goes on says from where, and does not begin without what it goes on from.
        let before = Ledger::genesis(genesis.clone()).expect("valid");
        let next = before.continuation(ChainId(8)).expect("no epoch is open");
        let read = from_json(&to_json(&next)).expect("as it was written");
        assert_eq!(read, next);
        assert!(matches!(start(read, None), Err(OriginError::Genesis(GenesisError::NeedsSnapshot { .. }))));
        let snapshot = before.snapshot().expect("between blocks");
        let mut begun = start(next, Some(&snapshot)).expect("its state");
        assert_eq!(begun.state_root(), before.clone().state_root());
        assert!(matches!(start(genesis.clone(), Some(&snapshot)), Err(OriginError::Migration(_))));
        assert!(matches!(start(genesis, Some(b"state")), Err(OriginError::Snapshot(_))));
        let vacant = from_json(&text.replace("\"treasurer\"", "\"voter\""));
        assert!(matches!(vacant, Err(OriginError::Genesis(GenesisError::Vacant { office: "treasurer" }))));
    }
}
