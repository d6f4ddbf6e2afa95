//! Persons, their roles and status, and their accounts.

use super::model::{Model, bits, later};
use chain::{
    ledger::Authority,
    modules::identity::{IdentityError, Register, Rotate, SetStatus, Status},
    signature::PublicKey,
};
use primitives::{EpochId, PersonId, Time};
use std::collections::BTreeMap;

pub(super) const CREATOR: u16 = 1;
pub(super) const VOTER: u16 = 1 << 5;
pub(super) const AUDITOR: u16 = 1 << 6;
pub(super) const ORACLE: u16 = 1 << 7;
pub(super) const COUNCILLOR: u16 = 1 << 8;
pub(super) const REGISTRAR: u16 = 1 << 9;
pub(super) const STEWARD: u16 = 1 << 10;
pub(super) const TREASURER: u16 = 1 << 11;
const SEQUENCER: u16 = 1 << 12;
/// Roles that a credential gives; the others are offices.
const BY_CREDENTIAL: u16 = (1 << 6) - 1;
const ALL: u16 = (1 << 13) - 1;
/// Offices that a proposal gives and takes: all but the seats of the council.
pub(super) const OFFICES: u16 = ALL & !BY_CREDENTIAL & !COUNCILLOR;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) roles: u16,
    pub(super) status: Status,
    pub(super) since: Time,
    pub(super) keyed: Time,
}

#[derive(Clone)]
pub(super) struct Account {
    pub(super) key: PublicKey,
    pub(super) nonce: u64,
    pub(super) balance: i128,
    /// Transactions that cost nothing, by epoch.
    pub(super) free_used: BTreeMap<EpochId, i128>,
}

impl Account {
    fn new(key: PublicKey) -> Self {
        Self { key, nonce: 0, balance: 0, free_used: BTreeMap::new() }
    }
}

impl Model {
    pub(super) fn join_at_genesis(&mut self, office: &Authority) {
        let (roles, now) = (bits(office.roles), self.now);
        let person = Person { roles, status: Status::Active, since: now, keyed: now };
        self.people.insert(office.person, person);
        self.accounts.insert(office.person, Account::new(office.key));
        if roles & COUNCILLOR != 0 {
            self.seat(office.person, 0);
        }
    }

    /// Whether somebody is active in a role.
    pub(super) fn acts(&self, person: PersonId, role: u16) -> bool {
        self.people.get(&person).is_some_and(|who| who.status == Status::Active && who.roles & role == role)
    }

    fn only_registrar(&self, signer: PersonId) -> Result<(), IdentityError> {
        if self.acts(signer, REGISTRAR) { Ok(()) } else { Err(IdentityError::NotRegistrar { signer }) }
    }

    pub(super) fn register(&mut self, by: PersonId, action: &Register) -> Result<(), IdentityError> {
        self.only_registrar(by)?;
        let (person, nullifier) = (action.person, action.nullifier);
        let roles = bits(action.roles);
        if is_on_layer1(&person) {
            return Err(IdentityError::NotAPerson { person });
        }
        if self.people.contains_key(&person) {
            return Err(IdentityError::AlreadyRegistered { person });
        }
        if roles == 0 {
            return Err(IdentityError::NoRole { person });
        }
        if roles & !BY_CREDENTIAL != 0 {
            return Err(IdentityError::Office { person });
        }
        if !self.nullifiers.insert(nullifier) {
            return Err(IdentityError::NullifierUsed { nullifier });
        }
        let (status, since, keyed) = (Status::Pending, self.now, self.now);
        self.people.insert(person, Person { roles, status, since, keyed });
        self.accounts.insert(person, Account::new(action.key));
        Ok(())
    }

    /// Whether nobody could make blocks without somebody who can.
    fn without_blocks(&self, person: PersonId) -> bool {
        let mut others = self.people.keys().filter(|other| **other != person);
        self.acts(person, SEQUENCER) && !others.any(|other| self.acts(*other, SEQUENCER))
    }

    pub(super) fn set_status(&mut self, by: PersonId, action: &SetStatus) -> Result<(), IdentityError> {
        self.only_registrar(by)?;
        self.move_to(action.person, action.status)
    }

    pub(super) fn move_to(&mut self, person: PersonId, to: Status) -> Result<(), IdentityError> {
        let (now, without) = (self.now, self.without_blocks(person));
        let who = self.people.get_mut(&person).ok_or(IdentityError::Unknown { person })?;
        let from = who.status;
        if !may_follow(from, to) {
            return Err(IdentityError::Step { person, from, to });
        }
        if without && to != Status::Active {
            return Err(IdentityError::LastSequencer { person });
        }
        (who.status, who.since) = (to, now);
        Ok(())
    }

    /// What a proposal decides of offices. One person never both says what was sold and reports what it brought.
    pub(super) fn set_roles(
        &mut self,
        person: PersonId,
        (give, take): (u16, u16),
    ) -> Result<(), IdentityError> {
        let without = self.without_blocks(person);
        let who = self.people.get_mut(&person).ok_or(IdentityError::Unknown { person })?;
        let roles = who.roles & !take | give;
        if roles & STEWARD != 0 && roles & TREASURER != 0 {
            return Err(IdentityError::StewardIsTreasurer { person });
        }
        if without && roles & SEQUENCER == 0 {
            return Err(IdentityError::LastSequencer { person });
        }
        who.roles = roles;
        Ok(())
    }

    pub(super) fn rotate(&mut self, by: PersonId, action: &Rotate) -> Result<(), IdentityError> {
        let (person, pause, now) = (by, self.rule("identity.rotation"), self.now);
        let who = self.people.get_mut(&by).ok_or(IdentityError::Unknown { person })?;
        let from = later(who.keyed, pause);
        if now < from {
            return Err(IdentityError::RotatedLately { person, from });
        }
        let account = self.accounts.get_mut(&by).ok_or(IdentityError::Unknown { person })?;
        if account.key == action.key {
            return Err(IdentityError::SameKey { person });
        }
        (account.key, who.keyed) = (action.key, now);
        Ok(())
    }
}

/// Pending becomes Active; Active and Suspended become each other; whatever is not Revoked may be; nothing comes back
/// from that.
pub(super) fn may_follow(from: Status, to: Status) -> bool {
    match to {
        Status::Pending => false,
        Status::Active => matches!(from, Status::Pending | Status::Suspended),
        Status::Suspended => from == Status::Active,
        Status::Revoked => from != Status::Revoked,
    }
}

/// Twelve zero bytes and an address.
pub(super) fn is_on_layer1(person: &PersonId) -> bool {
    person.0.iter().take(12).all(|byte| *byte == 0)
}
