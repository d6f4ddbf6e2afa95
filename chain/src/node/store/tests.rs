//! Files that fail under a node that is open.

use super::*;
use crate::{
    Payload, Transaction,
    ledger::Authority,
    modules::{dapr::FinaliseEpoch, identity::Roles},
    signature::SecretKey,
};
use primitives::{ChainId, EpochId, PersonId, Preset};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// A chain with the offices that there have to be.
pub(in crate::node) fn genesis() -> Genesis {
    let key = SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(1)).public_key();
    let offices = [
        (1, Roles::REGISTRAR),
        (2, Roles::STEWARD),
        (3, Roles::TREASURER),
        (4, Roles::AUDITOR),
        (5, Roles::AUDITOR),
    ];
    let office = |(n, roles)| Authority { person: PersonId([n; 32]), key, roles };
    Genesis::new(ChainId(7), EpochId(1), Preset::Spec.params(), offices.map(office).into())
}

/// A node whose index fails stops with the block in its log, and the next one knows every transaction.
#[test]
fn an_index_that_fails_stops_the_node_and_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let genesis = genesis();
    let (mut store, ledger) = Store::open(dir.path(), genesis.clone()).expect("opens");
    let seal = |ledger: &mut Ledger| SealedBlock { block: ledger.seal(), seal: None };
    let mut ledger = ledger;
    let first = seal(&mut ledger);
    store.append(&first).expect("on disk");
    // Another index, which does not take the block: as good as a disk that fails.
    let other = Index::open(dir.path().join("other")).expect("opens");
    other.apply(9, Digest([9; 32]), vec![], vec![]).expect("applied");
    let own = std::mem::replace(&mut *store.archive.index.write().expect("no panic"), other);
    let second = seal(&mut ledger);
    let failed = store.append(&second);
    assert!(matches!(failed, Err(NodeError::Index(IndexError::NotNext { .. }))), "{failed:?}");
    drop((store, own));
    let (store, ledger) = Store::open(dir.path(), genesis).expect("opens");
    assert_eq!((ledger.height(), ledger.head()), (2, second.block.digest()));
    for sealed in [first, second] {
        let found = store.block_digest(sealed.block.height).expect("an index");
        assert_eq!(found, Some(sealed.block.digest()));
    }
    let unknown = Transaction::open(Payload::FinaliseEpoch(FinaliseEpoch { epoch: EpochId(1) }));
    assert_eq!(store.find(&unknown.id()).expect("an index"), None);
}
