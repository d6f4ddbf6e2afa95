//! Elections and juries.

use super::{
    super::{elections::Election, history::History, identity::VOTER, jury::Case},
    Draft, Signed,
    works::some_work,
};
use crate::world::{STEWARD, person};
use chain::{
    Payload,
    modules::governance::{
        CallElection, ChallengeJuror, CloseCase, CloseElection, DrawJury, Elect, JuryVote, OpenCase, Remedy,
        Stand, Verdict, WithdrawCase,
    },
};
use primitives::{EpochId, PersonId, Time};

/// The last election, now and then another.
fn election(h: &mut History) -> u64 {
    let last = h.model.elections.len() as u64;
    if h.chance(95) { last } else { 1 + h.below(last + 2) }
}

/// Whether the last election is open and a moment of it has come that another has not.
fn in_part(h: &History, part: fn(&Election) -> (Time, Time)) -> bool {
    let open = h.model.elections.values().next_back().filter(|election| election.elected.is_none());
    open.map(part).is_some_and(|(from, until)| from <= h.model.now && h.model.now < until)
}

pub(super) fn call(h: &mut History) -> Draft {
    Some((Some(h.someone(VOTER)), Payload::CallElection(CallElection)))
}

/// Several at once, while there is time.
pub(super) fn stand(h: &mut History) -> Draft {
    if !in_part(h, |election| (election.called, election.stand_until)) && h.chance(85) {
        return None;
    }
    let election = election(h);
    for _ in 0..h.below(4) {
        let candidate = h.someone(VOTER);
        h.submit(Some(candidate), Payload::Stand(Stand { election }));
    }
    Some((Some(h.someone(VOTER)), Payload::Stand(Stand { election })))
}

pub(super) fn elect(h: &mut History) -> Draft {
    if !in_part(h, |election| (election.stand_until, election.vote_until)) && h.chance(85) {
        return None;
    }
    for _ in 0..h.below(4) {
        let (voter, payload) = choices(h);
        h.submit(Some(voter), payload);
    }
    let (voter, payload) = choices(h);
    Some((Some(voter), payload))
}

fn choices(h: &mut History) -> (PersonId, Payload) {
    let election = election(h);
    let of = h.model.candidates.iter().filter(|(number, _)| *number == election);
    let candidates: Vec<PersonId> = of.map(|(_, person)| *person).collect();
    let mut choices: Vec<PersonId> = (0..=h.below(3)).filter_map(|_| h.pick(&candidates)).collect();
    if h.chance(8) {
        choices.push(h.someone(0));
    }
    if !h.chance(8) {
        choices.sort();
        choices.dedup();
    }
    (h.someone(VOTER), Payload::Elect(Elect { election, choices }))
}

pub(super) fn close(h: &mut History) -> Draft {
    let election = election(h);
    Some((None, Payload::CloseElection(CloseElection { election })))
}

pub(super) fn due(h: &mut History) -> Vec<Signed> {
    let over = h
        .model
        .elections
        .iter()
        .filter(|(_, election)| election.elected.is_none() && election.vote_until <= h.model.now);
    over.map(|(number, _)| (None, Payload::CloseElection(CloseElection { election: *number }))).collect()
}

pub(super) fn open_case(h: &mut History) -> Draft {
    let complainant = h.someone(VOTER);
    let other = if h.chance(60) { person(1 + h.below(3) as u8) } else { h.someone(0) };
    let remedy = match h.below(6) {
        0 => Remedy::Revoke(other),
        1 => Remedy::Suspend(complainant),
        2 | 3 => Remedy::Suspend(other),
        _ => Remedy::RemoveWork(some_work(h)),
    };
    // Nobody goes against the offices without which nothing happens.
    let spared = matches!(remedy, Remedy::Revoke(who) | Remedy::Suspend(who) if who.0[0] < 4);
    if spared {
        return None;
    }
    Some((Some(complainant), Payload::OpenCase(OpenCase { document: h.paper(), remedy })))
}

