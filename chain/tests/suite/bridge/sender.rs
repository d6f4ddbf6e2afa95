//! Fees, nonces and confirmations; and the embedded L1 on disk.

use super::{places::*, *};
use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
    primitives::{Bytes, TxKind, U256},
};
use chain::bridge::{Address, Embedded, Mining, PortError, Receipt, SendError, journal::JournalError};
use tempfile::TempDir;

fn dir() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn somebody() -> TxKind {
    TxKind::Call(Address::repeat_byte(0x42))
}

fn open(port: Box<dyn Port>, dir: &TempDir, policy: Policy) -> Sender<Box<dyn Port>> {
    Sender::open(port, rich(), dir.path().join("journal"), policy).expect("an account")
}

fn balance(place: &Shared) -> U256 {
    place.clone().balance(Address::repeat_byte(0x42)).expect("readable")
}

/// A pool that forgets what offers too little.
struct Reluctant {
    inner: Shared,
    least: u128,
    forgot: u32,
}

impl Detour for Reluctant {
    type Inner = Shared;
    fn inner(&mut self) -> &mut Shared {
        &mut self.inner
    }
    fn send(&mut self, raw: &[u8]) -> Result<(), PortError> {
        let tx = TxEnvelope::decode_2718(&mut &*raw).expect("a transaction");
        if tx.max_fee_per_gas() < self.least {
            self.forgot += 1;
            return Ok(());
        }
        self.inner.send(raw)
    }
}

#[test]
fn a_transaction_that_nobody_takes_is_replaced_with_a_higher_fee() {
    let (place, dir) = (embedded(Mining::OnWait), dir());
    let reluctant = Reluctant { inner: place.clone(), least: 4_000_000_000, forgot: 0 };
    let policy = Policy { patience: 2, ..Policy::default() };
    let mut sender =
        Sender::open(Via(reluctant), rich(), dir.path().join("journal"), policy).expect("an account");
    let receipt = sender.submit("one", somebody(), U256::from(5), Bytes::new()).expect("taken in the end");
    assert!(receipt.success && sender.port().0.forgot > 0);
    assert_eq!((balance(&place), place.clone().nonce(rich().address())), (U256::from(5), Ok(1)));
    // Both are known as one step.
    assert_eq!(sender.submit("one", somebody(), U256::from(5), Bytes::new()).expect("done"), receipt);
    assert_eq!(balance(&place), U256::from(5));
}

#[test]
fn a_step_that_would_cost_too_much_waits() {
    let (place, dir) = (embedded(Mining::AtOnce), dir());
    let policy = Policy { fee_cap: 2_999_999_999, ..Policy::default() };
    let refused = open(place.connect(), &dir, policy).submit("one", somebody(), U256::from(5), Bytes::new());
    assert!(matches!(refused, Err(SendError::FeeCap { fee: 3_000_000_000, cap: 2_999_999_999, .. })));
    let policy = Policy { fee_cap: 3_000_000_000, ..policy };
    open(place.connect(), &dir, policy).submit("one", somebody(), U256::from(5), Bytes::new()).expect("sent");
}

#[test]
fn a_transaction_that_is_never_taken_is_reported_and_can_be_taken_up_again() {
    let (place, dir) = (embedded(Mining::OnWait), dir());
    let policy = Policy { patience: 1, raises: 2, ..Policy::default() };
    let deaf = Reluctant { inner: place.clone(), least: u128::MAX, forgot: 0 };
    let mut stuck = open(Box::new(Via(deaf)), &dir, policy);
    let error = stuck.submit("one", somebody(), U256::from(5), Bytes::new());
    assert!(matches!(error, Err(SendError::Stuck { nonce: 0, raises: 2, .. })));
    drop(stuck);
    // A later step does not wait behind it for ever.
    let mut sender = open(place.connect(), &dir, policy);
    sender.submit("two", somebody(), U256::from(1), Bytes::new()).expect("taken after the first");
    sender.submit("one", somebody(), U256::from(5), Bytes::new()).expect("done");
    assert_eq!((balance(&place), place.clone().nonce(rich().address())), (U256::from(6), Ok(2)));
}

/// Lets somebody else act with the same key whenever something is sent for the first time.
struct Raced {
    inner: Shared,
    rival: Option<Sender<Box<dyn Port>>>,
}

impl Detour for Raced {
    type Inner = Shared;
    fn inner(&mut self) -> &mut Shared {
        &mut self.inner
    }
    fn send(&mut self, raw: &[u8]) -> Result<(), PortError> {
        if let Some(mut rival) = self.rival.take() {
            rival.submit("rival", somebody(), U256::from(100), Bytes::new()).expect("first");
        }
        self.inner.send(raw)
    }
}

