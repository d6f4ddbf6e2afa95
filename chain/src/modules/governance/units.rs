//! How people write the value of a parameter, and how it is shown to them.
//!
//! Everything is read digit by digit and never through floating point. A parameter holds the nearest number below what
//! was written; digits that would be lost by that are refused, so that what is shown is what was written.

use super::Parameter;
use primitives::{
    BasisPoints, Credits, fixed_point::Q32_BITS, limits::EVENT_VALUE_BITS, params::ParamsError,
};
use std::{borrow::Cow, fmt};
use thiserror::Error;

/// Most decimals that are read: what 2^-32 needs and more.
const MAX_DECIMALS: usize = 18;

/// What a parameter is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A decimal number, held in 2^-32.
    Ratio,
    /// A part of the whole, held in basis points.
    Share,
    /// A time, held in seconds.
    Duration,
    /// An amount, held in micro-credits.
    Amount,
    /// A number of views, held in 2^-18.
    Views,
    /// On or off.
    Switch,
    /// A whole number.
    Count,
}

/// A text that is no value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} is not {expected}")]
pub struct UnitError {
    /// What was written.
    pub text: String,
    /// What was expected.
    pub expected: Cow<'static, str>,
}

impl Unit {
    /// What people write.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Ratio => "a decimal number such as 1.0 or 0.35",
            Self::Share => "a share: a decimal such as 0.05, or a percentage such as 5%",
            Self::Duration => "a time such as 7d, 12h, 30m, 90s, or whole seconds",
            Self::Amount => "an amount of credits with at most six decimals, such as 1000 or 0.001",
            // There is always one: what is left of it is proved to be a number of 32 bits.
            Self::Views => "a number of views such as 300 or 0.5",
            Self::Switch => "true or false",
            Self::Count => "a whole number",
        }
    }

    /// Reads what people write.
    ///
    /// Errors: [`UnitError`], also for what does not fit 64 bits.
    pub fn read(self, text: &str) -> Result<u64, UnitError> {
        let wrong = |expected| UnitError { text: text.into(), expected };
        let found = match self {
            Self::Ratio => scaled(text, 1 << Q32_BITS, true),
            // Of a whole number one would say per cent, and another basis points.
            Self::Share if text != "0" && whole(text).is_some() => {
                let (percent, decimal) = (format!("{text}%"), format!("0.{text:0>2}"));
                let fits = text.len() <= 2;
                let such = if fits { format!("{percent} or {decimal}") } else { "5% or 0.05".into() };
                return Err(wrong(format!("a share with its sign or its point: {such}").into()));
            }
            Self::Share => share(text),
            Self::Duration => duration(text),
            Self::Amount => scaled(text, Credits::ONE.0.into(), false),
            Self::Views => scaled(text, 1 << EVENT_VALUE_BITS, true),
            Self::Switch => text.parse().ok().map(|on: bool| on.into()),
            Self::Count => whole(text),
        };
        let value = found.ok_or_else(|| match too_long(text) {
            true => wrong(format!("{}, with at most {MAX_DECIMALS} decimals", self.expected()).into()),
            false => wrong(self.expected().into()),
        })?;
        let held = self.show(value);
        if matches!(self, Self::Ratio | Self::Views) && plain(text) != held {
            return Err(wrong(format!("a number that it can hold: the nearest below is {held}").into()));
        }
        Ok(value)
    }

    /// Writes a value as people write it: [`Self::read`] gives it back.
    pub fn show(self, value: u64) -> String {
        match self {
            Self::Ratio => shortest(value, Q32_BITS),
            Self::Views => shortest(value, EVENT_VALUE_BITS),
            Self::Share => {
                let text = format!("{}.{:02}", value / 100, value % 100);
                format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
            }
            Self::Duration => {
                let unit = [("d", 86_400), ("h", 3_600), ("m", 60)];
                let unit = unit.iter().find(|(_, seconds)| value > 0 && value.is_multiple_of(*seconds));
                unit.map_or_else(
                    || format!("{value}s"),
                    |(name, seconds)| format!("{}{name}", value / seconds),
                )
            }
            Self::Amount => {
                let text = Credits(value).to_string();
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            Self::Switch => (value != 0).to_string(),
            Self::Count => value.to_string(),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ratio => "ratio",
            Self::Share => "share",
            Self::Duration => "duration",
            Self::Amount => "credits",
            Self::Views => "views",
            Self::Switch => "switch",
            Self::Count => "count",
        })
    }
}

