//! What an epoch opened with, as it is served: made once, because it may name a quarter of a million works.

use crate::opening::{EpochDocument, OpeningError};
use actix_web::web::Bytes;
use primitives::{Digest, Encode, ids::to_hex};
use serde_json::{Value, json};
use std::fmt;

/// An epoch's document, as bytes and for readers.
pub struct Edition {
    document: EpochDocument,
    bytes: Bytes,
    /// JSON of what does not change while the epoch lasts.
    view: Bytes,
}

impl fmt::Debug for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edition").field("epoch", &self.document.opening().epoch).finish_non_exhaustive()
    }
}

impl Edition {
    /// Lays an epoch out. `genesis` is the digest of the chain's genesis, by which a client knows the chain.
    ///
    /// # Errors
    /// If the works of the epoch make no shards.
    pub fn new(document: EpochDocument, genesis: Digest) -> Result<Self, OpeningError> {
        let view = Bytes::from(view(&document, genesis)?.to_string());
        Ok(Self { bytes: Bytes::from(document.to_bytes()), view, document })
    }

    /// The document.
    pub fn document(&self) -> &EpochDocument {
        &self.document
    }

    /// Its canonical bytes. Copies share them.
    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// JSON for readers. Copies share it.
    pub(super) fn view(&self) -> Bytes {
        self.view.clone()
    }
}

fn view(document: &EpochDocument, genesis: Digest) -> Result<Value, OpeningError> {
    let opening = document.opening();
    let tier = |terms: &primitives::params::TierTerms| {
        let issuer = document.issuers().iter().find(|key| key.tier == terms.tier);
        json!({
            "tier": terms.tier,
            "price": terms.price,
            "max_bundles": terms.max_bundles,
            "value_cap": terms.value_cap,
            "sold": opening.sold(terms.tier),
            "issuer": issuer.map(|key| to_hex(&key.key)),
        })
    };
    let region = |key: &chain::modules::usage::RegionKey| json!({ "region": key.region, "denomination": key.denomination, "key": to_hex(&key.key) });
    let shard = |shard: proofs::shard::Shard| json!({ "shard": shard.index(), "width": shard.width(), "works": shard.works() });
    let shards: Vec<Value> = opening.shards()?.into_iter().map(shard).collect();
    Ok(json!({
        "chain": opening.chain,
        "genesis": genesis,
        "epoch": opening.epoch,
        "beacon": opening.key,
        "block": opening.block,
        "committee": opening.committee,
        "params": opening.params,
        "tiers": opening.tiers.iter().map(tier).collect::<Vec<_>>(),
        "regions": document.regions().iter().map(region).collect::<Vec<_>>(),
        "shards": shards,
    }))
}
