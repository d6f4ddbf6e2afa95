//! Every decoder of bytes that come from outside: whatever decodes is the one encoding of what it decodes to, and
//! nothing makes a decoder panic.

use chain::{
    Block, Transaction,
    sequencer::{self, Confirmation, SealedBlock, Taken},
    wallet::credential::{self, DidKey},
};
use engine::{
    api,
    link::frame::Frame,
    message::{Letter, PeerMessage, Wire},
    opening::EpochDocument,
    party::{evidence::Evidence, voting::Record},
};
use mpc::opening::{OpeningsMessage, ResponseMessage, RevealMessage};
use primitives::{Decode, Encode, GovernanceParams, Time};
use proofs::{
    blind::BlindKey,
    bundle::{Bundle, Envelope, Published},
    cap::CapProof,
    committee::{Committee, Signatures},
    inclusion::Inclusion,
    receipt::Receipt,
    shard::Shard,
    sharing::{Complaint, SealedShares},
    tally::{
        BatchHeader, EpochRoot, Running, SignedHeader, SignedRoot, TallyProof, Totals,
        statement::ShareOpenings,
    },
};
use std::collections::BTreeSet;

/// Bytes either do not decode, or are exactly what the value encodes to.
pub fn canonical<T: Decode + Encode>(bytes: &[u8]) {
    if let Ok(value) = T::from_bytes(bytes) {
        assert_eq!(value.to_bytes(), bytes, "{} has a second spelling", std::any::type_name::<T>());
    }
}

/// Bytes are a credential of nobody that is trusted, whatever they say.
fn credential(bytes: &[u8]) {
    let read = credential::verify(bytes, &BTreeSet::new(), Time(0));
    assert!(read.is_err(), "nobody signed {read:?}");
}

/// A text names no key, or is the one name of it.
fn did_key(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes)
        && let Ok(did) = text.parse::<DidKey>()
    {
        assert_eq!(did.to_string(), text);
    }
}

/// A decoder under its name.
pub type Decoder = (&'static str, fn(&[u8]));

/// Every decoder. The number of a decoder is its place, which saved inputs depend on: new ones go to the end.
pub const DECODERS: &[Decoder] = &[
    ("bundle", canonical::<Bundle>),
    ("envelope", canonical::<Envelope>),
    ("sealed shares", canonical::<SealedShares>),
    ("cap proof", canonical::<CapProof>),
    ("receipt", canonical::<Receipt>),
    ("complaint", canonical::<Complaint>),
    ("blind key", canonical::<BlindKey>),
    ("committee", canonical::<Committee>),
    ("signatures", canonical::<Signatures>),
    ("shard", canonical::<Shard>),
    ("batch header", canonical::<BatchHeader>),
    ("running commitments", canonical::<Running>),
    ("signed header", canonical::<SignedHeader>),
    ("epoch root", canonical::<EpochRoot>),
    ("signed root", canonical::<SignedRoot>),
    ("totals", canonical::<Totals>),
    ("tally proof", canonical::<TallyProof>),
    ("share openings", canonical::<ShareOpenings>),
    ("openings message", canonical::<OpeningsMessage>),
    ("reveal message", canonical::<RevealMessage>),
    ("response message", canonical::<ResponseMessage>),
    ("peer message", canonical::<PeerMessage>),
    ("letter", canonical::<Letter>),
    ("transaction", canonical::<Transaction>),
    ("block", canonical::<Block>),
    ("sealed block", canonical::<SealedBlock>),
    ("confirmation", canonical::<Confirmation>),
    ("what a sequencer writes down", canonical::<Taken>),
    ("evidence against a sequencer", canonical::<sequencer::Evidence>),
    ("parameters", canonical::<GovernanceParams>),
    ("what is published of a bundle", canonical::<Published>),
    ("evidence", canonical::<Evidence>),
    ("record of votes", canonical::<Record>),
    ("final receipt", canonical::<Inclusion>),
    ("credential", credential),
    ("did:key", did_key),
    ("what crosses between hosts", canonical::<Wire>),
    ("frame of a link", canonical::<Frame>),
    ("what an epoch opens with", canonical::<EpochDocument>),
    ("receipt of a bundle", canonical::<api::Receipt>),
];

/// Gives bytes to every decoder.
pub fn every(bytes: &[u8]) {
    DECODERS.iter().for_each(|(_, decode)| decode(bytes));
}

/// Gives bytes to the decoder whose number the first byte is, if there is such a one.
pub fn one(data: &[u8]) {
    if let Some((number, bytes)) = data.split_first()
        && let Some((_, decode)) = DECODERS.get(usize::from(*number))
    {
        decode(bytes);
    }
}
