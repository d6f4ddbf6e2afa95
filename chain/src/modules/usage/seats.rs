//! Who runs the parties, and how a standby takes the seat of one that is gone (protocol notes, section 7).
//!
//! Any two parties hold all shares, so whoever runs one must never come to hold shares of another seat: an operator
//! keeps to the seat that it had as long as a share of an epoch or of what is carried over exists. Who stands by is
//! fixed when an epoch opens. Two parties can seat it, and nobody else: one of them is honest, and signs only what it
//! saw.

use super::{CommitteeSeat, Epoch, Opening, Phase, UsageError, anchor::in_phase, open::known, open::opening};
use crate::poseidon::Felt;
use crate::state::{
    Draft, Fields, Leaf, State, TableId, ToFelts,
    fields::{Bytes, record},
    leaf,
};
use crate::{ledger::Context, modules::usage::prepare::beacons};
use primitives::{
    ChainId, CodecError, Decode, Digest, Domain, Encode, EpochId, PartyId, PersonId, Reader, ShardIndex,
    Writer, codec_struct, hash, limits,
};
use proofs::committee::{Committee, Member, Signatures};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A party that stands by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standby {
    /// Who runs it.
    pub operator: PersonId,
    /// Its keys.
    pub member: Member,
}

codec_struct!(Standby { operator, member });

/// Who runs the parties of a committee, and who takes a seat that falls vacant. The steward vouches for the names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seating {
    /// Who runs each party.
    pub operators: [PersonId; 3],
    /// Who stands by, if anybody does. It is written in either case: a record has one spelling.
    #[serde(deserialize_with = "Option::deserialize")]
    pub standby: Option<Standby>,
    /// Seconds of silence after which two parties may seat the standby in the place of the third.
    pub patience: u32,
}

impl Encode for Seating {
    fn encode(&self, w: &mut Writer) {
        self.operators.iter().for_each(|operator| operator.encode(w));
        self.standby.encode(w);
        self.patience.encode(w);
    }
}

impl Decode for Seating {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let operators = [Decode::decode(r)?, Decode::decode(r)?, Decode::decode(r)?];
        Ok(Self { operators, standby: Decode::decode(r)?, patience: Decode::decode(r)? })
    }
}

impl ToFelts for Seating {
    fn felts(&self, out: &mut Fields) {
        out.push(&Bytes(&self.to_bytes()));
    }
}

/// The seat whose shares an operator holds or held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Operator.
    pub operator: PersonId,
    /// Its seat.
    pub party: PartyId,
}

record!(Seat { operator, party });

leaf!(Seat by operator: PersonId);

/// Seats the standby of a frozen epoch in the place of a party that is gone. Its keys are void from there on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatStandby {
    /// Epoch.
    pub epoch: EpochId,
    /// The seat.
    pub party: PartyId,
    /// Signatures on [`seat_digest`] of the two parties that stay, and of the standby under its own key.
    pub signatures: Signatures,
}

codec_struct!(SeatStandby { epoch, party, signatures });

impl Leaf for SeatStandby {
    type Key = EpochId;
    const TABLE: TableId = TableId::SeatStandby;
    fn key(&self) -> EpochId {
        self.epoch
    }
    fn value(&self) -> Vec<Felt> {
        Bytes(&self.to_bytes()).to_felts()
    }
}

/// What the two parties that stay and the standby sign.
pub fn seat_digest(chain: ChainId, epoch: EpochId, party: PartyId, standby: &Standby) -> Digest {
    let parts = [&chain.to_bytes()[..], &epoch.to_bytes(), &party.to_bytes(), &standby.to_bytes()];
    hash::hash(Domain::Seat, &parts)
}

impl Seating {
    /// The committee once the standby has a seat of `committee`. Nodes, parties and light clients go by it.
    ///
    /// # Errors
    /// If nobody stands by, or one of the three did not sign.
    pub fn committee_after(
        &self,
        (chain, committee): (ChainId, &Committee),
        seated: &SeatStandby,
    ) -> Result<Committee, UsageError> {
        let SeatStandby { epoch, party, ref signatures } = *seated;
        let standby = self.standby.as_ref().ok_or(UsageError::NoStandby { epoch })?;
        let committee = committee.with(party, standby.member.clone())?;
        signatures.verify(&committee, &seat_digest(chain, epoch, party, standby), Some(party))?;
        match signatures.len() {
            3 => Ok(committee),
            count => Err(UsageError::SeatSignatures { count }),
        }
    }
}

impl State {
    /// The committee that answers for the totals of an epoch.
    pub(super) fn committee_of(&self, opening: &Opening) -> Committee {
        let seated = self.replacements.get(&opening.epoch);
        let after =
            seated.map(|seated| opening.seating.committee_after((opening.chain, &opening.committee), seated));
        let after = after.map(|after| after.expect("what is on record was checked"));
        after.unwrap_or_else(|| opening.committee.clone())
    }

    /// Whether anybody holds a share: of an epoch that is not over, or of what is carried over.
    fn shares_exist(&self) -> bool {
        self.epochs.iter().rev().take(2).any(|epoch| !epoch.is_over())
            || self.residuals.iter().any(|carried| !carried.commitments.is_empty())
    }

