//! Shares of a final batch that a party cannot read, or that do not open: their other holder shows what its signature says
//! that it holds.
//!
//! A party that did not sign a batch may find such a share when it takes the batch in. Both signers are its peers then, and
//! one of them is the share's other holder. It gets the party's complaint, and shows its *sum* of the share over the
//! bundles of the group in that batch, which anybody can hold against the bundles' commitments. The sum is what it checked
//! before it signed; single seeds it did not check, and wrong ones whose errors cancel would make an honest holder look
//! like a liar. Whoever signed and shows a sum that does not open, or none, is named.

use super::{Desk, Line, patience};
use crate::{
    effect::{Effect, Event},
    message::{Address, OpeningShare, PeerMessage},
    party::{
        collect::{Fault, FaultReason, Outcome},
        pool::{FinalBatch, GroupSum},
    },
};
use primitives::{Digest, PartyId};
use proofs::{
    sharing::{Complaint, held, holders},
    tally::BatchHeader,
};
use rand_core::OsRng;

/// State: the sums over a batch, with a complaint for each that other holders owe this party.
pub(super) struct Owed {
    digest: Digest,
    sums: Vec<GroupSum>,
    complaints: Vec<Complaint>,
    /// For so many ticks since their holder paid anything, once nothing more comes in.
    waited: u32,
}

/// The other holder of a share.
fn other_holder(share: PartyId, party: PartyId) -> Option<PartyId> {
    holders(share).into_iter().find(|holder| *holder != party)
}

impl Line {
    /// This party's sums over an anchored batch, all of whose bundles are in the pool. `None` if others owe it some. It asks
    /// for those at once, and again if it is time to `ask`.
    pub(super) fn sums_of(
        &mut self,
        desk: &Desk<'_>,
        header: &BatchHeader,
        ids: &[Digest],
        ask: bool,
    ) -> (Option<Vec<GroupSum>>, Vec<Effect>) {
        let digest = header.digest();
        if self.proposal.as_ref().is_some_and(|proposal| proposal.header == *header) {
            return (self.proposal.take().map(|proposal| proposal.sums), Vec::new());
        }
        let mut effects = Vec::new();
        let known = self.owed.take().filter(|owed| owed.digest == digest);
        let first = known.is_none();
        let owed = known.unwrap_or_else(|| {
            let (sums, complaints) = desk.pool.sum_final(desk.secrets, self.shard, ids);
            Owed { digest, sums, complaints, waited: 0 }
        });
        if owed.complaints.is_empty() {
            return (Some(owed.sums), effects);
        }
        for complaint in &owed.complaints {
            let Complaint { bundle, party, share, .. } = *complaint;
            let to = other_holder(share, party).filter(|_| first || ask);
            let show = |to| Effect::peer(to, self.shard, PeerMessage::Complaint(complaint.clone()));
            effects.extend(to.map(show));
            effects.extend(first.then_some(Effect::Publish(Event::Complaint { party, bundle, share })));
        }
        self.owed = Some(owed);
        (None, effects)
    }

    /// Time passes while others owe this party something. It gives up only once nothing else keeps the epoch.
    pub(super) fn wait_for_openings(&mut self) -> Outcome {
        if let Some(owed) = &mut self.owed
            && self.closed
        {
            owed.waited += 1;
            let withholds = owed.complaints.first().and_then(|c| other_holder(c.share, c.party));
            if owed.waited >= patience::LEADER_PATIENCE
                && let Some(culprit) = withholds
            {
                return Err(FaultReason::OpeningShareWithheld.of(culprit));
            }
        }
        Ok(Vec::new())
    }

    /// The final batch with a bundle, if this party has taken it in.
    pub(in crate::party) fn final_batch(&self, bundle: &Digest) -> Option<FinalBatch<'_>> {
        let (header, ids) = self.behind.batch_of(bundle)?;
        Some((&self.context, header.header.digest(), ids))
    }

    /// Another holder paid something, in whatever shard: it is not waited for in vain.
    pub(in crate::party) fn paid_by(&mut self, holder: PartyId) {
        if let Some(owed) = &mut self.owed
            && owed.complaints.first().and_then(|c| other_holder(c.share, c.party)) == Some(holder)
        {
            owed.waited = 0;
        }
    }

    /// The other holder of a share shows its sum. Whether that was owed.
    pub(in crate::party) fn opening_share(
        &mut self,
        desk: &mut Desk<'_>,
        from: PartyId,
        shown: OpeningShare,
    ) -> Result<(bool, Vec<Effect>), Fault> {
        let OpeningShare { header, group, share, sum } = shown;
        let (party, works) = (self.party, &self.context.works);
        let signed =
            self.next_anchored().is_some_and(|signed| signed.signatures.iter().any(|(p, _)| p == from));
        let owed = self.owed.as_mut().filter(|owed| owed.digest == header && signed);
        let wanted = owed.and_then(|owed| {
            let place = owed.complaints.iter().position(|complaint| {
                complaint.share == share && desk.pool.group_of(&complaint.bundle) == Some(group)
            })?;
            let sums = owed.sums.iter_mut().find(|sums| sums.group == group)?;
            Some((place, sums, &mut owed.complaints))
        });
        let Some((place, sums, complaints)) = wanted.filter(|_| other_holder(share, party) == Some(from))
        else {
            let (at, from) = (Address::Party(party), Address::Party(from));
            let reason = "an opening share that is not owed";
            return Ok((false, vec![Effect::Publish(Event::Dropped { at, from, reason })]));
        };
        if !sum.opens(works, &sums.commitments[share.index()], &mut OsRng) {
            return Err(FaultReason::OpeningShare.of(from));
        }
        let slot = held(party).iter().position(|own| *own == share);
        sums.shares[slot.expect("a party complains of what it holds")] = sum;
        complaints.remove(place);
        Ok((true, self.catch_up(desk)?))
    }
}
