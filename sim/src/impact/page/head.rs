//! The first screen: verdict, what is proposed, the six figures.

use super::words::{self, NO_CHANGE, figure, growth_words, percent, points, ratio};
use crate::impact::{
    Impact, Level, Tile,
    compare::Band,
    verdict::{Check, Finding},
};
use maud::{Markup, html};

/// Class, sign and word of a level: never colour alone.
pub(super) fn signs(level: Level) -> (&'static str, &'static str, &'static str) {
    match level {
        Level::Ok => ("good", "✓", "holds"),
        Level::Warn => ("warn", "▲", "look"),
        Level::Bad => ("bad", "✕", "fails"),
    }
}

pub(super) fn verdict(impact: &Impact) -> Markup {
    let verdict = &impact.verdict;
    let (class, sign, _) = signs(verdict.level);
    let (class, sign) = if verdict.changed { (class, sign) } else { ("same", "=") };
    html! {
        section #verdict class=(format!("verdict {class}")) aria-label="Verdict"
            data-level=(signs(verdict.level).2) data-changed=(verdict.changed) {
            div.headline {
                span.stamp aria-hidden="true" { (sign) }
                div {
                    p.summary { (verdict.headline) }
                    p.reason { (verdict.reason) }
                    p.who { (who(impact)) }
                    p.who { "Both sides are shown as if they were in force." }
                }
            }
            ul.checks {
                li.head aria-hidden="true" { span {} span { "Check" } span { "Today" } span { "Proposed" } }
                @for level in [Level::Bad, Level::Warn, Level::Ok] {
                    @for (i, check) in verdict.checks.iter().enumerate().filter(|(_, check)| check.after.level == level) {
                        (row(i, check))
                    }
                }
            }
        }
    }
}

fn row(i: usize, check: &Check) -> Markup {
    let (class, sign, word) = signs(check.after.level);
    html! {
        li id=(format!("check-{}", check.id)) {
            span class=(format!("badge {class}")) { span aria-hidden="true" { (sign) } " " (word) }
            div.told { strong { (check.claim) } span.found { (check.found) } span.why { (check.why) } }
            (side(&format!("/verdict/checks/{i}/before/value"), "today", &check.before))
            (side(&format!("/verdict/checks/{i}/after/value"), "proposed", &check.after))
        }
    }
}

fn side(key: &str, name: &str, finding: &Finding) -> Markup {
    let (class, sign, word) = signs(finding.level);
    html! {
        span class=(format!("side {name}")) {
            span.name { (name) ": " }
            span.raw data-key=(key) data-value=(finding.value) { (finding.text) }
            " " span class=(format!("sign {class}")) role="img" aria-label=(word) { (sign) }
        }
    }
}

/// For whom, in two sentences.
fn who(impact: &Impact) -> String {
    let off = &impact.tiles.better_off;
    if !impact.verdict.changed {
        return "Nobody is paid more or less.".into();
    }
    let bands = impact.bands.iter().filter(|band| band.creators > 0);
    let bands: Vec<String> =
        bands.map(|band| format!("{} {}", lower(band.name), growth_words(band.before, band.after))).collect();
    format!(
        "Of {} creators {} are paid more, {} less, {} the same. As groups: {}.",
        words::count(impact.size.creators),
        percent(off.better, 1, false),
        percent(off.worse, 1, false),
        percent(off.same, 1, false),
        bands.join(", ")
    )
}

fn lower(name: &str) -> String {
    name.to_lowercase()
}

pub(super) fn changes(impact: &Impact) -> Markup {
    let (changed, same): (Vec<_>, Vec<_>) = impact.parameters.iter().partition(|change| change.changed);
    let same: Vec<String> =
        same.iter().map(|change| format!("{} {}", change.parameter, change.after)).collect();
    html! {
        section.changes {
            h2 { "What is proposed" }
            @if changed.is_empty() {
                p { "Nothing: every parameter has the same value on both sides." }
            } @else {
                table {
                    thead { tr { th { "Parameter" } th.n { "Today" } th.n { "Proposed" } th.meaning { "What it does" } } }
                    tbody {
                        @for change in changed {
                            tr {
                                td { code { (change.parameter) } }
                                td.n { (change.before) }
                                td.n { strong { (change.after) } }
                                td.meaning { (change.meaning) }
                            }
                        }
                    }
                }
            }
            @if !same.is_empty() { p.note { "As today: " (same.join(", ")) "." } }
        }
    }
}

/// What a tile shows of a figure.
struct Shown {
    id: &'static str,
    title: &'static str,
    key: &'static str,
    /// What it means, in one sentence.
    meaning: &'static str,
    /// What more and less of it are called.
    more: &'static str,
    less: &'static str,
    /// Whether more is better, if one can say.
    more_is_good: Option<bool>,
    value: fn(f64) -> String,
    change: fn(f64) -> String,
}

