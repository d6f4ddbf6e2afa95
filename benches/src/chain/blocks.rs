//! Blocks of one kind of transaction, and the permutations that they cannot do without.

use super::world::{CHAIN, OFFICES, World};
use crate::measure::{Side, Watch};
use ::chain::{
    Block, Ledger, Payload, Transaction,
    modules::{
        dapr::{Claim, ClaimNullifier, PayoutLeaf},
        treasury::{Account, Fund, FundBalance},
    },
    poseidon::{CHUNK_BYTES, Felt},
    signature::{PublicKey, Signature},
    state::{Stored, ToFelts, tables::TABLES},
    transaction::{AccountSignature, signing_message},
};
use primitives::{Credits, Encode, EpochId, PersonId, WorkId};
use rayon::ThreadPool;
use std::ops::Range;

/// Levels of a table's tree.
const DEPTH: usize = ::chain::state::tree::TREE_DEPTH;

/// Permutations of a sponge over `n` elements.
pub(super) fn sponge(n: usize) -> usize {
    n.div_ceil(2).max(1)
}

/// Nodes above positions, which ascend, up to the root.
pub(super) fn nodes_above(positions: &[u32]) -> usize {
    let mut above: Vec<u64> = positions.iter().map(|at| u64::from(*at)).collect();
    let mut level = || {
        above.iter_mut().for_each(|at| *at >>= 1);
        above.dedup();
        above.len()
    };
    (0..DEPTH).map(|_| level()).sum()
}

/// Permutations for records of a table that were written anew: the value of each, the leaves at these positions, and
/// the nodes above them.
fn changed<L: Stored>(record: &L, records: usize, positions: Range<u32>) -> usize {
    let leaves: Vec<u32> = positions.collect();
    records * sponge(record.value().len()) + leaves.len() * sponge(3) + nodes_above(&leaves)
}

/// The same for records that are new: the key of each besides, which is hashed once.
fn inserted<L: Stored>(record: &L, records: usize, positions: Range<u32>) -> usize {
    records * sponge(1 + record.key().to_felts().len()) + changed(record, records, positions)
}

/// Permutations of the root over all tables.
fn state_root() -> usize {
    TABLES.next_power_of_two() as usize - 1 + sponge(2)
}

/// Transactions, the ledger that they apply to, and the permutations that they cannot do without.
pub(super) struct Blockful {
    pub(super) before: Ledger,
    pub(super) transactions: Vec<Transaction>,
    /// When each is applied, all together.
    pub(super) applying: usize,
    /// When the block is sealed.
    pub(super) sealing: usize,
}

impl Blockful {
    pub(super) fn claims(world: &World) -> Self {
        let claims = world.claims();
        let n = claims.len();
        let of_claim = |claim: &Claim| {
            let Claim { epoch, work, payee, amount, path } = claim;
            let leaf = PayoutLeaf { epoch: *epoch, work: *work, payee: *payee, amount: *amount };
            sponge(leaf.to_felts().len()) + path.siblings.len() + sponge(2)
        };
        let applying = claims.iter().map(of_claim).sum();
        let nullifier = ClaimNullifier { epoch: EpochId(0), work: WorkId([0; 32]), payee: PersonId([0; 32]) };
        let fund = FundBalance { fund: Fund::Unclaimed, balance: Credits::ZERO };
        // New nullifiers follow the sentinel, whose leaf changes as well; a fund is one leaf of a few.
        let sealing = inserted(&nullifier, n, 0..n as u32 + 1)
            + accounts(world, n)
            + changed(&fund, 1, 0..1)
            + state_root();
        let open = |claim| Transaction::open(Payload::Claim(claim));
        let transactions = claims.into_iter().map(open).collect();
        Self { before: world.ledger.clone(), transactions, applying, sealing }
    }

    pub(super) fn transfers(world: &mut World, before: Ledger) -> Self {
        let transactions = world.transfers(&before);
        let message = |tx: &Transaction| {
            let signer = tx.authorisation.as_ref().expect("transfers are signed");
            let parts =
                [CHAIN.to_bytes(), signer.signer.to_bytes(), signer.nonce.to_bytes(), tx.payload.to_bytes()];
            sponge(1 + parts.concat().len().div_ceil(CHUNK_BYTES))
        };
        let applying = transactions.iter().map(message).sum();
        let sealing = accounts(world, transactions.len()) + state_root();
        Self { before, transactions, applying, sealing }
    }

