//! Putting the world on record: persons, works, the committee, and the keys of the epoch.

use super::{CHAIN, FIRST_EPOCH, OPERATORS, World, WorldError, account_key, fingerprint, named, office};
use crate::{
    progress::{Progress, Stage},
    workload::{WorkSpec, Workload, draw},
};
use chain::{
    Node, Payload, Transaction,
    modules::{
        dapr::payout::Split,
        identity::{Register, Roles},
        usage::{PublishKeys, RegionSigner, SetCommittee, TierKey},
        work_registry::{MediaType, RegisterWork},
    },
    signature::SecretKey,
};
use engine::{Office, host::steward::admitted};
use primitives::{BasisPoints, CategoryId, PersonId};
use rand_chacha::ChaCha20Rng;

/// Transactions in a block of registrations.
const BLOCK: usize = 512;

/// Where transactions are handed in before an epoch is begun.
pub trait Registry {
    /// The nonce of a person's next transaction.
    fn nonce(&mut self, person: &PersonId) -> u64;
    /// Hands a transaction in, which puts `what` on record.
    ///
    /// # Errors
    /// If the ledger refuses it, or cannot be reached.
    fn submit(&mut self, transaction: &Transaction, what: &dyn Fn() -> String) -> Result<(), WorldError>;
    /// Ends a block, or sees to it that all that was handed in is in one.
    ///
    /// # Errors
    /// If there is none.
    fn end_block(&mut self) -> Result<(), WorldError>;
}

impl Registry for Node {
    fn nonce(&mut self, person: &PersonId) -> u64 {
        self.ledger().nonce(person).unwrap_or(0)
    }

    fn submit(&mut self, transaction: &Transaction, what: &dyn Fn() -> String) -> Result<(), WorldError> {
        let refused = |error: chain::TxError| WorldError::Refused { what: what(), error: error.into() };
        Self::submit(self, transaction).map_err(refused)
    }

    fn end_block(&mut self) -> Result<(), WorldError> {
        self.produce_block()?;
        Ok(())
    }
}

/// Submits transactions, and ends a block whenever it is full.
struct Desk<'a> {
    node: &'a mut dyn Registry,
    progress: &'a dyn Progress,
    rng: ChaCha20Rng,
    pending: usize,
}

impl Desk<'_> {
    fn submit(
        &mut self,
        (person, key): (PersonId, &SecretKey),
        payload: Payload,
        what: impl Fn() -> String,
    ) -> Result<(), WorldError> {
        let nonce = self.node.nonce(&person);
        let tx = Transaction::signed(payload, CHAIN, (person, nonce), key, &mut self.rng);
        self.node.submit(&tx, &what)?;
        self.progress.advance(Stage::Registry, 1);
        self.pending += 1;
        if self.pending == BLOCK { self.end_block() } else { Ok(()) }
    }

    /// Has somebody on record, who may act from then on.
    fn admit(&mut self, by: (PersonId, &SecretKey), register: Register, who: &str) -> Result<(), WorldError> {
        let [register, activate] = admitted(register);
        self.submit(by, register, || who.into())?;
        self.submit(by, activate, || format!("{who} as active"))
    }

    fn end_block(&mut self) -> Result<(), WorldError> {
        self.pending = 0;
        self.node.end_block()
    }
}

impl World {
    /// Puts everything on record that has to be there before an epoch is begun.
    pub fn register(
        &self,
        workload: &Workload,
        node: &mut dyn Registry,
        progress: &dyn Progress,
    ) -> Result<(), WorldError> {
        let steps = 2 * (self.creators.len() + OPERATORS.len()) + self.works.len() + 1;
        progress.begin(Stage::Registry, steps as u64);
        let rng = draw::rng("registrations", self.seed, "");
        let mut desk = Desk { node, progress, rng, pending: 0 };
        self.register_operators(&mut desk)?;
        self.register_creators(workload, &mut desk)?;
        self.register_works(workload, &mut desk)?;
        let Office { person, key } = office(self.seed, "steward");
        let seat = SetCommittee { committee: self.committee.clone(), seating: self.seating() };
        desk.submit((person, &key), Payload::SetCommittee(seat), || "the committee".into())?;
        desk.end_block()?;
        progress.end(Stage::Registry);
        self.publish_keys(node, progress)
    }

