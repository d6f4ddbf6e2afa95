//! The way out of an epoch that cannot be settled, and of a beacon that cannot be finished.

use crate::world::*;
use chain::{
    Payload, TxError,
    light::{RecordError, record, verify},
    modules::{
        dapr::{Claim, DaprError, SettleError},
        treasury::Fund,
        usage::{AbandonEpoch, Phase, RevealBeacon, UsageError},
    },
};
use primitives::{Credits, Digest, EpochId, PartyId};

const NEXT: EpochId = EpochId(FIRST.0 + 1);
const REASON: Digest = Digest([0xab; 32]);

fn abandon(epoch: EpochId) -> Payload {
    Payload::AbandonEpoch(AbandonEpoch { epoch, reason: REASON })
}

fn phase(world: &World, epoch: EpochId) -> Phase {
    world.ledger.state().epochs.get(&epoch).expect("on record").phase
}

/// The first epoch with one listener more than its tier sold subscriptions.
fn locked() -> World {
    let mut world = World::opened();
    let bundle = (group(0, 0), vec![plays(0, 1, false)]);
    world.count(FIRST, &vec![bundle; 5]);
    let work = world.ledger.state().openings.get(&FIRST).expect("open").works[0].work;
    let error = SettleError::Listeners { work, tier: TIERS[0], listeners: 5, subscriptions: 4, carried: 0 };
    world.refuse_open(finalise(FIRST), TxError::from(DaprError::from(error)));
    world
}

#[test]
fn a_locked_epoch_is_given_up_and_its_revenue_pays_the_creators_of_the_next() {
    let mut world = locked();
    world.prepare(NEXT);
    let revenue = world.ledger.state().fund(Fund::Revenue);
    assert_eq!(revenue, Credits(4 * 5_000_001 + 4 * 6_000_001));

    world.ok(STEWARD, abandon(FIRST));
    world.seal();
    let state = world.ledger.state();
    assert_eq!((state.fund(Fund::Revenue), state.fund(Fund::Carried)), (Credits::ZERO, revenue));
    for fund in [Fund::Fee, Fund::Eco, Fund::Infrastructure, Fund::Unclaimed] {
        assert_eq!(state.fund(fund), Credits::ZERO, "{fund:?}");
    }
    assert_eq!((state.total_supply().minted, state.check_conservation()), (revenue, Ok(())));
    let missing = RecordError::Abandoned { epoch: FIRST, reason: REASON };
    assert_eq!(record(&world.ledger, FIRST), Err(missing));

    world.open(NEXT);
    world.count(NEXT, &bundles());
    world.open_ok(finalise(NEXT));
    world.seal();
    let record = record(&world.ledger, NEXT).expect("settled");
    let verdict = verify(&record, None).expect("a sound record");
    assert_eq!((record.revenue.carried_in, record.revenue.carried_out), (revenue, Credits::ZERO));
    assert_eq!(Some(verdict.paid), record.revenue.creators.checked_add(revenue));
    assert!(world.ledger.state().claims_of_epoch(FIRST).is_empty());
    for claim in world.ledger.state().claims_of_epoch(NEXT) {
        world.open_ok(Payload::Claim(claim));
    }
    let state = world.ledger.state();
    assert_eq!(state.accounts.iter().map(|account| account.balance).sum::<Credits>(), verdict.paid);
    assert_eq!(state.check_conservation(), Ok(()));
}

/// Every phase before the settlement, with whatever revenue was reported by then.
#[test]
fn an_epoch_may_be_given_up_in_any_phase_before_it_is_settled() {
    let mut open = World::prepared();
    let opening = open.opening(FIRST);
    open.ok(STEWARD, Payload::OpenEpoch(opening));
    let mut frozen = World::opened();
    frozen.open_ok(Payload::AnchorRoot(frozen.root(FIRST)));
    for (mut world, found) in
        [(open, Phase::Open), (frozen, Phase::Frozen), (World::aggregated(), Phase::Aggregated)]
    {
        assert_eq!(phase(&world, FIRST), found);
        let reported = world.ledger.state().fund(Fund::Revenue);
        world.ok(STEWARD, abandon(FIRST));
        world.seal();
        assert_eq!(phase(&world, FIRST), Phase::Abandoned);
        assert_eq!(world.ledger.state().fund(Fund::Carried), reported);
        assert_eq!(world.ledger.state().check_conservation(), Ok(()));
    }
}

/// Epochs may be given up one after the other, and what was carried so far goes on with the rest.
#[test]
fn carried_money_is_carried_on() {
    let mut world = locked();
    world.ok(STEWARD, abandon(FIRST));
    world.prepare(NEXT);
    world.open(NEXT);
    let each = world.ledger.state().fund(Fund::Revenue);
    assert_eq!(world.ledger.state().fund(Fund::Carried), each);
    world.ok(STEWARD, abandon(NEXT));
    world.seal();
    assert_eq!(Some(world.ledger.state().fund(Fund::Carried)), each.checked_add(each));
    assert_eq!(world.ledger.state().check_conservation(), Ok(()));
}

