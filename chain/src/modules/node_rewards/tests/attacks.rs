//! Cheaters against audits, and how often they get away.

use super::*;
use primitives::{Domain, WorkId, hash};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::collections::BTreeSet;

/// A beacon.
fn beacon(n: u64) -> Digest {
    hash::hash(Domain::AuditSeed, &[b"trial", &n.to_le_bytes()])
}

/// Whether so many of `trials` agree with probability `p`, by four standard deviations.
#[track_caller]
fn agrees(found: usize, trials: usize, p: f64) {
    let (mean, deviation) = (trials as f64 * p, (trials as f64 * p * (1.0 - p)).sqrt());
    assert!((found as f64 - mean).abs() <= 4.0 * deviation + 1.0, "{found} of {trials}, expected {mean}");
}

/// Exactly: a node that keeps `kept` of `all` chunks passes `samples` draws with this probability.
fn passes(kept: u64, all: u64, samples: i32) -> f64 {
    (kept as f64 / all as f64).powi(samples)
}

/// "A storage node that keeps 90 % of its chunks fails at least 99 % of 50-index audits."
#[test]
fn a_node_that_keeps_nine_tenths_fails_99_of_100_audits() {
    assert!(1.0 - passes(9, 10, 50) > 0.99);
    assert!(1.0 - passes(9, 10, MIN_SAMPLES.into()) > 0.99, "with the fewest that governance may set");
    assert!(1.0 - passes(9, 10, i32::from(MIN_SAMPLES) - 1) < 0.99);

    let mut net = Net::new().and_nodes(&[1]);
    let content = net.state.contents.get(&work(0)).expect("content").clone();
    net.put(Content { chunks: 20_000, ..content });
    net.open(FIRST);
    assert_eq!(net.commit(0, 0, FIRST, stored(&[0])), Ok(()));
    net.turn(FIRST);
    let audited = net.audit(0, 0, FIRST, Contribution::Storage);
    let (trials, mut rng) = (4_000, ChaCha20Rng::seed_from_u64(5));
    let mut failed = 0;
    for trial in 0..trials {
        // Which tenth is gone is the node's choice, made before the beacon.
        let gone: BTreeSet<u32> = match trial % 3 {
            0 => (0..2_000).collect(),
            1 => (0..20_000).step_by(10).collect(),
            _ => {
                let mut gone = BTreeSet::new();
                while gone.len() < 2_000 {
                    gone.insert(rng.next_u32() % 20_000);
                }
                gone
            }
        };
        let audited = Audited { seed: beacon(trial), ..audited };
        failed += usize::from(audited.chunks().iter().any(|(_, chunk)| gone.contains(chunk)));
    }
    assert!(failed * 100 >= trials as usize * 99, "{failed} of {trials} audits failed");
    agrees(failed, trials as usize, 1.0 - passes(9, 10, 50));
}

/// Every chunk of every work is asked for equally often.
#[test]
fn places_are_drawn_evenly() {
    let mut net = Net::new().and_nodes(&[1]);
    net.open(FIRST);
    assert_eq!(net.commit(0, 0, FIRST, stored(&[0, 1, 2])), Ok(()));
    net.turn(FIRST);
    let audited = net.audit(0, 0, FIRST, Contribution::Storage);
    let mut counts: std::collections::BTreeMap<(WorkId, u32), usize> = Default::default();
    let trials = 1_000;
    for trial in 0..trials {
        for place in (Audited { seed: beacon(trial), ..audited }).chunks() {
            *counts.entry(place).or_default() += 1;
        }
    }
    let units = audited.metrics.units as usize;
    assert_eq!(counts.len(), units, "each chunk, and no other");
    for count in counts.values() {
        agrees(*count, 50 * trials as usize, 1.0 / units as f64);
    }
}

/// Vouchers that nobody signed are found with the probability that the note gives, wherever they stand.
#[test]
fn forged_vouchers_are_found_by_their_share_of_the_units() {
    let mut net = Net::new().and_nodes(&[1]);
    net.open(FIRST);
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let vouchers: Vec<_> = (0..1_000)
        .map(|_| {
            let mut serial = [0; 32];
            rng.fill_bytes(&mut serial);
            Voucher { serial, signature: [0; 256] }
        })
        .collect();
    let book = VoucherBook::new(vouchers.clone()).expect("distinct serials");
    assert_eq!(net.commit(0, 0, FIRST, Claimed::Bandwidth(book.root())), Ok(()));
    net.turn(FIRST);
    let audited = net.audit(0, 0, FIRST, Contribution::Bandwidth);
    for (forged, part) in [(10, 0.01_f64), (50, 0.05), (100, 0.1)] {
        let forged: BTreeSet<_> = vouchers[..forged].iter().map(|voucher| voucher.serial).collect();
        let trials = 600;
        let found = (0..trials).filter(|trial| {
            let places = Audited { seed: beacon(*trial), ..audited }.places();
            places.iter().any(|unit| forged.contains(&book.prove(*unit).expect("a unit").voucher.serial))
        });
        agrees(found.count(), trials as usize, 1.0 - (1.0 - part).powi(50));
    }
}

