//! Adding a verified bundle's shares to the running sums of its group.

use crate::{
    measure::{Plan, Side, by_turns},
    proofs::{Bundles, EVENTS, Prio3, words},
    report::{Topic, duration, grouped, ratio},
};
use curve25519_dalek::scalar::Scalar;
use mpc::share::ReplicatedTotals;
use primitives::{PartyId, RegionTag, Tier};
use prio::vdaf::Aggregatable;
use proofs::{sharing::ShareOpening, tally::Group};
use std::cell::RefCell;

/// Words of a scalar.
const WORDS: usize = 4;

/// Group order l, least significant word first.
const ORDER: [u64; WORDS] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 0x1000_0000_0000_0000];

type Share = (Vec<Scalar>, Scalar);

/// One party's shares of many bundles, in all forms that are compared.
pub(crate) struct Shares {
    width: usize,
    sealed: Vec<[ShareOpening; 2]>,
    vectors: Vec<[Share; 2]>,
    words: Vec<Vec<[u64; WORDS]>>,
}

impl Shares {
    pub(crate) fn new(bundles: &Bundles, width: usize) -> Self {
        let sealed = bundles.openings(PartyId::ALL[0]);
        let vector = |openings: &[ShareOpening; 2]| openings.each_ref().map(|o| o.to_vector(width));
        let vectors: Vec<_> = sealed.iter().map(vector).collect();
        let flat =
            |pair: &[Share; 2]| pair.iter().flat_map(|(entries, _)| entries.iter().map(words)).collect();
        let words = vectors.iter().map(flat).collect();
        Self { width, sealed, vectors, words }
    }

    fn group() -> Group {
        Group { tier: Tier(1), region: RegionTag::NONE }
    }

    /// What a party does once a batch is anchored, shares expanded before.
    pub(crate) fn add(&self, totals: &mut ReplicatedTotals<Group>) {
        for [own, next] in &self.vectors {
            let added = totals.add(Self::group(), [(&own.0, own.1), (&next.0, next.1)]);
            added.expect("as wide as the totals");
        }
    }

    /// The same from seeds and written shares, as a party holds them.
    fn expand_and_add(&self, totals: &mut ReplicatedTotals<Group>) {
        for openings in &self.sealed {
            let [own, next] = openings.each_ref().map(|opening| opening.to_vector(self.width));
            let added = totals.add(Self::group(), [(&own.0, own.1), (&next.0, next.1)]);
            added.expect("as wide as the totals");
        }
    }

    /// Floor of the arithmetic: additions of four words with carries, and one subtraction where a sum reaches l.
    pub(crate) fn add_mod(&self, sums: &mut [[u64; WORDS]]) {
        for bundle in &self.words {
            for (sum, share) in sums.iter_mut().zip(bundle) {
                *sum = add_mod(sum, share);
            }
        }
    }

    /// Floor of the memory: as many words read, added without carries, written.
    fn add_words(&self, sums: &mut [[u64; WORDS]]) {
        for bundle in &self.words {
            for (sum, share) in sums.iter_mut().zip(bundle) {
                sum.iter_mut().zip(share).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
            }
        }
    }

    pub(crate) fn zero_words(&self) -> Vec<[u64; WORDS]> {
        vec![[0; WORDS]; 2 * self.width]
    }
}

/// Sum modulo l of two numbers below it, without a branch.
fn add_mod(a: &[u64; WORDS], b: &[u64; WORDS]) -> [u64; WORDS] {
    let (mut sum, mut carry) = ([0; WORDS], false);
    for at in 0..WORDS {
        (sum[at], carry) = a[at].carrying_add(b[at], carry);
    }
    let (mut less, mut borrow) = ([0; WORDS], false);
    for at in 0..WORDS {
        (less[at], borrow) = sum[at].borrowing_sub(ORDER[at], borrow);
    }
    let keep = u64::from(borrow).wrapping_neg();
    std::array::from_fn(|at| (sum[at] & keep) | (less[at] & !keep))
}

