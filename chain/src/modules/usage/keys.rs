//! Keys of issuers and regions: when they hold, and what an epoch's bundles are verified under.

use super::{Epoch, IssuerKey, Opening, RegionKey};
use crate::state::State;
use primitives::{EpochId, Region, Tier};
use proofs::{
    blind::BlindKey,
    epoch::{EpochKeys, TierRules},
    receipt::Denomination,
};
use std::collections::BTreeMap;

/// Where a key stands. It follows from its epoch: a key has no other life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Its epoch has not opened: what it would sign counts for nothing yet, and issuers sign nothing under it.
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

    /// Every key of a blind signer that was ever put on record, whatever for, with its epoch. None of them may stand for
    /// anything else.
    pub fn keys_on_record(&self) -> BTreeMap<&[u8], EpochId> {
        let issuers = self.issuer_keys.iter().map(|on_record| (&on_record.key, on_record.epoch));
        let regions = self.region_keys.iter().map(|on_record| (&on_record.key, on_record.epoch));
        let vouchers = self.voucher_keys.iter().map(|on_record| (&on_record.key, on_record.epoch));
        issuers.chain(regions).chain(vouchers).map(|(key, epoch)| (key.as_slice(), epoch)).collect()
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

impl Opening {
    /// The epoch's keys, with what the opening says of each tier. A key of a tier that is not on sale in this epoch is
    /// left out.
    pub fn keys(
        &self,
        issuers: impl IntoIterator<Item = (Tier, BlindKey)>,
        receipts: impl IntoIterator<Item = ((Region, Denomination), BlindKey)>,
    ) -> EpochKeys {
        let rules =
            |(tier, issuer)| Some((tier, TierRules { issuer, value_cap: self.tier(tier)?.value_cap }));
        EpochKeys {
            beacon: self.key,
            tiers: issuers.into_iter().filter_map(rules).collect(),
            regions: receipts.into_iter().collect(),
            committee: self.committee.clone(),
        }
    }
}
