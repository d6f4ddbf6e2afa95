//! Sends what has to happen on L1, each step once, whatever breaks in between.
//!
//! A *step* has a name that never changes, such as `batch 7`. Before anything is sent, the signed transaction is in the
//! [`Journal`]. Whoever comes back after a crash finds it there, sends the same bytes again and waits for them; raising
//! the fee keeps the nonce. So L1 takes at most one transaction of a step, unless one that it took reverted.

mod error;

pub use error::SendError;

use super::{
    journal::{Attempt, Journal, Origin, step_digest},
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
    /// Waits for a receipt before the fee is raised, and before a receipt that should be there is given up.
    pub patience: u32,
    /// Times that the fee is raised before the step is given up.
    pub raises: u32,
    /// Most wei for a unit of gas. A step that would cost more waits for somebody's decision.
    pub fee_cap: u128,
}

impl Default for Policy {
    fn default() -> Self {
        Self { confirmations: 1, patience: 60, raises: 6, fee_cap: 500_000_000_000 }
    }
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
    /// `to` and `value` of a step must be the same each time it is named; `data` may only differ in what does not
    /// matter, such as who signed. Errors: all of [`SendError`]. After [`SendError::Port`], [`SendError::FeeCap`],
    /// [`SendError::Unconfirmed`] and [`SendError::Stuck`] the step may have been done or not, and naming it again
    /// finds out.
    pub fn submit(&mut self, step: &str, to: TxKind, value: U256, data: Bytes) -> Result<Receipt, SendError> {
        let id = step_digest(step);
        let call = Call { from: self.account(), to, value, data };
        let begun = self.journal.history(&id).iter().filter_map(|attempt| decode(&attempt.raw));
        if begun.clone().any(|tx| tx.to != call.to || tx.value != call.value) {
            return Err(SendError::StepChanged { step: step.into() });
        }
        match self.look(step, &id)? {
            Look::New => {
                self.close_gaps(step)?;
                self.attempt(step, id, &call, None)?;
            }
            // A revert that counts frees the step: what stood in its way may be gone.
            Look::Reverted => self.attempt(step, id, &call, None)?,
            Look::Open => self.resume(step, id, &call)?,
            Look::Done(_) | Look::Shallow(_) | Look::Gone(_) => {}
        }
        self.settle(step, id, &call)
    }

    /// Lets a step that was [`SendError::Displaced`] start over with another nonce. For whoever knows that none of its
    /// transactions was taken, or that taking it twice does no harm.
    pub fn forget(&mut self, step: &str) -> Result<(), SendError> {
        let id = step_digest(step);
        if let Some(nonce) = self.journal.attempts(&id).last().map(|attempt| attempt.nonce) {
            self.journal.record(Attempt { step: id, nonce, raw: Vec::new() })?;
        }
        Ok(())
    }

    /// Where a step stands. A receipt is believed only as deep as the policy says, whatever it tells.
    fn look(&mut self, step: &str, id: &Digest) -> Result<Look, SendError> {
        let depth = self.policy.confirmations.max(1) - 1;
        let mut shallow = None;
        let mut reverted = false;
        let latest = self.journal.attempts(id).last().map(|attempt| attempt.nonce);
        for attempt in self.journal.history(id).iter().filter(|attempt| !attempt.raw.is_empty()) {
            let found = self.port.receipt(attempt.hash()).map_err(|error| at(step, error))?;
            let Some(receipt) = found else { continue };
            let deep = self.port.height().map_err(|error| at(step, error))? >= receipt.block + depth;
            match (receipt.success, deep) {
                (true, true) => return Ok(Look::Done(receipt)),
                (_, false) => shallow = Some(receipt.block),
                (false, true) => reverted |= latest == Some(attempt.nonce),
            }
        }
        if let Some(block) = shallow {
            return Ok(Look::Shallow(block));
        }
        let Some(nonce) = latest else { return Ok(Look::New) };
        if reverted {
            return Ok(Look::Reverted);
        }
        Ok(if self.used(step)? > nonce { Look::Gone(nonce) } else { Look::Open })
    }

    /// Sends an open step again, or, where the pool takes none of its attempts any more, one at today's fees.
    fn resume(&mut self, step: &str, id: Digest, call: &Call) -> Result<(), SendError> {
        match self.broadcast(step, &id) {
            Err(SendError::Port { error: PortError::Rejected(_), .. }) => self.replace(step, id, call),
            sent => sent,
        }
    }

