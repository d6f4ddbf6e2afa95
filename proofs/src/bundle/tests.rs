//! Every attack that the protocol notes name against the bundle proof, each with the rule that stops it.

mod caps;
mod literal;

use super::{verify_batch, *};
use crate::epoch::EpochContext;
use crate::{
    receipt::{Denomination, Receipt},
    sharing::{self, Accepted, BatchShare, Masks, SHOWN_SHARE, SharePart, wrong_seeds},
    tally::{Count, totals::power_of_two},
    testing::{TestSubscriber, event, receipt_issuer, small},
    wire::WirePoint,
};
use curve25519_dalek::{ristretto::RistrettoPoint, scalar::Scalar};
use primitives::field::Plain;
use primitives::{CodecError, Decode, Digest, Encode, PartyId, Region, RegionTag, Tier, WorkIndex};
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::{collections::BTreeMap, sync::Mutex};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(77)
}

/// Checks a bundle by itself, and among honest ones in a batch: both must say the same.
fn verify(context: &EpochContext, bundle: &Bundle) -> Result<(), BundleError> {
    let alone = super::verify(context, bundle);
    static HONEST: Mutex<BTreeMap<Digest, [Bundle; 2]>> = Mutex::new(BTreeMap::new());
    let mut made = HONEST.lock().unwrap();
    let make = || [900, 901].map(|seed| TestSubscriber::new(seed).bundle(context, vec![event(2, 0, false)]));
    let [before, after] = made.entry(context.digest).or_insert_with(make);
    let among = verify_batch(context, &[before, bundle, after], &mut rng());
    assert_eq!(among[1], alone, "a batch says something else than the single check");
    assert!(among[0].is_ok() && among[2].is_ok(), "an honest bundle is refused because of its neighbour");
    alone.map(|_| ())
}

fn accept(context: &EpochContext, bundle: &Bundle) -> Accepted {
    super::verify(context, bundle).expect("the bundle holds")
}

fn plain(n: u64) -> Plain {
    Plain::from(u128::from(n))
}

fn some_events() -> Vec<EventWitness> {
    vec![event(3, 0, true), event(3, 1, true), event(3, 2, false), event(9, 0, true), event(0, 5, false)]
}

#[test]
fn an_honest_bundle_verifies_and_its_shares_hold_its_events() {
    let (committee, context) = small();
    let bundle = TestSubscriber::new(1).bundle(&context, some_events());
    assert_eq!(verify(&context, &bundle), Ok(()));
    assert_eq!(Bundle::from_bytes(&bundle.to_bytes()).as_ref(), Ok(&bundle));

    let (width, accepted) = (context.shard.width(), accept(&context, &bundle));
    let mut held = Vec::new();
    for party in PartyId::ALL {
        let opened = bundle.open(&context, party, &committee.kem[party.index()]).unwrap();
        for (share, seed) in sharing::held(party).into_iter().zip(opened) {
            assert_eq!(seed.commit(&context.works), accepted.masks[share.index()]);
            held.push((share, seed));
        }
    }
    let mut totals = vec![Scalar::ZERO; width];
    for share in PartyId::ALL {
        let copies: Vec<_> = held.iter().filter(|(s, _)| *s == share).map(|(_, seed)| seed).collect();
        assert_eq!(copies.len(), 2, "each share has two holders");
        assert_eq!(copies[0], copies[1]);
        let proof = &bundle.proof;
        let response =
            (share == SHOWN_SHARE).then_some((&proof.vector_response[..], proof.blinding_response));
        let part = SharePart { seed: copies[0], challenge: accepted.challenge, response };
        let sum = BatchShare::of(width, &[part]);
        totals.iter_mut().zip(&sum.entries).for_each(|(total, x)| *total += x);
    }
    let values = context.params.view_values().map(|v| u64::from(v) * 4);
    let expected = |w: usize| match w {
        3 => Count { listeners: 1, backed: 2, views: 3, value: values[0] + values[1] + values[2] },
        9 => Count { listeners: 1, backed: 1, views: 1, value: values[0] },
        0 => Count { listeners: 0, backed: 0, views: 1, value: values[5] },
        _ => Count::default(),
    };
    for (w, total) in totals.iter().enumerate() {
        assert_eq!(Count::from_scalar(total), Some(expected(w)), "work {w}");
    }
}

