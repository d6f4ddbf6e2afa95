//! Bundle proofs beside Prio3Histogram of the crate `prio`.

mod ours;
mod prio3;
mod products;

pub(crate) use ours::{Bundles, EVENTS};
pub(crate) use prio3::Prio3;
pub(crate) use products::words;

use crate::{
    measure::{Plan, Samples, Side, by_turns},
    report::{Topic, digits, duration, grouped, ratio},
};
use products::Products;

/// Bundles that a party verifies together.
const BATCH: usize = 64;
/// Parties that verify a bundle.
const PARTIES: f64 = 3.0;

/// Measures all of it for shards of two widths.
pub(crate) fn run(plan: &Plan) -> Topic {
    let mut topic = Topic::new("Bundle proofs beside Prio3");
    topic.paragraph(SETTING);
    topic.table(["", "Prio3Histogram", "bundle"], &CLAIMS.map(|row| row.map(String::from)));
    for width in [plan.size(256, 16), plan.size(1_024, 64)] {
        Setting::new(plan, width).measure(plan, &mut topic);
    }
    topic.paragraph(WHY);
    topic
}

/// Both systems over the same works and the same events.
struct Setting {
    ours: Bundles,
    peers: [Prio3; 2],
    width: usize,
}

impl Setting {
    fn new(plan: &Plan, width: usize) -> Self {
        eprintln!("bundle proofs, {width} works");
        let ours = Bundles::new(width, plan.size(BATCH, 2));
        let peers = [2, 3].map(|aggregators| Prio3::new(aggregators, &ours.works_of(0), width));
        Self { ours, peers, width }
    }

    fn measure(&self, plan: &Plan, topic: &mut Topic) {
        let (ours, [two, three]) = (&self.ours, &self.peers);
        let products = Products::new(ours.halves());
        let batch = ours.len() * EVENTS;
        let samples = by_turns(
            plan,
            [
                Side::new("device: bundle", EVENTS, || ours.prove()),
                Side::new("device: Prio3, two aggregators", EVENTS, || two.shard_all()),
                Side::new("device: Prio3, three aggregators", EVENTS, || three.shard_all()),
                Side::new("device: floor", EVENTS, || ours.prover_floor()),
                Side::new("party: proofs of a batch", batch, || ours.verify()),
                Side::new("party: shares of a batch", batch, || ours.add_shares()),
                Side::new("party: floor", batch, || ours.verifier_floor()),
                Side::new("party: products over the works", EVENTS, || products.scalars(EVENTS)),
                Side::new("party: floor of the products", EVENTS, || products.words(EVENTS)),
                Side::new("Prio3, two aggregators", EVENTS, || two.verify_all()),
                Side::new("Prio3, three aggregators", EVENTS, || three.verify_all()),
            ],
        );
        let [
            prove,
            shard_2,
            shard_3,
            prove_floor,
            verify,
            shares,
            group_floor,
            product,
            word,
            check_2,
            check_3,
        ] = samples;
        let verify_floor = Samples::sum(&[(1.0, &group_floor), (1.0, &word)]);
        let one_party = Samples::sum(&[(1.0, &verify), (1.0, &shares)]);
        let parties = Samples::sum(&[(PARTIES, &one_party)]);
        let [bundle, report_2, report_3] = [ours.bytes(), two.upload(), three.upload()];

        topic.paragraph(&format!(
            "**{} works**, one event, everything on one thread. Prio3: {} buckets, chunks of {}. Bundle: \
             {EVENTS} events, of which {} are backed by a receipt; proofs in batches of {}.",
            grouped(self.width as u64),
            self.width,
            two.chunk(),
            ours.backed(),
            ours.len(),
        ));
        let row = |what: &str, ours: &Samples, two: &Samples, three: &Samples| {
            let [middle, spread] = ratio(ours.over(two));
            let [other, _] = ratio(ours.over(three));
            let time = |s: &Samples| duration(s.seconds().median);
            [what.into(), time(ours), time(two), time(three), middle, spread, other]
        };
        let bytes = |what: &str, [ours, two, three]: [f64; 3]| {
            let size = |n: f64| format!("{} B", grouped(n.round() as u64));
            let over = |n: f64| if n > 0.0 { digits(ours / n) } else { "-".into() };
            [what.into(), size(ours), size(two), size(three), over(two), "exact".into(), over(three)]
        };
        let head = [
            "per event",
            "bundle",
            "Prio3, 2",
            "Prio3, 3",
            "bundle / Prio3, 2",
            "spread",
            "bundle / Prio3, 3",
        ];
        topic.table(
            head,
            &[
                row("device", &prove, &shard_2, &shard_3),
                row("all parties", &parties, &check_2, &check_3),
                bytes("upload", [bundle, report_2, report_3]),
                bytes("between parties", [0.0, two.exchange(), three.exchange()]),
            ],
        );
        let between = verify.seconds().median - verify_floor.seconds().median;
        let avoidable = product.seconds().median - word.seconds().median;
        let part = |what: &str, time: &Samples, floor: Option<&Samples>| {
            let [middle, spread] = floor.map_or(["-".into(), "-".into()], |floor| ratio(time.over(floor)));
            let least = floor.map_or("-".into(), |floor| duration(floor.seconds().median));
            [what.into(), duration(time.seconds().median), least, middle, spread]
        };
        topic.table(
            ["bundle, per event", "time", "floor", "time / floor", "spread"],
            &[
                part("device: prove, split, seal", &prove, Some(&prove_floor)),
                part("one party: proofs, tokens, receipts", &verify, Some(&verify_floor)),
                part("of which products of scalars over the works", &product, Some(&word)),
                part("one party: shares opened, checked, added", &shares, None),
            ],
        );
        topic.paragraph(&format!(
            "The products over the works make {} % of what lies between a party's proofs and their floor.",
            (100.0 * avoidable / between).round()
        ));
    }
}

