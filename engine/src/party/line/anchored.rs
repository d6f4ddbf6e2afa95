//! What the chain has anchored: it is final here too, whatever this party signed. What it lacks of it, bundles or their
//! names, it gets from its peers, and takes nobody's word for it: names have to lead to the header's root, bundles to
//! their names, their proofs have to hold, and what they add up to has to be what the header says.

use super::{Desk, Line};
use crate::{
    effect::{Effect, Event},
    message::{Address, Objection, PeerMessage},
    party::{
        collect::{FaultReason, Outcome},
        pool::{GroupSum, Pool, running_after},
    },
};
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    bundle::{Bundle, Published},
    epoch::EpochContext,
    inclusion::{FinalBatch, Inclusion, batch_root},
    tally::{BatchHeader, SignedHeader},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// State: what is anchored and not taken in yet, what was asked for, and the names of all that is.
#[derive(Default)]
pub(super) struct Behind {
    headers: BTreeMap<u64, Arc<SignedHeader>>,
    wanted: BTreeSet<Digest>,
    /// What is taken in, by the digest of the header: the header, and its bundles.
    past: BTreeMap<Digest, (Arc<SignedHeader>, Arc<FinalBatch>)>,
}

impl Behind {
    /// Whether something is final that this party has not taken in. It signs nothing meanwhile.
    pub(super) fn is_behind(&self) -> bool {
        !self.headers.is_empty()
    }

    /// Bundles of each batch that was taken in, by the digest of its header.
    pub(super) fn names(&self) -> impl Iterator<Item = (Digest, Vec<Digest>)> {
        self.past.iter().map(|(digest, (_, batch))| (*digest, batch.bundles().to_vec()))
    }

    /// The batch that was taken in with a bundle.
    pub(super) fn batch_of(&self, id: &Digest) -> Option<(&Arc<SignedHeader>, &[Digest])> {
        let mut past = self.past.values().map(|(header, batch)| (header, batch.bundles()));
        past.find(|(_, ids)| ids.contains(id))
    }
}

/// What shows that a bundle is final.
pub(in crate::party) type Final = (Arc<SignedHeader>, Inclusion, Arc<Published>);

/// Hands bundles of a shard to a peer: those that are at hand, and of the others those that are on disk.
pub(in crate::party) fn handed(
    (to, shard): (PartyId, ShardIndex),
    bundles: impl Iterator<Item = Result<Arc<Bundle>, Digest>>,
) -> Vec<Effect> {
    let (mut effects, mut elsewhere) = (Vec::new(), Vec::new());
    for bundle in bundles {
        match bundle {
            Ok(bundle) => {
                let message = PeerMessage::Bundle(Box::new(bundle.as_ref().clone()));
                effects.push(Effect::peer(to, shard, message));
            }
            Err(id) => elsewhere.push(id),
        }
    }
    if !elsewhere.is_empty() {
        effects.push(Effect::Lend(Address::Party(to), shard, elsewhere));
    }
    effects
}

impl Line {
    pub(in crate::party) fn context(&self) -> &EpochContext {
        &self.context
    }

    /// Whether this party asked for a bundle.
    pub(in crate::party) fn wanted(&mut self, id: &Digest) -> bool {
        self.behind.wanted.remove(id)
    }

    pub(super) fn next_anchored(&self) -> Option<&Arc<SignedHeader>> {
        self.behind.headers.get(&self.voting.position())
    }

    /// The bundles of a header, if this party knows them.
    pub(super) fn names_of(&self, header: &BatchHeader) -> Option<&Vec<Digest>> {
        let digest = header.digest();
        let signed = || self.signed.get(&digest).filter(|ids| batch_root(ids) == header.batch_root);
        self.offers.get(&digest).or_else(signed)
    }

    /// The leader of the anchored batch that this party is about to take in, if the bundle is in it.
    pub(in crate::party) fn anchored_by(&self, id: &Digest) -> Option<PartyId> {
        let header = &self.next_anchored()?.header;
        let ids = self.names_of(header)?;
        ids.contains(id).then(|| header.leader())
    }

