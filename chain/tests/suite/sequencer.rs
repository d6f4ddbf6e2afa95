//! The sequencer's core: which transaction comes when, what is confirmed, and what a broken word looks like.

mod word;

use crate::world::*;
use chain::{
    Ledger, Payload, Transaction,
    ledger::{Authority, TxError},
    modules::{
        dapr::DaprError,
        governance::Elect,
        identity::{IdentityError, Roles, SetStatus, Status},
        node_rewards::{self, AnswerAudit, CHUNK_BYTES, ChunkProof, NodeId, Shown},
        usage::CommitBeacon,
    },
    sequencer::{
        Answer, Author, BlockError, Confirmation, Effect, Evidence, Limits, MAX_AHEAD, MAX_BLOCK_AHEAD,
        MAX_LONG_BYTES, MAX_SIGNED_BYTES, NoEvidence, PATIENCE, Priority, Promise, Refusal, RestoreError,
        Seal, SealedBlock, Sequencer, Taken,
    },
    signature::SecretKey,
    transaction::EnvelopeError,
};
use primitives::{ChainId, Decode, Digest, Encode, EpochId, PartyId, PersonId, Time};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub(crate) const SEQUENCER: PersonId = PersonId([9; 32]);
const NOW: Time = Time(1_000_000);

pub(crate) fn sequencer_key() -> SecretKey {
    SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(99))
}

pub(crate) fn author() -> Author {
    Author { person: SEQUENCER, key: sequencer_key() }
}

/// A chain with a sequencer, two registrars and nothing else.
pub(crate) fn world() -> World {
    World::genesis_with(|genesis| {
        let key = sequencer_key().public_key();
        genesis.offices.push(Authority { person: SEQUENCER, key, roles: Roles::SEQUENCER });
    })
}

/// A sequencer under test, with its own generator and clock.
struct Desk {
    world: World,
    core: Sequencer,
    rng: ChaCha20Rng,
    now: Time,
}

impl Desk {
    fn new(limits: Limits) -> Self {
        let world = world();
        let core =
            Sequencer::new(world.ledger.clone(), author(), limits, 0).expect("limits inside their bounds");
        Self { world, core, rng: ChaCha20Rng::seed_from_u64(5), now: NOW }
    }

    fn limits() -> Limits {
        Limits { interval: 2, heartbeat: 60, ..Limits::default() }
    }

    fn sign(&mut self, signer: PersonId, nonce: u64, payload: Payload) -> Transaction {
        Transaction::signed(payload, CHAIN, (signer, nonce), &self.world.keys[&signer], &mut self.rng)
    }

    /// A transaction of the registrar that is valid in its turn.
    fn register(&mut self, nonce: u64) -> Transaction {
        let n = u8::try_from(nonce).expect("few") % CREATORS + 1;
        let payload = self.world.register(n);
        self.sign(REGISTRAR, nonce, payload)
    }

    fn submit(&mut self, tx: &Transaction) -> Vec<Effect> {
        self.core.submit(self.now, tx.clone(), &mut self.rng)
    }

    fn tick(&mut self, seconds: u32) -> Vec<Effect> {
        self.now = self.now.after(seconds);
        self.core.tick(self.now, &mut self.rng)
    }
}

fn answers(effects: &[Effect]) -> Vec<(Digest, Answer)> {
    let told = |effect: &Effect| match effect {
        Effect::Tell { transaction, answer } => Some((*transaction, answer.clone())),
        _ => None,
    };
    effects.iter().filter_map(told).collect()
}

fn confirmations(effects: &[Effect]) -> Vec<Confirmation> {
    let confirmed = |(_, answer)| match answer {
        Answer::Confirmed(confirmation) => Some(confirmation),
        _ => None,
    };
    answers(effects).into_iter().filter_map(confirmed).collect()
}

fn blocks(effects: &[Effect]) -> Vec<SealedBlock> {
    let block = |effect: &Effect| match effect {
        Effect::Append(sealed) => Some(sealed.as_ref().clone()),
        _ => None,
    };
    effects.iter().filter_map(block).collect()
}

fn written(effects: &[Effect]) -> Vec<Taken> {
    let taken = |effect: &Effect| match effect {
        Effect::Write(taken) => Some(taken.clone()),
        _ => None,
    };
    effects.iter().filter_map(taken).collect()
}

