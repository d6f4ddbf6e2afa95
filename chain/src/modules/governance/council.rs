//! The council: who sits, how it is elected, how somebody is recalled (chain spec 3.5, "Councils").
//!
//! An election is open to every voter on both sides: to stand, and to approve of as many candidates as there are seats.
//! It fills all seats anew, so a council is always the choice of one day.

use super::{
    CallElection, CloseElection, Elect, GovernanceError, MAX_COUNCIL_SEATS, MAX_JURORS, Stand,
    vote::only_voter,
};
use crate::{
    ledger::Context,
    modules::identity::{Identity, Roles, set_roles},
    state::{Draft, Fields, ToFelts, fields::record, leaf},
};
use primitives::{CodecError, Decode, Digest, Domain, Encode, PersonId, Reader, Time, Writer, hash};
use std::cmp::Reverse;

/// Some persons: as many as a panel with everybody who may move up, at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People(pub Vec<PersonId>);

/// Most of them.
const MAX_PEOPLE: usize = 3 * MAX_JURORS as usize;

const _: () = assert!(MAX_PEOPLE >= MAX_COUNCIL_SEATS as usize);

impl Encode for People {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.0);
    }
}

impl Decode for People {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.seq(MAX_PEOPLE).map(Self)
    }
}

impl ToFelts for People {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.0);
    }
}

/// A seat on the council.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Councillor {
    /// Who.
    pub person: PersonId,
    /// When the seat is vacant, unless they are elected again.
    pub until: Time,
    /// Number of the election; 0 for who sits since genesis.
    pub election: u64,
}

record!(Councillor { person, until, election });

leaf!(Councillor by person: PersonId);

/// An election of the whole council.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Election {
    /// Its number, from 1.
    pub number: u64,
    /// When it was called. Who was not a voter by then does not vote in it, and does not stand.
    pub called: Time,
    /// Until when candidates stand, and from when on votes are cast.
    pub stand_until: Time,
    /// Until when votes are cast.
    pub vote_until: Time,
    /// Seats to be filled.
    pub seats: u8,
    /// Who was seated, once it is closed.
    pub elected: Option<People>,
}

record!(Election { number, called, stand_until, vote_until, seats, elected });

leaf!(Election by number: u64);

/// A candidate of an election.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Of which election.
    pub election: u64,
    /// Who.
    pub person: PersonId,
    /// Voters who approve of them.
    pub votes: u64,
}

record!(Candidate { election, person, votes });

leaf!(Candidate by election: u64, person: PersonId);

/// A vote in an election, logged under the voter's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// In which election.
    pub election: u64,
    /// Whose.
    pub voter: PersonId,
    /// Whom they approve of, ascending.
    pub choices: People,
}

record!(Approval { election, voter, choices });

leaf!(Approval by election: u64, voter: PersonId);

/// Whether somebody sits on the council.
pub(super) fn is_councillor(draft: &Draft<'_>, at: &Context<'_>, person: PersonId) -> bool {
    let sits = draft.get::<Councillor>(&person).is_some_and(|seat| at.now < seat.until);
    sits && draft.get::<Identity>(&person).is_some_and(|identity| identity.acts_as(Roles::COUNCILLOR))
}

/// Who sits on the council.
pub(super) fn sitting(draft: &Draft<'_>, at: &Context<'_>) -> Vec<PersonId> {
    let seats = draft.base().councillors.iter().map(|seat| seat.person);
    seats.filter(|person| is_councillor(draft, at, *person)).collect()
}

/// Whether a councillor sits by the choice of an election that was not over yet at a moment.
pub(super) fn elected_after(draft: &Draft<'_>, person: PersonId, moment: Time) -> bool {
    let seat = draft.get::<Councillor>(&person);
    let election = seat.and_then(|seat| draft.get::<Election>(&seat.election));
    election.is_some_and(|election| moment < election.vote_until)
}

/// Takes a councillor's seat.
pub(super) fn recall(draft: &mut Draft<'_>, at: &Context<'_>, person: PersonId) {
    if let Some(seat) = draft.get::<Councillor>(&person).cloned() {
        draft.put(Councillor { until: seat.until.min(at.now), ..seat });
        set_roles(draft, person, (Roles::default(), Roles::COUNCILLOR)).expect("a councillor is on record");
    }
}

