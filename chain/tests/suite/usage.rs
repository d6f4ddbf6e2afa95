//! Guards of the usage module: committee, keys, beacon, opening, revenue, anchors, totals.

use crate::world::*;
use chain::{
    Payload,
    modules::{
        treasury::TreasuryError,
        usage::{
            AbandonEpoch, CommitBeacon, KeyState, OpenEpoch, Phase, PublishKeys, ReportRevenue, RevealBeacon,
            UsageError,
        },
    },
};
use primitives::{ChainId, Credits, Digest, EpochId, PartyId, ShardIndex, Tier, WorkIndex, limits};
use proofs::{
    blind::BlindError,
    committee::{CommitteeError, PartySigner, Signatures},
    shard::ShardError,
    tally::{BatchHeader, Count, SignedHeader, SignedRoot, SquaresError, Tally, verifier::TallyError},
};

const NEXT: EpochId = EpochId(FIRST.0 + 1);

#[test]
fn committee_and_keys() {
    let mut world = World::with_works();
    let seat = world.seat();
    world.refuse(person(1), seat.clone(), UsageError::NotSteward { signer: person(1) });
    let commit = world.commit(FIRST, PartyId::ALL[0]);
    world.refuse_open(Payload::CommitBeacon(commit.clone()), UsageError::NoCommittee { epoch: FIRST });
    world.ok(STEWARD, seat.clone());

    let keys = World::publish_keys(FIRST);
    let publish = |keys| Payload::PublishKeys(keys);
    world.refuse(TREASURY, publish(keys.clone()), UsageError::NotSteward { signer: TREASURY });
    let later = World::publish_keys(NEXT);
    world.refuse(STEWARD, publish(later), UsageError::NotNextEpoch { expected: FIRST, found: NEXT });
    let change = |edit: fn(&mut chain::modules::usage::PublishKeys)| {
        let mut keys = World::publish_keys(FIRST);
        edit(&mut keys);
        publish(keys)
    };
    let region = keys.regions[0].region;
    let junk_tier = |tier| UsageError::TierKey { tier, error: BlindError::Key };
    let junk_region = |denomination| UsageError::RegionKey { region, denomination, error: BlindError::Key };
    let refused = [
        (change(|k| k.tiers.clear()), UsageError::NoTierKey),
        (change(|k| k.tiers.swap(0, 1)), UsageError::TierKeyOrder { tier: TIERS[0] }),
        (change(|k| k.regions.swap(0, 1)), UsageError::RegionKeyOrder { region, denomination: 1 }),
        (change(|k| k.regions[0].denomination = 0), UsageError::Denomination { denomination: 0 }),
        (change(|k| k.tiers[0].key.clear()), junk_tier(TIERS[0])),
        (change(|k| k.tiers[1].key = vec![7; limits::RSA_KEY_BYTES]), junk_tier(TIERS[1])),
        // The first byte of the encoding, and the exponent in its last.
        (change(|k| k.tiers[1].key[0] ^= 1), junk_tier(TIERS[1])),
        (change(|k| *k.tiers[1].key.last_mut().expect("a byte") ^= 2), junk_tier(TIERS[1])),
        (change(|k| k.regions[2].key.push(0)), junk_region(limits::RECEIPT_DENOMINATIONS[2])),
        (
            change(|k| k.regions[1].key = vec![7; limits::RSA_KEY_BYTES]),
            junk_region(limits::RECEIPT_DENOMINATIONS[1]),
        ),
        (change(|k| k.tiers[0].key = k.tiers[1].key.clone()), UsageError::KeyReused),
        (change(|k| k.regions[0].key = k.tiers[1].key.clone()), UsageError::KeyReused),
    ];
    for (payload, error) in refused {
        world.refuse(STEWARD, payload, error);
    }
    world.ok(STEWARD, publish(keys.clone()));
    world.refuse(STEWARD, publish(keys), UsageError::KeysPublished { epoch: FIRST });
}

/// Keys of both kinds that are on record for an epoch, and where they stand.
fn key_states(world: &World, epoch: primitives::EpochId) -> std::collections::BTreeSet<String> {
    let state = world.ledger.state();
    let issuers = state.issuer_keys.iter().filter(|key| key.epoch == epoch).map(|key| key.state(state));
    let regions = state.region_keys.iter().filter(|key| key.epoch == epoch).map(|key| key.state(state));
    issuers.chain(regions).map(|key| format!("{key:?}")).collect()
}

