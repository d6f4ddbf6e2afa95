//! Plays of a log with which something is the matter, and where they stand. No work is named.

use super::{Play, UsageLog};
use primitives::Time;
use serde::Serialize;
use std::fmt;

/// Lines that are named; of the others it is said that there are more.
const NAMED: usize = 5;

/// Plays of a log with which something is the matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// How many.
    pub plays: u64,
    /// The first lines of the file that they stand on, in order.
    pub first: Vec<u64>,
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut named: Vec<_> = self.first.iter().map(ToString::to_string).collect();
        if self.plays > named.len() as u64 {
            named.push("more".into());
        }
        let last = named.pop().unwrap_or_default();
        match &named[..] {
            [] => write!(f, "line {last}"),
            before => write!(f, "lines {} and {last}", before.join(", ")),
        }
    }
}

/// Plays of a log that are not from the time of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Outside {
    /// Begun before the epoch took bundles in.
    pub before: u64,
    /// Begun after it takes them in no longer.
    pub after: u64,
    /// Line of the first of them in the file.
    pub line: u64,
}

impl UsageLog {
    /// Plays of which something is so, if there are any.
    pub fn find(&self, is_so: impl Fn(&Play) -> bool) -> Option<Lines> {
        let plays = self.plays.iter().zip(&self.lines).filter(|(play, _)| is_so(play));
        let mut first: Vec<u64> = plays.map(|(_, line)| *line).collect();
        let plays = first.len() as u64;
        first.sort_unstable();
        first.truncate(NAMED);
        (plays > 0).then_some(Lines { plays, first })
    }

    /// Plays that began outside of the time from `opens` to `closes`, if there are any. They count like others: the time
    /// orders plays, and no proof says anything of it.
    pub fn outside(&self, opens: Time, closes: Time) -> Option<Outside> {
        let [before, after] = [self.find(|play| play.time < opens.0), self.find(|play| play.time > closes.0)];
        let line = *before.iter().chain(&after).filter_map(|lines| lines.first.first()).min()?;
        let [before, after] = [before, after].map(|lines| lines.map_or(0, |lines| lines.plays));
        Some(Outside { before, after, line })
    }

    /// When the last play began.
    pub fn last(&self) -> Option<Time> {
        self.plays.last().map(|play| Time(play.time))
    }
}
