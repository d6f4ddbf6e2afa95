//! What the facts mean.

use super::{
    About, Finding, Severity,
    facts::{Facts, Key, Node, PeerFacts, Port, Seat},
};
use crate::{
    host::outlook::bytes,
    link::{Host, Refusal, Versions, probe::Absent},
};
use primitives::Time;

/// Seconds that clocks may differ: blocks and windows are minutes.
const CLOCK_SLACK: u64 = 5;
/// Seconds from which on a clock does harm: the host waits with blocks, and closes its window at another time.
const CLOCK_OFF: u64 = 60;
/// Age of the last block, in seconds, above which the sequencer makes none.
const OLD_BLOCK: u64 = 900;
/// Free bytes below which a party cannot be sure to finish an epoch.
const LEAST_FREE: u64 = 2_000_000_000;
/// Files that a party may need at once: connections of clients take two each.
const LEAST_FILES: u64 = 2 * crate::api::limits::CONNECTIONS as u64 + 256;

/// Every finding, the worst first.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    keys(facts, &mut found);
    files(facts, &mut found);
    node(facts, &mut found);
    for (host, peer) in &facts.peers {
        link(*host, peer, &mut found);
        clock(*host, peer, &mut found);
    }
    strangers(facts, &mut found);
    ports(facts, &mut found);
    disk(facts, &mut found);
    limits(facts, &mut found);
    found.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.about));
    found
}

fn finding(severity: Severity, about: About, what: impl Into<String>, remedy: &str) -> Finding {
    Finding { severity, about, what: what.into(), remedy: remedy.into() }
}

fn keys(facts: &Facts, found: &mut Vec<Finding>) {
    let about = About::Keys;
    if let Key::Unusable(reason) = &facts.key {
        let remedy = "put the host's secret back from where you keep it, with mode 600; if it is lost, the steward has to \
                      put another committee on record";
        found.push(finding(Severity::Fault, about, format!("the secret: {reason}"), remedy));
        return;
    }
    found.push(match &facts.seat {
        Seat::Own(seat) => finding(Severity::Fine, about, format!("the secret is that of {seat} on record"), ""),
        Seat::NoCommittee => finding(
            Severity::Warning,
            about,
            "the chain has no committee on record",
            "give the steward this host's public keys, and wait for the committee",
        ),
        Seat::None { own } => finding(
            Severity::Fault,
            about,
            format!("no seat on record has this host's key {own}"),
            "start with the secret of the key on record, or have the steward put this host's key on record for a later \
             epoch",
        ),
        Seat::Unknown(reason) => finding(
            Severity::Note,
            about,
            format!("whether the seat is this host's is not known: {reason}"),
            "run the doctor again once the chain can be read",
        ),
    });
}

fn files(facts: &Facts, found: &mut Vec<Finding>) {
    let before = found.len();
    for kept in &facts.kept {
        let Some(mode) = kept.mode.filter(|mode| mode & 0o077 != 0) else { continue };
        let (path, wanted) = (kept.path.display(), kept.wanted);
        let what = format!("{path}: others may read it (mode {mode:03o})");
        found.push(finding(Severity::Fault, About::Files, what, &format!("chmod {wanted:03o} {path}")));
    }
    if found.len() == before {
        found.push(finding(
            Severity::Fine,
            About::Files,
            "nobody else may read the secret and the store",
            "",
        ));
    }
}

fn node(facts: &Facts, found: &mut Vec<Finding>) {
    let (height, time) = match &facts.node {
        Node::Away(reason) => {
            let remedy = "see that `node` in the settings is the sequencer's address, that it runs, and that a firewall lets \
                          this host through";
            let what = format!("the sequencer's node: {reason}");
            return found.push(finding(Severity::Fault, About::Node, what, remedy));
        }
        Node::There { genesis, .. } if *genesis != facts.genesis.to_string() => {
            let what =
                format!("the node's chain begins with {genesis}, and this host's with {}", facts.genesis);
            let remedy = "take the same genesis.json as everybody else, or name the node of that chain";
            return found.push(finding(Severity::Fault, About::Node, what, remedy));
        }
        Node::There { height, time, .. } => (height, time),
    };
    found.push(finding(
        Severity::Fine,
        About::Node,
        format!("the node answers, has the same genesis and is at block {height}"),
        "",
    ));
    let (ahead, age) = (time.0.saturating_sub(facts.now.0), facts.now.0.saturating_sub(time.0));
    if ahead > CLOCK_SLACK {
        let severity = if ahead > CLOCK_OFF { Severity::Fault } else { Severity::Warning };
        let what = format!("the last block is {ahead} s ahead of this clock");
        found.push(finding(severity, About::Clock, what, "set this machine's clock, and keep it by NTP"));
    } else if age > OLD_BLOCK && *height > 0 {
        let what = format!("the last block is {age} s old by this clock");
        let remedy = "ask whoever runs the sequencer; if its blocks are younger, this machine's clock is ahead: set it";
        found.push(finding(Severity::Warning, About::Clock, what, remedy));
    } else {
        found.push(finding(Severity::Fine, About::Clock, "this clock fits the chain's last block", ""));
    }
}

