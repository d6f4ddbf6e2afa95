//! Figures as people read them, each with the machine's value beside it.

use crate::report::{credits, thousands};
use maud::{Markup, html};
use primitives::Credits;

/// A typographic minus.
const MINUS: char = '\u{2212}';
/// Keeps a figure and its unit on one line.
const NO_BREAK: char = '\u{a0}';
/// What a difference of exactly nothing is called.
pub(crate) const NO_CHANGE: &str = "no change";

/// A figure with what `metrics.json` says at the place `key`, a JSON pointer.
pub(super) fn figure(key: &str, value: f64, text: &str) -> Markup {
    html! { span.figure data-key=(key) data-value=(value) { (text) } }
}

fn with_sign(text: String, x: f64, signed: bool) -> String {
    // What is nothing at the decimals shown has no sign.
    let nothing = is_zero(&text);
    match text.strip_prefix('-') {
        Some(digits) if nothing => digits.to_owned(),
        Some(digits) => format!("{MINUS}{digits}"),
        None if signed && x > 0.0 && !nothing => format!("+{text}"),
        None => text,
    }
}

/// A share in percent; `signed` puts a plus before gains.
pub(crate) fn percent(x: f64, decimals: usize, signed: bool) -> String {
    let x = 100.0 * x;
    // From a thousand percent on, decimals say nothing.
    let text = if x.abs() >= 1_000.0 {
        let sign = if x < 0.0 { "-" } else { "" };
        format!("{sign}{}", thousands(x.abs().round() as u64))
    } else {
        format!("{x:.decimals$}")
    };
    format!("{}{NO_BREAK}%", with_sign(text, x, signed))
}

/// A ratio with three decimals.
pub(super) fn ratio(x: f64, signed: bool) -> String {
    with_sign(format!("{x:.3}"), x, signed)
}

/// A difference of percentages, in percentage points.
pub(super) fn points(x: f64) -> String {
    percent(x, 1, true).replace('%', "pts")
}

/// Whether a figure shows nothing but zeros.
pub(super) fn is_zero(text: &str) -> bool {
    !text.contains(|c: char| c.is_ascii_digit() && c != '0')
}

/// Micro-credits, rounded to hundredths of a credit.
pub(super) fn money(micro_credits: u64) -> String {
    let unit = Credits::ONE.0 / 100;
    let text = credits(Credits((micro_credits + unit / 2) / unit * unit));
    text[..text.len() - 4].to_owned()
}

/// A difference of micro-credits, with its sign.
pub(super) fn money_change(before: u64, after: u64) -> String {
    let text = money(before.abs_diff(after));
    match after.cmp(&before) {
        std::cmp::Ordering::Less => format!("{MINUS}{text}"),
        std::cmp::Ordering::Equal => "0.00".into(),
        std::cmp::Ordering::Greater => format!("+{text}"),
    }
}

/// By how much an amount grows, as a share of what it was; `None` from nothing.
pub(super) fn growth(before: u64, after: u64) -> Option<f64> {
    (before > 0).then(|| (after as f64 - before as f64) / before as f64)
}

/// Growth in words, from nothing as well.
pub(super) fn growth_words(before: u64, after: u64) -> String {
    match (growth(before, after), after) {
        (Some(growth), _) => percent(growth, 1, true),
        (None, 0) => percent(0.0, 1, true),
        (None, _) => "from nothing".into(),
    }
}

/// A count.
pub(super) fn count(n: usize) -> String {
    thousands(n as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_carry_signs_and_round_to_what_is_shown() {
        assert_eq!(percent(0.123_45, 1, true), "+12.3\u{a0}%");
        assert_eq!(percent(-0.5, 0, true), "−50\u{a0}%");
        assert_eq!(percent(0.0, 1, true), "0.0\u{a0}%");
        assert_eq!(percent(-12.346, 1, true), "−1,235\u{a0}%");
        assert_eq!(percent(1.0, 1, false), "100.0\u{a0}%");
        assert_eq!(ratio(-0.021_4, true), "−0.021");
        assert_eq!(points(0.031), "+3.1\u{a0}pts");
        assert_eq!((points(-0.000_1), points(0.000_1)), ("0.0\u{a0}pts".into(), "0.0\u{a0}pts".into()));
        assert_eq!((ratio(-0.000_4, true), ratio(-0.0, false)), ("0.000".into(), "0.000".into()));
        assert_eq!(money(1_234_567_890), "1,234.57");
        assert_eq!(money_change(2_000_000, 500_000), "−1.50");
        assert_eq!(
            [growth_words(0, 0), growth_words(0, 1), growth_words(2, 1)],
            ["0.0\u{a0}%", "from nothing", "−50.0\u{a0}%"]
        );
    }
}
