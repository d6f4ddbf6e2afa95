//! Epochs go on, step by step, and stewards and treasurers do what they may and what they may not.

use super::{super::history::History, Draft, elections::withdraw_late};
use crate::world::*;
use chain::{
    Payload,
    modules::{
        dapr::FinaliseEpoch,
        usage::{AbandonEpoch, OpenEpoch, Phase, ReportRevenue, TierSales},
    },
};
use primitives::{Credits, EpochId, PartyId, Tier, params::TierTerms};

/// The last epoch that opened.
fn last(h: &History) -> Option<(EpochId, Phase)> {
    h.model.epochs.iter().next_back().map(|(epoch, known)| (*epoch, known.phase))
}

/// Epochs that are neither settled nor given up: two at most.
fn in_hand(h: &History) -> Vec<(EpochId, Phase)> {
    let running = h.model.epochs.iter().filter(|(_, known)| known.runs());
    running.map(|(epoch, known)| (*epoch, known.phase)).collect()
}

/// The next thing that has to happen for an epoch to come to its end, or for the next one to open beside it.
pub(super) fn go_on(h: &mut History) -> Draft {
    let draft = match in_hand(h)[..] {
        [] => prepare(h),
        [(_, Phase::Aggregated)] if h.chance(88) => prepare(h),
        [one] => towards_end(h, one),
        [old, new, ..] => {
            let which = if h.chance(15) { old } else { new };
            towards_end(h, which)
        }
    };
    draft.and_then(|(signer, payload)| {
        h.submit(signer, payload);
        None
    })
}

fn towards_end(h: &mut History, (epoch, phase): (EpochId, Phase)) -> Draft {
    match phase {
        Phase::Open if h.batches < 2 => batch(h, epoch),
        Phase::Open => Some((None, Payload::AnchorRoot(h.world.root(epoch)))),
        Phase::Frozen => {
            let aggregate = h.world.aggregate(epoch);
            h.submit(None, Payload::SubmitAggregate(aggregate));
            None
        }
        _ if h.model.epochs[&epoch].revenue.len() < 2 && h.chance(85) => report_of(h, epoch),
        _ => {
            let done = h.submit(None, Payload::FinaliseEpoch(FinaliseEpoch { epoch }));
            let reported = h.model.epochs[&epoch].revenue.len() == TIERS.len();
            let turn = h.model.runs_before(epoch).is_none();
            // More were counted than paid: nothing else is left.
            if !done && reported && turn { abandoned(h, epoch) } else { None }
        }
    }
}

fn abandoned(h: &mut History, epoch: EpochId) -> Draft {
    Some((Some(STEWARD), Payload::AbandonEpoch(AbandonEpoch { epoch, reason: h.paper() })))
}

/// Some bundles and the header over them.
fn batch(h: &mut History, epoch: EpochId) -> Draft {
    let works = h.model.epochs[&epoch].works.len() as u64;
    let count = 1 + h.below(3);
    for _ in 0..count {
        let group = group(h.below(2) as u8, h.below(4) as u8);
        let backed = group.region != primitives::RegionTag::NONE && h.chance(70);
        let mut counts: Vec<_> =
            (0..=h.below(3)).map(|_| plays(h.below(works) as u16, 1 + h.below(9), backed)).collect();
        counts.sort_by_key(|(index, _)| *index);
        counts.dedup_by_key(|(index, _)| *index);
        h.world.accept(epoch, &(group, counts));
    }
    let header = h.world.header(epoch, count as u32);
    // The world notes what it anchored; the model hears of it here.
    h.model.anchored(&header);
    h.world.anchor(header);
    h.batches += 1;
    None
}

fn prepare(h: &mut History) -> Draft {
    let epoch = h.model.next_epoch();
    h.prepared += 1;
    match h.prepared {
        1 => Some((Some(STEWARD), h.world.seat())),
        2 => Some((Some(STEWARD), Payload::PublishKeys(World::publish_keys(epoch)))),
        step @ 3..=5 => Some((None, Payload::CommitBeacon(h.world.commit(epoch, PartyId::ALL[step - 3])))),
        step @ 6..=7 => Some((None, World::reveal(epoch, PartyId::ALL[step - 6]))),
        8 => withdraw_late(h, epoch),
        _ => Some((Some(STEWARD), Payload::OpenEpoch(opening(h, epoch)))),
    }
}

fn opening(h: &mut History, epoch: EpochId) -> OpenEpoch {
    let cap = h.model.settings.value("value_cap", epoch);
    let cap = u64::try_from(cap).expect("a cap").min(1 << 26);
    let mut terms = |tier: &Tier| {
        let price = Credits(1_000_001 + h.below(6_000_000));
        TierTerms { tier: *tier, price, max_bundles: 4, value_cap: cap }
    };
    let tiers: Vec<TierTerms> = TIERS.iter().map(&mut terms).collect();
    let sold = TIERS.map(|tier| TierSales { tier, subscriptions: 2 + h.below(3) }).into();
    OpenEpoch { epoch, tiers, sold, shard_width: h.world.shard_width }
}

pub(super) fn report(h: &mut History) -> Draft {
    let (epoch, _) = last(h)?;
    report_of(h, epoch)
}

fn report_of(h: &mut History, epoch: EpochId) -> Draft {
    let known = &h.model.epochs[&epoch];
    let missing = TIERS.into_iter().find(|tier| !known.revenue.contains_key(tier));
    let tier = missing.unwrap_or(TIERS[0]);
    let sold = known.sold.get(&tier).copied().unwrap_or(0);
    let subscriptions = if h.chance(8) { sold.saturating_sub(1) } else { sold + h.below(3) };
    Some((Some(TREASURY), Payload::ReportRevenue(ReportRevenue { epoch, tier, subscriptions })))
}

/// Mostly of an epoch that is over; one that runs is given up now and then.
pub(super) fn abandon(h: &mut History) -> Draft {
    let (epoch, _) = last(h)?;
    let back = if h.chance(30) { 0 } else { 1 };
    abandoned(h, EpochId(epoch.0.saturating_sub(back)))
}

pub(super) fn finalise(h: &mut History) -> Draft {
    let epoch = EpochId(h.model.running().0 + h.below(2));
    Some((None, Payload::FinaliseEpoch(FinaliseEpoch { epoch })))
}

/// What a steward may do, at another time.
pub(super) fn out_of_turn(h: &mut History) -> Draft {
    let next = h.model.next_epoch();
    let payload = match h.below(3) {
        0 if h.model.revealed(next) >= 2 => h.world.seat(),
        1 => Payload::PublishKeys(World::publish_keys(h.model.running())),
        _ => Payload::OpenEpoch(opening(h, next)),
    };
    let known = h.model.issuers.iter().any(|(epoch, _)| *epoch == h.model.running());
    if matches!(payload, Payload::PublishKeys(_)) && !known {
        return None;
    }
    Some((Some(STEWARD), payload))
}
