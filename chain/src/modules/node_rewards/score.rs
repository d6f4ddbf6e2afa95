//! Scores of an epoch: what counts, what it earns, and who claims it (chain spec 6.4).

use super::{
    ClaimReward, Contribution, NodeError, NodeRules, ScoreNodes,
    allocate::Done,
    check::cut_bond,
    content::Content,
    metrics::{Audit, Claimed, Metrics, slot},
    types::{Node, NodeId, Payee, RewardNullifier},
};
use crate::{
    merkle,
    modules::{
        identity::{Identity, Roles, Status},
        treasury::{self, Fund},
        usage::{Epoch, Phase},
    },
    poseidon::{Felt, FeltDomain, hash_many},
    state::{Draft, Fields, Leaf, State, TableId, ToFelts, fields::record},
};
use primitives::{
    CodecError, Credits, Decode, Digest, Domain, Encode, EpochId, PartyId, PersonId, Reader, WorkId, Writer,
    hash,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most rewards of an epoch that are read back: all nodes, and more persons than juries draw in an epoch.
const MAX_REWARDS: usize = super::MAX_NODES + (1 << 20);

/// What a node or a person earns with one kind of contribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earned {
    /// With what.
    pub kind: Contribution,
    /// Units that count.
    pub units: u64,
    /// What they earn.
    pub amount: Credits,
}

record!(Earned { kind, units, amount });

/// What an epoch owes for a node or to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reward {
    /// For what.
    pub payee: Payee,
    /// Who is paid.
    pub to: PersonId,
    /// With what it was earned.
    pub earned: Vec<Earned>,
}

impl Reward {
    /// All of it.
    pub fn amount(&self) -> Credits {
        self.earned.iter().map(|earned| earned.amount).sum()
    }
}

impl Encode for Reward {
    fn encode(&self, w: &mut Writer) {
        self.payee.encode(w);
        self.to.encode(w);
        w.seq(&self.earned);
    }
}

impl Decode for Reward {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (payee, to) = (Decode::decode(r)?, Decode::decode(r)?);
        Ok(Self { payee, to, earned: r.seq(Contribution::ALL.len())? })
    }
}

impl ToFelts for Reward {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.payee).push(&self.to).push(&self.earned);
    }
}

/// What an epoch owes to nodes and persons. Claims are held against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeScores {
    /// Epoch.
    pub epoch: EpochId,
    /// What there was to divide.
    pub budget: Credits,
    /// What is owed.
    pub owed: Credits,
    /// Rewards, by payee.
    pub rewards: Vec<Reward>,
}

impl NodeScores {
    /// The reward of a payee.
    pub fn reward(&self, payee: &Payee) -> Option<&Reward> {
        let at = self.rewards.binary_search_by_key(payee, |reward| reward.payee).ok()?;
        Some(&self.rewards[at])
    }

    /// Root over the rewards.
    pub fn root(&self) -> Felt {
        let leaf = |reward: &Reward| hash_many(FeltDomain::StateValue, &reward.to_felts());
        merkle::root(&self.rewards.iter().map(leaf).collect::<Vec<_>>())
    }
}

impl Encode for NodeScores {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        self.budget.encode(w);
        self.owed.encode(w);
        w.seq(&self.rewards);
    }
}

impl Decode for NodeScores {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (epoch, budget, owed) = (Decode::decode(r)?, Decode::decode(r)?, Decode::decode(r)?);
        Ok(Self { epoch, budget, owed, rewards: r.seq(MAX_REWARDS)? })
    }
}

impl Leaf for NodeScores {
    type Key = EpochId;
    const TABLE: TableId = TableId::NodeScores;
    fn key(&self) -> EpochId {
        self.epoch
    }
    fn value(&self) -> Vec<Felt> {
        (self.epoch, (self.budget, self.owed), self.root()).to_felts()
    }
}

impl State {
    /// The order in which nodes are paid for the content of a work: drawn, so that coming first is worth nothing.
    fn replica(seed: &Digest, work: &WorkId, node: &NodeId) -> Digest {
        hash::hash(Domain::Replica, &[&seed.0, &work.0, &node.0])
    }

    /// Metrics of an epoch of one kind that passed their audit, with their nodes, if the operators may be paid.
    fn passed(&self, epoch: EpochId, kind: Contribution) -> impl Iterator<Item = (&Node, &Metrics)> {
        let nodes = self.nodes.iter().filter(move |node| node.takes_part(epoch) && self.may_run(node));
        nodes.filter_map(move |node| {
            let metrics = self.metrics_of(node.id, epoch, kind)?;
            (metrics.audit == Audit::Passed && metrics.counted > 0).then_some((node, metrics))
        })
    }

    fn may_run(&self, node: &Node) -> bool {
        self.identities.get(&node.operator).is_some_and(|operator| operator.acts_as(Roles::NODE))
    }

