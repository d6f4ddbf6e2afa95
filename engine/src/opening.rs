//! What an epoch opened with, as one document: what is on record of it, and the context that follows from that.
//!
//! Settlement derives the epoch that it opens from the ledger, and devices derive it from what a party serves. Both go
//! through [`EpochDocument::opened`], so a device proves against what the committee verifies against. A party may serve a
//! false document: every part of it is a leaf of the ledger's state, and whoever makes bundles for it compares the
//! opening's commitment and the keys with the chain first.

use crate::message::OpenedEpoch;
use chain::{
    light::{IssuerRecord, ReceiptSignerRecord, SignerKeys},
    modules::usage::{IssuerKey, Opening, RegionKey},
    state::State,
};
use primitives::{CodecError, Decode, Encode, EpochId, Reader, Region, Tier, Writer, ids::to_hex, limits};
use proofs::{
    blind::BlindKey,
    epoch::{EpochContext, EpochKeys},
    receipt::Denomination,
    shard::ShardError,
};
use std::sync::Arc;
use thiserror::Error;

/// Most keys of regions: one for each region and denomination.
const MAX_REGION_KEYS: usize = limits::REGIONS as usize * limits::RECEIPT_DENOMINATIONS.len();

/// Why nothing follows from what is on record of an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// The ledger has no such epoch.
    #[error("epoch {epoch} is not open on the ledger; open it first, or ask for one that is")]
    NotOpen {
        /// The epoch.
        epoch: EpochId,
    },
    /// The key of a tier's issuer is no key.
    #[error("the key of the issuer of tier {tier} does not decode; publish keys anew for a later epoch")]
    IssuerKey {
        /// The tier.
        tier: Tier,
    },
    /// The key of a region is no key, or stands for a number of views that no receipt stands for.
    #[error(
        "the key of region {region} for receipts of {denomination} views does not decode; publish keys anew for a later epoch"
    )]
    RegionKey {
        /// The region.
        region: Region,
        /// Views that its receipts stand for.
        denomination: u8,
    },
    /// Keys of issuers are not listed as they are on record.
    #[error("the keys of issuers are not those of tiers on sale in the epoch, each once, by tier")]
    Issuers,
    /// Keys of regions are not listed as they are on record.
    #[error("the keys of regions are not those of the epoch, each once, by region and denomination")]
    Regions,
    /// The works make no shards.
    #[error("the works of the epoch make no shards: {0}")]
    Shards(#[from] ShardError),
    /// How many subscribers may be counted is not told shard by shard.
    #[error("the epoch has {shards} shards, and says of {rooms} how many subscribers they may count")]
    Rooms {
        /// Shards that the works make.
        shards: usize,
        /// Shards of which it is said.
        rooms: usize,
    },
}

/// What an epoch opened with: what was fixed then, and the keys that its tokens and receipts verify under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochDocument {
    /// What was fixed.
    opening: Opening,
    /// Keys of the issuers of its tiers, by tier.
    issuers: Vec<IssuerKey>,
    /// Keys of its regions, by region and denomination.
    regions: Vec<RegionKey>,
}

impl EpochDocument {
    /// Puts together what somebody read from the chain. There is one spelling of it: keys of this epoch, each once, in
    /// order, and none of a tier that is not on sale.
    ///
    /// # Errors
    /// If keys are not listed like this.
    pub fn new(
        opening: Opening,
        issuers: Vec<IssuerKey>,
        regions: Vec<RegionKey>,
    ) -> Result<Self, OpeningError> {
        let known = |k: &IssuerKey| k.epoch == opening.epoch && opening.tier(k.tier).is_some();
        if !issuers.iter().all(known) || !issuers.is_sorted_by(|a, b| a.tier < b.tier) {
            return Err(OpeningError::Issuers);
        }
        let place = |k: &RegionKey| (k.region, k.denomination);
        let known = |k: &RegionKey| k.epoch == opening.epoch;
        if !regions.iter().all(known) || !regions.is_sorted_by(|a, b| place(a) < place(b)) {
            return Err(OpeningError::Regions);
        }
        Ok(Self { opening, issuers, regions })
    }

