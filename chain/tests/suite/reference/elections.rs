//! The council: who sits, and how it is elected.

use super::{
    identity::COUNCILLOR,
    model::{Model, later},
};
use chain::modules::governance::{Elect, GovernanceError};
use primitives::{Digest, Domain, PersonId, Time, hash};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Councillor {
    pub(super) until: Time,
    pub(super) election: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Election {
    pub(super) called: Time,
    pub(super) stand_until: Time,
    pub(super) vote_until: Time,
    pub(super) seats: usize,
    pub(super) elected: Option<Vec<PersonId>>,
}

impl Model {
    /// Gives somebody a seat from now on.
    pub(super) fn seat(&mut self, person: PersonId, election: u64) {
        let until = later(self.now, self.rule("governance.council_term"));
        self.council.insert(person, Councillor { until, election });
        self.people.entry(person).and_modify(|who| who.roles |= COUNCILLOR);
    }

    /// Takes somebody's seat, and the role with it.
    pub(super) fn unseat(&mut self, person: PersonId) {
        let now = self.now;
        if let Some(seat) = self.council.get_mut(&person) {
            seat.until = seat.until.min(now);
            self.people.entry(person).and_modify(|who| who.roles &= !COUNCILLOR);
        }
    }

    /// Whether somebody sits on the council: in a seat whose term is not over, active, and in the role.
    pub(super) fn sits(&self, person: PersonId) -> bool {
        self.council.get(&person).is_some_and(|seat| self.now < seat.until) && self.acts(person, COUNCILLOR)
    }

    pub(super) fn votes_for(&self, election: u64, candidate: PersonId) -> usize {
        let cast = self.approvals.iter().filter(|((of, _), _)| *of == election);
        cast.filter(|(_, choices)| choices.contains(&candidate)).count()
    }

    pub(super) fn call_election(&mut self, by: PersonId) -> Result<(), GovernanceError> {
        self.only_voter(by, self.now)?;
        if let Some((number, _)) = self.elections.iter().find(|(_, election)| election.elected.is_none()) {
            return Err(GovernanceError::ElectionRuns { election: *number });
        }
        let stand_until = self.after(self.now, "governance.discussion");
        let vote_until = self.after(stand_until, "governance.voting");
        let seats = self.rule("governance.council_seats");
        // A seat is vacant if nobody sits in it, or not any more when an election called now would be over.
        let stay = self.council.iter().filter(|(who, seat)| self.sits(**who) && seat.until > vote_until);
        if stay.count() as i128 >= seats {
            return Err(GovernanceError::NoVacancy { seats: u8::try_from(seats).expect("at most 31") });
        }
        let seats = usize::try_from(seats).expect("at most 31");
        let called = self.now;
        let election = Election { called, stand_until, vote_until, seats, elected: None };
        self.elections.insert(self.elections.len() as u64 + 1, election);
        Ok(())
    }

    /// An election in the part of it from one moment to another.
    fn during(&self, number: u64, part: fn(&Election) -> (Time, Time)) -> Result<Election, GovernanceError> {
        let election = self.elections.get(&number).cloned();
        let election = election.ok_or(GovernanceError::UnknownElection { election: number })?;
        let ((from, until), now) = (part(&election), self.now);
        if now < from || now >= until || election.elected.is_some() {
            return Err(GovernanceError::ElectionTime { election: number, now, from, until });
        }
        Ok(election)
    }

    pub(super) fn stand(&mut self, by: PersonId, number: u64) -> Result<(), GovernanceError> {
        let election = self.during(number, |election| (election.called, election.stand_until))?;
        self.only_voter(by, election.called)?;
        if !self.candidates.insert((number, by)) {
            return Err(GovernanceError::StandsAlready { election: number, person: by });
        }
        Ok(())
    }

    pub(super) fn elect(&mut self, by: PersonId, action: &Elect) -> Result<(), GovernanceError> {
        let (number, choices) = (action.election, &action.choices);
        let election = self.during(number, |election| (election.stand_until, election.vote_until))?;
        self.only_voter(by, election.called)?;
        if self.approvals.contains_key(&(number, by)) {
            return Err(GovernanceError::Elected { election: number, voter: by });
        }
        if choices.is_empty() || choices.len() > election.seats {
            let seats = u8::try_from(election.seats).expect("at most 31");
            return Err(GovernanceError::Choices { election: number, count: choices.len(), seats });
        }
        for place in 1..choices.len() {
            if choices[place] <= choices[place - 1] {
                return Err(GovernanceError::ChoiceOrder { election: number, person: choices[place] });
            }
        }
        for person in choices {
            if !self.candidates.contains(&(number, *person)) {
                return Err(GovernanceError::NotCandidate { election: number, person: *person });
            }
        }
        self.approvals.insert((number, by), choices.clone());
        Ok(())
    }

    /// The hash that breaks a tie: of the last epoch's beacon key, the election's number, and the candidate.
    fn lot(&self, key: Digest, election: u64, person: PersonId) -> Digest {
        hash::hash(Domain::Election, &[&key.0, &election.to_le_bytes(), &person.0])
    }

    pub(super) fn close_election(&mut self, number: u64) -> Result<(), GovernanceError> {
        let election = self.during(number, |election| (election.vote_until, Time(u64::MAX)))?;
        let key = self.beacons.values().next_back().copied().unwrap_or_default();
        let mut ranked: Vec<(usize, PersonId)> = Vec::new();
        for (_, person) in self.candidates.iter().filter(|(of, _)| *of == number) {
            let votes = self.votes_for(number, *person);
            if votes > 0 && self.only_voter(*person, election.called).is_ok() {
                ranked.push((votes, *person));
            }
        }
        ranked.sort_by_key(|(votes, person)| (usize::MAX - votes, self.lot(key, number, *person)));
        let elected: Vec<PersonId> = ranked.iter().take(election.seats).map(|(_, person)| *person).collect();
        // Without a vote the council stays.
        if !elected.is_empty() {
            let before: Vec<PersonId> = self.council.keys().copied().collect();
            before.into_iter().for_each(|person| self.unseat(person));
            elected.iter().for_each(|person| self.seat(*person, number));
        }
        self.elections.insert(number, Election { elected: Some(elected), ..election });
        Ok(())
    }
}
