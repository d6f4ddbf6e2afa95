//! Blocks of the ledger beside the signatures and hashes that they cannot do without.

mod blocks;
mod roots;
mod world;

use crate::{
    measure::{Plan, Samples, Side, by_turns, threads},
    report::{Topic, duration, grouped, ratio},
};
use ::chain::{
    Ledger,
    poseidon::{Felt, hash2},
};
use blocks::{Blockful, verify_all};
use world::World;

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
    let cores = threads(0);
    let (signatures, hashes) = (transfers.signatures(), plan.size(1_000, 10));
    let [
        transfer,
        seal_transfers,
        claim,
        seal_claims,
        verify,
        hash,
        products,
        replay,
        replay_on_cores,
        restore,
        seal_on_cores,
    ] = by_turns(
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
            transfers.replaying_on(&cores, "transfers: replay, all cores", &block),
            Side::new("snapshot: restore", records, || Ledger::restore(&snapshot).expect("whole")),
            transfers.sealing_on(&cores, "transfers: seal, all cores", &transferred),
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
    let without_check = |seal| Samples::sum(&[(1.0, &transfer), (1.0, seal), (-1.0, &verify), (-t, &hash)]);
    let [unsigned, spread_out] = [&seal_transfers, &seal_on_cores].map(without_check);
    let rate = |samples: &Samples| grouped((1.0 / samples.seconds().median) as u64);
    topic.paragraph(&format!(
        "Without the signature check, to which the hash of the signed message belongs, {} transfers a second are \
         applied and sealed on one thread, {} where sealing has all cores. Checking a block of transfers again, as a node that follows does, goes at {} a second, and at {} on all cores; a ledger of \
         {} records is read back from a snapshot at {} records a second, its root included.",
        rate(&unsigned),
        rate(&spread_out),
        rate(&replay),
        rate(&replay_on_cores),
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
    roots::measure(plan, &cores, &mut topic);
    let [middle, spread] = ratio(hash.over(&products));
    topic.paragraph(&format!(
        "The permutation itself takes {middle} times ({spread}) as long as the {PRODUCTS} products of field \
         elements in it, multiplied one by one in three chains, which take {}.",
        duration(products.seconds().median)
    ));
    topic
}

const WHY: &str = "The floor of applying is the signature and the hash of the signed message, or the hashes \
    of the claim's path; the floor of sealing is every changed record hashed once (value and leaf, and the key of a new one) and \
    every node above changed leaves once. Ordered maps, copies of records, encoding and SHA-256 for the \
    block's digest hardly show above it: a faster ledger is one with a faster signature check or fewer \
    hashes. Sealing spreads its hashes over cores, and whoever repeats a block its signatures, which need not \
    wait for each other; a sequencer checks each as it comes.";

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
    fn everything_is_measured_once() {
        assert!(run(&Plan::QUICK).text.contains("transfer"));
    }
}
