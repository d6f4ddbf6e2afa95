//! Cases before a jury that the beacon draws.

use super::{
    identity::{VOTER, may_follow},
    model::{Model, later},
};
use chain::modules::{
    governance::{ChallengeJuror, EPOCHS_TO_DRAW, GovernanceError, JuryVote, OpenCase, Remedy, Verdict},
    identity::Status,
    work_registry::Removal,
};
use primitives::{Digest, Domain, EpochId, PersonId, Time, hash};

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) complainant: PersonId,
    pub(super) respondent: PersonId,
    pub(super) remedy: Remedy,
    pub(super) opened: Time,
    pub(super) draw_from: EpochId,
    /// Who was drawn, in order, how many of them decide, and until when they are challenged and vote.
    pub(super) drawn: Option<Drawn>,
    pub(super) by_complainant: Vec<PersonId>,
    pub(super) by_respondent: Vec<PersonId>,
    pub(super) verdict: Verdict,
}

#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) at: Time,
    pub(super) jurors: Vec<PersonId>,
    pub(super) panel: usize,
    pub(super) challenge_until: Time,
    pub(super) vote_until: Time,
}

impl Case {
    /// Who decides: the first of those drawn whom no side challenged.
    pub(super) fn panel(&self) -> Vec<PersonId> {
        let Some(drawn) = &self.drawn else {
            return Vec::new();
        };
        let mut left = drawn.jurors.clone();
        left.retain(|juror| !self.by_complainant.contains(juror) && !self.by_respondent.contains(juror));
        left.truncate(drawn.panel);
        left
    }
}

impl Model {
    fn open_or(&self, number: u64) -> Result<Case, GovernanceError> {
        match self.cases.get(&number) {
            None => Err(GovernanceError::UnknownCase { case: number }),
            Some(case) if case.verdict != Verdict::Open => Err(GovernanceError::CaseClosed { case: number }),
            Some(case) => Ok(case.clone()),
        }
    }

    pub(super) fn open_case(&mut self, by: PersonId, action: &OpenCase) -> Result<(), GovernanceError> {
        self.only_voter(by, self.now)?;
        let respondent = match action.remedy {
            Remedy::Suspend(person) | Remedy::Revoke(person) => person,
            Remedy::RemoveWork(work) => {
                self.works.get(&work).ok_or(GovernanceError::UnknownWork { work })?.creator
            }
        };
        if !self.people.contains_key(&respondent) {
            return Err(GovernanceError::Unknown { person: respondent });
        }
        if respondent == by {
            return Err(GovernanceError::AgainstOneself { person: by });
        }
        let own = self.cases.values().filter(|case| case.complainant == by);
        let limit = self.rule("governance.open_per_person");
        if own.filter(|case| case.verdict == Verdict::Open).count() as i128 >= limit {
            let limit = u8::try_from(limit).expect("at most 100");
            return Err(GovernanceError::TooManyOpen { person: by, limit });
        }
        // One question goes before one jury, and not again for half a year if it was dismissed.
        let half_a_year = 182 * 86_400;
        let subject = |remedy: Remedy| match remedy {
            Remedy::RemoveWork(work) => work.0,
            Remedy::Suspend(person) | Remedy::Revoke(person) => person.0,
        };
        let about_work = |remedy: Remedy| matches!(remedy, Remedy::RemoveWork(_));
        for (number, case) in self.cases.iter().rev() {
            let same = subject(case.remedy) == subject(action.remedy)
                && about_work(case.remedy) == about_work(action.remedy);
            let rests =
                case.drawn.as_ref().is_some_and(|drawn| self.now < later(drawn.vote_until, half_a_year));
            if same && (case.verdict == Verdict::Open || case.verdict == Verdict::Dismissed && rests) {
                return Err(GovernanceError::AskedAlready { case: *number });
            }
        }
        // Not by the next beacon, which may be on the table already: by the one after.
        let draw_from = EpochId(self.next_epoch().0 + EPOCHS_TO_DRAW - 1);
        let case = Case {
            complainant: by,
            respondent,
            remedy: action.remedy,
            opened: self.now,
            draw_from,
            drawn: None,
            by_complainant: Vec::new(),
            by_respondent: Vec::new(),
            verdict: Verdict::Open,
        };
        self.cases.insert(self.cases.len() as u64 + 1, case);
        Ok(())
    }

    /// Whoever brought a case takes it back, while nothing is known of the beacon that draws its jury.
    pub(super) fn withdraw_case(&mut self, by: PersonId, number: u64) -> Result<(), GovernanceError> {
        let mut case = self.open_or(number)?;
        if by != case.complainant {
            return Err(GovernanceError::NotComplainant { case: number, signer: by });
        }
        let epoch = case.draw_from;
        if self.reveals.range(epoch..).any(|(_, revealed)| !revealed.is_empty()) {
            return Err(GovernanceError::BeaconRevealed { case: number, epoch });
        }
        case.verdict = Verdict::Withdrawn;
        self.cases.insert(number, case);
        Ok(())
    }

    /// What is drawn from: a hash of what the parties revealed for an epoch, and of no block.
    fn seed(&self, epoch: EpochId) -> Digest {
        let mut revealed = Vec::new();
        for (party, value) in &self.reveals[&epoch] {
            revealed.push(u8::from(*party));
            revealed.extend(value.0);
        }
        let parts: [&[u8]; 3] = [&self.chain.0.to_le_bytes(), &epoch.0.to_le_bytes(), &revealed];
        hash::hash(Domain::AuditSeed, &parts)
    }

