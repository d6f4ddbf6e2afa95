//! Which rule of governance something breaks.

use super::{ModuleId, Parameter, RulesError, Stage, units::told_params};
use crate::modules::{
    eco_reserve::EcoError, identity::IdentityError, node_rewards::NodeError, treasury::TreasuryError,
    work_registry::WorkError,
};
use primitives::{EpochId, PersonId, Time, WorkId, params::ParamsError};
use thiserror::Error;

/// Which rule of governance something breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GovernanceError {
    /// The signer is not an active voter.
    #[error("{person} is not an active voter")]
    NotVoter {
        /// Who.
        person: PersonId,
    },
    /// The voter became one, or became active again, after it began.
    #[error("{person} is a voter since {since}, which is after {by}")]
    VoterTooLate {
        /// Who.
        person: PersonId,
        /// Since when.
        since: Time,
        /// The last moment that counts.
        by: Time,
    },
    /// The signer does not sit on the council.
    #[error("{person} does not sit on the council")]
    NotCouncillor {
        /// Who.
        person: PersonId,
    },
    /// Nobody of that name is on record.
    #[error("{person} is not registered")]
    Unknown {
        /// Who.
        person: PersonId,
    },
    /// There is no such work.
    #[error("work {work} is not registered")]
    UnknownWork {
        /// The work.
        work: WorkId,
    },
    /// What would be given or taken is no office, or one that elections give.
    #[error("what {person} would be given or lose is no office that a proposal decides")]
    NotAnOffice {
        /// Who.
        person: PersonId,
    },
    /// Somebody has as many undecided proposals or cases as one person may have.
    #[error("{person} has {limit} undecided already")]
    TooManyOpen {
        /// Who.
        person: PersonId,
        /// As many as one may have.
        limit: u8,
    },
    /// There is no such proposal.
    #[error("there is no proposal {proposal}")]
    UnknownProposal {
        /// Its number.
        proposal: u64,
    },
    /// The proposal stands elsewhere.
    #[error("proposal {proposal} is {found}")]
    Stage {
        /// Its number.
        proposal: u64,
        /// Where it stands.
        found: Stage,
    },
    /// The proposal is somebody else's.
    #[error("proposal {proposal} is not of {signer}")]
    NotProposer {
        /// Its number.
        proposal: u64,
        /// Who signed.
        signer: PersonId,
    },
    /// One vote each.
    #[error("{voter} has voted on proposal {proposal}")]
    AlreadyVoted {
        /// Its number.
        proposal: u64,
        /// Who.
        voter: PersonId,
    },
    /// The same was said before.
    #[error("{person} has said that on proposal {proposal}")]
    SaidAlready {
        /// Its number.
        proposal: u64,
        /// Who.
        person: PersonId,
    },
    /// A councillor who stopped a proposal does not carry it as well.
    #[error("{person} has vetoed proposal {proposal}, and a veto stands")]
    HasVetoed {
        /// Its number.
        proposal: u64,
        /// Who.
        person: PersonId,
    },
    /// Enough was said.
    #[error("{person} has said as much on proposal {proposal} as one may")]
    TooManyStatements {
        /// Its number.
        proposal: u64,
        /// Who.
        person: PersonId,
    },
    /// The council has no such say in it.
    #[error("proposal {proposal} is not for the council to say that")]
    NotTheCouncils {
        /// Its number.
        proposal: u64,
    },
    /// What it does weighs much by now, and it was voted on as if it did not.
    #[error("proposal {proposal} weighs much by now: propose it anew, as what the council approves as well")]
    Heavier {
        /// Its number.
        proposal: u64,
    },
    /// A recall was voted on before the councillor was elected anew.
    #[error("{person} was elected after the vote on the recall")]
    ElectedSince {
        /// Who.
        person: PersonId,
    },
    /// The council has not approved.
    #[error("{found} councillors approve of proposal {proposal}, {needed} have to")]
    NotApproved {
        /// Its number.
        proposal: u64,
        /// Councillors who approve and sit.
        found: u64,
        /// As many as it takes.
        needed: u64,
    },
    /// A change of nothing.
    #[error("nothing would change: it is so already")]
    NoChange,
    /// A parameter is named twice, or the changes are not in their order.
    #[error("{parameter} comes too late in the list, or twice")]
    ChangeOrder {
        /// Which.
        parameter: Parameter,
    },
    /// A parameter cannot hold such a number.
    #[error("{parameter} cannot be {}", parameter.unit().show(*value))]
    Value {
        /// Which.
        parameter: Parameter,
        /// The number.
        value: u64,
    },
    /// Parameters would be outside their bounds.
    #[error("from epoch {from} on: {}", told_params(error))]
    Params {
        /// In the version from that epoch on.
        from: EpochId,
        /// What is wrong.
        error: ParamsError,
    },
    /// Rules would be outside their bounds.
    #[error("from epoch {from} on: {error}")]
    Rules {
        /// In the version from that epoch on.
        from: EpochId,
        /// What is wrong.
        error: RulesError,
    },
    /// The epoch has opened, or is too far ahead.
    #[error("epoch {from} is not among {earliest} to {latest}")]
    Epoch {
        /// Epoch asked for.
        from: EpochId,
        /// First that has not opened.
        earliest: EpochId,
        /// Last that may be named.
        latest: EpochId,
    },
    /// A review before the change.
    #[error("a review by epoch {review} of what holds from epoch {from} on")]
    Review {
        /// Epoch of the review.
        review: EpochId,
        /// Epoch of the change.
        from: EpochId,
    },
    /// Versions of a module count up by one.
    #[error("version {found} of {module:?}, the next is {expected}")]
    ModuleVersion {
        /// Which module.
        module: ModuleId,
        /// The next.
        expected: u32,
        /// Named.
        found: u32,
    },
    /// A module's version would hold before the one before it.
    #[error("{module:?} would change in epoch {found}, and changes in epoch {last} before that")]
    ModuleEpoch {
        /// Which module.
        module: ModuleId,
        /// Epoch of the last version.
        last: EpochId,
        /// Epoch named.
        found: EpochId,
    },
    /// An election runs.
    #[error("election {election} is not closed")]
    ElectionRuns {
        /// Its number.
        election: u64,
    },
    /// All seats are taken for long enough.
    #[error("all {seats} seats are taken until an election would be over")]
    NoVacancy {
        /// Seats of the council.
        seats: u8,
    },
    /// There is no such election.
    #[error("there is no election {election}")]
    UnknownElection {
        /// Its number.
        election: u64,
    },
    /// Too early or too late.
    #[error("{now} is not between {from} and {until}, the time for this in election {election}")]
    ElectionTime {
        /// Its number.
        election: u64,
        /// Time of the block.
        now: Time,
        /// First moment.
        from: Time,
        /// First moment after it.
        until: Time,
    },
    /// Somebody stands already.
    #[error("{person} stands in election {election} already")]
    StandsAlready {
        /// Its number.
        election: u64,
        /// Who.
        person: PersonId,
    },
    /// One vote each.
    #[error("{voter} has voted in election {election}")]
    Elected {
        /// Its number.
        election: u64,
        /// Who.
        voter: PersonId,
    },
    /// Nobody chosen, or more than there are seats.
    #[error("{count} choices in election {election} of {seats} seats")]
    Choices {
        /// Its number.
        election: u64,
        /// Chosen.
        count: usize,
        /// Seats.
        seats: u8,
    },
    /// Somebody is chosen twice, or choices are not in their order.
    #[error("{person} comes too late in the choices of election {election}, or twice")]
    ChoiceOrder {
        /// Its number.
        election: u64,
        /// Who.
        person: PersonId,
    },
    /// Somebody does not stand.
    #[error("{person} does not stand in election {election}")]
    NotCandidate {
        /// Its number.
        election: u64,
        /// Who.
        person: PersonId,
    },
    /// There is no such case.
    #[error("there is no case {case}")]
    UnknownCase {
        /// Its number.
        case: u64,
    },
    /// The case is closed.
    #[error("case {case} is closed")]
    CaseClosed {
        /// Its number.
        case: u64,
    },
    /// A case against oneself.
    #[error("{person} brings a case against themselves")]
    AgainstOneself {
        /// Who.
        person: PersonId,
    },
    /// The jury is drawn.
    #[error("the jury of case {case} is drawn")]
    DrawnAlready {
        /// Its number.
        case: u64,
    },
    /// The beacon that draws the jury is not known.
    #[error("the jury of case {case} is drawn by the beacon of epoch {epoch}, which has not opened")]
    NoBeaconYet {
        /// Its number.
        case: u64,
        /// The first epoch whose beacon counts.
        epoch: EpochId,
    },
    /// A jury has the same before it, or dismissed it lately.
    #[error("case {case} is about the same: it is open, or was dismissed lately")]
    AskedAlready {
        /// Its number.
        case: u64,
    },
    /// The case is somebody else's.
    #[error("case {case} was not brought by {signer}")]
    NotComplainant {
        /// Its number.
        case: u64,
        /// Who signed.
        signer: PersonId,
    },
    /// Part of the beacon that draws the jury is known, so the case goes on.
    #[error("the beacon of epoch {epoch}, which draws the jury of case {case}, is being revealed")]
    BeaconRevealed {
        /// Its number.
        case: u64,
        /// The first epoch whose beacon counts.
        epoch: EpochId,
    },
    /// No juror can be challenged now.
    #[error("jurors of case {case} cannot be challenged now")]
    NoChallengesNow {
        /// Its number.
        case: u64,
    },
    /// Jurors do not vote now.
    #[error("jurors of case {case} do not vote now")]
    NoJuryVoteNow {
        /// Its number.
        case: u64,
    },
    /// Somebody is not on the panel.
    #[error("{person} is not on the panel of case {case}")]
    NotJuror {
        /// Its number.
        case: u64,
        /// Who.
        person: PersonId,
    },
    /// Somebody is neither side of the case.
    #[error("{signer} is no side of case {case}")]
    NotASide {
        /// Its number.
        case: u64,
        /// Who signed.
        signer: PersonId,
    },
    /// A side has challenged as many as it may.
    #[error("{signer} has challenged {limit} jurors of case {case}, as many as a side may")]
    TooManyChallenges {
        /// Its number.
        case: u64,
        /// Who signed.
        signer: PersonId,
        /// As many as a side may.
        limit: usize,
    },
    /// One vote each.
    #[error("{juror} has voted on case {case}")]
    JurorVoted {
        /// Its number.
        case: u64,
        /// Who.
        juror: PersonId,
    },
    /// Neither side has a majority, and jurors may still vote.
    #[error("case {case} is undecided")]
    Undecided {
        /// Its number.
        case: u64,
    },
    /// A rule of the identity module.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A rule of the work registry.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// A rule of the treasury.
    #[error(transparent)]
    Treasury(#[from] TreasuryError),
    /// A rule of the Eco-Reserve.
    #[error(transparent)]
    Eco(#[from] EcoError),
    /// A rule of node rewards.
    #[error(transparent)]
    Node(#[from] NodeError),
}
