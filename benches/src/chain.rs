//! Blocks of the ledger beside the signatures and hashes that they cannot do without.

mod world;

use crate::{
    measure::{Plan, Samples, Side, by_turns},
    report::{Topic, duration, grouped, ratio},
};
use ::chain::{
    Block, Ledger, Payload, Transaction,
    modules::{
        dapr::{Claim, ClaimNullifier, PayoutLeaf},
        treasury::{Account, Fund, FundBalance},
    },
    poseidon::{CHUNK_BYTES, Felt, hash2},
    signature::{PublicKey, Signature},
    state::{Stored, ToFelts, tables::TABLES},
    transaction::{AccountSignature, signing_message},
};
use primitives::{Credits, Encode, EpochId, PersonId, WorkId};
use std::ops::Range;
use world::{CHAIN, OFFICES, World};

/// Levels of a table's tree.
const DEPTH: usize = ::chain::state::tree::TREE_DEPTH;

/// Permutations of a sponge over `n` elements.
fn sponge(n: usize) -> usize {
    n.div_ceil(2).max(1)
}

/// Nodes above neighbouring positions, up to the root.
fn nodes_above(positions: &Range<u32>) -> usize {
    let at = |height: usize| ((positions.end - 1) >> height) - (positions.start >> height) + 1;
    (1..=DEPTH).map(|height| if height < 32 { at(height) as usize } else { 1 }).sum()
}

/// Permutations that bring records of a table up to date: key, value and leaf of each changed record, the leaves of
/// `linked` neighbours, and the nodes above all of them.
fn table<L: Stored>(record: &L, records: usize, positions: &Range<u32>) -> usize {
    let (key, value) = (sponge(1 + record.key().to_felts().len()), sponge(record.value().len()));
    records * (key + value) + positions.len() * sponge(3) + nodes_above(positions)
}

/// Permutations of the root over all tables.
fn state_root() -> usize {
    TABLES.next_power_of_two() as usize - 1 + sponge(2)
}

/// Transactions, the ledger that they apply to, and the permutations that they cannot do without.
struct Blockful {
    before: Ledger,
    transactions: Vec<Transaction>,
    /// When each is applied, all together.
    applying: usize,
    /// When the block is sealed.
    sealing: usize,
}

impl Blockful {
    fn claims(world: &World) -> Self {
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
        let sealing = table(&nullifier, n, &(0..n as u32 + 1))
            + accounts(world, n)
            + table(&fund, 1, &(0..1))
            + state_root();
        let open = |claim| Transaction::open(Payload::Claim(claim));
        let transactions = claims.into_iter().map(open).collect();
        Self { before: world.ledger.clone(), transactions, applying, sealing }
    }

    fn transfers(world: &mut World, before: Ledger) -> Self {
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

    fn len(&self) -> usize {
        self.transactions.len()
    }

    fn apply(&self, ledger: &mut Ledger) {
        for tx in &self.transactions {
            ledger.apply(tx).expect("a valid transaction");
        }
    }

    fn applied(&self) -> Ledger {
        let mut ledger = self.before.clone();
        self.apply(&mut ledger);
        ledger
    }

    fn applying<'a>(&'a self, name: &'a str) -> Side<'a> {
        Side::with_setup(name, self.len(), |watch| {
            let mut ledger = self.before.clone();
            watch.time(|| self.apply(&mut ledger));
        })
    }

    /// Repeating the block, as every node that checks it does.
    fn replaying<'a>(&'a self, name: &'a str, block: &'a Block) -> Side<'a> {
        Side::with_setup(name, self.len(), |watch| {
            let before = self.before.clone();
            watch.time(|| before.replay(block).expect("a valid block"));
        })
    }

    /// Bytes of one of the transactions, on average.
    fn bytes(&self) -> f64 {
        let all: usize = self.transactions.iter().map(|tx| tx.to_bytes().len()).sum();
        all as f64 / self.len() as f64
    }

    fn sealing<'a>(&self, name: &'a str, applied: &'a Ledger) -> Side<'a> {
        Side::with_setup(name, self.len(), |watch| {
            let mut ledger = applied.clone();
            watch.time(|| ledger.seal());
        })
    }

    /// What verifies the signatures of the block.
    fn signatures(&self) -> Vec<(PublicKey, [Felt; 1], Signature)> {
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
    table(account, count, &(OFFICES + 1..OFFICES + 1 + count as u32))
}

