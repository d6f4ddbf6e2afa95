//! Proposals: who makes them, who votes, where they stand, and what they do when they are enacted.

use super::{
    identity::{OFFICES, VOTER},
    model::{Model, bits, threshold},
};
use chain::modules::{
    governance::{
        Action, Change, Choice, Deliberate, GovernanceError, MAX_EPOCHS_AHEAD, MAX_STATEMENTS, Outcome, Path,
        Propose, Recall, Say, SayOf, SetParameters, Stage, Vote,
    },
    treasury::Fund,
};
use primitives::{EpochId, PersonId, Time};

#[derive(Clone)]
pub(super) struct Proposal {
    pub(super) by: PersonId,
    pub(super) action: Action,
    pub(super) created: Time,
    /// Begin and end of the vote, of the time for enactment: by the rules of the day on which it was made.
    pub(super) moments: [Time; 4],
    pub(super) electorate: i128,
    pub(super) path: Path,
    quorum: i128,
    majority: i128,
    pub(super) outcome: Outcome,
}

impl Model {
    /// An active voter since no later than a moment.
    pub(super) fn only_voter(&self, person: PersonId, by: Time) -> Result<(), GovernanceError> {
        if !self.acts(person, VOTER) {
            return Err(GovernanceError::NotVoter { person });
        }
        let since = self.people[&person].since;
        if since > by { Err(GovernanceError::VoterTooLate { person, since, by }) } else { Ok(()) }
    }

    fn proposal(&self, number: u64) -> Result<&Proposal, GovernanceError> {
        self.proposals.get(&number).ok_or(GovernanceError::UnknownProposal { proposal: number })
    }

    pub(super) fn said(&self, number: u64, choice: Choice) -> i128 {
        self.votes.iter().filter(|((of, _), said)| *of == number && **said == choice).count() as i128
    }

    pub(super) fn stage(&self, number: u64) -> Stage {
        let proposal = &self.proposals[&number];
        let [vote_from, vote_until, enact_from, enact_until] = proposal.moments;
        let [yes, no, neither] =
            [Choice::Yes, Choice::No, Choice::Abstain].map(|choice| self.said(number, choice));
        // A quorum of at least one; more than the majority among those who are not indifferent.
        let heard = yes + no + neither >= proposal.quorum;
        let passes = heard && yes * 10_000 > (yes + no) * proposal.majority;
        match proposal.outcome {
            Outcome::Enacted => Stage::Enacted,
            Outcome::Vetoed => Stage::Vetoed,
            Outcome::Withdrawn => Stage::Withdrawn,
            Outcome::Open => match self.now {
                now if now < vote_from => Stage::Discussion,
                now if now < vote_until => Stage::Voting,
                _ if !passes => Stage::Rejected,
                now if now < enact_from => Stage::Queued,
                now if now < enact_until => Stage::Ready,
                _ => Stage::Expired,
            },
        }
    }

    fn in_stage(&self, number: u64, stages: &[Stage]) -> Result<(), GovernanceError> {
        let found = self.stage(number);
        if stages.contains(&found) { Ok(()) } else { Err(GovernanceError::Stage { proposal: number, found }) }
    }

    pub(super) fn propose(&mut self, by: PersonId, action: &Propose) -> Result<(), GovernanceError> {
        self.only_voter(by, self.now)?;
        let undecided = [Stage::Discussion, Stage::Voting, Stage::Queued, Stage::Ready];
        // One that was taken back keeps its place until its vote would be over.
        let open = |number: &u64, proposal: &Proposal| {
            undecided.contains(&self.stage(*number)) || self.now < proposal.moments[1]
        };
        let own = self.proposals.iter().filter(|(_, proposal)| proposal.by == by);
        let open = own.filter(|(number, proposal)| open(number, proposal)).count();
        let limit = self.rule("governance.open_per_person");
        if open as i128 >= limit {
            let limit = u8::try_from(limit).expect("at most 100");
            return Err(GovernanceError::TooManyOpen { person: by, limit });
        }
        self.possible(&action.action)?;
        if self.is_so(&action.action) {
            return Err(GovernanceError::NoChange);
        }
        let path = self.path(&action.action);
        let notice = if path == Path::High { "governance.notice_high" } else { "governance.notice" };
        let majority = if path == Path::Ordinary { "majority" } else { "majority_high" };
        let vote_from = self.after(self.now, "governance.discussion");
        let vote_until = self.after(vote_from, "governance.voting");
        let enact_from = self.after(vote_until, notice);
        let enact_until = self.after(enact_from, "governance.expiry");
        let electorate =
            self.people.keys().filter(|person| self.only_voter(**person, self.now).is_ok()).count() as i128;
        let proposal = Proposal {
            by,
            action: action.action.clone(),
            created: self.now,
            moments: [vote_from, vote_until, enact_from, enact_until],
            electorate,
            path,
            quorum: threshold(electorate, self.rule("governance.quorum")).max(1),
            majority: self.rule(&format!("governance.{majority}")),
            outcome: Outcome::Open,
        };
        self.proposals.insert(self.proposals.len() as u64 + 1, proposal);
        Ok(())
    }