    pub(super) fn draw_jury(&mut self, number: u64) -> Result<(), GovernanceError> {
        let mut case = self.open_or(number)?;
        if case.drawn.is_some() {
            return Err(GovernanceError::DrawnAlready { case: number });
        }
        let epoch = case.draw_from;
        let drawing = self.epochs.range(epoch..).next().map(|(opened, _)| *opened);
        let seed = self.seed(drawing.ok_or(GovernanceError::NoBeaconYet { case: number, epoch })?);
        let rule = |name: &str| usize::try_from(self.rule(name)).expect("a small number");
        let panel = rule("governance.jurors");
        let needed = panel + 2 * rule("governance.challenges");
        let mut pool: Vec<PersonId> = Vec::new();
        for (person, who) in &self.people {
            let side = *person == case.complainant || *person == case.respondent;
            if self.acts(*person, VOTER) && who.since <= case.opened && !side {
                pool.push(*person);
            }
        }
        if pool.len() < needed {
            // Nobody is added to those who may be drawn, so there will be no jury.
            case.verdict = Verdict::NoJury;
            self.cases.insert(number, case);
            return Ok(());
        }
        // In the order of a hash of what was revealed, the number of the case, and the person.
        pool.sort_by_key(|person| hash::hash(Domain::Jury, &[&seed.0, &number.to_le_bytes(), &person.0]));
        pool.truncate(needed);
        let challenge_until = self.after(self.now, "governance.challenge_period");
        let vote_until = self.after(challenge_until, "governance.jury_period");
        case.drawn = Some(Drawn { at: self.now, jurors: pool, panel, challenge_until, vote_until });
        self.cases.insert(number, case);
        Ok(())
    }

    pub(super) fn challenge(&mut self, by: PersonId, action: &ChallengeJuror) -> Result<(), GovernanceError> {
        let ChallengeJuror { case: number, juror } = *action;
        let mut case = self.open_or(number)?;
        let drawn = case.drawn.as_ref().filter(|drawn| self.now < drawn.challenge_until);
        let spare = drawn.map(|drawn| drawn.jurors.len() - drawn.panel);
        let spare = spare.ok_or(GovernanceError::NoChallengesNow { case: number })?;
        if !case.panel().contains(&juror) {
            return Err(GovernanceError::NotJuror { case: number, person: juror });
        }
        let side = match by {
            _ if by == case.complainant => &mut case.by_complainant,
            _ if by == case.respondent => &mut case.by_respondent,
            _ => return Err(GovernanceError::NotASide { case: number, signer: by }),
        };
        if side.len() >= spare / 2 {
            return Err(GovernanceError::TooManyChallenges { case: number, signer: by, limit: spare / 2 });
        }
        side.push(juror);
        self.cases.insert(number, case);
        Ok(())
    }

    pub(super) fn jury_vote(&mut self, by: PersonId, action: &JuryVote) -> Result<(), GovernanceError> {
        let JuryVote { case: number, grant } = *action;
        let case = self.open_or(number)?;
        let votes = |drawn: &&Drawn| drawn.challenge_until <= self.now && self.now < drawn.vote_until;
        if case.drawn.as_ref().filter(votes).is_none() {
            return Err(GovernanceError::NoJuryVoteNow { case: number });
        }
        if !case.panel().contains(&by) {
            return Err(GovernanceError::NotJuror { case: number, person: by });
        }
        self.only_voter(by, case.opened)?;
        if self.verdicts.insert((number, by), grant).is_some() {
            return Err(GovernanceError::JurorVoted { case: number, juror: by });
        }
        Ok(())
    }

    /// Jurors who grant, and who do not.
    pub(super) fn jurors_say(&self, number: u64) -> (usize, usize) {
        let cast = |what: bool| {
            self.verdicts.iter().filter(|((of, _), grant)| *of == number && **grant == what).count()
        };
        (cast(true), cast(false))
    }

    pub(super) fn close_case(&mut self, number: u64) -> Result<(), GovernanceError> {
        let mut case = self.open_or(number)?;
        let (granted, dismissed) = self.jurors_say(number);
        let undecided = GovernanceError::Undecided { case: number };
        let drawn = case.drawn.as_ref().ok_or(undecided.clone())?;
        let majority = |votes: usize| 2 * votes > drawn.panel;
        if self.now < drawn.vote_until && !majority(granted) && !majority(dismissed) {
            return Err(undecided);
        }
        case.verdict = if majority(granted) { Verdict::Granted } else { Verdict::Dismissed };
        if case.verdict == Verdict::Granted {
            match case.remedy {
                // What is removed by now stays that.
                Remedy::RemoveWork(work) => {
                    if !matches!(self.works[&work].gone, Some((_, Removal::Removed))) {
                        self.remove_work(work, self.next_epoch(), Removal::Removed)?;
                    }
                }
                Remedy::Suspend(person) => self.settle(person, Status::Suspended)?,
                Remedy::Revoke(person) => self.settle(person, Status::Revoked)?,
            }
        }
        // Whoever sat on the panel and voted did a task, whichever way.
        for juror in case.panel() {
            if self.verdicts.contains_key(&(number, juror)) {
                self.did_a_task(juror);
            }
        }
        self.cases.insert(number, case);
        Ok(())
    }

    /// Moves a person, unless the registrar did that or more meanwhile.
    fn settle(&mut self, person: PersonId, status: Status) -> Result<(), GovernanceError> {
        if may_follow(self.people[&person].status, status) {
            self.move_to(person, status)?;
        }
        Ok(())
    }
}
