//! `cwe gov show`, `rules`, `council` and `cases`: what is decided, and what comes next.

use super::GovFailure;
use crate::{
    account::{self, ChainFailure, Node, short, text},
    cli::{
        Ask, Format,
        gov::{ShowProposal, ShowRules},
    },
    output::{self, Failure, facts, table},
};
use chain::modules::governance::Unit;
use primitives::calendar::utc;
use serde_json::{Value, json};
use std::path::Path;

/// Shows all proposals, or one.
pub(crate) fn show(arguments: &ShowProposal) -> Result<(), Failure> {
    let node = Node::connect(&arguments.ask.url)?;
    let format = arguments.ask.output;
    match arguments.proposal {
        Some(number) => {
            let answer = node.ask("cwe_proposal", &[json!(number)])?;
            print(format, &answer, one)?;
            match &arguments.text {
                Some(path) => check_text(path, &answer["proposal"], format),
                None => Ok(()),
            }
        }
        None => {
            let (proposals, now) = all(&node, "cwe_proposals", "proposals")?;
            print(format, &json!({ "now": now, "proposals": proposals }), list)
        }
    }
}

/// Checks that a file is the text of a proposal.
fn check_text(path: &Path, proposal: &Value, format: Format) -> Result<(), Failure> {
    let (found, number) = (account::document(path)?, text(&proposal["number"]));
    if proposal["document"] != json!(found) {
        return Err(GovFailure::OtherText { path: path.into(), number, found }.into());
    }
    match format {
        Format::Json => Ok(()),
        Format::Table => output::print(&format!("{} is its text.\n", path.display())),
    }
}

/// Shows parameters and rules.
pub(crate) fn rules(arguments: &ShowRules) -> Result<(), Failure> {
    let node = Node::connect(&arguments.ask.url)?;
    let epoch: Vec<Value> = arguments.epoch.iter().map(|epoch| json!(epoch)).collect();
    print(arguments.ask.output, &node.ask("cwe_parameters", &epoch)?, parameters)
}

/// Shows the council.
pub(crate) fn council(ask: &Ask) -> Result<(), Failure> {
    print(ask.output, &Node::connect(&ask.url)?.ask("cwe_council", &[])?, seats)
}

/// Shows cases before juries.
pub(crate) fn cases(ask: &Ask) -> Result<(), Failure> {
    let (cases, now) = all(&Node::connect(&ask.url)?, "cwe_cases", "cases")?;
    print(ask.output, &json!({ "now": now, "cases": cases }), case_list)
}

fn print(format: Format, answer: &Value, table: fn(&Value) -> String) -> Result<(), Failure> {
    match format {
        Format::Json => output::json(answer),
        Format::Table => output::print(&table(answer)),
    }
}

/// Every page of a list, the newest first, and the time of the last block.
fn all(node: &Node, method: &str, name: &str) -> Result<(Vec<Value>, Value), ChainFailure> {
    let (mut rows, mut before) = (Vec::new(), Value::Null);
    loop {
        let page = node.ask(method, &[before])?;
        rows.extend(node.list(&page, name)?);
        before = page["next"].clone();
        if before.is_null() {
            return Ok((rows, page["now"].clone()));
        }
    }
}

fn items<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer[name].as_array().map_or(&[], Vec::as_slice)
}

fn moment(value: &Value) -> String {
    value.as_u64().map_or_else(|| "-".into(), utc)
}

fn list(answer: &Value) -> String {
    let proposals = items(answer, "proposals");
    if proposals.is_empty() {
        return "No proposals yet: `cwe gov propose` makes one.\n".into();
    }
    let row = |proposal: &Value| {
        let count = [&proposal["yes"], &proposal["no"], &proposal["abstain"]].map(text).join("/");
        [
            text(&proposal["number"]),
            stage(proposal, &proposal["stage"]),
            next(proposal),
            count,
            what(&proposal["action"]),
        ]
    };
    let header = ["", "stage", "next", "yes/no/-", "what"];
    let rows = table(header, 5, proposals.iter().map(row).collect());
    format!("{rows}\nTimes are UTC. The last block is of {}.\n", moment(&answer["now"]))
}

/// What comes next, and when.
fn next(proposal: &Value) -> String {
    let next = &proposal["next"];
    if next.is_null() {
        "-".into()
    } else {
        format!("{} {}", stage(proposal, &next["stage"]), moment(&next["at"]))
    }
}

/// A stage in words.
fn stage(proposal: &Value, stage: &Value) -> String {
    if stage == "waits-for-council" {
        let [found, needed] = ["found", "needed"].map(|name| text(&proposal["approvals"][name]));
        format!("waits for the council ({found} of {needed})")
    } else {
        text(stage)
    }
}

