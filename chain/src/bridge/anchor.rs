//! The rollup's contracts as their callers use them: deploy, commit, mirror, fund, claim.
//!
//! Every action is a step of a [`Sender`], so it happens once however often it is asked for, and a refusal comes back as
//! the contract's own error.

use super::{
    attester::{Attestation, bound},
    batch::Batch,
    contracts::{
        credit::CweCredit,
        mirror::{EpochMirror, IEpochMirror},
        rollup::{AttestedRollup, IAttestedRollup},
        vault::{IPayoutVault, PayoutVault},
    },
    port::{Call, Port, PortError, Receipt},
    refusal::{Refusal, Target},
    sender::{SendError, Sender},
};
use crate::{
    ledger::EpochProof,
    merkle::MerklePath,
    modules::{dapr::Claim, usage::Epoch},
    poseidon::{Felt, felt_to_bytes},
};
use alloy::{
    primitives::{Address, B256, Bytes, TxKind, U256, keccak256},
    sol_types::{SolCall, SolConstructor},
};
use primitives::{Credits, Digest, Domain, Encode, EpochId, Layer1Address, PersonId, WorkId, hash};
use serde::Serialize;
use thiserror::Error;

/// Where the contracts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Contracts {
    /// `CweCredit`.
    pub credit: Address,
    /// `AttestedRollup`.
    pub rollup: Address,
    /// `EpochMirror`.
    pub mirror: Address,
    /// `PayoutVault`.
    pub vault: Address,
}

/// Why something was not done on L1.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// It could not be sent, or nobody knows whether it was taken.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A contract refuses.
    #[error("{step} is refused on L1: {refusal:?}")]
    Refused {
        /// The step.
        step: String,
        /// The contract's error.
        refusal: Box<Refusal>,
    },
    /// L1 gives no answer to a question.
    #[error(transparent)]
    Port(PortError),
    /// What a contract answers is not what its interface says: there is another contract at this address, or none.
    #[error("there is no {what} at {address} on L1")]
    NotTheContract {
        /// The contract's name.
        what: &'static str,
        /// Where it should be.
        address: Address,
    },
    /// L1 has another batch at this place.
    #[error("L1 has another batch {number}: root {found} after it, not {expected}")]
    Diverged {
        /// The batch.
        number: u64,
        /// Root after this side's batch.
        expected: B256,
        /// Root on L1.
        found: B256,
    },
    /// A transaction that should create a contract created none.
    #[error("{step} created no contract")]
    NothingCreated {
        /// The step.
        step: String,
    },
    /// The payee is a person, who is paid on the rollup.
    #[error("payee {payee} is no account on L1")]
    NotOnLayer1 {
        /// The payee.
        payee: PersonId,
    },
    /// The epoch is not final.
    #[error("epoch {epoch} is not final")]
    NotFinal {
        /// The epoch.
        epoch: EpochId,
    },
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It was committed now.
    Now(Receipt),
    /// It was on L1 before.
    Before,
}

/// The contracts, and an account that calls them.
pub struct Anchor<P> {
    sender: Sender<P>,
    contracts: Contracts,
}

impl<P: Port> Anchor<P> {
    /// Deploys the contracts of a chain with this genesis root and committee. The account may mint credits up to `cap`
    /// micro-credits. Returns the receipts in the order credit, rollup, mirror, vault.
    pub fn deploy(
        mut sender: Sender<P>,
        genesis_root: B256,
        committee: [Address; 3],
        cap: Credits,
    ) -> Result<(Self, [Receipt; 4]), AnchorError> {
        let minter = sender.account();
        let credit = create(
            &mut sender,
            "deploy CweCredit",
            &CweCredit::BYTECODE,
            &CweCredit::constructorCall { minter_: minter, cap_: U256::from(cap.0) },
        )?;
        let rollup = create(
            &mut sender,
            "deploy AttestedRollup",
            &AttestedRollup::BYTECODE,
            &AttestedRollup::constructorCall { genesisRoot: genesis_root, members: committee },
        )?;
        let mirror = create(
            &mut sender,
            "deploy EpochMirror",
            &EpochMirror::BYTECODE,
            &EpochMirror::constructorCall { rollup_: rollup.0 },
        )?;
        let vault = create(
            &mut sender,
            "deploy PayoutVault",
            &PayoutVault::BYTECODE,
            &PayoutVault::constructorCall { credit_: credit.0, mirror_: mirror.0 },
        )?;
        let contracts = Contracts { credit: credit.0, rollup: rollup.0, mirror: mirror.0, vault: vault.0 };
        Ok((Self { sender, contracts }, [credit.1, rollup.1, mirror.1, vault.1]))
    }

