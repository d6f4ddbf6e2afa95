//! How a party begins: with what it kept of an earlier run, and with its part of the beacon.

use super::{
    CarriedOver, Collect, Party, PartySecrets, Stage, attendance::Attendance, marks::MarkSets,
    pool::MAX_ARCHIVED, voting::Record,
};
use crate::{
    effect::Effect,
    message::{Address, Message, OpenedEpoch, Sitting},
};
use chain::modules::usage::{CommitBeacon, RevealBeacon, beacon_commitment, beacon_signing_digest};
use primitives::{ChainId, Digest, EpochId};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use std::{collections::BTreeMap, sync::Arc};

impl Party {
    /// A party that waits for an epoch to begin. `rng` is the source of its contribution to the beacon, of the keys for
    /// randomness in common and of its nonces; batches hold `batch` bundles or more; `carried` is what it carries over.
    pub fn new(
        (chain, epoch): (ChainId, EpochId),
        secrets: PartySecrets,
        (batch, carried): (usize, CarriedOver),
        rng: ChaCha20Rng,
    ) -> Self {
        let party = secrets.signer.party();
        let (opened, stage, votes) = (None, Stage::Idle, BTreeMap::new());
        let attendance = Attendance::new(party);
        let (sat, freezing, seat) = (None, false, None);
        Self {
            party,
            chain,
            epoch,
            secrets,
            rng,
            batch,
            carried,
            opened,
            taken: None,
            stage,
            attendance,
            votes,
            signed: Arc::default(),
            marks: MarkSets::default(),
            archived: MAX_ARCHIVED,
            contribution: None,
            committed: false,
            sat,
            freezing,
            seat,
            past: None,
        }
    }

    /// The same party with what it stored in an earlier run: what it signed and promised there holds.
    #[must_use]
    pub fn with_votes(mut self, records: &[Record]) -> Self {
        // The last record of a shard says all.
        self.votes = records.iter().map(|record| (record.shard, record.clone())).collect();
        self
    }

    /// The same party with the bundles of each header that it signed in an earlier run, by the header's digest.
    #[must_use]
    pub fn with_signed(mut self, signed: BTreeMap<Digest, Vec<Digest>>) -> Self {
        self.signed = Arc::new(signed);
        self
    }

    /// The same party, which keeps tags and receipts there instead of in memory.
    #[must_use]
    pub fn with_marks(mut self, marks: MarkSets) -> Self {
        self.marks = marks;
        self
    }

    /// The same party, which keeps so many bundles of final batches in memory. Others it has on disk, if it has one.
    #[must_use]
    pub fn with_archived(mut self, most: usize) -> Self {
        self.archived = most;
        self
    }

    /// The same party with what it had drawn for the beacon in an earlier run.
    #[must_use]
    pub fn with_contribution(mut self, contribution: Option<Digest>) -> Self {
        self.contribution = contribution;
        self
    }

    /// The same party with the last sitting that it began in an earlier run: it begins another one.
    #[must_use]
    pub fn with_sitting(mut self, sat: Option<Sitting>) -> Self {
        self.sat = sat;
        self
    }

    /// Goes on with an epoch that is open already, as a party does that was away: it has what it stored, and gets the
    /// rest from the chain and from its peers. `closed` if nothing more is taken in.
    pub fn rejoin(&mut self, opened: OpenedEpoch, closed: bool) -> Vec<Effect> {
        self.opened = Some(opened.clone());
        let (stored, room) = ((&self.votes, &self.signed), (std::mem::take(&mut self.marks), self.archived));
        let mut collect = Box::new(Collect::new(self.party, room, opened, self.batch, stored));
        let effects = if closed { collect.close(&self.secrets) } else { Ok(Vec::new()) };
        self.stage = Stage::Collecting(collect);
        effects.unwrap_or_else(|fault| self.fault(fault))
    }

    pub(super) fn announce(&mut self) -> Vec<Effect> {
        let value = self.contribution.unwrap_or_else(|| {
            let mut fresh = Digest::default();
            self.rng.fill_bytes(&mut fresh.0);
            fresh
        });
        let commitment = beacon_commitment(self.chain, self.epoch, self.party, &value);
        let signed = beacon_signing_digest(self.chain, self.epoch, self.party, &commitment);
        let signature = self.secrets.signer.sign(&signed);
        self.stage = Stage::Announced(value);
        let commit = CommitBeacon { epoch: self.epoch, party: self.party, commitment, signature };
        let commit = Effect::Send(Address::Settlement, Message::BeaconCommitment(commit));
        // Whoever begins again may have heard before that all have committed.
        let reveal = self.committed.then(|| self.reveal(value));
        [Effect::Contribute(value), commit].into_iter().chain(reveal).collect()
    }

    pub(super) fn reveal(&self, value: Digest) -> Effect {
        let reveal = RevealBeacon { epoch: self.epoch, party: self.party, value };
        Effect::Send(Address::Settlement, Message::BeaconReveal(reveal))
    }
}
