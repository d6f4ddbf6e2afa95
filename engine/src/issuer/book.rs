//! What every issuer has, whatever it signs: keys, a list of who may ask, what it has signed, and the chain.

use super::{
    IssuerError, OpenError,
    answers::Answers,
    codes::{CodeHash, Entry},
    keys::{self, Keys, Purpose},
    record::{self, Record, Standing},
};
use crate::private;
use chain::log::TornTail;
use primitives::EpochId;
use proofs::{blind::BlindSignature, possession};
use rand_core::{CryptoRng, RngCore};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// An issuer for those who are on a list.
pub struct Issuer<E> {
    pub(super) keys: Keys,
    pub(super) list: BTreeMap<CodeHash, E>,
    pub(super) answers: Answers,
    pub(super) record: Arc<dyn Record>,
    /// Proofs that were shown, so that who asks for keys costs a signature once.
    proofs: BTreeMap<Purpose, BlindSignature>,
}

/// A public key that an issuer shows: what it signs, in DER, and the proof that the issuer has the private half.
pub(super) type Shown = (possession::Purpose, Vec<u8>, BlindSignature);

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
        Ok(Self { keys, list, answers, record, proofs: BTreeMap::new() })
    }

    /// The keys of an epoch, as they are shown to whoever puts them on record. One that does not make what its public half
    /// verifies is none.
    pub(super) fn shown(&mut self, epoch: EpochId, rng: &mut (impl RngCore + CryptoRng)) -> Vec<Shown> {
        let chain = self.record.chain();
        let mut shown = Vec::new();
        for (purpose, key) in self.keys.iter().filter(|(purpose, _)| purpose.epoch() == epoch) {
            let signs = purpose.signs();
            let proof = match self.proofs.get(purpose) {
                Some(proof) => *proof,
                None => match possession::prove(key, (chain, epoch, signs), rng) {
                    Ok(proof) => *self.proofs.entry(*purpose).or_insert(proof),
                    Err(_) => continue,
                },
            };
            shown.push((signs, key.public().der().to_vec(), proof));
        }
        shown
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
