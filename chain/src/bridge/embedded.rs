//! An L1 in this process: the EVM of revm, a pool of transactions, blocks, and a log on disk. Nothing to install.
//!
//! It has one proposer, which is the caller, and never reorganises. Everything else is as on a real chain: signatures,
//! nonces, fees, gas limits, reverts, and contracts that run as they are deployed. Opening the same file again runs its
//! transactions again and leads to the same state.

mod evm;

use super::port::{Call, Fees, Port, PortError, Receipt};
use crate::log::BlockLog;
use alloy::{
    consensus::{Transaction, TxEnvelope, transaction::SignerRecoverable},
    eips::eip2718::Decodable2718,
    primitives::{Address, B256, Bytes, U256, keccak256},
};
use evm::Evm;
use std::{collections::BTreeMap, path::Path};

/// Chain number of the embedded L1. No public chain has it.
pub const CHAIN_ID: u64 = 0xc3e;
/// Gas of a block.
const BLOCK_GAS: u64 = 36_000_000;
/// Base fee of every block, in wei. It does not move: blocks are as full as the caller makes them.
const BASE_FEE: u64 = 1_000_000_000;
/// Tip that is asked for, in wei.
const TIP: u128 = 1_000_000_000;
/// What a replacement has to offer more, in percent, as common pools demand.
const REPLACEMENT: u128 = 10;

/// When transactions get into blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mining {
    /// A block as soon as something was handed in.
    AtOnce,
    /// A block at every [`Port::wait`].
    OnWait,
}

struct Pending {
    raw: Vec<u8>,
    tx: TxEnvelope,
}

/// The embedded L1.
pub struct Embedded {
    evm: Evm,
    mining: Mining,
    pool: BTreeMap<(Address, u64), Pending>,
    receipts: BTreeMap<B256, Receipt>,
    height: u64,
    genesis: B256,
    log: Option<BlockLog>,
}

impl Embedded {
    /// An L1 in memory that gives each of `funded` its wei.
    pub fn new(funded: &[(Address, U256)], mining: Mining) -> Self {
        let mut written = Vec::new();
        for (account, wei) in funded {
            written.extend_from_slice(account.as_slice());
            written.extend_from_slice(&wei.to_be_bytes::<32>());
        }
        Self {
            evm: Evm::new(CHAIN_ID, funded),
            mining,
            pool: BTreeMap::new(),
            receipts: BTreeMap::new(),
            height: 0,
            genesis: keccak256(written),
            log: None,
        }
    }

    /// The L1 whose blocks are in a file, or a new one. `funded` has to be what it was begun with.
    ///
    /// Errors: [`PortError::Storage`].
    pub fn open(
        path: impl AsRef<Path>,
        funded: &[(Address, U256)],
        mining: Mining,
    ) -> Result<Self, PortError> {
        let (mut log, blocks) = BlockLog::open(path).map_err(storage)?;
        let mut embedded = Self::new(funded, mining);
        let mut blocks = blocks.into_iter();
        match blocks.next() {
            Some(first) if first == embedded.genesis.as_slice() => {}
            Some(_) => return Err(PortError::Storage("they begin with other accounts".into())),
            None => drop(log.append(0, embedded.genesis.as_slice()).map_err(storage)?),
        }
        for raw in blocks {
            let tx = if raw.is_empty() { None } else { Some(decode(&raw)?) };
            embedded.block(tx.map(|tx| Pending { raw, tx }))?;
        }
        embedded.log = Some(log);
        Ok(embedded)
    }

    /// Makes a block of the first transaction that can be in one, or an empty block. One transaction a block keeps the
    /// log simple and the order plain.
    ///
    /// Errors: [`PortError::Storage`].
    pub fn mine(&mut self) -> Result<(), PortError> {
        let ready = self.pool.keys().find(|(account, nonce)| self.evm.nonce(*account) == *nonce).copied();
        let pending = ready.and_then(|key| self.pool.remove(&key));
        self.block(pending)
    }

    /// Makes a block. A transaction that belongs in no block is dropped: it runs before anything is written.
    fn block(&mut self, pending: Option<Pending>) -> Result<(), PortError> {
        let height = self.height + 1;
        let tried = match &pending {
            None => None,
            Some(Pending { tx, .. }) => {
                let from = sender(tx)?;
                Some(self.evm.execute(height, from, tx).map_err(PortError::Rejected)?)
            }
        };
        if let Some(log) = &mut self.log {
            // On disk first: whoever has seen a receipt finds it again.
            let raw = pending.as_ref().map_or(&[][..], |pending| &pending.raw);
            log.append(height, raw).map_err(storage)?;
        }
        self.height = height;
        if let (Some(Pending { raw, .. }), Some((ran, changes))) = (pending, tried) {
            self.evm.commit(changes);
            let hash = keccak256(&raw);
            let receipt = Receipt {
                hash,
                success: ran.success,
                block: self.height,
                gas: ran.gas,
                created: ran.created,
            };
            self.receipts.insert(hash, receipt);
        }
        let evm = &self.evm;
        self.pool.retain(|(account, nonce), _| evm.nonce(*account) <= *nonce);
        Ok(())
    }

