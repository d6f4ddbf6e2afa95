//! Methods about governance: proposals, the council, cases, parameters.

mod action;

use super::{
    Failure, Service,
    args::{Args, MAX_PAGE, page},
};
use crate::{
    ledger::{Genesis, Ledger},
    modules::governance::{
        Ballot, Candidate, Case, Election, Parameter, Path, Proposal, Say, Settings, Stage, Version, Weight,
    },
    state::State,
};
pub use action::action_object;
use action::action_of;
use primitives::{Digest, EpochId, PersonId, Time};
use serde_json::{Value, json};
use std::ops::Bound;

/// Least and greatest identifier, for ranges.
const ENDS: [PersonId; 2] = [PersonId([0; 32]), PersonId([0xff; 32])];

/// What the methods here read of a ledger.
struct At<'a> {
    state: &'a State,
    genesis: &'a Genesis,
    now: Time,
}

impl<'a> At<'a> {
    fn of(ledger: &'a Ledger) -> Self {
        Self { state: ledger.state(), genesis: ledger.origin(), now: ledger.now() }
    }
}

/// The page of a table by descending number: what is shown, and before which number the next page ends.
fn newest<'a, T: 'a>(
    args: &Args,
    rows: impl Iterator<Item = &'a T>,
    number: impl Fn(&T) -> u64,
) -> Result<(Vec<&'a T>, Option<u64>), Failure> {
    Ok(page(rows, args.count(1)?, |row| number(row)))
}

pub(super) fn proposals(service: &Service, args: &Args) -> Result<Value, Failure> {
    let before = args.number_or(0, u64::MAX)?;
    service.shared.view().read(|ledger| {
        let at = At::of(ledger);
        let (page, next) = newest(args, at.state.proposals.range(..before).rev(), |p| p.number)?;
        let shown: Vec<Value> = page.into_iter().map(|proposal| proposal_object(&at, proposal)).collect();
        Ok(json!({ "proposals": shown, "next": next, "total": at.state.proposals.len(), "now": at.now }))
    })
}

pub(super) fn proposal(service: &Service, args: &Args) -> Result<Value, Failure> {
    let number = args.number(0)?;
    service.shared.view().read(|ledger| {
        let at = At::of(ledger);
        let proposal = at.state.proposals.get(&number).ok_or_else(|| unknown(number))?;
        let [first, last] = ENDS;
        let range = (number, first, Digest([0; 32]))..=(number, last, Digest([0xff; 32]));
        let said = at.state.statements.range(range).take(MAX_PAGE as usize);
        let statements = said.map(|said| json!({ "author": said.author, "document": said.document }));
        Ok(json!({
            "now": at.now,
            "proposal": proposal_object(&at, proposal),
            "statements": statements.collect::<Vec<_>>(),
        }))
    })
}

fn unknown(number: u64) -> Failure {
    Failure::not_found(format!("there is no proposal {number}"))
}

pub(super) fn ballots(service: &Service, args: &Args) -> Result<Value, Failure> {
    let (number, after): (_, Option<PersonId>) = (args.number(0)?, args.id_or_none(1)?);
    let count = args.count(2)?;
    service.shared.view().read(|ledger| {
        let state = ledger.state();
        state.proposals.get(&number).ok_or_else(|| unknown(number))?;
        let [first, last] = ENDS;
        let from = after.map_or(Bound::Included((number, first)), |after| Bound::Excluded((number, after)));
        let range = state.ballots.range((from, Bound::Included((number, last))));
        let (page, next) = page(range, count, |ballot: &&Ballot| ballot.voter);
        let shown = page.iter().map(|ballot| json!({ "voter": ballot.voter, "choice": ballot.choice }));
        Ok(json!({ "proposal": number, "ballots": shown.collect::<Vec<_>>(), "next": next }))
    })
}

fn proposal_object(at: &At<'_>, proposal: &Proposal) -> Value {
    let Proposal { number, proposer, document, action, path, outcome, .. } = proposal;
    let stage = proposal.stage(at.now);
    let rules = &at.state.in_force(at.genesis).rules.governance;
    let sitting = at.state.council(at.now).len();
    let said = |say| at.state.said_of(*number, say, at.now);
    let council = |say| json!({ "found": said(say), "needed": rules.needed(say, sitting) });
    // Nobody can enact it before, however long its notice is over.
    let lacks = *path == Path::High && said(Say::Approve) < rules.needed(Say::Approve, sitting);
    let stage_name = |stage| if stage == Stage::Ready && lacks { WAITS.into() } else { stage_name(stage) };
    json!({
        "number": number,
        "proposer": proposer,
        "document": document,
        "action": action_of(at, proposal, action),
        "path": path,
        "stage": stage_name(stage),
        "next": next(proposal, stage).map(|(stage, time)| json!({ "stage": stage_name(stage), "at": time })),
        "outcome": outcome,
        "created": proposal.created,
        "vote_from": proposal.vote_from,
        "vote_until": proposal.vote_until,
        "enact_from": proposal.enact_from,
        "enact_until": proposal.enact_until,
        "electorate": proposal.electorate,
        "quorum": proposal.quorum,
        "majority": proposal.majority,
        "yes": proposal.yes,
        "no": proposal.no,
        "abstain": proposal.abstain,
        "passes": proposal.passes(),
        "approvals": council(Say::Approve),
        "vetoes": council(Say::Veto),
    })
}

/// Stage of a proposal that could be enacted by now, were it not for the council.
const WAITS: &str = "waits-for-council";

