//! Settlement: brings to the chain what the committee agreed on, and tells the committee what the chain has (spec 9; chain
//! spec 6.3). The chain checks everything again.
//!
//! `port.rs` is how the chain is reached, `watch.rs` what is new on it, `offices.rs` what those do who hold an office:
//! they open epochs and report what they brought. What settlement says comes from the ledger alone, whoever brought it
//! there; so each party may have a settlement of its own, and one that was away hears everything again, in the same order.

mod offices;
mod port;
mod watch;

pub(crate) use offices::signed;
pub use offices::{Office, Offices, Plan};
pub use port::{Port, read};

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Aggregate, Message},
    opening::OpeningError,
};
use chain::{
    Payload, Transaction, TxError,
    modules::usage::SubmitAggregate,
    node::{ClientError, NodeError},
};
use primitives::EpochId;
use proofs::tally::SignedHeader;
use std::sync::Arc;
use thiserror::Error;
use watch::{Watch, is_decided, is_on_record};

/// Ticks after which what is not on record yet is handed in again.
const AGAIN_AFTER: u32 = 5;

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
    /// The sequencer's node cannot be asked, or refuses.
    #[error(transparent)]
    Away(Box<ClientError>),
    /// Nothing follows from what the ledger has on record of the epoch.
    #[error("the ledger's record of the epoch is of no use: {0}")]
    Opening(#[from] OpeningError),
}

impl From<ClientError> for SettlementError {
    fn from(error: ClientError) -> Self {
        Self::Away(Box::new(error))
    }
}

/// State of the settlement actor.
pub struct Settlement {
    port: Arc<dyn Port>,
    epoch: EpochId,
    /// The offices that are held here too, if they are: who opens epochs and reports what they brought.
    offices: Option<Offices>,
    watch: Watch,
    /// What was handed in and is not on record yet.
    under_way: Vec<Payload>,
    ticks: u32,
}

impl Settlement {
    /// Settlement of one epoch, with the offices if they act on the same host.
    pub fn new(port: Arc<dyn Port>, epoch: EpochId, offices: Option<Offices>) -> Self {
        let watch = Watch::new(epoch);
        Self { port, epoch, offices, watch, under_way: Vec::new(), ticks: 0 }
    }

    /// Hands a transaction in that is open to all, unless what it asks for is on record already.
    fn submit(&mut self, payload: Payload) -> Result<(), SettlementError> {
        if read(&*self.port, |ledger| is_on_record(ledger.state(), &payload)) {
            return Ok(());
        }
        self.under_way.push(payload.clone());
        let outcome = self.port.submit(&Transaction::open(payload.clone()));
        if outcome.is_err() {
            self.under_way.retain(|other| *other != payload);
        }
        outcome
    }

    /// Says what is new on the chain, and has the offices do what is due.
    fn observe(&mut self) -> Result<Vec<Effect>, SettlementError> {
        let mut effects = Vec::new();
        loop {
            let Self { port, watch, under_way, .. } = self;
            effects.extend(read(&**port, |ledger| {
                under_way.retain(|payload| !is_decided(ledger.state(), payload));
                watch.observe(ledger)
            })?);
            let acted = match &mut self.offices {
                Some(offices) => offices.act(&*self.port, false)?,
                None => false,
            };
            if !acted {
                return Ok(effects);
            }
        }
    }

    /// Some time has passed. What has not come through is handed in again.
    fn tick(&mut self) -> Result<Vec<Effect>, SettlementError> {
        self.ticks += 1;
        if self.ticks.is_multiple_of(AGAIN_AFTER) {
            for payload in self.under_way.clone() {
                // Whoever was quicker had the same in mind, or the chain says so by what is on record.
                let _refused = self.port.submit(&Transaction::open(payload));
            }
        }
        self.watch.tick();
        self.observe()
    }

    /// Whether the epoch's committee signed a header.
    fn has_quorum(&self, header: &SignedHeader) -> bool {
        read(&*self.port, |ledger| {
            let opening = ledger.state().openings.get(&self.epoch);
            opening.is_some_and(|opening| header.verify(&opening.committee).is_ok())
        })
    }

    fn act(&mut self, from: Address, message: Message) -> Result<Vec<Effect>, SettlementError> {
        let dropped =
            |reason| Ok(vec![Effect::Publish(Event::Dropped { at: Address::Settlement, from, reason })]);
        let (payload, refused) = match (from, message) {
            (Address::Party(_), Message::BeaconCommitment(commitment)) => {
                (Payload::CommitBeacon(commitment), None)
            }
            (Address::Party(_), Message::BeaconReveal(reveal)) => (Payload::RevealBeacon(reveal), None),
            (Address::Party(_), Message::Anchor(header)) if !self.has_quorum(&header) => {
                return dropped("a header to anchor without a quorum");
            }
            // Whoever holds a quorum's header may bring it. The chain takes the first of a position, and whatever comes
            // later is no reason to stop.
            (Address::Party(_), Message::Anchor(header)) => {
                (Payload::AnchorHeader(header), Some("a header that the chain does not take, or no longer"))
            }
            // A seat that the chain does not give is no reason to stop.
            (Address::Standby, Message::SeatStandby(seat)) => {
                (Payload::SeatStandby(seat), Some("a seat that the chain does not give"))
            }
            (Address::Coordinator, Message::AnchorRoot(root)) => (Payload::AnchorRoot(root), None),
            (Address::Coordinator, Message::Aggregate(aggregate)) => {
                let Aggregate { shard, tally, proof, signatures } = *aggregate;
                let submit = SubmitAggregate { epoch: self.epoch, shard, tally, proof, signatures };
                (Payload::SubmitAggregate(submit), None)
            }
            (Address::Outside | Address::Settlement, Message::Tick) => return self.tick(),
            _ => return dropped("not a message for settlement"),
        };
        match (self.submit(payload), refused) {
            (Err(SettlementError::Refused(_)), Some(reason)) => dropped(reason),
            (Err(error), _) => Err(error),
            (Ok(()), _) => self.observe(),
        }
    }
}

impl Core for Settlement {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        let refused = |e: SettlementError| {
            vec![Effect::Send(Address::Coordinator, Message::ChainRefused(e.to_string()))]
        };
        self.act(from, message).unwrap_or_else(refused)
    }
}
