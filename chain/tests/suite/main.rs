//! The chain as its callers use it: whole epochs, every guard, every figure of the public record.

mod abandon;
mod audit;
mod bridge;
mod conservation;
mod epoch;
mod follow;
mod governance;
mod guards;
mod identities;
mod layer1;
mod light;
mod node;
mod node_rewards;
mod overlap;
mod privacy;
mod reference;
mod rpc;
mod seats;
mod sequencer;
mod shards;
mod snapshot;
mod treasury;
mod usage;
mod wallets;
mod world;
mod year;
