//! A process that ends at any request, before or after the request reached L1, and starts again.

use super::{places::*, *};
use alloy::primitives::keccak256;
use chain::bridge::{Address, AnchorError, Mining, PortError, SendError, U256};

/// A process that ends after a number of requests: each later one fails. The last one may have reached L1.
struct Dying {
    inner: Box<dyn Port>,
    left: u32,
    /// Whether a transaction that is sent as the last request gets through.
    delivers: bool,
}

fn dead() -> PortError {
    PortError::Unreachable { endpoint: "here".into(), reason: "the process ended".into() }
}

impl Detour for Dying {
    type Inner = Box<dyn Port>;
    fn inner(&mut self) -> &mut Self::Inner {
        &mut self.inner
    }
    fn before(&mut self) -> Result<(), PortError> {
        self.left = self.left.checked_sub(1).ok_or_else(dead)?;
        Ok(())
    }
    fn send(&mut self, raw: &[u8]) -> Result<(), PortError> {
        match (self.left, self.delivers) {
            (0, true) => self.inner.send(raw).and(Err(dead())),
            (0, false) => Err(dead()),
            _ => self.inner.send(raw),
        }
    }
}

/// Deploys, commits two batches and gives wei away: seven steps.
fn work(world: &World, port: Box<dyn Port>, dir: &Path, key: PrivateKeySigner) -> Result<(), AnchorError> {
    let policy = Policy { patience: 3, ..Policy::default() };
    let sender = Sender::open(port, key, dir.join("journal"), policy)?;
    let committee = members().map(|member| member.address());
    let (mut anchor, _) = Anchor::deploy(sender, genesis_root(world), committee, CAP)?;
    for (batch, attestations) in &attested(world, &mut anchor)[..2] {
        anchor.commit(batch, attestations)?;
    }
    anchor.give(key_of_nobody(), U256::from(1))?;
    assert_eq!(anchor.position()?.0, 2);
    Ok(())
}

const STEPS: u64 = 7;

fn key_of_nobody() -> Address {
    Address::repeat_byte(0x99)
}

/// Ends the process after each of `ends` requests, lets a second one finish the work, and counts what L1 took.
fn ends_anywhere(place: &dyn Place, ends: impl Iterator<Item = u32>) {
    let world = World::with_works_sealed();
    for left in ends {
        for delivers in [false, true] {
            let dir = tempfile::tempdir().expect("a directory");
            // An account of its own for each run, so that its nonce counts the run's transactions.
            let secret = keccak256(format!("{left} {delivers}"));
            let key = PrivateKeySigner::from_bytes(&secret).expect("a key");
            let mut purse = sender(place, rich(), dir.path());
            let to = alloy::primitives::TxKind::Call(key.address());
            purse.submit("wei", to, ether(5), Default::default()).expect("given");
            let dying = Via(Dying { inner: place.connect(), left, delivers });
            let first = work(&world, Box::new(dying), dir.path(), key.clone());
            work(&world, place.connect(), dir.path(), key.clone()).expect("finished the second time");
            let taken = place.connect().nonce(key.address()).expect("readable");
            assert_eq!(taken, STEPS, "after {left} requests, delivered: {delivers}");
            if first.is_ok() {
                return;
            }
            let known =
                matches!(first, Err(AnchorError::Port(_) | AnchorError::Send(SendError::Port { .. })));
            assert!(known, "{first:?}");
        }
    }
}

/// Every request of the whole work is the last one once.
#[test]
fn a_process_that_ends_at_any_request_sends_every_step_once() {
    ends_anywhere(&embedded(Mining::AtOnce), 0..);
}

#[test]
#[ignore = "needs anvil: ./test contracts installs it"]
fn a_process_that_ends_at_some_requests_sends_every_step_once_to_anvil() {
    ends_anywhere(&Anvil::start(), [1, 5, 9, 10, 11, 30, 47].into_iter());
}
