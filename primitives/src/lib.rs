//! What every other crate speaks of: identifiers, amounts, fixed point, scalars, governance parameters, the
//! canonical codec, hash domains and limits.
//!
//! Nothing here performs input or output, reads a clock or draws randomness.

pub mod amount;
pub mod calendar;
pub mod codec;
pub mod field;
pub mod fixed_point;
pub mod hash;
pub mod ids;
pub mod limits;
pub mod merkle;
pub mod params;

pub use amount::{BasisPoints, Credits};
pub use codec::{CodecError, Decode, Encode, Reader, Writer};
pub use hash::{Digest, Domain};
pub use ids::{
    CategoryId, ChainId, EpochId, Layer1Address, PartyId, PersonId, Region, RegionTag, ShardIndex, Tier,
    Time, WorkId, WorkIndex,
};
pub use params::{GovernanceParams, Preset};
