//! Bundles with changed bytes: none that differs from what an honest device made is accepted, and none makes the
//! verifier panic. A bundle is not malleable: nobody but its maker can make another one of it, and one event has one
//! spelling.

use primitives::{Decode, Encode};
use proofs::{
    bundle::{Bundle, verify},
    epoch::EpochContext,
    testing::{TestSubscriber, event, issuer, small},
};
use std::sync::OnceLock;

/// The group order l, least significant byte first: a scalar plus l is a second spelling of it.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// Most changes to one bundle.
pub const MAX_CHANGES: usize = 8;
/// Bytes of one change: kind, stretch, place (two bytes), value.
pub const CHANGE_BYTES: usize = 5;

/// A small epoch, honest bundles of it that are all of the same length, and where the values of a bundle begin.
pub struct World {
    /// The epoch.
    pub context: EpochContext,
    /// Bundles: two of one subscriber, one of another.
    pub bundles: Vec<Vec<u8>>,
    /// Where each value of 32 bytes begins.
    values: Vec<usize>,
    /// Where the token begins.
    token: usize,
}

impl World {
    /// The world that all inputs are of. It is made once; its keys take a second.
    pub fn shared() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(Self::new)
    }

    fn new() -> Self {
        let (_, context) = small();
        let mut subscriber = TestSubscriber::new(1);
        let events = |view| vec![event(1, view, true), event(2, view, true), event(2, view + 1, false)];
        // The golden bundle, so that fuzzing can start from it.
        let first = subscriber.bundle(&context, events(0));
        let second = subscriber.bundle(&context, events(2));
        let other = TestSubscriber::new(2).bundle(&context, events(0));
        let (mut values, mut token, mut at) = (Vec::new(), 0, 0);
        for part in first.parts() {
            let (from, counted) = (at, part.bytes % 32 == 4);
            at += part.bytes;
            match part.name {
                "envelope" => values.push(at - 32),
                "token" => token = from,
                // A denomination, a serial, a signature.
                "receipts" => values.push(from + 5),
                // After the ephemerals come commitments and ciphertexts of other lengths.
                "sealed" => values.extend((0..3).map(|i| from + 32 * i)),
                _ => values.extend((from + if counted { 4 } else { 0 }..at).step_by(32)),
            }
        }
        let bundles = [first, second, other].iter().map(Encode::to_bytes).collect();
        Self { context, bundles, values, token }
    }

    /// Applies one change.
    fn change(&self, bytes: &mut Vec<u8>, change: &[u8; CHANGE_BYTES]) {
        let [kind, stretch, low, high, value] = *change;
        let place = usize::from(u16::from_le_bytes([low, high]));
        let at = place % bytes.len().max(1);
        let word = self.values[place % self.values.len()];
        let source = &self.bundles[usize::from(stretch) % self.bundles.len()];
        let length = usize::from(stretch) + 1;
        match kind % 12 {
            0 => edit(bytes, at, 1, |b| b[0] = value),
            1 => edit(bytes, at, 1, |b| b[0] ^= 1 << (value % 8)),
            // A value of 32 bytes: neutral, one more, a second spelling, that of another bundle, another value's.
            2 => edit(bytes, word, 32, |b| b.fill(0)),
            3 => edit(bytes, word, 32, |b| add(b.iter_mut(), [value].iter())),
            4 => edit(bytes, word, 32, |b| add(b.iter_mut(), ORDER.iter())),
            5 => edit(bytes, word, 32, |b| b.copy_from_slice(&source[word..word + 32])),
            6 => {
                let from = self.values[usize::from(value) % self.values.len()];
                let other: Vec<u8> = bytes.iter().skip(from).take(32).copied().collect();
                edit(bytes, word, 32, |b| b.iter_mut().zip(&other).for_each(|(b, o)| *b = *o));
            }
            // A stretch of another bundle, from anywhere.
            7 => {
                let end = (at + length * 8).min(source.len());
                edit(bytes, at, end.saturating_sub(at), |b| b.copy_from_slice(&source[at..end]));
            }
            // The token's second spelling: signature plus modulus.
            8 => {
                let modulus = &issuer().public().der()[33..33 + 256];
                edit(bytes, self.token, 256, |b| add(b.iter_mut().rev(), modulus.iter().rev()));
            }
            9 => bytes.truncate(bytes.len().saturating_sub(usize::from(value))),
            10 => bytes.extend(std::iter::repeat_n(value, length)),
            _ => drop(bytes.drain(at..(at + usize::from(value)).min(bytes.len()))),
        }
    }
}

/// Edits a stretch, where there is one.
fn edit(bytes: &mut [u8], at: usize, length: usize, edit: impl FnOnce(&mut [u8])) {
    if let Some(stretch) =
        at.checked_add(length).and_then(|end| bytes.get_mut(at..end)).filter(|s| !s.is_empty())
    {
        edit(stretch);
    }
}

/// Adds a number to another, both from the least significant byte on; what is carried out is lost.
fn add<'a>(into: impl Iterator<Item = &'a mut u8>, from: impl Iterator<Item = &'a u8>) {
    let mut carry = 0;
    let from = from.copied().chain(std::iter::repeat(0));
    for (digit, added) in into.zip(from) {
        let total = u16::from(*digit) + u16::from(added) + carry;
        (*digit, carry) = (total as u8, total >> 8);
    }
}

/// What became of a changed bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The changes cancel each other out: it is an honest bundle, and was accepted.
    Honest,
    /// It does not decode.
    Undecoded,
    /// The verifier refuses it.
    Refused,
}

/// Reads a list of changes, applies them to an honest bundle, and asserts that the result is refused unless it is an
/// honest bundle. The first byte says which bundle is changed.
pub fn changed(data: &[u8]) -> Outcome {
    let world = World::shared();
    let Some((which, changes)) = data.split_first() else { return Outcome::Undecoded };
    let mut bytes = world.bundles[usize::from(*which) % world.bundles.len()].clone();
    let (changes, _) = changes.as_chunks::<CHANGE_BYTES>();
    changes.iter().take(MAX_CHANGES).for_each(|change| world.change(&mut bytes, change));
    judge(&bytes)
}

/// Asserts of any bytes that they are refused, unless they are an honest bundle.
pub fn judge(bytes: &[u8]) -> Outcome {
    let world = World::shared();
    let Ok(bundle) = Bundle::from_bytes(bytes) else { return Outcome::Undecoded };
    assert_eq!(bundle.to_bytes(), bytes, "a bundle has a second spelling");
    let accepted = verify(&world.context, &bundle);
    if world.bundles.iter().any(|honest| honest == bytes) {
        assert!(accepted.is_ok(), "an honest bundle is refused: {accepted:?}");
        return Outcome::Honest;
    }
    assert!(accepted.is_err(), "a changed bundle is accepted");
    Outcome::Refused
}
