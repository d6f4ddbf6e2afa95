//! revm behind the four questions that the embedded L1 asks.

use super::{
    super::port::{Call, PortError},
    BASE_FEE, BLOCK_GAS,
};
use alloy::{
    consensus::{Transaction, TxEnvelope},
    primitives::{Address, Bytes, U256},
};
use revm::{
    Context, DatabaseCommit, ExecuteEvm, MainBuilder, MainContext,
    context::{
        CfgEnv, TxEnv,
        result::{ExecutionResult, Output},
    },
    database::{CacheDB, EmptyDB},
    primitives::hardfork::SpecId,
    state::{AccountInfo, EvmState},
};

/// Seconds between blocks.
const BLOCK_SECONDS: u64 = 12;
/// Time of the first block, in seconds of the Unix epoch: fixed, so that the same transactions give the same state.
const FIRST_BLOCK: u64 = 1_767_225_600;
/// Rules of the chain: a hard fork that main net and every current development chain have.
const RULES: SpecId = SpecId::PRAGUE;
/// Times that the estimate's bounds are halved.
const SEARCH: u32 = 24;

/// What running a transaction came to.
pub(super) struct Ran {
    pub(super) success: bool,
    pub(super) gas: u64,
    pub(super) output: Bytes,
    pub(super) created: Option<Address>,
}

/// What a call would come to.
pub(super) struct Answer {
    pub(super) output: Bytes,
    /// Gas limit under which it succeeds.
    pub(super) limit: u64,
}

/// The state of the chain.
pub(super) struct Evm {
    chain: u64,
    db: CacheDB<EmptyDB>,
}

impl Evm {
    pub(super) fn new(chain: u64, funded: &[(Address, U256)]) -> Self {
        let mut db = CacheDB::new(EmptyDB::default());
        for (account, wei) in funded {
            db.insert_account_info(*account, AccountInfo { balance: *wei, ..AccountInfo::default() });
        }
        Self { chain, db }
    }

    fn account(&self, account: Address) -> AccountInfo {
        self.db.cache.accounts.get(&account).map(|found| found.info.clone()).unwrap_or_default()
    }

    pub(super) fn nonce(&self, account: Address) -> u64 {
        self.account(account).nonce
    }

    pub(super) fn balance(&self, account: Address) -> U256 {
        self.account(account).balance
    }

    /// Runs a transaction in a block, and gives what it would change. An error means that it belongs in no block.
    pub(super) fn execute(
        &mut self,
        height: u64,
        from: Address,
        tx: &TxEnvelope,
    ) -> Result<(Ran, EvmState), String> {
        let env = TxEnv::builder()
            .tx_type(Some(u8::from(tx.tx_type())))
            .caller(from)
            .kind(tx.kind())
            .value(tx.value())
            .data(tx.input().clone())
            .nonce(tx.nonce())
            .gas_limit(tx.gas_limit())
            .gas_price(tx.max_fee_per_gas())
            .gas_priority_fee(tx.max_priority_fee_per_gas())
            .access_list(tx.access_list().cloned().unwrap_or_default())
            .chain_id(tx.chain_id())
            .build()
            .map_err(|error| format!("{error:?}"))?;
        let (chain, db) = (self.chain, &mut self.db);
        let mut evm = context(chain, height).with_db(db).build_mainnet();
        let done = evm.transact(env).map_err(|error| error.to_string())?;
        Ok((ran(done.result), done.state))
    }

    /// Keeps what a transaction changed.
    pub(super) fn commit(&mut self, changes: EvmState) {
        self.db.commit(changes);
    }

    /// Runs a call on the state as it is, and finds the gas that it needs.
    pub(super) fn call(&self, height: u64, call: &Call) -> Result<Answer, PortError> {
        let full = self.dry(height, call, BLOCK_GAS)?;
        if !full.success {
            return Err(PortError::Reverted(full.output));
        }
        // Gas used is a lower bound only: refunds come after, and calls keep a 64th back.
        let (mut enough, mut short) = (BLOCK_GAS, full.gas.saturating_sub(1));
        if self.dry(height, call, full.gas)?.success {
            enough = full.gas;
        }
        for _ in 0..SEARCH {
            let middle = short + (enough - short) / 2;
            if enough - short <= enough / 64 {
                break;
            }
            if self.dry(height, call, middle)?.success { enough = middle } else { short = middle }
        }
        Ok(Answer { output: full.output, limit: enough })
    }

    fn dry(&self, height: u64, call: &Call, gas: u64) -> Result<Ran, PortError> {
        let env = TxEnv::builder()
            .caller(call.from)
            .kind(call.to)
            .value(call.value)
            .data(call.data.clone())
            .nonce(self.nonce(call.from))
            .gas_limit(gas)
            .chain_id(Some(self.chain))
            .build()
            .map_err(|error| PortError::Rejected(format!("{error:?}")))?;
        let mut evm = context(self.chain, height)
            .modify_cfg_chained(|cfg| cfg.tx_gas_limit_cap = Some(u64::MAX))
            .with_db(CacheDB::new(&self.db))
            .modify_block_chained(|block| block.basefee = 0)
            .build_mainnet();
        match evm.transact(env) {
            Ok(done) => Ok(ran(done.result)),
            Err(error) => Err(PortError::Rejected(error.to_string())),
        }
    }
}

/// The environment of a block.
fn context(chain: u64, height: u64) -> revm::handler::MainnetContext<EmptyDB> {
    Context::mainnet()
        .modify_cfg_chained(|cfg: &mut CfgEnv| {
            cfg.set_spec_and_mainnet_gas_params(RULES);
            cfg.chain_id = chain;
        })
        .modify_block_chained(|block| {
            block.number = U256::from(height);
            block.timestamp = U256::from(FIRST_BLOCK + height * BLOCK_SECONDS);
            block.gas_limit = BLOCK_GAS;
            block.basefee = BASE_FEE;
        })
}

fn ran(result: ExecutionResult) -> Ran {
    let (success, gas) = (result.is_success(), result.tx_gas_used());
    let created = result.created_address();
    let output = match result {
        ExecutionResult::Success { output: Output::Call(bytes) | Output::Create(bytes, _), .. } => bytes,
        ExecutionResult::Revert { output, .. } => output,
        ExecutionResult::Halt { .. } => Bytes::new(),
    };
    Ran { success, gas, output, created }
}