    pub(super) fn withdraw(&mut self, by: PersonId, number: u64) -> Result<(), GovernanceError> {
        if self.proposal(number)?.by != by {
            return Err(GovernanceError::NotProposer { proposal: number, signer: by });
        }
        self.in_stage(number, &[Stage::Discussion])?;
        self.decide(number, Outcome::Withdrawn);
        Ok(())
    }

    fn decide(&mut self, number: u64, outcome: Outcome) {
        self.proposals.entry(number).and_modify(|proposal| proposal.outcome = outcome);
    }

    pub(super) fn deliberate(&mut self, by: PersonId, action: &Deliberate) -> Result<(), GovernanceError> {
        self.only_voter(by, self.now)?;
        let Deliberate { proposal, document } = *action;
        self.proposal(proposal)?;
        self.in_stage(proposal, &[Stage::Discussion, Stage::Voting])?;
        let said = self.statements.iter().filter(|(of, author, _)| (*of, *author) == (proposal, by)).count();
        if said >= MAX_STATEMENTS {
            return Err(GovernanceError::TooManyStatements { proposal, person: by });
        }
        if !self.statements.insert((proposal, by, document)) {
            return Err(GovernanceError::SaidAlready { proposal, person: by });
        }
        Ok(())
    }

    pub(super) fn vote(&mut self, by: PersonId, action: &Vote) -> Result<(), GovernanceError> {
        let Vote { proposal: number, choice } = *action;
        let created = self.proposal(number)?.created;
        self.in_stage(number, &[Stage::Voting])?;
        self.only_voter(by, created)?;
        if self.votes.insert((number, by), choice).is_some() {
            return Err(GovernanceError::AlreadyVoted { proposal: number, voter: by });
        }
        Ok(())
    }

    pub(super) fn council_says(&mut self, by: PersonId, action: &SayOf) -> Result<(), GovernanceError> {
        let SayOf { proposal: number, say } = *action;
        let path = self.proposal(number)?.path;
        if !self.sits(by) {
            return Err(GovernanceError::NotCouncillor { person: by });
        }
        let passed = [Stage::Queued, Stage::Ready];
        let any = [Stage::Discussion, Stage::Voting, Stage::Queued, Stage::Ready];
        match say {
            Say::Approve if path == Path::High => self.in_stage(number, &any)?,
            Say::Veto if path != Path::People => self.in_stage(number, &passed)?,
            _ => return Err(GovernanceError::NotTheCouncils { proposal: number }),
        }
        if self.says.contains(&(number, say, by)) {
            return Err(GovernanceError::SaidAlready { proposal: number, person: by });
        }
        if self.says.contains(&(number, Say::Veto, by)) {
            return Err(GovernanceError::HasVetoed { proposal: number, person: by });
        }
        self.says.insert((number, say, by));
        if say == Say::Veto && self.councillors_for(number, say) >= self.councillors_needed("veto_majority") {
            self.decide(number, Outcome::Vetoed);
        }
        Ok(())
    }

    /// Councillors whose last word this is and who still sit. A veto is always the last.
    fn councillors_for(&self, number: u64, say: Say) -> i128 {
        let last = |who: PersonId| {
            if self.says.contains(&(number, Say::Veto, who)) { Say::Veto } else { Say::Approve }
        };
        let said = self
            .says
            .iter()
            .filter(|(of, what, who)| (*of, *what) == (number, say) && last(*who) == say && self.sits(*who));
        said.count() as i128
    }

    pub(super) fn enact(&mut self, number: u64) -> Result<(), GovernanceError> {
        let Proposal { path, action, moments: [_, vote_until, ..], .. } = self.proposal(number)?.clone();
        self.in_stage(number, &[Stage::Ready])?;
        if path == Path::Ordinary && self.path(&action) == Path::High {
            return Err(GovernanceError::Heavier { proposal: number });
        }
        if let Action::Recall(Recall { councillor: person }) = action
            && self.elected_after(person, vote_until)
        {
            return Err(GovernanceError::ElectedSince { person });
        }
        let found = self.councillors_for(number, Say::Approve);
        let needed = self.councillors_needed("council_majority");
        if path == Path::High && found < needed {
            let [found, needed] = [found, needed].map(|n| u64::try_from(n).expect("seats"));
            return Err(GovernanceError::NotApproved { proposal: number, found, needed });
        }
        self.possible(&action)?;
        self.carry_out(number, &action)?;
        self.decide(number, Outcome::Enacted);
        Ok(())
    }

    /// An epoch from which something may hold.
    fn only_near(&self, from: EpochId) -> Result<(), GovernanceError> {
        let earliest = self.next_epoch();
        let latest = EpochId(earliest.0 + MAX_EPOCHS_AHEAD);
        if from < earliest || from > latest {
            return Err(GovernanceError::Epoch { from, earliest, latest });
        }
        Ok(())
    }

