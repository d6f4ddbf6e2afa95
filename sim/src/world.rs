//! The world of a run: what a workload lacks to happen. Offices, the committee, accounts of creators, works on
//! record, tiers with prices, and the blind signers of tokens and receipts.
//!
//! Every secret is drawn by its purpose and its holder from the seed, so it can be made again at any time and need
//! not be kept.

mod issuers;
mod registry;

pub use issuers::Issuers;
pub use registry::Registry;

use crate::{
    device,
    progress::Progress,
    rogue::{Adversary, Rogue},
    workload::{Workload, draw},
};
use chain::{
    Genesis, TxError,
    bridge::{B256, PrivateKeySigner},
    ledger::Authority,
    modules::{
        identity::Roles,
        usage::{Seating, Standby, check_shards},
        work_registry::work_id,
    },
    node::{ClientError, NodeError},
    signature::SecretKey,
};
use engine::{
    Config, Core, Disguise, Office, Offices, PartySecrets, Plan, Shelf,
    host::{HostSecret, Seat},
};
use primitives::{
    ChainId, Credits, Digest, Domain, EpochId, GovernanceParams, Layer1Address, PartyId, PersonId, Tier,
    WorkId, hash, params::TierTerms,
};
use proofs::{
    blind::BlindError,
    committee::{Committee, CommitteeError, Member},
    shard::ShardError,
};
use rand_chacha::rand_core::RngCore;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use thiserror::Error;

/// The chain of every simulated world.
pub const CHAIN: ChainId = ChainId(1);
/// The first epoch that is run.
pub const FIRST_EPOCH: EpochId = EpochId(1);
/// Price of a subscription in each tier, and the bundles that it allows unless somebody needs more.
pub const TERMS: [(Credits, u16); draw::TIERS.len()] =
    [(Credits(5_000_000), 8), (Credits(10_000_000), 12), (Credits(20_000_000), 16)];
/// Creators who take their payouts on L1.
pub const CREATORS_ON_LAYER1: usize = 2;
/// Ticks of silence after which the standby may have a party's seat, where nothing else is asked for: longer than any step of a party takes on a busy
/// machine.
pub const SEAT_PATIENCE: u32 = 15;
/// Who runs the parties, and who stands by.
const OPERATORS: [&str; 4] = ["operator 1", "operator 2", "operator 3", "operator standby"];
/// The name of who stands by.
const STANDBY: &str = "standby";
/// Who attests the reserve. Two of them have to.
const AUDITORS: [&str; 3] = ["first auditor", "second auditor", "third auditor"];
/// Auditors who have to attest the reserve.
const AUDITOR_QUORUM: u8 = 2;
/// Bundles that a tier allows beyond what its busiest subscriber needs.
pub const SPARE_BUNDLES: usize = 4;

