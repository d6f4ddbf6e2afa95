//! A subscriber's device: obtains a token and receipts, cuts its usage into bundles, proves and encodes them. A bundle is
//! of one shard, so a device cuts the events of each shard by themselves.

use crate::{
    workload::{EventSpec, SubscriberSpec, draw},
    world::{CHAIN, World},
};
use engine::message::OpenedEpoch;
use primitives::{Digest, Encode, GovernanceParams, RegionTag, WorkId, WorkIndex, limits::BUNDLE_SIZES};
pub use proofs::bundle::cut::{padding, sizes};
use proofs::{
    blind::{BlindError, BlindSignature},
    bundle::{self, Bundle, Envelope, EventWitness, Open, ProveError, RawWitness, Secrets},
    cap::Spent,
    epoch::EpochContext,
    receipt::{Denomination, Receipt},
    token::{self, SubscriberKey},
};
use rand_chacha::ChaCha20Rng;
use std::{collections::BTreeSet, sync::Arc};
use thiserror::Error;

/// Why a device has no bundle to hand in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The tier's issuer gives no token.
    #[error("subscriber {subscriber} gets no token: {error}")]
    Token {
        /// Who.
        subscriber: String,
        /// What went wrong.
        error: BlindError,
    },
    /// A region gives no receipt.
    #[error("subscriber {subscriber} gets no receipt: {error}")]
    Receipt {
        /// Who.
        subscriber: String,
        /// What went wrong.
        error: BlindError,
    },
    /// No proof can be made.
    #[error("subscriber {subscriber} cannot prove a bundle: {error}")]
    Prove {
        /// Who.
        subscriber: String,
        /// What went wrong.
        error: ProveError,
    },
    /// The epoch has no place for a work, or no signer for a tier or region.
    #[error("subscriber {subscriber} uses what the epoch does not have: {what}")]
    NotInEpoch {
        /// Who.
        subscriber: String,
        /// What.
        what: &'static str,
    },
}

/// A bundle as it is handed in.
#[derive(Clone)]
pub struct Parcel {
    /// Hash of its bytes.
    pub id: Digest,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Events in it, padding left out, as places among the subscriber's events.
    pub events: Vec<usize>,
    /// The region that it names.
    pub region: RegionTag,
    /// Receipts in it, and the views that they stand for.
    pub receipts: (u64, u64),
}

/// Most bundles that `events` events are cut into, however their works are dealt to `shards` shards.
pub fn most_bundles(events: usize, shards: usize) -> usize {
    match shards {
        1 => sizes(events).len(),
        // No rule of [`sizes`] cuts n events of a shard into more than n / 32 bundles, rounded up.
        _ => events / BUNDLE_SIZES[1] + shards.min(events),
    }
}

/// Most padding events of one shard that the bundles of `events` events need, dealt to `shards` shards.
pub fn most_padding(events: usize, shards: usize) -> usize {
    match shards {
        1 => padding(events),
        _ if events == 0 => 0,
        _ => BUNDLE_SIZES[1] - 1,
    }
}

/// The shard that a work was dealt to, as its place among the epoch's.
fn shard_of(epoch: &OpenedEpoch, work: &WorkId) -> Option<usize> {
    epoch.shards.iter().position(|context| context.shard.position(work).is_some())
}

/// How a subscriber's events are cut into bundles, shard by shard: the events of each, as places among all of them.
pub fn cut(
    world: &World,
    epoch: &OpenedEpoch,
    subscriber: &SubscriberSpec,
) -> Result<Vec<Vec<usize>>, DeviceError> {
    let mut by_shard = vec![Vec::new(); epoch.shards.len()];
    for (place, event) in subscriber.events.iter().enumerate() {
        let (name, what) = (|| subscriber.name.clone(), "a work is in no shard");
        let shard = shard_of(epoch, &world.works[event.work]);
        let shard = shard.ok_or_else(|| DeviceError::NotInEpoch { subscriber: name(), what })?;
        by_shard[shard].push(place);
    }
    let mut bundles = Vec::new();
    for mut places in by_shard {
        for size in sizes(places.len()) {
            let rest = places.split_off(size);
            bundles.push(std::mem::replace(&mut places, rest));
        }
    }
    Ok(bundles)
}

