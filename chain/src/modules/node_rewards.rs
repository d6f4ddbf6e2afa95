//! Node rewards: what nodes do for the network, how it is checked, what it earns (chain spec 3.8).

mod rules;

pub use rules::NodeRules;
