//! What the parties send each other in a joint opening.

use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
};
use primitives::{CodecError, Decode, Digest, Domain, Encode, PartyId, Reader, Writer, hash, limits};

/// One share of every total: a row for each group, in order, an entry for each index of the shard.
pub type Rows = Vec<Vec<Scalar>>;

/// Most rows of a message: every tier with every region tag.
pub const MAX_ROWS: usize = limits::MAX_TIERS * (limits::REGIONS as usize + 1);

/// First message: openings, and a commitment to the announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningsMessage {
    /// The sender's own share of every total.
    pub rows: Rows,
    /// Hash of the announcement.
    pub commitment: Digest,
}

/// Second message: the announcement, and what the sender saw in round one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevealMessage {
    /// The announcement.
    pub announcement: RistrettoPoint,
    /// Digest of all three first messages, in order of party.
    pub view: Digest,
}

/// Third message: the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseMessage {
    /// The response for the sender's own share.
    pub response: Scalar,
}

/// Commits a party to its announcement. The announcement itself is the randomness that hides it.
pub fn commit(context: &Digest, party: PartyId, announcement: &RistrettoPoint) -> Digest {
    let point = announcement.compress().0;
    hash::hash(Domain::TallyAnnouncement, &[&context.0, &[u8::from(party)], &point])
}

/// Digest of the first messages as one party saw them.
pub fn view(context: &Digest, first: &[OpeningsMessage; 3]) -> Digest {
    let [a, b, c] = first.each_ref().map(Encode::to_bytes);
    hash::hash(Domain::TallyOpenings, &[b"view", &context.0, &a, &b, &c])
}

fn scalar(r: &mut Reader<'_>) -> Result<Scalar, CodecError> {
    Option::from(Scalar::from_canonical_bytes(r.array()?)).ok_or(CodecError::Invalid { what: "scalar" })
}

impl Encode for OpeningsMessage {
    fn encode(&self, w: &mut Writer) {
        w.count(self.rows.len());
        for row in &self.rows {
            w.count(row.len());
            row.iter().for_each(|entry| w.raw(entry.as_bytes()));
        }
        self.commitment.encode(w);
    }
}

impl Decode for OpeningsMessage {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut rows = Vec::new();
        for _ in 0..r.count(MAX_ROWS)? {
            let width = r.count(limits::MAX_SHARD_WIDTH)?;
            rows.push((0..width).map(|_| scalar(r)).collect::<Result<_, _>>()?);
        }
        Ok(Self { rows, commitment: Digest::decode(r)? })
    }
}

impl Encode for RevealMessage {
    fn encode(&self, w: &mut Writer) {
        w.raw(&self.announcement.compress().0);
        self.view.encode(w);
    }
}

impl Decode for RevealMessage {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let point = CompressedRistretto(r.array()?).decompress();
        let announcement = point.ok_or(CodecError::Invalid { what: "group element" })?;
        Ok(Self { announcement, view: Digest::decode(r)? })
    }
}

impl Encode for ResponseMessage {
    fn encode(&self, w: &mut Writer) {
        w.raw(self.response.as_bytes());
    }
}

impl Decode for ResponseMessage {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { response: scalar(r)? })
    }
}
