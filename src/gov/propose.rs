//! `cwe gov propose`.

use super::action::{action, epoch_of};
use crate::{
    account::{self, ChainFailure, Node, Wallet},
    cli::gov::Propose,
    output::Failure,
};
use chain::{
    Payload,
    modules::governance::{self, Action},
};
use primitives::{Digest, PersonId};
use serde_json::{Value, json};

/// Makes a proposal, and says under which number.
pub(crate) fn propose(arguments: &Propose) -> Result<(), Failure> {
    let Propose { text, action: given, account } = arguments;
    let document = account::document(text)?;
    let action = action(given, document)?;
    let wallet = Wallet::open(account)?;
    let mut facts: Vec<(&'static str, Value)> = vec![
        ("proposer", json!(wallet.person)),
        ("document", json!(document)),
        ("does", json!(does(&action))),
    ];
    if let Some(from) = epoch_of(&action) {
        facts.push(("from_epoch", json!(from)));
    }
    if account.send.dry_run {
        return account::print(&account.send, account::with(json!({}), facts), "Nothing was signed or sent");
    }
    let transaction = wallet.sign(Payload::Propose(governance::Propose { document, action }))?;
    let standing = account::send(&wallet.node, &transaction, !account.send.no_wait)?;
    if standing["status"] == "in-block" {
        facts.push(("proposal", number(&wallet.node, wallet.person, document)?));
    }
    account::print(&account.send, account::with(standing, facts), "Proposed")
}

/// Number of the newest proposal of somebody with a text.
fn number(node: &Node, proposer: PersonId, document: Digest) -> Result<Value, ChainFailure> {
    let newest = node.ask("cwe_proposals", &[])?;
    let mine = |p: &&Value| p["proposer"] == json!(proposer) && p["document"] == json!(document);
    Ok(node
        .list(&newest, "proposals")?
        .iter()
        .find(mine)
        .map_or(Value::Null, |found| found["number"].clone()))
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