#[test]
fn a_batch_accepts_the_honest_and_names_each_culprit_with_its_rule() {
    let (_, context) = small();
    let mut bundles: Vec<_> =
        (0..6).map(|i| TestSubscriber::new(i).bundle(&context, some_events())).collect();
    bundles[1].proof.digits_response += plain(1);
    bundles[4].proof.key_response += plain(1);
    bundles[5].token[0] ^= 1;
    let all: Vec<&Published> = bundles.iter().map(|bundle| &**bundle).collect();
    let results: Vec<_> =
        verify_batch(&context, &all, &mut rng()).into_iter().map(|r| r.map(|_| ())).collect();
    assert_eq!(
        results,
        [Ok(()), Err(BundleError::Digits), Ok(()), Ok(()), Err(BundleError::Tags), Err(BundleError::Token),]
    );
    assert_eq!(verify_batch(&context, &[], &mut rng()), []);
    let without_randomness = verify_all(&context, &all).into_iter().map(|r| r.map(|_| ()));
    assert_eq!(without_randomness.collect::<Vec<_>>(), results);
}

/// Anybody verifies a bundle again from what is published of it, and comes to the same identifier.
#[test]
fn what_is_published_is_the_bundle_less_its_ciphertexts() {
    let (_, context) = small();
    let bundle = TestSubscriber::new(2).bundle(&context, some_events());
    let bytes = bundle.published().to_bytes();
    let published = Published::from_bytes(&bytes).unwrap();
    assert_eq!((&published, published.id()), (&**bundle.published(), bundle.id()));
    assert_eq!(super::verify(&context, &published), super::verify(&context, &bundle));
    let sealed = bundle.sealed().to_bytes();
    assert_eq!(bytes.len() + sealed.len(), bundle.to_bytes().len() + 32);
    let meets = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(!sealed.chunks(16).any(meets), "a stretch of a ciphertext is published");
    assert!(meets(&bundle.sealed().digest().0));
    assert!(Bundle::from_bytes(&bytes).is_err() && Published::from_bytes(&bundle.to_bytes()).is_err());
}

