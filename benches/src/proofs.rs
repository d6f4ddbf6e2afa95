//! Bundle proofs beside Prio3Histogram of the crate `prio`.

mod ours;
mod parts;
mod prio3;
mod setting;
mod tables;

pub(crate) use ours::{Bundles, EVENTS};
pub(crate) use parts::RangeProofs;
pub(crate) use prio3::Prio3;

use crate::{instructions, measure::Plan, report::Topic};
use setting::Setting;

/// Widths of shards.
const WIDTHS: [(usize, usize); 3] = [(256, 16), (1_024, 16), (4_096, 16)];
/// Different bundles, which make a batch.
const BATCH: usize = 64;
/// Bundles of a large batch over the widest shard, in which each of the different ones is there four times.
const LARGE: usize = 256;

/// Measures all of it, for shards of three widths.
pub(crate) fn run(plan: &Plan) -> Topic {
    let mut topic = Topic::default();
    topic.paragraph(SETTING);
    topic.table(["", "Prio3Histogram", "bundle"], &CLAIMS.map(|row| row.map(String::from)));
    topic.paragraph(PARTS);
    for (full, tiny) in WIDTHS {
        let width = plan.size(full, tiny);
        let setting = Setting::new(plan, width);
        let small = setting.measure(plan, plan.size(BATCH, 2));
        tables::beside(&mut topic, &setting, &small);
        tables::device(&mut topic, &small);
        tables::party(&mut topic, &setting, &small);
        if full == WIDTHS[2].0 {
            let large = setting.measure(plan, plan.size(LARGE, 4));
            tables::beside(&mut topic, &setting, &large);
            tables::party(&mut topic, &setting, &large);
            tables::targets(&mut topic, &setting, [&small, &large]);
        }
    }
    topic.paragraph(WHY);
    instructions::proofs(plan, &mut topic);
    topic
}

const SETTING: &str = "The peer is `prio` 0.18.1, the library behind the DAP protocol: `Prio3Histogram` \
    with as many buckets as the shard has works, and the chunk length that the library calls optimal (near \
    the square root). One event is one report. Its two aggregators (leader and helper) are the usual \
    setting; with three it has as many as a bundle has parties. What an aggregator does is everything up to \
    the sum: its verification, its message to the others, the decision, the addition. What a party does \
    with a bundle is everything up to the sum as well: token, receipts, proof, the cap, opening its two \
    seeds, checking that they open their commitments, addition. What a device does is everything but \
    obtaining token and receipts, and includes what it can do ahead of time. Neither side counts transport. \
    Prio3's reports are not encrypted here (DAP does that with HPKE), bundles are sealed.";

const CLAIMS: [[&str; 3]; 9] = [
    ["proves that the event is of one work", "yes", "yes"],
    ["that it is from a subscriber, once for each view", "no", "token, key, tag"],
    ["that its value is that of its view index and fraction", "no", "yes"],
    ["that a receipt backs it", "no", "yes"],
    ["that the subscriber's values of the epoch stay below a cap", "no", "yes, by a range proof"],
    ["who can check", "all aggregators together, with a message each", "anybody, alone, later as well"],
    ["sums are checked against what was accepted", "no", "by everybody, against commitments"],
    ["hides the event from", "anybody but all aggregators together", "anybody but two parties together"],
    [
        "rests on",
        "a hash function",
        "a hash function, discrete and Diffie-Hellman logarithms, inversion tags, RSA",
    ],
];

const PARTS: &str = "Bundles are of 32 events, of which 16 are backed, all by one receipt. A batch is of 64 \
    different bundles; one of 256 has each of them four times, which costs the same as 256 different ones, \
    since nothing is kept from one bundle to the next. Everything runs on one thread. The floor of a device \
    is the multi-scalar multiplications of the protocol in constant time. The floor of batch verification \
    is the RSA signatures, reading the group elements, one multi-scalar multiplication of as many elements \
    with random scalars of the same lengths, and 24 products of 64-bit words for each work. That of the \
    sums is the two seeds' ChaCha20 streams and eight products of words for each entry; that of the share \
    check, which asks whether the sums open, its multi-scalar multiplications. A party checks the cap's range \
    proofs together with all else. What the crate `bulletproofs` takes to verify as many, one by one, stands \
    beside it (32 bits).";

const WHY: &str = "Prio3 adds and multiplies in a field of 128 bits, and its work grows with works times \
    events. A device's work on a bundle grows with the works and with the events, not with their product, \
    and so does a party's: a bundle shows one vector for all its events. What it proves on top, and to \
    everybody, takes group elements. The cap, the RSA signatures and reading the elements cost the same in \
    a shard of any width, so that bundles gain on Prio3 as shards grow. A device is at its floor but for \
    the digits' polynomials, and nearly all of its time goes into masks, which it makes while it is idle. \
    What a party does above its floor is, more than anything else, to work out what the digits of the \
    events amount to: 64 view indices an event, with a reduction for every product. A bundle by itself has \
    a multiplication over all works to itself, which is why parties verify in batches; the same holds for \
    the share check.";

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
        let mut topic = Topic::default();
        let setting = Setting::new(&Plan::QUICK, 16);
        // Twice as many bundles as there are different ones.
        let times = setting.measure(&Plan::QUICK, 4);
        tables::beside(&mut topic, &setting, &times);
        tables::device(&mut topic, &times);
        tables::party(&mut topic, &setting, &times);
        tables::targets(&mut topic, &setting, [&times; 2]);
        assert!(topic.text.contains("all parties"));
    }
}
