//! Proposals of every kind, votes on them, and what the council says.

use super::{
    super::{
        history::History,
        identity::{COUNCILLOR, VOTER},
        settings::holds,
    },
    Draft, Signed,
    eco::{acquisition, some_asset},
    works::{some_work, soon},
};
use crate::world::STEWARD;
use chain::{
    Payload,
    modules::{
        eco_reserve::Offer,
        governance::{
            Action, ApproveService, ApproveValuation, Change, Choice, Deliberate, Enact, MAX_EPOCHS_AHEAD,
            ModuleId, ModuleVersion, OfferAsset, Parameter, Path, Propose, Recall, RejectValuation,
            RemoveWork, Resolve, Say, SayOf, SetOffices, SetParameters, Spend, Stage, Vote, Withdraw,
            WithdrawOffer, WithdrawService,
        },
        identity::Roles,
        treasury::Fund,
        work_registry::Removal,
    },
};
use primitives::{Credits, Digest, EpochId};

/// Numbers of the proposals in one of some stages.
fn in_stages(h: &History, stages: &[Stage]) -> Vec<u64> {
    h.model.proposals.keys().copied().filter(|number| stages.contains(&h.model.stage(*number))).collect()
}

/// One of some proposals, now and then any.
fn one_of(h: &mut History, stages: &[Stage]) -> u64 {
    let fitting = in_stages(h, stages);
    let any = 1 + h.below(h.model.proposals.len() as u64 + 1);
    if h.chance(12) { any } else { h.pick(&fitting).unwrap_or(any) }
}

/// A change that is mostly small.
fn change(h: &mut History) -> Change {
    // Powers are not modelled, and without enough auditors no epoch goes on.
    let out = ["alpha", "beta", "treasury.auditors"];
    let parameters: Vec<Parameter> =
        Parameter::ALL.iter().copied().filter(|parameter| !out.contains(&parameter.name())).collect();
    let parameter = h.pick(&parameters).expect("parameters");
    let now = h.model.settings.value(parameter.name(), h.model.next_epoch());
    let most = u64::try_from(holds(parameter.name())).expect("64 bits");
    let now = u64::try_from(now).expect("no parameter is negative");
    let value = match h.below(10) {
        0 => 0,
        1 => most,
        2 => most.saturating_add(1),
        _ if most == 1 => h.below(2),
        _ => now - now / 4 + h.below(now / 2 + 3),
    };
    Change { parameter, value }
}

fn set_parameters(h: &mut History) -> Action {
    let mut changes: Vec<Change> = (0..=h.below(2)).map(|_| change(h)).collect();
    if !h.chance(6) {
        changes.sort_by_key(|change| change.parameter);
        changes.dedup_by_key(|change| change.parameter);
    }
    if h.chance(3) {
        changes.clear();
    }
    let far = if h.chance(6) { MAX_EPOCHS_AHEAD } else { 0 };
    let from = EpochId(soon(h).0 + h.below(2) + far);
    let review_by = h.chance(30).then(|| EpochId(from.0 + h.below(5)));
    Action::SetParameters(SetParameters { from, changes, review_by })
}

fn set_offices(h: &mut History) -> Action {
    let roles = [Roles::ORACLE, Roles::AUDITOR, Roles::SEQUENCER, Roles::TREASURER, Roles::COUNCILLOR];
    let mut person = h.someone(0);
    let (first, second) = (h.pick(&roles).expect("a role"), h.pick(&roles).expect("a role"));
    let (give, take) = match h.below(6) {
        0 => (Roles::default(), Roles::default()),
        1 => (first, Roles::SEQUENCER),
        2 => (Roles::VOTER, Roles::default()),
        3 => {
            person = STEWARD;
            (Roles::TREASURER, Roles::default())
        }
        _ => (first.with(second), Roles::default()),
    };
    Action::SetOffices(SetOffices { person, give, take })
}

