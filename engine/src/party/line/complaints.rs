//! Shares that are of no use: what a line makes of its own party's complaints, and of those of others.

use super::{Desk, Line};
use crate::{
    effect::{Effect, Event, Refusal},
    message::PeerMessage,
    party::{
        collect::{FaultReason, Outcome},
        pool::Judgement,
    },
};
use primitives::{Digest, PartyId};
use proofs::sharing::{Complaint, ComplaintError};

impl Line {
    /// Says that bundles are dropped, and shows the others why.
    pub(super) fn drop_with(&self, complaints: &[Complaint]) -> Vec<Effect> {
        let dropped = |complaint: &Complaint| {
            let refused = self.refuse(complaint.bundle, Refusal::Share { share: complaint.share });
            [refused].into_iter().chain(self.complain(complaint))
        };
        complaints.iter().flat_map(dropped).collect()
    }

    /// Shows the other parties a complaint, and says that there is one.
    pub(in crate::party) fn complain(&self, complaint: &Complaint) -> Vec<Effect> {
        let Complaint { bundle, party, share, .. } = *complaint;
        let show = |peer| Effect::peer(peer, self.shard, PeerMessage::Complaint(complaint.clone()));
        vec![
            Effect::Publish(Event::Complaint { party, bundle, share }),
            show(self.party.next()),
            show(self.party.previous()),
        ]
    }

    /// Shows a peer again why bundles are struck: one that was started anew has taken them in from its disk, where no
    /// complaint is.
    pub(super) fn remind(&self, desk: &Desk<'_>, to: PartyId, ids: &[Digest]) -> Vec<Effect> {
        let complaints = ids.iter().filter_map(|id| desk.pool.complaint(id));
        complaints.map(|shown| Effect::peer(to, self.shard, PeerMessage::Complaint(shown.clone()))).collect()
    }

    /// Another party shows a complaint. One that holds strikes the bundle, one that does not names who made it. Whoever
    /// hears of it from its maker passes it on, so that nobody learns of a struck bundle later than that it is gone.
    pub(in crate::party) fn complained(
        &mut self,
        desk: &mut Desk<'_>,
        from: PartyId,
        complaint: Complaint,
    ) -> Outcome {
        let Complaint { bundle, party, .. } = complaint;
        let fault = |error| {
            // Who passes a complaint on has checked that it is its maker's.
            let proved = matches!(error, ComplaintError::Unfounded { .. });
            FaultReason::Complaint(error).of(if proved { party } else { from })
        };
        let mut effects = Vec::new();
        match desk.pool.judge(self.shard, from, &complaint) {
            Judgement::False(error) => return Err(fault(error)),
            Judgement::NotNow => return Ok(effects),
            Judgement::Late => {
                desk.pool.ask(from, self.shard, complaint);
                return Ok(effects);
            }
            Judgement::Holds => {}
        }
        if from == party {
            let other = PartyId::ALL.into_iter().find(|p| *p != party && *p != self.party);
            effects.extend(other.map(|to| Effect::peer(to, self.shard, PeerMessage::Complaint(complaint))));
        }
        // What is in a proposal leaves with the proposal: this party may have signed it.
        if self.proposal.as_ref().is_none_or(|p| !p.ids.contains(&bundle)) {
            effects.extend(self.sweep(desk));
            effects.extend(self.move_on(desk)?);
        }
        Ok(effects)
    }
}
