//! A party: one of three aggregators (spec 6; protocol notes, sections 5 and 6).
//!
//! It holds two of three shares of every accepted bundle, agrees with the others on batches, and opens its own share of
//! the totals when the set is frozen. It never sees which works a bundle is of.

mod ahead;
mod attendance;
mod carried;
pub mod collect;
mod decide;
pub mod evidence;
mod line;
pub mod marks;
mod pool;
mod relation;
mod shelf;
mod sitting;
pub mod standby;
mod start;
mod tallying;
pub mod voting;

pub use carried::{Carried, CarriedOver};
pub use collect::Collect;
pub(crate) use pool::Verified;
pub use shelf::{Shelf, ShelfError};

use crate::{
    effect::{Core, Effect, Event, Refusal},
    message::{Address, Letter, Message, OpenedEpoch, PeerMessage, Phase, Report, Seated, Sitting},
};
use attendance::{Attendance, From};
use collect::Fault;
use marks::MarkSets;
use pool::Past;
use primitives::{ChainId, Digest, EpochId, PartyId, ShardIndex};
use proofs::{committee::PartySigner, sharing::KemKey, tally::Residual};
use rand_chacha::ChaCha20Rng;
use std::{collections::BTreeMap, sync::Arc};
use tallying::Tallying;
use voting::Record;

/// Secret keys of a party.
pub struct PartySecrets {
    /// Signs headers, roots and totals.
    pub signer: PartySigner,
    /// Opens sealed shares.
    pub kem: KemKey,
}

/// Where a party stands in an epoch.
enum Stage {
    /// Nothing has begun.
    Idle,
    /// Committed to its contribution to the beacon.
    Announced(Digest),
    /// Takes bundles and agrees on batches.
    Collecting(Box<Collect>),
    /// Opens the totals of the shards.
    Tallying(BTreeMap<ShardIndex, Tallying>),
    /// Has nothing more to do. It is there all the same: its seat is not free.
    Finished,
    /// Leaves its seat to the standby.
    Left,
}

/// What moves a party that opens totals.
enum Input {
    Root(Arc<proofs::tally::SignedRoot>),
    Peer(PartyId, Letter),
}

impl Input {
    fn shard(&self) -> ShardIndex {
        match self {
            Self::Root(root) => root.root.shard,
            Self::Peer(_, letter) => letter.shard,
        }
    }
}

/// State of a party.
pub struct Party {
    party: PartyId,
    chain: ChainId,
    epoch: EpochId,
    secrets: PartySecrets,
    rng: ChaCha20Rng,
    batch: usize,
    /// What it carries over from the epochs before: read when the epoch is frozen.
    carried: CarriedOver,
    opened: Option<OpenedEpoch>,
    /// Commitments to that, once they are on record.
    taken: Option<Arc<[Residual]>>,
    stage: Stage,
    attendance: Attendance,
    /// What it stored before it was started, by shard.
    votes: BTreeMap<ShardIndex, Record>,
    /// Bundles of the headers that it signed before it was started.
    signed: Arc<BTreeMap<Digest, Vec<Digest>>>,
    /// Where it keeps what is used up.
    marks: MarkSets,
    /// Most bundles of final batches that it keeps in memory.
    archived: usize,
    /// What it contributes to the beacon, if it had drawn that before it was started.
    contribution: Option<Digest>,
    /// All had committed to the beacon before this party began.
    committed: bool,
    /// The last sitting that it began, before it was started or since.
    sat: Option<Sitting>,
    /// The epoch is to be frozen, as soon as this party has taken in all that is final.
    freezing: bool,
    /// A seat that was taken before this party was that far.
    seat: Option<Arc<Seated>>,
    /// What a peer that is behind may still ask for, once the epoch is frozen.
    past: Option<Past>,
}

impl Party {
    fn dropped(&self, from: Address, reason: &'static str) -> Vec<Effect> {
        vec![Effect::Publish(Event::Dropped { at: Address::Party(self.party), from, reason })]
    }

    /// Stops: the coordinator is told why, and whom the party blames.
    fn stop(&mut self, culprit: Option<PartyId>, reason: String) -> Vec<Effect> {
        self.stage = Stage::Finished;
        vec![Effect::Send(Address::Coordinator, Message::Report(Report::Stopped { culprit, reason }))]
    }

