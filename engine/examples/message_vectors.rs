//! Prints the golden vectors of what parties send each other: one letter of each kind, over the batch header and the
//! complaint of `vectors/proofs.json`: `cargo run --release -p engine --example message_vectors > vectors/messages.json`

use curve25519_dalek::scalar::Scalar;
use engine::message::{HandOver, Left, Letter, Objection, OpeningShare, PeerMessage, Sitting};
use mpc::{
    opening::{OpeningsMessage, ResponseMessage, RevealMessage},
    prss::PrssKey,
    share::ShareSum,
    step::{Name, Step},
};
use primitives::{
    Decode, Digest, Encode, PartyId, RegionTag, ShardIndex, Tier,
    ids::{from_hex, to_hex},
};
use proofs::{
    generators::bases,
    sharing::BatchShare,
    tally::{Group, Running},
};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// Names and hexadecimal digits, in order.
struct Vectors(Vec<(&'static str, String)>);

impl Serialize for Vectors {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

/// A golden value of the crate `proofs`.
fn golden<T: Decode>(file: &Value, pointer: &str) -> T {
    let text = file.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is there"));
    T::from_bytes(&from_hex(text).expect("hexadecimal digits")).expect("a golden encoding")
}

/// One message of each kind.
fn messages() -> Vec<(&'static str, PeerMessage)> {
    let file: Value = serde_json::from_str(include_str!("../../vectors/proofs.json")).expect("JSON");
    let header = golden(&file, "/tally/header");
    let digest: Digest = golden(&file, "/tally/header_digest");
    let bundle: Digest = golden(&file, "/bundle/id");
    let complaint = golden(&file, "/sharing/complaint_of_party_1_about_share_1_unfounded");
    let objections = vec![
        (Digest([1; 32]), Objection::Unknown),
        (Digest([2; 32]), Objection::Refused),
        (Digest([3; 32]), Objection::Share),
    ];
    let rows = vec![vec![Scalar::ONE, -Scalar::ONE], vec![Scalar::ZERO, Scalar::from(1u64 << 54)]];
    let openings = OpeningsMessage { rows, commitment: Digest([4; 32]) };
    let reveal = RevealMessage { announcements: vec![bases().blinding], view: Digest([5; 32]) };
    let sum = BatchShare { entries: vec![Scalar::ONE, -Scalar::ONE], blinding: Scalar::from(9u64) };
    let group = Group { tier: Tier(2), region: RegionTag(None) };
    let opening_share = OpeningShare { header: digest, group, share: PartyId::ALL[2], sum };
    let step = Step::new(Name::OpenMasked, 3);
    let compute = mpc::session::Message { step, body: vec![8; 40] };
    let group = Group { tier: Tier(1), region: RegionTag::NONE };
    let sum = ShareSum { entries: vec![Scalar::ONE, -Scalar::ONE], blinding: Scalar::from(2u8) };
    let sums = BTreeMap::from([(group, sum)]);
    let mut carried = Running::default();
    carried.add(group, &[bases().blinding; 3]);
    let left = Left([(group, [bases().blinding; 2])].into());
    let responses = vec![vec![Scalar::from(9u64), -Scalar::from(7u64)]];
    vec![
        ("propose", PeerMessage::Propose(header, vec![bundle], [7; 64])),
        ("vote", PeerMessage::Vote(digest, [6; 64])),
        ("object", PeerMessage::Object(digest, objections)),
        ("complaint", PeerMessage::Complaint(complaint)),
        ("quorum", PeerMessage::Quorum(golden(&file, "/tally/signed_header"))),
        ("term", PeerMessage::Term(7, 1)),
        ("ask_batch", PeerMessage::AskBatch(digest)),
        ("batch", PeerMessage::Batch(digest, vec![bundle])),
        ("ask_bundles", PeerMessage::AskBundles(vec![bundle])),
        ("omits", PeerMessage::Omits(digest, vec![bundle])),
        ("opening_share", PeerMessage::OpeningShare(opening_share)),
        ("openings", PeerMessage::Openings(openings)),
        ("reveal", PeerMessage::Reveal(reveal)),
        ("response", PeerMessage::Response(ResponseMessage { rows: responses })),
        ("key", PeerMessage::Key(PrssKey([7; 32]))),
        ("compute", PeerMessage::Compute(compute)),
        ("here", PeerMessage::Here),
        ("left", PeerMessage::Left(left)),
        ("seat_vote", PeerMessage::SeatVote(PartyId::ALL[2], [6; 64])),
        ("hand_over", PeerMessage::HandOver(Box::new(HandOver { fresh: sums.clone(), all: sums, carried }))),
    ]
}

/// The file's text, with a final newline.
pub(crate) fn vectors() -> String {
    let description = "Letters between parties, of shard 2, one of each kind of message. Signatures and digests are \
                       placeholders where nothing is checked while decoding. All bytes are hexadecimal.";
    let mut file = Vectors(vec![("description", description.into())]);
    for (name, message) in messages() {
        let letter = Letter { shard: ShardIndex(2), sitting: Sitting { seats: 1, attempt: 0 }, message };
        let bytes = letter.to_bytes();
        assert_eq!(Letter::from_bytes(&bytes), Ok(letter), "{name} is read back");
        file.0.push((name, to_hex(&bytes)));
    }
    serde_json::to_string_pretty(&file).expect("strings always serialise") + "\n"
}

#[allow(dead_code, reason = "the test that compares the committed file includes this one as a module")]
fn main() {
    print!("{}", vectors());
}
