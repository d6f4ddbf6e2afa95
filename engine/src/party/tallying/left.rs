//! What is carried on, by region: each share's commitments, agreed on while all three parties are there.
//!
//! On record stands what a tier carries over as a whole. Whoever takes a seat later has to know it region by region, or the
//! one that hands a share over could move views between regions in it. So each party says what both its shares of each
//! group commit to. A share has two holders: what one of them makes up, the other contradicts.

use super::TallyFault;
use crate::{message::Left, party::Carried};
use primitives::PartyId;
use proofs::{epoch::EpochContext, tally::Running};

impl Carried {
    /// What this party's two shares of each group commit to.
    pub(super) fn left(&self, context: &EpochContext) -> Left {
        let commit = |share: &mpc::share::ShareSum| context.works.commit(&share.entries, &share.blinding);
        let pairs = self.totals.own().zip(self.totals.next());
        Left(pairs.map(|((group, own), (_, next))| (group, [commit(own), commit(next)])).collect())
    }

    /// The same with commitments to all three shares, of what this party and the others say.
    ///
    /// # Errors
    /// Names who says of a share of this party what it does not commit to. If the other two say different things of the
    /// share that they have in common, nobody is named.
    pub(super) fn agreed(self, own: &Left, next: &Left, previous: &Left) -> Result<Self, TallyFault> {
        let party = self.totals.party();
        let [one, other] = [party.next(), party.previous()];
        for (from, said) in [(one, next), (other, previous)] {
            if !said.0.keys().eq(own.0.keys()) {
                return Err(TallyFault::Left { party: from });
            }
        }
        let mut commitments = Running::default();
        for (group, [mine, shared]) in &own.0 {
            let ([claimed, theirs], [again, held]) = (next.0[group], previous.0[group]);
            if claimed != *shared {
                return Err(TallyFault::Left { party: one });
            }
            if held != *mine {
                return Err(TallyFault::Left { party: other });
            }
            if theirs != again {
                return Err(TallyFault::LeftApart);
            }
            let of = |share: PartyId| match share {
                share if share == party => *mine,
                share if share == one => *shared,
                _ => theirs,
            };
            commitments.add(*group, &PartyId::ALL.map(of));
        }
        Ok(Self { commitments, ..self })
    }
}
