//! `cwe party status`: how a party is, and what it needs until the window ends.

use super::settings::{PartyError, Settings};
use crate::{
    cli::{Format, PartyStatus},
    output::{self, Failure, facts, table},
};
use engine::{
    client::http::operator::HttpOperator,
    host::outlook::{Outlook, bytes, outlook, troubles},
    telemetry::read::Samples,
};
use primitives::calendar::utc;
use serde_json::{Value, json};
use sim::report::{several, thousands};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    thread,
    time::{Duration, Instant},
};

/// Clears a terminal, so that the next table stands where the last one did.
const CLEAR: &str = "\x1b[H\x1b[2J";
/// Status of an answer that holds.
const OK: u16 = 200;

/// What a party said at one moment.
struct Heard {
    at: Instant,
    samples: Samples,
    troubles: Vec<String>,
    /// Why it takes nothing in, if it does not.
    not_ready: Option<String>,
    outlook: Outlook,
}

/// Shows how a party is.
pub(crate) fn run(arguments: &PartyStatus) -> Result<(), Failure> {
    let url = match (&arguments.url, &arguments.config) {
        (Some(url), _) => url.clone(),
        (None, Some(config)) => Settings::read(config)?.api_url(),
        (None, None) => return Err(PartyError::NoPlace.into()),
    };
    let operator = HttpOperator::new(&url).map_err(PartyError::from)?;
    let mut before: Option<Heard> = None;
    loop {
        let heard = hear(&operator, &url, before.as_ref());
        if !arguments.watch {
            let heard = heard?;
            show(arguments.output, &url, &heard)?;
            return match heard.troubles.is_empty() {
                true => Ok(()),
                false => Err(PartyError::Unwell.into()),
            };
        }
        match heard {
            Ok(heard) => {
                if arguments.output == Format::Table && io::stdout().is_terminal() {
                    output::print(CLEAR)?;
                }
                show(arguments.output, &url, &heard)?;
                before = Some(heard);
            }
            // It may be back the next time.
            Err(error) => output::error(&error.into(), arguments.output == Format::Json),
        }
        thread::sleep(Duration::from_secs(arguments.every));
    }
}

fn hear(operator: &HttpOperator, url: &str, before: Option<&Heard>) -> Result<Heard, PartyError> {
    let ask = |path: &'static str| {
        operator.ask(path).map_err(|error| PartyError::NoAnswer { url: url.into(), error })
    };
    let (metrics, health, ready) = (ask("metrics")?, ask("healthz")?, ask("readyz")?);
    let samples = Samples::read(&metrics.body);
    if metrics.status != OK || samples.get("cwe_chain_height").is_none() {
        return Err(PartyError::NoParty { url: url.into(), path: "metrics", status: metrics.status });
    }
    let at = Instant::now();
    let earlier = before.map(|before| (at.duration_since(before.at), &before.samples));
    let outlook = outlook(earlier, (chain::node::now(), &samples));
    let mut troubles = troubles(&outlook, &samples);
    if health.status != OK {
        troubles.insert(0, health.reason());
    }
    let not_ready = (ready.status != OK).then(|| ready.reason());
    Ok(Heard { at, samples, troubles, not_ready, outlook })
}

fn show(format: Format, url: &str, heard: &Heard) -> Result<(), Failure> {
    match format {
        Format::Json => output::print(&format!("{}\n", object(url, heard))),
        Format::Table => output::print(&text(url, heard)),
    }
}

