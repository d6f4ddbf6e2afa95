//! Node rewards: what nodes do for the network, how it is checked, what it earns (chain spec 3.8, 6.4).
//!
//! The life of an epoch `E`:
//!
//! 1. While it runs, operators commit to what their nodes kept, served and did, and drawn witnesses say which nodes were
//!    there. That ends with the first reveal of the beacon of `E + 1`, so that nobody knows what it will ask for.
//! 2. While `E + 1` runs, its beacon names places, and operators show what stands there. A wrong answer costs a part of the
//!    bond, and no answer too.
//! 3. Once `E + 1` is over, anybody has `E` scored: a budget, divided by kind, in proportion to units, under caps.
//! 4. Rewards are claimed, each once.
//!
//! Nothing here is part of consensus, and nothing is paid for an epoch that was given up. The note on node rewards says
//! what this does not prevent.

mod actions;
mod allocate;
mod audit;
mod check;
mod content;
mod error;
mod evidence;
mod metrics;
mod operator;
mod receipts;
mod rules;
mod score;
mod sum_tree;
mod types;
mod uptime;

pub use actions::{
    AddBond, AnswerAudit, AttestUptime, ClaimReward, CommitMetrics, LeaveNode, MAX_MANIFESTS,
    PublishVoucherKeys, RegisterContent, RegisterNode, ScoreNodes, VoucherSigner, WithdrawBond,
};
pub use allocate::Done;
pub use audit::Audited;
pub(crate) use audit::answer_audit;
pub use check::{MAX_NODES, MAX_NODES_PER_OPERATOR};
pub(crate) use check::{add_bond, leave_node, record_task, register_node, withdraw_bond};
pub use content::{CHUNK_BYTES, Content, MAX_CHUNKS, Service, VoucherKey};
pub(crate) use content::{
    approve_service, check_service, publish_voucher_keys, register_content, standing_service,
    withdraw_service,
};
pub use error::NodeError;
pub use evidence::{ChunkProof, Evidence, EvidenceError, JobProof, Shown, VoucherProof};
pub(crate) use metrics::commit_metrics;
pub use metrics::{Audit, Claimed, MAX_STORED, Metrics, StoredWorks};
pub use operator::{Books, JobBook, StoredContent, VoucherBook};
pub use receipts::{Job, JobReceipt, Served, Voucher, VoucherRequest};
pub use rules::{MAX_SAMPLES, MAX_WITNESSES, MIN_SAMPLES, MIN_WITNESSES, NodeRules, Schedule};
pub use score::{Earned, NodeScores, Reward};
pub(crate) use score::{claim_reward, score_nodes};
pub use sum_tree::{Entry, MAX_DEPTH, Place, Sum, SumError, SumPath, SumTree};
pub use types::{Contribution, Node, NodeId, Operator, Payee, RewardNullifier, Services, Task, node_id};
pub(crate) use uptime::attest_uptime;
pub use uptime::{MAX_SEEN, UptimeReport, Watch};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