#[track_caller]
fn refused(effects: &[Effect], tx: &Transaction) -> Refusal {
    match answers(effects).as_slice() {
        [(id, Answer::Refused(refusal))] if *id == tx.id() => refusal.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_confirmed_stands_where_the_confirmation_says() {
    let mut desk = Desk::new(Desk::limits());
    let txs: Vec<_> = (0..3).map(|nonce| desk.register(nonce)).collect();
    let mut promises = Vec::new();
    for tx in &txs {
        let effects = desk.submit(tx);
        // On disk first, then told.
        assert!(matches!(effects.as_slice(), [Effect::Write(_), Effect::Tell { .. }]), "{effects:?}");
        assert_eq!(written(&effects)[0].transaction, *tx);
        promises.extend(confirmations(&effects));
    }
    assert!(blocks(&desk.tick(1)).is_empty(), "not due yet");
    let [sealed] = blocks(&desk.tick(1)).try_into().expect("one block");
    assert_eq!((sealed.block.height, sealed.block.time), (1, NOW));
    for (position, (confirmation, tx)) in (0u32..).zip(promises.iter().zip(&txs)) {
        assert!(confirmation.holds(&sequencer_key().public_key()));
        let promise = Promise { chain: CHAIN, height: 1, position, transaction: tx.id(), time: NOW };
        assert_eq!(confirmation.promise, promise);
        assert_eq!(sealed.block.transactions[position as usize], *tx);
        let kept = Evidence::BrokenPromise((*confirmation, sealed.clone()));
        assert_eq!(kept.check(CHAIN, &sequencer_key().public_key()), Err(NoEvidence::NoContradiction));
    }
    let followed = sealed.check(desk.world.ledger.clone(), NOW).expect("a good block");
    assert_eq!((followed.head(), desk.core.ledger().head()), (sealed.block.digest(), sealed.block.digest()));
}

#[test]
fn a_gap_waits_and_everything_behind_it_comes_in_order() {
    let mut desk = Desk::new(Desk::limits());
    let txs: Vec<_> = (0..3).map(|nonce| desk.register(nonce)).collect();
    for late in [&txs[2], &txs[1]] {
        let nonce = late.authorisation.as_ref().expect("signed").nonce;
        let waits = Answer::Waits { signer: REGISTRAR, nonce, next: 0 };
        assert_eq!(answers(&desk.submit(late)), vec![(late.id(), waits.clone())]);
        // Handing it in again changes nothing.
        assert_eq!(answers(&desk.submit(late)), vec![(late.id(), waits)]);
    }
    assert_eq!(desk.core.waiting(), 2);
    let effects = desk.submit(&txs[0]);
    let order: Vec<_> =
        confirmations(&effects).iter().map(|c| (c.promise.position, c.promise.transaction)).collect();
    assert_eq!(order, (0..3).zip(txs.iter().map(Transaction::id)).collect::<Vec<_>>());
    assert_eq!(desk.core.waiting(), 0);
    // A confirmed one that comes again gets the same word again, and no second place.
    let again = desk.submit(&txs[1]);
    assert_eq!(confirmations(&again), vec![confirmations(&effects)[1]]);
    assert!(written(&again).is_empty());
}

#[test]
fn only_what_waits_is_replaced_and_what_is_confirmed_never() {
    let mut desk = Desk::new(Desk::limits());
    let (first, other) = (desk.register(1), desk.world.register(3));
    let other = desk.sign(REGISTRAR, 1, other);
    desk.submit(&first);
    let effects = desk.submit(&other);
    assert_eq!(
        answers(&effects)[0],
        (first.id(), Answer::Refused(Refusal::Replaced { by: other.id() })),
        "{effects:?}"
    );
    let gap = desk.register(0);
    let placed: Vec<_> = confirmations(&desk.submit(&gap)).iter().map(|c| c.promise.transaction).collect();
    assert_eq!(placed, vec![gap.id(), other.id()]);
    // Both are confirmed now: another with one of their nonces is refused.
    let late =
        desk.sign(REGISTRAR, 1, Payload::SetStatus(SetStatus { person: person(1), status: Status::Active }));
    let nonce = EnvelopeError::Nonce { signer: REGISTRAR, expected: 2, found: 1 };
    assert_eq!(refused(&desk.submit(&late), &late), Refusal::Rule(nonce.into()));
}

#[test]
fn nobody_fills_the_room_of_another() {
    let mut desk = Desk::new(Desk::limits());
    let mut forged = desk.register(5);
    forged.authorisation.as_mut().expect("signed").signer = STEWARD;
    let signature = EnvelopeError::Signature { signer: STEWARD };
    assert_eq!(refused(&desk.submit(&forged), &forged), Refusal::Rule(signature.into()));
    let unknown = PersonId([77; 32]);
    forged.authorisation.as_mut().expect("signed").signer = unknown;
    let nobody = Refusal::Rule(EnvelopeError::NoAccount { signer: unknown }.into());
    assert_eq!(refused(&desk.submit(&forged), &forged), nobody);
    forged.authorisation = None;
    assert_eq!(refused(&desk.submit(&forged), &forged), Refusal::Rule(EnvelopeError::Unsigned.into()));
    let far = desk.sign(REGISTRAR, MAX_AHEAD + 1, World::reveal(FIRST, primitives::PartyId::ALL[0]));
    let needless = Refusal::Rule(EnvelopeError::NeedlesslySigned.into());
    assert_eq!(refused(&desk.submit(&far), &far), needless);
    let far = desk.register(MAX_AHEAD + 1);
    let ahead = Refusal::TooFarAhead { signer: REGISTRAR, next: 0, found: MAX_AHEAD + 1, limit: MAX_AHEAD };
    assert_eq!(refused(&desk.submit(&far), &far), ahead);
    assert_eq!(desk.core.waiting(), 0);
}

#[test]
fn a_transaction_that_is_too_long_is_not_looked_at() {
    let mut desk = Desk::new(Desk::limits());
    let choices = vec![STEWARD; MAX_SIGNED_BYTES / 32];
    let tx = desk.sign(STEWARD, 0, Payload::Elect(Elect { election: 1, choices }));
    let bytes = tx.to_bytes().len();
    assert!(bytes > MAX_SIGNED_BYTES, "{bytes}");
    assert_eq!(refused(&desk.submit(&tx), &tx), Refusal::TooLong { bytes, limit: MAX_SIGNED_BYTES });
}

/// An honest answer to an audit is long: a sequencer that refused it would have its node fined.
#[test]
fn what_is_long_by_nature_is_looked_at() {
    let mut desk = Desk::new(Desk::limits());
    let answer = |pieces| {
        let chunk = ChunkProof { chunk: [1; CHUNK_BYTES], siblings: vec![digest(1); 20] };
        let evidence = node_rewards::Evidence::Storage(Shown(vec![chunk; pieces]));
        Payload::AnswerAudit(AnswerAudit { node: NodeId::default(), epoch: FIRST, evidence })
    };
    let tx = desk.sign(STEWARD, 0, answer(128));
    assert!(tx.to_bytes().len() > MAX_SIGNED_BYTES);
    assert!(!matches!(refused(&desk.submit(&tx), &tx), Refusal::TooLong { .. }));
    let tx = desk.sign(STEWARD, 0, answer(4_000));
    let bytes = tx.to_bytes().len();
    assert_eq!(refused(&desk.submit(&tx), &tx), Refusal::TooLong { bytes, limit: MAX_LONG_BYTES });
}

#[test]
fn what_waits_too_long_is_dropped() {
    let mut desk = Desk::new(Desk::limits());
    let tx = desk.register(1);
    desk.submit(&tx);
    assert!(answers(&desk.tick(PATIENCE - 1)).is_empty());
    assert_eq!(refused(&desk.tick(1), &tx), Refusal::Expired { patience: PATIENCE });
}

#[test]
fn one_that_breaks_a_rule_in_its_turn_does_not_hold_the_others() {
    let mut desk = Desk::new(Desk::limits());
    // The same person twice: the second is refused when its turn comes, and its nonce stays free.
    let (first, same) = (desk.register(0), desk.world.register(1));
    let twice = desk.sign(REGISTRAR, 1, same);
    desk.submit(&twice);
    let effects = desk.submit(&first);
    let rule = Refusal::Rule(IdentityError::AlreadyRegistered { person: person(1) }.into());
    assert_eq!(answers(&effects)[1], (twice.id(), Answer::Refused(rule)));
    let next = desk.register(1);
    assert_eq!(confirmations(&desk.submit(&next))[0].promise.position, 1);
}

/// A clock that is set back keeps neither a block nor the heartbeat waiting, and the ledger's time stands still.
#[test]
fn a_clock_that_goes_back_holds_nothing_up() {
    let mut desk = Desk::new(Desk::limits());
    let tx = desk.register(0);
    desk.submit(&tx);
    desk.now = Time(NOW.0 - 5000);
    assert!(blocks(&desk.tick(0)).is_empty());
    let [first] = blocks(&desk.tick(2)).try_into().expect("one block");
    assert_eq!((first.block.time, first.block.transactions.len()), (NOW, 1));
    desk.now = Time(NOW.0 - 8000);
    assert!(blocks(&desk.tick(0)).is_empty());
    assert!(blocks(&desk.tick(59)).is_empty());
    let [second] = blocks(&desk.tick(1)).try_into().expect("the heartbeat");
    assert_eq!(second.block.time, NOW);
}

/// Claims by the thousand do not keep out what an epoch waits for.
#[test]
fn a_part_of_the_open_line_is_kept_for_what_parties_sign() {
    let mut desk = Desk::new(Limits { open: 8, ..Desk::limits() });
    let mut txs = (0..).map(|n| Transaction::open(finalise(EpochId(n))));
    for tx in txs.by_ref().take(6) {
        assert!(desk.submit(&tx).is_empty());
    }
    let over = txs.next().expect("another");
    let full = |limit| Refusal::OpenFull { what: "transactions", limit };
    assert_eq!(refused(&desk.submit(&over), &over), full(6));
    let mut commit = |n| {
        let (commitment, signature) = (Digest([0; 32]), [0; 64]);
        let commit = CommitBeacon { epoch: EpochId(n), party: PartyId::ALL[0], commitment, signature };
        let tx = Transaction::open(Payload::CommitBeacon(commit));
        (desk.submit(&tx), tx)
    };
    assert!(commit(1).0.is_empty() && commit(2).0.is_empty());
    let (effects, tx) = commit(3);
    assert_eq!(refused(&effects, &tx), full(8));
}

#[test]
fn what_no_account_signs_stands_in_a_line_of_its_own() {
    let mut desk = Desk::new(Limits { open: 2, ..Desk::limits() });
    let open = |epoch| finalise(EpochId(epoch));
    let wrong: Vec<_> = (0..3).map(|n| Transaction::open(open(n))).collect();
    for tx in &wrong[..2] {
        assert!(desk.submit(tx).is_empty(), "it is told when its turn comes");
        assert!(desk.submit(tx).is_empty(), "and stands in line once");
    }
    let full = Refusal::OpenFull { what: "transactions", limit: 2 };
    assert_eq!(refused(&desk.submit(&wrong[2]), &wrong[2]), full);
    // What accounts sign does not wait for them.
    let signed = desk.register(0);
    assert_eq!(confirmations(&desk.submit(&signed)).len(), 1);
    for tx in &wrong[..2] {
        let effects = desk.core.turn(desk.now, &mut desk.rng);
        let epoch = match &tx.payload {
            Payload::FinaliseEpoch(action) => action.epoch,
            _ => unreachable!("made above"),
        };
        assert_eq!(refused(&effects, tx), Refusal::Rule(DaprError::UnknownEpoch { epoch }.into()));
    }
    assert!(!desk.core.has_line() && desk.core.turn(desk.now, &mut desk.rng).is_empty());
}

#[test]
fn blocks_end_by_time_by_size_and_by_the_heartbeat() {
    let mut desk = Desk::new(Limits { block_transactions: 2, ..Desk::limits() });
    assert!(desk.tick(0).is_empty());
    assert!(desk.tick(59).is_empty());
    let [empty] = blocks(&desk.tick(1)).try_into().expect("the heartbeat");
    assert_eq!((empty.block.height, empty.block.time, empty.block.transactions.len()), (1, desk.now, 0));
    let txs: Vec<_> = (0..3).map(|nonce| desk.register(nonce)).collect();
    desk.submit(&txs[0]);
    // Full: it ends at once, after the answer.
    let effects = desk.submit(&txs[1]);
    assert!(
        matches!(effects.as_slice(), [Effect::Write(_), Effect::Tell { .. }, Effect::Append(_)]),
        "{effects:?}"
    );
    assert_eq!(blocks(&effects)[0].block.transactions.len(), 2);
    let third = confirmations(&desk.submit(&txs[2]))[0].promise;
    assert_eq!((third.height, third.position), (3, 0));
    assert_eq!(blocks(&desk.tick(2)).len(), 1);
    assert!(desk.core.finish(desk.now, &mut desk.rng).is_empty(), "nothing is left");
}

#[test]
fn a_clock_that_goes_back_does_not_take_the_ledger_with_it() {
    let mut desk = Desk::new(Desk::limits());
    let first = desk.register(0);
    desk.submit(&first);
    let one = blocks(&desk.core.finish(desk.now, &mut desk.rng)).remove(0);
    desk.now = Time(NOW.0 - 500);
    let second = desk.register(1);
    desk.submit(&second);
    let two = blocks(&desk.tick(2)).remove(0);
    assert_eq!((one.block.time, two.block.time), (NOW, NOW));
}

#[test]
fn priority_operations_come_first_in_order_and_before_their_deadline() {
    let mut desk = Desk::new(Desk::limits());
    let mut priority = |number, nonce| {
        let transaction = desk.register(nonce);
        Priority { number, transaction, deadline: NOW.after(1) }
    };
    let (zero, one) = (priority(0, 0), priority(1, 1));
    let (mut rng, now) = (ChaCha20Rng::seed_from_u64(6), desk.now);
    assert!(desk.core.prioritise(now, one.clone(), &mut rng).is_empty(), "it waits for the one before it");
    let effects = desk.core.prioritise(now, zero.clone(), &mut rng);
    let order: Vec<_> = confirmations(&effects).iter().map(|c| c.promise.transaction).collect();
    assert_eq!(order, vec![zero.transaction.id(), one.transaction.id()]);
    let taken = desk.core.prioritise(now, zero.clone(), &mut rng);
    let refusal = Refusal::PriorityTaken { number: 0, next: 2 };
    assert_eq!(refused(&taken, &zero.transaction), refusal);
    // One that the ledger refuses does not hold up those behind it.
    let bad = Priority { number: 2, transaction: Transaction::open(finalise(EpochId(9))), deadline: NOW };
    let unknown = Refusal::Rule(DaprError::UnknownEpoch { epoch: EpochId(9) }.into());
    let effects = desk.core.prioritise(now, bad.clone(), &mut rng);
    assert_eq!(answers(&effects)[0], (bad.transaction.id(), Answer::Refused(unknown)));
    assert_eq!(blocks(&effects).len(), 1, "the deadline of another in the block is the block's");
}

#[test]
fn who_lost_the_office_confirms_nothing() {
    let mut world = world();
    let stranger = SecretKey::generate(&mut world.rng);
    for author in
        [Author { person: REGISTRAR, key: sequencer_key() }, Author { person: SEQUENCER, key: stranger }]
    {
        let person = author.person;
        let mut core =
            Sequencer::new(world.ledger.clone(), author, Limits::default(), 0).expect("inside bounds");
        let payload = world.register(1);
        let tx = world.sign(REGISTRAR, payload);
        let effects = core.submit(NOW, tx.clone(), &mut world.rng);
        assert_eq!(refused(&effects, &tx), Refusal::NoOffice { person });
        core.tick(NOW, &mut world.rng);
        assert!(core.tick(NOW.after(3600), &mut world.rng).is_empty(), "and no heartbeat");
    }
}

#[test]
fn limits_are_inside_their_bounds() {
    let genesis = world().ledger;
    let refuse = |limits: Limits, name: &str| {
        let refused =
            Sequencer::new(genesis.clone(), author(), limits, 0).map(|_| ()).expect_err("out of bounds");
        assert_eq!(refused.name, name);
    };
    refuse(Limits { interval: 0, ..Limits::default() }, "interval");
    refuse(Limits { heartbeat: 3601, ..Limits::default() }, "heartbeat");
    refuse(Limits { block_transactions: 0, ..Limits::default() }, "block_transactions");
    refuse(Limits { block_bytes: 1, ..Limits::default() }, "block_bytes");
    refuse(Limits { open: 0, ..Limits::default() }, "open");
}

/// A chain without a sequencer could not even give somebody the office.
#[test]
fn the_last_sequencer_keeps_status_and_office() {
    let mut world = world();
    let suspend = Payload::SetStatus(SetStatus { person: SEQUENCER, status: Status::Suspended });
    world.refuse(REGISTRAR, suspend.clone(), IdentityError::LastSequencer { person: SEQUENCER });
    let mut two = World::genesis_with(|genesis| {
        for person in [SEQUENCER, PersonId([8; 32])] {
            let key = sequencer_key().public_key();
            genesis.offices.push(Authority { person, key, roles: Roles::SEQUENCER });
        }
    });
    two.ok(REGISTRAR, suspend);
}
