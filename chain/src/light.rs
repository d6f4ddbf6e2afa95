//! The public record of an epoch, and its check from scratch by anybody, offline.

pub mod record;

pub use record::{EpochRecord, RecordError, record};
