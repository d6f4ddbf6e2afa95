//! Every interleaving of two batches: three parties of which one may say anything, leader changes, a restart.
//!
//! The search runs over [`Voting`] itself, which is all that decides what a party signs. Around it stand a network that
//! delivers whatever was ever said, in any order, as often as it likes or never; a party that signs every header of a
//! small alphabet and hands its signatures to whom it pleases; and the chain, which anchors at each position the first
//! header with two signatures, its leader's among them. A restart may come between any two effects of a step, and
//! leaves what was stored.

mod search;

use crate::party::voting::{Record, Turn, Vote, Voting, Weighed};
use primitives::{Digest, PartyId, ShardIndex};
use proofs::tally::header::{TERM, leads};
use std::collections::{BTreeMap, BTreeSet};

/// Batches that the malicious party may propose at a turn.
const CONTENTS: [u8; 2] = [1, 2];
/// More than any search here has, and few enough for memory.
const MAX_STATES: usize = 4_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Header {
    turn: Turn,
    content: u8,
}

impl Header {
    fn vote(self) -> Vote {
        let mut digest = Digest::default();
        digest.0[0] = self.content;
        Vote { turn: self.turn, digest }
    }
}

/// An honest party.
#[derive(Clone, Hash)]
struct Honest {
    voting: Voting,
    durable: Option<Record>,
    /// Headers of its position that it signed and has in memory.
    known: BTreeSet<Header>,
}

#[derive(Clone, Hash)]
struct State {
    honest: BTreeMap<PartyId, Honest>,
    /// Signatures that honest parties ever sent, of positions that one of them still works on.
    signed: BTreeSet<(Header, PartyId)>,
    /// The highest term that honest parties ever said to be in, by position.
    said: BTreeMap<(u64, PartyId), u32>,
    chain: Vec<Header>,
    restarts: u32,
}

/// What a step of an honest party asks for, in order.
#[derive(Clone)]
enum Act {
    Store(Record),
    Sign(Header),
    Say(u64, u32),
}

/// What is wrong with the party that is searched, on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plant {
    Nothing,
    /// It forgets its votes when it restarts.
    Forgets,
    /// It sends a signature before it is on disk.
    SendsFirst,
}

/// What must never be.
#[derive(Debug, PartialEq, Eq)]
enum Violation {
    /// An honest party signed two headers for one turn.
    Framed,
    /// An honest party took an honest one for a cheater.
    Accused,
    /// The honest parties cannot go on without the third.
    Stuck,
}

struct Model {
    malicious: PartyId,
    plant: Plant,
    batches: u64,
    /// Restarts of honest parties, of whichever and at whatever time.
    restarts: u32,
    /// Proposals of one term that the malicious party makes, of each of two batches.
    attempts: u32,
}

#[derive(Default)]
struct Found {
    states: usize,
    /// Whether two headers of one position had two signatures each, in some state.
    rivals: bool,
}

impl Model {
    /// Leader changes at a position: as many as it takes to come to a leader that is honest, and one at least.
    fn last_term(&self, position: u64) -> u32 {
        (1..).find(|term| leads(position, term * TERM) != self.malicious).expect("two parties are honest")
    }

    fn start(&self) -> State {
        let honest = |party| Honest {
            voting: Voting::new(party, ShardIndex(0)),
            durable: None,
            known: BTreeSet::new(),
        };
        let parties = PartyId::ALL.into_iter().filter(|party| *party != self.malicious);
        State {
            honest: parties.map(|party| (party, honest(party))).collect(),
            signed: BTreeSet::new(),
            said: BTreeMap::new(),
            chain: Vec::new(),
            restarts: self.restarts,
        }
    }

    /// Headers that the malicious party may propose at a position.
    fn alphabet(&self, position: u64) -> impl Iterator<Item = Header> {
        let views =
            (0..=self.last_term(position)).flat_map(|term| (0..self.attempts).map(move |n| term * TERM + n));
        let turns = views.map(move |view| Turn { position, view });
        let own = turns.filter(|turn| turn.leader() == self.malicious);
        own.flat_map(|turn| CONTENTS.map(|content| Header { turn, content }))
    }

