//! The mempool's sums under any sequence of arrivals, replacements and departures.

use super::{
    Limits, MAX_AHEAD, MAX_REPLACEMENTS, PATIENCE, Refusal,
    mempool::{Checked, Mempool},
};
use crate::{Payload, Transaction, modules::dapr::FinaliseEpoch};
use primitives::{Digest, EpochId, PersonId, Time};
use proptest::prelude::*;

fn person(n: u8) -> PersonId {
    PersonId([n; 32])
}

/// What the mempool keeps of a transaction does not depend on what it asks for.
fn waiting(n: u64, signer: u8, nonce: u64, bytes: usize) -> Checked {
    let transaction = Transaction::open(Payload::FinaliseEpoch(FinaliseEpoch { epoch: EpochId(n) }));
    let id = transaction.id();
    Checked { transaction, id, bytes, signer: person(signer), nonce, next: 0 }
}

fn limits() -> Limits {
    Limits { waiting: 6, waiting_bytes: 600, account_bytes: 300, ..Limits::default() }
}

#[test]
fn each_bound_is_kept_at_its_edge() {
    let limits = limits();
    let mut pool = Mempool::default();
    let mut put = |n, signer, nonce, bytes| pool.insert(&limits, Time(0), waiting(n, signer, nonce, bytes));
    assert_eq!(put(0, 1, MAX_AHEAD, 100), Ok(None));
    let far = Refusal::TooFarAhead { signer: person(1), next: 0, found: MAX_AHEAD + 1, limit: MAX_AHEAD };
    assert_eq!(put(1, 1, MAX_AHEAD + 1, 1), Err(far));
    assert_eq!(put(2, 1, 2, 200), Ok(None));
    let full = Refusal::AccountFull { signer: person(1), bytes: 301, limit: 300 };
    assert_eq!(put(3, 1, 3, 1), Err(full));
    assert_eq!(put(4, 2, 1, 299), Ok(None));
    assert_eq!(put(5, 3, 1, 2), Err(Refusal::Full { what: "bytes", limit: 600 }));
    for n in 3..6 {
        assert_eq!(put(u64::from(n) + 10, n, 1, 0), Ok(None));
    }
    assert_eq!(put(20, 6, 1, 0), Err(Refusal::Full { what: "transactions", limit: 6 }));
    // A replacement takes no further place.
    assert!(put(21, 5, 1, 1).is_ok_and(|old| old.is_some()));
    assert!(pool.adds_up());
}

#[test]
fn a_transaction_is_replaced_a_few_times_and_not_more() {
    let limits = limits();
    let mut pool = Mempool::default();
    let mut last = None;
    for n in 0..=u64::from(MAX_REPLACEMENTS) {
        let new = waiting(n, 1, 5, 10);
        let id = new.id;
        assert_eq!(pool.insert(&limits, Time(n), new), Ok(last));
        last = Some(id);
    }
    let refused = Refusal::ReplacedTooOften { signer: person(1), nonce: 5, limit: MAX_REPLACEMENTS };
    assert_eq!(pool.insert(&limits, Time(9), waiting(99, 1, 5, 10)), Err(refused));
    assert_eq!(pool.take(person(1), 5).map(|tx| tx.id()), last);
    assert!(pool.adds_up() && pool.len() == 0);
}

#[test]
fn what_waits_too_long_is_dropped_and_nothing_else() {
    let limits = limits();
    let mut pool = Mempool::default();
    for n in 0..3u8 {
        let (at, new) = (Time(u64::from(n)), waiting(n.into(), n, 1, 1));
        assert_eq!(pool.insert(&limits, at, new), Ok(None));
    }
    assert_eq!(pool.expire(Time(u64::from(PATIENCE) - 1)), vec![]);
    assert_eq!(pool.expire(Time(1).after(PATIENCE)).len(), 2);
    assert_eq!(pool.find(&waiting(2, 2, 1, 1).id), Some((person(2), 1)));
    assert!(pool.adds_up());
}

proptest! {
    #[test]
    fn sums_are_those_of_what_waits(
        steps in proptest::collection::vec((0u8..4, 0u8..3, 1u64..5, 0usize..200), 1..60)
    ) {
        let limits = limits();
        let mut pool = Mempool::default();
        for (n, (kind, signer, nonce, bytes)) in steps.into_iter().enumerate() {
            let now = Time(n as u64 * 100);
            match kind {
                0 | 1 => drop(pool.insert(&limits, now, waiting(n as u64, signer, nonce, bytes))),
                2 => drop(pool.take(person(signer), nonce)),
                _ => drop(pool.expire(now)),
            }
            prop_assert!(pool.adds_up());
            prop_assert!(pool.len() <= limits.waiting);
        }
        let all: Vec<Digest> = pool.expire(Time(u64::MAX));
        prop_assert!(pool.adds_up() && pool.len() == 0 && all.len() <= limits.waiting);
    }
}