#[test]
fn errors_of_two_bundles_do_not_cancel() {
    let (_, context) = small();
    let mut bundles: Vec<_> =
        (0..2).map(|i| TestSubscriber::new(i).bundle(&context, some_events())).collect();
    bundles[0].proof.blinding_response += plain(1);
    bundles[1].proof.blinding_response += -plain(1);
    let results = verify_batch(&context, &[&bundles[0], &bundles[1]], &mut rng());
    assert_eq!(results, [Err(BundleError::Vector), Err(BundleError::Vector)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_well_formed_events_make_a_bundle_that_verifies(
        seed: u64,
        events in prop::collection::btree_map((0u16..16, 0u16..64), (1u8..=4, any::<bool>()), 0..12),
    ) {
        let (_, context) = small();
        let mut subscriber = TestSubscriber::new(seed);
        subscriber.used = events.keys().map(|(w, j)| (WorkIndex(*w), *j)).collect();
        let events = events.into_iter().map(|((work, view), (quarters, backed))| EventWitness {
            work: WorkIndex(work), view, quarters, backed,
        });
        let bundle = subscriber.bundle(&context, events.collect());
        prop_assert_eq!(verify(&context, &bundle), Ok(()));
    }
}

/// A bundle whose first event has the digit at `place` replaced by `entries` (1 to 3; entry 0 follows).
fn with_digit(place: usize, entries: [i8; 3]) -> Result<(), BundleError> {
    let (_, context) = small();
    let number = |n: i8| if n < 0 { -Scalar::from(n.unsigned_abs()) } else { Scalar::from(n as u8) };
    let [a, b, c] = entries.map(number);
    let bundle = TestSubscriber::new(2).lying_bundle(&context, vec![event(0, 0, false)], |witness| {
        witness.events[0].0[place] = [Scalar::ONE - a - b - c, a, b, c];
    });
    verify(&context, &bundle)
}

#[test]
fn a_digit_with_two_ones_none_a_two_or_a_negative_is_refused() {
    for place in [0, 1, 2, 4, 5] {
        for entries in [[1, 1, 0], [0, 1, 1], [1, 1, 1], [2, 0, 0], [0, -1, 0], [1, 1, -1]] {
            assert_eq!(with_digit(place, entries), Err(BundleError::Amount), "digit {place}: {entries:?}");
        }
    }
    let (_, context) = small();
    let none = TestSubscriber::new(2).lying_bundle(&context, vec![event(1, 0, false)], |witness| {
        witness.events[0].0[0] = [Scalar::ZERO; 4];
    });
    assert_eq!(verify(&context, &none), Err(BundleError::Amount));
}

#[test]
fn a_backed_digit_of_two_is_refused() {
    let (_, context) = small();
    let bundle =
        TestSubscriber::new(2).lying_bundle(&context, vec![event(0, 0, false), event(1, 0, false)], |w| {
            w.events[0].1 = Scalar::from(2u8);
            w.events[1].1 = -Scalar::from(2u8); // so that (e) holds
        });
    assert_eq!(verify(&context, &bundle), Err(BundleError::Amount));
}

/// The bundle of the protocol notes that gives one work many votes: the digit (-2, 1, 1, 1) is one in the sum, and if
/// entry 0 went unchecked it would weigh 2 for digit 0 in each product of two.
#[test]
fn the_64_vote_bundle_is_refused() {
    let (_, context) = small();
    let [two, one] = [Scalar::from(2u8), Scalar::ONE];
    let bundle = TestSubscriber::new(2).lying_bundle(&context, vec![event(0, 0, false)], |witness| {
        for digit in &mut witness.events[0].0[..2] {
            *digit = [-two, one, one, one];
        }
    });
    assert_eq!(verify(&context, &bundle), Err(BundleError::Amount));
}

#[test]
fn a_vector_that_is_not_the_events_is_refused() {
    let (_, context) = small();
    let width = context.shard.width();
    let honest = power_of_two(130) + power_of_two(54) + power_of_two(18);
    let at = |w: usize, count: Scalar| {
        (0..width).map(|i| if i == w { count } else { Scalar::ZERO }).collect::<Vec<_>>()
    };
    let refused = |vector: Vec<Scalar>| {
        let bundle = TestSubscriber::new(3)
            .lying_bundle(&context, vec![event(4, 0, false)], |w| w.vector = Some(vector));
        verify(&context, &bundle)
    };
    assert_eq!(refused(at(4, honest)), Ok(()), "the vector of the event itself");
    assert_eq!(refused(at(5, honest)), Err(BundleError::Amount), "a wrong row");
    assert_eq!(refused(at(4, honest + honest)), Err(BundleError::Amount), "twice the event");
    assert_eq!(refused(at(4, honest + Scalar::ONE)), Err(BundleError::Amount), "a unit of value more");
    let mut shifted = at(4, honest + Scalar::ONE);
    shifted[5] = -Scalar::ONE;
    assert_eq!(refused(shifted), Err(BundleError::Amount), "taken from another work");
}

#[test]
fn a_tag_of_another_view_or_another_event_is_refused() {
    let (_, context) = small();
    let events = || vec![event(4, 0, false), event(6, 0, false)];
    let mut subscriber = TestSubscriber::new(4);
    let other_view = tag(&context, subscriber.key.secret(), &Scalar::from(4u64 * 64 + 1));
    let bundle = subscriber.lying_bundle(&context, events(), |w| w.tags[0] = other_view);
    assert_eq!(verify(&context, &bundle), Err(BundleError::Tags));
    let bundle = TestSubscriber::new(4).lying_bundle(&context, events(), |w| w.tags.swap(0, 1));
    assert_eq!(verify(&context, &bundle), Err(BundleError::Tags));
}

#[test]
fn an_event_twice_in_one_bundle_is_refused() {
    let (_, context) = small();
    let bundle =
        TestSubscriber::new(4).lying_bundle(&context, vec![event(4, 0, false), event(6, 0, false)], |w| {
            w.events[1] = w.events[0].clone();
            w.tags[1] = w.tags[0];
        });
    assert_eq!(verify(&context, &bundle), Err(BundleError::RepeatedTag { event: 1 }));
}

#[test]
fn the_same_event_has_the_same_tag_in_an_epoch_and_another_elsewhere() {
    let (committee, context) = small();
    let mut subscriber = TestSubscriber::new(5);
    let first = subscriber.bundle(&context, vec![event(4, 0, false)]);
    let again = subscriber.bundle(&context, vec![event(4, 0, false)]);
    assert_eq!(first.tags[0], again.tags[0]);
    assert_eq!(first.pseudonyms(&context)[0], again.pseudonyms(&context)[0]);
    assert!(!again.tags[1..].iter().any(|tag| first.tags.contains(tag)), "padding is fresh");
    let mut keys = context.keys.clone();
    keys.beacon = Digest([10; 32]);
    let next =
        EpochContext::new(context.chain, context.epoch, keys, context.shard.clone(), context.params.clone());
    drop(committee);
    assert_ne!(subscriber.bundle(&next, vec![event(4, 0, false)]).tags[0], first.tags[0]);
}

#[test]
fn a_foreign_key_is_refused() {
    let (_, context) = small();
    let honest = TestSubscriber::new(6).bundle(&context, some_events());
    let victim = TestSubscriber::new(7).bundle(&context, some_events());
    // Somebody else's key under one's own token.
    let mut stolen = honest.clone();
    stolen.envelope.key = victim.envelope.key;
    assert_eq!(verify(&context, &stolen), Err(BundleError::Token));
    // Somebody else's key and token: the tags are right for one's own secret, which is not the key's.
    let mut thief = TestSubscriber::new(6);
    let events = vec![event(1, 0, false)];
    let mut padded = events.clone();
    pad(&context, &mut padded, &mut thief.used, &mut thief.rng).unwrap();
    let mut envelope = thief.envelope(&context, None);
    envelope.key = victim.envelope.key;
    let witness = RawWitness::honest(&context, &thief.key, &padded);
    let bundle = thief.prove_raw(&context, (envelope, victim.token, vec![]), witness);
    assert_eq!(verify(&context, &bundle), Err(BundleError::Key));
}

#[test]
fn receipts_that_are_stolen_missing_doubled_or_of_another_region_are_refused() {
    let (_, context) = small();
    let honest = TestSubscriber::new(8).bundle(&context, some_events());
    let other = TestSubscriber::new(9).bundle(&context, some_events());
    assert_eq!(honest.receipts.len(), 3);
    let changed = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = honest.clone();
        change(&mut bundle);
        verify(&context, &bundle)
    };
    assert_eq!(
        changed(&|b| b.receipts[1] = other.receipts[1].clone()),
        Err(BundleError::Receipt { receipt: 1 })
    );
    assert_eq!(
        changed(&|b| b.receipts[2] = b.receipts[0].clone()),
        Err(BundleError::RepeatedReceipt { receipt: 2 })
    );
    assert_eq!(changed(&|b| b.receipts.truncate(2)), Err(BundleError::Digits));
    assert_eq!(changed(&|b| b.receipts.clear()), Err(BundleError::RegionTag));
    let elsewhere = RegionTag(Region::all().nth(4));
    assert_eq!(changed(&|b| b.envelope.region = elsewhere), Err(BundleError::Receipt { receipt: 0 }));
    assert_eq!(changed(&|b| b.envelope.region = RegionTag::NONE), Err(BundleError::RegionTag));
}

/// A blind signer does not see the denomination in what it signs; the key must say it.
#[test]
fn a_receipt_for_one_view_does_not_pass_as_one_for_sixteen() {
    let (_, context) = small();
    let mut subscriber = TestSubscriber::new(8);
    let mut events: Vec<_> =
        (0..8).map(|w| event(w, 0, true)).chain((0..8).map(|w| event(w, 1, true))).collect();
    pad(&context, &mut events, &mut subscriber.used, &mut subscriber.rng).unwrap();
    let envelope = subscriber.envelope(&context, Region::all().next());
    let (token, _) = subscriber.credentials(&envelope, &[]);
    let at = (envelope.chain, envelope.epoch, envelope.region.0.unwrap());
    let (one, sixteen) = (Denomination::new(1).unwrap(), Denomination::new(16).unwrap());
    let signer_of_one = receipt_issuer(one);
    let forged = Receipt::issue(signer_of_one, at, sixteen, &envelope.key, &mut subscriber.rng).unwrap();
    let bundle = subscriber.prove(&context, (envelope, token, vec![forged]), &events).unwrap();
    assert_eq!(verify(&context, &bundle), Err(BundleError::Receipt { receipt: 0 }));
}

#[test]
fn more_backed_events_than_receipts_pay_for_are_refused() {
    let (_, context) = small();
    let bundle = TestSubscriber::new(8)
        .lying_bundle(&context, vec![event(1, 0, false)], |w| w.events[0].1 = Scalar::ONE);
    assert_eq!(verify(&context, &bundle), Err(BundleError::BackedCount));
}

#[test]
fn a_surplus_of_receipts_is_absorbed_by_padding() {
    let (_, context) = small();
    let mut subscriber = TestSubscriber::new(8);
    let mut events = vec![event(1, 0, true)];
    pad(&context, &mut events, &mut subscriber.used, &mut subscriber.rng).unwrap();
    events[5..8].iter_mut().for_each(|padding| padding.backed = true);
    let envelope = subscriber.envelope(&context, Region::all().next());
    let (token, _) = subscriber.credentials(&envelope, &[]);
    let at = (envelope.chain, envelope.epoch, envelope.region.0.unwrap());
    let four = Denomination::new(4).unwrap();
    let receipt = Receipt::issue(receipt_issuer(four), at, four, &envelope.key, &mut subscriber.rng).unwrap();
    let bundle = subscriber.prove(&context, (envelope, token, vec![receipt]), &events).unwrap();
    assert_eq!(verify(&context, &bundle), Ok(()));
}

#[test]
fn a_copied_ephemeral_is_refused() {
    let (_, context) = small();
    let victim = TestSubscriber::new(10).bundle(&context, some_events());
    for share in PartyId::ALL {
        let bundle = TestSubscriber::new(11).lying_bundle(&context, vec![event(1, 0, false)], |w| {
            w.foreign_ephemerals[share.index()] = Some(victim.ephemerals[share.index()]);
        });
        assert_eq!(verify(&context, &bundle), Err(BundleError::Ephemeral { share }));
    }
}

#[test]
fn ciphertexts_and_commitments_are_bound_to_the_proof() {
    let (_, context) = small();
    let honest = TestSubscriber::new(12).bundle(&context, some_events());
    let other = TestSubscriber::new(13).bundle(&context, some_events());
    let changed = |change: &dyn Fn(&mut Bundle)| {
        let mut bundle = honest.clone();
        change(&mut bundle);
        // What is published holds a digest of the ciphertexts, which whoever reads the bundle computes.
        verify(&context, &Bundle::from_bytes(&bundle.to_bytes()).unwrap())
    };
    assert_eq!(changed(&|b| b.sealed.keys[0] = other.sealed.keys[0].clone()), Err(BundleError::Digits));
    assert_eq!(changed(&|b| b.sealed.keys[1].swap(0, 1)), Err(BundleError::Digits));
    assert_eq!(changed(&|b| b.sealed.keys[2][1].ciphertext[7] ^= 1), Err(BundleError::Digits));
    assert_eq!(changed(&|b| b.masks.swap(0, 1)), Err(BundleError::Digits));
    assert_eq!(changed(&|b| b.vector = other.vector), Err(BundleError::Digits));
    assert_eq!(
        changed(&|b| b.proof = other.proof.clone()),
        Err(BundleError::Digits),
        "a proof replayed elsewhere"
    );
}

#[test]
fn a_bundle_of_another_context_is_refused() {
    let (committee, context) = small();
    let honest = TestSubscriber::new(14).bundle(&context, some_events());
    let changed = |change: &dyn Fn(&mut Envelope)| {
        let mut bundle = honest.clone();
        change(&mut bundle.envelope);
        verify(&context, &bundle)
    };
    assert_eq!(changed(&|e| e.chain.0 += 1), Err(BundleError::OtherContext));
    assert_eq!(changed(&|e| e.epoch.0 += 1), Err(BundleError::OtherContext));
    assert_eq!(changed(&|e| e.shard.0 += 1), Err(BundleError::OtherContext));
    assert_eq!(changed(&|e| e.window = 1), Err(BundleError::Digits));
    assert_eq!(changed(&|e| e.window = 24), Err(BundleError::Window { window: 24 }));
    assert_eq!(changed(&|e| e.tier = Tier(2)), Err(BundleError::Token));
    assert_eq!(changed(&|e| e.tier = Tier(9)), Err(BundleError::UnknownTier { tier: Tier(9) }));
    // The same names and other contents: beacon, works, parameters.
    let mut beacon = context.keys.clone();
    beacon.beacon = Digest([1; 32]);
    let mut params = context.params.clone();
    params.j_max -= 1;
    let rebuilt = |keys, shard, params| EpochContext::new(context.chain, context.epoch, keys, shard, params);
    let fewer = crate::testing::context(&committee, 9, context.params.clone()).shard;
    for other in [
        rebuilt(beacon, context.shard.clone(), context.params.clone()),
        rebuilt(context.keys.clone(), fewer, context.params.clone()),
        rebuilt(context.keys.clone(), context.shard.clone(), params),
    ] {
        assert_eq!(verify(&other, &honest), Err(BundleError::Digits));
    }
}

#[test]
fn every_message_of_the_proof_is_checked() {
    let (_, context) = small();
    let honest = TestSubscriber::new(15).bundle(&context, some_events());
    let point = WirePoint::from(RistrettoPoint::default() + crate::generators::bases().key);
    type Points = fn(&mut Bundle) -> &mut WirePoint;
    // Whatever comes before a challenge changes it: the first equation fails.
    let points: [Points; 15] = [
        |b| &mut b.previous,
        |b| &mut b.vector,
        |b| &mut b.masks[0],
        |b| &mut b.masks[2],
        |b| &mut b.ephemerals[1],
        |b| &mut b.tags[3],
        |b| &mut b.proof.digits,
        |b| &mut b.proof.digit_masks,
        |b| &mut b.proof.key_mask,
        |b| &mut b.proof.ephemeral_masks[0],
        |b| &mut b.proof.ephemeral_masks[2],
        |b| &mut b.proof.value,
        |b| &mut b.proof.tag_mask,
        |b| &mut b.proof.coefficients[0],
        |b| b.proof.coefficients.last_mut().unwrap(),
    ];
    for (at, field) in points.into_iter().enumerate() {
        let mut bundle = honest.clone();
        *field(&mut bundle) = point;
        assert_eq!(verify(&context, &bundle), Err(BundleError::Digits), "element {at}");
        *field(&mut bundle) = WirePoint([0xff; 32]);
        assert!(matches!(verify(&context, &bundle), Err(BundleError::NotAnElement { .. })), "element {at}");
    }
    type Scalars = fn(&mut Proof) -> &mut Plain;
    let scalars: [(Scalars, BundleError); 12] = [
        (|p| &mut p.backed_mask, BundleError::Digits),
        (|p| &mut p.responses[0], BundleError::Digits),
        (|p| p.responses.last_mut().unwrap(), BundleError::Digits),
        (|p| &mut p.digits_response, BundleError::Digits),
        (|p| &mut p.vector_response[5], BundleError::Vector),
        (|p| &mut p.blinding_response, BundleError::Vector),
        (|p| &mut p.coefficient_response, BundleError::Amount),
        (|p| &mut p.key_response, BundleError::Tags),
        (|p| &mut p.ephemeral_responses[0], BundleError::Ephemeral { share: PartyId::ALL[0] }),
        (|p| &mut p.ephemeral_responses[1], BundleError::Ephemeral { share: PartyId::ALL[1] }),
        (|p| &mut p.ephemeral_responses[2], BundleError::Ephemeral { share: PartyId::ALL[2] }),
        (|p| p.vector_response.last_mut().unwrap(), BundleError::Vector),
    ];
    for (field, error) in scalars {
        let mut bundle = honest.clone();
        *field(&mut bundle.proof) += plain(1);
        assert_eq!(verify(&context, &bundle), Err(error));
    }
    let mut other = honest.clone();
    other.proof.cap.bytes[100] ^= 1;
    assert_eq!(verify(&context, &other), Err(BundleError::Cap));
    for shorten in [
        (|b| b.proof.coefficients.truncate(6)) as fn(&mut Bundle),
        |b| b.proof.responses.truncate(8),
        |b| b.proof.vector_response.truncate(15),
        |b| b.proof.coefficients.push(WirePoint::default()),
    ] {
        let mut short = honest.clone();
        shorten(&mut short);
        assert_eq!(verify(&context, &short), Err(BundleError::Shape { events: 8, places: 16 }));
    }
    let mut short = honest.clone();
    short.tags.pop();
    assert_eq!(verify(&context, &short), Err(BundleError::Size { events: 7 }));
}

/// Equations that were summed with another weight than one each would let errors of two equations cancel.
#[test]
fn errors_of_two_equations_do_not_cancel() {
    let (_, context) = small();
    let mut bundle = TestSubscriber::new(15).bundle(&context, some_events());
    bundle.proof.digits_response += plain(1);
    bundle.proof.blinding_response += -plain(1);
    assert_eq!(verify(&context, &bundle), Err(BundleError::Digits), "both are over H");
    bundle.proof.digits_response += -plain(1);
    assert_eq!(verify(&context, &bundle), Err(BundleError::Vector));
}

#[test]
fn a_value_that_is_not_the_events_is_refused() {
    let (_, context) = small();
    for value in [0, 1, (4 << 16) - 1, (4 << 16) + 1] {
        let bundle =
            TestSubscriber::new(3).lying_bundle(&context, vec![event(4, 0, false)], |w| w.value = value);
        assert_eq!(verify(&context, &bundle), Err(BundleError::Amount), "value {value}");
    }
}

#[test]
fn a_subscriber_may_spend_the_cap_to_the_last_unit_and_no_further() {
    let (_, mut context) = small();
    // Neighbours in a batch have caps of their own.
    let alone = |context: &EpochContext, bundle: &Bundle| super::verify(context, bundle).map(|_| ());
    let one = 4 * u64::from(context.params.view_value(0));
    for rules in context.keys.tiers.values_mut() {
        rules.value_cap = 3 * one;
    }
    let mut subscriber = TestSubscriber::new(20);
    let first = subscriber.bundle(&context, vec![event(1, 0, false), event(2, 0, false)]);
    assert_eq!(alone(&context, &first), Ok(()));
    assert_eq!(first.previous, WirePoint::default());
    let second = subscriber.bundle(&context, vec![event(3, 0, false)]);
    assert_eq!(alone(&context, &second), Ok(()), "nothing is left now");
    assert_eq!(subscriber.spent.value(), 3 * one);
    // An honest device says so before it proves; a dishonest one finds no proof.
    let mut events = vec![EventWitness { quarters: 1, ..event(5, 31, false) }];
    pad(&context, &mut events, &mut subscriber.used, &mut subscriber.rng).unwrap();
    let envelope = subscriber.envelope(&context, None);
    let (token, _) = subscriber.credentials(&envelope, &[]);
    let value = u64::from(context.params.view_value(31));
    let refused = subscriber.prove(&context, (envelope, token, vec![]), &events);
    assert_eq!(refused, Err(ProveError::Cap { value, room: 0 }));
    for room in [None, Some(0), Some(1), Some(u64::from(u32::MAX))] {
        let bundle =
            subscriber.lying_bundle(&context, vec![event(6, 31, false)], |witness| witness.room = room);
        assert_eq!(alone(&context, &bundle), Err(BundleError::Cap), "{room:?}");
    }
    // By one unit: the cap is lowered under an honest bundle.
    let bundle = TestSubscriber::new(21).bundle(&context, vec![event(1, 0, false)]);
    for rules in context.keys.tiers.values_mut() {
        rules.value_cap = one - 1;
    }
    assert_eq!(alone(&context, &bundle), Err(BundleError::Cap));
}

#[test]
fn a_bundle_that_hides_what_was_spent_before_is_another_bundle() {
    let (_, context) = small();
    let mut subscriber = TestSubscriber::new(22);
    let first = subscriber.bundle(&context, vec![event(1, 0, false)]);
    let mut second = subscriber.bundle(&context, vec![event(2, 0, false)]);
    assert_ne!(second.previous, first.previous);
    second.previous = first.previous;
    assert_eq!(verify(&context, &second), Err(BundleError::Digits));
}

#[test]
fn a_flipped_byte_anywhere_is_refused() {
    let (_, context) = small();
    let bytes = TestSubscriber::new(16).bundle(&context, some_events()).to_bytes();
    for at in (0..bytes.len()).step_by(23) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x40;
        let outcome = Bundle::from_bytes(&flipped).map(|bundle| verify(&context, &bundle));
        assert!(!matches!(outcome, Ok(Ok(()))), "byte {at}");
    }
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    let (_, context) = small();
    let bundle = TestSubscriber::new(16).bundle(&context, some_events());
    let mut bytes = bundle.to_bytes();
    bytes.push(0);
    assert_eq!(Bundle::from_bytes(&bytes), Err(CodecError::Trailing { extra: 1 }));
    bytes.truncate(bytes.len() - 2);
    assert!(matches!(Bundle::from_bytes(&bytes), Err(CodecError::Truncated { .. })));
    // The last scalar, before the range proof, is above the group order: a second spelling of some number.
    let mut bytes = bundle.to_bytes();
    let last = bytes.len() - crate::cap::CAP_PROOF_BYTES - 32;
    bytes[last..last + 32].copy_from_slice(&[0xff; 32]);
    assert_eq!(Bundle::from_bytes(&bytes), Err(CodecError::Invalid { what: "scalar" }));
}

