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

    /// When the first play began.
    pub fn first(&self) -> Option<Time> {
        self.plays.first().map(|play| Time(play.time))
    }

    /// When the last play began.
    pub fn last(&self) -> Option<Time> {
        self.plays.last().map(|play| Time(play.time))
    }
}
