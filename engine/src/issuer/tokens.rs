//! The issuer of tokens: one blind signature for each subscriber and epoch, under the key of the tier that was paid for.

use super::{
    IssuerError, answers,
    book::Issuer,
    codes::{Entry, Subscriber},
    keys::Purpose,
    record,
};
use primitives::{EpochId, Tier};
use proofs::blind::{BlindKey, BlindSignature};
use rand_core::{CryptoRng, RngCore};

/// The issuer of tokens.
pub type TokenIssuer = Issuer<Subscriber>;

impl TokenIssuer {
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
        let subscriber = self.who(code)?;
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
