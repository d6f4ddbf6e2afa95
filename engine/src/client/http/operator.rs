//! What the operator of a party asks its API: numbers, whether it is well, and what its clock says.

use super::{HttpError, LinkError, agent::Agent, agent::Question, at, base, shown};
use primitives::Time;
use reqwest::Url;
use serde::Deserialize;
use std::sync::Arc;

/// Longest list of numbers: a few for each of 64 shards and each route.
const MAX_METRICS_BYTES: usize = 1 << 20;
/// Days from 1 January 1970 to the first day of each month of a year that is none with 366.
const MONTHS: [(&str, u64); 12] = [
    ("Jan", 0),
    ("Feb", 31),
    ("Mar", 59),
    ("Apr", 90),
    ("May", 120),
    ("Jun", 151),
    ("Jul", 181),
    ("Aug", 212),
    ("Sep", 243),
    ("Oct", 273),
    ("Nov", 304),
    ("Dec", 334),
];

/// An answer with the clock of who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its text.
    pub body: String,
    /// The clock of whoever answered, if the answer has it.
    pub date: Option<Time>,
}

impl Answered {
    /// What is wrong, in the words of an error.
    pub fn reason(&self) -> String {
        #[derive(Deserialize)]
        struct Body {
            error: String,
        }
        match serde_json::from_str::<Body>(&self.body) {
            Ok(body) => shown(&body.error),
            Err(_) => format!("HTTP status {}", self.status),
        }
    }
}

/// A party, as its operator asks it.
pub struct HttpOperator {
    agent: Arc<Agent>,
    base: Url,
}

impl HttpOperator {
    /// A party at an address. Asks it nothing yet.
    ///
    /// # Errors
    /// If the address cannot be one.
    pub fn new(url: &str) -> Result<Self, HttpError> {
        Ok(Self { agent: Agent::new()?, base: base(url)? })
    }

    /// Asks for a path, such as `metrics`, and gives the answer whatever its status.
    ///
    /// # Errors
    /// If nobody answers.
    pub fn ask(&self, path: &str) -> Result<Answered, LinkError> {
        let question = Question::get(at(&self.base, path), "*/*", MAX_METRICS_BYTES);
        let reply = self.agent.exchange(question)?;
        let date = reply.date.as_deref().and_then(http_date);
        Ok(Answered { status: reply.status, body: String::from_utf8_lossy(&reply.body).into_owned(), date })
    }
}

/// The moment of an HTTP date, in the one form that servers send (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Time> {
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.strip_suffix(" GMT")?.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let [hour, minute, second] = [clock.next()??, clock.next()??, clock.next()??];
    if !(1970..=9_999).contains(&year) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60
    {
        return None;
    }
    let (_, before_month) = MONTHS.iter().find(|(name, _)| *name == month)?;
    let leaps = |through: u64| through / 4 - through / 100 + through / 400;
    let is_leap = leaps(year) > leaps(year - 1);
    let leap_day = u64::from(is_leap && *before_month > 31);
    let days = (year - 1970) * 365 + leaps(year - 1) - leaps(1969) + before_month + leap_day + day - 1;
    Some(Time(((days * 24 + hour) * 60 + minute) * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_servers_are_read() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Fri, 31 Dec 2100 23:59:59 GMT", 4_133_980_799),
        ] {
            assert_eq!(http_date(text), Some(Time(seconds)), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Xyz 1994 08:49:37 GMT",
            "x, 1 Jan 1 1:1:1 GMT",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }
}
