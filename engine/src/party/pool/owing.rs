//! What a party owes to others of batches that are final: its sum of a share that its other holder cannot read.
//!
//! A complaint about a final bundle may come long after: its maker was away, or was started again and takes in anew what
//! it had. The bundles of the batch are in memory or on disk, so the sum can be computed as long as the epoch is not over.

use super::archive::Archive;
use crate::{
    effect::Effect,
    message::{OpeningShare, PeerMessage},
    party::{
        PartySecrets,
        collect::{FaultReason, Outcome},
        pool::{parked::Verified, sums::part},
    },
};
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    epoch::EpochContext,
    sharing::{BatchShare, Complaint, held},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// A final batch: the shard's context, the digest of its header, and its bundles.
pub(in crate::party) type FinalBatch<'a> = (&'a Arc<EpochContext>, Digest, &'a [Digest]);

/// Ticks for which a batch that was read for a peer stays in memory: what is asked next is often of the same.
const LENT_FOR: u32 = 8;
/// Most complaints of a peer that wait. It asks again for what found no room.
const MAX_ASKED: usize = 512;

/// Whose memory it is, and what is in it.
pub(super) type Own<'a> = (&'a PartySecrets, &'a Archive);

/// What one peer asks for. It is served once a tick, so that a peer that complains all the time slows nobody down: neither
/// this party nor the other peer.
#[derive(Default)]
struct Asking {
    queue: VecDeque<(ShardIndex, Complaint)>,
    /// It was served since the last tick.
    served: bool,
    /// A batch is being read for it.
    reading: bool,
    /// The last batch that was read for it, and for how many ticks it has been here.
    found: Option<(Digest, Vec<Verified>, u32)>,
}

/// State: what is owed to each peer.
#[derive(Default)]
pub(in crate::party) struct Owing(BTreeMap<PartyId, Asking>);

impl Owing {
    /// Another party complains of a share of a bundle in a final batch. Its maker gets what this party holds of the share,
    /// which is what it should hold itself, and nobody else gets anything.
    pub(super) fn ask(&mut self, own: PartyId, (from, shard): (PartyId, ShardIndex), complaint: Complaint) {
        if from != complaint.party || !held(own).contains(&complaint.share) {
            return;
        }
        let queue = &mut self.0.entry(from).or_default().queue;
        let waits = |(of, other): &(ShardIndex, Complaint)| {
            (*of, other.bundle, other.share) == (shard, complaint.bundle, complaint.share)
        };
        if queue.len() < MAX_ASKED && !queue.iter().any(waits) {
            queue.push_back((shard, complaint));
        }
    }

    /// Serves peers whose turn it is. `find` knows in which final batch of a shard a bundle is.
    pub(super) fn serve<'a>(
        &mut self,
        own: Own<'_>,
        find: impl Fn(ShardIndex, &Digest) -> Option<FinalBatch<'a>>,
    ) -> Outcome {
        let mut effects = Vec::new();
        for asking in self.0.values_mut().filter(|asking| !asking.served && !asking.reading) {
            let Some((shard, complaint)) = asking.queue.pop_front() else { continue };
            asking.served = true;
            if let Some(batch) = find(shard, &complaint.bundle) {
                effects.extend(asking.serve(own, batch, complaint)?);
            }
        }
        Ok(effects)
    }

    /// Bundles are there that were not in memory, as far as they are on disk.
    pub(super) fn recalled(
        &mut self,
        own: Own<'_>,
        batch: FinalBatch<'_>,
        complaint: &Complaint,
        found: Vec<Verified>,
    ) -> Outcome {
        let answered = answer(own, batch, complaint, &found);
        let asking = self.0.entry(complaint.party).or_default();
        (asking.reading, asking.found) = (false, Some((batch.1, found, 0)));
        answered
    }

    /// Some time has passed.
    pub(super) fn tick(&mut self) {
        for asking in self.0.values_mut() {
            asking.served = false;
            asking.found = asking.found.take().map(|(header, found, ticks)| (header, found, ticks + 1));
            asking.found.take_if(|(_, _, ticks)| *ticks >= LENT_FOR);
        }
    }
}

impl Asking {
    fn serve(&mut self, own: Own<'_>, batch: FinalBatch<'_>, complaint: Complaint) -> Outcome {
        let (context, header, ids) = batch;
        let lacking: Vec<_> = ids.iter().filter(|id| own.1.get(id).is_none()).copied().collect();
        match &self.found {
            _ if lacking.is_empty() => answer(own, batch, &complaint, &[]),
            Some((of, found, _)) if *of == header => answer(own, batch, &complaint, found),
            _ => {
                self.reading = true;
                Ok(vec![Effect::Recall(context.clone(), lacking, Box::new(complaint))])
            }
        }
    }
}

/// This party's sum of a share over the bundles of a final batch that are of one group with the one that is complained of.
/// Nothing if it does not have them all.
fn answer(
    (secrets, archive): Own<'_>,
    (context, header, ids): FinalBatch<'_>,
    complaint: &Complaint,
    found: &[Verified],
) -> Outcome {
    let Complaint { bundle: about, party: maker, share, .. } = *complaint;
    let found: BTreeMap<_, _> =
        found.iter().map(|(id, bundle, accepted)| (*id, (bundle, accepted))).collect();
    let known = |id: &Digest| {
        let kept = archive.get(id).map(|(bundle, accepted)| (bundle, accepted));
        kept.or_else(|| found.get(id).copied())
    };
    let (Some((bundle, accepted)), Some(all)) =
        (known(&about), ids.iter().map(known).collect::<Option<Vec<_>>>())
    else {
        return Ok(Vec::new());
    };
    let judged = complaint.verify(context, (about, bundle, accepted));
    judged.map_err(|error| FaultReason::Complaint(error).of(maker))?;
    let group = bundle.envelope.group();
    let of_group = all.into_iter().filter(|(bundle, _)| bundle.envelope.group() == group);
    let seeds = of_group.map(|(bundle, accepted)| {
        let seed = bundle.open_one(context, (secrets.signer.party(), &secrets.kem), share).ok()?;
        Some((bundle, accepted, seed))
    });
    // What it cannot read itself it has not signed for.
    let Some(seeds) = seeds.collect::<Option<Vec<_>>>() else { return Ok(Vec::new()) };
    let parts: Vec<_> =
        seeds.iter().map(|(bundle, accepted, seed)| part(bundle, accepted, (share, seed))).collect();
    let sum = BatchShare::of(context.shard.width(), &parts);
    let shown = PeerMessage::OpeningShare(OpeningShare { header, group, share, sum });
    Ok(vec![Effect::peer(maker, context.shard.index(), shown)])
}