/// A job that claims more counts more, and is asked for more often.
#[test]
fn one_large_forged_job_is_found_like_many_small_ones() {
    let mut net = Net::new().and_nodes(&[1]);
    net.open(FIRST);
    // A tenth of the units is in one of 91 receipts.
    let mut receipts = net.receipts(client(0), (0, 0), 90, 10);
    let mut large = net.receipts(client(1), (0, 0), 1, 100).remove(0);
    large.signature = receipts[0].signature;
    receipts.push(large.clone());
    let book = JobBook::new(receipts, u64::MAX).expect("distinct jobs");
    assert_eq!(net.commit(0, 0, FIRST, Claimed::Compute(book.root())), Ok(()));
    net.turn(FIRST);
    let audited = net.audit(0, 0, FIRST, Contribution::Compute);
    let books = Books { jobs: Some(book), ..Books::default() };
    let trials = 40;
    let mut found = 0;
    for trial in 0..trials {
        let audited = Audited { seed: beacon(trial), ..audited };
        let verdict = audited.check(&books.answer(&audited).expect("receipts"));
        found += usize::from(matches!(verdict, Err(EvidenceError::Signature { .. })));
    }
    agrees(found, trials as usize, 1.0 - 0.9f64.powi(50));
}

/// The beacon of an epoch is known while it runs: places that it would give are worth nothing.
#[test]
fn an_answer_to_another_beacon_fails() {
    let mut net = Net::new().and_nodes(&[1, 1]);
    net.open(FIRST);
    assert_eq!(net.commit(0, 0, FIRST, stored(&[0, 1, 2])), Ok(()));
    net.turn(FIRST);
    let audited = net.audit(0, 0, FIRST, Contribution::Storage);
    let stale = net.state.audit_seed(FIRST).expect("open");
    assert_ne!(stale, audited.seed);
    for other in [
        Audited { seed: stale, ..audited },
        Audited { seed: net.elsewhere(NEXT).audit_seed(NEXT).expect("open"), ..audited },
    ] {
        let evidence = library().answer(&other).expect("everything");
        assert!(matches!(audited.check(&evidence), Err(EvidenceError::Chunk { .. })));
    }
    let stale = library().answer(&Audited { seed: stale, ..audited }).expect("everything");
    assert_eq!(net.answer(0, 0, FIRST, stale), Ok(()));
    let metrics = net.state.metrics_of(node(0, 0).id, FIRST, Contribution::Storage).expect("committed");
    assert_eq!(metrics.audit, Audit::Failed);
}

/// Who holds nothing sends what another node answered.
#[test]
fn one_nodes_answer_is_no_answer_of_another() {
    let mut net = Net::new().and_nodes(&[1, 1]);
    net.open(FIRST);
    for o in [0, 1] {
        assert_eq!(net.commit(o, 0, FIRST, stored(&[0, 1])), Ok(()));
    }
    net.turn(FIRST);
    let theirs = library().answer(&net.audit(1, 0, FIRST, Contribution::Storage)).expect("everything");
    assert_eq!(net.answer(1, 0, FIRST, theirs.clone()), Ok(()));
    assert_eq!(net.answer(0, 0, FIRST, theirs), Ok(()));
    let audit =
        |o| net.state.metrics_of(node(o, 0).id, FIRST, Contribution::Storage).expect("committed").audit;
    assert_eq!([audit(0), audit(1)], [Audit::Failed, Audit::Passed]);
}

/// The same vouchers for two nodes of one operator, and for two epochs.
#[test]
fn a_voucher_counts_for_one_node_and_one_epoch() {
    let mut net = Net::new().and_nodes(&[2]);
    net.publish();
    net.open(FIRST);
    let vouchers = net.vouchers((0, 0), 3);
    for i in [0, 1] {
        let book = VoucherBook::new(vouchers.clone()).expect("distinct serials");
        assert_eq!(net.commit(0, i, FIRST, Claimed::Bandwidth(book.root())), Ok(()));
    }
    net.publish_with(proofs::testing::other_issuer());
    net.turn(FIRST);
    let books = || Books {
        vouchers: Some(VoucherBook::new(vouchers.clone()).expect("distinct")),
        ..Books::default()
    };
    let verdict = |net: &Net, i, epoch| {
        let audited = net.audit(0, i, epoch, Contribution::Bandwidth);
        audited.check(&books().answer(&audited).expect("vouchers"))
    };
    assert_eq!(verdict(&net, 0, FIRST), Ok(50));
    assert_eq!(verdict(&net, 1, FIRST), Err(EvidenceError::Voucher { place: 0 }));
    let root = books().vouchers.expect("vouchers").root();
    assert_eq!(net.commit(0, 0, NEXT, Claimed::Bandwidth(root)), Ok(()));
    net.turn(NEXT);
    assert_eq!(verdict(&net, 0, NEXT), Err(EvidenceError::Voucher { place: 0 }));
}

/// The same receipts in a second tree, of another node and of another epoch.
#[test]
fn a_receipt_counts_for_one_node_and_one_epoch() {
    let mut net = Net::new().and_nodes(&[2]);
    net.open(FIRST);
    let receipts = net.receipts(client(0), (0, 0), 3, 5);
    let book = || JobBook::new(receipts.clone(), 100).expect("distinct jobs");
    for i in [0, 1] {
        assert_eq!(net.commit(0, i, FIRST, Claimed::Compute(book().root())), Ok(()));
    }
    net.turn(FIRST);
    assert_eq!(net.commit(0, 0, NEXT, Claimed::Compute(book().root())), Ok(()));
    net.turn(NEXT);
    let verdict = |i, epoch| {
        let audited = net.audit(0, i, epoch, Contribution::Compute);
        let books = Books { jobs: Some(book()), ..Books::default() };
        audited.check(&books.answer(&audited).expect("receipts"))
    };
    assert_eq!(verdict(0, FIRST), Ok(50));
    assert_eq!(verdict(1, FIRST), Err(EvidenceError::Node { place: 0 }));
    assert_eq!(verdict(0, NEXT), Err(EvidenceError::Epoch { place: 0, found: FIRST }));
    let nothing = JobBook::new(receipts.iter().chain(&receipts).cloned(), 100).map(|_| ());
    assert!(matches!(nothing, Err(SumError::Duplicate { .. })), "one receipt twice in a tree");
}
