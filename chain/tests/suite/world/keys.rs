//! Keys of blind signers: real ones, since the ledger takes no others, and others in each epoch, since it takes none
//! twice. They take long to find, so each epoch's are found once, all at the same time.

use super::FIRST;
use primitives::EpochId;
use proofs::blind::BlindIssuer;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::{sync::OnceLock, thread};

/// Keys of two tiers, and of one region for each denomination.
pub(super) type EpochKeys = [Vec<u8>; 5];

fn find(seed: u64) -> Vec<u8> {
    let issuer = BlindIssuer::generate(&mut ChaCha20Rng::seed_from_u64(seed)).expect("a key is found");
    issuer.public().der().to_vec()
}

/// Keys of an epoch, of which there are three.
pub(super) fn of(epoch: EpochId) -> &'static EpochKeys {
    static KEYS: [OnceLock<EpochKeys>; 3] = [const { OnceLock::new() }; 3];
    let place = epoch.0 - FIRST.0;
    KEYS[place as usize].get_or_init(|| {
        let seeds: [u64; 5] = std::array::from_fn(|i| 5 * place + i as u64);
        let finders = seeds.map(|seed| thread::spawn(move || find(seed)));
        finders.map(|finder| finder.join().expect("a key is found"))
    })
}
