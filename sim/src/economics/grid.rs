//! Grids: `name=v1,v2,...`, each value read exactly into the type of its parameter.

use super::{PlaysPerSubscriber, ReplayScope, Rules, Scenario};
use primitives::{
    BasisPoints,
    limits::EVENT_VALUE_BITS,
    params::{ONE_Q32, ParamsError},
};
use serde::Serialize;
use std::str::FromStr;
use thiserror::Error;

/// Decimal places of a value: with them a numerator stays below 2^128.
const MAX_DECIMALS: usize = 12;
/// Digits before the point.
const MAX_DIGITS: usize = 12;
/// What takes the place of a number where a limit is switched off.
const NONE: &str = "none";

/// How the values of a parameter are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A decimal number or a percentage, in 2^-32.
    Q32,
    /// A decimal fraction or a percentage, in whole basis points.
    Share,
    /// A whole number.
    Whole,
    /// A whole number, or `none`.
    Views,
    /// A decimal number of views in 2^-18, or `none`.
    Value,
    /// `true` or `false`.
    Switch,
    /// `work` or `creator`.
    Scope,
    /// A decimal number of plays.
    Plays,
}

/// What a grid may vary: names, and what the parameters call it.
const NAMES: [(&str, &str, Kind); 17] = [
    ("alpha", "alpha", Kind::Q32),
    ("beta", "beta", Kind::Q32),
    ("k", "k", Kind::Q32),
    ("b_min", "b_min", Kind::Q32),
    ("delta", "delta", Kind::Q32),
    ("price_min", "price_min", Kind::Q32),
    ("price_max", "price_max", Kind::Q32),
    ("price_normalised", "price_normalised", Kind::Switch),
    ("eco", "eco_share", Kind::Share),
    ("infra", "infra_share", Kind::Share),
    ("fee", "fee_share", Kind::Share),
    ("k_anonymity", "k_anonymity", Kind::Whole),
    ("j_max", "j_max", Kind::Views),
    ("value_cap", "value_cap", Kind::Value),
    ("listeners_half", "listeners_half", Kind::Whole),
    ("reputation_decay", "reputation_decay", Kind::Q32),
    ("replay_scope", "replay_scope", Kind::Scope),
];
/// The grid of how much is played.
const PLAYS: &str = "plays_per_subscriber";

/// A grid that cannot be swept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GridError {
    /// Not of the form `name=v1,v2,...`.
    #[error("grid {0:?}: write name=v1,v2,...")]
    Form(String),
    /// No parameter of that name.
    #[error("grid {name}: no parameter of that name: choose {choices}")]
    Unknown {
        /// The name.
        name: String,
        /// All names.
        choices: String,
    },
    /// A value that is not of the parameter's kind.
    #[error("grid {name}: {value:?} is not {wanted}")]
    Value {
        /// The grid.
        name: String,
        /// The value.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A value outside the bounds of governance.
    #[error("grid {name}: {value} is outside {min} to {max}")]
    OutOfBounds {
        /// The grid.
        name: String,
        /// The value.
        value: String,
        /// Smallest value allowed.
        min: String,
        /// Largest value allowed.
        max: String,
    },
    /// A value stands twice in a grid.
    #[error("grid {name}: {value} is listed twice")]
    RepeatedValue {
        /// The grid.
        name: String,
        /// The value.
        value: String,
    },
    /// A parameter has two grids.
    #[error("grid {0}: is given twice")]
    RepeatedGrid(String),
}

/// A parameter and the values that it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grid {
    /// The parameter.
    pub name: String,
    /// Its values, as they were written.
    pub values: Vec<String>,
    #[serde(skip)]
    settings: Vec<Setting>,
}

/// A value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    Number(&'static str, u64),
    Off(&'static str),
    Normalised(bool),
    Scope(ReplayScope),
    Plays(PlaysPerSubscriber),
}

