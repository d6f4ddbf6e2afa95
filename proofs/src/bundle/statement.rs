//! What a bundle is on the wire, and what its transcript starts with.

use crate::{
    blind::BlindSignature,
    bundle::digits::Layout,
    epoch::EpochContext,
    receipt::Receipt,
    sharing::SealedShares,
    tally::Group,
    transcript::{BundleTranscript, label},
    wire::{WirePoint, WireScalar},
};
use primitives::{
    ChainId, CodecError, Decode, Digest, Domain, Encode, EpochId, Reader, RegionTag, ShardIndex, Tier,
    Writer, codec_struct, hash, limits,
};

/// What a bundle says openly of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Chain.
    pub chain: ChainId,
    /// Epoch.
    pub epoch: EpochId,
    /// Shard of the registry.
    pub shard: ShardIndex,
    /// Window of the epoch in which it is handed in, below [`limits::WINDOWS`].
    pub window: u16,
    /// Subscription tier.
    pub tier: Tier,
    /// Region of all its receipts.
    pub region: RegionTag,
    /// `Y = sk B`, the subscriber's key of this epoch.
    pub key: WirePoint,
}

codec_struct!(Envelope { chain, epoch, shard, window, tier, region, key });

impl Envelope {
    /// Group under which the bundle is counted.
    pub fn group(&self) -> Group {
        Group { tier: self.tier, region: self.region }
    }
}

/// A bundle of anonymous usage events (spec 5.1): `tags` give the `event_pseudonyms`, `proof` is `proof_usage`,
/// `receipts` with check (e) are `proof_bandwidth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What it says openly.
    pub envelope: Envelope,
    /// The tier issuer's signature on the key.
    pub token: BlindSignature,
    /// Bandwidth receipts, all of the envelope's region.
    pub receipts: Vec<Receipt>,
    /// Commitments `S_1, S_2, S_3` to the shares of the usage vector.
    pub commitments: [WirePoint; 3],
    /// The shares, sealed to their holders.
    pub sealed: SealedShares,
    /// Tags `T_e = C_{w,j}`, one an event.
    pub tags: Vec<WirePoint>,
    /// The proof.
    pub proof: Proof,
}

/// The messages of the bundle proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// `B'`.
    pub digits: WirePoint,
    /// `A'`.
    pub masks: WirePoint,
    /// `A_sk`.
    pub key_mask: WirePoint,
    /// `alpha`.
    pub backed_mask: WireScalar,
    /// `A_{E,i}`.
    pub ephemeral_masks: [WirePoint; 3],
    /// `N`.
    pub tag_mask: WirePoint,
    /// `Q_k`, `k < M`.
    pub coefficients: Vec<WirePoint>,
    /// Entries `f`: for each event, entries 1 to 3 of each digit, then the backed entry.
    pub responses: Vec<WireScalar>,
    /// `z_B`.
    pub digits_response: WireScalar,
    /// `z_s`.
    pub key_response: WireScalar,
    /// `z_S`.
    pub vector_response: WireScalar,
    /// `z_{E,i}`.
    pub ephemeral_responses: [WireScalar; 3],
}

/// Most responses in a proof: the largest bundle over the widest shard.
const MAX_RESPONSES: usize = limits::BUNDLE_SIZES[2] * 31;
/// Most committed coefficients.
const MAX_COEFFICIENTS: usize = 10;

impl Bundle {
    /// Identifier under which parties agree on the bundle.
    pub fn id(&self) -> Digest {
        hash::hash(Domain::Bundle, &[&self.to_bytes()])
    }

    /// Pseudonyms of the events, `P = H(K_epoch || C)` (spec 4.3).
    pub fn pseudonyms(&self, context: &EpochContext) -> Vec<Digest> {
        self.tags.iter().map(|tag| hash::pseudonym(&context.keys.beacon, &tag.0)).collect()
    }

    /// Views that the receipts stand for.
    pub fn receipted_views(&self) -> u64 {
        self.receipts.iter().map(|r| u64::from(r.denomination.views())).sum()
    }

