//! What a party may sign of a shard's chain of batches: pure, small, and what `tests/model.rs` searches.
//!
//! The chain is the arbiter. It anchors the first valid header with two signatures, its leader's among them, at each
//! position, and none after it, so that no two batches are final at one position whatever the parties sign. What is
//! left to agreement is told here:
//!
//! - **Nobody who is honest is framed.** A party signs one header for a position and view at most. Turns only grow, so
//!   the last signature says it all, and it is on disk before it leaves: [`Voting::sign`] hands out the [`Record`].
//! - **An absent leader stalls nothing.** A party whose patience with a leader is over enters the next term, in which
//!   another party leads, and signs nothing of an earlier one. No header of a higher view need carry on one of a lower
//!   view: whichever the chain anchors first is final, and every party takes the chain's word, not its own vote.
//! - **What a party signed binds it in other shards.** A header that it signed at a position may become final until another
//!   one is. Until then what its bundles use up is *pledged*: the record has it, so that a restart forgets nothing.
//! - **Parties meet in a term.** A party does not go on from a term, beyond the first, in which no other party is.

use primitives::{
    CodecError, Decode, Digest, Encode, PartyId, Reader, ShardIndex, Writer, codec_struct, limits,
};
use proofs::tally::header::{TERM, leads};
use std::collections::{BTreeMap, BTreeSet};

/// Most that is pledged at one position, in four batches of the largest bundles. A party signs nothing beyond: a record
/// has to stay small enough for the disk.
const MAX_PLEDGED: usize = 4 * limits::MAX_BATCH * (limits::MAX_RECEIPTS + 4);

/// Where one header may be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Turn {
    /// Place in the shard's chain of batches.
    pub position: u64,
    /// View at this position.
    pub view: u32,
}

codec_struct!(Turn { position, view });

impl Turn {
    /// Who leads.
    pub fn leader(self) -> PartyId {
        leads(self.position, self.view)
    }

    /// How often the lead has changed at this position.
    pub fn term(self) -> u32 {
        self.view / TERM
    }
}

/// A signature on a header: where, and on which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// Where.
    pub turn: Turn,
    /// Digest of the header.
    pub digest: Digest,
}

codec_struct!(Vote { turn, digest });

/// What has to be on disk before anything leaves that rests on it. The last one of a shard says all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record {
    /// The shard.
    pub shard: ShardIndex,
    /// The position at which the party was.
    pub position: u64,
    /// The term that it has entered there: it signs nothing of an earlier one.
    pub term: u32,
    /// Its last signature.
    pub vote: Option<Vote>,
    /// Digest of the root with which it froze the set: it signs no header any more, and no other root.
    pub frozen: Option<Digest>,
    /// Marks of the bundles of all headers that it signed at the position of its last signature, ascending.
    pub pledged: Vec<Digest>,
}

impl Encode for Record {
    fn encode(&self, w: &mut Writer) {
        self.shard.encode(w);
        self.position.encode(w);
        self.term.encode(w);
        self.vote.encode(w);
        self.frozen.encode(w);
        w.seq(&self.pledged);
    }
}

impl Decode for Record {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            shard: Decode::decode(r)?,
            position: Decode::decode(r)?,
            term: Decode::decode(r)?,
            vote: Decode::decode(r)?,
            frozen: Decode::decode(r)?,
            pledged: r.seq(MAX_PLEDGED)?,
        })
    }
}

/// What a header that somebody proposes is to this party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighed {
    /// Of a position that is final, of a term that this party has left, before its last signature, or after it froze the
    /// set: to be ignored.
    Late,
    /// Of a later position or term: to be kept.
    Early,
    /// From a party that does not lead there, which no honest party is.
    NotLeader,
    /// Another header for a turn that this party signed: its leader signed two, which no honest one does.
    Conflict,
    /// The header that this party signed for the turn: it may send the same signature again.
    Again,
    /// One that this party may sign.
    Open,
}

/// What a party has signed and promised, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Voting {
    party: PartyId,
    shard: ShardIndex,
    position: u64,
    /// Position and term of the last promise.
    promised: (u64, u32),
    last: Option<Vote>,
    frozen: Option<Digest>,
    /// Marks of what was signed at the position of the last signature, as long as that is open.
    pledged: BTreeSet<Digest>,
    /// Terms that others say that they have entered at this position.
    heard: BTreeMap<PartyId, u32>,
}

impl Voting {
    /// A party that has signed nothing.
    pub fn new(party: PartyId, shard: ShardIndex) -> Self {
        Self {
            party,
            shard,
            position: 0,
            promised: (0, 0),
            last: None,
            frozen: None,
            pledged: BTreeSet::new(),
            heard: BTreeMap::new(),
        }
    }

    /// A party that goes on from its last record. It is at position 0 until it hears what the chain has anchored; what
    /// it signed and promised holds all the same.
    pub fn restored(party: PartyId, record: &Record) -> Self {
        let promised = (record.position, record.term);
        let pledged = record.pledged.iter().copied().collect();
        Self { promised, last: record.vote, frozen: record.frozen, pledged, ..Self::new(party, record.shard) }
    }

