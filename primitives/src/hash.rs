//! The one general hash, SHA-512/256, and every domain that it is used in.
//!
//! A domain-separated hash absorbs the domain's label, the number of parts, and each part with its length, so that
//! no two different calls absorb the same bytes. The pseudonym of spec 4.3 is the one exception: it is literally
//! `H(K_epoch || C)`. Its 64-byte input starts with a hash, every other input with a printable label, so the two
//! never meet.

use crate::hex_id;
use sha2::{Digest as _, Sha512, Sha512_256};

hex_id!(
    /// A 256-bit hash value.
    Digest
);

macro_rules! domains {
    ($($(#[$doc:meta])* $name:ident = $label:literal),* $(,)?) => {
        /// What a hash is for. The label carries the version of the whole protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Domain {
            $($(#[$doc])* $name,)*
        }
        impl Domain {
            /// Every domain.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The versioned label that is hashed first.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("cwe/v1/", $label),)*
                }
            }
        }
    };
}

domains! {
    /// Generators, from canonical names (protocol notes, section 1).
    Generator = "generator",
    /// Beacon key of an epoch, `K_epoch`.
    Beacon = "beacon",
    /// A party's commitment to its share of the beacon.
    BeaconCommitment = "beacon-commitment",
    /// Digest of an epoch's parameters.
    Params = "params",
    /// Digest of a registry shard.
    Shard = "shard",
    /// Order in which an epoch's works are dealt to its shards.
    Dealing = "dealing",
    /// What an epoch has of all its shards together.
    Shards = "shards",
    /// Digest of an epoch's public context.
    EpochContext = "epoch-context",
    /// Identifier of a bundle: the hash of what is published of it.
    Bundle = "bundle",
    /// Bytes that were handed in and are no bundle.
    Submission = "submission",
    /// Digest of a bundle's sealed shares.
    SealedShares = "sealed-shares",
    /// Weights of bundles that are verified without randomness.
    Weights = "weights",
    /// Context that the sealing of shares is bound to.
    Sealing = "sealing",
    /// Message under a subscription token.
    Token = "token",
    /// Message under a blind signer's own key, by which it shows that it has that key.
    KeyPossession = "key-possession",
    /// Message under a bandwidth receipt.
    Receipt = "receipt",
    /// A receipt's binding to its holder's key.
    ReceiptBinding = "receipt-binding",
    /// A spent receipt, as parties remember it.
    SpentReceipt = "spent-receipt",
    /// A bundle's place in its subscriber's chain of sums, as parties remember it.
    Branch = "branch",
    /// Leaf of a Merkle tree.
    MerkleLeaf = "merkle-leaf",
    /// Inner node of a Merkle tree.
    MerkleNode = "merkle-node",
    /// Root of the empty Merkle tree.
    MerkleEmpty = "merkle-empty",
    /// A batch header.
    Header = "header",
    /// What a party signs of a header.
    HeaderSignature = "header-signature",
    /// What seats a standby in the place of a party that is gone.
    Seat = "seat",
    /// Root of a shard in an epoch: its last header.
    EpochRoot = "epoch-root",
    /// Commitment to an announcement of the joint tally proof.
    TallyAnnouncement = "tally-announcement",
    /// Digest of one share's openings.
    TallyOpenings = "tally-openings",
    /// Nonces of the joint tally proof, hedged with the statement.
    TallyNonce = "tally-nonce",
    /// A stream of pseudorandom secret sharing.
    Prss = "prss",
    /// Coefficients of a check of shared numbers.
    CheckCoefficients = "check-coefficients",
    /// What a party signs when it has everything of a computation so far.
    Barrier = "barrier",
    /// Shares that a party carries over, on its disk.
    CarriedShares = "carried-shares",
    /// A small record of a party, on its disk.
    StoreRecord = "store-record",
    /// An accepted bundle, on a party's disk.
    StoredBundle = "stored-bundle",
    /// A file of a subscriber's client.
    ClientFile = "client-file",
    /// A usage log, as a subscriber's client remembers which one it read.
    UsageLog = "usage-log",
    /// A code that a subscriber or a serving node shows to an issuer.
    BearerCode = "bearer-code",
    /// A blinded request, as an issuer remembers it.
    BlindRequest = "blind-request",
    /// Record of the totals of an epoch.
    Totals = "totals",
    /// An identity's credential commitment.
    Credential = "credential",
    /// What the holder of a credential signs to have an account.
    CredentialHolder = "credential-holder",
    /// Personhood nullifiers, from an issuer's secret.
    Personhood = "personhood",
    /// Identity of a work: fingerprint and creator.
    Work = "work",
    /// Fingerprint of a file: all its bytes. It is exact, and no likeness of what they sound or look like.
    Fingerprint = "fingerprint",
    /// A work's manifest: what its creator says of it, off the chain.
    Manifest = "manifest",
    /// A text that governance is about: a proposal, a statement, a complaint.
    Document = "document",
    /// A transaction of the chain.
    Transaction = "transaction",
    /// Nonces of account signatures, hedged with key and message.
    SignatureNonce = "signature-nonce",
    /// A reserve attestation's document.
    Attestation = "attestation",
    /// A block of the chain.
    Block = "block",
    /// What a sequencer signs of a block.
    BlockSeal = "block-seal",
    /// What a sequencer signs when it gives a transaction its place.
    Confirmation = "confirmation",
    /// A record of the block log.
    LogRecord = "log-record",
    /// The genesis of a chain.
    Genesis = "genesis",
    /// Checksum of a snapshot of the ledger.
    Snapshot = "snapshot",
    /// Digest of the ledger's rules.
    Rules = "rules",
    /// Lots that break ties in an election.
    Election = "election",
    /// Lots that draw a jury.
    Jury = "jury",
    /// A quorum's signature over an epoch's aggregate.
    Aggregate = "aggregate",
    /// Seeds that a simulation derives from its one seed.
    Simulation = "simulation",
    /// Keys that follow from the secret of a party's host.
    HostSecret = "host-secret",
    /// Nonces of complaints, hedged with key and statement.
    ComplaintNonce = "complaint-nonce",
    /// A step of what is done on L1, by its name.
    Layer1Step = "layer1-step",
    /// A node of the network: its operator and a name.
    Node = "node",
    /// What a beacon is worth to audits: what parties revealed, and nothing that a maker of blocks chooses.
    AuditSeed = "audit-seed",
    /// A place that an audit asks for.
    AuditDraw = "audit-draw",
    /// Order in which nodes are paid for one work's content.
    Replica = "replica",
    /// Order of nodes, from which witnesses follow.
    Witness = "witness",
    /// A client's receipt for a job.
    JobReceipt = "job-receipt",
    /// Message under a voucher for bandwidth.
    Voucher = "voucher",
    /// Key of an entry in a tree of sums.
    SumKey = "sum-key",
    /// Leaf of a tree of sums.
    SumLeaf = "sum-leaf",
    /// Inner node of a tree of sums.
    SumNode = "sum-node",
    /// What a party signs when it has taken a bundle in: a provisional receipt.
    ProvisionalReceipt = "provisional-receipt",
}

/// Absorbs the domain, the number of parts that there will be, and as many of them as there are now.
fn absorb<H: sha2::Digest>(domain: Domain, count: usize, parts: &[&[u8]]) -> H {
    let mut h = H::new();
    let label = domain.label().as_bytes();
    h.update([u8::try_from(label.len()).expect("labels are short")]);
    h.update(label);
    h.update(u32::try_from(count).expect("few parts").to_le_bytes());
    for part in parts {
        h.update((part.len() as u64).to_le_bytes());
        h.update(part);
    }
    h
}

/// SHA-512/256 of `parts` in `domain`.
pub fn hash(domain: Domain, parts: &[&[u8]]) -> Digest {
    Digest(absorb::<Sha512_256>(domain, parts.len(), parts).finalize().into())
}

/// SHA-512 of `parts` in `domain`: 64 uniform bytes, for scalars and group elements.
pub fn hash_wide(domain: Domain, parts: &[&[u8]]) -> [u8; 64] {
    absorb::<Sha512>(domain, parts.len(), parts).finalize().into()
}

/// [`hash()`] of one part that comes in pieces, such as a file that is too long to be held.
pub struct Pieces {
    state: Sha512_256,
    /// Bytes still to come.
    left: u64,
}

impl Pieces {
    /// Begins. The length is absorbed before the bytes, so it has to be known.
    pub fn new(domain: Domain, length: u64) -> Self {
        let mut state = absorb::<Sha512_256>(domain, 1, &[]);
        state.update(length.to_le_bytes());
        Self { state, left: length }
    }

    /// Absorbs the next piece. `None` if there are more bytes than were announced.
    pub fn update(&mut self, piece: &[u8]) -> Option<()> {
        self.left = self.left.checked_sub(piece.len() as u64)?;
        self.state.update(piece);
        Some(())
    }

    /// The hash. `None` if there were fewer bytes than were announced.
    pub fn finish(self) -> Option<Digest> {
        (self.left == 0).then(|| Digest(self.state.finalize().into()))
    }
}

/// Pseudonym of an event, `P_{w,j} = H(K_epoch || C_{w,j})` (spec 4.3), with H = SHA-512/256.
pub fn pseudonym(epoch_key: &Digest, tag: &[u8; 32]) -> Digest {
    let mut h = Sha512_256::new();
    h.update(epoch_key.0);
    h.update(tag);
    Digest(h.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn labels_are_distinct_printable_and_versioned() {
        let labels: BTreeSet<_> = Domain::ALL.iter().map(|d| d.label()).collect();
        assert_eq!(labels.len(), Domain::ALL.len());
        assert!(labels.iter().all(|l| l.starts_with("cwe/v1/") && l.bytes().all(|b| b.is_ascii_graphic())));
    }

    #[test]
    fn moving_a_byte_between_parts_changes_the_hash() {
        assert_ne!(hash(Domain::Work, &[b"ab", b"c"]), hash(Domain::Work, &[b"a", b"bc"]));
        assert_ne!(hash(Domain::Work, &[b"abc"]), hash(Domain::Work, &[b"abc", b""]));
    }

    #[test]
    fn pieces_are_the_hash_of_the_whole() {
        let whole: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for size in [1, 7, 127, 1000] {
            let mut pieces = Pieces::new(Domain::Fingerprint, 1000);
            for piece in whole.chunks(size) {
                assert_eq!(pieces.update(piece), Some(()));
            }
            assert_eq!(pieces.finish(), Some(hash(Domain::Fingerprint, &[&whole])));
        }
        assert_eq!(Pieces::new(Domain::Fingerprint, 0).finish(), Some(hash(Domain::Fingerprint, &[b""])));
        let mut short = Pieces::new(Domain::Fingerprint, 3);
        assert_eq!(short.update(b"ab"), Some(()));
        assert_eq!(short.update(b"cd"), None);
        assert_eq!(short.finish(), None);
    }

    #[test]
    fn a_domain_changes_the_hash() {
        assert_ne!(hash(Domain::Work, &[b"a"]), hash(Domain::Block, &[b"a"]));
    }

    #[test]
    fn the_pseudonym_is_the_plain_hash_of_spec_4_3() {
        let (key, tag) = (Digest([1; 32]), [2; 32]);
        let plain: [u8; 32] = Sha512_256::digest([key.0, tag].concat()).into();
        assert_eq!(pseudonym(&key, &tag), Digest(plain));
    }
}
