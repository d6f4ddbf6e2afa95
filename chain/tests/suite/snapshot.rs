//! A ledger as bytes and back, and a chain that goes on from another.

use crate::world::{CHAIN, FIRST, REGISTRAR, World, bundles, person};
use chain::{
    Ledger, Payload, Transaction,
    ledger::{GenesisError, MigrationError, SnapshotError},
    light::{record, verify},
    modules::treasury::{Account, Transfer},
    snapshot,
    state::table::key_felt,
    transaction::EnvelopeError,
};
use primitives::{ChainId, CodecError, Credits, EpochId, PersonId, Time};

const OTHER: ChainId = ChainId(8);

/// Two epochs settled, and what was claimed of the first.
fn settled() -> World {
    let mut world = World::settled();
    world.run_epoch(EpochId(FIRST.0 + 1), &bundles());
    let claims = world.ledger.state().claimable(&person(1));
    for claim in claims {
        world.open_ok(Payload::Claim(claim));
    }
    world.seal();
    world
}

fn restored(ledger: &Ledger) -> Ledger {
    Ledger::restore(&ledger.snapshot().expect("between blocks")).expect("whole")
}

#[test]
fn a_ledger_comes_back_with_its_root_its_records_and_its_future() {
    let mut world = settled();
    let mut copy = restored(&world.ledger);
    assert_eq!(copy.state_root(), world.ledger.state_root());
    assert!(copy.state().to_bytes() == world.ledger.state().to_bytes());
    assert_eq!(
        (copy.height(), copy.head(), copy.now()),
        (world.ledger.height(), world.ledger.head(), Time(0))
    );
    for epoch in [FIRST, EpochId(FIRST.0 + 1)] {
        let found = record(&copy, epoch).expect("settled");
        assert_eq!(found, record(&world.ledger, epoch).expect("settled"));
        verify(&found, None).expect("sound");
    }
    // It goes on as the other does: what is inserted from here on stands at the same places.
    world.ok(REGISTRAR, world.register(4));
    let block = world.seal();
    let mut copy = copy.replay(&block).expect("the next block");
    assert_eq!(copy.state_root(), world.ledger.state_root());
    assert_eq!(copy.snapshot(), world.ledger.snapshot());
}

#[test]
fn a_snapshot_is_taken_between_blocks() {
    let mut world = World::with_works_sealed();
    assert!(world.ledger.snapshot().is_some());
    world.ok(REGISTRAR, world.register(4));
    assert_eq!(world.ledger.snapshot(), None);
}

/// Under a checksum that somebody made anew, what the state root binds is still found.
#[test]
fn records_that_do_not_lead_to_the_root_are_refused() {
    let ledger = World::aggregated();
    let mut ledger = ledger.ledger;
    ledger.seal();
    let sealed = ledger.snapshot().expect("between blocks");
    let contents = snapshot::open(&sealed).expect("whole").to_vec();
    let account = ledger.state().accounts.get(&person(1)).expect("an account").clone();
    let written = primitives::Encode::to_bytes(&account);
    let place = contents.windows(written.len()).position(|w| w == written).expect("in it");
    let richer = Account { balance: Credits(account.balance.0 + 1), ..account };
    let mut changed = contents.clone();
    changed[place..place + written.len()].copy_from_slice(&primitives::Encode::to_bytes(&richer));
    assert_eq!(Ledger::restore(&snapshot::seal(&changed)).map(drop), Err(SnapshotError::Root));
    // Every header that was anchored, byte by byte in a few places: it is behind a hash chain.
    let header =
        ledger.state().anchors_of(FIRST, primitives::ShardIndex(0)).next().expect("anchored").clone();
    let written = primitives::Encode::to_bytes(&header);
    let place = contents.windows(written.len()).position(|w| w == written).expect("in it");
    for byte in (0..written.len()).step_by(37) {
        let mut changed = contents.clone();
        changed[place + byte] ^= 1;
        let refused = Ledger::restore(&snapshot::seal(&changed)).map(drop);
        let expected =
            matches!(refused, Err(SnapshotError::Anchors { epoch: FIRST } | SnapshotError::Codec(_)));
        assert!(expected, "byte {byte} of a header: {refused:?}");
    }
    let longer = [&contents[..], &[0]].concat();
    let trailing = Ledger::restore(&snapshot::seal(&longer)).map(drop);
    assert!(matches!(trailing, Err(SnapshotError::Codec(CodecError::Trailing { .. }))), "{trailing:?}");
}

