//! What creators do with works.

use super::MediaType;
use super::types::{decode_splits, encode_splits};
use crate::modules::dapr::payout::Split;
use primitives::{
    CategoryId, CodecError, Decode, Digest, Encode, EpochId, Reader, WorkId, Writer, codec_struct,
};

/// Registers a work of the signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterWork {
    /// Fingerprint of the media.
    pub fingerprint: Digest,
    /// What kind of thing it is.
    pub media: MediaType,
    /// Its category.
    pub category: CategoryId,
    /// Price multiplier, Q32.
    pub price: u64,
    /// Who is paid what share.
    pub splits: Vec<Split>,
    /// Hash of the metadata.
    pub metadata: Digest,
    /// First epoch that it takes part in; not one that has opened.
    pub active_from: EpochId,
}

impl Encode for RegisterWork {
    fn encode(&self, w: &mut Writer) {
        self.fingerprint.encode(w);
        self.media.encode(w);
        self.category.encode(w);
        self.price.encode(w);
        encode_splits(&self.splits, w);
        self.metadata.encode(w);
        self.active_from.encode(w);
    }
}

impl Decode for RegisterWork {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            fingerprint: Decode::decode(r)?,
            media: Decode::decode(r)?,
            category: Decode::decode(r)?,
            price: Decode::decode(r)?,
            splits: decode_splits(r)?,
            metadata: Decode::decode(r)?,
            active_from: Decode::decode(r)?,
        })
    }
}

/// Changes price and splits of a work of the signer, from an epoch on that has not opened. It takes the place of a change
/// that was planned from then on; after one that holds earlier it has to wait until that one holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateWork {
    /// The work.
    pub work: WorkId,
    /// Price multiplier, Q32.
    pub price: u64,
    /// Who is paid what share.
    pub splits: Vec<Split>,
    /// First epoch in which this holds.
    pub from: EpochId,
}

impl Encode for UpdateWork {
    fn encode(&self, w: &mut Writer) {
        self.work.encode(w);
        self.price.encode(w);
        encode_splits(&self.splits, w);
        self.from.encode(w);
    }
}

impl Decode for UpdateWork {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            work: Decode::decode(r)?,
            price: Decode::decode(r)?,
            splits: decode_splits(r)?,
            from: Decode::decode(r)?,
        })
    }
}

/// Takes a work of the signer out of all epochs from one on that has not opened. An update brings it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeprecateWork {
    /// The work.
    pub work: WorkId,
    /// First epoch without it.
    pub from: EpochId,
}

codec_struct!(DeprecateWork { work, from });
