//! Answers to audits: honest ones, with every field changed, and at the wrong time.

use super::*;
use crate::modules::treasury::Account;
use crate::signature::SecretKey;
use primitives::{ChainId, PersonId};

/// A network in which node 0 of operator 0 committed to everything it has, and the audit has begun.
fn audited() -> (Net, Books) {
    let mut net = Net::new().and_nodes(&[1, 1]);
    net.publish();
    net.open(FIRST);
    let vouchers = net.vouchers((0, 0), 12);
    let receipts: Vec<_> = (0..4).flat_map(|n| net.receipts(client(n), (0, 0), 3 + n, 7)).collect();
    let books = Books {
        vouchers: Some(VoucherBook::new(vouchers).expect("distinct serials")),
        jobs: Some(JobBook::new(receipts, 10_000).expect("distinct jobs")),
        ..library()
    };
    commit_all(&mut net, &books);
    net.turn(FIRST);
    (net, books)
}

fn commit_all(net: &mut Net, books: &Books) {
    let vouchers = books.vouchers.as_ref().expect("vouchers").root();
    let jobs = books.jobs.as_ref().expect("receipts").root();
    for claimed in [stored(&[0, 1, 2]), Claimed::Bandwidth(vouchers), Claimed::Compute(jobs)] {
        assert_eq!(net.commit(0, 0, FIRST, claimed), Ok(()));
    }
}

fn answer(net: &Net, books: &Books, kind: Contribution) -> Evidence {
    books.answer(&net.audit(0, 0, FIRST, kind)).expect("everything is there")
}

#[test]
fn an_honest_node_passes() {
    let (mut net, books) = audited();
    let bond = net.bond(0, 0);
    assert_eq!(net.state.audits_due(node(0, 0).id).len(), 3);
    for kind in Contribution::AUDITED {
        let evidence = answer(&net, &books, kind);
        assert_eq!(net.audit(0, 0, FIRST, kind).check(&evidence), Ok(50));
        assert_eq!(
            primitives::Decode::from_bytes(&primitives::Encode::to_bytes(&evidence)),
            Ok(evidence.clone())
        );
        assert_eq!(net.answer(0, 0, FIRST, evidence), Ok(()));
        let metrics = net.state.metrics_of(node(0, 0).id, FIRST, kind).expect("committed");
        assert_eq!((metrics.audit, metrics.counted), (Audit::Passed, metrics.units));
    }
    assert!(net.state.audits_due(node(0, 0).id).is_empty());
    assert_eq!(net.bond(0, 0), bond);
}

#[test]
fn an_answer_is_given_once_in_time_by_the_operator() {
    let (mut net, books) = audited();
    let (id, kind) = (node(0, 0).id, Contribution::Storage);
    let good = answer(&net, &books, kind);
    let foreign = NodeError::NotOwn { node: id, signer: operator(1) };
    let action = AnswerAudit { node: id, epoch: FIRST, evidence: good.clone() };
    assert_eq!(net.run(|draft, _| answer_audit(draft, operator(1), &action)), Err(foreign));
    let nothing = NodeError::NotCommitted { node: node(1, 0).id, epoch: FIRST, kind };
    assert_eq!(net.answer(1, 0, FIRST, good.clone()), Err(nothing));
    assert_eq!(net.answer(0, 0, NEXT, good.clone()), Err(NodeError::TooEarly { epoch: NEXT }));
    let last = EpochId(u64::MAX);
    assert_eq!(net.answer(0, 0, last, good.clone()), Err(NodeError::TooEarly { epoch: last }));
    let Evidence::Storage(Shown(mut pieces)) = good.clone() else { unreachable!("chunks") };
    pieces.pop();
    let fewer = NodeError::Samples { expected: 50, found: 49 };
    assert_eq!(net.answer(0, 0, FIRST, Evidence::Storage(Shown(pieces))), Err(fewer));
    let mut late = net.state.clone();
    std::mem::swap(&mut net.state, &mut late);
    net.end(NEXT, Phase::Finalised);
    assert!(net.state.audits_due(id).is_empty());
    assert_eq!(net.answer(0, 0, FIRST, good.clone()), Err(NodeError::TooLate { epoch: FIRST }));
    net.state = late;
    let mut abandoned = net.state.clone();
    std::mem::swap(&mut net.state, &mut abandoned);
    net.end(FIRST, Phase::Abandoned);
    assert_eq!(net.answer(0, 0, FIRST, good.clone()), Err(NodeError::Abandoned { epoch: FIRST }));
    net.state = abandoned;
    assert_eq!(net.answer(0, 0, FIRST, good.clone()), Ok(()));
    assert_eq!(net.answer(0, 0, FIRST, good), Err(NodeError::Answered { node: id, epoch: FIRST, kind }));
}

