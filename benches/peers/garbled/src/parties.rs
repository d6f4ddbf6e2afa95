//! Three parties of the peer in one thread.

use crate::{Number, Run, Shares, circuit::SHARE_BITS};
use polytune::{Error, channel::SimpleChannel, garble_lang::register_circuit::Circuit, mpc};
use tokio::runtime::Builder;

/// What each party gives to the circuit: the bits of its shares.
pub fn inputs(shares: &Shares) -> [Vec<bool>; 3] {
    let bits = |share: &Number| (0..SHARE_BITS).map(|bit| share[bit / 8] >> (bit % 8) & 1 == 1).collect();
    shares.each_ref().map(|shares| shares.iter().flat_map(|share| -> Vec<bool> { bits(share) }).collect())
}

/// All three parties decide, by turns on this thread. Each learns the bits.
///
/// # Errors
/// If a party stops.
///
/// # Panics
/// If the parties come to different outcomes.
pub fn decide(circuit: &Circuit, shares: &Shares) -> Result<Run, Error> {
    let inputs = inputs(shares);
    // The library's own queues in memory, which count what is sent. Its documentation leaves them out, its version is
    // fixed.
    let channels = SimpleChannel::channels(3);
    // The first evaluates what the others garble.
    let party = |own: usize| mpc(&channels[own], circuit, &inputs[own], 0, own, &[0, 1, 2], None);
    // Waiting for a message has a limit of time.
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let (one, two, three) = runtime.block_on(async { tokio::try_join!(party(0), party(1), party(2)) })?;
    Ok(Run::new([one, two, three], [0, 1, 2].map(|party| channels[party].bytes_sent())))
}
