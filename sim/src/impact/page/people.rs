//! For whom: creators by size, works by tenth, the Lorenz curve, the categories.

use super::{
    chart::{Frame, HALF, after_mark, bar, before_mark, hatched, label, legend, line, path, ticks},
    words::{count, growth, growth_words, money_change, percent, ratio},
};
use crate::impact::{
    Impact,
    compare::{Band, Category},
};
use maud::{Markup, html};

pub(super) fn section(impact: &Impact) -> Markup {
    html! {
        div.charts {
            figure {
                h2 { "Who is paid more, by size of creator" }
                (bands(&impact.bands))
                figcaption {
                    "Creators in order of their listeners, which no parameter changes: the most listened to 1 %, the next 9 %, "
                    "the next 40 %, the other half. At the right, the change of what a group gets together. Creators with the same "
                    "are mostly those who get nothing either way, because their audience is below the threshold."
                }
            }
            figure {
                h2 { "Change of payouts, by tenth of works" }
                (deciles(impact))
                figcaption {
                    "All works that were played, in ten equal groups from the most to the least heard. Bars show how much more "
                    "or less a group is paid than today; amounts are in credits an epoch."
                }
            }
            figure {
                h2 { "How evenly payouts are spread" }
                (lorenz(impact))
                (legend(&impact.before, &impact.after))
                figcaption {
                    "The lower a curve, the more unequal. The Gini coefficient is twice the area between the curve and the line "
                    "of equality."
                }
            }
            figure {
                h2 { "Plays against payouts, by category" }
                (categories(&impact.categories))
                (legend(&impact.before, &impact.after))
                figcaption {
                    "Ticks are a category's share of plays by value, circles its share of payouts. Where the circle lies left of the "
                    "tick, a category gets less than what people play in it. Parity is payouts over plays; 1 is even."
                }
            }
        }
    }
}

fn bands(bands: &[Band]) -> Markup {
    let (pitch, top, width) = (54.0, 4.0, f64::from(HALF));
    let rows = bands.iter().enumerate().map(|(i, band)| {
        let y = top + pitch * i as f64;
        let whole = band.creators.max(1) as f64;
        let parts = [("more", band.better), ("same", band.same), ("less", band.worse)];
        let mut x = 0.0;
        let parts = parts.map(|(name, n)| {
            let (from, share) = (x, n as f64 / whole);
            x += share * width;
            (name, from, share)
        });
        let people = if band.fewest == band.most {
            format!("{} listeners", count(band.most as usize))
        } else {
            format!("{} to {} listeners", count(band.fewest as usize), count(band.most as usize))
        };
        html! {
            (label("strong", 0.0, y + 13.0, band.name))
            (label("note", 60.0, y + 13.0, &format!("{} creators, {people}", count(band.creators))))
            (label("strong end", width, y + 13.0, &growth_words(band.before, band.after)))
            @for (name, from, share) in parts {
                @let w = share * width - if share > 0.0 { 1.5 } else { 0.0 };
                @if name == "less" { (hatched("less", from, y + 20.0, w, 20.0)) }
                @else { (bar(name, from, y + 20.0, w, 20.0)) }
                @if share > 0.2 {
                    (label(&format!("on-{name} middle"), from + share * width / 2.0, y + 34.5,
                        &format!("{} {name}", percent(share, 0, false))))
                } @else if share > 0.09 {
                    (label(&format!("on-{name} middle"), from + share * width / 2.0, y + 34.5, &percent(share, 0, false)))
                }
            }
        }
    });
    let content = html! { @for row in rows { (row) } };
    let describe = |band: &Band| {
        format!("{}: {} of {} more, {} less. ", band.name, band.better, band.creators, band.worse)
    };
    let description = bands.iter().map(describe).collect();
    let height = (top + pitch * bands.len() as f64) as u32;
    Frame { id: "bands", title: "Creators paid more, the same, less", description, width: HALF, height }
        .draw(&content)
}

fn deciles(impact: &Impact) -> Markup {
    let deciles: Vec<_> = impact.deciles.iter().rev().filter(|decile| decile.works > 0).collect();
    let (pitch, top, left, right) = (23.5, 22.0, 96.0, 70.0);
    let changes: Vec<Option<f64>> = deciles.iter().map(|d| growth(d.before, d.after)).collect();
    let largest = changes.iter().flatten().fold(0.0_f64, |m, x| m.max(x.abs()));
    let end = ticks(largest, 3).last().copied().unwrap_or(1.0);
    let width = f64::from(HALF) - left - right;
    let middle = left + width / 2.0;
    // Figures stand beside the bars: they need some of the room.
    let reach = width / 2.0 - 50.0;
    let content = html! {
        (label("tick", 0.0, 12.0, "listeners"))
        (label("tick middle", middle, 12.0, "change"))
        (label("tick end", f64::from(HALF), 12.0, "credits"))
        @for (i, (decile, change)) in deciles.iter().zip(&changes).enumerate() {
            @let y = top + pitch * i as f64;
            @let listeners = if decile.fewest == decile.most { count(decile.most as usize) }
                else { format!("{}–{}", count(decile.fewest as usize), count(decile.most as usize)) };
            (label("name", 0.0, y + 14.0, &listeners))
            @match change {
                Some(x) => {
                    @let length = x.abs() / end * reach;
                    @if *x < 0.0 {
                        (hatched("less", middle - length, y + 2.0, length, pitch - 6.0))
                        (label("value end", middle - length - 5.0, y + 14.0, &percent(*x, 1, true)))
                    } @else {
                        (bar("more", middle, y + 2.0, length, pitch - 6.0))
                        (label("value", middle + length + 5.0, y + 14.0, &percent(*x, 1, true)))
                    }
                }
                None if decile.after > 0 => {
                    (bar("more", middle, y + 2.0, reach, pitch - 6.0))
                    (label("on-more", middle + 6.0, y + 14.0, "from nothing"))
                }
                None => { (label("note", middle + 6.0, y + 14.0, "nothing paid")) }
            }
            (label("value end", f64::from(HALF), y + 14.0, &money_change(decile.before, decile.after)))
        }
        (line("base", (middle, top), (middle, top + pitch * deciles.len() as f64)))
    };
    let words = deciles
        .iter()
        .map(|d| format!("{} to {} listeners: {}. ", d.fewest, d.most, growth_words(d.before, d.after)));
    let height = (top + pitch * deciles.len() as f64) as u32 + 4;
    let title = "Change of payouts by tenth of works";
    Frame { id: "deciles", title, description: words.collect(), width: HALF, height }.draw(&content)
}

