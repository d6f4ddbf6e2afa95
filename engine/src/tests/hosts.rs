//! Three hosts, each with actors of its own: a coordinator and a settlement beside the party. They share nothing but the
//! chain and what crosses between them.

use super::world::{EPOCH, World, world};
use crate::{
    coordinator::Coordinator,
    effect::{Core, Effect, Event},
    intake::{self, Intake},
    message::{Address, Letter, Message, OpenedEpoch, Parcel, PeerMessage, Phase, Report, Sitting, Wire},
    party::{Party, PartySecrets, Shelf, voting::Record},
    settlement::{Offices, Settlement},
    transport::{Ways, ways},
    verifier::{Verifier, recall, verify_all},
};
use chain::{light, node::Node};
use primitives::{Decode, Digest, Encode, PartyId};
use proofs::{
    bundle::{Bundle, RawWitness},
    testing::{TestSubscriber, committee, event},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

/// Bundles of the epoch.
const BUNDLES: u64 = 5;
/// Bundles of which a party cannot read a share.
const TRAPS: u64 = 6;
/// Most bundles of final batches that a party keeps in memory.
const ARCHIVED: usize = 1;
/// Ticks in which an epoch ends whatever happens to one host, as long as it comes back.
const LONG: u32 = 400;

/// What a host has on disk.
#[derive(Default)]
struct Disk {
    votes: Vec<Record>,
    sat: Option<Sitting>,
    contribution: Option<Digest>,
    shelf: Shelf,
    bundles: Vec<Arc<[u8]>>,
    signed: BTreeMap<Digest, Vec<Digest>>,
}

impl Disk {
    fn bundle(&self, id: &Digest) -> Option<&Arc<[u8]>> {
        self.bundles.iter().find(|bytes| intake::read(bytes).0 == *id)
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.bundle(&intake::read(bytes).0).is_none() {
            self.bundles.push(bytes.into());
        }
    }
}

/// One organisation.
struct Host {
    cores: BTreeMap<Address, Box<dyn Core>>,
    /// What its party reported last, of each kind and shard: said again to a host that was started again.
    said: BTreeMap<(u8, u32), Report>,
    events: Vec<Event>,
    closed: bool,
    disk: Disk,
    /// How often its party asked for bundles of its own disk.
    recalls: u32,
}

struct Hosts {
    hosts: BTreeMap<PartyId, Host>,
    queue: VecDeque<(PartyId, Address, Address, Message)>,
    node: Arc<Mutex<Node>>,
    away: BTreeSet<PartyId>,
    /// A host is killed before it carries out this effect, counted over all that it is asked for.
    kill: Option<(PartyId, usize)>,
    batch: usize,
    offices: Option<Offices>,
    _dir: tempfile::TempDir,
}

fn secrets(party: PartyId) -> PartySecrets {
    let keys = committee(11);
    let pair = keys.signers.into_iter().zip(keys.kem).nth(party.index());
    let (signer, kem) = pair.expect("three parties");
    PartySecrets { signer, kem }
}

fn key_of(report: &Report) -> (u8, u32) {
    match report {
        Report::Drained { shard, .. } => (0, shard.0),
        Report::Root(root, _) => (1, root.shard.0),
        Report::Totals(shard, ..) => (2, shard.0),
        Report::Stopped { .. } => (3, 0),
    }
}

impl Hosts {
    /// Hosts that have been told to begin.
    fn begun() -> Self {
        Self::begun_with(None)
    }

    fn begun_with(kill: Option<(PartyId, usize)>) -> Self {
        let World { node, config, dir } = world();
        let (steward, treasury, auditors, plan) =
            (config.steward, config.treasury, config.auditors, config.plan);
        let rng = ChaCha20Rng::seed_from_u64(9);
        let mut hosts = Self {
            hosts: BTreeMap::new(),
            queue: VecDeque::new(),
            node: Arc::new(Mutex::new(node)),
            away: BTreeSet::new(),
            kill,
            batch: config.batch,
            offices: Some(Offices { steward, treasury, auditors, plan, rng }),
            _dir: dir,
        };
        for party in PartyId::ALL {
            hosts.start(party, Disk::default());
        }
        hosts.tick(20);
        hosts
    }

    /// Starts a host with what is on its disk.
    fn start(&mut self, party: PartyId, disk: Disk) {
        let chain = self.node.lock().unwrap().ledger().origin().chain;
        let at = Address::Party(party);
        let rng = ChaCha20Rng::seed_from_u64(party.index() as u64);
        let carried = (self.batch, disk.shelf.of(party).into());
        let core = Party::new((chain, EPOCH), secrets(party), carried, rng);
        let core = core.with_votes(&disk.votes).with_sitting(disk.sat).with_contribution(disk.contribution);
        let core = core.with_signed(disk.signed.clone()).with_archived(ARCHIVED);
        let settlement = Settlement::new(self.node.clone(), EPOCH, None);
        let cores: BTreeMap<Address, Box<dyn Core>> = BTreeMap::from([
            (Address::Intake(party), Box::new(Intake::new(party)) as Box<dyn Core>),
            (Address::Verifier(party), Box::new(Verifier::new(party))),
            (at, Box::new(core)),
            (Address::Coordinator, Box::new(Coordinator::new())),
            (Address::Settlement, Box::new(settlement)),
        ]);
        let closed = self.hosts.get(&party).is_some_and(|host| host.closed);
        let (said, events) = (BTreeMap::new(), Vec::new());
        let host = Host { cores, said, events, closed: false, disk, recalls: 0 };
        self.hosts.insert(party, host);
        self.away.remove(&party);
        // What the chain has comes first, then what the host had acknowledged, then the end of the window.
        self.push(party, Address::Settlement, Address::Settlement, Message::Tick);
        self.run();
        if self.phase(party).is_none() {
            self.tell(party, Address::Coordinator, Message::Begin);
        }
        for bytes in self.hosts[&party].disk.bundles.clone() {
            let (id, bundle) = intake::read(&bytes);
            let bundle = Arc::new(bundle.expect("it was acknowledged"));
            self.push(party, Address::Intake(party), Address::Verifier(party), Message::Verify(id, bundle));
        }
        self.run();
        if closed {
            self.close_at(party);
        }
        for peer in [party.next(), party.previous()] {
            let Some(host) = self.hosts.get(&peer).filter(|_| !self.away.contains(&peer)) else { continue };
            let reports = host.said.values().cloned().collect::<Vec<_>>();
            let anew = Message::Restarted(Address::Party(party));
            self.push(peer, Address::Outside, Address::Party(peer), anew);
            for report in reports {
                self.abroad((Address::Party(peer), party), Parcel::Report(report));
            }
        }
        self.run();
    }

    fn restart(&mut self, party: PartyId) {
        let disk = std::mem::take(&mut self.hosts.get_mut(&party).expect("it was there").disk);
        self.queue.retain(|(host, ..)| *host != party);
        self.start(party, disk);
    }

    fn close_at(&mut self, party: PartyId) {
        self.hosts.get_mut(&party).expect("a host").closed = true;
        self.tell(party, Address::Coordinator, Message::EndOfWindow);
    }

    fn push(&mut self, host: PartyId, from: Address, to: Address, message: Message) {
        self.queue.push_back((host, from, to, message));
    }

    fn tell(&mut self, host: PartyId, to: Address, message: Message) {
        self.push(host, Address::Outside, to, message);
        self.run();
    }

    /// Carries something to another host, over the wire.
    fn abroad(&mut self, (from, host): (Address, PartyId), parcel: Parcel) {
        if self.away.contains(&host) || !self.hosts.contains_key(&host) {
            return;
        }
        let wire = Wire { epoch: EPOCH, parcel };
        let (to, message) = match Wire::from_bytes(&wire.to_bytes()).expect("it survives the wire").parcel {
            Parcel::Letter(letter) => (Address::Party(host), Message::Peer(letter)),
            Parcel::Report(report) => (Address::Coordinator, Message::Report(report)),
        };
        self.push(host, from, to, message);
    }

    fn run(&mut self) {
        while let Some((at, from, to, message)) = self.queue.pop_front() {
            if self.away.contains(&at) {
                continue;
            }
            let host = self.hosts.get_mut(&at).expect("a host");
            let Some(core) = host.cores.get_mut(&to) else { continue };
            let effects = core.handle(from, message);
            self.carry_out(at, to, effects);
        }
    }

    fn carry_out(&mut self, at: PartyId, of: Address, effects: Vec<Effect>) {
        for effect in effects {
            if let Some((party, left)) = &mut self.kill
                && *party == at
            {
                if *left == 0 {
                    self.kill = None;
                    return self.restart(at);
                }
                *left -= 1;
            }
            let host = self.hosts.get_mut(&at).expect("a host");
            match effect {
                Effect::Send(to, message) => self.send(at, of, to, message),
                Effect::Publish(event) => host.events.push(event),
                Effect::Keep(party, shard, carried) => host.disk.shelf.put(party, shard, carried).unwrap(),
                Effect::Contribute(value) => host.disk.contribution = Some(value),
                Effect::Hold(header, bundles) => {
                    bundles.iter().for_each(|bundle| host.disk.keep(&bundle.to_bytes()));
                    host.disk.signed.insert(header, bundles.iter().map(|bundle| bundle.id()).collect());
                }
                Effect::Lend(to, shard, ids) => {
                    let found = ids.iter().filter_map(|id| host.disk.bundle(id));
                    let found: Vec<_> =
                        found.map(|bytes| intake::read(bytes).1.expect("it is one")).collect();
                    for bundle in found {
                        let message = PeerMessage::Bundle(Box::new(bundle));
                        let letter = Letter { shard, sitting: Sitting::default(), message };
                        self.send(at, of, to, Message::Peer(letter));
                    }
                }
                Effect::Recall(context, ids, complaint) => {
                    let found = ids.iter().filter_map(|id| host.disk.bundle(id));
                    let found = found.map(|bytes| intake::read(bytes).1.expect("it is one"));
                    let message =
                        Message::Recalled(context.shard.index(), complaint, recall(&context, found));
                    host.recalls += 1;
                    self.push(at, of, of, message);
                }
                Effect::Sit(sitting) => {
                    let before = host.disk.sat.replace(sitting);
                    assert!(before.is_none_or(|before| before < sitting), "no sitting begins twice");
                }
                Effect::Store(record) => host.disk.votes.push(record),
                Effect::Verify(epoch, bundles) => {
                    let results = verify_all(&epoch, &bundles, &mut rand_core::OsRng);
                    self.push(at, of, of, Message::BatchVerified(results));
                }
            }
        }
    }

    fn send(&mut self, at: PartyId, from: Address, to: Address, message: Message) {
        let Ways { here, abroad } = ways(Address::Party(at), from, to, &message);
        let parcel = match &message {
            Message::Peer(letter) => Some(Parcel::Letter(letter.clone())),
            Message::Report(report) => {
                let host = self.hosts.get_mut(&at).expect("a host");
                host.said.insert(key_of(report), report.clone());
                Some(Parcel::Report(report.clone()))
            }
            _ => None,
        };
        for host in abroad {
            if let (Address::Party(host), Some(parcel)) = (host, parcel.clone()) {
                self.abroad((from, host), parcel);
            }
        }
        if here {
            self.push(at, from, to, message);
        }
    }

    /// Lets time pass on every host that is there, and for those who hold an office.
    fn tick(&mut self, ticks: u32) {
        for _ in 0..ticks {
            if let Some(mut offices) = self.offices.take() {
                while offices.act(&*self.node, false).expect("the ledger takes it") {}
                self.offices = Some(offices);
            }
            for party in PartyId::ALL {
                for at in [Address::Settlement, Address::Coordinator, Address::Party(party)] {
                    self.push(party, at, at, Message::Tick);
                    self.run();
                }
            }
        }
    }

    fn opened(&self) -> OpenedEpoch {
        let of = |event: &Event| match event {
            Event::Opened(opened) => Some(opened.clone()),
            _ => None,
        };
        self.hosts[&PartyId::ALL[0]].events.iter().find_map(of).expect("the epoch is open")
    }

    /// Hands a bundle to those of these hosts that are there: each has it on disk when its party has taken it in.
    fn submit(&mut self, parties: &[PartyId], id: Digest, bytes: &[u8]) {
        let there = |party: &&PartyId| !self.away.contains(party);
        for party in parties.iter().filter(there).copied().collect::<Vec<_>>() {
            self.tell(party, Address::Intake(party), Message::Submit(bytes.into()));
            let host = self.hosts.get_mut(&party).expect("a host");
            let taken = |event: &Event| matches!(event, Event::Provisional { bundle, .. } if *bundle == id);
            if host.events.iter().any(taken) {
                host.disk.keep(bytes);
            }
        }
    }

    fn submit_all(&mut self) {
        self.submit_to(&PartyId::ALL);
    }

    /// Hands the bundles in to these hosts. The others get them from there.
    fn submit_to(&mut self, parties: &[PartyId]) {
        let opened = self.opened();
        for seed in 0..BUNDLES {
            let events = vec![event((seed % 10) as u16, 0, seed % 2 == 0)];
            let bundle = TestSubscriber::new(100 + seed).bundle(&opened.shards[0], events);
            self.submit(parties, bundle.id(), &bundle.to_bytes());
        }
    }

    fn close(&mut self) {
        for party in PartyId::ALL {
            self.close_at(party);
        }
    }

    fn phase(&self, party: PartyId) -> Option<Phase> {
        let of = |event: &Event| match event {
            Event::Phase(phase) => Some(*phase),
            _ => None,
        };
        self.hosts[&party].events.iter().filter_map(of).next_back()
    }

    /// Every host came to the end of the epoch, and the record counts every bundle once.
    fn assert_settled(&self) {
        self.assert_settled_with(BUNDLES);
    }

    fn assert_settled_with(&self, bundles: u64) {
        for party in PartyId::ALL {
            let abort = self.hosts[&party].events.iter().find_map(|event| match event {
                Event::Aborted { reason, .. } => Some(reason.clone()),
                _ => None,
            });
            assert_eq!((self.phase(party), abort), (Some(Phase::Done), None), "host {party}");
        }
        let record = self.node.lock().unwrap().record(EPOCH).expect("it is settled");
        let verdict = light::verify(&record, None).expect("the record holds");
        assert_eq!(verdict.bundles, bundles);
        let listeners: u64 = record.shards[0].totals.iter().map(|cell| cell.listeners).sum();
        assert_eq!(listeners, bundles);
    }
}

#[test]
fn three_hosts_settle_an_epoch() {
    let mut hosts = Hosts::begun();
    hosts.submit_all();
    hosts.close();
    hosts.tick(20);
    hosts.assert_settled();
}

/// Windows end by the clock of each host: one may still take bundles in while another waits for it.
#[test]
fn windows_that_do_not_end_together_lose_nothing() {
    let mut hosts = Hosts::begun();
    let [one, two, three] = PartyId::ALL;
    hosts.submit_all();
    hosts.close_at(two);
    hosts.tick(5);
    assert_eq!((hosts.phase(one), hosts.phase(two)), (Some(Phase::Collect), Some(Phase::Close)));
    hosts.close_at(one);
    hosts.close_at(three);
    hosts.tick(20);
    hosts.assert_settled();
}

/// How many effects each host is asked for in an epoch without a fault.
fn effects_of(party: PartyId) -> usize {
    let mut hosts = Hosts::begun_with(Some((party, usize::MAX)));
    hosts.submit_all();
    hosts.close();
    hosts.tick(20);
    usize::MAX - hosts.kill.expect("nobody was killed").1
}

/// A host that is killed at any moment, and started again, leaves the totals as they are.
#[test]
fn a_host_may_be_killed_at_any_moment() {
    for party in PartyId::ALL {
        let effects = effects_of(party);
        let step = 1 + effects / 40;
        for at in (0..effects).step_by(step) {
            let mut hosts = Hosts::begun_with(Some((party, at)));
            hosts.submit_all();
            hosts.close();
            hosts.tick(LONG);
            assert_eq!(hosts.kill, None, "host {party} was killed at effect {at} of {effects}");
            hosts.assert_settled();
        }
    }
}

/// All hosts are killed at once when batches are final and the epoch is not frozen: what is on their disks is enough, also
/// where a bundle came to one of them alone.
#[test]
fn all_hosts_may_be_killed_at_once() {
    let mut hosts = Hosts::begun();
    hosts.submit_to(&PartyId::ALL[..1]);
    hosts.close_at(PartyId::ALL[0]);
    hosts.tick(20);
    let anchored = |hosts: &Hosts| {
        let node = hosts.node.lock().unwrap();
        let state = node.ledger().state();
        state.anchors_of(EPOCH, primitives::ShardIndex(0)).count()
    };
    assert!(anchored(&hosts) > 0, "a batch is final");
    let disks: Vec<_> = hosts.hosts.values_mut().map(|host| std::mem::take(&mut host.disk)).collect();
    hosts.queue.clear();
    hosts.away = PartyId::ALL.into();
    for (party, disk) in PartyId::ALL.into_iter().zip(disks) {
        hosts.start(party, disk);
    }
    hosts.close();
    hosts.tick(LONG);
    hosts.assert_settled();
}

/// Two hosts that are killed, one after the other, while totals are opened.
#[test]
fn hosts_begin_anew_as_often_as_any_of_them_is_killed() {
    let [one, two, _] = PartyId::ALL;
    let (first, second) = (effects_of(one), effects_of(two));
    for back in [4, 12, 20] {
        let mut hosts = Hosts::begun_with(Some((one, first - back)));
        hosts.submit_all();
        hosts.close();
        hosts.kill = hosts.kill.or(Some((two, (second / 50).max(back))));
        hosts.tick(LONG);
        hosts.assert_settled();
    }
}

/// A bundle with a share that one of its holders cannot use.
fn lying(opened: &OpenedEpoch, seed: u64, lie: impl FnOnce(&mut RawWitness)) -> Bundle {
    TestSubscriber::new(seed).lying_bundle(&opened.shards[0], vec![event(2, 0, false)], lie)
}

/// A host that is started again has bundles on its disk that were struck, and no complaint of any. The others show it theirs:
/// on their word alone it would count them as left out, and stop.
#[test]
fn a_host_that_was_killed_hears_again_why_bundles_are_struck() {
    let [one, _, three] = PartyId::ALL;
    let mut hosts = Hosts::begun();
    let opened = hosts.opened();
    for seed in 0..BUNDLES {
        let bad = lying(&opened, 300 + seed, |w| w.spoiled_share = Some(three));
        hosts.submit(&PartyId::ALL, bad.id(), &bad.to_bytes());
    }
    hosts.submit_all();
    hosts.tick(20);
    for _ in 0..2 {
        hosts.restart(one);
        hosts.tick(20);
    }
    hosts.close();
    hosts.tick(LONG);
    hosts.assert_settled();
}

/// A party was away while a bundle became final of which it cannot read a share. The share's other holder no longer has the
/// bundle in memory, may have frozen the epoch, and may have been started again: it has it on its disk.
#[test]
fn a_share_of_a_final_bundle_is_shown_from_disk() {
    let [one, two, three] = PartyId::ALL;
    for (frozen, restarts) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut hosts = Hosts::begun();
        let opened = hosts.opened();
        hosts.away.insert(three);
        // In several batches: one after the other is read for party 3, and it names nobody meanwhile.
        for seed in 300..300 + TRAPS {
            let bad = lying(&opened, seed, |w| w.unreadable = Some((three, three)));
            hosts.submit(&[one, two], bad.id(), &bad.to_bytes());
            let good = TestSubscriber::new(400 + seed).bundle(&opened.shards[0], vec![event(1, 0, false)]);
            hosts.submit(&[one, two], good.id(), &good.to_bytes());
            hosts.tick(20);
        }
        hosts.submit_to(&[one, two]);
        hosts.tick(LONG);
        if frozen {
            hosts.close_at(one);
            hosts.close_at(two);
            // As long as the committee is patient with the third.
            hosts.tick(LONG);
            assert_eq!(hosts.phase(two), Some(Phase::Sum), "two of them froze the epoch");
        }
        if restarts {
            hosts.restart(two);
        }
        hosts.restart(three);
        hosts.tick(10);
        if restarts {
            hosts.restart(three);
        }
        for party in PartyId::ALL {
            hosts.close_at(party);
        }
        hosts.tick(LONG);
        assert!(hosts.hosts[&two].recalls > 0, "frozen: {frozen}, restarts: {restarts}");
        hosts.assert_settled_with(BUNDLES + 2 * TRAPS);
    }
}
