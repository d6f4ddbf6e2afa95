use super::*;
use crate::{doctor::facts::Kept, host::machine::Disk};
use primitives::{Digest, PartyId};
use std::{collections::BTreeMap, path::PathBuf};

const TWO: Host = Host::Party(PartyId::ALL[1]);

/// A host with which nothing is wrong.
fn well() -> Facts {
    let genesis = Digest([7; 32]);
    let peer = |address: &str| PeerFacts {
        address: Some(address.into()),
        key: Digest([9; 32]),
        there: Some(Ok(Versions::SPOKEN)),
        clock: Some(Ok((Time(1_001), Time(1_000)))),
    };
    let [one, two, three] = PartyId::ALL.map(Host::Party);
    let at = "127.0.0.1:4401".parse().expect("an address");
    Facts {
        is_running: true,
        key: Key::Sound,
        kept: vec![Kept { path: PathBuf::from("host.secret"), mode: Some(0o600), wanted: 0o600 }],
        genesis,
        node: Node::There { genesis: genesis.to_string(), height: 9, time: Time(998) },
        now: Time(1_000),
        seat: Seat::Own(one),
        peers: BTreeMap::from([(two, peer("two:1")), (three, peer("three:1"))]),
        strangers: Vec::new(),
        ports: vec![("links", at, Port::Own), ("the API", at, Port::Free)],
        disk: Some(Disk { free: 50_000_000_000, size: 100_000_000_000 }),
        disk_to_come: Some(1_000_000),
        most_files: Some(65_536),
    }
}

/// What is found besides what is fine.
fn found(change: impl FnOnce(&mut Facts)) -> Vec<Finding> {
    let mut facts = well();
    change(&mut facts);
    findings(&facts).into_iter().filter(|finding| finding.severity != Severity::Fine).collect()
}

/// The one finding of a change, which has a remedy.
#[track_caller]
fn one(severity: Severity, about: About, change: impl FnOnce(&mut Facts)) -> Finding {
    let found = found(change);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.severity, one.about), (severity, about), "{one:?}");
    assert!(!one.remedy.is_empty());
    one.clone()
}

fn there(facts: &mut Facts, there: Option<Result<Versions, Absent>>) {
    facts.peers.get_mut(&TWO).expect("a peer").there = there;
}

#[test]
fn a_host_that_is_well_has_nothing_but_what_is_fine() {
    assert_eq!(found(|_| ()), []);
    assert!(findings(&well()).len() > 8, "what was looked at is said");
}

#[test]
fn keys() {
    let lost = one(Severity::Fault, About::Keys, |facts| facts.key = Key::Unusable("it is gone".into()));
    assert!(lost.what.contains("it is gone"));
    one(Severity::Warning, About::Keys, |facts| facts.seat = Seat::NoCommittee);
    one(Severity::Note, About::Keys, |facts| facts.seat = Seat::Unknown("no node".into()));
    let own = Digest([2; 32]);
    let none = one(Severity::Fault, About::Keys, |facts| facts.seat = Seat::None { own });
    assert!(none.what.contains(&own.to_string()));
}

#[test]
fn a_party_at_the_address_that_is_another() {
    let other = || Port::Other { key: "0a".into(), genesis: "0b".into() };
    let found = one(Severity::Fault, About::Ports, |facts| facts.ports[1].2 = other());
    assert!(found.what.contains("another party, with key 0a and genesis 0b"), "{found:?}");
}

#[test]
fn files_that_others_may_read() {
    let open = one(Severity::Fault, About::Files, |facts| facts.kept[0].mode = Some(0o640));
    assert_eq!(open.remedy, "chmod 600 host.secret");
    assert_eq!(found(|facts| facts.kept[0].mode = None), [], "what is not there is nobody's to read");
}

#[test]
fn the_node() {
    one(Severity::Fault, About::Node, |facts| facts.node = Node::Away("no answer".into()));
    let other = Node::There { genesis: "ab".into(), height: 9, time: Time(998) };
    one(Severity::Fault, About::Node, |facts| facts.node = other);
}

#[test]
fn clocks() {
    one(Severity::Warning, About::Clock, |facts| facts.now = Time(998 - CLOCK_SLACK - 1));
    one(Severity::Fault, About::Clock, |facts| facts.now = Time(998 - CLOCK_OFF - 1));
    one(Severity::Warning, About::Clock, |facts| facts.now = Time(998 + OLD_BLOCK + 1));
    let clock = |clock| move |facts: &mut Facts| facts.peers.get_mut(&TWO).expect("a peer").clock = clock;
    one(Severity::Warning, About::Clock, clock(Some(Ok((Time(1_010), Time(1_000))))));
    let behind = one(Severity::Fault, About::Clock, clock(Some(Ok((Time(900), Time(1_000))))));
    assert!(behind.what.contains("100 s behind"));
    one(Severity::Note, About::Clock, clock(Some(Err("away".into()))));
    assert_eq!(found(clock(None)), [], "whose address is not known is not asked");
}

#[test]
fn peers() {
    let fault = |reason: Absent| one(Severity::Fault, About::Peers, |facts| there(facts, Some(Err(reason))));
    fault(Absent::Unreachable { at: "two:1".into(), reason: "refused".into() });
    let (expected, presented) = (Digest([1; 32]), Digest([2; 32]));
    let wrong = fault(Refusal::OtherKey { expected, presented }.into());
    assert!(wrong.what.contains(&expected.to_string()) && wrong.what.contains(&presented.to_string()));
    fault(Refusal::KeyRefused.into());
    fault(Refusal::OldTls.into());
    one(Severity::Fault, About::Peers, |facts| there(facts, Some(Ok(Versions { first: 8, last: 9 }))));
    one(Severity::Note, About::Peers, |facts| there(facts, None));
    let no_address = |facts: &mut Facts| facts.peers.get_mut(&TWO).expect("a peer").address = None;
    assert!(one(Severity::Fault, About::Peers, no_address).what.contains(&Digest([9; 32]).to_string()));
    one(Severity::Note, About::Peers, |facts| facts.strangers.push(Digest([8; 32])));
}

#[test]
fn ports() {
    one(Severity::Fault, About::Ports, |facts| facts.ports[0].2 = Port::Taken("in use".into()));
}

#[test]
fn the_disk() {
    let disk = |free| move |facts: &mut Facts| facts.disk = Some(Disk { free, size: 100_000_000_000 });
    one(Severity::Fault, About::Disk, disk(1_000_000_000));
    one(Severity::Note, About::Disk, |facts| facts.disk = None).remedy.clear();
    one(Severity::Warning, About::Disk, |facts| facts.disk_to_come = Some(30_000_000_000));
    one(Severity::Fault, About::Disk, |facts| facts.disk_to_come = Some(60_000_000_000));
}

#[test]
fn open_files() {
    one(Severity::Warning, About::Limits, |facts| facts.most_files = Some(1_024));
}

#[test]
fn the_worst_comes_first() {
    let found = found(|facts| {
        facts.most_files = Some(10);
        facts.node = Node::Away("gone".into());
    });
    assert_eq!(found[0].severity, Severity::Fault);
    assert_eq!(found[1].severity, Severity::Warning);
}
