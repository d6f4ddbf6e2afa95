//! A history that a seed draws: the ledger and the model take the same transactions, one after the other.

use super::{
    model::{Model, Request, Signer},
    seen::Seen,
};
use crate::world::*;
use chain::{
    Genesis, Ledger, Payload, Transaction,
    ledger::Authority,
    modules::{
        governance::DAY,
        identity::{Register, Roles, SetStatus, Status},
        treasury::{AttestReserve, Mint},
    },
    signature::SecretKey,
    transaction::{AccountSignature, Authorisation},
};
use primitives::{Credits, Digest, PersonId};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;

/// Voters beside the council.
const VOTERS: u8 = 14;
const COUNCIL: u8 = 3;
const ORACLES: u8 = 3;

pub(super) fn voter(n: u8) -> PersonId {
    PersonId([0x80 + n; 32])
}

fn councillor(n: u8) -> PersonId {
    PersonId([0x20 + n; 32])
}

fn oracle(n: u8) -> PersonId {
    PersonId([0x60 + n; 32])
}

/// A third auditor, so that two of them are a choice.
const AUDITOR: PersonId = PersonId([6; 32]);

pub(super) struct History {
    pub(super) seed: u64,
    pub(super) world: World,
    pub(super) model: Model,
    pub(super) rng: ChaCha20Rng,
    pub(super) seen: Seen,
    /// The secrets of all keys.
    pub(super) keys: BTreeMap<chain::signature::PublicKey, [u8; 32]>,
    papers: u64,
    /// How far the preparation of the next epoch is.
    pub(super) prepared: usize,
    /// Batches of the epoch that is open.
    pub(super) batches: usize,
    steps: usize,
}

/// Periods in which a few weeks hold whole decisions, and limits that are reached.
fn rules(genesis: &mut Genesis, seed: u64) {
    let rules = &mut genesis.rules;
    rules.fees.free_per_epoch = 6;
    rules.identity.rotation = 3 * DAY;
    rules.treasury.attestation_age = 4 * DAY;
    rules.treasury.cap = Credits(1 << 36);
    rules.eco.report_age = 5 * DAY;
    rules.eco.pause = DAY;
    let governance = &mut rules.governance;
    (governance.discussion, governance.voting) = (DAY, DAY);
    (governance.notice, governance.notice_high) = (DAY / 2, DAY);
    (governance.expiry, governance.council_term) = (4 * DAY, 16 * DAY);
    (governance.challenge_period, governance.jury_period) = (DAY, 2 * DAY);
    // In some histories there are hardly enough for a jury.
    let jurors = if seed % 4 == 3 { VOTERS + 1 } else { 3 };
    (governance.council_seats, governance.jurors, governance.challenges) = (COUNCIL, jurors, 1);
    governance.large = Credits(1_000_000);
    // Powers are not modelled: alpha is one in every preset.
    genesis.params.beta = 0;
}

