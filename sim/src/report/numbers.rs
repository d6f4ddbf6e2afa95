//! Numbers and names as people read them, and as they fit into a chart.

use primitives::Credits;

/// Columns of text that fit beside a bar.
const NAME_COLUMNS: usize = 24;

/// Up to six round amounts from 0 to `largest`, in steps of 1, 2 or 5 times a power of ten.
pub(super) fn ticks(largest: u64) -> Vec<u64> {
    let steps = (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let step = steps.into_iter().find(|step| largest / step <= 5).unwrap_or(u64::MAX);
    (0..=largest / step).map(|i| i * step).collect()
}

/// An amount without the zeros at its end.
pub(super) fn short(micro_credits: u64) -> String {
    let text = credits(Credits(micro_credits));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An amount rounded down to hundredths of a credit.
pub(super) fn two_decimals(amount: Credits) -> String {
    let text = credits(amount);
    text[..text.len() - 4].to_owned()
}

/// An amount with its thousands apart and all six decimals.
pub fn credits(amount: Credits) -> String {
    format!("{}.{:06}", thousands(amount.0 / Credits::ONE.0), amount.0 % Credits::ONE.0)
}

/// A count and what is counted, by its name for one or for many.
pub fn several(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// A count with its thousands apart.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Columns that a name takes. Characters of East Asian scripts are twice as wide as others.
pub(super) fn columns(name: &str) -> usize {
    name.chars().map(width).sum()
}

fn width(c: char) -> usize {
    if c >= '\u{2e80}' { 2 } else { 1 }
}

/// As much of a name as fits beside a bar.
pub(super) fn clip(name: &str) -> String {
    if columns(name) <= NAME_COLUMNS {
        return name.to_owned();
    }
    let mut left = NAME_COLUMNS - 1;
    let kept = name.chars().take_while(|c| {
        let fits = width(*c) <= left;
        left -= width(*c).min(left);
        fits
    });
    kept.chain(['…']).collect()
}
