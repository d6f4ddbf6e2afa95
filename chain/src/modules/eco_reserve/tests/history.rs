//! The journal, and the reserve computed again from it.

use super::*;
use crate::modules::treasury::spend;
use primitives::Encode;
use proptest::prelude::*;

/// Something that may be possible or not.
#[derive(Clone, Debug)]
enum Step {
    Bring { eco: u64 },
    Acquire { n: u8, cost: u64 },
    Offer { n: u8, price: u64 },
    Withdraw { n: u8 },
    Buy { n: u8, price: u64, other: bool },
    Push { oracle: usize, n: u8, value: u64, haircut: u16, hectares: u64 },
    Accept { n: u8 },
    Approve { n: u8 },
    Reject { n: u8 },
    Spend { amount: u64 },
    Pass { seconds: u32 },
}

const ASSETS: u8 = 3;

fn step() -> impl Strategy<Value = Step> {
    let n = || 1..=ASSETS;
    prop_oneof![
        1 => (0..500_000u64).prop_map(|eco| Step::Bring { eco }),
        3 => (n(), 0..300_000u64).prop_map(|(n, cost)| Step::Acquire { n, cost }),
        2 => (n(), 1..4u64).prop_map(|(n, price)| Step::Offer { n, price }),
        1 => n().prop_map(|n| Step::Withdraw { n }),
        2 => (n(), 1..4u64, any::<bool>()).prop_map(|(n, price, other)| Step::Buy { n, price, other }),
        9 => (0..3usize, n(), 90_000..110_000u64, 0..3_000u16, 0..9u64)
            .prop_map(|(oracle, n, value, haircut, hectares)| Step::Push { oracle, n, value, haircut, hectares }),
        5 => n().prop_map(|n| Step::Accept { n }),
        2 => n().prop_map(|n| Step::Approve { n }),
        1 => n().prop_map(|n| Step::Reject { n }),
        1 => (0..100_000u64).prop_map(|amount| Step::Spend { amount }),
        4 => prop_oneof![Just(1u32), Just(14 * DAY), 0..20 * DAY].prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// Takes a step, if it is possible.
fn take(world: &mut World, step: Step, paper: u8) {
    // What is not possible leaves no trace, which the world checks of transactions.
    let _possible = match step {
        Step::Bring { eco } => {
            world.bring(eco);
            true
        }
        Step::Acquire { n, cost } => world.decide(|draft, at| acquire(draft, at, &land(n, cost))).is_ok(),
        Step::Offer { n, price } => {
            let offered = world.offer_of(price);
            world.decide(|draft, at| offer(draft, at, id(n), &offered)).is_ok()
        }
        Step::Withdraw { n } => world.decide(|draft, at| withdraw_offer(draft, at, id(n))).is_ok(),
        Step::Buy { n, price, other } => world.buy(if other { SELLER } else { BUYER }, n, price).is_ok(),
        Step::Push { oracle, n, value, haircut, hectares } => {
            let mrv = Mrv { hectares, tonnes: hectares };
            let figures = Figures { value: Credits(value), haircut: points(haircut), mrv };
            world.push(oracle, n, figures, paper).is_ok()
        }
        Step::Accept { n } => world.accept(n).is_ok(),
        Step::Approve { n } => {
            let round = world.ledger.state().eco_assets.get(&id(n)).map_or(0, |asset| asset.round);
            world.decide(|draft, at| approve_valuation(draft, at, id(n), round)).is_ok()
        }
        Step::Reject { n } => world.decide(|draft, at| reject_valuation(draft, at, id(n))).is_ok(),
        Step::Spend { amount } => {
            world.decide(|draft, at| spend(draft, at, Fund::Eco, BUYER, Credits(amount))).is_ok()
        }
        Step::Pass { seconds } => {
            world.pass(seconds);
            true
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Chain spec 6.5: "transparent accounting of: how much CWE credit is held for eco-assets, which types of assets are
    /// held, how they evolved over time."
    #[test]
    fn the_reserve_follows_from_its_journal(steps in proptest::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for (paper, step) in (0..=u8::MAX).zip(steps) {
            take(&mut world, step, paper);
        }
        let state = world.ledger.state();
        let recounted = recount(state.eco_events.iter(), state.eco_received()).expect("a journal");
        let assets: Vec<_> = state.eco_assets.iter().cloned().collect();
        prop_assert_eq!(recounted.assets.values().cloned().collect::<Vec<_>>(), assets);
        prop_assert_eq!(recounted.fund, u128::from(world.fund()));
        let (now, age) = (world.ledger.now(), world.rules().report_age);
        prop_assert_eq!(totals(recounted.assets.values(), now, age), world.totals());
        prop_assert_eq!(state.check_conservation(), Ok(()));
    }
}

/// A history in which everything happens.
fn eventful() -> World {
    let mut world = World::new();
    world.acquire(1, 100_000);
    world.acquire(2, 50_000);
    world.pass(14 * DAY);
    for oracle in [0, 1] {
        world.push(oracle, 1, figures(101_000), 1).expect("reported");
        world.push(oracle, 2, figures(150_000), 2).expect("reported");
    }
    world.accept(1).expect("valued");
    world.accept(2).expect("proposed");
    world.decide(|draft, at| approve_valuation(draft, at, id(2), 1)).expect("approved");
    world.decide(|draft, at| reject_valuation(draft, at, id(1))).expect("dropped");
    world.offer(1, 7);
    world.decide(|draft, at| withdraw_offer(draft, at, id(1))).expect("taken back");
    world.sell(1, 120_000);
    world.decide(|draft, at| spend(draft, at, Fund::Eco, SELLER, Credits(3))).expect("spent");
    world
}

fn journal(world: &World) -> (Vec<EcoEvent>, Vec<Credits>) {
    let state = world.ledger.state();
    (state.eco_events.iter().cloned().collect(), state.eco_received().collect())
}

#[test]
fn every_kind_of_event_is_in_the_journal_in_order() {
    let (events, _) = journal(&eventful());
    let kinds: Vec<u8> = events.iter().map(|event| event.what.to_bytes()[0]).collect();
    assert_eq!(kinds, [0, 0, 4, 5, 6, 7, 1, 2, 1, 3, 8]);
    let moved = |f: fn(&EcoChange) -> Credits| events.iter().map(|event| f(&event.what).0).sum::<u64>();
    assert_eq!((moved(EcoChange::credits_out), moved(EcoChange::credits_in)), (150_003, 120_000));
    let EcoChange::Valued(valued) = &events[2].what else { panic!("{:?}", events[2]) };
    assert_eq!(valued.reports, [(ORACLES[0], digest(1)), (ORACLES[1], digest(1))]);
}

#[test]
fn several_decisions_at_once_have_numbers_of_their_own() {
    let mut world = World::new();
    world
        .decide(|draft, at| {
            acquire(draft, at, &land(1, 10))?;
            acquire(draft, at, &land(2, 20))
        })
        .expect("bought");
    let (events, _) = journal(&world);
    assert_eq!(events.iter().map(|event| event.number).collect::<Vec<_>>(), [0, 1]);
}

/// No entry can be left out, moved, repeated or changed without the recount noticing.
#[test]
fn a_tampered_journal_recounts_to_something_else() {
    let world = eventful();
    let (events, brought) = journal(&world);
    let honest = recount(&events, brought.clone()).expect("a journal");
    assert_eq!(honest.fund, u128::from(world.fund()));
    let again = |events: &[EcoEvent]| recount(events, brought.clone());
    let changed = |edit: &dyn Fn(&mut Vec<EcoEvent>)| {
        let mut events = events.clone();
        edit(&mut events);
        again(&events)
    };
    let renumbered = |edit: &dyn Fn(&mut Vec<EcoEvent>)| {
        changed(&|events| {
            edit(events);
            (0..).zip(events).for_each(|(number, event)| event.number = number);
        })
    };
    for place in 0..events.len() {
        if place + 1 < events.len() {
            let gap = changed(&|events| drop(events.remove(place)));
            let number = place as u64;
            assert_eq!(gap, Err(JournalError::Number { expected: number, found: number + 1 }));
        }
        assert_ne!(
            renumbered(&|events| drop(events.remove(place))).as_ref(),
            Ok(&honest),
            "{place} left out"
        );
        let twice = renumbered(&|events| events.insert(place, events[place].clone()));
        assert_ne!(twice.as_ref(), Ok(&honest), "{place} twice");
    }
    let early = changed(&|events| events[4].at = Time(0));
    assert_eq!(early, Err(JournalError::Order { number: 4 }));
    let (asset, number) = (id(1), 9);
    let price = changed(&|events| {
        let EcoChange::Sold(sold) = &mut events[9].what else { unreachable!("the sale") };
        sold.price.0 += 1;
    });
    assert_eq!(price, Err(JournalError::Sale { number, asset }));
    let offered_twice = renumbered(&|events| events.insert(9, events[8].clone()));
    assert_eq!(offered_twice, Err(JournalError::Offer { number: 9, asset }));
    let unoffered = renumbered(&|events| drop(events.remove(8)));
    assert_eq!(unoffered, Err(JournalError::Sale { number: 8, asset }));
    let unproposed = renumbered(&|events| drop(events.remove(3)));
    assert_eq!(unproposed, Err(JournalError::Approval { number: 3, asset: id(2) }));
    let bought_twice = renumbered(&|events| events.insert(1, events[0].clone()));
    assert_eq!(bought_twice, Err(JournalError::BoughtTwice { number: 1, asset }));
    let sold_on = renumbered(&|events| events.push(events[8].clone()));
    assert_eq!(sold_on, Err(JournalError::NotHeld { number: 11, asset }));
    let poor = recount(&events, [Credits(30_002)]);
    assert_eq!(poor, Err(JournalError::Overdrawn { received: 150_002, out: 150_003 }));
}