impl History {
    /// The chain with its persons and first works, and the model at the same place.
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let sits = Roles::COUNCILLOR.with(Roles::VOTER);
        let mut offices: Vec<(PersonId, Roles)> = (0..COUNCIL).map(|n| (councillor(n), sits)).collect();
        offices.extend((0..ORACLES).map(|n| (oracle(n), Roles::ORACLE)));
        offices.push((AUDITOR, Roles::AUDITOR));
        let keys: Vec<_> = offices.iter().map(|(who, _)| (*who, SecretKey::generate(&mut rng))).collect();
        let world = World::genesis_with(|genesis| {
            rules(genesis, seed);
            for ((person, roles), (_, key)) in offices.iter().zip(&keys) {
                genesis.offices.push(Authority { person: *person, key: key.public_key(), roles: *roles });
            }
        });
        let model = Model::new(world.ledger.origin());
        let mut world = world.and_works();
        world.keys.extend(keys);
        let kept = |key: &SecretKey| (key.public_key(), key.to_secret_bytes());
        let (seen, keys) = (Seen::default(), world.keys.values().map(kept).collect());
        let mut history =
            Self { seed, world, model, rng, seen, keys, papers: 0, prepared: 0, batches: 0, steps: 0 };
        history.world.seal();
        for tx in &history.world.blocks[0].transactions.clone() {
            let signer = tx.authorisation.as_ref().map(|by| history.as_known(by));
            let request = Request { payload: &tx.payload, signer, path_holds: true };
            assert_eq!(history.model.apply(request), Ok(()), "the beginning");
        }
        for n in 0..VOTERS {
            history.join(n);
        }
        history.endow();
        history.end_block(1);
        history
    }

    /// Everybody has a few credits to begin with, against a reserve that two auditors attest.
    fn endow(&mut self) {
        for auditor in AUDITORS {
            let attest = AttestReserve { document: self.paper(), reserve: RESERVE };
            assert!(self.submit(Some(auditor), Payload::AttestReserve(attest)), "attested");
        }
        let people: Vec<PersonId> = self.model.people.keys().copied().collect();
        for (n, to) in (0..).zip(people) {
            let (amount, reference) = (Credits(100_000), digest(n));
            assert!(self.submit(Some(TREASURY), Payload::Mint(Mint { to, amount, reference })), "minted");
        }
    }

    fn join(&mut self, n: u8) {
        let register = Register {
            person: voter(n),
            key: self.new_key(),
            roles: Roles::VOTER.with(Roles::COLLABORATOR),
            credential: digest(n),
            nullifier: digest(150 + n),
        };
        let active = SetStatus { person: voter(n), status: Status::Active };
        for payload in [Payload::Register(register), Payload::SetStatus(active)] {
            assert!(self.submit(Some(REGISTRAR), payload), "a voter joins");
        }
    }

    /// A signer as the ledger's own key says.
    fn as_known(&self, by: &Authorisation) -> Signer {
        let key = Some(self.world.keys[&by.signer].public_key());
        Signer { person: by.signer, nonce: by.nonce, key }
    }

    /// A key that nobody has, whose secret is kept.
    pub(super) fn new_key(&mut self) -> chain::signature::PublicKey {
        let secret = SecretKey::generate(&mut self.rng);
        self.keys.insert(secret.public_key(), secret.to_secret_bytes());
        secret.public_key()
    }

    /// The hash of a document: mostly a new one.
    pub(super) fn paper(&mut self) -> Digest {
        if self.papers == 0 || !self.chance(12) {
            self.papers += 1;
        }
        let mut paper = [0xdd; 32];
        paper[..8].copy_from_slice(&self.papers.to_le_bytes());
        Digest(paper)
    }

    /// Signs with the right key and nonce, submits, and says whether it was done.
    pub(super) fn submit(&mut self, signer: Option<PersonId>, payload: Payload) -> bool {
        let Some(person) = signer else {
            return self.offer(&Transaction::open(payload), None, true);
        };
        let nonce = self.world.ledger.nonce(&person).unwrap_or(0);
        let Some(key) = self.world.keys.get(&person) else {
            return false;
        };
        let known = Signer { person, nonce, key: Some(key.public_key()) };
        let tx = Transaction::signed(payload, CHAIN, (person, nonce), key, &mut self.world.rng);
        self.offer(&tx, Some(known), true)
    }

    /// The same with something wrong about the envelope.
    pub(super) fn submit_tampered(&mut self, signer: Option<PersonId>, payload: Payload) -> bool {
        let Some(person) = signer.filter(|person| self.world.keys.contains_key(person)) else {
            // What nobody signs is signed by somebody.
            let nonce = self.world.ledger.nonce(&STEWARD).expect("an account");
            let key = &self.world.keys[&STEWARD];
            let known = Signer { person: STEWARD, nonce, key: Some(key.public_key()) };
            let tx = Transaction::signed(payload, CHAIN, (STEWARD, nonce), key, &mut self.world.rng);
            return self.offer(&tx, Some(known), true);
        };
        let nonce = self.world.ledger.nonce(&person).unwrap_or(0);
        let nobody = PersonId([0xee; 32]);
        let (way, own) = (self.below(6), self.world.keys[&person].public_key());
        let (person, nonce) = match way {
            0 => (person, nonce + 1),
            1 => (person, nonce.saturating_sub(1)),
            2 => (nobody, nonce),
            _ => (person, nonce),
        };
        let stranger = SecretKey::generate(&mut self.rng);
        let key = if way == 3 { &stranger } else { self.world.keys.get(&person).unwrap_or(&stranger) };
        let mut tx = Transaction::signed(payload.clone(), CHAIN, (person, nonce), key, &mut self.world.rng);
        let mut genuine = (key.public_key() == own).then_some(own);
        match way {
            4 => {
                // A signature over the next nonce.
                let other =
                    Transaction::signed(payload, CHAIN, (person, nonce + 1), key, &mut self.world.rng);
                let signature = other.authorisation.map(|by| by.signature);
                let signature: AccountSignature = signature.expect("signed");
                tx.authorisation = Some(Authorisation { signer: person, nonce, signature });
                genuine = None;
            }
            5 => tx.authorisation = None,
            _ => {}
        }
        let known = tx.authorisation.as_ref().map(|_| Signer { person, nonce, key: genuine });
        self.offer(&tx, known, true)
    }

    /// Gives a transaction to both, and compares the answers.
    pub(super) fn offer(&mut self, tx: &Transaction, signer: Option<Signer>, path_holds: bool) -> bool {
        self.steps += 1;
        let ledger = self.world.ledger.apply(tx);
        let model = self.model.apply(Request { payload: &tx.payload, signer, path_holds });
        let (seed, step) = (self.seed, self.steps);
        assert_eq!(ledger, model, "seed {seed}, step {step}, the ledger on the left: {:?}", tx.payload);
        self.seen.note(&tx.payload, &ledger);
        if ledger.is_ok() {
            self.follow(&tx.payload, signer);
        }
        ledger.is_ok()
    }

    /// What a transaction that was done leaves to its makers.
    fn follow(&mut self, payload: &Payload, signer: Option<Signer>) {
        match payload {
            Payload::Register(action) => self.give(action.person, action.key),
            Payload::Rotate(action) => self.give(signer.expect("signed").person, action.key),
            Payload::OpenEpoch(action) => {
                let opening = self.world.ledger.state().openings.get(&action.epoch);
                self.model.beacons.insert(action.epoch, opening.expect("an open epoch").key);
                self.world.carry_on();
                (self.prepared, self.batches) = (0, 0);
            }
            _ => {}
        }
    }

    fn give(&mut self, person: PersonId, key: chain::signature::PublicKey) {
        let secret = SecretKey::from_secret_bytes(self.keys[&key]).expect("a secret");
        self.world.keys.insert(person, secret);
    }

    /// Ends the block, compares everything, and begins the next one so much later.
    pub(super) fn end_block(&mut self, seconds: u32) {
        self.world.seal();
        self.model.agrees_with(self.world.ledger.state());
        let now = self.world.ledger.now().after(seconds);
        self.world.ledger.begin(now);
        self.model.now = now;
    }

    /// Draws and runs so many blocks.
    pub(super) fn run(&mut self, blocks: usize) {
        for _ in 0..blocks {
            self.what_is_due();
            for _ in 0..12 + self.below(12) {
                self.step();
            }
            let pause = if self.chance(20) { 1 } else { self.below(u64::from(DAY) * 4 / 5) };
            self.end_block(u32::try_from(pause).expect("a day"));
        }
    }

    /// A second ledger repeats all blocks and comes to the same state.
    pub(super) fn replays(&self) {
        let mut ledger = Ledger::genesis(self.world.ledger.origin().clone()).expect("a valid genesis");
        for block in &self.world.blocks {
            ledger = ledger.replay(block).expect("the same block again");
        }
        assert_eq!(ledger.head(), self.world.ledger.head(), "seed {}", self.seed);
        assert!(ledger.state().to_bytes() == self.world.ledger.state().to_bytes(), "seed {}", self.seed);
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n.max(1)
    }

    /// Whether something happens that does in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let place = usize::try_from(self.below(from.len() as u64)).expect("a place");
        from.get(place).cloned()
    }

    /// One of some persons who hold a role, active or not.
    pub(super) fn someone(&mut self, role: u16) -> PersonId {
        let holders: Vec<PersonId> = self
            .model
            .people
            .iter()
            .filter(|(_, who)| who.roles & role == role)
            .map(|(who, _)| *who)
            .collect();
        self.pick(&holders).unwrap_or(STEWARD)
    }
}