    /// What shows that a bundle is final: its header, its place there, and what is published of it. It is in the `last` batch
    /// that the chain has anchored, or in one that was taken in before.
    pub(in crate::party) fn counted(&self, pool: &Pool, id: &Digest, last: bool) -> Option<Final> {
        let next = || {
            let signed = self.next_anchored()?;
            Some((signed, &self.names_of(&signed.header)?[..]))
        };
        let (signed, ids) = if last { next() } else { self.behind.batch_of(id) }?;
        let index = ids.iter().position(|other| other == id)?;
        let place = FinalBatch::new(&signed.header, ids.to_vec()).receipt(index)?;
        Some((signed.clone(), place, pool.copy_of(self.shard, id)?.published().clone()))
    }

    /// Whether a bundle is neither here nor refused.
    pub(super) fn lacks(&self, desk: &Desk<'_>, id: &Digest) -> bool {
        desk.pool.objection(self.shard, id) == Some(Objection::Unknown)
    }

    /// The chain anchored a header: its batch is final.
    pub(in crate::party) fn anchored(&mut self, desk: &mut Desk<'_>, signed: &SignedHeader) -> Outcome {
        // The word of the settlement actor is not enough: shares are added for what a quorum signed, for nothing else.
        if signed.verify(&self.context.keys.committee).is_err() {
            let (at, from) = (Address::Party(self.party), Address::Settlement);
            let reason = "an anchored header without a quorum";
            return Ok(vec![Effect::Publish(Event::Dropped { at, from, reason })]);
        }
        let header = &signed.header;
        if header.position < self.voting.position() {
            return Ok(Vec::new());
        }
        if header.position == self.voting.position() {
            for (party, signature) in signed.signatures.iter() {
                self.witness.see(party, header, signature)?;
            }
        }
        self.behind.headers.entry(header.position).or_insert_with(|| Arc::new(signed.clone()));
        self.catch_up(desk)
    }

    /// Takes in what is anchored, as far as this party has it. Asks for the rest if nothing more comes by itself.
    pub(in crate::party) fn catch_up(&mut self, desk: &mut Desk<'_>) -> Outcome {
        let ask = self.closed;
        self.catch_up_by(desk, ask)
    }

    /// Takes in what is anchored, and asks for what is lacking if it is time to.
    pub(super) fn catch_up_by(&mut self, desk: &mut Desk<'_>, ask: bool) -> Outcome {
        let mut effects = Vec::new();
        while let Some(signed) = self.next_anchored().cloned() {
            let (header, digest) = (&signed.header, signed.header.digest());
            let peers = [self.party.next(), self.party.previous()];
            let Some(ids) = self.names_of(header).cloned() else {
                let message = PeerMessage::AskBatch(digest);
                let asked = peers.map(|to| Effect::peer(to, self.shard, message.clone())).into_iter();
                effects.extend(asked.filter(|_| ask));
                return Ok(effects);
            };
            for id in &ids {
                if let Some(verified) = desk.pool.spare(self.shard, id) {
                    effects.extend(desk.pool.adopt(desk.secrets, verified, header.leader())?);
                }
            }
            // What was refused here counts all the same.
            let absent = |id: &&Digest| desk.pool.objection(self.shard, id).is_some();
            let lacking: Vec<_> = ids.iter().filter(absent).copied().collect();
            if !lacking.is_empty() {
                effects.extend(self.ask_bundles(&peers, &lacking).into_iter().filter(|_| ask));
                return Ok(effects);
            }
            let (sums, asked) = self.sums_of(desk, header, &ids, ask);
            effects.extend(asked);
            let Some(sums) = sums else { return Ok(effects) };
            effects.extend(self.take_in(desk, &signed, ids, sums)?);
        }
        effects.extend(self.move_on(desk)?);
        Ok(effects)
    }

