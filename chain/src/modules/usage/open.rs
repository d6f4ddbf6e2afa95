//! Opening an epoch, and what it brought.

use super::{
    Anchors, Epoch, Home, IssuerKey, ListedWork, OpenEpoch, Opening, Phase, ReportRevenue, Seat, TierRevenue,
    UsageError, beacon_key,
    prepare::{beacons, only_next, only_steward},
};
use crate::{
    ledger::Context,
    modules::{
        governance,
        identity::{Roles, acts_as},
        treasury,
    },
    state::Draft,
};
use primitives::{Digest, EpochId, GovernanceParams, PartyId, PersonId, ShardIndex, limits};

/// Runs [`OpenEpoch`].
pub(crate) fn open_epoch(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &OpenEpoch,
) -> Result<(), UsageError> {
    only_steward(draft, signer)?;
    let OpenEpoch { epoch, tiers, sold, shard_width } = action.clone();
    only_next(draft, at, epoch)?;
    governance::check_supported(draft, epoch)?;
    let state = draft.base();
    state.check_before(epoch)?;
    // Spec 10.4: what governance set for this epoch, and nobody else.
    let params = state.version_of(epoch).params.clone();
    check_tiers(draft, action, &params)?;
    check_sales(action)?;
    let seat = state.committee_for(epoch).ok_or(UsageError::NoCommittee { epoch })?;
    let (committee, seating) = (seat.committee.clone(), seat.seating.clone());

    // Protocol notes, section 1: "a party that does not reveal is skipped"; one that is left alone would choose.
    let reveals: std::collections::BTreeMap<_, _> =
        beacons(draft, epoch).filter_map(|beacon| Some((beacon.party, beacon.value?))).collect();
    if reveals.len() < 2 {
        return Err(UsageError::TooFewReveals { count: reveals.len() });
    }
    let key = beacon_key(at.genesis.chain, epoch, &at.head, &reveals);
    let works = state.works_of_epoch(epoch, &params, (&key, shard_width));
    let shards = works.iter().map(|listed| listed.shard.0 + 1).max().unwrap_or(0);
    let rooms = (0..shards).map(|shard| state.room_of(epoch, ShardIndex(shard))).collect();
    let opening = Opening {
        epoch,
        chain: at.genesis.chain,
        key,
        block: at.head,
        opened: at.now,
        reveals,
        committee,
        seating,
        params,
        tiers,
        sold,
        works,
        shard_width,
        rooms,
    };
    // The steward can open over whatever the registry holds: the widest shards take all of it.
    for shard in opening.shards()? {
        let (shard, headers, chain) = (shard.index(), Vec::new(), Digest::default());
        draft.put(Anchors { epoch, shard, headers, chain });
    }
    for ListedWork { work, shard, .. } in &opening.works {
        if !draft.has::<Home>(work) {
            draft.put(Home { work: *work, shard: *shard });
        }
    }
    for (party, operator) in PartyId::ALL.into_iter().zip(opening.seating.operators) {
        draft.put(Seat { operator, party });
    }
    draft.put(Epoch::open(&opening));
    draft.put(opening);
    Ok(())
}

fn check_tiers(draft: &Draft<'_>, action: &OpenEpoch, params: &GovernanceParams) -> Result<(), UsageError> {
    if action.tiers.is_empty() {
        return Err(UsageError::NoTier);
    }
    if action.tiers.len() > limits::MAX_TIERS {
        return Err(UsageError::TooManyTiers { count: action.tiers.len() });
    }
    if let Some(pair) = action.tiers.windows(2).find(|pair| pair[0].tier >= pair[1].tier) {
        return Err(UsageError::TierOrder { tier: pair[1].tier });
    }
    for terms in &action.tiers {
        let (tier, epoch) = (terms.tier, action.epoch);
        if terms.max_bundles == 0 {
            return Err(UsageError::TierWithoutBundles { tier });
        }
        if !terms.has_a_cap_below(params) {
            return Err(UsageError::TierCap { tier, cap: terms.value_cap, limit: params.value_cap });
        }
        // Protocol notes, section 2: "Issuer keys are per tier and epoch, on chain."
        if !draft.has::<IssuerKey>(&(epoch, tier)) {
            return Err(UsageError::NoIssuerKey { tier, epoch });
        }
    }
    Ok(())
}

/// Protocol notes, section 2: "the number of distinct Y accepted for a tier may not exceed the subscriptions its revenue
/// record reports". Parties go by what is on record when the epoch opens.
fn check_sales(action: &OpenEpoch) -> Result<(), UsageError> {
    for (place, terms) in action.tiers.iter().enumerate() {
        let tier = terms.tier;
        let sales = action.sold.get(place).filter(|sales| sales.tier == tier);
        let sold = sales.ok_or(UsageError::Sales { tier })?.subscriptions;
        // What was sold will have to be reported, so it has to be a sum of money.
        terms.price.checked_mul(sold).ok_or(UsageError::RevenueOverflow { tier })?;
    }
    match action.sold.get(action.tiers.len()) {
        Some(extra) => Err(UsageError::Sales { tier: extra.tier }),
        None => Ok(()),
    }
}

/// An epoch that has opened.
pub(super) fn known(draft: &Draft<'_>, epoch: EpochId) -> Result<Epoch, UsageError> {
    draft.get::<Epoch>(&epoch).cloned().ok_or(UsageError::UnknownEpoch { epoch })
}

/// Its opening.
pub(super) fn opening<'a>(draft: &Draft<'a>, epoch: EpochId) -> &'a Opening {
    draft.base().openings.get(&epoch).expect("an epoch on record has its opening on record")
}

/// Runs [`ReportRevenue`].
pub(crate) fn report_revenue(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &ReportRevenue,
) -> Result<(), UsageError> {
    if !acts_as(draft, signer, Roles::TREASURER) {
        return Err(UsageError::NotTreasury { signer });
    }
    let ReportRevenue { epoch, tier, subscriptions } = *action;
    match known(draft, epoch)?.phase {
        Phase::Open | Phase::Frozen | Phase::Aggregated => {}
        Phase::Finalised => return Err(UsageError::Settled { epoch }),
        Phase::Abandoned => return Err(UsageError::Abandoned { epoch }),
    }
    let opening = opening(draft, epoch);
    let terms = opening.tier(tier).ok_or(UsageError::UnknownTier { epoch, tier })?;
    if draft.has::<TierRevenue>(&(epoch, tier)) {
        return Err(UsageError::RevenueReported { epoch, tier });
    }
    let (sold, reported) = (opening.sold(tier), subscriptions);
    if reported < sold {
        return Err(UsageError::FewerThanSold { tier, sold, reported });
    }
    let revenue = terms.price.checked_mul(subscriptions).ok_or(UsageError::RevenueOverflow { tier })?;
    treasury::mint_revenue(draft, at, revenue)?;
    draft.put(TierRevenue { epoch, tier, subscriptions, revenue });
    Ok(())
}
