//! Three parties of ours in one thread, the ideal, and shares: all that touches our crates.

use crate::{Number, Run, Shares};
use mpc::{
    prss::{Prss, PrssKey},
    replicated::Share,
    session::{Attest, Computation, Progress},
    threshold::{self, threshold},
};
use primitives::{
    Digest, Encode, PartyId,
    field::{Plain, Residue},
};
use rand_chacha::ChaCha20Rng;
use std::collections::VecDeque;

/// Signs nothing: a signature for each barrier is nothing beside the rest.
struct Unsigned;

impl Attest for Unsigned {
    fn sign(&self, _: &Digest) -> [u8; 64] {
        [0; 64]
    }

    fn verify(&self, _: PartyId, _: &Digest, _: &[u8; 64]) -> bool {
        true
    }
}

fn residue(number: &Number) -> Residue {
    Plain::from_canonical_bytes(number).expect("below the group order").into()
}

/// Shares of cells: the first two of each are `masks`, the third is what is missing.
///
/// # Panics
/// If a cell or a mask is not below the group order.
pub fn share(cells: &[Number], mut masks: impl FnMut() -> Number) -> Shares {
    let mut shares = [(); 3].map(|()| Vec::with_capacity(cells.len()));
    for cell in cells {
        let [first, second] = [masks(), masks()];
        let third = Plain::from(residue(cell) - residue(&first) - residue(&second)).to_canonical_bytes();
        for (shares, part) in shares.iter_mut().zip([first, second, third]) {
            shares.push(part);
        }
    }
    shares
}

/// What the threshold is to come to.
///
/// # Panics
/// If a cell is not below the group order.
pub fn ideal(cells: &[Number], k: u32) -> Vec<bool> {
    threshold::ideal::threshold(&cells.iter().map(residue).collect::<Vec<_>>(), k)
}

/// All three parties decide, by turns on this thread.
///
/// # Panics
/// If a party stops, or the parties come to different outcomes.
pub fn decide(shares: &Shares, k: u32, rng: &mut ChaCha20Rng) -> Run {
    let keys = [(); 3].map(|()| PrssKey::generate(rng));
    let (mut mail, mut sent, mut outcomes) = (VecDeque::new(), [0; 3], [const { None }; 3]);
    let mut post = |party: PartyId, progress: Progress<Vec<bool>>, mail: &mut VecDeque<_>| {
        for (to, message) in progress.send {
            sent[party.index()] += message.to_bytes().len() as u64;
            mail.push_back((party, to, message));
        }
        outcomes[party.index()] = progress.outcome;
    };
    let mut parties = PartyId::ALL.map(|party| {
        let keys = [party, party.next()].map(|key| keys[key.index()].clone());
        let of = |party: PartyId| shares[party.index()].iter().map(residue);
        let cells = of(party).zip(of(party.next())).map(|(own, next)| Share { own, next }).collect();
        let prss = Prss::new(party, keys, Digest([1; 32]));
        let protocol = |mut session| async move { threshold(&mut session, cells, k).await };
        let started = Computation::start(prss, Box::new(Unsigned), protocol);
        let (computation, progress) = started.expect("fresh randomness");
        post(party, progress, &mut mail);
        computation
    });
    while let Some((from, to, message)) = mail.pop_front() {
        let progress = parties[to.index()].receive(from, message).expect("honest parties");
        post(to, progress, &mut mail);
    }
    Run::new(outcomes.map(|outcome| outcome.expect("an outcome")), sent)
}
