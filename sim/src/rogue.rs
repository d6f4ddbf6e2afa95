//! A party that does not keep to the protocol, in one named way: an honest core whose letters are changed on their way
//! out. Runs with one show that the others name it, or go on without it, or stop, and never come to a wrong total.

use engine::{
    Address, Core, Effect, Message, PartySecrets,
    message::{Letter, OpenedEpoch, PeerMessage},
};
use mpc::step::Name;
use primitives::PartyId;
use proofs::{
    inclusion::batch_root,
    sharing::{Complaint, held},
};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// What the party does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
    /// It proves its share of the totals wrongly.
    WrongOpen,
    /// It computes on another share than it holds.
    WrongShare,
    /// It proposes no batch.
    DropBatch,
    /// It shows its two peers different batches for one place.
    Equivocate,
    /// It opens its share of a check key without waiting for the barrier.
    EarlyKeyOpen,
    /// It keeps its response in the joint opening to itself.
    WithholdShare,
    /// It complains of a share that opens.
    FalseComplaint,
    /// It goes for good when totals are to be opened.
    Leave,
    /// It changes a byte or a number of the first letter of a step.
    Tamper(Step),
}

/// A step of which a letter is changed: one of the agreement or of the joint opening, or a round of the computation on
/// shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The signature of a proposal.
    Propose,
    /// A vote.
    Vote,
    /// The key for randomness in common.
    Key,
    /// Openings of shares.
    Openings,
    /// Announcements.
    Reveal,
    /// Responses.
    Response,
    /// What is carried on.
    Left,
    /// A round of this name.
    Compute(Name),
}

const STEPS: [(&str, Step); 7] = [
    ("propose", Step::Propose),
    ("vote", Step::Vote),
    ("key", Step::Key),
    ("openings", Step::Openings),
    ("reveal", Step::Reveal),
    ("response", Step::Response),
    ("left", Step::Left),
];

const CHEATS: [(&str, Cheat); 8] = [
    ("wrong-open", Cheat::WrongOpen),
    ("wrong-share", Cheat::WrongShare),
    ("drop-batch", Cheat::DropBatch),
    ("equivocate", Cheat::Equivocate),
    ("early-key-open", Cheat::EarlyKeyOpen),
    ("withhold-share", Cheat::WithholdShare),
    ("false-complaint", Cheat::FalseComplaint),
    ("leave", Cheat::Leave),
];

/// The party of a run that cheats: `party:2:wrong-open`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adversary {
    /// Which party.
    pub party: PartyId,
    /// What it does.
    pub cheat: Cheat,
}

/// Why a text names no adversary.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected party:P:KIND, with P from 1 to 3 and KIND one of {kinds}", kinds = kinds())]
pub struct NoAdversary;

/// Every kind, as it is written.
fn kinds() -> String {
    let kinds = CHEATS.iter().map(|(name, _)| (*name).to_owned());
    let steps = STEPS.iter().map(|(name, _)| (*name).to_owned());
    let rounds = rounds().map(|name| name.as_str().to_owned());
    let steps: Vec<_> = steps.chain(rounds).collect();
    format!("{}, or tamper:STEP with STEP one of {}", kinds.collect::<Vec<_>>().join(", "), steps.join(", "))
}

/// Rounds in which something is sent.
fn rounds() -> impl Iterator<Item = Name> {
    Name::ALL.iter().copied().filter(|name| *name != Name::Masks)
}

impl FromStr for Adversary {
    type Err = NoAdversary;
    fn from_str(text: &str) -> Result<Self, NoAdversary> {
        let mut parts = text.splitn(3, ':');
        let (Some("party"), Some(party), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoAdversary);
        };
        let party = PartyId::ALL.into_iter().find(|p| p.to_string() == party).ok_or(NoAdversary)?;
        let cheat = match kind.strip_prefix("tamper:") {
            Some(step) => {
                let named = STEPS.iter().find(|(name, _)| *name == step).map(|(_, step)| *step);
                let round = || rounds().find(|name| name.as_str() == step).map(Step::Compute);
                Cheat::Tamper(named.or_else(round).ok_or(NoAdversary)?)
            }
            None => CHEATS.iter().find(|(name, _)| *name == kind).ok_or(NoAdversary)?.1,
        };
        Ok(Self { party, cheat })
    }
}

impl fmt::Display for Adversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "party:{}:", self.party)?;
        match self.cheat {
            Cheat::Tamper(Step::Compute(name)) => write!(f, "tamper:{}", name.as_str()),
            Cheat::Tamper(step) => {
                let name = STEPS.iter().find(|(_, known)| *known == step).map_or("", |(name, _)| name);
                write!(f, "tamper:{name}")
            }
            cheat => f.write_str(CHEATS.iter().find(|(_, known)| *known == cheat).map_or("", |(n, _)| n)),
        }
    }
}

/// The core of a party that cheats.
pub struct Rogue {
    inner: Box<dyn Core>,
    cheat: Cheat,
    secrets: PartySecrets,
    opened: Option<OpenedEpoch>,
    /// Whether what is done once is done.
    done: bool,
}

impl Rogue {
    /// An honest core in bad hands, with the keys of the party.
    pub fn new(inner: Box<dyn Core>, cheat: Cheat, secrets: PartySecrets) -> Self {
        Self { inner, cheat, secrets, opened: None, done: false }
    }

