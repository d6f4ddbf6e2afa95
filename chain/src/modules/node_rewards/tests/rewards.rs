//! What epochs owe, and who claims it.

use super::*;
use crate::modules::{
    identity::{Identity, Roles, Status},
    treasury::Fund,
    usage::{Opening, SeatStandby, Standby},
};
use primitives::PartyId;
use proofs::{
    committee::{Member, PartySigner},
    sharing::KemKey,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const ALL: u64 = 1_000_000_000_000_000_000;

/// Caps and rates that cut nothing.
fn generous(rules: &mut NodeRules) {
    (rules.node_cap, rules.operator_cap) = (points(10_000), points(10_000));
    for schedule in [&mut rules.storage, &mut rules.bandwidth, &mut rules.compute, &mut rules.uptime] {
        schedule.rate = Credits(ALL);
    }
    rules.witnesses = 3;
}

/// Node 0 of each operator keeps works; all answer.
fn kept(mut net: Net, works: &[&[u8]]) -> Net {
    net.open(FIRST);
    for (o, works) in works.iter().enumerate() {
        assert_eq!(net.commit(o as u8, 0, FIRST, stored(works)), Ok(()));
    }
    net.turn(FIRST);
    for o in 0..works.len() as u8 {
        let evidence = library().answer(&net.audit(o, 0, FIRST, Contribution::Storage)).expect("everything");
        assert_eq!(net.answer(o, 0, FIRST, evidence), Ok(()));
    }
    net
}

fn scored(mut net: Net) -> Net {
    net.end(NEXT, Phase::Finalised);
    assert_eq!(net.score(FIRST), Ok(()));
    net
}

fn earned(net: &Net, payee: Payee, kind: Contribution) -> Option<Earned> {
    let reward = net.state.reward_of(FIRST, &payee)?;
    reward.earned.iter().copied().find(|earned| earned.kind == kind)
}

fn storage(net: &Net, o: u8, i: u8) -> Option<u64> {
    earned(net, Payee::Node(node(o, i).id), Contribution::Storage).map(|earned| earned.units)
}

fn chunks(net: &Net, n: u8) -> u64 {
    net.state.contents.get(&work(n)).map_or(0, |content| content.chunks.into())
}

/// A whole epoch with everything that nodes and persons do.
fn everything() -> Net {
    let mut net = Net::with(generous).and_nodes(&[1, 1, 1, 1]);
    net.publish();
    net.open(FIRST);
    let mut books = Vec::new();
    for o in 0..4 {
        let vouchers = VoucherBook::new(net.vouchers((o, 0), 1 + usize::from(o))).expect("distinct serials");
        let jobs = JobBook::new(net.receipts(client(o), (o, 0), 2, 5), 100).expect("distinct jobs");
        for claimed in [stored(&[0, 1]), Claimed::Bandwidth(vouchers.root()), Claimed::Compute(jobs.root())] {
            assert_eq!(net.commit(o, 0, FIRST, claimed), Ok(()));
        }
        books.push(Books { vouchers: Some(vouchers), jobs: Some(jobs), ..library() });
    }
    let watch = net.state.watch(FIRST);
    for o in 0..4 {
        let witness = node(o, 0).id;
        let seen = watch.targets(witness).into_iter().map(|node| (node, points(9_900))).collect();
        let action = AttestUptime { epoch: FIRST, witness, seen };
        net.ok(|draft, at| attest_uptime(draft, at, operator(o), &action));
    }
    net.ok(|draft, at| record_task(draft, at, client(3), 3));
    let sequencer = net.state.identities.get(&client(2)).expect("on record").clone();
    net.put(Identity { roles: Roles::SEQUENCER, ..sequencer });
    net.turn(FIRST);
    for o in 0..4 {
        for kind in Contribution::AUDITED {
            let evidence = books[usize::from(o)].answer(&net.audit(o, 0, FIRST, kind)).expect("everything");
            assert_eq!(net.answer(o, 0, FIRST, evidence), Ok(()));
        }
    }
    scored(net)
}

#[test]
fn an_epoch_pays_for_everything_that_was_done() {
    let net = everything();
    let scores = net.state.scores.get(&FIRST).expect("scored");
    assert_eq!(scores.budget, INFRA);
    let sum = |kind| {
        let all =
            scores.rewards.iter().flat_map(|reward| &reward.earned).filter(|earned| earned.kind == kind);
        all.map(|earned| earned.amount.0).sum::<u64>()
    };
    let part = |basis_points| INFRA.share(points(basis_points)).0;
    // The parts of the schedule, to the unit, where no cap cuts.
    assert_eq!(sum(Contribution::Storage), part(3_000));
    assert_eq!(sum(Contribution::Bandwidth), part(2_500));
    assert_eq!(sum(Contribution::Compute), part(1_500));
    assert_eq!(sum(Contribution::Uptime), part(1_000));
    assert_eq!(sum(Contribution::Aggregation), part(1_000));
    assert_eq!(sum(Contribution::Sequencing), part(500));
    assert_eq!(sum(Contribution::Proving), 0);
    assert_eq!(sum(Contribution::Curation), 3 * 5_000_000, "three tasks at their rate");
    // In proportion: operator o has 1 + o vouchers of ten.
    for o in 0..4 {
        let found = earned(&net, Payee::Node(node(o, 0).id), Contribution::Bandwidth).expect("earned");
        assert_eq!((found.units, found.amount.0), (1 + u64::from(o), part(2_500) * (1 + u64::from(o)) / 10));
    }
    let tasks = earned(&net, Payee::Person(client(3)), Contribution::Curation).expect("earned");
    assert_eq!(tasks.units, 3);
    assert!(scores.owed <= scores.budget);
    assert_eq!(scores.owed, scores.rewards.iter().map(Reward::amount).sum());
    assert_eq!(net.state.fund(Fund::NodeRewards), scores.owed);
    assert_eq!(net.state.fund(Fund::Infrastructure).0, INFRA.0 - scores.owed.0);
}

#[test]
fn a_reward_is_claimed_once_by_anybody_for_who_earned_it() {
    let mut net = everything();
    let payees: Vec<_> =
        net.state.scores.get(&FIRST).expect("scored").rewards.iter().map(|r| r.payee).collect();
    let nobody = Payee::Node(NodeId([0; 32]));
    assert_eq!(net.claim(FIRST, nobody), Err(NodeError::NotOwed { epoch: FIRST, payee: nobody }));
    assert_eq!(net.claim(NEXT, payees[0]), Err(NodeError::NotScored { epoch: NEXT }));
    for payee in payees {
        let reward = net.state.reward_of(FIRST, &payee).expect("owed").clone();
        let before = net.balance(reward.to);
        let waiting = net.state.rewards_owed(reward.to).len();
        assert_eq!(net.claim(FIRST, payee), Ok(()));
        assert!(net.state.is_claimed(FIRST, payee));
        assert_eq!(net.balance(reward.to).0 - before.0, reward.amount().0);
        assert_eq!(net.state.rewards_owed(reward.to).len(), waiting - 1);
        assert_eq!(net.claim(FIRST, payee), Err(NodeError::AlreadyClaimed { epoch: FIRST, payee }));
    }
    assert_eq!(net.state.fund(Fund::NodeRewards), Credits::ZERO, "to the last unit");
}

#[test]
fn an_epoch_is_scored_once_and_when_its_audits_are_over() {
    let mut net = Net::new().and_nodes(&[1]);
    assert_eq!(net.score(FIRST), Err(NodeError::UnknownEpoch { epoch: FIRST }));
    net.open(FIRST);
    assert_eq!(net.score(FIRST), Err(NodeError::StillOpen { epoch: FIRST }));
    net.turn(FIRST);
    assert_eq!(net.score(FIRST), Err(NodeError::StillOpen { epoch: FIRST }));
    net.end(NEXT, Phase::Abandoned);
    assert_eq!(net.score(FIRST), Ok(()), "the beacon of an epoch that was given up is a beacon");
    assert_eq!(net.score(FIRST), Err(NodeError::AlreadyScored { epoch: FIRST }));
    assert_eq!(net.score(NEXT), Err(NodeError::Abandoned { epoch: NEXT }));
}

/// The steward could open an epoch and give it up at once, and nobody would have had the time to answer.
#[test]
fn who_had_no_time_to_answer_loses_nothing() {
    for (phase, cut) in [(Phase::Abandoned, false), (Phase::Finalised, true)] {
        let mut net = Net::new().and_nodes(&[1]);
        let bond = |net: &Net| net.state.nodes.get(&node(0, 0).id).expect("a node").bond;
        let before = bond(&net);
        net.open(FIRST);
        assert_eq!(net.commit(0, 0, FIRST, stored(&[0])), Ok(()));
        net.turn(FIRST);
        net.end(NEXT, phase);
        assert_eq!(net.score(FIRST), Ok(()));
        assert_eq!(bond(&net) < before, cut, "{phase:?}");
    }
}

/// As many nodes as the rule says are paid for one work, and none of them because it came first.
#[test]
fn replicas_are_limited_and_drawn() {
    let few = |rules: &mut NodeRules| {
        generous(rules);
        rules.replicas = 2;
    };
    let net = scored(kept(Net::with(few).and_nodes(&[1, 1, 1, 1]), &[&[0, 1], &[0, 1], &[0, 1], &[0, 1]]));
    let all = chunks(&net, 0) + chunks(&net, 1);
    let paid: Vec<_> = (0..4).map(|o| storage(&net, o, 0).unwrap_or(0)).collect();
    assert_eq!(paid.iter().sum::<u64>(), 2 * all);
    let of = |n| paid.iter().filter(|paid| [chunks(&net, n), all].contains(paid)).count();
    assert_eq!([of(0), of(1)], [2, 2]);
}

/// Two nodes of one operator could share a disk: they are paid for one copy.
#[test]
fn one_operator_is_paid_for_one_copy() {
    let mut net = Net::with(generous).and_nodes(&[2, 1]);
    net.open(FIRST);
    for (o, i) in [(0, 0), (0, 1), (1, 0)] {
        assert_eq!(net.commit(o, i, FIRST, stored(&[0])), Ok(()));
    }
    net.turn(FIRST);
    for (o, i) in [(0, 0), (0, 1), (1, 0)] {
        let evidence = library().answer(&net.audit(o, i, FIRST, Contribution::Storage)).expect("everything");
        assert_eq!(net.answer(o, i, FIRST, evidence), Ok(()));
    }
    let net = scored(net);
    let one: Vec<_> = [storage(&net, 0, 0), storage(&net, 0, 1)].into_iter().flatten().collect();
    assert_eq!(one, [chunks(&net, 0)]);
    assert_eq!(storage(&net, 1, 0), Some(chunks(&net, 0)));
}

/// Content that nobody asked for can be made up by its creator and a friend.
#[test]
fn content_of_a_work_that_was_not_paid_does_not_count() {
    let net = scored(kept(Net::with(generous).and_nodes(&[1, 1]), &[&[2], &[0, 2]]));
    assert_eq!([storage(&net, 0, 0), storage(&net, 1, 0)], [None, Some(chunks(&net, 0))]);
}

#[test]
fn who_fails_or_keeps_silent_earns_nothing_and_loses_a_part_of_its_bond() {
    let mut net = Net::with(generous).and_nodes(&[1, 1, 1]);
    net.open(FIRST);
    for o in 0..3 {
        assert_eq!(net.commit(o, 0, FIRST, stored(&[0])), Ok(()));
    }
    let some = Claimed::Compute(Sum { digest: Digest([1; 32]), units: 9 });
    assert_eq!(net.commit(2, 0, FIRST, some), Ok(()));
    net.turn(FIRST);
    let good = library().answer(&net.audit(0, 0, FIRST, Contribution::Storage)).expect("everything");
    assert_eq!(net.answer(1, 0, FIRST, good.clone()), Ok(()), "the answer of another node");
    assert_eq!(net.answer(0, 0, FIRST, good), Ok(()));
    let bond = net.bond(0, 0).0;
    let net = scored(net);
    assert_eq!([0, 1, 2].map(|o| storage(&net, o, 0)), [Some(chunks(&net, 0)), None, None]);
    // One wrong answer; two times silence.
    assert_eq!([0, 1, 2].map(|o| net.bond(o, 0).0), [bond, bond / 2, bond * 81 / 100]);
    let cut = bond / 2 + bond * 19 / 100;
    let owed = net.state.scores.get(&FIRST).expect("scored").owed.0;
    assert_eq!(net.state.fund(Fund::Infrastructure).0, INFRA.0 - owed + cut);
}

#[test]
fn a_suspended_operator_earns_nothing() {
    let mut net = kept(Net::with(generous).and_nodes(&[1, 1]), &[&[0], &[0]]);
    let identity = net.state.identities.get(&operator(0)).expect("on record").clone();
    net.put(Identity { status: Status::Suspended, ..identity });
    let net = scored(net);
    assert_eq!([0, 1].map(|o| storage(&net, o, 0)), [None, Some(chunks(&net, 0))]);
    let parties: Vec<_> =
        (0..3).map(|o| earned(&net, Payee::Person(operator(o)), Contribution::Aggregation)).collect();
    assert_eq!(parties.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true]);
}

