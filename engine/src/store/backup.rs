//! Copies of a store, and what may be done with one.
//!
//! A party that goes on from an old copy does not know what it has signed since the copy was made. With its old votes it
//! could sign a second header for a turn, which is evidence against it; with an old number of its attempts it could use
//! randomness twice, which gives secrets away. So a copy does not have them at all, and no party runs on one: opening it
//! is [`StoreError::Copy`]. [`restore`] makes a store of it that *sits out* the epoch in hand: whatever binds the party
//! in an epoch up to that one is refused ([`StoreError::Silent`]), and since a party signs nothing before it is stored,
//! it signs nothing. From the next epoch on it is a party like the others.
//!
//! What a copy is for are the shares that are carried over, which nobody else can give back. If totals were signed after
//! it was made, its shares do not open what is on record, and the party finds that out when it holds them against the
//! record: its seat is then for the standby. So a copy is made whenever an epoch is final.
//!
//! Bundles are not copied. The other parties have those of the epoch in hand, and those of earlier ones are destroyed; a
//! copy would outlive that.
//!
//! A copy is as secret as the store. It must never lie beside another party's.
//!
//! Whoever puts back a folder that was copied by other means brings back old votes, and no store can tell.

use super::{Owner, Store, StoreError, folder, key::RecordKey, tree::Tree};
use primitives::EpochId;
use std::path::Path;

/// Whether a copy has a record.
fn is_copied(key: &RecordKey) -> bool {
    !key.binds()
}

impl Store {
    /// Copies the records as they are after some whole transition into a folder that is empty or not there yet: what is
    /// carried over, and how far each epoch was. What binds the party in an epoch is left out, and so are bundles.
    ///
    /// Errors: [`StoreError::NotEmpty`], [`StoreError::OthersMayRead`], [`StoreError::Lost`] if a record is damaged,
    /// [`StoreError::Io`], [`StoreError::Records`]. The folder is then no copy, and can be removed.
    pub fn backup_to(&self, to: impl AsRef<Path>) -> Result<(), StoreError> {
        let to = to.as_ref();
        folder::make_empty(to)?;
        let tree = self.tree();
        tree.write_copy(to, &self.owner, is_copied, |head| head.is_copy = true)
    }
}

/// Makes a store of a copy, in a folder that is empty or not there yet. `in_hand` is the epoch that the chain has open
/// now, or opens next: the party sits out all epochs up to it, and up to the latest that the copy knows of.
///
/// Errors: [`StoreError::NotACopy`], those of [`Store::open`] for the copy, and [`StoreError::NotEmpty`] for the folder: a
/// store that is there may know what the copy does not.
pub fn restore(
    copy: impl AsRef<Path>,
    to: impl AsRef<Path>,
    owner: Owner,
    in_hand: EpochId,
) -> Result<(), StoreError> {
    let (copy, to) = (copy.as_ref(), to.as_ref());
    folder::open(copy)?;
    let _lock = folder::lock(copy)?;
    folder::make_empty(to)?;
    let (tree, _) = Tree::open(copy, &owner, (u64::MAX, true))?;
    tree.write_copy(to, &owner, is_copied, |head| {
        head.is_copy = false;
        head.silent = head.silent.max(head.latest).max(Some(in_hand));
    })
}