const GINI: Shown = Shown {
    id: "tile-gini",
    title: "Gini of payouts",
    key: "gini",
    meaning: "How unequal payouts of works are: 0 if all earn the same, near 1 if one earns everything.",
    more: "more unequal",
    less: "more equal",
    more_is_good: None,
    value: |x| ratio(x, false),
    change: |x| ratio(x, true),
};
const TOP1: Shown = Shown {
    id: "tile-top1",
    title: "Share of the top 1 %",
    key: "top1",
    meaning: "What the best-paid hundredth of works gets of all payouts.",
    more: "more to the top",
    less: "less to the top",
    more_is_good: None,
    value: |x| percent(x, 1, false),
    change: points,
};
const CROSS_SUBSIDY: Shown = Shown {
    id: "tile-cross-subsidy",
    title: "Cross-subsidy",
    key: "cross_subsidy",
    meaning: "The part of fees that follows somebody else's plays: light listeners pay for what heavy ones play.",
    more: "fees follow others more",
    less: "fees follow own plays more",
    more_is_good: Some(false),
    value: |x| percent(x, 1, false),
    change: points,
};
const PARITY: Shown = Shown {
    id: "tile-parity",
    title: "Worst category parity",
    key: "parity",
    meaning: "Share of payouts over share of plays, of the category that is worst off: 1 is even.",
    more: "fairer",
    less: "less fair",
    more_is_good: Some(true),
    value: |x| ratio(x, false),
    change: |x| ratio(x, true),
};
const ATTACK: Shown = Shown {
    id: "tile-attack-roi",
    title: "Best attack's return",
    key: "attack_roi",
    meaning: "Profit for each credit that somebody spends on subscriptions to play their own works: above 0 it pays.",
    more: "attacks pay more",
    less: "attacks pay less",
    more_is_good: Some(false),
    value: |x| percent(x, 1, true),
    change: points,
};

pub(super) fn tiles(impact: &Impact) -> Markup {
    let tiles = &impact.tiles;
    html! {
        section.tiles aria-label="Key figures" {
            (tile(&GINI, &tiles.gini, impact.seeds))
            (tile(&TOP1, &tiles.top1, impact.seeds))
            (tile(&CROSS_SUBSIDY, &tiles.cross_subsidy, impact.seeds))
            (better_off(impact))
            (tile(&PARITY, &tiles.parity, impact.seeds))
            (tile(&ATTACK, &tiles.attack_roi, impact.seeds))
        }
    }
}

fn tile(shown: &Shown, tile: &Tile, seeds: u64) -> Markup {
    let key = |part: &str| format!("/tiles/{}/{part}", shown.key);
    // A direction is told only where every draw agrees, and where rounding leaves something of it.
    let split = tile.change_low < 0.0 && tile.change_high > 0.0;
    let hardly = words::is_zero(&(shown.change)(tile.change));
    let (arrow, word) = match tile.change {
        0.0 => ("=", ""),
        _ if hardly => ("≈", "hardly changes"),
        _ if split => ("≈", "unclear: up in some draws, down in others"),
        x if x > 0.0 => ("▲", shown.more),
        _ => ("▼", shown.less),
    };
    let tone = match shown.more_is_good {
        Some(good) if tile.change != 0.0 && !split && !hardly => {
            if (tile.change > 0.0) == good {
                "good"
            } else {
                "bad"
            }
        }
        _ => "plain",
    };
    let change = if tile.change == 0.0 { NO_CHANGE.to_owned() } else { (shown.change)(tile.change) };
    html! {
        div.tile id=(shown.id) {
            h3 { (shown.title) }
            p.pair {
                span.was { (figure(&key("before"), tile.before, &(shown.value)(tile.before))) }
                span.arrow aria-label="becomes" { "→" }
                span.number { (figure(&key("after"), tile.after, &(shown.value)(tile.after))) }
            }
            p class=(format!("change {tone}")) {
                span aria-hidden="true" { (arrow) } " " (figure(&key("change"), tile.change, &change))
                @if !word.is_empty() { " · " (word) }
            }
            @if seeds > 1 {
                p.range {
                    "change in " (seeds) " draws: "
                    (figure(&key("change_low"), tile.change_low, &(shown.change)(tile.change_low))) " to "
                    (figure(&key("change_high"), tile.change_high, &(shown.change)(tile.change_high)))
                }
            }
            p.meaning { (shown.meaning) }
        }
    }
}

fn better_off(impact: &Impact) -> Markup {
    let off = &impact.tiles.better_off;
    let key = |part: &str| format!("/tiles/better_off/{part}");
    html! {
        div.tile #tile-better-off {
            h3 { "Creators better off" }
            p.pair { span.number { (figure(&key("better"), off.better, &percent(off.better, 1, false))) } }
            p.change.plain {
                "▼ " (figure(&key("worse"), off.worse, &percent(off.worse, 1, false))) " worse · = "
                (figure(&key("same"), off.same, &percent(off.same, 1, false))) " the same"
            }
            @if impact.seeds > 1 {
                p.range {
                    "better off in " (impact.seeds) " draws: "
                    (figure(&key("low"), off.low, &percent(off.low, 1, false))) " to "
                    (figure(&key("high"), off.high, &percent(off.high, 1, false)))
                }
            }
            ul.minibands {
                @for (i, band) in impact.bands.iter().enumerate() { (miniband(i, band)) }
            }
        }
    }
}

fn miniband(i: usize, band: &Band) -> Markup {
    html! {
        li {
            span { (band.name) }
            span.n {
                span.raw data-key=(format!("/bands/{i}/better")) data-value=(band.better) { (words::count(band.better)) }
                " of "
                span.raw data-key=(format!("/bands/{i}/creators")) data-value=(band.creators) { (words::count(band.creators)) }
                span.wide-only { " better" }
            }
        }
    }
}
