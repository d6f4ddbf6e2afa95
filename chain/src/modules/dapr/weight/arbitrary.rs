//! Random parameters and usage that pass every check.

use crate::modules::dapr::weight::WorkUsage;
use primitives::{
    CategoryId, GovernanceParams, Preset, WorkId,
    limits::{EVENT_VALUE_BITS, REGIONS},
    params::{ONE_Q32, q32},
};
use proptest::{collection::vec, prelude::*};

/// A work's identifier that starts with `n`.
pub(crate) fn work_id(n: u64) -> WorkId {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&n.to_be_bytes());
    WorkId(id)
}

/// Usage with these backed views in each region, `unbacked` further views, and all views at full value, by one
/// listener each, at price one.
pub(crate) fn usage(n: u64, regions: &[u64], unbacked: u64) -> WorkUsage {
    let backed = regions.iter().sum::<u64>();
    let views = backed + unbacked;
    WorkUsage {
        work: work_id(n),
        category: CategoryId(0),
        price: ONE_Q32,
        value: views << EVENT_VALUE_BITS,
        views,
        listeners: views,
        backed,
        backed_squares: regions.iter().map(|n| u128::from(*n) * u128::from(*n)).sum(),
    }
}

/// Parameters anywhere inside the bounds of those that a weight depends on, without price normalisation.
pub(crate) fn params() -> impl Strategy<Value = GovernanceParams> {
    let alpha = prop_oneof![Just(ONE_Q32), q32(1, 2)..=q32(3, 2)];
    (alpha, 0..=q32(2, 1), q32(1, 100)..=ONE_Q32, 0..=ONE_Q32).prop_map(|(alpha, beta, b_min, delta)| {
        let (price_min, price_max) = (q32(1, 100), q32(100, 1));
        GovernanceParams { alpha, beta, b_min, delta, price_min, price_max, ..Preset::Spec.params() }
    })
}

/// A price inside the widest bounds.
pub(crate) fn price() -> impl Strategy<Value = u64> {
    prop_oneof![Just(ONE_Q32), q32(8, 10)..=q32(5, 4), q32(1, 100)..=q32(100, 1)]
}

/// Usage of work `n`, from none at all to 2^34 views.
pub(crate) fn any_usage(n: u64) -> impl Strategy<Value = WorkUsage> {
    let regions = vec((0u64..1 << 30, 0u32..31), usize::from(REGIONS));
    let shares = (0u64..=1 << 16, 0u64..=1 << 16);
    (regions, 0u64..1 << 33, 0u32..34, shares, price(), 0u16..4).prop_map(
        move |(regions, unbacked, cut, (worth, heard), price, category)| {
            let regions: Vec<_> = regions.into_iter().map(|(n, cut)| n >> cut).collect();
            let full = usage(n, &regions, unbacked >> cut);
            let part = |whole: u64, share: u64| ((u128::from(whole) * u128::from(share)) >> 16) as u64;
            WorkUsage {
                category: CategoryId(category),
                price,
                value: part(full.value, worth),
                listeners: part(full.views, heard),
                ..full
            }
        },
    )
}

/// One to `most` works with distinct identifiers.
pub(crate) fn works(most: usize) -> impl Strategy<Value = Vec<WorkUsage>> {
    vec(any_usage(0), 1..=most).prop_map(|mut works| {
        for (n, work) in works.iter_mut().enumerate() {
            work.work = work_id(n as u64);
        }
        works
    })
}
