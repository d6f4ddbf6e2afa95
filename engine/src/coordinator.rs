//! Coordinator: moves the phases of an epoch (protocol notes, section 6). It sees public messages only, and what it says
//! opens nothing by itself: parties open the totals of the root that they froze, if a quorum signed it. A wrong
//! coordinator can halt an epoch, not falsify it.

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Aggregate, Message, OpenedEpoch, Phase, Report},
    party::evidence::{Evidence, Omission},
};
use chain::modules::usage::aggregate_digest;
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    committee::Signatures,
    tally::{EpochRoot, SignedHeader, SignedRoot, Tally, TallyProof, header::leader},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What parties said, with their signatures.
type Said<T> = BTreeMap<PartyId, (T, [u8; 64])>;

/// State of the coordinator.
#[derive(Default)]
pub struct Coordinator {
    phase: Option<Phase>,
    epoch: Option<OpenedEpoch>,
    /// Next position and bundles that wait, of each shard.
    drained: BTreeMap<ShardIndex, BTreeMap<PartyId, (u64, usize)>>,
    /// What the chain has anchored.
    anchored: Vec<Arc<SignedHeader>>,
    roots: BTreeMap<ShardIndex, Said<EpochRoot>>,
    frozen: BTreeMap<ShardIndex, Arc<SignedRoot>>,
    totals: BTreeMap<ShardIndex, Said<Box<(Tally, TallyProof)>>>,
    opened: BTreeMap<ShardIndex, Box<Aggregate>>,
    /// Shards whose root, and later whose totals, the chain has.
    on_record: BTreeSet<ShardIndex>,
}

impl Coordinator {
    /// A coordinator that waits for the word to begin.
    pub fn new() -> Self {
        Self::default()
    }

    fn enter(&mut self, phase: Phase) -> Vec<Effect> {
        self.phase = Some(phase);
        let mut effects: Vec<_> =
            Address::seats().map(|to| Effect::Send(to, Message::Phase(phase))).collect();
        effects.push(Effect::Publish(Event::Phase(phase)));
        effects
    }

    fn abort(&mut self, accuser: Option<PartyId>, culprit: Option<PartyId>, reason: String) -> Vec<Effect> {
        if matches!(self.phase, Some(Phase::Done | Phase::Aborted)) {
            return Vec::new();
        }
        let mut effects = self.enter(Phase::Aborted);
        effects.push(Effect::Publish(Event::Aborted { accuser, culprit, reason }));
        effects
    }

    /// Whether a signature is the party's. The committee is known once the epoch is open.
    fn signed(&self, party: PartyId, digest: &Digest, signature: &[u8; 64]) -> bool {
        let epoch = self.epoch.as_ref();
        epoch.is_some_and(|epoch| epoch.committee().verify(party, digest, signature).is_ok())
    }

    /// The epoch's shards.
    fn shards(&self) -> impl Iterator<Item = ShardIndex> {
        let count = self.epoch.as_ref().map_or(0, |epoch| epoch.shards.len());
        (0..).map(ShardIndex).take(count)
    }

    /// Evidence against a party by the root that it signed, if there is any.
    fn omission(&self, party: PartyId, root: &EpochRoot, signature: &[u8; 64]) -> Option<Evidence> {
        let committee = self.epoch.as_ref()?.committee();
        Omission::find(committee, (party, root, signature), &self.anchored).map(Evidence::Omission)
    }

    fn dropped(from: Address, reason: &'static str) -> Vec<Effect> {
        vec![Effect::Publish(Event::Dropped { at: Address::Coordinator, from, reason })]
    }

    /// Notes that the chain has something of a shard; whether it now has that of every shard.
    fn recorded(&mut self, shard: ShardIndex) -> bool {
        self.on_record.insert(shard);
        let all = self.shards().all(|shard| self.on_record.contains(&shard));
        if all {
            self.on_record.clear();
        }
        all
    }

    /// Whether all parties have said that nothing of a shard waits, at the same position.
    fn is_drained(&self, shard: ShardIndex) -> bool {
        let Some(drained) = self.drained.get(&shard) else { return false };
        let position = drained.values().next().map(|(position, _)| *position);
        drained.len() == PartyId::ALL.len()
            && drained.values().all(|said| Some(*said) == position.map(|p| (p, 0)))
    }

