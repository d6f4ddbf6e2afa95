//! Coordinator: moves the phases of an epoch (protocol notes, section 6). It sees public messages only, and what it says
//! opens nothing by itself: parties open the totals of the root that they froze, if a quorum signed it. A wrong
//! coordinator can halt an epoch, not falsify it.

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Aggregate, Message, Phase, Report},
};
use chain::modules::usage::aggregate_digest;
use primitives::{Digest, PartyId};
use proofs::{
    committee::Signatures,
    epoch::EpochContext,
    tally::{EpochRoot, SignedRoot, TallyProof, Totals, header::leader},
};
use std::{collections::BTreeMap, sync::Arc};

/// What parties said, with their signatures.
type Said<T> = BTreeMap<PartyId, (T, [u8; 64])>;

/// State of the coordinator.
pub struct Coordinator {
    phase: Option<Phase>,
    context: Option<Arc<EpochContext>>,
    frozen: Option<Arc<SignedRoot>>,
    drained: BTreeMap<PartyId, (u64, usize)>,
    roots: Said<EpochRoot>,
    totals: Said<Box<(Totals, TallyProof)>>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Self::new()
    }
}

impl Coordinator {
    /// A coordinator that waits for the word to begin.
    pub fn new() -> Self {
        Self {
            phase: None,
            context: None,
            frozen: None,
            drained: BTreeMap::new(),
            roots: BTreeMap::new(),
            totals: BTreeMap::new(),
        }
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
        let committee = self.context.as_ref().map(|context| &context.keys.committee);
        committee.is_some_and(|committee| committee.verify(party, digest, signature).is_ok())
    }

    fn report(&mut self, party: PartyId, report: Report) -> Vec<Effect> {
        match (report, self.phase) {
            (Report::Drained { position, pending }, Some(Phase::Close)) => {
                self.drained.insert(party, (position, pending));
                let same = self.drained.values().all(|(p, _)| *p == position);
                if self.drained.len() < PartyId::ALL.len() || !same {
                    return Vec::new();
                }
                let leads = leader(position);
                if self.drained.values().all(|(_, pending)| *pending == 0) {
                    self.enter(Phase::Sum)
                } else if self.drained[&leads].1 == 0 {
                    // Nothing that waits is dropped because a leader does not propose it: the next one leads.
                    vec![Effect::Send(Address::Party(leads), Message::Pass)]
                } else {
                    Vec::new()
                }
            }
            (Report::Root(root, signature), Some(Phase::Sum)) => {
                if !self.signed(party, &root.digest(), &signature) {
                    return self.abort(None, Some(party), format!("party {party} signed no root"));
                }
                self.roots.insert(party, (root, signature));
                if self.roots.len() < PartyId::ALL.len() {
                    return Vec::new();
                }
                let roots = std::mem::take(&mut self.roots);
                match agreed(&roots) {
                    Some((root, signatures)) => {
                        let signed = SignedRoot { root: root.clone(), signatures };
                        self.frozen = Some(Arc::new(signed.clone()));
                        vec![Effect::Send(Address::Settlement, Message::AnchorRoot(signed))]
                    }
                    None => self.abort(None, None, "the parties froze different sets".into()),
                }
            }
            (Report::Totals(totals, signature), Some(Phase::Open)) => {
                let digest =
                    self.frozen.as_ref().map(|frozen| aggregate_digest(&frozen.root, &totals.0, &totals.1));
                if !digest.is_some_and(|digest| self.signed(party, &digest, &signature)) {
                    return self.abort(None, Some(party), format!("party {party} signed no totals"));
                }
                self.totals.insert(party, (totals, signature));
                if self.totals.len() < PartyId::ALL.len() {
                    return Vec::new();
                }
                let totals = std::mem::take(&mut self.totals);
                match agreed(&totals) {
                    Some((opened, signatures)) => {
                        let (totals, proof) = (**opened).clone();
                        let mut effects = self.enter(Phase::Prove);
                        let aggregate = Box::new(Aggregate { totals, proof, signatures });
                        effects.push(Effect::Send(Address::Settlement, Message::Aggregate(aggregate)));
                        effects
                    }
                    None => self.abort(None, None, "the parties opened different totals".into()),
                }
            }
            (Report::Stopped { culprit, reason }, _) => {
                let reason = format!("party {party} stopped: {reason}");
                self.abort(Some(party), culprit, reason)
            }
            (_, _) => {
                let reason = "a report that does not belong to this phase";
                let (at, from) = (Address::Coordinator, Address::Party(party));
                vec![Effect::Publish(Event::Dropped { at, from, reason })]
            }
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
                self.context = Some(opened.context);
                self.enter(Phase::Collect)
            }
            (Address::Outside, Message::EndOfWindow, Some(Phase::Collect)) => self.enter(Phase::Close),
            (Address::Party(party), Message::Report(report), _) => self.report(party, report),
            (Address::Settlement, Message::RootAnchored, Some(Phase::Sum)) => {
                let mut effects = self.enter(Phase::Open);
                if let Some(root) = &self.frozen {
                    let open = |party| Effect::Send(Address::Party(party), Message::Open(root.clone()));
                    effects.extend(PartyId::ALL.map(open));
                }
                effects
            }
            (Address::Settlement, Message::AggregateRecorded, Some(Phase::Prove)) => {
                let mut effects = self.enter(Phase::Settle);
                effects.push(Effect::Send(Address::Settlement, Message::Settle));
                effects
            }
            (Address::Settlement, Message::Settled, Some(Phase::Settle)) => self.enter(Phase::Done),
            (Address::Settlement, Message::ChainRefused(reason), _) => self.abort(None, None, reason),
            (from, _, _) => {
                let reason = "not a message for the coordinator now";
                vec![Effect::Publish(Event::Dropped { at: Address::Coordinator, from, reason })]
            }
        }
    }
}
