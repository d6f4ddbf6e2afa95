//! What a bundle is on the wire, what is published of it, and what its transcript starts with.

use crate::{
    blind::BlindSignature,
    bundle::digits::Layout,
    cap::CapProof,
    epoch::EpochContext,
    receipt::Receipt,
    sharing::{KemKey, SealError, SealedShares, ShareSeed},
    tally::Group,
    transcript::{BundleTranscript, label},
    wire::WirePoint,
};
use primitives::field::Plain;
use primitives::{
    ChainId, CodecError, Decode, Digest, Domain, Encode, EpochId, PartyId, Reader, RegionTag, ShardIndex,
    Tier, Writer, codec_struct, hash, limits,
};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
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

/// What is published of a bundle of anonymous usage events (spec 5.1), and all that its proof is about: `tags` give the
/// `event_pseudonyms`, `proof` is `proof_usage`, `receipts` with check (e) are `proof_bandwidth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What it says openly.
    pub envelope: Envelope,
    /// The tier issuer's signature on the key.
    pub token: BlindSignature,
    /// Bandwidth receipts, all of the envelope's region.
    pub receipts: Vec<Receipt>,
    /// `Cum` before this bundle: the neutral element in a subscriber's first bundle of an epoch.
    pub previous: WirePoint,
    /// Commitment `S` to the usage vector.
    pub vector: WirePoint,
    /// Commitments `A_1, A_2, A_3` to what the three seeds expand to: masks of the proof, and shares of the vector.
    pub masks: [WirePoint; 3],
    /// `E_i`, one a share: ephemerals that the seeds are sealed under.
    pub ephemerals: [WirePoint; 3],
    /// Digest of the sealed seeds.
    pub(crate) sealed_digest: Digest,
    /// Tags `T_e = C_{w,j}`, one an event.
    pub tags: Vec<WirePoint>,
    /// The proof.
    pub proof: Proof,
}

/// A bundle as a device hands it in: what is published of it, and the sealed seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    published: Arc<Published>,
    pub(crate) sealed: SealedShares,
}

/// The messages of the bundle proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// `B'`.
    pub digits: WirePoint,
    /// `A'`.
    pub digit_masks: WirePoint,
    /// `A_sk`.
    pub key_mask: WirePoint,
    /// `alpha`.
    pub backed_mask: Plain,
    /// `A_{E,i}`.
    pub ephemeral_masks: [WirePoint; 3],
    /// `C_val`.
    pub value: WirePoint,
    /// `N`.
    pub tag_mask: WirePoint,
    /// `D_k`, `k < M`, and `D_(M+1)`.
    pub coefficients: Vec<WirePoint>,
    /// Entries `f`: for each event, entries 1 to 3 of each digit, then the backed entry.
    pub responses: Vec<Plain>,
    /// `z`: the usage vector under its mask, one entry for each index of the shard.
    pub vector_response: Vec<Plain>,
    /// `z_B`.
    pub digits_response: Plain,
    /// `z_s`.
    pub key_response: Plain,
    /// `z_S`.
    pub blinding_response: Plain,
    /// `z_D`.
    pub coefficient_response: Plain,
    /// `z_{E,i}`.
    pub ephemeral_responses: [Plain; 3],
    /// That the subscriber's value stays below the cap. It goes on in the transcript after x.
    pub cap: CapProof,
}

/// Most responses in a proof: the largest bundle over the widest shard.
const MAX_RESPONSES: usize = limits::BUNDLE_SIZES[2] * 31;
/// Most committed coefficients.
const MAX_COEFFICIENTS: usize = 11;

impl Published {
    /// Identifier under which parties agree on the bundle. It binds the ciphertexts by their digest.
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

    /// Starts the transcript: the context's digest, then everything that is published but the proof (protocol notes,
    /// section 3, step 1).
    pub(crate) fn transcript(&self, context: &EpochContext) -> BundleTranscript {
        let mut w = Writer::default();
        context.digest.encode(&mut w);
        self.encode_statement(&mut w, &self.sealed_digest);
        BundleTranscript::new(&w.finish())
    }

    /// All but the proof, with the sealed seeds or their digest in its place.
    fn encode_statement(&self, w: &mut Writer, sealed: &impl Encode) {
        self.envelope.encode(w);
        w.raw(&self.token);
        w.seq(&self.receipts);
        let points = [self.previous, self.vector].into_iter().chain(self.masks).chain(self.ephemerals);
        points.for_each(|point| point.encode(w));
        sealed.encode(w);
        w.seq(&self.tags);
    }

    /// Reads what [`Published::encode_statement`] and the proof's encoding make; `sealed` reads what stands in place of
    /// the sealed seeds, and gives their digest.
    fn decode_around(
        r: &mut Reader<'_>,
        sealed: impl FnOnce(&mut Reader<'_>) -> Result<Digest, CodecError>,
    ) -> Result<Self, CodecError> {
        Ok(Self {
            envelope: Envelope::decode(r)?,
            token: r.array()?,
            receipts: r.seq(limits::MAX_RECEIPTS)?,
            previous: WirePoint::decode(r)?,
            vector: WirePoint::decode(r)?,
            masks: three(r)?,
            ephemerals: three(r)?,
            sealed_digest: sealed(r)?,
            tags: r.seq(limits::BUNDLE_SIZES[2])?,
            proof: Proof::decode(r)?,
        })
    }
}

impl Bundle {
    /// A bundle whose sealed seeds have the digest in what is published.
    pub(crate) fn new(published: Published, sealed: SealedShares) -> Self {
        debug_assert_eq!(published.sealed_digest, sealed.digest());
        Self { published: Arc::new(published), sealed }
    }

