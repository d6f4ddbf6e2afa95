//! What operators, witnesses, creators and stewards do.

use super::{Claimed, Evidence, NodeId, Payee, Services};
use primitives::{
    BasisPoints, CodecError, Credits, Decode, Digest, Encode, EpochId, Reader, Region, WorkId, Writer,
    codec_struct, limits,
};

/// Most services of one node.
pub const MAX_MANIFESTS: usize = 64;

/// Puts a node of the signer on record, with a bond from the signer's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterNode {
    /// What the operator calls it.
    pub name: Digest,
    /// Where it serves.
    pub region: Region,
    /// What it offers.
    pub services: Services,
    /// Hash of the document that says where it is reached.
    pub descriptor: Digest,
    /// Manifests of the services that it runs, ascending.
    pub manifests: Vec<Digest>,
}

impl Encode for RegisterNode {
    fn encode(&self, w: &mut Writer) {
        self.name.encode(w);
        self.region.encode(w);
        self.services.encode(w);
        self.descriptor.encode(w);
        w.seq(&self.manifests);
    }
}

impl Decode for RegisterNode {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            name: Decode::decode(r)?,
            region: Decode::decode(r)?,
            services: Decode::decode(r)?,
            descriptor: Decode::decode(r)?,
            manifests: r.seq(MAX_MANIFESTS)?,
        })
    }
}

/// Announces that a node of the signer leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaveNode {
    /// The node.
    pub node: NodeId,
}

codec_struct!(LeaveNode { node });

/// Adds to the bond of a node of the signer, from the signer's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddBond {
    /// The node.
    pub node: NodeId,
    /// How much; more than nothing.
    pub amount: Credits,
}

codec_struct!(AddBond { node, amount });

/// Takes the bond of a node back that has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawBond {
    /// The node.
    pub node: NodeId,
}

codec_struct!(WithdrawBond { node });

/// Puts the content of a work of the signer on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterContent {
    /// The work.
    pub work: WorkId,
    /// Hash of the content's manifest.
    pub manifest: Digest,
    /// Merkle root over the chunks.
    pub root: Digest,
    /// Number of chunks.
    pub chunks: u32,
}

codec_struct!(RegisterContent { work, manifest, root, chunks });

/// Key under which a region signs vouchers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoucherSigner {
    /// Region.
    pub region: Region,
    /// DER encoding.
    pub key: Vec<u8>,
}

impl Encode for VoucherSigner {
    fn encode(&self, w: &mut Writer) {
        self.region.encode(w);
        w.bytes(&self.key);
    }
}

impl Decode for VoucherSigner {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { region: Decode::decode(r)?, key: r.bytes(limits::RSA_KEY_BYTES)?.to_vec() })
    }
}

/// Publishes the keys under which regions sign vouchers in the next epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishVoucherKeys {
    /// The next epoch.
    pub epoch: EpochId,
    /// Keys, by ascending region.
    pub keys: Vec<VoucherSigner>,
}

impl Encode for PublishVoucherKeys {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        w.seq(&self.keys);
    }
}

impl Decode for PublishVoucherKeys {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { epoch: Decode::decode(r)?, keys: r.seq(limits::REGIONS.into())? })
    }
}

/// Commits a node of the signer to what it did in the running epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMetrics {
    /// The node.
    pub node: NodeId,
    /// The epoch.
    pub epoch: EpochId,
    /// What it says of itself.
    pub claimed: Claimed,
}

codec_struct!(CommitMetrics { node, epoch, claimed });

/// Shows what the audit of an epoch asks a node of the signer for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerAudit {
    /// The node.
    pub node: NodeId,
    /// The epoch that is audited.
    pub epoch: EpochId,
    /// What is asked for, place by place.
    pub evidence: Evidence,
}

codec_struct!(AnswerAudit { node, epoch, evidence });

/// Says what a node of the signer saw of the nodes that it was drawn to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestUptime {
    /// The epoch.
    pub epoch: EpochId,
    /// The node that watched.
    pub witness: NodeId,
    /// Every node that it was drawn for, ascending, with the part of the epoch in which it was there.
    pub seen: Vec<(NodeId, BasisPoints)>,
}

impl Encode for AttestUptime {
    fn encode(&self, w: &mut Writer) {
        self.epoch.encode(w);
        self.witness.encode(w);
        w.seq(&self.seen);
    }
}

impl Decode for AttestUptime {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (epoch, witness) = (Decode::decode(r)?, Decode::decode(r)?);
        Ok(Self { epoch, witness, seen: r.seq(super::MAX_SEEN)? })
    }
}

/// Computes the rewards of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreNodes {
    /// The epoch.
    pub epoch: EpochId,
}

codec_struct!(ScoreNodes { epoch });

/// Pays a reward to whom it is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimReward {
    /// The epoch.
    pub epoch: EpochId,
    /// For what node or person.
    pub payee: Payee,
}

codec_struct!(ClaimReward { epoch, payee });