#[test]
fn who_may_give_up_what() {
    let mut world = World::prepared();
    world.refuse(STEWARD, abandon(FIRST), UsageError::UnknownEpoch { epoch: FIRST });
    world.open(FIRST);
    for signer in [TREASURY, REGISTRAR, person(1)] {
        world.refuse(signer, abandon(FIRST), UsageError::NotSteward { signer });
    }
    world.ok(STEWARD, abandon(FIRST));
    world.refuse(STEWARD, abandon(FIRST), UsageError::Abandoned { epoch: FIRST });

    let mut world = World::settled();
    world.refuse(STEWARD, abandon(FIRST), UsageError::Settled { epoch: FIRST });
}

#[test]
fn nothing_more_happens_in_an_epoch_that_was_given_up() {
    let mut world = World::opened();
    world.accept(FIRST, &bundles()[0]);
    let header = world.header(FIRST, 1);
    let root = world.root(FIRST);
    world.ok(STEWARD, abandon(FIRST));
    let gone = || UsageError::Abandoned { epoch: FIRST };
    world.refuse_open(Payload::AnchorHeader(header), gone());
    world.refuse_open(Payload::AnchorRoot(root), gone());
    let aggregate = world.aggregate(FIRST);
    world.refuse_open(Payload::SubmitAggregate(aggregate), gone());
    let revenue = World::revenue(FIRST, TIERS[0]);
    world.refuse(TREASURY, Payload::ReportRevenue(revenue), gone());
    world.refuse_open(finalise(FIRST), DaprError::Abandoned { epoch: FIRST });
    let claim = Claim {
        epoch: FIRST,
        work: id_of(1, 1),
        payee: person(1),
        amount: Credits(1),
        path: chain::merkle::path(&[1u64.into()], 0).expect("a path"),
    };
    world.refuse_open(Payload::Claim(claim), DaprError::Abandoned { epoch: FIRST });

    // Nor with its totals on record.
    let mut world = World::aggregated();
    world.ok(STEWARD, abandon(FIRST));
    world.refuse_open(finalise(FIRST), DaprError::Abandoned { epoch: FIRST });
    assert_eq!(world.ledger.state().fund(Fund::Unclaimed), Credits::ZERO);
}

/// Parties commit, one reveals, and the others never do: no epoch can open, and nobody else may commit.
#[test]
fn a_committee_that_never_reveals_is_replaced() {
    let mut world = World::with_works();
    let [first, second, third] = PartyId::ALL;
    let seat = |world: &World| world.seat();
    let commit = |world: &World, party| Payload::CommitBeacon(world.commit(FIRST, party));
    world.ok(STEWARD, seat(&world));
    world.ok(STEWARD, Payload::PublishKeys(World::publish_keys(FIRST)));
    let spent = [first, second].map(|party| world.commit(FIRST, party));
    for commit in &spent {
        world.open_ok(Payload::CommitBeacon(commit.clone()));
    }
    world.open_ok(World::reveal(FIRST, first));
    world.seal();
    let stuck = world.opening(FIRST);
    world.refuse(STEWARD, Payload::OpenEpoch(stuck), UsageError::TooFewReveals { count: 1 });
    let late = commit(&world, third);
    world.refuse_open(late.clone(), UsageError::RevealsBegun { epoch: FIRST });

    // The same three stay: what they had committed to is spent, since one of them is known already.
    world.refuse(person(1), seat(&world), UsageError::NotSteward { signer: person(1) });
    for round in 0..2 {
        world.ok(STEWARD, seat(&world));
        for commit in &spent {
            let party = commit.party;
            let refused = UsageError::CommitmentSpent { party };
            world.refuse_open(Payload::CommitBeacon(commit.clone()), refused);
            world.refuse_open(World::reveal(FIRST, party), UsageError::NotCommitted { party });
        }
        assert_eq!(round == 0, world.ledger.state().committees.get(&FIRST).expect("a seat").spent.len() == 2);
        if round == 0 {
            world.open_ok(late.clone());
        }
    }
    let party = third;
    world.refuse_open(late, UsageError::CommitmentSpent { party });

    // Other three, with contributions of their own.
    world.parties = PartyId::ALL.map(|party| proofs::committee::PartySigner::generate(party, &mut world.rng));
    let (parties, rng) = (&world.parties, &mut world.rng);
    world.committee = committee(parties, rng);
    world.ok(STEWARD, seat(&world));
    let value = |party: PartyId| digest(200 + u8::from(party));
    for party in [first, second] {
        world.open_ok(Payload::CommitBeacon(world.commit_to(FIRST, party, &value(party))));
    }
    let reveal = |party| {
        let value = value(party);
        Payload::RevealBeacon(RevealBeacon { epoch: FIRST, party, value })
    };
    for party in [first, second] {
        world.open_ok(reveal(party));
    }
    // Now the epoch can open, and nobody draws its beacon again.
    world.refuse(STEWARD, seat(&world), UsageError::CommitteeFixed { epoch: FIRST });
    world.attest(FIRST);
    world.seal();
    world.open(FIRST);
    let opening = world.ledger.state().openings.get(&FIRST).expect("open");
    assert_eq!(opening.reveals.values().copied().collect::<Vec<_>>(), [value(first), value(second)]);
    assert_eq!(opening.committee, world.committee);
    world.count(FIRST, &bundles());
    world.open_ok(finalise(FIRST));
    world.seal();
    verify(&record(&world.ledger, FIRST).expect("settled"), None).expect("a sound record");
}
