//! Persons come, change, and change their keys.

use super::{super::history::History, Draft};
use crate::world::{REGISTRAR, STEWARD, TREASURY};
use chain::{
    Payload,
    modules::identity::{Register, Roles, Rotate, SetStatus, Status},
};
use primitives::PersonId;

pub(super) fn register(h: &mut History) -> Draft {
    let newcomer = PersonId([0xc0 + h.below(16) as u8; 32]);
    let person = if h.chance(85) { newcomer } else { h.someone(0) };
    let sets = [
        Roles::VOTER,
        Roles::CREATOR,
        Roles::CREATOR.with(Roles::VOTER),
        Roles::NODE,
        Roles::default(),
        Roles::VOTER.with(Roles::ORACLE),
    ];
    let place = if h.chance(85) { h.below(4) } else { h.below(6) };
    let (roles, key) = (sets[place as usize], h.new_key());
    let (credential, nullifier) = (h.paper(), h.paper());
    Some((Some(REGISTRAR), Payload::Register(Register { person, key, roles, credential, nullifier })))
}

pub(super) fn set_status(h: &mut History) -> Draft {
    let person = h.someone(0);
    let keeps_the_chain_going = [REGISTRAR, STEWARD, TREASURY].contains(&person);
    let now = h.model.people[&person].status;
    let status = match now {
        Status::Pending | Status::Suspended if h.chance(85) => Status::Active,
        Status::Active if h.chance(25) && !keeps_the_chain_going => Status::Suspended,
        Status::Active if h.chance(4) && !keeps_the_chain_going => Status::Revoked,
        Status::Revoked if h.chance(50) => Status::Suspended,
        _ => Status::Pending,
    };
    Some((Some(REGISTRAR), Payload::SetStatus(SetStatus { person, status })))
}

pub(super) fn rotate(h: &mut History) -> Draft {
    let person = h.someone(0);
    let same = h.model.accounts[&person].key;
    let key = if h.chance(85) { h.new_key() } else { same };
    Some((Some(person), Payload::Rotate(Rotate { key })))
}
