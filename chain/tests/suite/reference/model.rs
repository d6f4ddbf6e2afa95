//! The model: everything that the rules speak of in plain maps, and one answer to each transaction.
//!
//! A transaction works on a copy of the whole model. That is slow, and leaves no way for a refused one to leave a trace.

use super::{
    eco::{Asset, Report},
    elections::{Councillor, Election},
    epochs::Epoch,
    identity::{Account, Person},
    jury::Case,
    nodes::Service,
    proposals::Proposal,
    settings::Settings,
    treasury::{Attested, Money},
    works::Work,
};
use chain::{
    Genesis, Payload, TxError,
    modules::{
        eco_reserve::{AssetId, EcoChange},
        governance::{Choice, ModuleId, Say},
    },
    signature::PublicKey,
    transaction::EnvelopeError,
};
use primitives::{ChainId, Credits, Decode, Digest, Encode, EpochId, PartyId, PersonId, Tier, Time, WorkId};
use std::collections::{BTreeMap, BTreeSet};

/// An answer of the model.
pub(super) type Answer = Result<(), TxError>;

/// Who signed a transaction, as whoever made it knows.
#[derive(Clone, Copy)]
pub(super) struct Signer {
    pub(super) person: PersonId,
    pub(super) nonce: u64,
    /// The key that signed, if what it signed is this transaction.
    pub(super) key: Option<PublicKey>,
}

/// A transaction, and what its maker knows of the cryptography in it.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) payload: &'a Payload,
    pub(super) signer: Option<Signer>,
    /// Whether the path of a claim is as the payout tree has it.
    pub(super) path_holds: bool,
}

/// An entry of the Eco-Reserve's journal.
pub(super) type Entry = (Time, EcoChange);

#[derive(Clone)]
pub(super) struct Model {
    pub(super) now: Time,
    pub(super) chain: ChainId,
    pub(super) first_epoch: EpochId,
    pub(super) settings: Settings,
    pub(super) accounts: BTreeMap<PersonId, Account>,
    pub(super) people: BTreeMap<PersonId, Person>,
    pub(super) nullifiers: BTreeSet<Digest>,
    pub(super) works: BTreeMap<WorkId, Work>,
    /// Works that took part in some epoch.
    pub(super) at_home: BTreeSet<WorkId>,
    pub(super) money: Money,
    pub(super) attested: BTreeMap<PersonId, Attested>,
    pub(super) cited: BTreeSet<(PersonId, Digest)>,
    pub(super) paid_in: BTreeSet<Digest>,
    pub(super) paid_out: BTreeSet<(PersonId, Digest)>,
    pub(super) has_committee: bool,
    pub(super) issuers: BTreeSet<(EpochId, Tier)>,
    /// What parties revealed, by epoch.
    pub(super) reveals: BTreeMap<EpochId, BTreeMap<PartyId, Digest>>,
    pub(super) epochs: BTreeMap<EpochId, Epoch>,
    /// Bundles behind totals so far: as many subscribers may be behind what is carried over.
    pub(super) counted: i128,
    pub(super) claimed: BTreeSet<(EpochId, WorkId, PersonId)>,
    pub(super) assets: BTreeMap<AssetId, Asset>,
    pub(super) reports: BTreeMap<(AssetId, PersonId), Report>,
    pub(super) journal: Vec<Entry>,
    pub(super) proposals: BTreeMap<u64, Proposal>,
    pub(super) votes: BTreeMap<(u64, PersonId), Choice>,
    pub(super) statements: BTreeSet<(u64, PersonId, Digest)>,
    pub(super) says: BTreeSet<(u64, Say, PersonId)>,
    pub(super) council: BTreeMap<PersonId, Councillor>,
    pub(super) elections: BTreeMap<u64, Election>,
    pub(super) candidates: BTreeSet<(u64, PersonId)>,
    pub(super) approvals: BTreeMap<(u64, PersonId), Vec<PersonId>>,
    pub(super) cases: BTreeMap<u64, Case>,
    pub(super) verdicts: BTreeMap<(u64, PersonId), bool>,
    /// Beacon keys of epochs that opened, which come from outside.
    pub(super) beacons: BTreeMap<EpochId, Digest>,
    pub(super) modules: BTreeMap<ModuleId, BTreeMap<EpochId, u32>>,
    pub(super) services: BTreeMap<Digest, Service>,
    /// Curation tasks, by epoch and person.
    pub(super) tasks: BTreeMap<(EpochId, PersonId), i128>,
}

