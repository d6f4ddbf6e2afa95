//! Usage tables from files: tab, comma or semicolon separated, one row a (user, work, plays).
//!
//! Every row is read from exactly one line, so that an error names the line to look at: the header is line 1.

mod error;
mod layout;

pub use error::{Cell, Row, TableError};

use layout::{Layout, Lines};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
};

/// Largest usage file, in bytes: a table lives in memory.
pub const MAX_FILE_BYTES: u64 = 512 << 20;
/// Most rows of a usage file, for the same reason.
pub const MAX_ROWS: u64 = 5_000_000;
/// Longest line, in bytes: a binary file without line ends is refused early.
pub const MAX_LINE_BYTES: u64 = 64 << 10;
/// Longest name of a user or work, in bytes: names are printed.
pub const MAX_NAME_BYTES: usize = 256;
/// Most plays of one work by one user. Below 2^53, so that scaling in double precision starts from an exact number.
pub const MAX_PLAYS: u64 = 1_000_000_000_000;

/// Header names of the user column, the preferred one first. Case, spaces, `_` and `-` do not matter.
pub const USER_NAMES: [&str; 6] = ["user", "userid", "username", "subscriber", "listener", "account"];
/// Header names of the work column.
pub const WORK_NAMES: [&str; 12] = [
    "work",
    "workid",
    "track",
    "trackid",
    "song",
    "songid",
    "item",
    "itemid",
    "artist",
    "artistid",
    "artistname",
    "title",
];
/// Header names of the column of play counts.
pub const PLAYS_NAMES: [&str; 8] =
    ["plays", "playcount", "views", "listens", "count", "weight", "events", "scrobbles"];

/// Column names given by the user; what is not given is detected by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// Header of the user column.
    pub user: Option<String>,
    /// Header of the work column.
    pub work: Option<String>,
    /// Header of the column of play counts.
    pub plays: Option<String>,
}

/// A usage file and how to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its columns.
    pub columns: Columns,
}

/// Plays of each work by each user. Ordered, so that nothing depends on the order of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What the table is, in a few words for people.
    pub source: String,
    users: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Table {
    /// An empty table.
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), users: BTreeMap::new() }
    }

    /// Adds plays; rows of the same user and work are summed. `None`, and no change, if the sum passes
    /// [`MAX_PLAYS`].
    pub fn add(&mut self, user: &str, work: &str, plays: u64) -> Option<()> {
        // Most rows are of a user already there: look before allocating a key.
        if !self.users.contains_key(user) {
            self.users.insert(user.to_owned(), BTreeMap::new());
        }
        let works = self.users.get_mut(user).expect("inserted above");
        let sum = works.get(work).copied().unwrap_or(0).checked_add(plays).filter(|sum| *sum <= MAX_PLAYS)?;
        works.insert(work.to_owned(), sum);
        Some(())
    }

    /// Every user with the plays of each work, by name.
    pub fn users(&self) -> &BTreeMap<String, BTreeMap<String, u64>> {
        &self.users
    }

    /// Number of (user, work) pairs.
    pub fn pairs(&self) -> usize {
        self.users.values().map(BTreeMap::len).sum()
    }
}

/// Reads the table in a file.
pub fn read(file: &UsageFile) -> Result<Table, TableError> {
    let name = file.path.display().to_string();
    let opened = File::open(&file.path).and_then(|handle| Ok((handle.metadata()?.len(), handle)));
    let (length, handle) = opened.map_err(|error| TableError::Open(name.clone(), error))?;
    if length > MAX_FILE_BYTES {
        return Err(TableError::FileTooLong(name));
    }
    let mut table = parse(&name, BufReader::new(handle), &file.columns)?;
    // Without its folder, so that a run says the same wherever the file lies.
    table.source = file.path.file_name().map_or(name, |last| last.to_string_lossy().into_owned());
    Ok(table)
}

/// Reads a table from `input`; errors name it `file`.
pub fn parse(file: &str, input: impl BufRead, columns: &Columns) -> Result<Table, TableError> {
    parse_at_most(MAX_ROWS, file, input, columns)
}

fn parse_at_most(max: u64, file: &str, input: impl BufRead, columns: &Columns) -> Result<Table, TableError> {
    let mut lines = Lines::new(file, input);
    let mut buffer = Vec::new();
    // What a header may start with that is no part of a name: a byte order mark, or a comment sign.
    let header = lines.next(&mut buffer)?.unwrap_or_default();
    let header = header.trim_start_matches('\u{feff}').trim_start_matches(['/', '#']).trim();
    if header.is_empty() {
        return Err(TableError::NoHeader(file.to_owned()));
    }
    let layout = Layout::detect(lines.place(), header, columns)?;
    let mut table = Table::new(file);
    let mut rows = 0;
    while let Some(line) = lines.next(&mut buffer)? {
        if line.trim().is_empty() {
            continue;
        }
        let place = lines.place();
        rows += 1;
        if rows > max {
            return Err(TableError::TooManyRows(place.row(), max));
        }
        let fields = layout.fields(place, line)?;
        let user = place.name(&layout.user, &fields)?;
        let work = place.name(&layout.work, &fields)?;
        let plays = place.plays(&layout.plays, &fields)?;
        table.add(user, work, plays).ok_or_else(|| TableError::SumTooLarge(place.row()))?;
    }
    if rows == 0 {
        return Err(TableError::NoRows(file.to_owned()));
    }
    Ok(table)
}

#[cfg(test)]
mod tests;
