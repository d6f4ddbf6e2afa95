//! One party's side of a joint opening, a typestate for each round.

use crate::opening::{
    OpeningError, Relation,
    messages::{OpeningsMessage, ResponseMessage, RevealMessage, Rows, commit, view},
};
use curve25519_dalek::ristretto::RistrettoPoint;
use primitives::{Digest, PartyId};

/// What every round knows.
struct Common<R: Relation> {
    context: Digest,
    party: PartyId,
    relation: R,
    nonce: R::Nonce,
    witness: R::Witness,
    announcements: Vec<RistrettoPoint>,
}

/// Waits for the others' openings.
pub struct AwaitOpenings<R: Relation> {
    common: Common<R>,
    own: OpeningsMessage,
}

/// Waits for the others' announcements.
pub struct AwaitReveals<R: Relation> {
    common: Common<R>,
    first: [OpeningsMessage; 3],
    own: RevealMessage,
}

/// Waits for the others' responses.
pub struct AwaitResponses<R: Relation> {
    party: PartyId,
    relation: R,
    openings: [Rows; 3],
    announcements: [Vec<RistrettoPoint>; 3],
    challenge: R::Challenge,
    own: ResponseMessage,
}

/// Totals that all three parties proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The openings, in order of share.
    pub openings: [Rows; 3],
    /// Sum of the openings: the totals.
    pub totals: Rows,
    /// Sums of the announcements, one a row.
    pub announcements: Vec<RistrettoPoint>,
    /// The responses, in order of share.
    pub responses: [Rows; 3],
}

/// Round one: opens the party's own share. `context` names what is opened, so that nothing is replayed elsewhere.
pub fn start<R: Relation>(
    context: Digest,
    party: PartyId,
    mut relation: R,
    rows: Rows,
    witness: R::Witness,
) -> (AwaitOpenings<R>, OpeningsMessage) {
    let (nonce, announcements) = relation.announce(party, &rows);
    let own = OpeningsMessage { rows, commitment: commit(&context, party, &announcements) };
    let common = Common { context, party, relation, nonce, witness, announcements };
    (AwaitOpenings { common, own: own.clone() }, own)
}

/// Puts the own message and those of the next and the previous party in order of party.
fn in_order<T>(party: PartyId, own: T, next: T, previous: T) -> [T; 3] {
    let mut messages = [own, next, previous];
    messages.rotate_right(party.index());
    messages
}

impl<R: Relation> AwaitOpenings<R> {
    /// Whose side this is.
    pub fn party(&self) -> PartyId {
        self.common.party
    }

    /// Round two: takes the openings of the next and of the previous party, and shows the announcements.
    pub fn receive(
        self,
        next: OpeningsMessage,
        previous: OpeningsMessage,
    ) -> Result<(AwaitReveals<R>, RevealMessage), OpeningError> {
        let party = self.common.party;
        let shape = |rows: &Rows| rows.iter().map(Vec::len).collect::<Vec<_>>();
        for (from, message) in [(party.next(), &next), (party.previous(), &previous)] {
            if shape(&message.rows) != shape(&self.own.rows) {
                return Err(OpeningError::Shape { party: from });
            }
        }
        let first = in_order(party, self.own, next, previous);
        let announcements = self.common.announcements.clone();
        let own = RevealMessage { announcements, view: view(&self.common.context, &first) };
        Ok((AwaitReveals { common: self.common, first, own: own.clone() }, own))
    }
}

impl<R: Relation> AwaitReveals<R> {
    /// Whose side this is.
    pub fn party(&self) -> PartyId {
        self.common.party
    }

    /// Round three: checks the announcements, draws the common challenge, and answers for the own share.
    pub fn receive(
        self,
        next: RevealMessage,
        previous: RevealMessage,
    ) -> Result<(AwaitResponses<R>, ResponseMessage), OpeningError> {
        let Common { context, party, relation, nonce, witness, .. } = self.common;
        // Views first: a party that was sent other openings is not to blame for what follows from them.
        for (from, message) in [(party.next(), &next), (party.previous(), &previous)] {
            if message.view != self.own.view {
                return Err(OpeningError::ViewsDiffer { party: from });
            }
        }
        for (from, message) in [(party.next(), &next), (party.previous(), &previous)] {
            let committed = &self.first[from.index()].commitment;
            if commit(&context, from, &message.announcements) != *committed {
                return Err(OpeningError::Announcement { party: from });
            }
            if message.announcements.len() != self.own.announcements.len() {
                return Err(OpeningError::Shape { party: from });
            }
        }
        let announcements = in_order(party, self.own, next, previous).map(|m| m.announcements);
        let openings = self.first.map(|m| m.rows);
        let challenge = relation.challenge(&openings, &announcements);
        let own = ResponseMessage { rows: relation.respond(nonce, &witness, &challenge) };
        let state = AwaitResponses { party, relation, openings, announcements, challenge, own: own.clone() };
        Ok((state, own))
    }
}

impl<R: Relation> AwaitResponses<R> {
    /// Whose side this is.
    pub fn party(&self) -> PartyId {
        self.party
    }

    /// The end: checks every share's response by itself, and adds up. A failure names the wrong opener.
    pub fn receive(self, next: ResponseMessage, previous: ResponseMessage) -> Result<Opened, OpeningError> {
        let responses = in_order(self.party, self.own, next, previous).map(|m| m.rows);
        for share in PartyId::ALL {
            let i = share.index();
            let (rows, announcements) = (&self.openings[i], &self.announcements[i]);
            if !self.relation.check(share, rows, announcements, &self.challenge, &responses[i]) {
                return Err(OpeningError::WrongOpener { party: share });
            }
        }
        let mut totals = self.openings[0].clone();
        for other in &self.openings[1..] {
            for (sum, row) in totals.iter_mut().zip(other) {
                sum.iter_mut().zip(row).for_each(|(into, x)| *into += x);
            }
        }
        let [mut announcements, second, third] = self.announcements;
        for other in [second, third] {
            announcements.iter_mut().zip(other).for_each(|(sum, point)| *sum += point);
        }
        Ok(Opened { totals, announcements, responses, openings: self.openings })
    }
}
