//! What a client found out, for people and for programs. Neither form names a work.

use super::failure::{ADDRESS, is_unreachable, plays};
use crate::{
    account::short,
    cli::{Format, Whose},
    output::{self, Failure, facts, table},
};
use engine::client::{BundleState, BundleStatus, ClientError, Lines, LinkError, NotBacked, Report, Trouble};
use primitives::{EpochId, PartyId, Time, calendar::utc};
use serde_json::{Value, json};
use sim::report::several;
use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

/// What it means that no party knows a bundle any more.
const FORGOTTEN: [&str; 2] = [
    "Parties show final receipts until the epoch after is over: ask in time.",
    "What they do not know any more may have been counted, or not.",
];

/// Says something beside the result. Programs read the object on standard output alone.
fn note(whose: &Whose, what: &str) {
    if whose.output == Format::Table {
        // A closed standard error is no reason to keep plays back.
        drop(writeln!(io::stderr(), "note: {what}"));
    }
}

/// Says which plays of a log began before the epoch opened, before anything of it is sent. With JSON the report has it.
pub(super) fn earlier(whose: &Whose, epoch: EpochId, found: Option<&(Lines, Time)>) {
    if let Some((lines, opens)) = found {
        let (plays, opens) = (plays(lines, "began", "began"), utc(opens.0));
        note(
            whose,
            &format!(
                "{plays} before epoch {epoch} opened ({opens} UTC), {lines}: they count in it all the same; take out what \
                 another epoch has had"
            ),
        );
    }
}

/// Says which plays are left out because the epoch does not have their works. With JSON the report has it.
pub(super) fn unknown(whose: &Whose, epoch: EpochId, found: Option<&Lines>) {
    if let Some(lines) = found {
        let plays = plays(lines, "is of a work", "are of works");
        note(whose, &format!("{plays} that epoch {epoch} does not have, {lines}: left out"));
    }
}

/// Says for whom is waited.
pub(super) fn waits(whose: &Whose, who: &str, error: &LinkError) {
    let article = if who.starts_with("party") { "" } else { "the " };
    note(whose, &format!("waiting for {article}{who}, which {error}"));
}

/// Says why nothing is handed in yet.
pub(super) fn delays(whose: &Whose, pause: Duration) {
    note(whose, &format!("waits for {} s before anything is handed in (`delay_seconds`)", pause.as_secs()));
}

/// Says that what is secret of an epoch that is over is still on disk.
pub(super) fn kept(whose: &Whose, dir: &Path, error: &ClientError) {
    let dir = dir.display();
    note(whose, &format!("{dir}: key and plays of an epoch that is over cannot be deleted: {error}"));
}

/// What was handed in, and which plays are from before the epoch or of works that the epoch does not have.
pub(super) fn report(
    whose: &Whose,
    epoch: EpochId,
    report: &Report,
    (earlier, unknown): (Option<Lines>, Option<Lines>),
) -> Result<(), Failure> {
    let Report { summary, not_backed, bundles, taken, refused, troubles } = report;
    if whose.output == Format::Json {
        let refused = refused
            .iter()
            .map(|(place, party, kind)| json!({ "bundle": place, "party": party, "why": kind }));
        return output::json(&json!({
            "epoch": epoch,
            "summary": summary,
            "not_backed": not_backed,
            "before_opening": earlier,
            "unknown_works": unknown,
            "bundles": bundles,
            "taken_in": taken,
            "refused": refused.collect::<Vec<_>>(),
            "troubles": objects(troubles),
            "complete": report.is_complete(),
        }));
    }
    let left_out = [
        (summary.short, "played for less than a quarter"),
        (summary.unknown, "of works that the epoch does not have"),
        (summary.beyond_views, "beyond the views of a work that count"),
        (summary.beyond_cap, "beyond the tier's value cap"),
        (summary.beyond_bundles, "beyond the tier's bundles"),
    ];
    let mut rows = vec![
        ["epoch".to_owned(), epoch.to_string()],
        ["plays".into(), format!("{}, of which {} count", summary.plays, summary.events)],
    ];
    for (count, why) in left_out.into_iter().filter(|(count, _)| *count > 0) {
        rows.push(["left out".into(), format!("{count} {why}")]);
    }
    rows.extend(not_backed.as_ref().map(lacking));
    rows.push(["bundles".into(), bundles.len().to_string()]);
    for (party, taken) in PartyId::ALL.into_iter().zip(taken) {
        rows.push([
            format!("party {party}"),
            format!("has taken {} in", several(*taken as u64, "bundle", "bundles")),
        ]);
    }
    for (place, party, kind) in refused {
        rows.push(["refused".into(), format!("bundle {place} by party {party}: {kind}")]);
    }
    rows.extend(told(troubles));
    let next = match report.is_complete() {
        true => "What becomes of them: `cwe client status`.",
        false => {
            "Two parties have every bundle, which is enough. Started again, it hands in what the third lacks."
        }
    };
    output::print(&format!("{}\n{next}\n", facts(&rows)))
}