    fn report(&mut self, party: PartyId, report: Report) -> Vec<Effect> {
        let shard = match &report {
            Report::Drained { shard, .. } | Report::Totals(shard, ..) => Some(*shard),
            Report::Root(root, _) => Some(root.shard),
            Report::Stopped { .. } => None,
        };
        if shard.is_some_and(|named| self.shards().all(|shard| shard != named)) {
            return Self::dropped(Address::Party(party), "a report of a shard that the epoch does not have");
        }
        match (report, self.phase) {
            (Report::Drained { shard, position, pending }, Some(Phase::Close)) => {
                let drained = self.drained.entry(shard).or_default();
                drained.insert(party, (position, pending));
                let same = drained.values().all(|(p, _)| *p == position);
                if drained.len() < PartyId::ALL.len() || !same {
                    return Vec::new();
                }
                let leads = leader(position);
                if drained.values().any(|(_, pending)| *pending > 0) && drained[&leads].1 == 0 {
                    // Nothing that waits is dropped because a leader does not propose it: the next one leads.
                    vec![Effect::Send(Address::Party(leads), Message::Pass(shard))]
                } else if self.shards().all(|shard| self.is_drained(shard)) {
                    self.enter(Phase::Sum)
                } else {
                    Vec::new()
                }
            }
            (Report::Root(root, signature), Some(Phase::Sum)) => {
                if !self.signed(party, &root.digest(), &signature) {
                    return self.abort(None, Some(party), format!("party {party} signed no root"));
                }
                if let Some(found) = self.omission(party, &root, &signature) {
                    let (by, evidence) = (Address::Coordinator, Box::new(found));
                    let reason = format!("party {party} signed a root that leaves an anchored batch out");
                    let shown = Effect::Publish(Event::Evidence { by, evidence });
                    return [shown].into_iter().chain(self.abort(None, Some(party), reason)).collect();
                }
                let shard = root.shard;
                let roots = self.roots.entry(shard).or_default();
                roots.insert(party, (root, signature));
                if roots.len() < PartyId::ALL.len() {
                    return Vec::new();
                }
                let roots = std::mem::take(roots);
                match agreed(&roots) {
                    Some((root, signatures)) => {
                        let signed = SignedRoot { root: root.clone(), signatures };
                        self.frozen.insert(shard, Arc::new(signed.clone()));
                        vec![Effect::Send(Address::Settlement, Message::AnchorRoot(signed))]
                    }
                    None => self.abort(None, None, "the parties froze different sets".into()),
                }
            }
            (Report::Totals(shard, totals, signature), Some(Phase::Open)) => {
                let frozen = self.frozen.get(&shard);
                let digest = frozen.map(|frozen| aggregate_digest(&frozen.root, &totals.0, &totals.1));
                if !digest.is_some_and(|digest| self.signed(party, &digest, &signature)) {
                    return self.abort(None, Some(party), format!("party {party} signed no totals"));
                }
                let said = self.totals.entry(shard).or_default();
                said.insert(party, (totals, signature));
                if said.len() < PartyId::ALL.len() {
                    return Vec::new();
                }
                let said = std::mem::take(said);
                match agreed(&said) {
                    Some((opened, signatures)) => {
                        let (tally, proof) = (**opened).clone();
                        self.opened.insert(shard, Box::new(Aggregate { shard, tally, proof, signatures }));
                        if self.shards().any(|shard| !self.opened.contains_key(&shard)) {
                            return Vec::new();
                        }
                        let mut effects = self.enter(Phase::Prove);
                        for aggregate in std::mem::take(&mut self.opened).into_values() {
                            effects.push(Effect::Send(Address::Settlement, Message::Aggregate(aggregate)));
                        }
                        effects
                    }
                    None => self.abort(None, None, "the parties opened different totals".into()),
                }
            }
            (Report::Stopped { culprit, reason }, _) => {
                let reason = format!("party {party} stopped: {reason}");
                self.abort(Some(party), culprit, reason)
            }
            (_, _) => Self::dropped(Address::Party(party), "a report that does not belong to this phase"),
        }
    }
}

/// What all parties say, with all signatures, if they say the same.
fn agreed<T: PartialEq>(said: &Said<T>) -> Option<(&T, Signatures)> {
    let (first, _) = said.values().next()?;
    let mut signatures = Signatures::default();
    for (party, (value, signature)) in said {
        if value != first {
            return None;
        }
        signatures.insert(*party, *signature);
    }
    Some((first, signatures))
}

impl Core for Coordinator {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        match (from, message, self.phase) {
            (Address::Outside, Message::Begin, None) => self.enter(Phase::Announce),
            (Address::Settlement, Message::Opened(opened), Some(Phase::Announce)) => {
                self.epoch = Some(opened);
                self.enter(Phase::Collect)
            }
            (Address::Outside, Message::EndOfWindow, Some(Phase::Collect)) => self.enter(Phase::Close),
            (Address::Party(party), Message::Report(report), _) => self.report(party, report),
            (Address::Settlement, Message::Anchored(header), _) => {
                self.anchored.push(header);
                Vec::new()
            }
            (Address::Settlement, Message::RootAnchored(shard), Some(Phase::Sum)) => {
                if !self.recorded(shard) {
                    return Vec::new();
                }
                let mut effects = self.enter(Phase::Open);
                for root in self.frozen.values() {
                    let open = |party| Effect::Send(Address::Party(party), Message::Open(root.clone()));
                    effects.extend(PartyId::ALL.map(open));
                }
                effects
            }
            (Address::Settlement, Message::AggregateRecorded(shard), Some(Phase::Prove)) => {
                if !self.recorded(shard) {
                    return Vec::new();
                }
                let mut effects = self.enter(Phase::Settle);
                effects.push(Effect::Send(Address::Settlement, Message::Settle));
                effects
            }
            (Address::Settlement, Message::Settled, Some(Phase::Settle)) => self.enter(Phase::Done),
            (Address::Settlement, Message::ChainRefused(reason), _) => self.abort(None, None, reason),
            (from, _, _) => Self::dropped(from, "not a message for the coordinator now"),
        }
    }
}
