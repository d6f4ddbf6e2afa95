//! Bundles of many subscribers over one shard, and what a device and a party do with them.

use crate::measure::on_all_threads;
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::{
    ChainId, CodecError, Decode, Digest, Encode, EpochId, PartyId, Preset, Reader, Region, ShardIndex, Tier,
    Writer, limits,
};
use proofs::{
    blind::{BlindIssuer, BlindKey, BlindSignature},
    bundle::{self, Bundle, Envelope, EventWitness, Secrets},
    epoch::{EpochContext, EpochKeys, TierRules},
    receipt::{Denomination, Receipt},
    shard::Shard,
    sharing::{
        Accepted, BatchShare, Masks, SHOWN_SHARE, SharePart, ShareSeed, held, share_commitments, sums_open,
    },
    testing::{self, TestCommittee, TestSubscriber},
    transcript::BundleChallenge,
    wire::WirePoint,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use rayon::prelude::*;
use std::cell::{OnceCell, RefCell};

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

    /// The bundle, which is its subscriber's first.
    fn prove(&self, context: &EpochContext, masks: Masks, rng: &mut ChaCha20Rng) -> Bundle {
        let secrets = Secrets { key: &self.subscriber.key, spent: &self.subscriber.spent, masks };
        bundle::prove(context, secrets, self.open.clone(), &self.events, rng).expect("honest events").0
    }
}

/// Bundles of one epoch, each of another subscriber.
pub(crate) struct Bundles {
    committee: TestCommittee,
    pub(super) context: EpochContext,
    drafts: Vec<Draft>,
    bundles: Vec<Bundle>,
    scalars: OnceCell<Vec<Scalar>>,
    rng: RefCell<ChaCha20Rng>,
}

