//! Sends what has to happen on L1, each step once, whatever breaks in between.
//!
//! A *step* has a name that never changes, such as `batch 7`. Before anything is sent, the signed transaction is in the
//! [`Journal`]. Whoever comes back after a crash finds it there, sends the same bytes again and waits for them; raising
//! the fee keeps the nonce. So L1 takes at most one transaction of a step, unless one that it took reverted.

use super::{
    journal::{Attempt, Journal, JournalError, Origin, step_digest},
    port::{Call, Fees, Port, PortError, Receipt},
};
use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::eip2718::Encodable2718,
    network::TxSignerSync,
    primitives::{Address, Bytes, TxKind, U256},
    signers::local::PrivateKeySigner,
};
use primitives::Digest;
use std::path::Path;
use thiserror::Error;

/// Gas that is allowed beyond what was estimated, in percent: state may move in between.
const GAS_MARGIN: u64 = 20;
/// Most gas of one transaction (EIP-7825).
const GAS_CAP: u64 = 1 << 24;
/// What a replacement has to pay more, in percent: pools refuse less than ten.
const BUMP: u128 = 13;

/// How patient a sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Blocks that have to stand on a transaction's before it counts, its own included; at least 1.
    pub confirmations: u64,
    /// Waits for a receipt before the fee is raised.
    pub patience: u32,
    /// Times that the fee is raised before the step is given up.
    pub raises: u32,
    /// Most wei for a unit of gas. A step that would cost more waits for somebody's decision.
    pub fee_cap: u128,
}

impl Default for Policy {
    fn default() -> Self {
        Self { confirmations: 1, patience: 40, raises: 6, fee_cap: 500_000_000_000 }
    }
}

/// Why a step was not done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SendError {
    /// L1 gives no answer.
    #[error("{step}: {error}")]
    Port {
        /// The step.
        step: String,
        /// What L1 said.
        error: PortError,
    },
    /// The journal fails.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The contract refuses the step. Nothing was sent, or what was sent reverted.
    #[error("{step}: the contract reverts with {data}")]
    Refused {
        /// The step.
        step: String,
        /// What the contract says.
        data: Bytes,
    },
    /// Gas costs more than the policy allows.
    #[error("{step}: gas costs {fee} wei, more than the {cap} that are allowed")]
    FeeCap {
        /// The step.
        step: String,
        /// Fee that would have to be offered.
        fee: u128,
        /// [`Policy::fee_cap`].
        cap: u128,
    },
    /// No block takes the transaction. It may still be taken: the step can be tried again.
    #[error(
        "{step}: no block took the transaction with nonce {nonce}, though its fee was raised {raises} times"
    )]
    Stuck {
        /// The step.
        step: String,
        /// Its nonce.
        nonce: u64,
        /// [`Policy::raises`].
        raises: u32,
    },
    /// The key does not sign.
    #[error("the L1 key does not sign: {0}")]
    Signer(String),
}

/// An account on L1 with its key and its journal.
pub struct Sender<P> {
    port: P,
    key: PrivateKeySigner,
    chain: u64,
    journal: Journal,
    policy: Policy,
}

impl<P: Port> Sender<P> {
    /// Opens the account with its journal in a file.
    ///
    /// Errors: [`SendError::Port`], [`SendError::Journal`].
    pub fn open(
        mut port: P,
        key: PrivateKeySigner,
        journal: impl AsRef<Path>,
        policy: Policy,
    ) -> Result<Self, SendError> {
        let asked = |error| SendError::Port { step: "opening the account".into(), error };
        let chain = port.chain_id().map_err(asked)?;
        let genesis = Digest(port.genesis().map_err(asked)?.0);
        let journal =
            Journal::open(journal, &Origin { chain, genesis, account: key.address().into_array() })?;
        Ok(Self { port, key, chain, journal, policy })
    }

    /// The account.
    pub fn account(&self) -> Address {
        self.key.address()
    }

    /// The node that it talks to.
    pub fn port(&mut self) -> &mut P {
        &mut self.port
    }

    /// Chain number of L1.
    pub fn chain_id(&self) -> u64 {
        self.chain
    }