/// Measures a batch of 64 bundles over 1,024 works.
pub(crate) fn run(plan: &Plan) -> Topic {
    let (width, count) = (plan.size(1_024, 16), plan.size(64, 2));
    eprintln!("accumulation, {width} works");
    let bundles = Bundles::new(width, count);
    let shares = Shares::new(&bundles, width);
    let prio3 = Prio3::new(2, &bundles.works_of(0), width);
    let outputs = prio3.outputs();
    let new = || RefCell::new(ReplicatedTotals::new(PartyId::ALL[0], width));
    let (ready, expanded) = (new(), new());
    let [reduced, plain] = [(); 2].map(|()| RefCell::new(shares.zero_words()));
    let sum = RefCell::new(prio3.zero());
    let [add, expand, modular, memory, peer] = by_turns(
        plan,
        [
            Side::new("add", count, || shares.add(&mut ready.borrow_mut())),
            Side::new("expand and add", count, || shares.expand_and_add(&mut expanded.borrow_mut())),
            Side::new("four words with carries, modulo l", count, || {
                shares.add_mod(&mut reduced.borrow_mut())
            }),
            Side::new("words", count, || shares.add_words(&mut plain.borrow_mut())),
            Side::new("Prio3, one aggregator", 1, || {
                let mut sum = sum.borrow_mut();
                outputs[1].iter().for_each(|output| sum.accumulate(output).expect("one length"));
            }),
        ],
    );
    let mut topic = Topic::new("Accumulation");
    topic.paragraph(&format!(
        "What one party does for a bundle of an anchored batch: its two shares, {} entries of 32 bytes \
         each, are added to the sums of the group. {} different bundles, one after the other, on one \
         thread; 32 events a bundle.",
        grouped(width as u64),
        count
    ));
    let row = |what: &str, time: &crate::measure::Samples| {
        let [middle, spread] = ratio(add.over(time));
        [what.into(), duration(time.seconds().median), middle, spread]
    };
    let [_, spread] = ratio(expand.over(&add));
    topic.table(
        ["for one bundle", "time", "ours / this", "spread"],
        &[
            ["ours: `ReplicatedTotals::add`".into(), duration(add.seconds().median), "1".into(), "-".into()],
            row("floor of the memory: as many 64-bit additions, no carries", &memory),
            row("floor of the arithmetic: four words with carries, one subtraction of l", &modular),
            row(&format!("Prio3, one of two aggregators, {EVENTS} output shares"), &peer),
            row("with the shares expanded from seeds just before, as a party does", &expand),
        ],
    );
    topic.paragraph(&format!(
        "{WHY} Expanding them makes the whole {} times as long (spread {spread}).",
        crate::report::digits(expand.over(&add).median)
    ));
    topic
}

const WHY: &str = "An addition of scalars in `curve25519-dalek` unpacks both to five words of 52 bits, \
    adds, subtracts l, adds it back under a mask and packs the result; sums kept in words and reduced once \
    a batch would save nearly all of it. There is little to win: a party expands seeds with a stream cipher \
    first, and both are a few hundredths of what it takes to verify the same bundle.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_of_adding_give_the_same_sums() {
        let bundles = Bundles::new(16, 3);
        let shares = Shares::new(&bundles, 16);
        let new = || ReplicatedTotals::new(PartyId::ALL[0], 16);
        let (mut ready, mut expanded, mut reduced) = (new(), new(), shares.zero_words());
        shares.add(&mut ready);
        shares.expand_and_add(&mut expanded);
        shares.add_mod(&mut reduced);
        assert_eq!(ready, expanded);
        let own = ready.own().flat_map(|(_, sum)| &sum.entries);
        let entries: Vec<_> = own.chain(ready.next().flat_map(|(_, sum)| &sum.entries)).map(words).collect();
        assert_eq!(entries, reduced);
        let mut plain = shares.zero_words();
        shares.add_words(&mut plain);
        assert_ne!(plain, shares.zero_words());
    }

    #[test]
    fn everything_is_measured_once() {
        assert!(run(&Plan::QUICK).section().contains("Prio3"));
    }
}