const SETTING: &str = "The peer is `prio` 0.18.1, the library behind the DAP protocol: `Prio3Histogram` \
    with as many buckets as the shard has works, and the chunk length that the library calls optimal (near \
    the square root). One event is one report. Its two aggregators (leader and helper) are the usual \
    setting; with three it has as many as a bundle has parties. What an aggregator does is everything up to \
    the sum: its verification, its message to the others, the decision, the addition. What a party does \
    with a bundle is everything up to the sum as well: token, receipts, proof, opening its two shares, \
    checking that they open their commitments, addition. Neither side counts transport. Prio3's reports are \
    not encrypted here (DAP does that with HPKE), bundles are sealed.";

const CLAIMS: [[&str; 3]; 8] = [
    ["proves that the event is of one work", "yes", "yes"],
    ["that it is from a subscriber, once for each view", "no", "token, key, tag"],
    ["that its value is that of its view index and fraction", "no", "yes"],
    ["that a receipt backs it", "no", "yes"],
    ["who can check", "all aggregators together, with a message each", "anybody, alone, later as well"],
    ["sums are checked against what was accepted", "no", "by everybody, against commitments"],
    ["hides the event from", "anybody but all aggregators together", "anybody but two parties together"],
    ["rests on", "a hash function", "a hash function, Diffie-Hellman inversion, RSA"],
];

const WHY: &str = "Prio3 adds and multiplies in a field of 128 bits; what a bundle proves on top, and to \
    everybody, takes group elements, and that is the distance. The floor of the device is the multi-scalar \
    multiplications of the protocol in constant time: one over all works for each coefficient and each \
    share, and two over the digits. Above it are the polynomials of every work and event, sealing and the \
    transcript. The floor of a party is one multi-scalar multiplication for the batch, which shares the \
    bases of the works among all its bundles, reading the group elements, the RSA signatures, and one \
    product for each work and event, added up in 512 bits and reduced once. In place of those products a \
    party multiplies scalars of `curve25519-dalek`, which reduces and packs every one. That grows with the \
    shard; sums of whole products, reduced once a batch, would take most of it away. The rest of the \
    distance is the same for the digits and counts of the events, and the transcript.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_systems_count_the_same_events() {
        let setting = Setting::new(&Plan::QUICK, 16);
        let mut expected = vec![0; 16];
        for work in setting.ours.works_of(0) {
            expected[work] += 1;
        }
        assert_eq!(expected.iter().sum::<u64>(), EVENTS as u64);
        for peer in &setting.peers {
            assert_eq!(peer.counts(), expected);
        }
        let bundles = setting.ours.len();
        let all: Vec<_> = (0..bundles).flat_map(|at| setting.ours.works_of(at)).collect();
        let counted = setting.ours.counts();
        let of = |work| all.iter().filter(|w| **w == work).count() as u64;
        assert_eq!(counted, (0..16).map(of).collect::<Vec<_>>());
    }

    #[test]
    fn everything_is_measured_once() {
        let mut topic = Topic::new("proofs");
        Setting::new(&Plan::QUICK, 16).measure(&Plan::QUICK, &mut topic);
        assert!(topic.section().contains("all parties"));
    }
}
