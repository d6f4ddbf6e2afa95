//! How credits come into being and go: against attested reserves, and to be paid out of them.

use super::{
    AttestReserve, Attestation, Burn, Deposit, Fund, Mint, Redemption, Supply, TreasuryError, TreasuryRules,
    check::{cite, credit, debit, fill, something},
};
use crate::{
    ledger::Context,
    modules::identity::{Identity, Roles, acts_as},
    state::{Draft, State},
};
use primitives::{Credits, PersonId, Time};

/// Whether somebody's word on the reserve counts: an active auditor who does not mint.
fn audits(state: &State, person: &PersonId) -> bool {
    let identity: Option<&Identity> = state.identities.get(person);
    identity.is_some_and(|who| who.acts_as(Roles::AUDITOR) && !who.roles.has(Roles::TREASURER))
}

impl State {
    /// Credits that came and went.
    pub fn total_supply(&self) -> Supply {
        self.supply.get(&()).cloned().unwrap_or_default()
    }

    /// The attested reserve: the largest amount of which at least as many auditors as the rules ask for say that the
    /// reserve holds it.
    ///
    /// One auditor alone can neither raise it nor, where there are more than asked for, lower it. Attestations that are
    /// too old do not count, nor those of auditors who are suspended by now, and what was burnt since an attestation is
    /// taken off it: that money is on its way out.
    pub fn attested_reserve(&self, now: Time, rules: &TreasuryRules) -> Credits {
        let burnt = self.total_supply().burnt;
        let left = |attestation: &Attestation| {
            let gone = burnt.0.saturating_sub(attestation.burnt.0);
            Credits(attestation.reserve.0.saturating_sub(gone))
        };
        let fresh = |attestation: &&Attestation| now <= attestation.at.after(rules.attestation_age);
        let counted = self.attestations.iter().filter(fresh).filter(|a| audits(self, &a.auditor));
        let mut reserves: Vec<Credits> = counted.map(left).collect();
        reserves.sort_unstable_by(|a, b| b.cmp(a));
        let enough = usize::from(rules.auditors).saturating_sub(1);
        reserves.get(enough).copied().unwrap_or(Credits::ZERO)
    }
}

fn supply(draft: &Draft<'_>) -> Supply {
    draft.get::<Supply>(&()).cloned().unwrap_or_default()
}

/// Runs [`AttestReserve`].
pub(crate) fn attest_reserve(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &AttestReserve,
) -> Result<(), TreasuryError> {
    if !acts_as(draft, signer, Roles::AUDITOR) {
        return Err(TreasuryError::NotAuditor { signer });
    }
    if !audits(draft.base(), &signer) {
        return Err(TreasuryError::AuditorMints { signer });
    }
    let AttestReserve { document, reserve } = *action;
    cite(draft, signer, document)?;
    let burnt = supply(draft).burnt;
    draft.put(Attestation { auditor: signer, document, reserve, at: at.now, burnt });
    Ok(())
}

/// Adds to the supply, if the reserve covers it. Whoever calls this puts the credits somewhere.
fn issue(draft: &mut Draft<'_>, at: &Context<'_>, amount: Credits) -> Result<(), TreasuryError> {
    let rules = &draft.base().in_force(at.genesis).rules.treasury;
    let before = supply(draft);
    let minted = before.minted.checked_add(amount).ok_or(TreasuryError::Overflow)?;
    let after = Supply { minted, ..before };
    let supply = after.in_existence();
    // Chain spec 3.6, "fiat-backed custodial reserves": no credit without cover.
    let reserve = draft.base().attested_reserve(at.now, rules);
    if reserve < supply {
        return Err(TreasuryError::Reserve { reserve, supply });
    }
    // Chain spec 3.6, "tightly controlled value": governance says how many there may be.
    if rules.cap < supply {
        return Err(TreasuryError::Cap { cap: rules.cap, supply });
    }
    draft.put(after);
    Ok(())
}

/// Mints what a tier brought into the revenue fund.
pub(crate) fn mint_revenue(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    amount: Credits,
) -> Result<(), TreasuryError> {
    issue(draft, at, amount)?;
    fill(draft, Fund::Revenue, amount)
}

/// Runs [`Mint`]. Chain spec 3.6: "Mint/burn CWE credits according to: fiat on/off-ramps".
pub(crate) fn mint(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Mint,
) -> Result<(), TreasuryError> {
    if !acts_as(draft, signer, Roles::TREASURER) {
        return Err(TreasuryError::NotTreasurer { signer });
    }
    let Mint { to, amount, reference } = *action;
    something(amount)?;
    if draft.has::<Deposit>(&reference) {
        return Err(TreasuryError::PaymentUsed { reference });
    }
    issue(draft, at, amount)?;
    credit(draft, to, amount)?;
    draft.put(Deposit { reference, to, amount, at: at.now });
    Ok(())
}

/// Runs [`Burn`]. Like a transfer it asks for no status: credits belong to their holder even while suspended.
pub(crate) fn burn(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &Burn,
) -> Result<(), TreasuryError> {
    let Burn { amount, reference } = *action;
    something(amount)?;
    if draft.has::<Redemption>(&(signer, reference)) {
        return Err(TreasuryError::RedemptionUsed { holder: signer, reference });
    }
    debit(draft, signer, amount)?;
    let before = supply(draft);
    let burnt = before.burnt.checked_add(amount).ok_or(TreasuryError::Overflow)?;
    draft.put(Supply { burnt, ..before });
    draft.put(Redemption { holder: signer, reference, amount, at: at.now });
    Ok(())
}
