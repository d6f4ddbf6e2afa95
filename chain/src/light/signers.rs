//! From a record to the public context that bundles of its epoch are verified in.
//!
//! A record holds all of that context but the keys of the blind signers, which its figures do not depend on. They are
//! public and travel beside it. Nothing ties them to a state root; but a bundle's challenges bind them, so a bundle
//! verifies under the keys that it was made for and under no others.

use super::{EpochRecord, Finding};
use primitives::{Region, ShardIndex, Tier, ids};
use proofs::{
    blind::{BlindError, BlindKey},
    epoch::{EpochContext, EpochKeys},
    receipt::Denomination,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Public keys of the blind signers of an epoch, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignerKeys {
    /// Issuers of tokens.
    pub tiers: Vec<IssuerRecord>,
    /// Signers of receipts.
    pub receipts: Vec<ReceiptSignerRecord>,
}

/// The token issuer of a tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerRecord {
    /// Tier.
    pub tier: Tier,
    /// Its key: DER, as hexadecimal digits.
    pub key: String,
}

/// The signer of a region's receipts of one denomination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptSignerRecord {
    /// Region.
    pub region: Region,
    /// Views that a receipt stands for.
    pub denomination: u8,
    /// Its key: DER, as hexadecimal digits.
    pub key: String,
}

/// Why there is no context.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The record does not say how the epoch opened.
    #[error("the record does not say how its epoch opened: {0}")]
    Record(Box<Finding>),
    /// The epoch does not have the shard.
    #[error("the epoch has {shards} shards, numbered from 0, and no shard {shard}")]
    NoShard {
        /// The shard.
        shard: ShardIndex,
        /// How many there are.
        shards: usize,
    },
    /// A key is none.
    #[error("the key of {holder} is no key of a blind signer")]
    Key {
        /// Whose.
        holder: String,
    },
}

impl From<&EpochKeys> for SignerKeys {
    fn from(keys: &EpochKeys) -> Self {
        let tiers = keys.tiers.iter();
        let receipts = keys.regions.iter();
        Self {
            tiers: tiers
                .map(|(tier, rules)| IssuerRecord { tier: *tier, key: ids::to_hex(rules.issuer.der()) })
                .collect(),
            receipts: receipts
                .map(|((region, denomination), key)| ReceiptSignerRecord {
                    region: *region,
                    denomination: denomination.views(),
                    key: ids::to_hex(key.der()),
                })
                .collect(),
        }
    }
}

fn read(holder: impl Fn() -> String, key: &str) -> Result<BlindKey, ContextError> {
    let der = ids::from_hex(key).ok();
    let key = der.ok_or(BlindError::Key).and_then(|der| BlindKey::from_der(&der));
    key.map_err(|_| ContextError::Key { holder: holder() })
}

impl EpochRecord {
    /// The context in which bundles of a shard are verified. The record is taken as it is.
    ///
    /// # Errors
    /// If the record does not say how the epoch opened, there is no such shard, or a key is none.
    pub fn context(&self, shard: ShardIndex, signers: &SignerKeys) -> Result<EpochContext, ContextError> {
        let unopened = |finding| ContextError::Record(Box::new(finding));
        let opening = self.opening().map_err(unopened)?;
        let shards = opening.shards().map_err(Finding::Shard).map_err(unopened)?;
        let (missing, index) = (ContextError::NoShard { shard, shards: shards.len() }, shard.0 as usize);
        let shard = shards.into_iter().nth(index).ok_or(missing)?;
        let issuer =
            |record: &IssuerRecord| Ok((record.tier, read(|| format!("tier {}", record.tier), &record.key)?));
        let receipts = |record: &ReceiptSignerRecord| {
            let ReceiptSignerRecord { region, denomination, key } = record;
            let holder = || format!("region {region} for receipts of {denomination}");
            let views = Denomination::new(*denomination);
            let views = views.ok_or_else(|| ContextError::Key { holder: holder() })?;
            Ok(((*region, views), read(holder, key)?))
        };
        let issuers = signers.tiers.iter().map(issuer).collect::<Result<Vec<_>, _>>()?;
        let receipts = signers.receipts.iter().map(receipts).collect::<Result<Vec<_>, _>>()?;
        let keys = opening.keys(issuers, receipts);
        Ok(EpochContext::new(self.chain, self.epoch, keys, shard, opening.params))
    }
}
