//! One side of a proposal: a preset by name, or a TOML file of parameters.

use super::knobs::{KNOBS, Kind, Knob, knob};
use crate::economics::{
    Grid, GridError, Rules,
    sweep::{Plan, PlanError},
};
use primitives::{Digest, Domain, Encode, Preset, hash, params::ParamsError};
use std::{
    fmt::{self, Write},
    fs::File,
    io,
    io::Read,
    path::Path,
};
use thiserror::Error;
use toml::de::{DeTable, DeValue};

/// Longest file of parameters, in bytes: 17 lines and their comments.
pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// The key that names the preset of everything else.
const PRESET: &str = "preset";

/// A side that cannot be used. Every message names the file, and the key with its bound where there is one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {error}: give a TOML file, or spec, guarded or flat")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// The file is longer than any.
    #[error("{file}: is longer than the {MAX_FILE_BYTES} bytes that a file of parameters may have")]
    TooLong {
        /// The file.
        file: String,
    },
    /// The file is not TOML.
    #[error("{file}: row {row}: no TOML: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// The row, from 1.
        row: usize,
        /// What is wrong there.
        message: String,
    },
    /// No parameter of that name.
    #[error("{at}: no parameter of that name: choose preset, {choices}")]
    UnknownKey {
        /// Where.
        at: Place,
        /// All names.
        choices: String,
    },
    /// A value that is not of the parameter's kind, or no preset.
    #[error("{at}: {value} is not {wanted}")]
    Value {
        /// Where.
        at: Place,
        /// The value.
        value: String,
        /// What it should be.
        wanted: String,
    },
    /// A value outside the bounds of governance.
    #[error("{at}: {value} is outside {bounds}")]
    OutOfBounds {
        /// Where.
        at: Place,
        /// The value.
        value: String,
        /// The smallest and the largest value allowed.
        bounds: String,
    },
    /// Values that do not go together.
    #[error("{file}: eco_share, infra_share and fee_share: {error}")]
    Together {
        /// The file.
        file: String,
        /// What is wrong.
        error: ParamsError,
    },
}

/// A key in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was given.
    pub file: String,
    /// The row, from 1.
    pub row: usize,
    /// The key.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: row {}: {}", self.file, self.row, self.key)
    }
}

/// One side: what it is called, and its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// A preset's name, or a file as it was given.
    pub given: String,
    /// The same for people: without folder and ending.
    pub name: String,
    /// The rules.
    pub rules: Rules,
}

impl Side {
    /// Reads a side: the name of a preset, or else a file.
    pub fn read(given: &str) -> Result<Self, ConfigError> {
        if let Ok(preset) = given.parse::<Preset>() {
            return Ok(Self { given: given.into(), name: given.into(), rules: Rules::preset(preset) });
        }
        let unreadable = |error| ConfigError::Unreadable { file: given.into(), error };
        let mut text = String::new();
        let file = File::open(given).map_err(unreadable)?;
        file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(ConfigError::TooLong { file: given.into() });
        }
        let name =
            Path::new(given).file_stem().map_or(given.into(), |stem| stem.to_string_lossy().into_owned());
        Ok(Self { given: given.into(), name, rules: parse(given, &text)? })
    }

    /// Digest of the rules: the parameters' own, and what only the simulator can switch off.
    pub fn digest(&self) -> Digest {
        let rules = &self.rules;
        let switches = [rules.limits_views, rules.caps_value].map(u8::from);
        hash::hash(Domain::Simulation, &[b"rules", &rules.params.to_bytes(), &switches])
    }
}

