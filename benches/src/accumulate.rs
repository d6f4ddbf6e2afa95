//! Adding up a batch's shares.

use crate::{
    measure::{Plan, Samples, Side, by_turns},
    proofs::{Bundles, EVENTS, Prio3},
    report::{Topic, digits, duration, grouped, ratio},
};
use primitives::PartyId;
use prio::vdaf::Aggregatable;
use std::cell::RefCell;

/// Parties that hold two shares of masks alone, and one of them with what bundles show.
const HOLDERS: [PartyId; 2] = [PartyId::ALL[0], PartyId::ALL[1]];

/// Measures a batch of 64 bundles over 1,024 works.
pub(crate) fn run(plan: &Plan) -> Topic {
    let (width, count) = (plan.size(1_024, 16), plan.size(64, 2));
    eprintln!("accumulation, {width} works");
    let bundles = Bundles::new(width, count);
    let [plain, shown] = HOLDERS.map(|party| bundles.open(party, count));
    let accepted = bundles.accepted();
    let prio3 = Prio3::new(2, &bundles.works_of(0), width);
    let outputs = prio3.outputs();
    let sum = RefCell::new(prio3.zero());
    let [most, least, floor, streams, peer] = by_turns(
        plan,
        [
            Side::new("sums, with what is shown", count, || bundles.sum(HOLDERS[1], &accepted, &shown)),
            Side::new("sums, of masks alone", count, || bundles.sum(HOLDERS[0], &accepted, &plain)),
            Side::new("floor", count, || bundles.share_floor(count)),
            Side::new("streams", count, || bundles.streams(count)),
            Side::new("Prio3, one aggregator", 1, || {
                let mut sum = sum.borrow_mut();
                outputs[1].iter().for_each(|output| sum.accumulate(output).expect("one length"));
            }),
        ],
    );
    let mut topic = Topic::default();
    topic.paragraph(&format!(
        "What one party does for a bundle of a batch: its two seeds are expanded to {} entries of 32 \
         bytes each, weighted by the bundle's challenge and added up. {count} different bundles, on one \
         thread; {EVENTS} events a bundle.",
        grouped(width as u64),
    ));
    let row = |what: &str, time: &Samples| {
        let [middle, spread] = ratio(most.over(time));
        let bundle = time.seconds().median;
        [what.into(), duration(bundle), duration(bundle / EVENTS as f64), middle, spread]
    };
    topic.table(
        ["for one bundle", "time", "an event", "the first / this", "spread"],
        &[
            row("ours: `BatchShare::of`, one share with what bundles show", &most),
            row("ours: `BatchShare::of`, two shares without", &least),
            row("floor: two streams, eight products of words an entry", &floor),
            row("of which the streams: ChaCha20", &streams),
            row(&format!("Prio3, one of two aggregators, {EVENTS} output shares"), &peer),
        ],
    );
    topic.paragraph(&format!("The streams are {} of the floor. {WHY}", digits(streams.over(&floor).median)));
    topic
}

const WHY: &str = "Above the floor are the carries of sums of nine words and what a bundle shows, which is \
    added modulo the group order. A sum is reduced once for each work of a batch. Prio3's aggregator adds \
    one vector for each event, without expanding any: the helper expanded its share to verify it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_measured_once() {
        assert!(run(&Plan::QUICK).text.contains("Prio3"));
    }
}
