//! What each party sees of each shard of an epoch: what is said to it, what is said by those and to those who keep no
//! secrets, and what its keys make of the bundles. What it says itself to another party follows from this and from its
//! own randomness.

use crate::message::{Address, Message, OpenedEpoch, PeerMessage, Report};
use curve25519_dalek::scalar::Scalar;
use primitives::{Decode, Digest, Encode, PartyId, ShardIndex};
use proofs::{
    bundle::Bundle,
    epoch::EpochContext,
    sharing::KemKey,
    testing::{challenges, committee, seed_bytes},
    wire::WirePoint,
};
use std::collections::BTreeMap;

/// What a party sees of a shard: parts by name.
pub(super) type View = BTreeMap<String, Vec<u8>>;

/// The part that says in which order bundles came, by the places of their subscribers.
pub(super) const ARRIVAL: &str = "order of arrival";
/// The part that says in which order leaders proposed them.
pub(super) const PROPOSED: &str = "order in proposals";

/// The part that is left of the vector which a subscriber's bundle shows, without what the party holds of its mask.
pub(super) fn unmasked(who: usize) -> String {
    format!("what is left of the vector of subscriber {who}")
}

/// What the three parties see of an epoch once it is open.
pub(super) struct Seen {
    epoch: OpenedEpoch,
    keys: [KemKey; 3],
    /// Places of the subscribers by their keys: a party may know from elsewhere whose bundle it has.
    subscribers: BTreeMap<WirePoint, usize>,
    /// Places of the subscribers by the names of their bundles.
    bundles: BTreeMap<Digest, usize>,
    views: BTreeMap<(PartyId, ShardIndex), View>,
    /// What is said of no shard.
    words: Vec<u8>,
}

impl Seen {
    pub(super) fn new(epoch: OpenedEpoch, subscribers: BTreeMap<WirePoint, usize>) -> Self {
        let (bundles, views, words) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { epoch, keys: committee(11).kem, subscribers, bundles, views, words }
    }

    /// Notes a message with each party that sees it.
    pub(super) fn hear(&mut self, from: Address, to: Address, message: &Message) {
        for party in PartyId::ALL.into_iter().filter(|party| sees(*party, from, to)) {
            match (message, of_shard(message)) {
                (Message::Submit(bytes), _) => {
                    self.bundle(party, &Bundle::from_bytes(bytes).expect("devices send bundles"));
                }
                (_, Some((shard, bytes))) => {
                    let view = self.views.entry((party, shard)).or_default();
                    // Numbered, so that another order of senders and receivers shows.
                    view.insert(format!("part {} from {from} to {to}", view.len()), bytes);
                    if let Some(ids) = proposed(message) {
                        let places = ids.iter().map(|id| self.bundles[id] as u8);
                        view.entry(PROPOSED.into()).or_default().extend(places);
                    }
                }
                (_, None) => self.words.push(word(message)),
            }
        }
    }

    fn bundle(&mut self, party: PartyId, bundle: &Bundle) {
        let shard = bundle.envelope.shard;
        let context = self.epoch.context(shard).expect("the epoch has the shard");
        let who = self.subscribers[&bundle.envelope.key];
        self.bundles.insert(bundle.id(), who);
        let (seeds, left) = opened(context, (party, &self.keys[party.index()]), bundle);
        let view = self.views.entry((party, shard)).or_default();
        view.entry(ARRIVAL.into()).or_default().push(who as u8);
        view.insert(format!("bundle of subscriber {who}"), bundle.to_bytes());
        view.insert(format!("seeds of subscriber {who}"), seeds);
        view.insert(unmasked(who), left);
    }

    /// What each party saw of each shard.
    pub(super) fn views(mut self) -> Vec<(PartyId, View)> {
        for view in self.views.values_mut() {
            view.insert("words".into(), self.words.clone());
        }
        self.views.into_iter().map(|((party, _), view)| (party, view)).collect()
    }
}

/// Whether a party sees what is said between two places: whatever others say to its actors, and whatever the coordinator
/// and settlement say or are told by anybody.
fn sees(party: PartyId, from: Address, to: Address) -> bool {
    let seat = |at| match at {
        Address::Intake(p) | Address::Verifier(p) | Address::Party(p) => Some(p),
        Address::Outside | Address::Standby | Address::Coordinator | Address::Settlement => None,
    };
    match (seat(from), seat(to)) {
        (Some(one), Some(other)) => one != other && other == party,
        (None, Some(other)) if from == Address::Outside => other == party,
        _ => true,
    }
}

/// Names of the bundles that a leader proposes.
fn proposed(message: &Message) -> Option<&[Digest]> {
    match message {
        Message::Peer(letter) => match &letter.message {
            PeerMessage::Propose(_, ids, _) => Some(ids),
            _ => None,
        },
        _ => None,
    }
}

/// What is said of a shard, and of which.
fn of_shard(message: &Message) -> Option<(ShardIndex, Vec<u8>)> {
    Some(match message {
        Message::Peer(letter) => (letter.shard, letter.to_bytes()),
        Message::Anchor(signed) => (signed.header.shard, signed.to_bytes()),
        Message::Anchored(signed) => (signed.header.shard, signed.to_bytes()),
        Message::AnchorRoot(signed) => (signed.root.shard, signed.to_bytes()),
        Message::Open(signed) => (signed.root.shard, signed.to_bytes()),
        Message::RootAnchored(shard) | Message::AggregateRecorded(shard) => (*shard, Vec::new()),
        Message::Aggregate(said) => {
            let signatures = said.signatures.to_bytes();
            (said.shard, [said.tally.to_bytes(), said.proof.to_bytes(), signatures].concat())
        }
        Message::Report(Report::Drained { shard, position, pending }) => {
            (*shard, [*position, *pending as u64].map(u64::to_le_bytes).concat())
        }
        Message::Report(Report::Root(root, signature)) => {
            (root.shard, [root.to_bytes(), signature.to_vec()].concat())
        }
        Message::Report(Report::Totals(shard, _, said, signature)) => {
            (*shard, [said.0.to_bytes(), said.1.to_bytes(), signature.to_vec()].concat())
        }
        _ => return None,
    })
}

/// What is said of no shard in an epoch that is open: how far it is, and nothing else.
fn word(message: &Message) -> u8 {
    match message {
        Message::Phase(phase) => *phase as u8,
        Message::EndOfWindow => 100,
        Message::Settled => 102,
        _ => panic!("a message that no view has"),
    }
}

/// What a party makes of a bundle with its key: the two seeds that it holds; and what is left of the vector z that the
/// bundle shows, `z - x (r + r')` for the masks r and r' that the seeds expand to, and the same over x. That is the third
/// mask by itself, wherever nothing is counted.
fn opened(context: &EpochContext, (party, key): (PartyId, &KemKey), bundle: &Bundle) -> (Vec<u8>, Vec<u8>) {
    let seeds = bundle.open(context, party, key).expect("seeds are sealed to their holders");
    let x = challenges(context, bundle).2.scalar();
    let over_x = x.invert();
    let shown = bundle.proof.vector_response.iter().chain([&bundle.proof.blinding_response]);
    let mut left: Vec<_> = shown.map(|z| over_x * Scalar::from(*z)).collect();
    let width = left.len() - 1;
    for seed in &seeds {
        let blinding = seed.expand(width, |at, mask| left[at] -= Scalar::from(mask));
        left[width] -= Scalar::from(blinding);
    }
    let left = left.iter().flat_map(|left| [*left, x * left]).flat_map(|left| left.to_bytes());
    (seeds.iter().flat_map(seed_bytes).collect(), left.collect())
}