#[test]
fn keys_are_pending_before_their_epoch_opens() {
    let mut world = World::with_works();
    assert_eq!(world.ledger.state().key_state(FIRST), KeyState::Pending);
    world.prepare(FIRST);
    assert_eq!(key_states(&world, FIRST), ["Pending".into()].into());
    let later = PublishKeys { epoch: NEXT, ..World::publish_keys(FIRST) };
    let not_next = UsageError::NotNextEpoch { expected: FIRST, found: NEXT };
    world.refuse(STEWARD, Payload::PublishKeys(later), not_next);
}

#[test]
fn keys_are_active_while_their_epoch_is_open_and_no_others_are_published_for_it() {
    for mut world in [World::opened(), World::aggregated()] {
        assert_eq!(key_states(&world, FIRST), ["Active".into()].into());
        let more = PublishKeys { epoch: FIRST, ..World::publish_keys(NEXT) };
        world.refuse(STEWARD, Payload::PublishKeys(more), UsageError::KeysActive { epoch: FIRST });
    }
}

#[test]
fn keys_expire_with_their_epoch_and_none_are_published_for_it() {
    let mut abandoned = World::opened();
    let abandon = AbandonEpoch { epoch: FIRST, reason: digest(1) };
    abandoned.ok(STEWARD, Payload::AbandonEpoch(abandon));
    for mut world in [World::settled(), abandoned] {
        assert_eq!(key_states(&world, FIRST), ["Expired".into()].into());
        let late = PublishKeys { epoch: FIRST, ..World::publish_keys(NEXT) };
        world.refuse(STEWARD, Payload::PublishKeys(late), UsageError::KeysExpired { epoch: FIRST });
        world.prepare(NEXT);
        assert_eq!(key_states(&world, NEXT), ["Pending".into()].into());
    }
}

/// A signature says nothing but "under this key": tokens and receipts of an earlier epoch must not count again.
#[test]
fn a_key_serves_one_purpose_in_one_epoch() {
    let mut world = World::opened();
    let old = World::publish_keys(FIRST);
    let publish = |edit: &dyn Fn(&mut chain::modules::usage::PublishKeys)| {
        let mut keys = World::publish_keys(NEXT);
        edit(&mut keys);
        Payload::PublishKeys(keys)
    };
    let refused = [
        publish(&|k| k.tiers[0].key = old.tiers[0].key.clone()),
        // The cheap tier's key of the epoch before, now for the dear one.
        publish(&|k| k.tiers[1].key = old.tiers[0].key.clone()),
        publish(&|k| k.tiers[1].key = old.regions[0].key.clone()),
        publish(&|k| k.regions[0].key = old.regions[0].key.clone()),
        publish(&|k| k.regions[2].key = old.regions[0].key.clone()),
        publish(&|k| k.regions[0].key = old.tiers[1].key.clone()),
    ];
    for payload in refused {
        world.refuse(STEWARD, payload, UsageError::KeyOnRecord { epoch: FIRST });
    }
    world.ok(STEWARD, publish(&|_| ()));
}

