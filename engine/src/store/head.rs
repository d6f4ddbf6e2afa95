//! Of which chain a store is, and the list of what it holds.

use super::{
    StoreError,
    key::{RecordKey, pack, unpack},
    records::Entries,
};
use primitives::{
    ChainId, CodecError, Decode, Digest, Encode, EpochId, Reader, Writer, codec_struct, limits,
};
use std::{collections::BTreeMap, path::Path};

/// Version of what is on disk. A change of it needs a step in `migrate.rs`.
pub const SCHEMA: u32 = 3;
/// Most epochs of which a store holds something: the one in hand, and those before it that are not final. An epoch is
/// final within days; a store that holds more was forgotten about.
pub const MAX_EPOCHS: usize = 16;
/// Most records: votes, phase, beacon and attempt of each epoch, and shares of each shard.
pub(super) const MAX_RECORDS: usize = MAX_EPOCHS * (limits::MAX_SHARDS + 3) + limits::MAX_SHARDS;
/// Where schema and owner stand. Every version of the program reads them there.
pub(super) const META: &[u8] = b"meta";
/// Where the list stands.
pub(super) const HEAD: &[u8] = b"head";

// sled moves values from 128 KiB on to files that it does not sync. An entry of the list is a key of at most 13 bytes
// and a checksum of 32.
const _: () = assert!(MAX_RECORDS * (13 + 32) < 96 << 10);

/// Of which chain a store is. Whose it is, the chain says: a host may go on in another seat, or with another key in the
/// same one. What is carried over names its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The chain.
    pub chain: ChainId,
    /// Digest of its genesis, which tells two chains of one number apart.
    pub genesis: Digest,
}

codec_struct!(Owner { chain, genesis });

impl Owner {
    /// Refuses a store of another chain or genesis.
    fn check(&self, path: &Path, found: &Self) -> Result<(), StoreError> {
        let path = path.to_path_buf();
        if found.chain != self.chain {
            return Err(StoreError::OtherChain { path, found: found.chain, expected: self.chain });
        }
        if found.genesis != self.genesis {
            return Err(StoreError::OtherGenesis { path, found: found.genesis, expected: self.genesis });
        }
        Ok(())
    }
}

/// What a store says of itself beside its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Transitions so far.
    pub(super) sequence: u64,
    /// The last epoch of which nothing is stored any more, nor ever will be.
    pub(super) forgotten: Option<EpochId>,
    /// The last epoch whose bundles are destroyed.
    pub(super) destroyed: Option<EpochId>,
    /// The last epoch that the party sits out.
    pub(super) silent: Option<EpochId>,
    /// The latest epoch that anything was stored of.
    pub(super) latest: Option<EpochId>,
    /// Whether this is a copy, which no party runs on.
    pub(super) is_copy: bool,
    /// Every record with the checksum of what stands in the tree. What is lost, or is not what was written last, is found.
    pub(super) manifest: BTreeMap<RecordKey, Digest>,
}

impl Encode for Head {
    fn encode(&self, w: &mut Writer) {
        self.sequence.encode(w);
        self.forgotten.encode(w);
        self.destroyed.encode(w);
        self.silent.encode(w);
        self.latest.encode(w);
        self.is_copy.encode(w);
        w.map(&self.manifest, |checksum, w| checksum.encode(w));
    }
}

impl Decode for Head {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            sequence: Decode::decode(r)?,
            forgotten: Decode::decode(r)?,
            destroyed: Decode::decode(r)?,
            silent: Decode::decode(r)?,
            latest: Decode::decode(r)?,
            is_copy: Decode::decode(r)?,
            manifest: r.map(MAX_RECORDS, "list of records", Digest::decode)?,
        })
    }
}

impl Head {
    /// What stands in the tree for it.
    pub(super) fn entry(&self) -> Vec<u8> {
        entry(HEAD, &self.to_bytes())
    }
}

/// What stands in the tree for a value that is always in the tree.
pub(super) fn entry(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    pack(key, super::key::Place::Here(bytes)).1
}

/// A value that is always in the tree, if it is sound.
pub(super) fn value<'a>(entries: &'a Entries, key: &[u8]) -> Option<&'a [u8]> {
    match unpack(key, entries.get(key)?)? {
        (_, super::key::Place::Here(bytes)) => Some(bytes),
        (_, super::key::Place::Apart(..)) => None,
    }
}

/// What stands in the tree for schema and owner.
pub(super) fn meta_entry(schema: u32, owner: &Owner) -> Vec<u8> {
    entry(META, &[schema.to_bytes(), owner.to_bytes()].concat())
}

/// The schema of what is on disk, if it is this owner's and not of a later version.
pub(super) fn schema_of(path: &Path, entries: &Entries, owner: &Owner) -> Result<u32, StoreError> {
    let damaged = || StoreError::Head { path: path.into() };
    let meta = value(entries, META).ok_or_else(damaged)?;
    let mut reader = Reader::new(meta);
    let found = u32::decode(&mut reader).map_err(|_| damaged())?;
    // A later version may say more of an owner, so the schema comes first.
    if found > SCHEMA {
        return Err(StoreError::NewerSchema { path: path.into(), found, known: SCHEMA });
    }
    let of = Owner::decode(&mut reader).map_err(|_| damaged())?;
    owner.check(path, &of)?;
    Ok(found)
}

/// The list of a store of this schema.
pub(super) fn head_of(path: &Path, entries: &Entries) -> Result<Head, StoreError> {
    let head = value(entries, HEAD).and_then(|bytes| Head::from_bytes(bytes).ok());
    head.ok_or_else(|| StoreError::Head { path: path.into() })
}

/// Entries of a store that holds nothing but what its head says.
pub(super) fn empty(owner: &Owner, head: &Head) -> Entries {
    Entries::from([(META.to_vec(), meta_entry(SCHEMA, owner)), (HEAD.to_vec(), head.entry())])
}
