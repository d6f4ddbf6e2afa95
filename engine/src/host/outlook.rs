//! What follows from a party's numbers: whether it is well, how fast it goes, and what it needs until the window ends.
//!
//! Pure: numbers come in, and what they mean comes out. `cwe party status` shows it and `cwe party doctor` judges by it.

use crate::{message::Phase, telemetry::read::Samples};
use primitives::{PartyId, Time};
use std::time::Duration;

/// Age of the last block, in seconds, above which something is wrong: sequencers make one within minutes.
pub const OLD_BLOCK_SECONDS: f64 = 900.0;
/// Seconds that this machine's clock may be behind the last block.
pub const CLOCK_SLACK_SECONDS: f64 = 5.0;
/// How long a link may be down before that is said.
pub const LINK_DOWN_SECONDS: f64 = 30.0;
/// How long what is not the taking in of bundles may last: rounds of a whole shard take minutes.
pub const LONG_PHASE_SECONDS: f64 = 1_800.0;
/// Free bytes below which a disk is full for a party: a few batches, and the next blocks.
pub const LEAST_FREE_BYTES: f64 = 512e6;
/// Seconds of a window before which nothing is told of how fast bundles come.
pub const LEAST_SECONDS: f64 = 10.0;
/// Free files below which the next connections may be refused.
pub const LEAST_FREE_FILES: f64 = 64.0;

/// What is under way, and what it needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    /// The epoch in hand.
    pub epoch: Option<u64>,
    /// Its phase.
    pub phase: Option<&'static str>,
    /// For how long it has been in its phase, in seconds.
    pub phase_seconds: f64,
    /// The epoch before, while it is closed beside that one.
    pub closing: Option<u64>,
    /// Its phase.
    pub closing_phase: Option<&'static str>,
    /// For how long it has been in its phase, in seconds.
    pub closing_seconds: f64,
    /// The seat of the host.
    pub seat: Option<String>,
    /// When the window began.
    pub opens: Option<Time>,
    /// When the window ends.
    pub closes: Option<Time>,
    /// Seconds until the window ends; 0 if it is over.
    pub seconds_left: f64,
    /// Bundles taken in a second.
    pub bundles_a_second: Option<f64>,
    /// Bytes of a bundle, on average.
    pub bytes_a_bundle: Option<f64>,
    /// Seconds that the proof of one bundle takes to check, on average.
    pub check_seconds: Option<f64>,
    /// Bundles that are still to come, if they go on coming like this.
    pub bundles_to_come: Option<f64>,
    /// Bytes that they take on disk.
    pub disk_to_come: Option<f64>,
    /// Bytes that clients send until the window ends.
    pub upload_to_come: Option<f64>,
    /// Bytes a second to and from the other parties.
    pub link_bytes_a_second: Option<f64>,
    /// Bytes to and from the other parties until the window ends.
    pub links_to_come: Option<f64>,
    /// Bytes that are free.
    pub disk_free: Option<f64>,
}

/// A moment with what the party said then.
pub type Reading<'a> = (Time, &'a Samples);

/// Rates between two readings. With one reading only, bundles since the window began, and bytes since the process did.
pub fn outlook(before: Option<(Duration, &Samples)>, (now, last): Reading<'_>) -> Outlook {
    let get = |name: &str| last.get(name).filter(|value| value.is_finite());
    let moment = |name: &str| get(name).filter(|seconds| *seconds >= 1.0).map(|seconds| Time(seconds as u64));
    let (opens, closes) =
        (moment("cwe_epoch_opens_timestamp_seconds"), moment("cwe_epoch_closes_timestamp_seconds"));
    let phase_of = |metric: &str| {
        let mut names = Phase::ALL.into_iter().map(|phase| phase.name());
        names.find(|name| last.under(metric, "phase", name) == Some(1.0))
    };
    let phase = phase_of("cwe_epoch_phase");
    let is_open = phase == Some("collect");
    let left = closes.map_or(0.0, |closes| closes.0.saturating_sub(now.0) as f64);
    let seconds_left = if is_open { left } else { 0.0 };
    let seconds_since = |moment: Option<Time>| moment.map(|since| now.0.saturating_sub(since.0) as f64);
    let rate = |count: f64, elapsed: Option<f64>| {
        elapsed.filter(|elapsed| *elapsed > 0.0).map(|elapsed| (count / elapsed).max(0.0))
    };
    let a_second = |name: &str| match before {
        Some((elapsed, before)) => rate(last.sum(name) - before.sum(name), Some(elapsed.as_secs_f64())),
        None => rate(last.sum(name), seconds_since(moment("process_start_time_seconds"))),
    };
    let mean = |sum: &str, count: &str| {
        let (sum, count) = (last.sum(sum), last.sum(count));
        (count > 0.0).then(|| sum / count)
    };
    let bundles_a_second = match before {
        Some(_) => a_second("cwe_bundles_accepted_total"),
        // Counted from the window on, across restarts.
        None if is_open => {
            let open_for = seconds_since(opens).filter(|seconds| *seconds >= LEAST_SECONDS);
            rate(last.sum("cwe_epoch_bundles"), open_for)
        }
        None => None,
    };
    let bytes_a_bundle = mean("cwe_bundles_offered_bytes_total", "cwe_bundles_offered_total");
    let [sent, received] = ["cwe_link_sent_bytes_total", "cwe_link_received_bytes_total"].map(a_second);
    let link_bytes_a_second = sent.zip(received).map(|(sent, received)| sent + received);
    let to_come = |rate: Option<f64>| rate.map(|rate| rate * seconds_left);
    let bundles_to_come = to_come(bundles_a_second);
    let bundle_bytes = bundles_to_come.zip(bytes_a_bundle).map(|(bundles, bytes)| bundles * bytes);
    Outlook {
        epoch: get("cwe_epoch").map(|epoch| epoch as u64),
        phase,
        phase_seconds: get("cwe_epoch_phase_seconds").unwrap_or(0.0),
        closing: get("cwe_epoch_closing").map(|epoch| epoch as u64).filter(|epoch| *epoch > 0),
        closing_phase: phase_of("cwe_epoch_closing_phase"),
        closing_seconds: get("cwe_epoch_closing_seconds").unwrap_or(0.0),
        seat: last.by("cwe_seat", "seat").into_iter().find(|(_, has)| *has > 0.5).map(|(seat, _)| seat),
        opens,
        closes,
        seconds_left,
        bundles_a_second,
        bytes_a_bundle,
        check_seconds: mean("cwe_verification_seconds_sum", "cwe_bundles_verified_total"),
        bundles_to_come,
        disk_to_come: bundle_bytes,
        upload_to_come: bundle_bytes,
        link_bytes_a_second,
        links_to_come: to_come(link_bytes_a_second),
        disk_free: get("cwe_disk_free_bytes"),
    }
}

