//! Values of arguments that need more than clap's own parsers.

use primitives::{
    Digest,
    limits::{MAX_SHARD_WIDTH, MIN_SHARD_WIDTH},
};

/// A state root that somebody trusts, with the spelling that it was given in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustedRoot {
    /// The root.
    pub(crate) root: Digest,
    /// What was typed.
    pub(crate) given: String,
}

impl TrustedRoot {
    /// Another root in the spelling of this one, and as nodes spell it where that differs.
    pub(crate) fn spell(&self, other: &Digest) -> String {
        if !self.given.starts_with(ON_LAYER1) {
            return other.to_string();
        }
        let mut reversed = *other;
        reversed.0.reverse();
        format!("{ON_LAYER1}{reversed} (for nodes {other})")
    }
}

/// Before a number as L1 spells it.
const ON_LAYER1: &str = "0x";

/// Reads a state root as nodes or as L1 spell it. L1 has the same field element as a big-endian number, after `0x`.
pub(super) fn trusted_root(text: &str) -> Result<TrustedRoot, String> {
    let expected = "expected 64 hexadecimal digits, or 0x and 64 hexadecimal digits as on L1";
    let given = text.to_owned();
    let Some(digits) = text.strip_prefix(ON_LAYER1) else {
        return text.parse().map(|root| TrustedRoot { root, given }).map_err(|_| expected.into());
    };
    let mut root: Digest = digits.to_ascii_lowercase().parse().map_err(|_| expected)?;
    root.0.reverse();
    Ok(TrustedRoot { root, given })
}

/// Reads how many works a shard has at most.
pub(super) fn shard_width(text: &str) -> Result<u16, String> {
    let width = text.parse().ok().filter(|width| (MIN_SHARD_WIDTH..=MAX_SHARD_WIDTH).contains(width));
    let width = width.and_then(|width| u16::try_from(width).ok());
    width.ok_or_else(|| format!("expected a whole number from {MIN_SHARD_WIDTH} to {MAX_SHARD_WIDTH}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_keeps_the_spelling_it_was_given_in() {
        let (node, layer1) = ("0f".to_owned() + &"0".repeat(62), "0x".to_owned() + &"0".repeat(62) + "0f");
        let (a, b) = (trusted_root(&node).expect("a root"), trusted_root(&layer1).expect("a root"));
        assert_eq!(a.root, b.root);
        assert_eq!((&a.given, &b.given), (&node, &layer1));
        assert_eq!(a.spell(&b.root), node);
        assert_eq!(b.spell(&a.root), format!("{layer1} (for nodes {node})"));
        assert!(trusted_root("0x12").is_err() && trusted_root("xyz").is_err());
    }

    #[test]
    fn a_shard_width_is_a_number_inside_its_bounds() {
        assert_eq!((shard_width("4"), shard_width("4096")), (Ok(4), Ok(4096)));
        for wrong in ["3", "4097", "-1", "abc", "", "70000", "99999999999999999999"] {
            assert_eq!(shard_width(wrong), Err("expected a whole number from 4 to 4096".into()), "{wrong}");
        }
    }
}
