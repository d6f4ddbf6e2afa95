//! What weighs much, and how nobody gets around it.

use super::*;
use chain::modules::{
    eco_reserve::{AssetId, EcoError, Offer},
    governance::{
        CallElection, Change, CloseElection, Elect, GovernanceError, OfferAsset, Parameter, Path, Recall,
        SetParameters, Spend, Stand,
    },
    treasury::Fund,
};
use primitives::Credits;

const HALF_A_YEAR: u32 = 182 * DAY;

fn spend(amount: u64) -> Action {
    Action::Spend(Spend { fund: Fund::Eco, to: person(2), amount: Credits(amount) })
}

/// Votes for a proposal and waits until it may be enacted.
fn ready(world: &mut World, number: u64) {
    carry(world, number, (20, 2));
    wait_for_notice(world, number);
}

#[test]
fn money_in_parts_weighs_as_much_as_in_one() {
    let mut world = world_with(|genesis| genesis.rules.governance.large = Credits(600));
    run_epoch(&mut world, 0);
    let (first, second) = (propose(&mut world, spend(400)), propose(&mut world, spend(300)));
    for number in [first, second] {
        assert_eq!(proposal(&world, number).path, Path::Ordinary);
    }
    carry(&mut world, first, (20, 2));
    later(&mut world, 2 * DAY);
    world.open_ok(enact(first));
    let fund = world.ledger.state().fund(Fund::Eco);
    // The second was not even voted on; one that is proposed now takes the council.
    let third = propose(&mut world, spend(300));
    assert_eq!(proposal(&world, third).path, Path::High);
    assert_eq!(world.ledger.state().fund(Fund::Eco), fund);
    // Another fund is another matter, and after half a year it is forgotten.
    let other = Action::Spend(Spend { fund: Fund::Fee, to: person(2), amount: Credits(300) });
    let other = propose(&mut world, other);
    assert_eq!(proposal(&world, other).path, Path::Ordinary);
    later(&mut world, HALF_A_YEAR);
    let late = propose(&mut world, spend(300));
    assert_eq!(proposal(&world, late).path, Path::Ordinary);
}

#[test]
fn what_came_to_weigh_much_is_not_enacted_as_if_it_did_not() {
    let mut world = world_with(|genesis| genesis.rules.governance.large = Credits(600));
    run_epoch(&mut world, 0);
    let numbers = [propose(&mut world, spend(400)), propose(&mut world, spend(300))];
    let found = proposal(&world, numbers[0]);
    let now = world.ledger.now();
    later(&mut world, seconds(now, found.vote_from));
    for number in numbers {
        for n in 0..20 {
            world.ok(voter(n), vote(number, Choice::Yes));
        }
    }
    let now = world.ledger.now();
    later(&mut world, seconds(now, found.enact_from));
    world.open_ok(enact(numbers[0]));
    world.refuse_open(enact(numbers[1]), GovernanceError::Heavier { proposal: numbers[1] });
}

/// Nobody knows what the sale of an asset weighs before it is there.
#[test]
fn what_the_reserve_does_not_hold_is_not_offered() {
    let mut world = world();
    let (asset, until) = (AssetId(digest(3)), world.ledger.now().after(90 * DAY));
    let offer = Offer { buyer: person(1), price: Credits(0), until };
    let action = Action::OfferAsset(OfferAsset { asset, offer });
    let unknown = GovernanceError::Eco(EcoError::Unknown { asset });
    world.refuse(voter(0), Payload::Propose(Propose { document: digest(1), action }), unknown);
}

#[test]
fn an_even_council_approves_by_more_than_half() {
    let mut world = world_with(|genesis| genesis.rules.governance.council_seats = 6);
    let number =
        propose(&mut world, Action::Resolve(chain::modules::governance::Resolve { text: digest(2) }));
    approve(&mut world, number, 3);
    ready(&mut world, number);
    let missing = GovernanceError::NotApproved { proposal: number, found: 3, needed: 4 };
    world.refuse_open(enact(number), missing);
    world.ok(councillor(3), say(number, Say::Approve));
    world.open_ok(enact(number));
}

#[test]
fn a_council_that_is_larger_than_its_seats_counts_whole() {
    let mut world = world_with(|genesis| genesis.rules.governance.council_seats = 3);
    let number =
        propose(&mut world, Action::Resolve(chain::modules::governance::Resolve { text: digest(2) }));
    approve(&mut world, number, 2);
    ready(&mut world, number);
    let missing = GovernanceError::NotApproved { proposal: number, found: 2, needed: 3 };
    world.refuse_open(enact(number), missing);
}

/// Voters who elect somebody anew have answered the recall that was voted on before.
#[test]
fn a_recall_does_not_reach_into_the_next_term() {
    let mut world = world();
    later(&mut world, HALF_A_YEAR - 21 * DAY);
    let number = propose(&mut world, Action::Recall(Recall { councillor: councillor(0) }));
    carry(&mut world, number, (20, 0));
    // Called a fortnight before the term ends, so that nobody's seat stays.
    let now = world.ledger.now();
    world.ok(voter(0), Payload::CallElection(CallElection));
    world.ok(councillor(0), Payload::Stand(Stand { election: 1 }));
    later(&mut world, WEEK);
    world.ok(voter(1), Payload::Elect(Elect { election: 1, choices: vec![councillor(0)] }));
    later(&mut world, WEEK);
    world.open_ok(Payload::CloseElection(CloseElection { election: 1 }));
    assert!(now < world.ledger.now());
    world.refuse_open(enact(number), GovernanceError::ElectedSince { person: councillor(0) });
}

#[test]
fn what_is_to_be_reviewed_stays_due_whatever_else_changes() {
    let mut world = world();
    let set = |(parameter, value), from: u64, review_by: Option<u64>| {
        let changes = vec![Change { parameter, value }];
        Action::SetParameters(SetParameters { from: epoch(from), changes, review_by: review_by.map(epoch) })
    };
    let reviewed = decide(&mut world, set((Parameter::K, 5), 1, Some(2)));
    decide(&mut world, set((Parameter::EcoReportAge, u64::from(90 * DAY)), 2, None));
    for n in 0..3 {
        run_epoch(&mut world, n);
    }
    let due = |world: &World| -> Vec<u64> {
        let state = world.ledger.state();
        state.due_for_review(world.ledger.origin()).iter().map(|proposal| proposal.number).collect()
    };
    assert_eq!(due(&world), [reviewed]);
    decide(&mut world, set((Parameter::K, 6), 3, None));
    run_epoch(&mut world, 3);
    assert_eq!(due(&world), [0; 0]);
}