#[test]
fn beacon() {
    let mut world = World::with_works();
    world.ok(STEWARD, world.seat());
    let [first, second, third] = PartyId::ALL;
    let good = world.commit(FIRST, first);
    let later = world.commit(NEXT, first);
    world
        .refuse_open(Payload::CommitBeacon(later), UsageError::NotNextEpoch { expected: FIRST, found: NEXT });
    // Another party's name, another commitment, an old signature.
    let signature = |party| UsageError::Committee(CommitteeError::Signature { party });
    let stolen = CommitBeacon { party: second, ..good.clone() };
    world.refuse_open(Payload::CommitBeacon(stolen), signature(second));
    let other = CommitBeacon { commitment: digest(1), ..good.clone() };
    world.refuse_open(Payload::CommitBeacon(other), signature(first));
    world.refuse_open(World::reveal(FIRST, first), UsageError::NotCommitted { party: first });
    world.open_ok(Payload::CommitBeacon(good.clone()));
    world.refuse_open(Payload::CommitBeacon(good), UsageError::AlreadyCommitted { party: first });
    world.refuse_open(World::reveal(FIRST, first), UsageError::TooFewCommitments { count: 1 });
    world.open_ok(Payload::CommitBeacon(world.commit(FIRST, second)));
    let wrong = RevealBeacon { epoch: FIRST, party: first, value: digest(0) };
    world.refuse_open(Payload::RevealBeacon(wrong), UsageError::RevealMismatch { party: first });
    world.open_ok(World::reveal(FIRST, first));
    world.refuse_open(World::reveal(FIRST, first), UsageError::AlreadyRevealed { party: first });
    // Who commits after a reveal could choose by it.
    let late = world.commit(FIRST, third);
    world.refuse_open(Payload::CommitBeacon(late), UsageError::RevealsBegun { epoch: FIRST });
    world.refuse_open(World::reveal(NEXT, second), UsageError::NotNextEpoch { expected: FIRST, found: NEXT });

    world.ok(STEWARD, Payload::PublishKeys(World::publish_keys(FIRST)));
    let opening = world.opening(FIRST);
    world.refuse(STEWARD, Payload::OpenEpoch(opening), UsageError::TooFewReveals { count: 1 });
}

#[test]
fn open_epoch() {
    let mut world = World::prepared();
    let good = world.opening(FIRST);
    let open = |opening| Payload::OpenEpoch(opening);
    world.refuse(person(1), open(good.clone()), UsageError::NotSteward { signer: person(1) });
    let later = OpenEpoch { epoch: NEXT, ..good.clone() };
    world.refuse(STEWARD, open(later), UsageError::NotNextEpoch { expected: FIRST, found: NEXT });
    let change = |edit: fn(&mut OpenEpoch)| {
        let mut opening = good.clone();
        edit(&mut opening);
        open(opening)
    };
    let params_cap = world.params.value_cap;
    let refused = [
        (change(|o| o.tiers.clear()), UsageError::NoTier),
        (change(|o| o.tiers = vec![o.tiers[0].clone(); 9]), UsageError::TooManyTiers { count: 9 }),
        (change(|o| o.tiers.swap(0, 1)), UsageError::TierOrder { tier: TIERS[0] }),
        (change(|o| o.tiers[1].max_bundles = 0), UsageError::TierWithoutBundles { tier: TIERS[1] }),
        (
            change(|o| o.tiers[1].value_cap += 1),
            UsageError::TierCap { tier: TIERS[1], cap: params_cap + 1, limit: params_cap },
        ),
        (
            change(|o| o.tiers[0].value_cap = (1 << 18) - 1),
            UsageError::TierCap { tier: TIERS[0], cap: (1 << 18) - 1, limit: params_cap },
        ),
        (change(|o| o.tiers[1].tier = Tier(5)), UsageError::NoIssuerKey { tier: Tier(5), epoch: FIRST }),
    ];
    for (payload, error) in refused {
        world.refuse(STEWARD, payload, error);
    }
    let sales = |tier| UsageError::Sales { tier };
    let refused = [
        (change(|o| o.sold.clear()), sales(TIERS[0])),
        (change(|o| o.sold.truncate(1)), sales(TIERS[1])),
        (change(|o| o.sold.swap(0, 1)), sales(TIERS[0])),
        (change(|o| o.sold.push(o.sold[1])), sales(TIERS[1])),
        (change(|o| o.sold[1].subscriptions = u64::MAX), UsageError::RevenueOverflow { tier: TIERS[1] }),
    ];
    for (payload, error) in refused {
        world.refuse(STEWARD, payload, error);
    }
    world.ok(STEWARD, open(good));
    let opening = world.ledger.state().openings.get(&FIRST).expect("open");
    assert_eq!(opening.skipped().collect::<Vec<_>>(), [PartyId::ALL[2]], "who revealed nothing is on record");

    world.prepare(NEXT);
    let next = world.opening(NEXT);
    world.refuse(STEWARD, open(next), UsageError::PreviousOpen { epoch: FIRST });
}

#[test]
fn an_epoch_needs_a_work_and_a_committee() {
    let mut world = World::genesis();
    world.prepare(FIRST);
    let opening = world.opening(FIRST);
    world.refuse(STEWARD, Payload::OpenEpoch(opening), UsageError::Shard(ShardError::Empty));

    let mut world = World::with_works();
    world.ok(STEWARD, Payload::PublishKeys(World::publish_keys(FIRST)));
    let opening = world.opening(FIRST);
    world.refuse(STEWARD, Payload::OpenEpoch(opening), UsageError::NoCommittee { epoch: FIRST });
}

