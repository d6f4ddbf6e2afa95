//! What a bundle is made of, and how long each part is: what whoever stores or sends bundles pays for.

use super::statement::Bundle;
use primitives::{Encode, Writer};

/// A stretch of a bundle's canonical encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of what stands there, as fields are called.
    pub name: &'static str,
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
        let part = |proof| move |(name, bytes)| Part { name, proof, bytes };
        let proof = &self.proof;
        let statement = [
            ("envelope", self.envelope.to_bytes().len()),
            ("token", self.token.len()),
            ("receipts", sequence(&self.receipts)),
            ("previous", row(&[self.previous])),
            ("vector", row(&[self.vector])),
            ("masks", row(&self.masks)),
            ("sealed", self.sealed.to_bytes().len()),
            ("tags", sequence(&self.tags)),
        ];
        let scalars =
            [proof.digits_response, proof.key_response, proof.blinding_response, proof.coefficient_response];
        let messages = [
            ("commitments", row(&[proof.digits, proof.digit_masks, proof.key_mask])),
            ("backed_mask", row(&[proof.backed_mask])),
            ("ephemeral_masks", row(&proof.ephemeral_masks)),
            ("value", row(&[proof.value])),
            ("tag_mask", row(&[proof.tag_mask])),
            ("coefficients", sequence(&proof.coefficients)),
            ("responses", sequence(&proof.responses)),
            ("vector_response", sequence(&proof.vector_response)),
            ("scalar_responses", row(&scalars)),
            ("ephemeral_responses", row(&proof.ephemeral_responses)),
            ("cap", proof.cap.to_bytes().len()),
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
}
