//! The ledger: a pure state machine from genesis over transactions to blocks.
//!
//! [`Ledger::apply`] takes one transaction or refuses it with the rule that it breaks, and a refused one leaves no
//! trace. [`Ledger::seal`] ends a block. [`Ledger::replay`] repeats a sealed block and names the first thing in it
//! that is wrong. Nothing here reads a clock or draws randomness.

mod ahead;
mod envelope;
mod genesis;
mod restore;

use crate::{
    block::{Block, MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS},
    merkle::MerklePath,
    modules::{
        dapr::{self, DaprError},
        eco_reserve::{self, EcoError},
        governance::{self, GovernanceError},
        identity::{self, IdentityError},
        node_rewards::{self, NodeError},
        treasury::{self, TreasuryError},
        usage::{self, Epoch, UsageError},
        work_registry::{self, WorkError},
    },
    poseidon::Felt,
    signature::PublicKey,
    state::{Draft, State, tree::Inclusion},
    transaction::{EnvelopeError, Payload, Transaction},
};
use envelope::authorise;
pub use genesis::{Authority, Continued, Genesis, GenesisError};
use primitives::{Digest, Encode, EpochId, PersonId, Time};
pub use restore::{MigrationError, SnapshotError};
use std::collections::BTreeMap;
use thiserror::Error;

/// What an action may know besides the state.
pub(crate) struct Context<'a> {
    /// Where the chain began.
    pub(crate) genesis: &'a Genesis,
    /// The last sealed block.
    pub(crate) head: Digest,
    /// Time of the block that is being made.
    pub(crate) now: Time,
}

