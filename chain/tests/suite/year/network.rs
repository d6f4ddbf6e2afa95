//! Nodes of the year: four operators with a node each, one of whom stops answering in summer.

use super::*;
use chain::modules::{
    identity::{Register, SetStatus, Status},
    node_rewards::*,
    treasury::Transfer,
};
use primitives::{BasisPoints, Region};
use std::collections::BTreeMap;

const OPERATORS: u8 = 4;
/// Weeks in which nodes are on record and take part.
const BEGIN: u64 = 6;
/// First week in which the last operator shows nothing.
const SILENT: u64 = 30;

#[derive(Default)]
pub(super) struct Network {
    claimed: Credits,
}

fn operator(n: u8) -> PersonId {
    person(0x20 + n)
}

fn node(n: u8) -> NodeId {
    node_id(&operator(n), &digest(n))
}

fn content() -> StoredContent {
    StoredContent::new(&[7; 60_000]).expect("content")
}

fn kept() -> primitives::WorkId {
    id_of(1, 1)
}

fn join(world: &mut World, n: u8) {
    let key = SecretKey::generate(&mut world.rng);
    let register = Register {
        person: operator(n),
        key: key.public_key(),
        roles: Roles::NODE,
        credential: digest(n),
        nullifier: digest(200 + n),
    };
    world.keys.insert(operator(n), key);
    world.ok(REGISTRAR, Payload::Register(register));
    world.ok(REGISTRAR, Payload::SetStatus(SetStatus { person: operator(n), status: Status::Active }));
    let amount = Credits(2 * Credits::ONE.0);
    world.ok(person(1), Payload::Transfer(Transfer { to: operator(n), amount }));
    let region = Region::all().next().expect("a region");
    let (name, descriptor, manifests) = (digest(n), digest(n), Vec::new());
    let services = Services::STORAGE;
    let node = RegisterNode { name, region, services, descriptor, manifests };
    world.ok(operator(n), Payload::RegisterNode(node));
}

impl Network {
    /// Before the epoch of a week is prepared.
    pub(super) fn before(&mut self, world: &mut World, week: u64) {
        if week != BEGIN - 1 {
            return;
        }
        claim(world, [person(1)]);
        let content = content();
        let (root, chunks) = (content.root(), content.chunks());
        let registered = RegisterContent { work: kept(), manifest: digest(1), root, chunks };
        world.ok(person(1), Payload::RegisterContent(registered));
        (0..OPERATORS).for_each(|n| join(world, n));
    }

    /// While it runs: answers for the week before, commitments and reports of this one.
    pub(super) fn during(&mut self, world: &mut World, week: u64) {
        if week < BEGIN {
            return;
        }
        let books = Books { contents: BTreeMap::from([(kept(), content())]), vouchers: None, jobs: None };
        for n in 0..OPERATORS {
            let silent = n + 1 == OPERATORS && week > SILENT;
            if week > BEGIN && !silent {
                let before = epoch(week - 1);
                let audited = world.ledger.state().audit(node(n), before, Contribution::Storage);
                let evidence = books.answer(&audited.expect("an audit")).expect("everything is kept");
                world.ok(
                    operator(n),
                    Payload::AnswerAudit(AnswerAudit { node: node(n), epoch: before, evidence }),
                );
            }
            // Two silences cost a part of the bond each, and with less than a whole one nothing is committed to.
            if n + 1 == OPERATORS && week > SILENT + 1 {
                continue;
            }
            let claimed = Claimed::Storage(StoredWorks(vec![kept()]));
            let commit = CommitMetrics { node: node(n), epoch: epoch(week), claimed };
            world.ok(operator(n), Payload::CommitMetrics(commit));
            let targets = world.ledger.state().watch(epoch(week)).targets(node(n));
            let there = BasisPoints::new(9_900).expect("a part");
            let seen = targets.into_iter().map(|id| (id, there)).collect();
            let report = AttestUptime { epoch: epoch(week), witness: node(n), seen };
            world.ok(operator(n), Payload::AttestUptime(report));
        }
    }

    /// Once it is settled: the week before is scored and paid.
    pub(super) fn after(&mut self, world: &mut World, week: u64) {
        if week <= BEGIN {
            return;
        }
        let epoch = epoch(week - 1);
        world.open_ok(Payload::ScoreNodes(ScoreNodes { epoch }));
        let scores = world.ledger.state().scores.get(&epoch).expect("scored").clone();
        for reward in scores.rewards.iter().filter(|_| week.is_multiple_of(2)) {
            world.open_ok(Payload::ClaimReward(ClaimReward { epoch, payee: reward.payee }));
            self.claimed = self.claimed.checked_add(reward.amount()).expect("a sum of rewards");
        }
        world.seal();
    }

    /// What must have come of it.
    pub(super) fn check(&self, world: &World) {
        let state = world.ledger.state();
        assert!(self.claimed > Credits::ZERO && state.fund(Fund::NodeRewards) > Credits::ZERO);
        let bond = |n| state.nodes.get(&node(n)).expect("a node").bond;
        assert_eq!(bond(0), Credits::ONE);
        assert_eq!(bond(OPERATORS - 1), Credits(810_000), "a tenth for each of two silences");
    }
}
