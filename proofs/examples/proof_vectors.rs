//! Prints the golden vectors of the crate `proofs`: every encoding, hash and challenge that another implementation of
//! devices, parties or light clients has to meet, over one seeded epoch of sixteen places with one bundle of eight
//! events: `cargo run --release -p proofs --example proof_vectors > vectors/proofs.json`

use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::field::{Plain, Residue, dot, evaluate};
use primitives::{Decode, Digest, Encode, PartyId, hash, ids::to_hex};
use proofs::{
    bundle::{Bundle, verify},
    committee::Signatures,
    epoch::EpochContext,
    generators::{bases, event_bases, hash_to_group},
    receipt,
    sharing::{Accepted, BatchShare, Complaint, SHOWN_SHARE, SharePart, ShareSeed, held, share_commitments},
    tally::{BatchHeader, EpochRoot, Residual, Running, SignedHeader, SignedRoot, TallyStatement, verifier},
    testing::{self, JointTally, TestCommittee, TestSubscriber, TierShares},
    token,
    wire::{WirePoint, WireScalar},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde::{Serialize, Serializer};

/// Names and their values, in the order in which they were added, whatever features of the JSON library are on.
#[derive(Default)]
struct Section(Vec<(String, Entry)>);

/// A value of a vector.
enum Entry {
    /// Bytes as hexadecimal digits, or a number in decimal digits.
    Text(String),
    /// More names.
    Section(Section),
}

impl Serialize for Section {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().map(|(name, entry)| (name, entry)))
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(s),
            Self::Section(section) => section.serialize(s),
        }
    }
}

impl Section {
    fn text(&mut self, name: impl ToString, text: impl ToString) {
        self.0.push((name.to_string(), Entry::Text(text.to_string())));
    }

    fn hex(&mut self, name: impl ToString, bytes: &[u8]) {
        self.text(name, to_hex(bytes));
    }

    /// The encoding of a value, which must be read back as the same bytes.
    fn value<T: Encode + Decode>(&mut self, name: impl ToString, value: &T) {
        let bytes = value.to_bytes();
        let again = T::from_bytes(&bytes).map(|value| value.to_bytes());
        assert_eq!(again.as_ref(), Ok(&bytes), "{} is read back", name.to_string());
        self.hex(name, &bytes);
    }

    fn point(&mut self, name: impl ToString, point: &RistrettoPoint) {
        self.value(name, &WirePoint::from(*point));
    }

    fn section(&mut self, name: &str, section: Section) {
        self.0.push((name.into(), Entry::Section(section)));
    }
}

/// The one epoch that all vectors are of.
struct World {
    committee: TestCommittee,
    context: EpochContext,
    bundle: Bundle,
    accepted: Accepted,
}

impl World {
    fn new() -> Self {
        let (committee, context) = testing::small();
        let events =
            vec![testing::event(1, 0, true), testing::event(2, 0, true), testing::event(2, 1, false)];
        let bundle = TestSubscriber::new(1).bundle(&context, events);
        let accepted = verify(&context, &bundle).expect("an honest bundle");
        Self { committee, context, bundle, accepted }
    }

    /// The seed of each share, opened by its holders.
    fn seeds(&self) -> [ShareSeed; 3] {
        PartyId::ALL.map(|party| {
            let key = &self.committee.kem[party.index()];
            let [own, _] = self.bundle.open(&self.context, party, key).expect("sealed to the party");
            own
        })
    }
}

fn field() -> Section {
    let mut section = Section::default();
    let words = |words: [u64; 4]| words.map(u64::to_le_bytes).concat();
    let [order, one, square, inverse] = testing::field_constants();
    section.hex("order", &words(order));
    section.hex("two_to_256", &words(one));
    section.hex("two_to_512", &words(square));
    section.hex("minus_inverse_of_order_mod_two_to_64", &inverse[0].to_le_bytes());
    let mut rng = ChaCha20Rng::seed_from_u64(21);
    let numbers: Vec<_> = (0..70).map(|_| Plain::from(&Scalar::random(&mut rng))).collect();
    let [a, b] = [numbers[0], numbers[1]];
    section.value("a", &a);
    section.value("b", &b);
    section.value("a_plus_b", &(a + b));
    section.value("a_times_b", &(a * Residue::from(b)));
    section.value("a_a_plus_b_b", &dot(&[a, b], &[a.into(), b.into()]));
    section.value("coefficients_1_to_70_at_a", &evaluate(&numbered(70), a.into()));
    section
}

/// The numbers from 1 on.
fn numbered(count: u128) -> Vec<Plain> {
    (1..=count).map(Plain::from).collect()
}