#[test]
fn a_neutral_key_or_tag_is_refused() {
    let (_, context) = small();
    let mut bundle = TestSubscriber::new(17).bundle(&context, some_events());
    bundle.tags[2] = WirePoint([0; 32]);
    assert_eq!(verify(&context, &bundle), Err(BundleError::NotAnElement { what: "a tag" }));
}

#[test]
fn what_cannot_be_proved_honestly_is_refused_before_proving() {
    let (_, context) = small();
    let mut subscriber = TestSubscriber::new(18);
    let envelope = subscriber.envelope(&context, None);
    let (token, _) = subscriber.credentials(&envelope, &[]);
    let mut fill = |mut events: Vec<EventWitness>| {
        pad(&context, &mut events, &mut subscriber.used, &mut subscriber.rng).unwrap();
        subscriber.prove(&context, (envelope.clone(), token, vec![]), &events)
    };
    assert_eq!(fill(vec![event(16, 0, false)]), Err(ProveError::OutOfRange { event: 0 }));
    assert_eq!(fill(vec![event(1, 64, false)]), Err(ProveError::OutOfRange { event: 0 }));
    assert_eq!(fill(vec![event(1, 0, false), event(1, 0, false)]), Err(ProveError::Repeated { event: 1 }));
    assert_eq!(fill(vec![event(1, 0, true)]), Err(ProveError::Receipts { backed: 1, receipted: 0 }));
    let mut many = vec![event(1, 0, false); 129];
    let mut used = Default::default();
    let refused = pad(&context, &mut many, &mut used, &mut rng());
    assert_eq!(refused, Err(ProveError::TooManyEvents { count: 129 }));
}