    /// Chunks of each node that are paid for: of each work's content those of a limited number of nodes, all of
    /// different operators; and only of works that were paid for themselves, because content that nobody asks for can
    /// be made up.
    fn stored(&self, seed: &Digest, epoch: EpochId, rules: &NodeRules) -> BTreeMap<NodeId, u64> {
        let mut keepers: BTreeMap<WorkId, Vec<&Node>> = BTreeMap::new();
        for (node, metrics) in self.passed(epoch, Contribution::Storage) {
            let Claimed::Storage(works) = &metrics.claimed else { continue };
            for work in works.0.iter().filter(|work| self.payouts.get(&(epoch, **work)).is_some()) {
                keepers.entry(*work).or_default().push(node);
            }
        }
        let mut chunks = BTreeMap::new();
        for (work, mut nodes) in keepers {
            let content: &Content = self.contents.get(&work).expect("what was committed to is on record");
            nodes.sort_by_cached_key(|node| Self::replica(seed, &work, &node.id));
            let mut operators = BTreeSet::new();
            let paid = nodes.into_iter().filter(|node| operators.insert(node.operator));
            for node in paid.take(rules.replicas.into()) {
                *chunks.entry(node.id).or_default() += u64::from(content.chunks);
            }
        }
        chunks
    }

    /// Who did how much of a kind in an epoch that is settled, as far as it counts.
    pub fn done(&self, epoch: EpochId, kind: Contribution) -> Vec<Done> {
        let rules = &self.version_of(epoch).rules.nodes;
        let of_node = |node: &Node, units| Done { payee: Payee::Node(node.id), to: node.operator, units };
        let of_person = |to, units| Done { payee: Payee::Person(to), to, units };
        match kind {
            Contribution::Storage => {
                let Some(seed) = self.audit_seed(EpochId(epoch.0 + 1)) else { return Vec::new() };
                let chunks = self.stored(&seed, epoch, rules);
                chunks
                    .iter()
                    .map(|(node, units)| of_node(self.nodes.get(node).expect("a node"), *units))
                    .collect()
            }
            Contribution::Bandwidth | Contribution::Compute => {
                self.passed(epoch, kind).map(|(node, metrics)| of_node(node, metrics.counted)).collect()
            }
            Contribution::Uptime => {
                let watch = self.watch(epoch);
                let seen = self.uptimes(epoch, &watch).into_iter();
                // Who was drawn to watch others and said nothing earns nothing for being there.
                let drawn: BTreeSet<&NodeId> = watch.witnesses.values().flatten().collect();
                let watched = |node: &NodeId| !drawn.contains(node) || self.report_of(epoch, *node).is_some();
                seen.filter(|(node, uptime)| *uptime >= rules.uptime_floor && watched(node))
                    .filter_map(|(node, uptime)| Some((self.nodes.get(&node)?, uptime)))
                    .filter(|(node, _)| self.may_run(node))
                    .map(|(node, uptime)| of_node(node, uptime.get().into()))
                    .collect()
            }
            Contribution::Aggregation => {
                let served = self.operators_of(epoch).into_iter();
                served.filter(|who| self.acts(who, Roles::COMMITTEE)).map(|who| of_person(who, 1)).collect()
            }
            Contribution::Sequencing => {
                let all = self.identities.iter().filter(|who| who.acts_as(Roles::SEQUENCER));
                all.map(|who| of_person(who.person, 1)).collect()
            }
            // Nothing counts as a proof yet.
            Contribution::Proving => Vec::new(),
            Contribution::Curation => {
                let all = self.tasks.range((epoch, PersonId([0; 32]))..=(epoch, PersonId([0xff; 32])));
                let active = |who: &Identity| who.status == Status::Active;
                all.filter(|task| self.identities.get(&task.person).is_some_and(active))
                    .map(|task| of_person(task.person, task.units))
                    .collect()
            }
        }
    }

    fn acts(&self, who: &PersonId, role: Roles) -> bool {
        self.identities.get(who).is_some_and(|identity| identity.acts_as(role))
    }

    /// Who ran the parties of an epoch to its end: whoever took a vacant seat stands in the place of who left it.
    fn operators_of(&self, epoch: EpochId) -> Vec<PersonId> {
        let Some(opening) = self.openings.get(&epoch) else { return Vec::new() };
        let gone = self.replacements.get(&epoch).map(|seated| seated.party);
        let standby = opening.seating.standby.as_ref().map(|standby| standby.operator);
        let seats = PartyId::ALL.into_iter().zip(opening.seating.operators);
        seats
            .filter_map(|(party, operator)| if gone == Some(party) { standby } else { Some(operator) })
            .collect()
    }