    /// "An operator never takes another seat while a share or residual of its old seat exists" (protocol notes,
    /// section 7): with the shares of two seats it would hold everything.
    fn check_seat(&self, operator: PersonId, party: PartyId) -> Result<(), UsageError> {
        let other = self.seats.get(&operator).map(|seat| seat.party).filter(|seat| *seat != party);
        match other {
            Some(seat) if self.shares_exist() => Err(UsageError::SeatRule { operator, seat, party }),
            _ => Ok(()),
        }
    }

    /// Keys of parties that lost their seats.
    fn void_keys(&self) -> impl Iterator<Item = &Member> {
        let lost = |seated: &SeatStandby| {
            let opening = self.openings.get(&seated.epoch)?;
            Some(opening.committee.member(seated.party))
        };
        self.replacements.iter().filter_map(lost)
    }
}

/// What has to hold of a committee's operators and of who stands by for it.
pub(super) fn check_seating(
    state: &State,
    committee: &Committee,
    seating: &Seating,
) -> Result<(), UsageError> {
    let Seating { operators, standby, patience } = seating;
    if !(1..=limits::MAX_SEAT_PATIENCE).contains(patience) {
        return Err(UsageError::SeatPatience { patience: *patience });
    }
    let mut persons = BTreeSet::new();
    let mut new = |operator: PersonId| match persons.insert(operator) {
        true => Ok(()),
        false => Err(UsageError::OperatorTwice { operator }),
    };
    for (party, operator) in PartyId::ALL.into_iter().zip(operators) {
        new(*operator)?;
        state.check_seat(*operator, party)?;
    }
    let mut members: Vec<&Member> = PartyId::ALL.iter().map(|party| committee.member(*party)).collect();
    if let Some(standby) = standby {
        new(standby.operator)?;
        for party in PartyId::ALL {
            // Nobody knows yet which seat it will take, so it holds shares of none. Whoever hands shares over need not ask.
            state.check_seat(standby.operator, party)?;
            committee.with(party, standby.member.clone())?;
        }
        members.push(&standby.member);
    }
    let void = |member: &Member| {
        state.void_keys().any(|lost| lost.signing == member.signing || lost.kem == member.kem)
    };
    match members.into_iter().find(|member| void(member)) {
        Some(member) => Err(UsageError::KeysVoid { signing: member.signing }),
        None => Ok(()),
    }
}

/// Runs [`SeatStandby`].
///
/// The epoch is frozen by then: what the party signed of batches and roots stays, and it signs nothing more. The epochs
/// that come begin with the standby in its seat.
pub(crate) fn seat_standby(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    action: &SeatStandby,
) -> Result<(), UsageError> {
    let SeatStandby { epoch, party, .. } = *action;
    let record: Epoch = known(draft, epoch)?;
    in_phase(&record, Phase::Frozen)?;
    if draft.has::<SeatStandby>(&epoch) {
        return Err(UsageError::StandbySeated { epoch });
    }
    // Totals are signed by one committee: whoever checks the record goes by one for all shards.
    if let Some(shard) = record.shards.iter().position(|shard| shard.aggregate.is_some()) {
        return Err(UsageError::ShardAggregated { shard: ShardIndex(shard as u32) });
    }
    let opening = opening(draft, epoch);
    let before = (at.genesis.chain, &opening.committee);
    let committee = opening.seating.committee_after(before, action)?;
    let standby = opening.seating.standby.clone().expect("who is seated stands by");
    draft.base().check_seat(standby.operator, party)?;
    draft.put(Seat { operator: standby.operator, party });
    draft.put(action.clone());
    let (lost, taken) = (opening.committee.member(party), committee.member(party));
    seat_next(draft, at, (party, lost, taken), standby.operator);
    Ok(())
}

/// Puts whoever took a seat in the place of `lost` into the committee that serves next, if that still has the party that is
/// gone in it. A committee that was set since stays as it is.
fn seat_next(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    (party, lost, taken): (PartyId, &Member, &Member),
    operator: PersonId,
) {
    let next = draft.base().next_epoch(at.genesis);
    let on_record = draft.base().committee_for(next).expect("an epoch that opened had a committee").clone();
    if on_record.committee.member(party) != lost {
        return;
    }
    let Ok(committee) = on_record.committee.with(party, taken.clone()) else { return };
    let mut seating = on_record.seating;
    seating.operators[party.index()] = operator;
    seating.standby.take_if(|standby| standby.operator == operator || standby.member == *taken);
    reseat(draft, next, committee, seating);
}

/// Seats a committee for an epoch that has not opened, in place of any other.
///
/// Who committed under one set of keys must be the one who reveals: the beacon starts anew. A commitment's signature
/// names no committee, so a party that stays could have its old one put on record again by anybody.
pub(super) fn reseat(draft: &mut Draft<'_>, from: EpochId, committee: Committee, seating: Seating) {
    let seat = draft.base().committees.get(&from);
    let mut spent = seat.map(|seat| seat.spent.clone()).unwrap_or_default();
    spent.extend(beacons(draft, from).map(|beacon| beacon.commitment));
    draft.put(CommitteeSeat { from, committee, seating, spent });
}
