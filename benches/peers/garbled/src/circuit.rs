//! The threshold as gates.
//!
//! Only an AND costs anything, so the circuit has as few as we know how. The sum s of three shares is `cell + q l` with q
//! of 0, 1 or 2, and `l = 2^252 + c` with c below 2^125. A cell is below 2^162, so that q is s without its lower 252 bits,
//! and what is left of s is `cell + q c`. The cell is at least `k 2^130` if that is at least `q c + k 2^130`, whose two
//! parts have no bit in common. So there are two additions and one comparison, and nothing is reduced.

use polytune::garble_lang::{
    circuit::{Circuit as Wired, Gate},
    register_circuit::Circuit,
};

/// Bits of a share: those of the group order.
pub(crate) const SHARE_BITS: usize = 253;
/// Bits of the sum of three shares, which is below 3 2^252 + 2^127.
const SUM_BITS: usize = SHARE_BITS + 1;
/// The group order is 2^252 and this.
const ABOVE_POWER: u128 = 27_742_317_777_372_353_535_851_937_790_883_648_493;
/// Lowest bit of the limb of listeners.
const LISTENER_SHIFT: usize = 130;
/// Bits of `cell + q c`, where a cell has 162.
const COMPARED_BITS: usize = 163;

/// A wire, by its number.
type Wire = usize;

struct Builder {
    inputs: usize,
    gates: Vec<Gate>,
}

impl Builder {
    fn gate(&mut self, gate: Gate) -> Wire {
        self.gates.push(gate);
        self.inputs + self.gates.len() - 1
    }

    fn xor(&mut self, a: Wire, b: Wire) -> Wire {
        self.gate(Gate::Xor(a, b))
    }

    /// The majority of three, which is what is carried: one AND.
    fn carry(&mut self, a: Wire, b: Wire, c: Wire) -> Wire {
        let (a, b) = (self.xor(a, c), self.xor(b, c));
        let both = self.gate(Gate::And(a, b));
        self.xor(both, c)
    }

    /// The sum, of as many bits as both have. Nothing is carried out of the last.
    fn sum(&mut self, a: &[Wire], b: &[Wire], zero: Wire) -> Vec<Wire> {
        let (mut carry, last) = (zero, a.len() - 1);
        let add = |(at, (a, b)): (usize, (&Wire, &Wire))| {
            let half = self.xor(*a, *b);
            let sum = self.xor(half, carry);
            if at < last {
                carry = self.carry(*a, *b, carry);
            }
            sum
        };
        a.iter().zip(b).enumerate().map(add).collect()
    }

    /// Whether `a >= b`: whether something is carried out of `a - b = a + not b + 1`.
    fn at_least(&mut self, a: &[Wire], b: &[Wire], one: Wire) -> Wire {
        a.iter().zip(b).fold(one, |carry, (a, b)| {
            let not = self.gate(Gate::Not(*b));
            self.carry(*a, not, carry)
        })
    }

    /// Whether the cell has k listeners or more.
    fn decide(&mut self, shares: [Vec<Wire>; 3], k: u32, zero: Wire, one: Wire) -> Wire {
        let [first, second, third] = shares.map(|mut share| {
            share.resize(SUM_BITS, zero);
            share
        });
        let partial = self.sum(&first, &second, zero);
        let sum = self.sum(&partial, &third, zero);

        // q is never 3: at most one of its two bits is set.
        let quotient = [sum[SHARE_BITS - 1], sum[SHARE_BITS]];
        let either = self.xor(quotient[0], quotient[1]);
        let set = |number: u128, at: usize| at < 128 && number >> at & 1 == 1;
        let bound: Vec<_> = (0..COMPARED_BITS)
            .map(|at| match (set(ABOVE_POWER, at), set(2 * ABOVE_POWER, at)) {
                (true, true) => either,
                (true, false) => quotient[0],
                (false, true) => quotient[1],
                (false, false) if at >= LISTENER_SHIFT && set(k.into(), at - LISTENER_SHIFT) => one,
                (false, false) => zero,
            })
            .collect();
        self.at_least(&sum[..COMPARED_BITS], &bound, one)
    }
}

/// The circuit that decides which of so many cells have k listeners or more. Each party's input is the 253 bits of its
/// share of each cell, least significant first; the output is a bit for each cell. Cells are below 2^162.
pub fn threshold(cells: usize, k: u32) -> Circuit {
    let each = cells * SHARE_BITS;
    let mut builder = Builder { inputs: 3 * each, gates: Vec::new() };
    let zero = builder.xor(0, 0);
    let one = builder.gate(Gate::Not(zero));
    let share =
        |party: usize, cell: usize| (0..SHARE_BITS).map(move |bit| party * each + cell * SHARE_BITS + bit);
    let output_gates = (0..cells)
        .map(|cell| builder.decide([0, 1, 2].map(|party| share(party, cell).collect()), k, zero, one))
        .collect();
    Wired { input_gates: vec![each; 3], gates: builder.gates, output_gates }.into()
}
