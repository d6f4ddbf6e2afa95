//! The parameters of governance by name: how each is read, set and written, and what it does in plain words.

use crate::economics::Rules;
use primitives::{
    BasisPoints,
    limits::EVENT_VALUE_BITS,
    params::{ONE_Q32, ParamsError},
};

/// What takes the place of a number where a limit is switched off.
pub const NONE: &str = "none";

/// How a parameter is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A decimal number, in 2^-32.
    Q32,
    /// A percentage, in basis points.
    Share,
    /// A whole number.
    Whole,
    /// A number of plays, in 2^-18.
    Value,
    /// `true` or `false`.
    Switch,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// Its name in the type of parameters and in a file.
    pub name: &'static str,
    /// How it is written.
    pub kind: Kind,
    /// What it does, in one sentence.
    pub meaning: &'static str,
    get: fn(&Rules) -> Option<u64>,
    set: fn(&mut Rules, u64),
}

macro_rules! number {
    ($field:ident, $kind:ident, $meaning:literal) => {
        Knob {
            name: stringify!($field),
            kind: Kind::$kind,
            meaning: $meaning,
            get: |rules| Some(u64::from(rules.params.$field)),
            // What does not fit a narrower type becomes its largest value, which every bound refuses.
            set: |rules, x| rules.params.$field = x.try_into().unwrap_or_else(|_| !0),
        }
    };
}

macro_rules! share {
    ($field:ident, $meaning:literal) => {
        Knob {
            name: stringify!($field),
            kind: Kind::Share,
            meaning: $meaning,
            get: |rules| Some(rules.params.$field.get().into()),
            set: |rules, x| {
                let points = x.try_into().ok().and_then(BasisPoints::new);
                rules.params.$field = points.unwrap_or(BasisPoints::WHOLE);
            },
        }
    };
}

macro_rules! switch {
    ($field:ident, $meaning:literal) => {
        Knob {
            name: stringify!($field),
            kind: Kind::Switch,
            meaning: $meaning,
            get: |rules| Some(rules.params.$field.into()),
            set: |rules, x| rules.params.$field = x > 0,
        }
    };
}

/// Every parameter, in the order in which a page shows them: those of the weight alone first, so that evaluations in
/// this order share what they count.
pub const KNOBS: [Knob; 17] = [
    number!(
        alpha,
        Q32,
        "How payouts grow with plays. At 1, twice the plays earn twice the money, and neither splitting nor merging works gains anything."
    ),
    number!(
        beta,
        Q32,
        "How strongly receipts of delivery count. At 0 they do not count; at 1 a work with half the credibility earns half."
    ),
    number!(
        b_min,
        Q32,
        "Credibility that a work has without a single receipt. The closer to 1, the less receipts can change."
    ),
    number!(delta, Q32, "Extra credibility for a work that is served from many regions."),
    number!(price_min, Q32, "Lowest price multiplier that a creator may choose."),
    number!(price_max, Q32, "Highest price multiplier that a creator may choose."),
    switch!(price_normalised, "Whether prices move money only between works of one category."),
    number!(
        k,
        Q32,
        "How fast repeated plays of one work by one listener lose value. At 0 every repeat counts in full."
    ),
    Knob {
        name: "j_max",
        kind: Kind::Whole,
        meaning: "Plays of one work by one listener that count at all; later repeats are worth nothing.",
        get: |rules| rules.j_max().map(u64::from),
        set: |rules, x| {
            rules.limits_views = true;
            rules.params.j_max = x.try_into().unwrap_or(u16::MAX);
        },
    },
    Knob {
        name: "value_cap",
        kind: Kind::Value,
        meaning: "Most value, in plays, that one subscriber can direct in an epoch; above it all of that subscriber's plays are scaled down.",
        get: Rules::value_cap,
        set: |rules, x| {
            rules.caps_value = true;
            rules.params.value_cap = x;
        },
    },
    number!(
        k_anonymity,
        Whole,
        "Fewest listeners with which a work's total is published and paid. Smaller audiences stay secret, and their value waits for a later epoch."
    ),
    share!(eco_share, "Part of revenue that is set aside for the Eco-Reserve."),
    share!(infra_share, "Part of revenue for those who run the infrastructure."),
    share!(fee_share, "Part of revenue that is the protocol's fee."),
    switch!(
        pool_by_tier,
        "Whether each tier's money is shared among that tier's plays alone. This simulation has one tier and shows no effect."
    ),
    number!(
        listeners_half,
        Whole,
        "Listeners at which a work has half of the listener credit in its reputation. It ranks works and pays nobody."
    ),
    number!(
        reputation_decay,
        Q32,
        "How much of the past stays in a work's reputation. It ranks works and pays nobody."
    ),
];

/// The parameter of a name.
pub fn knob(name: &str) -> Option<&'static Knob> {
    KNOBS.iter().find(|knob| knob.name == name)
}