    fn restart(&self, state: &mut State, party: PartyId) {
        state.restarts -= 1;
        let seat = state.honest.get_mut(&party).expect("an honest party");
        let record = seat.durable.clone().filter(|_| self.plant != Plant::Forgets);
        let fresh = Voting::new(party, ShardIndex(0));
        seat.voting = record.map_or(fresh, |record| Voting::restored(party, &record));
        seat.known.clear();
    }

    /// Carries effects out, to the end or until a restart after any of them.
    fn carry_out(
        &self,
        after: State,
        party: PartyId,
        mut acts: Vec<Act>,
        out: &mut Vec<State>,
    ) -> Result<State, Violation> {
        if self.plant == Plant::SendsFirst {
            acts.reverse();
        }
        let mut state = after;
        for act in acts {
            if state.restarts > 0 {
                let mut down = state.clone();
                self.restart(&mut down, party);
                out.push(down);
            }
            match act {
                Act::Store(record) => {
                    state.honest.get_mut(&party).expect("an honest party").durable = Some(record);
                }
                Act::Sign(header) => {
                    let other =
                        |(h, by): &(Header, PartyId)| *by == party && h.turn == header.turn && *h != header;
                    if state.signed.iter().any(other) {
                        return Err(Violation::Framed);
                    }
                    state.signed.insert((header, party));
                }
                Act::Say(position, term) => {
                    let said = state.said.entry((position, party)).or_default();
                    *said = term.max(*said);
                }
            }
        }
        Ok(state)
    }

    /// A header is shown to an honest party by who is said to lead its turn.
    fn shown(
        &self,
        state: &State,
        party: PartyId,
        from: PartyId,
        header: Header,
    ) -> Result<Option<(State, Vec<Act>)>, Violation> {
        let mut next = state.clone();
        let seat = next.honest.get_mut(&party).expect("an honest party");
        match seat.voting.weigh(from, &header.vote()) {
            Weighed::NotLeader | Weighed::Conflict if from != self.malicious => Err(Violation::Accused),
            Weighed::Open => {
                let record = seat.voting.sign(header.vote(), &[]).expect("it may sign what is open");
                seat.known.insert(header);
                Ok(Some((next, vec![Act::Store(record), Act::Sign(header)])))
            }
            Weighed::Again => {
                seat.known.insert(header);
                Ok(Some((next, vec![Act::Sign(header)])))
            }
            _ => Ok(None),
        }
    }

    /// An honest party loses its patience with a leader, after it has heard something.
    fn impatient(
        &self,
        state: &State,
        party: PartyId,
        hear: impl Fn(&mut Voting),
    ) -> Option<(State, Vec<Act>)> {
        let mut next = state.clone();
        let voting = &mut next.honest.get_mut(&party).expect("an honest party").voting;
        let position = voting.position();
        hear(voting);
        let record = (voting.term() < self.last_term(position)).then(|| voting.give_up()).flatten()?;
        let said = Act::Say(position, voting.term());
        Some((next, vec![Act::Store(record), said]))
    }

