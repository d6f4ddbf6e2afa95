//! Names of the rounds of a computation.

use primitives::{CodecError, Decode, Encode, Reader, Writer};
use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// What a round is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Name {
            $($(#[$doc])* $name,)*
        }

        impl Name {
            /// Every name, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in reports.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

names! {
    /// Masks and keys that nobody knows are drawn; no message.
    Masks = "masks",
    /// Masked cells are opened.
    OpenMasked = "open-masked",
    /// Bits that are put in are multiplied by the check key.
    Inputs = "inputs",
    /// Three rows of bits become two that have the same sum.
    CarrySave = "carry-save",
    /// Where two rows both have a bit, a carry begins.
    Generate = "generate",
    /// Carries of neighbouring spans are joined, a level of the tree each round.
    Carry = "carry",
    /// All say, and sign, that they have everything that was multiplied.
    Barrier = "barrier",
    /// The check key and the coefficients of the check are opened.
    CheckKey = "check-key",
    /// What must be zero is multiplied by a random number.
    CheckMask = "check-mask",
    /// What must be zero is opened.
    CheckZero = "check-zero",
    /// Which cells are large enough is opened.
    OpenOutcome = "open-outcome",
    /// Parts of bits, now numbers, are multiplied by the check key.
    Convert = "convert",
    /// Two of a bit's three parts are combined.
    FirstXor = "first-xor",
    /// The third is.
    SecondXor = "second-xor",
    /// Numbers are squared.
    Square = "square",
    /// Sums of squares are opened.
    OpenSquares = "open-squares",
}

/// A round: what it is for, and how many of that kind came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// What for.
    pub name: Name,
    /// How many before.
    pub number: u16,
}

impl Step {
    /// A round.
    pub fn new(name: Name, number: u16) -> Self {
        Self { name, number }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name.as_str(), self.number)
    }
}

impl Encode for Step {
    fn encode(&self, w: &mut Writer) {
        (self.name as u8).encode(w);
        self.number.encode(w);
    }
}

impl Decode for Step {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let name = Name::ALL.get(usize::from(u8::decode(r)?)).copied();
        let name = name.ok_or(CodecError::Invalid { what: "name of a round" })?;
        Ok(Self { name, number: Decode::decode(r)? })
    }
}