    /// Stops because of what another party did, and shows the evidence if there is any.
    fn fault(&mut self, fault: Fault) -> Vec<Effect> {
        let by = Address::Party(self.party);
        let fault = match &self.stage {
            Stage::Collecting(collect) => collect.convict(fault),
            _ => fault,
        };
        let show = |evidence| Effect::Publish(Event::Evidence { by, evidence: Box::new(evidence) });
        let shown: Vec<_> = fault.evidence.into_iter().map(show).collect();
        shown.into_iter().chain(self.stop(fault.culprit, fault.reason.to_string())).collect()
    }

    fn collecting(&mut self, from: Address, message: Message) -> Vec<Effect> {
        let Stage::Collecting(collect) = &mut self.stage else {
            return match (from, message, &mut self.past) {
                (Address::Party(own), Message::Recalled(shard, complaint, found), Some(past))
                    if own == self.party =>
                {
                    past.recalled(&self.secrets, (shard, &complaint), found)
                }
                (Address::Party(peer), Message::Peer(letter), Some(past)) => {
                    past.answer(&self.secrets, peer, &letter)
                }
                _ => self.dropped(from, "no bundles are collected now"),
            };
        };
        let outcome = match (from, message) {
            (Address::Verifier(own), Message::Verified(id, bundle, accepted)) if own == self.party => {
                collect.receive(&self.secrets, (id, bundle, accepted))
            }
            (Address::Verifier(own), Message::NoMore) if own == self.party => collect.close(&self.secrets),
            (Address::Party(own), Message::Recalled(shard, complaint, found)) if own == self.party => {
                collect.recalled(&self.secrets, (shard, &complaint), found)
            }
            (Address::Party(peer), Message::Peer(letter)) => collect.letter(&self.secrets, peer, letter),
            (Address::Settlement, Message::Anchored(header)) => collect.anchored(&self.secrets, &header),
            (Address::Coordinator, Message::Pass(shard)) => collect.pass(&self.secrets, shard),
            _ => return self.dropped(from, "not a message for a party that collects"),
        };
        outcome.unwrap_or_else(|fault| self.fault(fault))
    }
}

impl Core for Party {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        // Letters of the opening reach a party that was started again before it is that far.
        let far = !matches!(self.stage, Stage::Idle | Stage::Announced(_) | Stage::Collecting(_));
        if let Message::Peer(letter) = &message
            && self.attendance.keep_early(from, letter, far)
        {
            return Vec::new();
        }
        let From::Known(from) = self.attendance.seat_of(from) else {
            return self.dropped(from, "the keys of a party that lost its seat are void");
        };
        let effects = self.step(from, message);
        self.attendance.addressed(effects)
    }
}

impl Party {
    fn step(&mut self, from: Address, message: Message) -> Vec<Effect> {
        match (from, message) {
            (Address::Coordinator, Message::Phase(Phase::Announce)) => match self.stage {
                Stage::Idle => self.announce(),
                _ => self.dropped(from, "an epoch has begun"),
            },
            (Address::Settlement, Message::BeaconCommitted) => match self.stage {
                Stage::Announced(value) => vec![self.reveal(value)],
                Stage::Idle => {
                    self.committed = true;
                    Vec::new()
                }
                _ => self.dropped(from, "no commitment to reveal"),
            },
            // Once an epoch: what was collected is never begun anew.
            (Address::Settlement, Message::Opened(opened)) => match self.stage {
                Stage::Idle | Stage::Announced(_) => self.rejoin(opened, false),
                _ => self.dropped(from, "no epoch is about to open"),
            },
            (Address::Settlement, Message::TakenOver(taken)) => {
                self.taken = Some(taken);
                self.freeze()
            }
            (Address::Coordinator, Message::Phase(Phase::Sum)) => match &self.stage {
                Stage::Collecting(_) => {
                    self.freezing = true;
                    self.freeze()
                }
                _ => self.dropped(from, "nothing to freeze"),
            },
            (Address::Coordinator, Message::Open(root)) => self.tallying(from, Input::Root(root)),
            // The totals are agreed on, or there are none: the shares are gone with the state.
            (Address::Coordinator, Message::Phase(Phase::Prove | Phase::Aborted)) => {
                self.stage = Stage::Finished;
                Vec::new()
            }
            // With the totals on record nobody needs a bundle any more, and the next epoch needs the room.
            (Address::Coordinator, Message::Phase(Phase::Settle | Phase::Done)) => {
                self.past = None;
                Vec::new()
            }
            (Address::Coordinator, Message::Phase(_)) => Vec::new(),
            (Address::Settlement, Message::Seated(seated)) => self.seated(seated),
            (Address::Outside, Message::Restarted(host)) => self.restarted(host),
            (Address::Party(peer), Message::Peer(letter)) if letter.message == PeerMessage::Here => {
                self.attendance.heard_here(peer);
                Vec::new()
            }
            (Address::Party(peer), Message::Peer(letter)) if !letter.message.is_agreement() => {
                self.attendance.heard(peer);
                if self.attendance.is_stale(&letter) {
                    return Vec::new();
                }
                // No honest party gets there: it stops before.
                if letter.sitting.attempt > sitting::MAX_ATTEMPTS {
                    return self.dropped(from, "an attempt beyond the last that there may be");
                }
                let anew = letter.sitting > self.attendance.sitting() && self.is_tallying();
                let mut effects = if anew { self.again(letter.sitting.attempt) } else { Vec::new() };
                effects.extend(self.tallying(from, Input::Peer(peer, letter)));
                effects
            }
            (from, Message::Tick) if from == Address::Party(self.party) => self.tick(),
            (_, Message::Tick) => Vec::new(),
            (_, message) => {
                let effects = self.collecting(from, message);
                effects.into_iter().chain(self.freeze()).collect()
            }
        }
    }

