//! `cwe epoch fetch`: the public record of an epoch, and what an audit of it needs, from a party.

mod bundles;

use super::{MAX_RECORD_BYTES, overview};
use crate::{
    account::Node,
    cli::{Fetch, Format},
    output::{self, Failure, audit_command, facts, verify_command},
    progress,
};
use bundles::From;
use chain::light::{self, EpochRecord, verify::root_digest};
use engine::{
    client::{
        LinkError,
        http::{HttpError, reader::HttpReader},
    },
    host::outlook::bytes as size,
};
use primitives::{Digest, EpochId};
use serde_json::{Value, json};
use sim::demo::folder::{EPOCH_FILE, SIGNERS_FILE, STATEMENTS_FILE};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Blocks in which the record's state root is looked for, from a node's last on: a party proves a record from its last block,
/// and gives the same one for a minute.
const LOOK_BACK: u64 = 1_000;

/// Why there is no record.
#[derive(Debug, Error)]
pub(crate) enum FetchFailure {
    /// There is one already.
    #[error("{path}: is there already, and is not written over", path = .path.display())]
    Occupied { path: PathBuf },
    /// An address that is none.
    #[error(transparent)]
    Address(#[from] HttpError),
    /// The party gives nothing.
    #[error("the party {0}")]
    Link(#[from] LinkError),
    /// The party has no record of the epoch.
    #[error("{url}: has no public record of epoch {epoch}")]
    NoRecord { url: String, epoch: EpochId },
    /// The party has not published the bundles of the epoch.
    #[error("{url}: has nothing of the bundles of epoch {epoch}; nothing was written")]
    NoBundles { url: String, epoch: EpochId },
    /// What it gives is not what was asked for.
    #[error("{url}: what it gives for epoch {epoch} is not of it: {what}")]
    Garbage { url: String, epoch: EpochId, what: String },
    /// The node does not have the record's state root.
    #[error("{node}: none of its last blocks has the record's state root {root}; nothing was written")]
    NotAnchored { node: String, root: Digest },
    /// The file cannot be written.
    #[error("{path}: cannot be written: {error}", path = .path.display())]
    Unwritten { path: PathBuf, error: io::Error },
}

impl FetchFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NotAnchored { .. } => 1,
            Self::Occupied { .. }
            | Self::Address(_)
            | Self::NoRecord { .. }
            | Self::NoBundles { .. }
            | Self::Link(LinkError::Unreachable { .. }) => 2,
            Self::Link(_) | Self::Garbage { .. } | Self::Unwritten { .. } => 3,
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Occupied { .. } => Some("give another folder"),
            Self::Link(LinkError::Unreachable { .. }) => {
                Some("give the address of another party's API, or start the party")
            }
            Self::Link(LinkError::Busy { .. }) => Some("try again in some seconds, or ask another party"),
            Self::Link(_) | Self::Garbage { .. } => Some("ask another party"),
            Self::NoRecord { .. } => {
                Some("a record is there once its epoch is settled, and of none that was given up")
            }
            Self::NoBundles { .. } => Some(
                "ask another party: each that was there for all of them has them soon after the epoch is settled, and until the \
                 next one is",
            ),
            Self::NotAnchored { .. } => Some(
                "ask another party; if the node only follows, try again once it has the sequencer's last block",
            ),
            Self::Address(_) | Self::Unwritten { .. } => None,
        }
    }
}

/// Fetches a record into a folder.
pub(crate) fn run(arguments: &Fetch) -> Result<(), Failure> {
    let Fetch { dir, url, epoch, node, bundles, quiet, output } = arguments;
    let path = dir.join(EPOCH_FILE);
    if path.exists() {
        return Err(FetchFailure::Occupied { path }.into());
    }
    let reader = HttpReader::new(url).map_err(FetchFailure::from)?;
    let limit = usize::try_from(MAX_RECORD_BYTES).unwrap_or(usize::MAX);
    let found = reader.record(*epoch, limit).map_err(FetchFailure::from)?;
    let bytes = found.ok_or_else(|| FetchFailure::NoRecord { url: url.clone(), epoch: *epoch })?;
    let garbage = |what| FetchFailure::Garbage { url: url.clone(), epoch: *epoch, what };
    let record: EpochRecord = serde_json::from_slice(&bytes).map_err(|error| garbage(error.to_string()))?;
    if record.epoch != *epoch {
        return Err(garbage(format!("it is of epoch {}", record.epoch)).into());
    }
    let root = root_digest(&record.state.root);
    let block = match node {
        Some(node) => Some(block_with(node, root)?),
        None => None,
    };
    let published = match bundles {
        true => {
            // What the record counts bounds what is fetched: it is to hold, at least against its own root.
            light::verify(&record, None).map_err(|refused| garbage(refused.to_string()))?;
            let from = From { reader: &reader, url };
            let index = from.index(&record)?;
            from.fetch((*epoch, &index), dir, &*progress::choose(*quiet))?;
            Some(index.bytes)
        }
        false => None,
    };
    // The record comes last: with it everything is there.
    let written = write(dir, EPOCH_FILE, &mut |out| out.write_all(&bytes));
    written.map_err(|error| FetchFailure::Unwritten { path: path.clone(), error })?;
    match output {
        Format::Json => {
            let mut object = overview(&record);
            object["written"] = json!(path);
            object["block"] = json!(block);
            object["published_bytes"] = json!(published);
            output::json(&object)
        }
        Format::Table => output::print(&text((&path, &record), (root, published), (node.as_deref(), block))),
    }
}