/// Who was drawn to watch, and said nothing, is not paid for what others say of it.
#[test]
fn a_witness_that_looks_away_earns_nothing_for_uptime() {
    let mut net = Net::with(generous).and_nodes(&[1, 1, 1, 1]);
    net.open(FIRST);
    let watch = net.state.watch(FIRST);
    for (o, seen) in [(0, 9_500), (1, 9_500), (2, 9_500)] {
        let witness = node(o, 0).id;
        let low = |id| if id == node(1, 0).id { 8_999 } else { seen };
        let seen = watch.targets(witness).into_iter().map(|id| (id, points(low(id)))).collect();
        let action = AttestUptime { epoch: FIRST, witness, seen };
        net.ok(|draft, at| attest_uptime(draft, at, operator(o), &action));
    }
    net.turn(FIRST);
    let net = scored(net);
    let uptime = |o| earned(&net, Payee::Node(node(o, 0).id), Contribution::Uptime).map(|e| e.units);
    // Node 1 was too seldom there; node 3 watched nobody.
    assert_eq!([0, 1, 2, 3].map(uptime), [Some(9_500), None, Some(9_500), None]);
}

/// Who took a vacant seat is paid in the place of who left it, and nobody is who is not on record for it.
#[test]
fn those_are_paid_who_ran_the_parties_to_the_end() {
    let mut net = kept(Net::new().and_nodes(&[1]), &[&[0]]);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let signing = PartySigner::generate(PartyId::ALL[1], &mut rng).public();
    let member = Member { signing, kem: KemKey::generate(&mut rng).public() };
    let mut opening: Opening = net.state.openings.get(&FIRST).expect("open").clone();
    opening.seating.standby = Some(Standby { operator: operator(3), member });
    opening.seating.operators[2] = client(0);
    net.put(opening);
    net.put(SeatStandby { epoch: FIRST, party: PartyId::ALL[1], signatures: Default::default() });
    let net = scored(net);
    let paid = |who| earned(&net, Payee::Person(who), Contribution::Aggregation).is_some();
    assert!(paid(operator(0)) && paid(operator(3)));
    assert!(!paid(operator(1)), "it left its seat");
    assert!(!paid(client(0)), "not on record as one who runs parties");
}

