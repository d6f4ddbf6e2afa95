//! Prints the golden vectors of the fixed-point functions, for other implementations to hold themselves against:
//! `cargo run --release -p primitives --example fixed_point_vectors > vectors/fixed_point.json`

use primitives::fixed_point::{self, exp2_q32, exp2_table, log2_q32, pow_q32};
use serde::Serialize;
use std::num::NonZero;

/// The whole file. Every number is a decimal string, since 64 bits do not survive every JSON parser.
#[derive(Serialize)]
struct Vectors {
    description: &'static str,
    /// `exp2_table[i][v] = floor(2^62 * 2^(v * 16^-(i+1)))`
    exp2_table: Vec<Vec<String>>,
    log2_q32: Vec<Log2>,
    exp2_q32: Vec<Exp2>,
    pow_q32: Vec<Pow>,
}

#[derive(Serialize)]
struct Log2 {
    x: String,
    result: String,
}

#[derive(Serialize)]
struct Exp2 {
    x: String,
    mantissa: String,
    exponent: String,
}

#[derive(Serialize)]
struct Pow {
    base: String,
    power: String,
    mantissa: String,
    exponent: String,
}

/// A fixed sequence of well-mixed numbers (SplitMix64, Steele et al. 2014).
fn mixed(n: u64) -> impl Iterator<Item = u64> {
    (1..=n).map(|i| {
        let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// The file's text, with a final newline.
pub(crate) fn vectors() -> String {
    let edges = (0..128).step_by(9).flat_map(|k| [(1u128 << k) - 1, 1 << k, (1 << k) + 1]);
    let sizes = mixed(64).map(|z| u128::from(z) >> (z % 63));
    let log2 = edges.chain(sizes).chain([u128::MAX]).filter_map(NonZero::new);

    let whole = 1i64 << fixed_point::Q32_BITS;
    let edges = [-40, -1, 0, 1, 40].into_iter().flat_map(|n: i64| [n * whole - 1, n * whole, n * whole + 1]);
    let digits = (0..8).map(|window| 0xf << (4 * window));
    // exponents of both signs, below 2^7 in size
    let spread = mixed(64).map(|z| (z as i64) >> (64 - 40));
    let exp2 = edges.chain(digits).chain(spread);

    let bases =
        [1, 42_949_672, 2_362_232_012, (1 << 32) - 1, 1 << 32, (1 << 32) + 1, 8_589_934_591, u64::MAX];
    let powers = [0, 1, 1_503_238_553, 1 << 31, (1 << 32) - 1, 1 << 32, 3 << 31, 1 << 33];
    let pow = bases.into_iter().flat_map(|base| powers.map(|power| (base, power)));

    let vectors = Vectors {
        description: "Q32 is units of 2^-32. log2_q32: integer to Q32. exp2_q32 and pow_q32: Q32 to \
                      mantissa * 2^(exponent - 62).",
        exp2_table: exp2_table().iter().map(|row| row.iter().map(u64::to_string).collect()).collect(),
        log2_q32: log2.map(|x| Log2 { x: x.to_string(), result: log2_q32(x).to_string() }).collect(),
        exp2_q32: exp2
            .map(|x| {
                let y = exp2_q32(x);
                let (mantissa, exponent) = (y.mantissa.to_string(), y.exponent.to_string());
                Exp2 { x: x.to_string(), mantissa, exponent }
            })
            .collect(),
        pow_q32: pow
            .map(|(base, power)| {
                let y =
                    pow_q32(NonZero::new(base).expect("bases are positive"), power).expect("small exponents");
                let (mantissa, exponent) = (y.mantissa.to_string(), y.exponent.to_string());
                Pow { base: base.to_string(), power: power.to_string(), mantissa, exponent }
            })
            .collect(),
    };
    serde_json::to_string_pretty(&vectors).expect("strings always serialise") + "\n"
}

#[allow(dead_code, reason = "the test that compares the committed file includes this one as a module")]
fn main() {
    print!("{}", vectors());
}