    /// Asks L1 whether it runs contracts like these, and sends nothing.
    ///
    /// Errors: the port's, of a trial deployment by `account`.
    pub fn check(port: &mut P, account: Address) -> Result<(), PortError> {
        let arguments = CweCredit::constructorCall { minter_: account, cap_: U256::from(1) };
        let data = [&CweCredit::BYTECODE[..], &arguments.abi_encode()].concat().into();
        port.estimate(&Call { from: account, to: TxKind::Create, value: U256::ZERO, data }).map(|_| ())
    }

    /// Contracts that are there already.
    pub fn attach(sender: Sender<P>, contracts: Contracts) -> Self {
        Self { sender, contracts }
    }

    /// Where the contracts are.
    pub fn contracts(&self) -> Contracts {
        self.contracts
    }

    /// The account that calls them.
    pub fn sender(&mut self) -> &mut Sender<P> {
        &mut self.sender
    }

    /// Batches on L1, and the state root after the last.
    pub fn position(&mut self) -> Result<(u64, B256), AnchorError> {
        let count = self.ask_rollup(AttestedRollup::batchCountCall {})?;
        Ok((count, self.ask_rollup(AttestedRollup::stateRootCall {})?))
    }

    /// State root after a batch that is on L1; 0 is the genesis.
    pub fn root_after(&mut self, number: u64) -> Result<B256, AnchorError> {
        self.ask_rollup(AttestedRollup::stateRootAfterCall { number })
    }

    /// Commits a batch, unless it is on L1 already.
    ///
    /// Errors: [`AnchorError::Diverged`] where L1 has another batch of this number, and those of the contract.
    pub fn commit(&mut self, batch: &Batch, attestations: &[Attestation]) -> Result<Committed, AnchorError> {
        let number = batch.number;
        if self.has(batch)? {
            return Ok(Committed::Before);
        }
        if number <= self.ask_rollup(AttestedRollup::batchCountCall {})? {
            let (expected, found) = (batch.new_root, self.root_after(number)?);
            return Err(AnchorError::Diverged { number, expected, found });
        }
        let attestation = |a: &Attestation| IAttestedRollup::Attestation {
            member: a.member.index() as u8,
            signature: a.signature.clone().into(),
        };
        let attestations = attestations.iter().map(attestation).collect();
        let call = AttestedRollup::commitBatchCall { batch: bound(batch), attestations };
        match self.act(&format!("batch {number}"), Target::Rollup, &call) {
            // Anybody may send a batch: somebody may have been faster.
            Err(AnchorError::Refused { .. }) if self.has(batch)? => Ok(Committed::Before),
            done => done.map(Committed::Now),
        }
    }

    /// Whether L1 has exactly this batch.
    fn has(&mut self, batch: &Batch) -> Result<bool, AnchorError> {
        let number = batch.number;
        if number == 0 || number > self.ask_rollup(AttestedRollup::batchCountCall {})? {
            return Ok(false);
        }
        let data = self.ask_rollup(AttestedRollup::dataHashOfCall { number })?;
        Ok(self.root_after(number)? == batch.new_root && data == keccak256(&batch.data))
    }

    /// Puts a final epoch on L1, proved under the root after `batch`, unless exactly this record is there already.
    pub fn mirror(
        &mut self,
        epoch: &Epoch,
        proof: &EpochProof,
        batch: u64,
    ) -> Result<Committed, AnchorError> {
        let record = mirrored(epoch).ok_or(AnchorError::NotFinal { epoch: epoch.epoch })?;
        let call = EpochMirror::mirrorCall { record: record.clone(), proof: state_proof(proof, batch) };
        match self.act(&format!("mirror of epoch {}", epoch.epoch), Target::Mirror, &call) {
            // Anybody may bring an epoch: somebody may have been faster.
            Err(refused @ AnchorError::Refused { .. }) => match self.epoch(epoch.epoch) {
                Ok(found) if found == record => Ok(Committed::Before),
                _ => Err(refused),
            },
            done => done.map(Committed::Now),
        }
    }

