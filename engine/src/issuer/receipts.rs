//! The signer of a region's receipts: blind signatures for as many views as a serving node has to give away.

use super::{
    IssuerError, answers,
    book::Issuer,
    codes::{Entry, Serving},
    keys::Purpose,
    record,
};
use primitives::{EpochId, Region, limits::RECEIPT_DENOMINATIONS};
use proofs::{
    blind::{BlindKey, BlindSignature},
    receipt::Denomination,
};
use rand_core::{CryptoRng, RngCore};
use std::collections::BTreeSet;

/// Views of the largest receipt.
const LARGEST: u64 = RECEIPT_DENOMINATIONS[2] as u64;
/// Most receipts of a bundle that are smaller than the largest: as many of each size as do not make the next.
const SMALLER: u64 = {
    let [one, some, most] = RECEIPT_DENOMINATIONS;
    (some / one - 1 + most / some - 1) as u64
};

/// Most receipts that a code may have in an epoch: what an honest client needs that spreads its views over all its bundles
/// ([`Denomination::cover`] of each). Whoever wants more of them wants the room of others.
fn most_receipts(views: u64, max_bundles: u16) -> u64 {
    views.min(views / LARGEST + SMALLER * u64::from(max_bundles))
}

/// The signer of receipts of one region or several.
pub type ReceiptIssuer = Issuer<Serving>;

impl ReceiptIssuer {
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
    /// If the code is nobody's, there is no key or not the one on record, the epoch is not open, or the node has fewer views
    /// left than are asked for, or as many receipts as its views can need.
    pub fn sign(
        &mut self,
        code: &str,
        (epoch, region, denomination): (EpochId, Region, Denomination),
        request: &[u8],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<BlindSignature, IssuerError> {
        let serving = self.who(code)?;
        let (who, budget) = (serving.account(), serving.views);
        let views = denomination.views();
        let no_key = || IssuerError::NoKey { epoch, what: format!("region {region} for {views} views") };
        let purpose = Purpose::Receipt(epoch, region, denomination);
        let key = self.keys.get(&purpose).ok_or_else(no_key)?;
        let (request, digest) = answers::read(request).ok_or(IssuerError::Request)?;
        let max_bundles = record::may_sign(&*self.record, purpose, key)?;
        let asked = (u16::from_be_bytes([region.into(), views]), digest);
        let given = self.answers.of(epoch).map_err(Box::new)?.get(&who);
        if !given.is_some_and(|given| given.contains(&asked)) {
            let max_bundles = max_bundles.ok_or(IssuerError::EpochOver { epoch })?;
            let receipts = given.map_or(0, BTreeSet::len) as u64;
            let views_of = |(what, _): &(u16, _)| u64::from(what.to_be_bytes()[1]);
            let away: u64 = given.into_iter().flatten().map(views_of).sum();
            let (left, most) = (budget.saturating_sub(away), most_receipts(budget, max_bundles));
            if u64::from(views) > left {
                return Err(IssuerError::Budget { epoch, left, denomination });
            }
            if receipts >= most {
                return Err(IssuerError::Receipts { epoch, most });
            }
            if self.answers.is_full() {
                return Err(IssuerError::Full);
            }
            // Before anything is on disk: a request that is no number uses nothing up.
            let answer = key.sign(&request, rng).map_err(|_| IssuerError::Request)?;
            self.answers.add((who, epoch), asked).map_err(Box::new)?;
            return Ok(answer);
        }
        key.sign(&request, rng).map_err(|_| IssuerError::Request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::limits::BUNDLE_SIZES;

    #[test]
    fn an_honest_client_needs_no_more_receipts_than_a_code_may_have() {
        for bundles in [1u16, 3, 16] {
            for backed in 0..=BUNDLE_SIZES[2] {
                let needed = Denomination::cover(backed).len() as u64 * u64::from(bundles);
                let views = backed as u64 * u64::from(bundles);
                assert!(needed <= most_receipts(views, bundles), "{bundles} bundles of {backed}");
            }
        }
        assert_eq!(most_receipts(5_000, 16), 408, "not one for every view");
    }
}
