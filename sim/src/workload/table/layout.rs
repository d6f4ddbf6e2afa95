//! Lines, fields and columns: where a file keeps what is read, and the checks of single fields.

use super::{
    Cell, Columns, MAX_LINE_BYTES, MAX_NAME_BYTES, MAX_PLAYS, PLAYS_NAMES, Row, TableError, USER_NAMES,
    WORK_NAMES,
};
use std::{
    borrow::Cow,
    io::{BufRead, Read},
};

/// What may separate fields, the preferred one first.
const DELIMITERS: [u8; 3] = [b'\t', b',', b';'];
/// Most characters of a bad field that an error shows.
const SHOWN: usize = 40;

/// Lines of bounded length, counted from 1, without their ends.
pub(super) struct Lines<'a, R> {
    file: &'a str,
    input: R,
    row: u64,
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(super) fn new(file: &'a str, input: R) -> Self {
        Self { file, input, row: 0 }
    }

    /// Where the line is that was read last.
    pub(super) fn place(&self) -> Place<'a> {
        Place { file: self.file, row: self.row }
    }

    /// The next line, kept in `buffer`.
    pub(super) fn next<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<Option<&'b str>, TableError> {
        buffer.clear();
        self.row += 1;
        let place = self.place();
        let taken = (&mut self.input)
            .take(MAX_LINE_BYTES + 1)
            .read_until(b'\n', buffer)
            .map_err(|error| TableError::Read(place.row(), error))?;
        if taken == 0 {
            return Ok(None);
        }
        if taken as u64 > MAX_LINE_BYTES {
            return Err(TableError::LineTooLong(place.row()));
        }
        let line: &'b [u8] = buffer;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        std::str::from_utf8(line).map(Some).map_err(|error| {
            let before = &line[..error.valid_up_to()];
            let column = 1 + before.iter().filter(|b| DELIMITERS.contains(b)).count();
            TableError::NotUtf8(place.cell(&column.to_string()))
        })
    }
}

/// A column that is read.
pub(super) struct Column {
    name: String,
    index: usize,
}

/// Where a file keeps what is read.
pub(super) struct Layout {
    delimiter: u8,
    pub(super) user: Column,
    pub(super) work: Column,
    pub(super) plays: Column,
}

impl Layout {
    /// Finds the delimiter, which is the one that occurs most in the header, and the columns.
    pub(super) fn detect(place: Place<'_>, header: &str, columns: &Columns) -> Result<Self, TableError> {
        let occurrences = |d: &u8| header.bytes().filter(|b| b == d).count();
        // `max_by_key` takes the last of equals, so the preferred delimiter comes last.
        let delimiter = DELIMITERS.into_iter().rev().max_by_key(occurrences).expect("there are some");
        let names = split(header, delimiter).ok_or_else(|| TableError::OpenQuote(place.row()))?;
        // Column names are printed in errors, as names of works are elsewhere.
        if let Some(index) = names.iter().position(|name| name.chars().any(char::is_control)) {
            return Err(TableError::ControlCharacter(place.cell(&(index + 1).to_string())));
        }
        let find = |role, given: &Option<String>, known: &[&str]| {
            find_column(place.file, role, given.as_deref(), known, &names)
        };
        let user = find("user", &columns.user, &USER_NAMES)?;
        let work = find("work", &columns.work, &WORK_NAMES)?;
        let plays = find("plays", &columns.plays, &PLAYS_NAMES)?;
        let roles = [("user", &user), ("work", &work), ("plays", &plays)];
        for ((first, a), (second, b)) in [(roles[0], roles[1]), (roles[0], roles[2]), (roles[1], roles[2])] {
            if a.index == b.index {
                let (file, column) = (place.file.to_owned(), a.name.clone());
                return Err(TableError::SharedColumn { file, column, first, second });
            }
        }
        Ok(Self { delimiter, user, work, plays })
    }

    /// The fields of a line.
    pub(super) fn fields<'l>(
        &self,
        place: Place<'_>,
        line: &'l str,
    ) -> Result<Vec<Cow<'l, str>>, TableError> {
        split(line, self.delimiter).ok_or_else(|| TableError::OpenQuote(place.row()))
    }
}

