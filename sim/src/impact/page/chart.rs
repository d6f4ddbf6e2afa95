//! What all charts are made of. Colours come from the style sheet, so that they follow light, dark and print.

use maud::{Markup, html};

/// Width of a chart that shares its row with another, in units that are about a pixel on a desk.
pub(super) const HALF: u32 = 440;
/// Width of a chart that has a row to itself.
pub(super) const WIDE: u32 = 940;

/// A chart: what it is called, what it says to those who cannot see it, and its size.
pub(super) struct Frame<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) description: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Frame<'_> {
    pub(super) fn draw(&self, content: &Markup) -> Markup {
        let (title, description) = (format!("{}-title", self.id), format!("{}-desc", self.id));
        html! {
            svg id=(self.id) role="img" aria-labelledby=(format!("{title} {description}"))
                viewBox=(format!("0 0 {} {}", self.width, self.height)) {
                title id=(title) { (self.title) }
                desc id=(description) { (self.description) }
                (content)
            }
        }
    }
}

/// A coordinate with one decimal.
pub(super) fn at(x: f64) -> String {
    let text = format!("{x:.1}");
    if text == "-0.0" { "0.0".into() } else { text }
}

pub(super) fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> Markup {
    html! { line class=(class) x1=(at(from.0)) y1=(at(from.1)) x2=(at(to.0)) y2=(at(to.1)) {} }
}

pub(super) fn label(class: &str, x: f64, y: f64, text: &str) -> Markup {
    html! { text class=(class) x=(at(x)) y=(at(y)) { (text) } }
}

pub(super) fn bar(class: &str, x: f64, y: f64, width: f64, height: f64) -> Markup {
    html! { rect class=(class) x=(at(x)) y=(at(y)) width=(at(width.max(0.0))) height=(at(height.max(0.0))) {} }
}

/// A bar that falls back on hatching where colours cannot be told apart.
pub(super) fn hatched(class: &str, x: f64, y: f64, width: f64, height: f64) -> Markup {
    html! {
        (bar(class, x, y, width, height))
        (bar("hatch", x, y, width, height))
    }
}

/// A path through points.
pub(super) fn path(class: &str, points: impl Iterator<Item = (f64, f64)>) -> Markup {
    let points: Vec<String> = points.map(|(x, y)| format!("{},{}", at(x), at(y))).collect();
    html! { path class=(class) d=(format!("M{}", points.join(" L"))) {} }
}

/// Today's mark: hollow.
pub(super) fn before_mark(x: f64, y: f64) -> Markup {
    html! { circle.mark-before cx=(at(x)) cy=(at(y)) r="4.2" {} }
}

/// The proposal's mark: filled.
pub(super) fn after_mark(x: f64, y: f64) -> Markup {
    html! { circle.mark-after cx=(at(x)) cy=(at(y)) r="4.6" {} }
}

/// Up to `most` round numbers from 0 on, in steps of 1, 2 or 5 times a power of ten, the last one at or above `largest`.
pub(super) fn ticks(largest: f64, most: usize) -> Vec<f64> {
    if largest <= 0.0 {
        return vec![0.0, 1.0];
    }
    let steps = (-6..12).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
    let step = steps.into_iter().find(|step| largest / step <= (most - 1) as f64).unwrap_or(largest);
    (0..=(largest / step).ceil() as u32).map(|i| f64::from(i) * step).collect()
}

/// What hollow and filled, dashed and solid stand for. `before` and `after` are sides by name.
pub(super) fn legend(before: &str, after: &str) -> Markup {
    html! {
        p.legend aria-hidden="true" {
            span { svg.key viewBox="0 0 26 12" { (line("curve-before", (0.0, 6.0), (26.0, 6.0))) (before_mark(13.0, 6.0)) } " today (" (before) ")" }
            span { svg.key viewBox="0 0 26 12" { (line("curve-after", (0.0, 6.0), (26.0, 6.0))) (after_mark(13.0, 6.0)) } " proposed (" (after) ")" }
        }
    }
}
