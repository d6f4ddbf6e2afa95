//! Coordinator: moves the phases of an epoch (protocol notes, section 6). It sees public messages only, and what it says
//! opens nothing by itself: parties open the totals of the root that they froze, if a quorum signed it. A wrong
//! coordinator can halt an epoch, not falsify it.
//!
//! Each organisation may run one of its own, which hears the same reports and moves the phases of its own party. Reports of
//! a phase that this one has not entered are kept until it has, and whatever is on the chain already is not waited for.
//!
//! It waits for all three parties as long as the committee's patience lasts, and freezes the epoch with two then. The
//! opening waits for the third, or for the standby in its seat.

mod said;

use crate::{
    effect::{Core, Effect, Event},
    message::{Address, Aggregate, Message, OpenedEpoch, Phase, Report, Seated, Sitting},
    party::evidence::{Evidence, Omission},
};
use chain::modules::usage::aggregate_digest;
use primitives::{Digest, PartyId, ShardIndex, limits};
use proofs::{
    committee::Committee,
    tally::{EpochRoot, SignedHeader, SignedRoot, Tally, TallyProof, header::leader},
};
use said::{Agreed, Said, agreed};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Totals with their proof, as parties said them in one sitting.
type SaidTotals = (Sitting, Said<Box<(Tally, TallyProof)>>);

/// State of the coordinator.
#[derive(Default)]
pub struct Coordinator {
    phase: Option<Phase>,
    epoch: Option<OpenedEpoch>,
    /// It is known what the epoch takes over from those before.
    taken: bool,
    /// Who answers for the totals, once the standby has a seat, and which seat that is.
    seated: Option<(PartyId, Committee)>,
    /// Ticks since anything moved.
    quiet: u32,
    /// The party that is not waited for until it is back.
    silent: Option<PartyId>,
    /// Next position and bundles that wait, of each shard.
    drained: BTreeMap<ShardIndex, BTreeMap<PartyId, (u64, usize)>>,
    /// What the chain has anchored.
    anchored: Vec<Arc<SignedHeader>>,
    roots: BTreeMap<ShardIndex, Said<EpochRoot>>,
    frozen: BTreeMap<ShardIndex, Arc<SignedRoot>>,
    /// Totals of the latest sitting of which anybody has said any.
    totals: BTreeMap<ShardIndex, SaidTotals>,
    opened: BTreeMap<ShardIndex, Box<Aggregate>>,
    /// Shards whose root the chain has, and whose totals.
    rooted: BTreeSet<ShardIndex>,
    recorded: BTreeSet<ShardIndex>,
    /// A seat that was taken before this coordinator was that far.
    seat: Option<Arc<Seated>>,
    /// The last report of each kind about a shard that belongs to a later phase.
    early: BTreeMap<(PartyId, Phase, ShardIndex), Report>,
}

impl Coordinator {
    /// A coordinator that waits for the word to begin.
    pub fn new() -> Self {
        Self::default()
    }

    fn enter(&mut self, phase: Phase) -> Vec<Effect> {
        (self.phase, self.quiet) = (Some(phase), 0);
        let standby = self.seated.as_ref().map(|_| Address::Standby);
        let to = Address::seats().chain(standby);
        let mut effects: Vec<_> = to.map(|to| Effect::Send(to, Message::Phase(phase))).collect();
        effects.push(Effect::Publish(Event::Phase(phase)));
        for ((party, ..), report) in std::mem::take(&mut self.early) {
            // What it says may have led to another phase meanwhile, where the rest is heard.
            effects.extend(self.report(party, report));
        }
        effects.extend(
            self.seat.take().into_iter().flat_map(|seated| self.take_seat(&seated)).collect::<Vec<_>>(),
        );
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
        let opened = self.epoch.as_ref().map(OpenedEpoch::committee);
        let committee = self.seated.as_ref().map(|(_, committee)| committee).or(opened);
        committee.is_some_and(|committee| committee.verify(party, digest, signature).is_ok())
    }

    /// The epoch's shards.
    fn shards(&self) -> impl Iterator<Item = ShardIndex> + use<> {
        let count = self.epoch.as_ref().map_or(0, |epoch| epoch.shards.len());
        (0..).map(ShardIndex).take(count)
    }

    /// The parties that are waited for.
    fn present(&self) -> impl Iterator<Item = PartyId> + use<> {
        let silent = self.silent;
        PartyId::ALL.into_iter().filter(move |party| Some(*party) != silent)
    }

