#![allow(dead_code)]
mod reference;
mod world;
