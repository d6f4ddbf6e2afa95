//! What a client is shown of the state: that a table has a record under a key, or that it has none.

use super::{
    State, TableId,
    table::key_felt_of,
    tables::Found,
    tree::{Absence, Inclusion, TreeError},
};
use crate::{
    merkle::{MerkleError, MerklePath},
    poseidon::{Felt, wire},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a table has under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shown {
    /// A record, whose value felt the leaf holds.
    Included(Inclusion),
    /// Nothing.
    Absent(Absence),
}

/// Proof of what a table has under a key, up to the state root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateProof {
    /// Number of the table.
    pub table: u32,
    /// The key as the tree has it.
    #[serde(with = "wire::hex")]
    pub key: Felt,
    /// What stands there.
    pub shown: Shown,
    /// Path of the table's root to the state root.
    pub path: MerklePath,
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The proof is about another table than it says, or its path is of another table.
    #[error("the proof is about table {found}, not {expected}")]
    OtherTable {
        /// The table that was asked about.
        expected: u32,
        /// The table of the proof or of its path.
        found: u32,
    },
    /// The proof is about another key than was asked about.
    #[error("the proof is about key {found}, not {expected}")]
    OtherKey {
        /// The key that was asked about.
        expected: Felt,
        /// The key of the proof.
        found: Felt,
    },
    /// The proof inside the table does not hold.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The path has no valid shape.
    #[error(transparent)]
    Path(#[from] MerkleError),
    /// The proof leads to another state root.
    #[error("the proof leads to state root {found}, not {expected}")]
    OtherRoot {
        /// The root that is trusted.
        expected: Felt,
        /// The root that the proof leads to.
        found: Felt,
    },
}

impl StateProof {
    /// Checks the proof against a state root that the caller trusts, and gives the value felt that the table has under
    /// the key, or `None` if it is proved that it has none.
    ///
    /// Errors: every variant of [`ProofError`].
    pub fn verify(&self, root: Felt, table: TableId, key: &[Felt]) -> Result<Option<Felt>, ProofError> {
        let expected = table as u32;
        for found in [self.table, self.path.position] {
            if found != expected {
                return Err(ProofError::OtherTable { expected, found });
            }
        }
        let key = key_felt_of(table, key);
        if self.key != key {
            return Err(ProofError::OtherKey { expected: key, found: self.key });
        }
        let (table_root, value) = match &self.shown {
            Shown::Included(inclusion) => {
                let (table_root, value) = (inclusion.root(), inclusion.leaf.value);
                inclusion.verify(table_root, key, value)?;
                (table_root, Some(value))
            }
            Shown::Absent(absence) => {
                let table_root = absence.root();
                absence.verify(table_root, key)?;
                (table_root, None)
            }
        };
        match self.path.root(table_root)? {
            found if found == root => Ok(value),
            found => Err(ProofError::OtherRoot { expected: root, found }),
        }
    }
}

impl State {
    /// Proof of what a table has under a key that is spelled out in field elements. `None` for the one key that no
    /// record can have.
    pub fn prove_at(&mut self, table: TableId, key: &[Felt]) -> Option<StateProof> {
        let key = key_felt_of(table, key);
        let shown = match self.prove_in(table, key)? {
            Found::Included(inclusion) => Shown::Included(inclusion),
            Found::Absent(absence) => Shown::Absent(absence),
        };
        Some(StateProof { table: table as u32, key, shown, path: self.table_path(table) })
    }
}
