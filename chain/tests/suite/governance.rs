//! Governance: proposals, the council, juries, and what they change.

mod council;
mod jury;
mod nothing;
mod proposals;
mod reserve;
mod services;
mod wallets;
mod weight;

use crate::world::{FIRST, REGISTRAR, World, bundles, digest, person};
use chain::{
    Genesis, Payload,
    ledger::Authority,
    modules::{
        governance::{Action, Choice, DAY, Enact, Proposal, Propose, Say, SayOf, Vote},
        identity::{Register, Roles, SetStatus, Status},
    },
    signature::SecretKey,
};
use primitives::{EpochId, PersonId, Time};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// Voters beside the council.
const VOTERS: u8 = 24;
const COUNCIL: u8 = 5;
const WEEK: u32 = 7 * DAY;

pub(crate) fn voter(n: u8) -> PersonId {
    PersonId([0x80 + n; 32])
}

pub(crate) fn councillor(n: u8) -> PersonId {
    PersonId([0x20 + n; 32])
}

/// Works on record, a council of five, and two dozen voters.
fn world() -> World {
    world_with(|_| {})
}

/// The same after any genesis.
pub(crate) fn world_with(change: impl FnOnce(&mut Genesis)) -> World {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let council: Vec<_> = (0..COUNCIL).map(|n| (councillor(n), SecretKey::generate(&mut rng))).collect();
    let sits = |(person, key): &(PersonId, SecretKey)| {
        let roles = Roles::COUNCILLOR.with(Roles::VOTER);
        Authority { person: *person, key: key.public_key(), roles }
    };
    let mut world = World::genesis_with(|genesis| {
        genesis.offices.extend(council.iter().map(sits));
        change(genesis);
    });
    world.keys.extend(council);
    let mut world = world.and_works();
    for n in 0..VOTERS {
        join(&mut world, n);
    }
    later(&mut world, 1);
    world
}

/// Puts a voter on record.
fn join(world: &mut World, n: u8) {
    let key = SecretKey::generate(&mut world.rng);
    let register = Register {
        person: voter(n),
        key: key.public_key(),
        roles: Roles::VOTER,
        credential: digest(n),
        nullifier: digest(150 + n),
    };
    world.keys.insert(voter(n), key);
    world.ok(REGISTRAR, Payload::Register(register));
    world.ok(REGISTRAR, Payload::SetStatus(SetStatus { person: voter(n), status: Status::Active }));
}

/// Ends the block, and begins the next one so much later.
pub(crate) fn later(world: &mut World, seconds: u32) {
    world.seal();
    let now = world.ledger.now().after(seconds);
    world.ledger.begin(now);
}

/// Makes a proposal and gives its number.
fn propose(world: &mut World, action: Action) -> u64 {
    world.ok(voter(0), Payload::Propose(Propose { document: digest(1), action }));
    world.ledger.state().proposals.iter().next_back().expect("made").number
}

fn proposal(world: &World, number: u64) -> Proposal {
    world.ledger.state().proposals.get(&number).expect("on record").clone()
}

pub(crate) fn vote(proposal: u64, choice: Choice) -> Payload {
    Payload::Vote(Vote { proposal, choice })
}

pub(crate) fn say(proposal: u64, say: Say) -> Payload {
    Payload::CouncilSay(SayOf { proposal, say })
}

pub(crate) fn enact(proposal: u64) -> Payload {
    Payload::Enact(Enact { proposal })
}

/// Goes to the vote, lets so many say yes and no, and goes on until the notice is over.
fn carry(world: &mut World, number: u64, (yes, no): (u8, u8)) {
    let found = proposal(world, number);
    later(world, seconds(world.ledger.now(), found.vote_from));
    for n in 0..yes + no {
        let choice = if n < yes { Choice::Yes } else { Choice::No };
        world.ok(voter(n), vote(number, choice));
    }
    later(world, seconds(world.ledger.now(), found.vote_until));
}

/// The rest of the way to its enactment.
fn wait_for_notice(world: &mut World, number: u64) {
    let found = proposal(world, number);
    later(world, seconds(world.ledger.now(), found.enact_from));
}

fn approve(world: &mut World, number: u64, councillors: u8) {
    for n in 0..councillors {
        world.ok(councillor(n), say(number, Say::Approve));
    }
}

/// Carries a proposal through everything that it takes.
fn decide(world: &mut World, action: Action) -> u64 {
    let number = propose(world, action);
    carry(world, number, (20, 2));
    if proposal(world, number).path == chain::modules::governance::Path::High {
        approve(world, number, 3);
    }
    wait_for_notice(world, number);
    world.open_ok(enact(number));
    number
}

pub(crate) fn seconds(from: Time, to: Time) -> u32 {
    u32::try_from(to.0.saturating_sub(from.0)).expect("a few weeks")
}

fn epoch(n: u64) -> EpochId {
    EpochId(FIRST.0 + n)
}

/// Runs an epoch from its keys to its settlement.
fn run_epoch(world: &mut World, n: u64) {
    world.run_epoch(epoch(n), &bundles());
}

fn creator() -> PersonId {
    person(1)
}