    /// Puts the keys of the blind signers on record for the epoch.
    pub fn publish_keys(&self, node: &mut dyn Registry, progress: &dyn Progress) -> Result<(), WorldError> {
        let rng = draw::rng("keys", self.seed, &self.epoch.to_string());
        let mut desk = Desk { node, progress, rng, pending: 0 };
        let Office { person, key } = office(self.seed, "steward");
        desk.submit((person, &key), Payload::PublishKeys(self.keys()), || "the epoch's keys".into())?;
        desk.end_block()
    }

    /// Whoever runs a party is on record, and is paid for it.
    fn register_operators(&self, desk: &mut Desk<'_>) -> Result<(), WorldError> {
        let registrar = office(self.seed, "registrar");
        let by = (registrar.person, &registrar.key);
        for name in OPERATORS {
            let Office { person, key } = office(self.seed, name);
            let register = Register {
                person,
                key: key.public_key(),
                roles: Roles::COMMITTEE,
                credential: named("credential", self.seed, name),
                nullifier: named("nullifier", self.seed, name),
            };
            desk.admit(by, register, name)?;
        }
        Ok(())
    }

    fn register_creators(&self, workload: &Workload, desk: &mut Desk<'_>) -> Result<(), WorldError> {
        let registrar = office(self.seed, "registrar");
        let by = (registrar.person, &registrar.key);
        for (spec, person) in workload.creators.iter().zip(&self.creators) {
            let register = Register {
                person: *person,
                key: account_key(self.seed, &spec.name).public_key(),
                roles: Roles::CREATOR.with(Roles::COLLABORATOR),
                credential: named("credential", self.seed, &spec.name),
                nullifier: named("nullifier", self.seed, &spec.name),
            };
            desk.admit(by, register, &format!("creator {}", spec.name))?;
        }
        Ok(())
    }

    fn register_works(&self, workload: &Workload, desk: &mut Desk<'_>) -> Result<(), WorldError> {
        for spec in &workload.works {
            let creator = &workload.creators[spec.creator].name;
            let key = account_key(self.seed, creator);
            let by = (self.creators[spec.creator], &key);
            desk.submit(by, Payload::RegisterWork(self.work(spec)), || format!("work {}", spec.name))?;
        }
        Ok(())
    }

    fn work(&self, spec: &WorkSpec) -> RegisterWork {
        let split = |(payee, share): &(usize, u16)| Split {
            payee: self.payees[*payee],
            share: BasisPoints::new(*share).expect("a workload's splits are at most the whole"),
        };
        let mut splits: Vec<Split> = spec.splits.iter().map(split).collect();
        splits.sort_by_key(|split| split.payee);
        RegisterWork {
            fingerprint: fingerprint(self.seed, &spec.name),
            media: MediaType::Audio,
            category: CategoryId(spec.category),
            price: spec.price,
            splits,
            metadata: named("metadata", self.seed, &spec.name),
            active_from: FIRST_EPOCH,
        }
    }

    /// Public keys of the blind signers, in the order of the record.
    fn keys(&self) -> PublishKeys {
        let tier = |(tier, key): (&_, &proofs::blind::BlindIssuer)| TierKey {
            tier: *tier,
            key: key.public().der().to_vec(),
        };
        let region = |((region, denomination), key): (
            &(_, proofs::receipt::Denomination),
            &proofs::blind::BlindIssuer,
        )| {
            RegionSigner {
                region: *region,
                denomination: denomination.views(),
                key: key.public().der().to_vec(),
            }
        };
        PublishKeys {
            epoch: self.epoch,
            tiers: self.issuers.tiers.iter().map(tier).collect(),
            regions: self.issuers.regions.iter().map(region).collect(),
        }
    }
}