fn link(party: Host, peer: &PeerFacts, found: &mut Vec<Finding>) {
    let about = About::Peers;
    let Some(at) = &peer.address else {
        let what = format!("the settings have no address of {party}, whose key is {}", peer.key);
        let remedy = "ask its operator where it takes links, and add that under [peers]";
        return found.push(finding(Severity::Fault, about, what, remedy));
    };
    found.push(match &peer.there {
        None => finding(
            Severity::Note,
            about,
            format!("{party} at {at} was not asked: its key on record or this host's own is not known"),
            "run the doctor again once both are",
        ),
        Some(Ok(versions)) if versions.common(Versions::SPOKEN).is_none() => finding(
            Severity::Fault,
            about,
            format!("{party} speaks link protocol {versions}, and this host {}", Versions::SPOKEN),
            "update the older of the two hosts",
        ),
        Some(Ok(versions)) => {
            let what = format!("{party} is there with the key on record, and speaks link protocol {versions}");
            finding(Severity::Fine, about, what, "")
        }
        Some(Err(Absent::Refused(Refusal::OtherKey { expected, presented }))) => finding(
            Severity::Fault,
            about,
            format!("at {at} is key {presented}, and {party} has {expected} on record"),
            "check the address with the operator of that party; if it is right, that host runs with the wrong secret",
        ),
        Some(Err(Absent::Refused(Refusal::KeyRefused))) => finding(
            Severity::Fault,
            about,
            format!("{party} refuses this host's key"),
            "compare the committee on record with this host's key, and see that the other follows the same chain",
        ),
        Some(Err(Absent::Unreachable { reason, .. })) => finding(
            Severity::Fault,
            about,
            format!("{party} cannot be reached at {at}: {reason}"),
            "ask its operator whether it runs, and see that both firewalls let links through",
        ),
        Some(Err(error)) => finding(
            Severity::Fault,
            about,
            format!("{party} at {at}: {error}"),
            "compare settings and release with the operator of that party",
        ),
    });
}

fn clock(party: Host, peer: &PeerFacts, found: &mut Vec<Finding>) {
    let about = About::Clock;
    match &peer.clock {
        None => {}
        Some(Err(reason)) => {
            let what = format!("the clock of {party} was not seen: {reason}");
            found.push(finding(Severity::Note, about, what, "see whether its address in peer_apis is right"));
        }
        Some(Ok((Time(theirs), Time(ours)))) => {
            let off = theirs.abs_diff(*ours);
            if off > CLOCK_SLACK {
                let severity = if off > CLOCK_OFF { Severity::Fault } else { Severity::Warning };
                let word = if theirs > ours { "ahead of" } else { "behind" };
                let what = format!("the clock of {party} is {off} s {word} this one");
                let remedy =
                    "keep both machines' clocks by NTP; the one that differs from the chain as well is wrong";
                found.push(finding(severity, about, what, remedy));
            }
        }
    }
}

fn strangers(facts: &Facts, found: &mut Vec<Finding>) {
    for key in &facts.strangers {
        let what = format!("the settings have an address of {key}, which has no seat on record");
        let remedy = "take it out if that host is not to have a seat later";
        found.push(finding(Severity::Note, About::Peers, what, remedy));
    }
}

fn ports(facts: &Facts, found: &mut Vec<Finding>) {
    let about = About::Ports;
    for (what, at, port) in &facts.ports {
        found.push(match port {
            Port::Free => finding(Severity::Fine, about, format!("{at} is free for {what}"), ""),
            Port::Own => finding(Severity::Fine, about, format!("{at} is this party's own, for {what}"), ""),
            Port::Other { key, genesis } => finding(
                Severity::Fault,
                about,
                format!("at {at} answers another party, with key {key} and genesis {genesis}"),
                "end that party, or give one of the two another `api`; if it is this one, it was started with another \
                 secret or genesis: start it again with those of the settings",
            ),
            Port::Taken(reason) => finding(
                Severity::Fault,
                about,
                format!("{at} cannot be had for {what}: {reason}"),
                "end what listens there, or choose another address in the settings",
            ),
        });
    }
}

fn disk(facts: &Facts, found: &mut Vec<Finding>) {
    let about = About::Disk;
    let Some(disk) = facts.disk else {
        return found.push(finding(
            Severity::Note,
            about,
            "the system does not say how much room the disk has",
            "look yourself",
        ));
    };
    let (needed, free) = (facts.disk_to_come.unwrap_or(0), bytes(disk.free as f64));
    let remedy = "make room, or move `dir` to a larger disk while the party is stopped";
    found.push(if disk.free < LEAST_FREE.min(disk.size / 10) || disk.free < needed {
        let what =
            format!("{free} are free, and the rest of the window needs about {}", bytes(needed as f64));
        finding(Severity::Fault, about, what, remedy)
    } else if disk.free / 2 < needed {
        let what = format!("{free} are free, less than twice the {} still to come", bytes(needed as f64));
        finding(Severity::Warning, about, what, remedy)
    } else {
        finding(Severity::Fine, about, format!("{free} are free"), "")
    });
}

fn limits(facts: &Facts, found: &mut Vec<Finding>) {
    let about = About::Limits;
    let whose = if facts.is_running { "the party" } else { "this shell" };
    found.push(match facts.most_files {
        None => finding(Severity::Note, about, "the system does not say how many files may be open", ""),
        Some(most) if most < LEAST_FILES => finding(
            Severity::Warning,
            about,
            format!("{whose} may have {most} files open, and a full API needs {LEAST_FILES}"),
            "raise the limit: LimitNOFILE in the unit, or ulimit -n",
        ),
        Some(most) => finding(Severity::Fine, about, format!("{whose} may have {most} files open"), ""),
    });
}

#[cfg(test)]
mod tests;
