//! Records of the work registry.

use crate::modules::dapr::payout::Split;
use crate::state::{
    Fields, ToFelts,
    fields::{number_enum, record},
    leaf,
};
use primitives::{
    CategoryId, CodecError, Decode, Digest, Domain, Encode, EpochId, PersonId, Reader, WorkId, Writer, hash,
};

/// Most payees of one work: enough for an orchestra's sections, few enough that a block of registrations stays small.
pub const MAX_SPLITS: usize = 64;

number_enum! {
    /// What kind of thing a work is.
    MediaType("media type") {
        /// Music, speech.
        Audio = 0,
        /// Film, video.
        Video = 1,
        /// Articles, books.
        Text = 2,
        /// Pictures.
        Image = 3,
        /// Games, tools.
        Software = 4,
        /// Anything else.
        Other = 5,
    }
}

/// Identifier of a work: hash of fingerprint and creator (chain spec 3.1, "robust identifiers (WorkId) derived from
/// fingerprints + creator identity").
pub fn work_id(fingerprint: &Digest, creator: &PersonId) -> WorkId {
    WorkId(hash::hash(Domain::Work, &[&fingerprint.0, &creator.0]).0)
}

/// Price and splits of a work, from an epoch on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// First epoch in which they hold.
    pub from: EpochId,
    /// Price multiplier, Q32 (spec 8.3).
    pub price: u64,
    /// Who is paid what share; the shares sum to the whole.
    pub splits: Vec<Split>,
}

impl Encode for Terms {
    fn encode(&self, w: &mut Writer) {
        self.from.encode(w);
        self.price.encode(w);
        encode_splits(&self.splits, w);
    }
}

impl Decode for Terms {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { from: Decode::decode(r)?, price: Decode::decode(r)?, splits: decode_splits(r)? })
    }
}

/// Appends a list of splits.
pub(crate) fn encode_splits(splits: &[Split], w: &mut Writer) {
    w.count(splits.len());
    for split in splits {
        split.payee.encode(w);
        split.share.encode(w);
    }
}

/// Takes a list of at most [`MAX_SPLITS`] splits.
pub(crate) fn decode_splits(r: &mut Reader<'_>) -> Result<Vec<Split>, CodecError> {
    let count = r.count(MAX_SPLITS)?;
    (0..count).map(|_| Ok(Split { payee: Decode::decode(r)?, share: Decode::decode(r)? })).collect()
}

impl ToFelts for Split {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.payee).push(&self.share);
    }
}

impl ToFelts for Terms {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.from).push(&self.price).push(&self.splits);
    }
}

number_enum! {
    /// How a work left.
    Removal("removal") {
        /// By its creator, or by a vote: an update brings it back.
        Deprecated = 0,
        /// By a jury, or by vote and council: for good.
        Removed = 1,
    }
}

/// That a work takes no part any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// First epoch without it.
    pub from: EpochId,
    /// How it left.
    pub removal: Removal,
}

record!(Gone { from, removal });

/// A work on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Identifier, [`work_id`] of fingerprint and creator.
    pub id: WorkId,
    /// Who registered it.
    pub creator: PersonId,
    /// Fingerprint of the media.
    pub fingerprint: Digest,
    /// What kind of thing it is.
    pub media: MediaType,
    /// Its category, for fairness across categories (spec 8.3).
    pub category: CategoryId,
    /// Hash of the metadata, which stays off the chain.
    pub metadata: Digest,
    /// First epoch that it takes part in.
    pub active_from: EpochId,
    /// Price and splits that hold, or held before `next`.
    pub terms: Terms,
    /// Price and splits that hold from a later epoch on.
    pub next: Option<Terms>,
    /// Whether it takes no part from an epoch on (chain spec 3.1: "Deprecate or remove works under governance rules").
    pub gone: Option<Gone>,
}

record!(Work { id, creator, fingerprint, media, category, metadata, active_from, terms, next, gone });

impl Work {
    /// Whether it is offered in an epoch, as far as the registry goes.
    pub fn is_offered(&self, epoch: EpochId) -> bool {
        self.active_from <= epoch && self.gone.is_none_or(|gone| epoch < gone.from)
    }

    /// Makes room for terms to come: those that hold no more, or never will, are forgotten. `earliest` is the first epoch
    /// that has not opened.
    pub(super) fn overtake(&mut self, earliest: EpochId) {
        let first = self.terms.from;
        if let Some(next) = self.next.take_if(|next| next.from < earliest || next.from <= first) {
            self.terms = next;
        }
    }

    /// Price and splits in an epoch that is not over.
    pub fn terms_at(&self, epoch: EpochId) -> &Terms {
        self.next.as_ref().filter(|next| next.from <= epoch).unwrap_or(&self.terms)
    }
}

leaf!(Work by id: WorkId);