    /// Offers more for a step.
    fn replace(&mut self, step: &str, id: Digest, call: &Call) -> Result<(), SendError> {
        let last = self.journal.attempts(&id).last().and_then(|attempt| decode(&attempt.raw));
        self.attempt(step, id, call, last.as_ref())
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
            Ok(gas) => Ok(gas.saturating_add(gas / 100 * GAS_MARGIN).min(GAS_CAP.max(gas))),
            Err(PortError::Reverted(data)) => Err(SendError::Refused { step: step.into(), data }),
            Err(error) => Err(at(step, error)),
        }
    }

    /// Sends the attempts of a step until the pool takes one, the dearest first. That the nonce was used meanwhile is
    /// for the next look to judge: an attempt of this step may be what was taken.
    fn broadcast(&mut self, step: &str, id: &Digest) -> Result<(), SendError> {
        let attempts = self.journal.attempts(id).to_vec();
        let mut refused = None;
        for attempt in attempts.iter().rev() {
            match self.port.send(&attempt.raw) {
                Ok(()) => return Ok(()),
                Err(PortError::Rejected(_)) if self.used(step)? > attempt.nonce => return Ok(()),
                Err(error @ PortError::Rejected(_)) => refused = refused.or(Some(error)),
                Err(error) => return Err(at(step, error)),
            }
        }
        refused.map_or(Ok(()), |error| Err(at(step, error)))
    }

    /// Waits until the step is done for good, and raises the fee where no block takes it.
    fn settle(&mut self, step: &str, id: Digest, call: &Call) -> Result<Receipt, SendError> {
        let (mut open, mut raises, mut gone, mut shallow) = (0u32, 0u32, 0u32, 0u64);
        let patience = self.policy.patience;
        loop {
            match self.look(step, &id)? {
                Look::Done(receipt) => return Ok(receipt),
                Look::Reverted => {
                    // The same call now says why, unless what stood in its way is gone.
                    self.preflight(step, call)?;
                    return Err(SendError::Refused { step: step.into(), data: Bytes::new() });
                }
                Look::Shallow(block) => {
                    shallow += 1;
                    if shallow > u64::from(patience) * self.policy.confirmations.max(1) {
                        return Err(SendError::Unconfirmed { step: step.into(), block });
                    }
                }
                Look::Gone(nonce) => {
                    // Nodes may know of a block before they know its receipts.
                    gone += 1;
                    if gone > patience {
                        return Err(SendError::Displaced { step: step.into(), nonce });
                    }
                }
                Look::New | Look::Open => {
                    open += 1;
                    if open > patience {
                        if raises == self.policy.raises {
                            let nonce = self.journal.attempts(&id).last().map_or(0, |attempt| attempt.nonce);
                            return Err(SendError::Stuck { step: step.into(), nonce, raises });
                        }
                        (open, raises) = (0, raises + 1);
                        match self.replace(step, id, call) {
                            // The attempts before may still be taken.
                            Err(SendError::Port { error: PortError::Rejected(_), .. }) => {}
                            replaced => replaced?,
                        }
                    }
                }
            }
            self.port.wait().map_err(|error| at(step, error))?;
        }
    }
}

/// Where a step stands on L1.
enum Look {
    /// Nothing was signed for it, or what was is forgotten.
    New,
    /// It may still be taken.
    Open,
    /// It was taken, in this block, and too few blocks follow to count on it.
    Shallow(u64),
    /// It is done.
    Done(Receipt),
    /// Its latest transaction was taken and reverted.
    Reverted,
    /// Its nonce is used, and no receipt is there.
    Gone(u64),
}

fn at(step: &str, error: PortError) -> SendError {
    SendError::Port { step: step.into(), error }
}

/// Fee cap and tip to offer: room for the base fee to double, and enough above what is replaced.
fn offer(fees: Fees, replaced: Option<&TxEip1559>) -> (u128, u128) {
    let raised = |old: u128| old.saturating_add(old.saturating_mul(BUMP).div_ceil(100));
    let (fee, tip) = (fees.base.saturating_mul(2).saturating_add(fees.tip), fees.tip);
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
