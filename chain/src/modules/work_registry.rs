//! The canonical record of creative works: who made them, their price multiplier, their splits (chain spec 3.1).

mod actions;
mod check;
mod types;

pub use actions::{DeprecateWork, RegisterWork, UpdateWork};
pub use check::WorkError;
pub(crate) use check::{deprecate_work, register_work, remove_work, update_work};
pub use types::{Gone, MAX_SPLITS, MediaType, Removal, Terms, Work, work_id};
pub(crate) use types::{decode_splits, encode_splits};

use crate::{
    modules::{
        identity::Status,
        usage::{ListedWork, deal},
    },
    state::State,
};
use primitives::{Digest, EpochId, GovernanceParams, ShardIndex};

impl State {
    /// The works of an epoch, by ascending identifier: those that take part, active by then and of active creators, and
    /// those that took part before and rest. They are dealt by the beacon `key` to shards of at most `width` works.
    ///
    /// A price from earlier, wider bounds is moved to the nearest bound of `params`.
    pub(crate) fn works_of_epoch(
        &self,
        epoch: EpochId,
        params: &GovernanceParams,
        (key, width): (&Digest, u16),
    ) -> Vec<ListedWork> {
        let takes_part = |work: &Work| {
            let creator = self.identities.get(&work.creator);
            work.is_offered(epoch) && creator.is_some_and(|creator| creator.status == Status::Active)
        };
        let home = |work: &Work| self.homes.get(&work.id).map(|home| home.shard);
        let listed = |(work, shard): (&Work, ShardIndex)| {
            let terms = work.terms_at(epoch);
            ListedWork {
                work: work.id,
                creator: work.creator,
                category: work.category,
                price: terms.price.clamp(params.price_min, params.price_max),
                splits: terms.splits.clone(),
                shard,
                resting: !takes_part(work),
            }
        };
        let works: Vec<_> =
            self.works.iter().filter(|work| takes_part(work) || home(work).is_some()).collect();
        let homes: Vec<_> = works.iter().map(|work| (work.id, home(work))).collect();
        works.into_iter().zip(deal(key, &homes, width)).map(listed).collect()
    }
}