    /// Does a step, or finds that it was done, and returns its receipt once that counts.
    ///
    /// `to` and `data` of a step must be the same each time it is named. Errors: all of [`SendError`]; after
    /// [`SendError::Port`] and [`SendError::Stuck`] the step may have been done or not, and naming it again finds out.
    pub fn submit(&mut self, step: &str, to: TxKind, value: U256, data: Bytes) -> Result<Receipt, SendError> {
        let id = step_digest(step);
        let call = Call { from: self.account(), to, value, data };
        if let Some(receipt) = self.done(step, &id)? {
            return Ok(receipt);
        }
        if self.pending(step, &id)? {
            self.broadcast(step, &id)?;
        } else {
            self.close_gaps(step)?;
            self.attempt(step, id, &call, None)?;
        }
        self.settle(step, id, &call)
    }

    /// The receipt of the attempt that succeeded, if one did.
    fn done(&mut self, step: &str, id: &Digest) -> Result<Option<Receipt>, SendError> {
        for attempt in self.journal.history(id) {
            let receipt = self.port.receipt(attempt.hash()).map_err(|error| at(step, error))?;
            if let Some(receipt) = receipt.filter(|receipt| receipt.success) {
                return self.confirmed(step, receipt);
            }
        }
        Ok(None)
    }

    /// The receipt, as soon as enough blocks stand on it; `None` if a reorganisation took it away meanwhile.
    fn confirmed(&mut self, step: &str, mut receipt: Receipt) -> Result<Option<Receipt>, SendError> {
        let depth = self.policy.confirmations.max(1) - 1;
        while self.port.height().map_err(|error| at(step, error))? < receipt.block + depth {
            self.port.wait().map_err(|error| at(step, error))?;
            match self.port.receipt(receipt.hash).map_err(|error| at(step, error))? {
                Some(found) => receipt = found,
                None => return Ok(None),
            }
        }
        Ok(Some(receipt))
    }

    /// Whether an attempt may still be taken: it was made, and its nonce is not used up.
    fn pending(&mut self, step: &str, id: &Digest) -> Result<bool, SendError> {
        let Some(nonce) = self.journal.attempts(id).last().map(|attempt| attempt.nonce) else {
            return Ok(false);
        };
        Ok(self.used(step)? <= nonce)
    }

    /// Sends again what earlier steps left without a receipt: a nonce that is never taken holds all later ones up.
    fn close_gaps(&mut self, step: &str) -> Result<(), SendError> {
        let used = self.used(step)?;
        for raw in self.journal.open_from(used) {
            match self.port.send(&raw) {
                // Taken meanwhile, or of a step that cannot be afforded any more: this step's own wait decides.
                Ok(()) | Err(PortError::Rejected(_)) => {}
                Err(error) => return Err(at(step, error)),
            }
        }
        Ok(())
    }

    /// Transactions of the account that blocks hold.
    fn used(&mut self, step: &str) -> Result<u64, SendError> {
        let account = self.account();
        self.port.nonce(account).map_err(|error| at(step, error))
    }

    /// Signs an attempt, writes it down and sends it. A first one gets a nonce of its own; a later one replaces.
    fn attempt(
        &mut self,
        step: &str,
        id: Digest,
        call: &Call,
        replaced: Option<&TxEip1559>,
    ) -> Result<(), SendError> {
        let gas = match replaced {
            Some(tx) => tx.gas_limit,
            None => self.preflight(step, call)?,
        };
        let nonce = match replaced {
            Some(tx) => tx.nonce,
            // A step that failed before it was sent leaves no gap: nonces are given as they are written down.
            None => self.used(step)?.max(self.journal.next_nonce()),
        };
        let fees = self.port.fees().map_err(|error| at(step, error))?;
        let (fee, tip) = offer(fees, replaced);
        if fee > self.policy.fee_cap {
            return Err(SendError::FeeCap { step: step.into(), fee, cap: self.policy.fee_cap });
        }
        let mut tx = TxEip1559 {
            chain_id: self.chain,
            nonce,
            gas_limit: gas,
            max_fee_per_gas: fee,
            max_priority_fee_per_gas: tip,
            to: call.to,
            value: call.value,
            input: call.data.clone(),
            ..TxEip1559::default()
        };
        let signature =
            self.key.sign_transaction_sync(&mut tx).map_err(|error| SendError::Signer(error.to_string()))?;
        let raw = TxEnvelope::from(tx.into_signed(signature)).encoded_2718();
        self.journal.record(Attempt { step: id, nonce, raw })?;
        self.broadcast(step, &id)
    }