/// Why a world cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorldError {
    /// A blind signer has no key.
    #[error("no key for the blind signer of {holder}: {error}")]
    Issuer {
        /// Whose key.
        holder: String,
        /// What went wrong.
        error: BlindError,
    },
    /// The committee's keys are no committee.
    #[error("the committee: {0}")]
    Committee(#[from] CommitteeError),
    /// A subscriber needs more bundles than a tier can allow.
    #[error("subscriber {subscriber} needs {bundles} bundles, more than a tier can allow")]
    TooManyBundles {
        /// Who.
        subscriber: String,
        /// Bundles needed.
        bundles: usize,
    },
    /// The works cannot be dealt to shards.
    #[error(transparent)]
    Shards(#[from] ShardError),
    /// The ledger refused a registration.
    #[error("the ledger refused to put {what} on record: {error}")]
    Refused {
        /// What.
        what: String,
        /// The rule that it breaks.
        error: Box<TxError>,
    },
    /// The node failed.
    #[error("the node failed: {0}")]
    Node(#[from] NodeError),
    /// A node elsewhere cannot be asked, or refuses to put something on record.
    #[error("{what} cannot be put on record: {error}")]
    Away {
        /// What.
        what: String,
        /// Why.
        error: Box<ClientError>,
    },
}

/// The world of a run, in one of its epochs.
pub struct World {
    /// Decides every draw.
    pub seed: u64,
    /// The epoch.
    pub epoch: EpochId,
    /// Ticks of silence after which the standby may have a party's seat.
    pub patience: u32,
    /// What the reserve holds: all that subscribers paid so far, this epoch included.
    pub reserve: Credits,
    /// Parameters of the epoch.
    pub params: GovernanceParams,
    /// Most works of one shard.
    pub shard_width: u16,
    /// Tiers on sale.
    pub tiers: Vec<TierTerms>,
    /// Subscriptions sold.
    pub sales: Vec<(Tier, u64)>,
    /// Creators, in the order of the workload.
    pub creators: Vec<PersonId>,
    /// Who is paid for each of them: the creator, or the account on L1 that it chose.
    pub payees: Vec<PersonId>,
    /// Works, in the order of the workload.
    pub works: Vec<WorkId>,
    /// Blind signers.
    pub issuers: Issuers,
    committee: Committee,
    /// The seat that the standby took in an epoch before.
    seated: Option<PartyId>,
}

impl World {
    /// Makes the world of a workload. The keys of the blind signers take nearly all of the time.
    pub fn new(
        workload: &Workload,
        params: &GovernanceParams,
        shard_width: u16,
        progress: &dyn Progress,
    ) -> Result<Self, WorldError> {
        let shards = check_shards(workload.works.len(), shard_width)?;
        let seed = workload.seed;
        let creators: Vec<PersonId> = workload.creators.iter().map(|c| person(seed, &c.name)).collect();
        let mut payees = creators.clone();
        for creator in on_layer1(workload) {
            let account = layer1_key(seed, &workload.creators[creator].name).address();
            payees[creator] = PersonId::layer1(Layer1Address(account.into_array()));
        }
        let id = |work: &crate::workload::WorkSpec| {
            work_id(&fingerprint(seed, &work.name), &creators[work.creator])
        };
        let works = workload.works.iter().map(id).collect();
        let issuers = Issuers::generate(workload, FIRST_EPOCH, progress)?;
        let (tiers, sales) = tiers(workload, shards, params.value_cap)?;
        let [first, second, third] = PartyId::ALL.map(|party| {
            let PartySecrets { signer, kem } = party_secrets(seed, party);
            Member { signing: signer.public(), kem: kem.public() }
        });
        let committee = Committee::new([first, second, third])?;
        let params = params.clone();
        let (epoch, reserve) = (FIRST_EPOCH, revenue(&tiers, &sales));
        Ok(Self {
            seed,
            epoch,
            patience: SEAT_PATIENCE,
            reserve,
            params,
            shard_width,
            tiers,
            sales,
            creators,
            payees,
            works,
            issuers,
            committee,
            seated: None,
        })
    }

    /// The world goes on to its next epoch, with other keys of blind signers. `seated` is the seat that the standby took
    /// in the one that is over, if it did.
    pub fn turn(
        &mut self,
        workload: &Workload,
        seated: Option<PartyId>,
        progress: &dyn Progress,
    ) -> Result<(), WorldError> {
        self.epoch.0 += 1;
        self.seated = self.seated.or(seated);
        let shards = check_shards(workload.works.len(), self.shard_width)?;
        self.issuers = Issuers::generate(workload, self.epoch, progress)?;
        (self.tiers, self.sales) = tiers(workload, shards, self.params.value_cap)?;
        self.reserve = [self.reserve, revenue(&self.tiers, &self.sales)].into_iter().sum();
        Ok(())
    }

    /// Where the chain begins.
    pub fn genesis(&self) -> Genesis {
        let authority = |(name, roles)| {
            let Office { person, key } = office(self.seed, name);
            Authority { person, key: key.public_key(), roles }
        };
        let offices = [
            ("registrar", Roles::REGISTRAR),
            ("steward", Roles::STEWARD),
            ("treasury", Roles::TREASURER),
            ("sequencer", Roles::SEQUENCER),
        ];
        let auditors = AUDITORS.map(|name| (name, Roles::AUDITOR));
        let offices = offices.into_iter().chain(auditors).map(authority).collect();
        let mut genesis = Genesis::new(CHAIN, FIRST_EPOCH, self.params.clone(), offices);
        genesis.rules.treasury.auditors = AUDITOR_QUORUM;
        // Creators put all their works on record in the first epoch, before any of them was paid anything.
        let free = &mut genesis.rules.fees.free_per_epoch;
        *free = (*free).max(u32::try_from(self.works.len()).unwrap_or(u32::MAX));
        genesis
    }

    /// Who runs the parties, and who stands by for them.
    fn seating(&self) -> Seating {
        let [first, second, third, standby] = OPERATORS.map(|name| person(self.seed, name));
        let PartySecrets { signer, kem } = standby_secrets(self.seed);
        let member = Member { signing: signer.public(), kem: kem.public() };
        Seating {
            operators: [first, second, third],
            standby: Some(Standby { operator: standby, member }),
            patience: self.patience,
        }
    }

    /// Keys of whoever has a seat.
    fn secrets(&self, party: PartyId) -> PartySecrets {
        if self.seated == Some(party) {
            let PartySecrets { signer, kem } = standby_secrets(self.seed);
            PartySecrets { signer: signer.seated(party), kem }
        } else {
            party_secrets(self.seed, party)
        }
    }

    /// What stands in place of a party that cheats.
    pub fn disguise(&self, adversary: Option<Adversary>) -> Option<Disguise> {
        // Who took its seat is honest.
        let Adversary { party: rogue, cheat } = adversary.filter(|rogue| self.seated != Some(rogue.party))?;
        let seed = self.seed;
        let put_on = move |party, core: Box<dyn Core>| -> Box<dyn Core> {
            if party == rogue { Box::new(Rogue::new(core, cheat, party_secrets(seed, party))) } else { core }
        };
        Some(Disguise(Arc::new(put_on)))
    }

    /// The secret of a host, where each seat has one.
    pub fn host_secret(&self, seat: Seat) -> HostSecret {
        match seat {
            Seat::Party(party) => host_secret(self.seed, &party.to_string()),
            Seat::Standby => host_secret(self.seed, STANDBY),
        }
    }

    /// The key of the sequencer's account.
    pub fn sequencer_key(&self) -> SecretKey {
        account_key(self.seed, "sequencer")
    }

    /// Those who hold an office, with what they are to do in the epoch.
    pub fn offices(&self) -> Offices {
        Offices {
            steward: office(self.seed, "steward"),
            treasury: office(self.seed, "treasury"),
            auditors: AUDITORS.map(|name| office(self.seed, name)).into(),
            plan: self.plan(),
            rng: draw::rng("offices", self.seed, &self.epoch.to_string()),
        }
    }

    /// What the offices are to do in the epoch.
    pub fn plan(&self) -> Plan {
        Plan {
            epoch: self.epoch,
            tiers: self.tiers.clone(),
            shard_width: self.shard_width,
            sales: self.sales.clone(),
            attestation: named("attestation", self.seed, &self.epoch.to_string()),
            reserve: self.reserve,
        }
    }

    /// What the actors need, with `batch` bundles in a batch and what the parties carry over from the epoch before.
    pub fn config(&self, batch: usize, carried: Shelf) -> Config {
        let mut seed = [0; 32];
        draw::rng("committee", self.seed, &self.epoch.to_string()).fill_bytes(&mut seed);
        let plan = self.plan();
        Config {
            parties: PartyId::ALL.map(|party| self.secrets(party)),
            standby: self.seated.is_none().then(|| standby_secrets(self.seed)),
            steward: office(self.seed, "steward"),
            treasury: office(self.seed, "treasury"),
            auditors: AUDITORS.map(|name| office(self.seed, name)).into(),
            plan,
            carried,
            batch,
            seed,
        }
    }
}

/// The creators who take their payouts on L1: those of the most played works, two of them if there are two.
pub fn on_layer1(workload: &Workload) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    for work in &workload.works {
        chosen.insert(work.creator);
        if chosen.len() == CREATORS_ON_LAYER1 {
            break;
        }
    }
    chosen
}

/// The key of somebody's account on L1. It follows from the seed, so everybody knows it: for test networks only.
pub fn layer1_key(seed: u64, name: &str) -> PrivateKeySigner {
    let mut rng = draw::rng("layer1", seed, name);
    loop {
        let mut secret = B256::ZERO;
        rng.fill_bytes(&mut secret.0);
        // All but about one in 2^128 secrets are keys.
        if let Ok(key) = PrivateKeySigner::from_bytes(&secret) {
            return key;
        }
    }
}

/// A digest that stands for something of a name.
fn named(purpose: &str, seed: u64, name: &str) -> Digest {
    hash::hash(Domain::Simulation, &[b"name", purpose.as_bytes(), &seed.to_le_bytes(), name.as_bytes()])
}

fn person(seed: u64, name: &str) -> PersonId {
    PersonId(named("person", seed, name).0)
}

fn fingerprint(seed: u64, work: &str) -> Digest {
    named("fingerprint", seed, work)
}

/// The account key of a person.
fn account_key(seed: u64, name: &str) -> SecretKey {
    SecretKey::generate(&mut draw::rng("account", seed, name))
}

fn office(seed: u64, name: &str) -> Office {
    Office { person: person(seed, name), key: account_key(seed, name) }
}

fn party_secrets(seed: u64, party: PartyId) -> PartySecrets {
    secrets(seed, party, &party.to_string())
}

/// Keys of the party that stands by, which takes any seat.
fn standby_secrets(seed: u64) -> PartySecrets {
    secrets(seed, PartyId::ALL[0], STANDBY)
}

fn secrets(seed: u64, party: PartyId, name: &str) -> PartySecrets {
    host_secret(seed, name).secrets(party)
}

/// The secret of a party's host.
fn host_secret(seed: u64, name: &str) -> HostSecret {
    HostSecret::generate(&mut draw::rng("host", seed, name))
}

/// What subscribers pay in an epoch.
fn revenue(tiers: &[TierTerms], sales: &[(Tier, u64)]) -> Credits {
    let revenue = |(terms, (_, sold)): (&TierTerms, &(Tier, u64))| {
        terms.price.checked_mul(*sold).expect("subscribers are bounded, and so is what they pay")
    };
    tiers.iter().zip(sales).map(revenue).sum()
}

/// Subscriptions sold, by tier.
type Sales = Vec<(Tier, u64)>;

/// Terms of every tier, and what was sold: one subscription for each subscriber, silent ones too.
///
/// A subscriber hands in at least one bundle for each shard of which it has an event. Which works share a shard is known
/// when the epoch opens and the terms are fixed before, so a tier allows for the worst dealing.
fn tiers(workload: &Workload, shards: usize, value_cap: u64) -> Result<(Vec<TierTerms>, Sales), WorldError> {
    let mut needed: BTreeMap<Tier, (u64, usize)> = BTreeMap::new();
    for subscriber in &workload.subscribers {
        let bundles = device::most_bundles(subscriber.events.len(), shards) + SPARE_BUNDLES;
        if bundles > usize::from(u16::MAX) {
            return Err(WorldError::TooManyBundles { subscriber: subscriber.name.clone(), bundles });
        }
        let (sold, most) = needed.entry(subscriber.tier).or_default();
        *sold += 1;
        *most = bundles.max(*most);
    }
    let mut terms = Vec::new();
    let mut sales = Vec::new();
    for ((tier, _), (price, allowed)) in draw::TIERS.into_iter().zip(TERMS) {
        let (sold, most) = needed.get(&tier).copied().unwrap_or_default();
        let most = u16::try_from(most).expect("checked above");
        terms.push(TierTerms { tier, price, max_bundles: allowed.max(most), value_cap });
        sales.push((tier, sold));
    }
    Ok((terms, sales))
}
