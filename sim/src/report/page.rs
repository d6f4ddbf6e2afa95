//! The page around the charts.

use super::{
    MoneyFlow, ReportData, Verdict, WorkPayout, gini,
    numbers::{credits, thousands},
    svg,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use primitives::Credits;

/// Colours, sizes, print and dark mode.
const STYLE: &str = include_str!("style.css");
/// Nothing is fetched and nothing runs, whatever a name on the page may contain.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// A page that opens offline, with this style after the common one.
pub(crate) fn document(title: &str, style: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (title) " · Clean Web Economy" }
                style { (PreEscaped(STYLE)) (PreEscaped(style)) }
            }
            body { (body) }
        }
    }
}

/// The whole page.
pub(super) fn page(data: &ReportData) -> Markup {
    let payouts: Vec<u64> = data.payouts.iter().map(|w| w.payout.0).collect();
    let gini = gini(&payouts);
    let body = html! {
        header {
            p.brand { "Clean Web Economy" }
            h1 { (data.title) }
            p.subtitle { (data.subtitle) }
        }
        main {
            (verdicts(&data.verdicts))
            (tiles(data, gini))
            (money(&data.money))
            div.charts {
                (lorenz(&payouts, gini))
                (top_works(&data.payouts))
            }
            (counted(data))
            (held(data))
            div.columns {
                (attacks(data))
                (actors(data))
            }
            (remarks(data))
            (provenance(data))
        }
    };
    document(&data.title, "", body)
}

fn verdicts(verdicts: &[Verdict]) -> Markup {
    let failed = verdicts.iter().filter(|v| !v.holds).count();
    let (class, summary) = match (verdicts.len(), failed) {
        (0, _) => ("bad", "Nothing was checked".to_owned()),
        (n, 0) => ("good", format!("All {n} checks hold")),
        (n, failed) => ("bad", format!("{failed} of {n} checks do not hold")),
    };
    html! {
        section class=(format!("verdict {class}")) aria-label="Verdict" {
            p.summary { (mark(failed == 0 && !verdicts.is_empty())) (summary) }
            ul {
                @for verdict in verdicts {
                    li { (mark(verdict.holds)) strong { (verdict.claim) } " " span.detail { (verdict.detail) } }
                }
            }
        }
    }
}

/// A sign and a word, so that colour is never the only carrier.
fn mark(holds: bool) -> Markup {
    html! {
        @if holds { span.mark.yes role="img" aria-label="holds" { "✓" } }
        @else { span.mark.no role="img" aria-label="does not hold" { "✗" } }
    }
}

fn tiles(data: &ReportData, gini: f64) -> Markup {
    html! {
        section.tiles aria-label="Key figures" {
            @for fact in &data.facts {
                div.tile { span.number { (fact.value) } span.what { (fact.label) } }
            }
            div.tile { span.number { (format!("{gini:.3}")) } span.what { "Gini of payouts" } }
        }
    }
}