/// Splits a line. Quotes have a meaning only with commas and semicolons, as is usual: a tab-separated title may hold
/// any quotes. `None` if a quoted field does not end.
fn split(line: &str, delimiter: u8) -> Option<Vec<Cow<'_, str>>> {
    if delimiter == b'\t' || !line.contains('"') {
        return Some(line.split(char::from(delimiter)).map(|f| Cow::Borrowed(f.trim())).collect());
    }
    if line.matches('"').count() % 2 == 1 {
        return None;
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line.as_bytes());
    let record = reader.records().next()?.ok()?;
    Some(record.iter().map(|f| Cow::Owned(f.trim().to_owned())).collect())
}

/// A header name without case and without the signs between its words.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// The beginning of a text, on one line.
fn clip(text: &str, most: usize) -> String {
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(most + 1).collect();
    if let Some((end, _)) = shown.char_indices().nth(most) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

fn find_column(
    file: &str,
    role: &'static str,
    given: Option<&str>,
    known: &[&str],
    names: &[Cow<'_, str>],
) -> Result<Column, TableError> {
    let wanted = given.map_or_else(|| known.to_vec(), |name| vec![name]);
    for want in &wanted {
        let mut hits = names.iter().enumerate().filter(|(_, name)| plain(name) == plain(want));
        if let Some((index, name)) = hits.next() {
            let name = name.to_string();
            if hits.next().is_some() {
                return Err(TableError::RepeatedColumn { file: file.to_owned(), column: name });
            }
            return Ok(Column { name, index });
        }
    }
    let (file, wanted, found) = (file.to_owned(), wanted.join(", "), clip(&names.join(", "), 4 * SHOWN));
    Err(TableError::MissingColumn { file, role, wanted, found })
}

/// A row, for the fields in it and the errors about them.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    file: &'a str,
    row: u64,
}

impl Place<'_> {
    pub(super) fn row(self) -> Row {
        Row { file: self.file.to_owned(), row: self.row }
    }

    fn cell(self, column: &str) -> Cell {
        Cell { at: self.row(), column: column.to_owned() }
    }

    fn field<'f>(self, column: &Column, fields: &'f [Cow<'_, str>]) -> Result<&'f str, TableError> {
        match fields.get(column.index) {
            None => Err(TableError::ShortRow(self.cell(&column.name), fields.len())),
            Some(text) if text.is_empty() => Err(TableError::EmptyField(self.cell(&column.name))),
            Some(text) => Ok(text),
        }
    }

    /// The name in a column.
    pub(super) fn name<'f>(self, column: &Column, fields: &'f [Cow<'_, str>]) -> Result<&'f str, TableError> {
        let text = self.field(column, fields)?;
        if text.len() > MAX_NAME_BYTES {
            return Err(TableError::NameTooLong(self.cell(&column.name), text.len()));
        }
        // Names are printed on terminals: no escape sequence may hide in one.
        if text.chars().any(char::is_control) {
            return Err(TableError::ControlCharacter(self.cell(&column.name)));
        }
        Ok(text)
    }

    /// The count of plays in a column.
    pub(super) fn plays(self, column: &Column, fields: &[Cow<'_, str>]) -> Result<u64, TableError> {
        let text = self.field(column, fields)?;
        if text.bytes().all(|b| b.is_ascii_digit()) {
            // Only a number too long for 64 bits fails to parse, and that is above the limit too.
            if let Some(plays) = text.parse().ok().filter(|plays| *plays <= MAX_PLAYS) {
                return Ok(plays);
            }
        }
        // An error stays one readable line, whatever the field holds.
        let shown = clip(text, SHOWN);
        let cell = self.cell(&column.name);
        Err(match text.parse::<f64>() {
            Ok(_) if text.bytes().all(|b| b.is_ascii_digit()) => TableError::TooManyPlays(cell, shown),
            Ok(x) if x.is_sign_negative() => TableError::NegativePlays(cell, shown),
            Ok(x) if x.is_finite() => TableError::FractionalPlays(cell, shown),
            _ => TableError::NotANumber(cell, shown),
        })
    }
}
