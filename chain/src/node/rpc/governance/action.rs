//! What a proposal would do, as an answer.

use super::At;
use crate::{
    modules::{
        governance::{Action, Change, Proposal, Settings},
        identity::Roles,
    },
    node::origin,
};
use primitives::EpochId;
use serde_json::{Value, json};

/// What a proposal would do, with the values that a change of parameters starts from.
pub(super) fn action_of(at: &At<'_>, proposal: &Proposal, action: &Action) -> Value {
    let before = match action {
        Action::SetParameters(action) => before(at, proposal, action.from),
        _ => None,
    };
    action_object(action, before.as_ref())
}

/// What an action does, with the values that a change of parameters starts from, where they are known.
pub fn action_object(action: &Action, before: Option<&Settings>) -> Value {
    match action {
        Action::SetParameters(action) => {
            json!({
                "kind": "set-parameters",
                "from": action.from,
                "review_by": action.review_by,
                "changes": action.changes.iter().map(|c| change_object(c, before)).collect::<Vec<_>>(),
            })
        }
        Action::SetOffices(action) => json!({
            "kind": "set-offices",
            "person": action.person,
            "give": role_names(action.give),
            "take": role_names(action.take),
        }),
        Action::RemoveWork(action) => json!({
            "kind": "remove-work",
            "work": action.work,
            "from": action.from,
            "removal": action.removal,
        }),
        Action::Recall(action) => json!({ "kind": "recall", "person": action.councillor }),
        Action::Upgrade(version) => json!({
            "kind": "upgrade",
            "module": version.module,
            "from": version.from,
            "version": version.version,
            "code": version.code,
        }),
        Action::Resolve(action) => json!({ "kind": "resolve", "text": action.text }),
        Action::Spend(action) => {
            json!({ "kind": "spend", "fund": action.fund, "to": action.to, "amount": action.amount })
        }
        Action::AcquireAsset(action) => json!({
            "kind": "acquire-asset",
            "asset": action.title,
            "asset_kind": action.kind,
            "entity": action.entity,
            "seller": action.seller,
            "cost": action.cost,
            "haircut": action.haircut,
            "hectares": action.mrv.hectares,
            "tonnes": action.mrv.tonnes,
        }),
        Action::OfferAsset(action) => json!({
            "kind": "offer-asset",
            "asset": action.asset,
            "buyer": action.offer.buyer,
            "price": action.offer.price,
            "until": action.offer.until,
        }),
        Action::WithdrawOffer(action) => json!({ "kind": "withdraw-offer", "asset": action.asset }),
        Action::ApproveValuation(action) => {
            json!({ "kind": "approve-valuation", "asset": action.asset, "round": action.round })
        }
        Action::RejectValuation(action) => json!({ "kind": "reject-valuation", "asset": action.asset }),
        Action::ApproveService(action) => {
            json!({ "kind": "approve-service", "manifest": action.manifest, "most": action.most })
        }
        Action::WithdrawService(action) => {
            json!({ "kind": "withdraw-service", "manifest": action.manifest })
        }
    }
}

/// What a change starts from: what would hold in its epoch without it, and once it is enacted, what held in the epoch
/// before.
fn before(at: &At<'_>, proposal: &Proposal, from: EpochId) -> Option<Settings> {
    let undecided = proposal.is_undecided(at.now);
    let epoch = if undecided { from } else { EpochId(from.0.saturating_sub(1)) };
    (epoch >= at.genesis.first_epoch).then(|| Settings::from(at.state.version_of(epoch)))
}

fn change_object(change: &Change, before: Option<&Settings>) -> Value {
    let (parameter, unit) = (change.parameter, change.parameter.unit());
    let before = before.map(|settings| parameter.get(settings));
    json!({
        "parameter": parameter.name(),
        "unit": unit.to_string(),
        "before": before,
        "after": change.value,
        "before_text": before.map(|value| unit.show(value)),
        "after_text": unit.show(change.value),
    })
}

fn role_names(roles: Roles) -> Vec<&'static str> {
    origin::role_names().filter(|(_, role)| roles.has(*role)).map(|(name, _)| name).collect()
}