fn verify_all(signatures: &[(PublicKey, [Felt; 1], Signature)]) {
    for (key, message, signature) in signatures {
        key.verify(message, signature).expect("a signature");
    }
}

/// Records of the tables that a settled epoch fills.
fn record_count(ledger: &Ledger) -> usize {
    let state = ledger.state();
    state.accounts.len()
        + state.identities.len()
        + state.nullifiers.len()
        + state.works.len()
        + state.homes.len()
        + state.usage.len()
        + state.payouts.len()
        + state.claims.len()
        + state.reputations.len()
}

/// Hashes that do not wait for each other, as those of a block.
pub(crate) fn hash_all(count: usize) -> Felt {
    (0..count).map(|at| hash2(Felt::from(at as u64), Felt::from(1u64))).sum()
}

/// Products of one permutation: 8 full rounds of 3 S-boxes and 9 entries, 57 partial ones of 1 S-box and 5 entries.
pub(crate) const PRODUCTS: usize = 8 * (3 * 3 + 9) + 57 * (3 + 5);

/// As many products as that, in as many chains as the state has elements.
pub(crate) fn multiply_all(permutations: usize) -> Felt {
    let factor = -Felt::from(3u64);
    let mut state = [1u64, 2, 3].map(Felt::from);
    for _ in 0..permutations * PRODUCTS / state.len() {
        state.iter_mut().for_each(|x| *x *= factor);
    }
    state.iter().sum()
}

/// Measures a block of claims and a block of transfers.
pub(crate) fn run(plan: &Plan) -> Topic {
    let works = plan.size(256, 4);
    eprintln!("chain, {works} works");
    let mut world = World::settled(works);
    let claims = Blockful::claims(&world);
    let claimed = claims.applied();
    let mut after = claimed.clone();
    after.seal();
    let transfers = Blockful::transfers(&mut world, after);
    let transferred = transfers.applied();
    let block = transferred.clone().seal();
    let mut last = claimed.clone();
    last.seal();
    let snapshot = last.snapshot().expect("between blocks");
    let records = record_count(&last);
    let wide = plan.size(4_096, 8);
    let epoch_bytes = World::settled(wide).epoch_bytes;
    let (signatures, hashes) = (transfers.signatures(), plan.size(1_000, 10));
    let [transfer, seal_transfers, claim, seal_claims, verify, hash, products, replay, restore, threads] =
        by_turns(
            plan,
            [
                transfers.applying("transfers: apply"),
                transfers.sealing("transfers: seal", &transferred),
                claims.applying("claims: apply"),
                claims.sealing("claims: seal", &claimed),
                Side::new("signature", signatures.len(), || verify_all(&signatures)),
                Side::new("hash", hashes, || hash_all(hashes)),
                Side::new("products of a hash", hashes, || multiply_all(hashes)),
                transfers.replaying("transfers: replay", &block),
                Side::new("snapshot: restore", records, || Ledger::restore(&snapshot).expect("whole")),
                transfers.sealing("transfers: seal, all threads", &transferred).on_many_threads(),
            ],
        );
    let each = |block: &Blockful, hashes: usize| hashes as f64 / block.len() as f64;
    let hashing = |count: f64| Samples::sum(&[(count, &hash)]);
    let signed = |count: f64| Samples::sum(&[(1.0, &verify), (count, &hash)]);
    let sum = |a: &Samples, b: &Samples| Samples::sum(&[(1.0, a), (1.0, b)]);
    let row = |what: &str, time: &Samples, floor: &Samples, hashes: f64| {
        let [middle, spread] = ratio(time.over(floor));
        let seconds = time.seconds().median;
        let (rate, least) = (grouped((1.0 / seconds) as u64), duration(floor.seconds().median));
        [what.into(), duration(seconds), rate, format!("{hashes:.1}"), least, middle, spread]
    };
    let (t, ts) = (each(&transfers, transfers.applying), each(&transfers, transfers.sealing));
    let (c, cs) = (each(&claims, claims.applying), each(&claims, claims.sealing));
    let (transfer_floor, claim_floor) = (signed(t), hashing(c));
    let (transfer_seal_floor, claim_seal_floor) = (hashing(ts), hashing(cs));

    let mut topic = Topic::default();
    topic.paragraph(&format!(
        "A block of {} transfers between as many accounts, and a block of {} claims of as many payouts, \
         each applied to the ledger (checked, changes taken) and sealed (conservation, state root, digest), \
         on one thread. Measured in the same run: a signature check {}, a Poseidon permutation {}.",
        grouped(transfers.len() as u64),
        grouped(claims.len() as u64),
        duration(verify.seconds().median),
        duration(hash.seconds().median),
    ));
    topic.table(
        [
            "for one transaction",
            "time",
            "per second",
            "hashes in the floor",
            "floor",
            "time / floor",
            "spread",
        ],
        &[
            row("transfer: apply", &transfer, &transfer_floor, t),
            row("transfer: seal", &seal_transfers, &transfer_seal_floor, ts),
            row(
                "**transfer**",
                &sum(&transfer, &seal_transfers),
                &sum(&transfer_floor, &transfer_seal_floor),
                t + ts,
            ),
            row("claim: apply", &claim, &claim_floor, c),
            row("claim: seal", &seal_claims, &claim_seal_floor, cs),
            row("**claim**", &sum(&claim, &seal_claims), &sum(&claim_floor, &claim_seal_floor), c + cs),
        ],
    );
    topic.paragraph(WHY);
    let unsigned = Samples::sum(&[(1.0, &transfer), (1.0, &seal_transfers), (-1.0, &verify)]);
    let spread_out = Samples::sum(&[(1.0, &transfer), (1.0, &threads), (-1.0, &verify)]);
    let rate = |samples: &Samples| grouped((1.0 / samples.seconds().median) as u64);
    topic.paragraph(&format!(
        "Without the signature check {} transfers a second are applied and sealed on one thread, {} where sealing \
         has all cores. Checking a block of transfers again, as a node that follows does, goes at {} a second; a ledger of \
         {} records is read back from a snapshot at {} records a second, its root included.",
        rate(&unsigned),
        rate(&spread_out),
        rate(&replay),
        grouped(records as u64),
        rate(&restore),
    ));
    topic.paragraph(&format!(
        "A transfer has {:.0} bytes, a claim {:.0}. Everything that an epoch of {} works of one tier puts into blocks, from its \
         keys to its settlement, has {} bytes; claims are not counted.",
        transfers.bytes(),
        claims.bytes(),
        grouped(wide as u64),
        grouped(epoch_bytes as u64),
    ));
    let [middle, spread] = ratio(hash.over(&products));
    topic.paragraph(&format!(
        "The permutation itself takes {middle} times ({spread}) as long as the {PRODUCTS} products of field \
         elements in it, multiplied one by one in three chains, which take {}.",
        duration(products.seconds().median)
    ));
    topic
}

