//! Evidence against a party that anybody can check (protocol notes, section 5): two signatures for one position and view,
//! a root without an anchored batch, or signatures under two final bundles that use the same (`double.rs`).
//!
//! No honest party can be named. It signs one header for a position and view, and has that on disk before the signature
//! leaves ([`super::voting`]). It signs a root once, of the headers that the chain had anchored by then and of all below the
//! last one that it signed, and signs no header afterwards. That a root is *shorter* than what the chain has anchored since is therefore no evidence by itself.

mod double;

pub(in crate::party) use double::shown;
pub use double::{Counted, DoubleUse};

use primitives::{CodecError, Decode, Digest, Encode, PartyId, Reader, ShardIndex, Writer, codec_struct};
use proofs::{
    committee::{Committee, CommitteeError},
    inclusion::InclusionError,
    tally::{BatchHeader, EpochRoot, SignedHeader},
};
use std::sync::Arc;
use thiserror::Error;

/// A header with the signature of the party that the evidence is against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The header.
    pub header: BatchHeader,
    /// The party's signature.
    pub signature: [u8; 64],
}

codec_struct!(Signed { header, signature });

/// Two headers of one position and view, signed by one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivocation {
    /// Whom it is against.
    pub party: PartyId,
    /// One of them.
    pub first: Signed,
    /// The other.
    pub second: Signed,
}

codec_struct!(Equivocation { party, first, second });

/// A root that leaves out an anchored batch, signed by a party that knew of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omission {
    /// Whom it is against.
    pub party: PartyId,
    /// The root.
    pub root: EpochRoot,
    /// The party's signature on it.
    pub signature: [u8; 64],
    /// A header beyond the root's last one that the party signed too: it had seen all before it anchored. Without it,
    /// the root's last header is another one than the chain has anchored at that position.
    pub later: Option<Signed>,
}

codec_struct!(Omission { party, root, signature, later });

/// Evidence of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Two signatures for one position and view.
    Equivocation(Equivocation),
    /// An anchored batch that is missing from a root.
    Omission(Omission),
    /// Two final bundles that use the same.
    DoubleUse(Box<DoubleUse>),
}

/// Why something is no evidence.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// A signature is not the party's.
    #[error(transparent)]
    Signature(#[from] CommitteeError),
    /// The two headers are the same.
    #[error("the two headers are one")]
    SameHeader,
    /// The two statements are not of the same chain, epoch and shard, or not of the same position and view.
    #[error("the two statements do not speak of the same place")]
    OtherPlace,
    /// The root holds all that it is said to leave out.
    #[error("the root leaves out nothing that the party had seen anchored")]
    NothingMissing,
    /// Whoever checks does not know that the chain has anchored the header of this position.
    #[error("nothing of it is known to be anchored at position {position}")]
    NotAnchored {
        /// The position.
        position: u64,
    },
    /// A bundle is not in the batch.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
    /// What is published is of another bundle.
    #[error("what is published is of another bundle than the one in the batch")]
    OtherBundle,
    /// The two bundles are one, at one place.
    #[error("the two bundles are one, at one place")]
    SamePlace,
    /// The two bundles use nothing in common.
    #[error("the two bundles use nothing in common")]
    NothingShared,
}

impl Equivocation {
    /// Checks it with the committee's keys alone.
    pub fn verify(&self, committee: &Committee) -> Result<(), EvidenceError> {
        let place = |h: &BatchHeader| (h.chain, h.epoch, h.shard, h.position, h.view);
        let (first, second) = (&self.first.header, &self.second.header);
        if place(first) != place(second) {
            return Err(EvidenceError::OtherPlace);
        }
        if first == second {
            return Err(EvidenceError::SameHeader);
        }
        for signed in [&self.first, &self.second] {
            committee.verify(self.party, &signed.header.signing_digest(), &signed.signature)?;
        }
        Ok(())
    }
}

