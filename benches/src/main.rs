//! What everything costs.
fn main() {}
