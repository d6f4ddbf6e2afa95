//! A party that stands by, and takes the seat of one that is gone (protocol notes, section 7).
//!
//! It has no share of anything until two parties sign for it and the chain has that on record. Then each of them hands
//! it the share that it has in common with the seat, and it checks every number against commitments on record before it
//! opens anything. From there on it is a party like the others.

use super::{
    Carried, CarriedOver, Party, PartySecrets, Stage, ahead::Ahead, attendance::Attendance,
    carried::unopened, line::Frozen, tallying::Tallying,
};
use crate::{
    effect::{Core, Effect, Event},
    message::{Address, HandOver, Letter, Message, OpenedEpoch, PeerMessage, Report, Seated, Sitting},
};
use chain::modules::usage::{SeatStandby, seat_digest};
use mpc::share::{ReplicatedTotals, ShareSum};
use primitives::{ChainId, EpochId, PartyId, ShardIndex, Tier};
use proofs::{
    committee::{PartySigner, Signatures},
    sharing::KemKey,
    tally::{Group, Residual, Running, SignedHeader, SignedRoot},
};
use rand_chacha::ChaCha20Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use thiserror::Error;

/// Letters of the opening that are kept until the shares are there, of each party for each shard: more than honest ones
/// write.
const MAX_AHEAD: usize = 1 << 6;

/// Why a standby does not go on in its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StandbyFault {
    /// What it was told of the chain is not what the committee signed.
    #[error("what is said to be frozen is not what the committee signed")]
    Frozen,
    /// The shares that it was handed are of other groups, or not as wide, as what is on record.
    #[error("party {party} handed over shares of other groups than are on record")]
    Groups {
        /// Who handed them over.
        party: PartyId,
    },
    /// The two parties say different things of what was carried over, or not what is on record.
    #[error("the two parties do not say the same, and what is on record, of what was carried over")]
    Different,
    /// A share of this epoch's bundles does not open what is on record.
    #[error("party {party} handed over a share that does not open what is on record")]
    Share {
        /// Who handed it over.
        party: PartyId,
    },
    /// A share does not open what is on record together with what was carried over.
    #[error("party {party} handed over a share of tier {tier} that does not open what was carried over")]
    Carried {
        /// Who handed it over.
        party: PartyId,
        /// The tier.
        tier: Tier,
    },
}

impl StandbyFault {
    /// Whom it blames, if anybody.
    pub fn culprit(self) -> Option<PartyId> {
        match self {
            Self::Frozen | Self::Different => None,
            Self::Groups { party } | Self::Share { party } | Self::Carried { party, .. } => Some(party),
        }
    }
}

/// Where a standby is.
enum Place {
    /// All parties are there, as far as it knows. Keeps letters of the opening that come before the seat does.
    Waiting(Ahead),
    /// It has a seat, and waits for its shares.
    Taking(Taking),
    /// It is a party.
    Seated(Box<Party>),
    /// It does not go on.
    Stopped,
}

/// A seat without its shares.
struct Taking {
    seated: Arc<Seated>,
    handed: BTreeMap<(ShardIndex, PartyId), HandOver>,
    ahead: Ahead,
}

/// State of a party that stands by.
pub struct Standby {
    chain: ChainId,
    epoch: EpochId,
    signer: PartySigner,
    kem: KemKey,
    rng: ChaCha20Rng,
    opened: Option<OpenedEpoch>,
    /// Commitments to what is carried over, once they are on record.
    taken: Option<Arc<[Residual]>>,
    /// The last sitting that it began, before it was started.
    sat: Option<Sitting>,
    /// What the parties signed for it, by seat.
    votes: BTreeMap<PartyId, Signatures>,
    place: Place,
}

impl Standby {
    /// A standby of an epoch. `rng` is the source of its keys for randomness in common and of its nonces, once it has a
    /// seat.
    pub fn new((chain, epoch): (ChainId, EpochId), secrets: PartySecrets, rng: ChaCha20Rng) -> Self {
        let PartySecrets { signer, kem } = secrets;
        let (opened, votes, place) = (None, BTreeMap::new(), Place::Waiting(Ahead::default()));
        Self { chain, epoch, signer, kem, rng, opened, taken: None, sat: None, votes, place }
    }

