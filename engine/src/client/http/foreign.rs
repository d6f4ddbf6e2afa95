//! Text of a server, as it is passed on: whoever is asked does not write what it likes on the terminal of who asks.

/// Longest text of a server that is passed on, in bytes: a sentence or two.
const MAX_FOREIGN_BYTES: usize = 300;

/// Whether a character does something to a terminal other than stand there: control characters, line ends of Unicode, and
/// what turns the direction of writing, which makes text read as another.
fn is_steering(c: char) -> bool {
    let turns = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
    c.is_control() || turns.contains(&c) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The beginning of a text, with whatever steers a terminal spelled out.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        let before = shown.len();
        if is_steering(c) {
            shown.extend(c.escape_unicode())
        } else {
            shown.push(c)
        }
        if shown.len() > MAX_FOREIGN_BYTES {
            shown.truncate(before);
            shown.push('…');
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_spelled_out_and_the_rest_is_cut() {
        assert_eq!(shown("müde, \"x\""), "müde, \"x\"");
        let hostile = "a\u{1b}[2J\u{7}b\r\nc\u{9b}31m\u{202e}";
        assert_eq!(shown(hostile), r"a\u{1b}[2J\u{7}b\u{d}\u{a}c\u{9b}31m\u{202e}");
        for long in ["ä".repeat(60_000), "\u{1b}".repeat(60_000)] {
            let cut = shown(&long);
            assert!(cut.len() <= MAX_FOREIGN_BYTES + '…'.len_utf8() && cut.ends_with('…'), "{cut}");
        }
        assert_eq!(shown(&"x".repeat(MAX_FOREIGN_BYTES)).len(), MAX_FOREIGN_BYTES);
    }
}