#[test]
fn a_wrong_answer_is_final_and_costs_half_of_the_bond() {
    let (mut net, books) = audited();
    let (bond, infra) = (net.bond(0, 0), net.state.fund(crate::modules::treasury::Fund::Infrastructure));
    let good = answer(&net, &books, Contribution::Storage);
    let Evidence::Storage(Shown(mut pieces)) = good.clone() else { unreachable!("chunks") };
    pieces[49].chunk[0] ^= 1;
    assert_eq!(net.answer(0, 0, FIRST, Evidence::Storage(Shown(pieces))), Ok(()));
    let (id, kind) = (node(0, 0).id, Contribution::Storage);
    let metrics = net.state.metrics_of(id, FIRST, kind).expect("committed");
    assert_eq!((metrics.audit, metrics.counted), (Audit::Failed, 0));
    assert_eq!(net.bond(0, 0), bond.share(points(5_000)));
    let now = net.state.fund(crate::modules::treasury::Fund::Infrastructure);
    assert_eq!(now.0 - infra.0, bond.0 - net.bond(0, 0).0);
    assert_eq!(net.answer(0, 0, FIRST, good), Err(NodeError::Answered { node: id, epoch: FIRST, kind }));
}

#[test]
fn every_byte_of_a_chunk_and_its_path_counts() {
    let (net, books) = audited();
    let audited = net.audit(0, 0, FIRST, Contribution::Storage);
    let asked = audited.chunks();
    let Evidence::Storage(Shown(good)) = answer(&net, &books, Contribution::Storage) else {
        unreachable!("chunks")
    };
    let check = |pieces: Vec<ChunkProof>| audited.check(&Evidence::Storage(Shown(pieces)));
    let wrong = |place: usize| {
        let (work, chunk) = asked[place];
        Err(EvidenceError::Chunk { place, work, chunk })
    };
    let tamper: [fn(&mut ChunkProof); 4] = [
        |proof| proof.chunk[255] ^= 1,
        |proof| proof.siblings[0].0[0] ^= 1,
        |proof| proof.siblings.truncate(proof.siblings.len() - 1),
        |proof| proof.siblings.push(Digest::default()),
    ];
    for place in [0, 17, 49] {
        for change in tamper {
            let mut pieces = good.clone();
            change(&mut pieces[place]);
            assert_eq!(check(pieces), wrong(place));
        }
    }
    // Pieces that are right, and stand for another place.
    let other = (1..50).find(|place| asked[*place] != asked[0]).expect("not always the same chunk");
    let mut swapped = good.clone();
    swapped.swap(0, other);
    assert_eq!(check(swapped), wrong(0));
    let short = good[..49].to_vec();
    assert_eq!(check(short), Err(EvidenceError::Count { expected: 50, found: 49 }));
    let (expected, found) = (Contribution::Storage, Contribution::Bandwidth);
    let vouchers = answer(&net, &books, found);
    assert_eq!(audited.check(&vouchers), Err(EvidenceError::Kind { expected, found }));
}

#[test]
fn every_field_of_a_voucher_and_its_path_counts() {
    let (net, books) = audited();
    let audited = net.audit(0, 0, FIRST, Contribution::Bandwidth);
    let Evidence::Bandwidth(Shown(good)) = answer(&net, &books, Contribution::Bandwidth) else {
        unreachable!("vouchers")
    };
    let check = |change: &dyn Fn(&mut VoucherProof)| {
        let mut pieces = good.clone();
        change(&mut pieces[3]);
        audited.check(&Evidence::Bandwidth(Shown(pieces)))
    };
    let path = Err(EvidenceError::Path { place: 3 });
    assert_eq!(check(&|proof| proof.voucher.serial[0] ^= 1), path);
    assert_eq!(check(&|proof| proof.path.0[0].units += 1), path);
    assert_eq!(check(&|proof| proof.path.0[0].digest.0[0] ^= 1), path);
    assert_eq!(check(&|proof| proof.path.0.truncate(proof.path.0.len() - 1)), path);
    assert_eq!(check(&|proof| proof.voucher.signature[9] ^= 1), Err(EvidenceError::Voucher { place: 3 }));
    let (unit, other) = (audited.places()[3], good.iter().find(|proof| **proof != good[3]).expect("twelve"));
    assert_eq!(check(&|proof| *proof = other.clone()), Err(EvidenceError::Unit { place: 3, unit }));
}

