//! A slow reference model of the ledger, and histories that both have to agree on.
//!
//! The model is written from the rules, in plain maps and big numbers, and shares no code with the ledger but the types
//! of payloads and errors. Each transaction of a history gets the same answer from both, to the fields of the error.

mod compare;
mod draw;
mod eco;
mod elections;
mod epochs;
mod history;
mod identity;
mod jury;
mod model;
mod mutate;
mod payouts;
mod proposals;
mod settings;
mod treasury;
mod works;

use history::{History, Seen};

/// Blocks of a history.
const BLOCKS: usize = 60;

/// Draws a history and compares ledger and model all the way.
fn history(seed: u64, blocks: usize) -> History {
    println!("seed {seed}");
    let mut history = History::new(seed);
    history.run(blocks);
    history.replays();
    history
}

#[test]
fn ledger_and_model_agree_on_histories() {
    let mut seen = Seen::default();
    for seed in 1..=4 {
        seen.merge(history(seed, BLOCKS).seen);
    }
    for ((kind, answer), count) in &seen.0 {
        println!("{count:5} {kind}: {answer}");
    }
}