    /// Evidence against a party by the root that it signed, if there is any.
    fn omission(&self, party: PartyId, root: &EpochRoot, signature: &[u8; 64]) -> Option<Evidence> {
        let committee = self.epoch.as_ref()?.committee();
        Omission::find(committee, (party, root, signature), &self.anchored).map(Evidence::Omission)
    }

    fn dropped(from: Address, reason: &'static str) -> Vec<Effect> {
        vec![Effect::Publish(Event::Dropped { at: Address::Coordinator, from, reason })]
    }

    /// Whether the chain has something of every shard.
    fn all_in(&self, on_record: &BTreeSet<ShardIndex>) -> bool {
        self.epoch.is_some() && self.shards().all(|shard| on_record.contains(&shard))
    }

    /// The position at which all who are waited for stand in a shard, with the bundles that each has left; nothing as
    /// long as they stand at different ones.
    fn standing(&self, shard: ShardIndex) -> Option<(u64, BTreeMap<PartyId, usize>)> {
        let drained = self.drained.get(&shard)?;
        let said: Option<Vec<_>> =
            self.present().map(|party| drained.get(&party).map(|said| (party, *said))).collect();
        let said = said?;
        let (_, (position, _)) = *said.first()?;
        let same = said.iter().all(|(_, (at, _))| *at == position);
        same.then(|| (position, said.into_iter().map(|(party, (_, left))| (party, left)).collect()))
    }

    /// Goes on with closing a shard, as far as what parties said allows.
    fn close(&mut self, shard: ShardIndex) -> Vec<Effect> {
        let Some((position, left)) = self.standing(shard) else { return Vec::new() };
        let leads = leader(position);
        if left.values().any(|pending| *pending > 0) {
            // Nothing that waits is dropped because a leader does not propose it: the next one leads.
            let idle = left.get(&leads) == Some(&0);
            let pass = Effect::Send(Address::Party(leads), Message::Pass(shard));
            return idle.then_some(pass).into_iter().collect();
        }
        self.sum()
    }

    /// Goes on to the frozen set, once nothing is left in any shard and the epoch before has its totals.
    fn sum(&mut self) -> Vec<Effect> {
        let drained =
            |shard| self.standing(shard).is_some_and(|(_, left)| left.values().all(|pending| *pending == 0));
        let ready = self.phase == Some(Phase::Close) && self.taken && self.shards().all(drained);
        if ready { self.enter(Phase::Sum) } else { Vec::new() }
    }

    /// The chain has the root of every shard: nothing can be added to the epoch, whatever was said here.
    fn frozen_by_others(&mut self) -> Vec<Effect> {
        if self.phase == Some(Phase::Close) { self.enter(Phase::Sum) } else { Vec::new() }
    }

    /// Freezes a shard once all who are waited for have signed its root. A third root that comes later has to be the
    /// same.
    fn freeze(&mut self, shard: ShardIndex) -> Vec<Effect> {
        let Some(roots) = self.roots.get(&shard) else { return Vec::new() };
        if self.present().any(|party| !roots.contains_key(&party)) {
            return Vec::new();
        }
        match agreed(roots) {
            None => self.abort(None, None, "the parties froze different sets".into()),
            Some(_) if self.frozen.contains_key(&shard) => self.open(),
            Some(Agreed { value, signatures }) => {
                let signed = SignedRoot { root: value.clone(), signatures };
                self.frozen.insert(shard, Arc::new(signed.clone()));
                let anchor = Effect::Send(Address::Settlement, Message::AnchorRoot(signed));
                // The chain may have had it before this coordinator was that far.
                [anchor].into_iter().chain(self.open()).collect()
            }
        }
    }

    /// Has the totals opened once all shards are frozen and all three parties are there.
    fn open(&mut self) -> Vec<Effect> {
        let frozen = self.shards().all(|shard| self.frozen.contains_key(&shard));
        if self.silent.is_some() || !frozen || !self.all_in(&self.rooted) {
            return Vec::new();
        }
        let mut effects = self.enter(Phase::Open);
        for root in self.frozen.values() {
            let open = |party| Effect::Send(Address::Party(party), Message::Open(root.clone()));
            effects.extend(PartyId::ALL.map(open));
        }
        effects
    }

