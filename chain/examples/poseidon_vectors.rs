//! Prints the golden vectors of the circuit hash, for circuits and contracts to hold themselves against:
//! `cargo run --release -p chain --example poseidon_vectors > vectors/poseidon.json`

use ark_ff::{AdditiveGroup, Field};
use chain::poseidon::{Felt, FeltDomain, constants, hash_bytes, hash_many, hash2, permute};
use primitives::ids::to_hex;
use serde::Serialize;

/// The whole file. Field elements are decimal strings.
#[derive(Serialize)]
struct Vectors {
    description: &'static str,
    round_constants: RoundConstants,
    mds: Vec<Vec<String>>,
    permute: Vec<Permutation>,
    hash2: Vec<Hash2>,
    hash_many: Vec<HashMany>,
    hash_bytes: Vec<HashBytes>,
}

/// Ends of the list of 195 constants, in the order of use.
#[derive(Serialize)]
struct RoundConstants {
    first: Vec<String>,
    last: Vec<String>,
}

#[derive(Serialize)]
struct Permutation {
    input: Vec<String>,
    output: Vec<String>,
}

#[derive(Serialize)]
struct Hash2 {
    a: String,
    b: String,
    hash: String,
}

#[derive(Serialize)]
struct HashMany {
    domain: u32,
    input: Vec<String>,
    hash: String,
}

#[derive(Serialize)]
struct HashBytes {
    bytes: String,
    hash: String,
}

fn decimal(xs: &[Felt]) -> Vec<String> {
    xs.iter().map(Felt::to_string).collect()
}

/// A fixed sequence of elements from all over the field: powers of -3.
fn spread(n: u64) -> Vec<Felt> {
    (0..n).map(|i| (-Felt::from(3u64)).pow([100 + i])).collect()
}

fn permutation(input: [Felt; 3]) -> Permutation {
    let mut output = input;
    permute(&mut output);
    Permutation { input: decimal(&input), output: decimal(&output) }
}

fn pair(a: Felt, b: Felt) -> Hash2 {
    Hash2 { a: a.to_string(), b: b.to_string(), hash: hash2(a, b).to_string() }
}

fn main() -> Result<(), serde_json::Error> {
    let parameters = constants::parameters();
    let constants = parameters.round_constants.concat();
    let (zero, last) = (Felt::ZERO, -Felt::ONE);
    let mixed = spread(9);
    let vectors = Vectors {
        description: "Poseidon over BN254: x^5, state of 3, 8 full and 57 partial rounds, Grain constants. hash2 \
                      permutes (0, a, b); hash_many starts at (domain + 2^32 * length, 0, 0) and adds two inputs a \
                      step; both return the first element. hash_bytes is hash_many in domain 8 over the length and \
                      the little-endian chunks of 31 bytes.",
        round_constants: RoundConstants {
            first: decimal(&constants[..6]),
            last: decimal(&constants[constants.len() - 6..]),
        },
        mds: parameters.mds.iter().map(|row| decimal(row)).collect(),
        permute: vec![
            permutation([zero; 3]),
            permutation([0u64, 1, 2].map(Felt::from)),
            permutation([last; 3]),
            permutation([mixed[0], mixed[1], mixed[2]]),
        ],
        hash2: vec![
            pair(zero, zero),
            pair(1u64.into(), 2u64.into()),
            pair(2u64.into(), 1u64.into()),
            pair(last, last),
            pair(mixed[3], mixed[4]),
        ],
        hash_many: (0..=mixed.len())
            .flat_map(|n| [FeltDomain::ALL[0], FeltDomain::ALL[n % FeltDomain::ALL.len()]].map(|d| (d, n)))
            .map(|(domain, n)| HashMany {
                domain: domain as u32,
                input: decimal(&mixed[..n]),
                hash: hash_many(domain, &mixed[..n]).to_string(),
            })
            .collect(),
        hash_bytes: [0usize, 1, 30, 31, 32, 62, 63, 100]
            .into_iter()
            .map(|n| (0..n).map(|i| u8::try_from(i * 37 % 251).expect("below 251")).collect::<Vec<_>>())
            .map(|bytes| HashBytes {
                hash: hash_bytes(FeltDomain::Bytes, &bytes).to_string(),
                bytes: to_hex(&bytes),
            })
            .collect(),
    };
    println!("{}", serde_json::to_string_pretty(&vectors)?);
    Ok(())
}