    /// Starts the transcript: the context's digest, then everything of the bundle but its proof (protocol notes,
    /// section 3, step 1, and the tags of step 2).
    pub(crate) fn transcript(&self, context: &EpochContext) -> BundleTranscript {
        let mut w = Writer::default();
        context.digest.encode(&mut w);
        self.envelope.encode(&mut w);
        w.raw(&self.token);
        w.seq(&self.receipts);
        self.commitments.iter().for_each(|c| c.encode(&mut w));
        self.sealed.digest().encode(&mut w);
        w.seq(&self.tags);
        BundleTranscript::new(&w.finish())
    }
}

impl Proof {
    /// Step 2 of the transcript, after the tags: the commitments that come before any challenge.
    pub(crate) fn append_first_message(&self, transcript: &mut BundleTranscript) {
        transcript.point(label::DIGITS, &self.digits);
        transcript.point(label::MASKS, &self.masks);
        transcript.point(label::KEY, &self.key_mask);
        transcript.scalar(label::ALPHA, &self.backed_mask);
        for mask in &self.ephemeral_masks {
            transcript.point(label::EPHEMERAL, mask);
        }
    }

    /// Step 3 of the transcript, after rho.
    pub(crate) fn append_second_message(&self, transcript: &mut BundleTranscript) {
        transcript.point(label::TAG_MASK, &self.tag_mask);
        for coefficient in &self.coefficients {
            transcript.point(label::COEFFICIENT, coefficient);
        }
    }

    /// Whether the vectors have the lengths that `events` events need.
    pub fn has_shape(&self, layout: Layout, events: usize) -> bool {
        self.coefficients.len() == layout.degree() && self.responses.len() == events * layout.responses()
    }
}

impl Encode for Bundle {
    fn encode(&self, w: &mut Writer) {
        self.envelope.encode(w);
        w.raw(&self.token);
        w.seq(&self.receipts);
        self.commitments.iter().for_each(|c| c.encode(w));
        self.sealed.encode(w);
        w.seq(&self.tags);
        self.proof.encode(w);
    }
}

impl Decode for Bundle {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            envelope: Envelope::decode(r)?,
            token: r.array()?,
            receipts: r.seq(limits::MAX_RECEIPTS)?,
            commitments: three(r)?,
            sealed: SealedShares::decode(r)?,
            tags: r.seq(limits::BUNDLE_SIZES[2])?,
            proof: Proof::decode(r)?,
        })
    }
}

fn three<T: Decode>(r: &mut Reader<'_>) -> Result<[T; 3], CodecError> {
    Ok([T::decode(r)?, T::decode(r)?, T::decode(r)?])
}

impl Encode for Proof {
    fn encode(&self, w: &mut Writer) {
        [self.digits, self.masks, self.key_mask].iter().for_each(|p| p.encode(w));
        self.backed_mask.encode(w);
        self.ephemeral_masks.iter().for_each(|p| p.encode(w));
        self.tag_mask.encode(w);
        w.seq(&self.coefficients);
        w.seq(&self.responses);
        [self.digits_response, self.key_response, self.vector_response].iter().for_each(|s| s.encode(w));
        self.ephemeral_responses.iter().for_each(|s| s.encode(w));
    }
}

impl Decode for Proof {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let [digits, masks, key_mask] = three(r)?;
        let backed_mask = Decode::decode(r)?;
        let ephemeral_masks = three(r)?;
        let tag_mask = Decode::decode(r)?;
        let coefficients = r.seq(MAX_COEFFICIENTS)?;
        let responses = r.seq(MAX_RESPONSES)?;
        let [digits_response, key_response, vector_response] = three(r)?;
        Ok(Self {
            digits,
            masks,
            key_mask,
            backed_mask,
            ephemeral_masks,
            tag_mask,
            coefficients,
            responses,
            digits_response,
            key_response,
            vector_response,
            ephemeral_responses: three(r)?,
        })
    }
}
