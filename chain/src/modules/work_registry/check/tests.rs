use super::*;
use crate::{
    ledger::{Authority, Genesis, Ledger},
    modules::{identity::Identity, work_registry::MediaType},
    signature::SecretKey,
    state::State,
};
use primitives::{BasisPoints, CategoryId, ChainId, Digest, Preset, Time, params::ONE_Q32};
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

/// A state with a creator and nothing else.
fn registry() -> (Genesis, State) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let roles = [Roles::REGISTRAR, Roles::STEWARD, Roles::TREASURER];
    let office = |(n, roles)| {
        let key = SecretKey::generate(&mut rng).public_key();
        Authority { person: PersonId([n; 32]), key, roles }
    };
    let offices = (1..).zip(roles).map(office).collect();
    let genesis = Genesis::new(ChainId(1), EpochId(1), Preset::Spec.params(), offices);
    let mut state = Ledger::genesis(genesis.clone()).expect("a valid genesis").state().clone();
    let mut draft = Draft::new(&state);
    draft.put(Identity {
        person: CREATOR,
        roles: Roles::CREATOR,
        status: Status::Active,
        credential: Digest::default(),
        since: Time(0),
        keyed: Time(0),
        works: 0,
    });
    state.commit(draft.into_changes());
    (genesis, state)
}

/// No epoch is kept from opening by how many works there are.
#[test]
fn the_registry_takes_as_many_works_as_the_shards_of_an_epoch_hold() {
    let (genesis, mut state) = registry();
    let at = Context { genesis: &genesis, head: Digest::default(), now: Time(0) };
    // A work that is there already stands for each that was registered.
    let some = |n: usize| {
        let RegisterWork { fingerprint, media, category, price, splits, metadata, active_from } =
            registration(n);
        let terms = Terms { from: active_from, price, splits };
        let id = work_id(&fingerprint, &CREATOR);
        let (next, gone) = (None, None);
        Work { id, creator: CREATOR, fingerprint, media, category, metadata, active_from, terms, next, gone }
    };
    let mut draft = Draft::new(&state);
    (1..MAX_WORKS).for_each(|n| draft.put(some(n)));
    let changes = draft.into_changes();
    state.commit(changes);
    let register = |state: &mut State, n| {
        let mut draft = Draft::new(state);
        register_work(&mut draft, &at, CREATOR, &registration(n))?;
        let changes = draft.into_changes();
        state.commit(changes);
        Ok(())
    };
    assert_eq!(register(&mut state, 0), Ok(()), "the last that there is room for");
    assert_eq!(register(&mut state, MAX_WORKS), Err(WorkError::RegistryFull { limit: MAX_WORKS }));
    let creator = state.identities.get(&CREATOR).expect("on record").clone();
    assert_eq!(creator.works, 1);
    let widest = limits::MAX_SHARD_WIDTH as u16;
    let shards = crate::modules::usage::shard_count(state.works.len(), widest);
    assert_eq!(shards, limits::MAX_SHARDS, "an epoch over all of them may open");
}

#[test]
fn one_creator_takes_no_more_than_a_shard_of_the_registry() {
    let (genesis, mut state) = registry();
    let at = Context { genesis: &genesis, head: Digest::default(), now: Time(0) };
    let limit = limits::MAX_WORKS_PER_CREATOR;
    let mut draft = Draft::new(&state);
    let creator = state.identities.get(&CREATOR).expect("on record").clone();
    draft.put(Identity { works: limit - 1, ..creator });
    state.commit(draft.into_changes());
    let mut draft = Draft::new(&state);
    assert_eq!(register_work(&mut draft, &at, CREATOR, &registration(0)), Ok(()));
    let refused = WorkError::TooManyWorks { signer: CREATOR, limit };
    assert_eq!(register_work(&mut draft, &at, CREATOR, &registration(1)), Err(refused));
}
