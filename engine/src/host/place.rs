//! Which seat this host has in an epoch, by what is on record, and its links from there.

use super::{Host, HostError, Lack, Seat, Told, forgotten::forgotten, report::Overheard};
use crate::{
    link::{LinkConfig, Links, Timing, Versions},
    store::EpochState,
};
use ::chain::{Ledger, state::State};
use primitives::{EpochId, PartyId};
use proofs::committee::Member;
use std::{collections::BTreeMap, sync::Arc};

impl Host<'_> {
    /// The seat of this host in an epoch beside another one, or what it waits for.
    pub(super) fn place(
        &self,
        state: &State,
        (epoch, beside): (EpochId, Option<EpochId>),
        states: &BTreeMap<EpochId, EpochState>,
    ) -> Result<Place, Lack> {
        if self.silent.is_some_and(|through| epoch <= through) {
            return Err(Lack::Restored);
        }
        let members = members(state, epoch).ok_or(Lack::Committee)?;
        let own = members.iter().find(|(_, member)| **member == self.own).map(|(seat, _)| *seat);
        let seat = own.ok_or(Lack::Seat)?;
        if let Seat::Party(party) = seat {
            if has_lost(state, (epoch, party)) {
                return Err(Lack::SeatTaken);
            }
            if let Some(forgotten) = forgotten(state, (epoch, party), states.get(&epoch)) {
                return Err(Lack::Forgotten(forgotten));
            }
        }
        // Links are between the hosts of one committee.
        if beside.is_some_and(|beside| self::members(state, beside).as_ref() != Some(&members)) {
            return Err(Lack::OtherCommittee);
        }
        if state.issuer_keys.iter().all(|key| key.epoch != epoch) {
            return Err(Lack::Keys);
        }
        Ok(Place { seat, members })
    }

    /// Refuses to go on with what another seat carries over. Whoever stands by may have had a seat in the epoch before.
    pub(super) fn check_carried(&self, seat: Seat) -> Result<(), HostError> {
        if seat == Seat::Standby {
            return Ok(());
        }
        let mut of = self.carried.parties().into_iter();
        match of.find(|party| Seat::Party(*party) != seat) {
            Some(found) => Err(HostError::OtherSeat { found, seat }),
            None => Ok(()),
        }
    }

    /// Links to the others of a committee, from the seat that this host has in it.
    pub(super) fn meet(&self, at: &Place) -> Result<(), HostError> {
        let mut links = self.links.lock().expect("nobody panics while holding it");
        if let Some((_, old)) = links.take_if(|(seat, _)| *seat != at.seat) {
            old.stop();
        }
        let (_, links) = match &mut *links {
            Some(linked) => linked,
            none => none.insert((at.seat, self.link(at.seat)?)),
        };
        // First of all those whose key is another now: no two may have the same at any time.
        for (seat, before) in links.peers() {
            if at.members.get(&seat).is_none_or(|member| member.signing != before.key) {
                links.forget_peer(seat);
            }
        }
        for seat in Seat::ALL.into_iter().filter(|seat| *seat != at.seat) {
            let Some(member) = at.members.get(&seat) else {
                links.forget_peer(seat);
                continue;
            };
            match self.setup.peers.get(&member.signing) {
                Some(address) => links.set_peer(seat, address.clone(), member.signing)?,
                None => {
                    links.forget_peer(seat);
                    (self.told)(Told::NoAddress { seat, key: member.signing });
                }
            }
        }
        Ok(())
    }

    fn link(&self, seat: Seat) -> Result<Links, HostError> {
        let (chain, genesis) = self.of;
        let config = LinkConfig {
            me: seat,
            key: self.setup.secret.link_key(),
            listen: self.setup.links,
            chain,
            genesis,
            peers: BTreeMap::new(),
            versions: Versions::SPOKEN,
            timing: Timing::default(),
        };
        let overheard = Overheard { seen: self.seen.clone(), handler: self.crossing.clone() };
        let links = Links::start(config, Arc::new(overheard))?;
        self.crossing.over(links.clone());
        (self.told)(Told::Seat { seat, links: links.local_addr() });
        Ok(links)
    }

    /// Says farewell to the others.
    pub(super) fn unlink(&self) {
        if let Some((_, links)) = self.links.lock().expect("nobody panics while holding it").take() {
            links.stop();
        }
    }
}

/// Epochs that are open or closed, and the next if it may open: the oldest first, and one at least.
pub(crate) fn in_hand(ledger: &Ledger) -> Vec<EpochId> {
    ledger.state().in_hand(ledger.origin())
}

/// Whether a party of an open epoch has lost its seat in the epoch before, while that was closed: it has no share of what is
/// carried over, and whoever stands by takes its seat in this epoch too.
pub(crate) fn has_lost(state: &State, (epoch, party): (EpochId, PartyId)) -> bool {
    let Some(before) = epoch.0.checked_sub(1).map(EpochId) else { return false };
    let member = |epoch| state.openings.get(&epoch).map(|opening| opening.committee.member(party));
    let lost = state.replacements.get(&before).is_some_and(|seated| seated.party == party);
    lost && member(epoch).is_some() && member(epoch) == member(before)
}

/// Who sits where in an epoch, and who stands by: as it opened, or as it is on record for it. Nothing without a committee.
pub(crate) fn members(state: &State, epoch: EpochId) -> Option<BTreeMap<Seat, Member>> {
    let opening = state.openings.get(&epoch).map(|opening| (&opening.committee, &opening.seating));
    let next = || state.committee_for(epoch).map(|seat| (&seat.committee, &seat.seating));
    let (committee, seating) = opening.or_else(next)?;
    let standby = seating.standby.as_ref().map(|standby| (Seat::Standby, standby.member.clone()));
    let parties = PartyId::ALL.map(|party| (Seat::Party(party), committee.member(party).clone()));
    Some(parties.into_iter().chain(standby).collect())
}

/// Where a host sits in a committee, and with whom.
pub(super) struct Place {
    pub(super) seat: Seat,
    members: BTreeMap<Seat, Member>,
}
