//! The rollup's contracts as their callers use them: deploy, commit, mirror, fund, claim.
//!
//! Every action is a step of a [`Sender`], so it happens once however often it is asked for, and a refusal comes back as
//! the contract's own error.

mod error;

pub use error::AnchorError;

use super::{
    attester::{Attestation, bound},
    batch::Batch,
    contracts::{
        credit::CweCredit,
        mirror::{EpochMirror, IEpochMirror},
        rollup::{AttestedRollup, IAttestedRollup},
        vault::{IPayoutVault, PayoutVault},
    },
    epoch::{mirrored, number, state_proof},
    port::{Call, Port, PortError, Receipt},
    refusal::{Refusal, Target},
    sender::{SendError, Sender},
};
use crate::{
    ledger::EpochProof,
    merkle::MerklePath,
    modules::{dapr::Claim, usage::Epoch},
};
use alloy::{
    primitives::{Address, B256, Bytes, TxKind, U256, keccak256},
    sol_types::{SolCall, SolConstructor},
};
use primitives::{Credits, EpochId, Layer1Address, WorkId};
use serde::Serialize;

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
        let data = init_code(&CweCredit::BYTECODE, &arguments);
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
        if let Some(before) = self.standing(batch)? {
            return Ok(before);
        }
        let attestation = |a: &Attestation| IAttestedRollup::Attestation {
            member: a.member.index() as u8,
            signature: a.signature.clone().into(),
        };
        let attestations = attestations.iter().map(attestation).collect();
        let call = AttestedRollup::commitBatchCall { batch: bound(batch), attestations };
        match self.act(&format!("batch {}", batch.number), Target::Rollup, &call) {
            // Anybody may send a batch: somebody may have been faster.
            Err(refused @ AnchorError::Refused { .. }) => match self.standing(batch) {
                Ok(Some(before)) => Ok(before),
                _ => Err(refused),
            },
            done => done.map(Committed::Now),
        }
    }

    /// Whether L1 has this batch: `None` if it has none of this number yet.
    ///
    /// Errors: [`AnchorError::Diverged`] where it has another one.
    fn standing(&mut self, batch: &Batch) -> Result<Option<Committed>, AnchorError> {
        let (number, expected) = (batch.number, batch.new_root);
        if number > self.ask_rollup(AttestedRollup::batchCountCall {})? {
            return Ok(None);
        }
        let found = self.root_after(number)?;
        // The genesis has a root and no data: no batch is number 0.
        let same = number > 0
            && found == expected
            && self.ask_rollup(AttestedRollup::dataHashOfCall { number })? == keccak256(&batch.data);
        if same {
            Ok(Some(Committed::Before))
        } else {
            Err(AnchorError::Diverged { number, expected, found })
        }
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

/// What a creating transaction carries: the contract's code with the arguments of its constructor.
fn init_code(code: &Bytes, arguments: &impl SolConstructor) -> Bytes {
    [&code[..], &arguments.abi_encode()].concat().into()
}

fn create<P: Port>(
    sender: &mut Sender<P>,
    step: &str,
    code: &Bytes,
    arguments: &impl SolConstructor,
) -> Result<(Address, Receipt), AnchorError> {
    let data = init_code(code, arguments);
    // Other code or other arguments are another contract.
    let step = format!("{step} {}", keccak256(&data));
    let receipt = sender.submit(&step, TxKind::Create, U256::ZERO, data)?;
    let created = receipt.created.ok_or(AnchorError::NothingCreated { step })?;
    Ok((created, receipt))
}