const WHY: &str = "The floor of applying is the signature and the hash of the signed message, or the hashes \
    of the claim's path; the floor of sealing is every changed record hashed once (key, value, leaf) and \
    every node above changed leaves once. Ordered maps, copies of records, encoding and SHA-256 for the \
    block's digest hardly show above it: a faster ledger is one with a faster signature check or fewer \
    hashes. Sealing spreads its hashes over threads; the signatures of a block are checked one after the \
    other.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_blocks_do_what_they_say() {
        let mut world = World::settled(2);
        let claims = Blockful::claims(&world);
        assert_eq!(claims.len(), 2 * world::PAYEES);
        let mut ledger = claims.applied();
        ledger.seal();
        assert_eq!(ledger.state().claims.len(), claims.len());
        let transfers = Blockful::transfers(&mut world, ledger);
        verify_all(&transfers.signatures());
        let mut ledger = transfers.applied();
        let block = ledger.seal();
        assert_eq!(block.transactions.len(), transfers.len());
        let nonces =
            transfers.transactions.iter().map(|tx| tx.authorisation.as_ref().expect("signed").signer);
        assert!(nonces.into_iter().all(|person| ledger.nonce(&person) > transfers.before.nonce(&person)));
    }

    #[test]
    fn nodes_above_positions_are_counted_once() {
        assert_eq!(nodes_above(&(0..1)), DEPTH);
        assert_eq!(nodes_above(&(0..4)), DEPTH + 1);
        assert_eq!(nodes_above(&(1..3)), DEPTH + 1);
        assert_eq!([0, 1, 2, 3].map(sponge), [1, 1, 1, 2]);
    }

    #[test]
    fn everything_is_measured_once() {
        assert!(run(&Plan::QUICK).text.contains("transfer"));
    }
}
