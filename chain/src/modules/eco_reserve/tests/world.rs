//! A ledger with three oracles, a seller and a buyer, and something in the Eco-Reserve's fund.

use super::super::*;
use crate::{
    ledger::{Authority, Context, Genesis, Ledger, TxError},
    modules::{
        identity::{Roles, SetStatus, Status},
        treasury::{self, AttestReserve, Fund, Mint},
        usage::{Epoch, Phase, Summary},
    },
    poseidon::Felt,
    signature::SecretKey,
    state::Draft,
    transaction::{Payload, Transaction},
};
use primitives::{BasisPoints, ChainId, Credits, Digest, EpochId, PersonId, Preset};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::collections::BTreeMap;

const CHAIN: ChainId = ChainId(1);
pub(super) const REGISTRAR: PersonId = PersonId([1; 32]);
pub(super) const TREASURER: PersonId = PersonId([3; 32]);
pub(super) const AUDITORS: [PersonId; 2] = [PersonId([4; 32]), PersonId([5; 32])];
pub(super) const ORACLES: [PersonId; 3] = [PersonId([6; 32]), PersonId([7; 32]), PersonId([8; 32])];
pub(super) const SELLER: PersonId = PersonId([10; 32]);
pub(super) const BUYER: PersonId = PersonId([11; 32]);
/// What the first epoch brought to the fund.
pub(super) const FUND: u64 = 1_000_000;
/// What the seller and the buyer each have.
pub(super) const PURSE: u64 = 500_000;

pub(super) fn digest(n: u8) -> Digest {
    Digest([n; 32])
}

pub(super) fn id(n: u8) -> AssetId {
    AssetId(digest(n))
}

pub(super) fn points(n: u16) -> BasisPoints {
    BasisPoints::new(n).expect("a part of the whole")
}

pub(super) fn land(n: u8, cost: u64) -> Acquisition {
    Acquisition {
        title: id(n),
        kind: EcoKind::Land,
        entity: digest(200),
        seller: SELLER,
        cost: Credits(cost),
        haircut: points(1_000),
        mrv: Mrv { hectares: 12_500, tonnes: 300 },
    }
}

/// What a report says of a piece of land.
pub(super) fn figures(value: u64) -> Figures {
    Figures { value: Credits(value), ..land(0, 0).figures() }
}