/// A subscriber's device in one epoch.
pub struct Device<'a> {
    world: &'a World,
    epoch: &'a OpenedEpoch,
    subscriber: &'a SubscriberSpec,
    key: SubscriberKey,
    token: BlindSignature,
    /// What the bundles were worth that were handed in.
    spent: Spent,
    /// Padding used so far, of each shard.
    used: Vec<BTreeSet<(WorkIndex, u16)>>,
    rng: ChaCha20Rng,
}

impl<'a> Device<'a> {
    /// Draws a key for the epoch and obtains a token for it.
    pub fn new(
        world: &'a World,
        epoch: &'a OpenedEpoch,
        subscriber: &'a SubscriberSpec,
    ) -> Result<Self, DeviceError> {
        let name = || subscriber.name.clone();
        let label = format!("{} in epoch {}", subscriber.name, world.epoch);
        let mut rng = draw::rng("device", world.seed, &label);
        let key = SubscriberKey::generate(&mut rng);
        let message = token::message(CHAIN, world.epoch, subscriber.tier, &key.public());
        let what = "its tier has no issuer";
        let issuer = world.issuers.tiers.get(&subscriber.tier);
        let issuer = issuer.ok_or_else(|| DeviceError::NotInEpoch { subscriber: name(), what })?;
        let token = token::issue(issuer, &message, &mut rng)
            .map_err(|error| DeviceError::Token { subscriber: name(), error })?;
        let used = vec![BTreeSet::new(); epoch.shards.len()];
        Ok(Self { world, epoch, subscriber, key, token, spent: Spent::default(), used, rng })
    }

    /// Every bundle of the subscriber's events, to be handed in during `window`.
    pub fn bundles(&mut self, window: u16) -> Result<Vec<Parcel>, DeviceError> {
        let mut parcels = Vec::new();
        for places in cut(self.world, self.epoch, self.subscriber)? {
            let events: Vec<EventSpec> = places.iter().map(|place| self.subscriber.events[*place]).collect();
            let (bundle, spent) = self.bundle(&events, window)?;
            self.spent = spent;
            parcels.push(parcel(&bundle, places));
        }
        Ok(parcels)
    }

    /// An honest bundle of events, all of one shard, and what is spent once it is handed in.
    pub fn bundle(&mut self, events: &[EventSpec], window: u16) -> Result<(Bundle, Spent), DeviceError> {
        let (open, witnesses) = self.prepare(events, window)?;
        let context = self.context(events)?;
        let secrets = Secrets::with_fresh_masks(context, &self.key, &self.spent, &mut self.rng);
        let bundle = bundle::prove(context, secrets, open, &witnesses, &mut self.rng);
        bundle.map_err(|error| self.cannot_prove(error))
    }

    /// Whether the tier's cap leaves room for events.
    pub(crate) fn has_room(&self, events: &[EventSpec]) -> bool {
        let value: u64 = events.iter().map(|e| self.params().event_value(e.view, e.quarters)).sum();
        let rules = self.epoch.shards[0].keys.tiers.get(&self.subscriber.tier);
        rules.is_some_and(|rules| self.spent.value() + value <= rules.value_cap)
    }

    /// A bundle of an event that goes on from nothing where the cap leaves no room for it: valid by itself.
    pub(crate) fn bundle_as_if_unspent(
        &mut self,
        event: &EventSpec,
        window: u16,
    ) -> Result<Bundle, DeviceError> {
        let spent = self.spent.clone();
        if !self.has_room(&[*event]) {
            self.spent = Spent::default();
        }
        let made = self.bundle(&[*event], window);
        self.spent = spent;
        made.map(|(bundle, _)| bundle)
    }

    /// A bundle whose witness `lie` changes before the proof is made.
    pub(crate) fn lying_bundle(
        &mut self,
        events: &[EventSpec],
        window: u16,
        lie: impl FnOnce(&mut RawWitness),
    ) -> Result<Bundle, DeviceError> {
        let (open, witnesses) = self.prepare(events, window)?;
        let context = self.context(events)?;
        let mut witness = RawWitness::honest(context, &self.key, &witnesses);
        lie(&mut witness);
        let secrets = Secrets::with_fresh_masks(context, &self.key, &self.spent, &mut self.rng);
        let made = bundle::prove_whatever_the_witness_says(context, secrets, open, witness, &mut self.rng);
        made.map(|(bundle, _)| bundle).map_err(|error| self.cannot_prove(error))
    }