    /// Adds an anchored batch up, all of whose bundles are in the pool.
    fn take_in(
        &mut self,
        desk: &mut Desk<'_>,
        signed: &Arc<SignedHeader>,
        ids: Vec<Digest>,
        sums: Vec<GroupSum>,
    ) -> Outcome {
        let header = &signed.header;
        if header.previous != self.last {
            // The chain's own rule: whoever tells this party of the chain does not tell it the truth.
            return Err(FaultReason::Header.of_nobody());
        }
        let (digest, shard) = (header.digest(), self.shard);
        if header.running != running_after(&self.running, &sums) {
            return Err(FaultReason::Running.of(header.leader()));
        }
        let published = desk.pool.settle(&ids);
        for sum in &sums {
            let shares = sum.shares.each_ref().map(|share| (&share.entries[..], share.blinding));
            let added = self.totals.add(sum.group, shares);
            added.expect("shares were expanded to the width of the shard");
        }
        let (position, party) = (header.position, self.party);
        let batch = Arc::new(FinalBatch::new(header, ids));
        let mut effects = vec![Effect::Publish(Event::Final { party, batch: batch.clone() })];
        if header.leader() == party {
            let bundles = batch.bundles().to_vec();
            effects.push(Effect::Publish(Event::Batch { shard, position, bundles, published }));
        }
        self.last = digest;
        self.running = header.running.clone();
        self.counted += u64::from(header.count);
        self.behind.headers.remove(&position);
        self.behind.wanted.clear();
        self.behind.past.insert(digest, (signed.clone(), batch));
        (self.proposal, self.ballot, self.deferred, self.quorum) = (None, None, None, None);
        self.offers.clear();
        self.witness.clear();
        self.patience.next();
        self.voting.anchored();
        desk.pool.reached(shard, self.voting.position());
        effects.extend(self.sweep(desk));
        Ok(effects)
    }

    /// Asks peers for bundles.
    pub(super) fn ask_bundles(&mut self, peers: &[PartyId], ids: &[Digest]) -> Vec<Effect> {
        if ids.is_empty() {
            return Vec::new();
        }
        self.behind.wanted.extend(ids);
        let message = PeerMessage::AskBundles(ids.to_vec());
        peers.iter().map(|to| Effect::peer(*to, self.shard, message.clone())).collect()
    }

    /// A peer asks for the names of a header's bundles.
    pub(in crate::party) fn asked_batch(&self, from: PartyId, digest: Digest) -> Vec<Effect> {
        let past = self.behind.past.get(&digest).map(|(_, batch)| batch.bundles());
        let known = || self.offers.get(&digest).or_else(|| self.signed.get(&digest)).map(Vec::as_slice);
        let ids = past.or_else(known);
        let answer =
            |ids: &[Digest]| Effect::peer(from, self.shard, PeerMessage::Batch(digest, ids.to_vec()));
        ids.map(answer).into_iter().collect()
    }

    /// A peer asks for bundles.
    pub(in crate::party) fn asked_bundles(
        &self,
        desk: &Desk<'_>,
        from: PartyId,
        ids: &BTreeSet<Digest>,
    ) -> Vec<Effect> {
        let copy = |id: &Digest| desk.pool.copy_of(self.shard, id).ok_or(*id);
        handed((from, self.shard), ids.iter().map(copy))
    }

    /// A peer names the bundles of a header. Names that do not lead to the root of what is anchored are of no use.
    pub(in crate::party) fn batch(
        &mut self,
        desk: &mut Desk<'_>,
        digest: Digest,
        ids: Vec<Digest>,
    ) -> Outcome {
        let fits = self.next_anchored().is_some_and(|signed| {
            let header = &signed.header;
            header.digest() == digest
                && header.batch_root == batch_root(&ids)
                && header.count as usize == ids.len()
        });
        if !fits || self.offers.contains_key(&digest) {
            return Ok(Vec::new());
        }
        self.offers.insert(digest, ids);
        self.catch_up_by(desk, true)
    }
}
