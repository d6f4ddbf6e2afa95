//! What the rollup needs of an L1 node, whichever it is.

use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use std::{cell::RefCell, rc::Rc};
use thiserror::Error;

/// A message call: what a transaction would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who calls.
    pub from: Address,
    /// A contract, or nothing for its creation.
    pub to: TxKind,
    /// Wei that goes along.
    pub value: U256,
    /// Input, or code with the arguments of the constructor.
    pub data: Bytes,
}

/// What a unit of gas costs, in wei (EIP-1559).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Base fee of the latest block; it moves by an eighth a block at most.
    pub base: u128,
    /// What a block's proposer expects on top.
    pub tip: u128,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction.
    pub hash: B256,
    /// Whether its effects hold. Otherwise its contract reverted, and gas was paid for nothing.
    pub success: bool,
    /// Its block.
    pub block: u64,
    /// Gas that it used.
    pub gas: u64,
    /// The contract that it created.
    pub created: Option<Address>,
}

/// Why a node gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PortError {
    /// The contract refuses the call; the data say why.
    #[error("the contract reverts with {0}")]
    Reverted(Bytes),
    /// The node does not take the request.
    #[error("L1 refuses the request: {0}")]
    Rejected(String),
    /// The address of the node is none.
    #[error("the address of L1 is no http:// or https:// URL: {reason}")]
    BadUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// The node was not reached, or said nothing that makes sense, however often it was tried.
    #[error("L1 at {endpoint} does not answer: {reason}")]
    Unreachable {
        /// Where it should be.
        endpoint: String,
        /// What went wrong.
        reason: String,
    },
    /// What the node keeps on disk cannot be read or written.
    #[error("the files of the embedded L1: {0}")]
    Storage(String),
}

/// An L1 node. Every request may be repeated without harm: sending the same bytes twice is sending them once.
pub trait Port {
    /// Number of the chain that signatures are for (EIP-155).
    fn chain_id(&mut self) -> Result<u64, PortError>;

    /// Hash of the first block: tells a chain from another one of the same number.
    fn genesis(&mut self) -> Result<B256, PortError>;

    /// Height of the latest block.
    fn height(&mut self) -> Result<u64, PortError>;

    /// Transactions of an account that are in blocks: the nonce of its next one.
    fn nonce(&mut self, account: Address) -> Result<u64, PortError>;

    /// Wei that an account holds.
    fn balance(&mut self, account: Address) -> Result<U256, PortError>;

    /// What gas costs now.
    fn fees(&mut self) -> Result<Fees, PortError>;

    /// Runs a call on the latest state and keeps nothing of it. Errors with [`PortError::Reverted`] where it reverts.
    fn call(&mut self, call: &Call) -> Result<Bytes, PortError>;

    /// Gas that a call needs. Errors with [`PortError::Reverted`] where it reverts.
    fn estimate(&mut self, call: &Call) -> Result<u64, PortError>;

    /// Hands a signed transaction in. Accepted, or known already, is `Ok`: neither says that it will be in a block.
    fn send(&mut self, raw: &[u8]) -> Result<(), PortError>;

    /// What became of a transaction, once it is in a block.
    fn receipt(&mut self, transaction: B256) -> Result<Option<Receipt>, PortError>;

    /// Lets time pass until another block may be there.
    fn wait(&mut self) -> Result<(), PortError>;
}

/// Passes every request on.
macro_rules! delegate {
    ($this:ident => $inner:expr) => {
        delegate! { @ $this $inner;
            chain_id() -> u64;
            genesis() -> B256;
            height() -> u64;
            nonce(account: Address) -> u64;
            balance(account: Address) -> U256;
            fees() -> Fees;
            call(call: &Call) -> Bytes;
            estimate(call: &Call) -> u64;
            send(raw: &[u8]) -> ();
            receipt(transaction: B256) -> Option<Receipt>;
            wait() -> ();
        }
    };
    (@ $this:ident $inner:expr; $($name:ident($($argument:ident: $t:ty)?) -> $answer:ty;)*) => {
        $(fn $name(&mut self, $($argument: $t)?) -> Result<$answer, PortError> {
            let $this = self;
            $inner.$name($($argument)?)
        })*
    };
}

impl<P: Port + ?Sized> Port for Box<P> {
    delegate!(this => (**this));
}

/// One connection that several accounts share.
impl<P: Port + ?Sized> Port for Rc<RefCell<P>> {
    delegate!(this => this.borrow_mut());
}
