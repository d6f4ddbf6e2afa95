//! Every decoder of bytes that come from outside: whatever decodes is the one encoding of what it decodes to, and
//! nothing makes a decoder panic. The same property over random bytes and over valid messages with bytes changed.

use chain::{Block, Transaction};
use engine::message::{Letter, Objection, PeerMessage};
use mpc::opening::{OpeningsMessage, ResponseMessage, RevealMessage};
use primitives::{Decode, Digest, Encode, GovernanceParams, Preset};
use proofs::{
    blind::BlindKey,
    bundle::Bundle,
    committee::Committee,
    receipt::Receipt,
    shard::Shard,
    sharing::{Complaint, SealedShares},
    tally::{BatchHeader, SignedHeader, SignedRoot, TallyProof, Totals, statement::ShareOpenings},
    testing::{TestSubscriber, committee, event, small},
};
use proptest::prelude::*;
use std::sync::OnceLock;

/// Bytes either do not decode, or are exactly what the value encodes to.
fn canonical<T: Decode + Encode>(bytes: &[u8]) {
    if let Ok(value) = T::from_bytes(bytes) {
        assert_eq!(value.to_bytes(), bytes, "{} has a second spelling", std::any::type_name::<T>());
    }
}

fn every_decoder(bytes: &[u8]) {
    canonical::<Bundle>(bytes);
    canonical::<SealedShares>(bytes);
    canonical::<Receipt>(bytes);
    canonical::<Complaint>(bytes);
    canonical::<BlindKey>(bytes);
    canonical::<Committee>(bytes);
    canonical::<Shard>(bytes);
    canonical::<BatchHeader>(bytes);
    canonical::<SignedHeader>(bytes);
    canonical::<SignedRoot>(bytes);
    canonical::<Totals>(bytes);
    canonical::<TallyProof>(bytes);
    canonical::<ShareOpenings>(bytes);
    canonical::<OpeningsMessage>(bytes);
    canonical::<RevealMessage>(bytes);
    canonical::<ResponseMessage>(bytes);
    canonical::<Letter>(bytes);
    canonical::<Transaction>(bytes);
    canonical::<Block>(bytes);
    canonical::<GovernanceParams>(bytes);
}

/// Valid encodings of several types, to be changed.
fn seeds() -> &'static [Vec<u8>] {
    static SEEDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let (_, context) = small();
        let bundle = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, true), event(2, 0, true)]);
        let message = PeerMessage::Object(Digest([1; 32]), vec![(Digest([2; 32]), Objection::Share)]);
        let letter = Letter { shard: primitives::ShardIndex(1), message };
        vec![
            bundle.to_bytes(),
            bundle.sealed.to_bytes(),
            bundle.receipts[0].to_bytes(),
            committee(1).public.to_bytes(),
            context.shard.to_bytes(),
            proofs::testing::issuer().public().to_bytes(),
            letter.to_bytes(),
            Preset::Spec.params().to_bytes(),
        ]
    })
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