/// Reads rules from TOML; errors name it `file`.
///
/// Numbers are taken as they are written and never through floating point: they go through the grids of a sweep, each
/// with one value.
pub fn parse(file: &str, text: &str) -> Result<Rules, ConfigError> {
    let row = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        file: file.into(),
        row: row(error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let mut preset = Preset::Spec;
    let mut switched = Vec::new();
    let mut grids = Vec::new();
    for (key, value) in table.get_ref() {
        let at = Place { file: file.into(), row: row(key.span().start), key: key.get_ref().to_string() };
        let value = value.get_ref();
        if at.key == PRESET {
            let wanted = "a preset: \"spec\", \"guarded\" or \"flat\"";
            preset = shown(value).parse().map_err(|_| wrong(&at, value, wanted))?;
        } else {
            match setting(&at, value)? {
                Setting::Switch(knob, on) => switched.push((knob, on)),
                Setting::Number(grid) => grids.push((at, grid)),
            }
        }
    }
    // One by one first, so that an error names the key; then all together.
    for (at, grid) in &grids {
        if let Err(PlanError::Grid(error)) = Plan::new(preset, None, vec![grid.clone()], 1, 1) {
            let (at, value) = (at.clone(), grid.values.concat());
            return Err(match error {
                GridError::OutOfBounds { min, max, .. } => {
                    ConfigError::OutOfBounds { at, value, bounds: format!("{min} to {max}") }
                }
                other => ConfigError::Value { at, value, wanted: other.to_string() },
            });
        }
    }
    let places = vec![0; grids.len()];
    let mut rules = match Plan::new(preset, None, grids.into_iter().map(|(_, grid)| grid).collect(), 1, 1) {
        Ok(plan) => plan.scenario(&places).rules,
        Err(PlanError::Combination { error, .. }) => {
            return Err(ConfigError::Together { file: file.into(), error });
        }
        Err(other) => unreachable!("each grid alone is a plan, and no key stands twice: {other}"),
    };
    for (knob, on) in switched {
        rules = knob.with(&rules, on.into());
    }
    Ok(rules)
}

/// What a line of a file sets.
enum Setting {
    Switch(&'static Knob, bool),
    Number(Grid),
}

fn setting(at: &Place, value: &DeValue<'_>) -> Result<Setting, ConfigError> {
    let Some(knob) = knob(&at.key) else {
        let choices = KNOBS.map(|knob| knob.name).join(", ");
        return Err(ConfigError::UnknownKey { at: at.clone(), choices });
    };
    match (knob.kind, value) {
        (Kind::Switch, DeValue::Boolean(on)) => Ok(Setting::Switch(knob, *on)),
        (Kind::Switch, _) => Err(wrong(at, value, "true or false")),
        (_, DeValue::Integer(_) | DeValue::Float(_) | DeValue::String(_)) => {
            let grid: Grid =
                format!("{}={}", grid_name(knob), shown(value)).parse().map_err(|error| match error {
                    GridError::Value { wanted, .. } => wrong(at, value, wanted),
                    _ => wrong(at, value, "a number"),
                })?;
            if grid.values.len() > 1 {
                Err(wrong(at, value, "a single value"))
            } else {
                Ok(Setting::Number(grid))
            }
        }
        _ => Err(wrong(at, value, "a number")),
    }
}

/// What the grids of a sweep call a parameter.
fn grid_name(knob: &Knob) -> &'static str {
    match knob.name {
        "eco_share" => "eco",
        "infra_share" => "infra",
        "fee_share" => "fee",
        name => name,
    }
}

fn wrong(at: &Place, value: &DeValue<'_>, wanted: &str) -> ConfigError {
    ConfigError::Value { at: at.clone(), value: shown(value), wanted: wanted.into() }
}

/// A value as it is written in the file.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        // Digits of another base than ten are no decimal number; their sign says so to the grid.
        DeValue::Integer(number) if number.radix() != 10 => format!("number of base {}", number.radix()),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

/// A TOML file with every parameter of a preset, and what each does: a place to start from.
pub fn template(preset: Preset) -> String {
    let rules = Rules::preset(preset);
    let mut text = format!(
        "# Parameters of governance, as in the preset {preset}. Change what you propose to change, and remove the rest:\n\
         # whatever is not listed is taken from the preset. Numbers are exact decimals; shares are percentages.\n\
         preset = \"{preset}\"\n"
    );
    for knob in &KNOBS {
        let written = knob.written(knob.get(&rules));
        write!(text, "\n# {}\n{} = {written}\n", knob.meaning, knob.name).expect("a string takes it");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::params::q32;

    #[test]
    fn a_template_reads_back_as_its_preset() {
        for preset in [Preset::Spec, Preset::Guarded, Preset::Flat] {
            assert_eq!(parse("t", &template(preset)).expect("valid"), Rules::preset(preset));
        }
    }

    #[test]
    fn numbers_are_exact_and_the_rest_is_the_presets() {
        let rules = parse(
            "t",
            "preset = 'guarded'\nbeta = 0.35\nk = \"30%\"\neco_share = 0.06\nprice_normalised = true",
        )
        .expect("valid");
        assert_eq!((rules.params.beta, rules.params.k), (q32(35, 100), q32(30, 100)));
        assert_eq!((rules.params.eco_share.get(), rules.params.price_normalised), (600, true));
        assert_eq!(rules.params.b_min, q32(9, 10));
    }

    #[test]
    fn what_is_wrong_is_named_with_file_row_key_and_bound() {
        let error = |text: &str| parse("after.toml", text).expect_err("wrong").to_string();
        for (text, expected) in [
            ("\nbeta = 5", "after.toml: row 2: beta: 5 is outside 0 to 2"),
            ("eco_share = 6", "after.toml: row 1: eco_share: 6 is not a share with its sign or its point"),
            ("alpha = 1e0", "after.toml: row 1: alpha: 1e0 is not a decimal number or a percentage"),
            ("fee_share = '120%'", "after.toml: row 1: fee_share: 120% is outside 0 to 0.9999"),
            ("k = [1]", "after.toml: row 1: k: a list is not a number"),
            ("k = '1,2'", "after.toml: row 1: k: 1,2 is not a single value"),
            ("preset = 'best'", "after.toml: row 1: preset: best is not a preset"),
            ("gamma = 1", "after.toml: row 1: gamma: no parameter of that name"),
            ("beta = ", "after.toml: row 1: no TOML"),
            ("# ü\n\"é\" = ü", "after.toml: row 2: no TOML"),
            ("eco_share = '60%'\nfee_share = '60%'", "leave nothing for creators"),
            ("k_anonymity = -1", "k_anonymity: -1 is not a whole number"),
            ("price_normalised = 1", "price_normalised: 1 is not true or false"),
        ] {
            assert!(error(text).contains(expected), "{text}: {}", error(text));
        }
    }
}