    /// The same standby with the last sitting that it began in an earlier run: it begins another one.
    #[must_use]
    pub fn with_sitting(mut self, sat: Option<Sitting>) -> Self {
        self.sat = sat;
        self
    }

    fn dropped(from: Address, reason: &'static str) -> Vec<Effect> {
        vec![Effect::Publish(Event::Dropped { at: Address::Standby, from, reason })]
    }

    /// A party signs for this standby. With two it signs itself.
    fn vote(&mut self, from: PartyId, seat: PartyId, signature: [u8; 64]) -> Vec<Effect> {
        let at = Address::Party(from);
        let Some(opened) = self.opened.as_ref().filter(|_| from != seat) else {
            return Self::dropped(at, "a vote for a seat that nobody can give");
        };
        let Some(standby) = &opened.seating.standby else {
            return Self::dropped(at, "nobody stands by for this epoch");
        };
        let digest = seat_digest(self.chain, self.epoch, seat, standby);
        if opened.committee().verify(from, &digest, &signature).is_err() {
            return Self::dropped(at, "a vote for a seat that does not verify");
        }
        let votes = self.votes.entry(seat).or_default();
        votes.insert(from, signature);
        if votes.len() == 2 {
            votes.insert(seat, self.signer.sign(&digest));
        }
        self.ask()
    }

    /// Asks the chain for the seat that two parties signed for. The chain gives it once the epoch is frozen, so this is
    /// asked until then.
    fn ask(&self) -> Vec<Effect> {
        let given = self.votes.iter().find(|(_, signatures)| signatures.len() == PartyId::ALL.len());
        let seated = given.map(|(seat, signatures)| SeatStandby {
            epoch: self.epoch,
            party: *seat,
            signatures: signatures.clone(),
        });
        seated
            .map(|seated| Effect::Send(Address::Settlement, Message::SeatStandby(seated)))
            .into_iter()
            .collect()
    }

    fn letter(&mut self, from: PartyId, letter: Letter) -> Vec<Effect> {
        let at = Address::Party(from);
        match (&mut self.place, letter.message) {
            (_, PeerMessage::Here) => Vec::new(),
            (Place::Waiting(_), PeerMessage::SeatVote(seat, signature)) => self.vote(from, seat, signature),
            (Place::Waiting(early), message) if !message.is_agreement() && letter.sitting.seats > 0 => {
                let shards = self.opened.as_ref().map_or(1, |opened| opened.shards.len());
                early.keep(at, Letter { message, ..letter }, MAX_AHEAD * shards);
                Vec::new()
            }
            (Place::Taking(taking), PeerMessage::HandOver(shares)) => {
                if from == taking.seated.by.party {
                    return Self::dropped(at, "the keys of a party that lost its seat are void");
                }
                if letter.shard.0 as usize >= taking.seated.frozen.len() {
                    return Self::dropped(at, "shares of a shard that the epoch does not have");
                }
                taking.handed.insert((letter.shard, from), *shares);
                self.take_seat()
            }
            (Place::Taking(taking), message) if !message.is_agreement() => {
                let most = MAX_AHEAD * taking.seated.frozen.len();
                taking.ahead.keep(at, Letter { message, ..letter }, most);
                Vec::new()
            }
            _ => Self::dropped(at, "not a letter for a party that stands by"),
        }
    }