#[test]
fn a_region_without_a_key_signed_nothing() {
    let mut net = Net::new().and_nodes(&[1]);
    net.open(FIRST);
    let vouchers = net.vouchers((0, 0), 2);
    let book = VoucherBook::new(vouchers).expect("distinct serials");
    assert_eq!(net.commit(0, 0, FIRST, Claimed::Bandwidth(book.root())), Ok(()));
    net.turn(FIRST);
    let audited = net.audit(0, 0, FIRST, Contribution::Bandwidth);
    let evidence = Books { vouchers: Some(book), ..Books::default() }.answer(&audited).expect("vouchers");
    let refused = EvidenceError::NoVoucherKey { region: region(), epoch: FIRST };
    assert_eq!(audited.check(&evidence), Err(refused));
}

/// What the audit says of a node whose book holds these receipts.
fn verdict(mut net: Net, receipts: Vec<JobReceipt>) -> Result<usize, EvidenceError> {
    let book = JobBook::new(receipts, u64::MAX).expect("distinct jobs");
    assert_eq!(net.commit(0, 0, FIRST, Claimed::Compute(book.root())), Ok(()));
    net.turn(FIRST);
    let audited = net.audit(0, 0, FIRST, Contribution::Compute);
    let evidence = Books { jobs: Some(book), ..Books::default() }.answer(&audited).expect("receipts");
    audited.check(&evidence)
}

fn open() -> Net {
    let mut net = Net::new().and_nodes(&[1, 1]);
    net.open(FIRST);
    net
}

/// One receipt, with a job of which something was changed before the client signed it.
fn with(change: impl FnOnce(&mut Job)) -> Result<usize, EvidenceError> {
    let mut net = open();
    let mut job = net.receipts(client(0), (0, 0), 1, 7).remove(0).job;
    change(&mut job);
    let key = net.keys.get(&job.client).unwrap_or(&net.keys[&client(0)]);
    let receipt = job.sign(CHAIN, key, &mut net.rng);
    verdict(net, vec![receipt])
}

#[test]
fn a_receipt_is_for_this_node_epoch_and_service() {
    assert_eq!(with(|_| {}), Ok(50));
    assert_eq!(with(|job| job.node = node(1, 0).id), Err(EvidenceError::Node { place: 0 }));
    assert_eq!(with(|job| job.epoch = NEXT), Err(EvidenceError::Epoch { place: 0, found: NEXT }));
    let manifest = Digest([1; 32]);
    assert_eq!(with(|job| job.manifest = manifest), Err(EvidenceError::Service { place: 0, manifest }));
    let units = MOST + 1;
    assert_eq!(with(|job| job.units = units), Err(EvidenceError::Units { place: 0, units, most: MOST }));
    let nobody = PersonId([0xee; 32]);
    let unknown = EvidenceError::UnknownClient { place: 0, client: nobody };
    assert_eq!(with(|job| job.client = nobody), Err(unknown));
}

/// Chain spec 3.8, "limits and checks on self-dealing".
#[test]
fn a_receipt_of_an_operator_counts_nowhere() {
    for dealer in [operator(0), operator(1)] {
        let refused = EvidenceError::SelfDealing { place: 0, client: dealer };
        assert_eq!(with(|job| job.client = dealer), Err(refused));
    }
    // Operator 2 runs no node in this epoch, and is a client like any other.
    assert_eq!(with(|job| job.client = operator(2)), Ok(50));
}

#[test]
fn a_service_that_the_node_does_not_run_does_not_count() {
    let mut net = Net::new();
    let action = RegisterNode { manifests: Vec::new(), ..registration(0) };
    net.ok(|draft, at| register_node(draft, at, operator(0), &action));
    net.open(FIRST);
    let receipts = net.receipts(client(0), (0, 0), 1, 7);
    assert_eq!(verdict(net, receipts), Err(EvidenceError::Service { place: 0, manifest: SERVICE }));
}

#[test]
fn a_receipt_is_signed_by_its_client() {
    let mut net = open();
    let mut receipt = net.receipts(client(0), (0, 0), 1, 7).remove(0);
    receipt.job.client = client(1);
    receipt.key = net.keys[&client(1)].public_key();
    let forged = Err(EvidenceError::Signature { place: 0, client: client(1) });
    assert_eq!(verdict(net, vec![receipt]), forged);
    // A client's signature on another chain.
    let mut net = open();
    let job = net.receipts(client(0), (0, 0), 1, 7).remove(0).job;
    let receipt = job.sign(ChainId(8), &net.keys[&client(0)], &mut net.rng);
    let forged = Err(EvidenceError::Signature { place: 0, client: client(0) });
    assert_eq!(verdict(net, vec![receipt]), forged);
}

