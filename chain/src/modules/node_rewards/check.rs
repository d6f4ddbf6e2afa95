//! Guards of nodes themselves: who runs them, what is at stake, how they leave.

use super::{
    AddBond, Contribution, LeaveNode, NodeError, RegisterNode, WithdrawBond,
    content::Service,
    metrics::SLOTS,
    types::{Node, NodeId, Operator, Task, node_id},
};
use crate::{
    ledger::Context,
    modules::{
        identity::{Identity, Roles, acts_as},
        treasury::{self, Fund},
        usage::undrawn,
    },
    state::Draft,
};
use primitives::{BasisPoints, Credits, EpochId, PersonId};

/// Most nodes whose bonds are there. Scoring walks all of them, and draws witnesses for each.
pub const MAX_NODES: usize = 4096;
/// Most of them of one operator. It bounds reports of uptime.
pub const MAX_NODES_PER_OPERATOR: usize = 16;

/// A node of the signer, in whatever status: what an operator owes, and what is left of its bond, are its own even if it
/// may not act as one any more.
pub(super) fn node_of<'a>(
    draft: &'a Draft<'_>,
    node: NodeId,
    signer: PersonId,
) -> Result<&'a Node, NodeError> {
    let found = draft.get::<Node>(&node).ok_or(NodeError::UnknownNode { node })?;
    if found.operator == signer { Ok(found) } else { Err(NodeError::NotOwn { node, signer }) }
}

/// A node of the signer, who may act as an operator.
pub(super) fn own_node<'a>(
    draft: &'a Draft<'_>,
    node: NodeId,
    signer: PersonId,
) -> Result<&'a Node, NodeError> {
    let found = node_of(draft, node, signer)?;
    if !acts_as(draft, signer, Roles::NODE) {
        return Err(NodeError::NotOperator { signer });
    }
    Ok(found)
}

/// Takes a part of a node's bond for the infrastructure.
pub(super) fn cut_bond(draft: &mut Draft<'_>, node: Node, part: BasisPoints) -> Result<Credits, NodeError> {
    let cut = node.bond.share(part);
    let bond = node.bond.checked_sub(cut).expect("a part is not more than the whole");
    treasury::drain(draft, Fund::Bonds, cut)?;
    treasury::fill(draft, Fund::Infrastructure, cut)?;
    draft.put(Node { bond, ..node });
    Ok(cut)
}

/// Runs [`RegisterNode`].
pub(crate) fn register_node(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &RegisterNode,
) -> Result<(), NodeError> {
    if !acts_as(draft, signer, Roles::NODE) {
        return Err(NodeError::NotOperator { signer });
    }
    let RegisterNode { name, region, services, descriptor, manifests } = action.clone();
    let id = node_id(&signer, &name);
    if draft.has::<Node>(&id) {
        return Err(NodeError::AlreadyRegistered { node: id });
    }
    if services.is_empty() {
        return Err(NodeError::NothingToDo);
    }
    if let Some(pair) = manifests.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(NodeError::ManifestOrder { manifest: pair[1] });
    }
    if let Some(manifest) = manifests.iter().find(|manifest| !draft.has::<Service>(manifest)) {
        return Err(NodeError::UnknownService { manifest: *manifest });
    }
    if draft.base().nodes.iter().filter(|node| !node.returned).count() >= MAX_NODES {
        return Err(NodeError::TooManyNodes { limit: MAX_NODES });
    }
    let nodes = draft.get::<Operator>(&signer).map(|operator| operator.nodes.clone());
    let mut nodes = nodes.unwrap_or_default();
    if nodes.len() >= MAX_NODES_PER_OPERATOR {
        return Err(NodeError::TooManyOfOperator { operator: signer, limit: MAX_NODES_PER_OPERATOR });
    }
    let bond = draft.base().in_force(at.genesis).rules.nodes.bond;
    treasury::debit(draft, signer, bond)?;
    treasury::fill(draft, Fund::Bonds, bond)?;
    nodes.push(id);
    draft.put(Operator { operator: signer, nodes });
    // Which nodes an epoch has is fixed before anybody knows anything of its beacon: else an operator would register
    // names until one stands where it wants it.
    let from = undrawn(draft, at);
    let (operator, until, returned) = (signer, None, false);
    draft.put(Node { id, operator, region, services, descriptor, manifests, bond, from, until, returned });
    Ok(())
}

