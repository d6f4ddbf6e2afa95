//! Key, token and bundles. Each function gives back what is on disk, and makes it first if it is not there.

use super::{Client, ClientError, Clock, JournalError, LinkError, Progress, Signers, file, plan::Plan};
use primitives::{CodecError, Decode, Digest, Encode, Reader, RegionTag, ShardIndex, Writer, limits};
use proofs::{
    blind::{BlindSignature, Pending},
    bundle::{self, Bundle, Envelope, Secrets},
    cap::Spent,
    receipt::{Denomination, Receipt},
    token::{self, SubscriberKey},
};
use rand_core::{CryptoRng, RngCore};
use std::time::Duration;

/// How the issuer of tokens goes by in errors.
const ISSUER: &str = "token issuer";

/// A bundle as it is on disk: what is sent, byte for byte.
pub(super) struct Parcel {
    pub(super) id: Digest,
    pub(super) shard: ShardIndex,
    pub(super) bytes: Vec<u8>,
}

/// The bytes of a bundle, as they are on disk.
struct Raw(Vec<u8>);

impl Encode for Raw {
    fn encode(&self, w: &mut Writer) {
        w.bytes(&self.0);
    }
}

impl Decode for Raw {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self(r.bytes(limits::MAX_BUNDLE_BYTES)?.to_vec()))
    }
}

/// The key of the epoch, and the one request for a token that it will ever be in.
struct KeyFile {
    key: SubscriberKey,
    request: BlindSignature,
    pending: Pending,
}

impl Encode for KeyFile {
    fn encode(&self, w: &mut Writer) {
        w.raw(&*self.key.secret_bytes());
        w.raw(&self.request);
        self.pending.encode(w);
    }
}

impl Decode for KeyFile {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let key = SubscriberKey::from_secret_bytes(&r.array()?);
        let key = key.ok_or(CodecError::Invalid { what: "subscriber key" })?;
        Ok(Self { key, request: r.array()?, pending: Decode::decode(r)? })
    }
}