impl Omission {
    /// What convicts a party that signed a root, if anything does, among the headers that the chain has anchored.
    pub fn find(
        committee: &Committee,
        (party, root, signature): (PartyId, &EpochRoot, &[u8; 64]),
        anchored: &[Arc<SignedHeader>],
    ) -> Option<Self> {
        let place = |h: &BatchHeader| (h.chain, h.epoch, h.shard) == (root.chain, root.epoch, root.shard);
        let of_shard = || anchored.iter().filter(|signed| place(&signed.header));
        let by_it = |signed: &Arc<SignedHeader>| {
            let (_, signature) = signed.signatures.iter().find(|(signer, _)| *signer == party)?;
            Some(Signed { header: signed.header.clone(), signature: *signature })
        };
        let digest = |position| {
            let at = |signed: &&Arc<SignedHeader>| signed.header.position == position;
            of_shard().find(at).map(|signed| signed.header.digest())
        };
        let last = of_shard().filter_map(by_it).max_by_key(|signed| signed.header.position);
        let found = |later| Self { party, root: root.clone(), signature: *signature, later };
        [None, last].map(found).into_iter().find(|found| found.verify(committee, digest).is_ok())
    }

    /// Checks it with the committee's keys, and, where the root names another last header than the chain, with the
    /// digest of what `anchored` says that the chain has at a position of the root's shard.
    pub fn verify(
        &self,
        committee: &Committee,
        anchored: impl Fn(u64) -> Option<Digest>,
    ) -> Result<(), EvidenceError> {
        let root = &self.root;
        committee.verify(self.party, &root.digest(), &self.signature)?;
        let missing = match &self.later {
            Some(Signed { header, signature }) => {
                if (header.chain, header.epoch, header.shard) != (root.chain, root.epoch, root.shard) {
                    return Err(EvidenceError::OtherPlace);
                }
                committee.verify(self.party, &header.signing_digest(), signature)?;
                // Whoever signs at a position has seen one less anchored.
                header.position > root.batches
            }
            None => match root.batches.checked_sub(1) {
                Some(position) => {
                    let unknown = EvidenceError::NotAnchored { position };
                    anchored(position).ok_or(unknown)? != root.last
                }
                None => false,
            },
        };
        if missing { Ok(()) } else { Err(EvidenceError::NothingMissing) }
    }
}

impl Evidence {
    /// Whom it is against.
    pub fn party(&self) -> PartyId {
        match self {
            Self::Equivocation(found) => found.party,
            Self::Omission(found) => found.party,
            Self::DoubleUse(found) => found.party,
        }
    }

    /// Checks it: see [`Equivocation::verify`], [`Omission::verify`] and [`DoubleUse::verify`]. `anchored` gives the digest
    /// of the header that the chain has at a position of a shard, in the epoch that the evidence speaks of.
    pub fn verify(
        &self,
        committee: &Committee,
        anchored: impl Fn(ShardIndex, u64) -> Option<Digest>,
    ) -> Result<(), EvidenceError> {
        match self {
            Self::Equivocation(found) => found.verify(committee),
            Self::Omission(found) => found.verify(committee, |position| anchored(found.root.shard, position)),
            Self::DoubleUse(found) => found.verify(committee, anchored),
        }
    }
}

impl Encode for Evidence {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Equivocation(found) => {
                w.raw(&[0]);
                found.encode(w);
            }
            Self::Omission(found) => {
                w.raw(&[1]);
                found.encode(w);
            }
            Self::DoubleUse(found) => {
                w.raw(&[2]);
                found.encode(w);
            }
        }
    }
}

