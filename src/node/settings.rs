//! Settings of a node, in layers: defaults, a file, the environment, flags.

use crate::{cli::NodeSettings, files, output::Failure};
use chain::node::client::check_url;
use std::{
    collections::BTreeMap,
    env, fmt, fs,
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    str::FromStr,
};
use thiserror::Error;

/// What stands before a setting's name in the environment.
const PREFIX: &str = "CWE_NODE_";
/// Longest file of settings.
const MAX_BYTES: u64 = 64 << 10;

/// Which nodes read a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    All,
    Sequencers,
    FullNodes,
}

/// Every setting, with its default.
const SETTINGS: [(&str, Of, Option<&str>); 10] = [
    ("role", Of::All, Some("sequencer")),
    ("dir", Of::All, None),
    ("genesis", Of::All, None),
    ("key", Of::Sequencers, None),
    ("listen", Of::All, Some("127.0.0.1:4300")),
    ("follow", Of::FullNodes, None),
    ("block_seconds", Of::Sequencers, Some("2")),
    ("heartbeat_seconds", Of::Sequencers, Some("60")),
    ("block_transactions", Of::Sequencers, Some("4096")),
    ("max_connections", Of::All, Some("256")),
];
/// Those that are paths.
const PATHS: [&str; 3] = ["dir", "genesis", "key"];

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File(PathBuf),
    Environment,
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment => f.write_str("environment"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// Why there are no settings.
#[derive(Debug, Error)]
pub(crate) enum SettingsError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {reason}: `cwe node init DIR` makes DIR/node.toml", path = .path.display())]
    Unreadable { path: PathBuf, reason: String },
    /// The file is no TOML.
    #[error("{path}: no TOML: {reason}", path = .path.display())]
    NoToml { path: PathBuf, reason: String },
    /// No such setting.
    #[error("{source_of}: there is no setting {name:?}: they are {}", names())]
    Unknown { source_of: String, name: String },
    /// A value is none.
    #[error("{name} ({source_of}): {found:?} is not {expected}")]
    Value { name: &'static str, source_of: String, found: String, expected: String },
    /// A setting is missing.
    #[error("no {name}: give --{name}, or {PREFIX}{upper}, or `{name}` in the file of --config", upper = name.to_uppercase())]
    Missing { name: &'static str },
    /// Two settings do not go together.
    #[error("{name} goes with the role {role} alone")]
    OtherRole { name: &'static str, role: &'static str },
}

fn names() -> String {
    SETTINGS.map(|(name, ..)| name).join(", ")
}

/// A value, and where it comes from.
pub(crate) type Given = (String, Source);

/// The settings, as texts with their sources.
#[derive(Debug)]
pub(crate) struct Settings(BTreeMap<&'static str, Given>);

impl Settings {
    /// Reads every layer.
    pub(crate) fn read(arguments: &NodeSettings) -> Result<Self, Failure> {
        let environment = env::vars_os().filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix(PREFIX)?.to_owned();
            Some((name, value.to_string_lossy().into_owned()))
        });
        Ok(Self::layer(arguments, environment)?)
    }

    fn layer(
        arguments: &NodeSettings,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let defaults = SETTINGS.iter().filter_map(|(name, _, value)| Some((*name, (*value)?)));
        let mut settings =
            Self(defaults.map(|(name, value)| (name, (value.to_owned(), Source::Default))).collect());
        if let Some(path) = &arguments.config {
            settings.read_file(path)?;
        }
        for (name, value) in environment {
            let unknown = || SettingsError::Unknown {
                source_of: "environment".into(),
                name: format!("{PREFIX}{name}"),
            };
            let known = known(&name.to_lowercase()).filter(|known| known.to_uppercase() == name);
            settings.0.insert(known.ok_or_else(unknown)?, (value, Source::Environment));
        }
        let flags = [
            ("role", &arguments.role),
            ("dir", &arguments.dir),
            ("genesis", &arguments.genesis),
            ("key", &arguments.key),
            ("listen", &arguments.listen),
            ("follow", &arguments.follow),
            ("block_seconds", &arguments.block_seconds),
            ("heartbeat_seconds", &arguments.heartbeat_seconds),
            ("block_transactions", &arguments.block_transactions),
            ("max_connections", &arguments.max_connections),
        ];
        for (name, value) in flags {
            if let Some(value) = value {
                settings.0.insert(name, (value.clone(), Source::Flag));
            }
        }
        Ok(settings)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let unreadable = |reason: String| SettingsError::Unreadable { path: path.into(), reason };
        let length = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if length > MAX_BYTES {
            return Err(unreadable(format!("longer than {MAX_BYTES} bytes")));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| SettingsError::NoToml {
            path: path.into(),
            reason: files::no_settings(&text, &error),
        })?;
        for (name, value) in table {
            let source_of = path.display().to_string();
            let Some(name) = known(&name) else { return Err(SettingsError::Unknown { source_of, name }) };
            let text = match value {
                // What a file names lies where the file lies.
                toml::Value::String(text) if PATHS.contains(&name) => {
                    path.parent().unwrap_or(Path::new("")).join(text).display().to_string()
                }
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                other => {
                    let (found, expected) = (other.type_str().into(), "a text or a whole number".into());
                    return Err(SettingsError::Value { name, source_of, found, expected });
                }
            };
            self.0.insert(name, (text, Source::File(path.into())));
        }
        Ok(())
    }

    /// Every setting that a node of this role reads, with its value and where that comes from, if it has one.
    pub(crate) fn in_force(
        &self,
    ) -> Result<impl Iterator<Item = (&'static str, Option<&Given>)>, SettingsError> {
        let others = if self.is_sequencer()? { Of::FullNodes } else { Of::Sequencers };
        let read = SETTINGS.iter().filter(move |(_, of, _)| *of != others);
        Ok(read.map(|(name, ..)| (*name, self.0.get(name))))
    }

    /// Whether a setting has a value.
    pub(crate) fn has(&self, name: &'static str) -> bool {
        self.0.contains_key(name)
    }

    /// The text of a setting.
    pub(crate) fn text(&self, name: &'static str) -> Result<&str, SettingsError> {
        self.0.get(name).map(|(value, _)| value.as_str()).ok_or(SettingsError::Missing { name })
    }

    /// A path.
    pub(crate) fn path(&self, name: &'static str) -> Result<PathBuf, SettingsError> {
        self.text(name).map(PathBuf::from)
    }

    /// A value that parses.
    pub(crate) fn parse<T: FromStr>(&self, name: &'static str, expected: &str) -> Result<T, SettingsError> {
        self.text(name)?.parse().map_err(|_| self.wrong(name, expected))
    }

    /// Whether it is a sequencer.
    pub(crate) fn is_sequencer(&self) -> Result<bool, SettingsError> {
        match self.text("role")? {
            "sequencer" => {
                if self.has("follow") {
                    Err(SettingsError::OtherRole { name: "follow", role: "full" })
                } else {
                    Ok(true)
                }
            }
            // A file may be that of a sequencer; who says it for this run means it.
            "full" => match SETTINGS.iter().find(|(name, of, _)| *of == Of::Sequencers && self.is_said(name))
            {
                Some((name, ..)) => Err(SettingsError::OtherRole { name, role: "sequencer" }),
                None => Ok(false),
            },
            _ => Err(self.wrong("role", "sequencer or full")),
        }
    }

    /// Whether a setting comes from a flag or the environment.
    fn is_said(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|(_, source)| matches!(source, Source::Flag | Source::Environment))
    }

    /// Where to answer queries.
    pub(crate) fn listen(&self) -> Result<SocketAddr, SettingsError> {
        self.parse("listen", "an address and a port, such as 127.0.0.1:4300")
    }

    /// Most connections at once: without one nobody could ask the node anything.
    pub(crate) fn max_connections(&self) -> Result<u32, SettingsError> {
        self.parse("max_connections", "a whole number from 1 on").map(NonZeroU32::get)
    }

    /// The node to follow.
    pub(crate) fn follow(&self) -> Result<String, SettingsError> {
        let url = self.text("follow")?;
        match check_url(url) {
            Ok(_) => Ok(url.to_owned()),
            Err(_) => Err(self.wrong("follow", "the address of a node, such as ws://127.0.0.1:4300")),
        }
    }

    /// A number outside its bounds.
    pub(crate) fn outside(&self, name: &'static str, min: u64, max: u64) -> SettingsError {
        self.wrong(name, &format!("a whole number from {min} to {max}"))
    }

    fn wrong(&self, name: &'static str, expected: &str) -> SettingsError {
        let (found, source) = self.0[name].clone();
        SettingsError::Value { name, source_of: source.to_string(), found, expected: expected.into() }
    }
}

fn known(name: &str) -> Option<&'static str> {
    SETTINGS.iter().map(|(known, ..)| *known).find(|known| *known == name)
}

#[cfg(test)]
mod tests;