/// Runs [`CallElection`].
///
/// It may be called while a seat is vacant, and when a term ends before an election called now would be over.
pub(crate) fn call_election(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    _: &CallElection,
) -> Result<(), GovernanceError> {
    only_voter(draft, signer, at.now)?;
    let state = draft.base();
    let last = state.elections.iter().next_back();
    if let Some(open) = last.filter(|last| last.elected.is_none()) {
        return Err(GovernanceError::ElectionRuns { election: open.number });
    }
    let rules = &state.in_force(at.genesis).rules.governance;
    let stand_until = at.now.after(rules.discussion);
    let vote_until = stand_until.after(rules.voting);
    let seats = rules.council_seats;
    let stays = |person: &PersonId| state.councillors.get(person).is_some_and(|seat| vote_until < seat.until);
    if sitting(draft, at).iter().filter(|person| stays(person)).count() >= usize::from(seats) {
        return Err(GovernanceError::NoVacancy { seats });
    }
    let number = last.map_or(1, |last| last.number + 1);
    draft.put(Election { number, called: at.now, stand_until, vote_until, seats, elected: None });
    Ok(())
}

fn known(draft: &Draft<'_>, number: u64) -> Result<Election, GovernanceError> {
    draft.get::<Election>(&number).cloned().ok_or(GovernanceError::UnknownElection { election: number })
}

/// Refuses what comes outside a part of an election.
fn between(election: &Election, now: Time, from: Time, until: Time) -> Result<(), GovernanceError> {
    if (from..until).contains(&now) && election.elected.is_none() {
        Ok(())
    } else {
        Err(GovernanceError::ElectionTime { election: election.number, now, from, until })
    }
}

/// Runs [`Stand`].
pub(crate) fn stand(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Stand,
) -> Result<(), GovernanceError> {
    let election = known(draft, action.election)?;
    between(&election, at.now, election.called, election.stand_until)?;
    only_voter(draft, signer, election.called)?;
    let number = election.number;
    if draft.has::<Candidate>(&(number, signer)) {
        return Err(GovernanceError::StandsAlready { election: number, person: signer });
    }
    draft.put(Candidate { election: number, person: signer, votes: 0 });
    Ok(())
}

/// Runs [`Elect`].
pub(crate) fn elect(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Elect,
) -> Result<(), GovernanceError> {
    let election = known(draft, action.election)?;
    between(&election, at.now, election.stand_until, election.vote_until)?;
    only_voter(draft, signer, election.called)?;
    let (number, choices) = (election.number, &action.choices);
    if draft.has::<Approval>(&(number, signer)) {
        return Err(GovernanceError::Elected { election: number, voter: signer });
    }
    let seats = election.seats;
    if choices.is_empty() || choices.len() > usize::from(seats) {
        return Err(GovernanceError::Choices { election: number, count: choices.len(), seats });
    }
    if let Some(pair) = choices.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(GovernanceError::ChoiceOrder { election: number, person: pair[1] });
    }
    for person in choices {
        let candidate = draft.get::<Candidate>(&(number, *person)).cloned();
        let candidate =
            candidate.ok_or(GovernanceError::NotCandidate { election: number, person: *person })?;
        draft.put(Candidate { votes: candidate.votes + 1, ..candidate });
    }
    draft.put(Approval { election: number, voter: signer, choices: People(choices.clone()) });
    Ok(())
}

/// Runs [`CloseElection`].
///
/// Most votes first; a tie is broken by a hash with the beacon of the last epoch, which nobody knew when candidates
/// chose their names. Without a single vote the sitting council stays.
pub(crate) fn close_election(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    action: &CloseElection,
) -> Result<(), GovernanceError> {
    let election = known(draft, action.election)?;
    let number = election.number;
    between(&election, at.now, election.vote_until, Time(u64::MAX))?;
    let key = draft.base().openings.iter().next_back().map_or(Digest::default(), |opening| opening.key);
    let tie = |person: &PersonId| hash::hash(Domain::Election, &[&key.0, &number.to_bytes(), &person.0]);
    let range = (number, PersonId([0; 32]))..=(number, PersonId([0xff; 32]));
    // Who is no voter any more since they stood has no seat to take.
    let stands = |candidate: &&Candidate| {
        candidate.votes > 0 && only_voter(draft, candidate.person, election.called).is_ok()
    };
    let mut ranked: Vec<&Candidate> = draft.base().candidates.range(range).filter(stands).collect();
    ranked.sort_by_cached_key(|candidate| (Reverse(candidate.votes), tie(&candidate.person)));
    let elected: Vec<PersonId> =
        ranked.iter().take(election.seats.into()).map(|candidate| candidate.person).collect();
    if !elected.is_empty() {
        let term = draft.base().in_force(at.genesis).rules.governance.council_term;
        // Those whose term is over keep the role until somebody is elected: it says nothing without a seat.
        let before: Vec<PersonId> = draft.base().councillors.iter().map(|seat| seat.person).collect();
        for person in before {
            recall(draft, at, person);
        }
        for person in &elected {
            draft.put(Councillor { person: *person, until: at.now.after(term), election: number });
            set_roles(draft, *person, (Roles::COUNCILLOR, Roles::default()))?;
        }
    }
    draft.put(Election { elected: Some(People(elected)), ..election });
    Ok(())
}
