//! Every decoder of bytes that come from outside: whatever decodes is the one encoding of what it decodes to, and
//! nothing makes a decoder panic. The same property over random bytes, over valid messages with bytes changed, and over
//! the golden vectors with each byte changed. `fuzz/` runs the same functions guided by coverage.

#[path = "../../fuzz/src/decoders.rs"]
#[allow(unreachable_pub, dead_code, reason = "a part of the fuzzing crate too")]
mod decoders;

use chain::{
    modules::identity::Roles,
    wallet::credential::{DidKey, Encoding, SigningKey, Statement, issue},
};
use decoders::{DECODERS, every as every_decoder, one};
use engine::{
    api,
    link::frame::Frame,
    message::{Letter, Objection, Parcel, PeerMessage, Report, Sitting, Wire},
    party::evidence::{Counted, DoubleUse, Evidence, Signed},
};
use primitives::{Digest, Encode, EpochId, PartyId, Preset, Time, ids::from_hex};
use proofs::{
    bundle::Bundle,
    inclusion::{FinalBatch, batch_root},
    tally::BatchHeader,
    testing::{TestSubscriber, committee, event, small},
};
use proptest::prelude::*;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

/// Valid encodings of several types, to be changed.
fn seeds() -> &'static [Vec<u8>] {
    static SEEDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let (_, context) = small();
        let bundle = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, true), event(2, 0, true)]);
        let message = PeerMessage::Object(Digest([1; 32]), vec![(Digest([2; 32]), Objection::Share)]);
        let counted = counted(&bundle);
        let double = DoubleUse { party: PartyId::ALL[0], first: counted.clone(), second: counted };
        let letter = Letter { shard: primitives::ShardIndex(1), sitting: Sitting::default(), message };
        vec![
            bundle.to_bytes(),
            bundle.published().to_bytes(),
            bundle.sealed().to_bytes(),
            bundle.receipts[0].to_bytes(),
            committee(1).public.to_bytes(),
            context.shard.to_bytes(),
            proofs::testing::issuer().public().to_bytes(),
            wire(Parcel::Letter(letter.clone())),
            wire(Parcel::Report(Report::Drained { shard: letter.shard, position: 3, pending: 1 })),
            frame(Frame::Data { seq: 3, bytes: Arc::new(letter.to_bytes()) }),
            frame(Frame::Ack { next: 4 }),
            letter.to_bytes(),
            receipt(&bundle),
            Evidence::DoubleUse(Box::new(double)).to_bytes(),
            Preset::Spec.params().to_bytes(),
            credential().into_bytes(),
            DidKey::of(&SigningKey::from_bytes(&[1; 32])).to_string().into_bytes(),
        ]
    })
}

fn wire(parcel: Parcel) -> Vec<u8> {
    Wire { epoch: EpochId(3), parcel }.to_bytes()
}

fn frame(frame: Frame) -> Vec<u8> {
    frame.to_bytes()
}

fn receipt(bundle: &Bundle) -> Vec<u8> {
    let envelope = &bundle.envelope;
    let signer = &committee(1).signers[0];
    api::Receipt::sign(signer, envelope.chain, envelope.epoch, bundle.id()).to_bytes()
}

/// A credential of somebody, by somebody.
fn credential() -> String {
    let issuer = SigningKey::from_bytes(&[1; 32]);
    let subject = DidKey::of(&SigningKey::from_bytes(&[2; 32]));
    let (roles, nullifier) = (Roles::CREATOR, Digest([3; 32]));
    issue(
        &issuer,
        &Statement { subject, roles, nullifier, from: Time(0), until: Time(u64::MAX) },
        Encoding::V1,
    )
}

/// A bundle alone in a batch.
fn counted(bundle: &Bundle) -> Counted {
    let envelope = &bundle.envelope;
    let header = BatchHeader {
        chain: envelope.chain,
        epoch: envelope.epoch,
        shard: envelope.shard,
        view: 0,
        position: 0,
        previous: Digest::default(),
        batch_root: batch_root(&[bundle.id()]),
        count: 1,
        running: Default::default(),
    };
    let place = FinalBatch::new(&header, vec![bundle.id()]).receipt(0).expect("it has one");
    let signed = Signed { header, signature: [3; 64] };
    Counted { signed, place, bundle: bundle.published().as_ref().clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        every_decoder(&bytes);
    }

    #[test]
    fn small_numbers(bytes in prop::collection::vec(0u8..4, 0..300)) {
        every_decoder(&bytes);
    }

    #[test]
    fn changed_messages(which: prop::sample::Index, at: prop::sample::Index, value: u8, cut in 0usize..40, grow in 0usize..3) {
        let seeds = seeds();
        let mut bytes = seeds[which.index(seeds.len())].clone();
        let at = at.index(bytes.len());
        bytes[at] = value;
        every_decoder(&bytes);
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        every_decoder(&bytes);
        bytes.extend(std::iter::repeat_n(value, grow));
        every_decoder(&bytes);
    }
}

/// Every stretch of bytes of a file of golden vectors.
fn golden(value: &Value, into: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) => into.extend(from_hex(text).ok().filter(|bytes| !bytes.is_empty())),
        Value::Object(entries) => entries.values().for_each(|value| golden(value, into)),
        _ => {}
    }
}

/// Golden encodings of every kind, in turn with each byte changed and with each end cut off. Long ones are stepped
/// through.
#[test]
fn golden_encodings_with_a_byte_changed_have_no_second_spelling() {
    let mut encodings = Vec::new();
    for file in [include_str!("../../vectors/proofs.json"), include_str!("../../vectors/messages.json")] {
        golden(&serde_json::from_str(file).expect("JSON"), &mut encodings);
    }
    for encoding in encodings {
        every_decoder(&encoding);
        let mut bytes = encoding.clone();
        for at in (0..bytes.len()).step_by(bytes.len().div_ceil(300)) {
            for value in [0, bytes[at] ^ 1, bytes[at].wrapping_add(1), 0xff] {
                bytes[at] = value;
                every_decoder(&bytes);
            }
            bytes[at] = encoding[at];
            every_decoder(&encoding[..at]);
        }
    }
}

#[test]
fn an_input_of_the_fuzz_target_names_its_decoder() {
    let names: BTreeSet<_> = DECODERS.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), DECODERS.len());
    one(&[]);
    one(&[u8::MAX, 1, 2, 3]);
    for number in 0..DECODERS.len() {
        one(&[number as u8]);
    }
}