    /// What a pool checks before it keeps a transaction.
    fn admit(&self, from: Address, tx: &TxEnvelope) -> Result<(), String> {
        let next = self.evm.nonce(from);
        if tx.chain_id() != Some(CHAIN_ID) {
            return Err(format!("the transaction is for chain {:?}, this is {CHAIN_ID}", tx.chain_id()));
        }
        if tx.nonce() < next {
            return Err(format!("nonce {} is used: the next is {next}", tx.nonce()));
        }
        if tx.gas_limit() > BLOCK_GAS {
            return Err(format!("a gas limit of {}, and a block has {BLOCK_GAS}", tx.gas_limit()));
        }
        if tx.max_fee_per_gas() < u128::from(BASE_FEE) {
            return Err(format!("a fee of {} wei is below the base fee", tx.max_fee_per_gas()));
        }
        let gas = U256::from(tx.gas_limit()).saturating_mul(U256::from(tx.max_fee_per_gas()));
        let (most, balance) = (gas.saturating_add(tx.value()), self.evm.balance(from));
        if balance < most {
            return Err(format!("{from} holds {balance} wei and may have to pay {most}"));
        }
        match self.pool.get(&(from, tx.nonce())) {
            Some(Pending { tx: old, .. })
                if tx.max_fee_per_gas() * 100 < old.max_fee_per_gas() * (100 + REPLACEMENT) =>
            {
                Err("a replacement has to offer a tenth more".into())
            }
            _ => Ok(()),
        }
    }
}

fn storage(error: crate::log::LogError) -> PortError {
    PortError::Storage(error.to_string())
}

fn decode(raw: &[u8]) -> Result<TxEnvelope, PortError> {
    let mut rest = raw;
    match TxEnvelope::decode_2718(&mut rest) {
        Ok(tx) if rest.is_empty() => Ok(tx),
        Ok(_) => Err(PortError::Rejected("bytes after the transaction".into())),
        Err(error) => Err(PortError::Rejected(format!("no transaction: {error}"))),
    }
}

fn sender(tx: &TxEnvelope) -> Result<Address, PortError> {
    tx.recover_signer().map_err(|error| PortError::Rejected(format!("signature: {error}")))
}

impl Port for Embedded {
    fn chain_id(&mut self) -> Result<u64, PortError> {
        Ok(CHAIN_ID)
    }

    fn genesis(&mut self) -> Result<B256, PortError> {
        Ok(self.genesis)
    }

    fn height(&mut self) -> Result<u64, PortError> {
        Ok(self.height)
    }

    fn nonce(&mut self, account: Address) -> Result<u64, PortError> {
        Ok(self.evm.nonce(account))
    }

    fn balance(&mut self, account: Address) -> Result<U256, PortError> {
        Ok(self.evm.balance(account))
    }

    fn fees(&mut self) -> Result<Fees, PortError> {
        Ok(Fees { base: BASE_FEE.into(), tip: TIP })
    }

    fn call(&mut self, call: &Call) -> Result<Bytes, PortError> {
        self.evm.call(self.height + 1, call).map(|ran| ran.output)
    }

    fn estimate(&mut self, call: &Call) -> Result<u64, PortError> {
        self.evm.call(self.height + 1, call).map(|ran| ran.limit)
    }

    fn send(&mut self, raw: &[u8]) -> Result<(), PortError> {
        let hash = keccak256(raw);
        let tx = decode(raw)?;
        let from = sender(&tx)?;
        let key = (from, tx.nonce());
        let known = self.receipts.contains_key(&hash)
            || self.pool.get(&key).is_some_and(|pending| pending.raw == raw);
        if !known {
            self.admit(from, &tx).map_err(PortError::Rejected)?;
            self.pool.insert(key, Pending { raw: raw.to_vec(), tx });
        }
        if self.mining == Mining::AtOnce && !self.receipts.contains_key(&hash) {
            self.mine()?;
        }
        Ok(())
    }

    fn receipt(&mut self, transaction: B256) -> Result<Option<Receipt>, PortError> {
        Ok(self.receipts.get(&transaction).copied())
    }

    fn wait(&mut self) -> Result<(), PortError> {
        self.mine()
    }
}