    /// Whether everything that is proposed holds already.
    fn is_so(&self, action: &Action) -> bool {
        match action {
            Action::SetParameters(set) => {
                let holds = |change: &Change| {
                    self.settings.value(change.parameter.name(), set.from) == i128::from(change.value)
                };
                let (_, (_, review)) =
                    self.settings.versions.range(..=set.from).next_back().expect("genesis");
                set.review_by == *review && set.changes.iter().all(holds)
            }
            Action::SetOffices(set) => {
                let (has, give) = (self.people[&set.person].roles, bits(set.give));
                give & !has == 0 && has & bits(set.take) & !give == 0
            }
            _ => false,
        }
    }

    /// Refuses what could not be enacted now.
    fn possible(&self, action: &Action) -> Result<(), GovernanceError> {
        match action {
            Action::SetParameters(set) => self.can_set(set),
            Action::SetOffices(set) => {
                let (person, offices) = (set.person, bits(set.give) | bits(set.take));
                if !self.people.contains_key(&person) {
                    return Err(GovernanceError::Unknown { person });
                }
                if offices == 0 || offices & !OFFICES != 0 {
                    return Err(GovernanceError::NotAnOffice { person });
                }
                Ok(())
            }
            Action::RemoveWork(remove) => {
                self.only_near(remove.from)?;
                let work = remove.work;
                if self.works.contains_key(&work) {
                    Ok(())
                } else {
                    Err(GovernanceError::UnknownWork { work })
                }
            }
            Action::Recall(Recall { councillor: person }) if !self.sits(*person) => {
                Err(GovernanceError::NotCouncillor { person: *person })
            }
            Action::Upgrade(next) => {
                self.only_near(next.from)?;
                let (last, version) = self.modules[&next.module].iter().next_back().expect("a first version");
                let (module, found) = (next.module, next.version);
                if found != version + 1 {
                    return Err(GovernanceError::ModuleVersion { module, expected: version + 1, found });
                }
                if next.from <= *last {
                    return Err(GovernanceError::ModuleEpoch { module, last: *last, found: next.from });
                }
                Ok(())
            }
            // What it is worth says how much its sale weighs.
            Action::OfferAsset(offered) => Ok(self.held(offered.asset).map(drop)?),
            Action::ApproveService(service) => Ok(self.can_approve(service.manifest, service.most)?),
            Action::WithdrawService(service) => Ok(self.can_withdraw(service.manifest)?),
            _ => Ok(()),
        }
    }

    fn can_set(&self, set: &SetParameters) -> Result<(), GovernanceError> {
        let changes = &set.changes;
        if changes.is_empty() {
            return Err(GovernanceError::NoChange);
        }
        for (place, Change { parameter, .. }) in changes.iter().enumerate() {
            if changes[..place].iter().any(|earlier| earlier.parameter >= *parameter) {
                return Err(GovernanceError::ChangeOrder { parameter: *parameter });
            }
        }
        self.only_near(set.from)?;
        if let Some(review) = set.review_by.filter(|review| *review <= set.from) {
            return Err(GovernanceError::Review { review, from: set.from });
        }
        self.settings.changed((set.from, changes), (0, None)).map(drop)
    }

    fn carry_out(&mut self, number: u64, action: &Action) -> Result<(), GovernanceError> {
        match action {
            Action::SetParameters(set) => {
                let version = (number, set.review_by);
                self.settings = self.settings.changed((set.from, &set.changes), version)?;
            }
            Action::SetOffices(set) => self.set_roles(set.person, (bits(set.give), bits(set.take)))?,
            Action::RemoveWork(remove) => self.remove_work(remove.work, remove.from, remove.removal)?,
            Action::Recall(recall) => self.unseat(recall.councillor),
            Action::Upgrade(next) => {
                self.modules.entry(next.module).or_default().insert(next.from, next.version);
            }
            Action::Resolve(_) => {}
            Action::Spend(spend) => {
                self.spend(spend.fund, spend.to, spend.amount.0)?;
                if spend.fund == Fund::Eco {
                    self.record_spending(spend.to, spend.amount);
                }
            }
            Action::AcquireAsset(bought) => self.acquire(bought)?,
            Action::OfferAsset(offered) => self.offer(offered.asset, &offered.offer)?,
            Action::WithdrawOffer(withdrawn) => self.withdraw_offer(withdrawn.asset)?,
            Action::ApproveValuation(approved) => self.approve_valuation(approved.asset, approved.round)?,
            Action::RejectValuation(rejected) => self.reject_valuation(rejected.asset)?,
            Action::ApproveService(service) => self.approve_service(service.manifest, service.most),
            Action::WithdrawService(service) => self.withdraw_service(service.manifest),
        }
        Ok(())
    }

    pub(super) fn quorum_of(&self, number: u64) -> (i128, i128) {
        let proposal = &self.proposals[&number];
        (proposal.quorum, proposal.majority)
    }
}