    /// Scores of an epoch whose audits are over, with a budget.
    fn score(&self, epoch: EpochId, budget: Credits) -> NodeScores {
        let rules = &self.version_of(epoch).rules.nodes;
        let mut rewards: BTreeMap<Payee, Reward> = BTreeMap::new();
        for kind in Contribution::ALL {
            let done = self.done(epoch, kind);
            for (Done { payee, to, units }, amount) in done.iter().zip(rules.allocate(budget, kind, &done)) {
                let new = || Reward { payee: *payee, to: *to, earned: Vec::new() };
                let earned = Earned { kind, units: *units, amount };
                rewards.entry(*payee).or_insert_with(new).earned.push(earned);
            }
        }
        let rewards: Vec<_> =
            rewards.into_values().filter(|reward| reward.amount() > Credits::ZERO).collect();
        let owed = rewards.iter().map(Reward::amount).sum();
        NodeScores { epoch, budget, owed, rewards }
    }

    /// What an epoch owes to a payee, claimed or not.
    pub fn reward_of(&self, epoch: EpochId, payee: &Payee) -> Option<&Reward> {
        self.scores.get(&epoch)?.reward(payee)
    }

    /// Whether a reward was claimed.
    pub fn is_claimed(&self, epoch: EpochId, payee: Payee) -> bool {
        self.reward_claims.get(&(epoch, payee)).is_some()
    }

    /// Rewards of a person that wait to be claimed, for itself and for its nodes.
    pub fn rewards_owed(&self, to: PersonId) -> Vec<(EpochId, &Reward)> {
        let all = self.scores.iter().flat_map(|s| s.rewards.iter().map(move |reward| (s.epoch, reward)));
        all.filter(|(epoch, reward)| reward.to == to && !self.is_claimed(*epoch, reward.payee)).collect()
    }
}

/// Runs [`ScoreNodes`]. The same whoever asks.
pub(crate) fn score_nodes(draft: &mut Draft<'_>, action: &ScoreNodes) -> Result<(), NodeError> {
    let epoch = action.epoch;
    match draft.get::<Epoch>(&epoch).ok_or(NodeError::UnknownEpoch { epoch })?.phase {
        // Its revenue went to creators, and there is no share of it for nodes.
        Phase::Abandoned => return Err(NodeError::Abandoned { epoch }),
        Phase::Finalised | Phase::Open | Phase::Frozen | Phase::Aggregated => {}
    }
    if draft.has::<NodeScores>(&epoch) {
        return Err(NodeError::AlreadyScored { epoch });
    }
    let audits = draft.get::<Epoch>(&EpochId(epoch.0 + 1)).filter(|audits| audits.is_over());
    let audits = audits.ok_or(NodeError::StillOpen { epoch })?.phase;
    let state = draft.base();
    let rules = &state.version_of(epoch).rules.nodes;
    // Chain spec 7.3: "Capped and parameterized by governance. Backed by protocol revenue and treasury rules."
    let budget = rules.budget.min(state.fund(Fund::Infrastructure));
    let scores = state.score(epoch, budget);
    treasury::drain(draft, Fund::Infrastructure, scores.owed)?;
    treasury::fill(draft, Fund::NodeRewards, scores.owed)?;
    draft.put(scores);
    // Who said something of itself and did not answer for it.
    let silent = |node: &&Node| -> usize {
        let said = Contribution::AUDITED
            .into_iter()
            .filter_map(|kind| state.metrics.get(&(slot(epoch), node.id, kind)));
        said.filter(|metrics| metrics.epoch == epoch && metrics.audit == Audit::Due).count()
    };
    // An epoch that the steward gave up may have been over before anybody could answer.
    let asked = audits != Phase::Abandoned;
    for node in state.nodes.iter().filter(|node| asked && node.takes_part(epoch)) {
        for _ in 0..silent(&node) {
            let node = draft.get::<Node>(&node.id).expect("a node on record").clone();
            cut_bond(draft, node, rules.slash_silent)?;
        }
    }
    Ok(())
}

/// Runs [`ClaimReward`]. The same whoever asks: the credits go to who earned them.
pub(crate) fn claim_reward(draft: &mut Draft<'_>, action: &ClaimReward) -> Result<(), NodeError> {
    let ClaimReward { epoch, payee } = *action;
    let scores = draft.get::<NodeScores>(&epoch).ok_or(NodeError::NotScored { epoch })?;
    let reward = scores.reward(&payee).ok_or(NodeError::NotOwed { epoch, payee })?;
    let (to, amount) = (reward.to, reward.amount());
    // Chain spec 6.4: "No double-counting."
    if draft.has::<RewardNullifier>(&(epoch, payee)) {
        return Err(NodeError::AlreadyClaimed { epoch, payee });
    }
    treasury::drain(draft, Fund::NodeRewards, amount)?;
    treasury::credit(draft, to, amount)?;
    draft.put(RewardNullifier { epoch, payee });
    Ok(())
}
