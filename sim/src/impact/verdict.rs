//! Whether a proposal is safe: seven checks, each on both sides, and one line that sums them up.

use super::{Figures, attack::BestAttack, compare::Flow};
use crate::{
    economics::{Evaluation, guard},
    report::{credits, thousands},
};
use primitives::{Credits, limits::EVENT_VALUE_BITS, params::ONE_Q32};
use serde::Serialize;

/// Parity of a category from which on nobody needs to ask.
pub const PARITY_GOOD: f64 = 0.95;
/// Parity below which a category is at a disadvantage: the four-fifths rule of equal opportunity.
pub const PARITY_BAD: f64 = 0.8;
/// Listeners below which a published total says much about each of them: the threshold of the specification's preset.
pub const AUDIENCE_GOOD: u32 = 5;
/// Listeners up to which a published total is the plays of one person.
pub const AUDIENCE_BAD: u32 = 1;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It holds.
    Ok,
    /// A member should look at it before voting.
    Warn,
    /// It does not hold.
    Bad,
}

/// One side of a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// How it came out.
    pub level: Level,
    /// The figure behind it.
    pub value: f64,
    /// The figure as people read it.
    pub text: String,
}

/// A check on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Its name for programs.
    pub id: &'static str,
    /// What should hold.
    pub claim: &'static str,
    /// Why that matters, in one sentence.
    pub why: &'static str,
    /// Under today's rules.
    pub before: Finding,
    /// Under the proposed ones.
    pub after: Finding,
    /// What was found under the proposed rules, in one sentence.
    pub found: String,
}

/// What the page says first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The worst of all checks under the proposed rules.
    pub level: Level,
    /// Whether anything would change.
    pub changed: bool,
    /// The verdict in a few words.
    pub headline: String,
    /// Why, in one sentence.
    pub reason: String,
    /// What is behind it.
    pub checks: Vec<Check>,
}

/// One side, with everything that checks look at.
pub(super) struct Subject<'a> {
    pub(super) evaluation: &'a Evaluation,
    pub(super) flow: &'a Flow,
    pub(super) attack: &'a BestAttack,
    pub(super) figures: &'a Figures,
    /// Least and greatest return of the best attack over all draws.
    pub(super) roi: (f64, f64),
}

/// Looks at both sides.
pub(super) fn verdict(before: &Subject<'_>, after: &Subject<'_>, draws: u64) -> Verdict {
    let checks = vec![
        budget(before, after),
        split_proof(before, after),
        multipliers(before, after),
        cap(before, after),
        attack(before, after, draws),
        parity(before, after),
        audience(before, after),
    ];
    let changed = before.evaluation.rules() != after.evaluation.rules();
    let level = checks.iter().map(|check| check.after.level).max().unwrap_or(Level::Bad);
    let (headline, reason) = words(&checks, level, changed);
    Verdict { level, changed, headline, reason, checks }
}

