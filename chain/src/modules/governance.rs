//! Governance: what may be changed, by whom, and when it holds (chain spec 3.5, 7.2).
//!
//! One active person has one vote, and the vote is the identity itself: there is no token that could be bought. A vote
//! decides; what has a high impact needs the council too; the council may veto, except where it is about the council; a
//! jury decides about single works and persons.

mod action;
mod actions;
mod case;
mod council;
mod error;
mod jury;
mod parameters;
mod proposal;
mod rules;
mod units;
mod upgrade;
mod versions;
mod vote;

pub use action::{
    Action, ApproveService, ApproveValuation, MAX_EPOCHS_AHEAD, OfferAsset, Path, Recall, RejectValuation,
    RemoveWork, Resolve, SetOffices, SetParameters, Spend, WithdrawOffer, WithdrawService,
};
pub use actions::{
    CallElection, ChallengeJuror, CloseCase, CloseElection, Deliberate, DrawJury, Elect, Enact, JuryVote,
    OpenCase, Propose, SayOf, Stand, Vote, Withdraw, WithdrawCase,
};
pub use case::{Case, JurorVote, Remedy, Verdict};
pub use council::{Approval, Candidate, Councillor, Election, People};
pub(crate) use council::{call_election, close_election, elect, stand};
pub use error::GovernanceError;
pub use jury::{EPOCHS_TO_DRAW, JURY_REST};
pub(crate) use jury::{challenge_juror, close_case, draw_jury, jury_vote, open_case, withdraw_case};
pub use parameters::{Change, Parameter, Settings, Weight};
pub use proposal::{Ballot, Choice, CouncilSay, Outcome, Proposal, Say, Stage, Statement};
pub(crate) use rules::within;
pub use rules::{DAY, Fees, GovernanceRules, MAX_COUNCIL_SEATS, MAX_JURORS, MIN_FREE, Rules, RulesError};
pub use units::{Unit, UnitError};
pub use upgrade::{ModuleId, ModuleVersion, Unsupported};
pub(crate) use upgrade::{check_supported, first_versions};
pub use versions::{MAX_CHANGES, Version};
pub use vote::MAX_STATEMENTS;
pub(crate) use vote::{council_say, deliberate, enact, propose, vote, withdraw};

use crate::{ledger::Genesis, modules::identity::Roles, state::State};
use primitives::{PersonId, Time};

impl State {
    /// Voters that there are: active, and since no later than a moment.
    pub fn electorate(&self, by: Time) -> u64 {
        let votes = |identity: &&crate::modules::identity::Identity| {
            identity.acts_as(Roles::VOTER) && identity.since <= by
        };
        self.identities.iter().filter(votes).count() as u64
    }

    /// Who sits on the council.
    pub fn council(&self, now: Time) -> Vec<PersonId> {
        let sits = |seat: &&Councillor| {
            now < seat.until
                && self.identities.get(&seat.person).is_some_and(|who| who.acts_as(Roles::COUNCILLOR))
        };
        self.councillors.iter().filter(sits).map(|seat| seat.person).collect()
    }

    /// Votes on a proposal.
    pub fn ballots_of(&self, proposal: u64) -> impl DoubleEndedIterator<Item = &Ballot> {
        self.ballots.range((proposal, PersonId([0; 32]))..=(proposal, PersonId([0xff; 32])))
    }

    /// Councillors who count for saying so of a proposal and sit.
    pub fn said_of(&self, proposal: u64, say: Say, now: Time) -> u64 {
        let said = |person: &PersonId| say.counts(|say| self.says.get(&(proposal, say, *person)).is_some());
        self.council(now).iter().filter(|person| said(person)).count() as u64
    }

    /// Changes of parameters that governance meant to look at again by now, and of which something still holds.
    pub fn due_for_review(&self, genesis: &Genesis) -> Vec<&Proposal> {
        let running = self.running_epoch(genesis);
        let enacted: Vec<(&Proposal, &SetParameters)> = self
            .proposals
            .iter()
            .filter(|proposal| proposal.outcome == Outcome::Enacted)
            .filter_map(|proposal| match &proposal.action {
                Action::SetParameters(action) if action.from <= running => Some((proposal, action)),
                _ => None,
            })
            .collect();
        let overruled = |(proposal, action): (&Proposal, &SetParameters), change: &Change| {
            let later = enacted.iter().filter(|(p, a)| (a.from, p.number) > (action.from, proposal.number));
            later.flat_map(|(_, a)| &a.changes).any(|other| other.parameter == change.parameter)
        };
        let due = |(proposal, action): &(&Proposal, &SetParameters)| {
            let review = action.review_by.is_some_and(|review| review <= running);
            review && action.changes.iter().any(|change| !overruled((proposal, action), change))
        };
        enacted.iter().copied().filter(due).map(|(proposal, _)| proposal).collect()
    }
}
