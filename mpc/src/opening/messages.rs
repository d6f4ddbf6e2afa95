//! What the parties send each other in a joint opening.

use curve25519_dalek::{
    ristretto::{CompressedRistretto, RistrettoPoint},
    scalar::Scalar,
};
use primitives::{CodecError, Decode, Digest, Domain, Encode, PartyId, Reader, Writer, hash, limits};

/// Numbers in rows, one a tier: openings have an entry for each total that is opened, responses one for each number that
/// is proved known.
pub type Rows = Vec<Vec<Scalar>>;

/// Most rows of a message.
pub const MAX_ROWS: usize = limits::MAX_TIERS;
/// Longest row: one number for each index of the shard, and one for the blinding factor.
pub const MAX_ROW: usize = limits::MAX_SHARD_WIDTH + 1;

/// First message: openings, and a commitment to the announcements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningsMessage {
    /// The sender's own share of every total.
    pub rows: Rows,
    /// Hash of the announcements.
    pub commitment: Digest,
}

/// Second message: the announcements, and what the sender saw in round one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevealMessage {
    /// The announcements, one a row.
    pub announcements: Vec<RistrettoPoint>,
    /// Digest of all three first messages, in order of party.
    pub view: Digest,
}

/// Third message: the responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseMessage {
    /// The responses for the sender's own share.
    pub rows: Rows,
}

/// Commits a party to its announcements. They themselves are the randomness that hides them.
pub fn commit(context: &Digest, party: PartyId, announcements: &[RistrettoPoint]) -> Digest {
    let points: Vec<u8> = announcements.iter().flat_map(|point| point.compress().0).collect();
    hash::hash(Domain::TallyAnnouncement, &[&context.0, &[u8::from(party)], &points])
}

/// Digest of the first messages as one party saw them.
pub fn view(context: &Digest, first: &[OpeningsMessage; 3]) -> Digest {
    let [a, b, c] = first.each_ref().map(Encode::to_bytes);
    hash::hash(Domain::TallyOpenings, &[b"view", &context.0, &a, &b, &c])
}

pub(crate) fn scalar(r: &mut Reader<'_>) -> Result<Scalar, CodecError> {
    Option::from(Scalar::from_canonical_bytes(r.array()?)).ok_or(CodecError::Invalid { what: "scalar" })
}

fn encode_rows(rows: &Rows, w: &mut Writer) {
    w.count(rows.len());
    for row in rows {
        w.count(row.len());
        row.iter().for_each(|entry| w.raw(entry.as_bytes()));
    }
}

fn decode_rows(r: &mut Reader<'_>) -> Result<Rows, CodecError> {
    let mut rows = Vec::new();
    for _ in 0..r.count(MAX_ROWS)? {
        let width = r.count(MAX_ROW)?;
        rows.push((0..width).map(|_| scalar(r)).collect::<Result<_, _>>()?);
    }
    Ok(rows)
}

impl Encode for OpeningsMessage {
    fn encode(&self, w: &mut Writer) {
        encode_rows(&self.rows, w);
        self.commitment.encode(w);
    }
}

impl Decode for OpeningsMessage {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { rows: decode_rows(r)?, commitment: Digest::decode(r)? })
    }
}

impl Encode for RevealMessage {
    fn encode(&self, w: &mut Writer) {
        w.count(self.announcements.len());
        self.announcements.iter().for_each(|point| w.raw(&point.compress().0));
        self.view.encode(w);
    }
}

impl Decode for RevealMessage {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut announcements = Vec::new();
        for _ in 0..r.count(MAX_ROWS)? {
            let point = CompressedRistretto(r.array()?).decompress();
            announcements.push(point.ok_or(CodecError::Invalid { what: "group element" })?);
        }
        Ok(Self { announcements, view: Digest::decode(r)? })
    }
}

impl Encode for ResponseMessage {
    fn encode(&self, w: &mut Writer) {
        encode_rows(&self.rows, w);
    }
}

impl Decode for ResponseMessage {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { rows: decode_rows(r)? })
    }
}