/// Plays without receipts as a fact.
fn lacking(of: &NotBacked) -> [String; 2] {
    ["not backed".into(), format!("{}: {}", several(of.plays, "play", "plays"), of.why)]
}

/// What became of bundles.
pub(super) fn bundles(whose: &Whose, epoch: EpochId, bundles: &[BundleStatus]) -> Result<(), Failure> {
    match whose.output {
        Format::Json => {
            let bundles: Vec<Value> = bundles.iter().map(object).collect();
            output::json(&json!({ "epoch": epoch, "bundles": bundles }))
        }
        Format::Table => output::print(&text(epoch, bundles)),
    }
}

fn text(epoch: EpochId, bundles: &[BundleStatus]) -> String {
    let row = |of: &BundleStatus| {
        let bundle = of.bundle.map_or_else(|| "-".into(), |id| short(&json!(id)));
        let [state, more] = words(&of.state);
        [of.place.to_string(), bundle, state, more]
    };
    let rows = bundles.iter().map(row).collect();
    let mut text = format!("Epoch {epoch}\n\n{}", table(["", "bundle", "stands", ""], 4, rows));
    if bundles.iter().any(|of| matches!(of.state, BundleState::Forgotten { .. })) {
        text += &format!("\n{}\n", FORGOTTEN.join("\n"));
    }
    let troubles: Vec<_> = bundles
        .iter()
        .flat_map(|of| {
            let record = of.record.iter().map(|trouble| ["the record".to_owned(), trouble.to_string()]);
            told(&of.troubles).into_iter().chain(record).collect::<Vec<_>>()
        })
        .collect();
    if !troubles.is_empty() {
        text += &format!("\n{}", facts(&troubles));
    }
    text
}

/// Troubles with parties as facts.
fn told(troubles: &[(PartyId, Trouble)]) -> Vec<[String; 2]> {
    let line = |of: &(PartyId, Trouble)| {
        let said = if is_unreachable(of) { format!("{}; {ADDRESS}", of.1) } else { of.1.to_string() };
        [format!("party {}", of.0), said]
    };
    troubles.iter().map(line).collect()
}

fn objects(troubles: &[(PartyId, Trouble)]) -> Vec<Value> {
    let object =
        |(party, trouble): &(PartyId, Trouble)| json!({ "party": party, "what": trouble.to_string() });
    troubles.iter().map(object).collect()
}

