//! Settlement: speaks to the chain for the committee. Opens the epoch, anchors headers and root, puts totals on record,
//! reports revenue, and has payouts computed (spec 9; chain spec 6.3). The chain checks everything again.

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Aggregate, Message, OpenedEpoch, Seated},
    opening::{EpochDocument, OpeningError},
};
use chain::{
    Payload, Transaction, TxError,
    modules::{
        dapr::FinaliseEpoch,
        treasury::AttestReserve,
        usage::{OpenEpoch, ReportRevenue, SeatStandby, SubmitAggregate, TierSales},
    },
    node::{Node, NodeError},
    signature::SecretKey,
};
use primitives::{
    Credits, Digest, Domain, EpochId, PartyId, PersonId, ShardIndex, Tier, hash, params::TierTerms,
};
use proofs::tally::SignedHeader;
use rand_chacha::ChaCha20Rng;
use std::sync::{Arc, Mutex, MutexGuard};
use thiserror::Error;

/// A person who holds an office, with the key of their account.
pub struct Office {
    /// Who.
    pub person: PersonId,
    /// Key.
    pub key: SecretKey,
}

/// What is to be opened and reported.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The epoch.
    pub epoch: EpochId,
    /// Its tiers.
    pub tiers: Vec<TierTerms>,
    /// Most works of one shard.
    pub shard_width: u16,
    /// Subscriptions sold, one entry for each tier, in the same order.
    pub sales: Vec<(Tier, u64)>,
    /// What the auditors' documents about the reserve are named after. Each auditor's has a hash of its own.
    pub attestation: Digest,
    /// What the reserve holds in all, as they found it.
    pub reserve: Credits,
}

