//! A synthetic usage table with the shape of a real one: the HetRec 2011 Last.fm set of 1,892 listeners.
//!
//! Published shape: the Gini coefficient of plays over artists is 0.893, 60.6 % of artists have a single listener, and
//! nobody lists more than 50 artists. The model:
//!
//! - a listener names up to 50 different works of a large catalogue, drawn with weight `(rank + 40)^-1.25`
//!   (Zipf-Mandelbrot: a long tail gives the single listeners, the offset keeps the head from being everybody's);
//! - plays are a Pareto factor of the listener (`u^-0.75`) times one of the row (`u^-0.625`) times an advantage of
//!   well-known works (`((rank + 40) / catalogue)^-1/8`).
//!
//! Every exponent is a multiple of 1/8, taken by square roots, which IEEE 754 rounds exactly, unlike `powf`: a seed
//! gives the same table on every machine.

use super::{draw, table::Table};
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeSet;

/// Listeners of the published set, and so of the synthetic one unless more are asked for.
pub const LISTENERS: usize = 1_892;
/// Most works that one listener names.
pub const MAX_WORKS_PER_LISTENER: u32 = 50;
/// Percentage of listeners who name fewer.
const SHORT_LISTS_PERCENT: u32 = 4;
/// Works that could be named; a quarter of them are.
const CATALOGUE: u32 = 65_000;
/// Offset of ranks, which keeps the head from being everybody's.
const RANK_OFFSET: u32 = 40;
/// Plays of a row whose factors are all at their smallest.
const BASE_PLAYS: f64 = 100.0;
/// Most plays of a row, about the largest count of the published set.
const MAX_ROW_PLAYS: f64 = 400_000.0;

/// A table of at least `subscribers` listeners.
pub fn generate(seed: u64, subscribers: usize) -> Table {
    let mut table = Table::new(SOURCE);
    let popularity = Popularity::new();
    for listener in 0..subscribers.max(LISTENERS) {
        let (name, rows) = listener_rows(seed, listener, &popularity);
        for (rank, plays) in rows {
            table.add(&name, &work_name(rank), plays).expect("rows are distinct and small");
        }
    }
    table
}

/// What the table is, in a few words.
pub(crate) const SOURCE: &str = "synthetic, shaped after the HetRec 2011 Last.fm set";

/// Name of the work of a rank, from 0. Names sort as ranks do.
pub(crate) fn work_name(rank: u32) -> String {
    format!("work-{:05}", rank + 1)
}

/// Name of a listener, numbered from 0, and the plays of works by rank, in the order they were drawn in.
pub(crate) fn listener_rows(
    seed: u64,
    listener: usize,
    popularity: &Popularity,
) -> (String, Vec<(u32, u64)>) {
    let name = format!("listener-{:05}", listener + 1);
    let mut rng = draw::rng("synthetic", seed, &name);
    let activity = pareto_6_8(&mut rng);
    let list = popularity.list(&mut rng);
    let plays = list.into_iter().map(|rank| {
        let plays = BASE_PLAYS * activity * pareto_5_8(&mut rng) * advantage(rank);
        (rank, plays.min(MAX_ROW_PLAYS) as u64)
    });
    let rows = plays.collect();
    (name, rows)
}

/// How often each work of the catalogue is named, as running sums of whole numbers.
pub(crate) struct Popularity(Vec<u64>);

impl Popularity {
    pub(crate) fn new() -> Self {
        let mut sum = 0;
        let weights = (1..=CATALOGUE).map(|rank| {
            let x = f64::from(rank + RANK_OFFSET);
            sum += ((1_u64 << 40) as f64 / (x * x.sqrt().sqrt())) as u64;
            sum
        });
        Self(weights.collect())
    }

    /// The different works of one listener, the order they were drawn in.
    fn list(&self, rng: &mut ChaCha20Rng) -> Vec<u32> {
        let short = rng.gen_range(0..100) < SHORT_LISTS_PERCENT;
        let length = if short { rng.gen_range(1..MAX_WORKS_PER_LISTENER) } else { MAX_WORKS_PER_LISTENER };
        let total = *self.0.last().expect("the catalogue is not empty");
        let (mut list, mut seen) = (Vec::new(), BTreeSet::new());
        while list.len() < length as usize {
            let ticket = rng.gen_range(0..total);
            let rank = self.0.partition_point(|sum| *sum <= ticket) as u32;
            if seen.insert(rank) {
                list.push(rank);
            }
        }
        list
    }
}

/// Uniform in (0, 1], in steps of 2^-32.
fn uniform(rng: &mut ChaCha20Rng) -> f64 {
    rng.gen_range(1..=1_u64 << 32) as f64 / (1_u64 << 32) as f64
}

/// `u^(-6/8)`: a Pareto variable with tail index 4/3.
fn pareto_6_8(rng: &mut ChaCha20Rng) -> f64 {
    let root = uniform(rng).sqrt();
    1.0 / (root * root.sqrt())
}

/// `u^(-5/8)`: a Pareto variable with tail index 8/5.
fn pareto_5_8(rng: &mut ChaCha20Rng) -> f64 {
    let root = uniform(rng).sqrt();
    1.0 / (root * root.sqrt().sqrt())
}

/// `((rank + 40) / catalogue)^(-1/8)` for ranks from 0: 2.5 for the first work, 1 for the last.
fn advantage(rank: u32) -> f64 {
    let place = f64::from(rank + RANK_OFFSET) / f64::from(CATALOGUE);
    1.0 / place.sqrt().sqrt().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// (listeners, plays) of each work.
    fn works(table: &Table) -> BTreeMap<&str, (u64, u64)> {
        let mut works: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (work, plays) in table.users().values().flatten() {
            let entry = works.entry(work).or_default();
            *entry = (entry.0 + 1, entry.1 + plays);
        }
        works
    }

    #[test]
    fn the_shape_is_the_published_one() {
        for seed in [1, 7, 42] {
            let table = generate(seed, 120);
            let works = works(&table);
            let gini = crate::report::gini(&works.values().map(|w| w.1).collect::<Vec<_>>());
            assert!((gini - 0.893).abs() < 0.02, "seed {seed}: Gini {gini}");
            let single = works.values().filter(|w| w.0 == 1).count() as f64 / works.len() as f64;
            assert!((single - 0.606).abs() < 0.02, "seed {seed}: single {single}");
            assert!((15_000..20_000).contains(&works.len()), "seed {seed}: {} works", works.len());
            assert!((91_000..94_500).contains(&table.pairs()), "seed {seed}: {} rows", table.pairs());
            assert!(table.users().values().all(|w| (1..=50).contains(&w.len())));
            assert!(table.users().values().flatten().all(|(_, plays)| *plays >= 100));
        }
    }

    #[test]
    fn a_seed_gives_one_table_and_more_listeners_leave_the_others_alone() {
        let table = generate(3, 10);
        assert_eq!(table, generate(3, 10));
        assert_ne!(table, generate(4, 10));
        let larger = generate(3, LISTENERS + 1);
        assert_eq!(larger.users().len(), LISTENERS + 1);
        assert!(table.users().iter().all(|(name, rows)| larger.users()[name] == *rows));
    }

    #[test]
    fn a_first_row_is_what_it_always_was() {
        let table = generate(1, 1);
        let (name, rows) = table.users().first_key_value().expect("not empty");
        assert_eq!((name.as_str(), rows.len()), ("listener-00001", 50));
        assert_eq!(rows.first_key_value(), Some((&"work-00002".to_owned(), &370)));
    }
}