/// A decimal number without the zeros that say nothing.
fn plain(text: &str) -> &str {
    let text = match text.find(|digit| digit != '0') {
        Some(first) if text[first..].starts_with('.') => &text[first.saturating_sub(1)..],
        Some(first) => &text[first..],
        None => "0",
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Whether it would be a number if it had fewer decimals.
fn too_long(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(before, after)| {
        !before.is_empty() && digits(before) && digits(after) && after.len() > MAX_DECIMALS
    })
}

fn whole(text: &str) -> Option<u64> {
    // The parser would take a sign as well.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `floor(text * scale)`; a number that the scale does not hold is refused unless it `rounds`.
fn scaled(text: &str, scale: u128, rounds: bool) -> Option<u64> {
    let (before, after) = text.split_once('.').unwrap_or((text, "0"));
    if before.is_empty() || after.is_empty() || after.len() > MAX_DECIMALS {
        return None;
    }
    let unit = 10u128.pow(after.len() as u32);
    let digits = u128::from(whole(before)?).checked_mul(unit)?.checked_add(whole(after)?.into())?;
    let product = digits.checked_mul(scale)?;
    if !rounds && !product.is_multiple_of(unit) {
        return None;
    }
    u64::try_from(product / unit).ok()
}

fn share(text: &str) -> Option<u64> {
    let points = match text.strip_suffix('%') {
        Some(percent) => scaled(percent, 100, false),
        None => scaled(text, BasisPoints::WHOLE.get().into(), false),
    };
    points.filter(|points| *points <= BasisPoints::WHOLE.get().into())
}

fn duration(text: &str) -> Option<u64> {
    let units = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
    match units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds))) {
        Some((number, seconds)) => whole(number)?.checked_mul(seconds),
        None => whole(text),
    }
}

/// The shortest decimal whose number, rounded down to units of 2^-bits, is the value.
fn shortest(value: u64, bits: u32) -> String {
    let (value, unit) = (u128::from(value), 1u128 << bits);
    for decimals in 0..=MAX_DECIMALS as u32 {
        let power = 10u128.pow(decimals);
        let digits = (value * power).div_ceil(unit);
        if digits * unit / power == value {
            let (before, after) = (digits / power, digits % power);
            return if decimals == 0 {
                before.to_string()
            } else {
                format!("{before}.{after:0width$}", width = decimals as usize)
            };
        }
    }
    unreachable!("a unit of 2^-32 is wider than one of 10^-{MAX_DECIMALS}")
}

/// A value that an error names, as people write it, where the name is that of a parameter.
pub(super) fn told(name: &str, value: u64) -> String {
    name.parse().map_or_else(|_| value.to_string(), |parameter: Parameter| parameter.unit().show(value))
}

/// What is wrong with parameters, likewise.
pub(super) fn told_params(error: &ParamsError) -> String {
    match error {
        ParamsError::OutOfBounds { name, value, min, max } => {
            let [value, min, max] = [value, min, max].map(|value| told(name, *value));
            format!("{name} is {value}, outside {min} to {max}")
        }
        ParamsError::PriceRange { min, max } => {
            let [min, max] = [min, max].map(|price| Unit::Ratio.show(*price));
            format!("price_min {min} is above price_max {max}")
        }
        other => other.to_string(),
    }
}

impl Parameter {
    /// What it is measured in.
    pub fn unit(self) -> Unit {
        use Parameter as P;
        match self {
            P::Alpha
            | P::Beta
            | P::K
            | P::BMin
            | P::Delta
            | P::PriceMin
            | P::PriceMax
            | P::ReputationDecay => Unit::Ratio,
            P::PriceNormalised | P::PoolByTier => Unit::Switch,
            P::ValueCap => Unit::Views,
            P::EcoShare
            | P::InfraShare
            | P::FeeShare
            | P::GovernanceQuorum
            | P::GovernanceMajority
            | P::GovernanceMajorityHigh
            | P::GovernanceCouncilMajority
            | P::GovernanceVetoMajority
            | P::EcoFreeChange
            | P::EcoHaircutLand
            | P::EcoHaircutConservation
            | P::EcoHaircutCarbon
            | P::EcoHaircutWater
            | P::EcoHaircutBiodiversity
            | P::EcoHaircutOther
            | P::NodesUptimeFloor
            | P::NodesNodeCap
            | P::NodesOperatorCap
            | P::NodesSlashWrong
            | P::NodesSlashSilent
            | P::NodesStorageShare
            | P::NodesBandwidthShare
            | P::NodesComputeShare
            | P::NodesUptimeShare
            | P::NodesAggregationShare
            | P::NodesSequencingShare
            | P::NodesProvingShare
            | P::NodesCurationShare => Unit::Share,
            P::GovernanceDiscussion
            | P::GovernanceVoting
            | P::GovernanceNotice
            | P::GovernanceNoticeHigh
            | P::GovernanceExpiry
            | P::GovernanceCouncilTerm
            | P::GovernanceChallengePeriod
            | P::GovernanceJuryPeriod
            | P::IdentityRotation
            | P::TreasuryAttestationAge
            | P::EcoReportAge
            | P::EcoPause => Unit::Duration,
            P::FeesTransaction
            | P::GovernanceLarge
            | P::TreasuryCap
            | P::NodesBond
            | P::NodesBudget
            | P::NodesStorageRate
            | P::NodesBandwidthRate
            | P::NodesComputeRate
            | P::NodesUptimeRate
            | P::NodesAggregationRate
            | P::NodesSequencingRate
            | P::NodesProvingRate
            | P::NodesCurationRate => Unit::Amount,
            P::KAnonymity
            | P::JMax
            | P::ListenersHalf
            | P::FeesFreePerEpoch
            | P::GovernanceCouncilSeats
            | P::GovernanceJurors
            | P::GovernanceChallenges
            | P::GovernanceOpenPerPerson
            | P::TreasuryAuditors
            | P::EcoOracles
            | P::NodesNotice
            | P::NodesSamples
            | P::NodesReplicas
            | P::NodesClientUnits
            | P::NodesWitnesses => Unit::Count,
        }
    }
}

#[cfg(test)]
mod tests;