fn generators(World { context, .. }: &World) -> Section {
    let mut section = Section::default();
    section.point("empty_name", &hash_to_group("", &[]));
    section.point("B", &bases().key);
    section.point("B_value_blinding", &bases().value_blinding);
    section.point("B_kem", &bases().kem);
    section.point("H", &bases().blinding);
    for (event, place) in [(0, "first"), (127, "last")] {
        let bases = event_bases(event);
        section.point(format!("{place}_event_work_digit_0_entry_1"), &bases.work[0][0]);
        section.point(format!("{place}_event_work_digit_5_entry_3"), &bases.work[5][2]);
        section.point(format!("{place}_event_view_digit_2_entry_2"), &bases.view[2][1]);
        section.point(format!("{place}_event_fraction_entry_1"), &bases.fraction[0]);
        section.point(format!("{place}_event_backed"), &bases.backed);
    }
    let works = context.works.points();
    section.point("G_0", &works[0]);
    section.point("G_9", &works[9]);
    section.point("G_10_padding", &works[10]);
    section.point("G_15_padding", &works[15]);
    section.point("Q", &context.tag_base);
    section.value("digest", &context.works.digest());
    section
}

fn context(World { context, bundle, .. }: &World) -> Section {
    let mut section = Section::default();
    section.text("chain", context.chain);
    section.text("epoch", context.epoch);
    section.value("beacon", &context.keys.beacon);
    section.value("shard", &context.shard);
    section.value("shard_digest", &context.shard.digest());
    section.value("params", &context.params);
    section.value("params_digest", &context.params.digest());
    section.value("committee", &context.keys.committee);
    for (tier, rules) in &context.keys.tiers {
        section.value(format!("issuer_of_tier_{tier}"), &rules.issuer);
        section.text(format!("value_cap_of_tier_{tier}"), rules.value_cap);
    }
    for denomination in receipt::Denomination::all() {
        let key = testing::receipt_issuer(denomination).public();
        section.value(format!("signer_of_receipts_of_{}_in_every_region", denomination.views()), key);
    }
    section.value("digest", &context.digest);
    section.value("sealing_context", &context.sealing_context(&bundle.envelope));
    section
}

fn bundle(world: &World) -> Section {
    let World { context, bundle, accepted, .. } = world;
    let (envelope, mut section) = (&bundle.envelope, Section::default());
    section.value("envelope", envelope);
    let message = token::message(envelope.chain, envelope.epoch, envelope.tier, &envelope.key);
    section.value("token_message", &message);
    section.hex("token", &bundle.token);
    let region = envelope.region.0.expect("some events are backed");
    for (place, receipt) in bundle.receipts.iter().enumerate() {
        let receipt::Receipt { denomination, serial, .. } = receipt;
        let at = (envelope.chain, envelope.epoch, region);
        let message = receipt::message(at.0, at.1, at.2, *denomination, &envelope.key, serial);
        section.value(format!("receipt_{place}"), receipt);
        section.value(format!("receipt_{place}_message"), &message);
        section.value(format!("receipt_{place}_spent"), &receipt.spent(region, &envelope.key));
    }
    for (tag, pseudonym) in bundle.tags.iter().zip(bundle.pseudonyms(context)) {
        assert_eq!(pseudonym, hash::pseudonym(&context.keys.beacon, &tag.0));
        section.value(format!("pseudonym_of_{tag}"), &pseudonym);
    }
    let (rho, tau, x) = testing::challenges(context, bundle);
    assert_eq!(x, accepted.challenge);
    section.value("rho", &WireScalar(rho.0));
    section.value("tau", &WireScalar(tau.0));
    section.value("x", &x.0);
    section.value("cum_after", &accepted.spent);
    section.value("id", &bundle.id());
    for part in bundle.parts() {
        let kind = if part.proof { "proof" } else { "statement" };
        section.text(format!("bytes_of_{kind}_{}", part.name), part.bytes);
    }
    section.value("bytes", bundle);
    section.value("published", &**bundle.published());
    section
}

fn sharing(world: &World) -> Section {
    let World { committee, context, bundle, accepted } = world;
    let mut section = Section::default();
    let seed = testing::share_seed(std::array::from_fn(|i| i as u8));
    section.hex("seed", &testing::seed_bytes(&seed));
    let mut entries = Vec::new();
    let blinding = seed.expand(100, |_, entry| entries.push(entry));
    section.value("rho", &blinding);
    for place in [0, 1, 2, 63, 64, 99] {
        section.value(format!("r_{place}"), &entries[place]);
    }
    section.point("A_over_16_places", &seed.commit(&context.works));
    section.value("sealed", bundle.sealed());
    section.value("sealed_digest", &bundle.sealed().digest());
    for (share, seed) in PartyId::ALL.into_iter().zip(world.seeds()) {
        section.hex(format!("seed_of_share_{share}"), &testing::seed_bytes(&seed));
    }
    for (share, commitment) in PartyId::ALL.into_iter().zip(share_commitments(&[accepted])) {
        section.point(format!("commitment_to_share_{share}"), &commitment);
    }
    let [one, ..] = PartyId::ALL;
    for share in held(one) {
        let by = (one, &committee.kem[one.index()]);
        let rng = &mut ChaCha20Rng::seed_from_u64(22);
        let complaint = Complaint::new(context, (bundle.id(), bundle, accepted), by, share, rng);
        let complaint = complaint.expect("usable ephemerals");
        section.value(format!("complaint_of_party_{one}_about_share_{share}_unfounded"), &complaint);
    }
    section
}

