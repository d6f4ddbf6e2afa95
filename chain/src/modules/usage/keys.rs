//! When keys of issuers and regions hold.

use super::{Epoch, IssuerKey, RegionKey};
use crate::state::State;
use primitives::EpochId;

/// Where a key stands. It follows from its epoch: a key has no other life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Its epoch has not opened: tokens and receipts are signed ahead, and count for nothing yet.
    Pending,
    /// Its epoch is open, up to its settlement.
    Active,
    /// Its epoch is settled or given up: what the key signed counts nowhere any more.
    Expired,
}

impl State {
    /// Where keys of an epoch stand.
    pub fn key_state(&self, epoch: EpochId) -> KeyState {
        match self.epochs.get(&epoch) {
            None => KeyState::Pending,
            Some(record) => of(record),
        }
    }
}

fn of(epoch: &Epoch) -> KeyState {
    if epoch.is_over() { KeyState::Expired } else { KeyState::Active }
}

impl IssuerKey {
    /// Where the key stands.
    pub fn state(&self, state: &State) -> KeyState {
        state.key_state(self.epoch)
    }
}

impl RegionKey {
    /// Where the key stands.
    pub fn state(&self, state: &State) -> KeyState {
        state.key_state(self.epoch)
    }
}
