//! What the parties publish of final batches is what an audit needs, and an audit needs no party.

use super::{mesh::Mesh, world};
use crate::{
    effect::Event,
    message::{Address, Message, OpenedEpoch},
};
use chain::light::{
    self, SignerKeys,
    audit::{At, AuditError, Batch, Finding, Verdict, audit},
};
use curve25519_dalek::scalar::Scalar;
use primitives::{Encode, PartyId, ShardIndex, limits};
use proofs::{
    bundle::{Bundle, BundleError},
    epoch::EpochContext,
    sharing::Accepted,
    tally::Count,
    testing::{TestSubscriber, challenges, event},
    wire::WirePoint,
};
use std::{convert::Infallible, sync::Arc};

fn published(mesh: &Mesh) -> Vec<Batch> {
    let of = |event: &Event| match event {
        Event::Batch { shard, position, bundles, published } => {
            let ids: Vec<_> = published.iter().map(|bundle| bundle.id()).collect();
            assert_eq!(ids, *bundles, "in the order of the batch");
            let statements = published.iter().map(|bundle| bundle.to_bytes()).collect();
            Some(Batch { shard: *shard, position: *position, statements })
        }
        _ => None,
    };
    let mut batches: Vec<_> = mesh.events.iter().filter_map(of).collect();
    batches.sort_by_key(|batch| (batch.shard, batch.position));
    batches
}

/// The record, which the light client accepts, and what an audit says.
fn audited(mesh: &Mesh, opened: &OpenedEpoch) -> Result<Verdict, AuditError<Infallible>> {
    let record = mesh.node.lock().unwrap().record(world::EPOCH).unwrap();
    light::verify(&record, None).unwrap();
    let signers = SignerKeys::from(&opened.shards[0].keys);
    audit(&record, &signers, None, published(mesh).into_iter().map(Ok), |_| {})
}

#[test]
fn what_the_leaders_publish_passes_an_audit() {
    let (mut mesh, opened) = Mesh::opened_over(world::world_in_shards(10, 4));
    for seed in 1..4 {
        let mut subscriber = TestSubscriber::new(seed);
        for context in opened.shards.iter() {
            mesh.submit(&subscriber.bundle(context, vec![event(1, 0, seed == 2)]).to_bytes());
        }
    }
    mesh.close();
    mesh.assert_done();
    let verdict = audited(&mesh, &opened).expect("honest bundles");
    assert_eq!((verdict.light.bundles, verdict.subscribers), (3 * opened.shards.len() as u64, 3));
    assert_eq!((verdict.receipts, verdict.gaps), (opened.shards.len() as u64, Vec::new()));
}

/// What a verifier would keep of a bundle, had it looked at nothing but form.
fn unverified(context: &EpochContext, bundle: &Bundle) -> Accepted {
    let read = |point: &WirePoint| point.decompress().unwrap();
    let (vector, masks) = (read(&bundle.vector), bundle.masks.each_ref().map(read));
    let spent = (read(&bundle.previous) + read(&bundle.proof.value)).into();
    Accepted { challenge: challenges(context, bundle).2, vector, masks, spent }
}

/// All three parties take a bundle in whose proof nobody checked. Its shares open, so that every step goes on: batches are
/// signed, totals are opened and proved, and the light client accepts what they are paid for.
#[test]
fn three_parties_that_skip_a_proof_are_found_out() {
    let (mut mesh, opened) = Mesh::opened();
    mesh.submit_honest(&opened, 2);
    let context = &opened.shards[0];
    let votes = TestSubscriber::new(50).lying_bundle(context, vec![event(4, 0, false)], |witness| {
        let votes = Count { listeners: 1, backed: 0, views: 64, value: 64 << limits::EVENT_VALUE_BITS };
        let mut vector = vec![Scalar::ZERO; context.shard.width()];
        vector[4] = votes.to_scalar();
        witness.vector = Some(vector);
    });
    let (id, accepted) = (votes.id(), unverified(context, &votes));
    for party in PartyId::ALL {
        let said = Message::Verified(id, Arc::new(votes.clone()), accepted);
        mesh.forge(Address::Verifier(party), Address::Party(party), said);
    }
    mesh.submit(&TestSubscriber::new(51).bundle(context, vec![event(4, 0, false)]).to_bytes());
    mesh.close();
    mesh.assert_done();
    let Err(AuditError::Refused { findings }) = audited(&mesh, &opened) else { panic!("nothing is found") };
    let at = At { shard: ShardIndex(0), position: 1, place: 0 };
    assert_eq!(findings, [Finding::Bundle { at, id, error: BundleError::Amount }]);
}