/// Why a transaction is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TxError {
    /// The envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A rule of the identity module.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A rule of the work registry.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// A rule of the usage module.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// A rule of the DAPR module.
    #[error(transparent)]
    Dapr(#[from] DaprError),
    /// A rule of the treasury.
    #[error(transparent)]
    Treasury(#[from] TreasuryError),
    /// A rule of the Eco-Reserve.
    #[error(transparent)]
    Eco(#[from] EcoError),
    /// A rule of governance.
    #[error(transparent)]
    Governance(#[from] GovernanceError),
    /// A rule of node rewards.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// The first thing that is wrong with a block.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The block is not the next.
    #[error("block {found} is not the next, which is {expected}")]
    Height {
        /// The next height.
        expected: u64,
        /// Height named.
        found: u64,
    },
    /// The block follows another block than the last.
    #[error("block {height} follows {found}, not {expected}")]
    Parent {
        /// Its height.
        height: u64,
        /// Digest of the last block.
        expected: Digest,
        /// Digest named.
        found: Digest,
    },
    /// The block is from before its parent.
    #[error("block {height} has time {found}, which is before its parent's, {parent}")]
    Time {
        /// Its height.
        height: u64,
        /// Time of its parent.
        parent: Time,
        /// Time named.
        found: Time,
    },
    /// A transaction is refused.
    #[error("transaction {position} of block {height}: {error}")]
    Transaction {
        /// Height of the block.
        height: u64,
        /// Place of the transaction.
        position: usize,
        /// The rule that it breaks.
        error: Box<TxError>,
    },
    /// The transactions lead to another state.
    #[error("block {height} leads to another state root than it says")]
    StateRoot {
        /// Its height.
        height: u64,
        /// Root that its transactions lead to.
        expected: Felt,
        /// Root named.
        found: Felt,
    },
}

/// Where the leaf of a settled epoch stands: under the state root of the block that settled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochProof {
    /// State root of that block.
    pub state_root: Felt,
    /// Height of that block.
    pub height: u64,
    /// The leaf in its table.
    pub inclusion: Inclusion,
    /// The table among the tables.
    pub table: MerklePath,
}

/// The ledger.
#[derive(Clone)]
pub struct Ledger {
    genesis: Genesis,
    state: State,
    height: u64,
    head: Digest,
    now: Time,
    pending: Vec<Transaction>,
    pending_bytes: usize,
    proofs: BTreeMap<EpochId, EpochProof>,
}

impl Ledger {
    /// The ledger at its genesis.
    pub fn genesis(genesis: Genesis) -> Result<Self, GenesisError> {
        let (state, head) = genesis.state()?;
        let (pending, proofs) = (Vec::new(), BTreeMap::new());
        let now = genesis.time;
        Ok(Self { genesis, state, height: 0, head, now, pending, pending_bytes: 0, proofs })
    }

    /// Where the chain began.
    pub fn origin(&self) -> &Genesis {
        &self.genesis
    }

    /// The state, pending transactions included.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Height of the last sealed block.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// Digest of the last sealed block, or of the genesis.
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Time of the block that is being made: that of the last sealed one until [`Self::begin`] moves it on.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Gives the block that is being made its time, before its first transaction. A time before the last block's, or
    /// one for a block that has transactions already, changes nothing: time never goes back, and a transaction is
    /// judged by the time of its block.
    pub fn begin(&mut self, time: Time) {
        if self.pending.is_empty() {
            self.now = self.now.max(time);
        }
    }

    /// Root of the state, pending transactions included.
    pub fn state_root(&mut self) -> Felt {
        self.state.root()
    }

    /// The nonce that an account's next transaction carries.
    pub fn nonce(&self, person: &PersonId) -> Option<u64> {
        self.state.accounts.get(person).map(|account| account.nonce)
    }

    /// Where the leaf of a settled epoch stands.
    pub fn epoch_proof(&self, epoch: EpochId) -> Option<&EpochProof> {
        self.proofs.get(&epoch)
    }

    /// Applies a transaction to the block that is being made, or refuses it and changes nothing.
    pub fn apply(&mut self, tx: &Transaction) -> Result<(), TxError> {
        self.apply_checked(tx, None)
    }

    /// The same for a transaction whose signature is known to hold under a key.
    fn apply_checked(&mut self, tx: &Transaction, holds_under: Option<PublicKey>) -> Result<(), TxError> {
        let bytes = tx.to_bytes().len();
        if bytes > MAX_BLOCK_BYTES {
            return Err(EnvelopeError::TooLong { bytes }.into());
        }
        if self.pending.len() == MAX_BLOCK_TRANSACTIONS || self.pending_bytes + bytes > MAX_BLOCK_BYTES {
            return Err(EnvelopeError::BlockFull.into());
        }
        let mut draft = Draft::new(&self.state);
        let at = Context { genesis: &self.genesis, head: self.head, now: self.now };
        let signer = authorise(&mut draft, &at, tx, holds_under)?;
        act(&mut draft, &at, signer, &tx.payload)?;
        let changes = draft.into_changes();
        self.state.commit(changes);
        self.pending.push(tx.clone());
        self.pending_bytes += bytes;
        Ok(())
    }

    /// Has something decided as governance would, for tests of what it may decide.
    #[cfg(test)]
    pub(crate) fn decide<T, E>(
        &mut self,
        act: impl FnOnce(&mut Draft<'_>, &Context<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut draft = Draft::new(&self.state);
        let done = act(&mut draft, &Context { genesis: &self.genesis, head: self.head, now: self.now })?;
        let changes = draft.into_changes();
        self.state.commit(changes);
        Ok(done)
    }

    /// Ends the block.
    ///
    /// Panics if credits were made or lost: no transaction can do that, and a ledger where one did must not go on.
    pub fn seal(&mut self) -> Block {
        self.state.check_conservation().expect("no action makes or loses credits");
        self.pending_bytes = 0;
        let block = Block {
            height: self.height + 1,
            parent: self.head,
            time: self.now,
            state_root: self.state.root(),
            transactions: std::mem::take(&mut self.pending),
        };
        for tx in &block.transactions {
            if let Payload::FinaliseEpoch(action) = &tx.payload {
                let found = self.state.prove::<Epoch>(&action.epoch);
                let (inclusion, table) = found.expect("a settled epoch is on record");
                let (state_root, height) = (block.state_root, block.height);
                self.proofs.insert(action.epoch, EpochProof { state_root, height, inclusion, table });
            }
        }
        (self.height, self.head) = (block.height, block.digest());
        block
    }

    /// Repeats a sealed block on a ledger without pending transactions, and gives the ledger after it or the first
    /// thing that is wrong.
    pub fn replay(mut self, block: &Block) -> Result<Self, ReplayError> {
        let (height, expected) = (block.height, self.height + 1);
        if height != expected {
            return Err(ReplayError::Height { expected, found: height });
        }
        if block.parent != self.head {
            return Err(ReplayError::Parent { height, expected: self.head, found: block.parent });
        }
        if block.time < self.now {
            return Err(ReplayError::Time { height, parent: self.now, found: block.time });
        }
        self.begin(block.time);
        let keys = self.keys_ahead(&block.transactions);
        for (position, (tx, key)) in block.transactions.iter().zip(keys).enumerate() {
            let applied = self.apply_checked(tx, key).map_err(Box::new);
            applied.map_err(|error| ReplayError::Transaction { height, position, error })?;
        }
        let sealed = self.seal();
        if sealed.state_root != block.state_root {
            return Err(ReplayError::StateRoot {
                height,
                expected: sealed.state_root,
                found: block.state_root,
            });
        }
        Ok(self)
    }
}

/// Runs a payload on a draft, for who signed it under which nonce.
fn act(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: Option<(PersonId, u64)>,
    payload: &Payload,
) -> Result<(), TxError> {
    let as_of = || signer.ok_or(EnvelopeError::Unsigned);
    let by = || as_of().map(|(signer, _)| signer);
    match payload {
        Payload::Register(action) => identity::register(draft, at, by()?, action)?,
        Payload::SetStatus(action) => identity::set_status(draft, at, by()?, action)?,
        Payload::RegisterWork(action) => work_registry::register_work(draft, at, by()?, action)?,
        Payload::UpdateWork(action) => work_registry::update_work(draft, at, by()?, action)?,
        Payload::SetCommittee(action) => usage::set_committee(draft, at, by()?, action)?,
        Payload::PublishKeys(action) => usage::publish_keys(draft, at, by()?, action)?,
        Payload::CommitBeacon(action) => usage::commit_beacon(draft, at, action)?,
        Payload::RevealBeacon(action) => usage::reveal_beacon(draft, at, action)?,
        Payload::OpenEpoch(action) => usage::open_epoch(draft, at, by()?, action)?,
        Payload::ReportRevenue(action) => usage::report_revenue(draft, at, by()?, action)?,
        Payload::AnchorHeader(header) => usage::anchor_header(draft, at, header)?,
        Payload::AnchorRoot(root) => usage::anchor_root(draft, at, root)?,
        Payload::SubmitAggregate(action) => usage::submit_aggregate(draft, action)?,
        Payload::FinaliseEpoch(action) => dapr::finalise(draft, action)?,
        Payload::Claim(action) => dapr::claim(draft, action)?,
        Payload::Transfer(action) => treasury::transfer(draft, by()?, action)?,
        Payload::AbandonEpoch(action) => usage::abandon_epoch(draft, by()?, action)?,
        Payload::SeatStandby(action) => usage::seat_standby(draft, at, action)?,
        Payload::BindWallet(action) => identity::bind_wallet(draft, at, as_of()?, action)?,
        Payload::AttestReserve(action) => treasury::attest_reserve(draft, at, by()?, action)?,
        Payload::Mint(action) => treasury::mint(draft, at, by()?, action)?,
        Payload::Burn(action) => treasury::burn(draft, at, by()?, action)?,
        Payload::PushValuation(action) => eco_reserve::push_valuation(draft, at, by()?, action)?,
        Payload::AcceptValuation(action) => eco_reserve::accept_valuation(draft, at, action)?,
        Payload::BuyAsset(action) => eco_reserve::buy_asset(draft, at, by()?, action)?,
        Payload::Rotate(action) => identity::rotate(draft, at, by()?, action)?,
        Payload::DeprecateWork(action) => work_registry::deprecate_work(draft, at, by()?, action)?,
        Payload::Propose(action) => governance::propose(draft, at, by()?, action)?,
        Payload::Withdraw(action) => governance::withdraw(draft, at, by()?, action)?,
        Payload::Deliberate(action) => governance::deliberate(draft, at, by()?, action)?,
        Payload::Vote(action) => governance::vote(draft, at, by()?, action)?,
        Payload::CouncilSay(action) => governance::council_say(draft, at, by()?, action)?,
        Payload::Enact(action) => governance::enact(draft, at, action)?,
        Payload::CallElection(action) => governance::call_election(draft, at, by()?, action)?,
        Payload::Stand(action) => governance::stand(draft, at, by()?, action)?,
        Payload::Elect(action) => governance::elect(draft, at, by()?, action)?,
        Payload::CloseElection(action) => governance::close_election(draft, at, action)?,
        Payload::OpenCase(action) => governance::open_case(draft, at, by()?, action)?,
        Payload::DrawJury(action) => governance::draw_jury(draft, at, action)?,
        Payload::ChallengeJuror(action) => governance::challenge_juror(draft, at, by()?, action)?,
        Payload::JuryVote(action) => governance::jury_vote(draft, at, by()?, action)?,
        Payload::CloseCase(action) => governance::close_case(draft, at, action)?,
        Payload::WithdrawCase(action) => governance::withdraw_case(draft, at, by()?, action)?,
        Payload::RegisterNode(action) => node_rewards::register_node(draft, at, by()?, action)?,
        Payload::LeaveNode(action) => node_rewards::leave_node(draft, at, by()?, action)?,
        Payload::AddBond(action) => node_rewards::add_bond(draft, by()?, action)?,
        Payload::WithdrawBond(action) => node_rewards::withdraw_bond(draft, at, by()?, action)?,
        Payload::RegisterContent(action) => node_rewards::register_content(draft, at, by()?, action)?,
        Payload::PublishVoucherKeys(action) => node_rewards::publish_voucher_keys(draft, at, by()?, action)?,
        Payload::CommitMetrics(action) => node_rewards::commit_metrics(draft, at, by()?, action)?,
        Payload::AnswerAudit(action) => node_rewards::answer_audit(draft, by()?, action)?,
        Payload::AttestUptime(action) => node_rewards::attest_uptime(draft, at, by()?, action)?,
        Payload::ScoreNodes(action) => node_rewards::score_nodes(draft, action)?,
        Payload::ClaimReward(action) => node_rewards::claim_reward(draft, action)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests;
