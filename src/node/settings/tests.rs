//! Layers, and what is refused in each.

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    settings: NodeSettings,
}

fn layered(
    file: Option<&str>,
    environment: &[(&str, &str)],
    flags: &[&str],
) -> Result<Settings, SettingsError> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("node.toml");
    let mut line = vec!["run"];
    let name = path.display().to_string();
    if let Some(text) = file {
        fs::write(&path, text).expect("written");
        line.extend(["--config", &name]);
    }
    line.extend(flags);
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::layer(&Line::parse_from(line).settings, environment)
}

#[test]
fn later_layers_come_before_earlier_ones() {
    let file = Some("listen = '127.0.0.1:1'\nblock_seconds = 7\ndir = 'data'\n");
    let settings =
        layered(file, &[("LISTEN", "127.0.0.1:2")], &["--listen", "127.0.0.1:3"]).expect("settings");
    assert_eq!(settings.listen().expect("an address").port(), 3);
    let settings = layered(file, &[("LISTEN", "127.0.0.1:2")], &[]).expect("settings");
    assert_eq!(settings.listen().expect("an address").port(), 2);
    let settings = layered(file, &[], &[]).expect("settings");
    assert_eq!(settings.listen().expect("an address").port(), 1);
    assert_eq!(settings.parse::<u32>("block_seconds", "a number").ok(), Some(7));
    assert_eq!(settings.parse::<u32>("heartbeat_seconds", "a number").ok(), Some(60));
    let dir = settings.path("dir").expect("a path");
    assert!(dir.is_absolute() && dir.ends_with("data"), "beside the file: {dir:?}");
    let source = |wanted| {
        let mut in_force = settings.in_force().expect("a role");
        in_force
            .find(|(name, _)| *name == wanted)
            .map(|(_, given)| given.map(|(_, source)| source.to_string()))
    };
    assert_eq!(source("heartbeat_seconds"), Some(Some("default".into())));
    assert!(matches!(source("dir"), Some(Some(source)) if source.ends_with("node.toml")));
    assert_eq!(source("genesis"), Some(None));
    assert_eq!(layered(None, &[], &[]).expect("settings").listen().expect("an address").port(), 4300);
}

#[test]
fn settings_in_force_are_those_of_the_role() {
    let names = |flags: &[&str]| {
        let settings = layered(Some("key = 'k'"), &[], flags).expect("settings");
        settings.in_force().expect("a role").map(|(name, _)| name).collect::<Vec<_>>()
    };
    let (sequencer, full) = (names(&[]), names(&["--role", "full"]));
    assert!(
        sequencer.contains(&"key") && sequencer.contains(&"block_seconds") && !sequencer.contains(&"follow")
    );
    assert!(full.contains(&"follow") && !full.contains(&"key") && !full.contains(&"block_seconds"));
    assert_eq!(sequencer.len() + 1, SETTINGS.len());
    let none = layered(None, &[], &["--max-connections", "0"]).expect("texts").max_connections();
    assert!(matches!(none, Err(SettingsError::Value { name: "max_connections", .. })));
}

#[test]
fn what_is_unknown_or_wrong_is_named_with_its_source() {
    let unknown = |result: Result<Settings, SettingsError>, wrong: &str| match result {
        Err(SettingsError::Unknown { name, .. }) => assert_eq!(name, wrong),
        other => panic!("{other:?}"),
    };
    unknown(layered(Some("litsen = 1"), &[], &[]), "litsen");
    unknown(layered(None, &[("LITSEN", "1")], &[]), "CWE_NODE_LITSEN");
    unknown(layered(None, &[("listen", "1")], &[]), "CWE_NODE_listen");
    assert!(matches!(layered(Some("listen = ["), &[], &[]), Err(SettingsError::NoToml { .. })));
    assert!(matches!(
        layered(Some("listen = true"), &[], &[]),
        Err(SettingsError::Value { name: "listen", .. })
    ));
    let settings = layered(None, &[("LISTEN", "here")], &[]).expect("texts");
    assert!(matches!(
        settings.listen(),
        Err(SettingsError::Value { name: "listen", source_of, .. }) if source_of == "environment"
    ));
    assert!(matches!(settings.path("dir"), Err(SettingsError::Missing { name: "dir" })));
    let role = |role| layered(None, &[], &["--role", role]).expect("texts").is_sequencer();
    assert!(matches!(role("prover"), Err(SettingsError::Value { name: "role", .. })));
    assert!(matches!((role("sequencer"), role("full")), (Ok(true), Ok(false))));
    let ignored = layered(Some("key = 'k'"), &[], &["--role", "full", "--key", "k"]).expect("texts");
    assert!(matches!(
        ignored.is_sequencer(),
        Err(SettingsError::OtherRole { name: "key", role: "sequencer" })
    ));
    let outside =
        layered(None, &[("BLOCK_SECONDS", "900")], &[]).expect("texts").outside("block_seconds", 1, 60);
    assert_eq!(
        outside.to_string(),
        "block_seconds (environment): \"900\" is not a whole number from 1 to 60"
    );
    let both = layered(None, &[], &["--follow", "ws://127.0.0.1:1"]).expect("texts");
    assert!(matches!(both.is_sequencer(), Err(SettingsError::OtherRole { name: "follow", .. })));
    let follow = |url| layered(None, &[], &["--follow", url]).expect("texts").follow();
    assert!(follow("http://127.0.0.1:1").is_ok());
    for wrong in ["wss://127.0.0.1:1", "127.0.0.1:1", "ws://", ""] {
        assert!(matches!(follow(wrong), Err(SettingsError::Value { name: "follow", .. })), "{wrong}");
    }
}