/// Where a proposal stands and what comes next, in a sentence for whoever asked for something else.
pub(super) fn stands(proposal: &Value) -> String {
    let [vote_from, vote_until, enact_from, enact_until] =
        ["vote_from", "vote_until", "enact_from", "enact_until"].map(|name| moment(&proposal[name]));
    match proposal["stage"].as_str().unwrap_or_default() {
        "discussion" => format!("it is talked about: its vote is from {vote_from} to {vote_until} UTC"),
        "voting" => format!("its vote runs until {vote_until} UTC"),
        "queued" => format!("it has passed, and may be enacted from {enact_from} to {enact_until} UTC"),
        "ready" => format!("it has passed, and may be enacted until {enact_until} UTC"),
        "waits-for-council" => {
            let waits = stage(proposal, &proposal["stage"]);
            format!("it has passed, and {waits}, at the longest until {enact_until} UTC")
        }
        "rejected" => format!("its vote was over on {vote_until} UTC, and it did not pass"),
        "expired" => format!("it passed, and was not enacted by {enact_until} UTC"),
        other => format!("it is {other}"),
    }
}

/// An action in a line.
fn what(action: &Value) -> String {
    let field = |name: &str| short(&action[name]);
    let credits = |name: &str| {
        let shown = action[name].as_u64().map_or_else(|| "-".into(), |n| Unit::Amount.show(n));
        if shown == "1" { "1 credit".into() } else { format!("{shown} credits") }
    };
    match action["kind"].as_str().unwrap_or_default() {
        "set-parameters" => {
            let changes = items(action, "changes").iter().map(|change| {
                let [name, before, after] =
                    ["parameter", "before_text", "after_text"].map(|f| text(&change[f]));
                format!("{name} {before} -> {after}")
            });
            format!("{}, from epoch {}", changes.collect::<Vec<_>>().join(", "), field("from"))
        }
        "set-offices" => {
            let said = |how: &str, roles: &Value| match text(roles) {
                roles if roles.is_empty() => None,
                roles => Some(format!("{how} {roles}")),
            };
            let parts = [said("give", &action["give"]), said("take", &action["take"])];
            format!("{}: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "), field("person"))
        }
        "spend" => format!("pay {} from {} to {}", credits("amount"), field("fund"), field("to")),
        "acquire-asset" => format!("buy asset {} for {}", field("asset"), credits("cost")),
        "offer-asset" => {
            let (asset, buyer) = (field("asset"), field("buyer"));
            format!("offer asset {asset} for {} to {buyer}", credits("price"))
        }
        "remove-work" => {
            let (work, removal, from) = (field("work"), field("removal"), field("from"));
            format!("work {work} is {removal} from epoch {from} on")
        }
        kind => {
            let names = ["module", "version", "person", "asset", "round", "manifest", "most", "text"];
            let told = names.iter().filter(|name| !action[**name].is_null()).map(|name| field(name));
            format!("{} {}", kind.replace('-', " "), told.collect::<Vec<_>>().join(" "))
        }
    }
}

fn one(answer: &Value) -> String {
    let proposal = &answer["proposal"];
    let [yes, no, abstain, quorum, electorate] =
        ["yes", "no", "abstain", "quorum", "electorate"].map(|name| proposal[name].as_u64().unwrap_or(0));
    let voted = yes + no + abstain;
    let majority = proposal["majority"].as_u64().unwrap_or(0);
    let carried = if proposal["passes"] == true { "would pass" } else { "would not pass" };
    let mut rows: Vec<[String; 2]> = vec![
        ["stage".into(), stage(proposal, &proposal["stage"])],
        ["next".into(), next(proposal)],
        ["proposer".into(), text(&proposal["proposer"])],
        ["text's hash".into(), text(&proposal["document"])],
        ["votes".into(), format!("{yes} yes, {no} no, {abstain} neither; with these it {carried}")],
        ["quorum".into(), format!("{voted} of {quorum} votes that it takes, {electorate} voters")],
        ["majority".into(), format!("more than {} of yes and no", Unit::Share.show(majority))],
        ["council".into(), council_of(proposal)],
    ];
    let moments = [
        ("discussion", "created", "vote_from"),
        ("vote", "vote_from", "vote_until"),
        ("notice", "vote_until", "enact_from"),
        ("enactment", "enact_from", "enact_until"),
    ];
    // What never comes has no dates.
    let come = match proposal["stage"].as_str() {
        Some("withdrawn") => 0,
        Some("rejected") => 2,
        Some("vetoed") => 3,
        _ => moments.len(),
    };
    if come == 0 {
        rows.push(["made".into(), moment(&proposal["created"])]);
    }
    for (name, from, until) in &moments[..come] {
        rows.push([(*name).into(), format!("{} to {}", moment(&proposal[*from]), moment(&proposal[*until]))]);
    }
    let mut shown = format!("Proposal {}\n\n{}", text(&proposal["number"]), facts(&rows));
    let action = &proposal["action"];
    if action["kind"] == "set-parameters" {
        let row = |change: &Value| ["parameter", "before_text", "after_text"].map(|name| text(&change[name]));
        let rows = items(action, "changes").iter().map(row).collect();
        shown += &format!("\nFrom epoch {} on", text(&action["from"]));
        if !action["review_by"].is_null() {
            shown += &format!(", to be looked at again by epoch {}", text(&action["review_by"]));
        }
        shown += &format!("\n{}", table(["parameter", "before", "after"], 1, rows));
    } else {
        shown += &format!("\nIt would: {}\n", what(action));
    }
    let said = items(answer, "statements");
    if !said.is_empty() {
        let rows = said.iter().map(|said| [text(&said["author"]), text(&said["document"])]);
        shown +=
            &format!("\nSaid on it: by whom, and the hash of the text\n{}", facts(&rows.collect::<Vec<_>>()));
    }
    format!("{shown}\nTimes are UTC. The last block is of {}.\n", moment(&answer["now"]))
}

