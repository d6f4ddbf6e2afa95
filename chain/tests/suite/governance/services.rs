//! Services of nodes, as governance approves and withdraws them.

use super::*;
use chain::modules::{
    governance::{ApproveService, GovernanceError, WithdrawService},
    node_rewards::NodeError,
};

#[test]
fn a_vote_approves_a_service_and_another_withdraws_it() {
    let mut world = world();
    let manifest = digest(7);
    let approve = |most| Action::ApproveService(ApproveService { manifest, most });
    let withdraw = || Action::WithdrawService(WithdrawService { manifest });
    let made = |action| Payload::Propose(Propose { document: digest(1), action });
    let unknown = GovernanceError::Node(NodeError::UnknownService { manifest });
    world.refuse(voter(0), made(withdraw()), unknown.clone());
    world.refuse(voter(0), made(approve(0)), GovernanceError::Node(NodeError::NothingToDo));
    decide(&mut world, approve(50));
    let service = world.ledger.state().services.get(&manifest).expect("approved").clone();
    assert_eq!((service.most, service.from, service.until), (50, FIRST, None));
    let twice = GovernanceError::Node(NodeError::ServiceRegistered { manifest });
    world.refuse(voter(0), made(approve(60)), twice);
    decide(&mut world, withdraw());
    assert!(world.ledger.state().services.get(&manifest).is_some_and(|service| !service.counts(FIRST)));
    world.refuse(voter(0), made(withdraw()), unknown);
}
