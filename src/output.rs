//! Printing: tables for people, one JSON object for programs, one line for an error.

use crate::account::ChainFailure;
use crate::audit::AuditFailure;
use crate::bundle::BundleFailure;
use crate::client::ClientFailure;
use crate::epoch::FetchFailure;
use crate::gov::GovFailure;
use crate::init::InitFailure;
use crate::issuer::IssuerFailure;
use crate::node::NodeFailure;
use crate::party::PartyError;
use crate::secret::KeyError;
use crate::sim::SweepFailure;
use crate::steward::StewardFailure;
use crate::work::WorkFailure;
use chain::bridge::PortError;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableComponent, presets};
use serde_json::json;
use sim::{
    demo::DemoError,
    folder::{FolderError, quoted},
    hosts::HostsError,
    workload::WorkloadError,
    world::WorldError,
};
use std::{
    borrow::Cow,
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Why the command ends without success.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// No run.
    #[error(transparent)]
    Demo(Box<DemoError>),
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key for the L1 in this process, which has its own.
    #[error("--l1-key goes with --l1 URL: the embedded L1 makes its own account")]
    KeyWithoutEndpoint,
    /// Neither the L1 in this process nor a URL.
    #[error("--l1 {given:?} is neither `embedded` nor a URL such as http://127.0.0.1:8545")]
    NoL1 {
        /// What was given.
        given: String,
    },
    /// No run folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The parties stopped. The folder says what is known.
    #[error("the epoch was aborted, nothing was paid: {stopped}; its folder is {folder}", folder = .folder.display())]
    Aborted {
        /// What is known of why.
        stopped: Box<sim::demo::Stopped>,
        /// Where to look.
        folder: PathBuf,
    },
    /// Something of a run does not hold.
    #[error("the run does not hold: {what}; its folder is {folder}", folder = .folder.display())]
    RunDoesNotHold {
        /// What does not hold.
        what: String,
        /// Where to look.
        folder: PathBuf,
    },
    /// A record cannot be read.
    #[error("{path}: cannot be read: {error}", path = .path.display())]
    RecordUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A record is longer than any.
    #[error("{path}: is longer than the {max} bytes that a record may have", path = .path.display())]
    RecordTooLong {
        /// The file.
        path: PathBuf,
        /// The limit.
        max: u64,
    },
    /// A file is no record.
    #[error(
        "{path}: no record of an epoch: {error}: run the demo again, or give the epoch.json of another run",
        path = .path.display()
    )]
    NoRecord {
        /// The file.
        path: PathBuf,
        /// Why, and where.
        error: serde_json::Error,
    },
    /// A record does not hold.
    #[error("{path}: the record does not hold: {what}", path = .path.display())]
    RecordDoesNotHold {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        what: String,
    },
    /// No record from a party.
    #[error(transparent)]
    Fetch(#[from] FetchFailure),
    /// Results cannot be printed.
    #[error("the result cannot be printed: {0}")]
    Print(#[from] io::Error),
    /// Results cannot be encoded.
    #[error("the result cannot be encoded: {0}")]
    Encode(#[from] serde_json::Error),
    /// A bundle cannot be shown, or does not hold.
    #[error(transparent)]
    Bundle(#[from] BundleFailure),
    /// There is no audit, or it found something.
    #[error(transparent)]
    Audit(#[from] AuditFailure),
    /// No sweep, or not all of it.
    #[error(transparent)]
    Sweep(#[from] SweepFailure),
    /// No comparison of parameters.
    #[error(transparent)]
    Gov(#[from] GovFailure),
    /// No node, or no longer.
    #[error(transparent)]
    Node(Box<NodeFailure>),
    /// No party, or no longer.
    #[error(transparent)]
    Party(Box<PartyError>),
    /// No pilot.
    #[error(transparent)]
    Init(#[from] InitFailure),
    /// No issuer, or no longer.
    #[error(transparent)]
    Issuer(Box<IssuerFailure>),
    /// A client cannot go on.
    #[error(transparent)]
    Client(Box<ClientFailure>),
    /// No steward, or no longer.
    #[error(transparent)]
    Steward(Box<StewardFailure>),
    /// A run across processes came to no end.
    #[error(transparent)]
    Hosts(Box<HostsError>),
    /// A node was not asked, or the ledger refused.
    #[error(transparent)]
    Chain(Box<ChainFailure>),
    /// No work, or a manifest that does not hold.
    #[error(transparent)]
    Work(Box<WorkFailure>),
    /// Interrupts cannot be watched for.
    #[error("interrupts cannot be watched for: {0}")]
    Interrupts(#[from] ctrlc::Error),
    /// Standard input cannot be watched.
    #[error("standard input cannot be watched: {0}")]
    Watch(io::Error),
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::RunDoesNotHold { .. } | Self::Aborted { .. } | Self::RecordDoesNotHold { .. } => 1,
            Self::Demo(error) => match error.as_ref() {
                DemoError::Workload(_)
                | DemoError::Padding { .. }
                | DemoError::NoLayer1Key { .. }
                | DemoError::NoWei { .. }
                | DemoError::MainNet
                | DemoError::OtherRules { .. }
                | DemoError::Port(PortError::BadUrl { .. })
                | DemoError::Port(PortError::Unreachable { .. })
                | DemoError::World(WorldError::TooManyBundles { .. } | WorldError::Shards(_)) => 2,
                _ => 3,
            },
            Self::Folder(
                FolderError::Occupied { .. } | FolderError::NoName { .. } | FolderError::Uncreatable { .. },
            )
            | Self::Key(_)
            | Self::KeyWithoutEndpoint
            | Self::NoL1 { .. }
            | Self::RecordUnreadable { .. }
            | Self::RecordTooLong { .. }
            | Self::NoRecord { .. } => 2,
            Self::Fetch(failure) => failure.code(),
            Self::Bundle(failure) => failure.code(),
            Self::Audit(failure) => failure.code(),
            Self::Sweep(failure) => failure.code(),
            Self::Gov(failure) => failure.code(),
            Self::Node(failure) => failure.code(),
            Self::Chain(failure) => failure.code(),
            Self::Work(failure) => failure.code(),
            Self::Party(failure) => failure.code(),
            Self::Init(failure) => failure.code(),
            Self::Issuer(failure) => failure.code(),
            Self::Client(failure) => failure.code(),
            Self::Steward(failure) => failure.code(),
            Self::Hosts(_) => 3,
            Self::Folder(_) | Self::Print(_) | Self::Encode(_) | Self::Interrupts(_) | Self::Watch(_) => 3,
        }
    }

    /// What to do about it, where the error itself does not say.
    fn advice(&self) -> Option<Cow<'static, str>> {
        if let Self::Node(failure) = self {
            return failure.advice().map(Cow::from);
        }
        self.fixed_advice().map(Cow::from)
    }

    /// Advice that is the same whatever happened.
    fn fixed_advice(&self) -> Option<&'static str> {
        match self {
            Self::RecordUnreadable { .. } => Some("give the run folder of a `cwe demo`, or its epoch.json"),
            Self::Demo(error) => match error.as_ref() {
                DemoError::Workload(WorkloadError::TooManyWorks { .. }) => Some("lower --works"),
                DemoError::Workload(WorkloadError::NoEvents { .. }) => Some("raise --plays-scale"),
                DemoError::Port(PortError::Unreachable { .. }) => {
                    Some("start a node there, or leave --l1 away for the embedded one")
                }
                DemoError::Stalled { .. } => Some("try again; the same seed gives the same run"),
                _ => None,
            },
            Self::Fetch(failure) => failure.advice(),
            Self::Sweep(failure) => failure.advice(),
            Self::Chain(failure) => failure.advice(),
            Self::Work(failure) => failure.advice(),
            Self::Gov(failure) => failure.advice(),
            Self::Client(failure) => failure.advice(),
            _ => None,
        }
    }
}

impl From<NodeFailure> for Failure {
    fn from(failure: NodeFailure) -> Self {
        Self::Node(Box::new(failure))
    }
}

impl From<PartyError> for Failure {
    fn from(error: PartyError) -> Self {
        Self::Party(Box::new(error))
    }
}

impl From<IssuerFailure> for Failure {
    fn from(failure: IssuerFailure) -> Self {
        Self::Issuer(Box::new(failure))
    }
}

impl From<ClientFailure> for Failure {
    fn from(failure: ClientFailure) -> Self {
        Self::Client(Box::new(failure))
    }
}

impl From<StewardFailure> for Failure {
    fn from(failure: StewardFailure) -> Self {
        Self::Steward(Box::new(failure))
    }
}

impl From<HostsError> for Failure {
    fn from(error: HostsError) -> Self {
        Self::Hosts(Box::new(error))
    }
}

impl From<ChainFailure> for Failure {
    fn from(failure: ChainFailure) -> Self {
        Self::Chain(Box::new(failure))
    }
}

impl From<WorkFailure> for Failure {
    fn from(failure: WorkFailure) -> Self {
        Self::Work(Box::new(failure))
    }
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        Self::Demo(Box::new(error))
    }
}

/// Whether a call asks for JSON, also one that cannot be parsed.
pub(crate) fn is_json_asked(arguments: impl Iterator<Item = OsString>) -> bool {
    let mut before = OsString::new();
    let mut asks = |argument: OsString| {
        let after = before == "-o" || before == "--output";
        before.clone_from(&argument);
        after && argument == "json"
            || ["-ojson", "-o=json", "--output=json"].iter().any(|ask| argument == *ask)
    };
    arguments.into_iter().any(&mut asks)
}

/// Prints an error as one line on standard error: for people, or as a JSON object for programs.
pub(crate) fn error(failure: &Failure, json: bool) {
    let advice = failure.advice().map(|advice| advice.to_string());
    tell(&failure.to_string(), advice.as_deref(), failure.code(), json);
}

/// The same for an error that is spelled out.
pub(crate) fn tell(error: &str, advice: Option<&str>, code: u8, json: bool) {
    let line = if json {
        json!({ "error": error, "advice": advice, "code": code }).to_string()
    } else {
        let advice = advice.map(|advice| format!(": {advice}")).unwrap_or_default();
        one_line(&format!("error: {error}{advice}"))
    };
    // Nobody is left to tell if this fails.
    drop(writeln!(io::stderr(), "{line}"));
}

/// A text on one line of a terminal: line ends are blanks, and other control characters, which may come from whoever was
/// asked, are spelled out.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => line.push(' '),
            c if c.is_control() => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    line
}

/// Prints what is wrong with a call as a JSON object on standard error.
pub(crate) fn wrong_call(error: &clap::Error) {
    let text = error.render().to_string();
    let mut parts = text.trim_start_matches("error: ").split("\n\n").map(str::trim);
    let (first, advice) = (parts.next(), parts.next());
    let line = json!({ "error": first, "advice": advice, "code": error.exit_code() });
    drop(writeln!(io::stderr(), "{line}"));
}

/// Prints text on standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Prints one JSON object on standard output.
pub(crate) fn json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Columns that a table takes at most, as every terminal has them; longer cells are broken into lines.
const WIDTH: u16 = 80;
/// Columns that names of facts take at most.
const NAMES: usize = 13;
/// Columns before a fact that stands below its name.
const BELOW: usize = 4;

const _: () = assert!(1 + NAMES + 2 + 64 <= WIDTH as usize, "an identifier stands beside a name");

/// Names and values, a line each. A name longer than the column has its value right behind it. What is too long for a line
/// stands below its name: identifiers are copied, and stay in one piece.
pub(crate) fn facts(rows: &[[String; 2]]) -> String {
    let width = |text: &str| text.chars().count();
    let column = rows.iter().map(|[name, _]| width(name)).max().unwrap_or(0).min(NAMES);
    let mut text = String::new();
    for [name, value] in rows {
        let word = value.split(' ').map(width).max().unwrap_or(0);
        if width(name) > column && 1 + width(name) + 2 + width(value) <= usize::from(WIDTH) {
            text += &format!(" {name}  {value}\n");
            continue;
        }
        let beside = width(name) <= column && column + 3 + word <= usize::from(WIDTH);
        let indent = if beside { column + 3 } else { BELOW };
        let gap = format!("\n{:indent$}", "");
        let value = wrapped(value, usize::from(WIDTH) - indent).join(&gap);
        let between = if beside { "  " } else { &gap };
        text +=
            &format!(" {}{between}{value}\n", if beside { format!("{name:column$}") } else { name.clone() });
    }
    text
}

/// Lines of whole words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// A table with one line below its header, and the columns from `right_from` on aligned to the right.
pub(crate) fn table<const N: usize>(header: [&str; N], right_from: usize, rows: Vec<[String; N]>) -> String {
    columns(&header, right_from, rows.into_iter().map(Vec::from).collect(), WIDTH)
}

/// A table of figures with as many columns as there are titles, as wide as they need, all aligned to the right.
pub(crate) fn wide_table(header: &[String], rows: Vec<Vec<String>>) -> String {
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    columns(&header, 0, rows, WIDTH.max(12 * header.len() as u16))
}

fn columns(header: &[&str], right_from: usize, rows: Vec<Vec<String>>, width: u16) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    if header.iter().any(|title| !title.is_empty()) {
        table
            .set_style(TableComponent::HeaderLines, '─')
            .set_style(TableComponent::MiddleHeaderIntersections, '─');
        table.set_header(header.iter().copied());
    }
    for row in rows {
        table.add_row(row.into_iter().map(Cell::new));
    }
    for column in table.column_iter_mut().skip(right_from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines: Vec<String> = table.to_string().lines().map(|line| format!(" {}", line.trim_end())).collect();
    lines.join("\n") + "\n"
}

/// The command that verifies a record at `path`, as it can be pasted where this program was started.
pub(crate) fn check_command(path: &Path) -> String {
    epoch_command("verify", path)
}

/// The command that audits a record at `path` against a root.
pub(crate) fn audit_command(path: &Path, root: &str) -> String {
    format!("{} --root {root}", epoch_command("audit", path))
}

fn epoch_command(command: &str, path: &Path) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "cwe".into());
    let path = path.display().to_string();
    format!("{} epoch {command} {}", quoted(&program), quoted(&path))
}

