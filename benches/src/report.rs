//! The document: paragraphs and tables, with the machine and the command that they come from.

use crate::measure::{Spread, has_processor_time};
use std::{
    fs,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// What one topic of the document says.
#[derive(Debug, Default)]
pub(crate) struct Topic {
    /// Paragraphs and tables, each with an empty line after it.
    pub(crate) text: String,
}

impl Topic {
    /// Appends a paragraph.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.text += &format!("{}\n\n", wrapped(text));
    }

    /// Appends a table.
    pub(crate) fn table<const N: usize>(&mut self, head: [&str; N], rows: &[[String; N]]) {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        self.text += &line(&head.map(String::from));
        self.text += &format!("|{}\n", "---|".repeat(N));
        for row in rows {
            self.text += &line(row);
        }
        self.text.push('\n');
    }

    /// Appends a table that another program made.
    pub(crate) fn ready_table(&mut self, table: &str) {
        self.text += &format!("{}\n\n", table.trim());
    }
}

/// Columns of a line of text.
const LINE: usize = 140;

/// Text wrapped like the rest of the documents.
fn wrapped(text: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 {
            let fits = column + 1 + length <= LINE;
            out.push(if fits { ' ' } else { '\n' });
            column = if fits { column + 1 } else { 0 };
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// Three digits of a figure, whatever its size.
pub(crate) fn digits(figure: f64) -> String {
    match figure.abs() {
        0.0 => "0".into(),
        size if size >= 100.0 => grouped(figure.round() as u64),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 1.0 => format!("{figure:.2}"),
        size if size >= 0.1 => format!("{figure:.3}"),
        _ => format!("{figure:.4}"),
    }
}

/// A whole number with commas.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A duration in the unit that fits it.
pub(crate) fn duration(seconds: f64) -> String {
    let (factor, unit) = match seconds {
        s if s >= 1.0 => (1.0, "s"),
        s if s >= 1e-3 => (1e3, "ms"),
        s if s >= 1e-6 => (1e6, "µs"),
        _ => (1e9, "ns"),
    };
    format!("{} {unit}", digits(seconds * factor))
}

/// A ratio with the range of the middle half of the rounds.
pub(crate) fn ratio(spread: Spread) -> [String; 2] {
    [digits(spread.median), format!("{} to {}", digits(spread.low), digits(spread.high))]
}

/// The section of a topic that was measured just now: under its title, when that was and on what.
pub(crate) fn section(title: &str, topic: &Topic) -> String {
    let about = format!(
        "Measured {} on {}, {} cores; load average {} in the end; {}.",
        date(),
        processor(),
        cores(),
        load(),
        toolchain()
    );
    format!("## {title}\n\n{}\n\n{}", wrapped(&about), topic.text.trim_end())
}

/// The section with this title, as it stands in a document.
pub(crate) fn section_of(document: &str, title: &str) -> Option<String> {
    let (_, text) = document.split_once(&format!("\n## {title}\n"))?;
    let text = text.split("\n## ").next().unwrap_or(text);
    Some(format!("## {title}\n{}", text.trim_end()))
}

/// The document of these sections.
pub(crate) fn document(sections: Vec<String>) -> String {
    let clock = if has_processor_time() { "processor time of one thread" } else { "wall time" };
    let method = wrapped(&METHOD.replace("{clock}", clock));
    let parts = [HEAD.into(), method].into_iter().chain(sections).collect::<Vec<_>>();
    format!("{}\n", parts.join("\n\n"))
}

const HEAD: &str = "# Benchmarks

Written by runs of the crate `benches`; edit the templates there, not this page. `cargo run --release -p benches` measures all topics,
`cargo run --release -p benches -- --only NAME` measures one and leaves the others as they stand.";

const METHOD: &str = "**How to read this.** The machine does other work at the same time, so no time here \
    can be trusted by itself. What can be compared are the ratios: both sides of a ratio run in the same \
    process by turns, and a ratio is the median over the rounds of one side's time over the other's in the \
    same round. The spread is the range that holds the middle half of the rounds. Times are medians of \
    {clock}, unless a table says otherwise. A *floor* is what cannot be avoided: the same bytes moved, or \
    the same hashes, and nothing else.";

/// Model of the processor.
fn processor() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "unknown processor".into(), |(_, model)| model.trim().to_owned())
}

/// What else the machine does: processes that ran or waited, over the last minutes.
pub(crate) fn load() -> String {
    let figures = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    figures.split(' ').take(3).collect::<Vec<_>>().join(", ")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn toolchain() -> String {
    let asked = Command::new("rustc").arg("--version").output();
    let version = asked.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    version.unwrap_or_default()
}

/// Today in UTC, from the days since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn date() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (year, month, day) = civil(now / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + 400 * era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        assert_eq!(
            [12_345.6, 12.34, 1.234, 0.1234, 0.01234].map(digits),
            ["12,346", "12.3", "1.23", "0.123", "0.0123"]
        );
        assert_eq!([2.0, 3e-3, 4e-6, 5e-9].map(duration), ["2.00 s", "3.00 ms", "4.00 µs", "5.00 ns"]);
        assert_eq!([0, 999, 1_000, 12_345_678].map(grouped), ["0", "999", "1,000", "12,345,678"]);
    }

    #[test]
    fn dates_are_right() {
        assert_eq!(
            [0, 59, 789, 20_512].map(civil),
            [(1970, 1, 1), (1970, 3, 1), (1972, 2, 29), (2026, 2, 28)]
        );
    }

    #[test]
    fn a_section_is_found_again_in_a_document() {
        let sections = ["One", "Two"].map(|title| {
            let mut topic = Topic::default();
            topic.table(["a", "b"], &[[title.into(), String::new()]]);
            section(title, &topic)
        });
        let document = document(sections.to_vec());
        let found = ["One", "Two", "Tw"].map(|title| section_of(&document, title));
        assert_eq!(found, [Some(sections[0].clone()), Some(sections[1].clone()), None]);
    }

    #[test]
    fn paragraphs_are_wrapped() {
        let text = wrapped(&"word ".repeat(60));
        assert!(text.lines().count() == 3 && text.lines().all(|line| line.chars().count() <= LINE));
        assert_eq!(text.split_whitespace().count(), 60);
    }
}