/// The budget is what the fund holds, if that is less than the rule.
#[test]
fn the_budget_is_bounded_by_rule_and_fund() {
    let small = |rules: &mut NodeRules| {
        generous(rules);
        rules.budget = Credits(1_000);
    };
    let net = scored(kept(Net::with(small).and_nodes(&[1]), &[&[0]]));
    let scores = net.state.scores.get(&FIRST).expect("scored");
    assert_eq!((scores.budget, scores.owed), (Credits(1_000), Credits(300 + 100)));
    assert_eq!(net.state.fund(Fund::Infrastructure), Credits(INFRA.0 - 400));
}

#[test]
fn every_field_of_the_scores_is_bound_by_their_leaf() {
    use crate::state::Leaf;
    let net = everything();
    let scores = net.state.scores.get(&FIRST).expect("scored").clone();
    let tamper: [fn(&mut NodeScores); 8] = [
        |s| s.epoch.0 += 1,
        |s| s.budget.0 += 1,
        |s| s.owed.0 += 1,
        |s| s.rewards[0].payee = Payee::Node(NodeId([1; 32])),
        |s| s.rewards[0].to.0[0] ^= 1,
        |s| s.rewards[0].earned[0].units += 1,
        |s| s.rewards[0].earned[0].amount.0 += 1,
        |s| drop(s.rewards.pop()),
    ];
    for change in tamper {
        let mut other = scores.clone();
        change(&mut other);
        assert_ne!(other.value(), scores.value());
    }
}
