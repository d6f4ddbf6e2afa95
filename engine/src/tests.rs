//! Whole epochs through the cores, in one deterministic queue, and through the actors; every message between
//! parties changed on its way, what must not get out searched for, and what one party sees compared.

mod agreement;
mod attacks;
mod audit;
mod cheats;
mod complaints;
mod crook;
mod document;
mod double;
mod epoch;
mod hosts;
mod mesh;
mod model;
mod opening;
mod privacy;
mod seats;
mod shards;
mod standby;
mod view;
pub(crate) mod world;
