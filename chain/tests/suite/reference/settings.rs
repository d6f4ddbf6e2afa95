//! Parameters and rules by name: who set them from which epoch on, and their bounds.

use chain::{
    Genesis,
    modules::governance::{Change, GovernanceError, Parameter, RulesError, Version},
};
use primitives::{EpochId, params::ParamsError};
use std::collections::BTreeMap;

/// Every value, by name.
pub(super) type Values = BTreeMap<String, i128>;

const ONE: i128 = 1 << 32;
const HOUR: i128 = 3_600;
const DAY: i128 = 24 * HOUR;
const YEAR: i128 = 365 * DAY;
const CREDIT: i128 = 1_000_000;

/// Parameters of epochs with their bounds, at their own scale (economics notes, section 5).
const PARAMS: [(&str, i128, i128); 12] = [
    ("alpha", ONE / 2, ONE / 2 * 3),
    ("beta", 0, 2 * ONE),
    ("k", 0, 16 * ONE),
    ("b_min", ONE / 100, ONE),
    ("delta", 0, ONE),
    ("price_min", ONE / 100, ONE),
    ("price_max", ONE, 100 * ONE),
    ("k_anonymity", 0, 1 << 20),
    ("j_max", 1, 63),
    ("value_cap", 1 << 18, (1 << 32) - 1),
    ("listeners_half", 1, 1 << 30),
    ("reputation_decay", 0, ONE - 1),
];

/// What stands on one side of a bound of a rule: a number, or another rule.
enum Bound {
    Is(i128),
    Rule(&'static str),
    Half(&'static str),
}
use Bound::{Half, Is, Rule};

/// Rules with their bounds, by the names that parameters have.
const RULES: [(&str, Bound, Bound); 38] = [
    ("fees.transaction", Is(0), Is(CREDIT)),
    ("fees.free_per_epoch", Is(4), Is(u32::MAX as i128)),
    ("governance.discussion", Is(HOUR), Is(YEAR)),
    ("governance.voting", Is(HOUR), Is(YEAR)),
    ("governance.notice", Is(HOUR), Is(YEAR)),
    ("governance.notice_high", Is(HOUR), Is(YEAR)),
    ("governance.expiry", Is(HOUR), Is(YEAR)),
    ("governance.council_term", Is(HOUR), Is(YEAR)),
    ("governance.challenge_period", Is(HOUR), Is(YEAR)),
    ("governance.jury_period", Is(HOUR), Is(YEAR)),
    ("governance.notice_high", Rule("governance.notice"), Is(YEAR)),
    ("governance.quorum", Is(100), Is(9_000)),
    ("governance.majority", Is(5_000), Is(9_000)),
    ("governance.majority_high", Rule("governance.majority"), Is(9_000)),
    ("governance.council_majority", Is(5_000), Is(10_000)),
    ("governance.veto_majority", Is(5_001), Is(10_000)),
    ("governance.council_seats", Is(3), Is(31)),
    ("governance.jurors", Is(3), Is(31)),
    ("governance.challenges", Is(0), Rule("governance.jurors")),
    ("governance.open_per_person", Is(1), Is(100)),
    ("identity.rotation", Is(0), Is(YEAR)),
    ("treasury.auditors", Is(1), Is(31)),
    ("treasury.attestation_age", Is(DAY), Is(YEAR)),
    ("treasury.cap", Is(CREDIT), Is((u64::MAX / 2) as i128)),
    ("eco.oracles", Is(1), Is(31)),
    ("eco.report_age", Is(DAY), Is(YEAR)),
    ("eco.pause", Is(0), Half("eco.report_age")),
    ("nodes.bond", Is(CREDIT), Is(1_000_000 * CREDIT)),
    ("nodes.notice", Is(2), Is(52)),
    ("nodes.budget", Is(0), Is(1_000_000_000 * CREDIT)),
    ("nodes.samples", Is(44), Is(128)),
    ("nodes.replicas", Is(1), Is(1_000)),
    ("nodes.client_units", Is(1), Is(1 << 40)),
    ("nodes.witnesses", Is(3), Is(15)),
    ("nodes.node_cap", Is(1), Is(10_000)),
    ("nodes.operator_cap", Rule("nodes.node_cap"), Is(10_000)),
    ("nodes.slash_silent", Is(1), Is(10_000)),
    ("nodes.slash_wrong", Rule("nodes.slash_silent"), Is(10_000)),
];

/// Kinds of contributions of nodes.
const KINDS: [&str; 8] =
    ["storage", "bandwidth", "compute", "uptime", "aggregation", "sequencing", "proving", "curation"];

/// The largest number that a parameter can hold at all.
pub(super) fn holds(name: &str) -> i128 {
    let points = ["eco_share", "infra_share", "fee_share"];
    let shares = ["quorum", "majority", "majority_high", "council_majority", "veto_majority"];
    let last = name.rsplit('.').next().expect("a name");
    match last {
        "price_normalised" | "pool_by_tier" => 1,
        _ if points.contains(&name) || name.starts_with("eco.haircuts.") || last == "free_change" => 10_000,
        _ if name.starts_with("governance.") && shares.contains(&last) => 10_000,
        "uptime_floor" | "node_cap" | "operator_cap" | "slash_wrong" | "slash_silent" | "share" => 10_000,
        "council_seats" | "jurors" | "challenges" | "open_per_person" | "auditors" | "oracles" => 255,
        "notice" if name.starts_with("nodes.") => 255,
        "samples" | "witnesses" => 255,
        "j_max" | "replicas" => 65_535,
        "alpha" | "beta" | "k" | "b_min" | "delta" | "price_min" | "price_max" | "value_cap" => {
            u64::MAX.into()
        }
        "reputation_decay" | "transaction" | "large" | "cap" | "bond" => u64::MAX.into(),
        "budget" | "client_units" | "rate" => u64::MAX.into(),
        _ => u32::MAX.into(),
    }
}

/// Whatever numbers a set of parameters or rules holds, by dotted name.
fn flat(json: &serde_json::Value, prefix: &str, into: &mut Values) {
    match json {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flat(value, &name, into);
            }
        }
        serde_json::Value::Bool(value) => drop(into.insert(prefix.into(), i128::from(*value))),
        number => {
            let number = number.as_u64().expect("a whole number");
            into.insert(prefix.into(), number.into());
        }
    }
}

