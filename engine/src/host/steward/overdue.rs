//! When an epoch has come to a halt: its window is over, and nothing of it comes on record any more.
//!
//! Nobody gives an epoch up by a clock: parties that are away may come back, and what is given up is lost. So it is said, and
//! the steward decides.

use super::Told;
use chain::{Ledger, modules::usage::Epoch};
use primitives::Time;
use std::time::{Duration, Instant};

/// An epoch is overdue when nothing of it came on record for so many times the committee's patience: once it takes to seat a
/// standby, and the rest is for what parties compute.
const OVERDUE_PATIENCES: u32 = 5;
/// How long after it was said it is said again.
const SAID_AGAIN: Duration = Duration::from_secs(3_600);

/// What was last new of the first epoch that is not over.
#[derive(Default)]
pub(super) struct Overdue(Option<Seen>);

struct Seen {
    stands: Stands,
    since: Instant,
    said: Option<Instant>,
}

/// Where an epoch stands on record.
#[derive(Clone, PartialEq)]
pub(super) struct Stands {
    record: Epoch,
    opened: Time,
    /// The committee's.
    patience: Duration,
    /// Whether a standby has a seat.
    seated: bool,
    /// Tiers whose revenue was reported.
    reported: usize,
}

impl Stands {
    /// The first epoch that has opened and is not over.
    pub(super) fn first(ledger: &Ledger) -> Option<Self> {
        let state = ledger.state();
        let epoch = *state.in_hand(ledger.origin()).first()?;
        let opening = state.openings.get(&epoch)?;
        Some(Self {
            record: state.epochs.get(&epoch)?.clone(),
            opened: opening.opened,
            patience: Duration::from_secs(opening.seating.patience.into()),
            seated: state.replacements.get(&epoch).is_some(),
            reported: state.revenues_of(epoch).count(),
        })
    }
}

impl Overdue {
    /// What is to be said of the first epoch that is not over, whose bundles are taken in for as long as `window`, by the
    /// chain's clock and one that only goes on.
    pub(super) fn look(
        &mut self,
        stands: Option<Stands>,
        window: Duration,
        (time, now): (Time, Instant),
    ) -> Option<Told> {
        let closed = |stands: &Stands| time.0 > stands.opened.0.saturating_add(window.as_secs());
        // What waits for its window is not late.
        let Some(stands) = stands.filter(closed) else {
            self.0 = None;
            return None;
        };
        let (epoch, patience) = (stands.record.epoch, stands.patience);
        let seen = self.0.take().filter(|seen| seen.stands == stands);
        let seen = self.0.insert(seen.unwrap_or(Seen { stands, since: now, said: None }));
        let waited = now.saturating_duration_since(seen.since);
        let silent = seen.said.is_some_and(|said| now.saturating_duration_since(said) < SAID_AGAIN);
        if waited <= patience * OVERDUE_PATIENCES || silent {
            return None;
        }
        seen.said = Some(now);
        Some(Told::Overdue { epoch, seconds: waited.as_secs() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::{modules::usage::Phase, poseidon::Felt};
    use primitives::{Digest, EpochId};

    fn stands(phase: Phase) -> Stands {
        let record = Epoch {
            epoch: EpochId(3),
            phase,
            opening: Felt::default(),
            params: Digest::default(),
            shards: Vec::new(),
            revenues: None,
            summary: None,
            abandoned: None,
        };
        let patience = Duration::from_secs(60);
        Stands { record, opened: Time(1_000), patience, seated: false, reported: 0 }
    }

    #[test]
    fn an_epoch_on_which_nothing_comes_after_its_window_is_said_to_be_overdue_once_and_rarely_again() {
        let (mut overdue, begun, window) = (Overdue::default(), Instant::now(), Duration::from_secs(100));
        let mut at = |phase: Option<Phase>, seconds: u64| {
            let clocks = (Time(1_000 + seconds), begun + Duration::from_secs(seconds));
            overdue.look(phase.map(stands), window, clocks)
        };
        let late = |seconds| Some(Told::Overdue { epoch: EpochId(3), seconds });
        assert_eq!([0, 99, 101, 401].map(|s| at(Some(Phase::Open), s)), [None, None, None, None]);
        assert_eq!((at(Some(Phase::Open), 402), at(Some(Phase::Open), 403)), (late(301), None));
        assert_eq!(at(Some(Phase::Open), 402 + 3_600), late(3_901), "an hour later");
        assert_eq!(at(Some(Phase::Frozen), 5_000), None, "it goes on");
        assert_eq!((at(Some(Phase::Frozen), 5_300), at(Some(Phase::Frozen), 5_301)), (None, late(301)));
        assert_eq!((at(None, 5_302), at(Some(Phase::Frozen), 5_303)), (None, None), "another begins anew");
    }
}