/// A time as people read it: the two largest units.
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn text(url: &str, heard: &Heard) -> String {
    let Heard { samples, outlook, .. } = heard;
    let sum = |name: &str| thousands(samples.sum(name) as u64);
    let unknown = || "not known yet".to_owned();
    let or_unknown = |value: Option<String>| value.unwrap_or_else(unknown);
    let phase = match (outlook.epoch, outlook.phase) {
        (Some(epoch), Some(phase)) => format!("{epoch}, {phase} for {}", span(outlook.phase_seconds)),
        _ => "none in hand".into(),
    };
    let closing = outlook.closing.map(|epoch| {
        let phase = outlook.closing_phase.unwrap_or("closing");
        format!("; {epoch}, {phase} for {}", span(outlook.closing_seconds))
    });
    let phase = phase + &closing.unwrap_or_default();
    let window = outlook.closes.map(|closes| match outlook.seconds_left > 0.0 {
        true => format!("ends {} UTC, in {}", utc(closes.0), span(outlook.seconds_left)),
        false => format!("ended {} UTC", utc(closes.0)),
    });
    let rate = outlook.bundles_a_second.map(|rate| format!("; {rate:.2} a second")).unwrap_or_default();
    let bundles = format!(
        "{} taken in, {} refused, {} final{rate}",
        sum("cwe_bundles_accepted_total"),
        sum("cwe_bundles_refused_total"),
        sum("cwe_bundles_final_total")
    );
    let age = samples.get("cwe_chain_head_age_seconds").unwrap_or(0.0);
    let height = samples.get("cwe_chain_height").unwrap_or(0.0) as u64;
    let follows =
        if samples.get("cwe_chain_following") == Some(0.0) { ", the sequencer is away" } else { "" };
    let store = samples.sum("cwe_store_bytes");
    let free = or_unknown(outlook.disk_free.map(bytes));
    let mut rows = vec![
        ["party at".to_owned(), url.to_owned()],
        ["seat".into(), outlook.seat.clone().unwrap_or_else(|| "none".into())],
        ["epoch".into(), phase],
        ["window".into(), or_unknown(window)],
        ["takes in".into(), heard.not_ready.clone().unwrap_or_else(|| "bundles".into())],
        ["bundles".into(), bundles],
        [
            "a bundle".into(),
            format!(
                "{}, {} to check",
                or_unknown(outlook.bytes_a_bundle.map(bytes)),
                or_unknown(outlook.check_seconds.map(|seconds| format!("{:.1} ms", seconds * 1e3)))
            ),
        ],
        ["batches final".into(), sum("cwe_batch_position")],
        ["chain".into(), format!("block {}, {age:.0} s old{follows}", thousands(height))],
        ["disk".into(), format!("{} used, {free} free", bytes(store))],
    ];
    if outlook.seconds_left > 0.0 {
        rows.push([
            "still to come".into(),
            format!(
                "about {} bundles: {} on disk, {} from clients, {} with the others",
                or_unknown(outlook.bundles_to_come.map(|count| thousands(count as u64))),
                or_unknown(outlook.disk_to_come.map(bytes)),
                or_unknown(outlook.upload_to_come.map(bytes)),
                or_unknown(outlook.links_to_come.map(bytes)),
            ),
        ]);
    }
    let links = samples.by("cwe_link_up", "peer").into_iter().map(|(peer, up)| {
        let of = |name: &str| samples.under(name, "peer", &peer).unwrap_or(0.0);
        let trip = samples.under("cwe_link_round_trip_seconds", "peer", &peer);
        [
            format!("party {peer}"),
            if up > 0.5 { "up".into() } else { "down".to_owned() },
            span(of("cwe_link_state_seconds")),
            trip.map_or_else(|| "-".into(), |trip| format!("{:.0} ms", trip * 1e3)),
            bytes(of("cwe_link_lag_bytes")),
            bytes(of("cwe_link_sent_bytes_total")),
            bytes(of("cwe_link_received_bytes_total")),
            bytes(of("cwe_link_resent_bytes_total")),
        ]
    });
    let header = ["peer", "link", "for", "round trip", "behind", "out", "in", "sent again"];
    let links: Vec<_> = links.collect();
    let links = match links.is_empty() {
        true => " No links to other parties.\n".into(),
        false => table(header, 2, links),
    };
    let well = match heard.troubles.as_slice() {
        [] => " The party is well.\n".to_owned(),
        found => found.iter().map(|trouble| format!(" - {trouble}\n")).collect(),
    };
    let count = heard.troubles.len() as u64;
    let title =
        if count == 0 { String::new() } else { format!(" {}:\n", several(count, "trouble", "troubles")) };
    format!("{}\n{links}\n{title}{well}", facts(&rows))
}

/// A count as a whole number: what is told in the text format is a fraction.
fn whole(count: f64) -> u64 {
    count.max(0.0).round() as u64
}

fn object(url: &str, heard: &Heard) -> Value {
    let Heard { samples, outlook, troubles, not_ready, .. } = heard;
    let links = samples.by("cwe_link_up", "peer").into_iter().map(|(peer, up)| {
        let of = |name: &str| samples.under(name, "peer", &peer);
        json!({
            "peer": peer,
            "up": up > 0.5,
            "seconds": of("cwe_link_state_seconds"),
            "round_trip_seconds": of("cwe_link_round_trip_seconds"),
            "lag_bytes": of("cwe_link_lag_bytes").map(whole),
            "sent_bytes": of("cwe_link_sent_bytes_total").map(whole),
            "received_bytes": of("cwe_link_received_bytes_total").map(whole),
            "resent_bytes": of("cwe_link_resent_bytes_total").map(whole),
        })
    });
    let links: Vec<Value> = links.collect();
    let by = |name: &str, label: &str| -> BTreeMap<String, u64> {
        samples.by(name, label).into_iter().map(|(of, value)| (of, whole(value))).collect()
    };
    json!({
        "url": url,
        "healthy": troubles.is_empty(),
        "troubles": troubles,
        "takes_bundles": not_ready.is_none(),
        "not_ready": not_ready,
        "epoch": outlook.epoch,
        "phase": outlook.phase,
        "phase_seconds": outlook.phase_seconds,
        "seat": outlook.seat,
        "closing": outlook.closing,
        "closing_phase": outlook.closing_phase,
        "closing_seconds": outlook.closing_seconds,
        "opens": outlook.opens,
        "closes": outlook.closes,
        "seconds_left": outlook.seconds_left,
        "bundles": {
            "accepted": whole(samples.sum("cwe_bundles_accepted_total")),
            "refused": by("cwe_bundles_refused_total", "kind"),
            "final": whole(samples.sum("cwe_bundles_final_total")),
            "a_second": outlook.bundles_a_second,
            "bytes": outlook.bytes_a_bundle.map(whole),
            "check_seconds": outlook.check_seconds,
        },
        "chain": {
            "height": samples.get("cwe_chain_height").map(whole),
            "age_seconds": samples.get("cwe_chain_head_age_seconds"),
            "following": samples.get("cwe_chain_following") != Some(0.0),
        },
        "disk": { "free_bytes": outlook.disk_free.map(whole), "used_bytes": by("cwe_store_bytes", "store") },
        "to_come": {
            "bundles": outlook.bundles_to_come.map(whole),
            "disk_bytes": outlook.disk_to_come.map(whole),
            "upload_bytes": outlook.upload_to_come.map(whole),
            "link_bytes": outlook.links_to_come.map(whole),
        },
        "links": links,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_people_read_them() {
        assert_eq!(span(59.4), "59 s");
        assert_eq!(span(3_725.0), "1 h 2 min");
        assert_eq!(span(200_000.0), "2 d 7 h");
    }
}
