//! `cwe gov propose`.

use super::action::{ActionError, action, check, epoch_of};
use crate::{
    account::{self, ChainFailure, Facts, Node, Wallet},
    cli::{
        WorkName,
        gov::{ActionArgs, Propose},
    },
    output::Failure,
};
use ::sim::impact::Side;
use chain::{
    Payload,
    modules::{
        governance::{self, Action, Parameter, Rules, Settings},
        identity::Roles,
    },
    node::{origin, rpc::action_object},
};
use primitives::{Digest, EpochId, Preset, WorkId};
use serde_json::{Value, json};

/// Makes a proposal, and says under which number.
pub(crate) fn propose(arguments: &Propose) -> Result<(), Failure> {
    let Propose { text, action: given, account } = arguments;
    let document = account::document(text)?;
    let action = action(&looked_up(given, &account.send.ask.url)?, document)?;
    let mut facts: Facts = vec![
        ("document", json!(document)),
        ("does", json!(does(&action))),
        ("action", action_object(&action, None)),
    ];
    if let Some(from) = epoch_of(&action) {
        facts.push(("from_epoch", json!(from)));
    }
    let payload = Payload::Propose(governance::Propose { document, action });
    account::run_then(account, payload, facts, |wallet| {
        Ok(vec![("proposal", newest(wallet, ["cwe_proposals", "proposals", "proposer"], document)?)])
    })
}

/// What was asked for, with what only a node can tell: of which work a beginning is, and what a file of parameters changes.
fn looked_up(given: &ActionArgs, url: &str) -> Result<ActionArgs, Failure> {
    check(given)?;
    let mut given = given.clone();
    for work in [&mut given.remove_work, &mut given.deprecate_work].into_iter().flatten() {
        *work = WorkName::Whole(whole(work, url)?);
    }
    if let Some(path) = given.file.take() {
        let from = given.from.ok_or(ActionError::Needs { flag: "--file", needs: "--from, an epoch" })?;
        let asked = Side::read(&path.to_string_lossy())?.rules;
        for (parameter, off) in [("j_max", !asked.limits_views), ("value_cap", !asked.caps_value)] {
            if off {
                return Err(ActionError::Unlimited { path, parameter }.into());
            }
        }
        given.set = differences(
            &Settings { params: asked.params, rules: Rules::default() },
            &in_force(url, Some(from))?,
        );
        if given.set.is_empty() {
            return Err(ActionError::Same { path, from }.into());
        }
    }
    Ok(given)
}

/// The work that a name or its beginning is of. Only a beginning needs a node.
pub(super) fn whole(work: &WorkName, url: &str) -> Result<WorkId, Failure> {
    match work {
        WorkName::Whole(work) => Ok(*work),
        WorkName::Beginning(_) => Ok(Node::connect(url)?.work(work)?),
    }
}

/// Parameters and rules of an epoch as a node has them, those of the running one without.
pub(super) fn in_force(url: &str, epoch: Option<EpochId>) -> Result<Settings, Failure> {
    let node = Node::connect(url)?;
    let answer = node.ask("cwe_parameters", &epoch.iter().map(|epoch| json!(epoch)).collect::<Vec<_>>())?;
    let mut settings = Settings { params: Preset::Spec.params(), rules: Rules::default() };
    for shown in node.list(&answer, "parameters")? {
        let (name, value): (String, u64) = (node.field(&shown, "name")?, node.field(&shown, "value")?);
        // One that this program does not know is none that it could change.
        if let Ok(parameter) = name.parse::<Parameter>() {
            parameter.set(&mut settings, value);
        }
    }
    Ok(settings)
}

/// Parameters of epochs that differ, as `--set` takes them.
fn differences(asked: &Settings, before: &Settings) -> Vec<String> {
    // Rules have the name of their module before a point, and stand in no file of parameters.
    let params = Parameter::ALL.iter().filter(|parameter| !parameter.name().contains('.'));
    let differ = params.filter(|parameter| parameter.get(asked) != parameter.get(before));
    differ.map(|parameter| format!("{parameter}={}", parameter.unit().show(parameter.get(asked)))).collect()
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

/// Names of offices, if there are any.
fn offices(roles: Roles) -> Option<String> {
    let names = origin::role_names().filter(|(_, role)| roles.has(*role)).map(|(name, _)| name);
    Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
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
        Action::SetOffices(action) => {
            let gives = offices(action.give).map(|names| format!("gives {names} to {}", action.person));
            let takes = offices(action.take).map(|names| format!("takes {names} from {}", action.person));
            gives.into_iter().chain(takes).collect::<Vec<_>>().join(", ")
        }
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
    use primitives::PersonId;

    #[test]
    fn a_file_of_parameters_is_proposed_by_what_differs() {
        let settings = |preset: Preset| Settings { params: preset.params(), rules: Rules::default() };
        assert!(differences(&settings(Preset::Spec), &settings(Preset::Spec)).is_empty());
        let mut asked = settings(Preset::Spec);
        asked.params.eco_share = primitives::BasisPoints::new(600).expect("a part");
        asked.params.beta = primitives::params::q32(1, 4);
        let differ = differences(&asked, &settings(Preset::Spec));
        assert_eq!(differ, ["beta=0.25", "eco_share=6%"]);
        let set = ActionArgs { set: differ, from: Some(EpochId(9)), ..ActionArgs::default() };
        assert_eq!(
            does(&action(&set, Digest([1; 32])).expect("an action")),
            "sets beta = 0.25, eco_share = 6%"
        );
    }

    #[test]
    fn a_proposal_is_told_in_a_line() {
        let arguments = ActionArgs {
            set: vec!["alpha=1.1".into(), "governance.voting=3d".into()],
            from: Some(EpochId(9)),
            ..ActionArgs::default()
        };
        let action = action(&arguments, Digest([1; 32])).expect("an action");
        assert_eq!(does(&action), "sets alpha = 1.1, governance.voting = 3d");
        let person = PersonId([7; 32]);
        let give = ActionArgs { give: vec![Roles::AUDITOR], to: Some(person), ..ActionArgs::default() };
        let both = ActionArgs { take: vec![Roles::ORACLE, Roles::STEWARD], ..give };
        let told = does(&super::action(&both, Digest([1; 32])).expect("an action"));
        assert_eq!(told, format!("gives auditor to {person}, takes oracle, steward from {person}"));
        let decided = super::action(&ActionArgs { resolve: true, ..ActionArgs::default() }, Digest([1; 32]));
        assert!(does(&decided.expect("an action")).contains("on record"));
    }
}
