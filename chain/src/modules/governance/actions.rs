//! What voters, councillors and jurors ask for.

use super::{Action, Choice, Remedy, Say};
use primitives::{CodecError, Decode, Digest, Encode, PersonId, Reader, Writer, codec_struct};

/// Makes a proposal. Signed by a voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Propose {
    /// Hash of the text that says what and why.
    pub document: Digest,
    /// What it would do.
    pub action: Action,
}

codec_struct!(Propose { document, action });

/// Takes a proposal back before its vote begins. Signed by who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdraw {
    /// Its number.
    pub proposal: u64,
}

codec_struct!(Withdraw { proposal });

/// Says something on a proposal. Signed by a voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliberate {
    /// Its number.
    pub proposal: u64,
    /// Hash of the text.
    pub document: Digest,
}

codec_struct!(Deliberate { proposal, document });

/// Votes. Signed by a voter, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Number of the proposal.
    pub proposal: u64,
    /// What the voter says.
    pub choice: Choice,
}

codec_struct!(Vote { proposal, choice });

/// Approves or vetoes. Signed by a councillor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SayOf {
    /// Number of the proposal.
    pub proposal: u64,
    /// What the councillor says.
    pub say: Say,
}

codec_struct!(SayOf { proposal, say });

/// Enacts a proposal that is ready. Anybody may ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enact {
    /// Its number.
    pub proposal: u64,
}

codec_struct!(Enact { proposal });

/// Calls an election of the council. Signed by a voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallElection;

impl Encode for CallElection {
    fn encode(&self, _: &mut Writer) {}
}

impl Decode for CallElection {
    fn decode(_: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self)
    }
}

/// Stands for a seat. Signed by the candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Number of the election.
    pub election: u64,
}

codec_struct!(Stand { election });

/// Elects: approves of as many candidates as there are seats. Signed by a voter, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elect {
    /// Number of the election.
    pub election: u64,
    /// Whom, ascending.
    pub choices: Vec<PersonId>,
}

impl Encode for Elect {
    fn encode(&self, w: &mut Writer) {
        self.election.encode(w);
        w.seq(&self.choices);
    }
}

impl Decode for Elect {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { election: Decode::decode(r)?, choices: r.seq(super::MAX_COUNCIL_SEATS.into())? })
    }
}

/// Counts an election that is over, and seats who won. Anybody may ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseElection {
    /// Its number.
    pub election: u64,
}

codec_struct!(CloseElection { election });

/// Brings a case before a jury. Signed by a voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCase {
    /// Hash of the complaint.
    pub document: Digest,
    /// What is asked for.
    pub remedy: Remedy,
}

codec_struct!(OpenCase { document, remedy });

/// Takes a case back while nobody can know its jury. Signed by who brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawCase {
    /// Its number.
    pub case: u64,
}

codec_struct!(WithdrawCase { case });

/// Draws the jurors of a case, or closes it where there are too few. Anybody may ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawJury {
    /// Number of the case.
    pub case: u64,
}

codec_struct!(DrawJury { case });

/// Challenges a juror. Signed by one of the two sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeJuror {
    /// Number of the case.
    pub case: u64,
    /// Who.
    pub juror: PersonId,
}

codec_struct!(ChallengeJuror { case, juror });

/// Votes on a case. Signed by a juror, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JuryVote {
    /// Number of the case.
    pub case: u64,
    /// Whether what is asked for is granted.
    pub grant: bool,
}

codec_struct!(JuryVote { case, grant });

/// Closes a case that is decided, and grants what was asked for if the jury did. Anybody may ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseCase {
    /// Number of the case.
    pub case: u64,
}

codec_struct!(CloseCase { case });
