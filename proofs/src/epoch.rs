//! The public context of one epoch in one shard: all that a bundle is bound to.

use crate::{
    blind::BlindKey,
    bundle::Envelope,
    committee::Committee,
    generators::{WorkBases, tag_base},
    receipt::Denomination,
    shard::Shard,
};
use curve25519_dalek::ristretto::RistrettoPoint;
use primitives::field::Residue;
use primitives::{ChainId, Digest, Domain, Encode, EpochId, GovernanceParams, Region, Tier, hash, limits};
use std::collections::BTreeMap;

/// A tier, as bundles are checked against it.
#[derive(Clone, Debug)]
pub struct TierRules {
    /// Token issuer.
    pub issuer: BlindKey,
    /// Most value that one subscriber adds in the epoch, in 2^-18 views, below 2^32.
    pub value_cap: u64,
}

/// What is on the chain before an epoch opens.
#[derive(Clone, Debug)]
pub struct EpochKeys {
    /// Beacon key `K_epoch` (spec 4.1).
    pub beacon: Digest,
    /// Issuer and cap of each tier.
    pub tiers: BTreeMap<Tier, TierRules>,
    /// Receipt signers: one for each region and denomination, because a blind signer cannot see what it signs. What a
    /// receipt is worth must be what its key says.
    pub regions: BTreeMap<(Region, Denomination), BlindKey>,
    /// The three parties.
    pub committee: Committee,
}

/// The public context of an epoch, with everything that is derived from it once.
pub struct EpochContext {
    /// Chain.
    pub chain: ChainId,
    /// Epoch.
    pub epoch: EpochId,
    /// Beacon, issuers, committee.
    pub keys: EpochKeys,
    /// Works.
    pub shard: Shard,
    /// Parameters of the epoch.
    pub params: GovernanceParams,
    /// `G_w`.
    pub works: WorkBases,
    /// `Q`.
    pub tag_base: RistrettoPoint,
    /// `value(j + 1)` for each view index j.
    pub view_values: [Residue; limits::VIEW_INDICES as usize],
    /// Digest of all of it.
    pub digest: Digest,
}

impl EpochContext {
    /// Derives the context. Costs one hash to the group for each index of the shard.
    pub fn new(
        chain: ChainId,
        epoch: EpochId,
        keys: EpochKeys,
        shard: Shard,
        params: GovernanceParams,
    ) -> Self {
        let works = WorkBases::new(&shard);
        let mut signers = Vec::new();
        for (tier, rules) in &keys.tiers {
            signers
                .extend_from_slice(&[&[0, tier.0], rules.issuer.der(), &rules.value_cap.to_bytes()].concat());
        }
        for ((region, denomination), key) in &keys.regions {
            signers.extend_from_slice(&[&[1, u8::from(*region), denomination.views()], key.der()].concat());
        }
        let digest = hash::hash(
            Domain::EpochContext,
            &[
                &chain.to_bytes(),
                &epoch.to_bytes(),
                &keys.beacon.0,
                &shard.digest().0,
                &params.digest().0,
                &works.digest().0,
                &keys.committee.to_bytes(),
                &signers,
            ],
        );
        Self {
            tag_base: tag_base(chain, &keys.beacon, shard.index()),
            view_values: params.view_values().map(|value| Residue::from(u64::from(value))),
            chain,
            epoch,
            keys,
            shard,
            params,
            works,
            digest,
        }
    }

    /// What the ciphertexts of a bundle's shares are bound to.
    pub fn sealing_context(&self, envelope: &Envelope) -> Digest {
        hash::hash(Domain::Sealing, &[&self.digest.0, &envelope.to_bytes()])
    }
}
