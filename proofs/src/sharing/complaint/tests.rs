//! Complaints that hold, and every way in which one does not.

use super::*;
use crate::{
    bundle::verify,
    testing::{TestCommittee, TestSubscriber, event, small},
};
use primitives::{Decode, Encode};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(31)
}

/// A bundle whose share `spoiled` does not open, or an honest one.
fn bundle(context: &EpochContext, spoiled: Option<PartyId>) -> (Digest, Bundle, Accepted) {
    let events = vec![event(1, 0, false)];
    let bundle = TestSubscriber::new(5).lying_bundle(context, events, |w| w.spoiled_share = spoiled);
    let accepted = verify(context, &bundle).expect("the proof holds");
    (bundle.id(), bundle, accepted)
}

fn complain(
    (committee, context): &(TestCommittee, EpochContext),
    (id, bundle, accepted): &(Digest, Bundle, Accepted),
    (party, share): (PartyId, PartyId),
) -> Complaint {
    let key = &committee.kem[party.index()];
    Complaint::new(context, (*id, bundle, accepted), (party, key), share, &mut rng())
        .expect("usable ephemerals")
}

fn check(
    context: &EpochContext,
    complaint: &Complaint,
    (id, bundle, accepted): &(Digest, Bundle, Accepted),
) -> Result<Grievance, ComplaintError> {
    complaint.verify(context, (*id, bundle, accepted))
}

#[test]
fn both_holders_of_a_bad_share_can_show_it_and_nobody_else_can_claim_it() {
    let world = small();
    for share in PartyId::ALL {
        let bad = bundle(&world.1, Some(share));
        for party in PartyId::ALL {
            let complaint = complain(&world, &bad, (party, share));
            let outcome = check(&world.1, &complaint, &bad);
            if held(party).contains(&share) {
                assert_eq!(outcome, Ok(Grievance::DoesNotOpen));
            } else {
                assert_eq!(outcome, Err(ComplaintError::NotAHolder { party, share }));
            }
            assert_eq!(Complaint::from_bytes(&complaint.to_bytes()), Ok(complaint));
        }
    }
}

#[test]
fn a_complaint_about_a_good_share_does_not_hold() {
    let world = small();
    let good = bundle(&world.1, None);
    for party in PartyId::ALL {
        for share in held(party) {
            let complaint = complain(&world, &good, (party, share));
            assert_eq!(check(&world.1, &complaint, &good), Err(ComplaintError::Unfounded { share }));
        }
    }
}

/// A seal that cannot be opened is shown like a seed that does not fit. Whoever makes the bundle seals to a party whose
/// key it does not use.
#[test]
fn a_share_that_cannot_be_read_is_a_grievance() {
    let world = small();
    let (id, mut bundle, accepted) = bundle(&world.1, None);
    let [one, ..] = PartyId::ALL;
    bundle.sealed.keys[0][0].ciphertext[3] ^= 1;
    let bad = (id, bundle, accepted);
    let complaint = complain(&world, &bad, (one, one));
    let unreadable = Grievance::Unreadable(SealError::Ciphertext { share: one });
    assert_eq!(check(&world.1, &complaint, &bad), Ok(unreadable));
}

#[test]
fn every_field_of_a_complaint_is_checked() {
    let world = small();
    let [one, two, three] = PartyId::ALL;
    let bad = bundle(&world.1, Some(one));
    let complaint = complain(&world, &bad, (one, one));
    let changed = |change: &dyn Fn(&mut Complaint)| {
        let mut other = complaint.clone();
        change(&mut other);
        check(&world.1, &other, &bad)
    };
    let proof = Err(ComplaintError::Proof { party: one });
    assert_eq!(changed(&|c| c.bundle.0[0] ^= 1), Err(ComplaintError::OtherBundle));
    assert_eq!(changed(&|c| c.party = three), Err(ComplaintError::Proof { party: three }));
    assert_eq!(changed(&|c| c.share = two), proof, "of its other share");
    assert_eq!(changed(&|c| c.secret = bases().kem.into()), proof, "another secret");
    assert_eq!(changed(&|c| c.secret = WirePoint::default()), Err(ComplaintError::Secret));
    assert_eq!(changed(&|c| c.secret = WirePoint([0xff; 32])), Err(ComplaintError::Secret));
    assert_eq!(changed(&|c| c.challenge += Plain::from(1u128)), proof);
    assert_eq!(changed(&|c| c.response += Plain::from(1u128)), proof);
    // A party's key does not prove another's secret.
    let (committee, context) = &world;
    let (id, bundle, accepted) = &bad;
    let stolen = Complaint::new(context, (*id, bundle, accepted), (one, &committee.kem[1]), one, &mut rng());
    assert_eq!(check(context, &stolen.unwrap(), &bad), proof);
}

/// The attack that check (g) is there for: an ephemeral and a seal are copied from an honest bundle, so that the
/// complaint about the copy would show the secret of the original.
#[test]
fn a_copied_ephemeral_makes_no_oracle() {
    let (_, context) = small();
    let (_, victim, _) = bundle(&context, None);
    for share in PartyId::ALL {
        let i = share.index();
        let mut copy = TestSubscriber::new(11).lying_bundle(&context, vec![event(1, 0, false)], |w| {
            w.foreign_ephemerals[i] = Some(victim.ephemerals[i]);
        });
        let refused = crate::bundle::BundleError::Ephemeral { share };
        assert_eq!(
            verify(&context, &copy).map(|_| ()),
            Err(refused),
            "there is no accepted bundle to complain of"
        );
        // Nor can the victim's announcement and response be copied along: they answer another challenge.
        copy.proof.ephemeral_masks[i] = victim.proof.ephemeral_masks[i];
        copy.proof.ephemeral_responses[i] = victim.proof.ephemeral_responses[i];
        assert!(verify(&context, &copy).is_err());
    }
}