pub(super) struct World {
    pub(super) ledger: Ledger,
    keys: BTreeMap<PersonId, SecretKey>,
    rng: ChaCha20Rng,
    epochs: u64,
    /// Documents of the auditors so far.
    papers: u8,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Genesis)) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        let mut roles = vec![
            (REGISTRAR, Roles::REGISTRAR),
            (PersonId([2; 32]), Roles::STEWARD),
            (TREASURER, Roles::TREASURER),
            (SELLER, Roles::ORACLE),
            (BUYER, Roles::ORACLE),
        ];
        roles.extend(AUDITORS.map(|auditor| (auditor, Roles::AUDITOR)));
        roles.extend(ORACLES.map(|oracle| (oracle, Roles::ORACLE)));
        let keys: BTreeMap<_, _> =
            roles.iter().map(|(who, _)| (*who, SecretKey::generate(&mut rng))).collect();
        let office = |(person, roles)| Authority { person, key: keys[&person].public_key(), roles };
        let offices = roles.into_iter().map(office).collect();
        let mut genesis = Genesis::new(CHAIN, EpochId(1), Preset::Spec.params(), offices);
        change(&mut genesis);
        let ledger = Ledger::genesis(genesis).expect("a valid genesis");
        let mut world = Self { ledger, keys, rng, epochs: 0, papers: 0 };
        world.attest();
        for (n, person) in [(1, SELLER), (2, BUYER)] {
            let mint = Mint { to: person, amount: Credits(PURSE), reference: digest(n) };
            world.submit(TREASURER, Payload::Mint(mint)).expect("minted");
        }
        world.bring(FUND);
        world
    }

    /// Both auditors find a large reserve.
    fn attest(&mut self) {
        self.papers += 1;
        for auditor in AUDITORS {
            let attest = AttestReserve { document: digest(self.papers), reserve: Credits(1 << 40) };
            self.submit(auditor, Payload::AttestReserve(attest)).expect("attested");
        }
    }

    /// An epoch is settled that brings so much to the fund, and nothing to anybody else.
    pub(super) fn bring(&mut self, eco: u64) {
        self.attest();
        self.epochs += 1;
        let epoch = EpochId(self.epochs);
        self.decide(|draft, at| -> Result<(), TxError> {
            treasury::mint_revenue(draft, at, Credits(eco))?;
            treasury::drain(draft, Fund::Revenue, Credits(eco))?;
            treasury::fill(draft, Fund::Eco, Credits(eco))?;
            draft.put(settled(epoch, Credits(eco)));
            Ok(())
        })
        .expect("the reserve is large");
    }

    pub(super) fn rules(&self) -> EcoRules {
        self.ledger.state().in_force(self.ledger.origin()).rules.eco.clone()
    }

    /// Governance decides something.
    pub(super) fn decide<E>(
        &mut self,
        act: impl FnOnce(&mut Draft<'_>, &Context<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.ledger.decide(act)
    }

    #[track_caller]
    pub(super) fn refuse_decision<E: std::fmt::Debug + PartialEq>(
        &mut self,
        act: impl FnOnce(&mut Draft<'_>, &Context<'_>) -> Result<(), E>,
        error: E,
    ) {
        let before = self.ledger.state().to_bytes();
        assert_eq!(self.decide(act), Err(error));
        assert!(self.ledger.state().to_bytes() == before, "state touched");
    }

    pub(super) fn sign(&mut self, signer: PersonId, payload: Payload) -> Transaction {
        let nonce = self.ledger.nonce(&signer).expect("an account");
        Transaction::signed(payload, CHAIN, (signer, nonce), &self.keys[&signer], &mut self.rng)
    }

    /// Applies a transaction. A refusal leaves no trace.
    pub(super) fn apply(&mut self, tx: &Transaction) -> Result<(), TxError> {
        let before = self.ledger.state().to_bytes();
        let done = self.ledger.apply(tx);
        assert!(done.is_ok() || self.ledger.state().to_bytes() == before, "state touched");
        done
    }

    pub(super) fn submit(&mut self, signer: PersonId, payload: Payload) -> Result<(), TxError> {
        let tx = self.sign(signer, payload);
        self.apply(&tx)
    }

    /// Time passes, in another block.
    pub(super) fn pass(&mut self, seconds: u32) {
        self.ledger.seal();
        self.ledger.begin(self.ledger.now().after(seconds));
    }

    pub(super) fn set_status(&mut self, person: PersonId, status: Status) {
        self.submit(REGISTRAR, Payload::SetStatus(SetStatus { person, status })).expect("a step");
    }

    pub(super) fn acquire(&mut self, n: u8, cost: u64) {
        self.decide(|draft, at| acquire(draft, at, &land(n, cost))).expect("bought");
    }

    /// An asset is offered to the buyer for a week.
    pub(super) fn offer(&mut self, n: u8, price: u64) {
        let offered = self.offer_of(price);
        self.decide(|draft, at| offer(draft, at, id(n), &offered)).expect("offered");
    }

    pub(super) fn offer_of(&self, price: u64) -> Offer {
        let until = self.ledger.now().after(7 * crate::modules::governance::DAY);
        Offer { buyer: BUYER, price: Credits(price), until }
    }

    pub(super) fn buy(&mut self, signer: PersonId, n: u8, price: u64) -> Result<(), TxError> {
        self.submit(signer, Payload::BuyAsset(BuyAsset { asset: id(n), price: Credits(price) }))
    }

    pub(super) fn sell(&mut self, n: u8, price: u64) {
        self.offer(n, price);
        self.buy(BUYER, n, price).expect("sold");
    }

    /// A report of an oracle, by the document of that number.
    pub(super) fn push(&mut self, oracle: usize, n: u8, figures: Figures, paper: u8) -> Result<(), TxError> {
        self.push_as(ORACLES[oracle], n, figures, paper)
    }

    pub(super) fn push_as(
        &mut self,
        by: PersonId,
        n: u8,
        figures: Figures,
        paper: u8,
    ) -> Result<(), TxError> {
        let push = PushValuation { asset: id(n), figures, document: digest(paper) };
        self.submit(by, Payload::PushValuation(push))
    }

    pub(super) fn accept(&mut self, n: u8) -> Result<(), TxError> {
        let asset = id(n);
        let round = self.ledger.state().eco_assets.get(&asset).map_or(0, |asset| asset.round);
        self.apply(&Transaction::open(Payload::AcceptValuation(AcceptValuation { asset, round })))
    }

    pub(super) fn asset(&self, n: u8) -> EcoAsset {
        self.ledger.state().eco_assets.get(&id(n)).expect("on record").clone()
    }

    pub(super) fn fund(&self) -> u64 {
        self.ledger.state().fund(Fund::Eco).0
    }

    pub(super) fn balance(&self, person: PersonId) -> u64 {
        self.ledger.state().accounts.get(&person).expect("an account").balance.0
    }

    pub(super) fn totals(&self) -> BTreeMap<EcoKind, EcoTotals> {
        self.ledger.state().eco_totals(self.ledger.now(), self.rules().report_age)
    }
}

/// A settled epoch, of which nothing is known but what it brought to the fund.
fn settled(epoch: EpochId, eco: Credits) -> Epoch {
    let summary = Summary {
        revenue: eco,
        fee: Credits::ZERO,
        eco,
        infra: Credits::ZERO,
        creators: Credits::ZERO,
        carried_in: Credits::ZERO,
        paid: Credits::ZERO,
        on_layer1: Credits::ZERO,
        carried_out: Credits::ZERO,
        sum_of_weights: Default::default(),
        payout_root: Felt::default(),
        figures: Felt::default(),
    };
    Epoch {
        epoch,
        phase: Phase::Finalised,
        opening: Felt::default(),
        params: Digest::default(),
        shards: Vec::new(),
        revenues: None,
        summary: Some(summary),
        abandoned: None,
    }
}
