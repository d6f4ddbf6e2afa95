//! Guards of proposals: who makes them, who votes, who stops them, when they are enacted.

use super::{
    Action, Ballot, Change, CouncilSay, Deliberate, Enact, GovernanceError, GovernanceRules, Outcome, Path,
    Proposal, Propose, Recall, Say, SayOf, SetOffices, SetParameters, Settings, Stage, Statement, Vote,
    Withdraw,
    council::{elected_after, is_councillor, sitting},
    rules::MAX_PERIOD,
};
use crate::{
    ledger::Context,
    modules::identity::{Identity, Roles},
    state::Draft,
};
use primitives::{BasisPoints, Digest, PersonId, Time};

/// Statements of one person on one proposal.
pub const MAX_STATEMENTS: usize = 3;

/// Runs [`Propose`].
pub(crate) fn propose(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Propose,
) -> Result<(), GovernanceError> {
    only_voter(draft, signer, at.now)?;
    let rules = draft.base().in_force(at.genesis).rules.governance.clone();
    let state = draft.base();
    let limit = rules.open_per_person;
    // One that is withdrawn keeps its place until its vote would be over: else proposals would cost a fee each, and
    // everything that walks over them would grow with whoever pays it.
    let open = state
        .proposals
        .iter()
        .rev()
        .take_while(|p| at.now < p.created.after(2 * MAX_PERIOD))
        .filter(|p| p.proposer == signer && (at.now < p.vote_until || p.is_undecided(at.now)));
    if open.count() >= usize::from(limit) {
        return Err(GovernanceError::TooManyOpen { person: signer, limit });
    }
    action.action.check(draft, at)?;
    if changes_nothing(draft, &action.action) {
        return Err(GovernanceError::NoChange);
    }
    let number = state.proposals.iter().next_back().map_or(1, |last| last.number + 1);
    let path = action.action.path(draft, at.now, rules.large);
    let (majority, notice) = match path {
        Path::Ordinary => (rules.majority, rules.notice),
        Path::High => (rules.majority_high, rules.notice_high),
        Path::People => (rules.majority_high, rules.notice),
    };
    let vote_from = at.now.after(rules.discussion);
    let vote_until = vote_from.after(rules.voting);
    let enact_from = vote_until.after(notice);
    let electorate = draft.base().electorate(at.now);
    draft.put(Proposal {
        number,
        proposer: signer,
        document: action.document,
        action: action.action.clone(),
        created: at.now,
        vote_from,
        vote_until,
        enact_from,
        enact_until: enact_from.after(rules.expiry),
        electorate,
        quorum: part(electorate, rules.quorum).max(1),
        path,
        majority,
        yes: 0,
        no: 0,
        abstain: 0,
        outcome: Outcome::Open,
    });
    Ok(())
}

/// Whether all that is proposed is so already: nobody should be asked to vote on that. It is not asked again when a
/// proposal is enacted, since what happened meanwhile is no reason to call a vote void. A review by another epoch is a
/// change.
fn changes_nothing(draft: &Draft<'_>, action: &Action) -> bool {
    match action {
        Action::SetParameters(SetParameters { from, changes, review_by }) => {
            let version = draft.base().version_of(*from);
            let before = Settings::from(version);
            let holds = |change: &Change| change.parameter.get(&before) == change.value;
            *review_by == version.review_by && changes.iter().all(holds)
        }
        Action::SetOffices(SetOffices { person, give, take }) => draft
            .get::<Identity>(person)
            .is_some_and(|identity| identity.roles.without(*take).with(*give) == identity.roles),
        _ => false,
    }
}

/// A part of a number, rounded up: a threshold that is not met by less.
pub(super) fn part(of: u64, share: BasisPoints) -> u64 {
    let product = u128::from(of) * u128::from(share.get());
    u64::try_from(product.div_ceil(BasisPoints::WHOLE.get().into())).expect("a part of the whole")
}

/// Runs [`Withdraw`].
pub(crate) fn withdraw(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Withdraw,
) -> Result<(), GovernanceError> {
    let proposal = known(draft, action.proposal)?;
    if proposal.proposer != signer {
        return Err(GovernanceError::NotProposer { proposal: proposal.number, signer });
    }
    // Once people vote it is theirs.
    in_stage(&proposal, at.now, &[Stage::Discussion])?;
    draft.put(Proposal { outcome: Outcome::Withdrawn, ..proposal });
    Ok(())
}

/// Runs [`Deliberate`].
pub(crate) fn deliberate(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Deliberate,
) -> Result<(), GovernanceError> {
    only_voter(draft, signer, at.now)?;
    let Deliberate { proposal, document } = *action;
    in_stage(&known(draft, proposal)?, at.now, &[Stage::Discussion, Stage::Voting])?;
    let statement = Statement { proposal, author: signer, document };
    let from = (proposal, signer, Digest([0; 32]));
    let said = draft.base().statements.range(from..=(proposal, signer, Digest([0xff; 32]))).count();
    if said >= MAX_STATEMENTS {
        return Err(GovernanceError::TooManyStatements { proposal, person: signer });
    }
    if draft.has::<Statement>(&(proposal, signer, document)) {
        return Err(GovernanceError::SaidAlready { proposal, person: signer });
    }
    draft.put(statement);
    Ok(())
}