    /// A complaint of the first bundle that holds: whoever checks it sees that its share opens.
    fn complain(&mut self, message: &Message) -> Vec<Effect> {
        let (Cheat::FalseComplaint, false) = (self.cheat, self.done) else { return Vec::new() };
        let (Message::Verified(id, bundle, accepted), Some(opened)) = (message, &self.opened) else {
            return Vec::new();
        };
        let party = self.secrets.signer.party();
        let shard = bundle.envelope.shard;
        let Some(context) = opened.context(shard) else { return Vec::new() };
        let [share, _] = held(party);
        let by = (party, &self.secrets.kem);
        let made = Complaint::new(context, (*id, bundle, accepted), by, share, &mut rand::rngs::OsRng);
        let Ok(complaint) = made else { return Vec::new() };
        self.done = true;
        let letter = |to| Effect::peer(to, shard, PeerMessage::Complaint(complaint.clone()));
        [party.next(), party.previous()].map(letter).into()
    }

    /// Changes a letter; `None` keeps it back.
    fn change(&mut self, to: PartyId, mut letter: Letter) -> Option<Effect> {
        let party = self.secrets.signer.party();
        match (self.cheat, &mut letter.message) {
            (Cheat::WrongOpen, PeerMessage::Response(response)) => {
                response.rows.iter_mut().flatten().take(1).for_each(|z| *z += curve25519_dalek::Scalar::ONE);
            }
            (Cheat::WrongShare, PeerMessage::Compute(message)) if message.step.name == Name::Inputs => {
                message.body.iter_mut().take(1).for_each(|byte| *byte ^= 1);
            }
            (Cheat::DropBatch, PeerMessage::Propose(..))
            | (Cheat::WithholdShare, PeerMessage::Response(_)) => return None,
            (Cheat::Equivocate, PeerMessage::Propose(header, ids, signature))
                if to == party.next() && ids.len() > 1 =>
            {
                ids.reverse();
                header.batch_root = batch_root(ids);
                *signature = self.secrets.signer.sign(&header.signing_digest());
            }
            (Cheat::EarlyKeyOpen, PeerMessage::Compute(message)) if message.step.name == Name::Barrier => {
                message.step.name = Name::CheckKey;
            }
            (Cheat::Tamper(step), message) => self.done = self.done || tampers(step, message),
            _ => {}
        }
        Some(Effect::Send(Address::Party(to), Message::Peer(letter)))
    }
}

/// Changes a letter if it is of the step.
fn tampers(step: Step, message: &mut PeerMessage) -> bool {
    let one = curve25519_dalek::Scalar::ONE;
    match (step, message) {
        (Step::Propose, PeerMessage::Propose(_, _, signature)) => signature[0] ^= 1,
        (Step::Vote, PeerMessage::Vote(_, signature)) => signature[0] ^= 1,
        (Step::Key, PeerMessage::Key(key)) => key.0[0] ^= 1,
        (Step::Openings, PeerMessage::Openings(openings)) => {
            openings.rows.iter_mut().flatten().take(1).for_each(|x| *x += one);
        }
        (Step::Reveal, PeerMessage::Reveal(reveal)) => {
            reveal
                .announcements
                .iter_mut()
                .take(1)
                .for_each(|point| *point += proofs::generators::bases().key);
        }
        (Step::Response, PeerMessage::Response(response)) => {
            response.rows.iter_mut().flatten().take(1).for_each(|z| *z += one);
        }
        (Step::Left, PeerMessage::Left(left)) => {
            let base = proofs::generators::bases().key;
            left.0.values_mut().take(1).for_each(|pair| pair[0] += base);
        }
        (Step::Compute(name), PeerMessage::Compute(message)) if message.step.name == name => {
            match message.body.first_mut() {
                Some(byte) => *byte ^= 1,
                None => message.body.push(1),
            }
        }
        _ => return false,
    }
    true
}

impl Core for Rogue {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        if let Message::Opened(opened) = &message {
            self.opened = Some(opened.clone());
        }
        if self.cheat == Cheat::Leave {
            self.done |= matches!(message, Message::Open(_));
            if self.done {
                return Vec::new();
            }
        }
        let lie = self.complain(&message);
        let effects = self.inner.handle(from, message);
        let change = |effect| match effect {
            Effect::Send(Address::Party(to), Message::Peer(letter)) => self.change(to, letter),
            other => Some(other),
        };
        effects.into_iter().filter_map(change).chain(lie).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adversary_has_one_spelling() {
        for (name, _) in CHEATS {
            let text = format!("party:2:{name}");
            assert_eq!(text.parse::<Adversary>().map(|a| a.to_string()), Ok(text));
        }
        for step in STEPS.iter().map(|(name, _)| *name).chain(rounds().map(Name::as_str)) {
            let text = format!("party:3:tamper:{step}");
            assert_eq!(text.parse::<Adversary>().map(|a| a.to_string()), Ok(text));
        }
        for wrong in
            ["party:4:wrong-open", "party:2", "node:2:wrong-open", "party:2:tamper:masks", "party:2:lie"]
        {
            assert_eq!(wrong.parse::<Adversary>(), Err(NoAdversary), "{wrong}");
        }
    }
}
