//! How the chain is reached: a node in this process, or one elsewhere.

use super::SettlementError;
use chain::{Ledger, Transaction, node::Node};
use std::sync::Mutex;

/// A way to the chain.
pub trait Port: Send + Sync {
    /// Shows the ledger after the last block that is known here.
    fn look(&self, with: &mut dyn FnMut(&Ledger));

    /// Hands a transaction in. `Ok` says that it is in a block, or on its way into one.
    ///
    /// # Errors
    /// [`SettlementError::Refused`] if the ledger refuses it, [`SettlementError::Node`] if the node cannot go on.
    fn submit(&self, transaction: &Transaction) -> Result<(), SettlementError>;
}

/// What somebody finds who looks at the ledger.
pub fn read<T>(port: &dyn Port, find: impl FnOnce(&Ledger) -> T) -> T {
    let (mut find, mut found) = (Some(find), None);
    port.look(&mut |ledger| found = find.take().map(|find| find(ledger)));
    found.expect("a port shows the ledger when it is asked to")
}

/// A node of this process: each transaction has a block of its own.
impl Port for Mutex<Node> {
    fn look(&self, with: &mut dyn FnMut(&Ledger)) {
        with(self.lock().expect("nobody panics while holding the node").ledger());
    }

    fn submit(&self, transaction: &Transaction) -> Result<(), SettlementError> {
        let mut node = self.lock().expect("nobody panics while holding the node");
        node.submit(transaction)?;
        node.produce_block()?;
        Ok(())
    }
}
