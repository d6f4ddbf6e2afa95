//! From a table to the events of an epoch: which users, which works, and how many events a row becomes.

use super::{
    draw,
    table::{MAX_PLAYS, Table},
};
use rand::seq::SliceRandom;
use std::{cmp::Reverse, collections::BTreeMap};

/// Events a subscriber that the default scale aims at.
pub const EVENTS_PER_SUBSCRIBER: u64 = 30;
/// Steps of the default scale: it is a decimal fraction with twelve places.
const SCALE_STEPS: u64 = MAX_PLAYS;
/// Significant digits to which the default scale is rounded up, so that people can type it.
const SCALE_DIGITS: u32 = 4;

const _: () = assert!(SCALE_STEPS < (1 << 53) / 64, "every step up to the largest J_max is an exact double");

/// The users and works that take part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Works, the most played first.
    pub works: Vec<String>,
    /// Users by name, each with the plays of works by their place in `works`.
    pub users: Vec<(String, Vec<(usize, u64)>)>,
}

/// Takes `subscribers` users by seed, then the `works` most played among them (ties by name). Takes all, and says so
/// in `notes`, where the table has fewer.
pub fn sample(table: &Table, seed: u64, subscribers: usize, works: usize, notes: &mut Vec<String>) -> Sample {
    let mut names: Vec<&String> = table.users().keys().collect();
    if names.len() < subscribers {
        notes.push(format!(
            "{subscribers} subscribers asked for, but the table has {}: all taken",
            names.len()
        ));
    }
    names.shuffle(&mut draw::rng("users", seed, ""));
    names.truncate(subscribers);
    names.sort();

    let mut plays: BTreeMap<&str, u128> = BTreeMap::new();
    for (work, count) in names.iter().flat_map(|name| &table.users()[*name]) {
        *plays.entry(work).or_default() += u128::from(*count);
    }
    let mut ranked: Vec<(&str, u128)> = plays.into_iter().collect();
    if ranked.len() < works {
        notes
            .push(format!("{works} works asked for, but these subscribers used {}: all taken", ranked.len()));
    }
    ranked.sort_by_key(|(name, count)| (Reverse(*count), *name));
    ranked.truncate(works);

    let places: BTreeMap<&str, usize> = ranked.iter().enumerate().map(|(i, (name, _))| (*name, i)).collect();
    let users = names
        .into_iter()
        .map(|name| {
            let rows = table.users()[name].iter();
            let rows = rows.filter_map(|(work, n)| places.get(work.as_str()).map(|i| (*i, *n))).collect();
            (name.clone(), rows)
        })
        .collect();
    Sample { works: ranked.into_iter().map(|(name, _)| name.to_owned()).collect(), users }
}

/// Events that a row of `plays` becomes: `min(J_max, round(plays * scale))`. One multiplication and one rounding in
/// double precision, the same on every machine.
pub fn events(plays: u64, scale: f64, j_max: u16) -> u16 {
    let scaled = (plays as f64 * scale).round();
    if scaled >= f64::from(j_max) { j_max } else { scaled as u16 }
}