/// The context of a shard in which one blind signer issues all tokens and another all receipts.
fn context(committee: &TestCommittee, width: usize, [token, receipt]: [&BlindKey; 2]) -> EpochContext {
    let denominations = |region| Denomination::all().map(move |d| ((region, d), receipt.clone()));
    let params = Preset::Spec.params();
    let keys = EpochKeys {
        beacon: Digest([9; 32]),
        tiers: [(Tier(1), TierRules { issuer: token.clone(), value_cap: params.value_cap })].into(),
        regions: Region::all().flat_map(denominations).collect(),
        committee: committee.public.clone(),
    };
    let works = testing::works(u16::try_from(width).expect("shards are narrow"));
    let shard = Shard::new(ShardIndex(0), works).expect("works in order");
    EpochContext::new(ChainId(5), EpochId(3), keys, shard, params)
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
            let mut rng = ChaCha20Rng::seed_from_u64(at);
            let masks = Masks::prepare(&context.works, &mut rng);
            let bundle = draft.prove(&context, masks, &mut rng);
            (draft, bundle)
        };
        let made = on_all_threads(|| (0..count as u64).into_par_iter().map(made).collect::<Vec<_>>());
        let (drafts, bundles) = made.into_iter().unzip();
        Self::of(committee, context, (drafts, bundles))
    }

    fn of(
        committee: TestCommittee,
        context: EpochContext,
        (drafts, bundles): (Vec<Draft>, Vec<Bundle>),
    ) -> Self {
        let rng = RefCell::new(ChaCha20Rng::seed_from_u64(2));
        Self { committee, context, drafts, bundles, scalars: OnceCell::new(), rng }
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
        Ok(Self::of(committee, context, (drafts, bundles)))
    }

    /// Number of different bundles.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.bundles.len()
    }

    /// Works of the shard.
    pub(crate) fn width(&self) -> usize {
        self.context.shard.width()
    }

    /// `count` bundles: where there are fewer, each several times. Nothing that is measured keeps what it has computed
    /// of a bundle, so that a bundle costs the same each time.
    pub(super) fn take(&self, count: usize) -> impl Iterator<Item = &Bundle> {
        self.bundles.iter().cycle().take(count)
    }

    /// Works of the events of a bundle.
    pub(crate) fn works_of(&self, bundle: usize) -> Vec<usize> {
        self.drafts[bundle].events.iter().map(|event| usize::from(event.work.0)).collect()
    }

    /// Bytes of an upload, for each event.
    pub(crate) fn bytes(&self) -> f64 {
        self.bundles[0].to_bytes().len() as f64 / EVENTS as f64
    }

    /// A device's work ahead of time.
    pub(crate) fn masks(&self) -> Masks {
        Masks::prepare(&self.context.works, &mut *self.rng.borrow_mut())
    }

    /// A device's work on one bundle, sealing included. Masks, token and receipts are there.
    pub(crate) fn prove(&self, masks: Masks) -> Bundle {
        self.drafts[0].prove(&self.context, masks, &mut self.rng.borrow_mut())
    }

    /// A party's first work: proofs, caps, tokens and receipts of `count` bundles together.
    pub(crate) fn verify(&self, count: usize) {
        let all: Vec<_> = self.take(count).map(|bundle| &**bundle).collect();
        let results = bundle::verify_batch(&self.context, &all, &mut *self.rng.borrow_mut());
        assert!(results.iter().all(Result::is_ok), "honest bundles");
    }

    /// The same for a bundle by itself.
    pub(crate) fn verify_one(&self) -> Accepted {
        bundle::verify(&self.context, &self.bundles[0]).expect("an honest bundle")
    }

    /// The two seeds that `party` holds of each of `count` bundles.
    pub(crate) fn open(&self, party: PartyId, count: usize) -> Vec<[ShareSeed; 2]> {
        let key = &self.committee.kem[party.index()];
        let open = |bundle: &Bundle| bundle.open(&self.context, party, key).expect("sealed to this party");
        self.take(count).map(open).collect()
    }

    /// What verifying them leaves behind.
    pub(crate) fn accepted(&self) -> Vec<Accepted> {
        let all: Vec<_> = self.bundles.iter().map(|bundle| &**bundle).collect();
        let results = bundle::verify_batch(&self.context, &all, &mut *self.rng.borrow_mut());
        results.into_iter().map(|result| result.expect("honest bundles")).collect()
    }

    /// As much as verifying leaves behind, with any challenge: verifying takes long where every instruction is counted.
    pub(crate) fn unverified(&self) -> Vec<Accepted> {
        let read = |wire: WirePoint| wire.decompress().expect("a group element");
        let challenge = BundleChallenge(u128::MAX / 3);
        let left = |b: &Bundle| Accepted {
            challenge,
            vector: read(b.vector),
            masks: b.masks.map(read),
            spent: b.previous,
        };
        self.bundles.iter().map(left).collect()
    }

    /// A party's second work: the sums of its two shares.
    pub(crate) fn sum(
        &self,
        party: PartyId,
        accepted: &[Accepted],
        seeds: &[[ShareSeed; 2]],
    ) -> [BatchShare; 2] {
        let bundles: Vec<_> = self.take(seeds.len()).zip(accepted.iter().cycle()).collect();
        [0, 1].map(|at| {
            let shown = held(party)[at] == SHOWN_SHARE;
            let parts: Vec<_> = bundles
                .iter()
                .zip(seeds)
                .map(|((bundle, accepted), seeds)| {
                    let proof = &bundle.proof;
                    let response = shown.then_some((&proof.vector_response[..], proof.blinding_response));
                    SharePart { seed: &seeds[at], challenge: accepted.challenge, response }
                })
                .collect();
            BatchShare::of(self.width(), &parts)
        })
    }

    /// A party's third work: whether the sums over `count` bundles open what was committed to.
    pub(crate) fn check(
        &self,
        party: PartyId,
        (accepted, count): (&[Accepted], usize),
        sums: &[BatchShare; 2],
    ) -> bool {
        let accepted: Vec<_> = accepted.iter().cycle().take(count).collect();
        let commitments = share_commitments(&accepted);
        let committed = held(party).map(|share| commitments[share.index()]);
        let pairs: Vec<_> = committed.into_iter().zip(sums).collect();
        sums_open(&self.context.works, &pairs, &mut *self.rng.borrow_mut())
    }

    /// Views of each work, opened from the sums of all three parties. Not measured: it shows that the sums are right.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> Vec<u64> {
        let (mut sums, accepted) = (vec![Scalar::ZERO; self.width()], self.accepted());
        for party in PartyId::ALL {
            let pair = self.sum(party, &accepted, &self.open(party, self.len()));
            assert!(self.check(party, (&accepted, self.len()), &pair), "sums of party {party}");
            let [own, _] = &pair;
            sums.iter_mut().zip(&own.entries).for_each(|(sum, entry)| *sum += entry);
        }
        sums.iter()
            .map(|sum| proofs::tally::Count::from_scalar(sum).expect("shares add up to counts").views)
            .collect()
    }

    /// Group elements, as many as are asked for.
    pub(super) fn points(&self, count: usize) -> impl Iterator<Item = &RistrettoPoint> {
        self.context.works.points().iter().cycle().take(count)
    }

    /// Scalars, as many as are asked for: drawing them is not measured.
    pub(super) fn scalars(&self, count: usize) -> &[Scalar] {
        const MOST: usize = 1 << 15;
        let draw = || (0..MOST).map(|_| Scalar::random(&mut *self.rng.borrow_mut())).collect();
        &self.scalars.get_or_init(draw)[..count]
    }
}