#[test]
fn a_step_whose_nonce_something_else_used_waits_for_somebodys_decision() {
    let (place, mine, theirs) = (embedded(Mining::AtOnce), dir(), dir());
    let rival = Some(open(place.connect(), &theirs, Policy::default()));
    let raced = Via(Raced { inner: place.clone(), rival });
    let policy = Policy { patience: 2, ..Policy::default() };
    let mut sender = open(Box::new(raced), &mine, policy);
    for _ in 0..2 {
        let displaced = sender.submit("mine", somebody(), U256::from(5), Bytes::new());
        assert!(matches!(displaced, Err(SendError::Displaced { nonce: 0, .. })), "{displaced:?}");
    }
    sender.forget("mine").expect("written");
    drop(sender);
    let mut sender = open(place.connect(), &mine, policy);
    sender.submit("mine", somebody(), U256::from(5), Bytes::new()).expect("second");
    assert_eq!((balance(&place), place.clone().nonce(rich().address())), (U256::from(105), Ok(2)));
}

/// A node that does not know some receipts at first, and tells of others what does not last.
struct Forgetful {
    inner: Shared,
    silent: u32,
    reverted: u32,
}

impl Detour for Forgetful {
    type Inner = Shared;
    fn inner(&mut self) -> &mut Shared {
        &mut self.inner
    }
    fn receipt(&mut self, transaction: B256) -> Result<Option<Receipt>, PortError> {
        if let Some(left) = self.silent.checked_sub(1) {
            self.silent = left;
            return Ok(None);
        }
        let mut receipt = self.inner.receipt(transaction)?;
        if let (Some(found), Some(left)) = (&mut receipt, self.reverted.checked_sub(1)) {
            self.reverted = left;
            found.success = false;
        }
        Ok(receipt)
    }
}

#[test]
fn a_receipt_that_comes_late_is_no_reason_to_send_again() {
    let (place, dir) = (embedded(Mining::AtOnce), dir());
    open(place.connect(), &dir, Policy::default())
        .submit("one", somebody(), U256::from(5), Bytes::new())
        .expect("sent");
    let late = Forgetful { inner: place.clone(), silent: 3, reverted: 0 };
    let mut again = open(Box::new(Via(late)), &dir, Policy::default());
    again.submit("one", somebody(), U256::from(5), Bytes::new()).expect("done before");
    assert_eq!((balance(&place), place.clone().nonce(rich().address())), (U256::from(5), Ok(1)));
}

#[test]
fn what_a_fork_says_counts_only_at_the_depth_that_was_asked_for() {
    let (place, dir) = (embedded(Mining::OnWait), dir());
    let fork = Forgetful { inner: place.clone(), silent: 0, reverted: 2 };
    let policy = Policy { confirmations: 4, ..Policy::default() };
    let mut sender = open(Box::new(Via(fork)), &dir, policy);
    let receipt = sender.submit("one", somebody(), U256::from(5), Bytes::new()).expect("it did not last");
    assert!(receipt.success);
    assert_eq!((balance(&place), place.clone().nonce(rich().address())), (U256::from(5), Ok(1)));
}

#[test]
fn a_step_is_bound_to_its_target_and_value() {
    let (place, dir) = (embedded(Mining::AtOnce), dir());
    let mut sender = open(place.connect(), &dir, Policy::default());
    sender.submit("one", somebody(), U256::from(5), Bytes::new()).expect("sent");
    for (to, value) in [(somebody(), 6), (TxKind::Call(Address::ZERO), 5), (TxKind::Create, 5)] {
        let changed = sender.submit("one", to, U256::from(value), Bytes::new());
        assert!(matches!(changed, Err(SendError::StepChanged { .. })));
    }
}

#[test]
fn a_receipt_that_no_block_follows_is_reported() {
    let (place, dir) = (embedded(Mining::AtOnce), dir());
    struct Still(Shared);
    impl Detour for Still {
        type Inner = Shared;
        fn inner(&mut self) -> &mut Shared {
            &mut self.0
        }
        fn wait(&mut self) -> Result<(), PortError> {
            Ok(())
        }
    }
    let policy = Policy { confirmations: 2, patience: 3, ..Policy::default() };
    let mut sender = open(Box::new(Via(Still(place.clone()))), &dir, policy);
    let error = sender.submit("one", somebody(), U256::from(5), Bytes::new());
    assert!(matches!(error, Err(SendError::Unconfirmed { block: 1, .. })), "{error:?}");
    open(
        place.connect(),
        &{
            drop(sender);
            dir
        },
        policy,
    )
    .submit("one", somebody(), U256::from(5), Bytes::new())
    .expect("once blocks follow");
    assert_eq!(balance(&place), U256::from(5));
}

#[test]
fn a_receipt_counts_when_enough_blocks_stand_on_it() {
    let (place, dir) = (embedded(Mining::OnWait), dir());
    let policy = Policy { confirmations: 4, ..Policy::default() };
    let receipt = open(place.connect(), &dir, policy)
        .submit("one", somebody(), U256::from(5), Bytes::new())
        .expect("taken");
    assert_eq!(place.clone().height(), Ok(receipt.block + 3));
}

