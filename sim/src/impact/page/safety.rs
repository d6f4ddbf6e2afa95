//! Whether it is safe: what attacks return, which parameters matter, what the threshold keeps back.

use super::{
    chart::{Frame, HALF, WIDE, after_mark, bar, before_mark, label, legend, line, path, ticks},
    words::percent,
};
use crate::{
    impact::{
        Impact, SizeRoi,
        attack::{self, RoiMap},
        knobs::NONE,
        sobol::{Index, Sensitivity},
    },
    report::thousands,
};
use maud::{Markup, html};

/// Parameters in a chart of those that matter.
const TOP: usize = 8;
/// The least return that an axis shows: a loss of 95 %. Everything below is drawn there.
const LEAST: f64 = 0.05;

pub(super) fn section(impact: &Impact) -> Markup {
    let map = &impact.attack_map;
    // What the choice of the parameter rests on: indices, where both sides have every limit.
    let chosen = !impact.sensitivities.is_empty()
        && map.rows.iter().all(|row| !(row.before && row.proposed) && row.value != NONE);
    html! {
        div.charts {
            figure {
                h2 { "What an attack returns, by its size" }
                (sizes(&impact.attack_sizes))
                (legend(&impact.before, &impact.after))
                figcaption {
                    "Somebody buys subscriptions and lets each play their own works 14,400 times, in the better of three ways: one "
                    "work, a hundred works, or a work for every play. In the hatched zone the attack pays."
                }
            }
            figure {
                h2 { "What the threshold keeps back" }
                (threshold(impact))
                (legend(&impact.before, &impact.after))
                figcaption {
                    "Share of all value in works with fewer listeners than " code { "k_anonymity" } ". It stays secret and unpaid "
                    "until such a work has listeners enough. A higher threshold protects listeners and costs small works."
                }
            }
        }
        section {
            h2 { "Where attacks begin to pay" }
            div.scroll { (heatmap(map)) }
            p.caption {
                "Profit of the best attack for each credit spent, at " code { (map.parameter) } " from low to high and everything "
                "else as proposed. Hatched cells with a plus pay; "
                @if map.rows.iter().flat_map(|row| &row.roi).any(|roi| *roi <= 0.0) {
                    "the thick line is where profit turns into loss. "
                } @else { "no value in reach turns profit into loss. " }
                @if map.rows.iter().flat_map(|row| &row.roi).any(|roi| *roi <= attack::NOTHING_LEFT) {
                    "−100 % means that so few subscribers are below the threshold and get nothing. "
                }
                @if !chosen {
                    code { (map.parameter) } " is shown because it bounds what a bought subscription can direct."
                } @else { "Of what is proposed, " code { (map.parameter) } " moves the attack most." }
            }
        }
        @if !impact.sensitivities.is_empty() {
            div.charts {
                figure {
                    h2 { "Which parameters move inequality" }
                    (tornado("tornado-gini", "on the Gini coefficient", &impact.sensitivities, |row| &row.gini))
                    figcaption { (explained(impact)) }
                }
                figure {
                    h2 { "Which parameters move the attack" }
                    (tornado("tornado-attack", "on the best attack's return", &impact.sensitivities, |row| &row.attack))
                    figcaption {
                        "A wide bar under a parameter that is not proposed to change says: look there next. Bars of one chart may sum to "
                        "more than 1, because what parameters do together counts for each of them."
                    }
                }
            }
        }
    }
}

fn explained(impact: &Impact) -> Markup {
    html! {
        "Each parameter is drawn evenly from a range that spans both sides and a tenth beyond, all at once ("
        (thousands(impact.samples as u64 * (impact.sensitivities.len() as u64 + 2))) " evaluations). Solid: the share of variance "
        "that it explains alone (Sobol index of first order). Outlined: together with others (total index), which the figure gives; "
        "the whisker is 90 % of resamplings."
    }
}