    /// Some time has passed.
    fn tick(&mut self) -> Vec<Effect> {
        let mut effects = self.past.as_mut().map_or_else(Vec::new, |past| past.tick(&self.secrets));
        match &mut self.stage {
            Stage::Tallying(_) => effects.extend(self.attend()),
            Stage::Finished => effects.extend(self.attendance.here()),
            Stage::Collecting(collect) => {
                effects.extend(collect.tick(&self.secrets).unwrap_or_else(|fault| self.fault(fault)));
                effects.extend(self.freeze());
            }
            _ => {}
        }
        // Who says that it is there opens totals already. This party may be far behind, such as after a restart in a long epoch.
        let owed = self.attendance.owed();
        if matches!(self.stage, Stage::Idle | Stage::Announced(_) | Stage::Collecting(_)) {
            effects.extend(owed.into_iter().map(Attendance::here_to));
        }
        effects
    }

    /// Freezes the epoch, if it is to be frozen and this party has all that is final. A root that is shorter than what it
    /// signed would be evidence against it, so it waits until it has: the others wait for it as long as their patience
    /// lasts, and whoever stands by may have its seat then.
    fn freeze(&mut self) -> Vec<Effect> {
        let taken = match (&self.stage, &self.taken) {
            (Stage::Collecting(collect), Some(taken)) if self.freezing && collect.is_level() => taken.clone(),
            _ => return Vec::new(),
        };
        let Stage::Collecting(collect) = std::mem::replace(&mut self.stage, Stage::Finished) else {
            unreachable!("it was there a moment ago")
        };
        let (frozen, late, past) = match collect.freeze(&self.secrets) {
            Ok(frozen) => frozen,
            Err(fault) => return self.fault(fault),
        };
        self.past = Some(past);
        let party = self.party;
        let refuse = |bundle| Event::Refused { party, bundle, refusal: Refusal::NotInTime };
        let mut effects: Vec<_> = late.into_iter().map(|id| Effect::Publish(refuse(id))).collect();
        // Before its root leaves: from there on the others may begin, and what they write to this sitting may be lost. Where
        // the standby has a seat, it is that sitting which begins.
        let seat = self.seat.take();
        if seat.is_none() {
            match self.sit_anew() {
                Ok(sits) => effects.push(sits),
                Err(stops) => return stops,
            }
        }
        let (mut tallies, mut reports) = (BTreeMap::new(), Vec::new());
        for (record, frozen) in frozen {
            effects.push(Effect::Store(record));
            let shard = frozen.root.shard;
            let book = self.opened.as_ref().and_then(|opened| opened.book(shard, &taken));
            let (book, kept) = (book.unwrap_or_default(), self.carried.of(shard));
            let carried = Carried::on_record(party, &kept, &frozen.context, &book.before);
            let (mut tallying, report) = Tallying::new(frozen, (book, &carried), &self.secrets);
            tallying.again(self.attendance.sitting());
            tallies.insert(shard, tallying);
            reports.push(Effect::Send(Address::Coordinator, Message::Report(report)));
        }
        self.stage = Stage::Tallying(tallies);
        effects.extend(seat.map(|seated| self.seated(seated)).unwrap_or_default());
        effects.extend(reports);
        let early = self.attendance.early();
        effects.extend(early.into_iter().flat_map(|(from, letter)| self.handle(from, Message::Peer(letter))));
        effects
    }
}