#[test]
fn a_journal_belongs_to_one_account_of_one_chain() {
    let (place, dir) = (embedded(Mining::AtOnce), dir());
    drop(open(place.connect(), &dir, Policy::default()));
    let path = dir.path().join("journal");
    let other = Sender::open(place.connect(), key(7), &path, Policy::default());
    assert!(matches!(other.err(), Some(SendError::Journal(JournalError::OtherOrigin))));
    let elsewhere = Box::new(Embedded::new(&[(rich().address(), ether(1))], Mining::AtOnce));
    let other = Sender::open(elsewhere, rich(), &path, Policy::default());
    assert!(matches!(other.err(), Some(SendError::Journal(JournalError::OtherOrigin))));
    open(place.connect(), &dir, Policy::default());
}

#[test]
fn an_account_without_wei_is_told_so() {
    let (place, dir) = (embedded(Mining::AtOnce), dir());
    let mut poor = Sender::open(place.connect(), key(7), dir.path().join("journal"), Policy::default())
        .expect("an account");
    let error = poor.submit("one", somebody(), U256::ZERO, Bytes::new());
    assert!(matches!(error, Err(SendError::Port { error: PortError::Rejected(_), .. })), "{error:?}");
}

#[test]
fn the_embedded_layer1_survives_on_disk() {
    let dir = dir();
    let (file, funded) = (dir.path().join("layer1.log"), [(rich().address(), ether(10_000))]);
    let open_l1 = || Embedded::open(&file, &funded, Mining::AtOnce);
    let world = world();
    let mut first = None;
    for _ in 0..3 {
        let mut l1 = open_l1().expect("opens");
        let genesis = l1.genesis().expect("has one");
        let sender =
            Sender::open(l1, rich(), dir.path().join("journal"), Policy::default()).expect("an account");
        let committee = members().map(|member| member.address());
        let (mut anchor, receipts) =
            Anchor::deploy(sender, genesis_root(&world), committee, CAP).expect("deployed, once");
        let position = anchor.position().expect("readable");
        let seen = (genesis, anchor.contracts(), receipts, position, anchor.sender().port().height());
        assert_eq!(*first.get_or_insert(seen.clone()), seen);
    }
    let others = [(rich().address(), ether(1))];
    assert!(matches!(Embedded::open(&file, &others, Mining::AtOnce).err(), Some(PortError::Storage(_))));
    // A crash in the middle of a block costs that block only.
    let bytes = std::fs::read(&file).expect("readable");
    std::fs::write(&file, &bytes[..bytes.len() - 7]).expect("written");
    assert_eq!(open_l1().expect("opens").height(), Ok(3));
}

#[test]
fn the_embedded_layer1_refuses_what_a_pool_refuses() {
    let mut l1 = Embedded::new(&[(rich().address(), ether(1))], Mining::OnWait);
    assert!(matches!(l1.send(b"nothing"), Err(PortError::Rejected(_))));
    let sign = |nonce, gas, fee, chain| {
        use alloy::{
            consensus::{SignableTransaction, TxEip1559},
            eips::eip2718::Encodable2718,
            network::TxSignerSync,
        };
        let mut tx = TxEip1559 {
            chain_id: chain,
            nonce,
            gas_limit: gas,
            max_fee_per_gas: fee,
            to: somebody(),
            ..TxEip1559::default()
        };
        let signature = rich().sign_transaction_sync(&mut tx).expect("signed");
        TxEnvelope::from(tx.into_signed(signature)).encoded_2718()
    };
    let here = chain::bridge::embedded::CHAIN_ID;
    let gwei = 1_000_000_000;
    let good = sign(0, 21_000, 2 * gwei, here);
    for bad in [
        sign(0, 21_000, 2 * gwei, 1),
        sign(0, 1 << 40, 2 * gwei, here),
        sign(0, 21_000, gwei - 1, here),
        sign(0, 10_000_000, 1_000_000 * gwei, here),
        [&good[..], &[0]].concat(),
    ] {
        assert!(matches!(l1.send(&bad), Err(PortError::Rejected(_))));
    }
    l1.send(&good).expect("taken");
    l1.send(&good).expect("known");
    assert!(matches!(l1.send(&sign(0, 21_000, 2 * gwei + 1, here)), Err(PortError::Rejected(_))));
    l1.mine().expect("a block");
    assert!(matches!(l1.send(&sign(0, 21_000, 9 * gwei, here)), Err(PortError::Rejected(_))));
    l1.send(&good).expect("known");
    assert_eq!(l1.nonce(rich().address()), Ok(1));
    // The pool takes what only running it shows to be hopeless; it ends there, and no block holds it.
    l1.send(&sign(1, 1, 2 * gwei, here)).expect("taken");
    assert!(matches!(l1.mine(), Err(PortError::Rejected(_))));
    l1.mine().expect("an empty block");
    l1.send(&sign(1, 21_000, 2 * gwei, here)).expect("taken");
    l1.mine().expect("a block");
    assert_eq!(l1.nonce(rich().address()), Ok(2));
}
