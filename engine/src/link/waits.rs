//! The stall detector of one peer: what is awaited of it, since when, and when to say so.

use super::limits::MAX_STEPS;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// The step of a link itself: the peer acknowledges what was sent.
pub const STEP_ACKNOWLEDGE: &str = "acknowledgement of what was sent";
/// The step of a link itself: the peer answers pings.
pub const STEP_ANSWER: &str = "answer to pings";

/// The name of a step.
pub(super) type Step = Cow<'static, str>;

/// Whether the link itself waits for it. Its own steps always find room.
fn own(step: &str) -> bool {
    step == STEP_ACKNOWLEDGE || step == STEP_ANSWER
}

/// One thing that is awaited.
struct Wait {
    since: Instant,
    /// Told when the wait has lasted this long; then doubled.
    next: Duration,
    told: bool,
}

/// What there is to tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Stalled { step: Step, waited: Duration },
    Moving { step: Step, waited: Duration },
}

/// What is awaited of one peer.
#[derive(Default)]
pub(super) struct Waits {
    open: BTreeMap<Step, Wait>,
    /// What ended after it was told of.
    ended: Vec<Notice>,
}

impl Waits {
    /// Something is awaited since `now`, unless it was already. It has stalled after `patience`.
    pub(super) fn begin(&mut self, step: Step, now: Instant, patience: Duration) {
        if self.open.len() < MAX_STEPS || own(&step) {
            self.open.entry(step).or_insert(Wait { since: now, next: patience, told: false });
        }
    }

    /// It came.
    pub(super) fn end(&mut self, step: &str, now: Instant) {
        if let Some((step, wait)) = self.open.remove_entry(step) {
            self.close(step, &wait, now);
        }
    }

    /// Everything came but what the link itself waits for.
    pub(super) fn end_all(&mut self, now: Instant) {
        let steps: Vec<_> = self.open.keys().filter(|step| !own(step)).cloned().collect();
        steps.iter().for_each(|step| self.end(step, now));
    }

    fn close(&mut self, step: Step, wait: &Wait, now: Instant) {
        if wait.told {
            self.ended.push(Notice::Moving { step, waited: now - wait.since });
        }
    }

    /// What there is to tell at `now`: first what goes on, then what has stalled.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Notice> {
        let mut notices = std::mem::take(&mut self.ended);
        for (step, wait) in &mut self.open {
            let waited = now.saturating_duration_since(wait.since);
            if waited >= wait.next {
                wait.told = true;
                // From what has passed, not from what was due: a host that slept tells once, not once for each doubling.
                wait.next = waited.max(Duration::from_millis(1)) * 2;
                notices.push(Notice::Stalled { step: step.clone(), waited });
            }
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn stalled(step: &'static str, waited: u32) -> Notice {
        Notice::Stalled { step: step.into(), waited: SECOND * waited }
    }

    #[test]
    fn a_step_is_told_of_after_its_patience_then_at_twice_the_time_and_when_it_goes_on() {
        let (mut waits, start) = (Waits::default(), Instant::now());
        let after = |seconds| start + SECOND * seconds;
        waits.begin("votes".into(), start, SECOND * 3);
        // Asking again does not begin anew.
        waits.begin("votes".into(), after(2), SECOND * 3);
        waits.begin("shares".into(), after(2), SECOND * 3);
        assert_eq!(waits.due(after(2)), []);
        assert_eq!(waits.due(after(3)), [stalled("votes", 3)]);
        assert_eq!(waits.due(after(4)), []);
        assert_eq!(waits.due(after(5)), [stalled("shares", 3)]);
        assert_eq!(waits.due(after(6)), [stalled("votes", 6)]);
        assert_eq!(waits.due(after(7)), []);
        waits.end("votes", after(8));
        let moving = Notice::Moving { step: "votes".into(), waited: SECOND * 8 };
        assert_eq!(waits.due(after(8)), [moving, stalled("shares", 6)]);
        assert_eq!(waits.due(after(12)), []);
    }

    #[test]
    fn what_came_in_time_is_not_told_of() {
        let (mut waits, start) = (Waits::default(), Instant::now());
        waits.begin("votes".into(), start, SECOND);
        waits.end("votes", start);
        waits.begin(STEP_ACKNOWLEDGE.into(), start, SECOND);
        waits.begin("shares".into(), start, SECOND);
        waits.end_all(start);
        assert_eq!(waits.due(start + SECOND), [stalled(STEP_ACKNOWLEDGE, 1)]);
    }

    #[test]
    fn there_is_a_bound_on_what_is_watched() {
        let (mut waits, start) = (Waits::default(), Instant::now());
        (0..2 * MAX_STEPS).for_each(|n| waits.begin(n.to_string().into(), start, SECOND));
        assert_eq!(waits.due(start + SECOND).len(), MAX_STEPS);
    }
}
