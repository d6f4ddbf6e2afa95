//! The epoch on L1: every block anchored under two signatures, the final epoch mirrored, and two creators paid there
//! with their own keys. What must be refused on the way is tried, and has to be refused with its own error.

mod steps;

pub(super) use steps::{Shown, run};

use super::DemoError;
use crate::world;
use chain::bridge::{Anchor, B256, Contracts, Embedded, Endpoint, Mining, Port, PrivateKeySigner, U256};
use serde::Serialize;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// Ether of the account that does everything on the embedded L1.
const OPERATOR_ETHER: u64 = 10_000;
/// Chain numbers of common development nodes, whose first account everybody has the key of.
const DEVELOPMENT_CHAINS: [u64; 2] = [31_337, 1_337];
/// That key, which is derived from a published list of words.
const DEVELOPMENT_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// Chains where money is real: Ethereum, OP, BNB, Gnosis, Polygon, zkSync, Base, Arbitrum, Avalanche, Linea, Scroll. The
/// keys of a simulated world are no secret, so nothing of value may depend on them.
const MAIN_NETS: [u64; 11] = [1, 10, 56, 100, 137, 324, 8_453, 42_161, 43_114, 59_144, 534_352];

/// Which L1 a run uses.
#[derive(Clone, Debug, Default)]
pub enum Layer1 {
    /// An EVM in this process.
    #[default]
    Embedded,
    /// A node behind JSON-RPC.
    Endpoint {
        /// Its URL.
        url: String,
        /// Key of an account with wei. Development nodes have one that everybody knows.
        key: Option<PrivateKeySigner>,
    },
}

/// An L1 that answers, and an account on it.
pub(super) struct Connected {
    port: Rc<RefCell<dyn Port>>,
    operator: PrivateKeySigner,
    name: String,
}

impl Layer1 {
    /// Finds the L1 and an account with wei, before anything long is begun.
    pub(super) fn connect(&self, seed: u64) -> Result<Connected, DemoError> {
        let (port, given, place): (Rc<RefCell<dyn Port>>, _, _) = match self {
            Self::Embedded => {
                let operator = world::layer1_key(seed, "operator");
                let wei = U256::from(OPERATOR_ETHER) * U256::from(10).pow(U256::from(18));
                let embedded = Embedded::new(&[(operator.address(), wei)], Mining::AtOnce);
                (Rc::new(RefCell::new(embedded)), Some(operator), "an EVM in this process".into())
            }
            Self::Endpoint { url, key } => {
                let endpoint = Endpoint::new(url)?;
                let origin = endpoint.origin().to_owned();
                (Rc::new(RefCell::new(endpoint)), key.clone(), origin)
            }
        };
        let mut node = Rc::clone(&port);
        let chain = node.chain_id()?;
        if MAIN_NETS.contains(&chain) {
            return Err(DemoError::MainNet);
        }
        let known = || DEVELOPMENT_CHAINS.contains(&chain).then(|| DEVELOPMENT_KEY.parse().expect("a key"));
        let operator: PrivateKeySigner = given.or_else(known).ok_or(DemoError::NoLayer1Key { chain })?;
        if node.balance(operator.address())? == U256::ZERO {
            return Err(DemoError::NoWei { account: operator.address().to_string(), chain });
        }
        Anchor::check(&mut node, operator.address())
            .map_err(|error| DemoError::OtherRules { chain, error: error.to_string() })?;
        let name = format!("{place}, chain {chain}");
        Ok(Connected { port, operator, name })
    }
}

/// Gas of one kind of transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gas {
    /// Transactions.
    pub transactions: u64,
    /// Gas of all of them.
    pub gas: u64,
}

/// A lie that was told to L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// What was tried.
    pub attempt: String,
    /// The contract's answer.
    pub answer: String,
    /// Whether it was refused with the error that belongs to it.
    pub as_expected: bool,
}

/// A payout on L1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paid {
    /// The creator.
    pub creator: String,
    /// Its account.
    pub account: String,
    /// Claims that it sent.
    pub claims: u64,
    /// Micro-credits that it was owed.
    pub owed: u64,
    /// Micro-credits that its account holds in the end.
    pub holds: u64,
}

/// What L1 has in the end. `metrics.json` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnLayer1 {
    /// Which L1.
    pub node: String,
    /// Where the contracts are.
    pub contracts: Contracts,
    /// Blocks of the rollup.
    pub blocks: u64,
    /// Batches that they were anchored in.
    pub batches: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// State root after the last, as L1 has it.
    pub last_root: B256,
    /// The batch after which the rollup's root is that of the block that settled the epoch.
    pub epoch_batch: u64,
    /// That root, as L1 has it: `cwe epoch verify` takes it.
    pub epoch_root: B256,
    /// Whether that is the root of the rollup's last block.
    pub anchored: bool,
    /// Whether the mirror equals the chain's record of the epoch, field by field.
    pub mirror_equal: bool,
    /// Who was paid.
    pub paid: Vec<Paid>,
    /// What the vault still holds for the epoch.
    pub remaining: u64,
    /// What was tried and had to be refused.
    pub refusals: Vec<Tried>,
    /// Gas by kind of transaction.
    pub gas: BTreeMap<String, Gas>,
}

impl OnLayer1 {
    /// Whether everybody was paid exactly what the epoch owes on L1.
    pub fn paid_in_full(&self) -> bool {
        self.remaining == 0 && !self.paid.is_empty() && self.paid.iter().all(|paid| paid.owed == paid.holds)
    }
}
