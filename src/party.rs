//! `cwe party`.

mod backup;
mod doctor;
mod settings;
mod status;

pub(crate) use backup::{backup, restore};
pub(crate) use doctor::run as doctor;
pub(crate) use settings::{LogFormat, PartyError};
pub(crate) use status::run as status;

use crate::{
    cli::{Format, PartyKeys, RunParty},
    output::{self, Failure},
    stop::{self, STOP},
};
use engine::host::{self, Told, steward::MemberFile};
use serde_json::{Value, json};
use settings::Settings;
use std::sync::Arc;

/// Runs a party.
pub(crate) fn run(arguments: &RunParty) -> Result<(), Failure> {
    host::name_workers();
    let settings = Settings::read(&arguments.config)?;
    log(arguments.log_format.unwrap_or(settings.log_format));
    let setup = settings.setup()?;
    stop::heed_interrupts()?;
    let json = arguments.output == Format::Json;
    let tell = move |told: Told| {
        // Whoever reads this may be gone; that is no reason to stop.
        drop(if json { output::print(&format!("{}\n", object(&told))) } else { output::print(&line(&told)) });
    };
    host::run(&setup, &STOP, Arc::new(tell)).map_err(|error| PartyError::Host(error).into())
}

/// Prints what the host gives away for the record.
pub(crate) fn keys(arguments: &PartyKeys) -> Result<(), Failure> {
    let (secret, operator) = Settings::read(&arguments.config)?.member()?;
    output::json(&serde_json::to_value(MemberFile { member: secret.member(), operator })?)
}

/// Lines on standard error. As JSON, each is one object with its fields, and with those of the epoch, the peer or whatever
/// else it was said within.
fn log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CWE_LOG").unwrap_or_else(|_| "warn".into());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).init(),
    }
}

/// An event for people. Blocks of its own node are left out: there is one every few seconds.
fn line(told: &Told) -> String {
    match told {
        Told::Started { api } => format!("API at http://{api}\n"),
        Told::Seat { seat, links } => format!("{seat}, links at {links}\n"),
        Told::NoAddress { seat, key } => {
            format!("no address of {seat}: add its key {key} to [peers] in the settings, and start again\n")
        }
        Told::Chain(chain::node::Notice::Block { .. }) => String::new(),
        Told::Chain(notice) => format!("chain: {}\n", crate::node::line(notice)),
        Told::Waits { what } => format!("waits for {what}\n"),
        Told::Epoch { epoch, again: false } => format!("epoch {epoch}\n"),
        Told::Epoch { epoch, again: true } => format!("epoch {epoch}, again\n"),
        Told::Phase { epoch, phase } => format!("epoch {epoch}: {}\n", phase.name()),
        Told::Aborted { epoch, culprit, reason } => {
            let blamed = culprit.map_or(String::new(), |party| format!(", which blames party {party}"));
            format!("epoch {epoch} stopped without a result{blamed}: {reason}\n")
        }
        Told::Stopped => "stopped\n".into(),
    }
}

fn object(told: &Told) -> Value {
    match told {
        Told::Started { api } => json!({ "event": "started", "api": api }),
        Told::Seat { seat, links } => json!({ "event": "seat", "seat": seat.to_string(), "links": links }),
        Told::NoAddress { seat, key } => {
            json!({ "event": "no-address", "seat": seat.to_string(), "key": key })
        }
        Told::Chain(notice) => json!({ "event": "chain", "notice": crate::node::object(notice) }),
        Told::Waits { what } => json!({ "event": "waits", "for": what.to_string() }),
        Told::Epoch { epoch, again } => json!({ "event": "epoch", "epoch": epoch, "again": again }),
        Told::Phase { epoch, phase } => json!({ "event": "phase", "epoch": epoch, "phase": phase.name() }),
        Told::Aborted { epoch, culprit, reason } => {
            json!({ "event": "aborted", "epoch": epoch, "blamed": culprit, "reason": reason })
        }
        Told::Stopped => json!({ "event": "stopped" }),
    }
}
