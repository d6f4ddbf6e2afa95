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
use primitives::{Digest, PartyId};
use proofs::{
    epoch::EpochContext,
    sharing::{BatchShare, Complaint, held},
};
use std::{collections::BTreeMap, sync::Arc};

/// A final batch: the shard's context, the digest of its header, and its bundles.
pub(in crate::party) type FinalBatch<'a> = (&'a Arc<EpochContext>, Digest, &'a [Digest]);

/// Ticks for which a batch that was read for a peer stays in memory. It gets no other one meanwhile: to read and check a batch
/// takes a while, and a peer that complains all the time is to slow nobody down. Whoever complains asks again.
const LENT_FOR: u32 = 8;

/// A batch that is read from disk for a peer.
struct Lent {
    header: Digest,
    /// Its bundles, once they are there.
    found: Option<Vec<Verified>>,
    ticks: u32,
}

/// State: what is read for each peer.
#[derive(Default)]
pub(in crate::party) struct Owing(BTreeMap<PartyId, Lent>);

/// Whose memory it is, and what is in it.
pub(super) type Own<'a> = (&'a PartySecrets, &'a Archive);

impl Owing {
    /// Another party complains of a share of a bundle in a final batch. Its maker gets what this party holds of the share,
    /// which is what it should hold itself, and nobody else gets anything.
    pub(super) fn complained(
        &mut self,
        own: Own<'_>,
        batch: FinalBatch<'_>,
        from: PartyId,
        complaint: &Complaint,
    ) -> Outcome {
        let (secrets, archive) = own;
        if from != complaint.party || !held(secrets.signer.party()).contains(&complaint.share) {
            return Ok(Vec::new());
        }
        let lacking: Vec<_> = batch.2.iter().filter(|id| archive.get(id).is_none()).copied().collect();
        if lacking.is_empty() {
            return answer(own, batch, complaint, &[]);
        }
        match self.0.get(&from) {
            Some(Lent { header, found: Some(found), .. }) if *header == batch.1 => {
                answer(own, batch, complaint, found)
            }
            Some(_) => Ok(Vec::new()),
            None => {
                self.0.insert(from, Lent { header: batch.1, found: None, ticks: 0 });
                Ok(vec![Effect::Recall(batch.0.clone(), lacking, Box::new(complaint.clone()))])
            }
        }
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
        if let Some(lent) = self.0.get_mut(&complaint.party) {
            lent.found = Some(found);
        }
        answered
    }

    /// Some time has passed.
    pub(super) fn tick(&mut self) {
        self.0.values_mut().for_each(|lent| lent.ticks += u32::from(lent.found.is_some()));
        self.0.retain(|_, lent| lent.ticks < LENT_FOR);
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
