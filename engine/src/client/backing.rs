//! Receipts for what is backed, and what becomes of a plan if their issuer gives none.
//!
//! A receipt is worth something to the subscriber, and the epoch is worth more: an issuer of receipts that refuses, is
//! silent for longer than the client's patience, takes longer than [`LONGEST`] for all that it is asked in a run, or answers
//! what is no signature has no veto over it. From the bundle on that it fails at, what it has not signed is not backed. A
//! note in one file beside the plan says so: the two together are the plan that goes on, after whatever crash. Bundles that
//! are made stay as they are, because the note begins at the first that is not; should the issuer fail again before that one
//! is made, it has fewer backed still.
//!
//! Receipts are asked for bundle after bundle, largest first, so their issuer sees the sequence of denominations that the
//! bundles will show under one key, and may even choose it by where it fails: what is in a receipt is blind, how many of
//! them there are is not (docs/privacy.md, "Receipts and codes").

use super::{
    Client, ClientError, Clock, LinkError, Signers, file,
    outcome::{MAX_TEXT_BYTES, beginning},
    plan::Plan,
};
use primitives::{CodecError, Decode, Encode, Reader, Region, Writer, limits};
use proofs::{
    blind::BlindSignature,
    receipt::{Denomination, PendingReceipt, Receipt},
    token::SubscriberKey,
};
use rand_core::{CryptoRng, RngCore};
use std::time::Duration;

/// How their issuer says that a code is nobody's.
const UNKNOWN_CODE: &str = "unknown-code";
/// How it says that a code has not so many views left.
const BUDGET: &str = "budget";
/// How long the signers of receipts are waited for in a run, for all receipts together. A request that has begun by then
/// comes to its end.
const LONGEST: Duration = Duration::from_secs(600);
/// How the signers of receipts go by in errors.
const SIGNER: &str = "receipt issuer";

/// Plays that a serving node would back, and for which there is no receipt: they count as others do that nobody backs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NotBacked {
    /// How many.
    pub plays: u64,
    /// What the issuer of receipts did, in a sentence.
    pub why: String,
}

/// What a plan has no receipts for.
pub(super) struct Lacking {
    /// The bundle at which the issuer failed: nothing is backed in those after it.
    from: usize,
    /// Events of that bundle that are backed all the same.
    kept: usize,
    pub(super) told: NotBacked,
}

impl Lacking {
    /// Changes a plan that does not know of it. Returns how many events were backed before and are not now.
    pub(super) fn apply(&self, plan: &mut Plan) -> u64 {
        let mut lost = 0;
        for (place, bundle) in plan.bundles.iter_mut().enumerate().skip(self.from) {
            let kept = if place == self.from { self.kept } else { 0 };
            for event in bundle.events.iter_mut().filter(|event| event.backed).skip(kept) {
                event.backed = false;
                lost += 1;
            }
        }
        lost
    }
}

impl Encode for Lacking {
    fn encode(&self, w: &mut Writer) {
        w.count(self.from);
        w.count(self.kept);
        self.told.plays.encode(w);
        w.bytes(self.told.why.as_bytes());
    }
}

impl Decode for Lacking {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (from, kept) = (r.count(usize::from(u16::MAX))?, r.count(limits::BUNDLE_SIZES[2])?);
        let plays = Decode::decode(r)?;
        let why = String::from_utf8(r.bytes(MAX_TEXT_BYTES)?.to_vec());
        let why = why.map_err(|_| CodecError::Invalid { what: "text" })?;
        Ok(Self { from, kept, told: NotBacked { plays, why } })
    }
}

/// Requests for receipts of one bundle.
struct Requests(Vec<(BlindSignature, PendingReceipt)>);

impl Encode for Requests {
    fn encode(&self, w: &mut Writer) {
        w.count(self.0.len());
        for (request, pending) in &self.0 {
            w.raw(request);
            pending.encode(w);
        }
    }
}

impl Decode for Requests {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.seq(limits::MAX_RECEIPTS).map(Self)
    }
}

/// Receipts of one bundle.
struct Receipts(Vec<Receipt>);

impl Encode for Receipts {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.0);
    }
}

impl Decode for Receipts {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.seq(limits::MAX_RECEIPTS).map(Self)
    }
}

/// Views that receipts stand for.
fn views(receipts: &[Receipt]) -> usize {
    receipts.iter().map(|receipt| usize::from(receipt.denomination.views())).sum()
}

/// Whether it is the issuer of receipts that failed, and not this machine. That a code is nobody's its subscriber can mend.
fn is_of_signer(error: &ClientError) -> bool {
    use ClientError::{Forged, Key, Signer};
    let is_its =
        matches!(error, Signer { who: SIGNER, .. } | Forged { who: SIGNER, .. } | Key { who: SIGNER, .. });
    is_its && !is_refused(error, UNKNOWN_CODE)
}

