//! Credits move, come and go.

use super::{
    super::{history::History, identity::AUDITOR},
    Draft,
};
use crate::world::{RESERVE, TREASURY};
use chain::{
    Payload, Transaction,
    modules::treasury::{AttestReserve, Burn, Mint, Transfer},
};
use primitives::{Credits, EpochId, PersonId};

/// About what somebody has, or a little.
fn amount(h: &mut History, person: PersonId) -> Credits {
    let balance = h.model.accounts.get(&person).map_or(0, |account| account.balance);
    let balance = u64::try_from(balance).expect("a balance");
    Credits(match h.below(10) {
        0 => balance,
        1 => balance.saturating_add(1),
        2 => 0,
        _ => h.below(balance / 2 + 1),
    })
}

pub(super) fn transfer(h: &mut History) -> Draft {
    let (from, to) = (h.someone(0), h.someone(0));
    let amount = amount(h, from);
    Some((Some(from), Payload::Transfer(Transfer { to, amount })))
}

pub(super) fn mint(h: &mut History) -> Draft {
    let (to, amount, reference) = (h.someone(0), Credits(h.below(4_000_000)), h.paper());
    Some((Some(TREASURY), Payload::Mint(Mint { to, amount, reference })))
}

pub(super) fn burn(h: &mut History) -> Draft {
    let from = h.someone(0);
    let (amount, reference) = (amount(h, from), h.paper());
    Some((Some(from), Payload::Burn(Burn { amount, reference })))
}

pub(super) fn attest(h: &mut History) -> Draft {
    let auditor = h.someone(AUDITOR);
    let supply = u64::try_from(h.model.money.minted - h.model.money.burnt).expect("a supply");
    let reserve = if h.chance(85) { RESERVE } else { Credits(supply + h.below(50_000_000)) };
    Some((Some(auditor), Payload::AttestReserve(AttestReserve { document: h.paper(), reserve })))
}

/// A payout of a settled epoch, with the path that the ledger gives for it, or with another.
pub(super) fn claim(h: &mut History) -> Draft {
    let epochs: Vec<EpochId> = h.model.epochs.keys().copied().collect();
    let epoch = h.pick(&epochs)?;
    let claims = h.world.ledger.state().claims_of_epoch(epoch);
    let mut claim = h.pick(&claims)?;
    let mut path_holds = true;
    match h.below(14) {
        0 => claim.amount.0 += 1,
        1 => claim.payee = h.someone(0),
        2 => claim.epoch.0 += h.below(2) * 2,
        3 => {
            let other = h.pick(&claims)?;
            path_holds = other.path == claim.path;
            claim.path = other.path;
        }
        4 if !claim.path.siblings.is_empty() => {
            claim.path.siblings[0] = chain::poseidon::hash2(claim.path.siblings[0], claim.path.siblings[0]);
            path_holds = false;
        }
        _ => {}
    }
    h.offer(&Transaction::open(Payload::Claim(claim)), None, path_holds);
    None
}
