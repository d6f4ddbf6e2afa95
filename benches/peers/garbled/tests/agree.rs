//! The peer, our protocol and the ideal come to the same bits.

use garbled::{Number, Shares, cell, circuit, ours, parties, random};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const ZERO: Number = [0; 32];
const FULL: Number = [255; 32];
/// The largest share there is: the group order less one.
const LARGEST: Number = [
    0xec, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Cells around `k` listeners, the lower limbs of each empty, full and random.
fn around(k: u32, rng: &mut ChaCha20Rng) -> Vec<Number> {
    let random = random(rng);
    let listeners = [k.saturating_sub(1), k, k.saturating_add(1)];
    listeners.iter().flat_map(|n| [&ZERO, &FULL, &random].map(|lower| cell(*n, lower))).collect()
}

/// Shares that sum to a cell without a group order, to one with two of them, and random ones, which sum to one with one
/// or two.
fn shares(cells: &[Number], rng: &mut ChaCha20Rng) -> [Shares; 3] {
    [ours::share(cells, || ZERO), ours::share(cells, || LARGEST), ours::share(cells, || random(rng))]
}

#[test]
fn the_circuit_in_the_open_comes_to_what_the_ideal_says() {
    for (seed, k) in (0..70).zip([0, 1, 2, 5, 1 << 20, u32::MAX - 1, u32::MAX].into_iter().cycle()) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let cells = around(k, &mut rng);
        let circuit = circuit::threshold(cells.len(), k);
        for shares in shares(&cells, &mut rng) {
            let decided = circuit.eval(&parties::inputs(&shares));
            assert_eq!(decided, ours::ideal(&cells, k), "seed {seed}, k = {k}");
        }
    }
}

#[test]
fn peer_ours_and_ideal_come_to_the_same() {
    for (seed, k) in [(100, 5), (101, u32::MAX - 1)] {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let cells = around(k, &mut rng);
        let circuit = circuit::threshold(cells.len(), k);
        let ideal = ours::ideal(&cells, k);
        for shares in shares(&cells, &mut rng) {
            let peer = parties::decide(&circuit, &shares).expect("honest parties");
            assert_eq!(peer.decided, ideal, "the peer, seed {seed}, k = {k}");
            let own = ours::decide(&shares, k, &mut rng);
            assert_eq!(own.decided, ideal, "ours, seed {seed}, k = {k}");
        }
    }
}
