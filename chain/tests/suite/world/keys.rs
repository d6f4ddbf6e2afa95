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

/// Keys of an epoch. Those of the first two have secrets; after that they are other moduli, which are as good where
/// nobody signs with them.
pub(super) fn of(epoch: EpochId) -> EpochKeys {
    let place = epoch.0 - FIRST.0;
    match place {
        0 | 1 => found(place).clone(),
        _ => found(0).clone().map(|mut key| {
            let middle = key.len() / 2;
            key[middle..middle + 8].copy_from_slice(&place.to_le_bytes());
            key
        }),
    }
}

fn found(place: u64) -> &'static EpochKeys {
    static KEYS: [OnceLock<EpochKeys>; 2] = [const { OnceLock::new() }; 2];
    KEYS[place as usize].get_or_init(|| {
        let seeds: [u64; 5] = std::array::from_fn(|i| 5 * place + i as u64);
        let finders = seeds.map(|seed| thread::spawn(move || find(seed)));
        finders.map(|finder| finder.join().expect("a key is found"))
    })
}
