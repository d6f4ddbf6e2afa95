//! The usage log of a device: what was played in one epoch, as CSV or as JSON lines.
//!
//! ```text
//! time,work,seconds_played,length_seconds,backed
//! 1790000000,1f…(64 digits)…,180,200,yes
//! ```
//!
//! ```text
//! {"time":1790000000,"work":"1f…","seconds_played":180,"length_seconds":200,"backed":true}
//! ```
//!
//! One line is one play. `time` is in seconds since 1970 and orders the plays of a work: its first play of the epoch is
//! view 0. A log covers one epoch and one subscriber; plays of another time count all the same, and [`UsageLog::find`]
//! finds them. Every line is read from exactly one line of the file, so that an
//! error names the line to look at; no error repeats what stands in it, for it says what somebody played.

mod lines;

pub use lines::Lines;

use primitives::{Digest, Domain, Encode, WorkId, codec_struct, hash};
use serde::Deserialize;
use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};
use thiserror::Error;

/// Most plays of a log. A subscriber who plays something every 26 seconds for a whole month has as many, and the value
/// cap ends far below.
pub const MAX_PLAYS: usize = 100_000;
/// Longest line, in bytes: four times the longest that either form has. A file without line ends is refused early.
pub const MAX_LINE_BYTES: usize = 1024;
/// Longest work, in seconds: a week. Longer ones are an error of units.
pub const MAX_LENGTH_SECONDS: u32 = 7 * 86_400;
/// Columns of a CSV log. They may stand in any order.
pub const COLUMNS: [&str; 5] = ["time", "work", "seconds_played", "length_seconds", "backed"];

/// Lines between two calls of a progress callback.
const PROGRESS_LINES: u64 = 1000;

/// One play.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Play {
    /// When it began, in seconds since 1970.
    pub time: u64,
    /// What.
    pub work: WorkId,
    /// Seconds that were played.
    pub played: u32,
    /// Length of the work, in seconds; at least 1.
    pub length: u32,
    /// Whether a serving node gives a receipt for it.
    pub backed: bool,
}

codec_struct!(Play { time, work, played, length, backed });

impl fmt::Debug for Play {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Play(..)")
    }
}

impl Play {
    /// Whole quarters of the work that were played, 0 to 4. Rounded down: nobody claims more than was played.
    pub fn quarters(&self) -> u8 {
        let quarters = u64::from(self.played) * 4 / u64::from(self.length.max(1));
        quarters.min(4) as u8
    }
}

/// Which rule a line breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Longer than any line.
    #[error("longer than {MAX_LINE_BYTES} bytes")]
    TooLong,
    /// Bytes that are no text.
    #[error("not UTF-8")]
    NotText,
    /// The first line names other columns.
    #[error("the first line must name the columns {}", COLUMNS.join(", "))]
    Header,
    /// Another number of fields than columns.
    #[error("{found} fields where there are {} columns", COLUMNS.len())]
    Fields {
        /// Fields of the line.
        found: usize,
    },
    /// A field is not what its column holds.
    #[error("{column} must be {expected}")]
    Field {
        /// The column.
        column: &'static str,
        /// What it holds.
        expected: &'static str,
    },
    /// Not an object with exactly the fields of a play.
    #[error("not a JSON object with the fields {} alone (column {column})", COLUMNS.join(", "))]
    Json {
        /// Where reading it stopped.
        column: usize,
    },
    /// The length of a work is none.
    #[error("length_seconds must be 1 to {MAX_LENGTH_SECONDS}")]
    Length,
}

/// Why a log cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {error}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// A line is not a play.
    #[error("{file}, line {line}: {fault}")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// More plays than a log holds.
    #[error(
        "{file}, line {line}: a log holds at most {MAX_PLAYS} plays; a log covers one epoch of one subscriber"
    )]
    TooMany {
        /// The file.
        file: String,
        /// The first line too many.
        line: u64,
    },
    /// Nothing in it, not even the columns.
    #[error("{file}: is empty; a log without plays has the line of columns")]
    Empty {
        /// The file.
        file: String,
    },
}

/// The plays of one epoch, in order of time.
#[derive(Clone)]
pub struct UsageLog {
    plays: Vec<Play>,
    /// The line of each play; 0 if the log comes from no file.
    lines: Vec<u64>,
}

impl PartialEq for UsageLog {
    /// Logs are the same that have the same plays, on whatever lines.
    fn eq(&self, other: &Self) -> bool {
        self.plays == other.plays
    }
}

impl Eq for UsageLog {}

impl fmt::Debug for UsageLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UsageLog({} plays)", self.plays.len())
    }
}

