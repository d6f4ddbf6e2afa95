//! What committees, the steward and the treasury put on record about an epoch.

use super::{seats::Seating, types::decode_key};
use primitives::{
    CodecError, Decode, Digest, Encode, EpochId, PartyId, Reader, Region, ShardIndex, Tier, Writer,
    codec_struct, limits, params::TierTerms,
};
use proofs::committee::{Committee, Signatures};
use proofs::tally::{Tally, TallyProof};

/// Seats a committee from the next epoch on. Signed by the steward.
///
/// It also starts the next epoch's beacon anew, for a committee that committed and then failed to reveal: without two
/// reveals the epoch cannot open, and nobody may commit once reveals have begun. Once two parties have revealed nothing
/// is stuck, and the committee is fixed. Nothing secret rests on a beacon that was dropped. Its seat keeps what had
/// been committed to, so that everybody sees that, and how often, a beacon was started anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCommittee {
    /// The three parties.
    pub committee: Committee,
    /// Who runs them, and who stands by.
    pub seating: Seating,
}

codec_struct!(SetCommittee { committee, seating });

/// Key of a tier's token issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierKey {
    /// Tier.
    pub tier: Tier,
    /// DER encoding, of [`limits::RSA_KEY_BYTES`].
    pub key: Vec<u8>,
}

impl Encode for TierKey {
    fn encode(&self, w: &mut Writer) {
        self.tier.encode(w);
        w.bytes(&self.key);
    }
}

impl Decode for TierKey {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { tier: Decode::decode(r)?, key: decode_key(r)? })
    }
}

/// Key under which a region signs receipts of one denomination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionSigner {
    /// Region.
    pub region: Region,
    /// Views that a receipt stands for.
    pub denomination: u8,
    /// DER encoding, of [`limits::RSA_KEY_BYTES`].
    pub key: Vec<u8>,
}

impl Encode for RegionSigner {
    fn encode(&self, w: &mut Writer) {
        u8::from(self.region).encode(w);
        self.denomination.encode(w);
        w.bytes(&self.key);
    }
}

impl Decode for RegionSigner {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let region = Region::try_from(u8::decode(r)?).map_err(|_| CodecError::Invalid { what: "region" })?;
        Ok(Self { region, denomination: Decode::decode(r)?, key: decode_key(r)? })
    }
}

/// Most region keys of an epoch: one for each region and denomination.
pub(super) const MAX_REGION_KEYS: usize = limits::REGIONS as usize * limits::RECEIPT_DENOMINATIONS.len();

/// Publishes the keys of the next epoch, all at once. Signed by the steward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishKeys {
    /// The next epoch.
    pub epoch: EpochId,
    /// Token issuers, one a tier.
    pub tiers: Vec<TierKey>,
    /// Receipt signers, at most one a region and denomination.
    pub regions: Vec<RegionSigner>,
}

impl Encode for PublishKeys {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        w.seq(&self.tiers);
        w.seq(&self.regions);
    }
}

impl Decode for PublishKeys {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            epoch: Decode::decode(r)?,
            tiers: r.seq(limits::MAX_TIERS)?,
            regions: r.seq(MAX_REGION_KEYS)?,
        })
    }
}

/// A party commits to its contribution to the next epoch's beacon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitBeacon {
    /// The next epoch.
    pub epoch: EpochId,
    /// Party.
    pub party: PartyId,
    /// [`super::beacon_commitment`] of the contribution.
    pub commitment: Digest,
    /// The party's signature on [`super::beacon_signing_digest`].
    pub signature: [u8; 64],
}

codec_struct!(CommitBeacon { epoch, party, commitment, signature });

/// A party reveals its contribution. To know what opens the commitment is signature enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevealBeacon {
    /// The next epoch.
    pub epoch: EpochId,
    /// Party.
    pub party: PartyId,
    /// The contribution.
    pub value: Digest,
}

codec_struct!(RevealBeacon { epoch, party, value });

/// Subscriptions of a tier that were sold by the time an epoch opened: as many tokens as its issuer may have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierSales {
    /// Tier.
    pub tier: Tier,
    /// Subscriptions.
    pub subscriptions: u64,
}

codec_struct!(TierSales { tier, subscriptions });

/// Opens the next epoch: fixes beacon, works, parameters, tiers and what was sold of them. Signed by the steward, who
/// has no say in the parameters: governance has set them.
///
/// No party takes in more subscribers of a tier than were sold, and the treasury, which is somebody else, cannot report
/// fewer afterwards: whoever is counted was paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenEpoch {
    /// The next epoch.
    pub epoch: EpochId,
    /// Tiers, ascending.
    pub tiers: Vec<TierTerms>,
    /// What was sold of each of them, in the same order.
    pub sold: Vec<TierSales>,
    /// Most works of one shard, from [`limits::MIN_SHARD_WIDTH`] to [`limits::MAX_SHARD_WIDTH`].
    pub shard_width: u16,
}

impl Encode for OpenEpoch {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        w.seq(&self.tiers);
        w.seq(&self.sold);
        self.shard_width.encode(w);
    }
}

impl Decode for OpenEpoch {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            epoch: Decode::decode(r)?,
            tiers: r.seq(limits::MAX_TIERS)?,
            sold: r.seq(limits::MAX_TIERS)?,
            shard_width: Decode::decode(r)?,
        })
    }
}

/// Reports what a tier brought, and mints it against the reserve that auditors attest. Signed by the treasury.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRevenue {
    /// Epoch, open and not settled.
    pub epoch: EpochId,
    /// Tier.
    pub tier: Tier,
    /// Subscriptions sold for the epoch: no fewer than were on record when it opened.
    pub subscriptions: u64,
}

codec_struct!(ReportRevenue { epoch, tier, subscriptions });

/// Gives an epoch up that cannot be settled, whatever the cause: totals that no revenue covers, parties that stopped, a
/// total that never came. Signed by the steward, until governance decides this.
///
/// Without it such an epoch would keep every later one from opening, and its revenue from everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbandonEpoch {
    /// Epoch, opened and not settled.
    pub epoch: EpochId,
    /// Hash of the document that says why.
    pub reason: Digest,
}

codec_struct!(AbandonEpoch { epoch, reason });

/// Puts the tally of a shard on record, with its proof and the committee's quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmitAggregate {
    /// Epoch, frozen.
    pub epoch: EpochId,
    /// Shard.
    pub shard: ShardIndex,
    /// What was published, and what is carried over.
    pub tally: Tally,
    /// Proof that the anchored commitments, and what was carried before, open to it.
    pub proof: TallyProof,
    /// Two signatures or three on [`super::aggregate_digest`].
    pub signatures: Signatures,
}

codec_struct!(SubmitAggregate { epoch, shard, tally, proof, signatures });
