//! What nodes may be paid for: content of works, and services. Both are on record by the hash of their manifest before
//! anybody commits to them, so that no node is paid for data or jobs of its own invention.

use super::{NodeError, PublishVoucherKeys, RegisterContent};
use crate::{
    ledger::Context,
    modules::{
        identity::{Roles, acts_as},
        usage::undrawn,
        work_registry::Work,
    },
    poseidon::Felt,
    state::{
        Draft, Leaf, TableId, ToFelts,
        fields::{Bytes, record},
        leaf,
    },
};
use primitives::{
    CodecError, Decode, Digest, Encode, EpochId, PersonId, Reader, Region, WorkId, Writer, limits,
};
use proofs::blind::BlindKey;
use std::collections::BTreeSet;

/// Bytes of a chunk. Small enough that an answer of 128 chunks is short, large enough that their hashes are an eighth of
/// the content.
pub const CHUNK_BYTES: usize = 256;
/// Most chunks of one work's content, 16 GiB: a film in the best quality. It bounds what a creator can swell a work by.
pub const MAX_CHUNKS: u32 = 1 << 26;

/// Content of a work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The work. It has one content, which never changes.
    pub work: WorkId,
    /// Hash of the manifest.
    pub manifest: Digest,
    /// Merkle root over the chunks.
    pub root: Digest,
    /// Number of chunks.
    pub chunks: u32,
    /// First epoch in which keeping it counts.
    pub from: EpochId,
}

record!(Content { work, manifest, root, chunks, from });

leaf!(Content by work: WorkId);

/// A service that governance approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Hash of the manifest.
    pub manifest: Digest,
    /// Most units of one job.
    pub most: u64,
    /// First epoch in which its jobs count.
    pub from: EpochId,
    /// Last one, if governance withdrew it.
    pub until: Option<EpochId>,
}

record!(Service { manifest, most, from, until });

impl Service {
    /// Whether its jobs count in an epoch.
    pub fn counts(&self, epoch: EpochId) -> bool {
        self.from <= epoch && self.until.is_none_or(|until| epoch <= until)
    }
}

leaf!(Service by manifest: Digest);

/// Key under which a region signs vouchers in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoucherKey {
    /// Epoch.
    pub epoch: EpochId,
    /// Region.
    pub region: Region,
    /// DER encoding.
    pub key: Vec<u8>,
}

impl Encode for VoucherKey {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        self.region.encode(w);
        w.bytes(&self.key);
    }
}

impl Decode for VoucherKey {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (epoch, region) = (Decode::decode(r)?, Decode::decode(r)?);
        Ok(Self { epoch, region, key: r.bytes(limits::RSA_KEY_BYTES)?.to_vec() })
    }
}

impl Leaf for VoucherKey {
    type Key = (EpochId, Region);
    const TABLE: TableId = TableId::VoucherKey;
    fn key(&self) -> Self::Key {
        (self.epoch, self.region)
    }
    fn value(&self) -> Vec<Felt> {
        Bytes(&self.key).to_felts()
    }
}

/// Runs [`RegisterContent`].
pub(crate) fn register_content(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &RegisterContent,
) -> Result<(), NodeError> {
    let RegisterContent { work, manifest, root, chunks } = *action;
    let creator = draft.get::<Work>(&work).ok_or(NodeError::UnknownWork { work })?.creator;
    if creator != signer || !acts_as(draft, signer, Roles::CREATOR) {
        return Err(NodeError::NotCreator { work, signer });
    }
    // One content a work, once: else a work that is popular could have any amount of chunks, and what a node committed
    // to could be exchanged under it.
    if draft.has::<Content>(&work) {
        return Err(NodeError::ContentRegistered { work });
    }
    if !(1..=MAX_CHUNKS).contains(&chunks) {
        return Err(NodeError::Chunks { chunks, limit: MAX_CHUNKS });
    }
    draft.put(Content { work, manifest, root, chunks, from: undrawn(draft, at) });
    Ok(())
}

/// Refuses a service that governance could not approve.
pub(crate) fn check_service(draft: &Draft<'_>, manifest: Digest, most: u64) -> Result<(), NodeError> {
    if draft.has::<Service>(&manifest) {
        return Err(NodeError::ServiceRegistered { manifest });
    }
    if most == 0 { Err(NodeError::NothingToDo) } else { Ok(()) }
}

/// A service that governance can withdraw.
pub(crate) fn standing_service(draft: &Draft<'_>, manifest: Digest) -> Result<Service, NodeError> {
    let service = draft.get::<Service>(&manifest).filter(|service| service.until.is_none()).cloned();
    service.ok_or(NodeError::UnknownService { manifest })
}

/// Governance approves a service: the hash of its manifest, and most units of one job.
pub(crate) fn approve_service(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    manifest: Digest,
    most: u64,
) -> Result<(), NodeError> {
    check_service(draft, manifest, most)?;
    draft.put(Service { manifest, most, from: undrawn(draft, at), until: None });
    Ok(())
}

/// Governance withdraws a service: its jobs count for the last time in the epoch that is running.
pub(crate) fn withdraw_service(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    manifest: Digest,
) -> Result<(), NodeError> {
    let service = standing_service(draft, manifest)?;
    let until = Some(EpochId(undrawn(draft, at).0.saturating_sub(1)));
    draft.put(Service { until, ..service });
    Ok(())
}

/// Runs [`PublishVoucherKeys`].
///
/// Vouchers have keys of their own. Under those of bundles' receipts a client who is owed one signature for itself and
/// one for a node could turn both into receipts for itself: a blind signer does not see what it signs.
pub(crate) fn publish_voucher_keys(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &PublishVoucherKeys,
) -> Result<(), NodeError> {
    if !acts_as(draft, signer, Roles::STEWARD) {
        return Err(NodeError::NotSteward { signer });
    }
    let (epoch, expected) = (action.epoch, draft.base().next_epoch(at.genesis));
    if epoch != expected {
        return Err(NodeError::NotNextEpoch { expected, found: epoch });
    }
    if let Some(pair) = action.keys.windows(2).find(|pair| pair[0].region >= pair[1].region) {
        return Err(NodeError::RegionOrder { region: pair[1].region });
    }
    let state = draft.base();
    let mut taken: BTreeSet<&Vec<u8>> = state.issuer_keys.iter().map(|on_record| &on_record.key).collect();
    taken.extend(state.region_keys.iter().map(|on_record| &on_record.key));
    taken.extend(state.voucher_keys.iter().map(|on_record| &on_record.key));
    for signer in &action.keys {
        let region = signer.region;
        BlindKey::from_der(&signer.key).map_err(|error| NodeError::VoucherKey { region, error })?;
        if draft.has::<VoucherKey>(&(epoch, region)) {
            return Err(NodeError::VoucherKeyPublished { epoch, region });
        }
        if !taken.insert(&signer.key) {
            return Err(NodeError::KeyReused { region });
        }
    }
    for signer in &action.keys {
        draft.put(VoucherKey { epoch, region: signer.region, key: signer.key.clone() });
    }
    Ok(())
}
