//! The Eco-Reserve: ecological assets, what they cost, what they are worth, and what they protect (chain spec 3.7).

mod rules;

pub use rules::EcoRules;