impl Model {
    pub(super) fn new(genesis: &Genesis) -> Self {
        let mut model = Self {
            now: genesis.time,
            chain: genesis.chain,
            first_epoch: genesis.first_epoch,
            settings: Settings::new(genesis),
            accounts: BTreeMap::new(),
            people: BTreeMap::new(),
            nullifiers: BTreeSet::new(),
            works: BTreeMap::new(),
            at_home: BTreeSet::new(),
            money: Money::default(),
            attested: BTreeMap::new(),
            cited: BTreeSet::new(),
            paid_in: BTreeSet::new(),
            paid_out: BTreeSet::new(),
            has_committee: false,
            issuers: BTreeSet::new(),
            reveals: BTreeMap::new(),
            epochs: BTreeMap::new(),
            counted: 0,
            claimed: BTreeSet::new(),
            assets: BTreeMap::new(),
            reports: BTreeMap::new(),
            journal: Vec::new(),
            proposals: BTreeMap::new(),
            votes: BTreeMap::new(),
            statements: BTreeSet::new(),
            says: BTreeSet::new(),
            council: BTreeMap::new(),
            elections: BTreeMap::new(),
            candidates: BTreeSet::new(),
            approvals: BTreeMap::new(),
            cases: BTreeMap::new(),
            services: BTreeMap::new(),
            tasks: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            beacons: BTreeMap::new(),
            modules: ModuleId::ALL.map(|id| (id, BTreeMap::from([(genesis.first_epoch, 1)]))).into(),
        };
        for office in &genesis.offices {
            model.join_at_genesis(office);
        }
        model
    }

    /// What a transaction comes to.
    pub(super) fn apply(&mut self, request: Request<'_>) -> Answer {
        let mut next = self.clone();
        next.authorise(&request)?;
        next.run(&request)?;
        *self = next;
        Ok(())
    }

    /// The epoch that opens next.
    pub(super) fn next_epoch(&self) -> EpochId {
        self.epochs.keys().next_back().map_or(self.first_epoch, |last| EpochId(last.0 + 1))
    }

    /// The last epoch that opened, or the first that will.
    pub(super) fn running(&self) -> EpochId {
        self.epochs.keys().next_back().copied().unwrap_or(self.first_epoch)
    }

    /// A rule in force, by its name.
    pub(super) fn rule(&self, name: &str) -> i128 {
        self.settings.value(name, self.running())
    }

    /// The moment so many seconds after another, by a rule in force.
    pub(super) fn after(&self, moment: Time, rule: &str) -> Time {
        later(moment, self.rule(rule))
    }

    /// Who signed, with the right nonce and key, and could pay the fee.
    fn authorise(&mut self, request: &Request<'_>) -> Answer {
        let Some(signer) = request.signer else {
            return if signs(request.payload) { Err(EnvelopeError::Unsigned.into()) } else { Ok(()) };
        };
        if !signs(request.payload) {
            return Err(EnvelopeError::NeedlesslySigned.into());
        }
        let (free, fee) = (self.rule("fees.free_per_epoch"), self.rule("fees.transaction"));
        let (running, person) = (self.running(), signer.person);
        let account = self.accounts.get_mut(&person).ok_or(EnvelopeError::NoAccount { signer: person })?;
        if account.nonce != signer.nonce {
            let (expected, found) = (account.nonce, signer.nonce);
            return Err(EnvelopeError::Nonce { signer: person, expected, found }.into());
        }
        if signer.key != Some(account.key) {
            return Err(EnvelopeError::Signature { signer: person }.into());
        }
        account.nonce += 1;
        if is_free(request.payload) {
            return Ok(());
        }
        let used = account.free_used.entry(running).or_default();
        if *used < free {
            *used += 1;
        } else if account.balance < fee {
            let (balance, fee) = (credits(account.balance), credits(fee));
            return Err(EnvelopeError::Fee { signer: person, balance, fee }.into());
        } else {
            account.balance -= fee;
            *self.money.fund(chain::modules::treasury::Fund::Fee) += fee;
        }
        Ok(())
    }

