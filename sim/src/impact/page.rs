//! The page: verdict first, then what is proposed, for whom, whether it is safe, and how to get the page again.
//!
//! No script, nothing to fetch. Every figure carries the machine's value (`data-value`) and where `metrics.json` has it
//! (`data-key`).

mod chart;
mod head;
mod money;
mod people;
mod safety;
pub(crate) mod words;

use super::{Impact, folder::Manifest};
use crate::report::document;
use maud::{Markup, html};
use words::count;

/// What this page's style has beyond that of the report of a run.
const STYLE: &str = include_str!("page/style.css");

/// The whole page.
pub fn render(impact: &Impact, manifest: &Manifest) -> String {
    let title = if impact.verdict.changed {
        format!("{} → {}", impact.before, impact.after)
    } else {
        format!("{}, unchanged", impact.after)
    };
    let body = html! {
        (patterns())
        header {
            p.brand { "Clean Web Economy · Proposal to governance" }
            h1 { (title) }
            p.subtitle { (subtitle(impact)) }
        }
        main {
            (head::verdict(impact))
            (head::tiles(impact))
            (head::changes(impact))
            h2.part { "For whom" }
            (people::section(impact))
            (money::flow(impact))
            (money::losers(impact))
            h2.part { "Is it safe" }
            (safety::section(impact))
            (limits(impact, manifest))
            (provenance(manifest))
        }
    };
    document(&title, STYLE, body).into_string()
}

fn subtitle(impact: &Impact) -> String {
    let size = &impact.size;
    format!(
        "What the change would have done to one epoch of {} subscribers, {} works by {} creators and {} plays: {}.",
        count(size.subscribers),
        count(size.works),
        count(size.creators),
        crate::report::thousands(size.plays),
        impact.source
    )
}

/// Hatching, for all charts.
fn patterns() -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" {
            defs {
                pattern id="hatching" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    line.hatch-line x1="0" y1="0" x2="0" y2="6" {}
                }
            }
        }
    }
}

fn limits(impact: &Impact, manifest: &Manifest) -> Markup {
    html! {
        section.limits {
            h2 { "What this page does not know" }
            ul {
                li { "It is one epoch with one tier, on paper, by the ledger's own integers. Value below the threshold is to be carried to a later epoch; here it does not come back, and the pool goes to published works." }
                li { "Nobody reacts: creators keep their place between the price bounds, and listeners play what they played." }
                li {
                    "What the plays lack is drawn from the seed: creators, categories, prices, receipts"
                    @if manifest.plays_per_subscriber.is_some() { ", and how often each work is played" }
                    "."
                    @if impact.seeds > 1 {
                        " Ranges show the least and the greatest of " (impact.seeds) " such draws; the figures and charts are of the first."
                    } @else { " There was a single draw, so there are no ranges." }
                }
                li { "Attacks with bought subscriptions are tried in three ways. Others may exist; the guard's cap is the one promise that does not depend on that." }
            }
        }
    }
}

fn provenance(manifest: &Manifest) -> Markup {
    html! {
        section.provenance {
            h2 { "The same page again" }
            pre { code { (manifest.command) } }
            dl {
                dt { "Seeds" } dd { (manifest.seed) " and the next, " (manifest.seeds) " in all" }
                dt { "Version" } dd { (manifest.program) " " (manifest.version) }
                dt { "Plays" } dd { (manifest.source) }
                dt { "Hash of plays and draws" } dd { code { (manifest.data_hash) } }
                dt { "Hash of today's rules" } dd { code { (manifest.before_hash) } }
                dt { "Hash of the proposed rules" } dd { code { (manifest.after_hash) } }
            }
        }
    }
}