impl UsageLog {
    /// Reads the log in a file. `progress` is told the number of lines from time to time.
    ///
    /// # Errors
    /// If the file cannot be read or a line is not a play.
    pub fn read(path: impl AsRef<Path>, progress: impl FnMut(u64)) -> Result<Self, LogError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| LogError::Io { file: name.clone(), error })?;
        Self::parse(&name, BufReader::new(file), progress)
    }

    /// Reads a log from `input`; errors name it `file`.
    ///
    /// # Errors
    /// As [`UsageLog::read`].
    pub fn parse(
        file: &str,
        mut input: impl BufRead,
        mut progress: impl FnMut(u64),
    ) -> Result<Self, LogError> {
        let (mut plays, mut form, mut buffer) = (Vec::<(u64, Play)>::new(), None, Vec::new());
        for line in 1.. {
            let failed = |fault| LogError::Line { file: file.to_owned(), line, fault };
            let Some(text) = next_line(&mut input, &mut buffer).map_err(|e| e.at(file, line))? else { break };
            if line % PROGRESS_LINES == 0 {
                progress(line);
            }
            // Spreadsheets put a mark before the first line.
            let text = if line == 1 { text.trim_start_matches('\u{feff}') } else { text };
            let play = match &form {
                None if text.starts_with('{') => {
                    form = Some(Form::Json);
                    json(text)
                }
                None => {
                    form = Some(Form::Csv(header(text).map_err(failed)?));
                    continue;
                }
                Some(Form::Json) => json(text),
                Some(Form::Csv(order)) => csv(text, order),
            };
            if plays.len() == MAX_PLAYS {
                return Err(LogError::TooMany { file: file.to_owned(), line });
            }
            plays.push((line, play.map_err(failed)?));
        }
        if form.is_none() {
            return Err(LogError::Empty { file: file.to_owned() });
        }
        Ok(Self::of_lines(plays))
    }

    /// A log of plays in whatever order. Plays of one second stay in the order given.
    pub fn new(plays: Vec<Play>) -> Self {
        Self::of_lines(plays.into_iter().map(|play| (0, play)).collect())
    }

    fn of_lines(mut plays: Vec<(u64, Play)>) -> Self {
        plays.sort_by_key(|(_, play)| play.time);
        let (lines, plays) = plays.into_iter().unzip();
        Self { plays, lines }
    }

    /// The plays, the earliest first.
    pub fn plays(&self) -> &[Play] {
        &self.plays
    }

    /// What a client has beside a plan, to know the log again. It is as secret as the log, and goes with the plan.
    pub(super) fn digest(&self) -> Digest {
        let bytes: Vec<u8> = self.plays.iter().flat_map(Encode::to_bytes).collect();
        hash::hash(Domain::UsageLog, &[&bytes])
    }
}

/// How a log is written.
enum Form {
    /// With the place of each of [`COLUMNS`] among the fields.
    Csv([usize; COLUMNS.len()]),
    Json,
}

/// Why there is no next line.
enum Unread {
    Io(io::Error),
    Fault(Fault),
}

impl Unread {
    fn at(self, file: &str, line: u64) -> LogError {
        let file = file.to_owned();
        match self {
            Self::Io(error) => LogError::Io { file, error },
            Self::Fault(fault) => LogError::Line { file, line, fault },
        }
    }
}

/// The next line without its end; `None` at the end of the file.
fn next_line<'a>(input: &mut impl BufRead, buffer: &'a mut Vec<u8>) -> Result<Option<&'a str>, Unread> {
    buffer.clear();
    // Two bytes more, for the end of the line.
    let limit = MAX_LINE_BYTES as u64 + 2;
    let read = input.by_ref().take(limit).read_until(b'\n', buffer).map_err(Unread::Io)?;
    if read == 0 {
        return Ok(None);
    }
    let line = buffer.strip_suffix(b"\n").unwrap_or(buffer);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > MAX_LINE_BYTES {
        return Err(Unread::Fault(Fault::TooLong));
    }
    std::str::from_utf8(line).map(Some).map_err(|_| Unread::Fault(Fault::NotText))
}

/// Places of the columns in a header.
fn header(line: &str) -> Result<[usize; COLUMNS.len()], Fault> {
    let names: Vec<_> = line.split(',').collect();
    let mut order = [0; COLUMNS.len()];
    for (place, column) in order.iter_mut().zip(COLUMNS) {
        *place = names.iter().position(|name| *name == column).ok_or(Fault::Header)?;
    }
    // As many names as columns, all columns among them: nothing twice, nothing unknown.
    if names.len() == COLUMNS.len() { Ok(order) } else { Err(Fault::Header) }
}

fn csv(line: &str, order: &[usize; COLUMNS.len()]) -> Result<Play, Fault> {
    let fields: Vec<_> = line.split(',').collect();
    if fields.len() != COLUMNS.len() {
        return Err(Fault::Fields { found: fields.len() });
    }
    let bad = |column, expected| Fault::Field { column, expected };
    let [time, work, played, length, backed] = order.map(|place| fields[place]);
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let small = |text: &str| number(text).and_then(|n| u32::try_from(n).ok());
    checked(Play {
        time: number(time).ok_or(bad("time", "a whole number of seconds since 1970"))?,
        work: work.parse().map_err(|_| bad("work", "64 lower-case hexadecimal digits"))?,
        played: small(played).ok_or(bad("seconds_played", "a whole number of seconds"))?,
        length: small(length).ok_or(bad("length_seconds", "a whole number of seconds"))?,
        backed: match backed {
            "yes" => true,
            "no" => false,
            _ => return Err(bad("backed", "yes or no")),
        },
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonPlay {
    time: u64,
    work: WorkId,
    seconds_played: u32,
    length_seconds: u32,
    backed: bool,
}

fn json(line: &str) -> Result<Play, Fault> {
    let read: JsonPlay = serde_json::from_str(line).map_err(|e| Fault::Json { column: e.column() })?;
    let JsonPlay { time, work, seconds_played, length_seconds, backed } = read;
    checked(Play { time, work, played: seconds_played, length: length_seconds, backed })
}

fn checked(play: Play) -> Result<Play, Fault> {
    if (1..=MAX_LENGTH_SECONDS).contains(&play.length) { Ok(play) } else { Err(Fault::Length) }
}

#[cfg(test)]
mod tests;