/// Bytes as people read them.
pub fn bytes(count: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = count.max(0.0);
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{value:.0} {}", units[0]) } else { format!("{value:.1} {}", units[unit]) }
}

/// What is wrong with a party, by its numbers: a sentence each, with what to do. Empty if it is well.
pub fn troubles(outlook: &Outlook, last: &Samples) -> Vec<String> {
    let mut found = Vec::new();
    let get = |name: &str| last.get(name).unwrap_or(0.0);
    if last.get("cwe_chain_following") == Some(0.0) {
        found.push(
            "the sequencer's node does not answer: see that it runs and that this host reaches it".into(),
        );
    }
    if get("cwe_sitting_out") > 0.0 {
        found.push("the others go on without this host: run `cwe party doctor`".into());
    }
    let age = get("cwe_chain_head_age_seconds");
    if age < -CLOCK_SLACK_SECONDS {
        let behind = -age;
        found.push(format!("the last block is {behind:.0} s ahead of this clock: set the clock"));
    }
    if age > OLD_BLOCK_SECONDS && last.get("cwe_chain_height").is_some() {
        found.push(format!("the last block is {age:.0} s old: see to the sequencer, or to this clock"));
    }
    for party in PartyId::ALL.map(|party| party.to_string()) {
        let of = |name: &str| last.under(name, "peer", &party).unwrap_or(0.0);
        let is_down = last.under("cwe_link_up", "peer", &party) == Some(0.0);
        if is_down && of("cwe_link_state_seconds") > LINK_DOWN_SECONDS && get("cwe_waiting_for_chain") < 1.0 {
            let down = of("cwe_link_state_seconds");
            found.push(format!("no link to party {party} for {down:.0} s: run `cwe party doctor`"));
        }
        let stalled = last.iter().filter(|sample| {
            sample.name == "cwe_stalled_seconds" && sample.labels.get("peer") == Some(&party)
        });
        let longest = stalled.map(|sample| sample.value).fold(0.0, f64::max);
        if longest > 0.0 && !is_down {
            found.push(format!(
                "party {party} has kept this host waiting for {longest:.0} s: ask its operator"
            ));
        }
        let evidence = last.under("cwe_evidence", "party", &party).unwrap_or(0.0);
        if evidence > 0.0 {
            found.push(format!(
                "there is evidence against party {party}: fetch /v1/evidence and tell the steward"
            ));
        }
    }
    if let Some(free) = outlook.disk_free {
        let needed = outlook.disk_to_come.unwrap_or(0.0);
        if free < LEAST_FREE_BYTES {
            found.push(format!("the disk has {} left: make room before the party stops", bytes(free)));
        } else if free - LEAST_FREE_BYTES < needed {
            found.push(format!(
                "the rest of the window needs about {}, and {} are free: make room",
                bytes(needed),
                bytes(free)
            ));
        }
    }
    let is_working = !matches!(outlook.phase, None | Some("announce" | "collect" | "done" | "aborted"));
    if is_working && outlook.phase_seconds > LONG_PHASE_SECONDS {
        let (phase, seconds) = (outlook.phase.unwrap_or_default(), outlook.phase_seconds);
        found
            .push(format!("the epoch has been in phase {phase} for {seconds:.0} s: see which party is away"));
    }
    if outlook.phase == Some("aborted") {
        found.push("the epoch stopped without a result: the log says why".into());
    }
    if let (Some(open), Some(most)) = (last.get("process_open_fds"), last.get("process_max_fds"))
        && most - open < LEAST_FREE_FILES
    {
        found.push(format!("{open:.0} of {most:.0} files are open: raise the limit (LimitNOFILE)"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(more: &str) -> Samples {
        let well = "cwe_epoch 3\ncwe_epoch_phase{phase=\"collect\"} 1\ncwe_epoch_phase{phase=\"close\"} 0\n\
                    cwe_epoch_opens_timestamp_seconds 1000\ncwe_epoch_closes_timestamp_seconds 2000\n\
                    process_start_time_seconds 900\ncwe_bundles_accepted_total 90\ncwe_epoch_bundles 50\ncwe_bundles_offered_total 50\n\
                    cwe_bundles_offered_bytes_total 5000000\ncwe_chain_following 1\ncwe_chain_height 9\n\
                    cwe_chain_head_age_seconds 2\ncwe_link_up{peer=\"2\"} 1\ncwe_link_sent_bytes_total{peer=\"2\"} 100\n\
                    cwe_disk_free_bytes 9000000000\n";
        Samples::read(&format!("{more}\n{well}"))
    }

    #[test]
    fn bytes_are_as_people_read_them() {
        assert_eq!([bytes(999.0), bytes(1_500_000.0)], ["999 B", "1.5 MB"]);
    }

    #[test]
    fn what_comes_is_told_from_what_came() {
        let now = samples("");
        let outlook = outlook(None, (Time(1_500), &now));
        assert_eq!((outlook.epoch, outlook.phase), (Some(3), Some("collect")));
        assert_eq!(Some(outlook.seconds_left), Some(500.0));
        // 50 bundles of 100 kB in 500 seconds: as many again.
        assert_eq!(outlook.bundles_a_second, Some(0.1));
        assert_eq!(outlook.disk_to_come, Some(5_000_000.0));
        assert_eq!(troubles(&outlook, &now), Vec::<String>::new());
    }

    #[test]
    fn nothing_is_told_of_bundles_when_a_window_has_just_begun() {
        let now = samples("");
        assert_eq!(outlook(None, (Time(1_005), &now)).bundles_a_second, None);
        let after = samples("cwe_epoch_phase{phase=\"sum\"} 1\ncwe_epoch_phase{phase=\"collect\"} 0");
        assert_eq!(outlook(None, (Time(1_500), &after)).bundles_a_second, None);
    }

    #[test]
    fn the_seat_and_the_phase_of_the_epoch_that_is_closed_are_named() {
        let now = samples(
            "cwe_seat{seat=\"party 2\"} 1\ncwe_seat{seat=\"standby\"} 0\ncwe_epoch_closing 2\ncwe_epoch_closing_phase{phase=\"prove\"} 1",
        );
        let outlook = outlook(None, (Time(1_500), &now));
        assert_eq!((outlook.closing, outlook.closing_phase), (Some(2), Some("prove")));
        assert_eq!(outlook.seat.as_deref(), Some("party 2"));
    }

    #[test]
    fn between_two_readings_the_rate_is_that_of_the_time_between() {
        let (before, now) = (samples(""), samples(""));
        let outlook = outlook(Some((Duration::from_secs(10), &before)), (Time(1_500), &now));
        assert_eq!(outlook.bundles_a_second, Some(0.0));
        assert_eq!(outlook.links_to_come, Some(0.0));
    }

    #[test]
    fn every_trouble_is_named() {
        for (more, words) in [
            ("cwe_chain_following 0", "sequencer's node"),
            ("cwe_sitting_out 1", "without this host"),
            ("cwe_chain_head_age_seconds -60", "ahead of this clock"),
            ("cwe_chain_head_age_seconds 4000", "4000 s old"),
            ("cwe_link_up{peer=\"3\"} 0\ncwe_link_state_seconds{peer=\"3\"} 90", "no link to party 3"),
            ("cwe_stalled_seconds{peer=\"2\",step=\"answer\"} 70", "party 2 has kept"),
            ("cwe_evidence{party=\"3\"} 1", "evidence against party 3"),
            ("cwe_disk_free_bytes 1000", "make room"),
            ("cwe_disk_free_bytes 513000000", "the rest of the window needs"),
            (
                "cwe_epoch_phase{phase=\"open\"} 1\ncwe_epoch_phase_seconds 4000\ncwe_epoch_phase{phase=\"collect\"} 0",
                "phase open",
            ),
            ("process_open_fds 1000\nprocess_max_fds 1024", "LimitNOFILE"),
        ] {
            let now = samples(more);
            let found = troubles(&outlook(None, (Time(1_500), &now)), &now);
            assert!(found.len() == 1 && found[0].contains(words), "{more}: {found:?}");
        }
    }
}