/// What the council has to say, and has said.
fn council_of(proposal: &Value) -> String {
    let said = |name: &str| {
        let count = &proposal[name];
        format!("{} of {} that it takes", text(&count["found"]), text(&count["needed"]))
    };
    match proposal["path"].as_str() {
        Some("high") => format!("approvals {}; vetoes {}", said("approvals"), said("vetoes")),
        Some("people") => "has no say, since it is about the council".into(),
        _ => format!("approval is not needed; vetoes {}", said("vetoes")),
    }
}

fn parameters(answer: &Value) -> String {
    let row = |parameter: &Value| {
        let weight = if parameter["high"] == true { "vote and council" } else { "vote" };
        let [name, value, unit] = ["name", "text", "unit"].map(|field| text(&parameter[field]));
        [name, value, unit, weight.to_owned()]
    };
    let rows = items(answer, "parameters").iter().map(row).collect();
    let header = ["parameter", "value", "unit", "a change takes"];
    let mut shown = format!("Epoch {}\n\n{}", text(&answer["epoch"]), table(header, 4, rows));
    let later: Vec<String> = items(answer, "versions")
        .iter()
        .filter(|version| version["from"].as_u64() > answer["epoch"].as_u64())
        .map(|version| text(&version["from"]))
        .collect();
    if !later.is_empty() {
        shown += &format!("\nOthers hold from epoch {} on: see --epoch.\n", later.join(", "));
    }
    shown
}

fn seats(answer: &Value) -> String {
    let council = items(answer, "council");
    let rows = council.iter().map(|seat| {
        let election = match seat["election"].as_u64() {
            Some(0) => "from the genesis".into(),
            _ => format!("by election {}", text(&seat["election"])),
        };
        [text(&seat["person"]), format!("until {}, {election}", moment(&seat["until"]))]
    });
    let (count, seats) = (council.len(), text(&answer["seats"]));
    let [approve, veto] = ["approvals_needed", "vetoes_needed"].map(|name| text(&answer[name]));
    let mut shown = format!("{count} of {seats} seats are taken; {approve} approve, {veto} veto\n\n");
    shown += &facts(&rows.collect::<Vec<_>>());
    let election = &answer["election"];
    if election.is_null() {
        return shown + "\nThere was no election yet: `cwe gov call-election` calls one.\n";
    }
    shown += &format!(
        "\nElection {}: {}; candidates until {}, votes until {}\n",
        text(&election["number"]),
        text(&election["stage"]),
        moment(&election["stand_until"]),
        moment(&election["vote_until"])
    );
    let rows = items(election, "candidates").iter();
    let rows = rows.map(|candidate| [text(&candidate["person"]), text(&candidate["votes"])]);
    shown + &table(["candidate", "votes"], 1, rows.collect())
}

fn case_list(answer: &Value) -> String {
    let cases = items(answer, "cases");
    if cases.is_empty() {
        return "No cases.\n".into();
    }
    let row = |case: &Value| {
        let remedy = &case["remedy"];
        let about = if remedy["work"].is_null() { &remedy["person"] } else { &remedy["work"] };
        let next = match case["stage"].as_str() {
            Some("waits-for-jury") => format!("draw, by the beacon of epoch {}", text(&case["draw_from"])),
            Some("challenges") => format!("votes from {}", moment(&case["challenge_until"])),
            Some("voting") => format!("closes {}", moment(&case["vote_until"])),
            Some("over") => format!("cwe gov close-case {}", text(&case["number"])),
            _ => text(&case["verdict"]),
        };
        let votes = format!("{} / {}", text(&case["granted"]), text(&case["dismissed"]));
        let asks = format!("{} {}", text(&remedy["kind"]), short(about));
        [text(&case["number"]), text(&case["stage"]), asks, votes, next]
    };
    table(["", "stage", "asks", "grant / dismiss", "next"], 5, cases.iter().map(row).collect())
}

#[cfg(test)]
mod tests;
