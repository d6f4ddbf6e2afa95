//! Whole epochs through the cores, in one deterministic queue, and through the actors; every message between
//! parties changed on its way, and what must not get out searched for.

mod agreement;
mod attacks;
pub(crate) mod attack_replacement;
mod audit;
mod cheats;
mod complaints;
mod epoch;
mod mesh;
mod model;
mod privacy;
mod shards;
mod standby;
pub(crate) mod world;