    /// Takes the seat once both shares of every shard are there.
    fn take_seat(&mut self) -> Vec<Effect> {
        let (Place::Taking(taking), Some(opened), Some(taken)) =
            (&mut self.place, self.opened.clone(), self.taken.clone())
        else {
            return Vec::new();
        };
        let seat = taking.seated.by.party;
        let holders = [seat.previous(), seat.next()];
        let keys = opened.shards.iter().map(|context| context.shard.index());
        let complete = |shard| holders.iter().all(|party| taking.handed.contains_key(&(shard, *party)));
        if !keys.clone().all(complete) {
            return Vec::new();
        }
        let mut tallies = BTreeMap::new();
        for (shard, frozen) in keys.zip(&taking.seated.frozen) {
            let mut of = |party| taking.handed.remove(&(shard, party)).expect("it is there");
            match take_shares((&opened, &taken, shard), &taking.seated.by, frozen, holders.map(&mut of)) {
                Ok(tallying) => drop(tallies.insert(shard, tallying)),
                Err(fault) => return self.stop(fault),
            }
        }
        let Place::Taking(Taking { seated, mut ahead, .. }) =
            std::mem::replace(&mut self.place, Place::Stopped)
        else {
            unreachable!("it was there a moment ago")
        };
        let secrets = PartySecrets { signer: self.signer.clone().seated(seat), kem: self.kem.clone() };
        let of = (self.chain, self.epoch);
        let mut party = Party::new(of, secrets, (0, CarriedOver::default()), self.rng.clone());
        (party.opened, party.stage) = (Some(opened), Stage::Tallying(tallies));
        (party.attendance, party.sat) = (Attendance::in_seat(seat), self.sat);
        let mut effects = match party.sit_anew() {
            Ok(sits) => vec![sits],
            Err(stops) => return stops,
        };
        let sitting = party.attendance.sitting();
        let Stage::Tallying(tallies) = &mut party.stage else { unreachable!("it was made a moment ago") };
        tallies.values_mut().for_each(|tally| tally.again(sitting));
        effects.extend(tallies.values().map(Tallying::keep));
        let begun = party.begin(&seated);
        effects.extend(party.attendance.addressed(begun));
        let letters = ahead.take().into_iter();
        effects.extend(letters.flat_map(|(from, letter)| party.handle(from, Message::Peer(letter))));
        self.place = Place::Seated(Box::new(party));
        effects
    }

    fn stop(&mut self, fault: StandbyFault) -> Vec<Effect> {
        self.place = Place::Stopped;
        let report = Report::Stopped { culprit: fault.culprit(), reason: fault.to_string() };
        vec![Effect::Send(Address::Coordinator, Message::Report(report))]
    }

    fn seated(&mut self, seated: Arc<Seated>) -> Vec<Effect> {
        let Place::Waiting(early) = &mut self.place else {
            return Self::dropped(Address::Settlement, "a seat was taken before");
        };
        let early = early.take();
        let Some(opened) = &self.opened else {
            return Self::dropped(Address::Settlement, "no epoch is open");
        };
        let before = (self.chain, opened.committee());
        let fits = opened.seating.committee_after(before, &seated.by).is_ok();
        if !fits || seated.by.epoch != self.epoch || seated.frozen.len() != opened.shards.len() {
            return self.stop(StandbyFault::Frozen);
        }
        self.place = Place::Taking(Taking { seated, handed: BTreeMap::new(), ahead: Ahead::default() });
        early.into_iter().flat_map(|(from, letter)| self.handle(from, Message::Peer(letter))).collect()
    }
}

impl Core for Standby {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        if let Place::Seated(party) = &mut self.place {
            return party.handle(from, message);
        }
        match (from, message) {
            (Address::Settlement, Message::Opened(opened)) => {
                self.opened = Some(opened);
                Vec::new()
            }
            (Address::Settlement, Message::TakenOver(taken)) => {
                self.taken = Some(taken);
                self.take_seat()
            }
            (Address::Settlement, Message::Seated(seated)) => self.seated(seated),
            (Address::Party(from), Message::Peer(letter)) => self.letter(from, letter),
            (_, Message::Tick) => match self.place {
                Place::Waiting(_) => self.ask(),
                _ => Vec::new(),
            },
            _ => Self::dropped(from, "not a message for a party that stands by"),
        }
    }
}

