//! The issuer of tokens: one blind signature for each subscriber and epoch, under the key of the tier that was paid for.

use super::{
    IssuerError, OpenError,
    answers::{self, Answers},
    codes::{CodeHash, Subscriber},
    keys::{self, Keys, Purpose},
};
use crate::private;
use primitives::{EpochId, Tier};
use proofs::blind::{BlindKey, BlindSignature};
use rand_core::{CryptoRng, RngCore};
use std::{collections::BTreeMap, path::Path};

/// The issuer of tokens.
pub struct TokenIssuer {
    keys: Keys,
    subscribers: BTreeMap<CodeHash, Subscriber>,
    answers: Answers,
}

impl TokenIssuer {
    /// An issuer with the keys of a folder, which keeps its answers there. The folder is for one process.
    ///
    /// # Errors
    /// If keys or earlier answers cannot be read.
    pub fn open(folder: &Path, subscribers: BTreeMap<CodeHash, Subscriber>) -> Result<Self, OpenError> {
        let unmade = |error| OpenError::Folder { folder: folder.display().to_string(), error };
        private::make_folder(folder).map_err(unmade)?;
        let mut keys = keys::load(folder)?;
        keys.retain(|purpose, _| matches!(purpose, Purpose::Token(..)));
        let of_use = |epoch| keys.keys().any(|purpose| purpose.epoch() == epoch);
        let answers = Answers::open(&folder.join("tokens.log"), of_use)?;
        Ok(Self { keys, subscribers, answers })
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
    /// If the code is nobody's or of another tier, there is no key, or the subscriber had another request signed.
    pub fn sign(
        &mut self,
        code: &str,
        (epoch, tier): (EpochId, Tier),
        request: &[u8],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<BlindSignature, IssuerError> {
        let who = CodeHash::of(code);
        let subscriber = self.subscribers.get(&who).ok_or(IssuerError::UnknownCode)?;
        if subscriber.tier != tier {
            return Err(IssuerError::OtherTier { tier });
        }
        let no_key = || IssuerError::NoKey { epoch, what: format!("tier {tier}") };
        let key = self.keys.get(&Purpose::Token(epoch, tier)).ok_or_else(no_key)?;
        let (request, digest) = answers::read(request).ok_or(IssuerError::Request)?;
        let asked = (tier.0.into(), digest);
        if let Some(given) = self.answers.given(who, epoch) {
            return given.get(&asked).copied().ok_or(IssuerError::OtherRequest { epoch });
        }
        if self.answers.is_full() {
            return Err(IssuerError::Full);
        }
        let answer = key.sign(&request, rng).map_err(|_| IssuerError::Request)?;
        self.answers.add((who, epoch), asked, answer)?;
        Ok(answer)
    }
}
