//! The file that says where a chain begins: JSON, with offices by their names.

use crate::{
    Genesis,
    ledger::{Authority, GenesisError},
    modules::{governance::Rules, identity::Roles},
    signature::PublicKey,
};
use primitives::{ChainId, EpochId, GovernanceParams, PersonId, Time};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest file of a genesis: 256 offices take less than 64 KiB, everything else less than 16.
pub const MAX_GENESIS_BYTES: u64 = 1 << 20;

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
    /// No chain can begin like this.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
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
    };
    serde_json::to_string_pretty(&file).expect("names, numbers and texts are JSON") + "\n"
}

/// Reads a genesis, and checks that a chain can begin there.
///
/// Errors: every variant of [`OriginError`].
pub fn from_json(text: &str) -> Result<Genesis, OriginError> {
    let File { chain, first_epoch, time, offices, params, rules } = serde_json::from_str(text)?;
    let office = |Office { person, key, roles }| {
        let add = |all: Roles, name: String| {
            let role = role_names().find(|(known, _)| *known == name).map(|(_, role)| role);
            role.map(|role| all.with(role)).ok_or(OriginError::Role { person, name })
        };
        let roles = roles.into_iter().try_fold(Roles::default(), add)?;
        Ok::<_, OriginError>(Authority { person, key, roles })
    };
    let offices = offices.into_iter().map(office).collect::<Result<_, _>>()?;
    // A chain that goes on from another begins with a snapshot, which no file of this kind holds.
    let genesis = Genesis { chain, first_epoch, time, params, rules, offices, continues: None };
    crate::Ledger::genesis(genesis.clone())?;
    Ok(genesis)
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
        assert!(matches!(from_json(&text.replace("\"chain\"", "\"chian\"")), Err(OriginError::Json(_))));
        let vacant = from_json(&text.replace("\"treasurer\"", "\"voter\""));
        assert!(matches!(vacant, Err(OriginError::Genesis(GenesisError::Vacant { office: "treasurer" }))));
    }
}
