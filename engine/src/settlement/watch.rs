//! What is new on the chain of an epoch, told in one order whoever watches from whenever on.

use super::SettlementError;
use crate::{
    effect::{Effect, Event},
    message::{Address, Message, Seated},
    opening::EpochDocument,
};
use chain::{
    Ledger, Payload,
    modules::usage::{Epoch, Phase},
    state::State,
};
use primitives::{EpochId, PartyId, ShardIndex};
use std::sync::Arc;

/// What was told so far of an epoch.
pub(super) struct Watch {
    epoch: EpochId,
    /// Ticks since two parties had committed to the beacon, for a third that does not.
    waited: u32,
    committed: bool,
    open: bool,
    taken: bool,
    /// Headers of each shard.
    anchored: Vec<usize>,
    roots: Vec<bool>,
    seated: bool,
    totals: Vec<bool>,
    settled: bool,
}

impl Watch {
    pub(super) fn new(epoch: EpochId) -> Self {
        Self {
            epoch,
            waited: 0,
            committed: false,
            open: false,
            taken: false,
            anchored: Vec::new(),
            roots: Vec::new(),
            seated: false,
            totals: Vec::new(),
            settled: false,
        }
    }

    /// Some time has passed.
    pub(super) fn tick(&mut self) {
        self.waited = self.waited.saturating_add(1);
    }

    /// What is new on a ledger.
    pub(super) fn observe(&mut self, ledger: &Ledger) -> Result<Vec<Effect>, SettlementError> {
        let state = ledger.state();
        let mut effects = self.beacon(state);
        let Some(epoch) = state.epochs.get(&self.epoch) else { return Ok(effects) };
        if !self.open {
            effects.extend(self.opened(ledger, epoch.shards.len())?);
        }
        if !self.taken {
            effects.extend(self.taken_over(state));
        }
        for (shard, at) in (0..).map(ShardIndex).zip(&mut self.anchored) {
            for header in state.anchors_of(self.epoch, shard).skip(*at) {
                let anchored = Message::Anchored(Arc::new(header.clone()));
                effects.extend(to_parties(&anchored));
                effects.push(Effect::Send(Address::Coordinator, anchored));
                *at += 1;
            }
        }
        effects.extend(self.roots(epoch));
        effects.extend(self.seat(state, epoch));
        for (shard, (told, progress)) in self.totals.iter_mut().zip(&epoch.shards).enumerate() {
            if progress.aggregate.is_some() && !std::mem::replace(told, true) {
                effects.push(to_coordinator(Message::AggregateRecorded(index(shard))));
            }
        }
        effects.extend(self.end(epoch));
        Ok(effects)
    }

    /// Reveals wait for all commitments, or the last to commit would know what it adds to. A third party that does not
    /// commit is waited for as long as the committee's patience lasts, and skipped then.
    fn beacon(&mut self, state: &State) -> Vec<Effect> {
        let committed = state.contributions(self.epoch).count();
        let patience = state.committee_for(self.epoch).map_or(u32::MAX, |seat| seat.seating.patience);
        if committed < 2 {
            self.waited = 0;
        }
        let enough = committed == PartyId::ALL.len() || (committed >= 2 && self.waited > patience);
        match enough && !std::mem::replace(&mut self.committed, enough) {
            true => to_parties(&Message::BeaconCommitted),
            false => Vec::new(),
        }
    }

    fn opened(&mut self, ledger: &Ledger, shards: usize) -> Result<Vec<Effect>, SettlementError> {
        let opened = EpochDocument::on_record(ledger.state(), self.epoch)?.opened()?;
        (self.open, self.anchored) = (true, vec![0; shards]);
        (self.roots, self.totals) = (vec![false; shards], vec![false; shards]);
        let mut effects = to_all(&Message::Opened(opened.clone()));
        effects.push(Effect::Publish(Event::Opened(opened)));
        Ok(effects)
    }

    fn taken_over(&mut self, state: &State) -> Vec<Effect> {
        let Some(carried) = state.carried_into(self.epoch) else { return Vec::new() };
        self.taken = true;
        to_all(&Message::TakenOver(carried.into_iter().map(|carried| carried.commitments).collect()))
    }

