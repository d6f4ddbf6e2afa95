//! `cwe gov propose`.

use super::action::{action, epoch_of};
use crate::{
    account::{self, ChainFailure, Facts, Wallet},
    cli::gov::Propose,
    output::Failure,
};
use chain::{
    Payload,
    modules::governance::{self, Action},
};
use primitives::Digest;
use serde_json::{Value, json};

/// Makes a proposal, and says under which number.
pub(crate) fn propose(arguments: &Propose) -> Result<(), Failure> {
    let Propose { text, action: given, account } = arguments;
    let document = account::document(text)?;
    let action = action(given, document)?;
    let mut facts: Facts = vec![("document", json!(document)), ("does", json!(does(&action)))];
    if let Some(from) = epoch_of(&action) {
        facts.push(("from_epoch", json!(from)));
    }
    let payload = Payload::Propose(governance::Propose { document, action });
    account::run_then(account, payload, facts, |wallet| {
        Ok(vec![("proposal", newest(wallet, ["cwe_proposals", "proposals", "proposer"], document)?)])
    })
}

/// Number of the newest thing of somebody with a text.
pub(super) fn newest(
    wallet: &Wallet,
    [method, list, whose]: [&str; 3],
    document: Digest,
) -> Result<Value, ChainFailure> {
    let page = wallet.node.ask(method, &[])?;
    let mine = |found: &&Value| found[whose] == json!(wallet.person) && found["document"] == json!(document);
    let found = wallet.node.list(&page, list)?;
    Ok(found.iter().find(mine).map_or(Value::Null, |found| found["number"].clone()))
}

/// What an action does, in a line.
fn does(action: &Action) -> String {
    match action {
        Action::SetParameters(action) => {
            let set = action.changes.iter().map(|change| {
                format!("{} = {}", change.parameter, change.parameter.unit().show(change.value))
            });
            format!("sets {}", set.collect::<Vec<_>>().join(", "))
        }
        Action::SetOffices(action) => format!("changes the offices of {}", action.person),
        Action::RemoveWork(action) => format!("takes work {} out", action.work),
        Action::Recall(action) => format!("recalls {}", action.councillor),
        Action::Upgrade(version) => {
            format!("puts version {} of {:?} in force", version.version, version.module)
        }
        Action::Resolve(_) => "puts its text on record as a decision".into(),
        Action::Spend(action) => {
            format!("pays {} credits from {:?} to {}", action.amount, action.fund, action.to)
        }
        Action::AcquireAsset(action) => format!("buys asset {} for {} credits", action.title, action.cost),
        Action::OfferAsset(action) => {
            format!(
                "offers asset {} for {} credits to {}",
                action.asset, action.offer.price, action.offer.buyer
            )
        }
        Action::WithdrawOffer(action) => format!("takes the offer of asset {} back", action.asset),
        Action::ApproveValuation(action) => {
            format!("approves valuation {} of asset {}", action.round, action.asset)
        }
        Action::RejectValuation(action) => format!("drops what is reported of asset {}", action.asset),
        Action::ApproveService(action) => {
            format!("approves service {} with at most {} units a job", action.manifest, action.most)
        }
        Action::WithdrawService(action) => format!("withdraws service {}", action.manifest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::gov::ActionArgs;
    use primitives::EpochId;

    #[test]
    fn a_proposal_is_told_in_a_line() {
        let arguments = ActionArgs {
            set: vec!["alpha=1.1".into(), "governance.voting=3d".into()],
            from: Some(EpochId(9)),
            ..ActionArgs::default()
        };
        let action = action(&arguments, Digest([1; 32])).expect("an action");
        assert_eq!(does(&action), "sets alpha = 1.1, governance.voting = 3d");
        let decided = super::action(&ActionArgs { resolve: true, ..ActionArgs::default() }, Digest([1; 32]));
        assert!(does(&decided.expect("an action")).contains("on record"));
    }
}
