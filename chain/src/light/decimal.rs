//! Large integers as decimal strings, each with one spelling. JSON readers lose digits of numbers beyond 2^53.

use ruint::aliases::U256;
use serde::{Deserialize, Serialize};

macro_rules! decimal {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub $inner);

        impl From<$name> for String {
            fn from(number: $name) -> String {
                number.0.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                let number = text.parse::<$inner>().map_err(|_| "expected a decimal number")?;
                if number.to_string() == text {
                    Ok(Self(number))
                } else {
                    Err("expected the shortest decimal spelling")
                }
            }
        }
    };
}

decimal!(
    /// A number below 2^256.
    Decimal256(U256)
);
decimal!(
    /// A number below 2^128.
    Decimal128(u128)
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        let read = |text: &str| Decimal256::try_from(text.to_owned());
        assert_eq!(read("120"), Ok(Decimal256(U256::from(120))));
        for other in ["0120", "+120", "1_20", "0x78", "", "120 ", "-1"] {
            assert!(read(other).is_err(), "{other:?}");
        }
        assert_eq!(String::from(Decimal128(u128::MAX)).len(), 39);
        assert!(Decimal128::try_from("340282366920938463463374607431768211456".to_owned()).is_err());
    }
}