fn words(checks: &[Check], level: Level, changed: bool) -> (String, String) {
    let listed = |level: Level| {
        let of_level = checks.iter().filter(|check| check.after.level == level);
        let words = of_level.map(|check| match (changed, check.before.text == check.after.text) {
            (true, false) => format!("“{}” ({}, today {})", check.claim, check.after.text, check.before.text),
            _ => format!("“{}” ({})", check.claim, check.after.text),
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let count = |level: Level, one: &str, many: &str| match checks
        .iter()
        .filter(|check| check.after.level == level)
        .count()
    {
        1 => format!("1 check {one}"),
        n => format!("{n} checks {many}"),
    };
    let reason = match level {
        Level::Ok => format!("All {} checks hold.", checks.len()),
        Level::Warn => {
            format!("No check fails; {}: {}.", count(level, "needs a look", "need a look"), listed(level))
        }
        Level::Bad => format!("{}: {}.", count(level, "fails", "fail"), listed(level)),
    };
    if !changed {
        let reason = format!("Both sides have the same parameters. As they are: {}", lower(&reason));
        return ("No change".into(), reason);
    }
    let headline = match level {
        Level::Ok => "Safe to adopt",
        Level::Warn => "Adopt with care",
        Level::Bad => "Not safe",
    };
    (headline.into(), reason + &compared(checks))
}

/// Which checks come out otherwise than today.
fn compared(checks: &[Check]) -> String {
    let claims = |moved: fn(&Check) -> bool| {
        let claims = checks.iter().filter(|check| moved(check)).map(|check| format!("“{}”", check.claim));
        claims.collect::<Vec<_>>().join(", ")
    };
    let better = claims(|check| check.after.level < check.before.level);
    let worse = claims(|check| check.after.level > check.before.level);
    let still = claims(|check| check.after.level == Level::Bad && check.before.level == Level::Bad);
    let told = [("Fails today as well", still), ("Better than today", better), ("Worse than today", worse)];
    let told = told.iter().filter(|(_, which)| !which.is_empty());
    told.map(|(what, which)| format!(" {what}: {which}.")).collect()
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn budget(before: &Subject<'_>, after: &Subject<'_>) -> Check {
    let side = |side: &Subject<'_>| {
        let paid: u64 = side.flow.bands.iter().sum();
        let level = match (side.flow.is_exact(), side.flow.carried) {
            (false, _) => Level::Bad,
            (true, 0) => Level::Ok,
            (true, _) => Level::Warn,
        };
        Finding { level, value: paid as f64, text: format!("{} cr", whole(paid)) }
    };
    let found = match side(after).level {
        Level::Ok => format!(
            "Payouts sum to the pool of {} credits, and all parts to the revenue, to the micro-credit.",
            credits(Credits(after.flow.creators))
        ),
        Level::Warn => "No published work earns anything: the whole pool waits for the next epoch.".into(),
        Level::Bad => "The parts do not sum to the revenue.".into(),
    };
    let why = "No credit may be lost or made.";
    Check {
        id: "budget",
        claim: "Budget exact to the unit",
        why,
        before: side(before),
        after: side(after),
        found,
    }
}

fn split_proof(before: &Subject<'_>, after: &Subject<'_>) -> Check {
    let side = |side: &Subject<'_>| {
        let alpha = side.evaluation.params().alpha;
        Finding {
            level: if alpha == ONE_Q32 { Level::Ok } else { Level::Bad },
            value: alpha as f64 / ONE_Q32 as f64,
            text: format!("alpha {}", super::knobs::KNOBS[0].shown(Some(alpha))),
        }
    };
    let found = match after.evaluation.params().alpha.cmp(&ONE_Q32) {
        std::cmp::Ordering::Equal => {
            "Payouts grow in step with plays: splitting or merging usage gains nothing."
        }
        std::cmp::Ordering::Less => {
            "Payouts grow slower than plays: whoever splits a work into many earns more."
        }
        std::cmp::Ordering::Greater => {
            "Payouts grow faster than plays: whoever merges works into one earns more."
        }
    };
    let why = "Nobody should earn by cutting one work into many, or by merging many into one.";
    let claim = "Proof against splitting";
    Check { id: "split", claim, why, before: side(before), after: side(after), found: found.into() }
}

fn multipliers(before: &Subject<'_>, after: &Subject<'_>) -> Check {
    let side = |side: &Subject<'_>| {
        let rules = side.evaluation.rules();
        let (mu, limit) = (guard::mu(rules), 1.0 / rules.theta());
        let level = if guard::inside_budget(rules) { Level::Ok } else { Level::Warn };
        Finding { level, value: mu, text: format!("{mu:.3} of {limit:.3}") }
    };
    let (mu, limit) = (guard::mu(after.evaluation.rules()), 1.0 / after.evaluation.rules().theta());
    let found = if guard::inside_budget(after.evaluation.rules()) {
        format!(
            "Prices, receipts and bonus multiply a play by up to {mu:.3}; below {limit:.3} a cap can stop puppets."
        )
    } else if mu < limit {
        "Prices, receipts and bonus stay inside the budget, but at this alpha splitting or merging is a multiplier of its own.".into()
    } else {
        format!(
            "Prices, receipts and bonus multiply a play by up to {mu:.3}; from {limit:.3} on no cap can rule puppets out."
        )
    };
    let why = "The more a play can be multiplied, the less a cap helps against bought subscriptions.";
    let claim = "Inside the multiplier budget";
    Check { id: "multipliers", claim, why, before: side(before), after: side(after), found }
}

fn cap(before: &Subject<'_>, after: &Subject<'_>) -> Check {
    let views = |x: u64| x as f64 / f64::from(1_u32 << EVENT_VALUE_BITS);
    let plays = |x: u64| thousands(views(x).round() as u64);
    let side = |side: &Subject<'_>| {
        let in_force = side.evaluation.rules().value_cap();
        let safe = guard::cap(side.evaluation);
        let guarded = in_force.zip(safe).is_some_and(|(cap, safe)| cap <= safe);
        Finding {
            level: if guarded { Level::Ok } else { Level::Warn },
            value: in_force.map_or(0.0, views),
            text: in_force.map_or("none".into(), |cap| format!("{} plays", plays(cap))),
        }
    };
    let found = match (after.evaluation.rules().value_cap(), guard::cap(after.evaluation)) {
        (None, _) => "There is no cap: one subscription can direct any amount of value.".into(),
        (Some(cap), None) if !guard::inside_budget(after.evaluation.rules()) => {
            format!(
                "A cap of {} plays is in force; under these multipliers no cap rules puppets out.",
                plays(cap)
            )
        }
        (Some(cap), None) => format!(
            "A cap of {} plays is in force; with {:.1} % of value below the threshold no cap rules puppets out.",
            plays(cap),
            100.0 * after.figures.suppressed
        ),
        (Some(cap), Some(safe)) if cap <= safe => {
            format!("A cap of {} plays is in force; any up to {} rules puppets out.", plays(cap), plays(safe))
        }
        (Some(cap), Some(safe)) => {
            format!(
                "A cap of {} plays is in force; only up to {} would rule puppets out.",
                plays(cap),
                plays(safe)
            )
        }
    };
    let why = "A cap on what one subscriber directs bounds what a bought subscription can bring in.";
    let claim = "A cap in force that rules puppets out";
    Check { id: "cap", claim, why, before: side(before), after: side(after), found }
}