impl Knob {
    /// The value, at the parameter's own scale; `None` where the limit is switched off.
    pub fn get(&self, rules: &Rules) -> Option<u64> {
        (self.get)(rules)
    }

    /// Rules with another value.
    pub fn with(&self, rules: &Rules, value: u64) -> Rules {
        let mut rules = rules.clone();
        (self.set)(&mut rules, value);
        rules
    }

    /// Rules with another value, or with the limit switched off where there is one.
    pub fn with_or_off(&self, rules: &Rules, value: Option<u64>) -> Rules {
        match value {
            Some(value) => self.with(rules, value),
            None => Rules {
                limits_views: rules.limits_views && self.name != "j_max",
                caps_value: rules.caps_value && self.name != "value_cap",
                ..rules.clone()
            },
        }
    }

    /// Rules with the value, or with the bound that it is beyond.
    pub fn with_bounded(&self, rules: &Rules, value: u64) -> Rules {
        let changed = self.with(rules, value);
        match changed.check() {
            Err(ParamsError::OutOfBounds { name, value, min, max }) if name == self.name => {
                self.with(rules, value.clamp(min, max))
            }
            _ => changed,
        }
    }

    /// One, at the parameter's own scale.
    pub fn unit(&self) -> f64 {
        match self.kind {
            Kind::Q32 => ONE_Q32 as f64,
            Kind::Share => f64::from(BasisPoints::WHOLE.get()),
            Kind::Value => f64::from(1_u32 << EVENT_VALUE_BITS),
            Kind::Whole | Kind::Switch => 1.0,
        }
    }

    /// A value as a file has it. Reading it gives the same value again.
    pub fn written(&self, value: Option<u64>) -> String {
        let Some(x) = value else { return format!("\"{NONE}\"") };
        match self.kind {
            Kind::Q32 => decimal(x, ONE_Q32.into()),
            Kind::Value => decimal(x, 1 << EVENT_VALUE_BITS),
            Kind::Share => format!("\"{}%\"", decimal(x, 100)),
            Kind::Whole => x.to_string(),
            Kind::Switch => (x > 0).to_string(),
        }
    }

    /// A value as people read it.
    pub fn shown(&self, value: Option<u64>) -> String {
        let Some(x) = value else { return NONE.to_owned() };
        match self.kind {
            Kind::Q32 | Kind::Value => {
                let text = self.written(value);
                let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
                let whole = crate::report::thousands(whole.parse().unwrap_or(0));
                rest.map_or(whole.clone(), |rest| format!("{whole}.{rest}"))
            }
            Kind::Share => format!("{} %", decimal(x, 100)),
            Kind::Whole => crate::report::thousands(x),
            Kind::Switch => if x > 0 { "yes" } else { "no" }.to_owned(),
        }
    }
}

/// The shortest decimal number whose product with `scale`, rounded down, is `x`.
fn decimal(x: u64, scale: u128) -> String {
    for digits in 0..=12 {
        let unit = 10_u128.pow(digits);
        let parts = (u128::from(x) * unit).div_ceil(scale);
        if parts * scale / unit == u128::from(x) {
            let (whole, rest) = (parts / unit, parts % unit);
            return if digits == 0 {
                whole.to_string()
            } else {
                format!("{whole}.{rest:0width$}", width = digits as usize)
            };
        }
    }
    // 2^-32 needs ten decimals.
    unreachable!("twelve decimals tell any two neighbours apart")
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{Preset, params::q32};

    #[test]
    fn every_field_of_the_parameters_has_a_knob_of_its_name() {
        let json = serde_json::to_value(Preset::Spec.params()).expect("plain data");
        let fields: std::collections::BTreeSet<&str> =
            json.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, KNOBS.iter().map(|knob| knob.name).collect());
    }

    #[test]
    fn a_knob_sets_what_it_gets() {
        let rules = Rules::preset(Preset::Spec);
        for knob in &KNOBS {
            let other = Rules::preset(Preset::Guarded);
            let value = knob.get(&other).expect("a limit");
            assert_eq!(knob.get(&knob.with(&rules, value)), Some(value), "{}", knob.name);
        }
        let cap = knob("value_cap").expect("there");
        assert_eq!(cap.get(&Rules::preset(Preset::Flat)), None);
        assert_eq!(cap.get(&cap.with_bounded(&rules, u64::MAX)), Some((1 << 32) - 1));
    }

    #[test]
    fn decimals_are_short_and_exact() {
        let one = u128::from(ONE_Q32);
        assert_eq!(decimal(q32(35, 100), one), "0.35");
        assert_eq!(decimal(q32(5, 4), one), "1.25");
        assert_eq!(decimal(ONE_Q32, one), "1");
        assert_eq!(decimal(1, one), "0.0000000003");
        assert_eq!(decimal(2_000 << 18, 1 << 18), "2000");
        let fee = knob("fee_share").expect("there");
        assert_eq!((fee.shown(Some(250)), fee.written(Some(250))), ("2.5 %".into(), "\"2.5%\"".into()));
    }
}