    /// Asks the contract, and gives the gas to allow.
    fn preflight(&mut self, step: &str, call: &Call) -> Result<u64, SendError> {
        match self.port.estimate(call) {
            Ok(gas) => Ok((gas + gas / 100 * GAS_MARGIN).min(GAS_CAP.max(gas))),
            Err(PortError::Reverted(data)) => Err(SendError::Refused { step: step.into(), data }),
            Err(error) => Err(at(step, error)),
        }
    }

    /// Sends the latest attempt of a step. That its nonce was taken meanwhile, or that a replacement is not wanted, is
    /// for the wait to find out: an attempt of this step may be what was taken.
    fn broadcast(&mut self, step: &str, id: &Digest) -> Result<(), SendError> {
        let attempts = self.journal.attempts(id);
        let (attempt, replaces) =
            (attempts.last().expect("a step that is sent has an attempt"), attempts.len() > 1);
        let nonce = attempt.nonce;
        match self.port.send(&attempt.raw) {
            Err(PortError::Rejected(_)) if replaces || self.used(step)? > nonce => Ok(()),
            sent => sent.map_err(|error| at(step, error)),
        }
    }

    /// Waits for a receipt, and raises the fee where none comes.
    fn settle(&mut self, step: &str, id: Digest, call: &Call) -> Result<Receipt, SendError> {
        for raise in 0..=self.policy.raises {
            for _ in 0..=self.policy.patience {
                if let Some(receipt) = self.done(step, &id)? {
                    return Ok(receipt);
                }
                if self.reverted(step, &id)? {
                    // The same call now says why, unless what stood in its way is gone.
                    self.preflight(step, call)?;
                    return Err(SendError::Refused { step: step.into(), data: Bytes::new() });
                }
                self.port.wait().map_err(|error| at(step, error))?;
            }
            if !self.pending(step, &id)? {
                // Somebody else used the nonce, so none of these attempts can ever be taken.
                match self.done(step, &id)? {
                    Some(receipt) => return Ok(receipt),
                    None => self.attempt(step, id, call, None)?,
                }
            } else if raise < self.policy.raises {
                let last = self.journal.attempts(&id).last().map(|attempt| attempt.raw.clone());
                let replaced = last.and_then(|raw| decode(&raw));
                self.attempt(step, id, call, replaced.as_ref())?;
            }
        }
        let nonce = self.journal.attempts(&id).last().map_or(0, |attempt| attempt.nonce);
        Err(SendError::Stuck { step: step.into(), nonce, raises: self.policy.raises })
    }

    /// Whether the latest attempt was taken and reverted.
    fn reverted(&mut self, step: &str, id: &Digest) -> Result<bool, SendError> {
        for attempt in self.journal.attempts(id) {
            let receipt = self.port.receipt(attempt.hash()).map_err(|error| at(step, error))?;
            if receipt.is_some_and(|receipt| !receipt.success) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn at(step: &str, error: PortError) -> SendError {
    SendError::Port { step: step.into(), error }
}

/// Fee cap and tip to offer: room for the base fee to double, and enough above what is replaced.
fn offer(fees: Fees, replaced: Option<&TxEip1559>) -> (u128, u128) {
    let raised = |old: u128| old + (old * BUMP).div_ceil(100);
    let (fee, tip) = (2 * fees.base + fees.tip, fees.tip);
    replaced.map_or((fee, tip), |tx| {
        (fee.max(raised(tx.max_fee_per_gas)), tip.max(raised(tx.max_priority_fee_per_gas)))
    })
}

/// The transaction of an attempt.
fn decode(raw: &[u8]) -> Option<TxEip1559> {
    use alloy::eips::eip2718::Decodable2718;
    match TxEnvelope::decode_2718(&mut &*raw) {
        Ok(TxEnvelope::Eip1559(signed)) => Some(signed.strip_signature()),
        _ => None,
    }
}