/// A case that is open, now and then any.
fn some_case(h: &mut History) -> u64 {
    let open = h.model.cases.iter().filter(|(_, case)| case.verdict == Verdict::Open && case.drawn.is_some());
    let open: Vec<u64> = open.map(|(number, _)| *number).collect();
    let any = 1 + h.below(h.model.cases.len() as u64 + 1);
    if h.chance(12) { any } else { h.pick(&open).unwrap_or(any) }
}

fn juror(h: &mut History, case: u64) -> PersonId {
    let panel = h.model.cases.get(&case).map(|case| case.panel()).unwrap_or_default();
    let other = h.someone(VOTER);
    if h.chance(90) { h.pick(&panel).unwrap_or(other) } else { other }
}

/// Mostly by who brought it.
pub(super) fn withdraw_case(h: &mut History) -> Draft {
    let undrawn = h.model.cases.iter().filter(|(_, case)| case.drawn.is_none());
    let undrawn: Vec<u64> = undrawn.map(|(number, _)| *number).collect();
    let any = 1 + h.below(h.model.cases.len() as u64 + 1);
    let case = if h.chance(85) { h.pick(&undrawn).unwrap_or(any) } else { any };
    let by = h.model.cases.get(&case).map_or(STEWARD, |case| case.complainant);
    let signer = if h.chance(80) { by } else { h.someone(VOTER) };
    Some((Some(signer), Payload::WithdrawCase(WithdrawCase { case })))
}

/// A case goes on once its beacon is being revealed.
pub(super) fn withdraw_late(h: &mut History, epoch: EpochId) -> Draft {
    let mut open = h.model.cases.iter().filter(|(_, case)| case.verdict == Verdict::Open);
    let (number, case) = open.find(|(_, case)| case.draw_from == epoch)?;
    Some((Some(case.complainant), Payload::WithdrawCase(WithdrawCase { case: *number })))
}

pub(super) fn draw_jury(h: &mut History) -> Draft {
    let case = 1 + h.below(h.model.cases.len() as u64 + 1);
    Some((None, Payload::DrawJury(DrawJury { case })))
}

/// Whether some jury sits, before the votes or while they are cast.
fn in_session(h: &mut History) -> bool {
    let sits = |case: &Case| {
        case.verdict == Verdict::Open
            && case.drawn.as_ref().is_some_and(|drawn| h.model.now < drawn.vote_until)
    };
    let any = h.model.cases.values().any(sits);
    any || h.chance(10)
}

pub(super) fn challenge(h: &mut History) -> Draft {
    if !in_session(h) {
        return None;
    }
    let case = some_case(h);
    let sides = h.model.cases.get(&case).map(|case| [case.complainant, case.respondent]);
    let side = sides.and_then(|sides| h.pick(&sides)).unwrap_or(STEWARD);
    let signer = if h.chance(85) { side } else { h.someone(VOTER) };
    let juror = juror(h, case);
    Some((Some(signer), Payload::ChallengeJuror(ChallengeJuror { case, juror })))
}

pub(super) fn jury_vote(h: &mut History) -> Draft {
    if !in_session(h) {
        return None;
    }
    let case = some_case(h);
    for _ in 0..h.below(3) {
        let (juror, grant) = (juror(h, case), h.chance(75));
        h.submit(Some(juror), Payload::JuryVote(JuryVote { case, grant }));
    }
    let (juror, grant) = (juror(h, case), h.chance(75));
    Some((Some(juror), Payload::JuryVote(JuryVote { case, grant })))
}

pub(super) fn close_case(h: &mut History) -> Draft {
    let case = some_case(h);
    Some((None, Payload::CloseCase(CloseCase { case })))
}

/// Juries that can be drawn, and cases that are over.
pub(super) fn case_due(h: &mut History) -> Vec<Signed> {
    let mut due = Vec::new();
    for (number, case) in h.model.cases.iter().filter(|(_, case)| case.verdict == Verdict::Open) {
        match &case.drawn {
            None if h.model.epochs.range(case.draw_from..).next().is_some() => {
                due.push((None, Payload::DrawJury(DrawJury { case: *number })));
            }
            Some(drawn) if drawn.vote_until <= h.model.now => {
                due.push((None, Payload::CloseCase(CloseCase { case: *number })));
            }
            _ => {}
        }
    }
    due
}
