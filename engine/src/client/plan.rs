//! From a log to bundles: which plays count, which bundle each goes into, and with what padding.
//!
//! The plan is drawn once and kept. A client that starts again makes the bundles of its plan and no others, or the same
//! play could be handed in twice under two tags of padding.

use super::{ClientError, Play, Settings, UsageLog};
use crate::message::OpenedEpoch;
use primitives::{
    CodecError, Decode, Digest, Encode, Reader, ShardIndex, WorkIndex, Writer, codec_struct, limits,
};
use proofs::bundle::{self, EventWitness, cut};
use rand_core::{CryptoRng, RngCore};
use std::collections::{BTreeMap, BTreeSet};

/// What became of the plays of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Plays in the log.
    pub plays: u64,
    /// Of these, events in bundles.
    pub events: u64,
    /// Bundles.
    pub bundles: u64,
    /// Left out: less than a quarter was played.
    pub short: u64,
    /// Left out: the epoch does not have the work.
    pub unknown: u64,
    /// Left out: so many views of one work count nothing.
    pub beyond_views: u64,
    /// Left out: the tier's value cap is reached.
    pub beyond_cap: u64,
    /// Left out: the tier allows no more bundles.
    pub beyond_bundles: u64,
    /// Counted as not backed: the client is in no region.
    pub unbacked: u64,
}

codec_struct!(Summary {
    plays,
    events,
    bundles,
    short,
    unknown,
    beyond_views,
    beyond_cap,
    beyond_bundles,
    unbacked,
});

/// One bundle of a plan.
pub(super) struct PlannedBundle {
    /// Shard of all its events.
    pub(super) shard: ShardIndex,
    /// Its events, padded to a size of bundles.
    pub(super) events: Vec<EventWitness>,
}

impl PlannedBundle {
    /// Events that a receipt has to back.
    pub(super) fn backed(&self) -> usize {
        self.events.iter().filter(|event| event.backed).count()
    }
}

/// What a client hands in, in order.
pub(super) struct Plan {
    /// Of the log that it was made from.
    pub(super) log: Digest,
    pub(super) summary: Summary,
    pub(super) bundles: Vec<PlannedBundle>,
}

impl Plan {
    /// Makes a plan of a log.
    pub(super) fn make(
        log: &UsageLog,
        epoch: &OpenedEpoch,
        settings: &Settings,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Self, ClientError> {
        let mut summary = Summary { plays: log.plays().len() as u64, ..Summary::default() };
        let mut events = countable(log, epoch, settings, &mut summary)?;
        let counted = events.len() as u64;
        let tier = settings.tier;
        let most = usize::from(*epoch.max_bundles.get(&tier).ok_or(ClientError::UnknownTier { tier })?);
        let counts = leave_out_latest(&mut events, epoch.shards.len(), most);
        summary.beyond_bundles = counted - events.len() as u64;
        summary.events = events.len() as u64;
        let mut bundles = Vec::new();
        for (shard, context) in epoch.shards.iter().enumerate() {
            let mut own = events.iter().filter(|(at, _)| *at == shard).map(|(_, event)| event.clone());
            let mut used = BTreeSet::new();
            for size in cut::sizes(counts[shard]) {
                let mut events: Vec<_> = own.by_ref().take(size).collect();
                bundle::pad(context, &mut events, &mut used, rng).map_err(ClientError::Prove)?;
                bundles.push(PlannedBundle { shard: context.shard.index(), events });
            }
        }
        summary.bundles = bundles.len() as u64;
        Ok(Self { log: log.digest(), summary, bundles })
    }
}

/// The events that count, in order of time, with the places of their shards.
fn countable(
    log: &UsageLog,
    epoch: &OpenedEpoch,
    settings: &Settings,
    summary: &mut Summary,
) -> Result<Vec<(usize, EventWitness)>, ClientError> {
    let context = &epoch.shards[0];
    let rules = context.keys.tiers.get(&settings.tier);
    let cap = rules.ok_or(ClientError::UnknownTier { tier: settings.tier })?.value_cap;
    let (params, mut views, mut value) = (&context.params, BTreeMap::new(), 0);
    let mut events = Vec::new();
    for play in log.plays() {
        let quarters = play.quarters();
        if quarters == 0 {
            summary.short += 1;
            continue;
        }
        let Some((shard, work)) = place(epoch, play) else {
            summary.unknown += 1;
            continue;
        };
        let view: &mut u16 = views.entry(play.work).or_default();
        if *view >= params.j_max {
            summary.beyond_views += 1;
            continue;
        }
        // From the first event on that has no room, none has any: a gap in the views of a work would be worth more than
        // what was played.
        value += params.event_value(*view, quarters);
        if value > cap {
            summary.beyond_cap += 1;
            continue;
        }
        let backed = play.backed && settings.region.0.is_some();
        summary.unbacked += u64::from(play.backed && !backed);
        events.push((shard, EventWitness { work, view: *view, quarters, backed }));
        *view += 1;
    }
    Ok(events)
}

/// The place of a play's shard, and of its work in it; `None` if the epoch does not have the work.
pub(super) fn place(epoch: &OpenedEpoch, play: &Play) -> Option<(usize, WorkIndex)> {
    let mut shards = epoch.shards.iter().enumerate();
    shards.find_map(|(at, context)| context.shard.position(&play.work).map(|work| (at, work)))
}

/// Leaves out the latest events, of whatever work, until no more than `most` bundles are left. Returns how many events
/// each of `shards` shards has.
fn leave_out_latest(events: &mut Vec<(usize, EventWitness)>, shards: usize, most: usize) -> Vec<usize> {
    let mut counts = vec![0; shards];
    events.iter().for_each(|(shard, _)| counts[*shard] += 1);
    let mut bundles: Vec<usize> = counts.iter().map(|count| cut::sizes(*count).len()).collect();
    while bundles.iter().sum::<usize>() > most {
        let (shard, _) = events.pop().expect("there are bundles, so there are events");
        counts[shard] -= 1;
        bundles[shard] = cut::sizes(counts[shard]).len();
    }
    counts
}

impl Encode for PlannedBundle {
    fn encode(&self, w: &mut Writer) {
        self.shard.encode(w);
        w.count(self.events.len());
        for EventWitness { work, view, quarters, backed } in &self.events {
            work.encode(w);
            view.encode(w);
            quarters.encode(w);
            backed.encode(w);
        }
    }
}

impl Decode for PlannedBundle {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let shard = Decode::decode(r)?;
        let count = r.count(limits::BUNDLE_SIZES[2])?;
        let mut event = || {
            let work = WorkIndex::decode(r)?;
            let (view, quarters) = (u16::decode(r)?, u8::decode(r)?);
            Ok(EventWitness { work, view, quarters, backed: bool::decode(r)? })
        };
        Ok(Self { shard, events: (0..count).map(|_| event()).collect::<Result<_, CodecError>>()? })
    }
}

impl Encode for Plan {
    fn encode(&self, w: &mut Writer) {
        self.log.encode(w);
        self.summary.encode(w);
        w.seq(&self.bundles);
    }
}

impl Decode for Plan {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (log, summary) = (Decode::decode(r)?, Decode::decode(r)?);
        Ok(Self { log, summary, bundles: r.seq(usize::from(u16::MAX))? })
    }
}
