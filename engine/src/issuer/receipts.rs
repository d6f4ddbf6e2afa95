//! The signer of a region's receipts: blind signatures for as many views as a serving node has to give away.

use super::{
    IssuerError, OpenError,
    answers::{self, Answers},
    codes::{CodeHash, Serving},
    keys::{self, Keys, Purpose},
};
use crate::private;
use primitives::{EpochId, Region};
use proofs::{
    blind::{BlindKey, BlindSignature},
    receipt::Denomination,
};
use rand_core::{CryptoRng, RngCore};
use std::{collections::BTreeMap, path::Path};

/// The signer of receipts of one region or several.
pub struct ReceiptIssuer {
    keys: Keys,
    serving: BTreeMap<CodeHash, Serving>,
    answers: Answers,
}

impl ReceiptIssuer {
    /// A signer with the keys of a folder, which keeps its answers there. The folder is for one process.
    ///
    /// # Errors
    /// If keys or earlier answers cannot be read.
    pub fn open(folder: &Path, serving: BTreeMap<CodeHash, Serving>) -> Result<Self, OpenError> {
        let unmade = |error| OpenError::Folder { folder: folder.display().to_string(), error };
        private::make_folder(folder).map_err(unmade)?;
        let mut keys = keys::load(folder)?;
        keys.retain(|purpose, _| matches!(purpose, Purpose::Receipt(..)));
        let of_use = |epoch| keys.keys().any(|purpose| purpose.epoch() == epoch);
        let answers = Answers::open(&folder.join("receipts.log"), of_use)?;
        Ok(Self { keys, serving, answers })
    }

    /// Who may ask from now on. What was signed for others stays remembered.
    pub fn admit(&mut self, serving: BTreeMap<CodeHash, Serving>) {
        self.serving = serving;
    }

    /// Public keys of an epoch's regions and denominations.
    pub fn keys(&self, epoch: EpochId) -> Vec<((Region, Denomination), &BlindKey)> {
        let keys = self.keys.iter();
        keys.filter_map(|(purpose, key)| match purpose {
            Purpose::Receipt(of, region, denomination) if *of == epoch => {
                Some(((*region, *denomination), key.public()))
            }
            _ => None,
        })
        .collect()
    }

    /// Signs a request for a receipt. The same request for the same denomination gets the same answer and is counted once.
    ///
    /// # Errors
    /// If the code is nobody's, there is no key, or the node has fewer views left than are asked for.
    pub fn sign(
        &mut self,
        code: &str,
        (epoch, region, denomination): (EpochId, Region, Denomination),
        request: &[u8],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<BlindSignature, IssuerError> {
        let who = CodeHash::of(code);
        let budget = self.serving.get(&who).ok_or(IssuerError::UnknownCode)?.views;
        let views = denomination.views();
        let no_key = || IssuerError::NoKey { epoch, what: format!("region {region} for {views} views") };
        let key = self.keys.get(&Purpose::Receipt(epoch, region, denomination)).ok_or_else(no_key)?;
        let (request, digest) = answers::read(request).ok_or(IssuerError::Request)?;
        let asked = (u16::from_be_bytes([region.into(), views]), digest);
        let given = self.answers.given(who, epoch);
        if let Some(answer) = given.and_then(|given| given.get(&asked)) {
            return Ok(*answer);
        }
        let views_of = |((what, _), _): (&(u16, _), _)| u64::from(what.to_be_bytes()[1]);
        let away: u64 = given.into_iter().flatten().map(views_of).sum();
        let left = budget.saturating_sub(away);
        if u64::from(views) > left {
            return Err(IssuerError::Budget { epoch, left, denomination });
        }
        if self.answers.is_full() {
            return Err(IssuerError::Full);
        }
        let answer = key.sign(&request, rng).map_err(|_| IssuerError::Request)?;
        self.answers.add((who, epoch), asked, answer)?;
        Ok(answer)
    }
}
