//! What was measured, as tables.

use super::{
    EVENTS,
    setting::{Setting, Times},
};
use crate::{
    measure::Samples,
    report::{Topic, digits, duration, grouped, ratio},
};

fn time(samples: &Samples) -> String {
    duration(samples.seconds().median)
}

/// Each event beside a report of Prio3.
pub(super) fn beside(topic: &mut Topic, setting: &Setting, times: &Times) {
    let (ours, [two, three]) = (&setting.ours, &setting.peers);
    let width = ours.width();
    topic.paragraph(&format!(
        "**{} works, batches of {} bundles.** Prio3: {} buckets, chunks of {}.",
        grouped(width as u64),
        times.count,
        grouped(width as u64),
        two.chunk(),
    ));
    let row = |what: &str, ours: &Samples, [two, three]: [&Samples; 2]| {
        let [middle, spread] = ratio(ours.over(two));
        let [other, _] = ratio(ours.over(three));
        [what.into(), time(ours), time(two), time(three), middle, spread, other]
    };
    let bytes = |what: &str, [ours, two, three]: [f64; 3]| {
        let size = |n: f64| format!("{} B", grouped(n.round() as u64));
        let over = |n: f64| if n > 0.0 { digits(ours / n) } else { "-".into() };
        [what.into(), size(ours), size(two), size(three), over(two), "exact".into(), over(three)]
    };
    let client = Samples::sum(&[(1.0 / EVENTS as f64, &times.device.all())]);
    let [all_2, all_3] = &times.aggregate;
    let [one_2, one_3] = [(2.0, all_2), (3.0, all_3)].map(|(n, all)| Samples::sum(&[(1.0 / n, all)]));
    let [shard_2, shard_3] = &times.shard;
    topic.table(
        ["per event", "bundle", "Prio3, 2", "Prio3, 3", "bundle / Prio3, 2", "spread", "bundle / Prio3, 3"],
        &[
            row("device", &client, [shard_2, shard_3]),
            row("one party, one aggregator", &times.one(), [&one_2, &one_3]),
            row("all parties, all aggregators", &times.together(), [all_2, all_3]),
            bytes("upload", [ours.bytes(), two.upload(), three.upload()]),
            bytes("between parties, but for agreeing on the set", [0.0, two.exchange(), three.exchange()]),
        ],
    );
}

fn part(what: &str, samples: &Samples, floor: Option<&Samples>) -> [String; 5] {
    let [middle, spread] = floor.map_or(["-".into(), "-".into()], |floor| ratio(samples.over(floor)));
    [what.into(), time(samples), floor.map_or("-".into(), time), middle, spread]
}

/// A device's work on a bundle.
pub(super) fn device(topic: &mut Topic, times: &Times) {
    let device = &times.device;
    let floor = Samples::sum(&[&device.masks_floor, &device.prove_floor].map(|part| (1.0, part)));
    let without = Samples::sum(&[(1.0, &device.masks), (1.0, &device.proof())]);
    topic.table(
        ["device, per bundle", "time", "floor", "time / floor", "spread"],
        &[
            part("masks, ahead of time", &device.masks, Some(&device.masks_floor)),
            part("proof, sealing", &device.proof(), Some(&device.prove_floor)),
            part("both", &without, Some(&floor)),
            part("the cap's range proof", &device.range, None),
            part("all", &device.all(), None),
        ],
    );
}

