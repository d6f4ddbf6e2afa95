//! Prints what the threshold on shares costs by a garbled circuit and by our protocol, side by side.

use garbled::{cell, circuit, ours, parties, random};
use polytune::Error;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{fs, thread, time::SystemTime};

/// Listeners that a cell needs.
const LISTENERS: u32 = 5;
/// Numbers of cells that are decided.
const CELLS: [usize; 3] = [1, 4, 16];
/// How often each side runs, by turns.
const ROUNDS: usize = 3;

/// Seconds of processor time of this thread where the kernel tells them (Linux), of the clock elsewhere. Yielding first
/// brings the kernel's account up to date.
fn seconds() -> f64 {
    thread::yield_now();
    let account = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let used = account.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok());
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(0.0, |time| time.as_secs_f64());
    used.map_or_else(clock, |nanoseconds| nanoseconds / 1e9)
}

/// The row of so many cells.
fn row(count: usize) -> Result<String, Error> {
    let mut rng = ChaCha20Rng::seed_from_u64(count as u64);
    let cells: Vec<_> = (0..count as u32).map(|at| cell(at % 10, &random(&mut rng))).collect();
    let shares = ours::share(&cells, || random(&mut rng));
    let circuit = circuit::threshold(count, LISTENERS);
    let (mut times, mut bytes) = ([[0.0; ROUNDS]; 3], [0.0; 2]);
    for round in 0..ROUNDS {
        let start = seconds();
        let peer = parties::decide(&circuit, &shares)?;
        let middle = seconds();
        let own = ours::decide(&shares, LISTENERS, &mut rng);
        let end = seconds();
        assert_eq!(peer.decided, own.decided, "both sides come to the same");
        let figures = [middle - start, end - middle, (middle - start) / (end - middle)];
        times.iter_mut().zip(figures).for_each(|(times, figure)| times[round] = figure);
        bytes = [peer.sent, own.sent].map(|sent| sent as f64);
    }
    let [peer, own, ratio] = times.map(|mut figures| {
        figures.sort_by(f64::total_cmp);
        figures[ROUNDS / 2]
    });
    let times = format!("{:.0} ms | {:.2} ms | {ratio:.0}", 1e3 * peer, 1e3 * own);
    let [peer, own] = bytes;
    let bytes = format!("{:.2} MB | {:.3} MB | {:.0}", peer / 1e6, own / 1e6, peer / own);
    Ok(format!("| {count} | {} | {times} | {bytes} |", circuit.and_ops))
}

fn main() -> Result<(), Error> {
    println!(
        "All three parties run by turns on one thread, so that a time is that of all three: processor time, and"
    );
    println!(
        "medians of {ROUNDS} rounds. Bytes are those of one party, on average. polytune is secure against two"
    );
    println!("malicious parties, ours against one.\n");
    println!(
        "| cells | AND gates | time, polytune | ours | ratio | a party sends, polytune | ours | ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for count in CELLS {
        println!("{}", row(count)?);
    }
    Ok(())
}
