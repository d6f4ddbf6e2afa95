//! The threshold on shares by a garbled circuit: an independent oracle of [`mpc::threshold`], and a peer beside it.
//!
//! Three parties hold a share each of every cell, and learn which cells have k listeners or more. `polytune` does that
//! with authenticated garbling (Wang, Ranellucci and Katz 2017, "Global-scale secure multiparty computation") on a
//! circuit that adds the shares modulo the group order and compares. Nothing of ours is in it: neither the circuit nor
//! what runs it uses our field, our limits or our protocol. So it can say whether our protocol comes to the right bits,
//! and what they cost when nobody has thought about the field.
//!
//! **It is not for production.** It stays secure when two of its three parties are malicious, and ours only against one;
//! but each two of our parties together hold all shares of all cells anyway, so this would add no privacy over them. Nor
//! is the library meant for production yet: it is an alpha release, and held back dependencies are candidates.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`circuit`] | the threshold as gates |
//! | [`parties`] | three parties of the peer in one thread |
//! | [`ours`] | three parties of ours in one thread, the ideal, and shares: all that touches our crates |

pub mod circuit;
pub mod ours;
pub mod parties;

use rand_chacha::rand_core::RngCore;

/// A number below the group order, least significant byte first.
pub type Number = [u8; 32];

/// What the three parties hold: each a share of every cell. The shares of a cell sum to it modulo the group order.
pub type Shares = [Vec<Number>; 3];

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whether each cell has enough listeners.
    pub decided: Vec<bool>,
    /// Bytes that a party sent, on average over the three.
    pub sent: u64,
}

impl Run {
    fn new([one, two, three]: [Vec<bool>; 3], sent: [u64; 3]) -> Self {
        assert!(one == two && two == three, "the parties come to different outcomes");
        Self { decided: one, sent: sent.iter().sum::<u64>() / 3 }
    }
}

/// A cell with so many listeners. Its lower limbs are the lower 130 bits of `lower`.
pub fn cell(listeners: u32, lower: &Number) -> Number {
    let mut cell = [0; 32];
    cell[..16].copy_from_slice(&lower[..16]);
    let upper = u64::from(listeners) << 2 | u64::from(lower[16] & 3);
    cell[16..24].copy_from_slice(&upper.to_le_bytes());
    cell
}

/// A number of 252 random bits: all but as good as one below the group order.
pub fn random(rng: &mut impl RngCore) -> Number {
    let mut number = [0; 32];
    rng.fill_bytes(&mut number);
    number[31] &= 15;
    number
}