    pub(super) fn len(&self) -> usize {
        self.transactions.len()
    }

    pub(super) fn apply(&self, ledger: &mut Ledger) {
        for tx in &self.transactions {
            ledger.apply(tx).expect("a valid transaction");
        }
    }

    pub(super) fn applied(&self) -> Ledger {
        let mut ledger = self.before.clone();
        self.apply(&mut ledger);
        ledger
    }

    pub(super) fn applying<'a>(&'a self, name: &'a str) -> Side<'a> {
        Side::with_setup(name, self.len(), |watch| {
            let mut ledger = self.before.clone();
            watch.time(|| self.apply(&mut ledger));
        })
    }

    /// Repeating the block, as every node that checks it does.
    pub(super) fn replaying<'a>(&'a self, name: &'a str, block: &'a Block) -> Side<'a> {
        Side::with_setup(name, self.len(), |watch| {
            let before = self.before.clone();
            watch.time(|| before.replay(block).expect("a valid block"));
        })
    }

    pub(super) fn replaying_on<'a>(
        &'a self,
        cores: &'a ThreadPool,
        name: &'a str,
        block: &'a Block,
    ) -> Side<'a> {
        let replay = |watch: &mut Watch| {
            let before = self.before.clone();
            watch.time(|| cores.install(|| before.replay(block)).expect("a valid block"));
        };
        Side::with_setup(name, self.len(), replay).on_many_threads()
    }

    /// Bytes of one of the transactions, on average.
    pub(super) fn bytes(&self) -> f64 {
        let all: usize = self.transactions.iter().map(|tx| tx.to_bytes().len()).sum();
        all as f64 / self.len() as f64
    }

    pub(super) fn sealing<'a>(&self, name: &'a str, applied: &'a Ledger) -> Side<'a> {
        Side::with_setup(name, self.len(), |watch| {
            let mut ledger = applied.clone();
            watch.time(|| ledger.seal());
        })
    }

    pub(super) fn sealing_on<'a>(
        &self,
        cores: &'a ThreadPool,
        name: &'a str,
        applied: &'a Ledger,
    ) -> Side<'a> {
        let seal = |watch: &mut Watch| {
            let mut ledger = applied.clone();
            watch.time(|| cores.install(|| ledger.seal()));
        };
        Side::with_setup(name, self.len(), seal).on_many_threads()
    }

    /// What verifies the signatures of the block.
    pub(super) fn signatures(&self) -> Vec<(PublicKey, [Felt; 1], Signature)> {
        let part = |tx: &Transaction| {
            let signed = tx.authorisation.as_ref().expect("transfers are signed");
            let account = self.before.state().accounts.get(&signed.signer).expect("an account");
            let message = signing_message(CHAIN, signed.signer, signed.nonce, &tx.payload);
            let AccountSignature::Key(signature) = signed.signature else {
                unreachable!("keys sign transfers")
            };
            (account.key, message, signature)
        };
        self.transactions.iter().map(part).collect()
    }
}

/// Permutations for the accounts of all persons, which stand together after those of the offices.
fn accounts(world: &World, count: usize) -> usize {
    let account: &Account = world.ledger.state().accounts.iter().next().expect("offices have accounts");
    changed(account, count, OFFICES + 1..OFFICES + 1 + count as u32)
}

pub(super) fn verify_all(signatures: &[(PublicKey, [Felt; 1], Signature)]) {
    for (key, message, signature) in signatures {
        key.verify(message, signature).expect("a signature");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_above_positions_are_counted_once() {
        assert_eq!(nodes_above(&[0]), DEPTH);
        assert_eq!(nodes_above(&[0, 1, 2, 3]), DEPTH + 1);
        assert_eq!(nodes_above(&[1, 2]), DEPTH + 1);
        assert_eq!([0, 1, 2, 3].map(sponge), [1, 1, 1, 2]);
    }
}
