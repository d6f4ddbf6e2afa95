//! The canonical record of creative works: who made them, their price multiplier, their splits (chain spec 3.1).

mod actions;
mod check;
mod types;

pub use actions::{RegisterWork, UpdateWork};
pub use check::WorkError;
pub(crate) use check::{register_work, update_work};
pub(crate) use types::encode_splits;
pub use types::{MAX_SPLITS, MediaType, Terms, Work, work_id};

use crate::{
    modules::{identity::Status, usage::ListedWork},
    state::State,
};
use primitives::{EpochId, GovernanceParams};

impl State {
    /// The works that take part in an epoch, by ascending identifier: active by then, of active creators.
    ///
    /// A price from earlier, wider bounds is moved to the nearest bound of `params`.
    pub(crate) fn works_of_epoch(&self, epoch: EpochId, params: &GovernanceParams) -> Vec<ListedWork> {
        let creator_active =
            |work: &&Work| self.identities.get(&work.creator).is_some_and(|i| i.status == Status::Active);
        let listed = |work: &Work| {
            let terms = work.terms_at(epoch);
            ListedWork {
                work: work.id,
                creator: work.creator,
                category: work.category,
                price: terms.price.clamp(params.price_min, params.price_max),
                splits: terms.splits.clone(),
                previous_reputation: self.reputations.get(&work.id).map_or(0, |r| r.reputation),
            }
        };
        self.works
            .iter()
            .filter(|work| work.active_from <= epoch)
            .filter(creator_active)
            .map(listed)
            .collect()
    }
}
