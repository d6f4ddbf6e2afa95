//! One thing about a payload is changed.

use super::history::History;
use chain::{
    Payload,
    modules::{dapr::payout::Split, governance::Remedy},
};
use primitives::{BasisPoints, Credits, Digest, EpochId, PersonId, Tier, WorkId};

const NOBODY: PersonId = PersonId([0xee; 32]);
const NOTHING: Digest = Digest([0xef; 32]);

fn amount(h: &mut History, amount: &mut Credits) {
    amount.0 = [0, 1, amount.0.wrapping_add(1), u64::MAX, u64::MAX / 2][h.below(5) as usize];
}

fn epoch(h: &mut History, epoch: &mut EpochId) {
    epoch.0 = [epoch.0 + 1, epoch.0 - 1, epoch.0 + 200, 1][h.below(4) as usize];
}

fn splits(h: &mut History, splits: &mut Vec<Split>) {
    let part = |n| BasisPoints::new(n).expect("a part of the whole");
    let first = splits[0];
    match h.below(7) {
        0 => splits.clear(),
        1 => splits.push(first),
        2 => splits[0].share = part(0),
        3 => splits.insert(0, Split { payee: PersonId([0xff; 32]), share: part(1) }),
        4 => splits[0].payee = PersonId([0; 32]),
        5 => *splits = vec![Split { payee: NOBODY, share: part(10_000) }],
        _ => splits[0].share = part(first.share.get() - 1),
    }
}

/// Changes a payload into one that is mostly refused.
pub(super) fn mutate(h: &mut History, payload: &mut Payload) {
    match payload {
        Payload::Register(action) => match h.below(2) {
            0 => action.person = PersonId([0; 32]),
            _ => action.nullifier = Digest([150; 32]),
        },
        Payload::SetStatus(action) => action.person = NOBODY,
        Payload::RegisterWork(action) => match h.below(3) {
            0 => action.price = [0, u64::MAX][h.below(2) as usize],
            1 => epoch(h, &mut action.active_from),
            _ => splits(h, &mut action.splits),
        },
        Payload::UpdateWork(action) => match h.below(4) {
            0 => action.price = [0, u64::MAX][h.below(2) as usize],
            1 => epoch(h, &mut action.from),
            2 => action.work = WorkId(NOTHING.0),
            _ => splits(h, &mut action.splits),
        },
        Payload::DeprecateWork(action) => match h.below(2) {
            0 => epoch(h, &mut action.from),
            _ => action.work = WorkId(NOTHING.0),
        },
        Payload::Transfer(action) => match h.below(3) {
            0 => action.to = NOBODY,
            1 => action.to = h.someone(0),
            _ => amount(h, &mut action.amount),
        },
        Payload::AttestReserve(action) => amount(h, &mut action.reserve),
        Payload::Mint(action) => match h.below(2) {
            0 => action.to = NOBODY,
            _ => amount(h, &mut action.amount),
        },
        Payload::Burn(action) => amount(h, &mut action.amount),
        Payload::ReportRevenue(action) => match h.below(4) {
            0 => epoch(h, &mut action.epoch),
            1 => action.tier = Tier(7),
            2 => action.subscriptions = u64::MAX,
            _ => action.subscriptions = 0,
        },
        Payload::OpenEpoch(action) => match h.below(9) {
            0 => epoch(h, &mut action.epoch),
            1 => action.tiers.clear(),
            2 => action.tiers.reverse(),
            3 => action.tiers[0].max_bundles = 0,
            4 => action.tiers[1].value_cap = u64::MAX,
            5 => action.tiers[1].tier = Tier(5),
            6 => action.sold.reverse(),
            7 => drop(action.sold.pop()),
            _ => action.sold[0].subscriptions = u64::MAX,
        },
        Payload::FinaliseEpoch(action) => epoch(h, &mut action.epoch),
        Payload::AbandonEpoch(action) => epoch(h, &mut action.epoch),
        Payload::PushValuation(action) => action.asset.0 = NOTHING,
        Payload::AcceptValuation(action) => action.asset.0 = NOTHING,
        Payload::BuyAsset(action) => match h.below(2) {
            0 => action.asset.0 = NOTHING,
            _ => amount(h, &mut action.price),
        },
        Payload::Withdraw(action) => action.proposal += 40,
        Payload::Vote(action) => action.proposal = h.below(9),
        Payload::CouncilSay(action) => action.proposal = h.below(9),
        Payload::Enact(action) => action.proposal = h.below(9),
        Payload::Stand(action) => action.election += 1,
        Payload::Elect(action) => action.choices.clear(),
        Payload::CloseElection(action) => action.election += 1,
        Payload::OpenCase(action) => match h.below(2) {
            0 => action.remedy = Remedy::RemoveWork(WorkId(NOTHING.0)),
            _ => action.remedy = Remedy::Suspend(NOBODY),
        },
        Payload::WithdrawCase(action) => action.case += 1,
        Payload::DrawJury(action) => action.case += 1,
        Payload::ChallengeJuror(action) => action.juror = h.someone(0),
        Payload::JuryVote(action) => action.case += 1,
        Payload::CloseCase(action) => action.case += 1,
        _ => {}
    }
}
