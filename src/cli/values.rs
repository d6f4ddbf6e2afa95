//! Values of arguments that need more than clap's own parsers.

use chain::{
    modules::{
        dapr::payout::Split,
        governance::{Choice, Unit},
        identity::Roles,
        work_registry::MediaType,
    },
    node::origin,
    wallet::address,
};
use primitives::{
    BasisPoints, Digest, PersonId, WorkId,
    limits::{MAX_SHARD_WIDTH, MIN_SHARD_WIDTH},
};
use serde_json::Value;
use std::{
    num::{IntErrorKind, ParseIntError},
    str::FromStr,
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

/// A work, by its name or by as much of its beginning as tables show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WorkName {
    /// All of it.
    Whole(WorkId),
    /// The first digits.
    Beginning(String),
}

/// Fewest digits of a beginning: with fewer, works that are registered later would soon begin alike.
const MIN_DIGITS: usize = 8;

/// Reads the name of a work or its beginning, with the dots that tables put after one.
pub(super) fn work(text: &str) -> Result<WorkName, String> {
    if let Ok(work) = text.parse() {
        return Ok(WorkName::Whole(work));
    }
    let digits = text.trim_end_matches('…');
    let hex = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if hex && (MIN_DIGITS..64).contains(&digits.len()) {
        Ok(WorkName::Beginning(digits.into()))
    } else {
        Err(format!("expected 64 lower-case hexadecimal digits, or at least the first {MIN_DIGITS} of them"))
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
    let width = text.parse().ok().filter(|width: &usize| (MIN_SHARD_WIDTH..=MAX_SHARD_WIDTH).contains(width));
    let width = width.and_then(|width| u16::try_from(width).ok());
    width.ok_or_else(|| format!("expected a whole number from {MIN_SHARD_WIDTH} to {MAX_SHARD_WIDTH}"))
}

/// Reads a ratio, such as a price multiplier.
pub(super) fn ratio(text: &str) -> Result<u64, String> {
    Unit::Ratio.read(text).map_err(|error| error.to_string())
}

/// Reads a whole number that a type can hold.
pub(super) fn number<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "there is none that large".into(),
        _ => "expected a whole number".into(),
    })
}

/// Reads what kind of thing a work is.
pub(super) fn media(text: &str) -> Result<MediaType, String> {
    let found = serde_json::from_value(Value::from(text));
    found.map_err(|_| "expected audio, video, text, image, software or other".into())
}

/// Reads a vote.
pub(super) fn choice(text: &str) -> Result<Choice, String> {
    serde_json::from_value(Value::from(text)).map_err(|_| "expected yes, no or abstain".into())
}

/// Reads an office. What credentials give is no office, and the seats of the council are for elections.
pub(super) fn role(text: &str) -> Result<Roles, String> {
    let mut given = origin::role_names().filter(|(_, role)| Roles::GIVEN.has(*role));
    given.find(|(name, _)| *name == text).map(|(_, role)| role).ok_or_else(|| {
        let given = origin::role_names().filter(|(_, role)| Roles::GIVEN.has(*role));
        format!("expected one of {}", given.map(|(name, _)| name).collect::<Vec<_>>().join(", "))
    })
}

/// Reads a payee and their part.
pub(super) fn split(text: &str) -> Result<Split, String> {
    let (payee, share) = text.split_once('=').ok_or("expected PAYEE=SHARE")?;
    let points = Unit::Share.read(share).map_err(|error| error.to_string())?;
    let share = u16::try_from(points).ok().and_then(BasisPoints::new).expect("a share is below the whole");
    Ok(Split { payee: self::payee(payee)?, share })
}

/// Reads a person on record, or an account on L1.
pub(super) fn payee(text: &str) -> Result<PersonId, String> {
    if text.starts_with(ON_LAYER1) {
        let address = address::read(text);
        return address.map(PersonId::layer1).map_err(|error| format!("an account on L1: {error}"));
    }
    text.parse()
        .map_err(|_| "expected a payee: 64 hexadecimal digits, or 0x and the 40 of an account on L1".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payees_are_persons_or_accounts_on_layer_1() {
        let person = "4f".repeat(32);
        let read = split(&format!("{person}=70%")).expect("a split");
        assert_eq!((read.payee, read.share.get()), (PersonId([0x4f; 32]), 7000));
        let address = "0x52908400098527886E0F7030069857D2E4169EE7";
        let read = split(&format!("{address}=30%")).expect("a split");
        let layer1 = read.payee.layer1_address().expect("an account on L1");
        assert_eq!((layer1.to_string(), read.share.get()), (address.to_lowercase(), 3000));
        let mistyped = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD";
        assert!(payee(mistyped).is_err_and(|error| error.contains("EIP-55")));
        assert!(payee(&mistyped.to_lowercase()).is_ok());
        let bare = format!("{person}=7000");
        for wrong in
            ["", "4f=1%", &person, &bare, &format!("{person}=101%"), "0x12=1%", &format!("0x{person}=1%")]
        {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn works_are_named_by_their_beginnings_too() {
        let whole = "9a".repeat(32);
        assert_eq!(work(&whole), Ok(WorkName::Whole(WorkId([0x9a; 32]))));
        for beginning in [&whole[..8], &whole[..12], &whole[..63], "9a9a9a9a9a9a…"] {
            let digits = beginning.trim_end_matches('…').to_owned();
            assert_eq!(work(beginning), Ok(WorkName::Beginning(digits)));
        }
        for wrong in ["", "…", &whole[..7], &whole.to_uppercase(), "9a9a9a9g", &format!("{whole}9a")] {
            assert!(work(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_those_of_the_ledger() {
        assert_eq!((media("software"), choice("abstain")), (Ok(MediaType::Software), Ok(Choice::Abstain)));
        assert!(media("Audio").is_err() && choice("maybe").is_err());
        assert_eq!(role("auditor"), Ok(Roles::AUDITOR));
        for wrong in ["voter", "councillor", "creator", ""] {
            assert!(role(wrong).is_err(), "{wrong}");
        }
        assert_eq!((ratio("1.5"), ratio("-1").is_err()), (Ok(3 << 31), true));
    }

    #[test]
    fn numbers_are_told_from_what_is_none_or_too_large() {
        use primitives::{CategoryId, ChainId};
        assert_eq!(number::<CategoryId>("7"), Ok(CategoryId(7)));
        assert_eq!(number::<CategoryId>("99999"), Err("there is none that large".into()));
        for wrong in ["abc", "", "-1", "1.5"] {
            assert_eq!(number::<ChainId>(wrong), Err("expected a whole number".into()), "{wrong}");
        }
    }

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
