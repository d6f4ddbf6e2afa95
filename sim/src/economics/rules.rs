//! The rules of an evaluation: the parameters of governance, and what only a simulator may change.

use primitives::{
    GovernanceParams, Preset,
    params::{ONE_Q32, ParamsError},
};
use serde::Serialize;
use std::{fmt, str::FromStr};
use thiserror::Error;

/// Over what repeated views are counted for diminishing returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplayScope {
    /// Over one work by one subscriber: the protocol.
    #[default]
    Work,
    /// Over all works of one creator by one subscriber. No bundle proves that: the simulator alone can show it. The
    /// value of all plays together is shared among the works in proportion to their plays, each part rounded down.
    Creator,
}

/// A word that names no rule.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RulesError {
    /// No scope of that name.
    #[error("{0:?} is no replay scope: choose work or creator")]
    Scope(String),
    /// Not a number of plays.
    #[error("{0:?} is no number of plays: give a decimal number above 0, with at most six decimals")]
    Plays(String),
}

impl FromStr for ReplayScope {
    type Err = RulesError;
    fn from_str(text: &str) -> Result<Self, RulesError> {
        match text {
            "work" => Ok(Self::Work),
            "creator" => Ok(Self::Creator),
            other => Err(RulesError::Scope(other.to_owned())),
        }
    }
}

impl fmt::Display for ReplayScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Work => "work",
            Self::Creator => "creator",
        })
    }
}

/// Mean plays of a subscriber in an epoch, in millionths: exact, so that runs have one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct PlaysPerSubscriber(u64);

impl PlaysPerSubscriber {
    /// Decimal places of the unit.
    const DECIMALS: usize = 6;
    /// Most plays: one a second for over a month.
    const MAX: u64 = 3_000_000;

    /// As a floating-point number.
    pub fn get(self) -> f64 {
        self.0 as f64 / 10_u64.pow(Self::DECIMALS as u32) as f64
    }
}

impl FromStr for PlaysPerSubscriber {
    type Err = RulesError;
    fn from_str(text: &str) -> Result<Self, RulesError> {
        let wrong = || RulesError::Plays(text.to_owned());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > Self::DECIMALS {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().ok().filter(|n| *n <= Self::MAX).ok_or_else(wrong)?;
        let decimals: u64 =
            format!("{decimals:0<width$}", width = Self::DECIMALS).parse().map_err(|_| wrong())?;
        let plays = whole * 10_u64.pow(Self::DECIMALS as u32) + decimals;
        if plays == 0 { Err(wrong()) } else { Ok(Self(plays)) }
    }
}

impl fmt::Display for PlaysPerSubscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.pow(Self::DECIMALS as u32);
        match self.0 % unit {
            0 => write!(f, "{}", self.0 / unit),
            rest => {
                let decimals = format!("{rest:0width$}", width = Self::DECIMALS);
                write!(f, "{}.{}", self.0 / unit, decimals.trim_end_matches('0'))
            }
        }
    }
}

impl From<PlaysPerSubscriber> for String {
    fn from(plays: PlaysPerSubscriber) -> Self {
        plays.to_string()
    }
}

/// The parameters of governance, and what only a simulator may change.
///
/// The type of parameters always has a `J_max` and a cap, because a proof must. The preset `flat` stands for plain pro
/// rata in the literature, which has neither: here both can be switched off. The ledger's functions are then given
/// parameters whose bounds hold, and none of those functions reads the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// The parameters.
    pub params: GovernanceParams,
    /// Whether views past `params.j_max` are worth nothing.
    pub limits_views: bool,
    /// Whether a subscriber's value stops at `params.value_cap`.
    pub caps_value: bool,
    /// Over what repeated views are counted.
    pub replay_scope: ReplayScope,
}

impl Rules {
    /// The rules of a preset: its parameters, and in `flat` neither `J_max` nor a cap.
    pub fn preset(preset: Preset) -> Self {
        let limited = preset != Preset::Flat;
        Self { limits_views: limited, caps_value: limited, ..Self::new(preset.params()) }
    }

    /// The rules of the protocol with these parameters.
    pub fn new(params: GovernanceParams) -> Self {
        Self { params, limits_views: true, caps_value: true, replay_scope: ReplayScope::Work }
    }

    /// Checks every parameter against its bounds.
    pub fn check(&self) -> Result<(), ParamsError> {
        self.params.check()
    }

    /// Views of one work (or creator) by one subscriber that count, if there is a limit.
    pub fn j_max(&self) -> Option<u16> {
        self.limits_views.then_some(self.params.j_max)
    }

    /// Most value of a subscriber, in 2^-18 views, if there is a cap.
    pub fn value_cap(&self) -> Option<u64> {
        self.caps_value.then_some(self.params.value_cap)
    }

    /// `theta`, the creators' share of revenue.
    pub fn theta(&self) -> f64 {
        let shares = [self.params.eco_share, self.params.infra_share, self.params.fee_share];
        let deducted: u32 = shares.iter().map(|share| u32::from(share.get())).sum();
        1.0 - f64::from(deducted) / f64::from(primitives::BasisPoints::WHOLE.get())
    }

    /// Parameters under which `weights` gives weights before prices are normalised.
    pub(super) fn unnormalised(&self) -> GovernanceParams {
        GovernanceParams { price_normalised: false, ..self.params.clone() }
    }
}

/// A Q32 number as a floating-point one, exact up to 53 bits.
pub(super) fn q32_to_f64(x: u64) -> f64 {
    x as f64 / ONE_Q32 as f64
}
