//! What parties say of a bundle for good, and what may be wrong with a party.

use super::{LinkError, Receipt};
use primitives::{CodecError, Decode, Encode, PartyId, Reader, Writer};
use proofs::{committee::CommitteeError, inclusion::InclusionError};
use thiserror::Error;

/// Longest name of a refusal that is kept.
const MAX_KIND_BYTES: usize = 64;
/// Longest sentence of a refusal that is kept.
pub(super) const MAX_TEXT_BYTES: usize = 512;

/// What is wrong with a party, or with what it says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Trouble {
    /// It had no answer as often as it was asked.
    #[error("{0}")]
    Link(LinkError),
    /// The record of the chain gives no answer, or one that means nothing.
    #[error("the record of the chain {0}")]
    Record(LinkError),
    /// What is on record is not signed by the committee.
    #[error("what is on record is not the committee's: {0}")]
    Unsigned(CommitteeError),
    /// Its receipt is not signed with its key.
    #[error("its receipt is forged: {0}")]
    Forged(CommitteeError),
    /// Its receipt is for something else.
    #[error("its receipt is for another {what}")]
    OtherReceipt {
        /// What differs.
        what: &'static str,
    },
    /// It calls a bundle final and shows no inclusion, or one that does not hold.
    #[error("its final receipt does not hold: {0}")]
    Inclusion(InclusionError),
    /// It calls a bundle final in a batch that is not anchored.
    #[error("its final receipt names batch {position}, which is not anchored")]
    NotAnchored {
        /// Position of the batch.
        position: u64,
    },
    /// It calls a bundle final and shows nothing.
    #[error("it calls the bundle final and shows no inclusion")]
    NoInclusion,
}

/// What a party said of a bundle, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Promised(Receipt),
    Refused { kind: String, text: String },
}

/// The beginning of a text, in at most so many bytes.
pub(super) fn beginning(text: &str, limit: usize) -> String {
    text[..text.floor_char_boundary(limit)].to_owned()
}

impl Outcome {
    /// A refusal, as much of it as is kept.
    pub(super) fn refused(kind: &str, text: &str) -> Self {
        Self::Refused { kind: beginning(kind, MAX_KIND_BYTES), text: beginning(text, MAX_TEXT_BYTES) }
    }
}

impl Encode for Outcome {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Promised(receipt) => {
                w.raw(&[0]);
                receipt.encode(w);
            }
            Self::Refused { kind, text } => {
                w.raw(&[1]);
                w.bytes(kind.as_bytes());
                w.bytes(text.as_bytes());
            }
        }
    }
}

impl Decode for Outcome {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let text = |r: &mut Reader<'_>, limit| {
            let text = String::from_utf8(r.bytes(limit)?.to_vec());
            text.map_err(|_| CodecError::Invalid { what: "text" })
        };
        match u8::decode(r)? {
            0 => Receipt::decode(r).map(Self::Promised),
            1 => Ok(Self::Refused { kind: text(r, MAX_KIND_BYTES)?, text: text(r, MAX_TEXT_BYTES)? }),
            _ => Err(CodecError::Invalid { what: "outcome" }),
        }
    }
}

/// What all parties said of one bundle, in order of party.
pub(super) type Outcomes = [Option<Outcome>; 3];

/// The parties that have taken a bundle in.
pub(super) fn promises(outcomes: &Outcomes) -> impl Iterator<Item = &Receipt> {
    outcomes.iter().flatten().filter_map(|outcome| match outcome {
        Outcome::Promised(receipt) => Some(receipt),
        Outcome::Refused { .. } => None,
    })
}

/// The parties that refuse a bundle, and why in a word.
pub(super) fn refusals(outcomes: &Outcomes) -> Vec<(PartyId, String)> {
    let refusal = |(party, outcome): (PartyId, &Option<Outcome>)| match outcome {
        Some(Outcome::Refused { kind, .. }) => Some((party, kind.clone())),
        _ => None,
    };
    PartyId::ALL.into_iter().zip(outcomes).filter_map(refusal).collect()
}