    /// Steps of one honest party in which the malicious one has no part.
    fn honest_steps(
        &self,
        state: &State,
        party: PartyId,
        out: &mut Vec<State>,
    ) -> Result<Vec<State>, Violation> {
        let seat = &state.honest[&party];
        let position = seat.voting.position();
        let mut steps = Vec::new();
        let mut done = |next: State, acts: Vec<Act>| -> Result<(), Violation> {
            steps.push(self.carry_out(next, party, acts, out)?);
            Ok(())
        };
        let step = || state.clone();
        if state.chain.len() as u64 > position {
            let mut next = step();
            let seat = next.honest.get_mut(&party).expect("an honest party");
            seat.voting.anchored();
            seat.known.clear();
            let behind = next.honest.values().map(|seat| seat.voting.position()).min().unwrap_or(0);
            next.signed.retain(|(header, _)| header.turn.position >= behind);
            next.said.retain(|(position, _), _| *position >= behind);
            done(next, Vec::new())?;
        }
        if position >= self.batches {
            return Ok(steps);
        }
        // Proposes, once a term for as long as it remembers.
        let leads_now = |h: &Header| h.turn.leader() == party && h.turn.term() == seat.voting.term();
        if let Some(turn) = seat.voting.next_turn().filter(|_| !seat.known.iter().any(leads_now)) {
            // Which batch it is does not matter, but that it is another one after a restart.
            let content = CONTENTS[usize::from(state.restarts < self.restarts)];
            let (mut next, header) = (step(), Header { turn, content });
            let seat = next.honest.get_mut(&party).expect("an honest party");
            let record = seat.voting.sign(header.vote(), &[]).expect("its own turn is open");
            seat.known.insert(header);
            done(next, vec![Act::Store(record), Act::Sign(header)])?;
        }
        for (header, from) in
            state.signed.iter().filter(|(h, from)| *from != party && h.turn.leader() == *from)
        {
            if let Some((next, acts)) = self.shown(state, party, *from, *header)? {
                done(next, acts)?;
            }
        }
        // Loses patience, or says again where it is. What it hears of others matters then alone, so it hears it then.
        for heard in [false, true] {
            if let Some((next, acts)) = self.impatient(state, party, |voting| {
                for ((at, from), said) in state.said.iter().filter(|((_, from), _)| heard && *from != party) {
                    voting.hear(*from, *at, *said);
                }
            }) {
                done(next, acts)?;
            }
        }
        if seat.voting.term() > state.said.get(&(position, party)).copied().unwrap_or(0) {
            done(step(), vec![Act::Say(position, seat.voting.term())])?;
        }
        // Hands the chain what it has two signatures of.
        for header in seat.known.iter().filter(|h| h.turn.position == state.chain.len() as u64) {
            let by = |party: &PartyId| state.signed.contains(&(*header, *party));
            if state.honest.keys().all(by) {
                let mut next = step();
                next.chain.push(*header);
                done(next, Vec::new())?;
            }
        }
        Ok(steps)
    }

    /// Whether a header can have two signatures, its leader's among them, once the malicious party adds its own.
    fn can_be_valid(&self, state: &State, header: Header) -> bool {
        let honest = state.honest.keys().filter(|party| state.signed.contains(&(header, **party))).count();
        let leader = header.turn.leader();
        honest > 0 && (leader == self.malicious || state.signed.contains(&(header, leader)))
    }

    /// Whatever the malicious party, or bad luck, may do.
    fn other_steps(&self, state: &State, out: &mut Vec<State>) -> Result<(), Violation> {
        for party in state.honest.keys() {
            let voting = &state.honest[party].voting;
            let position = voting.position();
            if state.restarts > 0 {
                let mut down = state.clone();
                self.restart(&mut down, *party);
                out.push(down);
            }
            if position >= self.batches {
                continue;
            }
            for header in self.alphabet(position) {
                if let Some((next, acts)) = self.shown(state, *party, self.malicious, header)? {
                    let next = self.carry_out(next, *party, acts, out)?;
                    out.push(next);
                }
            }
            let lie = |voting: &mut Voting| voting.hear(self.malicious, position, self.last_term(position));
            if let Some((next, acts)) = self.impatient(state, *party, lie) {
                let next = self.carry_out(next, *party, acts, out)?;
                out.push(next);
            }
        }
        for header in state.signed.iter().map(|(header, _)| *header).collect::<BTreeSet<_>>() {
            if header.turn.position == state.chain.len() as u64 && self.can_be_valid(state, header) {
                let mut next = state.clone();
                next.chain.push(header);
                out.push(next);
            }
        }
        Ok(())
    }
}