/// The proof of totals over the one bundle, made by the three parties together. The first work that it is of stays
/// closed.
fn joint_tally(world: &World, root: &EpochRoot, running: &Running) -> JointTally {
    let World { context, bundle, accepted, .. } = world;
    let (width, proof) = (context.shard.width(), &bundle.proof);
    let shares = PartyId::ALL.map(|share| {
        let seed = &world.seeds()[share.index()];
        let response =
            (share == SHOWN_SHARE).then_some((&proof.vector_response[..], proof.blinding_response));
        BatchShare::of(width, &[SharePart { seed, challenge: accepted.challenge, response }])
    });
    let blindings = shares.each_ref().map(|share| share.blinding);
    let shares = TierShares { entries: shares.map(|share| share.entries.clone()), blindings };
    let used: Vec<usize> = (0..width).filter(|at| shares.total(*at) != Scalar::ZERO).collect();
    let published = |_, work: primitives::WorkIndex| used[1..].contains(&usize::from(work.0));
    let (works, before) = (&context.works, Residual::default());
    let shares = [(bundle.envelope.tier, shares)].into();
    let rng = &mut ChaCha20Rng::seed_from_u64(23);
    let joint = JointTally::prove(root, works, (running, &before), &shares, published, rng);
    let statement = TallyStatement { root, works, running, before: &before, totals: &joint.totals };
    verifier::verify(&statement, &joint.after, &joint.proof).expect("the totals are right");
    joint
}

fn tally(world: &World) -> Section {
    let World { committee, context, bundle, accepted } = world;
    let (chain, epoch, shard) = (context.chain, context.epoch, context.shard.index());
    let mut running = Running::default();
    running.add(bundle.envelope.group(), &share_commitments(&[accepted]));
    let (view, position, count) = (0, 0, 1);
    let (previous, batch_root) = (Digest::default(), bundle.id());
    let header = BatchHeader {
        chain,
        epoch,
        shard,
        view,
        position,
        previous,
        batch_root,
        count,
        running: running.clone(),
    };
    let signed = |digest: &Digest| {
        let mut signatures = Signatures::default();
        for signer in &committee.signers[..2] {
            signatures.insert(signer.party(), signer.sign(digest));
        }
        signatures
    };
    let signed_header = SignedHeader { header: header.clone(), signatures: signed(&header.signing_digest()) };
    signed_header.verify(&committee.public).expect("two of three signed");
    let root = EpochRoot { chain, epoch, shard, batches: 1, last: header.digest() };
    let signed_root = SignedRoot { root: root.clone(), signatures: signed(&root.digest()) };
    let JointTally { totals, after, openings, proof } = joint_tally(world, &root, &running);

    let mut section = Section::default();
    section.value("running", &running);
    section.value("header", &header);
    section.value("header_digest", &header.digest());
    section.value("header_signing_digest", &header.signing_digest());
    section.value("signed_header", &signed_header);
    section.value("root", &root);
    section.value("root_digest", &root.digest());
    section.value("signed_root", &signed_root);
    section.value("totals", &totals);
    section.value("totals_digest", &totals.digest());
    section.value("openings_of_share_1", &openings[0]);
    section.value("proof", &proof);
    section.value("carried_over", &after);
    section
}

/// The file's text, with a final newline.
pub(crate) fn vectors() -> String {
    let world = World::new();
    let mut file = Section::default();
    file.text(
        "description",
        "Bytes are hexadecimal, in the order in which they travel; scalars and integers have their least significant \
         byte first. Numbers are decimal. All is of one epoch with one bundle; docs/protocol.md says what each is.",
    );
    file.section("field", field());
    file.section("generators", generators(&world));
    file.section("context", context(&world));
    file.section("bundle", bundle(&world));
    file.section("sharing", sharing(&world));
    file.section("tally", tally(&world));
    serde_json::to_string_pretty(&file).expect("strings always serialise") + "\n"
}

#[allow(dead_code, reason = "the test that compares the committed file includes this one as a module")]
fn main() {
    print!("{}", vectors());
}
