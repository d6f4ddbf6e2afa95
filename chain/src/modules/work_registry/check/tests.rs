use super::*;
use crate::{
    ledger::{Authority, Genesis},
    modules::{identity::Identity, work_registry::MediaType},
    signature::SecretKey,
    state::State,
};
use primitives::{BasisPoints, CategoryId, ChainId, Digest, Preset, params::ONE_Q32};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const CREATOR: PersonId = PersonId([9; 32]);

fn registration(n: usize) -> RegisterWork {
    let mut fingerprint = Digest::default();
    fingerprint.0[..8].copy_from_slice(&(n as u64).to_le_bytes());
    RegisterWork {
        fingerprint,
        media: MediaType::Audio,
        category: CategoryId(0),
        price: ONE_Q32,
        splits: vec![Split { payee: CREATOR, share: BasisPoints::WHOLE }],
        metadata: Digest::default(),
        active_from: EpochId(1),
    }
}

/// One creator cannot register so many works that no epoch may open any more.
#[test]
fn the_registry_takes_as_many_works_as_a_shard_holds() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut office =
        |n: u8| Authority { person: PersonId([n; 32]), key: SecretKey::generate(&mut rng).public_key() };
    let genesis = Genesis {
        chain: ChainId(1),
        first_epoch: EpochId(1),
        params: Preset::Spec.params(),
        registrar: office(1),
        steward: office(2),
        treasury: office(3),
    };
    let at = Context { genesis: &genesis, head: Digest::default() };
    let mut state = State::default();
    let mut draft = Draft::new(&state);
    draft.put(Identity {
        person: CREATOR,
        roles: Roles::CREATOR,
        status: Status::Active,
        credential: Digest::default(),
    });
    let changes = draft.into_changes();
    state.commit(changes);
    let register = |state: &mut State, n| {
        let mut draft = Draft::new(state);
        register_work(&mut draft, &at, CREATOR, &registration(n))?;
        let changes = draft.into_changes();
        state.commit(changes);
        Ok(())
    };
    for n in 0..MAX_WORKS {
        assert_eq!(register(&mut state, n), Ok(()), "work {n}");
    }
    assert_eq!(register(&mut state, MAX_WORKS), Err(WorkError::RegistryFull { limit: MAX_WORKS }));
    let listed = state.works_of_epoch(EpochId(1), &genesis.params);
    let works = listed.iter().map(|listed| listed.work).collect();
    proofs::shard::Shard::new(primitives::ShardIndex(0), works).expect("an epoch over all of them may open");
}