impl Setting {
    fn apply(self, scenario: &mut Scenario) {
        let Rules { params, limits_views, caps_value, replay_scope } = &mut scenario.rules;
        // What does not fit a narrower type is made its largest value, which every bound refuses.
        let share = |x: u64| BasisPoints::new(x.try_into().unwrap_or(u16::MAX)).unwrap_or(BasisPoints::WHOLE);
        match self {
            Self::Plays(plays) => scenario.plays_per_subscriber = Some(plays),
            Self::Scope(scope) => *replay_scope = scope,
            Self::Normalised(on) => params.price_normalised = on,
            Self::Off("j_max") => *limits_views = false,
            Self::Off(_) => *caps_value = false,
            Self::Number(name, x) => match name {
                "alpha" => params.alpha = x,
                "beta" => params.beta = x,
                "k" => params.k = x,
                "b_min" => params.b_min = x,
                "delta" => params.delta = x,
                "price_min" => params.price_min = x,
                "price_max" => params.price_max = x,
                "eco" => params.eco_share = share(x),
                "infra" => params.infra_share = share(x),
                "fee" => params.fee_share = share(x),
                "k_anonymity" => params.k_anonymity = x.try_into().unwrap_or(u32::MAX),
                "listeners_half" => params.listeners_half = x.try_into().unwrap_or(u32::MAX),
                "reputation_decay" => params.reputation_decay = x,
                "j_max" => (params.j_max, *limits_views) = (x.try_into().unwrap_or(u16::MAX), true),
                "value_cap" => (params.value_cap, *caps_value) = (x, true),
                other => unreachable!("{other} is no name of a number"),
            },
        }
    }
}

impl FromStr for Grid {
    type Err = GridError;
    fn from_str(text: &str) -> Result<Self, GridError> {
        let (name, values) = text.split_once('=').ok_or_else(|| GridError::Form(text.to_owned()))?;
        let (name, values) = (name.trim().to_owned(), values.split(',').map(|v| v.trim().to_owned()));
        let values: Vec<String> = values.collect();
        if name.is_empty() || values.iter().any(String::is_empty) {
            return Err(GridError::Form(text.to_owned()));
        }
        let settings =
            values.iter().map(|value| setting(&name, value)).collect::<Result<Vec<_>, GridError>>()?;
        for (i, setting) in settings.iter().enumerate() {
            if settings[..i].contains(setting) {
                return Err(GridError::RepeatedValue { name, value: values[i].clone() });
            }
        }
        Ok(Self { name, values, settings })
    }
}

impl Grid {
    /// Sets the parameter to the value at a place.
    pub(super) fn apply(&self, place: usize, scenario: &mut Scenario) {
        self.settings[place].apply(scenario);
    }

