//! A ledger as bytes and back: for a node that need not repeat its whole log, and for another chain that goes on from
//! this one (chain spec 8: "bridge state and assets from the rollup to the appchain", "preserve governance and
//! eco-reserve commitments").

use super::{Continued, EpochProof, Genesis, Ledger};
use crate::{
    merkle::MerklePath,
    modules::{treasury::TreasuryError, usage::anchor_chain},
    poseidon::wire,
    snapshot::{self, FormatError},
    state::{State, tree::Inclusion},
};
use primitives::{ChainId, CodecError, Decode, Digest, Encode, EpochId, Reader, Time, Writer};
use std::collections::BTreeMap;
use thiserror::Error;

/// Most settled epochs whose proofs stand in a snapshot: weekly ones of two thousand years.
const MAX_PROOFS: usize = 1 << 17;

/// Why bytes are no snapshot of a ledger, or of none that could be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file is damaged, or of another kind.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The contents do not decode.
    #[error("the snapshot does not decode: {0}")]
    Codec(#[from] CodecError),
    /// The records do not have the root that stands with them.
    #[error("the records of the snapshot have another root than it says")]
    Root,
    /// Anchored headers are not those of their hash chain.
    #[error("the snapshot's headers of epoch {epoch} are not those that were anchored")]
    Anchors {
        /// The epoch.
        epoch: EpochId,
    },
    /// Credits are not conserved.
    #[error(transparent)]
    Conservation(#[from] TreasuryError),
}

/// Why a chain cannot go on from another.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A transaction of the other chain could be repeated on one of the same number.
    #[error("chain {chain} cannot go on under its own number")]
    SameChain {
        /// The number.
        chain: ChainId,
    },
    /// The parties' signatures of an open epoch are bound to the old chain.
    #[error("epoch {epoch} is open: settle or abandon it first")]
    EpochOpen {
        /// The epoch.
        epoch: EpochId,
    },
    /// Transactions wait for their block.
    #[error("{count} transactions are in no block yet: end it first")]
    Pending {
        /// How many.
        count: usize,
    },
    /// The snapshot is not of the chain that the genesis goes on from.
    #[error("the snapshot is not the state that the genesis goes on from")]
    OtherState,
    /// The genesis goes on from no chain.
    #[error("the genesis goes on from no other chain")]
    NothingToContinue,
}

impl Encode for EpochProof {
    fn encode(&self, w: &mut Writer) {
        wire::put(w, &self.state_root);
        self.height.encode(w);
        self.inclusion.encode(w);
        self.table.encode(w);
    }
}

impl Decode for EpochProof {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let (state_root, height) = (wire::take(r)?, Decode::decode(r)?);
        Ok(Self { state_root, height, inclusion: Inclusion::decode(r)?, table: MerklePath::decode(r)? })
    }
}

impl Ledger {
    /// The ledger after its last block, as bytes. Transactions that are in no block yet are not in it: `None` then.
    pub fn snapshot(&self) -> Option<Vec<u8>> {
        if !self.pending.is_empty() {
            return None;
        }
        let mut w = Writer::default();
        self.genesis.encode(&mut w);
        self.height.encode(&mut w);
        self.head.encode(&mut w);
        self.now.encode(&mut w);
        self.state.export(&mut w);
        w.map(&self.proofs, |proof, w| proof.encode(w));
        wire::put(&mut w, &self.state.clone().root());
        Some(snapshot::seal(&w.finish()))
    }

    /// Reads a snapshot. Everything that the state root binds is checked against the root that stands in it; whether that
    /// is the right root is for the caller to know.
    pub fn restore(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut r = Reader::new(snapshot::open(bytes)?);
        let genesis = Genesis::decode(&mut r)?;
        let (height, head, now) = (u64::decode(&mut r)?, Digest::decode(&mut r)?, Time::decode(&mut r)?);
        let mut state = State::import(&mut r)?;
        let proofs: BTreeMap<EpochId, EpochProof> = r.map(MAX_PROOFS, "proofs of epochs", Decode::decode)?;
        let root = wire::take(&mut r)?;
        r.finish()?;
        if state.root() != root {
            return Err(SnapshotError::Root);
        }
        check_behind_digests(&state)?;
        state.check_conservation()?;
        let (pending, pending_bytes) = (Vec::new(), 0);
        Ok(Self { genesis, state, height, head, now, pending, pending_bytes, proofs })
    }

    /// The genesis of another chain that goes on from here, with the same state and so with the same root.
    pub fn continuation(&self, chain: ChainId) -> Result<Genesis, MigrationError> {
        if chain == self.genesis.chain {
            return Err(MigrationError::SameChain { chain });
        }
        if !self.pending.is_empty() {
            return Err(MigrationError::Pending { count: self.pending.len() });
        }
        if let Some(open) = self.state.epochs.iter().rev().take(2).find(|epoch| !epoch.is_over()) {
            return Err(MigrationError::EpochOpen { epoch: open.epoch });
        }
        let root = self.state.clone().root();
        let from = Continued { chain: self.genesis.chain, height: self.height, head: self.head, root };
        Ok(Genesis { chain, time: self.now, continues: Some(from), ..self.genesis.clone() })
    }

    /// A chain at its genesis that goes on from `before`, another chain at its end.
    pub fn continued(genesis: Genesis, before: &Self) -> Result<Self, MigrationError> {
        let from = genesis.continues.ok_or(MigrationError::NothingToContinue)?;
        if before.continuation(genesis.chain)? != genesis {
            return Err(MigrationError::OtherState);
        }
        let head = genesis.parent(&from.root);
        Ok(Self { genesis, height: 0, head, ..before.clone() })
    }
}

/// Some leaves bind a digest of what their record holds and not the record itself. What is behind it is checked here.
fn check_behind_digests(state: &State) -> Result<(), SnapshotError> {
    for anchors in state.anchors.iter() {
        let epoch = anchors.epoch;
        let chain =
            anchors.headers.iter().fold(Digest::default(), |chain, header| anchor_chain(&chain, header));
        let progress = state.epochs.get(&epoch).and_then(|record| record.shard(anchors.shard));
        let bundles = anchors.headers.iter().map(|signed| u64::from(signed.header.count)).sum::<u64>();
        let agrees = progress.is_some_and(|progress| {
            (progress.batches, progress.bundles) == (anchors.headers.len() as u64, bundles)
                && progress.anchors == chain
        });
        if chain != anchors.chain || !agrees {
            return Err(SnapshotError::Anchors { epoch });
        }
    }
    Ok(())
}