fn sizes(sizes: &[SizeRoi]) -> Markup {
    let (left, top, width, height) = (76.0, 26.0, f64::from(HALF) - 86.0, 240.0);
    // Credits back for a credit, on a logarithmic axis: 1 is break-even.
    let back = |roi: f64| (1.0 + roi).max(LEAST);
    let values = || sizes.iter().flat_map(|row| [back(row.before), back(row.after)]);
    let marks = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
    let (least, most) = values().fold((0.5_f64, 2.0_f64), |(low, high), x| (low.min(x), high.max(x)));
    let low = marks.iter().copied().filter(|m| *m <= least).fold(LEAST, f64::max);
    let high = marks.iter().copied().find(|m| *m >= most).unwrap_or(most);
    let y = |back: f64| top + (high / back).ln() / (high / low).ln() * height;
    let step = width / (sizes.len().max(2) - 1) as f64;
    let x = |i: usize| left + step * i as f64;
    let every = sizes.len().div_ceil(7);
    let content = html! {
        (bar("pays", left, top, width, y(1.0) - top)) (bar("hatch", left, top, width, y(1.0) - top))
        @for mark in marks.iter().filter(|m| (low..=high).contains(*m)) {
            (line(if (*mark - 1.0).abs() < f64::EPSILON { "zero" } else { "grid" }, (left, y(*mark)), (left + width, y(*mark))))
            (label("tick end", left - 7.0, y(*mark) + 4.0, &percent(mark - 1.0, 0, true)))
        }
        (label("strong bad-text", left + 8.0, top + 16.0, "pays"))
        (label("note", left + 8.0, y(1.0) + 16.0, "loses money"))
        (path("curve-before", sizes.iter().enumerate().map(|(i, row)| (x(i), y(back(row.before))))))
        (path("curve-after", sizes.iter().enumerate().map(|(i, row)| (x(i), y(back(row.after))))))
        @for (i, row) in sizes.iter().enumerate() {
            (before_mark(x(i), y(back(row.before)))) (after_mark(x(i), y(back(row.after))))
            @if i % every == 0 { (label("tick middle", x(i), top + height + 18.0, &thousands(row.subscriptions))) }
        }
        (label("axis middle", left + width / 2.0, top + height + 38.0, "subscriptions bought"))
        (label("axis", 0.0, 12.0, "profit for each credit spent"))
    };
    let words = sizes.iter().map(|row| {
        let [before, after] = [row.before, row.after].map(|x| percent(x, 0, true));
        format!("{} subscriptions: today {before}, proposed {after}. ", row.subscriptions)
    });
    let title = "Return of the best attack by number of subscriptions";
    let height = (top + height) as u32 + 46;
    Frame { id: "attack-sizes", title, description: words.collect(), width: HALF, height }.draw(&content)
}

fn threshold(impact: &Impact) -> Markup {
    let (left, top, width, height) = (50.0, 26.0, f64::from(HALF) - 62.0, 240.0);
    let curves = [&impact.suppressed_before, &impact.suppressed_after];
    let reach = (impact.suppressed_after.len() - 1) as f64;
    let most = curves.iter().flat_map(|curve| curve.iter()).fold(0.01_f64, |m, x| m.max(*x));
    let rows = ticks(100.0 * most, 5);
    let end = rows.last().copied().unwrap_or(100.0) / 100.0;
    let place = |k: f64, share: f64| (left + k / reach * width, top + (1.0 - share / end) * height);
    let steps = |curve: &[f64]| -> Vec<(f64, f64)> {
        (0_u32..).zip(curve).map(|(k, share)| place(f64::from(k), *share)).collect()
    };
    let here = |curve: &[f64], k: u32| curve.get(k as usize).map(|share| (place(k.into(), *share), *share));
    let (before_k, after_k) = impact.thresholds;
    let before = here(&impact.suppressed_before, before_k);
    let after = here(&impact.suppressed_after, after_k);
    // Words stand to the right of a mark and below it, unless the edge is near.
    let beside = |x: f64| if x > left + 0.6 * width { ("end", -9.0) } else { ("", 9.0) };
    let below = |y: f64| if y > top + height - 40.0 { -32.0 } else { 14.0 };
    let content = html! {
        @for tick in &rows {
            (line("grid", place(0.0, tick / 100.0), place(reach, tick / 100.0)))
            (label("tick end", left - 7.0, place(0.0, tick / 100.0).1 + 4.0, &format!("{tick} %")))
        }
        @for tick in ticks(reach, 6).iter().filter(|tick| **tick <= reach) {
            (label("tick middle", place(*tick, 0.0).0, top + height + 18.0, &format!("{tick}")))
        }
        (path("curve-before", steps(&impact.suppressed_before).into_iter()))
        (path("curve-after", steps(&impact.suppressed_after).into_iter()))
        @if let Some(((x, y), share)) = before {
            (line("drop", (x, y), (x, top + height))) (before_mark(x, y))
            @let (class, dx) = beside(x);
            (label(&format!("note {class}"), x + dx, y + below(y) + 16.0, &format!("today {before_k}: {}", percent(share, 1, false))))
        }
        @if let Some(((x, y), share)) = after {
            (line("drop", (x, y), (x, top + height))) (after_mark(x, y))
            @let (class, dx) = beside(x);
            (label(&format!("strong accent {class}"), x + dx, y + below(y), &format!("proposed {after_k}: {}", percent(share, 1, false))))
        }
        (line("base", (left, top + height), (left + width, top + height)))
        (label("axis middle", left + width / 2.0, top + height + 38.0, "threshold k_anonymity, in listeners"))
        (label("axis", 0.0, 12.0, "share of value kept back"))
    };
    let word = |side: &str, k: u32, at: Option<((f64, f64), f64)>| {
        at.map_or(String::new(), |(_, share)| {
            format!("{side}: {k} listeners keep back {}. ", percent(share, 1, false))
        })
    };
    let description = word("Today", before_k, before) + &word("Proposed", after_k, after);
    let title = "Share of value below each threshold of listeners";
    Frame { id: "threshold", title, description, width: HALF, height: (top + height) as u32 + 46 }
        .draw(&content)
}

/// The class of a cell: from -3, a loss of seven eighths and more, to 3, eight credits for one and more.
fn heat(roi: f64) -> String {
    let doublings = (1.0 + roi).max(1e-3).log2();
    let step = if roi > 0.0 { doublings.ceil().clamp(1.0, 3.0) } else { doublings.floor().clamp(-3.0, -1.0) };
    format!("heat{step}")
}

