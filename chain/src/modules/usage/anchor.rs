//! Anchoring: headers as they become final, the root that freezes them, the totals that they commit to.

use super::{
    Aggregate, Anchors, CarriedUsage, Epoch, Opening, Phase, ShardProgress, SubmitAggregate, UsageAggregate,
    UsageError,
    open::{known, opening},
};
use crate::{ledger::Context, state::Draft};
use primitives::{Digest, Domain, Encode, ShardIndex, hash, limits, merkle};
use proofs::{
    generators::WorkBases,
    shard::Shard,
    tally::{
        BatchHeader, EpochRoot, Residual, Running, SignedHeader, SignedRoot, Tally, TallyProof,
        TallyStatement, verifier,
    },
};
use std::{collections::BTreeMap, sync::Arc};

pub(super) fn in_phase(epoch: &Epoch, expected: Phase) -> Result<(), UsageError> {
    match epoch.phase {
        found if found == expected => Ok(()),
        Phase::Abandoned => Err(UsageError::Abandoned { epoch: epoch.epoch }),
        found => Err(UsageError::WrongPhase { epoch: epoch.epoch, expected, found }),
    }
}

/// The next value of [`ShardProgress::anchors`].
pub fn anchor_chain(before: &Digest, header: &SignedHeader) -> Digest {
    hash::hash(Domain::Header, &[&before.0, &header.to_bytes()])
}

/// Anchors a header (protocol notes, section 5: "a batch is final when the chain has anchored the first valid header
/// with two signatures, its leader's among them, at that position").
pub(crate) fn anchor_header(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signed: &SignedHeader,
) -> Result<(), UsageError> {
    let epoch = known(draft, signed.header.epoch)?;
    in_phase(&epoch, Phase::Open)?;
    let shard = signed.header.shard;
    let before = draft.base().running_of(epoch.epoch, shard);
    let epoch = follow(at.genesis.chain, opening(draft, epoch.epoch), epoch, &before, signed)?;
    let anchors = draft.get::<Anchors>(&(epoch.epoch, shard));
    let mut anchors = anchors.expect("a shard of an epoch on record has its list of headers").clone();
    anchors.headers.push(Arc::new(signed.clone()));
    anchors.chain = anchor_chain(&anchors.chain, signed);
    draft.put(anchors);
    draft.put(epoch);
    Ok(())
}

/// Checks that a header follows the last one of its shard, whose running commitments are `before`, and gives the epoch
/// with it. The light client walks the same steps.
pub(crate) fn follow(
    chain: primitives::ChainId,
    opening: &Opening,
    epoch: Epoch,
    before: &Running,
    signed: &SignedHeader,
) -> Result<Epoch, UsageError> {
    let header = &signed.header;
    if header.chain != chain {
        return Err(UsageError::WrongChain { expected: chain, found: header.chain });
    }
    let shard = open_shard(&epoch, header.shard)?;
    let (position, expected) = (header.position, shard.batches);
    if position < expected {
        return Err(UsageError::AlreadyAnchored { position });
    }
    if position > expected {
        return Err(UsageError::PositionGap { expected, found: position });
    }
    if header.previous != shard.last {
        return Err(UsageError::Predecessor { position });
    }
    if header.count as usize > limits::MAX_BATCH {
        return Err(UsageError::BatchSize { count: header.count });
    }
    // A work is in one shard, so what no total may exceed holds for each shard by itself.
    let bundles = shard.bundles + u64::from(header.count);
    if position >= limits::MAX_BATCHES || bundles > opening.room(header.shard) {
        return Err(UsageError::EpochFull);
    }
    if header.count == 0 {
        check_empty(header, before)?;
    } else if header.running.is_empty() {
        return Err(UsageError::NoGroups);
    }
    let tier = header.running.iter().map(|(group, _)| group.tier).find(|tier| opening.tier(*tier).is_none());
    if let Some(tier) = tier {
        return Err(UsageError::UnknownTier { epoch: epoch.epoch, tier });
    }
    // Commitments are only ever added to: a group that was there stays.
    let groups: BTreeMap<_, _> = header.running.iter().collect();
    if let Some((group, _)) = before.iter().find(|(group, _)| !groups.contains_key(group)) {
        return Err(UsageError::GroupDropped { tier: group.tier, region: group.region.into() });
    }
    signed.verify(&opening.committee)?;
    let progress = ShardProgress {
        batches: position + 1,
        bundles,
        last: header.digest(),
        anchors: anchor_chain(&shard.anchors, signed),
        ..shard
    };
    Ok(epoch.with_shard(header.shard, progress))
}

/// A shard to which something may be added.
fn open_shard(epoch: &Epoch, index: ShardIndex) -> Result<ShardProgress, UsageError> {
    let shard = epoch.shard(index).ok_or(UsageError::WrongShard { found: index })?;
    match shard.root {
        None => Ok(shard.clone()),
        Some(_) => Err(UsageError::ShardFrozen { shard: index }),
    }
}

/// An empty batch is how a leader that has nothing left passes the lead. It changes nothing but the position: whatever
/// else it said would be a sum without a bundle.
fn check_empty(header: &BatchHeader, before: &Running) -> Result<(), UsageError> {
    let (position, expected, found) = (header.position, merkle::root(&[]), header.batch_root);
    if found != expected {
        return Err(UsageError::EmptyBatchRoot { position, expected, found });
    }
    if header.running != *before {
        return Err(UsageError::EmptyBatchChanges { position });
    }
    Ok(())
}

