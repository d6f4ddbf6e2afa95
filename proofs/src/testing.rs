//! Fixtures for the tests of this crate and of those that build on it: one small epoch, and subscribers in it.
//!
//! RSA keys take long to find, so all regions of a fixture share theirs.

use crate::{
    blind::BlindIssuer,
    bundle::{self, Bundle, Envelope, EventWitness, ProveError, Published, RawWitness, Secrets},
    cap::Spent,
    committee::{Committee, Member, PartySigner},
    epoch::{EpochContext, EpochKeys, TierRules},
    receipt::{Denomination, Receipt},
    shard::Shard,
    sharing::{KemKey, Masks, ShareSeed},
    token::{self, SubscriberKey},
    transcript::{BundleChallenge, Rho, Tau},
};
use primitives::field;
use primitives::{
    ChainId, Digest, EpochId, GovernanceParams, PartyId, Preset, Region, RegionTag, ShardIndex, Tier, WorkId,
    WorkIndex,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{collections::BTreeSet, sync::OnceLock};

mod tally;

pub use tally::{JointTally, TierShares};

/// One of a handful of blind signers, each found once.
fn signer(number: usize) -> &'static BlindIssuer {
    static SIGNERS: [OnceLock<BlindIssuer>; 5] = [const { OnceLock::new() }; 5];
    let find =
        || BlindIssuer::generate(&mut ChaCha20Rng::seed_from_u64(number as u64)).expect("a key is found");
    SIGNERS[number].get_or_init(find)
}

/// The blind signer of tier 1.
pub fn issuer() -> &'static BlindIssuer {
    signer(0)
}

/// The blind signer of tier 2.
pub fn other_issuer() -> &'static BlindIssuer {
    signer(1)
}

/// The blind signer of receipts of a denomination, the same in every region of a fixture.
pub fn receipt_issuer(denomination: Denomination) -> &'static BlindIssuer {
    let place = Denomination::all().position(|d| d == denomination).expect("one of three");
    signer(2 + place)
}

/// A committee with its secret keys.
pub struct TestCommittee {
    /// Public keys.
    pub public: Committee,
    /// Signing keys, in order of party.
    pub signers: [PartySigner; 3],
    /// Sealing keys, in order of party.
    pub kem: [KemKey; 3],
}

/// A committee from a seed.
pub fn committee(seed: u64) -> TestCommittee {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let signers = PartyId::ALL.map(|party| PartySigner::generate(party, &mut rng));
    let kem = PartyId::ALL.map(|_| KemKey::generate(&mut rng));
    let member = |i: usize| Member { signing: signers[i].public(), kem: kem[i].public() };
    let public =
        Committee::new([member(0), member(1), member(2)]).expect("fresh keys are valid and distinct");
    TestCommittee { public, signers, kem }
}

/// `n` distinct works in order.
pub fn works(n: u16) -> Vec<WorkId> {
    let id = |i: u16| {
        let mut bytes = [7; 32];
        bytes[..2].copy_from_slice(&i.to_be_bytes());
        WorkId(bytes)
    };
    (0..n).map(id).collect()
}

/// An epoch with two tiers and every region over `count` works.
pub fn context(committee: &TestCommittee, count: u16, params: GovernanceParams) -> EpochContext {
    let rules =
        |issuer: &BlindIssuer| TierRules { issuer: issuer.public().clone(), value_cap: params.value_cap };
    let keys = EpochKeys {
        beacon: Digest([9; 32]),
        tiers: [(Tier(1), rules(issuer())), (Tier(2), rules(other_issuer()))].into(),
        regions: Region::all()
            .flat_map(|r| Denomination::all().map(move |d| ((r, d), receipt_issuer(d).public().clone())))
            .collect(),
        committee: committee.public.clone(),
    };
    let shard = Shard::new(ShardIndex(0), works(count)).expect("sorted works");
    EpochContext::new(ChainId(5), EpochId(3), keys, shard, params)
}

/// A small epoch: ten works, parameters of the specification.
pub fn small() -> (TestCommittee, EpochContext) {
    let committee = committee(11);
    let context = context(&committee, 10, Preset::Spec.params());
    (committee, context)
}

/// An event of a whole play.
pub fn event(work: u16, view: u16, backed: bool) -> EventWitness {
    EventWitness { work: WorkIndex(work), view, quarters: 4, backed }
}

/// A subscriber in a fixture.
pub struct TestSubscriber {
    /// Secret key of the epoch.
    pub key: SubscriberKey,
    /// What its bundles were worth so far.
    pub spent: Spent,
    /// Padding used so far.
    pub used: BTreeSet<(WorkIndex, u16)>,
    /// Randomness.
    pub rng: ChaCha20Rng,
}