    fn run(&mut self, request: &Request<'_>) -> Answer {
        let nobody = PersonId([0; 32]);
        let by = request.signer.map_or(nobody, |signer| signer.person);
        match request.payload {
            Payload::Register(action) => self.register(by, action)?,
            Payload::SetStatus(action) => self.set_status(by, action)?,
            Payload::Rotate(action) => self.rotate(by, action)?,
            Payload::RegisterWork(action) => self.register_work(by, action)?,
            Payload::UpdateWork(action) => self.update_work(by, action)?,
            Payload::DeprecateWork(action) => self.deprecate_work(by, action)?,
            Payload::Transfer(action) => self.transfer(by, action)?,
            Payload::AttestReserve(action) => self.attest(by, action)?,
            Payload::Mint(action) => self.mint(by, action)?,
            Payload::Burn(action) => self.burn(by, action)?,
            Payload::SetCommittee(_) => self.set_committee(by)?,
            Payload::PublishKeys(action) => self.publish_keys(by, action)?,
            Payload::RevealBeacon(action) => {
                self.reveals.entry(action.epoch).or_default().insert(action.party, action.value);
            }
            Payload::OpenEpoch(action) => self.open_epoch(by, action)?,
            Payload::ReportRevenue(action) => self.report_revenue(by, action)?,
            Payload::AnchorHeader(header) => self.anchored(header),
            Payload::AnchorRoot(root) => self.freeze(root.root.epoch)?,
            Payload::SubmitAggregate(action) => self.aggregated(action),
            Payload::FinaliseEpoch(action) => self.finalise(action.epoch)?,
            Payload::AbandonEpoch(action) => self.abandon(by, action)?,
            Payload::Claim(action) => self.claim(action, request.path_holds)?,
            Payload::PushValuation(action) => self.push_valuation(by, action)?,
            Payload::AcceptValuation(action) => self.accept_valuation(action.asset, action.round)?,
            Payload::BuyAsset(action) => self.buy_asset(by, action)?,
            Payload::Propose(action) => self.propose(by, action)?,
            Payload::Withdraw(action) => self.withdraw(by, action.proposal)?,
            Payload::Deliberate(action) => self.deliberate(by, action)?,
            Payload::Vote(action) => self.vote(by, action)?,
            Payload::CouncilSay(action) => self.council_says(by, action)?,
            Payload::Enact(action) => self.enact(action.proposal)?,
            Payload::CallElection(_) => self.call_election(by)?,
            Payload::Stand(action) => self.stand(by, action.election)?,
            Payload::Elect(action) => self.elect(by, action)?,
            Payload::CloseElection(action) => self.close_election(action.election)?,
            Payload::OpenCase(action) => self.open_case(by, action)?,
            Payload::WithdrawCase(action) => self.withdraw_case(by, action.case)?,
            Payload::DrawJury(action) => self.draw_jury(action.case)?,
            Payload::ChallengeJuror(action) => self.challenge(by, action)?,
            Payload::JuryVote(action) => self.jury_vote(by, action)?,
            Payload::CloseCase(action) => self.close_case(action.case)?,
            // What the parties do, and the cryptography in it, is an input.
            Payload::CommitBeacon(_) => {}
            other => unreachable!("no history has {other:?}"),
        }
        Ok(())
    }
}

/// Whether an account signs a payload: not what parties sign, and not what is the same whoever asks.
fn signs(payload: &Payload) -> bool {
    !matches!(
        payload,
        Payload::CommitBeacon(_)
            | Payload::RevealBeacon(_)
            | Payload::AnchorHeader(_)
            | Payload::AnchorRoot(_)
            | Payload::SubmitAggregate(_)
            | Payload::SeatStandby(_)
            | Payload::FinaliseEpoch(_)
            | Payload::Claim(_)
            | Payload::AcceptValuation(_)
            | Payload::Enact(_)
            | Payload::CloseElection(_)
            | Payload::DrawJury(_)
            | Payload::CloseCase(_)
    )
}

/// Whether a payload is an office's duty.
fn is_free(payload: &Payload) -> bool {
    matches!(
        payload,
        Payload::Register(_)
            | Payload::SetStatus(_)
            | Payload::SetCommittee(_)
            | Payload::PublishKeys(_)
            | Payload::OpenEpoch(_)
            | Payload::ReportRevenue(_)
            | Payload::AbandonEpoch(_)
            | Payload::Mint(_)
            | Payload::AttestReserve(_)
            | Payload::PushValuation(_)
    )
}

/// Seconds of a day.
pub(super) const DAY: i128 = 86_400;

/// So many seconds after a moment.
pub(super) fn later(moment: Time, seconds: i128) -> Time {
    Time(moment.0 + u64::try_from(seconds).expect("a period"))
}

/// An amount that the ledger can hold.
pub(super) fn credits(amount: i128) -> Credits {
    Credits(u64::try_from(amount).expect("an amount that the ledger holds"))
}

/// The bits of a set of roles, in the order of the specification's list.
pub(super) fn bits(roles: impl Encode) -> u16 {
    u16::from_bytes(&roles.to_bytes()).expect("a set of roles is 16 bits")
}

/// A part of a number in basis points, rounded up.
pub(super) fn threshold(of: i128, points: i128) -> i128 {
    (of * points + 9_999) / 10_000
}
