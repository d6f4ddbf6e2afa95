//! Every number that an operator sees, in one table.

use metrics::Unit;

/// What becomes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from the start of the process on.
    Counter,
    /// It is what it is now.
    Gauge,
    /// Sum and count of many, and how the last of them were distributed.
    Summary,
}

impl Kind {
    /// Its name in the text format of Prometheus.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Summary => "summary",
        }
    }
}

/// A number that an operator sees.
#[derive(Debug)]
pub struct Metric {
    /// Its name, which ends in its unit, or in `_total` if it counts.
    pub name: &'static str,
    /// What becomes of it.
    pub kind: Kind,
    /// Its unit, if it has one.
    pub unit: Option<Unit>,
    /// Its labels. None is of a bundle, a subscriber or an address.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

/// What labels there are: words of this program, parties, shards and statuses, of which there are few, and of the host
/// itself its public key and genesis.
pub const LABELS: [&str; 14] = [
    "full", "genesis", "key", "kind", "party", "peer", "phase", "quantile", "route", "seat", "shard",
    "status", "step", "store",
];

macro_rules! metrics_table {
    ($($name:ident = $text:literal, $kind:ident, $unit:expr, [$($label:literal),*], $help:literal;)*) => {
        $(#[doc = $help] pub(crate) const $name: Metric =
            Metric { name: $text, kind: Kind::$kind, unit: $unit, labels: &[$($label),*], help: $help };)*
        /// Every number that there is.
        pub const METRICS: &[Metric] = &[$($name),*];
    };
}

metrics_table! {
    ACCEPTED = "cwe_bundles_accepted_total", Counter, None, [],
        "Bundles that were taken in.";
    REFUSED = "cwe_bundles_refused_total", Counter, None, ["kind"],
        "Bundles that were refused, by kind of refusal.";
    FINAL = "cwe_bundles_final_total", Counter, None, [],
        "Bundles of batches that became final, once more after a restart.";
    OFFERED = "cwe_bundles_offered_total", Counter, None, [],
        "Bundles that clients handed in and that could be read, the same one as often as it came.";
    OFFERED_BYTES = "cwe_bundles_offered_bytes_total", Counter, None, [],
        "Bytes of the bundles that clients handed in.";
    VERIFIED = "cwe_bundles_verified_total", Counter, None, [],
        "Bundles whose proof was checked, whatever came of it.";
    VERIFYING = "cwe_verification_seconds", Summary, Some(Unit::Seconds), [],
        "Time that a batch of proofs took to check.";
    EPOCH = "cwe_epoch", Gauge, None, [],
        "Number of the epoch in hand.";
    EPOCH_BUNDLES = "cwe_epoch_bundles", Gauge, None, [],
        "Bundles that this party has of the epoch that takes them in, whoever brought them.";
    PHASE = "cwe_epoch_phase", Gauge, None, ["phase"],
        "1 for the phase that the epoch is in, 0 for the others.";
    PHASE_AGE = "cwe_epoch_phase_seconds", Gauge, Some(Unit::Seconds), [],
        "For how long the epoch has been in its phase, since this process saw it enter.";
    CLOSING = "cwe_epoch_closing", Gauge, None, [],
        "Number of the epoch before, while it is closed beside the one in hand; 0 if it is over.";
    CLOSING_PHASE = "cwe_epoch_closing_phase", Gauge, None, ["phase"],
        "1 for the phase that the epoch that is being closed is in, 0 for the others.";
    CLOSING_AGE = "cwe_epoch_closing_seconds", Gauge, Some(Unit::Seconds), [],
        "For how long the epoch that is being closed has been in its phase.";
    OPENS = "cwe_epoch_opens_timestamp_seconds", Gauge, Some(Unit::Seconds), [],
        "When the window of the epoch began, in seconds since 1970.";
    CLOSES = "cwe_epoch_closes_timestamp_seconds", Gauge, Some(Unit::Seconds), [],
        "When the window of the epoch ends, in seconds since 1970.";
    ABORTED = "cwe_epochs_aborted_total", Counter, None, [],
        "Epochs that stopped without a result.";
    WAITING = "cwe_waiting_for_chain", Gauge, None, [],
        "1 while the host waits for the chain to have what an epoch needs, 0 otherwise.";
    SITTING_OUT = "cwe_sitting_out", Gauge, None, [],
        "1 while others go on without this host: it has no seat, or its store has forgotten the epoch; 0 otherwise.";
    SEAT = "cwe_seat", Gauge, None, ["seat"],
        "1 for the seat that this host has: that of a party, or that of who stands by.";
    EVIDENCE = "cwe_evidence", Gauge, None, ["party"],
        "Pieces of evidence against a party that this one has.";
    POSITION = "cwe_batch_position", Gauge, None, ["shard"],
        "Batches of a shard that are final.";
    LINK_UP = "cwe_link_up", Gauge, None, ["peer"],
        "1 if the link to a party holds, 0 if it does not.";
    LINK_AGE = "cwe_link_state_seconds", Gauge, Some(Unit::Seconds), ["peer"],
        "For how long the link to a party has been up, or down.";
    LINK_TRIP = "cwe_link_round_trip_seconds", Gauge, Some(Unit::Seconds), ["peer"],
        "Last time of a message to a party and back.";
    LINK_UNACKED = "cwe_link_unacknowledged", Gauge, None, ["peer"],
        "Messages to a party that it has not acknowledged.";
    LINK_LAG = "cwe_link_lag_bytes", Gauge, Some(Unit::Bytes), ["peer"],
        "Bytes to a party that it has not acknowledged.";
    LINK_SENT = "cwe_link_sent_bytes_total", Counter, None, ["peer"],
        "Bytes of messages that were written to a party, those written again included.";
    LINK_RECEIVED = "cwe_link_received_bytes_total", Counter, None, ["peer"],
        "Bytes of messages that came from a party.";
    LINK_RESENT = "cwe_link_resent_bytes_total", Counter, None, ["peer"],
        "Bytes of messages that were written to a party again, after a break.";
    LINK_LOST = "cwe_link_lost_total", Counter, None, ["peer"],
        "How often the link to a party broke.";
    LINK_VERSION = "cwe_link_protocol_version", Gauge, None, ["peer"],
        "Version of the link's protocol that is spoken with a party; 0 while the link is down.";
    STALLS = "cwe_stalls_total", Counter, None, ["peer", "step"],
        "How often this host was kept waiting for long, by party and by what it waited for.";
    STALLED = "cwe_stalled_seconds", Gauge, Some(Unit::Seconds), ["peer", "step"],
        "For how long this host is being kept waiting; 0 if it goes on.";
    HEIGHT = "cwe_chain_height", Gauge, None, [],
        "Height of the last block that this host has checked.";
    HEAD_AGE = "cwe_chain_head_age_seconds", Gauge, Some(Unit::Seconds), [],
        "Age of the last block, by this machine's clock. Below zero if this clock is behind.";
    FOLLOWING = "cwe_chain_following", Gauge, None, [],
        "1 while the sequencer's node answers, 0 while it does not.";
    STORE = "cwe_store_bytes", Gauge, Some(Unit::Bytes), ["store"],
        "Bytes on disk: of records, large records and bundles of the store, of the chain, and of what is published.";
    DISK_FREE = "cwe_disk_free_bytes", Gauge, Some(Unit::Bytes), [],
        "Bytes that are free for this process on the disk of its store.";
    DISK_SIZE = "cwe_disk_size_bytes", Gauge, Some(Unit::Bytes), [],
        "Bytes that the disk of its store has in all.";
    REQUESTS = "cwe_http_requests_total", Counter, None, ["route", "status"],
        "Requests that were answered, by route and status.";
    CONNECTIONS = "cwe_http_connections", Gauge, None, [],
        "Connections that are open.";
    TURNED_AWAY = "cwe_http_turned_away_total", Counter, None, ["full"],
        "Connections that were turned away at the door, by what was full.";
    HOST = "cwe_host_info", Gauge, None, ["key", "genesis"],
        "1, for the public key of this host and the digest of the genesis that it follows.";
    STARTED = "process_start_time_seconds", Gauge, Some(Unit::Seconds), [],
        "When the process started, in seconds since 1970.";
    OPEN_FILES = "process_open_fds", Gauge, None, [],
        "Files and sockets that the process has open.";
    MOST_FILES = "process_max_fds", Gauge, None, [],
        "Files and sockets that the process may have open.";
}
