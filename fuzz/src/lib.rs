//! What the fuzz targets do with bytes. The same functions run on stable Rust, over seeded bytes, in
//! `engine/tests/decoders.rs` and `proofs/tests/mutations.rs`, which include these files as modules.

pub mod decoders;
pub mod mutations;