impl Decode for Evidence {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match u8::decode(r)? {
            0 => Ok(Self::Equivocation(Decode::decode(r)?)),
            1 => Ok(Self::Omission(Decode::decode(r)?)),
            2 => Ok(Self::DoubleUse(Box::new(Decode::decode(r)?))),
            _ => Err(CodecError::Invalid { what: "evidence" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::{ChainId, EpochId, ShardIndex};
    use proofs::testing::{TestCommittee, committee};

    const TWO: PartyId = PartyId::ALL[1];

    fn header(position: u64, view: u32, root: u8) -> BatchHeader {
        BatchHeader {
            chain: ChainId(5),
            epoch: EpochId(1),
            shard: ShardIndex(0),
            view,
            position,
            previous: Digest::default(),
            batch_root: Digest([root; 32]),
            count: 1,
            running: Default::default(),
        }
    }

    fn signed(keys: &TestCommittee, by: PartyId, header: BatchHeader) -> Signed {
        let signature = keys.signers[by.index()].sign(&header.signing_digest());
        Signed { header, signature }
    }

    fn root(batches: u64, last: Digest) -> EpochRoot {
        EpochRoot { chain: ChainId(5), epoch: EpochId(1), shard: ShardIndex(0), batches, last }
    }

    #[test]
    fn two_headers_for_one_turn_convict_and_nothing_less_does() {
        let keys = committee(11);
        let sign = |header| signed(&keys, TWO, header);
        let found = |first, second| Equivocation { party: TWO, first, second };
        let guilty = found(sign(header(0, 0, 1)), sign(header(0, 0, 2)));
        assert_eq!(guilty.verify(&keys.public), Ok(()));
        let evidence = Evidence::Equivocation(guilty.clone());
        assert_eq!(Evidence::from_bytes(&evidence.to_bytes()), Ok(evidence.clone()));
        assert_eq!((evidence.party(), evidence.verify(&keys.public, |_, _| None)), (TWO, Ok(())));

        let same = found(sign(header(0, 0, 1)), sign(header(0, 0, 1)));
        assert_eq!(same.verify(&keys.public), Err(EvidenceError::SameHeader));
        for other in [header(0, 1, 2), header(1, 0, 2), BatchHeader { epoch: EpochId(2), ..header(0, 0, 2) }]
        {
            let elsewhere = found(sign(header(0, 0, 1)), sign(other));
            assert_eq!(elsewhere.verify(&keys.public), Err(EvidenceError::OtherPlace));
        }
        let framed = Equivocation { party: PartyId::ALL[0], ..guilty };
        assert!(matches!(framed.verify(&keys.public), Err(EvidenceError::Signature(_))));
    }

    #[test]
    fn a_root_without_an_anchored_batch_convicts_who_knew_of_it() {
        let keys = committee(11);
        let chain = [header(0, 0, 1).digest(), header(1, 0, 2).digest()];
        let anchored = |position: u64| chain.get(position as usize).copied();
        let found = |root: EpochRoot, later| {
            let signature = keys.signers[TWO.index()].sign(&root.digest());
            Omission { party: TWO, root, signature, later }
        };
        // Another header than the chain's.
        let wrong = found(root(2, chain[0]), None);
        assert_eq!(wrong.verify(&keys.public, anchored), Ok(()));
        assert_eq!(wrong.verify(&keys.public, |_| None), Err(EvidenceError::NotAnchored { position: 1 }));
        // A root that is short, by a party that went on signing behind it.
        let short = |later| found(root(1, chain[0]), later);
        let behind = short(Some(signed(&keys, TWO, header(2, 0, 3))));
        assert_eq!(behind.verify(&keys.public, |_| None), Ok(()));
        let evidence = Evidence::Omission(behind);
        assert_eq!(Evidence::from_bytes(&evidence.to_bytes()), Ok(evidence));
        // What an honest party may have signed: the next header, before it froze, which the chain anchored later.
        let honest = short(Some(signed(&keys, TWO, header(1, 0, 2))));
        assert_eq!(honest.verify(&keys.public, anchored), Err(EvidenceError::NothingMissing));
        assert_eq!(short(None).verify(&keys.public, anchored), Err(EvidenceError::NothingMissing));
        assert_eq!(
            found(root(0, Digest::default()), None).verify(&keys.public, anchored),
            Err(EvidenceError::NothingMissing)
        );
        let by_another = short(Some(signed(&keys, PartyId::ALL[0], header(2, 0, 3))));
        assert!(matches!(by_another.verify(&keys.public, anchored), Err(EvidenceError::Signature(_))));
    }
}