impl Client {
    /// The bundles of a plan, in the order in which each goes on from the one before. Who signs receipts and fails has no
    /// veto: then the plan has fewer events that are backed.
    pub(super) fn make(
        &self,
        plan: &mut Plan,
        signers: &dyn Signers,
        clock: &dyn Clock,
        rng: &mut (impl RngCore + CryptoRng),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<Parcel>, ClientError> {
        let of = plan.bundles.len();
        let mut parcels = Vec::with_capacity(of);
        if of == 0 {
            // Nothing was played: the issuer need not know that there is a key.
            return Ok(parcels);
        }
        let is_new = self.journal.get::<BlindSignature>(file::TOKEN)?.is_none();
        let (key, token) = self.token(signers, clock, rng)?;
        if is_new {
            progress(Progress::Token);
        }
        let (mut issued, mut spent, mut waited) = (0, Spent::default(), Duration::ZERO);
        for place in 0..of {
            if self.parcel(place)?.is_none() {
                self.check_open(clock)?;
                let receipts =
                    self.receipts((&mut *plan, place), &key, (signers, clock, &mut waited), rng)?;
                issued += receipts.len();
                if !receipts.is_empty() {
                    let later = plan.bundles[place + 1..].iter();
                    let missing = later.map(|bundle| Denomination::cover(bundle.backed()).len());
                    progress(Progress::Receipts { done: issued, of: issued + missing.sum::<usize>() });
                }
                // Receipts may have taken their time.
                self.check_open(clock)?;
                self.prove((&*plan, place), (&key, token, receipts), &spent, rng)?;
                progress(Progress::Made { done: place + 1, of });
            }
            parcels.push(self.parcel(place)?.expect("it was there, or has just been written"));
            let name = file::of("spent", place);
            spent = self.journal.get(&name)?.ok_or(JournalError::Damaged { name })?;
        }
        Ok(parcels)
    }

    /// That bundles may still be handed in: none is, before all are made.
    pub(super) fn check_open(&self, clock: &dyn Clock) -> Result<(), ClientError> {
        match clock.is_over() {
            true => Err(ClientError::Closed { epoch: self.epoch.shards[0].epoch }),
            false => Ok(()),
        }
    }

    /// A bundle on disk, if it is there.
    pub(super) fn parcel(&self, place: usize) -> Result<Option<Parcel>, ClientError> {
        let name = file::of("bundle", place);
        let Some(Raw(bytes)) = self.journal.get(&name)? else { return Ok(None) };
        let read = Bundle::from_bytes(&bytes);
        let bundle = read.map_err(|error| JournalError::Codec { name, error })?;
        Ok(Some(Parcel { id: bundle.id(), shard: bundle.envelope.shard, bytes }))
    }

    /// The key of the epoch and its token.
    fn token(
        &self,
        signers: &dyn Signers,
        clock: &dyn Clock,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(SubscriberKey, BlindSignature), ClientError> {
        let (context, tier) = (&self.epoch.shards[0], self.settings.tier);
        let KeyFile { key, request, pending } = match self.journal.get(file::KEY)? {
            Some(file) => file,
            None => {
                let key = SubscriberKey::generate(rng);
                let message = token::message(context.chain, context.epoch, tier, &key.public());
                let issuer = &context.keys.tiers[&tier].issuer;
                let blinded = issuer.blind(&message.0, rng);
                let (request, pending) = blinded.map_err(|error| ClientError::Key { who: ISSUER, error })?;
                let file = KeyFile { key, request, pending };
                self.journal.put(file::KEY, &file)?;
                file
            }
        };
        if let Some(token) = self.journal.get(file::TOKEN)? {
            return Ok((key, token));
        }
        let answer = self.ask((ISSUER, None), clock, || signers.token(context.epoch, tier, &request))?;
        let finished = pending.finish(&answer);
        let token = finished.map_err(|error| ClientError::Forged { who: ISSUER, error })?;
        self.journal.put(file::TOKEN, &token)?;
        Ok((key, token))
    }

    /// Proves a planned bundle and has it on disk.
    fn prove(
        &self,
        (plan, place): (&Plan, usize),
        (key, token, receipts): (&SubscriberKey, BlindSignature, Vec<Receipt>),
        spent: &Spent,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), ClientError> {
        let planned = &plan.bundles[place];
        let unknown = JournalError::Damaged { name: file::PLAN.into() };
        let context = self.epoch.context(planned.shard).ok_or(unknown)?;
        let envelope = Envelope {
            chain: context.chain,
            epoch: context.epoch,
            shard: planned.shard,
            window: self.settings.window,
            tier: self.settings.tier,
            region: if receipts.is_empty() { RegionTag::NONE } else { self.settings.region },
            key: key.public(),
        };
        let secrets = Secrets::with_fresh_masks(context, key, spent, rng);
        let made = bundle::prove(context, secrets, (envelope, token, receipts), &planned.events, rng);
        let (bundle, after) = made.map_err(ClientError::Prove)?;
        // The opening first: without its bundle it means nothing, and is written anew with the next attempt.
        self.journal.put(&file::of("spent", place), &after)?;
        self.journal.put(&file::of("bundle", place), &Raw(bundle.to_bytes()))?;
        Ok(())
    }

    /// How long to wait before the first bundle; `None` if nothing is to be waited for, or it was sent before.
    pub(super) fn pause(
        &self,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Option<Duration>, ClientError> {
        let longest = u64::try_from(self.settings.delay.as_millis()).unwrap_or(u64::MAX - 1);
        if longest == 0 || self.journal.has(&file::of(file::SENT, 0))? {
            return Ok(None);
        }
        // Drawn from so many more numbers than there are milliseconds that all are as likely.
        Ok(Some(Duration::from_millis(rng.next_u64() % (longest + 1))))
    }

    /// Asks a signer until it answers, refuses, or patience or the epoch's window is at its end, or so much time has gone by.
    pub(super) fn ask<T>(
        &self,
        (who, within): (&'static str, Option<Duration>),
        clock: &dyn Clock,
        mut request: impl FnMut() -> Result<T, LinkError>,
    ) -> Result<T, ClientError> {
        let begun = clock.now();
        for failures in 1.. {
            let error = match request() {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let asked = match &error {
                LinkError::Busy { retry_after, .. } => *retry_after,
                LinkError::Unreachable { .. } => None,
                LinkError::Refused { .. } | LinkError::Garbage { .. } | LinkError::Slow { .. } => {
                    return Err(ClientError::Signer { who, error });
                }
            };
            let left = within.map(|within| within.saturating_sub(clock.now().saturating_sub(begun)));
            let pause = self.settings.patience.pause(failures, asked);
            let Some(pause) = pause.filter(|pause| left.is_none_or(|left| *pause < left)) else {
                return Err(ClientError::Signer { who, error });
            };
            self.check_open(clock)?;
            clock.waits(who, &error);
            clock.sleep(pause);
        }
        unreachable!("patience comes to an end")
    }
}
