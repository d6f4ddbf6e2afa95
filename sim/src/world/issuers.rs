//! Blind signers: one for each tier, and one for each region and denomination of which receipts can be needed.

use super::WorldError;
use crate::{
    progress::{Progress, Stage},
    workload::{Workload, draw},
};
use primitives::{EpochId, Region, Tier};
use proofs::{blind::BlindIssuer, receipt::Denomination};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The blind signers of an epoch.
pub struct Issuers {
    /// Issuers of tokens.
    pub tiers: BTreeMap<Tier, BlindIssuer>,
    /// Signers of receipts, in the regions where somebody has receipts.
    pub regions: BTreeMap<(Region, Denomination), BlindIssuer>,
}

#[derive(Clone, Copy)]
enum Holder {
    Tier(Tier),
    Region(Region, Denomination),
}

impl Holder {
    fn name(self) -> String {
        match self {
            Self::Tier(tier) => format!("tier {tier}"),
            Self::Region(region, denomination) => {
                format!("region {region}, receipts of {}", denomination.views())
            }
        }
    }
}

impl Issuers {
    /// Makes every key, in parallel, each from a seed of its own.
    pub(super) fn generate(
        workload: &Workload,
        epoch: EpochId,
        progress: &dyn Progress,
    ) -> Result<Self, WorldError> {
        let regions: BTreeSet<Region> = workload.subscribers.iter().filter_map(|s| s.region.0).collect();
        let of_region = |r: Region| Denomination::all().map(move |d| Holder::Region(r, d));
        let holders: Vec<Holder> = draw::TIERS
            .into_iter()
            .map(|(tier, _)| Holder::Tier(tier))
            .chain(regions.into_iter().flat_map(of_region))
            .collect();
        progress.begin(Stage::Keys, holders.len() as u64);
        let keys: Vec<BlindIssuer> = holders
            .par_iter()
            .map(|holder| {
                let name = holder.name();
                let label = format!("{name} in epoch {epoch}");
                let key = BlindIssuer::generate(&mut draw::rng("blind-signer", workload.seed, &label));
                progress.advance(Stage::Keys, 1);
                key.map_err(|error| WorldError::Issuer { holder: name, error })
            })
            .collect::<Result<_, _>>()?;
        progress.end(Stage::Keys);
        let mut issuers = Self { tiers: BTreeMap::new(), regions: BTreeMap::new() };
        for (holder, key) in holders.into_iter().zip(keys) {
            match holder {
                Holder::Tier(tier) => drop(issuers.tiers.insert(tier, key)),
                Holder::Region(region, denomination) => {
                    drop(issuers.regions.insert((region, denomination), key));
                }
            }
        }
        Ok(issuers)
    }
}
