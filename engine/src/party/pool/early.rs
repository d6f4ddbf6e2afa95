//! Complaints that came before their bundle.

use primitives::{Digest, PartyId};
use proofs::sharing::Complaint;
use std::collections::BTreeMap;

/// Most complaints of one party that wait for their bundle. An honest party has few on their way at a time; whoever
/// sends more is not listened to.
const MAX_EARLY_COMPLAINTS: usize = 1024;

/// State: complaints by bundle, and by who showed them.
#[derive(Default)]
pub(super) struct Early(BTreeMap<(Digest, PartyId), Complaint>);

impl Early {
    /// Keeps a complaint that `from` showed, if there is room.
    pub(super) fn keep(&mut self, from: PartyId, complaint: &Complaint) {
        if self.0.keys().filter(|(_, by)| *by == from).count() < MAX_EARLY_COMPLAINTS {
            self.0.insert((complaint.bundle, from), complaint.clone());
        }
    }

    /// Complaints of a bundle, and who showed them.
    pub(super) fn take(&mut self, id: &Digest) -> Vec<(PartyId, Complaint)> {
        let shown = |party: PartyId| Some((party, self.0.remove(&(*id, party))?));
        PartyId::ALL.into_iter().filter_map(shown).collect()
    }
}