    /// What anybody may see of it.
    pub fn published(&self) -> &Arc<Published> {
        &self.published
    }

    /// The seeds, sealed to their holders.
    pub fn sealed(&self) -> &SealedShares {
        &self.sealed
    }

    /// Opens the two seeds that `party` holds, own and next.
    pub fn open(
        &self,
        context: &EpochContext,
        party: PartyId,
        key: &KemKey,
    ) -> Result<[ShareSeed; 2], SealError> {
        let sealing = context.sealing_context(&self.envelope);
        self.sealed.open(&self.ephemerals, (party, key), &sealing)
    }

    /// Opens the seed of one share that `party` holds.
    ///
    /// # Panics
    /// If the party does not hold the share.
    pub fn open_one(
        &self,
        context: &EpochContext,
        (party, key): (PartyId, &KemKey),
        share: PartyId,
    ) -> Result<ShareSeed, SealError> {
        let sealing = context.sealing_context(&self.envelope);
        self.sealed.open_one(&self.ephemerals, (party, key), share, &sealing)
    }
}

impl Deref for Bundle {
    type Target = Published;

    fn deref(&self) -> &Published {
        &self.published
    }
}

/// For tests of what is refused: whatever is changed is another bundle, whose proof does not hold.
impl DerefMut for Bundle {
    fn deref_mut(&mut self) -> &mut Published {
        Arc::make_mut(&mut self.published)
    }
}

impl Proof {
    /// Step 2 of the transcript: the commitments that come before any challenge.
    pub(crate) fn append_first_message(&self, transcript: &mut BundleTranscript) {
        transcript.point(label::DIGITS, &self.digits);
        transcript.point(label::MASKS, &self.digit_masks);
        transcript.point(label::KEY, &self.key_mask);
        transcript.scalar(label::ALPHA, &self.backed_mask);
        for mask in &self.ephemeral_masks {
            transcript.point(label::EPHEMERAL, mask);
        }
        transcript.point(label::VALUE, &self.value);
    }

    /// Step 3 of the transcript, after rho and tau.
    pub(crate) fn append_second_message(&self, transcript: &mut BundleTranscript) {
        transcript.point(label::TAG_MASK, &self.tag_mask);
        for coefficient in &self.coefficients {
            transcript.point(label::COEFFICIENT, coefficient);
        }
    }

    /// Whether the vectors have the lengths that `events` events need.
    pub fn has_shape(&self, layout: Layout, events: usize) -> bool {
        self.coefficients.len() == layout.coefficients()
            && self.responses.len() == events * layout.responses()
            && self.vector_response.len() == layout.width()
    }
}

impl Encode for Published {
    fn encode(&self, w: &mut Writer) {
        self.encode_statement(w, &self.sealed_digest);
        self.proof.encode(w);
    }
}

impl Decode for Published {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Self::decode_around(r, Digest::decode)
    }
}

impl Encode for Bundle {
    fn encode(&self, w: &mut Writer) {
        self.encode_statement(w, &self.sealed);
        self.proof.encode(w);
    }
}

impl Decode for Bundle {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut sealed = None;
        let published =
            Published::decode_around(r, |r| Ok(sealed.insert(SealedShares::decode(r)?).digest()))?;
        Ok(Self::new(published, sealed.expect("read on the way")))
    }
}

fn three<T: Decode>(r: &mut Reader<'_>) -> Result<[T; 3], CodecError> {
    Ok([T::decode(r)?, T::decode(r)?, T::decode(r)?])
}

impl Encode for Proof {
    fn encode(&self, w: &mut Writer) {
        [self.digits, self.digit_masks, self.key_mask].iter().for_each(|p| p.encode(w));
        self.backed_mask.encode(w);
        self.ephemeral_masks.iter().for_each(|p| p.encode(w));
        self.value.encode(w);
        self.tag_mask.encode(w);
        w.seq(&self.coefficients);
        w.seq(&self.responses);
        w.seq(&self.vector_response);
        let responses =
            [self.digits_response, self.key_response, self.blinding_response, self.coefficient_response];
        responses.iter().chain(&self.ephemeral_responses).for_each(|s| s.encode(w));
        self.cap.encode(w);
    }
}

impl Decode for Proof {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let [digits, digit_masks, key_mask] = three(r)?;
        Ok(Self {
            digits,
            digit_masks,
            key_mask,
            backed_mask: Decode::decode(r)?,
            ephemeral_masks: three(r)?,
            value: Decode::decode(r)?,
            tag_mask: Decode::decode(r)?,
            coefficients: r.seq(MAX_COEFFICIENTS)?,
            responses: r.seq(MAX_RESPONSES)?,
            vector_response: r.seq(limits::MAX_SHARD_WIDTH)?,
            digits_response: Decode::decode(r)?,
            key_response: Decode::decode(r)?,
            blinding_response: Decode::decode(r)?,
            coefficient_response: Decode::decode(r)?,
            ephemeral_responses: three(r)?,
            cap: Decode::decode(r)?,
        })
    }
}