#[test]
fn another_chain_goes_on_with_the_same_root_and_no_signature_of_the_old_one() {
    let mut world = settled();
    let old = world.sign(person(1), Payload::Transfer(Transfer { to: person(2), amount: Credits(1) }));
    let genesis = world.ledger.continuation(OTHER).expect("no epoch is open");
    assert_eq!(Ledger::genesis(genesis.clone()).map(drop), Err(GenesisError::NeedsSnapshot { chain: CHAIN }),);
    // The new chain reads the old one's snapshot: nothing else is handed over.
    let before = restored(&world.ledger);
    let mut next = Ledger::continued(genesis.clone(), &before).expect("its genesis");
    assert_eq!(next.state_root(), world.ledger.state_root());
    assert!(
        next.state().to_bytes() == world.ledger.state().to_bytes(),
        "funds, offices, versions, everything"
    );
    assert_eq!((next.height(), next.origin().chain), (0, OTHER));
    assert_eq!(next.apply(&old), Err(EnvelopeError::Signature { signer: person(1) }.into()));
    let nonce = next.nonce(&person(1)).expect("an account");
    let payload = Payload::Transfer(Transfer { to: person(2), amount: Credits(1) });
    let new =
        Transaction::signed(payload, OTHER, (person(1), nonce), &world.keys[&person(1)], &mut world.rng);
    next.apply(&new).expect("under its own number");
    // And it is rebuilt from its own genesis, snapshot and blocks.
    let block = next.seal();
    let again = Ledger::continued(genesis, &before).expect("its genesis").replay(&block).expect("its block");
    assert_eq!(again.head(), next.head());
}

#[test]
fn a_chain_goes_on_from_its_end_alone() {
    let mut world = settled();
    let same = MigrationError::SameChain { chain: CHAIN };
    assert_eq!(world.ledger.continuation(CHAIN).map(drop), Err(same));
    let genesis = world.ledger.continuation(OTHER).expect("no epoch is open");
    let own = world.ledger.origin().clone();
    assert_eq!(Ledger::continued(own, &world.ledger).map(drop), Err(MigrationError::NothingToContinue));
    world.ok(REGISTRAR, world.register(4));
    assert_eq!(world.ledger.continuation(OTHER).map(drop), Err(MigrationError::Pending { count: 1 }));
    world.seal();
    assert_eq!(Ledger::continued(genesis, &world.ledger).map(drop), Err(MigrationError::OtherState));
    let mut open = World::opened();
    open.seal();
    assert_eq!(open.ledger.continuation(OTHER).map(drop), Err(MigrationError::EpochOpen { epoch: FIRST }));
}

#[test]
fn absence_is_proved_under_the_state_root() {
    let mut world = settled();
    let (root, nobody) = (world.ledger.state_root(), PersonId([9; 32]));
    let mut state = world.ledger.state().clone();
    assert!(state.prove_absence::<Account>(&person(1)).is_none());
    let (absence, table) = state.prove_absence::<Account>(&nobody).expect("absent");
    let of_table = state.accounts.root();
    absence.verify(of_table, key_felt::<Account>(&nobody)).expect("absent from the table");
    assert_eq!(table.root(of_table), Ok(root));
    assert!(absence.verify(of_table, key_felt::<Account>(&person(1))).is_err());
}
