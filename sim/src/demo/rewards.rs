//! What the chain pays those who run it, once an epoch can be scored.

use super::DemoError;
use crate::report::{credits, several};
use chain::{
    Node, Payload, Transaction,
    modules::{
        node_rewards::{ClaimReward, Contribution, ScoreNodes},
        treasury::Fund,
    },
};
use primitives::{Credits, EpochId};
use serde::Serialize;
use std::collections::BTreeMap;

/// Funds and rewards at the end of a run, in micro-credits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChainMoney {
    /// Balance of each fund that is not empty.
    pub funds: BTreeMap<Fund, u64>,
    /// What scored epochs owe for contributions, by kind.
    pub node_rewards: BTreeMap<Contribution, u64>,
    /// How much of that was claimed.
    pub node_rewards_claimed: u64,
    /// Epochs that were scored. One is scored once the next is over, since its audits run during the next.
    pub epochs_scored: usize,
}

impl ChainMoney {
    /// What a node's ledger says.
    pub(super) fn of(node: &Node) -> Self {
        let state = node.ledger().state();
        let funds = state.funds.iter().filter(|fund| fund.balance != Credits::ZERO);
        let mut node_rewards = BTreeMap::new();
        let mut node_rewards_claimed = 0;
        for scores in state.scores.iter() {
            for reward in &scores.rewards {
                if state.is_claimed(scores.epoch, reward.payee) {
                    node_rewards_claimed += reward.amount().0;
                }
                for earned in &reward.earned {
                    *node_rewards.entry(earned.kind).or_default() += earned.amount.0;
                }
            }
        }
        Self {
            funds: funds.map(|fund| (fund.fund, fund.balance.0)).collect(),
            node_rewards,
            node_rewards_claimed,
            epochs_scored: state.scores.len(),
        }
    }

    /// What each fund is for, with its balance.
    pub fn holdings(&self) -> Vec<(String, Credits)> {
        let what = |fund: &Fund| match fund {
            Fund::Revenue => "revenue of epochs that are not settled",
            Fund::Eco => "Eco-Reserve",
            Fund::Infrastructure => "infrastructure",
            Fund::Fee => "protocol fees",
            Fund::Unclaimed => "payouts that wait for their claim",
            Fund::Carried => "carried to the next epoch's creators",
            Fund::Layer1 => "payouts on L1",
            Fund::Bonds => "bonds of nodes",
            Fund::NodeRewards => "node rewards that wait for their claim",
        };
        self.funds.iter().map(|(fund, amount)| (what(fund).to_owned(), Credits(*amount))).collect()
    }

    /// What nodes and members earned, by what for.
    pub fn earned(&self) -> Vec<(String, Credits)> {
        let name = |kind: &Contribution| format!("{kind:?}").to_lowercase();
        self.node_rewards.iter().map(|(kind, amount)| (name(kind), Credits(*amount))).collect()
    }

    /// What became of rewards, in a sentence.
    pub fn rewards_in_words(&self) -> String {
        if self.epochs_scored == 0 {
            return "Node rewards are scored once the next epoch is over: its beacon draws their audits. See --epochs.".into();
        }
        format!(
            "{} credits of node rewards were claimed, for {} scored.",
            credits(Credits(self.node_rewards_claimed)),
            several(self.epochs_scored as u64, "epoch", "epochs")
        )
    }
}

/// Has the epoch before `over` scored, and claims what it owes.
pub(super) fn pay(node: &mut Node, over: EpochId) -> Result<(), DemoError> {
    let epoch = EpochId(over.0.saturating_sub(1));
    if node.ledger().state().epochs.get(&epoch).is_none() {
        return Ok(());
    }
    submit(node, Payload::ScoreNodes(ScoreNodes { epoch }))?;
    let scores = node.ledger().state().scores.get(&epoch);
    let payees: Vec<_> =
        scores.iter().flat_map(|scores| &scores.rewards).map(|reward| reward.payee).collect();
    for payee in payees {
        submit(node, Payload::ClaimReward(ClaimReward { epoch, payee }))?;
    }
    node.produce_block()?;
    Ok(())
}

fn submit(node: &mut Node, payload: Payload) -> Result<(), DemoError> {
    node.submit(&Transaction::open(payload)).map_err(|error| DemoError::Rewards(error.into()))
}
