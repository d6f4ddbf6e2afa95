//! A chain with ten works, ready for an epoch, and what an epoch of it needs.

use crate::{
    party::PartySecrets,
    settlement::{Office, Plan},
    system::Config,
};
use chain::{
    Genesis, Payload, Transaction,
    ledger::Authority,
    modules::{
        dapr::payout::Split,
        identity::{Register, Roles, SetStatus, Status},
        usage::{PublishKeys, RegionSigner, Seating, SetCommittee, Standby, TierKey},
        work_registry::{MediaType, RegisterWork},
    },
    node::Node,
    signature::SecretKey,
};
use primitives::{
    BasisPoints, CategoryId, ChainId, Credits, Digest, EpochId, GovernanceParams, PartyId, PersonId, Preset,
    Region, Tier,
    params::{ONE_Q32, TierTerms},
};
use proofs::{
    committee::{Member, PartySigner},
    receipt::Denomination,
    sharing::KemKey,
    testing::{committee, issuer, other_issuer, receipt_issuer},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

pub(super) const EPOCH: EpochId = EpochId(1);
const CHAIN: ChainId = ChainId(5);
const OFFICES: [PersonId; 3] = [PersonId([1; 32]), PersonId([2; 32]), PersonId([3; 32])];
const AUDITORS: [PersonId; 2] = [PersonId([4; 32]), PersonId([5; 32])];
const CREATOR: PersonId = PersonId([9; 32]);

/// A node on which the epoch can open, and the configuration of a system that opens it.
pub(super) struct World {
    pub(super) node: Node,
    pub(super) config: Config,
    // Dropped last: the node's files are in it.
    pub(super) dir: tempfile::TempDir,
}

/// Ticks of silence after which the standby may have a seat.
pub(super) const PATIENCE: u32 = 60;

/// Keys of the party that stands by.
pub(super) fn standby() -> PartySecrets {
    let mut rng = ChaCha20Rng::seed_from_u64(77);
    let signer = PartySigner::generate(PartyId::ALL[0], &mut rng);
    PartySecrets { signer, kem: KemKey::generate(&mut rng) }
}

/// Who runs the parties, and who stands by.
pub(crate) fn seating() -> Seating {
    let PartySecrets { signer, kem } = standby();
    let member = Member { signing: signer.public(), kem: kem.public() };
    let standby = Some(Standby { operator: PersonId([24; 32]), member });
    Seating { operators: [21, 22, 23].map(|n| PersonId([n; 32])), standby, patience: PATIENCE }
}

/// Ten works in one shard.
pub(super) fn world() -> World {
    world_in_shards(10, 16)
}

/// So many works, 256 at most, in shards of at most `shard_width`.
pub(super) fn world_in_shards(works: u16, shard_width: u16) -> World {
    world_with(works, shard_width, 0)
}

/// The same, where a cell is published with so many listeners.
pub(super) fn world_with(works: u16, shard_width: u16, k_anonymity: u32) -> World {
    let mut rng = ChaCha20Rng::seed_from_u64(42);
    let keys: [SecretKey; 6] = std::array::from_fn(|_| SecretKey::generate(&mut rng));
    let [registrar, steward, treasury, creator, auditor, other_auditor] = keys;
    let params = GovernanceParams { k_anonymity, ..Preset::Spec.params() };
    let office =
        |(person, (key, roles)): (_, (&SecretKey, _))| Authority { person, key: key.public_key(), roles };
    let holders = [
        (&registrar, Roles::REGISTRAR),
        (&steward, Roles::STEWARD),
        (&treasury, Roles::TREASURER),
        (&auditor, Roles::AUDITOR),
        (&other_auditor, Roles::AUDITOR),
    ];
    let offices = OFFICES.into_iter().chain(AUDITORS).zip(holders).map(office).collect();
    let mut genesis = Genesis::new(CHAIN, EPOCH, params.clone(), offices);
    // One creator puts all works on record before there is anything to pay a fee with.
    genesis.rules.fees.free_per_epoch = works.into();
    let dir = tempfile::tempdir().expect("a directory for the node");
    let mut node = Node::open(dir.path(), genesis).expect("a fresh node");
    let mut submit = |person: PersonId, key: &SecretKey, payload: Payload| {
        let nonce = node.ledger().nonce(&person).expect("an account");
        let tx = Transaction::signed(payload, CHAIN, (person, nonce), key, &mut rng);
        node.submit(&tx).expect("a valid transaction");
    };
    let register = Register {
        person: CREATOR,
        key: creator.public_key(),
        roles: Roles::CREATOR.with(Roles::COLLABORATOR),
        credential: Digest([1; 32]),
        nullifier: Digest([2; 32]),
    };
    submit(OFFICES[0], &registrar, Payload::Register(register));
    let active = SetStatus { person: CREATOR, status: Status::Active };
    submit(OFFICES[0], &registrar, Payload::SetStatus(active));
    for n in (0..works).map(|n| u8::try_from(n).expect("256 works at most")) {
        let work = RegisterWork {
            fingerprint: Digest([n; 32]),
            media: MediaType::Audio,
            category: CategoryId(0),
            price: ONE_Q32,
            splits: vec![Split { payee: CREATOR, share: BasisPoints::WHOLE }],
            metadata: Digest([n; 32]),
            active_from: EPOCH,
        };
        submit(CREATOR, &creator, Payload::RegisterWork(work));
    }
    let committee = committee(11);
    let der = |key: &proofs::blind::BlindKey| key.der().to_vec();
    let region = Region::all().next().expect("there are regions");
    let receipt_key = |d: Denomination| der(receipt_issuer(d).public());
    let regions =
        Denomination::all().map(|d| RegionSigner { region, denomination: d.views(), key: receipt_key(d) });
    let tiers = [(Tier(1), issuer()), (Tier(2), other_issuer())];
    let published = PublishKeys {
        epoch: EPOCH,
        tiers: tiers.map(|(tier, issuer)| TierKey { tier, key: der(issuer.public()) }).into(),
        regions: regions.collect(),
    };
    let standby = standby();
    let seats = SetCommittee { committee: committee.public.clone(), seating: seating() };
    submit(OFFICES[1], &steward, Payload::SetCommittee(seats));
    submit(OFFICES[1], &steward, Payload::PublishKeys(published));
    node.produce_block().expect("a block");

    let tier = |n| TierTerms {
        tier: Tier(n),
        price: Credits(5_000_000 * u64::from(n)),
        max_bundles: 3,
        value_cap: params.value_cap,
    };
    let tiers = vec![tier(1), tier(2)];
    let plan = Plan {
        epoch: EPOCH,
        tiers,
        shard_width,
        sales: vec![(Tier(1), 40), (Tier(2), 2)],
        attestation: Digest([5; 32]),
        reserve: Credits(1_000_000_000),
    };
    let [one, two, three] = committee.signers;
    let [a, b, c] = committee.kem;
    let config = Config {
        parties: [
            PartySecrets { signer: one, kem: a },
            PartySecrets { signer: two, kem: b },
            PartySecrets { signer: three, kem: c },
        ],
        standby: Some(standby),
        steward: Office { person: OFFICES[1], key: steward },
        treasury: Office { person: OFFICES[2], key: treasury },
        auditors: AUDITORS
            .into_iter()
            .zip([auditor, other_auditor])
            .map(|(person, key)| Office { person, key })
            .collect(),
        plan,
        carried: Default::default(),
        batch: 2,
        seed: [6; 32],
    };
    World { node, config, dir }
}
