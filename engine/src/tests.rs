//! Whole epochs through the cores, in one deterministic queue, and through the actors; and every message between
//! parties changed on its way.

mod attacks;
mod epoch;
mod mesh;
mod world;
