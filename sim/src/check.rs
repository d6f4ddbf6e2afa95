//! A plaintext count of what was opened, by other code: plain maps and wide integers over the rows of `workload.csv`.
//! Nothing of the proofs, the parties or the settlement is called here; the public record is only read.

use chain::light::EpochRecord;
use primitives::WorkId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One accepted event, as the simulator knows it: a row of `workload.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TruthRow {
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
    /// A cell of the totals.
    Cell {
        /// Tier.
        tier: u8,
        /// Region, 0 for none.
        region: u8,
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
            Self::Cell { tier, region, work, count, opened, counted } => {
                write!(
                    f,
                    "{count} of {work} in tier {tier}, region {region}: opened {opened}, counted {counted}"
                )
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
    /// What does not agree.
    pub mismatches: Vec<Mismatch>,
}

impl Comparison {
    /// Whether everything agrees.
    pub fn holds(&self) -> bool {
        self.mismatches.is_empty()
    }
}

fn add(sum: &mut Counts, more: Counts) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

fn counts(row: &TruthRow) -> Counts {
    [u128::from(row.view == 0), u128::from(row.backed), 1, u128::from(row.value)]
}

/// Counts the rows and compares with every opened total, every work's sums, and the payouts.
pub fn compare(rows: &[TruthRow], record: &EpochRecord) -> Comparison {
    let mut mismatches = Vec::new();
    let mut by_cell: BTreeMap<(u8, u8, WorkId), Counts> = BTreeMap::new();
    let mut by_work: BTreeMap<WorkId, Counts> = BTreeMap::new();
    for row in rows {
        add(by_cell.entry((row.tier, row.region, row.work_id)).or_default(), counts(row));
        add(by_work.entry(row.work_id).or_default(), counts(row));
    }

    let mut opened: BTreeMap<(u8, u8, WorkId), Counts> = BTreeMap::new();
    for (shard, part) in (0u32..).zip(&record.shards) {
        let works: Vec<WorkId> =
            record.works.iter().filter(|work| work.shard.0 == shard).map(|work| work.work_id).collect();
        for cell in &part.totals {
            let Some(work) = works.get(usize::from(cell.index.0)) else {
                mismatches.push(Mismatch::Padding { shard, index: cell.index.0 });
                continue;
            };
            let found = [cell.listeners, cell.backed, cell.views, cell.value].map(u128::from);
            add(opened.entry((cell.tier.0, cell.region.into(), *work)).or_default(), found);
        }
    }
    let cells: BTreeSet<_> = by_cell.keys().chain(opened.keys()).copied().collect();
    for (tier, region, work) in &cells {
        let at = (*tier, *region, *work);
        let (opened, counted) = (get(&opened, &at), get(&by_cell, &at));
        for (count, (opened, counted)) in LIMBS.into_iter().zip(opened.into_iter().zip(counted)) {
            if opened != counted {
                let (tier, region, work) = at;
                mismatches.push(Mismatch::Cell { tier, region, work, count, opened, counted });
            }
        }
    }
    compare_works(&by_work, record, &mut mismatches);
    compare_payouts(record, &mut mismatches);
    Comparison { works: record.works.len(), cells: cells.len(), mismatches }
}

fn get<K: Ord>(map: &BTreeMap<K, Counts>, key: &K) -> Counts {
    map.get(key).copied().unwrap_or_default()
}

fn compare_works(counted: &BTreeMap<WorkId, Counts>, record: &EpochRecord, mismatches: &mut Vec<Mismatch>) {
    let listed: BTreeSet<WorkId> = record.works.iter().map(|work| work.work_id).collect();
    for work in counted.keys().filter(|work| !listed.contains(work)) {
        mismatches.push(Mismatch::UnknownWork { work: *work });
    }
    for work in &record.works {
        let recorded = [work.listeners, work.backed, work.views, work.raw_usage].map(u128::from);
        let counted = get(counted, &work.work_id);
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