impl TestSubscriber {
    /// A subscriber from a seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        Self { key: SubscriberKey::generate(&mut rng), spent: Spent::default(), used: BTreeSet::new(), rng }
    }

    /// The envelope of a bundle in tier 1, with `region`.
    pub fn envelope(&self, context: &EpochContext, region: Option<Region>) -> Envelope {
        Envelope {
            chain: context.chain,
            epoch: context.epoch,
            shard: context.shard.index(),
            window: 0,
            tier: Tier(1),
            region: RegionTag(region),
            key: self.key.public(),
        }
    }

    /// Token and receipts for what `events` need.
    pub fn credentials(&mut self, envelope: &Envelope, events: &[EventWitness]) -> ([u8; 256], Vec<Receipt>) {
        let message = token::message(envelope.chain, envelope.epoch, envelope.tier, &envelope.key);
        let token = token::issue(issuer(), &message, &mut self.rng).expect("an honest issuer");
        let backed = events.iter().filter(|e| e.backed).count();
        let cover = envelope.region.0.map(|_| Denomination::cover(backed)).unwrap_or_default();
        let mut issue = |d| {
            let region = envelope.region.0.expect("only asked for with a region");
            let at = (envelope.chain, envelope.epoch, region);
            Receipt::issue(receipt_issuer(d), at, d, &envelope.key, &mut self.rng).expect("an honest issuer")
        };
        (token, cover.into_iter().map(&mut issue).collect())
    }

    /// An honest bundle of `events`, padded, which counts towards the subscriber's cap.
    pub fn bundle(&mut self, context: &EpochContext, mut events: Vec<EventWitness>) -> Bundle {
        bundle::pad(context, &mut events, &mut self.used, &mut self.rng).expect("padding is left");
        let region =
            events.iter().any(|e| e.backed).then(|| Region::all().next().expect("there are regions"));
        let envelope = self.envelope(context, region);
        let (token, receipts) = self.credentials(&envelope, &events);
        self.prove(context, (envelope, token, receipts), &events).expect("honest events")
    }

    /// Proves padded events, which count towards the subscriber's cap if they can be proved.
    pub fn prove(
        &mut self,
        context: &EpochContext,
        open: bundle::Open,
        events: &[EventWitness],
    ) -> Result<Bundle, ProveError> {
        let secrets = Secrets::with_fresh_masks(context, &self.key, &self.spent, &mut self.rng);
        let (bundle, spent) = bundle::prove(context, secrets, open, events, &mut self.rng)?;
        self.spent = spent;
        Ok(bundle)
    }

    /// A bundle whose witness `lie` has changed before the proof is made. It does not count towards the cap.
    pub fn lying_bundle(
        &mut self,
        context: &EpochContext,
        mut events: Vec<EventWitness>,
        lie: impl FnOnce(&mut RawWitness),
    ) -> Bundle {
        bundle::pad(context, &mut events, &mut self.used, &mut self.rng).expect("padding is left");
        let envelope = self.envelope(context, None);
        let (token, receipts) = self.credentials(&envelope, &events);
        let mut witness = RawWitness::honest(context, &self.key, &events);
        lie(&mut witness);
        self.prove_raw(context, (envelope, token, receipts), witness)
    }

    /// A bundle from a witness as it is.
    pub fn prove_raw(&mut self, context: &EpochContext, open: bundle::Open, witness: RawWitness) -> Bundle {
        let secrets = Secrets::with_fresh_masks(context, &self.key, &self.spent, &mut self.rng);
        let proved = bundle::prove_whatever_the_witness_says(context, secrets, open, witness, &mut self.rng);
        proved.expect("the committee's keys are valid").0
    }
}

/// `rho`, `tau` and `x` of a bundle, as its verifier draws them. Whether the bundle holds does not matter.
pub fn challenges(context: &EpochContext, bundle: &Published) -> (Rho, Tau, BundleChallenge) {
    let mut transcript = bundle.transcript(context);
    bundle.proof.append_first_message(&mut transcript);
    let (rho, tau) = (transcript.rho(), transcript.tau());
    bundle.proof.append_second_message(&mut transcript);
    (rho, tau, transcript.x())
}

/// Masks of these seeds, which a device would draw.
pub fn masks(context: &EpochContext, seeds: [ShareSeed; 3]) -> Masks {
    Masks { commitments: seeds.each_ref().map(|seed| seed.commit(&context.works)), seeds }
}

/// A share's seed of these bytes, which a device would draw.
pub fn share_seed(bytes: [u8; 32]) -> ShareSeed {
    ShareSeed(bytes)
}

/// The bytes of a share's seed, which no party shows.
pub fn seed_bytes(seed: &ShareSeed) -> [u8; 32] {
    seed.0
}

/// Constants of the arithmetic modulo the group order l, as words with the least significant first: l, `2^256 mod l`,
/// `2^512 mod l`, and `-l^-1 mod 2^64` in the lowest word.
pub fn field_constants() -> [[u64; 4]; 4] {
    [field::ORDER, field::R, field::R2, [field::INVERSE, 0, 0, 0]]
}
