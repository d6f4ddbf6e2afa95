//! Three parties in three network namespaces, with packets between them that come late or are lost: the epoch ends, and its
//! totals are as without it. Real sockets, real TCP, no cable of ours between two hosts.
//!
//! The test runs itself again within a network namespace of its own, for which nobody has to be root where the kernel gives
//! them to anybody. A machine that does not is named, and the test counts as ignored.

#[path = "../common/hosts.rs"]
mod committee;
mod harness;
mod network;

use committee::{LONG, Run, assert_counted, start};
use engine::host::Seat;
use harness::Verdict;
use network::{Network, PLACES, Quality, Report, Way};
use primitives::PartyId;
use sim::{
    hosts::{Site, Sites},
    progress::Silent,
};
use std::{
    collections::BTreeMap,
    env, fs,
    net::TcpStream,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

/// Says that the program is within a namespace of its own.
const WITHIN: &str = "--within-a-namespace";
const NAME: &str = "an_epoch_ends_though_packets_come_late_or_never";

/// As between two continents, on a bad day.
const LINE: Quality = Quality { seed: 5, delay: Duration::from_millis(40), loss: 2 };

/// Seconds that bundles are taken in. Each crosses the line three or four times.
const WINDOW: u64 = 40;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments == [WITHIN] {
        an_epoch_ends_though_packets_come_late_or_never();
        return ExitCode::SUCCESS;
    }
    harness::run(NAME, &arguments, || {
        let entry = match network::entry() {
            Ok(entry) => entry,
            Err(reason) => return Verdict::Ignored(reason),
        };
        let own = env::current_exe().expect("this program's own file");
        let ended = Command::new(entry[0]).args(&entry[1..]).arg(own).arg(WITHIN).status();
        if ended.expect("it starts").success() { Verdict::Passed } else { Verdict::Failed }
    })
}

/// Party 1, the standby and the sequencer's node are in one namespace, parties 2 and 3 in one each: every link between
/// parties crosses the line, and so do blocks, and bundles on their way to two of three.
fn an_epoch_ends_though_packets_come_late_or_never() {
    let network = Network::lay(&LINE);
    let site = |place: usize| Site {
        address: PLACES[place].parse().expect("an address"),
        through: network.through(place),
    };
    let apart = [1, 2].map(|place| (Seat::Party(PartyId::ALL[place]), site(place)));
    let sites = Sites { here: site(0).address, elsewhere: BTreeMap::from(apart) };
    let dir = tempfile::tempdir().expect("a folder");
    let mut hosts = start(dir.path(), Run { window: WINDOW, patience: LONG, cables: false, sites });
    let opened = hosts.opened(&Silent).expect("it opens");
    let [_, far, _] = PartyId::ALL.map(|party| hosts.api(party));
    assert_far(&far);
    hosts.hand_in(&opened, &Silent).expect("all is taken in");
    let settled = hosts.settle(&Silent).expect("it settles");
    assert_counted(&settled);

    let Report { ways, shortest_ms } = network.cut();
    assert!(ways.iter().all(|way| way.carried > 0), "each place sends to each other one: {ways:?}");
    for (place, address) in PLACES.iter().enumerate() {
        for other in &PLACES[..place] {
            let between =
                |from: &str, to: &str| (from, to) == (address, other) || (from, to) == (other, address);
            let lost: u64 = ways.iter().filter(|way| between(&way.from, &way.to)).map(|way| way.lost).sum();
            assert!(lost > 0, "some packets between {other} and {address} are lost: {ways:?}");
        }
    }
    assert!(shortest_ms >= LINE.delay.as_secs_f64() * 1000.0, "each was held for {shortest_ms} ms at least");
    let (again, sum) = (sent_again(), |count: fn(&Way) -> u64| ways.iter().map(count).sum::<u64>());
    assert!(again > 0, "TCP has sent again what was lost");
    let (carried, lost) = (sum(|way| way.carried), sum(|way| way.lost));
    println!("{carried} packets came {:?} late, {lost} never came; place 1 sent {again} again", LINE.delay);
}

/// What answers at a URL is at the other end of the line: a connection takes a packet there and one back.
fn assert_far(url: &str) {
    let begun = Instant::now();
    drop(TcpStream::connect(url.strip_prefix("http://").expect("a URL")).expect("it answers"));
    assert!(begun.elapsed() >= 2 * LINE.delay, "{url} answered after {:?}", begun.elapsed());
}

/// Segments that the kernel has sent again for processes of this namespace.
fn sent_again() -> u64 {
    let counters = fs::read_to_string("/proc/self/net/snmp").expect("the kernel counts");
    let mut rows = counters.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (rows.next().expect("names"), rows.next().expect("values"));
    let mut columns = names.split(' ').zip(values.split(' '));
    let again = columns.find_map(|(name, value)| (name == "RetransSegs").then(|| value.parse()));
    again.expect("a column of segments sent again").expect("a number")
}
