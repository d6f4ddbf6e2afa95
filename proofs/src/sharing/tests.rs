//! Sealed shares open for their holders and for nobody else.

use super::*;
use crate::testing::{TestSubscriber, event, small};
use primitives::{Decode, Digest, Encode};

#[test]
fn a_sealed_share_opens_for_its_holders_alone() {
    let (committee, context) = small();
    let bundle = TestSubscriber::new(1).bundle(&context, vec![event(1, 0, false)]);
    let sealing = context.sealing_context(&bundle.envelope);
    type Parts = (SealedShares, [crate::wire::WirePoint; 3]);
    let open = |(sealed, ephemerals): &Parts, party: PartyId, key: PartyId, context: &Digest| {
        sealed.open(ephemerals, (party, &committee.kem[key.index()]), context).map(|_| ())
    };
    let parts = (bundle.sealed.clone(), bundle.ephemerals);
    let [one, two, _] = PartyId::ALL;
    for party in PartyId::ALL {
        assert_eq!(open(&parts, party, party, &sealing), Ok(()));
        let share = held(party)[0];
        assert_eq!(open(&parts, party, party.next(), &sealing), Err(SealError::KeyCommitment { share }));
        assert_eq!(open(&parts, party, party, &Digest([1; 32])), Err(SealError::KeyCommitment { share }));
    }
    let changed = |change: &dyn Fn(&mut Parts), party: PartyId| {
        let mut parts = parts.clone();
        change(&mut parts);
        open(&parts, party, party, &sealing)
    };
    let commitment = |share| Err(SealError::KeyCommitment { share });
    assert_eq!(changed(&|(s, _)| s.keys[0].swap(0, 1), one), commitment(one));
    assert_eq!(changed(&|(s, _)| s.keys.swap(0, 1), one), commitment(one));
    assert_eq!(changed(&|(_, e)| e.swap(1, 2), two), commitment(two));
    assert_eq!(changed(&|(s, _)| s.keys[1][0].commitment[0] ^= 1, two), commitment(two));
    assert_eq!(
        changed(&|(s, _)| s.keys[1][0].ciphertext[0] ^= 1, two),
        Err(SealError::Ciphertext { share: two })
    );
    assert_eq!(changed(&|(_, e)| e[0] = Default::default(), one), Err(SealError::Ephemeral { share: one }));
    assert_eq!(SealedShares::from_bytes(&bundle.sealed.to_bytes()).as_ref(), Ok(&bundle.sealed));
    assert_ne!(
        bundle.sealed.digest(),
        TestSubscriber::new(2).bundle(&context, vec![event(1, 0, false)]).sealed.digest()
    );
}

#[test]
fn one_party_holds_two_shares_of_three() {
    for share in PartyId::ALL {
        let holding: Vec<_> = PartyId::ALL.into_iter().filter(|p| held(*p).contains(&share)).collect();
        assert_eq!(holding.len(), 2);
        assert!(holders(share).iter().all(|h| holding.contains(h)));
    }
}
