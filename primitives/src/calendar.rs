//! Moments as people read them, without the clock of any machine.

/// Seconds of a day.
const DAY: u64 = 86_400;
/// Days from 1 March of the year 0 to 1 January 1970, in the Gregorian calendar.
const EPOCH_DAYS: u64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;

/// A moment in UTC, to the minute: `2026-02-01 09:30`. Seconds are cut off.
pub fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / DAY + EPOCH_DAYS, seconds % DAY);
    // Years begin in March, so that a leap day is the last of its year.
    let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = 400 * era + year + next;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", rest / 3_600, rest / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (951_868_800, "2000-03-01 00:00"),
            (1_735_689_599, "2024-12-31 23:59"),
            (1_735_689_600, "2025-01-01 00:00"),
            (4_107_542_400, "2100-03-01 00:00"),
            (4_107_542_399, "2100-02-28 23:59"),
        ] {
            assert_eq!(utc(seconds), shown);
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut last = String::new();
        for day in 0..=ERA_DAYS {
            let shown = utc(day * DAY);
            assert!(shown > last, "{shown} after {last}");
            last = shown;
        }
        assert_eq!(last, "2370-01-01 00:00");
    }
}
