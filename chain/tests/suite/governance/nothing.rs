//! Proposals of what is so already.

use super::*;
use chain::modules::governance::{Change, GovernanceError, Parameter, SetOffices, SetParameters};

fn set(value: u64, review_by: Option<EpochId>) -> Payload {
    let changes = vec![Change { parameter: Parameter::K, value }];
    let action = Action::SetParameters(SetParameters { from: epoch(1), changes, review_by });
    Payload::Propose(Propose { document: digest(9), action })
}

#[test]
fn a_proposal_that_would_change_nothing_is_refused() {
    let mut world = world();
    let k = world.params.k;
    world.refuse(voter(0), set(k, None), GovernanceError::NoChange);
    let offices = |give, take| {
        let action = Action::SetOffices(SetOffices { person: REGISTRAR, give, take });
        Payload::Propose(Propose { document: digest(9), action })
    };
    let has = offices(Roles::REGISTRAR, Roles::AUDITOR);
    world.refuse(voter(0), has, GovernanceError::NoChange);
    // Part of it is new, or when it is looked at again.
    world.ok(voter(0), offices(Roles::REGISTRAR.with(Roles::ORACLE), Roles::default()));
    world.ok(voter(0), set(k + 1, None));
    world.ok(voter(0), set(k, Some(epoch(5))));
}
