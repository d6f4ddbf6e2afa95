//! The issuer of tokens: one blind signature for each subscriber and epoch, under the key of the tier that was paid for.

use super::{
    IssuerError, OpenError,
    answers::{self, Answers},
    codes::{CodeHash, Entry, Subscriber},
    keys::{self, Keys, Purpose},
    record::{self, Record, Standing},
};
use crate::private;
use chain::log::TornTail;
use primitives::{EpochId, Tier};
use proofs::blind::{BlindKey, BlindSignature};
use rand_core::{CryptoRng, RngCore};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// The issuer of tokens.
pub struct TokenIssuer {
    keys: Keys,
    subscribers: BTreeMap<CodeHash, Subscriber>,
    answers: Answers,
    record: Arc<dyn Record>,
}

impl TokenIssuer {
    /// An issuer with the keys of a folder, which keeps its answers there. The folder is for one process.
    ///
    /// # Errors
    /// If keys or earlier answers cannot be read, or a key is not the one on record.
    pub fn open(
        folder: &Path,
        subscribers: BTreeMap<CodeHash, Subscriber>,
        record: Arc<dyn Record>,
    ) -> Result<Self, OpenError> {
        let unmade = |error| OpenError::Folder { folder: folder.display().to_string(), error };
        private::make_folder(folder).map_err(unmade)?;
        let mut keys = keys::load(folder)?;
        keys.retain(|purpose, _| matches!(purpose, Purpose::Token(..)));
        record::check_keys(&*record, &keys)?;
        let answers = Answers::open(folder, "tokens", |epoch| record.standing(epoch) == Standing::Over)?;
        Ok(Self { keys, subscribers, answers, record })
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
    pub fn admit(&mut self, subscribers: BTreeMap<CodeHash, Subscriber>) {
        self.subscribers = subscribers;
    }

    /// Public keys of an epoch's tiers.
    pub fn keys(&self, epoch: EpochId) -> Vec<(Tier, &BlindKey)> {
        let keys = self.keys.iter();
        keys.filter_map(|(purpose, key)| match purpose {
            Purpose::Token(of, tier) if *of == epoch => Some((*tier, key.public())),
            _ => None,
        })
        .collect()
    }

    /// Signs a request for a token. The same request of the same subscriber gets the same answer.
    ///
    /// # Errors
    /// If the code is nobody's or of another tier, there is no key or not the one on record, the epoch is not open, or the
    /// subscriber had another request signed.
    pub fn sign(
        &mut self,
        code: &str,
        (epoch, tier): (EpochId, Tier),
        request: &[u8],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<BlindSignature, IssuerError> {
        let subscriber = self.subscribers.get(&CodeHash::of(code)).ok_or(IssuerError::UnknownCode)?;
        let who = subscriber.account();
        if subscriber.tier != tier {
            return Err(IssuerError::OtherTier { tier });
        }
        let no_key = || IssuerError::NoKey { epoch, what: format!("tier {tier}") };
        let purpose = Purpose::Token(epoch, tier);
        let key = self.keys.get(&purpose).ok_or_else(no_key)?;
        let (request, digest) = answers::read(request).ok_or(IssuerError::Request)?;
        let is_open = record::may_sign(&*self.record, purpose, key)?.is_some();
        let asked = (tier.0.into(), digest);
        let given = self.answers.of(epoch).map_err(Box::new)?.get(&who);
        let (is_known, is_repeat) = (given.is_some(), given.is_some_and(|given| given.contains(&asked)));
        match (is_repeat, is_open) {
            (true, _) => {}
            (false, false) => return Err(IssuerError::EpochOver { epoch }),
            (false, true) if is_known => return Err(IssuerError::OtherRequest { epoch }),
            (false, true) if self.answers.is_full() => return Err(IssuerError::Full),
            (false, true) => {}
        }
        let answer = key.sign(&request, rng).map_err(|_| IssuerError::Request)?;
        if !is_repeat {
            self.answers.add((who, epoch), asked).map_err(Box::new)?;
        }
        Ok(answer)
    }
}
