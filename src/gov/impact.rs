//! `cwe gov impact` and `cwe gov params`.

use super::propose::in_force;
use crate::{
    cli::{Format, Impact, Params},
    output::{self, Failure, table},
    progress,
};
use ::sim::{
    economics::{PlaysPerSubscriber, Rules},
    impact::{
        self, Level, Options, Outcome, SYNTHETIC_PLAYS, Side, Source, Tile, config,
        folder::{self, REPORT_FILE},
    },
    report::thousands,
};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    path::Path,
};

/// Prints a preset as a file to start from.
pub(crate) fn params(arguments: &Params) -> Result<(), Failure> {
    output::print(&config::template(arguments.preset))
}

/// Compares two sets of parameters, and writes the page.
pub(crate) fn impact(arguments: &Impact) -> Result<(), Failure> {
    let options = options(arguments)?;
    impact::check(&options)?;
    let out = arguments.out.clone().unwrap_or_else(|| folder::default_folder(&options));
    folder::COMPARISON.check_place(&out)?;
    if !arguments.quiet {
        announce(&options);
    }
    let progress = progress::choose(arguments.quiet);
    let outcome = impact::run(&options, progress.as_ref())?;
    folder::write(&out, &options, &outcome)?;
    match arguments.output {
        Format::Json => output::json(&object(&outcome, &out)?),
        Format::Table => output::print(&summary(&outcome, &out)),
    }
}

/// What to compare. Both sides first: a wrong one is told before a large file is read.
fn options(arguments: &Impact) -> Result<Options, Failure> {
    let (before, after) = (side(&arguments.before)?, side(&arguments.after)?);
    let source = arguments.usage.file().map_or(Source::Synthetic(arguments.synthetic), Source::File);
    let synthetic: PlaysPerSubscriber = SYNTHETIC_PLAYS.parse().expect("a number of plays");
    let thinned = matches!(source, Source::Synthetic(_)).then_some(synthetic);
    Ok(Options {
        before,
        after,
        source,
        seed: arguments.seed,
        seeds: arguments.seeds,
        plays_per_subscriber: arguments.plays_per_subscriber.or(thinned),
        samples: arguments.samples,
    })
}

/// One side: what a node says is in force, where an address of one is given.
fn side(given: &str) -> Result<Side, Failure> {
    if ["ws://", "http://"].iter().any(|scheme| given.starts_with(scheme)) {
        let rules = Rules::new(in_force(given, None)?.params);
        return Ok(Side { given: given.into(), name: "in-force".into(), rules });
    }
    Ok(Side::read(given)?)
}

/// Says what is about to be compared.
fn announce(options: &Options) {
    let plays = match (&options.source, options.plays_per_subscriber) {
        (Source::Synthetic(n), _) => format!("{} synthetic subscribers", thousands(*n as u64)),
        (Source::File(file), _) => file.path.display().to_string(),
    };
    let thinned =
        options.plays_per_subscriber.map(|x| format!(", {x} plays a subscriber")).unwrap_or_default();
    let line = format!(
        "{} against {}; {plays}{thinned}; {} draws from seed {} on\n",
        options.before.given, options.after.given, options.seeds, options.seed
    );
    // A closed standard error is no reason to stop.
    drop(io::stderr().write_all(line.as_bytes()));
}

/// The one object of `-o json`: everything in `metrics.json`, and where the folder is.
fn object(outcome: &Outcome, out: &Path) -> Result<Value, Failure> {
    let mut object = serde_json::to_value(&outcome.impact)?;
    object["out"] = json!(out);
    Ok(object)
}

fn mark(level: Level) -> &'static str {
    match level {
        Level::Ok => "✓",
        Level::Warn => "▲",
        Level::Bad => "✗",
    }
}

/// A change with its sign, if it is not nothing at what is shown of it.
fn signed(change: f64) -> String {
    let text = format!("{change:+.4}");
    if text.contains(|c: char| ('1'..='9').contains(&c)) { text } else { "0.0000".into() }
}

fn summary(outcome: &Outcome, out: &Path) -> String {
    let impact = &outcome.impact;
    let mut text = format!("{}. {}\n\n", impact.verdict.headline, impact.verdict.reason);
    let checks = impact.verdict.checks.iter().map(|check| {
        [
            mark(check.after.level).into(),
            check.claim.into(),
            check.before.text.clone(),
            check.after.text.clone(),
        ]
    });
    text += &table(["", "checked", "today", "proposed"], 2, checks.collect());
    let tiles = &impact.tiles;
    let row = |name: &str, tile: &Tile| {
        let range = format!("{} to {}", signed(tile.change_low), signed(tile.change_high));
        [name.into(), format!("{:.4}", tile.before), format!("{:.4}", tile.after), signed(tile.change), range]
    };
    let rows = vec![
        row("Gini of payouts", &tiles.gini),
        row("share of the top 1 %", &tiles.top1),
        row("cross-subsidy", &tiles.cross_subsidy),
        row("worst category parity", &tiles.parity),
        row("best attack's return", &tiles.attack_roi),
    ];
    let header = ["", "today", "proposed", "change", "over all draws"];
    text += &format!("\n{}", table(header, 1, rows));
    let off = &tiles.better_off;
    text += &format!(
        "\nOf {} creators {:.1} % are paid more, {:.1} % less.\n\nFolder  {}\nPage    {}\n",
        thousands(impact.size.creators as u64),
        100.0 * off.better,
        100.0 * off.worse,
        out.display(),
        out.join(REPORT_FILE).display(),
    );
    text
}
