//! What an operator sees of a party: numbers, in one table, in the text format of Prometheus.
//!
//! Every party has a recorder of its own, and nothing here is global to the process. No name, label or value has anything
//! of a bundle, a subscriber or an address: labels are kinds, routes, parties and actors, of which there are few.
//! Whoever reads the numbers often sees when bundles come in. Show them to operators alone.
//!
//! `telemetry/table.rs` lists them, and `telemetry/read.rs` reads the text again.

pub mod read;
mod table;

use crate::{effect::Refusal, message::Phase};
use metrics::{Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use primitives::{Digest, EpochId, PartyId, ShardIndex, Time};
use std::{fmt, time::Duration};

pub(crate) use table::{
    ABORTED, ACCEPTED, CLOSES, CLOSING, CLOSING_AGE, CLOSING_PHASE, CONNECTIONS, DISK_FREE, DISK_SIZE, EPOCH,
    EPOCH_BUNDLES, EVIDENCE, FINAL, FOLLOWING, HEAD_AGE, HEIGHT, HOST, LINK_AGE, LINK_LAG, LINK_LOST,
    LINK_RECEIVED, LINK_RESENT, LINK_SENT, LINK_TRIP, LINK_UNACKED, LINK_UP, LINK_VERSION, MOST_FILES,
    OFFERED, OFFERED_BYTES, OPEN_FILES, OPENS, PHASE, PHASE_AGE, POSITION, REFUSED, REQUESTS, SEAT,
    SITTING_OUT, STALLED, STALLS, STARTED, STORE, TURNED_AWAY, VERIFIED, VERIFYING, WAITING,
};
pub use table::{Kind, LABELS, METRICS, Metric};

/// Where numbers are said to come from. Nothing filters by it.
static ORIGIN: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// How a link to another party is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// Whether it holds.
    pub up: bool,
    /// Last time of a message there and back, if there was one.
    pub round_trip: Option<Duration>,
    /// Messages that the other has not acknowledged.
    pub unacknowledged: usize,
}

/// A party's numbers.
pub struct Telemetry {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry(..)")
    }
}

