//! Nodes, and what they can contribute.

use super::{MAX_MANIFESTS, MAX_NODES_PER_OPERATOR};
use crate::poseidon::Felt;
use crate::state::{
    Fields, Key, Leaf, Part, TableId, ToFelts,
    fields::{number_enum, record},
    key_part, leaf,
};
use primitives::{
    CodecError, Credits, Decode, Digest, Domain, Encode, EpochId, PersonId, Reader, Region, Writer,
    codec_struct, hash, hex_id,
};
use serde::{Deserialize, Serialize};

hex_id!(
    /// A node of the network: hash of its operator and the name that the operator gave it.
    NodeId
);

impl ToFelts for NodeId {
    fn felts(&self, out: &mut Fields) {
        self.0.felts(out);
    }
}

key_part!(Identifier: NodeId);

/// Identifier of an operator's node.
pub fn node_id(operator: &PersonId, name: &Digest) -> NodeId {
    NodeId(hash::hash(Domain::Node, &[&operator.0, &name.0]).0)
}

number_enum! {
    /// What is rewarded (chain spec 3.8, "define contribution metrics").
    Contribution("contribution") {
        /// Content kept.
        Storage = 0,
        /// Content served.
        Bandwidth = 1,
        /// Jobs done.
        Compute = 2,
        /// Being there, as others saw it.
        Uptime = 3,
        /// Running an aggregator party.
        Aggregation = 4,
        /// Ordering transactions.
        Sequencing = 5,
        /// Proving blocks.
        Proving = 6,
        /// Moderation, juries.
        Curation = 7,
    }
}

impl Contribution {
    /// Every kind, in order.
    pub const ALL: [Self; 8] = [
        Self::Storage,
        Self::Bandwidth,
        Self::Compute,
        Self::Uptime,
        Self::Aggregation,
        Self::Sequencing,
        Self::Proving,
        Self::Curation,
    ];

    /// What a node says of itself, and is audited for.
    pub const AUDITED: [Self; 3] = [Self::Storage, Self::Bandwidth, Self::Compute];
}

/// What a node offers: a set of services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Services(u8);

impl Services {
    /// Keeps content.
    pub const STORAGE: Self = Self(1);
    /// Serves content.
    pub const BANDWIDTH: Self = Self(1 << 1);
    /// Runs microservices.
    pub const COMPUTE: Self = Self(1 << 2);

    const KNOWN: u8 = (1 << 3) - 1;

    /// These services and others.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a node that offers these can contribute so. What needs no service any node can.
    pub const fn offer(self, kind: Contribution) -> bool {
        let needed = match kind {
            Contribution::Storage => Self::STORAGE,
            Contribution::Bandwidth => Self::BANDWIDTH,
            Contribution::Compute => Self::COMPUTE,
            _ => Self(0),
        };
        self.0 & needed.0 == needed.0
    }
}

impl Encode for Services {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w);
    }
}

impl Decode for Services {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let bits = u8::decode(r)?;
        if bits & !Self::KNOWN == 0 {
            Ok(Self(bits))
        } else {
            Err(CodecError::Invalid { what: "set of services" })
        }
    }
}

impl ToFelts for Services {
    fn felts(&self, out: &mut Fields) {
        out.push(&self.0);
    }
}

/// A node on record (chain spec 5, "registered node descriptors").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Identifier, [`node_id`] of operator and name.
    pub id: NodeId,
    /// Who runs it, and is paid for it.
    pub operator: PersonId,
    /// Where it serves. Vouchers for it are signed by this region.
    pub region: Region,
    /// What it offers.
    pub services: Services,
    /// Hash of the document that says where it is reached.
    pub descriptor: Digest,
    /// Manifests of the services that it runs, ascending.
    pub manifests: Vec<Digest>,
    /// What is left of its bond.
    pub bond: Credits,
    /// First epoch in which it takes part.
    pub from: EpochId,
    /// Last epoch in which it takes part, if it is to leave.
    pub until: Option<EpochId>,
    /// Whether its bond was given back.
    pub returned: bool,
}