fn lorenz(impact: &Impact) -> Markup {
    let (left, top, width, height) = (50.0, 26.0, f64::from(HALF) - 72.0, 290.0);
    let place = |(x, y): (f64, f64)| (left + x * width, top + (1.0 - y) * height);
    let [before, after] = [impact.tiles.gini.before, impact.tiles.gini.after];
    let content = html! {
        @for tick in 0..=4 {
            @let share = f64::from(tick) / 4.0;
            @let text = format!("{} %", 25 * tick);
            (line("grid", place((share, 0.0)), place((share, 1.0))))
            (line("grid", place((0.0, share)), place((1.0, share))))
            (label("tick middle", place((share, 0.0)).0, top + height + 18.0, &text))
            (label("tick end", left - 7.0, place((0.0, share)).1 + 4.0, &text))
        }
        (line("equality", place((0.0, 0.0)), place((1.0, 1.0))))
        (label("note", left + 0.30 * width, top + 0.58 * height, "all works alike"))
        (path("curve-before", impact.lorenz_before.iter().copied().map(place)))
        (path("curve-after", impact.lorenz_after.iter().copied().map(place)))
        (label("note", left + 10.0, top + 24.0, &format!("Gini today {}", ratio(before, false))))
        (label("strong accent", left + 10.0, top + 42.0, &format!("Gini proposed {}", ratio(after, false))))
        (label("axis middle", left + width / 2.0, top + height + 38.0, "share of works, the lowest paid first"))
        (label("axis", 0.0, 12.0, "share of payouts"))
    };
    let description = format!(
        "Two curves from 0 to 100 percent below the line of equality. Gini coefficient today {}, proposed {}.",
        ratio(before, false),
        ratio(after, false)
    );
    let title = "Lorenz curves of payouts, today and proposed";
    Frame { id: "lorenz", title, description, width: HALF, height: (top + height) as u32 + 46 }.draw(&content)
}

fn categories(categories: &[Category]) -> Markup {
    let (pitch, top, left, right) = (44.0, 24.0, 86.0, 110.0);
    let shares = |c: &Category| [c.usage_before, c.payout_before, c.usage_after, c.payout_after];
    let largest = categories.iter().flat_map(shares).fold(0.0_f64, f64::max);
    let ticks = ticks(100.0 * largest, 5);
    let end = ticks.last().copied().unwrap_or(100.0) / 100.0;
    let width = f64::from(HALF) - left - right;
    let x = |share: f64| left + share / end * width;
    let bottom = top + pitch * categories.len() as f64;
    let content = html! {
        @for tick in &ticks {
            (line("grid", (x(tick / 100.0), top - 4.0), (x(tick / 100.0), bottom)))
            (label("tick middle", x(tick / 100.0), bottom + 16.0, &format!("{tick} %")))
        }
        (label("tick end", f64::from(HALF), 12.0, "parity"))
        @for (i, c) in categories.iter().enumerate() {
            @let y = top + pitch * i as f64 + 12.0;
            (label("name", 0.0, y + 10.0, &format!("Category {}", c.category)))
            (dumbbell("before", x(c.usage_before), x(c.payout_before), y))
            (dumbbell("after", x(c.usage_after), x(c.payout_after), y + 16.0))
            (label("note end", f64::from(HALF), y + 4.0, &format!("today {}", ratio(c.parity_before, false))))
            (label("value end", f64::from(HALF), y + 20.0, &format!("proposed {}", ratio(c.parity_after, false))))
        }
        (label("axis middle", left + width / 2.0, bottom + 36.0, "share of the whole"))
    };
    let words = categories.iter().map(|c| {
        format!(
            "Category {}: plays {}, payouts {}, parity {}, today {}. ",
            c.category,
            percent(c.usage_after, 1, false),
            percent(c.payout_after, 1, false),
            ratio(c.parity_after, false),
            ratio(c.parity_before, false)
        )
    });
    let title = "Share of plays and share of payouts of each category";
    let height = bottom as u32 + 42;
    Frame { id: "categories", title, description: words.collect(), width: HALF, height }.draw(&content)
}

fn dumbbell(side: &str, usage: f64, payout: f64, y: f64) -> Markup {
    html! {
        (line(&format!("link-{side}"), (usage, y), (payout, y)))
        @if side == "before" { (before_mark(payout, y)) } @else { (after_mark(payout, y)) }
        (line(&format!("tick-{side}"), (usage, y - 7.0), (usage, y + 7.0)))
    }
}