/// A party's work on a bundle.
pub(super) fn party(topic: &mut Topic, setting: &Setting, times: &Times) {
    let (party, ours) = (&times.party, &setting.ours);
    let title = format!("party, per bundle, batches of {}", times.count);
    let read = format!("of which {} elements read", ours.elements());
    let multiplied = format!(
        "of which a multiplication of {} elements a batch",
        grouped(ours.batch_points(times.count) as u64)
    );
    topic.table(
        [&title, "time", "floor", "time / floor", "spread"],
        &[
            part("batch verification", &party.verify, Some(&party.floor())),
            part("of which RSA: a token, a receipt", &party.signatures, None),
            part(&read, &party.decompress, None),
            part(&multiplied, &party.multiply, None),
            part("of which scalars and hashing: all the rest", &party.scalars(), Some(&party.product_floor)),
            part("- products over works and responses", &party.products, Some(&party.product_floor)),
            part("- what the digits of the events amount to", &party.amounts, None),
            part("one bundle verified by itself", &party.verify_one, Some(&party.floor_one())),
            part("beside it: the cap's range proof, by its crate", &party.cap, None),
            part("seeds opened", &party.open, None),
            part("sums of shares", &party.sum, Some(&party.share_floor)),
            part("share check: whether they open", &party.check, Some(&party.check_multiply)),
        ],
    );
}

/// What the project aims at, beside what it is on this machine.
pub(super) fn targets(topic: &mut Topic, setting: &Setting, [small, large]: [&Times; 2]) {
    topic.paragraph(&format!(
        "**Targets**, for one core, {} works, {EVENTS} events: a party's with the cap's range proof, a device's \
         without. The right-hand columns say how many verifications of such a range proof by the crate \
         `bulletproofs`, and how many verifications of one event by both of Prio3's aggregators, would have \
         taken as long in the same rounds: those hold on other machines as well, and under other load.",
        grouped(setting.ours.width() as u64),
    ));
    let met = |figure: f64, target: f64| if figure <= target { "yes" } else { "no" };
    let row = |what: String, samples: &Samples, (target, shown): (f64, &str), times: &Times| {
        let over = |other: &Samples| digits(samples.over(other).median);
        [
            what,
            shown.into(),
            time(samples),
            met(samples.seconds().median, target).into(),
            over(&times.party.cap),
            over(&times.aggregate[0]),
        ]
    };
    let mut rows = Vec::new();
    for times in [small, large] {
        let batch = |what: &str| format!("{what}, a bundle in a batch of {}", times.count);
        let verify = &times.party.verify;
        rows.push(row(batch("batch verification"), verify, (1e-3, "1 ms"), times));
        rows.push(row(batch("the same, at the least"), verify, (2e-3, "2 ms"), times));
        let check = Samples::sum(&[(1.0, &times.party.sum), (1.0, &times.party.check)]);
        rows.push(row(batch("share check of a party"), &times.party.check, (0.25e-3, "0.25 ms"), times));
        rows.push(row(batch("the same, with the sums"), &check, (0.25e-3, "0.25 ms"), times));
    }
    let all = Samples::sum(&[(1.0, &small.device.masks), (1.0, &small.device.proof())]);
    rows.push(row("prover, masks made ahead".into(), &small.device.proof(), (0.15, "150 ms"), small));
    rows.push(row("prover, masks included".into(), &all, (0.15, "150 ms"), small));
    rows.push(row("single verification".into(), &large.party.verify_one, (0.015, "15 ms"), large));
    let bytes = setting.ours.bytes();
    let size = format!("{} B", grouped(bytes.round() as u64));
    let fits = met(bytes, 6_000.0).into();
    rows.push(["upload an event".into(), "6,000 B".into(), size, fits, "-".into(), "-".into()]);
    let share = large.together().over(&large.aggregate[0]).median;
    rows.push([
        format!("all parties, an event in a batch of {}", large.count),
        "a tenth of Prio3's".into(),
        duration(large.together().seconds().median),
        met(share, 0.1).into(),
        digits(large.together().over(&large.party.cap).median),
        digits(share),
    ]);
    let head = ["", "target", "here", "met here and now", "in range proofs", "in events of Prio3"];
    topic.table(head, &rows);
    let reached = rows.iter().filter(|row| row[3] == "yes").count();
    topic.paragraph(&format!("{reached} of {} are met on this machine in this run.", rows.len()));
}