/// The parts of the revenue, in the order they are shown.
pub(super) fn parts(money: &MoneyFlow) -> [(&'static str, Credits); 4] {
    [
        ("Creators", money.creators),
        ("Eco-Reserve", money.eco_reserve),
        ("Infrastructure", money.infrastructure),
        ("Protocol fee", money.fee),
    ]
}

fn money(money: &MoneyFlow) -> Markup {
    let sum: u128 = parts(money).iter().map(|(_, amount)| u128::from(amount.0)).sum();
    let exact = sum == u128::from(money.revenue.0);
    html! {
        section {
            h2 { "Where the money went" }
            figure.wide {
                (svg::money_bar(money))
                figcaption {
                    "Every credit that subscribers paid goes to creators, to the Eco-Reserve, to those who run the "
                    "infrastructure, or to the protocol."
                }
            }
            table {
                thead { tr { th { "Part" } th.n { "Credits" } th.n { "Share of revenue" } } }
                tbody {
                    @for (i, (name, amount)) in parts(money).iter().enumerate() {
                        tr {
                            td.whole { span class=(format!("swatch part-{i}")) {} (name) }
                            td.n { (credits(*amount)) }
                            td.n { (percent(*amount, money.revenue)) }
                        }
                    }
                }
                tfoot {
                    tr {
                        th { "Revenue" }
                        td.n { (credits(money.revenue)) }
                        td.n { (mark(exact)) @if exact { "the parts sum to it" } @else { "the parts do not sum to it" } }
                    }
                }
            }
        }
    }
}

/// A share in percent, two decimals, rounded: shares that are cut sum to less than the whole.
fn percent(part: Credits, whole: Credits) -> String {
    let whole = u128::from(whole.0.max(1));
    let points = (u128::from(part.0) * 10_000 + whole / 2) / whole;
    format!("{}.{:02} %", points / 100, points % 100)
}

fn lorenz(payouts: &[u64], gini: f64) -> Markup {
    let mut sorted = payouts.to_vec();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let sum = |values: &[u64]| values.iter().map(|x| u128::from(*x)).sum::<u128>();
    let tenth = payouts.len().div_ceil(10);
    let all = sum(&sorted).max(1);
    let tenths = (sum(&sorted[..tenth]) * 1_000 + all / 2) / all;
    html! {
        figure {
            h2 { "How evenly payouts are spread" }
            (svg::lorenz_curve(payouts, gini))
            figcaption {
                "The lower the curve, the more unequal: the best-paid tenth of works, "
                (thousands(tenth as u64)) " of " (thousands(payouts.len() as u64)) ", earns "
                (tenths / 10) "." (tenths % 10) " % of the pool."
            }
        }
    }
}

fn top_works(works: &[WorkPayout]) -> Markup {
    let mut sorted: Vec<&WorkPayout> = works.iter().filter(|w| w.payout > Credits::ZERO).collect();
    sorted.sort_by(|a, b| b.payout.cmp(&a.payout).then_with(|| a.name.cmp(&b.name)));
    html! {
        figure {
            h2 { "The " (svg::TOP_WORKS) " best-paid works" }
            (svg::top_works(&sorted))
            figcaption {
                (thousands(sorted.len() as u64)) " of " (thousands(works.len() as u64))
                " works earned something; amounts are rounded down to hundredths of a credit."
            }
        }
    }
}

/// Who was counted, by tier and by region.
fn counted(data: &ReportData) -> Markup {
    html! {
        section {
            div.pair {
                figure {
                    h2 { "Subscribers by tier" }
                    table {
                        thead { tr { th { "Tier" } th.n { "Subscriptions" } th.n { "Counted" } } }
                        tbody {
                            @for tier in &data.tiers {
                                tr { td { (tier.tier) } td.n { (thousands(tier.sold)) } td.n { (thousands(tier.counted)) } }
                            }
                            @if data.tiers.is_empty() { tr { td.none colspan="3" { "No subscription was sold." } } }
                        }
                    }
                    figcaption { "No party takes in more subscribers of a tier than subscriptions were sold." }
                }
                figure {
                    h2 { "Receipts by region" }
                    table {
                        thead { tr { th { "Region" } th.n { "Receipts" } th.n { "Views" } } }
                        tbody {
                            @for region in &data.regions {
                                tr { td { (region.region) } td.n { (thousands(region.receipts)) } td.n { (thousands(region.views)) } }
                            }
                            @if data.regions.is_empty() { tr { td.none colspan="3" { "No receipt was spent." } } }
                        }
                    }
                    figcaption { "A receipt stands for one view or for several." }
                }
            }
            @for sentence in &data.counting { p.sentence { (sentence) } }
        }
    }
}

/// What the chain holds, and what those who run it earned.
fn held(data: &ReportData) -> Markup {
    let list = |what: &str, rows: &[(String, Credits)], none: &str| {
        html! {
            table {
                thead { tr { th { (what) } th.n { "Credits" } } }
                tbody {
                    @for (name, amount) in rows { tr { td.whole { (name) } td.n { (credits(*amount)) } } }
                    @if rows.is_empty() { tr { td.none colspan="2" { (none) } } }
                }
            }
        }
    };
    html! {
        section {
            div.pair {
                figure {
                    h2 { "What the chain holds" }
                    (list("Fund", &data.funds, "Every fund is empty."))
                    figcaption { "After all claims: what is owed, kept, or carried to the next epoch." }
                }
                figure {
                    h2 { "What those who run it earned" }
                    (list("Reward for", &data.rewards, "Nothing yet."))
                    figcaption { (data.rewarded) }
                }
            }
        }
    }
}

fn attacks(data: &ReportData) -> Markup {
    html! {
        section {
            h2 { "Attacks that were tried" }
            table.words {
                thead { tr { th { "Attack" } th { "How it was refused" } th.n { "Times" } } }
                tbody {
                    @for attack in &data.attacks {
                        tr {
                            td.hang { (mark(attack.refused)) (attack.attack) }
                            td { @if attack.refused { (attack.refusal) } @else { strong { "Not refused. " } (attack.refusal) } }
                            td.n { (thousands(attack.count)) }
                        }
                    }
                    @if data.attacks.is_empty() { tr { td.none colspan="3" { "None in this run." } } }
                }
            }
        }
    }
}

fn actors(data: &ReportData) -> Markup {
    html! {
        section {
            h2 { "Who did the work" }
            table {
                thead { tr { th { "Actor" } th.n { "Messages handled" } } }
                tbody {
                    @for actor in &data.actors {
                        tr { td.whole { (actor.name) } td.n { (thousands(actor.messages)) } }
                    }
                    @if data.actors.is_empty() { tr { td.none colspan="2" { "No actor took part." } } }
                }
            }
        }
    }
}

fn remarks(data: &ReportData) -> Markup {
    html! {
        @if !data.remarks.is_empty() {
            section {
                h2 { "About this run" }
                dl { @for remark in &data.remarks { dt { (remark.label) } dd { (remark.value) } } }
            }
        }
    }
}

fn provenance(data: &ReportData) -> Markup {
    let from = &data.provenance;
    html! {
        section.provenance {
            h2 { "The same run again" }
            pre { code { (from.command) } }
            dl {
                dt { "Seed" } dd { (from.seed) }
                dt { "Version" } dd { (from.version) }
                dt { "Hash of the configuration" } dd { code { (from.config_hash) } }
            }
        }
    }
}