#[test]
fn every_field_of_a_receipts_paths_counts() {
    let (net, books) = audited();
    let audited = net.audit(0, 0, FIRST, Contribution::Compute);
    let Evidence::Compute(Shown(good)) = answer(&net, &books, Contribution::Compute) else {
        unreachable!("receipts")
    };
    let place = good.iter().position(|proof| !proof.within.0.is_empty() && !proof.path.0.is_empty());
    let place = place.expect("several clients with several receipts");
    let check = |change: &dyn Fn(&mut JobProof)| {
        let mut pieces = good.clone();
        change(&mut pieces[place]);
        audited.check(&Evidence::Compute(Shown(pieces)))
    };
    let tamper: [&dyn Fn(&mut JobProof); 9] = [
        &|proof| proof.receipt.job.units += 1,
        &|proof| proof.receipt.job.job.0[0] ^= 1,
        &|proof| proof.receipt.job.client = client(9),
        &|proof| proof.within.0[0].units += 1,
        &|proof| proof.within.0[0].digest.0[0] ^= 1,
        &|proof| proof.within.0.truncate(proof.within.0.len() - 1),
        &|proof| proof.path.0[0].units += 1,
        &|proof| proof.path.0[0].digest.0[0] ^= 1,
        &|proof| proof.path.0.truncate(proof.path.0.len() - 1),
    ];
    for change in tamper {
        assert_eq!(check(change), Err(EvidenceError::Path { place }));
    }
    let other = good.iter().find(|proof| proof.receipt != good[place].receipt).expect("eighteen");
    let unit = audited.places()[place];
    assert_eq!(check(&|proof| *proof = other.clone()), Err(EvidenceError::Unit { place, unit }));
}

#[test]
fn one_client_counts_up_to_its_cap() {
    let mut net = Net::with(|rules| rules.client_units = 20).and_nodes(&[1]);
    net.open(FIRST);
    let receipts = net.receipts(client(0), (0, 0), 3, 7);
    let kept = JobBook::new(receipts.clone(), 20).expect("distinct jobs").root().units;
    assert_eq!(kept, 14, "an honest book leaves out what does not count");
    let over = EvidenceError::ClientCap { place: 0, client: client(0), units: 21, most: 20 };
    assert_eq!(verdict(net, receipts), Err(over));
}

/// A client who changes its key must not be able to spoil the node's audit, nor the node gain by making such receipts up.
#[test]
fn what_a_client_signed_with_an_earlier_key_is_taken_off() {
    let mut net = open();
    let mut receipts = net.receipts(client(0), (0, 0), 10, 10);
    receipts.extend(net.receipts(client(1), (0, 0), 10, 10));
    let account = net.state.accounts.get(&client(1)).expect("an account").clone();
    let key = SecretKey::generate(&mut net.rng).public_key();
    net.put(Account { key, ..account });
    let book = JobBook::new(receipts, u64::MAX).expect("distinct jobs");
    assert_eq!(net.commit(0, 0, FIRST, Claimed::Compute(book.root())), Ok(()));
    net.turn(FIRST);
    let audited = net.audit(0, 0, FIRST, Contribution::Compute);
    let evidence = Books { jobs: Some(book), ..Books::default() }.answer(&audited).expect("receipts");
    let Evidence::Compute(Shown(pieces)) = &evidence else { unreachable!("receipts") };
    let valid = pieces.iter().filter(|proof| proof.receipt.job.client == client(0)).count();
    assert!((1..50).contains(&valid));
    assert_eq!(audited.check(&evidence), Ok(valid));
    assert_eq!(net.answer(0, 0, FIRST, evidence), Ok(()));
    let metrics = net.state.metrics_of(node(0, 0).id, FIRST, Contribution::Compute).expect("committed");
    assert_eq!((metrics.audit, metrics.counted), (Audit::Passed, 200 * valid as u64 / 50));
}

#[test]
fn a_node_that_lacks_something_cannot_answer() {
    let (net, mut books) = audited();
    let asked = net.audit(0, 0, FIRST, Contribution::Storage).chunks()[0].0;
    books.contents.remove(&asked);
    assert!(books.answer(&net.audit(0, 0, FIRST, Contribution::Storage)).is_none());
    books.vouchers = None;
    assert!(books.answer(&net.audit(0, 0, FIRST, Contribution::Bandwidth)).is_none());
}

#[test]
fn content_is_cut_into_chunks() {
    assert!(StoredContent::new(&[]).is_none());
    let content = StoredContent::new(&[7; CHUNK_BYTES + 1]).expect("two chunks");
    assert_eq!(content.chunks(), 2);
    let last = content.prove(1).expect("the last");
    assert_eq!((last.chunk[0], last.chunk[1]), (7, 0));
    assert!(content.prove(2).is_none());
}