fn attack(before: &Subject<'_>, after: &Subject<'_>, draws: u64) -> Check {
    let side = |side: &Subject<'_>| {
        let (low, high) = side.roi;
        let level = match (low > 0.0, high > 0.0) {
            (_, false) => Level::Ok,
            (false, true) => Level::Warn,
            (true, true) => Level::Bad,
        };
        let text = super::page::words::percent(side.attack.roi, 1, true);
        Finding { level, value: side.attack.roi, text }
    };
    let BestAttack { subscriptions, works, cost, payout, .. } = *after.attack;
    let (low, high) = after.roi;
    let percent = |x| super::page::words::percent(x, 1, true);
    let range = if draws > 1 {
        format!(" Over {draws} draws: {} to {}.", percent(low), percent(high))
    } else {
        String::new()
    };
    let works = if works == 1 { "one work".into() } else { format!("{} works", thousands(works.into())) };
    let found = format!(
        "At best, {} bought subscriptions that play {works} cost {} and are paid {} credits.{range}",
        thousands(subscriptions),
        whole(cost),
        whole(payout)
    );
    let why =
        "Above 0, somebody who buys subscriptions to play their own works takes money from everybody else.";
    Check { id: "attack", claim: "No attack pays", why, before: side(before), after: side(after), found }
}

fn whole(micro_credits: u64) -> String {
    thousands((micro_credits + Credits::ONE.0 / 2) / Credits::ONE.0)
}

fn parity(before: &Subject<'_>, after: &Subject<'_>) -> Check {
    let side = |side: &Subject<'_>| {
        let value = side.figures.parity;
        let level = match value {
            x if x >= PARITY_GOOD => Level::Ok,
            x if x >= PARITY_BAD => Level::Warn,
            _ => Level::Bad,
        };
        Finding { level, value, text: format!("{value:.3}") }
    };
    let found = format!(
        "The category that is worst off gets {:.1} % of its share of plays; {:.0} % and more is even, below {:.0} % is a disadvantage.",
        100.0 * after.figures.parity,
        100.0 * PARITY_GOOD,
        100.0 * PARITY_BAD
    );
    let why = "What people play in a category should be what its creators are paid for.";
    Check {
        id: "parity",
        claim: "Every category at par",
        why,
        before: side(before),
        after: side(after),
        found,
    }
}

fn audience(before: &Subject<'_>, after: &Subject<'_>) -> Check {
    let side = |side: &Subject<'_>| {
        let k = side.evaluation.params().k_anonymity;
        let level = match k {
            k if k >= AUDIENCE_GOOD => Level::Ok,
            k if k > AUDIENCE_BAD => Level::Warn,
            _ => Level::Bad,
        };
        Finding { level, value: k.into(), text: format!("{} listeners", thousands(k.into())) }
    };
    let k = after.evaluation.params().k_anonymity;
    let found = if k <= AUDIENCE_BAD {
        "Totals of works with a single listener are published: they say what one person plays.".into()
    } else {
        format!(
            "Totals are published from {} listeners on; {:.1} % of value is below that and earns nothing here.",
            thousands(k.into()),
            100.0 * after.figures.suppressed
        )
    };
    let why = "A total of very few listeners says what each of them plays.";
    let claim = "Small audiences stay private";
    Check { id: "audience", claim, why, before: side(before), after: side(after), found }
}
