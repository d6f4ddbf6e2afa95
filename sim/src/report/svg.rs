//! The charts, as inline SVG. Colours come from the page's style sheet, so that they follow light, dark and print.

use super::{
    MoneyFlow, WorkPayout, lorenz,
    numbers::{clip, columns, short, ticks, two_decimals},
};
use maud::{Markup, html};

/// Most points of a drawn curve: more would not be seen.
const CURVE_POINTS: usize = 240;
/// Works in the bar chart.
pub(super) const TOP_WORKS: usize = 15;

/// A chart: what it is called, what it says to those who cannot see it, and its size.
struct Frame<'a> {
    id: &'a str,
    title: &'a str,
    description: String,
    width: u32,
    height: u32,
}

impl Frame<'_> {
    fn draw(&self, content: &Markup) -> Markup {
        let (title, description) = (format!("{}-title", self.id), format!("{}-desc", self.id));
        html! {
            svg role="img" aria-labelledby=(format!("{title} {description}"))
                viewBox=(format!("0 0 {} {}", self.width, self.height)) {
                title id=(title) { (self.title) }
                desc id=(description) { (self.description) }
                (content)
            }
        }
    }
}

/// A coordinate with one decimal.
fn at(x: f64) -> String {
    format!("{x:.1}")
}

fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> Markup {
    html! { line class=(class) x1=(at(from.0)) y1=(at(from.1)) x2=(at(to.0)) y2=(at(to.1)) {} }
}

fn label(class: &str, x: f64, y: f64, text: &str) -> Markup {
    html! { text class=(class) x=(at(x)) y=(at(y)) { (text) } }
}

/// Lorenz curve of all payouts against the line of equality.
pub(super) fn lorenz_curve(payouts: &[u64], gini: f64) -> Markup {
    let (left, top, side) = (58.0, 14.0, 330.0);
    let place = |(x, y): (f64, f64)| (left + x * side, top + (1.0 - y) * side);
    let points = lorenz(payouts);
    let steps = (points.len() - 1).min(CURVE_POINTS);
    let curve: Vec<String> = (0..=steps)
        .map(|i| place(points[i * (points.len() - 1) / steps]))
        .map(|(x, y)| format!("{},{}", at(x), at(y)))
        .collect();
    let curve = curve.join(" L");
    let content = html! {
        @for tick in 0..=5 {
            @let share = f64::from(tick) / 5.0;
            @let percent = format!("{} %", tick * 20);
            (line("grid", place((share, 0.0)), place((share, 1.0))))
            (line("grid", place((0.0, share)), place((1.0, share))))
            (label("tick middle", place((share, 0.0)).0, top + side + 19.0, &percent))
            (label("tick end", left - 7.0, place((0.0, share)).1 + 4.0, &percent))
        }
        path class="gap" d=(format!("M{curve} Z")) {}
        (line("equality", place((0.0, 0.0)), place((1.0, 1.0))))
        path class="curve" d=(format!("M{curve}")) {}
        text class="note middle" transform=(format!("translate({} {}) rotate(-45)", at(left + side * 0.47), at(top + side * 0.49))) {
            "if all works earned the same"
        }
        (label("figure end", left + side - 12.0, top + side - 30.0, &format!("Gini {gini:.3}")))
        (label("axis middle", left + side / 2.0, top + side + 42.0, "share of works, from the lowest payout up"))
        text class="axis middle" transform=(format!("translate(13 {}) rotate(-90)", at(top + side / 2.0))) {
            "share of the creator pool"
        }
    };
    let description = format!(
        "The curve starts at 0, ends at 100 percent and lies below the line of equality; the Gini coefficient is {gini:.3}, over {} works.",
        payouts.len()
    );
    let frame =
        Frame { id: "lorenz", title: "Lorenz curve of payouts", description, width: 412, height: 393 };
    frame.draw(&content)
}

/// Horizontal bars of the works that earned most; `works` is sorted, the largest first.
pub(super) fn top_works(works: &[&WorkPayout]) -> Markup {
    let works = &works[..works.len().min(TOP_WORKS)];
    let largest = works.first().map_or(0, |w| w.payout.0);
    // As much room for names as the longest needs, the rest for bars and the figures at their ends.
    let longest = works.iter().map(|w| columns(&clip(&w.name))).max().unwrap_or(0);
    let left = 34.0 + 6.8 * longest as f64;
    let (top, pitch, width) = (6.0, 21.6, 424.0 - left);
    let height = pitch * works.len() as f64;
    let ticks = ticks(largest);
    let end = ticks.last().copied().unwrap_or(0).max(largest).max(1);
    let x = |amount: u64| left + amount as f64 / end as f64 * width;
    let content = html! {
        @for tick in &ticks {
            (line("grid", (x(*tick), top), (x(*tick), top + height)))
            (label("tick middle", x(*tick), top + height + 17.0, &short(*tick)))
        }
        @for (i, work) in works.iter().enumerate() {
            @let y = top + pitch * i as f64;
            (label("name end", left - 8.0, y + 15.0, &clip(&work.name)))
            rect class="bar" x=(at(left)) y=(at(y + 3.0)) width=(at((x(work.payout.0) - left).max(1.0))) height=(at(pitch - 6.0)) rx="2" {}
            (label("value", x(work.payout.0) + 6.0, y + 15.0, &two_decimals(work.payout)))
        }
        (line("base", (left, top), (left, top + height)))
        (label("axis middle", left + width / 2.0, top + height + 39.0, "payout, in credits"))
        text class="axis middle" transform=(format!("translate(12 {}) rotate(-90)", at(top + height / 2.0))) { "work" }
    };
    let description = match works.first() {
        None => "No work earned anything.".to_owned(),
        Some(first) => format!(
            "{} bars, the longest first: {} with {} credits, down to {} credits.",
            works.len(),
            first.name,
            two_decimals(first.payout),
            two_decimals(works[works.len() - 1].payout)
        ),
    };
    let title = "Works with the largest payouts";
    let frame = Frame { id: "top", title, description, width: 490, height: (top + height) as u32 + 48 };
    frame.draw(&content)
}

/// One bar for the revenue, cut into its parts.
pub(super) fn money_bar(money: &MoneyFlow) -> Markup {
    let (width, height) = (940.0, 34.0);
    let whole = money.revenue.0.max(1) as f64;
    let parts = super::page::parts(money);
    let mut from = 0.0;
    let bars: Vec<(usize, f64, f64)> = (0..)
        .zip(&parts)
        .map(|(i, (_, amount))| {
            let bar = (i, from, amount.0 as f64 / whole * width);
            from += bar.2;
            bar
        })
        .collect();
    let content = html! {
        @for (i, x, w) in bars {
            rect class=(format!("part-{i}")) x=(at(x)) y="0" width=(at((w - 2.0).max(0.0))) height=(at(height)) rx="3" {}
        }
        @for tick in 0..=5 {
            @let x = width * f64::from(tick) / 5.0;
            @let class = match tick { 0 => "tick", 5 => "tick end", _ => "tick middle" };
            (label(class, x, height + 20.0, &format!("{} %", tick * 20)))
        }
        (label("axis middle", width / 2.0, height + 44.0, "share of revenue"))
    };
    let description = parts.iter().map(|(name, amount)| format!("{name}: {amount} credits. ")).collect();
    let frame = Frame { id: "money", title: "Parts of the revenue", description, width: 940, height: 84 };
    frame.draw(&content)
}
