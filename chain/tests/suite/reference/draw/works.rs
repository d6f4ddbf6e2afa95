//! Works are registered, change, and leave.

use super::{
    super::{history::History, identity::CREATOR},
    Draft,
};
use chain::{
    Payload,
    modules::{
        dapr::payout::Split,
        treasury::Transfer,
        work_registry::{DeprecateWork, MediaType, RegisterWork, UpdateWork},
    },
};
use primitives::{BasisPoints, CategoryId, Credits, EpochId, Layer1Address, PersonId, WorkId};

/// A division of the whole among one to three payees, some of them on L1.
pub(super) fn splits(h: &mut History) -> Vec<Split> {
    let mut payees: Vec<PersonId> = (0..=h.below(3)).map(|_| h.someone(0)).collect();
    if h.chance(20) {
        payees.push(PersonId::layer1(Layer1Address([1 + h.below(3) as u8; 20])));
    }
    payees.sort();
    payees.dedup();
    let mut left = 10_000u16;
    let last = payees.len() - 1;
    let mut splits = Vec::new();
    for (place, payee) in payees.into_iter().enumerate() {
        let part = if place == last { left } else { 1 + h.below(u64::from(left) / 2) as u16 };
        left -= part;
        splits.push(Split { payee, share: BasisPoints::new(part).expect("a part of the whole") });
    }
    splits
}

fn price(h: &mut History) -> u64 {
    let bound = |name: &str| u64::try_from(h.model.rule(name)).expect("a price");
    let (min, max) = (bound("price_min"), bound("price_max"));
    min + h.below(max - min + 1)
}

/// An epoch soon: now and then one that has opened.
pub(super) fn soon(h: &mut History) -> EpochId {
    let back = if h.chance(10) { 1 } else { 0 };
    EpochId(h.model.next_epoch().0 + h.below(3) - back)
}

pub(super) fn some_work(h: &mut History) -> WorkId {
    let works: Vec<WorkId> = h.model.works.keys().copied().collect();
    h.pick(&works).unwrap_or_default()
}

pub(super) fn register(h: &mut History) -> Draft {
    let creator = h.someone(CREATOR);
    let register = RegisterWork {
        fingerprint: h.paper(),
        media: MediaType::Text,
        category: CategoryId(h.below(3) as u16),
        price: price(h),
        splits: splits(h),
        metadata: h.paper(),
        active_from: soon(h),
    };
    Some((Some(creator), Payload::RegisterWork(register)))
}

pub(super) fn update(h: &mut History) -> Draft {
    let work = some_work(h);
    update_of(h, work)
}

fn update_of(h: &mut History, work: WorkId) -> Draft {
    let creator = h.model.works.get(&work)?.creator;
    let update = UpdateWork { work, price: price(h), splits: splits(h), from: soon(h) };
    Some((Some(creator), Payload::UpdateWork(update)))
}

/// Whoever has nothing left changes works as long as that costs nothing.
pub(super) fn to_the_last_credit(h: &mut History) -> Draft {
    let (work, other) = (some_work(h), h.someone(0));
    let creator = h.model.works.get(&work)?.creator;
    let balance = u64::try_from(h.model.accounts[&creator].balance).expect("a balance");
    h.submit(Some(creator), Payload::Transfer(Transfer { to: other, amount: Credits(balance) }));
    for _ in 0..h.model.rule("fees.free_per_epoch") {
        let (signer, payload) = update_of(h, work)?;
        h.submit(signer, payload);
    }
    update_of(h, work)
}

pub(super) fn deprecate(h: &mut History) -> Draft {
    let work = some_work(h);
    let creator = h.model.works.get(&work)?.creator;
    Some((Some(creator), Payload::DeprecateWork(DeprecateWork { work, from: soon(h) })))
}
