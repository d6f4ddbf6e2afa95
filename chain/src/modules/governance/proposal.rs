//! A proposal and its life (chain spec 3.5: "creation, discussion, voting, enactment").
//!
//! ```text
//! created -> Discussion -> Voting -> Rejected
//!                                 -> Queued -> Ready -> Enacted
//!                                      |         |----> Expired
//!                                      '---------'----> Vetoed
//! ```
//!
//! All moments are fixed when it is made, by the rules in force then: a change of the rules does not move a vote that has
//! begun. Where it stands follows from the time and the count, so nobody has to close a vote.

use super::{Action, Path};
use crate::state::{
    fields::{number_enum, record},
    leaf,
};
use primitives::{BasisPoints, Digest, PersonId, Time};
use std::fmt;

number_enum! {
    /// What a voter says.
    Choice("choice") {
        /// Against.
        No = 0,
        /// In favour.
        Yes = 1,
        /// Neither, and counted for the quorum.
        Abstain = 2,
    }
}

number_enum! {
    /// What became of a proposal, where something did.
    Outcome("outcome") {
        /// Nothing yet.
        Open = 0,
        /// Done.
        Enacted = 1,
        /// Stopped by the council.
        Vetoed = 2,
        /// Taken back by who made it.
        Withdrawn = 3,
    }
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Talked about.
    Discussion,
    /// Voted on.
    Voting,
    /// Not enough voters, or not enough of them in favour.
    Rejected,
    /// Passed, and its notice runs.
    Queued,
    /// May be enacted.
    Ready,
    /// Passed, and not enacted in time.
    Expired,
    /// Done.
    Enacted,
    /// Stopped by the council.
    Vetoed,
    /// Taken back.
    Withdrawn,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discussion => "being talked about",
            Self::Voting => "being voted on",
            Self::Rejected => "rejected",
            Self::Queued => "passed, and its notice runs",
            Self::Ready => "passed, and may be enacted",
            Self::Expired => "expired",
            Self::Enacted => "enacted",
            Self::Vetoed => "vetoed",
            Self::Withdrawn => "withdrawn",
        })
    }
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its number, from 1.
    pub number: u64,
    /// Who made it.
    pub proposer: PersonId,
    /// Hash of its text.
    pub document: Digest,
    /// What it would do.
    pub action: Action,
    /// When it was made. Who was not a voter by then does not vote on it.
    pub created: Time,
    /// Begin of the vote.
    pub vote_from: Time,
    /// End of the vote.
    pub vote_until: Time,
    /// End of the notice.
    pub enact_from: Time,
    /// Last moment of enactment.
    pub enact_until: Time,
    /// Voters that there were when it was made.
    pub electorate: u64,
    /// Votes that it takes.
    pub quorum: u64,
    /// Who has to agree.
    pub path: Path,
    /// Part of yes among yes and no that it has to pass.
    pub majority: BasisPoints,
    /// In favour.
    pub yes: u64,
    /// Against.
    pub no: u64,
    /// Neither.
    pub abstain: u64,
    /// What became of it.
    pub outcome: Outcome,
}

record!(Proposal {
    number,
    proposer,
    document,
    action,
    created,
    vote_from,
    vote_until,
    enact_from,
    enact_until,
    electorate,
    quorum,
    path,
    majority,
    yes,
    no,
    abstain,
    outcome,
});

leaf!(Proposal by number: u64);

impl Proposal {
    /// Whether the votes so far carry it.
    pub fn passes(&self) -> bool {
        let (yes, no) = (u128::from(self.yes), u128::from(self.no));
        let voted = yes + no + u128::from(self.abstain);
        voted >= self.quorum.into()
            && yes * u128::from(BasisPoints::WHOLE.get()) > (yes + no) * u128::from(self.majority.get())
    }

    /// Where it stands.
    pub fn stage(&self, now: Time) -> Stage {
        match self.outcome {
            Outcome::Enacted => Stage::Enacted,
            Outcome::Vetoed => Stage::Vetoed,
            Outcome::Withdrawn => Stage::Withdrawn,
            Outcome::Open if now < self.vote_from => Stage::Discussion,
            Outcome::Open if now < self.vote_until => Stage::Voting,
            Outcome::Open if !self.passes() => Stage::Rejected,
            Outcome::Open if now < self.enact_from => Stage::Queued,
            Outcome::Open if now < self.enact_until => Stage::Ready,
            Outcome::Open => Stage::Expired,
        }
    }

    /// Whether something may still come of it.
    pub fn is_undecided(&self, now: Time) -> bool {
        self.stage(now) <= Stage::Ready && self.stage(now) != Stage::Rejected
    }
}

/// A vote. It is logged under the voter's name (chain spec 3.5, "Voting is logged and auditable").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// On which proposal.
    pub proposal: u64,
    /// Whose.
    pub voter: PersonId,
    /// What they said.
    pub choice: Choice,
}

record!(Ballot { proposal, voter, choice });

leaf!(Ballot by proposal: u64, voter: PersonId);

/// What somebody has to say on a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// On which proposal.
    pub proposal: u64,
    /// Who says it.
    pub author: PersonId,
    /// Hash of the text.
    pub document: Digest,
}

record!(Statement { proposal, author, document });

leaf!(Statement by proposal: u64, author: PersonId, document: Digest);

number_enum! {
    /// What a councillor says of a proposal.
    Say("say") {
        /// The council agrees.
        Approve = 0,
        /// The council stops it.
        Veto = 1,
    }
}

impl Say {
    /// Whether a councillor who `has` said these things counts for this one: nobody counts on both sides, and a veto takes
    /// the place of an approval.
    pub(super) fn counts(self, has: impl Fn(Self) -> bool) -> bool {
        has(self) && (self == Self::Veto || !has(Self::Veto))
    }
}

/// What a councillor said of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouncilSay {
    /// Of which proposal.
    pub proposal: u64,
    /// What.
    pub say: Say,
    /// Who.
    pub councillor: PersonId,
}

record!(CouncilSay { proposal, say, councillor });

leaf!(CouncilSay by proposal: u64, say: Say, councillor: PersonId);
