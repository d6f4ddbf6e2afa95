//! What earlier epochs have of a subscriber, or may have: it would count twice.

use super::{ClientFailure, Desk};
use chain::modules::usage::Phase;
use engine::client::{Client, ClientError, Folder, HandedIn, UsageLog};
use primitives::EpochId;
use std::path::Path;

impl Desk {
    /// What was handed in for earlier epochs, in their order. An epoch that was given up pays nothing: what it had may come
    /// again.
    pub(super) fn earlier(&self, epoch: EpochId) -> Result<Vec<(EpochId, HandedIn)>, ClientFailure> {
        let given_up = |epoch: &EpochId| {
            self.mirror.read(|ledger| {
                ledger.state().epochs.get(epoch).is_some_and(|found| found.phase == Phase::Abandoned)
            })
        };
        let mut found = Vec::new();
        for earlier in self.folders().into_iter().filter(|earlier| *earlier < epoch && !given_up(earlier)) {
            let dir = self.folder(earlier);
            let disk = Folder::open(&dir).map_err(ClientError::from);
            let had = disk.and_then(|disk| Client::handed_in(Box::new(disk)));
            let had = had.map_err(|error| ClientFailure::Earlier { dir, error })?;
            found.extend(had.map(|had| (earlier, had)));
        }
        Ok(found)
    }
}

/// Refuses a log with plays that an earlier epoch may have. Parties are not asked here what became of them: whoever asks for
/// the bundles of one epoch and hands in those of the next in one breath says whose both are.
pub(super) fn review(
    (path, log): (&Path, &UsageLog),
    earlier: &[(EpochId, HandedIn)],
) -> Result<(), ClientFailure> {
    let Some(lines) = log.find(|play| earlier.iter().any(|(_, had)| had.may_have(play))) else {
        return Ok(());
    };
    let has_some = |had: &HandedIn| log.plays().iter().any(|play| had.may_have(play));
    let mut latest = earlier.iter().rev().filter(|(_, had)| has_some(had));
    let log = path.to_path_buf();
    // Where one epoch has them for certain, what became of another's changes nothing.
    Err(match latest.clone().find(|(_, had)| had.answered).or_else(|| latest.next()) {
        Some((epoch, had)) if !had.answered => ClientFailure::Unheard { log, lines, epoch: *epoch },
        Some((epoch, _)) => ClientFailure::Again { log, lines, epoch: *epoch },
        None => return Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::client::Play;
    use primitives::{Time, WorkId};

    fn log(times: &[u64]) -> UsageLog {
        let play =
            |time: &u64| Play { time: *time, work: WorkId([7; 32]), played: 9, length: 9, backed: false };
        UsageLog::new(times.iter().map(play).collect())
    }

    fn had(epoch: u64, last: u64, answered: bool) -> (EpochId, HandedIn) {
        (EpochId(epoch), HandedIn { first: Time(last - 15), last: Time(last), answered })
    }

    #[test]
    fn what_an_earlier_epoch_may_have_is_refused_whether_a_party_answered_or_not() {
        let review = |times: &[u64], earlier: &[_]| review((Path::new("plays.csv"), &log(times)), earlier);
        assert!(review(&[5], &[]).is_ok());
        assert!(review(&[31], &[had(1, 20, true), had(2, 30, false)]).is_ok());
        // An epoch that was given up is not among them: what it had comes again, though a later one has had a log.
        assert!(review(&[5, 14], &[had(2, 30, true)]).is_ok());
        let refused = review(&[5, 25, 35], &[had(1, 20, true), had(2, 30, true)]);
        assert!(
            matches!(&refused, Err(ClientFailure::Again { lines, epoch: EpochId(2), .. }) if lines.plays == 2),
            "{refused:?}"
        );
        let refused = review(&[25, 35], &[had(1, 20, true), had(2, 30, false)]);
        assert!(
            matches!(&refused, Err(ClientFailure::Unheard { lines, epoch: EpochId(2), .. }) if lines.plays == 1),
            "{refused:?}"
        );
        let refused = review(&[5], &[had(1, 20, true), had(2, 30, false)]);
        assert!(matches!(refused, Err(ClientFailure::Again { epoch: EpochId(1), .. })), "{refused:?}");
    }
}
