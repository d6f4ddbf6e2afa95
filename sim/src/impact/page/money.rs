//! Where the money goes, and which works lose.

use super::{
    chart::{Frame, WIDE, at, bar, label},
    words::{count, growth_words, money, money_change, percent},
};
use crate::impact::{Impact, compare::Flow};
use maud::{Markup, html};

/// Height of all money together, in the drawing.
const HEIGHT: f64 = 250.0;
/// Room between two parts: as much as two lines of text need beside a thin part.
const GAP: f64 = 30.0;
/// Width of the bars that streams run between.
const NODE: f64 = 14.0;

/// A part of the money in a column of the drawing.
struct Part {
    name: String,
    class: String,
    before: u64,
    after: u64,
    /// Where its bar begins, and how high it is.
    y: f64,
    height: f64,
    /// Where its stream leaves the bar at the left.
    from: f64,
}

pub(super) fn flow(impact: &Impact) -> Markup {
    html! {
        section {
            h2 { "Where the money of an epoch goes, as proposed" }
            div.scroll { (sankey(impact)) }
            p.caption {
                "Widths are amounts. Below each, its share of revenue as proposed and today. The parts sum to the revenue to the "
                "micro-credit on both sides."
            }
        }
    }
}

/// Stacks parts from `top` on; their streams leave a bar that begins at `origin`, without gaps.
fn stack(parts: Vec<(String, String, u64, u64)>, whole: u64, top: f64, origin: f64) -> Vec<Part> {
    let (mut y, mut from) = (top, origin);
    let scale = HEIGHT / whole.max(1) as f64;
    let place = |(name, class, before, after): (String, String, u64, u64)| {
        let height = after as f64 * scale;
        let part = Part { name, class, before, after, y, height, from };
        y += height.max(1.0) + GAP;
        from += height;
        part
    };
    parts.into_iter().map(place).collect()
}

fn sankey(impact: &Impact) -> Markup {
    let (before, after) = (&impact.flow_before, &impact.flow_after);
    let part = |name: &str, class: &str, of: fn(&Flow) -> u64| {
        (name.to_owned(), class.to_owned(), of(before), of(after))
    };
    let middle = vec![
        part("Protocol fee", "part-3", |flow| flow.fee),
        part("Eco-Reserve", "part-1", |flow| flow.eco),
        part("Infrastructure", "part-2", |flow| flow.infra),
        // Last, so that no stream to a band crosses the words beside the others.
        part("Creators", "part-0", |flow| flow.creators),
    ];
    let top = 24.0;
    let middle = stack(middle, after.revenue, top, top);
    let bands = impact.bands.iter().zip(before.bands.iter().zip(&after.bands));
    let mut right: Vec<_> = bands
        .map(|(band, (old, new))| {
            (format!("{} ({})", band.name, count(band.creators)), "part-0".into(), *old, *new)
        })
        .collect();
    if before.carried + after.carried > 0 {
        right.push(("Carried over".into(), "part-4".into(), before.carried, after.carried));
    }
    let pool = &middle[middle.len() - 1];
    let right = stack(right, after.revenue, pool.y, pool.y);
    let (x0, x1, x2) = (0.0, 330.0, 690.0);
    let bottom = |parts: &[Part]| parts.last().map_or(0.0, |part| part.y + part.height);
    let height = bottom(&middle).max(bottom(&right)) + 30.0;
    let content = html! {
        (label("strong", 0.0, 14.0, &format!("Revenue {} cr", money(after.revenue))))
        (bar("revenue", x0, top, NODE, HEIGHT))
        @for part in &middle { (stream(part, x0 + NODE, x1)) }
        @for part in &right { (stream(part, x1 + NODE, x2)) }
        @for part in &middle { (node(part, x1, before, after)) }
        @for part in &right { (node(part, x2, before, after)) }
    };
    let words = middle
        .iter()
        .chain(&right)
        .map(|part| format!("{}: {} credits, today {}. ", part.name, money(part.after), money(part.before)));
    let title = "Flow of an epoch's revenue to fee, reserve, infrastructure and creators by size";
    Frame { id: "flow", title, description: words.collect(), width: WIDE, height: height as u32 }
        .draw(&content)
}

fn stream(part: &Part, left: f64, right: f64) -> Markup {
    let middle = (left + right) / 2.0;
    let [left, right, middle] = [left, right, middle].map(at);
    let [a, b] = [part.from, part.from + part.height].map(at);
    let [c, d] = [part.y, part.y + part.height].map(at);
    html! {
        path class=(format!("stream {}", part.class))
            d=(format!("M{left},{a} C{middle},{a} {middle},{c} {right},{c} L{right},{d} C{middle},{d} {middle},{b} {left},{b} Z")) {}
    }
}

fn node(part: &Part, x: f64, before: &Flow, after: &Flow) -> Markup {
    let share = |amount: u64, flow: &Flow| percent(amount as f64 / flow.revenue.max(1) as f64, 1, false);
    let y = part.y + (part.height / 2.0).max(1.0);
    html! {
        (bar(&part.class, x, part.y, NODE, part.height.max(1.0)))
        (label("strong", x + NODE + 8.0, y - 1.0, &format!("{}  {} cr", part.name, money(part.after))))
        (label("note", x + NODE + 8.0, y + 14.0, &format!("{}, today {}", share(part.after, after), share(part.before, before))))
    }
}

pub(super) fn losers(impact: &Impact) -> Markup {
    html! {
        section {
            h2 { "The ten works that lose most" }
            @if impact.losers.is_empty() {
                p { "No work that is published today is paid less." }
            } @else {
                table.losers {
                    thead {
                        tr {
                            th { "Work" } th.n.wide-only { "Category" } th.n.wide-only { "Listeners" }
                            th.n { "Today, credits" } th.n { "Proposed" } th.n { "Change" } th.n.wide-only { "in %" }
                        }
                    }
                    tbody {
                        @for work in &impact.losers {
                            tr {
                                td { (work.work) @if !work.published { " " span.gone { "(no longer published)" } } }
                                td.n.wide-only { (work.category) }
                                td.n.wide-only { (count(work.listeners as usize)) }
                                td.n { (money(work.before)) }
                                td.n { (money(work.after)) }
                                td.n { (money_change(work.before, work.after)) }
                                td.n.wide-only { (growth_words(work.before, work.after)) }
                            }
                        }
                    }
                }
            }
            p.note {
                "Only works that today's rules publish are named. What a smaller audience plays is in sums alone, on this page and in "
                code { "payouts.csv" } "."
            }
        }
    }
}