impl Encode for Node {
    fn encode(&self, w: &mut Writer) {
        self.id.encode(w);
        self.operator.encode(w);
        self.region.encode(w);
        self.services.encode(w);
        self.descriptor.encode(w);
        w.seq(&self.manifests);
        self.bond.encode(w);
        self.from.encode(w);
        self.until.encode(w);
        self.returned.encode(w);
    }
}

impl Decode for Node {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            id: Decode::decode(r)?,
            operator: Decode::decode(r)?,
            region: Decode::decode(r)?,
            services: Decode::decode(r)?,
            descriptor: Decode::decode(r)?,
            manifests: r.seq(MAX_MANIFESTS)?,
            bond: Decode::decode(r)?,
            from: Decode::decode(r)?,
            until: Decode::decode(r)?,
            returned: Decode::decode(r)?,
        })
    }
}

impl Node {
    /// Whether it takes part in an epoch.
    pub fn takes_part(&self, epoch: EpochId) -> bool {
        self.from <= epoch && self.until.is_none_or(|until| epoch <= until)
    }
}

impl Leaf for Node {
    type Key = NodeId;
    const TABLE: TableId = TableId::Node;
    fn key(&self) -> NodeId {
        self.id
    }
    fn value(&self) -> Vec<Felt> {
        let mut out = Fields::default();
        out.push(&self.id).push(&self.operator).push(&self.region).push(&self.services);
        out.push(&self.descriptor).push(&self.manifests).push(&self.bond);
        out.push(&self.from).push(&self.until).push(&self.returned);
        out.into_vec()
    }
}

/// The nodes of an operator whose bonds are still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Who.
    pub operator: PersonId,
    /// Its nodes, in the order of registration.
    pub nodes: Vec<NodeId>,
}

impl Encode for Operator {
    fn encode(&self, w: &mut Writer) {
        self.operator.encode(w);
        w.seq(&self.nodes);
    }
}

impl Decode for Operator {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { operator: Decode::decode(r)?, nodes: r.seq(MAX_NODES_PER_OPERATOR)? })
    }
}

impl Leaf for Operator {
    type Key = PersonId;
    const TABLE: TableId = TableId::Operator;
    fn key(&self) -> PersonId {
        self.operator
    }
    fn value(&self) -> Vec<Felt> {
        let mut out = Fields::default();
        out.push(&self.operator).push(&self.nodes);
        out.into_vec()
    }
}

/// Who is owed a reward: a node, whose operator is paid, or a person for what no node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payee {
    /// A node.
    Node(NodeId),
    /// A person.
    Person(PersonId),
}

crate::state::fields::codec_enum!(Payee("payee") {
    0 => Node,
    1 => Person,
});

impl ToFelts for Payee {
    fn felts(&self, out: &mut Fields) {
        match self {
            Self::Node(node) => out.push(&0u8).push(node),
            Self::Person(person) => out.push(&1u8).push(person),
        };
    }
}

/// Zero or one, and then whose.
impl Key for Payee {
    fn parts(out: &mut Vec<Part>) {
        out.extend([Part::Number, Part::Identifier]);
    }
}

/// Curation tasks of a person in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Epoch.
    pub epoch: EpochId,
    /// Who.
    pub person: PersonId,
    /// Units done so far.
    pub units: u64,
}

record!(Task { epoch, person, units });

leaf!(Task by epoch: EpochId, person: PersonId);

/// A claim that was paid: nothing is paid twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewardNullifier {
    /// Epoch.
    pub epoch: EpochId,
    /// Who was paid.
    pub payee: Payee,
}

codec_struct!(RewardNullifier { epoch, payee });

impl Leaf for RewardNullifier {
    type Key = (EpochId, Payee);
    const TABLE: TableId = TableId::RewardNullifier;
    fn key(&self) -> Self::Key {
        (self.epoch, self.payee)
    }
    fn value(&self) -> Vec<Felt> {
        vec![Felt::from(1u64)]
    }
}