/// Why a transaction of the committee did not get through.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettlementError {
    /// The ledger refused it.
    #[error("the ledger refused a transaction: {0}")]
    Refused(#[from] TxError),
    /// The node cannot go on.
    #[error("the node failed: {0}")]
    Node(#[from] NodeError),
    /// The ledger's record of the epoch is not what an epoch needs.
    #[error("the ledger's record of the epoch is incomplete: {0}")]
    Record(&'static str),
    /// Nothing follows from what the ledger has on record of the epoch.
    #[error("the ledger's record of the epoch is of no use: {0}")]
    Opening(#[from] OpeningError),
}

/// State of the settlement actor.
pub struct Settlement {
    /// Shared with whoever runs the system, to be read while the epoch runs and given back at the end.
    node: Arc<Mutex<Node>>,
    steward: Office,
    treasury: Office,
    auditors: Vec<Office>,
    plan: Plan,
    rng: ChaCha20Rng,
    commitments: usize,
    reveals: usize,
}

impl Settlement {
    /// Settlement of one epoch on a node. `rng` hedges the signatures of the offices.
    pub fn new(
        node: Arc<Mutex<Node>>,
        steward: Office,
        treasury: Office,
        auditors: Vec<Office>,
        plan: Plan,
        rng: ChaCha20Rng,
    ) -> Self {
        Self { node, steward, treasury, auditors, plan, rng, commitments: 0, reveals: 0 }
    }

    fn node(&self) -> MutexGuard<'_, Node> {
        self.node.lock().expect("nobody panics while holding the node")
    }

    fn open_to_all(&mut self, payload: Payload) -> Result<(), SettlementError> {
        let mut node = self.node();
        node.submit(&Transaction::open(payload))?;
        node.produce_block()?;
        Ok(())
    }

    fn by_steward(&mut self, payload: Payload) -> Result<(), SettlementError> {
        signed(&self.node, &self.steward, payload, &mut self.rng)
    }

    fn by_treasury(&mut self, payload: Payload) -> Result<(), SettlementError> {
        signed(&self.node, &self.treasury, payload, &mut self.rng)
    }

    /// Every auditor says what the reserve holds. They answer for it one by one: each has a document of its own.
    fn attest(&mut self) -> Result<(), SettlementError> {
        let Plan { attestation, reserve, .. } = self.plan;
        for auditor in &self.auditors {
            let document = hash::hash(Domain::Attestation, &[&attestation.0, &auditor.person.0]);
            let payload = Payload::AttestReserve(AttestReserve { document, reserve });
            signed(&self.node, auditor, payload, &mut self.rng)?;
        }
        Ok(())
    }

    /// Opens the epoch and derives its public context from the ledger alone.
    fn open_epoch(&mut self) -> Result<Vec<Effect>, SettlementError> {
        let Plan { epoch, tiers, sales, shard_width, .. } = self.plan.clone();
        let sold = |(tier, subscriptions)| TierSales { tier, subscriptions };
        let sold = sales.into_iter().map(sold).collect();
        self.by_steward(Payload::OpenEpoch(OpenEpoch { epoch, tiers, sold, shard_width }))?;
        let opened = self.opened()?;
        let mut effects: Vec<_> = Address::seats()
            .chain([Address::Standby, Address::Coordinator])
            .map(|to| Effect::Send(to, Message::Opened(opened.clone())))
            .collect();
        effects.push(Effect::Publish(Event::Opened(opened)));
        Ok(effects)
    }

    fn opened(&self) -> Result<OpenedEpoch, SettlementError> {
        Ok(EpochDocument::on_record(self.node().ledger().state(), self.plan.epoch)?.opened()?)
    }

    fn settle(&mut self) -> Result<Vec<Effect>, SettlementError> {
        let Plan { epoch, sales, .. } = self.plan.clone();
        self.attest()?;
        for (tier, subscriptions) in sales {
            self.by_treasury(Payload::ReportRevenue(ReportRevenue { epoch, tier, subscriptions }))?;
        }
        self.open_to_all(Payload::FinaliseEpoch(FinaliseEpoch { epoch }))?;
        Ok(vec![Effect::Send(Address::Coordinator, Message::Settled)])
    }

    /// Whether the epoch's committee signed a header.
    fn has_quorum(&self, header: &SignedHeader) -> bool {
        let node = self.node();
        let opening = node.ledger().state().openings.get(&self.plan.epoch);
        opening.is_some_and(|opening| header.verify(&opening.committee).is_ok())
    }

    /// Tells everybody who has a seat now, and what the chain has frozen.
    fn seated(&self, by: SeatStandby) -> Vec<Effect> {
        let node = self.node();
        let state = node.ledger().state();
        let shards = state.epochs.get(&self.plan.epoch).map_or(&[][..], |epoch| &epoch.shards);
        let frozen = (0..).map(ShardIndex).zip(shards).filter_map(|(shard, progress)| {
            let last = state.anchors_of(self.plan.epoch, shard).next_back().cloned();
            Some((progress.root.clone()?, last))
        });
        let message = Message::Seated(Arc::new(Seated { by, frozen: frozen.collect() }));
        let others = [Address::Coordinator, Address::Standby].map(|to| Effect::Send(to, message.clone()));
        // The coordinator first: what parties do from here on belongs to the new committee.
        others.into_iter().chain(Self::to_parties(&message)).collect()
    }

    fn to_parties(message: &Message) -> Vec<Effect> {
        PartyId::ALL.map(|p| Effect::Send(Address::Party(p), message.clone())).into()
    }

    fn act(&mut self, from: Address, message: Message) -> Result<Vec<Effect>, SettlementError> {
        Ok(match (from, message) {
            (Address::Party(_), Message::BeaconCommitment(commitment)) => {
                self.open_to_all(Payload::CommitBeacon(commitment))?;
                self.commitments += 1;
                // Reveals wait for all commitments, or the last to commit would know what it adds to.
                let all = self.commitments == PartyId::ALL.len();
                if all { Self::to_parties(&Message::BeaconCommitted) } else { Vec::new() }
            }
            (Address::Party(_), Message::BeaconReveal(reveal)) => {
                self.open_to_all(Payload::RevealBeacon(reveal))?;
                self.reveals += 1;
                if self.reveals == PartyId::ALL.len() { self.open_epoch()? } else { Vec::new() }
            }
            (Address::Party(_), Message::Anchor(header)) if !self.has_quorum(&header) => {
                let reason = "a header to anchor without a quorum";
                vec![Effect::Publish(Event::Dropped { at: Address::Settlement, from, reason })]
            }
            // Whoever holds a quorum's header may bring it. The chain takes the first of a position, and whatever comes
            // later is no reason to stop.
            (Address::Party(_), Message::Anchor(header)) => {
                match self.open_to_all(Payload::AnchorHeader(header.clone())) {
                    Ok(()) => {
                        let anchored = Message::Anchored(Arc::new(header));
                        let mut effects = Self::to_parties(&anchored);
                        effects.push(Effect::Send(Address::Coordinator, anchored));
                        effects
                    }
                    Err(SettlementError::Refused(_)) => {
                        let reason = "a header that the chain does not take, or no longer";
                        vec![Effect::Publish(Event::Dropped { at: Address::Settlement, from, reason })]
                    }
                    Err(error) => return Err(error),
                }
            }
            // A seat that the chain does not give is no reason to stop.
            (Address::Standby, Message::SeatStandby(action)) => {
                match self.open_to_all(Payload::SeatStandby(action.clone())) {
                    Ok(()) => self.seated(action),
                    Err(SettlementError::Refused(_)) => {
                        let reason = "a seat that the chain does not give";
                        vec![Effect::Publish(Event::Dropped { at: Address::Settlement, from, reason })]
                    }
                    Err(error) => return Err(error),
                }
            }
            (Address::Coordinator, Message::AnchorRoot(root)) => {
                let shard = root.root.shard;
                self.open_to_all(Payload::AnchorRoot(root))?;
                vec![Effect::Send(Address::Coordinator, Message::RootAnchored(shard))]
            }
            (Address::Coordinator, Message::Aggregate(aggregate)) => {
                let Aggregate { shard, tally, proof, signatures } = *aggregate;
                let submit = SubmitAggregate { epoch: self.plan.epoch, shard, tally, proof, signatures };
                self.open_to_all(Payload::SubmitAggregate(submit))?;
                vec![Effect::Send(Address::Coordinator, Message::AggregateRecorded(shard))]
            }
            (Address::Coordinator, Message::Settle) => self.settle()?,
            (from, _) => {
                let reason = "not a message for settlement";
                vec![Effect::Publish(Event::Dropped { at: Address::Settlement, from, reason })]
            }
        })
    }
}

/// Puts a transaction of an office into a block of its own.
fn signed(
    node: &Mutex<Node>,
    office: &Office,
    payload: Payload,
    rng: &mut ChaCha20Rng,
) -> Result<(), SettlementError> {
    let mut node = node.lock().expect("nobody panics while holding the node");
    let ledger = node.ledger();
    let nonce = ledger.nonce(&office.person).ok_or(SettlementError::Record("an office has no account"))?;
    let chain = ledger.origin().chain;
    let tx = Transaction::signed(payload, chain, (office.person, nonce), &office.key, rng);
    node.submit(&tx)?;
    node.produce_block()?;
    Ok(())
}

impl Core for Settlement {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        let refused = |e: SettlementError| {
            vec![Effect::Send(Address::Coordinator, Message::ChainRefused(e.to_string()))]
        };
        self.act(from, message).unwrap_or_else(refused)
    }
}