#[test]
fn revenue() {
    let mut world = World::prepared();
    let good = World::revenue(FIRST, TIERS[0]);
    let report = |revenue| Payload::ReportRevenue(revenue);
    world.refuse(TREASURY, report(good.clone()), UsageError::UnknownEpoch { epoch: FIRST });
    let opening = world.opening(FIRST);
    let price = opening.tiers[0].price;
    world.ok(STEWARD, Payload::OpenEpoch(opening));
    world.refuse(STEWARD, report(good.clone()), UsageError::NotTreasury { signer: STEWARD });
    let tier = Tier(5);
    let other = ReportRevenue { tier, ..good.clone() };
    world.refuse(TREASURY, report(other), UsageError::UnknownTier { epoch: FIRST, tier });
    let huge = ReportRevenue { subscriptions: u64::MAX, ..good.clone() };
    world.refuse(TREASURY, report(huge), UsageError::RevenueOverflow { tier: TIERS[0] });
    let (tier, sold, reported) = (TIERS[0], SOLD, SOLD - 1);
    let fewer = ReportRevenue { subscriptions: reported, ..good.clone() };
    world.refuse(TREASURY, report(fewer), UsageError::FewerThanSold { tier, sold, reported });
    let supply = price.checked_mul(good.subscriptions).expect("fits");
    // Both auditors have to attest enough of a reserve.
    let reserve = Credits(supply.0 - 1);
    world.ok(AUDITORS[1], World::attestation(EpochId(FIRST.0 + 1), reserve));
    let bare = UsageError::Treasury(TreasuryError::Reserve { reserve, supply });
    world.refuse(TREASURY, report(good.clone()), bare);
    world.ok(AUDITORS[1], World::attestation(EpochId(FIRST.0 + 2), supply));
    world.ok(TREASURY, report(good.clone()));
    assert_eq!(world.ledger.state().total_supply().in_existence(), supply);
    let reported = UsageError::RevenueReported { epoch: FIRST, tier: TIERS[0] };
    world.refuse(TREASURY, report(good), reported);

    let mut world = World::settled();
    let late = World::revenue(FIRST, TIERS[0]);
    world.refuse(TREASURY, report(late), UsageError::Settled { epoch: FIRST });
}

/// Changes a header and signs it anew, as a committee that breaks the rule would.
fn resigned(world: &World, good: &SignedHeader, edit: impl FnOnce(&mut BatchHeader)) -> Payload {
    let mut header = good.header.clone();
    edit(&mut header);
    Payload::AnchorHeader(world.sign_header(header))
}