fn stage_name(stage: Stage) -> String {
    format!("{stage:?}").to_lowercase()
}

/// Where time alone takes a proposal, with the votes as they are, and when.
fn next(proposal: &Proposal, stage: Stage) -> Option<(Stage, Time)> {
    let moment = match stage {
        Stage::Discussion => proposal.vote_from,
        Stage::Voting => proposal.vote_until,
        Stage::Queued => proposal.enact_from,
        Stage::Ready => proposal.enact_until,
        Stage::Rejected | Stage::Expired | Stage::Enacted | Stage::Vetoed | Stage::Withdrawn => return None,
    };
    Some((proposal.stage(moment), moment))
}

pub(super) fn council(service: &Service, _: &Args) -> Result<Value, Failure> {
    service.shared.view().read(|ledger| {
        let At { state, genesis, now } = At::of(ledger);
        let rules = &state.in_force(genesis).rules.governance;
        let seat = |person: &PersonId| {
            let seat = state.councillors.get(person).expect("who sits has a seat");
            json!({ "person": seat.person, "until": seat.until, "election": seat.election })
        };
        let last = state.elections.iter().next_back();
        let council = state.council(now);
        Ok(json!({
            "now": now,
            "seats": rules.council_seats,
            "council": council.iter().map(seat).collect::<Vec<_>>(),
            "approvals_needed": rules.needed(Say::Approve, council.len()),
            "vetoes_needed": rules.needed(Say::Veto, council.len()),
            "election": last.map(|election| election_object(state, election, now)),
        }))
    })
}

fn election_object(state: &State, election: &Election, now: Time) -> Value {
    let Election { number, called, stand_until, vote_until, seats, elected } = election;
    let stage = match elected {
        Some(_) => "closed",
        None if now < *stand_until => "standing",
        None if now < *vote_until => "voting",
        None => "over",
    };
    let [first, last] = ENDS;
    let candidates = state.candidates.range((*number, first)..=(*number, last)).take(MAX_PAGE as usize);
    let candidate = |c: &Candidate| json!({ "person": c.person, "votes": c.votes });
    json!({
        "number": number,
        "stage": stage,
        "called": called,
        "stand_until": stand_until,
        "vote_until": vote_until,
        "seats": seats,
        "candidates": candidates.map(candidate).collect::<Vec<_>>(),
        "elected": elected.as_ref().map(|people| &people.0),
    })
}

pub(super) fn cases(service: &Service, args: &Args) -> Result<Value, Failure> {
    let before = args.number_or(0, u64::MAX)?;
    service.shared.view().read(|ledger| {
        let At { state, now, .. } = At::of(ledger);
        let (page, next) = newest(args, state.cases.range(..before).rev(), |case| case.number)?;
        let shown: Vec<Value> = page.into_iter().map(|case| case_object(case, now)).collect();
        Ok(json!({ "cases": shown, "next": next, "total": state.cases.len(), "now": now }))
    })
}

fn case_object(case: &Case, now: Time) -> Value {
    use crate::modules::governance::{Remedy, Verdict};
    let remedy = match case.remedy {
        Remedy::RemoveWork(work) => json!({ "kind": "remove-work", "work": work }),
        Remedy::Suspend(person) => json!({ "kind": "suspend", "person": person }),
        Remedy::Revoke(person) => json!({ "kind": "revoke", "person": person }),
    };
    let stage = match (case.verdict, case.drawn) {
        (Verdict::Granted | Verdict::Dismissed | Verdict::NoJury | Verdict::Withdrawn, _) => "closed",
        (Verdict::Open, None) => "waits-for-jury",
        (Verdict::Open, Some(_)) if now < case.challenge_until => "challenges",
        (Verdict::Open, Some(_)) if now < case.vote_until => "voting",
        (Verdict::Open, Some(_)) => "over",
    };
    json!({
        "number": case.number,
        "complainant": case.complainant,
        "respondent": case.respondent,
        "document": case.document,
        "remedy": remedy,
        "stage": stage,
        "opened": case.opened,
        "draw_from": case.draw_from,
        "drawn": case.drawn,
        "challenge_until": case.challenge_until,
        "vote_until": case.vote_until,
        "panel": case.panel().collect::<Vec<_>>(),
        "granted": case.granted,
        "dismissed": case.dismissed,
        "verdict": case.verdict,
    })
}

pub(super) fn parameters(service: &Service, args: &Args) -> Result<Value, Failure> {
    service.shared.view().read(|ledger| {
        let At { state, genesis, .. } = At::of(ledger);
        let epoch = EpochId(args.number_or(0, state.running_epoch(genesis).0)?);
        if epoch < genesis.first_epoch {
            return Err(args.expected(0, &format!("an epoch from {} on", genesis.first_epoch)));
        }
        let version = state.version_of(epoch);
        let settings = Settings::from(version);
        let parameter = |parameter: &Parameter| {
            let (value, unit) = (parameter.get(&settings), parameter.unit());
            json!({
                "name": parameter.name(),
                "unit": unit.to_string(),
                "value": value,
                "text": unit.show(value),
                "high": parameter.weight() == Weight::High,
            })
        };
        let known = |version: &Version| {
            json!({ "from": version.from, "proposal": version.proposal, "review_by": version.review_by })
        };
        Ok(json!({
            "epoch": epoch,
            "version": known(version),
            "parameters": Parameter::ALL.iter().map(parameter).collect::<Vec<_>>(),
            "versions": state.versions.iter().map(known).collect::<Vec<_>>(),
        }))
    })
}