/// Runs [`Vote`].
///
/// Chain spec 7.2: governance tokens are "non-transferable (cannot be bought)" and "issued on a one-human-one-vote
/// basis". Here the vote is the identity itself: there is nothing that could be handed on.
pub(crate) fn vote(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Vote,
) -> Result<(), GovernanceError> {
    let Vote { proposal: number, choice } = *action;
    let proposal = known(draft, number)?;
    in_stage(&proposal, at.now, &[Stage::Voting])?;
    only_voter(draft, signer, proposal.created)?;
    if draft.has::<Ballot>(&(number, signer)) {
        return Err(GovernanceError::AlreadyVoted { proposal: number, voter: signer });
    }
    let add = |to: u64, what: super::Choice| to + u64::from(choice == what);
    draft.put(Ballot { proposal: number, voter: signer, choice });
    draft.put(Proposal {
        yes: add(proposal.yes, super::Choice::Yes),
        no: add(proposal.no, super::Choice::No),
        abstain: add(proposal.abstain, super::Choice::Abstain),
        ..proposal
    });
    Ok(())
}

/// Runs [`SayOf`].
pub(crate) fn council_say(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &SayOf,
) -> Result<(), GovernanceError> {
    let SayOf { proposal: number, say } = *action;
    let proposal = known(draft, number)?;
    if !is_councillor(draft, at, signer) {
        return Err(GovernanceError::NotCouncillor { person: signer });
    }
    match (say, proposal.path) {
        (Say::Approve, Path::High) => {
            in_stage(&proposal, at.now, &[Stage::Discussion, Stage::Voting, Stage::Queued, Stage::Ready])?;
        }
        // Chain spec 8: "notice periods, veto/callback options if necessary".
        (Say::Veto, Path::Ordinary | Path::High) => {
            in_stage(&proposal, at.now, &[Stage::Queued, Stage::Ready])?;
        }
        (Say::Approve, Path::Ordinary | Path::People) | (Say::Veto, Path::People) => {
            return Err(GovernanceError::NotTheCouncils { proposal: number });
        }
    }
    if draft.has::<CouncilSay>(&(number, say, signer)) {
        return Err(GovernanceError::SaidAlready { proposal: number, person: signer });
    }
    if say == Say::Approve && draft.has::<CouncilSay>(&(number, Say::Veto, signer)) {
        return Err(GovernanceError::HasVetoed { proposal: number, person: signer });
    }
    draft.put(CouncilSay { proposal: number, say, councillor: signer });
    let needed = council_needs(draft, at, Say::Veto);
    if say == Say::Veto && said(draft, at, number, say) >= needed {
        draft.put(Proposal { outcome: Outcome::Vetoed, ..proposal });
    }
    Ok(())
}

impl GovernanceRules {
    /// How many councillors have to say so: a part of the seats, or of those who sit if they are more, and more than
    /// half of them in any case.
    pub fn needed(&self, say: Say, sitting: usize) -> u64 {
        let majority = match say {
            Say::Approve => self.council_majority,
            Say::Veto => self.veto_majority,
        };
        let council = u64::from(self.council_seats).max(sitting as u64);
        part(council, majority).max(council / 2 + 1)
    }
}

fn council_needs(draft: &Draft<'_>, at: &Context<'_>, say: Say) -> u64 {
    draft.base().in_force(at.genesis).rules.governance.needed(say, sitting(draft, at).len())
}

/// Councillors who count for saying so and still sit.
fn said(draft: &Draft<'_>, at: &Context<'_>, proposal: u64, say: Say) -> u64 {
    let said = |person: &PersonId| say.counts(|say| draft.has::<CouncilSay>(&(proposal, say, *person)));
    sitting(draft, at).iter().filter(|person| said(person)).count() as u64
}

/// Runs [`Enact`]. Anybody may: the decision is made.
pub(crate) fn enact(draft: &mut Draft<'_>, at: &Context<'_>, action: &Enact) -> Result<(), GovernanceError> {
    let number = action.proposal;
    let proposal = known(draft, number)?;
    in_stage(&proposal, at.now, &[Stage::Ready])?;
    // What it weighs may have grown since: an asset is worth more, or the fund was drawn on meanwhile.
    let large = draft.base().in_force(at.genesis).rules.governance.large;
    if proposal.path == Path::Ordinary && proposal.action.path(draft, at.now, large) == Path::High {
        return Err(GovernanceError::Heavier { proposal: number });
    }
    // Voters who chose anew meanwhile have answered a recall.
    if let Action::Recall(Recall { councillor }) = proposal.action
        && elected_after(draft, councillor, proposal.vote_until)
    {
        return Err(GovernanceError::ElectedSince { person: councillor });
    }
    if proposal.path == Path::High {
        let needed = council_needs(draft, at, Say::Approve);
        let found = said(draft, at, number, Say::Approve);
        if found < needed {
            return Err(GovernanceError::NotApproved { proposal: number, found, needed });
        }
    }
    proposal.action.run(draft, at, number)?;
    draft.put(Proposal { outcome: Outcome::Enacted, ..proposal });
    Ok(())
}

pub(super) fn known(draft: &Draft<'_>, number: u64) -> Result<Proposal, GovernanceError> {
    draft.get::<Proposal>(&number).cloned().ok_or(GovernanceError::UnknownProposal { proposal: number })
}

fn in_stage(proposal: &Proposal, now: Time, stages: &[Stage]) -> Result<(), GovernanceError> {
    let found = proposal.stage(now);
    if stages.contains(&found) {
        Ok(())
    } else {
        Err(GovernanceError::Stage { proposal: proposal.number, found })
    }
}

/// Chain spec 3.4: "Governance (only legitimate persons can vote)". Who became a voter after `by` had no part in what
/// was decided then: otherwise a vote could be won by putting persons on record while it runs.
pub(super) fn only_voter(draft: &Draft<'_>, person: PersonId, by: Time) -> Result<(), GovernanceError> {
    let identity = draft.get::<Identity>(&person).filter(|identity| identity.acts_as(Roles::VOTER));
    let since = identity.ok_or(GovernanceError::NotVoter { person })?.since;
    if since <= by { Ok(()) } else { Err(GovernanceError::VoterTooLate { person, since, by }) }
}
