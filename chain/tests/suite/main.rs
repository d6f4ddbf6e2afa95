//! The chain as its callers use it: whole epochs, every guard, every figure of the public record.

mod epoch;
mod light;
mod node;
mod world;