fn listed(parties: &[PartyId]) -> String {
    parties.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A state in words, and what is to be known beside.
fn words(state: &BundleState) -> [String; 2] {
    match state {
        BundleState::Open => ["open".into(), "no party has taken it in".into()],
        BundleState::Provisional { by } => ["provisional".into(), format!("taken in by {}", listed(by))],
        BundleState::Final { shard, position, index } => {
            ["final".into(), format!("inclusion checked: place {index} of batch {position}, shard {shard}")]
        }
        BundleState::Refused { by } => {
            let by: Vec<String> = by.iter().map(|(party, kind)| format!("{kind} (party {party})")).collect();
            ["refused".into(), by.join(", ")]
        }
        BundleState::Missing { promised, evidence } => {
            ["missing".into(), format!("promised by {}: {evidence}", listed(promised))]
        }
        BundleState::Forgotten { promised } => {
            let said = match promised[..] {
                [] => "sent, and no answer came".into(),
                _ => format!("promised by {}", listed(promised)),
            };
            ["not known any more".into(), said]
        }
        BundleState::NotInTime => ["not in time".into(), "the epoch is frozen without it".into()],
    }
}

fn object(of: &BundleStatus) -> Value {
    let mut object = json!({
        "place": of.place,
        "bundle": of.bundle,
        "troubles": objects(&of.troubles),
        "record": of.record.as_ref().map(ToString::to_string),
    });
    let (state, more) = match &of.state {
        BundleState::Open => ("open", json!({})),
        BundleState::Provisional { by } => ("provisional", json!({ "by": by })),
        BundleState::Final { shard, position, index } => (
            "final",
            json!({ "shard": shard, "position": position, "index": index, "inclusion_checked": true }),
        ),
        BundleState::Refused { by } => {
            let by = by.iter().map(|(party, kind)| json!({ "party": party, "why": kind }));
            ("refused", json!({ "by": by.collect::<Vec<_>>() }))
        }
        BundleState::Missing { promised, evidence } => {
            ("missing", json!({ "promised": promised, "evidence": evidence }))
        }
        BundleState::Forgotten { promised } => {
            ("forgotten", json!({ "promised": promised, "why": FORGOTTEN.join(" ") }))
        }
        BundleState::NotInTime => ("not-in-time", json!({})),
    };
    object["state"] = json!(state);
    for (name, value) in more.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::client::LinkError;

    fn status(state: BundleState, troubles: Vec<(PartyId, Trouble)>) -> BundleStatus {
        BundleStatus { place: 0, bundle: None, state, troubles, record: None }
    }

    #[test]
    fn what_parties_have_forgotten_accuses_nobody() {
        let forgotten = status(BundleState::Forgotten { promised: PartyId::ALL.to_vec() }, Vec::new());
        let said = text(EpochId(1), std::slice::from_ref(&forgotten));
        assert!(said.contains("not known any more") && said.contains("promised by 1, 2, 3"), "{said}");
        assert!(said.contains("until the epoch after is over") && !said.contains("missing"), "{said}");
        let object = object(&forgotten);
        assert_eq!((&object["state"], &object["promised"]), (&json!("forgotten"), &json!([1, 2, 3])));
        let unheard = status(BundleState::Forgotten { promised: Vec::new() }, Vec::new());
        assert!(text(EpochId(1), &[unheard]).contains("sent, and no answer came"));
        let missing =
            BundleState::Missing { promised: PartyId::ALL.to_vec(), evidence: "missing-00000".into() };
        assert!(!text(EpochId(1), &[status(missing, Vec::new())]).contains("ask in time"));
    }

    #[test]
    fn plays_without_receipts_are_a_fact_with_its_reason() {
        let told = |plays| lacking(&NotBacked { plays, why: "the receipt issuer refuses (budget)".into() });
        assert_eq!(told(1), ["not backed", "1 play: the receipt issuer refuses (budget)"]);
        assert_eq!(told(2)[1], "2 plays: the receipt issuer refuses (budget)");
    }

    #[test]
    fn of_a_party_that_cannot_be_reached_the_address_is_in_doubt() {
        let unreachable = LinkError::Unreachable { reason: "http://127.0.0.1:4502: refused".into() };
        let troubles = vec![(PartyId::ALL[1], Trouble::Link(unreachable))];
        let said = text(EpochId(1), &[status(BundleState::Open, troubles)]);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains("party 2 cannot be reached: http://127.0.0.1:4502: refused; if it has"),
            "{said}"
        );
        assert!(said.contains("correct `parties` in the settings"), "{said}");
    }
}