fn text(
    (path, record): (&Path, &EpochRecord),
    (root, published): (Digest, Option<u64>),
    (node, block): (Option<&str>, Option<u64>),
) -> String {
    let mut rows = vec![
        ["epoch".to_owned(), record.epoch.to_string()],
        ["chain".into(), record.chain.to_string()],
        ["state root".into(), root.to_string()],
        ["written".into(), path.display().to_string()],
    ];
    if let Some(published) = published {
        rows.push([
            "bundles".into(),
            format!("{STATEMENTS_FILE} and {SIGNERS_FILE} beside it, {}", size(published as f64)),
        ]);
    }
    let anchored = node.zip(block);
    if let Some((node, block)) = anchored {
        rows.push(["anchored".into(), format!("block {block} of {node} has this state root")]);
    }
    let root = if anchored.is_some() { root.to_string() } else { "ROOT".into() };
    let mut text = format!("{}\nNothing is verified yet: {}\n", facts(&rows), verify_command(path, &root));
    if published.is_some() {
        text += &format!("Nor is any bundle: {}\n", audit_command(path, &root));
    }
    if anchored.is_none() {
        text += "ROOT is the state root above once a node that you trust has a block with it: --node looks for that block.\n";
    }
    text
}

/// The last block of a node with this state root.
fn block_with(url: &str, root: Digest) -> Result<u64, Failure> {
    let node = Node::connect(url)?;
    let mut block = node.ask("cwe_head", &[])?;
    let wanted = root.to_string();
    let last: u64 = node.field(&block, "height")?;
    for height in (last.saturating_sub(LOOK_BACK)..=last).rev() {
        if node.field::<String>(&block, "state_root")? == wanted {
            return Ok(height);
        }
        // Before the first block stands the genesis, which settles nothing.
        if height <= 1 {
            break;
        }
        block = node.ask("cwe_block", &[Value::from(height - 1)])?;
    }
    Err(FetchFailure::NotAnchored { node: url.into(), root }.into())
}

/// Writes a file beside its name, and gives it the name once it is whole.
fn write(dir: &Path, name: &str, all: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let unfinished = dir.join(format!("{name}.part"));
    let mut write = || {
        let mut out = BufWriter::new(File::create(&unfinished)?);
        all(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()?;
        fs::rename(&unfinished, dir.join(name))?;
        File::open(dir)?.sync_all()
    };
    write().inspect_err(|_| {
        // The disk may be full: nothing is left behind that looks like what was asked for.
        drop(fs::remove_file(&unfinished));
        // Unless something else is in it.
        drop(fs::remove_dir(dir));
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read, net::TcpListener, thread};

    /// A server that gives one answer.
    fn server(status: u16, body: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a reader");
            let mut asked = [0; 4096];
            let length = stream.read(&mut asked).expect("a question");
            assert!(asked[..length].starts_with(b"GET /v1/epochs/7/record "));
            let head =
                format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).expect("an answer");
        });
        format!("http://{address}")
    }

    fn refused(dir: &Path, url: &str) -> FetchFailure {
        let (dir, url) = (dir.to_owned(), url.to_owned());
        let (bundles, quiet, output) = (false, true, Format::Table);
        match run(&Fetch { dir, url, epoch: EpochId(7), node: None, bundles, quiet, output }) {
            Err(Failure::Fetch(failure)) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_record_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("epoch-7");
        let kind = |failure: &FetchFailure| (failure.code(), failure.advice().is_some());
        let missing = refused(&dir, &server(404, r#"{"error":"none","kind":"no-record","hint":"wait"}"#));
        assert!(matches!(missing, FetchFailure::NoRecord { .. }) && kind(&missing) == (2, true), "{missing}");
        for (status, body) in [(200, "{}"), (200, "a cat"), (404, "not found"), (503, "")] {
            let failure = refused(&dir, &server(status, body));
            assert_eq!(kind(&failure), (3, true), "{failure}");
        }
        let away = refused(&dir, "http://127.0.0.1:1");
        assert!(kind(&away) == (2, true) && away.to_string().contains("http://127.0.0.1:1: "), "{away}");
        assert!(matches!(refused(&dir, "127.0.0.1:1"), FetchFailure::Address(_)));
        assert!(!dir.exists());
    }

    #[test]
    fn a_record_that_is_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), EPOCH_FILE, &mut |out| out.write_all(b"a record")).expect("written");
        let failure = refused(folder.path(), "http://127.0.0.1:1");
        assert!(matches!(failure, FetchFailure::Occupied { .. }), "before anybody is asked: {failure}");
        assert_eq!(fs::read(folder.path().join(EPOCH_FILE)).expect("there"), b"a record");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
