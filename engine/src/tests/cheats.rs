//! One party, the coordinator or settlement against everybody else: nobody is singled out, nothing is opened twice or
//! over a set that was not agreed on, and nothing that waits is dropped in silence.

use super::{
    mesh::{Mesh, sign},
    world::EPOCH,
};
use crate::{
    coordinator::Coordinator,
    effect::{Core, Effect, Event},
    message::{Address, Message, Objection, OpenedEpoch, PeerMessage, Phase, Report},
    party::{
        CarriedOver, Collect, Party, PartySecrets,
        collect::FaultReason,
        voting::{Record, Turn, Vote},
    },
};
use primitives::{Digest, Encode, PartyId, ShardIndex};
use proofs::{
    committee::Signatures,
    tally::{BatchHeader, EpochRoot, Residual, SignedHeader, SignedRoot},
    testing::{TestSubscriber, committee, event},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

const ONE: PartyId = PartyId::ALL[0];
const TWO: PartyId = PartyId::ALL[1];
const THREE: PartyId = PartyId::ALL[2];

/// Whether a message of the joint opening was sent.
fn opened(message: &PeerMessage) -> bool {
    matches!(message, PeerMessage::Openings(_) | PeerMessage::Reveal(_) | PeerMessage::Response(_))
}

/// What was proposed, for the first party to object to.
#[derive(Default)]
struct Proposed(BTreeMap<Digest, Vec<Digest>>);

impl Proposed {
    /// Makes an objection to the whole batch of each vote of the first party.
    fn object(&mut self, from: PartyId, message: &mut PeerMessage) {
        if let PeerMessage::Propose(header, ids, _) = message {
            self.0.insert(header.digest(), ids.clone());
        }
        if let PeerMessage::Vote(digest, _) = message
            && from == ONE
            && !self.0[digest].is_empty()
        {
            let all = self.0[digest].iter().map(|id| (*id, Objection::Share)).collect();
            *message = PeerMessage::Object(*digest, all);
        }
    }
}

/// Two votes suffice: what one party says without evidence keeps nobody out, so that it can single out nobody.
#[test]
fn a_party_that_objects_to_everybody_but_one_keeps_nobody_out() {
    let mut proposed = Proposed::default();
    let (mut mesh, epoch) = Mesh::opened();
    mesh.tamper = Box::new(|from, _, message| {
        proposed.object(from, message);
        true
    });
    mesh.submit_honest(&epoch, 12);
    mesh.close();
    mesh.assert_done();
    assert_eq!(mesh.batches().concat().len(), 12);
}

/// With the other honest party away, a leader has nothing but the objector to go on with. It leaves out what that one
/// objects to, and then opens nothing.
#[test]
fn a_party_that_objects_to_everybody_while_another_is_away_gets_nothing_opened() {
    let mut proposed = Proposed::default();
    let openings = RefCell::new(0);
    let (mut mesh, epoch) = Mesh::opened();
    mesh.tamper = Box::new(|from, _, message| {
        proposed.object(from, message);
        *openings.borrow_mut() += u32::from(opened(message) && from != ONE);
        true
    });
    mesh.stop(THREE);
    mesh.submit_honest(&epoch, 12);
    mesh.tick(300);
    mesh.start(THREE);
    mesh.close();
    mesh.tick(300);
    let (culprit, reason) = mesh.aborted().expect("the honest parties do not go on");
    assert_eq!((mesh.phase(), culprit), (Phase::Aborted, None));
    assert!(reason.contains("left out"), "{reason}");
    drop(mesh);
    assert_eq!(openings.into_inner(), 0);
}

#[test]
fn a_leader_that_proposes_nothing_halts_the_epoch_and_drops_nobody() {
    let (mut mesh, epoch) = Mesh::opened();
    mesh.tamper = Box::new(|from, _, message| !(from == ONE && matches!(message, PeerMessage::Propose(..))));
    mesh.submit_honest(&epoch, 4);
    mesh.close();
    mesh.forge(
        Address::Party(ONE),
        Address::Coordinator,
        Message::Report(Report::Drained { shard: ShardIndex(0), position: 0, pending: 0 }),
    );
    assert_eq!((mesh.phase(), mesh.aborted()), (Phase::Close, None));
}

#[test]
fn nothing_is_opened_on_the_bare_word_of_coordinator_or_settlement() {
    let openings = RefCell::new(0);
    let (mut mesh, epoch) = Mesh::opened();
    mesh.tamper = Box::new(|_, _, message| {
        *openings.borrow_mut() += u32::from(opened(message));
        !matches!(message, PeerMessage::Vote(..))
    });
    mesh.submit_honest(&epoch, 4);
    // A header that nobody signed is "anchored", the epoch is "frozen", and a root that nobody signed is to be opened.
    let context = &epoch.shards[0];
    let header = BatchHeader {
        chain: context.chain,
        epoch: context.epoch,
        shard: context.shard.index(),
        view: 0,
        position: 0,
        previous: Digest::default(),
        batch_root: Digest::default(),
        count: 1,
        running: Default::default(),
    };
    let root = root(&epoch, 0, Digest::default());
    let anchored = Arc::new(SignedHeader { header, signatures: Signatures::default() });
    let signed = Arc::new(SignedRoot { root, signatures: Signatures::default() });
    for party in PartyId::ALL {
        mesh.forge(Address::Settlement, Address::Party(party), Message::Anchored(anchored.clone()));
        mesh.forge(Address::Settlement, Address::Party(party), Message::Opened(epoch.clone()));
        mesh.forge(Address::Coordinator, Address::Party(party), Message::Phase(Phase::Announce));
    }
    assert!(mesh.batches().is_empty());
    for party in PartyId::ALL {
        mesh.forge(Address::Coordinator, Address::Party(party), Message::Phase(Phase::Sum));
        mesh.forge(Address::Coordinator, Address::Party(party), Message::Open(signed.clone()));
    }
    drop(mesh);
    assert_eq!(openings.into_inner(), 0);
}

#[test]
fn a_root_without_a_quorum_or_of_another_set_is_not_opened() {
    let openings = RefCell::new(0);
    let (mut mesh, epoch) = Mesh::opened();
    mesh.tamper = Box::new(|_, _, message| {
        *openings.borrow_mut() += u32::from(opened(message));
        true
    });
    // An empty epoch: every party freezes the empty set, and is then asked to open it without a signature.
    for party in PartyId::ALL {
        mesh.forge(Address::Coordinator, Address::Party(party), Message::Phase(Phase::Sum));
    }
    let root = root(&epoch, 0, Digest::default());
    let signed = Arc::new(SignedRoot { root, signatures: Signatures::default() });
    mesh.forge(Address::Coordinator, Address::Party(TWO), Message::Open(signed));
    let (_, reason) = mesh.aborted().expect("party 2 stops");
    assert!(reason.contains("the root to open"), "{reason}");
    drop(mesh);
    assert_eq!(openings.into_inner(), 0);
}

#[test]
fn an_early_proposal_does_not_push_out_the_one_that_waits() {
    let (mut mesh, epoch) = Mesh::opened();
    let bundles: Vec<_> = (0..2u16)
        .map(|s| TestSubscriber::new(s.into()).bundle(&epoch.shards[0], vec![event(s, 0, false)]).to_bytes())
        .collect();
    mesh.submit(&bundles[0]);
    for party in [ONE, TWO] {
        mesh.tell(Address::Intake(party), Message::Submit(bundles[1].as_slice().into()));
    }
    // Party 3 waits for the second bundle of position 0. Party 2 sends it a proposal for position 1 meanwhile.
    let early = BatchHeader {
        chain: epoch.shards[0].chain,
        epoch: epoch.shards[0].epoch,
        shard: epoch.shards[0].shard.index(),
        view: 0,
        position: 1,
        previous: Digest([1; 32]),
        batch_root: primitives::merkle::leaf(&[9; 32]),
        count: 1,
        running: Default::default(),
    };
    let signature = sign(TWO, &early);
    mesh.inject(TWO, THREE, PeerMessage::Propose(early, vec![Digest([9; 32])], signature));
    mesh.tell(Address::Intake(THREE), Message::Submit(bundles[1].as_slice().into()));
    assert_eq!(mesh.batches().len(), 1, "position 0 is final");
}

/// A coordinator that waits for the roots of an epoch of one shard.
fn coordinator(epoch: &OpenedEpoch) -> Coordinator {
    let mut coordinator = Coordinator::new();
    coordinator.handle(Address::Outside, Message::Begin);
    coordinator.handle(Address::Settlement, Message::Opened(epoch.clone()));
    coordinator.handle(Address::Outside, Message::EndOfWindow);
    for party in PartyId::ALL {
        let drained = Message::Report(Report::Drained { shard: ShardIndex(0), position: 1, pending: 0 });
        let effects = coordinator.handle(Address::Party(party), drained);
        assert!(effects.is_empty(), "nothing is frozen before it is known what is taken over");
    }
    let taken = vec![Residual::default(); epoch.shards.len()].into();
    let effects = coordinator.handle(Address::Settlement, Message::TakenOver(taken));
    let is_sum = |effect: &Effect| matches!(effect, Effect::Publish(Event::Phase(Phase::Sum)));
    assert!(effects.iter().any(is_sum), "all three have drained");
    coordinator
}

fn root(epoch: &OpenedEpoch, batches: u64, last: Digest) -> EpochRoot {
    let context = &epoch.shards[0];
    EpochRoot { chain: context.chain, epoch: context.epoch, shard: context.shard.index(), batches, last }
}

/// A root of nothing by a party that signed three batches, and one that ends in another header than the chain's, convict
/// it. One that lacks the last batch alone does not: the chain may have anchored that after the root was signed.
#[test]
fn a_root_that_leaves_out_an_anchored_batch_convicts_who_signed_it() {
    let (mut mesh, epoch) = Mesh::opened();
    mesh.submit_honest(&epoch, 6);
    let state = mesh.node.lock().unwrap();
    let anchored: Vec<_> = state.ledger().state().anchors_of(EPOCH, ShardIndex(0)).cloned().collect();
    let last = anchored.last().map(|signed| signed.header.digest()).expect("batches");
    assert_eq!(anchored.len(), 3);
    let keys = committee(11);
    for (root, guilty) in [
        (root(&epoch, 0, Digest::default()), true),
        (root(&epoch, 1, anchored[0].header.digest()), true),
        (root(&epoch, 3, Digest([7; 32])), true),
        (root(&epoch, 2, anchored[1].header.digest()), false),
        (root(&epoch, 3, last), false),
    ] {
        let mut coordinator = coordinator(&epoch);
        for signed in &anchored {
            coordinator.handle(Address::Settlement, Message::Anchored(Arc::new(signed.clone())));
        }
        let signature = keys.signers[TWO.index()].sign(&root.digest());
        let effects = coordinator.handle(Address::Party(TWO), Message::Report(Report::Root(root, signature)));
        let shown = effects.iter().find_map(|effect| match effect {
            Effect::Publish(Event::Evidence { evidence, .. }) => Some(evidence.as_ref().clone()),
            _ => None,
        });
        let named = effects.iter().find_map(|effect| match effect {
            Effect::Publish(Event::Aborted { culprit, .. }) => *culprit,
            _ => None,
        });
        assert_eq!(named, guilty.then_some(TWO));
        assert_eq!(shown.is_some(), guilty);
        if let Some(evidence) = shown {
            let on_record = |_, position: u64| Some(anchored[position as usize].header.digest());
            assert_eq!((evidence.party(), evidence.verify(&keys.public, on_record)), (TWO, Ok(())));
        }
    }
}

/// A party that restarts signs no root before it has heard again of all that it knew: it would convict itself.
#[test]
fn a_party_that_is_not_back_where_it_signed_freezes_nothing() {
    let (_, epoch) = Mesh::opened();
    let (keys, shard) = (committee(11), ShardIndex(0));
    let ([_, signer, _], [_, kem, _]) = (keys.signers, keys.kem);
    let vote = Vote { turn: Turn { position: 2, view: 0 }, digest: Digest([1; 32]) };
    let record = Record { shard, position: 2, term: 0, vote: Some(vote), frozen: None, pledged: Vec::new() };
    let collect =
        Collect::new(TWO, (Default::default(), 9), epoch, 2, (&[(shard, record)].into(), &Arc::default()));
    let refused = collect.freeze(&PartySecrets { signer, kem }).err();
    assert_eq!(refused.map(|fault| fault.reason), Some(FaultReason::Behind));
}

/// A party that restarts after it froze begins to collect again. What it would sign then would convict it by its root.
#[test]
fn that_a_set_is_frozen_is_on_disk_before_its_root_leaves() {
    let (_, epoch) = Mesh::opened();
    let keys = committee(11);
    let ([_, signer, _], [_, kem, _]) = (keys.signers, keys.kem);
    let (held, rng) = ((2, CarriedOver::default()), ChaCha20Rng::seed_from_u64(1));
    let mut party = Party::new((epoch.shards[0].chain, EPOCH), PartySecrets { signer, kem }, held, rng);
    let taken = vec![Residual::default(); epoch.shards.len()].into();
    party.rejoin(epoch, true);
    assert!(
        party.handle(Address::Coordinator, Message::Phase(Phase::Sum)).is_empty(),
        "nobody knows what is taken over"
    );
    let effects = party.handle(Address::Settlement, Message::TakenOver(taken));
    let stored = effects.iter().position(|e| matches!(e, Effect::Store(record) if record.frozen.is_some()));
    let root = |e: &Effect| matches!(e, Effect::Send(_, Message::Report(Report::Root(..))));
    let shown = effects.iter().position(root);
    assert!(stored.is_some() && stored < shown);
}

#[test]
fn a_signature_that_is_none_names_who_sent_it() {
    let (_, epoch) = Mesh::opened();
    let root = root(&epoch, 1, Digest::default());
    let mut coordinator = coordinator(&epoch);
    let effects = coordinator.handle(Address::Party(TWO), Message::Report(Report::Root(root, [1; 64])));
    let blamed = effects.iter().find_map(|effect| match effect {
        Effect::Publish(Event::Aborted { culprit, .. }) => *culprit,
        _ => None,
    });
    assert_eq!(blamed, Some(TWO));
}
