//! What every issuer has, whatever it signs: keys, a list of who may ask, what it has signed, and the chain.

use super::{
    IssuerError, OpenError,
    answers::Answers,
    codes::{CodeHash, Entry},
    keys::{self, Keys},
    record::{self, Record, Standing},
};
use crate::private;
use chain::log::TornTail;
use primitives::EpochId;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// An issuer for those who are on a list.
pub struct Issuer<E> {
    pub(super) keys: Keys,
    pub(super) list: BTreeMap<CodeHash, E>,
    pub(super) answers: Answers,
    pub(super) record: Arc<dyn Record>,
}

impl<E: Entry> Issuer<E> {
    /// An issuer with the keys of a folder, which keeps there what it has signed. The folder is for one process.
    ///
    /// # Errors
    /// If keys or what was signed earlier cannot be read, or a key is not the one on record.
    pub fn open(
        folder: &Path,
        list: BTreeMap<CodeHash, E>,
        record: Arc<dyn Record>,
    ) -> Result<Self, OpenError> {
        let unmade = |error| OpenError::Folder { folder: folder.display().to_string(), error };
        private::make_folder(folder).map_err(unmade)?;
        let mut keys = keys::load(folder)?;
        keys.retain(|purpose, _| E::may_ask(purpose));
        record::check_keys(&*record, &keys)?;
        let answers = Answers::open(folder, E::FILES, |epoch| record.standing(epoch) == Standing::Over)?;
        Ok(Self { keys, list, answers, record })
    }

    /// Forgets what was signed in epochs that are over by now; which.
    pub fn forget(&mut self) -> Vec<EpochId> {
        self.answers.forget(|epoch| self.record.standing(epoch) == Standing::Over)
    }

    /// What crashes had left of requests that they interrupted: cut off, and never answered.
    pub fn torn(&self) -> &[TornTail] {
        self.answers.torn()
    }

    /// Who may ask from now on. What was signed for others stays remembered.
    pub fn admit(&mut self, list: BTreeMap<CodeHash, E>) {
        self.list = list;
    }

    /// Whoever shows a code.
    pub(super) fn who(&self, code: &str) -> Result<E, IssuerError> {
        self.list.get(&CodeHash::of(code)).copied().ok_or(IssuerError::UnknownCode)
    }
}
