//! What the reserve holds, by kind of asset.

use super::{EcoAsset, EcoKind};
use crate::state::State;
use primitives::{Credits, Time};
use std::collections::BTreeMap;

/// What the assets of a kind come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EcoTotals {
    /// Assets that the reserve holds.
    pub assets: u64,
    /// Those among them whose valuation is too old: nothing that oracles reported of them counts below.
    pub stale: u64,
    /// What all of them cost.
    pub cost: u128,
    /// What they are worth.
    pub value: u128,
    /// What they are worth after haircuts.
    pub after_haircut: u128,
    /// Thousandths of a hectare that they protect.
    pub hectares: u128,
    /// Thousandths of a tonne of carbon dioxide that they removed.
    pub tonnes: u128,
}

/// What assets that are held come to, by kind. A valuation older than `report_age` counts nothing.
pub fn totals<'a>(
    assets: impl IntoIterator<Item = &'a EcoAsset>,
    now: Time,
    report_age: u32,
) -> BTreeMap<EcoKind, EcoTotals> {
    let mut totals: BTreeMap<EcoKind, EcoTotals> = BTreeMap::new();
    for asset in assets.into_iter().filter(|asset| asset.is_held()) {
        let total = totals.entry(asset.kind).or_default();
        total.assets += 1;
        total.cost += u128::from(asset.cost.0);
        if asset.is_stale(now, report_age) {
            total.stale += 1;
            continue;
        }
        let figures = &asset.valuation.figures;
        total.value += u128::from(figures.value.0);
        total.after_haircut += u128::from(figures.after_haircut().0);
        total.hectares += u128::from(figures.mrv.hectares);
        total.tonnes += u128::from(figures.mrv.tonnes);
    }
    totals
}

impl State {
    /// What the Eco-Reserve holds, by kind of asset (chain spec 6.5, "which types of assets are held").
    pub fn eco_totals(&self, now: Time, report_age: u32) -> BTreeMap<EcoKind, EcoTotals> {
        totals(self.eco_assets.iter(), now, report_age)
    }

    /// What settled epochs brought to the Eco-Reserve's fund, in their order.
    pub fn eco_received(&self) -> impl Iterator<Item = Credits> {
        self.epochs.iter().filter_map(|epoch| epoch.summary.as_ref()).map(|summary| summary.eco)
    }
}
