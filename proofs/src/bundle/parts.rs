//! What a bundle is made of, and how long each part is: what whoever stores or sends bundles pays for.

use super::statement::Bundle;
use primitives::{Encode, Writer};

/// A stretch of a bundle's canonical encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of what stands there, as fields are called.
    pub name: &'static str,
    /// What docs/notes/bundle-proof.md calls what stands there; empty if the note has no symbol for it.
    pub symbol: &'static str,
    /// Whether it is of the proof, and not of what the proof is about.
    pub proof: bool,
    /// Length in bytes, counts of items included.
    pub bytes: usize,
}

/// Bytes of a sequence with its count.
fn sequence<T: Encode>(items: &[T]) -> usize {
    let mut w = Writer::default();
    w.seq(items);
    w.finish().len()
}

/// Bytes of a few values in a row.
fn row<T: Encode>(items: &[T]) -> usize {
    items.iter().map(|item| item.to_bytes().len()).sum()
}

impl Bundle {
    /// The parts of the encoding, in order. Their lengths add up to that of [`Encode::to_bytes`].
    pub fn parts(&self) -> Vec<Part> {
        let part = |proof| move |(name, symbol, bytes)| Part { name, symbol, proof, bytes };
        let proof = &self.proof;
        let statement = [
            ("envelope", "Y", self.envelope.to_bytes().len()),
            ("token", "", self.token.len()),
            ("receipts", "", sequence(&self.receipts)),
            ("previous", "Cum_prev", row(&[self.previous])),
            ("vector", "S", row(&[self.vector])),
            ("masks", "A_1, A_2, A_3", row(&self.masks)),
            ("sealed", "E_i", row(&self.ephemerals) + self.sealed().to_bytes().len()),
            ("tags", "T_e", sequence(&self.tags)),
        ];
        let scalars =
            [proof.digits_response, proof.key_response, proof.blinding_response, proof.coefficient_response];
        let messages = [
            ("commitments", "B', A', A_sk", row(&[proof.digits, proof.digit_masks, proof.key_mask])),
            ("backed_mask", "alpha", row(&[proof.backed_mask])),
            ("ephemeral_masks", "A_(E,i)", row(&proof.ephemeral_masks)),
            ("value", "C_val", row(&[proof.value])),
            ("tag_mask", "N", row(&[proof.tag_mask])),
            ("coefficients", "D_k", sequence(&proof.coefficients)),
            ("responses", "f", sequence(&proof.responses)),
            ("vector_response", "z", sequence(&proof.vector_response)),
            ("scalar_responses", "z_B, z_s, z_S, z_D", row(&scalars)),
            ("ephemeral_responses", "z_(E,i)", row(&proof.ephemeral_responses)),
            ("cap", "(h)", proof.cap.to_bytes().len()),
        ];
        statement.into_iter().map(part(false)).chain(messages.into_iter().map(part(true))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestSubscriber, event, small};

    #[test]
    fn the_parts_of_a_bundle_add_up_to_its_encoding() {
        let (_, context) = small();
        let bundle = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, true)]);
        let parts = bundle.parts();
        assert_eq!(parts.iter().map(|part| part.bytes).sum::<usize>(), bundle.to_bytes().len());
        // Names say where: the tags are the last part before the proof.
        let before: usize =
            parts.iter().take_while(|part| !part.proof && part.name != "tags").map(|part| part.bytes).sum();
        let tag = &bundle.to_bytes()[before + 4..before + 36];
        assert_eq!(tag, bundle.tags[0].0);
    }
    /// Readers look the symbols up in the note.
    #[test]
    fn every_symbol_of_a_part_is_in_the_note() {
        let note = include_str!("../../../docs/notes/bundle-proof.md");
        let (_, context) = small();
        let bundle = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, true)]);
        for part in bundle.parts() {
            for symbol in part.symbol.split(", ") {
                assert!(note.contains(symbol), "{symbol} of {}", part.name);
            }
            assert!(!part.proof || !part.symbol.is_empty(), "{} of the proof", part.name);
        }
    }
}