impl Telemetry {
    /// Numbers of a process that started then.
    pub fn new(started: Time) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        for metric in METRICS {
            let name = KeyName::from_const_str(metric.name);
            match metric.kind {
                Kind::Counter => recorder.describe_counter(name, metric.unit, metric.help.into()),
                Kind::Gauge => recorder.describe_gauge(name, metric.unit, metric.help.into()),
                Kind::Summary => recorder.describe_histogram(name, metric.unit, metric.help.into()),
            }
        }
        let telemetry = Self { handle: recorder.handle(), recorder };
        telemetry.gauge(&STARTED, vec![], started.0 as f64);
        // A number that has not been counted yet is 0, and not absent.
        for metric in [&ACCEPTED, &FINAL, &OFFERED, &OFFERED_BYTES, &VERIFIED, &ABORTED] {
            telemetry.count(metric, vec![], 0);
        }
        telemetry
    }

    /// All numbers, in the text format of Prometheus.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// All numbers but those of some peers.
    pub(crate) fn render_without(&self, peers: &[PartyId]) -> String {
        let labels: Vec<_> = peers.iter().map(|peer| format!("{{peer=\"{peer}\"")).collect();
        let is_left = |line: &&str| !labels.iter().any(|label| line.contains(label.as_str()));
        self.render().split_inclusive('\n').filter(is_left).collect()
    }

    /// A bundle was taken in.
    pub fn accepted(&self) {
        self.count(&ACCEPTED, vec![], 1);
    }

    /// A bundle was refused.
    pub fn refused(&self, refusal: &Refusal) {
        self.count(&REFUSED, vec![label("kind", refusal.kind())], 1);
    }

    /// An epoch is in a phase.
    pub fn phase(&self, epoch: EpochId, phase: Phase) {
        self.gauge(&EPOCH, vec![], epoch.0 as f64);
        self.in_phase(&PHASE, Some(phase));
    }

    /// Sets a number to 1 for one phase, or for none, and to 0 for the others.
    pub(crate) fn in_phase(&self, metric: &Metric, phase: Option<Phase>) {
        for one in Phase::ALL {
            self.gauge(metric, vec![label("phase", one.name())], truth(phase == Some(one)));
        }
    }

    /// So many batches of a shard are final.
    pub fn batches(&self, shard: ShardIndex, count: u64) {
        self.gauge(&POSITION, vec![label("shard", shard.to_string())], count as f64);
    }

    /// So many bundles were in a batch that is final.
    pub fn finals(&self, bundles: usize) {
        self.count(&FINAL, vec![], bundles as u64);
    }

    /// The proofs of so many bundles were checked together, which took so long.
    pub fn verified(&self, bundles: usize, took: Duration) {
        self.count(&VERIFIED, vec![], bundles as u64);
        let key = Key::from_parts(VERIFYING.name, vec![]);
        self.recorder.register_histogram(&key, &ORIGIN).record(took.as_secs_f64());
        // What is recorded gathers until somebody asks, and perhaps nobody does.
        self.handle.run_upkeep();
    }

    /// A client handed in a bundle of so many bytes.
    pub fn offered(&self, bytes: usize) {
        self.count(&OFFERED, vec![], 1);
        self.count(&OFFERED_BYTES, vec![], bytes as u64);
    }

    /// How the link to a party is.
    pub fn link(&self, peer: PartyId, state: LinkState) {
        let labels = || vec![label("peer", peer.to_string())];
        self.gauge(&LINK_UP, labels(), truth(state.up));
        self.gauge(&LINK_UNACKED, labels(), state.unacknowledged as f64);
        if let Some(round_trip) = state.round_trip {
            self.gauge(&LINK_TRIP, labels(), round_trip.as_secs_f64());
        }
    }

    /// Whose numbers they are: the public key of the host, and the digest of the genesis that it follows.
    pub fn host(&self, key: &Digest, genesis: &Digest) {
        self.gauge(&HOST, vec![label("key", key.to_string()), label("genesis", genesis.to_string())], 1.0);
    }

    /// A store has so many bytes on disk. `store` is what it is called in this program, never a path.
    pub fn store(&self, store: &'static str, bytes: u64) {
        self.gauge(&STORE, vec![label("store", store)], bytes as f64);
    }

    /// A request was answered. `route` is the name of a route, never the path that was asked for.
    pub fn answered(&self, route: &'static str, status: u16) {
        self.count(&REQUESTS, vec![label("route", route), label("status", status.to_string())], 1);
    }

    /// So many connections are open.
    pub fn connections(&self, count: usize) {
        self.gauge(&CONNECTIONS, vec![], count as f64);
    }

    /// A connection was turned away, because this was full.
    pub fn turned_away(&self, full: &'static str) {
        self.count(&TURNED_AWAY, vec![label("full", full)], 1);
    }

    /// Sets a number that is measured elsewhere. Labels are words of this program.
    pub(crate) fn set(&self, metric: &Metric, labels: &[(&'static str, &str)], value: f64) {
        self.gauge(metric, owned(labels), value);
    }

    /// Sets a counter that is kept elsewhere. It never goes back.
    pub(crate) fn so_far(&self, metric: &Metric, labels: &[(&'static str, &str)], value: u64) {
        debug_assert_eq!(metric.kind, Kind::Counter);
        let key = Key::from_parts(metric.name, owned(labels));
        self.recorder.register_counter(&key, &ORIGIN).absolute(value);
    }

    fn count(&self, metric: &Metric, labels: Vec<Label>, by: u64) {
        debug_assert_eq!(metric.kind, Kind::Counter);
        self.recorder.register_counter(&Key::from_parts(metric.name, labels), &ORIGIN).increment(by);
    }

    fn gauge(&self, metric: &Metric, labels: Vec<Label>, value: f64) {
        debug_assert_eq!(metric.kind, Kind::Gauge);
        self.recorder.register_gauge(&Key::from_parts(metric.name, labels), &ORIGIN).set(value);
    }
}

/// A number for what is so or not.
pub(crate) fn truth(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

fn owned(labels: &[(&'static str, &str)]) -> Vec<Label> {
    labels.iter().map(|(name, value)| label(name, (*value).to_owned())).collect()
}

fn label(name: &'static str, value: impl Into<metrics::SharedString>) -> Label {
    Label::new(name, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_number_has_a_name_of_its_own_that_says_its_unit() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
            assert!(metric.labels.iter().all(|label| table::LABELS.contains(label)), "{}", metric.name);
            if let Some(unit) = metric.unit {
                assert!(metric.name.ends_with(unit.as_str()), "{}", metric.name);
            }
        }
    }

    #[test]
    fn every_number_of_the_table_is_told_with_its_help() {
        let telemetry = Telemetry::new(Time(7));
        telemetry.accepted();
        telemetry.refused(&Refusal::Busy);
        telemetry.phase(EpochId(3), Phase::Collect);
        telemetry.batches(ShardIndex(1), 4);
        let round_trip = Some(Duration::from_millis(250));
        telemetry.link(PartyId::ALL[1], LinkState { up: true, round_trip, unacknowledged: 2 });
        telemetry.store("votes", 6);
        telemetry.answered("submit", 200);
        telemetry.connections(8);
        telemetry.turned_away("address");
        telemetry.finals(3);
        telemetry.verified(3, Duration::from_millis(20));
        for metric in METRICS {
            match metric.kind {
                Kind::Summary => {}
                Kind::Gauge => telemetry.set(metric, &[("peer", "9")], 0.0),
                Kind::Counter => telemetry.so_far(metric, &[("peer", "9")], 0),
            }
        }
        let text = telemetry.render();
        for metric in METRICS {
            let kind = metric.kind.name();
            assert!(text.contains(&format!("# HELP {} {}\n", metric.name, metric.help)), "{text}");
            assert!(text.contains(&format!("# TYPE {} {kind}\n", metric.name)), "{text}");
        }
        for line in [
            "cwe_bundles_accepted_total 1",
            "cwe_bundles_refused_total{kind=\"busy\"} 1",
            "cwe_epoch_phase{phase=\"collect\"} 1",
            "cwe_epoch_phase{phase=\"close\"} 0",
            "cwe_batch_position{shard=\"1\"} 4",
            "cwe_link_round_trip_seconds{peer=\"2\"} 0.25",
            "cwe_http_requests_total{route=\"submit\",status=\"200\"} 1",
            "cwe_bundles_verified_total 3",
            "cwe_bundles_final_total 3",
            "cwe_verification_seconds_count 1",
            "process_start_time_seconds 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn of_a_peer_that_is_none_any_more_nothing_is_told() {
        let telemetry = Telemetry::new(Time(7));
        for party in PartyId::ALL {
            telemetry.link(party, LinkState { up: true, round_trip: None, unacknowledged: 0 });
        }
        let text = telemetry.render_without(&[PartyId::ALL[1]]);
        assert!(!text.contains("peer=\"2\""), "{text}");
        assert!(
            text.contains("cwe_link_up{peer=\"1\"} 1") && text.contains("cwe_link_up{peer=\"3\"} 1"),
            "{text}"
        );
    }

    #[test]
    fn two_parties_in_one_process_count_apart() {
        let [one, other] = [Telemetry::new(Time(1)), Telemetry::new(Time(2))];
        one.accepted();
        assert!(one.render().contains("cwe_bundles_accepted_total 1"));
        assert!(other.render().contains("cwe_bundles_accepted_total 0"));
    }
}