#[test]
fn a_spoiled_share_passes_the_proof_and_fails_its_holders() {
    let (committee, context) = small();
    for share in PartyId::ALL {
        let events = vec![event(1, 0, false)];
        let bundle =
            TestSubscriber::new(19).lying_bundle(&context, events, |w| w.spoiled_share = Some(share));
        let accepted = accept(&context, &bundle);
        for party in PartyId::ALL {
            let opened = bundle.open(&context, party, &committee.kem[party.index()]).unwrap();
            for (number, seed) in sharing::held(party).into_iter().zip(&opened) {
                let pair = (accepted.masks[number.index()], seed);
                let wrong = wrong_seeds(&context.works, &[pair], &mut rng());
                assert_eq!(wrong.len(), usize::from(number == share));
            }
        }
    }
}

#[test]
fn seeds_that_do_not_open_are_found_among_many() {
    let (_, context) = small();
    let mut rng = rng();
    let masks: Vec<_> = (0..9).map(|_| Masks::prepare(&context.works, &mut rng)).collect();
    let mut list: Vec<_> = masks.iter().map(|m| (m.commitments[2], &m.seeds[2])).collect();
    assert_eq!(wrong_seeds(&context.works, &list, &mut rng), [0; 0]);
    assert_eq!(wrong_seeds(&context.works, &[], &mut rng), [0; 0]);
    for wrong in [&[6][..], &[0, 6], &[0, 3, 4, 6, 8], &[0, 1, 2, 3, 4, 5, 6, 7, 8]] {
        wrong.iter().for_each(|place| list[*place].0 = crate::generators::bases().blinding);
        assert_eq!(wrong_seeds(&context.works, &list, &mut rng), wrong);
    }
}
