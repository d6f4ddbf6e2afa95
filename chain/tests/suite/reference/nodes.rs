//! What governance and juries do for node rewards: services, and tasks that were done. The rewards are not modelled.

use super::model::Model;
use chain::modules::node_rewards::NodeError;
use primitives::{Digest, EpochId, PersonId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) most: u64,
    pub(super) from: EpochId,
    /// The last epoch in which its jobs count, once it is withdrawn.
    pub(super) until: Option<EpochId>,
}

impl Model {
    pub(super) fn can_approve(&self, manifest: Digest, most: u64) -> Result<(), NodeError> {
        if self.services.contains_key(&manifest) {
            return Err(NodeError::ServiceRegistered { manifest });
        }
        if most > 0 { Ok(()) } else { Err(NodeError::NothingToDo) }
    }

    pub(super) fn can_withdraw(&self, manifest: Digest) -> Result<(), NodeError> {
        let stands = self.services.get(&manifest).is_some_and(|service| service.until.is_none());
        if stands { Ok(()) } else { Err(NodeError::UnknownService { manifest }) }
    }

    /// The first epoch of whose beacon nothing is revealed.
    fn undrawn(&self) -> EpochId {
        let next = self.next_epoch();
        EpochId(next.0 + u64::from(self.revealed(next) > 0))
    }

    pub(super) fn approve_service(&mut self, manifest: Digest, most: u64) {
        self.services.insert(manifest, Service { most, from: self.undrawn(), until: None });
    }

    pub(super) fn withdraw_service(&mut self, manifest: Digest) {
        let until = Some(EpochId(self.undrawn().0 - 1));
        self.services.entry(manifest).and_modify(|service| service.until = until);
    }

    /// Somebody did a task in the running epoch.
    pub(super) fn did_a_task(&mut self, person: PersonId) {
        *self.tasks.entry((self.running(), person)).or_default() += 1;
    }
}
