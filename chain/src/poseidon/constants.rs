//! Round constants and matrix of Poseidon over BN254 with a state of three, by the paper's own generator.
//!
//! The Grain LFSR in self-shrinking mode (Grassi et al., "Poseidon", 2019/458, appendix E; the authors'
//! `generate_parameters_grain`) is seeded with the parameters alone, so nobody chose these numbers. The set is the
//! one that circomlib publishes for two inputs, which the golden vectors pin.

use super::Felt;
use ark_ff::{BigInteger, Field, PrimeField};
use std::sync::OnceLock;

/// Elements of the state: one of capacity and two of rate.
pub const WIDTH: usize = 3;
/// Rounds with an S-box on the whole state, half of them first and half of them last.
pub const FULL_ROUNDS: usize = 8;
/// Rounds with an S-box on the first element only, in the middle.
pub const PARTIAL_ROUNDS: usize = 57;
/// Bits of a field element.
const FIELD_BITS: usize = 254;

const _: () = {
    assert!(Felt::MODULUS_BIT_SIZE as usize == FIELD_BITS);
    assert!(FULL_ROUNDS.is_multiple_of(2), "half of the full rounds stand on either side");
};

/// One element for every element of the state.
pub type State = [Felt; WIDTH];
/// A matrix, row by row.
pub type Matrix = [State; WIDTH];

/// What defines the permutation.
pub struct Parameters {
    /// What each round adds to the state before its S-boxes.
    pub round_constants: [State; FULL_ROUNDS + PARTIAL_ROUNDS],
    /// What each round multiplies the state with after its S-boxes.
    pub mds: Matrix,
}

/// The parameters, computed at the first call.
pub fn parameters() -> &'static Parameters {
    static PARAMETERS: OnceLock<Parameters> = OnceLock::new();
    PARAMETERS.get_or_init(|| {
        let mut grain = Grain::new();
        let round_constants = std::array::from_fn(|_| std::array::from_fn(|_| grain.element_by_rejection()));
        Parameters { round_constants, mds: cauchy(&mut grain) }
    })
}

/// The Cauchy matrix `1 / (x_i + y_j)` over the generator's next numbers. The authors' script draws again while a
/// matrix fails a test; for this parameter set the first one passes.
fn cauchy(grain: &mut Grain) -> Matrix {
    let xs: State = std::array::from_fn(|_| grain.element_by_reduction());
    let ys: State = std::array::from_fn(|_| grain.element_by_reduction());
    xs.map(|x| ys.map(|y| (x + y).inverse().expect("the vectors pin these sums, and none is zero")))
}

/// The 80-bit Grain LFSR. The bit that leaves next is the first.
struct Grain([bool; 80]);

impl Grain {
    /// Seeds with the parameters and discards 160 bits.
    fn new() -> Self {
        let fields: [(usize, usize); 7] = [
            (1, 2),               // a prime field
            (0, 4),               // the S-box is x^5
            (FIELD_BITS, 12),     // size of the field
            (WIDTH, 12),          // size of the state
            (FULL_ROUNDS, 10),    // full rounds
            (PARTIAL_ROUNDS, 10), // partial rounds
            ((1 << 30) - 1, 30),  // ones
        ];
        let bits: Vec<bool> = fields
            .into_iter()
            .flat_map(|(value, width)| (0..width).rev().map(move |bit| value >> bit & 1 == 1))
            .collect();
        let mut grain = Self(bits.try_into().expect("the widths add up to 80"));
        for _ in 0..160 {
            grain.step();
        }
        grain
    }

    /// One step of the register.
    fn step(&mut self) -> bool {
        let s = &mut self.0;
        let new = s[62] ^ s[51] ^ s[38] ^ s[23] ^ s[13] ^ s[0];
        s.rotate_left(1);
        s[79] = new;
        new
    }

    /// The next bit in self-shrinking mode: of each pair the second counts if the first is set.
    fn bit(&mut self) -> bool {
        loop {
            let (keep, bit) = (self.step(), self.step());
            if keep {
                return bit;
            }
        }
    }

    /// The next number of 254 bits, the highest bit first.
    fn integer(&mut self) -> <Felt as PrimeField>::BigInt {
        let bits: [bool; FIELD_BITS] = std::array::from_fn(|_| self.bit());
        BigInteger::from_bits_be(&bits)
    }

    /// The next number below the modulus.
    fn element_by_rejection(&mut self) -> Felt {
        loop {
            if let Some(x) = Felt::from_bigint(self.integer()) {
                return x;
            }
        }
    }

    /// The next number modulo the modulus.
    fn element_by_reduction(&mut self) -> Felt {
        Felt::from_le_bytes_mod_order(&self.integer().to_bytes_le())
    }
}

/// `a . b`. One reduction for three products made the permutation a fifth faster than three reductions.
#[inline]
pub(super) fn dot(a: &State, b: &State) -> Felt {
    Felt::sum_of_products(a, b)
}

/// `m * x`.
#[inline]
pub(super) fn apply(m: &Matrix, x: &State) -> State {
    [dot(&m[0], x), dot(&m[1], x), dot(&m[2], x)]
}

/// `a * b`.
pub(super) fn product(a: &Matrix, b: &Matrix) -> Matrix {
    a.map(|row| std::array::from_fn(|j| dot(&row, &b.map(|r| r[j]))))
}

/// Inverse of a regular matrix, by its cofactors.
pub(super) fn inverse(m: &Matrix) -> Matrix {
    // Taken cyclically, the two other rows and columns give every cofactor its sign.
    let cofactor = |i: usize, j: usize| {
        let (i1, i2, j1, j2) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[i1][j1] * m[i2][j2] - m[i1][j2] * m[i2][j1]
    };
    let determinant = dot(&m[0], &std::array::from_fn(|j| cofactor(0, j)));
    let scale = determinant.inverse().expect("every square part of a Cauchy matrix is regular");
    std::array::from_fn(|i| std::array::from_fn(|j| cofactor(j, i) * scale))
}
