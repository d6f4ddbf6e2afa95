//! `cwe party doctor`: what is wrong with a host, and what to do about it.

use super::settings::{PartyError, Settings, read_secret};
use crate::{
    cli::{Format, PartyDoctor},
    node::read_start,
    output::{self, Failure, facts},
};
use engine::doctor::{Finding, Place, Seat, Severity, findings, gather};
use serde_json::json;
use sim::report::several;

/// Looks at a host, and says what it finds.
pub(crate) fn run(arguments: &PartyDoctor) -> Result<(), Failure> {
    let settings = Settings::read(&arguments.config)?;
    let api_url = settings.api_url();
    let place = Place {
        secret: read_secret(&settings.secret).map_err(|error| error.to_string()),
        start: read_start(&settings.genesis)?,
        secret_path: settings.secret,
        dir: settings.dir,
        node: settings.node,
        links: settings.links,
        api: settings.api,
        api_url,
        peers: settings.peers,
        peer_apis: settings.peer_apis,
    };
    let gathered = gather(&place);
    let found = findings(&gathered);
    let seat = match &gathered.seat {
        Seat::Own(seat) => Some(seat.to_string()),
        _ => None,
    };
    let count = |severity| found.iter().filter(|finding| finding.severity == severity).count() as u64;
    let (faults, warnings) = (count(Severity::Fault), count(Severity::Warning));
    let said =
        format!("{}, {}", several(faults, "fault", "faults"), several(warnings, "warning", "warnings"));
    match arguments.output {
        Format::Json => output::json(&json!({
            "seat": seat,
            "running": gathered.is_running,
            "sound": faults == 0,
            "findings": found,
        }))?,
        Format::Table => {
            let rows: Vec<[String; 2]> = found.iter().map(row).collect();
            let runs = if gathered.is_running { "runs" } else { "does not run" };
            output::print(&format!(
                "{} {runs}: {said}.\n{}",
                seat.unwrap_or("The host".into()),
                facts(&rows)
            ))?;
        }
    }
    if faults == 0 { Ok(()) } else { Err(PartyError::Faults(said).into()) }
}

fn row(finding: &Finding) -> [String; 2] {
    let name = format!("{} {}", finding.severity.name(), finding.about.name());
    let then = if finding.remedy.is_empty() { String::new() } else { format!(". To do: {}", finding.remedy) };
    [name, format!("{}{then}", finding.what)]
}
