//! What can be wrong with a usage file, and where.

use std::{fmt, io};
use thiserror::Error;

/// A line of a file. The header is row 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The file.
    pub file: String,
    /// Line number, from 1.
    pub row: u64,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: row {}", self.file, self.row)
    }
}

/// A field of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its row.
    pub at: Row,
    /// Its column, by header, or by number where the header says nothing.
    pub column: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, column `{}`", self.at, self.column)
    }
}

/// Why a usage file cannot be used. Each message is one line that names the place.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file is not there, or not for us.
    #[error("{0}: cannot be opened: {1}")]
    Open(String, io::Error),
    /// Reading stopped.
    #[error("{0}: cannot be read: {1}")]
    Read(Row, io::Error),
    /// Longer than [`super::MAX_FILE_BYTES`].
    #[error("{0}: is longer than the {max} bytes that a usage file may have", max = super::MAX_FILE_BYTES)]
    FileTooLong(String),
    /// Nothing in the first line.
    #[error("{0}: row 1: is empty: a header with columns for user, work and plays is needed")]
    NoHeader(String),
    /// Nothing after the header.
    #[error("{0}: row 2: is missing: the file has a header and nothing else")]
    NoRows(String),
    /// Longer than [`super::MAX_LINE_BYTES`].
    #[error("{0}: is longer than {max} bytes", max = super::MAX_LINE_BYTES)]
    LineTooLong(Row),
    /// One row more than the limit in the second field.
    #[error("{0}: is one more than the {1} rows that a table may have")]
    TooManyRows(Row, u64),
    /// Bytes that are no text.
    #[error("{0}: is not UTF-8 text")]
    NotUtf8(Cell),
    /// A quotation mark without its partner.
    #[error("{0}: a quoted field does not end on its line")]
    OpenQuote(Row),
    /// No column for a role.
    #[error("{file}: row 1: no {role} column: looked for {wanted}, found {found}")]
    MissingColumn {
        /// The file.
        file: String,
        /// What the column is for.
        role: &'static str,
        /// Names that would do.
        wanted: String,
        /// Names in the header.
        found: String,
    },
    /// A column name that the header holds twice.
    #[error("{file}: row 1: column `{column}` occurs more than once")]
    RepeatedColumn {
        /// The file.
        file: String,
        /// The name.
        column: String,
    },
    /// One column for two roles.
    #[error("{file}: row 1: column `{column}` is taken for both {first} and {second}")]
    SharedColumn {
        /// The file.
        file: String,
        /// The name.
        column: String,
        /// What it is taken for.
        first: &'static str,
        /// What it is taken for as well.
        second: &'static str,
    },
    /// A row that ends before a column that is read; the second field counts what it has.
    #[error("{0}: is missing: the row has {1} fields")]
    ShortRow(Cell, usize),
    /// A field with nothing in it.
    #[error("{0}: is empty")]
    EmptyField(Cell),
    /// A name of more than [`super::MAX_NAME_BYTES`] bytes.
    #[error("{0}: is a name of {1} bytes, more than {max}", max = super::MAX_NAME_BYTES)]
    NameTooLong(Cell, usize),
    /// A name that could command a terminal.
    #[error("{0}: is a name with a control character")]
    ControlCharacter(Cell),
    /// Plays below zero.
    #[error("{0}: `{1}` is negative")]
    NegativePlays(Cell, String),
    /// Plays with a fraction, an exponent or a plus sign.
    #[error("{0}: `{1}` is not written as a whole number")]
    FractionalPlays(Cell, String),
    /// Plays that are no number at all.
    #[error("{0}: `{1}` is not a number")]
    NotANumber(Cell, String),
    /// Plays above [`super::MAX_PLAYS`].
    #[error("{0}: `{1}` is more than {max} plays", max = super::MAX_PLAYS)]
    TooManyPlays(Cell, String),
    /// Rows of one user and one work that sum to more than [`super::MAX_PLAYS`].
    #[error("{0}: brings the plays of a work by a user to more than {max}", max = super::MAX_PLAYS)]
    SumTooLarge(Row),
}