    /// What L1 has of an epoch.
    pub fn epoch(&mut self, epoch: EpochId) -> Result<IEpochMirror::EpochRecord, AnchorError> {
        let (to, call) = (self.contracts.mirror, EpochMirror::epochCall { number: epoch.0 });
        self.ask("EpochMirror", to, Target::Mirror, call)
    }

    /// Mints what an epoch owes on L1 and gives it to the vault. Returns the receipts of minting, approval and funding.
    ///
    /// The vault may take as much as it asks for, once and for all: it asks only while it is funded by this account.
    /// Errors with the mirror's own if the epoch is not there yet, before anything is minted.
    pub fn fund(&mut self, epoch: EpochId, owed: Credits) -> Result<[Receipt; 3], AnchorError> {
        self.epoch(epoch)?;
        let (amount, account) = (U256::from(owed.0), self.sender.account());
        let mint = CweCredit::mintCall { to: account, amount };
        let approve = CweCredit::approveCall { spender: self.contracts.vault, value: U256::MAX };
        Ok([
            self.act(&format!("{owed} credits for epoch {epoch}"), Target::Credit, &mint)?,
            self.act("approval of the vault", Target::Credit, &approve)?,
            self.act(
                &format!("funds of epoch {epoch}"),
                Target::Vault,
                &PayoutVault::fundCall { epoch: epoch.0 },
            )?,
        ])
    }

    /// Claims a payout from the vault for its payee, who may be anybody.
    pub fn claim(&mut self, claim: &Claim) -> Result<Receipt, AnchorError> {
        let Claim { epoch, work, payee, amount, path } = claim;
        let account = payee.layer1_address().ok_or(AnchorError::NotOnLayer1 { payee: *payee })?;
        self.claim_as(*epoch, *work, account, *amount, path)
    }

    /// Claims a payout as told. The vault decides whether it is owed.
    pub fn claim_as(
        &mut self,
        epoch: EpochId,
        work: WorkId,
        account: Layer1Address,
        amount: Credits,
        path: &MerklePath,
    ) -> Result<Receipt, AnchorError> {
        let path = IPayoutVault::PayoutPath {
            position: path.position,
            count: path.count,
            siblings: path.siblings.iter().map(number).collect(),
        };
        let payee = Address::from(account.0);
        let call =
            PayoutVault::claimCall { epoch: epoch.0, work: work.0.into(), payee, amount: amount.0, path };
        self.act(&format!("claim of {account} on work {work} in epoch {epoch}"), Target::Vault, &call)
    }

    /// Micro-credits that an account on L1 holds.
    pub fn credits(&mut self, account: Address) -> Result<U256, AnchorError> {
        let to = self.contracts.credit;
        self.ask("CweCredit", to, Target::Credit, CweCredit::balanceOfCall { account })
    }

    /// Micro-credits that the vault still owes for an epoch.
    pub fn remaining(&mut self, epoch: EpochId) -> Result<Credits, AnchorError> {
        let to = self.contracts.vault;
        let call = PayoutVault::remainingCall { epoch: epoch.0 };
        self.ask("PayoutVault", to, Target::Vault, call).map(Credits)
    }

    /// Gives wei to an account, such as a creator's who has none to pay for gas.
    pub fn give(&mut self, to: Address, wei: U256) -> Result<Receipt, AnchorError> {
        let step = format!("{wei} wei for {to}");
        Ok(self.sender.submit(&step, TxKind::Call(to), wei, Bytes::new())?)
    }

    fn ask_rollup<C: SolCall>(&mut self, call: C) -> Result<C::Return, AnchorError> {
        let to = self.contracts.rollup;
        self.ask("AttestedRollup", to, Target::Rollup, call)
    }

