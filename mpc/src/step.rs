//! Names of the rounds of a computation.

use primitives::{CodecError, Decode, Encode, Reader, Writer};
use std::fmt;

/// What a round is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Name {
    /// The check key and the masks that nobody knows are drawn; no message.
    Masks,
    /// Inputs are multiplied by the check key.
    Inputs,
    /// Two of a random bit's three parts are combined.
    FirstXor,
    /// The third is.
    SecondXor,
    /// Bits of the comparison are combined, a level of the tree each round.
    Compare,
    /// The outcome is combined with the mask's top bit.
    Outcome,
    /// All say that they have everything that was multiplied.
    Barrier,
    /// The seed of a check's coefficients is opened.
    Coefficients,
    /// The check key is opened.
    CheckKey,
    /// What must be zero is multiplied by a random number.
    CheckMask,
    /// What must be zero is opened.
    CheckZero,
    /// Masked inputs are opened.
    OpenMasked,
    /// Outcomes are opened.
    OpenOutcome,
}

impl Name {
    /// Every name, in the order of its number.
    pub const ALL: [Self; 13] = [
        Self::Masks,
        Self::Inputs,
        Self::FirstXor,
        Self::SecondXor,
        Self::Compare,
        Self::Outcome,
        Self::Barrier,
        Self::Coefficients,
        Self::CheckKey,
        Self::CheckMask,
        Self::CheckZero,
        Self::OpenMasked,
        Self::OpenOutcome,
    ];

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Masks => "masks",
            Self::Inputs => "inputs",
            Self::FirstXor => "first-xor",
            Self::SecondXor => "second-xor",
            Self::Compare => "compare",
            Self::Outcome => "outcome",
            Self::Barrier => "barrier",
            Self::Coefficients => "coefficients",
            Self::CheckKey => "check-key",
            Self::CheckMask => "check-mask",
            Self::CheckZero => "check-zero",
            Self::OpenMasked => "open-masked",
            Self::OpenOutcome => "open-outcome",
        }
    }
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
