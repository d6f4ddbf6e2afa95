//! The ledger's state: typed tables, one indexed tree for each, one root over all of them (chain spec 5).
//!
//! A transaction never touches [`State`]. It works on a [`Draft`], which reads through to the state and collects what
//! is to change; [`State::commit`] then takes the changes and cannot fail. So a refused transaction leaves the state
//! as it was, whatever it had checked or written before it failed.

pub mod fields;
pub mod keys;
pub mod proof;
pub mod table;
pub mod tables;
pub mod tree;

pub use fields::{Fields, ToFelts};
pub(crate) use keys::key_part;
pub use keys::{Key, Part};
pub use proof::{ProofError, Shown, StateProof};
pub(crate) use table::leaf;
pub use table::{Leaf, Table};
pub use tables::{Changes, State, Stored, TableId};

/// A transaction's view of the state: what it has written so far, over what was there.
pub struct Draft<'a> {
    state: &'a State,
    changes: Changes,
}

impl<'a> Draft<'a> {
    /// A draft without changes.
    pub fn new(state: &'a State) -> Self {
        Self { state, changes: Changes::default() }
    }

    /// A record as this transaction would leave it.
    pub fn get<L: Stored>(&self, key: &L::Key) -> Option<&L> {
        L::changed(&self.changes).get(key).or_else(|| L::table(self.state).get(key))
    }

    /// Whether there is a record.
    pub fn has<L: Stored>(&self, key: &L::Key) -> bool {
        self.get::<L>(key).is_some()
    }

    /// Writes a record, new or changed.
    pub fn put<L: Stored>(&mut self, record: L) {
        L::changed_mut(&mut self.changes).insert(record.key(), record);
    }

    /// The state before this transaction, for walks over whole tables that the transaction does not write itself.
    pub fn base(&self) -> &'a State {
        self.state
    }

    /// What is to change.
    pub fn into_changes(self) -> Changes {
        self.changes
    }
}
