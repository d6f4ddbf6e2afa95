//! Cases before a jury (chain spec 3.5, "Jury-based arbitration").
//!
//! Jurors are drawn by the beacon of an epoch that nobody could know when the case was opened: not the next one, whose
//! contributions may be on the table already, but the one after. Both sides may challenge a few. The rest decides by an
//! absolute majority of the panel.

use super::{
    Case, ChallengeJuror, CloseCase, DAY, DrawJury, GovernanceError, JurorVote, JuryVote, OpenCase, People,
    Remedy, Verdict, WithdrawCase, vote::only_voter,
};
use crate::{
    ledger::Context,
    modules::{
        identity::{Identity, Roles, Status, move_to},
        node_rewards::record_task,
        usage::undrawn,
        work_registry::{Removal, Work, WorkError, remove_work},
    },
    state::Draft,
};
use primitives::{Domain, Encode, EpochId, PersonId, hash};

/// Seconds after the end of a jury's vote in which what it dismissed is not asked again.
pub const JURY_REST: u32 = 182 * DAY;
/// Epochs between the opening of a case and the one whose beacon draws its jury.
pub const EPOCHS_TO_DRAW: u64 = 2;

/// Runs [`OpenCase`].
pub(crate) fn open_case(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &OpenCase,
) -> Result<(), GovernanceError> {
    only_voter(draft, signer, at.now)?;
    let OpenCase { document, remedy } = *action;
    let respondent = match remedy {
        Remedy::RemoveWork(work) => {
            draft.get::<Work>(&work).ok_or(GovernanceError::UnknownWork { work })?.creator
        }
        Remedy::Suspend(person) | Remedy::Revoke(person) => person,
    };
    if !draft.has::<Identity>(&respondent) {
        return Err(GovernanceError::Unknown { person: respondent });
    }
    if respondent == signer {
        return Err(GovernanceError::AgainstOneself { person: signer });
    }
    let state = draft.base();
    let limit = state.in_force(at.genesis).rules.governance.open_per_person;
    let open = state.cases.iter().filter(|case| case.complainant == signer && case.verdict == Verdict::Open);
    if open.count() >= usize::from(limit) {
        return Err(GovernanceError::TooManyOpen { person: signer, limit });
    }
    // One question, one jury: whoever could ask again and again would be granted in the end what most panels deny.
    let same = |case: &&Case| case.remedy.subject() == remedy.subject();
    let asked = |case: &&Case| match case.verdict {
        Verdict::Open => true,
        Verdict::Dismissed => at.now < case.vote_until.after(JURY_REST),
        Verdict::Granted | Verdict::NoJury | Verdict::Withdrawn => false,
    };
    if let Some(case) = state.cases.iter().rev().filter(same).find(asked) {
        return Err(GovernanceError::AskedAlready { case: case.number });
    }
    let running = state.next_epoch(at.genesis).0;
    draft.put(Case {
        number: state.cases.iter().next_back().map_or(1, |last| last.number + 1),
        complainant: signer,
        respondent,
        document,
        remedy,
        opened: at.now,
        draw_from: EpochId(running.saturating_add(EPOCHS_TO_DRAW - 1)),
        drawn: None,
        jurors: People::default(),
        by_complainant: People::default(),
        by_respondent: People::default(),
        panel: 0,
        challenge_until: at.now,
        vote_until: at.now,
        granted: 0,
        dismissed: 0,
        verdict: Verdict::Open,
    });
    Ok(())
}

fn known(draft: &Draft<'_>, number: u64) -> Result<Case, GovernanceError> {
    let case = draft.get::<Case>(&number).cloned().ok_or(GovernanceError::UnknownCase { case: number })?;
    if case.verdict == Verdict::Open { Ok(case) } else { Err(GovernanceError::CaseClosed { case: number }) }
}

/// Runs [`WithdrawCase`].
pub(crate) fn withdraw_case(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &WithdrawCase,
) -> Result<(), GovernanceError> {
    let case = known(draft, action.case)?;
    if case.complainant != signer {
        return Err(GovernanceError::NotComplainant { case: case.number, signer });
    }
    // Whoever sees the jury coming must not be able to ask for another one.
    if undrawn(draft, at) > case.draw_from {
        return Err(GovernanceError::BeaconRevealed { case: case.number, epoch: case.draw_from });
    }
    draft.put(Case { verdict: Verdict::Withdrawn, ..case });
    Ok(())
}

