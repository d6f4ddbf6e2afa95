//! The ideal functionality that the joint opening stands for: somebody trusted adds up what the parties hold.
//!
//! Tests run it beside the real protocol. It takes what no one party may see, so nothing else may use it.

use crate::{opening::Rows, share::ReplicatedTotals};

/// Totals of every group, in order, from what the three parties hold.
pub fn totals<G: Ord + Copy>(parties: &[ReplicatedTotals<G>; 3]) -> Rows {
    let rows = parties.each_ref().map(|p| p.own().map(|(_, sum)| sum.entries.clone()).collect::<Rows>());
    let [mut totals, second, third] = rows;
    for other in [second, third] {
        for (sum, row) in totals.iter_mut().zip(other) {
            sum.iter_mut().zip(row).for_each(|(into, x)| *into += x);
        }
    }
    totals
}