/// Whether the issuer of receipts refuses for this reason.
fn is_refused(error: &ClientError, why: &str) -> bool {
    let ClientError::Signer { who: SIGNER, error: LinkError::Refused { kind, .. } } = error else {
        return false;
    };
    kind == why
}

impl Client {
    /// What is known to have no receipts.
    pub(super) fn lacking(&self) -> Result<Option<Lacking>, ClientError> {
        Ok(self.journal.get(file::UNBACKED)?)
    }

    /// Receipts for the backed events of a planned bundle. If their issuer fails, the plan has no more events from there on
    /// that are backed than there are receipts.
    pub(super) fn receipts(
        &self,
        (plan, place): (&mut Plan, usize),
        key: &SubscriberKey,
        (signers, clock, waited): (&dyn Signers, &dyn Clock, &mut Duration),
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Vec<Receipt>, ClientError> {
        let backed = plan.bundles[place].backed();
        let Some(region) = self.settings.region.0.filter(|_| backed > 0) else { return Ok(Vec::new()) };
        let name = file::of("receipts", place);
        if let Some(Receipts(receipts)) = self.journal.get(&name)? {
            return Ok(receipts);
        }
        let mut receipts = Vec::new();
        match self.obtain((place, region, backed), key, (signers, clock, waited), &mut receipts, rng) {
            Ok(()) => {}
            Err(error) if is_of_signer(&error) => {
                let known = self.lacking()?.map_or(0, |lacking| lacking.told.plays);
                let why = beginning(&error.to_string(), MAX_TEXT_BYTES);
                let told = NotBacked { plays: known, why };
                let mut lacking = Lacking { from: place, kept: views(&receipts), told };
                lacking.told.plays += lacking.apply(plan);
                // Before the receipts: without the note they would be taken for all that the bundle needs.
                self.journal.put(file::UNBACKED, &lacking)?;
            }
            Err(error) => return Err(error),
        }
        let receipts = Receipts(receipts);
        self.journal.put(&name, &receipts)?;
        Ok(receipts.0)
    }

    /// Asks for receipts for so many events, and has those that came in `receipts`, whatever comes of the others.
    fn obtain(
        &self,
        (place, region, backed): (usize, Region, usize),
        key: &SubscriberKey,
        (signers, clock, waited): (&dyn Signers, &dyn Clock, &mut Duration),
        receipts: &mut Vec<Receipt>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), ClientError> {
        let (epoch, mut refused) = (self.epoch.shards[0].epoch, None);
        for (request, pending) in self.requests(place, (region, backed), key, rng)?.0 {
            if views(receipts) == backed {
                // The requests are older than the note that fewer are backed.
                break;
            }
            let at = (region, pending.denomination());
            // Where the note is older than these receipts, fewer are backed than were asked for.
            let too_many = views(receipts) + usize::from(at.1.views()) > backed;
            if too_many || refused.as_ref().is_some_and(|(above, _)| at.1.views() >= *above) {
                continue;
            }
            let left = LONGEST.saturating_sub(*waited);
            if left.is_zero() {
                return Err(ClientError::Signer { who: SIGNER, error: LinkError::Slow { waited: *waited } });
            }
            let begun = clock.now();
            let answer = self.ask((SIGNER, Some(left)), clock, || signers.receipt(epoch, at, &request));
            *waited += clock.now().saturating_sub(begun);
            let answer = match answer {
                // There may be views left for smaller ones.
                Err(error) if is_refused(&error, BUDGET) => {
                    refused = Some((at.1.views(), error));
                    continue;
                }
                answer => answer?,
            };
            let finished = pending.finish(&answer);
            receipts.push(finished.map_err(|error| ClientError::Forged { who: SIGNER, error })?);
        }
        refused.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Requests for exactly so many views. All are on disk before the first is sent.
    fn requests(
        &self,
        place: usize,
        (region, backed): (Region, usize),
        key: &SubscriberKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Requests, ClientError> {
        let name = file::of("requests", place);
        if let Some(requests) = self.journal.get(&name)? {
            return Ok(requests);
        }
        let (context, holder) = (&self.epoch.shards[0], key.public());
        let mut request = |denomination: Denomination| {
            let signer = &context.keys.regions[&(region, denomination)];
            Receipt::request(signer, (context.chain, context.epoch, region), denomination, &holder, rng)
        };
        let requests: Result<_, _> = Denomination::cover(backed).into_iter().map(&mut request).collect();
        let requests = Requests(requests.map_err(|error| ClientError::Key { who: SIGNER, error })?);
        self.journal.put(&name, &requests)?;
        Ok(requests)
    }
}
