//! A party that keeps to no rule: it has its keys, and proposes and anchors what it likes.

use super::mesh::{Mesh, sign};
use crate::message::{Address, Message, OpenedEpoch, PeerMessage};
use primitives::{Digest, PartyId, ShardIndex};
use proofs::{
    bundle::{Bundle, verify},
    committee::Signatures,
    inclusion::batch_root,
    sharing::share_commitments,
    tally::{BatchHeader, Running, SignedHeader},
};
use std::collections::BTreeMap;

/// A header for the first position of a shard over some bundles, with sums that are right.
pub(super) fn first_header(opened: &OpenedEpoch, view: u32, bundles: &[&Bundle]) -> BatchHeader {
    let shard = bundles[0].envelope.shard;
    let context = &opened.shards[shard.0 as usize];
    let mut running = Running::default();
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for bundle in bundles {
        let accepted = verify(context, bundle).expect("the proof holds");
        groups.entry(bundle.envelope.group()).or_default().push(accepted);
    }
    for (group, accepted) in groups {
        running.add(group, &share_commitments(&accepted.iter().collect::<Vec<_>>()));
    }
    BatchHeader {
        chain: context.chain,
        epoch: context.epoch,
        shard,
        view,
        position: 0,
        previous: Digest::default(),
        batch_root: batch_root(&ids(bundles)),
        count: bundles.len() as u32,
        running,
    }
}

pub(super) fn ids(bundles: &[&Bundle]) -> Vec<Digest> {
    bundles.iter().map(|bundle| bundle.id()).collect()
}

/// Shows a header of these bundles to a party, by its leader.
pub(super) fn propose(mesh: &mut Mesh<'_>, to: PartyId, header: &BatchHeader, bundles: &[&Bundle]) {
    let leader = header.leader();
    let message = PeerMessage::Propose(header.clone(), ids(bundles), sign(leader, header));
    mesh.inject_in(header.shard, (leader, to), message);
}

/// Brings a header to the chain, with the signatures of these parties.
pub(super) fn anchor(mesh: &mut Mesh<'_>, header: &BatchHeader, parties: &[PartyId]) {
    let mut signatures = Signatures::default();
    parties.iter().for_each(|party| signatures.insert(*party, sign(*party, header)));
    let signed = SignedHeader { header: header.clone(), signatures };
    mesh.forge(Address::Party(header.leader()), Address::Settlement, Message::Anchor(signed));
}

/// Digest of what the chain has anchored at a position of a shard.
pub(super) fn on_chain(mesh: &Mesh<'_>, shard: ShardIndex, position: u64) -> Option<Digest> {
    let node = mesh.node.lock().expect("nobody panics while holding the node");
    let mut headers = node.ledger().state().anchors_of(super::world::EPOCH, shard);
    headers.nth(position as usize).map(|signed| signed.header.digest())
}