    /// The next position: so many batches are final.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether this party has taken in all that it had taken in when it last signed. After a restart it is not, until it
    /// has heard again what the chain has anchored.
    pub fn is_back(&self) -> bool {
        self.last.is_none_or(|vote| vote.turn.position <= self.position)
    }

    /// The term that this party is in.
    pub fn term(&self) -> u32 {
        if self.promised.0 == self.position { self.promised.1 } else { 0 }
    }

    /// Who leads the position now, as far as this party is concerned.
    pub fn leader(&self) -> PartyId {
        leads(self.position, self.term() * TERM)
    }

    /// The turn at which this party may propose now: the first of its term that it has not signed for.
    pub fn next_turn(&self) -> Option<Turn> {
        let first = Turn { position: self.position, view: self.term() * TERM };
        let after = |vote: Vote| Turn { view: vote.turn.view + 1, ..first };
        let signed_here = self.last.filter(|vote| vote.turn >= first);
        let turn = signed_here.map_or(first, after);
        // A restored party may have signed at a later position than it has heard of: it waits until it is there.
        let reached = signed_here.is_none_or(|vote| vote.turn.position == self.position);
        let leads = self.leader() == self.party && turn.term() == self.term();
        (reached && leads && self.frozen.is_none()).then_some(turn)
    }

    /// What a header is that `from` proposes.
    pub fn weigh(&self, from: PartyId, vote: &Vote) -> Weighed {
        let Vote { turn, digest } = vote;
        if turn.leader() != from {
            return Weighed::NotLeader;
        }
        if (turn.position, turn.term()) > (self.position, self.term()) {
            return Weighed::Early;
        }
        if (turn.position, turn.term()) < (self.position, self.term()) || self.frozen.is_some() {
            return Weighed::Late;
        }
        match self.last {
            Some(last) if last.turn > *turn => Weighed::Late,
            Some(last) if last.turn == *turn && last.digest == *digest => Weighed::Again,
            Some(last) if last.turn == *turn => Weighed::Conflict,
            _ => Weighed::Open,
        }
    }

    /// Notes a signature on a header whose bundles have these marks, if this party may give it. What comes back is to be on
    /// disk before the signature leaves.
    pub fn sign(&mut self, vote: Vote, marks: &[Digest]) -> Option<Record> {
        if self.weigh(vote.turn.leader(), &vote) != Weighed::Open
            || self.pledged.len() + marks.len() > MAX_PLEDGED
        {
            return None;
        }
        self.last = Some(vote);
        self.pledged.extend(marks);
        Some(self.record())
    }

    /// Whether a header that this party signed, and that may yet become final, has a bundle with one of these marks.
    pub fn has_pledged(&self, marks: &[Digest]) -> bool {
        marks.iter().any(|mark| self.pledged.contains(mark))
    }

    /// Another party says that it has entered a term.
    pub fn hear(&mut self, from: PartyId, position: u64, term: u32) {
        if position == self.position && from != self.party {
            let heard = self.heard.entry(from).or_default();
            *heard = term.max(*heard);
        }
    }

    /// The highest term that another party says to be in.
    pub fn heard(&self) -> u32 {
        self.heard.values().copied().max().unwrap_or(0)
    }

    /// This party's patience with the leader is over: it enters the next term, and says so once that is on disk. It
    /// stays where no other party has followed it, or it would be far ahead of whoever comes back.
    pub fn give_up(&mut self) -> Option<Record> {
        let term = self.term();
        if (term > 0 && self.heard() < term) || term >= u32::MAX / TERM - 1 {
            return None;
        }
        self.promised = (self.position, term + 1);
        Some(self.record())
    }

    /// The chain has anchored the header of this position.
    pub fn anchored(&mut self) {
        self.position += 1;
        self.heard.clear();
        // A restored party may have signed further on than it is yet.
        if self.last.is_none_or(|vote| vote.turn.position < self.position) {
            self.pledged.clear();
        }
    }

    /// Nothing more is signed. What comes back is to be on disk before the root is signed, or a header that is signed after
    /// a restart would be evidence that the root left something out.
    /// Nothing, if it froze the set with another root in an earlier run: what it signed and opened then binds it.
    pub fn freeze(&mut self, root: Digest) -> Option<Record> {
        if self.frozen.is_some_and(|before| before != root) {
            return None;
        }
        self.frozen = Some(root);
        Some(self.record())
    }

    /// What has to be on disk now. It never says less than one before: a restored party that is still behind keeps what
    /// it promised for the position that it had reached.
    pub fn record(&self) -> Record {
        let (position, term) = self.promised.max((self.position, 0));
        let pledged = self.pledged.iter().copied().collect();
        Record { shard: self.shard, position, term, vote: self.last, frozen: self.frozen, pledged }
    }
}

#[cfg(test)]
mod tests;