fn heatmap(map: &RoiMap) -> Markup {
    let (left, top, pitch) = (170.0, 30.0, 30.0);
    let cell = (f64::from(WIDE) - left) / map.sizes.len().max(1) as f64;
    let bottom = top + pitch * map.rows.len() as f64;
    let place = |row: usize, column: usize| (left + cell * column as f64, top + pitch * row as f64);
    // The highest value on top.
    let rows: Vec<_> = map.rows.iter().rev().collect();
    let pays = |row: usize, column: usize| rows[row].roi[column] > 0.0;
    let content = html! {
        (label("axis", 0.0, 14.0, map.parameter))
        (label("axis end", f64::from(WIDE), 14.0, "subscriptions bought →"))
        @for (r, row) in rows.iter().enumerate() {
            @let y = top + pitch * r as f64;
            @let side = match (row.before, row.proposed) {
                (true, true) => "● both", (true, false) => "○ today", (false, true) => "● proposed", _ => "",
            };
            (label(if side.is_empty() { "name" } else { "strong" }, 0.0, y + 19.5, &row.value))
            (label(if row.proposed { "strong accent end" } else { "note end" }, left - 10.0, y + 19.5, side))
            @for (c, roi) in row.roi.iter().enumerate() {
                @let (x, y) = place(r, c);
                (bar(&heat(*roi), x, y, cell - 1.0, pitch - 1.0))
                @if *roi > 0.0 { (bar("hatch", x, y, cell - 1.0, pitch - 1.0)) }
                (label(&format!("cell middle {}", if *roi > 0.0 { "on-pays" } else { "on-loses" }), x + cell / 2.0, y + 19.5, &percent(*roi, 0, true)))
            }
        }
        @for r in 0..rows.len() {
            @for c in 0..map.sizes.len() {
                @let (x, y) = place(r, c);
                @if c + 1 < map.sizes.len() && pays(r, c) != pays(r, c + 1) {
                    (line("contour", (x + cell - 0.5, y - 0.5), (x + cell - 0.5, y + pitch - 0.5)))
                }
                @if r + 1 < rows.len() && pays(r, c) != pays(r + 1, c) {
                    (line("contour", (x - 0.5, y + pitch - 0.5), (x + cell - 0.5, y + pitch - 0.5)))
                }
            }
        }
        @for (c, size) in map.sizes.iter().enumerate() {
            (label("tick middle", left + cell * (c as f64 + 0.5), bottom + 17.0, &thousands(*size)))
        }
    };
    let words = map.rows.iter().map(|row| {
        let best = row.roi.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        format!("At {}: {} at best. ", row.value, percent(best, 0, true))
    });
    let title = format!("Return of attacks by {} and number of subscriptions", map.parameter);
    let height = bottom as u32 + 24;
    Frame { id: "attack-map", title: &title, description: words.collect(), width: WIDE, height }
        .draw(&content)
}

fn tornado(id: &str, what: &str, rows: &[Sensitivity], of: fn(&Sensitivity) -> &Index) -> Markup {
    let mut rows: Vec<&Sensitivity> = rows.iter().collect();
    rows.sort_by(|a, b| of(b).total.total_cmp(&of(a).total));
    rows.truncate(TOP);
    let (left, top, pitch) = (126.0, 4.0, 35.0);
    let end = rows.iter().map(|row| of(row).total_high).fold(1.0_f64, f64::max);
    let width = f64::from(HALF) - left - 44.0;
    let x = |share: f64| left + share.clamp(0.0, end) / end * width;
    let bottom = top + pitch * rows.len() as f64;
    let content = html! {
        @for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
            (line("grid", (x(tick), top), (x(tick), bottom)))
            (label("tick middle", x(tick), bottom + 16.0, &format!("{tick}")))
        }
        @for (i, row) in rows.iter().enumerate() {
            @let index = of(row);
            @let y = top + pitch * i as f64;
            (label("code", 0.0, y + 13.0, row.parameter))
            (label("small", 0.0, y + 27.0, &format!("{} to {}", row.low, row.high)))
            (bar("total", left, y + 6.0, x(index.total) - left, 17.0))
            (bar("first", left, y + 6.0, x(index.first.min(index.total)) - left, 17.0))
            (line("halo", (x(index.total_low), y + 14.5), (x(index.total_high), y + 14.5)))
            (line("whisker", (x(index.total_low), y + 14.5), (x(index.total_high), y + 14.5)))
            (label("value end", f64::from(HALF), y + 19.0, &format!("{:.2}", index.total)))
        }
        (line("base", (left, top), (left, bottom)))
        (label("axis middle", left + width / 2.0, bottom + 35.0, "share of variance"))
    };
    let words = rows
        .iter()
        .map(|row| format!("{}: alone {:.2}, in total {:.2}. ", row.parameter, of(row).first, of(row).total));
    let title = format!("Sobol indices of parameters {what}");
    Frame { id, title: &title, description: words.collect(), width: HALF, height: bottom as u32 + 42 }
        .draw(&content)
}
