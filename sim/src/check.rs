//! A plaintext count of what was published, by other code: plain maps and wide integers over the rows of `workload.csv`.
//! Nothing of the proofs, the parties or the settlement is called here; the public record is only read.

use chain::light::EpochRecord;
use primitives::WorkId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One accepted event, as the simulator knows it: a row of `workload.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TruthRow {
    /// The epoch.
    pub epoch: u64,
    /// Who.
    pub subscriber: String,
    /// Their tier.
    pub tier: u8,
    /// Region of the bundle that the event was in; 0 for none.
    pub region: u8,
    /// The work.
    pub work_id: WorkId,
    /// Index of the view, from 0.
    pub view: u16,
    /// Quarters played.
    pub quarters: u8,
    /// Whether a receipt backs it: 0 or 1.
    pub backed: u8,
    /// What it is worth, in 2^-18 views.
    pub value: u64,
}

/// What an event is worth in 2^-18 views: `quarters * floor(2^16 / (1 + k (j - 1)))`, the view's number j counted
/// from 1, and nothing from the limit on (spec 8.1). `k` is in units of 2^-32.
pub fn event_value(k: u64, j_max: u16, view: u16, quarters: u8) -> u64 {
    if view >= j_max {
        return 0;
    }
    // floor(2^16 / (1 + K v / 2^32)) = floor(2^48 / (2^32 + K v)), v = j - 1 being the index of the view.
    let one = (1u128 << 48) / ((1u128 << 32) + u128::from(k) * u128::from(view));
    u64::from(quarters) * u64::try_from(one).unwrap_or(u64::MAX)
}

/// What is counted of a work: listeners, backed views, views, value.
type Counts = [u128; 4];
/// Names of the counts.
const LIMBS: [&str; 4] = ["listeners", "backed", "views", "value"];

/// Something that was opened or paid and is not what the rows say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mismatch {
    /// A cell is published with too few listeners, or stays closed with enough.
    Threshold {
        /// Tier.
        tier: u8,
        /// The work.
        work: WorkId,
        /// Listeners of the epoch.
        listeners: u128,
        /// Whether it is published.
        published: bool,
    },
    /// The spread of backed views over regions.
    Squares {
        /// The work.
        work: WorkId,
        /// What was opened.
        opened: u128,
        /// What the rows give.
        counted: u128,
    },
    /// The total of a published cell.
    Cell {
        /// Tier.
        tier: u8,
        /// The work.
        work: WorkId,
        /// Which count.
        count: &'static str,
        /// What was opened.
        opened: u128,
        /// What the rows give.
        counted: u128,
    },
    /// Something was counted for an index that stands for no work.
    Padding {
        /// The shard.
        shard: u32,
        /// The index.
        index: u16,
    },
    /// A sum over a work's cells in the list of works.
    Work {
        /// The work.
        work: WorkId,
        /// Which count.
        count: &'static str,
        /// What the record says.
        recorded: u128,
        /// What the rows give.
        counted: u128,
    },
    /// A row names a work that the record does not list.
    UnknownWork {
        /// The work.
        work: WorkId,
    },
    /// The payouts do not sum to the pool.
    Payouts {
        /// Sum of payouts, in micro-credits.
        paid: u128,
        /// The pool.
        pool: u128,
    },
    /// The parts of a payout do not sum to it.
    Splits {
        /// The work.
        work: WorkId,
        /// Sum of the parts.
        parts: u128,
        /// The payout.
        payout: u128,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Threshold { tier, work, listeners, published } => {
                let what = if *published { "is published" } else { "stays closed" };
                write!(f, "{work} {what} in tier {tier} with {listeners} listeners in the epoch")
            }
            Self::Squares { work, opened, counted } => {
                write!(f, "squares of backed views of {work}: opened {opened}, counted {counted}")
            }
            Self::Cell { tier, work, count, opened, counted } => {
                write!(f, "{count} of {work} in tier {tier}: opened {opened}, counted {counted}")
            }
            Self::Padding { shard, index } => {
                write!(f, "index {index} of shard {shard} stands for no work and has a count")
            }
            Self::Work { work, count, recorded, counted } => {
                write!(f, "{count} of {work}: recorded {recorded}, counted {counted}")
            }
            Self::UnknownWork { work } => write!(f, "work {work} was used and is not in the record"),
            Self::Payouts { paid, pool } => write!(f, "payouts sum to {paid}, the pool is {pool}"),
            Self::Splits { work, parts, payout } => {
                write!(f, "parts of {work} sum to {parts}, its payout is {payout}")
            }
        }
    }
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Works compared.
    pub works: usize,
    /// Cells compared: those of the rows and those opened.
    pub cells: usize,
    /// Works of which a cell is published.
    pub works_published: usize,
    /// Works of which usage is carried over.
    pub works_carried: usize,
    /// Value of published cells, in 2^-18 views, with what was carried to them.
    pub value_published: u128,
    /// Value that is carried over.
    pub value_carried: u128,
    /// What does not agree.
    pub mismatches: Vec<Mismatch>,
}

impl Comparison {
    /// Whether everything agrees.
    pub fn holds(&self) -> bool {
        self.mismatches.is_empty()
    }

    /// Part of all value that is carried over.
    pub fn value_carried_share(&self) -> f64 {
        let all = self.value_carried + self.value_published;
        if all == 0 { 0.0 } else { self.value_carried as f64 / all as f64 }
    }
}

/// A work in a tier.
type Place = (u8, WorkId);

/// What a cell holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    counts: Counts,
    /// Backed views by region.
    backed: BTreeMap<u8, u128>,
}

impl Held {
    fn add(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(sum, more)| *sum += more);
        for (region, backed) in &other.backed {
            *self.backed.entry(*region).or_default() += backed;
        }
    }

    fn row(&mut self, row: &TruthRow) {
        let counts = [u128::from(row.view == 0), u128::from(row.backed), 1, u128::from(row.value)];
        let backed = [(row.region, u128::from(row.backed))].into_iter().filter(|(_, n)| *n > 0).collect();
        self.add(&Self { counts, backed });
    }
}

/// Usage of cells that were not published so far, in the open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CarriedOver(BTreeMap<Place, Held>);

/// Counts the rows of an epoch, adds what was carried over, and compares with what was published: which cells, their
/// totals, every work's sums, and the payouts. Gives what is carried on.
pub fn compare(rows: &[TruthRow], record: &EpochRecord, carried: &CarriedOver) -> (Comparison, CarriedOver) {
    let mut mismatches = Vec::new();
    let (mut fresh, mut all) = (BTreeMap::<Place, Held>::new(), carried.0.clone());
    for row in rows {
        let place = (row.tier, row.work_id);
        fresh.entry(place).or_default().row(row);
        all.entry(place).or_default().row(row);
    }
    let opened = opened(record, &mut mismatches);
    let least = u128::from(record.params.k_anonymity.max(1));
    let (mut published, mut after) = (BTreeMap::<Place, Held>::new(), BTreeMap::new());
    let places: BTreeSet<Place> = all.keys().chain(opened.keys()).copied().collect();
    for place in &places {
        let (tier, work) = *place;
        let held = all.get(place).cloned().unwrap_or_default();
        let listeners = fresh.get(place).map_or(0, |held| held.counts[0]);
        let open = opened.get(place);
        if open.is_some() != (listeners >= least) {
            let published = open.is_some();
            mismatches.push(Mismatch::Threshold { tier, work, listeners, published });
        }
        let Some(open) = open else {
            after.insert(*place, held);
            continue;
        };
        for (count, (opened, counted)) in LIMBS.into_iter().zip(open.iter().copied().zip(held.counts)) {
            if opened != counted {
                mismatches.push(Mismatch::Cell { tier, work, count, opened, counted });
            }
        }
        published.insert(*place, held);
    }
    let works = by_work(&published);
    compare_works(&works, record, &mut mismatches);
    compare_squares(&works, record, &mut mismatches);
    compare_payouts(record, &mut mismatches);
    let carries = |held: &&Held| held.counts != Counts::default();
    let closed: BTreeSet<WorkId> =
        after.iter().filter(|(_, held)| carries(held)).map(|((_, work), _)| *work).collect();
    let value = |cells: &BTreeMap<Place, Held>| cells.values().map(|held| held.counts[3]).sum();
    let comparison = Comparison {
        works: record.works.len(),
        cells: places.len(),
        works_published: works.len(),
        works_carried: closed.len(),
        value_published: value(&published),
        value_carried: value(&after),
        mismatches,
    };
    (comparison, CarriedOver(after))
}

/// Published totals by cell.
fn opened(record: &EpochRecord, mismatches: &mut Vec<Mismatch>) -> BTreeMap<Place, Counts> {
    let mut opened = BTreeMap::new();
    for (shard, part) in (0u32..).zip(&record.shards) {
        let works: Vec<WorkId> =
            record.works.iter().filter(|work| work.shard.0 == shard).map(|work| work.work_id).collect();
        for cell in &part.totals {
            let Some(work) = works.get(usize::from(cell.index.0)) else {
                mismatches.push(Mismatch::Padding { shard, index: cell.index.0 });
                continue;
            };
            let found = [cell.listeners, cell.backed, cell.views, cell.value].map(u128::from);
            opened.insert((cell.tier.0, *work), found);
        }
    }
    opened
}

fn by_work(cells: &BTreeMap<Place, Held>) -> BTreeMap<WorkId, Held> {
    let mut works = BTreeMap::<WorkId, Held>::new();
    for ((_, work), held) in cells {
        works.entry(*work).or_default().add(held);
    }
    works
}

/// Sums over regions of squares of the views over all tiers.
fn compare_squares(works: &BTreeMap<WorkId, Held>, record: &EpochRecord, mismatches: &mut Vec<Mismatch>) {
    let mut opened = BTreeMap::<WorkId, u128>::new();
    for (shard, part) in (0u32..).zip(&record.shards) {
        let in_shard: Vec<_> = record.works.iter().filter(|work| work.shard.0 == shard).collect();
        for row in part.squares.iter().filter(|row| row.tier.is_none()) {
            if let Some(work) = in_shard.get(usize::from(row.index.0)) {
                opened.insert(work.work_id, row.sum.0);
            }
        }
    }
    let squares = |held: &Held| held.backed.values().map(|n| n * n).sum::<u128>();
    let works: BTreeMap<_, _> = works.iter().map(|(work, held)| (*work, squares(held))).collect();
    for work in works.keys().chain(opened.keys()).copied().collect::<BTreeSet<_>>() {
        let get = |map: &BTreeMap<WorkId, u128>| map.get(&work).copied().unwrap_or(0);
        let (opened, counted) = (get(&opened), get(&works));
        if opened != counted {
            mismatches.push(Mismatch::Squares { work, opened, counted });
        }
    }
}

fn compare_works(counted: &BTreeMap<WorkId, Held>, record: &EpochRecord, mismatches: &mut Vec<Mismatch>) {
    let listed: BTreeSet<WorkId> = record.works.iter().map(|work| work.work_id).collect();
    for work in counted.keys().filter(|work| !listed.contains(work)) {
        mismatches.push(Mismatch::UnknownWork { work: *work });
    }
    for work in &record.works {
        let recorded = [work.listeners, work.backed, work.views, work.raw_usage].map(u128::from);
        let counted = counted.get(&work.work_id).map_or(Counts::default(), |held| held.counts);
        for (count, (recorded, counted)) in LIMBS.into_iter().zip(recorded.into_iter().zip(counted)) {
            if recorded != counted {
                mismatches.push(Mismatch::Work { work: work.work_id, count, recorded, counted });
            }
        }
    }
}

fn compare_payouts(record: &EpochRecord, mismatches: &mut Vec<Mismatch>) {
    let mut paid = 0u128;
    for work in &record.works {
        let payout = u128::from(work.payout.0);
        let parts = work.splits.iter().map(|split| u128::from(split.amount.0)).sum();
        if parts != payout {
            mismatches.push(Mismatch::Splits { work: work.work_id, parts, payout });
        }
        paid += payout;
    }
    let money = &record.revenue;
    let pool = u128::from(money.creators.0) + u128::from(money.carried_in.0);
    if paid + u128::from(money.carried_out.0) != pool {
        mismatches.push(Mismatch::Payouts { paid, pool });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{Preset, limits::VIEW_INDICES};

    #[test]
    fn values_are_those_of_the_formula_by_hand() {
        let quarter = 1 << 30;
        assert_eq!(event_value(quarter, 32, 0, 4), 1 << 18);
        assert_eq!(event_value(quarter, 32, 4, 4), 1 << 17, "1 / (1 + 4 / 4)");
        assert_eq!(event_value(quarter, 32, 1, 1), 52_428, "65,536 * 4 / 5, rounded down");
        assert_eq!(event_value(quarter, 32, 2, 3), 3 * 43_690, "65,536 * 2 / 3, rounded down");
        assert_eq!(event_value(quarter, 32, 32, 4), 0);
        assert_eq!(event_value(0, 63, 62, 2), 1 << 17);
    }

    #[test]
    fn values_agree_with_the_parameters_that_proofs_are_made_for() {
        for preset in [Preset::Spec, Preset::Guarded, Preset::Flat] {
            let params = preset.params();
            for view in 0..VIEW_INDICES {
                let expected = u64::from(params.view_value(view)) * 3;
                assert_eq!(event_value(params.k, params.j_max, view, 3), expected, "{preset}, view {view}");
            }
        }
    }
}