    fn ask<C: SolCall>(
        &mut self,
        what: &'static str,
        to: Address,
        target: Target,
        call: C,
    ) -> Result<C::Return, AnchorError> {
        let data = call.abi_encode().into();
        let call = Call { from: Address::ZERO, to: TxKind::Call(to), value: U256::ZERO, data };
        let answer = self.sender.port().call(&call).map_err(|error| match error {
            PortError::Reverted(data) => AnchorError::Refused {
                step: C::SIGNATURE.into(),
                refusal: Refusal::decode(target, &data).into(),
            },
            error => AnchorError::Port(error),
        })?;
        C::abi_decode_returns(&answer).map_err(|_| AnchorError::NotTheContract { what, address: to })
    }

    fn act(&mut self, step: &str, target: Target, call: &impl SolCall) -> Result<Receipt, AnchorError> {
        let to = match target {
            Target::Credit => self.contracts.credit,
            Target::Rollup => self.contracts.rollup,
            Target::Mirror => self.contracts.mirror,
            Target::Vault => self.contracts.vault,
        };
        // A step is of one contract: another rollup's batch 7 is another step.
        let step = format!("{step}, at {to}");
        let sent = self.sender.submit(&step, TxKind::Call(to), U256::ZERO, call.abi_encode().into());
        sent.map_err(|error| match error {
            SendError::Refused { step, data } => {
                AnchorError::Refused { step, refusal: Refusal::decode(target, &data).into() }
            }
            error => error.into(),
        })
    }
}

fn create<P: Port>(
    sender: &mut Sender<P>,
    step: &str,
    code: &Bytes,
    arguments: &impl SolConstructor,
) -> Result<(Address, Receipt), AnchorError> {
    let data: Bytes = [&code[..], &arguments.abi_encode()].concat().into();
    // Other code or other arguments are another contract.
    let step = format!("{step} {}", keccak256(&data));
    let receipt = sender.submit(&step, TxKind::Create, U256::ZERO, data)?;
    let created = receipt.created.ok_or(AnchorError::NothingCreated { step })?;
    Ok((created, receipt))
}

/// A field element as the contracts take it.
fn number(felt: &Felt) -> U256 {
    U256::from_le_bytes(felt_to_bytes(felt))
}

/// The record of a final epoch as the mirror takes it; `None` before it is final.
pub fn mirrored(epoch: &Epoch) -> Option<IEpochMirror::EpochRecord> {
    let bytes = |digest: &Digest| B256::from(digest.0);
    let root = hash::hash(Domain::EpochRoot, &[&epoch.root.as_ref()?.to_bytes()]);
    let summary = epoch.summary.as_ref()?;
    Some(IEpochMirror::EpochRecord {
        epoch: epoch.epoch.0,
        opening: number(&epoch.opening),
        params: bytes(&epoch.params),
        batches: epoch.batches,
        bundles: epoch.bundles,
        last: bytes(&epoch.last),
        anchors: bytes(&epoch.anchors),
        root: bytes(&root),
        aggregate: bytes(epoch.aggregate.as_ref()?),
        revenues: number(epoch.revenues.as_ref()?),
        revenue: summary.revenue.0,
        fee: summary.fee.0,
        eco: summary.eco.0,
        infra: summary.infra.0,
        creators: summary.creators.0,
        carriedIn: summary.carried_in.0,
        paid: summary.paid.0,
        onLayer1: summary.on_layer1.0,
        carriedOut: summary.carried_out.0,
        sumOfWeights: U256::from_le_bytes(summary.sum_of_weights.to_le_bytes::<32>()),
        payoutRoot: number(&summary.payout_root),
        figures: number(&summary.figures),
    })
}

/// Where an epoch stands in the state after a batch, as the mirror takes it.
fn state_proof(proof: &EpochProof, batch: u64) -> IEpochMirror::StateProof {
    IEpochMirror::StateProof {
        batch,
        nextKey: number(&proof.inclusion.leaf.next_key),
        position: proof.inclusion.position,
        siblings: proof.inclusion.siblings.iter().map(number).collect(),
        tableCount: proof.table.count,
        tableSiblings: proof.table.siblings.iter().map(number).collect(),
    }
}