/// Checks what two parties handed over of a shard, and makes the state of a party of it. `handed` is the shares of the
/// party before the seat, which are its own, and of the party after it, which are its next.
fn take_shares(
    (opened, taken, shard): (&OpenedEpoch, &[Residual], ShardIndex),
    by: &SeatStandby,
    (root, last): &(SignedRoot, Option<SignedHeader>),
    handed: [HandOver; 2],
) -> Result<Tallying, StandbyFault> {
    let parts = opened.context(shard).zip(opened.book(shard, taken));
    let (context, book) = parts.ok_or(StandbyFault::Frozen)?;
    let committee = &context.keys.committee;
    let digest = last.as_ref().map(|signed| signed.header.digest()).unwrap_or_default();
    let signed = last.as_ref().is_none_or(|signed| signed.verify(committee).is_ok());
    let root_holds = root.verify(committee).is_ok() && root.root.shard == shard && root.root.last == digest;
    if !signed || !root_holds {
        return Err(StandbyFault::Frozen);
    }
    let running = last.as_ref().map(|signed| signed.header.running.clone()).unwrap_or_default();
    let seat = by.party;
    let holders = [seat.previous(), seat.next()];
    let width = context.shard.width();
    for (party, handed) in holders.into_iter().zip(&handed) {
        let groups = || running.iter().map(|(group, _)| group);
        let fits = |sums: &BTreeMap<Group, ShareSum>| sums.values().all(|sum| sum.entries.len() == width);
        let counted = handed.fresh.keys().copied().eq(groups());
        let before = handed.carried.iter().map(|(group, _)| group);
        let known: BTreeSet<_> = groups().chain(before).collect();
        let within = handed.all.keys().eq(&known);
        if !counted || !within || !fits(&handed.fresh) || !fits(&handed.all) {
            return Err(StandbyFault::Groups { party });
        }
    }
    let [own, next] = handed;
    // All three agreed on these when they carried it over, and what is on record is their sum. One of the two may lie now.
    let commitments = own.carried.clone();
    if next.carried != commitments
        || !commitments.by_tier().iter().map(|(t, c)| (*t, c)).eq(book.before.iter())
    {
        return Err(StandbyFault::Different);
    }
    let carried = [&own, &next].map(|handed| carried_of(handed, &commitments));
    let fresh = together(seat, width, [own.fresh, next.fresh]);
    let all = together(seat, width, [own.all, next.all]);
    // Of the two shares of the seat, its own came from the party before it, the next one from the party after it.
    let from = |share: PartyId| if share == seat { seat.previous() } else { seat.next() };
    for (group, commitments) in running.iter() {
        if let Some(share) = unopened(context, &fresh, |other| *other == group, commitments) {
            return Err(StandbyFault::Share { party: from(share) });
        }
    }
    let mut both = running.clone();
    commitments.iter().for_each(|(group, sums)| both.add(group, sums));
    for (group, sums) in both.iter() {
        if let Some(share) = unopened(context, &all, |other| *other == group, sums) {
            return Err(StandbyFault::Carried { party: from(share), tier: group.tier });
        }
    }
    let before = (context.chain, committee);
    let committee = opened.seating.committee_after(before, by).map_err(|_| StandbyFault::Frozen)?;
    let (works, totals) = (context.shard.works().to_vec(), together(seat, width, carried));
    let carried = Carried { works, totals, commitments };
    let frozen =
        Frozen { context: context.clone(), party: seat, root: root.root.clone(), running, totals: fresh };
    Ok(Tallying::over(frozen, book, (carried, all), committee))
}

/// What was carried, of a share that was handed over with what this epoch added to it.
fn carried_of(handed: &HandOver, carried: &Running) -> BTreeMap<Group, ShareSum> {
    let less = |(group, all): (&Group, &ShareSum)| {
        let mut sum = all.clone();
        if let Some(fresh) = handed.fresh.get(group) {
            sum.entries.iter_mut().zip(&fresh.entries).for_each(|(all, fresh)| *all -= fresh);
            sum.blinding -= fresh.blinding;
        }
        (*group, sum)
    };
    let was_carried = |group: &Group| carried.iter().any(|(other, _)| other == *group);
    handed.all.iter().filter(|(group, _)| was_carried(group)).map(less).collect()
}

/// Two shares of the same groups, all as wide.
fn together(
    seat: PartyId,
    width: usize,
    [own, next]: [BTreeMap<Group, ShareSum>; 2],
) -> ReplicatedTotals<Group> {
    let mut totals = ReplicatedTotals::new(seat, width);
    for ((group, own), next) in own.iter().zip(next.values()) {
        let shares = [(&own.entries[..], own.blinding), (&next.entries[..], next.blinding)];
        totals.add(*group, shares).expect("widths were checked");
    }
    totals
}