#[test]
fn headers() {
    let mut world = World::opened();
    let all = bundles();
    world.accept(FIRST, &all[0]);
    world.accept(FIRST, &all[1]);
    let first = world.header(FIRST, 2);
    world.refuse_open(resigned(&world, &first, |h| h.epoch = NEXT), UsageError::UnknownEpoch { epoch: NEXT });
    world.anchor(first.clone());
    world.accept(FIRST, &all[2]);
    let good = world.header(FIRST, 1);

    let chain = UsageError::WrongChain { expected: CHAIN, found: ChainId(8) };
    world.refuse_open(resigned(&world, &good, |h| h.chain = ChainId(8)), chain);
    let shard = UsageError::WrongShard { found: ShardIndex(1) };
    world.refuse_open(resigned(&world, &good, |h| h.shard = ShardIndex(1)), shard);
    // The first valid header of a position stays, even against one of a later view.
    let again = UsageError::AlreadyAnchored { position: 0 };
    world.refuse_open(resigned(&world, &first, |h| h.view = 1), again.clone());
    world.refuse_open(Payload::AnchorHeader(first.clone()), again);
    let gap = UsageError::PositionGap { expected: 1, found: 2 };
    world.refuse_open(resigned(&world, &good, |h| h.position = 2), gap);
    let previous = UsageError::Predecessor { position: 1 };
    world.refuse_open(resigned(&world, &good, |h| h.previous = digest(0)), previous);
    let count = limits::MAX_BATCH as u32 + 1;
    world.refuse_open(resigned(&world, &good, |h| h.count = count), UsageError::BatchSize { count });
    world.refuse_open(resigned(&world, &good, |h| h.running = Default::default()), UsageError::NoGroups);
    let dropped = UsageError::GroupDropped { tier: TIERS[0], region: 0 };
    world.refuse_open(
        resigned(&world, &good, |h| {
            let kept = h.running.clone();
            h.running = Default::default();
            kept.iter().skip(1).for_each(|(group, shares)| h.running.add(group, shares));
        }),
        dropped,
    );
    let unknown = UsageError::UnknownTier { epoch: FIRST, tier: Tier(9) };
    world.refuse_open(
        resigned(&world, &good, |h| h.running.add(group(9, 0), &[Default::default(); 3])),
        unknown,
    );

    // Signatures: one alone, without the leader, of somebody else, of another header.
    let leader = good.header.leader();
    let message = good.header.signing_digest();
    let signed = |signatures: Signatures| {
        Payload::AnchorHeader(SignedHeader { header: good.header.clone(), signatures })
    };
    let refused = [
        (world.quorum(&message, &[leader]), CommitteeError::NoQuorum { count: 1 }),
        (
            world.quorum(&message, &[leader.next(), leader.previous()]),
            CommitteeError::LeaderMissing { leader },
        ),
        (
            world.quorum(&first.header.signing_digest(), &[leader, leader.next()]),
            CommitteeError::Signature { party: PartyId::ALL[1] },
        ),
    ];
    for (signatures, error) in refused {
        world.refuse_open(signed(signatures), UsageError::Committee(error));
    }
    let stranger = PartySigner::generate(leader, &mut world.rng);
    let mut foreign = world.quorum(&message, &[leader.next()]);
    foreign.insert(leader, stranger.sign(&message));
    let error = CommitteeError::Signature { party: leader };
    world.refuse_open(signed(foreign), UsageError::Committee(error));
    world.anchor(good);
}

/// A leader that has nothing left passes the lead with a batch of nothing, which changes nothing.
#[test]
fn empty_batches() {
    let mut world = World::opened();
    let nothing = primitives::merkle::root(&[]);
    let empty = |world: &mut World| {
        let mut header = world.header(FIRST, 0).header;
        header.batch_root = nothing;
        world.sign_header(header)
    };
    // The first of the epoch may be one.
    let first = empty(&mut world);
    world.anchor(first);
    world.accept(FIRST, &bundles()[0]);
    let full = world.header(FIRST, 1);
    world.anchor(full);

    let good = empty(&mut world);
    let (position, expected, found) = (2, nothing, digest(9));
    let root = UsageError::EmptyBatchRoot { position, expected, found };
    world.refuse_open(resigned(&world, &good, |h| h.batch_root = found), root);
    let changes = || UsageError::EmptyBatchChanges { position };
    let identity = [Default::default(); 3];
    let mut point = identity;
    point[1] = proofs::generators::bases().blinding;
    let edits: [&dyn Fn(&mut BatchHeader); 4] = [
        &|h| h.running.add(group(0, 0), &point),
        // A group without anything in it is a group.
        &|h| h.running.add(group(1, 0), &identity),
        &|h| h.running.add(group(1, 0), &point),
        &|h| h.running = Default::default(),
    ];
    for edit in edits {
        world.refuse_open(resigned(&world, &good, edit), changes());
    }
    world.anchor(good);
    let again = empty(&mut world);
    world.anchor(again);
    world.open_ok(Payload::AnchorRoot(world.root(FIRST)));
    let aggregate = world.aggregate(FIRST);
    world.open_ok(Payload::SubmitAggregate(aggregate));
    world.open_ok(finalise(FIRST));
    world.seal();
    let record = chain::light::record(&world.ledger, FIRST).expect("settled");
    let verdict = chain::light::verify(&record, None).expect("a sound record");
    assert_eq!((verdict.batches, verdict.bundles), (4, 1));
}