/// The values of parameters and rules as the ledger has them.
pub(super) fn values(params: &primitives::GovernanceParams, rules: &impl serde::Serialize) -> Values {
    let mut values = Values::new();
    flat(&serde_json::to_value(params).expect("plain numbers"), "", &mut values);
    flat(&serde_json::to_value(rules).expect("plain numbers"), "", &mut values);
    values
}

/// The values of a version on the ledger.
pub(super) fn values_of(version: &Version) -> Values {
    values(&version.params, &version.rules)
}

#[derive(Clone)]
pub(super) struct Settings {
    genesis: Values,
    first: EpochId,
    /// Every change that was enacted, in that order.
    changes: Vec<(EpochId, Parameter, i128)>,
    /// The proposal that last set something from an epoch on, and the epoch of its review.
    pub(super) versions: BTreeMap<EpochId, (Option<u64>, Option<EpochId>)>,
}

impl Settings {
    pub(super) fn new(genesis: &Genesis) -> Self {
        let first = genesis.first_epoch;
        let versions = BTreeMap::from([(first, (None, None))]);
        Self { genesis: values(&genesis.params, &genesis.rules), first, changes: Vec::new(), versions }
    }

    /// A value in an epoch: of the changes from then on or earlier, the one from the latest epoch; of several from one
    /// epoch, the one that was enacted last.
    pub(super) fn value(&self, name: &str, epoch: EpochId) -> i128 {
        let named = |change: &&(EpochId, Parameter, i128)| change.0 <= epoch && change.1.name() == name;
        let last = self.changes.iter().filter(named).max_by_key(|change| change.0);
        last.map_or_else(|| self.genesis[name], |change| change.2)
    }

    /// Every value in an epoch.
    pub(super) fn all(&self, epoch: EpochId) -> Values {
        let epoch = epoch.max(self.first);
        self.genesis.keys().map(|name| (name.clone(), self.value(name, epoch))).collect()
    }

    /// The settings after some changes; fails where one does not fit its parameter, or where the settings of an epoch
    /// would be out of bounds.
    pub(super) fn changed(
        &self,
        (from, changes): (EpochId, &[Change]),
        version: (u64, Option<EpochId>),
    ) -> Result<Self, GovernanceError> {
        let mut next = self.clone();
        for Change { parameter, value } in changes.iter().copied() {
            if i128::from(value) > holds(parameter.name()) {
                return Err(GovernanceError::Value { parameter, value });
            }
            next.changes.push((from, parameter, value.into()));
        }
        next.versions.insert(from, (Some(version.0), version.1));
        for epoch in next.versions.range(from..).map(|(epoch, _)| *epoch) {
            let values = next.all(epoch);
            if let Some(error) = params_error(&values) {
                return Err(GovernanceError::Params { from: epoch, error });
            }
            if let Some(error) = rules_error(&values) {
                return Err(GovernanceError::Rules { from: epoch, error });
            }
        }
        Ok(next)
    }
}

fn number(value: i128) -> u64 {
    u64::try_from(value).expect("no parameter is negative")
}

fn params_error(values: &Values) -> Option<ParamsError> {
    for (name, min, max) in PARAMS {
        let value = values[name];
        if value < min || value > max {
            let (value, min, max) = (number(value), number(min), number(max));
            return Some(ParamsError::OutOfBounds { name, value, min, max });
        }
    }
    let total = values["eco_share"] + values["infra_share"] + values["fee_share"];
    (total >= 10_000).then(|| ParamsError::Deductions { total: u32::try_from(total).expect("three shares") })
}

fn rules_error(values: &Values) -> Option<RulesError> {
    let at = |bound: &Bound| match bound {
        Is(value) => *value,
        Rule(name) => values[*name],
        Half(name) => values[*name] / 2,
    };
    for (name, min, max) in &RULES {
        let (value, min, max) = (values[*name], at(min), at(max));
        if value < min || value > max {
            return Some(RulesError { name, value: number(value), min: number(min), max: number(max) });
        }
        // A panel of an even number could end in a tie.
        if *name == "governance.jurors" && value % 2 == 0 {
            return Some(RulesError { name: "jurors, odd", value: 0, min: 1, max: 1 });
        }
    }
    // What kinds of contributions earn: together at most the whole budget.
    let of_kinds = |field: &str| {
        let names = KINDS.map(|kind| format!("nodes.{kind}.{field}"));
        names.map(|name| values[&name])
    };
    let shares = of_kinds("share").iter().sum::<i128>();
    if shares > 10_000 {
        let (name, value) = ("shares of the budget", number(shares));
        return Some(RulesError { name, value, min: 0, max: 10_000 });
    }
    let most = 1_000_000_000_000 * CREDIT;
    let over = of_kinds("rate").into_iter().find(|rate| *rate > most);
    over.map(|rate| RulesError { name: "rate", value: number(rate), min: 0, max: number(most) })
}