    fn roots(&mut self, epoch: &Epoch) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (shard, (told, progress)) in self.roots.iter_mut().zip(&epoch.shards).enumerate() {
            if progress.root.is_some() && !std::mem::replace(told, true) {
                effects.push(to_coordinator(Message::RootAnchored(index(shard))));
            }
        }
        effects
    }

    /// Tells everybody who has a seat now, and what the chain has frozen.
    fn seat(&mut self, state: &State, epoch: &Epoch) -> Vec<Effect> {
        let Some(by) = state.replacements.get(&self.epoch) else { return Vec::new() };
        if std::mem::replace(&mut self.seated, true) {
            return Vec::new();
        }
        let frozen = epoch.shards.iter().enumerate().filter_map(|(shard, progress)| {
            let last = state.anchors_of(self.epoch, index(shard)).next_back().cloned();
            Some((progress.root.clone()?, last))
        });
        let message = Message::Seated(Arc::new(Seated { by: by.clone(), frozen: frozen.collect() }));
        let others = [Address::Coordinator, Address::Standby].map(|to| Effect::Send(to, message.clone()));
        // The coordinator first: what parties do from here on belongs to the new committee.
        others.into_iter().chain(to_parties(&message)).collect()
    }

    fn end(&mut self, epoch: &Epoch) -> Option<Effect> {
        let message = match epoch.phase {
            Phase::Finalised => Message::Settled,
            Phase::Abandoned => Message::ChainRefused("the epoch was given up".into()),
            Phase::Open | Phase::Frozen | Phase::Aggregated => return None,
        };
        (!std::mem::replace(&mut self.settled, true)).then(|| to_coordinator(message))
    }
}

fn index(shard: usize) -> ShardIndex {
    ShardIndex(u32::try_from(shard).expect("an epoch has few shards"))
}

fn to_coordinator(message: Message) -> Effect {
    Effect::Send(Address::Coordinator, message)
}

fn to_all(message: &Message) -> Vec<Effect> {
    let to = Address::seats().chain([Address::Standby, Address::Coordinator]);
    to.map(|to| Effect::Send(to, message.clone())).collect()
}

fn to_parties(message: &Message) -> Vec<Effect> {
    PartyId::ALL.map(|p| Effect::Send(Address::Party(p), message.clone())).into()
}

/// Whether what a transaction asks for is on record, or never will be: another header has its place.
pub(super) fn is_decided(state: &State, payload: &Payload) -> bool {
    let other_header = match payload {
        Payload::AnchorHeader(signed) => {
            let header = &signed.header;
            let anchored = state.anchors_of(header.epoch, header.shard).count() as u64;
            anchored > header.position
        }
        _ => false,
    };
    other_header || is_on_record(state, payload)
}

/// Whether what a transaction asks for is on record, whoever brought it.
pub(super) fn is_on_record(state: &State, payload: &Payload) -> bool {
    let contribution = |epoch, party| {
        let of = move |beacon: &&chain::modules::usage::Beacon| beacon.party == party;
        state.contributions(epoch).find(of)
    };
    let progress = |epoch, shard| state.epochs.get(&epoch).and_then(|epoch| epoch.shard(shard));
    match payload {
        Payload::CommitBeacon(action) => contribution(action.epoch, action.party)
            .is_some_and(|beacon| beacon.commitment == action.commitment),
        Payload::RevealBeacon(action) => {
            contribution(action.epoch, action.party).is_some_and(|beacon| beacon.value.is_some())
        }
        Payload::AnchorHeader(signed) => {
            let header = &signed.header;
            let place = usize::try_from(header.position).unwrap_or(usize::MAX);
            let mut anchors = state.anchors_of(header.epoch, header.shard);
            anchors.nth(place).is_some_and(|anchored| anchored.header == *header)
        }
        Payload::AnchorRoot(signed) => progress(signed.root.epoch, signed.root.shard)
            .and_then(|progress| progress.root.as_ref())
            .is_some_and(|anchored| anchored.root == signed.root),
        Payload::SeatStandby(seat) => {
            state.replacements.get(&seat.epoch).is_some_and(|on| on.party == seat.party)
        }
        Payload::SubmitAggregate(action) => {
            progress(action.epoch, action.shard).is_some_and(|progress| progress.aggregate.is_some())
        }
        _ => false,
    }
}
