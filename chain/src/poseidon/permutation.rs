//! The permutation, in the form with sparse partial rounds (Poseidon paper, appendix B).
//!
//! A partial round has one S-box, on the first element, so whatever touches only the other two elements can move
//! across it. That gives every partial round a matrix with five entries that matter instead of nine and one constant
//! instead of three. The test below holds the result against the definition.

use super::{
    Felt,
    constants::{self, FULL_ROUNDS, Matrix, PARTIAL_ROUNDS, State, WIDTH},
};
use ark_ff::{AdditiveGroup, Field};
use std::sync::OnceLock;

const HALF: usize = FULL_ROUNDS / 2;

/// One partial round: `x0 = x0^5 + constant`, then the matrix `[[first], [column, identity]]`.
struct PartialRound {
    constant: Felt,
    first: State,
    column: [Felt; WIDTH - 1],
}

/// The permutation's constants after everything was moved that can move.
struct Schedule {
    head: [State; HALF],
    /// Takes the place of the matrix in the last full round before the partial ones.
    bridge: Matrix,
    /// Added once, before the partial rounds.
    entry: State,
    partial: Vec<PartialRound>,
    tail: [State; HALF],
    mds: Matrix,
}

impl Schedule {
    fn get() -> &'static Self {
        static SCHEDULE: OnceLock<Schedule> = OnceLock::new();
        SCHEDULE.get_or_init(|| Self::derive(constants::parameters()))
    }

    fn derive(parameters: &constants::Parameters) -> Self {
        let (all, mds) = (&parameters.round_constants, parameters.mds);
        let mut added = all[HALF..HALF + PARTIAL_ROUNDS].to_vec();

        // Constants, from the last round to the first. `M y + c = M (y + M^-1 c)`: the first element of `M^-1 c` is
        // added behind the S-box of the round before, the others pass it and join that round's own constants.
        let mut constants = vec![Felt::ZERO; PARTIAL_ROUNDS];
        let back = constants::inverse(&mds);
        for i in (1..PARTIAL_ROUNDS).rev() {
            let [first, rest @ ..] = constants::apply(&back, &added[i]);
            constants[i - 1] = first;
            for (own, moved) in added[i - 1][1..].iter_mut().zip(rest) {
                *own += moved;
            }
        }

        // Matrices, from the last round to the first. With `B` the lower right part of a matrix, it is a sparse
        // matrix times `diag(1, B)`, which passes the S-box and multiplies the matrix of the round before.
        let mut partial = Vec::with_capacity(PARTIAL_ROUNDS);
        let mut matrix = mds;
        let mut passed = mds;
        for constant in constants.into_iter().rev() {
            passed = lower_right(&matrix);
            let [row, ..] = constants::product(&first_row(&matrix), &constants::inverse(&passed));
            partial.push(PartialRound { constant, first: row, column: [matrix[1][0], matrix[2][0]] });
            matrix = constants::product(&passed, &mds);
        }
        partial.reverse();
        Self {
            head: std::array::from_fn(|i| all[i]),
            bridge: matrix,
            entry: constants::apply(&passed, &added[0]),
            partial,
            tail: std::array::from_fn(|i| all[HALF + PARTIAL_ROUNDS + i]),
            mds,
        }
    }
}

/// `diag(1, B)`, where `B` is the lower right part of `m`.
fn lower_right(m: &Matrix) -> Matrix {
    let (zero, one) = (Felt::ZERO, Felt::ONE);
    [[one, zero, zero], [zero, m[1][1], m[1][2]], [zero, m[2][1], m[2][2]]]
}

/// The first row of `m` over zeros.
fn first_row(m: &Matrix) -> Matrix {
    [m[0], State::default(), State::default()]
}

#[inline]
fn fifth(x: Felt) -> Felt {
    let square = x.square();
    square.square() * x
}

#[inline]
fn full_round(x: &mut State, constants: &State, matrix: &Matrix) {
    for (x, c) in x.iter_mut().zip(constants) {
        *x = fifth(*x + c);
    }
    *x = constants::apply(matrix, x);
}

/// Permutes a state of three elements.
pub fn permute(x: &mut State) {
    let schedule = Schedule::get();
    for (i, constants) in schedule.head.iter().enumerate() {
        full_round(x, constants, if i + 1 == HALF { &schedule.bridge } else { &schedule.mds });
    }
    for (x, c) in x.iter_mut().zip(&schedule.entry) {
        *x += c;
    }
    for round in &schedule.partial {
        let first = fifth(x[0]) + round.constant;
        x[0] = constants::dot(&round.first, &[first, x[1], x[2]]);
        x[1] += round.column[0] * first;
        x[2] += round.column[1] * first;
    }
    for constants in &schedule.tail {
        full_round(x, constants, &schedule.mds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poseidon::tests::felt;
    use proptest::prelude::*;

    /// The definition (Poseidon paper, section 2): constants, S-boxes, matrix, round by round.
    fn by_definition(x: &mut State) {
        let parameters = constants::parameters();
        for (i, constants) in parameters.round_constants.iter().enumerate() {
            let partial = (HALF..HALF + PARTIAL_ROUNDS).contains(&i);
            for (j, (x, c)) in x.iter_mut().zip(constants).enumerate() {
                *x += c;
                if j == 0 || !partial {
                    *x = fifth(*x);
                }
            }
            *x = constants::apply(&parameters.mds, x);
        }
    }

    proptest! {
        #[test]
        fn the_sparse_form_is_the_definition(mut x in [felt(), felt(), felt()]) {
            let mut y = x;
            permute(&mut x);
            by_definition(&mut y);
            prop_assert_eq!(x, y);
        }
    }

    #[test]
    fn the_inverse_is_one() {
        let m = constants::parameters().mds;
        let identity = lower_right(&constants::product(&m, &constants::inverse(&m)));
        assert_eq!(constants::product(&m, &constants::inverse(&m)), identity);
        assert_eq!(identity[1][1], Felt::ONE);
        assert_eq!(identity[1][2], Felt::ZERO);
    }
}