    /// Puts totals on record once all three parties have signed those of every shard.
    fn prove(&mut self, shard: ShardIndex) -> Vec<Effect> {
        let said = self.totals.get(&shard).filter(|(_, said)| said.len() == PartyId::ALL.len());
        let Some((_, said)) = said else { return Vec::new() };
        let Some(Agreed { value, signatures }) = agreed(said) else {
            return self.abort(None, None, "the parties opened different totals".into());
        };
        let (tally, proof) = (**value).clone();
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

    fn report(&mut self, party: PartyId, report: Report) -> Vec<Effect> {
        let shard = match &report {
            Report::Drained { shard, .. } | Report::Totals(shard, ..) => Some(*shard),
            Report::Root(root, _) => Some(root.shard),
            Report::Stopped { .. } => None,
        };
        let unknown = |named: ShardIndex| match self.epoch {
            Some(_) => self.shards().all(|shard| shard != named),
            // As many as an epoch may have are kept until it is known how many this one has.
            None => named.0 as usize >= limits::MAX_SHARDS,
        };
        if shard.is_some_and(unknown) {
            return Self::dropped(Address::Party(party), "a report of a shard that the epoch does not have");
        }
        let belongs = match &report {
            Report::Drained { .. } => Some(Phase::Close),
            Report::Root(..) => Some(Phase::Sum),
            Report::Totals(..) => Some(Phase::Open),
            Report::Stopped { .. } => None,
        };
        if let (Some(phase), Some(shard)) = (belongs, shard)
            && self.phase < Some(phase)
        {
            self.early.insert((party, phase, shard), report);
            return Vec::new();
        }
        match (report, self.phase) {
            (Report::Drained { shard, position, pending }, Some(Phase::Close)) => {
                let before = self.drained.entry(shard).or_default().insert(party, (position, pending));
                // Only what moves the epoch on counts: a position that is ahead, or fewer bundles that wait there.
                let on = |(at, left)| position > at || (position == at && pending < left);
                if before.is_none_or(on) {
                    self.quiet = 0;
                }
                self.close(shard)
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
                if self.frozen.get(&shard).is_some_and(|frozen| frozen.root != root) {
                    let reason = format!("party {party} signed another root than the chain has");
                    return self.abort(None, Some(party), reason);
                }
                if self.roots.get(&shard).is_none_or(|roots| !roots.contains_key(&party)) {
                    self.quiet = 0;
                }
                self.roots.entry(shard).or_default().insert(party, (root, signature));
                let back = |shard| self.roots.get(&shard).is_some_and(|roots| roots.contains_key(&party));
                if self.silent == Some(party) && self.shards().all(back) {
                    self.silent = None;
                }
                self.freeze(shard)
            }
            (Report::Totals(shard, sitting, totals, signature), Some(Phase::Open)) => {
                let frozen = self.frozen.get(&shard);
                let digest = frozen.map(|frozen| aggregate_digest(&frozen.root, &totals.0, &totals.1));
                if !digest.is_some_and(|digest| self.signed(party, &digest, &signature)) {
                    return self.abort(None, Some(party), format!("party {party} signed no totals"));
                }
                let (latest, said) = self.totals.entry(shard).or_default();
                if sitting < *latest {
                    return Vec::new();
                }
                if sitting > *latest {
                    (*latest, *said) = (sitting, Said::new());
                }
                said.insert(party, (totals, signature));
                self.prove(shard)
            }
            (Report::Stopped { culprit, reason }, _) => {
                let reason = format!("party {party} stopped: {reason}");
                self.abort(Some(party), culprit, reason)
            }
            (_, _) => Self::dropped(Address::Party(party), "a report that does not belong to this phase"),
        }
    }

    /// Some time has passed: a party that keeps the others waiting for longer than the committee's patience is not waited
    /// for any more, if it is the only one.
    fn tick(&mut self) -> Vec<Effect> {
        self.quiet = self.quiet.saturating_add(1);
        let patience = self.epoch.as_ref().map_or(u32::MAX, |epoch| epoch.seating.patience);
        let closing = matches!(self.phase, Some(Phase::Close | Phase::Sum));
        if !closing || self.quiet <= patience || self.silent.is_some() {
            return Vec::new();
        }
        let late =
            PartyId::ALL.into_iter().filter(|party| self.shards().any(|shard| self.lacks(*party, shard)));
        let [party] = late.collect::<Vec<_>>()[..] else { return Vec::new() };
        self.silent = Some(party);
        let mut effects = vec![Effect::Publish(Event::Silent { party })];
        for shard in self.shards() {
            effects.extend(match self.phase {
                Some(Phase::Close) => self.close(shard),
                Some(Phase::Sum) => self.freeze(shard),
                _ => Vec::new(),
            });
        }
        effects
    }

    /// Whether the others wait for a party in a shard: it has not said what both of them have.
    fn lacks(&self, party: PartyId, shard: ShardIndex) -> bool {
        if self.phase == Some(Phase::Sum) {
            return self.roots.get(&shard).is_none_or(|roots| !roots.contains_key(&party));
        }
        let at = |party| self.drained.get(&shard).and_then(|said| said.get(&party)).map(|said| said.0);
        let [one, other] = [party.next(), party.previous()].map(at);
        one.is_some() && one == other && at(party) != one
    }

    /// The standby has a seat: the committee is another, and what is opened is opened anew.
    fn take_seat(&mut self, seated: &Seated) -> Vec<Effect> {
        let Some(epoch) = &self.epoch else { return Vec::new() };
        if self.phase < Some(Phase::Sum) {
            self.seat = Some(Arc::new(seated.clone()));
            return Vec::new();
        }
        let before = (epoch.shards[0].chain, epoch.committee());
        let party = seated.by.party;
        let Ok(committee) = epoch.seating.committee_after(before, &seated.by) else {
            return self.abort(None, None, "a standby was seated that nobody signed for".into());
        };
        (self.seated, self.silent) = (Some((party, committee)), None);
        (self.totals, self.opened) = (BTreeMap::new(), BTreeMap::new());
        let mut effects = vec![Effect::Publish(Event::Seated { party })];
        if self.phase == Some(Phase::Sum) {
            // Parties begin by themselves: what is frozen came with the seat.
            let roots = seated.frozen.iter().map(|(root, _)| (root.root.shard, Arc::new(root.clone())));
            self.frozen.extend(roots);
            effects.extend(self.enter(Phase::Open));
        }
        effects
    }

    /// The seat of whoever reports, if it has one.
    fn seat_of(&self, from: Address) -> Option<PartyId> {
        match (from, self.seated.as_ref().map(|(seat, _)| *seat)) {
            (Address::Party(party), seat) => Some(party).filter(|party| seat != Some(*party)),
            (Address::Standby, seat) => seat,
            _ => None,
        }
    }
}

impl Core for Coordinator {
    fn handle(&mut self, from: Address, message: Message) -> Vec<Effect> {
        match (from, message, self.phase) {
            (Address::Outside, Message::Begin, None) => self.enter(Phase::Announce),
            // Whoever begins while the epoch is open announces nothing.
            (Address::Settlement, Message::Opened(opened), None | Some(Phase::Announce)) => {
                self.epoch = Some(opened);
                self.enter(Phase::Collect)
            }
            (Address::Settlement, Message::TakenOver(_), _) => {
                (self.taken, self.quiet) = (true, 0);
                self.sum()
            }
            (Address::Outside, Message::EndOfWindow, Some(Phase::Collect)) => self.enter(Phase::Close),
            (from, Message::Report(report), _) => match self.seat_of(from) {
                Some(party) => self.report(party, report),
                None => Self::dropped(from, "a report of somebody who has no seat"),
            },
            (Address::Coordinator, Message::Tick, _) => self.tick(),
            (Address::Settlement, Message::Seated(seated), _) => self.take_seat(&seated),
            (Address::Settlement, Message::Anchored(header), _) => {
                self.anchored.push(header);
                Vec::new()
            }
            (Address::Settlement, Message::RootAnchored(shard), phase) => {
                self.rooted.insert(shard);
                let all = self.all_in(&self.rooted);
                match phase {
                    // Two others froze the epoch meanwhile: nothing can be added to it.
                    Some(Phase::Collect) if all => {
                        self.enter(Phase::Close).into_iter().chain(self.frozen_by_others()).collect()
                    }
                    Some(Phase::Close) if all => self.frozen_by_others(),
                    Some(Phase::Sum) => self.open(),
                    _ => Vec::new(),
                }
            }
            (Address::Settlement, Message::AggregateRecorded(shard), phase) => {
                self.recorded.insert(shard);
                let on = !matches!(phase, Some(Phase::Settle | Phase::Done | Phase::Aborted));
                if !on || !self.all_in(&self.recorded) {
                    return Vec::new();
                }
                let proved = if phase < Some(Phase::Prove) { self.enter(Phase::Prove) } else { Vec::new() };
                proved.into_iter().chain(self.enter(Phase::Settle)).collect()
            }
            (Address::Settlement, Message::Settled, phase) if phase != Some(Phase::Done) => {
                self.enter(Phase::Done)
            }
            (Address::Settlement, Message::ChainRefused(reason), _) => self.abort(None, None, reason),
            (from, _, _) => Self::dropped(from, "not a message for the coordinator now"),
        }
    }
}
