//! The threshold on shares: three parties, and what it cannot do without.

use crate::{
    measure::{Plan, Side, by_turns},
    report::{Topic, digits, duration, grouped, ratio},
};
use ::mpc::{
    prss::{Prss, PrssKey},
    replicated::Share,
    session::{Attest, Computation},
    step::Name,
    threshold::threshold,
};
use primitives::{
    Digest, PartyId,
    field::{Plain, Residue},
    limits::LISTENER_SHIFT,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{
    collections::{BTreeMap, VecDeque},
    hint::black_box,
};

/// Cells that are decided: part of a lane, and a lane. More cells are as many lanes, one after the other.
const CELLS: [(usize, usize); 2] = [(64, 2), (256, 3)];
/// Listeners that a cell needs.
const LISTENERS: u32 = 5;
/// Bytes of a number.
const NUMBER: usize = 32;

/// What one party sends in the rounds of one name: how many rounds, and how many numbers.
type Traffic = BTreeMap<Name, (usize, usize)>;

/// Shares of cells, and the keys of three parties.
struct Cells {
    shares: [Vec<Share>; 3],
    keys: [PrssKey; 3],
}

fn number(rng: &mut ChaCha20Rng) -> Residue {
    let mut bytes = [0; NUMBER];
    rng.fill_bytes(&mut bytes);
    Plain::from_252_bits(&bytes).into()
}

/// Three signatures in all are nothing beside the rest.
struct Unsigned;

impl Attest for Unsigned {
    fn sign(&self, _: &Digest) -> [u8; 64] {
        [0; 64]
    }

    fn verify(&self, _: PartyId, _: &Digest, _: &[u8; 64]) -> bool {
        true
    }
}

impl Cells {
    /// `count` cells with up to nine listeners.
    fn new(count: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(count as u64);
        let listener = (0..LISTENER_SHIFT).fold(Residue::ONE, |power, _| power + power);
        let mut shares = [(); 3].map(|()| Vec::with_capacity(count));
        for at in 0..count as u64 {
            let cell = listener * Residue::from(at % 10) + Residue::from(at);
            let (first, second) = (number(&mut rng), number(&mut rng));
            let parts = [first, second, cell - first - second];
            for party in PartyId::ALL {
                let (own, next) = (parts[party.index()], parts[party.next().index()]);
                shares[party.index()].push(Share { own, next });
            }
        }
        Self { shares, keys: [(); 3].map(|()| PrssKey::generate(&mut rng)) }
    }

    /// All three parties decide, by turns on this thread. Gives how many cells are large enough, and what one party sent.
    fn decide(&self) -> (usize, Traffic) {
        let (mut mail, mut traffic, mut decided) = (VecDeque::new(), Traffic::new(), None);
        let mut parties = PartyId::ALL.map(|party| {
            let keys = [party, party.next()].map(|key| self.keys[key.index()].clone());
            let cells = self.shares[party.index()].clone();
            let prss = Prss::new(party, keys, Digest([1; 32]));
            let protocol = |mut session| async move { threshold(&mut session, cells, LISTENERS).await };
            let (computation, progress) =
                Computation::start(prss, Box::new(Unsigned), protocol).expect("fresh randomness");
            mail.extend(progress.send.into_iter().map(|(to, message)| (party, to, message)));
            computation
        });
        let [one, ..] = PartyId::ALL;
        while let Some((from, to, message)) = mail.pop_front() {
            if from == one {
                let (rounds, numbers) = traffic.entry(message.step.name).or_default();
                // Rounds in which both neighbours are sent something count once.
                *rounds += usize::from(to == one.previous());
                *numbers += message.body.len();
            }
            let progress = parties[to.index()].receive(from, message).expect("honest parties");
            mail.extend(progress.send.into_iter().map(|(next, message)| (to, next, message)));
            decided = progress.outcome.map(|bits| bits.into_iter().filter(|bit| *bit).count()).or(decided);
        }
        (decided.expect("an outcome"), traffic)
    }
}

/// The numbers that one party sends in multiplications: as many products as it makes.
fn products(traffic: &Traffic) -> usize {
    let multiplied =
        [Name::Inputs, Name::FirstXor, Name::SecondXor, Name::Compare, Name::Outcome, Name::CheckMask];
    multiplied.iter().filter_map(|name| traffic.get(name)).map(|(_, numbers)| numbers).sum()
}

/// Floor of three parties: for each of their products a sum of two products in the field, and two numbers of a stream.
fn floor(products: usize) -> Residue {
    let (mut sum, factor) = (Residue::ONE, black_box(Residue::from(7)));
    let mut bytes = vec![0; NUMBER * products];
    for party in 0..3 {
        sum = (0..products).fold(sum, |sum, _| Residue::sum_of_products(sum, factor, factor, sum));
        for key in 0..2 {
            ChaCha20Rng::seed_from_u64(2 * party + key).fill_bytes(black_box(&mut bytes));
        }
    }
    sum
}

/// Measures it for two numbers of cells.
pub(crate) fn run(plan: &Plan) -> Topic {
    let mut topic = Topic::new("Threshold on shares");
    topic.paragraph(SETTING);
    let (mut rows, mut steps) = (Vec::new(), Vec::new());
    for (full, tiny) in CELLS {
        let count = plan.size(full, tiny);
        eprintln!("threshold, {count} cells");
        let cells = Cells::new(count);
        let (_, traffic) = cells.decide();
        let products = products(&traffic);
        let [all, least] = by_turns(
            plan,
            [Side::new("three parties", 1, || cells.decide()), Side::new("floor", 1, || floor(products))],
        );
        let [middle, spread] = ratio(all.over(&least));
        let (rounds, numbers) =
            traffic.values().fold((0, 0), |(r, n), (rounds, numbers)| (r + rounds, n + numbers));
        rows.push([
            grouped(count as u64),
            duration(all.seconds().median),
            middle,
            spread,
            grouped((products / count) as u64),
            rounds.to_string(),
            format!("{} MB", digits((NUMBER * numbers) as f64 / 1e6)),
        ]);
        steps = traffic.into_iter().collect();
    }
    let head =
        ["cells", "three parties", "over floor", "spread", "products a cell", "rounds", "a party sends"];
    topic.table(head, &rows);
    let row = |(name, (rounds, numbers)): &(Name, (usize, usize))| {
        [name.as_str().into(), rounds.to_string(), grouped((NUMBER * numbers) as u64)]
    };
    topic.table(
        ["round, most cells", "rounds", "bytes of a party"],
        &steps.iter().map(row).collect::<Vec<_>>(),
    );
    topic
}

const SETTING: &str = "Three parties decide on shares which cells have five listeners, with security against one malicious \
    party. They run by turns on one thread, so that a time is that of all three together; on two cores it passes in half \
    of it. 256 cells are decided at a time, so that 4,096 take 16 times as long as 256. How many events the cells are of does not matter. The floor is the products in the field that the protocol \
    asks for and two streams of ChaCha20 for each.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_five_listeners_are_found() {
        assert_eq!(Cells::new(12).decide().0, 5);
        assert!(run(&Plan::QUICK).section().contains("open-masked"));
    }
}
