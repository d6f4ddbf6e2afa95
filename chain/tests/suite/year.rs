//! A year of the ledger: 52 weekly epochs with everything that is registered, decided, bought, audited and paid.

mod agenda;
mod network;

use crate::{
    governance::{enact, later, say, seconds, vote, voter, world_with},
    identities,
    world::*,
};
use agenda::Agenda;
use chain::{
    Ledger, Payload,
    ledger::Authority,
    modules::{
        governance::{Choice, DAY, Outcome, Path, Say, Stage},
        identity::Roles,
        treasury::Fund,
    },
    signature::SecretKey,
};
use network::Network;
use primitives::{Credits, EpochId, PersonId, Time};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const WEEKS: u64 = 52;
const WEEK: u32 = 7 * DAY;
const ORACLES: [PersonId; 3] = [PersonId([0x31; 32]), PersonId([0x32; 32]), PersonId([0x33; 32])];

fn epoch(week: u64) -> EpochId {
    EpochId(FIRST.0 + week)
}

/// The chain in its first week: works, voters, a council, oracles.
fn world() -> World {
    let mut rng = ChaCha20Rng::seed_from_u64(52);
    let keys = ORACLES.map(|oracle| (oracle, SecretKey::generate(&mut rng)));
    let mut world = world_with(|genesis| {
        genesis.rules.nodes.bond = Credits::ONE;
        for (person, key) in &keys {
            let (person, key) = (*person, key.public_key());
            genesis.offices.push(Authority { person, key, roles: Roles::ORACLE });
        }
    });
    world.keys.extend(keys);
    world
}

/// Brings every proposal one step further that waits for one: voters vote, the council approves, somebody enacts.
fn decide(world: &mut World) {
    let now = world.ledger.now();
    let open: Vec<_> =
        world.ledger.state().proposals.iter().filter(|p| p.is_undecided(now)).cloned().collect();
    for motion in open {
        let number = motion.number;
        match motion.stage(now) {
            Stage::Voting if motion.yes == 0 => {
                for n in 0..18 {
                    let choice = if n < 15 { Choice::Yes } else { Choice::No };
                    world.ok(voter(n), vote(number, choice));
                }
                if motion.path == Path::High {
                    let council = world.ledger.state().council(now);
                    for person in council.into_iter().take(3) {
                        world.ok(person, say(number, Say::Approve));
                    }
                }
            }
            Stage::Ready => world.open_ok(enact(number)),
            _ => {}
        }
    }
}

/// Everybody claims what there is to claim.
fn claim(world: &mut World, who: impl IntoIterator<Item = PersonId>) {
    for person in who {
        for claim in world.ledger.state().claimable(&person) {
            world.open_ok(Payload::Claim(claim));
        }
    }
}

#[test]
fn a_year_of_52_epochs_keeps_every_identity_in_every_block() {
    let mut world = world();
    let mut network = Network::default();
    let mut agenda = Agenda::default();
    for week in 0..WEEKS {
        let at = Time(u64::from(WEEK) * (week + 1));
        let wait = seconds(world.ledger.now(), at);
        later(&mut world, wait);
        decide(&mut world);
        agenda.week(&mut world, week);
        network.before(&mut world, week);
        world.prepare(epoch(week));
        world.open(epoch(week));
        network.during(&mut world, week);
        world.count(epoch(week), &bundles());
        world.open_ok(finalise(epoch(week)));
        world.seal();
        network.after(&mut world, week);
        if week % 4 == 3 {
            claim(&mut world, (1..=CREATORS).map(person));
        }
    }
    world.seal();
    agenda.check(&world);
    network.check(&world);

    // Whoever repeats the year comes to the same state, and every block of it balances.
    let mut again = Ledger::genesis(world.ledger.origin().clone()).expect("the same genesis");
    for block in &world.blocks {
        again = again.replay(block).expect("a valid block");
        identities::check(again.state());
    }
    assert_eq!(again.state_root(), world.ledger.state_root());
    let state = world.ledger.state();
    assert_eq!(state.settlements.len() as u64, WEEKS);
    assert!(state.fund(Fund::Fee) > Credits::ZERO && state.fund(Fund::Infrastructure) > Credits::ZERO);
    let enacted = state.proposals.iter().filter(|p| p.outcome == Outcome::Enacted).count();
    assert_eq!(enacted, agenda.decisions());
}
