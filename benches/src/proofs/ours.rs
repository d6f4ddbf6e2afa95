//! Bundles of many subscribers over one shard, and what a device and a party do with them.

use crate::measure::on_all_threads;
use curve25519_dalek::{
    ristretto::RistrettoPoint,
    scalar::Scalar,
    traits::{MultiscalarMul, VartimeMultiscalarMul},
};
use mpc::share::ReplicatedTotals;
use primitives::{
    ChainId, CodecError, Decode, Digest, Encode, EpochId, PartyId, Preset, Reader, Region, ShardIndex, Tier,
    Writer, limits,
};
use proofs::{
    blind::{BlindIssuer, BlindKey, BlindSignature},
    bundle::{self, Bundle, Envelope, EventWitness},
    epoch::{EpochContext, EpochKeys},
    receipt::{Denomination, Receipt},
    shard::Shard,
    sharing::{ShareOpening, check, held},
    tally::Group,
    testing::{self, TestCommittee, TestSubscriber},
    token,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use rayon::prelude::*;
use std::cell::RefCell;

/// Events of a bundle.
pub(crate) const EVENTS: usize = 32;
/// Every other event is backed, so one receipt for 16 views covers them.
const BACKED_EVERY: usize = 2;

/// What a device has before it proves.
struct Draft {
    subscriber: TestSubscriber,
    open: (Envelope, BlindSignature, Vec<Receipt>),
    events: Vec<EventWitness>,
}

impl Draft {
    /// The draft of a seed, with token and receipts from `credentials`.
    fn new(
        context: &EpochContext,
        seed: u64,
        credentials: impl FnOnce(
            &mut TestSubscriber,
            &Envelope,
            &[EventWitness],
        ) -> (BlindSignature, Vec<Receipt>),
    ) -> Self {
        let mut subscriber = TestSubscriber::new(seed);
        let mut views = vec![0; context.shard.width()];
        let events: Vec<_> = (0..EVENTS)
            .map(|at| {
                let work = subscriber.rng.next_u64() as usize % views.len();
                views[work] += 1;
                testing::event(work as u16, views[work] - 1, at.is_multiple_of(BACKED_EVERY))
            })
            .collect();
        let envelope = subscriber.envelope(context, Region::all().next());
        let (token, receipts) = credentials(&mut subscriber, &envelope, &events);
        Self { subscriber, open: (envelope, token, receipts), events }
    }

    fn prove(&self, context: &EpochContext, rng: &mut ChaCha20Rng) -> Bundle {
        bundle::prove(context, &self.subscriber.key, self.open.clone(), &self.events, rng)
            .expect("honest events")
    }
}

/// Bundles of one epoch, each of another subscriber.
pub(crate) struct Bundles {
    committee: TestCommittee,
    context: EpochContext,
    drafts: Vec<Draft>,
    bundles: Vec<Bundle>,
    rng: RefCell<ChaCha20Rng>,
}

/// The context of a shard in which one blind signer issues all tokens and another all receipts.
fn context(committee: &TestCommittee, width: usize, [token, receipt]: [&BlindKey; 2]) -> EpochContext {
    let denominations = |region| Denomination::all().map(move |d| ((region, d), receipt.clone()));
    let keys = EpochKeys {
        beacon: Digest([9; 32]),
        tiers: [(Tier(1), token.clone())].into(),
        regions: Region::all().flat_map(denominations).collect(),
        committee: committee.public.clone(),
    };
    let works = testing::works(u16::try_from(width).expect("shards are narrow"));
    let shard = Shard::new(ShardIndex(0), works).expect("works in order");
    EpochContext::new(ChainId(5), EpochId(3), keys, shard, Preset::Spec.params())
}

fn issuers() -> [&'static BlindKey; 2] {
    let denomination = Denomination::cover(EVENTS / BACKED_EVERY)[0];
    [testing::issuer(), testing::receipt_issuer(denomination)].map(BlindIssuer::public)
}

impl Bundles {
    /// `count` bundles over a shard of `width` works, a power of four.
    pub(crate) fn new(width: usize, count: usize) -> Self {
        let committee = testing::committee(1);
        let context = context(&committee, width, issuers());
        let made = |at: u64| {
            let draft = Draft::new(&context, at, TestSubscriber::credentials);
            let bundle = draft.prove(&context, &mut ChaCha20Rng::seed_from_u64(at));
            (draft, bundle)
        };
        let made = on_all_threads(|| (0..count as u64).into_par_iter().map(made).collect::<Vec<_>>());
        let (drafts, bundles) = made.into_iter().unzip();
        Self { committee, context, drafts, bundles, rng: RefCell::new(ChaCha20Rng::seed_from_u64(2)) }
    }

    /// What [`Bundles::read`] makes the same bundles of. Finding keys takes longer than anything else here, which
    /// matters where every instruction is counted.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut w = Writer::default();
        (self.context.shard.width() as u64).encode(&mut w);
        issuers().iter().for_each(|key| key.encode(&mut w));
        w.seq(&self.bundles);
        w.finish()
    }

    /// Reads what [`Bundles::write`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut r = Reader::new(bytes);
        let width = u64::decode(&mut r)? as usize;
        let keys = [BlindKey::decode(&mut r)?, BlindKey::decode(&mut r)?];
        let bundles: Vec<Bundle> = r.seq(limits::MAX_BATCH)?;
        let committee = testing::committee(1);
        let context = context(&committee, width, keys.each_ref());
        let draft = |(seed, bundle): (u64, &Bundle)| {
            Draft::new(&context, seed, |_, _, _| (bundle.token, bundle.receipts.clone()))
        };
        let drafts = (0..).zip(&bundles).map(draft).collect();
        Ok(Self { committee, context, drafts, bundles, rng: RefCell::new(ChaCha20Rng::seed_from_u64(2)) })
    }

    /// Number of bundles.
    pub(crate) fn len(&self) -> usize {
        self.bundles.len()
    }

    /// Works of the events of a bundle.
    pub(crate) fn works_of(&self, bundle: usize) -> Vec<usize> {
        self.drafts[bundle].events.iter().map(|event| usize::from(event.work.0)).collect()
    }

    /// Backed events of a bundle.
    pub(crate) fn backed(&self) -> usize {
        EVENTS.div_ceil(BACKED_EVERY)
    }

    /// Bytes of an upload, for each event.
    pub(crate) fn bytes(&self) -> f64 {
        self.bundles[0].to_bytes().len() as f64 / EVENTS as f64
    }

    /// A device's work: shares, ciphertexts and proof of one bundle. Token and receipts are there.
    pub(crate) fn prove(&self) -> Bundle {
        self.drafts[0].prove(&self.context, &mut self.rng.borrow_mut())
    }

    /// A party's first work: proofs, tokens and receipts of all bundles.
    pub(crate) fn verify(&self) {
        let all: Vec<_> = self.bundles.iter().collect();
        let results = bundle::verify_batch(&self.context, &all, &mut *self.rng.borrow_mut());
        assert!(results.iter().all(Result::is_ok), "honest bundles");
    }

    /// The two shares of each bundle that `party` holds.
    pub(crate) fn openings(&self, party: PartyId) -> Vec<[ShareOpening; 2]> {
        let key = &self.committee.kem[party.index()];
        let open = |bundle: &Bundle| {
            let sealing = self.context.sealing_context(&bundle.envelope);
            bundle
                .sealed
                .open(party, key, &sealing, self.context.shard.width())
                .expect("sealed to this party")
        };
        self.bundles.iter().map(open).collect()
    }

    /// A party's second work: opens its shares of all bundles, checks and adds them.
    pub(crate) fn add_shares(&self) -> ReplicatedTotals<Group> {
        self.totals(PartyId::ALL[0])
    }

    fn totals(&self, party: PartyId) -> ReplicatedTotals<Group> {
        let openings = self.openings(party);
        let pairs = self.bundles.iter().zip(&openings).flat_map(|(bundle, openings)| {
            let commitments = held(party).map(|share| bundle.commitments[share.index()]);
            let point = |c: proofs::wire::WirePoint| c.decompress().expect("a commitment");
            commitments.map(point).into_iter().zip(openings)
        });
        let pairs: Vec<_> = pairs.collect();
        check::check(&self.context.works, &pairs, &mut *self.rng.borrow_mut()).expect("honest shares");
        let width = self.context.shard.width();
        let mut totals = ReplicatedTotals::new(party, width);
        for (bundle, openings) in self.bundles.iter().zip(&openings) {
            let [own, next] = openings.each_ref().map(|opening| opening.to_vector(width));
            let added = totals.add(bundle.envelope.group(), [(&own.0, own.1), (&next.0, next.1)]);
            added.expect("shares are as wide as the shard");
        }
        totals
    }

    /// Views of each work, opened from the sums of all three parties. Not measured: it shows that the sums are right.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> Vec<u64> {
        let mut sums = vec![Scalar::ZERO; self.context.shard.width()];
        for totals in PartyId::ALL.map(|party| self.totals(party)) {
            for (_, share) in totals.own() {
                sums.iter_mut().zip(&share.entries).for_each(|(sum, entry)| *sum += entry);
            }
        }
        sums.iter()
            .map(|sum| proofs::tally::Count::from_scalar(sum).expect("shares add up to counts").views)
            .collect()
    }

    /// Group elements, as many as are asked for.
    fn points(&self, count: usize) -> impl Iterator<Item = &RistrettoPoint> {
        self.context.works.points().iter().cycle().take(count)
    }

    fn scalars(&self, count: usize) -> Vec<Scalar> {
        (0..count).map(|_| Scalar::random(&mut *self.rng.borrow_mut())).collect()
    }

    /// Two scalars for each half of a work's digits: the sides of the outer product over all works.
    pub(crate) fn halves(&self) -> [Vec<Scalar>; 2] {
        let low = 1 << (2 * (self.context.shard.digits() / 2));
        [low, self.context.shard.width() / low].map(|n| self.scalars(n))
    }

    /// Bases of the digits of one event: three and four for each digit, and two for the backed entry.
    fn digit_bases(&self) -> usize {
        7 * (self.context.shard.digits() + 4) + 2
    }

    /// The multi-scalar multiplications of a proof, in constant time as the prover's are, and nothing else.
    pub(crate) fn prover_floor(&self) -> RistrettoPoint {
        let (width, degree) = (self.context.shard.width() + 1, self.context.shard.digits() + 4);
        let over_works = std::iter::repeat_n(width, degree + 3);
        let over_digits = std::iter::repeat_n(1 + EVENTS * self.digit_bases(), 2);
        let multiply = |n| RistrettoPoint::multiscalar_mul(self.scalars(n), self.points(n));
        over_works.chain(over_digits).map(multiply).sum()
    }

    /// The signatures of all bundles, their group elements read, and one multi-scalar multiplication.
    pub(crate) fn verifier_floor(&self) -> RistrettoPoint {
        let (context, mut elements) = (&self.context, Vec::new());
        for bundle in &self.bundles {
            let e = &bundle.envelope;
            let message = token::message(e.chain, e.epoch, e.tier, &e.key);
            token::verify(&context.keys.tiers[&e.tier], &message, &bundle.token).expect("a token");
            let region = e.region.0.expect("a bundle with receipts");
            for receipt in &bundle.receipts {
                let signer = &context.keys.regions[&(region, receipt.denomination)];
                receipt.verify(signer, (e.chain, e.epoch, region), &e.key).expect("a receipt");
            }
            let proof = &bundle.proof;
            let wires = bundle.tags.iter().chain(&bundle.commitments).chain(&bundle.sealed.ephemerals);
            let wires = wires.chain(&proof.ephemeral_masks).chain(&proof.coefficients).chain([
                &e.key,
                &proof.digits,
                &proof.masks,
                &proof.key_mask,
                &proof.tag_mask,
            ]);
            elements.extend(wires.map(|wire| wire.decompress().expect("a group element")));
        }
        let fixed = context.shard.width() + EVENTS * self.digit_bases();
        let scalars = self.scalars(fixed + elements.len());
        RistrettoPoint::vartime_multiscalar_mul(&scalars, self.points(fixed).chain(&elements))
    }
}