    /// What a ledger has on record of an epoch. Keys of tiers that are not on sale in it are left out.
    ///
    /// # Errors
    /// If the epoch never opened.
    pub fn on_record(state: &State, epoch: EpochId) -> Result<Self, OpeningError> {
        let opening = state.openings.get(&epoch).ok_or(OpeningError::NotOpen { epoch })?.clone();
        let issuers = state.issuer_keys.iter().filter(|k| k.epoch == epoch && opening.tier(k.tier).is_some());
        let regions = state.region_keys.iter().filter(|k| k.epoch == epoch);
        let (issuers, regions) = (issuers.cloned().collect(), regions.cloned().collect());
        Ok(Self { opening, issuers, regions })
    }

    /// What was fixed when the epoch opened.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Keys of the issuers of its tiers, by tier.
    pub fn issuers(&self) -> &[IssuerKey] {
        &self.issuers
    }

    /// Keys of its regions, by region and denomination.
    pub fn regions(&self) -> &[RegionKey] {
        &self.regions
    }

    /// The context of the epoch. Costs one hash to the group for each work.
    ///
    /// # Errors
    /// If keys do not decode, if works make no shards, or if it is not said of every shard how much it may count.
    pub fn opened(&self) -> Result<OpenedEpoch, OpeningError> {
        let (opening, keys) = (&self.opening, self.keys()?);
        let shards = opening.shards()?;
        if shards.len() != opening.rooms.len() {
            return Err(OpeningError::Rooms { shards: shards.len(), rooms: opening.rooms.len() });
        }
        let context = |shard| {
            let params = opening.params.clone();
            Arc::new(EpochContext::new(opening.chain, opening.epoch, keys.clone(), shard, params))
        };
        let resting = shards.iter().map(|shard| opening.resting(shard.index())).collect();
        let room = opening.rooms.iter().copied().min().unwrap_or(limits::MAX_SUBSCRIBER_EPOCHS);
        let max_bundles = opening.tiers.iter().map(|t| (t.tier, t.max_bundles)).collect();
        let sold = opening.sold.iter().map(|sales| (sales.tier, sales.subscriptions)).collect();
        Ok(OpenedEpoch {
            shards: shards.into_iter().map(context).collect(),
            max_bundles: Arc::new(max_bundles),
            sold: Arc::new(sold),
            resting,
            room,
            seating: opening.seating.clone(),
        })
    }

    fn keys(&self) -> Result<EpochKeys, OpeningError> {
        let issuer = |k: &IssuerKey| {
            let key = BlindKey::from_der(&k.key).map_err(|_| OpeningError::IssuerKey { tier: k.tier })?;
            Ok::<_, OpeningError>((k.tier, key))
        };
        let region = |k: &RegionKey| {
            let (region, denomination) = (k.region, k.denomination);
            let unreadable = OpeningError::RegionKey { region, denomination };
            let read = Denomination::new(denomination).zip(BlindKey::from_der(&k.key).ok());
            read.map(|(denomination, key)| ((region, denomination), key)).ok_or(unreadable)
        };
        let issuers = self.issuers.iter().map(issuer).collect::<Result<Vec<_>, _>>()?;
        let regions = self.regions.iter().map(region).collect::<Result<Vec<_>, _>>()?;
        Ok(self.opening.keys(issuers, regions))
    }
}

impl From<&EpochDocument> for SignerKeys {
    fn from(document: &EpochDocument) -> Self {
        let issuer = |k: &IssuerKey| IssuerRecord { tier: k.tier, key: to_hex(&k.key) };
        let signer = |k: &RegionKey| {
            let RegionKey { region, denomination, ref key, .. } = *k;
            ReceiptSignerRecord { region, denomination, key: to_hex(key) }
        };
        Self {
            tiers: document.issuers.iter().map(issuer).collect(),
            receipts: document.regions.iter().map(signer).collect(),
        }
    }
}

impl Encode for EpochDocument {
    fn encode(&self, w: &mut Writer) {
        self.opening.encode(w);
        w.seq(&self.issuers);
        w.seq(&self.regions);
    }
}

impl Decode for EpochDocument {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let opening = Opening::decode(r)?;
        let (issuers, regions) = (r.seq(limits::MAX_TIERS)?, r.seq(MAX_REGION_KEYS)?);
        Self::new(opening, issuers, regions)
            .map_err(|_| CodecError::Invalid { what: "list of an epoch's keys" })
    }
}
