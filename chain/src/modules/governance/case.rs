//! Cases, and what jurors say on them, as they are on record.

use super::People;
use crate::state::{
    ToFelts,
    fields::{codec_enum, number_enum, record},
    leaf,
};
use primitives::{Digest, Encode, EpochId, PersonId, Time, WorkId};

/// What is asked of a jury.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Remove a work.
    RemoveWork(WorkId),
    /// Suspend a person.
    Suspend(PersonId),
    /// Revoke a person.
    Revoke(PersonId),
}

impl Remedy {
    /// What or whom it is about: one question to a jury, whatever is asked for.
    pub(super) fn subject(&self) -> (Option<WorkId>, Option<PersonId>) {
        match *self {
            Self::RemoveWork(work) => (Some(work), None),
            Self::Suspend(person) | Self::Revoke(person) => (None, Some(person)),
        }
    }
}

codec_enum!(Remedy("remedy") {
    0 => RemoveWork,
    1 => Suspend,
    2 => Revoke,
});

impl ToFelts for Remedy {
    fn felts(&self, out: &mut crate::state::Fields) {
        out.push(&crate::state::fields::Bytes(&self.to_bytes()));
    }
}

number_enum! {
    /// How a case stands.
    Verdict("verdict") {
        /// Not closed.
        Open = 0,
        /// What was asked for is granted.
        Granted = 1,
        /// It is not.
        Dismissed = 2,
        /// No jury could be drawn, and nothing is granted.
        NoJury = 3,
        /// Whoever brought the case took it back.
        Withdrawn = 4,
    }
}

/// A case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its number, from 1.
    pub number: u64,
    /// Who brought it.
    pub complainant: PersonId,
    /// Whom it is brought against.
    pub respondent: PersonId,
    /// Hash of the complaint.
    pub document: Digest,
    /// What is asked for.
    pub remedy: Remedy,
    /// When it was opened. Who was not a voter by then is not drawn.
    pub opened: Time,
    /// First epoch whose beacon may draw the jury.
    pub draw_from: EpochId,
    /// When the jury was drawn, if it was.
    pub drawn: Option<Time>,
    /// Who was drawn, in order: the panel, and who moves up for each that is challenged.
    pub jurors: People,
    /// Jurors challenged by the complainant.
    pub by_complainant: People,
    /// Jurors challenged by the respondent.
    pub by_respondent: People,
    /// Size of the panel.
    pub panel: u8,
    /// End of the challenges.
    pub challenge_until: Time,
    /// End of the votes.
    pub vote_until: Time,
    /// Jurors who grant.
    pub granted: u8,
    /// Jurors who do not.
    pub dismissed: u8,
    /// How it stands.
    pub verdict: Verdict,
}

record!(Case {
    number,
    complainant,
    respondent,
    document,
    remedy,
    opened,
    draw_from,
    drawn,
    jurors,
    by_complainant,
    by_respondent,
    panel,
    challenge_until,
    vote_until,
    granted,
    dismissed,
    verdict,
});

leaf!(Case by number: u64);

impl Case {
    /// Who decides: the first of those drawn whom nobody challenged.
    pub fn panel(&self) -> impl Iterator<Item = PersonId> {
        let challenged = |person: &PersonId| {
            self.by_complainant.0.contains(person) || self.by_respondent.0.contains(person)
        };
        self.jurors.0.iter().copied().filter(move |person| !challenged(person)).take(self.panel.into())
    }

    /// Whether one side has more than half of the panel.
    pub(super) fn is_decided(&self) -> bool {
        self.granted.max(self.dismissed) > self.panel / 2
    }
}

/// A juror's vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JurorVote {
    /// On which case.
    pub case: u64,
    /// Whose.
    pub juror: PersonId,
    /// Whether what is asked for is granted.
    pub grant: bool,
}

record!(JurorVote { case, juror, grant });

leaf!(JurorVote by case: u64, juror: PersonId);
