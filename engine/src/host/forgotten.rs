//! Whether a host has forgotten what it signed: its store is empty, or older than what the chain has under its name.
//!
//! What a party signs is in its store before it leaves. So if the chain has a contribution or a header that this party
//! signed, and the store has nothing of it, the store is not the one that was written then: a disk was replaced, or a
//! folder was copied back. What else was signed meanwhile nobody can say, and a second vote for a turn is evidence. Such
//! a host sits the epoch out.

use crate::store::EpochState;
use chain::state::State;
use primitives::{EpochId, PartyId, ShardIndex};
use std::collections::BTreeMap;

/// What the chain has of a party and its store has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// Everything of the epoch.
    Epoch,
    /// A header that it signed.
    Header,
}

/// What a party has forgotten of an epoch, whose state in its store is `kept`. The keys of its seat are this host's.
pub(super) fn forgotten(
    state: &State,
    (epoch, party): (EpochId, PartyId),
    kept: Option<&EpochState>,
) -> Option<Forgotten> {
    let has_contributed = state.contributions(epoch).any(|beacon| beacon.party == party);
    let shards = state.epochs.get(&epoch).map_or(0, |on_record| on_record.shards.len());
    let last_signed = |shard: ShardIndex| {
        let mut signed = state
            .anchors_of(epoch, shard)
            .rev()
            .filter(|header| header.signatures.iter().any(|(signer, _)| signer == party));
        Some((shard, signed.next()?.header.position))
    };
    let signed = (0..).map(ShardIndex).take(shards).filter_map(last_signed).collect();
    weigh(has_contributed, &signed, kept)
}

/// The same, from the last position of each shard at which the chain has a signature of the party.
fn weigh(
    has_contributed: bool,
    signed: &BTreeMap<ShardIndex, u64>,
    kept: Option<&EpochState>,
) -> Option<Forgotten> {
    let Some(kept) = kept else {
        return (has_contributed || !signed.is_empty()).then_some(Forgotten::Epoch);
    };
    // Whoever signed at a position is there, or further on.
    let is_older = |(shard, signed): (&ShardIndex, &u64)| {
        kept.votes.get(shard).is_none_or(|record| record.position < *signed)
    };
    signed.iter().any(is_older).then_some(Forgotten::Header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::party::voting::Record;

    #[test]
    fn a_store_that_is_older_than_what_the_chain_has_is_found() {
        let at = |position| {
            let shard = ShardIndex(0);
            let record = Record { shard, position, term: 0, vote: None, frozen: None, pledged: Vec::new() };
            EpochState { votes: BTreeMap::from([(shard, record)]), ..EpochState::default() }
        };
        let signed = BTreeMap::from([(ShardIndex(0), 3)]);
        let none = BTreeMap::new();
        for (has_contributed, signed, kept, expected) in [
            (false, &none, None, None),
            (true, &none, None, Some(Forgotten::Epoch)),
            (false, &signed, None, Some(Forgotten::Epoch)),
            (true, &none, Some(EpochState::default()), None),
            (true, &signed, Some(EpochState::default()), Some(Forgotten::Header)),
            (true, &signed, Some(at(2)), Some(Forgotten::Header)),
            (true, &signed, Some(at(3)), None),
            (true, &signed, Some(at(4)), None),
        ] {
            assert_eq!(weigh(has_contributed, signed, kept.as_ref()), expected, "{signed:?} {kept:?}");
        }
    }
}
