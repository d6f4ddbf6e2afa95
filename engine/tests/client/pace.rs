//! When bundles are handed in: some time after the token, and to each party as soon as it can have them.

use super::{
    Folders, client, scene,
    world::{Fuse, LocalSigners, TestClock, World, log, settings},
};
use engine::client::{Answer, Client, Folder, LinkError, Parties, Progress, Settings, Standing};
use primitives::{Digest, PartyId};
use proofs::inclusion::Inclusion;
use rand_core::OsRng;
use std::{
    thread,
    time::{Duration, Instant},
};

/// An issuer knows when it is asked, and a party when a bundle comes.
#[test]
fn the_first_bundle_comes_a_random_time_after_the_token() {
    let delay = Duration::from_secs(3600);
    let waited = |folders: &Folders, world: &World, signers: &LocalSigners| {
        let (clock, mut told) = (TestClock::default(), None);
        let folder = Folder::open(folders.client()).unwrap();
        let own =
            Client::open(Box::new(folder), world.epoch.clone(), Settings { delay, ..settings() }).unwrap();
        let mut tell = |at| {
            if let Progress::Waits { pause } = at {
                assert!(world.came(1).is_empty(), "nothing was handed in before");
                told = Some(pause);
            }
        };
        own.run(&log(), signers, (world, &clock), &mut OsRng, &mut tell).unwrap();
        assert_eq!(clock.slept.borrow().first().copied(), told);
        told
    };
    let mut pauses = Vec::new();
    for _ in 0..2 {
        let (folders, world, signers) = scene();
        pauses.push(waited(&folders, &world, &signers).unwrap());
        assert_eq!(waited(&folders, &world, &signers), None, "it was sent");
    }
    assert!(pauses[0] != pauses[1] && pauses.iter().all(|pause| *pause <= delay), "{pauses:?}");
}

/// Parties of which the third answers nobody before the two others have all bundles.
struct Dawdling<'a>(&'a World);

impl Parties for Dawdling<'_> {
    fn submit(&self, party: PartyId, bundle: &Digest, bytes: &[u8]) -> Result<Answer, LinkError> {
        let begun = Instant::now();
        while party == PartyId::ALL[2] && (1..=2).any(|other| self.0.came(other).len() < 2) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the two others wait for the third");
            thread::sleep(Duration::from_millis(5));
        }
        self.0.submit(party, bundle, bytes)
    }

    fn standing(&self, party: PartyId, bundle: &Digest) -> Result<Standing, LinkError> {
        self.0.standing(party, bundle)
    }

    fn inclusion(&self, party: PartyId, bundle: &Digest) -> Result<Option<Inclusion>, LinkError> {
        self.0.inclusion(party, bundle)
    }
}

#[test]
fn a_party_that_takes_its_time_keeps_the_others_waiting_for_nothing() {
    let (folders, world, signers) = scene();
    let (own, clock) = (client(&folders.client(), &world, &Fuse::never()), TestClock::default());
    let report = own.run(&log(), &signers, (&Dawdling(&world), &clock), &mut OsRng, &mut |_| ()).unwrap();
    assert!(report.is_complete() && report.troubles.is_empty(), "{report:?}");
    assert_eq!((world.came(3), clock.slept.borrow().len()), (world.came(1), 0));
}
