//! Times in credentials: seconds since 1970, or a date in the one form `2026-01-31T23:59:59Z`.

use super::CredentialError;
use primitives::Time;
use serde_json::Value;

const DATE: &str = "a date like 2026-01-31T23:59:59Z, from 1970 on";
const SECONDS: &str = "a number of whole seconds since 1970";

/// A number of seconds (RFC 7519, section 2, NumericDate; whole ones only).
pub(super) fn seconds(member: &'static str, value: &Value) -> Result<Time, CredentialError> {
    value.as_u64().map(Time).ok_or(CredentialError::Form { member, expected: SECONDS })
}

/// A date of a credential, in seconds.
pub(super) fn date(member: &'static str, value: &Value) -> Result<Time, CredentialError> {
    let read = value.as_str().and_then(|text| seconds_of(text.as_bytes()));
    read.map(Time).ok_or(CredentialError::Form { member, expected: DATE })
}

fn seconds_of(text: &[u8]) -> Option<u64> {
    let pattern = b"dddd-dd-ddTdd:dd:ddZ";
    let fits = |(found, wanted): (&u8, &u8)| match wanted {
        b'd' => found.is_ascii_digit(),
        _ => found == wanted,
    };
    if text.len() != pattern.len() || !text.iter().zip(pattern).all(fits) {
        return None;
    }
    let number =
        |from: usize, to: usize| text[from..to].iter().fold(0, |n, digit| 10 * n + u64::from(digit - b'0'));
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let in_range = year >= 1970 && (1..=12).contains(&month) && day >= 1 && day <= days_of(year, month);
    if !in_range || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap_days = |before: u64| (before - 1) / 4 - (before - 1) / 100 + (before - 1) / 400;
    let whole_years = 365 * (year - 1970) + leap_days(year) - leap_days(1970);
    let days = whole_years + (1..month).map(|m| days_of(year, m)).sum::<u64>() + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn days_of(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::seconds_of;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let known: [(&[u8], u64); 6] = [
            (b"1970-01-01T00:00:00Z", 0),
            (b"2000-02-29T00:00:00Z", 951_782_400),
            (b"2001-09-09T01:46:40Z", 1_000_000_000),
            (b"2024-12-31T23:59:59Z", 1_735_689_599),
            (b"2100-03-01T00:00:00Z", 4_107_542_400),
            (b"9999-12-31T23:59:59Z", 253_402_300_799),
        ];
        for (text, seconds) in known {
            assert_eq!(seconds_of(text), Some(seconds), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn no_day_hour_or_form_that_does_not_exist() {
        let wrong: [&[u8]; 12] = [
            b"1969-12-31T23:59:59Z",
            b"2023-02-29T00:00:00Z",
            b"2100-02-29T00:00:00Z",
            b"2024-04-31T00:00:00Z",
            b"2024-00-01T00:00:00Z",
            b"2024-13-01T00:00:00Z",
            b"2024-01-00T00:00:00Z",
            b"2024-01-01T24:00:00Z",
            b"2024-01-01T00:60:00Z",
            b"2024-01-01T00:00:60Z",
            b"2024-01-01T00:00:00+00:00",
            b"2024-01-01t00:00:00Z",
        ];
        for text in wrong {
            assert_eq!(seconds_of(text), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
