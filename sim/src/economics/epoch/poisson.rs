//! Poisson draws that are the same on every machine.
//!
//! Libraries take a logarithm, a tangent or a gamma function, and hardware promises no such thing to the last bit. Here
//! `exp(-mean)` comes from the ledger's fixed-point exponential, and the rest is inversion by sequential search:
//! additions and multiplications, which IEEE 754 rounds exactly. A draw takes one ticket and about as many steps as it
//! counts.

use primitives::fixed_point::{MANTISSA_BITS, exp2_q32};
use rand::Rng;
use std::sync::LazyLock;

/// Largest mean of one search: `exp(-mean)` is then far above the smallest double. A larger mean is the sum of parts.
const LARGEST_PART: f64 = 512.0;
/// Largest mean: twice the most that a pair may have, so that a larger one would change no pair.
const LARGEST: f64 = 2.0 * super::MAX_PLAYS_PER_PAIR as f64;
/// Probability below which the far tail is not searched: less than the step of a ticket.
const NEGLIGIBLE: f64 = 1e-18;
/// Most that one search counts. A mean of 512 reaches it with a probability below 2^-400.
const MOST: usize = 2_048;

/// A Poisson distribution, as parts of equal mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poisson {
    parts: u32,
    /// Mean of a part.
    mean: f64,
    /// `exp(-mean)`, within a relative 2^-31.
    nothing: f64,
}

impl Poisson {
    /// The distribution with a mean of at least 0. A mean above [`LARGEST`] is taken for that.
    pub(super) fn new(mean: f64) -> Self {
        let mean = mean.min(LARGEST);
        let parts = (mean / LARGEST_PART).ceil().max(1.0);
        let part = mean / parts;
        let exponent = -(part * std::f64::consts::LOG2_E * (1_u64 << 32) as f64) as i64;
        let power = exp2_q32(exponent);
        // At least 2^-740: the exponent of a normal double, whose bits are these.
        let scale = f64::from_bits(((1_023 + i64::from(power.exponent)) as u64) << 52);
        let nothing = power.mantissa as f64 / (1_u64 << MANTISSA_BITS) as f64 * scale;
        Self { parts: parts as u32, mean: part, nothing }
    }

    /// Draws a number.
    pub(super) fn sample(&self, rng: &mut impl Rng) -> u64 {
        (0..self.parts).map(|_| self.part(rng)).sum()
    }

    fn part(&self, rng: &mut impl Rng) -> u64 {
        static RECIPROCALS: LazyLock<Vec<f64>> =
            LazyLock::new(|| (0..MOST).map(|n| 1.0 / (n as f64).max(1.0)).collect());
        // Uniform in [0, 1), in steps of 2^-53.
        let mut left = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut probability = self.nothing;
        let mut n = 0;
        let in_tail = |n: usize, probability: f64| probability < NEGLIGIBLE && n as f64 > self.mean;
        while left >= probability && n + 1 < MOST && !in_tail(n, probability) {
            left -= probability;
            n += 1;
            probability *= self.mean * RECIPROCALS[n];
        }
        n as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::draw;

    #[test]
    fn draws_have_the_mean_and_the_variance_of_the_distribution() {
        let mut rng = draw::rng("poisson", 1, "");
        for mean in [0.01, 0.7, 5.0, 60.0, 511.0, 2_000.0, 40_000.0] {
            let poisson = Poisson::new(mean);
            let draws: Vec<f64> = (0..20_000).map(|_| poisson.sample(&mut rng) as f64).collect();
            let average = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|x| (x - average) * (x - average)).sum::<f64>() / 20_000.0;
            // Five standard errors of each.
            assert!((average - mean).abs() < 5.0 * (mean / 20_000.0).sqrt(), "{mean}: mean {average}");
            let error = (mean * (1.0 + 3.0 * mean) / 20_000.0).sqrt();
            assert!((variance - mean).abs() < 5.0 * error, "{mean}: variance {variance}");
        }
        assert_eq!(Poisson::new(0.0).sample(&mut rng), 0);
    }

    #[test]
    fn the_probability_of_nothing_is_the_exponential() {
        for mean in [0.0, 1e-9, 0.5, 1.0, 12.0, 500.0] {
            let nothing = Poisson::new(mean).nothing;
            assert!((nothing / (-mean).exp() - 1.0).abs() < 1e-9, "{mean}: {nothing}");
        }
    }
}
