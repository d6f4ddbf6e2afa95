//! What is asked of a log before anything is begun with it: nothing of it has left by then, and it may still be corrected.

use super::{
    Client, ClientError, Disk, Done, Lines, Play, Summary, UsageLog, file,
    journal::Journal,
    outcome::{Outcome, Outcomes, promises, refusals},
    plan::{self, Plan},
};
use primitives::{PartyId, Time};
use proofs::committee::QUORUM;

/// The log that an epoch has of a subscriber, or may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedIn {
    /// When its first play began.
    pub first: Time,
    /// When its last play began.
    pub last: Time,
    /// Whether somebody said to have taken some of it in. Otherwise it was sent, and nobody who would know has said that it
    /// did not arrive.
    pub answered: bool,
}

impl HandedIn {
    /// Whether a play may have been in it: then it would count twice.
    pub fn may_have(&self, play: &Play) -> bool {
        (self.first.0..=self.last.0).contains(&play.time)
    }
}

/// Who has a bundle, by what is on disk.
#[derive(PartialEq, Eq)]
enum Held {
    /// Nobody, or nobody counts it.
    Nowhere,
    /// It was sent, and what came of it is not known.
    Unheard,
    /// A party has taken it in.
    Taken,
}

impl Client {
    /// Whether it is decided what is handed in of a log. From then on the log goes on, whatever is asked of others.
    ///
    /// # Errors
    /// [`ClientError::OtherLog`] if the folder was begun with another; if the files cannot be read.
    pub fn is_begun(&self, log: &UsageLog) -> Result<bool, ClientError> {
        let is_same = if self.journal.get::<Done>(file::DONE)?.is_some() {
            // The plan is gone by then, and with it what knows the log better.
            self.journal.get::<Time>(file::LAST)?.is_none_or(|last| Some(last) == log.last())
        } else {
            match self.journal.get::<Plan>(file::PLAN)? {
                None => return Ok(false),
                Some(plan) => plan.log == log.digest(),
            }
        };
        let epoch = self.epoch.shards[0].epoch;
        if is_same { Ok(true) } else { Err(ClientError::OtherLog { epoch }) }
    }

    /// What is decided of the log: `None` before there is a plan.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn summary(&self) -> Result<Option<Summary>, ClientError> {
        summary(&self.journal)
    }

    /// Plays that would count, were they of works that the epoch has.
    pub fn unknown(&self, log: &UsageLog) -> Option<Lines> {
        log.find(|play| play.quarters() > 0 && plan::place(&self.epoch, play).is_none())
    }

    /// What is decided in a folder: `None` before there is a plan.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn decided(disk: Box<dyn Disk>) -> Result<Option<Summary>, ClientError> {
        summary(&Journal::new(disk))
    }

    /// What was handed in from a folder, or may have been: an answer that is lost is none, and the bundle is counted all the
    /// same. `None` as long as nothing was sent, and once it is known that no bundle is counted.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn handed_in(disk: Box<dyn Disk>) -> Result<Option<HandedIn>, ClientError> {
        let journal = Journal::new(disk);
        let bundles = summary(&journal)?.map_or(0, |summary| summary.bundles);
        let bundles = 0..usize::try_from(bundles).unwrap_or_default();
        let held = bundles.map(|bundle| held(&journal, bundle)).collect::<Result<Vec<_>, _>>()?;
        if held.iter().all(|held| *held == Held::Nowhere) {
            return Ok(None);
        }
        let answered = held.contains(&Held::Taken);
        let Some(last) = journal.get(file::LAST)? else { return Ok(None) };
        // Folders of before have no first: there, all that is earlier may have been in it.
        let first = journal.get(file::FIRST)?.unwrap_or(Time(0));
        Ok(Some(HandedIn { first, last, answered }))
    }
}

/// Who has a bundle.
fn held(journal: &Journal, bundle: usize) -> Result<Held, ClientError> {
    let has = |kind| journal.has(&file::of(kind, bundle));
    let said = outcomes(journal, bundle)?;
    if promises(&said).next().is_some() || has(file::FINAL)? || has(file::MISSING)? {
        return Ok(Held::Taken);
    }
    let is_out = refusals(&said).len() >= QUORUM || has(file::ABSENT)?;
    Ok(if has(file::SENT)? && !is_out { Held::Unheard } else { Held::Nowhere })
}

/// What became of the plays of a log: `None` before there is a plan.
pub(super) fn summary(journal: &Journal) -> Result<Option<Summary>, ClientError> {
    if let Some(Done { summary }) = journal.get(file::DONE)? {
        return Ok(Some(summary));
    }
    Ok(journal.get::<Plan>(file::PLAN)?.map(|plan| plan.summary))
}

/// What the parties said of a bundle so far.
pub(super) fn outcomes(journal: &Journal, bundle: usize) -> Result<Outcomes, ClientError> {
    let mut outcomes = Outcomes::default();
    for (outcome, party) in outcomes.iter_mut().zip(PartyId::ALL) {
        *outcome = journal.get::<Outcome>(&file::outcome(bundle, party))?;
    }
    Ok(outcomes)
}
