//! The chain as its callers use it: whole epochs, every guard, every figure of the public record.

mod abandon;
mod audit;
mod bridge;
mod conservation;
mod epoch;
mod governance;
mod guards;
mod layer1;
mod light;
mod node;
mod privacy;
mod reference;
mod seats;
mod shards;
mod snapshot;
mod treasury;
mod usage;
mod wallets;
mod world;