    /// Checks every value against the bounds of governance, everything else as in `scenario`.
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), GridError> {
        for (value, setting) in self.values.iter().zip(&self.settings) {
            let mut one = scenario.clone();
            setting.apply(&mut one);
            let found = one.rules.check();
            let (name, value) = (self.name.clone(), value.clone());
            match found {
                Err(ParamsError::OutOfBounds { name: parameter, min, max, .. }) => {
                    let (min, max) = (shown(parameter, min), shown(parameter, max));
                    return Err(GridError::OutOfBounds { name, value, min, max });
                }
                // A share is at most the whole; together they are checked with all grids.
                _ if matches!(setting, Setting::Number("eco" | "infra" | "fee", 10_000..)) => {
                    return Err(GridError::OutOfBounds {
                        name,
                        value,
                        min: "0".into(),
                        max: "0.9999".into(),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The names that a grid may have.
pub fn grid_names() -> Vec<&'static str> {
    NAMES.iter().map(|(name, ..)| *name).chain([PLAYS]).collect()
}

fn setting(name: &str, value: &str) -> Result<Setting, GridError> {
    let wrong = |wanted| GridError::Value { name: name.to_owned(), value: value.to_owned(), wanted };
    let Some((name, kind)) = kind(name) else {
        let choices = grid_names().join(", ");
        return Err(GridError::Unknown { name: name.to_owned(), choices });
    };
    let fraction = |scale, wanted| decimal(value, scale).ok_or_else(|| wrong(wanted));
    let number = |x: Option<(u64, bool)>, wanted| {
        x.map(|(x, _)| Setting::Number(name, x)).ok_or_else(|| wrong(wanted))
    };
    match kind {
        Kind::Views | Kind::Value if value == NONE => Ok(Setting::Off(name)),
        Kind::Q32 => {
            let wanted = "a decimal number or a percentage, with at most 12 decimals";
            number(Some(fraction(u128::from(ONE_Q32), wanted)?), wanted)
        }
        Kind::Share => {
            let wanted = "a share with its sign or its point, such as 5% or 0.05, with at most two decimals of a percent";
            // Of a bare whole number one would say per cent, and another basis points.
            if value != "0" && value.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(wrong(wanted));
            }
            number(Some(fraction(10_000, wanted)?).filter(|(_, exact)| *exact), wanted)
        }
        Kind::Whole => number(whole(value), "a whole number"),
        Kind::Views => number(whole(value), "a whole number, or none"),
        Kind::Value => {
            let wanted = "a decimal number of views, or none";
            number(decimal(value, 1 << EVENT_VALUE_BITS), wanted)
        }
        Kind::Switch => value.parse().map(Setting::Normalised).map_err(|_| wrong("true or false")),
        Kind::Scope => value.parse().map(Setting::Scope).map_err(|_| wrong("work or creator")),
        Kind::Plays => value
            .parse()
            .map(Setting::Plays)
            .map_err(|_| wrong("a number of plays above 0, with at most six decimals")),
    }
}

fn kind(name: &str) -> Option<(&'static str, Kind)> {
    if name == PLAYS {
        return Some((PLAYS, Kind::Plays));
    }
    NAMES.iter().find(|(other, ..)| *other == name).map(|(name, _, kind)| (*name, *kind))
}

fn whole(text: &str) -> Option<(u64, bool)> {
    let digits = text.bytes().all(|c| c.is_ascii_digit()) && text.len() <= MAX_DIGITS;
    digits.then(|| text.parse().ok()).flatten().map(|x| (x, true))
}

/// `floor(scale * text)` for a decimal number or percentage, and whether that is exact. Integers only, so that 0.35 is
/// what the presets call 0.35.
fn decimal(text: &str, scale: u128) -> Option<(u64, bool)> {
    let (number, percent) = text.strip_suffix('%').map_or((text, 1), |number| (number.trim_end(), 100));
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let fits = |part: &str, most| part.len() <= most && part.bytes().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !fits(whole, MAX_DIGITS) || !fits(decimals, MAX_DECIMALS) {
        return None;
    }
    let numerator: u128 = format!("{whole}{decimals}").parse().ok()?;
    let denominator = 10_u128.pow(decimals.len() as u32) * percent;
    let product = numerator.checked_mul(scale)?;
    Some((u64::try_from(product / denominator).ok()?, product.is_multiple_of(denominator)))
}

/// A bound as a grid would write it. Bounds have at most four decimals.
fn shown(parameter: &str, bound: u64) -> String {
    let kind = NAMES.iter().find(|(_, field, _)| *field == parameter).map(|(.., kind)| *kind);
    let scale = match kind {
        Some(Kind::Q32) => ONE_Q32,
        Some(Kind::Value) => 1 << EVENT_VALUE_BITS,
        _ => return bound.to_string(),
    };
    // Rounded to the nearest ten-thousandth.
    let parts = (u128::from(bound) * 10_000 + u128::from(scale / 2)) / u128::from(scale);
    let text = format!("{}.{:04}", parts / 10_000, parts % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