/// Freezes a shard. The epoch is frozen with the last one: before that nothing of it is opened. By then everybody knows what
/// it takes over: totals of the epoch before are on record, or never will be.
pub(crate) fn anchor_root(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signed: &SignedRoot,
) -> Result<(), UsageError> {
    let epoch = known(draft, signed.root.epoch)?;
    in_phase(&epoch, Phase::Open)?;
    draft.base().check_aggregated(epoch.epoch)?;
    draft.put(freeze(at.genesis.chain, opening(draft, epoch.epoch), epoch, signed)?);
    Ok(())
}

/// Checks that a root closes exactly the anchored headers of its shard, and gives the epoch with it.
pub(crate) fn freeze(
    chain: primitives::ChainId,
    opening: &Opening,
    epoch: Epoch,
    signed: &SignedRoot,
) -> Result<Epoch, UsageError> {
    let EpochRoot { chain: named, shard: index, batches, last, .. } = signed.root;
    if named != chain {
        return Err(UsageError::WrongChain { expected: chain, found: named });
    }
    let shard = open_shard(&epoch, index)?;
    if batches != shard.batches {
        return Err(UsageError::RootBatches { expected: shard.batches, found: batches });
    }
    if last != shard.last {
        return Err(UsageError::RootLast { expected: shard.last, found: last });
    }
    signed.verify(&opening.committee)?;
    Ok(epoch.with_shard(index, ShardProgress { root: Some(signed.clone()), ..shard }))
}

/// What the committee signs of a shard's tally. The root names the shard.
pub fn aggregate_digest(root: &EpochRoot, tally: &Tally, proof: &TallyProof) -> Digest {
    hash::hash(Domain::Aggregate, &[&root.digest().0, &tally.to_bytes(), &proof.to_bytes()])
}

/// Checks the tally of a shard, dealt as `shard`, against its anchored commitments and what was carried `before` (spec
/// 5.5, 7.5: "all aggregates arise from valid inputs"), and that nothing is published that is to stay closed.
pub fn check_tally(
    opening: &Opening,
    shard: &Shard,
    (root, running, before): (&EpochRoot, &Running, &Residual),
    tally: &Tally,
    proof: &TallyProof,
) -> Result<(), UsageError> {
    let works = &WorkBases::new(shard);
    let Tally { totals, squares, after } = tally;
    let resting = opening.resting(shard.index());
    let expected = opening.params.least_listeners();
    for (tier, counts) in totals.iter() {
        for (index, count) in counts.iter().filter(|(index, _)| usize::from(index.0) < works.works()) {
            if resting.contains(index) {
                return Err(UsageError::RestingWork { work: shard.works()[usize::from(index.0)] });
            }
            // What was carried counts with it, so this is what anybody can see of the threshold.
            if count.listeners < u64::from(expected) {
                let (work, found) = (shard.works()[usize::from(index.0)], count.listeners);
                return Err(UsageError::TooFewListeners { work, tier, expected, found });
            }
        }
    }
    let statement = TallyStatement { root, works, running, before, totals };
    verifier::verify(&statement, after, proof)?;
    Ok(squares.check(totals, works.works(), opening.params.pool_by_tier)?)
}

/// Runs [`SubmitAggregate`].
pub(crate) fn submit_aggregate(draft: &mut Draft<'_>, action: &SubmitAggregate) -> Result<(), UsageError> {
    let SubmitAggregate { epoch, shard: index, tally, proof, signatures } = action;
    let epoch = known(draft, *epoch)?;
    in_phase(&epoch, Phase::Frozen)?;
    let opening = opening(draft, epoch.epoch);
    let progress = epoch.shard(*index).ok_or(UsageError::WrongShard { found: *index })?;
    if progress.aggregate.is_some() {
        return Err(UsageError::ShardAggregated { shard: *index });
    }
    let root = &progress.root.as_ref().expect("a frozen epoch has the root of every shard").root;
    let committee = draft.base().committee_of(opening);
    // Who took a seat signs, or nothing of the record would say that there was a replacement.
    let seat = draft.get::<super::SeatStandby>(&epoch.epoch).map(|seated| seated.party);
    signatures.verify(&committee, &aggregate_digest(root, tally, proof), seat)?;
    let shard = opening.shards()?.swap_remove(index.0 as usize);
    let (running, before) = (draft.base().running_of(epoch.epoch, *index), draft.base().residual_of(*index));
    check_tally(opening, &shard, (root, &running, &before.commitments), tally, proof)?;

    for (tier, counts) in tally.totals.iter() {
        // Indices beyond the works are padding: what is counted there weighs nothing.
        for (index, count) in counts {
            if let Some(work) = shard.works().get(usize::from(index.0)) {
                let (work, usage_units) = (*work, count.value);
                draft.put(UsageAggregate { epoch: epoch.epoch, work, tier, usage_units });
            }
        }
    }
    // Nobody knows which subscribers are behind what is carried: at most all whose bundles were counted.
    let pairs = before.pairs + progress.bundles;
    draft.put(CarriedUsage { shard: *index, commitments: tally.after.clone(), pairs });
    let (tally, proof, signatures) = (tally.clone(), proof.clone(), signatures.clone());
    let aggregate = Aggregate { epoch: epoch.epoch, shard: *index, before, tally, proof, signatures };
    draft.put(epoch.aggregated(&aggregate));
    draft.put(aggregate);
    Ok(())
}

#[cfg(test)]
mod tests;
