//! Credits: who holds them, what covers them, how they come and go.

use super::{
    identity::{AUDITOR, TREASURER},
    model::{Model, credits},
};
use chain::modules::treasury::{AttestReserve, Burn, Fund, Mint, Transfer, TreasuryError};
use primitives::{Digest, PersonId, Time};
use std::collections::BTreeMap;

const MOST: i128 = u64::MAX as i128;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Money {
    pub(super) funds: BTreeMap<Fund, i128>,
    pub(super) minted: i128,
    pub(super) burnt: i128,
}

impl Money {
    pub(super) fn fund(&mut self, fund: Fund) -> &mut i128 {
        self.funds.entry(fund).or_default()
    }

    pub(super) fn in_fund(&self, fund: Fund) -> i128 {
        self.funds.get(&fund).copied().unwrap_or(0)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attested {
    pub(super) document: Digest,
    pub(super) reserve: i128,
    pub(super) at: Time,
    /// All that was burnt by then.
    pub(super) burnt: i128,
}

impl Model {
    pub(super) fn pay(&mut self, person: PersonId, amount: i128) -> Result<(), TreasuryError> {
        let account = self.accounts.get_mut(&person).ok_or(TreasuryError::NoAccount { person })?;
        account.balance += amount;
        if account.balance > MOST { Err(TreasuryError::Overflow) } else { Ok(()) }
    }

    pub(super) fn take(&mut self, person: PersonId, amount: i128) -> Result<(), TreasuryError> {
        let account = self.accounts.get_mut(&person).ok_or(TreasuryError::NoAccount { person })?;
        if account.balance < amount {
            let (balance, amount) = (credits(account.balance), credits(amount));
            return Err(TreasuryError::Balance { person, balance, amount });
        }
        account.balance -= amount;
        Ok(())
    }

    pub(super) fn drain(&mut self, fund: Fund, amount: i128) -> Result<(), TreasuryError> {
        let balance = self.money.fund(fund);
        if *balance < amount {
            let (balance, amount) = (credits(*balance), credits(amount));
            return Err(TreasuryError::FundBalance { fund, balance, amount });
        }
        *balance -= amount;
        Ok(())
    }

    pub(super) fn transfer(&mut self, by: PersonId, action: &Transfer) -> Result<(), TreasuryError> {
        let amount = something(action.amount.0)?;
        if action.to == by {
            return Err(TreasuryError::ToSelf { person: by });
        }
        self.take(by, amount)?;
        self.pay(action.to, amount)
    }

    /// A document serves whoever vouches by it once.
    pub(super) fn cite(&mut self, by: PersonId, document: Digest) -> Result<(), TreasuryError> {
        if self.cited.insert((by, document)) {
            Ok(())
        } else {
            Err(TreasuryError::DocumentUsed { by, document })
        }
    }

    /// An auditor's word counts while they are active and do not mint.
    fn audits(&self, person: PersonId) -> bool {
        self.acts(person, AUDITOR) && self.people[&person].roles & TREASURER == 0
    }

    pub(super) fn attest(&mut self, by: PersonId, action: &AttestReserve) -> Result<(), TreasuryError> {
        if !self.acts(by, AUDITOR) {
            return Err(TreasuryError::NotAuditor { signer: by });
        }
        if !self.audits(by) {
            return Err(TreasuryError::AuditorMints { signer: by });
        }
        self.cite(by, action.document)?;
        let (document, reserve) = (action.document, action.reserve.0.into());
        let attested = Attested { document, reserve, at: self.now, burnt: self.money.burnt };
        self.attested.insert(by, attested);
        Ok(())
    }

    /// The largest reserve on which as many auditors agree as it takes, each saying "at least so much is left".
    pub(super) fn reserve(&self) -> i128 {
        let wanted = usize::try_from(self.rule("treasury.auditors")).expect("few");
        let fresh = |attested: &Attested| self.now <= self.after(attested.at, "treasury.attestation_age");
        let said = self.attested.iter().filter(|(who, attested)| fresh(attested) && self.audits(**who));
        let left: Vec<i128> = said
            .map(|(_, attested)| (attested.reserve - (self.money.burnt - attested.burnt)).max(0))
            .collect();
        let agreed = |amount: &i128| left.iter().filter(|other| *other >= amount).count() >= wanted;
        left.iter().copied().filter(agreed).max().unwrap_or(0)
    }

    /// Adds to what was ever minted, against the reserve and under the cap.
    pub(super) fn issue(&mut self, amount: i128) -> Result<(), TreasuryError> {
        self.money.minted += amount;
        if self.money.minted > MOST {
            return Err(TreasuryError::Overflow);
        }
        let supply = self.money.minted - self.money.burnt;
        let (reserve, cap) = (self.reserve(), self.rule("treasury.cap"));
        if supply > reserve {
            return Err(TreasuryError::Reserve { reserve: credits(reserve), supply: credits(supply) });
        }
        if supply > cap {
            return Err(TreasuryError::Cap { cap: credits(cap), supply: credits(supply) });
        }
        Ok(())
    }

    pub(super) fn mint(&mut self, by: PersonId, action: &Mint) -> Result<(), TreasuryError> {
        if !self.acts(by, TREASURER) {
            return Err(TreasuryError::NotTreasurer { signer: by });
        }
        let amount = something(action.amount.0)?;
        if !self.paid_in.insert(action.reference) {
            return Err(TreasuryError::PaymentUsed { reference: action.reference });
        }
        self.issue(amount)?;
        self.pay(action.to, amount)
    }

    pub(super) fn burn(&mut self, by: PersonId, action: &Burn) -> Result<(), TreasuryError> {
        let (amount, reference) = (something(action.amount.0)?, action.reference);
        if !self.paid_out.insert((by, reference)) {
            return Err(TreasuryError::RedemptionUsed { holder: by, reference });
        }
        self.take(by, amount)?;
        self.money.burnt += amount;
        Ok(())
    }

    /// What governance pays, from funds that belong to nobody.
    pub(super) fn spend(&mut self, fund: Fund, to: PersonId, amount: u64) -> Result<(), TreasuryError> {
        match fund {
            Fund::Fee | Fund::Infrastructure | Fund::Eco => {}
            Fund::Revenue
            | Fund::Unclaimed
            | Fund::Carried
            | Fund::Layer1
            | Fund::Bonds
            | Fund::NodeRewards => {
                return Err(TreasuryError::NotForSpending { fund });
            }
        }
        let amount = something(amount)?;
        self.drain(fund, amount)?;
        self.pay(to, amount)
    }
}

fn something(amount: u64) -> Result<i128, TreasuryError> {
    if amount > 0 { Ok(amount.into()) } else { Err(TreasuryError::NothingToMove) }
}
