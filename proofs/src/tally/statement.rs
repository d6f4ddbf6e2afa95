//! Statement, proof and challenges of the tally proof (protocol notes, section 6.4).

use crate::{
    tally::{header::EpochRoot, totals::Totals},
    transcript::{Lambda, TallyChallenge, TallyTranscript},
    wire::{WirePoint, WireScalar},
};
use curve25519_dalek::ristretto::RistrettoPoint;
use primitives::{CodecError, Decode, Digest, Domain, Encode, Reader, Writer, hash, limits};
use serde::{Deserialize, Serialize};

/// What a tally proof is about: a frozen root, its running commitments, and totals.
#[derive(Clone, Debug)]
pub struct TallyStatement<'a> {
    /// The frozen set.
    pub root: &'a EpochRoot,
    /// Digest of the shard's bases.
    pub generators: Digest,
    /// Running commitments of the last header.
    pub running: &'a super::header::Running,
    /// The totals that were opened.
    pub totals: &'a Totals,
}

impl TallyStatement<'_> {
    /// Binds the statement and the digests of each share's openings; everything is fixed before `lambda` is drawn.
    pub fn bind(&self, openings: &[Digest; 3]) -> (TallyTranscript, Lambda) {
        let mut transcript = TallyTranscript::new();
        transcript.root(&self.root.digest());
        transcript.generators(&self.generators);
        transcript.running(&self.running.to_bytes());
        transcript.totals(&self.totals.digest());
        for digest in openings {
            transcript.openings(digest);
        }
        let lambda = transcript.lambda();
        (transcript, lambda)
    }
}

/// Draws the challenge after the announcement: the sum of the three parties' announcements.
pub fn challenge(mut transcript: TallyTranscript, announcement: &RistrettoPoint) -> TallyChallenge {
    transcript.announcement(&WirePoint::from(*announcement));
    transcript.challenge()
}

/// Proof that the sums of the commitments, less the totals, open in the blinding base alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TallyProof {
    /// Digest of the openings of each share. They are not needed to check the totals; they are here because the
    /// parties fixed them before the challenge, to hold each other to them.
    pub openings: [Digest; 3],
    /// Sum of the announcements.
    pub announcement: WirePoint,
    /// Sum of the responses.
    pub response: WireScalar,
}

impl Encode for TallyProof {
    fn encode(&self, w: &mut Writer) {
        for digest in &self.openings {
            digest.encode(w);
        }
        self.announcement.encode(w);
        self.response.encode(w);
    }
}

impl Decode for TallyProof {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            openings: [Digest::decode(r)?, Digest::decode(r)?, Digest::decode(r)?],
            announcement: WirePoint::decode(r)?,
            response: WireScalar::decode(r)?,
        })
    }
}

/// One share's openings: for each group in order, the share of every work's total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareOpenings {
    /// Rows, one a group, each as long as the shard is wide.
    pub rows: Vec<OpeningRow>,
}

/// The openings of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningRow {
    /// The group.
    pub group: super::header::Group,
    /// Share of each work's total, padding included.
    pub shares: Vec<WireScalar>,
}

impl Encode for OpeningRow {
    fn encode(&self, w: &mut Writer) {
        self.group.encode(w);
        w.seq(&self.shares);
    }
}

impl Decode for OpeningRow {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { group: Decode::decode(r)?, shares: r.seq(limits::MAX_SHARD_WIDTH)? })
    }
}

impl Encode for ShareOpenings {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.rows);
    }
}

impl Decode for ShareOpenings {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { rows: r.seq(super::header::MAX_GROUPS)? })
    }
}

impl ShareOpenings {
    /// Digest that is fixed before the challenge.
    pub fn digest(&self) -> Digest {
        hash::hash(Domain::TallyOpenings, &[&self.to_bytes()])
    }
}