fn action(h: &mut History) -> Action {
    let funds = [Fund::Fee, Fund::Eco, Fund::Infrastructure, Fund::Unclaimed];
    let asset = some_asset(h);
    let kinds = if h.model.assets.len() < 2 { 10 } else { 0 };
    match h.below(24 + kinds) {
        0..=4 => Action::AcquireAsset(acquisition(h)),
        5..=7 => {
            // Mostly to somebody who has as much, for longer than it takes to decide, and now and then for too long.
            let buyer = h.someone(0);
            let has = h.model.accounts.get(&buyer).map_or(0, |account| account.balance);
            let has = u64::try_from(has).expect("a balance");
            let price = Credits(if h.chance(80) { h.below(has + 1) } else { h.below(1_500_000) });
            let days = match h.below(14) as u32 {
                0 => 500,
                days => 1 + days,
            };
            let until = h.model.now.after(86_400 * days);
            Action::OfferAsset(OfferAsset { asset, offer: Offer { buyer, price, until } })
        }
        8 => Action::WithdrawOffer(WithdrawOffer { asset }),
        9 | 10 => {
            let round = h.model.assets.get(&asset).map_or(0, |asset| asset.round);
            Action::ApproveValuation(ApproveValuation { asset, round })
        }
        11 => Action::RejectValuation(RejectValuation { asset }),
        12 | 13 => {
            let (fund, to) = (h.pick(&funds).expect("a fund"), h.someone(0));
            let held = u64::try_from(h.model.money.in_fund(fund)).expect("a fund");
            Action::Spend(Spend { fund, to, amount: Credits(h.below(held + held / 4 + 1)) })
        }
        14..=16 => set_parameters(h),
        17 => set_offices(h),
        18 => {
            let removal = if h.chance(60) { Removal::Deprecated } else { Removal::Removed };
            let from = EpochId(soon(h).0 + 1);
            Action::RemoveWork(RemoveWork { work: some_work(h), from, removal })
        }
        19 => {
            let councillor = if h.chance(80) { h.someone(COUNCILLOR) } else { h.someone(0) };
            Action::Recall(Recall { councillor })
        }
        20 => {
            let module = h.pick(&ModuleId::ALL).expect("a module");
            let last = *h.model.modules[&module].values().next_back().expect("a version");
            // Far ahead: an epoch for which this program is too old would never open.
            let from = EpochId(h.model.next_epoch().0 + 50 + h.below(60));
            let version = last + 1 + u32::from(h.chance(10));
            Action::Upgrade(ModuleVersion { module, from, version, code: h.paper() })
        }
        21 => Action::Resolve(Resolve { text: h.paper() }),
        22 => Action::ApproveService(ApproveService { manifest: h.paper(), most: h.below(5) }),
        23 => {
            let services: Vec<Digest> = h.model.services.keys().copied().collect();
            let (any, one) = (h.paper(), h.pick(&services));
            Action::WithdrawService(WithdrawService { manifest: one.unwrap_or(any) })
        }
        _ => Action::AcquireAsset(acquisition(h)),
    }
}

pub(super) fn propose(h: &mut History) -> Draft {
    let (voter, document, action) = (h.someone(VOTER), h.paper(), action(h));
    Some((Some(voter), Payload::Propose(Propose { document, action })))
}

pub(super) fn withdraw(h: &mut History) -> Draft {
    let proposal = one_of(h, &[Stage::Discussion]);
    let by = h.model.proposals.get(&proposal).map_or(STEWARD, |proposal| proposal.by);
    let by = if h.chance(20) { h.someone(VOTER) } else { by };
    Some((Some(by), Payload::Withdraw(Withdraw { proposal })))
}

pub(super) fn deliberate(h: &mut History) -> Draft {
    // A few who have a lot to say.
    let author = super::super::history::voter(h.below(3) as u8);
    let proposal = one_of(h, &[Stage::Discussion, Stage::Voting]);
    Some((Some(author), Payload::Deliberate(Deliberate { proposal, document: h.paper() })))
}

/// Several voters at once, mostly in favour.
pub(super) fn vote(h: &mut History) -> Draft {
    if in_stages(h, &[Stage::Voting]).is_empty() && h.chance(90) {
        return None;
    }
    let proposal = one_of(h, &[Stage::Voting]);
    for _ in 0..h.below(5) {
        let choice = match h.below(10) {
            0 => Choice::Abstain,
            1 | 2 => Choice::No,
            _ => Choice::Yes,
        };
        let voter = h.someone(VOTER);
        h.submit(Some(voter), Payload::Vote(Vote { proposal, choice }));
    }
    let (voter, choice) = (h.someone(VOTER), Choice::Yes);
    Some((Some(voter), Payload::Vote(Vote { proposal, choice })))
}

pub(super) fn say(h: &mut History) -> Draft {
    let councillor = if h.chance(90) { h.someone(COUNCILLOR) } else { h.someone(VOTER) };
    if h.chance(25) {
        let proposal = one_of(h, &[Stage::Queued, Stage::Ready]);
        let veto = Payload::CouncilSay(SayOf { proposal, say: Say::Veto });
        let other = h.someone(COUNCILLOR);
        h.submit(Some(other), veto.clone());
        return Some((Some(councillor), veto));
    }
    let stages = [Stage::Discussion, Stage::Voting, Stage::Queued, Stage::Ready];
    let mut weighty = in_stages(h, &stages);
    weighty.retain(|number| h.model.proposals[number].path == Path::High);
    let any = one_of(h, &stages);
    let proposal = if h.chance(90) { h.pick(&weighty).unwrap_or(any) } else { any };
    Some((Some(councillor), Payload::CouncilSay(SayOf { proposal, say: Say::Approve })))
}

pub(super) fn enact(h: &mut History) -> Draft {
    Some((None, Payload::Enact(Enact { proposal: one_of(h, &[Stage::Ready]) })))
}

pub(super) fn due(h: &mut History) -> Vec<Signed> {
    let ready = in_stages(h, &[Stage::Ready]);
    ready.into_iter().map(|proposal| (None, Payload::Enact(Enact { proposal }))).collect()
}