/// The command that verifies a record at `path` against a root.
pub(crate) fn verify_command(path: &Path, root: &str) -> String {
    format!("{} --root {root}", check_command(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_fit_a_terminal_and_keep_identifiers_whole() {
        let id = "ab".repeat(32);
        let long = format!("price 1, {id}=50%");
        let rows = [["work", &id], ["what it is about", &id], ["terms", &long], ["checked after block", "0"]];
        let shown = facts(&rows.map(|row| row.map(String::from)));
        assert!(shown.ends_with("\n checked after block  0\n"), "beside its name: {shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        assert_eq!(shown.matches(&id).count(), 3);
        assert!(
            shown.starts_with(&format!(" work           {id}\n what it is about\n    {id}\n")),
            "{shown}"
        );
    }

    #[test]
    fn an_error_is_one_line_and_steers_no_terminal() {
        assert_eq!(one_line("a\nb\r\u{1b}[2Jc\u{9b}"), r"a b \u{1b}[2Jc\u{9b}");
    }

    #[test]
    fn json_is_asked_for_in_every_spelling() {
        let asked = |call: &str| is_json_asked(call.split(' ').map(OsString::from));
        for call in ["cwe x -o json", "cwe x -ojson y", "cwe --output=json", "cwe x --output json --wrong"] {
            assert!(asked(call), "{call}");
        }
        for call in ["cwe x", "cwe x -o table", "cwe json", "cwe -o table json"] {
            assert!(!asked(call), "{call}");
        }
    }
}
