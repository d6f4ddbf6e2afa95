//! Statement, proof and challenges of the tally proof (protocol notes, section 6.4).

use crate::{
    generators::WorkBases,
    tally::{
        header::{EpochRoot, Running},
        residual::Residual,
        totals::Totals,
    },
    transcript::{TallyChallenge, TallyTranscript},
    wire::{WirePoint, WireScalar},
};
use curve25519_dalek::ristretto::RistrettoPoint;
use primitives::{
    CodecError, Decode, Digest, Domain, Encode, PartyId, Reader, Tier, WorkIndex, Writer, codec_struct, hash,
    limits,
};
use serde::{Deserialize, Serialize};

/// What a tally proof is about: a frozen root, the commitments that lead to it and those that earlier epochs left over,
/// and totals.
#[derive(Clone)]
pub struct TallyStatement<'a> {
    /// The frozen set.
    pub root: &'a EpochRoot,
    /// Bases of the shard's works.
    pub works: &'a WorkBases,
    /// Running commitments of the last header.
    pub running: &'a Running,
    /// What earlier epochs carried over.
    pub before: &'a Residual,
    /// The totals that were opened: this epoch's and what was carried to them.
    pub totals: &'a Totals,
}

/// Commitments of a tier to what its cells hold: the epoch's bundles and what was carried.
pub struct TierCells {
    /// The tier.
    pub tier: Tier,
    /// Commitments to the three shares.
    pub commitments: [RistrettoPoint; 3],
}

impl TierCells {
    /// The tiers in which bundles were counted, in order.
    pub fn of(running: &Running, before: &Residual) -> Vec<Self> {
        let add = |(tier, sums): (Tier, [RistrettoPoint; 3])| {
            let carried = before.of(tier);
            Self { tier, commitments: PartyId::ALL.map(|i| carried[i.index()] + sums[i.index()]) }
        };
        running.by_tier().into_iter().map(add).collect()
    }
}

/// The cells of a tier by what becomes of them, as indices of the shard in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    /// Those that are opened: published works, and padding.
    pub opened: Vec<usize>,
    /// Those that stay closed and are carried over.
    pub carried: Vec<usize>,
}

impl Cells {
    /// Parts the indices of a shard by whether a work is published.
    pub fn part(works: &WorkBases, published: impl Fn(WorkIndex) -> bool) -> Self {
        let open = |at: &usize| *at >= works.works() || published(WorkIndex(*at as u16));
        let (opened, carried) = (0..works.points().len()).partition(open);
        Self { opened, carried }
    }
}

impl TallyStatement<'_> {
    /// The cells of a tier.
    pub fn cells(&self, tier: Tier) -> Cells {
        Cells::part(self.works, |work| self.totals.get(tier, work).is_some())
    }

    /// Binds the statement and the digests of each share's openings, which are all fixed before the announcements.
    pub fn bind(&self, openings: &[Digest; 3]) -> TallyTranscript {
        let mut transcript = TallyTranscript::new();
        transcript.root(&self.root.digest());
        transcript.generators(&self.works.digest());
        transcript.running(&self.running.to_bytes());
        transcript.carried(&self.before.to_bytes());
        transcript.totals(&self.totals.digest());
        for digest in openings {
            transcript.openings(digest);
        }
        transcript
    }
}

/// Draws the challenge after the announcements: for each tier the sum of the three parties'.
pub fn challenge(
    mut transcript: TallyTranscript,
    announcements: impl Iterator<Item = WirePoint>,
) -> TallyChallenge {
    announcements.for_each(|announcement| transcript.announcement(&announcement));
    transcript.challenge()
}

/// Answer for one tier: `z_w` for each cell that is carried, and `z_H`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierResponse {
    /// One for each carried cell, in order.
    pub carried: Vec<WireScalar>,
    /// For the blinding base.
    pub blinding: WireScalar,
}

impl Encode for TierResponse {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.carried);
        self.blinding.encode(w);
    }
}

impl Decode for TierResponse {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { carried: r.seq(limits::MAX_SHARD_WIDTH)?, blinding: Decode::decode(r)? })
    }
}

/// Proof for one tier that commitments less totals open in the bases of carried cells and the blinding base alone.
///
/// Each tier has a proof of its own, under one challenge: its cells that are carried differ from another tier's, and in
/// a sum over tiers a base that is free in one would be free in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierProof {
    /// Sum of the announcements.
    pub announcement: WirePoint,
    /// Sum of the responses.
    pub response: TierResponse,
}

codec_struct!(TierProof { announcement, response });

impl TierProof {
    /// Proofs of all tiers, from the sums of the announcements and the responses of each share, which have one shape.
    pub fn sum(announcements: &[RistrettoPoint], shares: &[Vec<TierResponse>]) -> Vec<Self> {
        let tier = |(at, announcement): (usize, &RistrettoPoint)| {
            let of = shares.iter().map(|responses| &responses[at]);
            let mut response = TierResponse { carried: Vec::new(), blinding: WireScalar::default() };
            for share in of {
                response.carried.resize(share.carried.len(), WireScalar::default());
                response.carried.iter_mut().zip(&share.carried).for_each(|(sum, z)| sum.0 += z.0);
                response.blinding.0 += share.blinding.0;
            }
            Self { announcement: (*announcement).into(), response }
        };
        announcements.iter().enumerate().map(tier).collect()
    }
}

/// Proof of all tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TallyProof {
    /// Digest of the openings of each share. They are not needed to check the totals; they are here because the
    /// parties fixed them before the challenge, to hold each other to them.
    pub openings: [Digest; 3],
    /// The tiers in which bundles were counted, in order.
    pub tiers: Vec<TierProof>,
}

impl Encode for TallyProof {
    fn encode(&self, w: &mut Writer) {
        self.openings.iter().for_each(|digest| digest.encode(w));
        w.seq(&self.tiers);
    }
}

impl Decode for TallyProof {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let openings = [Digest::decode(r)?, Digest::decode(r)?, Digest::decode(r)?];
        Ok(Self { openings, tiers: r.seq(limits::MAX_TIERS)? })
    }
}

/// One share's openings: for each tier in order, the share of every cell that is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareOpenings {
    /// Rows, one a tier.
    pub rows: Vec<OpeningRow>,
}

/// The openings of one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningRow {
    /// The tier.
    pub tier: Tier,
    /// Share of each opened cell, in the order of [`Cells::opened`].
    pub shares: Vec<WireScalar>,
}

impl Encode for OpeningRow {
    fn encode(&self, w: &mut Writer) {
        self.tier.encode(w);
        w.seq(&self.shares);
    }
}

impl Decode for OpeningRow {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { tier: Decode::decode(r)?, shares: r.seq(limits::MAX_SHARD_WIDTH)? })
    }
}

impl Encode for ShareOpenings {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.rows);
    }
}

impl Decode for ShareOpenings {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { rows: r.seq(limits::MAX_TIERS)? })
    }
}

impl ShareOpenings {
    /// Digest that is fixed before the challenge.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::TallyOpenings, &[&self.to_bytes()])
    }
}