/// Runs [`LeaveNode`], in whatever status the operator is. The node still takes part in every epoch of whose beacon something is known.
pub(crate) fn leave_node(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &LeaveNode,
) -> Result<(), NodeError> {
    let node = node_of(draft, action.node, signer)?.clone();
    if node.until.is_some() {
        return Err(NodeError::Leaving { node: node.id });
    }
    let until = Some(EpochId(undrawn(draft, at).0.saturating_sub(1)));
    draft.put(Node { until, ..node });
    Ok(())
}

/// Runs [`AddBond`].
pub(crate) fn add_bond(draft: &mut Draft<'_>, signer: PersonId, action: &AddBond) -> Result<(), NodeError> {
    let AddBond { node, amount } = *action;
    let node = own_node(draft, node, signer)?.clone();
    if amount == Credits::ZERO {
        return Err(NodeError::NothingToDo);
    }
    if node.until.is_some() {
        return Err(NodeError::Leaving { node: node.id });
    }
    treasury::debit(draft, signer, amount)?;
    treasury::fill(draft, Fund::Bonds, amount)?;
    let bond = node.bond.checked_add(amount).expect("an amount that the fund of all bonds holds");
    draft.put(Node { bond, ..node });
    Ok(())
}

/// Runs [`WithdrawBond`]. Whoever runs the node gets it, in whatever status: what is left of a bond is theirs.
pub(crate) fn withdraw_bond(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    signer: PersonId,
    action: &WithdrawBond,
) -> Result<(), NodeError> {
    let id = action.node;
    let node = node_of(draft, id, signer)?.clone();
    if node.returned {
        return Err(NodeError::Returned { node: id });
    }
    let until = node.until.ok_or(NodeError::NotLeaving { node: id })?;
    let state = draft.base();
    let running = state.running_epoch(at.genesis);
    let earliest = EpochId(until.0.saturating_add(state.version_of(running).rules.nodes.notice.into()));
    if running < earliest {
        return Err(NodeError::Notice { node: id, earliest });
    }
    // What a node said of itself is answered for with its bond, to the last audit.
    let said = |(slot, kind): (u8, Contribution)| state.metrics.get(&(slot, id, kind));
    let open = (0..SLOTS).flat_map(|slot| Contribution::AUDITED.map(|kind| (slot, kind)));
    if let Some(metrics) = open.filter_map(said).find(|metrics| !state.is_scored(metrics.epoch)) {
        return Err(NodeError::NotScored { epoch: metrics.epoch });
    }
    let bond = node.bond;
    treasury::drain(draft, Fund::Bonds, bond)?;
    treasury::credit(draft, signer, bond)?;
    let nodes = draft.get::<Operator>(&signer).map(|operator| operator.nodes.clone()).unwrap_or_default();
    let nodes = nodes.into_iter().filter(|node| *node != id).collect();
    draft.put(Operator { operator: signer, nodes });
    draft.put(Node { bond: Credits::ZERO, returned: true, ..node });
    Ok(())
}

/// Governance puts curation tasks of a person on record, for the running epoch.
pub(crate) fn record_task(
    draft: &mut Draft<'_>,
    at: &Context<'_>,
    person: PersonId,
    units: u64,
) -> Result<(), NodeError> {
    if !draft.has::<Identity>(&person) {
        return Err(NodeError::UnknownPerson { person });
    }
    let epoch = draft.base().running_epoch(at.genesis);
    let done = draft.get::<Task>(&(epoch, person)).map_or(0, |task| task.units);
    draft.put(Task { epoch, person, units: done.saturating_add(units) });
    Ok(())
}