/// The smallest scale that gives [`EVENTS_PER_SUBSCRIBER`], rounded up to a few digits; if the rows cannot give so
/// many, the smallest that gives all they can.
pub fn default_scale(sample: &Sample, j_max: u16) -> f64 {
    let scale = |steps: u64| steps as f64 / SCALE_STEPS as f64;
    let total = |steps: u64| -> u64 {
        let rows = sample.users.iter().flat_map(|(_, rows)| rows);
        rows.map(|(_, plays)| u64::from(events(*plays, scale(steps), j_max))).sum()
    };
    let (mut low, mut high) = (0, u64::from(j_max) * SCALE_STEPS);
    let target = (EVENTS_PER_SUBSCRIBER * sample.users.len() as u64).min(total(high));
    // The total never falls as the scale grows: `high` reaches the target, `low` does not.
    while high - low > 1 {
        let middle = low.midpoint(high);
        if total(middle) >= target {
            high = middle;
        } else {
            low = middle;
        }
    }
    let unit = 10_u64.pow((high.ilog10() + 1).saturating_sub(SCALE_DIGITS));
    scale(high.div_ceil(unit) * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, &str, u64)]) -> Table {
        let mut table = Table::new("test");
        for (user, work, plays) in rows {
            table.add(user, work, *plays).expect("small");
        }
        table
    }

    #[test]
    fn the_most_played_works_are_taken_with_ties_by_name() {
        let table = table(&[("u", "c", 5), ("u", "b", 5), ("v", "a", 4), ("v", "d", 9)]);
        let sample = sample(&table, 1, 2, 3, &mut Vec::new());
        assert_eq!(sample.works, ["d", "b", "c"]);
        assert_eq!(sample.users[0], ("u".into(), vec![(1, 5), (2, 5)]));
        assert_eq!(sample.users[1], ("v".into(), vec![(0, 9)]));
    }

    #[test]
    fn only_the_plays_of_sampled_users_rank_works() {
        let rows: Vec<(String, String)> = (0..40).map(|i| (format!("u{i}"), format!("w{i}"))).collect();
        let rows: Vec<_> = rows.iter().map(|(u, w)| (u.as_str(), w.as_str(), 1)).collect();
        let sample = sample(&table(&rows), 7, 5, 100, &mut Vec::new());
        assert_eq!((sample.users.len(), sample.works.len()), (5, 5));
    }

    #[test]
    fn another_seed_takes_other_users() {
        let rows: Vec<String> = (0..40).map(|i| format!("u{i:02}")).collect();
        let rows: Vec<_> = rows.iter().map(|u| (u.as_str(), "w", 1)).collect();
        let users = |seed| sample(&table(&rows), seed, 5, 1, &mut Vec::new()).users;
        assert_eq!(users(1), users(1));
        assert_ne!(users(1), users(2));
    }

    #[test]
    fn a_small_table_is_taken_whole_and_says_so() {
        let mut notes = Vec::new();
        let sample = sample(&table(&[("u", "a", 1)]), 1, 9, 9, &mut notes);
        assert_eq!((sample.users.len(), sample.works.len(), notes.len()), (1, 1, 2));
    }

    #[test]
    fn a_row_rounds_and_stops_at_j_max() {
        assert_eq!(events(10, 0.04, 32), 0);
        assert_eq!(events(10, 0.05, 32), 1);
        assert_eq!(events(10, 0.15, 32), 2);
        assert_eq!(events(MAX_PLAYS, 63.0, 63), 63);
        assert_eq!(events(1, 0.0, 32), 0);
    }

    #[test]
    fn the_default_scale_reaches_the_target_with_few_digits() {
        let rows: Vec<(String, u64)> = (0..50).map(|i| (format!("w{i}"), 1 << (i / 3))).collect();
        let rows: Vec<_> = rows.iter().map(|(w, n)| ("u", w.as_str(), *n)).collect();
        let sample = sample(&table(&rows), 1, 1, 50, &mut Vec::new());
        let scale = default_scale(&sample, 32);
        let total: u16 = sample.users[0].1.iter().map(|(_, n)| events(*n, scale, 32)).sum();
        assert!((30..40).contains(&total), "{total} events at {scale}");
        let digits = scale.to_string().replace(['.', '-'], "");
        assert!(digits.trim_start_matches('0').len() <= 4, "{scale}");
    }

    #[test]
    fn rows_that_cannot_reach_the_target_give_all_they_can() {
        let sample = sample(&table(&[("u", "a", 1), ("u", "b", 3)]), 1, 1, 2, &mut Vec::new());
        let scale = default_scale(&sample, 4);
        assert_eq!((events(1, scale, 4), events(3, scale, 4)), (4, 4));
    }
}
