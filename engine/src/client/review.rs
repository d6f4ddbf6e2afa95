//! What is asked of a log before anything is begun with it: nothing of it has left by then, and it may still be corrected.

use super::{
    Client, ClientError, Disk, Done, Lines, Summary, UsageLog, file,
    journal::Journal,
    outcome::{Outcome, Outcomes, promises},
    plan::{self, Plan},
};
use primitives::{PartyId, Time};

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

    /// When the last play began of the log that was handed in from a folder: whatever began later was not in it. `None` as
    /// long as no party has taken a bundle in.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn handed_in(disk: Box<dyn Disk>) -> Result<Option<Time>, ClientError> {
        let journal = Journal::new(disk);
        let bundles = summary(&journal)?.map_or(0, |summary| summary.bundles);
        for bundle in 0..usize::try_from(bundles).unwrap_or_default() {
            if promises(&outcomes(&journal, bundle)?).next().is_some() {
                return Ok(journal.get(file::LAST)?);
            }
        }
        Ok(None)
    }
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
