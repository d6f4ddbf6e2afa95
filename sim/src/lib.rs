//! Multi-party simulator: the workload of an epoch, and the report of a run.

pub mod report;
pub mod workload;