/// Runs [`DrawJury`].
///
/// Chain spec 3.5: "Jury-based arbitration." Where there are too few for a jury there is none: the case is closed without
/// a verdict on what was asked for, and may be brought again. Waiting would not help. Those who become voters, or active
/// again, after a case was opened are not drawn for it, so the number of those who may be only falls.
pub(crate) fn draw_jury(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    action: &DrawJury,
) -> Result<(), GovernanceError> {
    let case = known(draft, action.case)?;
    if case.drawn.is_some() {
        return Err(GovernanceError::DrawnAlready { case: case.number });
    }
    let state = draft.base();
    // The first beacon that counts, and no later one: nobody waits for jurors that suit them.
    let opening = state.openings.range(case.draw_from..).next();
    let opening = opening.ok_or(GovernanceError::NoBeaconYet { case: case.number, epoch: case.draw_from })?;
    // Of what the parties revealed, and not of the block that the beacon hashes too: its maker could try several.
    let seed = state.audit_seed(opening.epoch).expect("the epoch has opened");
    let rules = &state.in_force(at.genesis).rules.governance;
    let mut pool: Vec<PersonId> = state
        .identities
        .iter()
        .filter(|identity| identity.acts_as(Roles::VOTER) && identity.since <= case.opened)
        .map(|identity| identity.person)
        .filter(|person| *person != case.complainant && *person != case.respondent)
        .collect();
    let (panel, spare) = (rules.jurors, 2 * rules.challenges);
    let needed = usize::from(panel) + usize::from(spare);
    if pool.len() < needed {
        draft.put(Case { verdict: Verdict::NoJury, ..case });
        return Ok(());
    }
    let lot = |person: &PersonId| hash::hash(Domain::Jury, &[&seed.0, &case.number.to_bytes(), &person.0]);
    pool.sort_by_cached_key(lot);
    pool.truncate(needed);
    let challenge_until = at.now.after(rules.challenge_period);
    let vote_until = challenge_until.after(rules.jury_period);
    draft.put(Case { drawn: Some(at.now), jurors: People(pool), panel, challenge_until, vote_until, ..case });
    Ok(())
}

/// Runs [`ChallengeJuror`].
pub(crate) fn challenge_juror(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &ChallengeJuror,
) -> Result<(), GovernanceError> {
    let ChallengeJuror { case: number, juror } = *action;
    let mut case = known(draft, number)?;
    if case.drawn.is_none() || at.now >= case.challenge_until {
        return Err(GovernanceError::NoChallengesNow { case: number });
    }
    if !case.panel().any(|person| person == juror) {
        return Err(GovernanceError::NotJuror { case: number, person: juror });
    }
    let side = if signer == case.complainant {
        &mut case.by_complainant
    } else if signer == case.respondent {
        &mut case.by_respondent
    } else {
        return Err(GovernanceError::NotASide { case: number, signer });
    };
    // As many spare jurors were drawn as both sides may challenge under the rules of that day.
    let limit = (case.jurors.0.len() - usize::from(case.panel)) / 2;
    if side.0.len() >= limit {
        return Err(GovernanceError::TooManyChallenges { case: number, signer, limit });
    }
    side.0.push(juror);
    draft.put(case);
    Ok(())
}

/// Runs [`JuryVote`].
pub(crate) fn jury_vote(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &JuryVote,
) -> Result<(), GovernanceError> {
    let JuryVote { case: number, grant } = *action;
    let case = known(draft, number)?;
    if case.drawn.is_none() || !(case.challenge_until..case.vote_until).contains(&at.now) {
        return Err(GovernanceError::NoJuryVoteNow { case: number });
    }
    if !case.panel().any(|person| person == signer) {
        return Err(GovernanceError::NotJuror { case: number, person: signer });
    }
    only_voter(draft, signer, case.opened)?;
    if draft.has::<JurorVote>(&(number, signer)) {
        return Err(GovernanceError::JurorVoted { case: number, juror: signer });
    }
    draft.put(JurorVote { case: number, juror: signer, grant });
    let (granted, dismissed) = (case.granted + u8::from(grant), case.dismissed + u8::from(!grant));
    draft.put(Case { granted, dismissed, ..case });
    Ok(())
}

/// Runs [`CloseCase`].
///
/// A case that would take the last sequencer's status waits until there is another one: whoever makes blocks then closes it.
pub(crate) fn close_case(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    action: &CloseCase,
) -> Result<(), GovernanceError> {
    let case = known(draft, action.case)?;
    let over = case.drawn.is_some() && at.now >= case.vote_until;
    if !over && !case.is_decided() {
        return Err(GovernanceError::Undecided { case: case.number });
    }
    let verdict = if case.granted > case.panel / 2 { Verdict::Granted } else { Verdict::Dismissed };
    if verdict == Verdict::Granted {
        grant(draft, at, &case)?;
    }
    // Chain spec 3.8, "moderation or curation tasks": who voted did one, whichever way.
    for juror in case.panel() {
        if draft.has::<JurorVote>(&(case.number, juror)) {
            record_task(draft, at, juror, 1)?;
        }
    }
    draft.put(Case { verdict, ..case });
    Ok(())
}

fn grant(draft: &mut Draft<'_>, at: &Context<'_>, case: &Case) -> Result<(), GovernanceError> {
    match case.remedy {
        Remedy::RemoveWork(work) => {
            let from = draft.base().next_epoch(at.genesis);
            match remove_work(draft, at, work, (Removal::Removed, from)) {
                // What another jury or a vote has removed meanwhile stays that. Otherwise the case could never be closed, and
                // would count among those of its complainant for ever.
                Ok(()) | Err(WorkError::Removed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Somebody whom the registrar has suspended or revoked meanwhile stays that.
        Remedy::Suspend(person) => settle(draft, at, person, Status::Suspended)?,
        Remedy::Revoke(person) => settle(draft, at, person, Status::Revoked)?,
    }
    Ok(())
}

fn settle(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    person: PersonId,
    status: Status,
) -> Result<(), GovernanceError> {
    let now = draft.get::<Identity>(&person).map(|identity| identity.status);
    if now.is_some_and(|now| now.may_become(status)) {
        move_to(draft, at, person, status)?;
    }
    Ok(())
}