#[test]
fn roots_and_totals() {
    let mut world = World::opened();
    for bundle in bundles() {
        world.accept(FIRST, &bundle);
    }
    let header = world.header(FIRST, 5);
    world.anchor(header.clone());
    let good = world.root(FIRST);
    let change = |edit: fn(&mut proofs::tally::EpochRoot)| {
        let mut root = good.root.clone();
        edit(&mut root);
        let signatures = world.quorum(&root.digest(), &PartyId::ALL);
        Payload::AnchorRoot(SignedRoot { root, signatures })
    };
    let (expected, found) = (header.header.digest(), digest(0));
    let refused = [
        (change(|r| r.epoch = NEXT), UsageError::UnknownEpoch { epoch: NEXT }),
        (change(|r| r.chain = ChainId(8)), UsageError::WrongChain { expected: CHAIN, found: ChainId(8) }),
        (change(|r| r.shard = ShardIndex(1)), UsageError::WrongShard { found: ShardIndex(1) }),
        (change(|r| r.batches = 0), UsageError::RootBatches { expected: 1, found: 0 }),
        (change(|r| r.last = Digest([0; 32])), UsageError::RootLast { expected, found }),
    ];
    for (payload, error) in refused {
        world.refuse_open(payload, error);
    }
    let alone = world.quorum(&good.root.digest(), &PartyId::ALL[..1]);
    let alone = SignedRoot { root: good.root.clone(), signatures: alone };
    let no_quorum = || UsageError::Committee(CommitteeError::NoQuorum { count: 1 });
    world.refuse_open(Payload::AnchorRoot(alone), no_quorum());

    let submit = |action| Payload::SubmitAggregate(action);
    let aggregate = world.aggregate(FIRST);
    let phase = |expected, found| UsageError::WrongPhase { epoch: FIRST, expected, found };
    world.refuse_open(submit(aggregate.clone()), phase(Phase::Frozen, Phase::Open));
    world.open_ok(Payload::AnchorRoot(good.clone()));
    world.refuse_open(Payload::AnchorRoot(good), phase(Phase::Open, Phase::Frozen));
    // Nothing is added to a frozen epoch.
    let late = world.header(FIRST, 1);
    world.refuse_open(Payload::AnchorHeader(late), phase(Phase::Open, Phase::Frozen));

    let mut unsigned = aggregate.clone();
    unsigned.signatures = Signatures::default();
    world.refuse_open(submit(unsigned), UsageError::Committee(CommitteeError::NoQuorum { count: 0 }));
    let mut unknown = aggregate.clone();
    unknown.epoch = NEXT;
    world.refuse_open(submit(unknown), UsageError::UnknownEpoch { epoch: NEXT });
    // Totals that the whole committee signed, and that the commitments do not open to.
    let edit = |edit: fn(&mut Tally)| {
        let mut tally = aggregate.tally.clone();
        edit(&mut tally);
        submit(world.sign_aggregate(FIRST, tally, aggregate.proof.clone()))
    };
    let tier = TIERS[0];
    let added = edit(|t| t.totals.insert(TIERS[0], WorkIndex(4), Count { listeners: 1, ..Count::default() }));
    let outside = edit(|t| t.totals.insert(TIERS[0], WorkIndex(16), Count { views: 1, ..Count::default() }));
    let more_tiers = edit(|t| t.totals.touch(Tier(7)));
    let nobody = edit(|t| t.totals.insert(TIERS[0], WorkIndex(4), Count { views: 1, ..Count::default() }));
    let left_over = edit(|t| t.after.set(TIERS[0], Default::default()));
    let no_squares = edit(|t| t.squares = Default::default());
    world.refuse_open(added, UsageError::Tally(TallyError::Carried { tier }));
    let work = WorkIndex(16);
    world.refuse_open(outside, UsageError::Tally(TallyError::WorkOutside { work, width: 16 }));
    world.refuse_open(more_tiers, UsageError::Tally(TallyError::Tiers));
    let work = world.ledger.state().openings.get(&FIRST).expect("open").works[4].work;
    world.refuse_open(nobody, UsageError::TooFewListeners { work, tier, expected: 1, found: 0 });
    world.refuse_open(left_over, UsageError::Tally(TallyError::Carried { tier }));
    let work = WorkIndex(0);
    world.refuse_open(no_squares, UsageError::Squares(SquaresError::OutOfRange { work, backed: 8 }));

    world.open_ok(submit(aggregate.clone()));
    world.refuse_open(submit(aggregate), phase(Phase::Frozen, Phase::Aggregated));
}