    fn cannot_prove(&self, error: ProveError) -> DeviceError {
        DeviceError::Prove { subscriber: self.subscriber.name.clone(), error }
    }

    /// What a bundle of events says openly, and its padded events.
    fn prepare(
        &mut self,
        events: &[EventSpec],
        window: u16,
    ) -> Result<(Open, Vec<EventWitness>), DeviceError> {
        let shard = self.shard(events)?;
        let context = &self.epoch.shards[shard];
        let backed = events.iter().filter(|event| event.backed).count();
        let region = if backed > 0 { self.subscriber.region } else { RegionTag::NONE };
        let envelope = Envelope {
            chain: CHAIN,
            epoch: self.world.epoch,
            shard: context.shard.index(),
            window,
            tier: self.subscriber.tier,
            region,
            key: self.key.public(),
        };
        let receipts = self.receipts(region, backed)?;
        let mut witnesses =
            events.iter().map(|event| self.witness(context, event)).collect::<Result<Vec<_>, _>>()?;
        let padded = bundle::pad(context, &mut witnesses, &mut self.used[shard], &mut self.rng);
        padded.map_err(|error| self.cannot_prove(error))?;
        Ok(((envelope, self.token, receipts), witnesses))
    }

    /// Receipts for exactly `views` views.
    fn receipts(&mut self, region: RegionTag, views: usize) -> Result<Vec<Receipt>, DeviceError> {
        let Some(region) = region.0 else { return Ok(Vec::new()) };
        let (world, name) = (self.world, &self.subscriber.name);
        let issue = |denomination| {
            let subscriber = || name.clone();
            let what = "its region has no signer";
            let signer = world.issuers.regions.get(&(region, denomination));
            let signer = signer.ok_or_else(|| DeviceError::NotInEpoch { subscriber: subscriber(), what })?;
            let at = (CHAIN, world.epoch, region);
            Receipt::issue(signer, at, denomination, &self.key.public(), &mut self.rng)
                .map_err(|error| DeviceError::Receipt { subscriber: subscriber(), error })
        };
        Denomination::cover(views).into_iter().map(issue).collect()
    }

    fn witness(&self, context: &EpochContext, event: &EventSpec) -> Result<EventWitness, DeviceError> {
        let place = context.shard.position(&self.world.works[event.work]);
        let (subscriber, what) = (self.subscriber.name.clone(), "a work is not in its shard");
        let work = place.ok_or(DeviceError::NotInEpoch { subscriber, what })?;
        Ok(EventWitness { work, view: event.view, quarters: event.quarters, backed: event.backed })
    }

    /// The shard of events, as its place among the epoch's; the first, if there is none.
    fn shard(&self, events: &[EventSpec]) -> Result<usize, DeviceError> {
        let Some(first) = events.first() else { return Ok(0) };
        let (subscriber, what) = (self.subscriber.name.clone(), "a work is in no shard");
        let shard = shard_of(self.epoch, &self.world.works[first.work]);
        shard.ok_or(DeviceError::NotInEpoch { subscriber, what })
    }

    /// The public context of the shard of events.
    pub(crate) fn context(&self, events: &[EventSpec]) -> Result<&'a EpochContext, DeviceError> {
        Ok(&self.epoch.shards[self.shard(events)?])
    }

    /// Parameters of the epoch.
    pub(crate) fn params(&self) -> &'a GovernanceParams {
        &self.epoch.shards[0].params
    }

    /// Works of the epoch.
    pub(crate) fn works(&self) -> usize {
        self.world.works.len()
    }

    /// Whose device it is.
    pub(crate) fn subscriber(&self) -> &'a SubscriberSpec {
        self.subscriber
    }
}

/// Wraps a bundle to be handed in.
pub(crate) fn parcel(bundle: &Bundle, events: Vec<usize>) -> Parcel {
    Parcel {
        id: bundle.id(),
        bytes: bundle.to_bytes().into(),
        events,
        region: bundle.envelope.region,
        receipts: (bundle.receipts.len() as u64, bundle.receipted_views()),
    }
}
