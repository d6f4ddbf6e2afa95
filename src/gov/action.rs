//! What a proposal would do, from what people write.

use crate::cli::{WorkName, gov::ActionArgs};
use chain::modules::{
    eco_reserve::{Acquisition, AssetId, Mrv, Offer},
    governance::{
        Action, ApproveService, ApproveValuation, Change, ModuleVersion, OfferAsset, Parameter, Recall,
        RejectValuation, RemoveWork, Resolve, SetOffices, SetParameters, Spend, Unit, WithdrawOffer,
        WithdrawService,
    },
    identity::Roles,
    work_registry::Removal,
};
use primitives::{BasisPoints, Credits, Digest, EpochId, PersonId, Time};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    str::FromStr,
};
use thiserror::Error;

/// Longest file of an asset: eight lines and their comments.
const MAX_ASSET_BYTES: u64 = 64 << 10;

/// Why there is no action.
#[derive(Debug, Error)]
pub(crate) enum ActionError {
    /// Nothing is asked for.
    #[error("the proposal would do nothing: give one of {}", ACTIONS.join(", "))]
    Nothing,
    /// Two things are asked for.
    #[error("{first} and {second} are two proposals")]
    Two { first: &'static str, second: &'static str },
    /// A flag is missing.
    #[error("{flag} needs {needs}")]
    Needs { flag: &'static str, needs: &'static str },
    /// A file of parameters asks for what no ledger can do.
    #[error("{path}: {parameter} = \"none\" switches a limit off, which the simulator alone can do", path = .path.display())]
    Unlimited { path: PathBuf, parameter: &'static str },
    /// A file of parameters asks for what holds already.
    #[error("{path}: says what holds in epoch {from} anyway", path = .path.display())]
    Same { path: PathBuf, from: EpochId },
    /// A flag says something about nothing.
    #[error("{flag} does not go with {with}")]
    Idle { flag: &'static str, with: &'static str },
    /// A text is not of the form.
    #[error("{flag} {text:?}: expected {expected}")]
    Form { flag: &'static str, text: String, expected: String },
    /// A parameter is set twice.
    #[error("--set {parameter} stands there twice")]
    Twice { parameter: Parameter },
    /// A file of an asset cannot be read.
    #[error("{path}: {error}", path = .path.display())]
    File { path: PathBuf, error: io::Error },
    /// A file of an asset is none.
    #[error("{path}: {reason}", path = .path.display())]
    Asset { path: PathBuf, reason: String },
}

impl ActionError {
    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Unlimited { .. } => Some("give a number: the largest cap is as good as none"),
            Self::Form { flag: "--set", .. } => Some("`cwe gov rules` lists names and values"),
            _ => None,
        }
    }
}

/// Everything that a proposal can do, by its flags.
const ACTIONS: [&str; 15] = [
    "--set",
    "--file",
    "--give or --take",
    "--spend",
    "--remove-work",
    "--deprecate-work",
    "--recall",
    "--upgrade",
    "--resolve",
    "--acquire",
    "--offer",
    "--withdraw-offer",
    "--approve-valuation",
    "--reject-valuation",
    "--approve-service or --withdraw-service",
];

/// Refuses what is no proposal whatever a node may say.
pub(super) fn check(arguments: &ActionArgs) -> Result<&'static str, ActionError> {
    let flag = only(arguments)?;
    check_beside(arguments, flag)?;
    Ok(flag)
}

/// The action of a proposal with a text. Files of parameters and beginnings of names were looked up before.
pub(super) fn action(arguments: &ActionArgs, text: Digest) -> Result<Action, ActionError> {
    let flag = check(arguments)?;
    let from = || arguments.from.ok_or(ActionError::Needs { flag, needs: "--from, an epoch" });
    let to = || arguments.to.ok_or(ActionError::Needs { flag, needs: "--to, a person" });
    Ok(match flag {
        "--set" => Action::SetParameters(SetParameters {
            from: from()?,
            changes: changes(&arguments.set)?,
            review_by: arguments.review_by,
        }),
        "--give or --take" => {
            let all = |roles: &[Roles]| roles.iter().fold(Roles::default(), |all, role| all.with(*role));
            Action::SetOffices(SetOffices {
                person: to()?,
                give: all(&arguments.give),
                take: all(&arguments.take),
            })
        }
        "--spend" => {
            let (fund, amount) = pair(flag, &arguments.spend)?;
            Action::Spend(Spend { fund: named(flag, fund)?, to: to()?, amount: credits(flag, amount)? })
        }
        "--remove-work" | "--deprecate-work" => {
            let (work, removal) = match &arguments.remove_work {
                Some(work) => (work, Removal::Removed),
                None => (arguments.deprecate_work.as_ref().expect("the flag is there"), Removal::Deprecated),
            };
            let WorkName::Whole(work) = work else { unreachable!("its beginning was looked up") };
            Action::RemoveWork(RemoveWork { work: *work, from: from()?, removal })
        }
        "--recall" => Action::Recall(Recall { councillor: arguments.recall.expect("the flag is there") }),
        "--upgrade" => {
            let (module, version) = pair(flag, &arguments.upgrade)?;
            let code = arguments.code.ok_or(ActionError::Needs { flag, needs: "--code, a hash" })?;
            let version = number(flag, version)?;
            Action::Upgrade(ModuleVersion { module: named(flag, module)?, from: from()?, version, code })
        }
        "--resolve" => Action::Resolve(Resolve { text }),
        "--acquire" => {
            Action::AcquireAsset(acquisition(arguments.acquire.as_ref().expect("the flag is there"))?)
        }
        "--offer" => {
            let (asset, price) = pair(flag, &arguments.offer)?;
            let until = arguments.until.ok_or(ActionError::Needs { flag, needs: "--until, a moment" })?;
            let offer = Offer { buyer: to()?, price: credits(flag, price)?, until: Time(until) };
            Action::OfferAsset(OfferAsset { asset: AssetId(hash(flag, asset)?), offer })
        }
        "--withdraw-offer" => Action::WithdrawOffer(WithdrawOffer { asset: asset(arguments.withdraw_offer) }),
        "--approve-valuation" => {
            let (asset, round) = pair(flag, &arguments.approve_valuation)?;
            let (asset, round) = (AssetId(hash(flag, asset)?), number(flag, round)?);
            Action::ApproveValuation(ApproveValuation { asset, round })
        }
        "--reject-valuation" => {
            Action::RejectValuation(RejectValuation { asset: asset(arguments.reject_valuation) })
        }
        _ => match arguments.withdraw_service {
            Some(manifest) => Action::WithdrawService(WithdrawService { manifest }),
            None => {
                let (manifest, most) = pair("--approve-service", &arguments.approve_service)?;
                let manifest = hash("--approve-service", manifest)?;
                let most = number("--approve-service", most)?;
                Action::ApproveService(ApproveService { manifest, most })
            }
        },
    })
}

/// The one thing that is asked for.
fn only(arguments: &ActionArgs) -> Result<&'static str, ActionError> {
    let given = [
        !arguments.set.is_empty(),
        arguments.file.is_some(),
        !arguments.give.is_empty() || !arguments.take.is_empty(),
        arguments.spend.is_some(),
        arguments.remove_work.is_some(),
        arguments.deprecate_work.is_some(),
        arguments.recall.is_some(),
        arguments.upgrade.is_some(),
        arguments.resolve,
        arguments.acquire.is_some(),
        arguments.offer.is_some(),
        arguments.withdraw_offer.is_some(),
        arguments.approve_valuation.is_some(),
        arguments.reject_valuation.is_some(),
        arguments.approve_service.is_some() || arguments.withdraw_service.is_some(),
    ];
    let mut given = ACTIONS.iter().zip(given).filter(|(_, given)| *given).map(|(flag, _)| *flag);
    let first = given.next().ok_or(ActionError::Nothing)?;
    if let Some(second) = given.next() {
        return Err(ActionError::Two { first, second });
    }
    if arguments.approve_service.is_some() && arguments.withdraw_service.is_some() {
        return Err(ActionError::Two { first: "--approve-service", second: "--withdraw-service" });
    }
    Ok(first)
}

/// Refuses what would silently not count.
fn check_beside(arguments: &ActionArgs, with: &'static str) -> Result<(), ActionError> {
    let given = [
        ("--to", arguments.to.is_some(), &["--give or --take", "--spend", "--offer"][..]),
        (
            "--from",
            arguments.from.is_some(),
            &["--set", "--file", "--remove-work", "--deprecate-work", "--upgrade"],
        ),
        ("--review-by", arguments.review_by.is_some(), &["--set", "--file"]),
        ("--code", arguments.code.is_some(), &["--upgrade"]),
        ("--until", arguments.until.is_some(), &["--offer"]),
    ];
    match given.into_iter().find(|(_, given, goes)| *given && !goes.contains(&with)) {
        Some((flag, _, _)) => Err(ActionError::Idle { flag, with }),
        None => Ok(()),
    }
}

/// Reads changes of parameters, and puts them in the order that the ledger takes.
fn changes(given: &[String]) -> Result<Vec<Change>, ActionError> {
    let mut changes = BTreeMap::new();
    for text in given {
        let wrong = |expected: String| ActionError::Form { flag: "--set", text: text.clone(), expected };
        let (name, value) = text.split_once('=').ok_or_else(|| wrong("NAME=VALUE".into()))?;
        let parameter: Parameter = name.parse().map_err(|_| wrong(similar(name)))?;
        let value = parameter.unit().read(value).map_err(|error| wrong(error.expected.into_owned()))?;
        if changes.insert(parameter, Change { parameter, value }).is_some() {
            return Err(ActionError::Twice { parameter });
        }
    }
    Ok(changes.into_values().collect())
}

/// What somebody may have meant: a parameter with the same word in its name.
fn similar(name: &str) -> String {
    let word = name.rsplit('.').next().unwrap_or(name);
    let mut like =
        Parameter::ALL.iter().map(|parameter| parameter.name()).filter(|known| known.contains(word));
    match like.next().filter(|_| !word.is_empty()) {
        Some(like) => format!("the name of a parameter, such as {like}"),
        None => "the name of a parameter".into(),
    }
}

/// The two sides of `X=Y`.
fn pair<'a>(flag: &'static str, text: &'a Option<String>) -> Result<(&'a str, &'a str), ActionError> {
    let text = text.as_deref().unwrap_or_default();
    let expected = "two parts with = between them".into();
    text.split_once('=').ok_or_else(|| ActionError::Form { flag, text: text.into(), expected })
}

/// A whole number.
fn number<T: FromStr>(flag: &'static str, text: &str) -> Result<T, ActionError> {
    text.parse().map_err(|_| ActionError::Form { flag, text: text.into(), expected: "a whole number".into() })
}

/// A name of 256 bits.
fn hash(flag: &'static str, text: &str) -> Result<Digest, ActionError> {
    let expected = "64 lower-case hexadecimal digits".into();
    text.parse().map_err(|_| ActionError::Form { flag, text: text.into(), expected })
}

/// A fund, a module, a kind of asset: by the name that the ledger's answers have for it.
fn named<T: serde::de::DeserializeOwned>(flag: &'static str, text: &str) -> Result<T, ActionError> {
    serde_json::from_value(Value::from(text)).map_err(|error| ActionError::Form {
        flag,
        text: text.into(),
        expected: names(&error),
    })
}

/// The names that there are, which end the library's message.
fn names(error: &serde_json::Error) -> String {
    let message = error.to_string().replace('`', "");
    message.rsplit_once("expected ").map_or_else(|| message.clone(), |(_, names)| names.to_owned())
}

fn credits(flag: &'static str, text: &str) -> Result<Credits, ActionError> {
    let read = Unit::Amount.read(text).map(Credits);
    read.map_err(|error| ActionError::Form { flag, text: text.into(), expected: error.expected.into_owned() })
}

fn asset(given: Option<Digest>) -> AssetId {
    AssetId(given.expect("the flag is there"))
}

/// Reads the file of an asset that is to be bought.
fn acquisition(path: &Path) -> Result<Acquisition, ActionError> {
    let failed = |error| ActionError::File { path: path.into(), error };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_ASSET_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    let wrong = |reason: String| ActionError::Asset { path: path.into(), reason };
    if text.len() as u64 > MAX_ASSET_BYTES {
        return Err(wrong(format!("longer than {MAX_ASSET_BYTES} bytes")));
    }
    let mut table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| wrong(error.message().into()))?;
    let mut take = |name: &str| match table.remove(name) {
        Some(toml::Value::String(text)) => Ok(text),
        Some(toml::Value::Integer(number)) => Ok(number.to_string()),
        Some(_) => Err(wrong(format!("{name}: expected a text or a whole number"))),
        None => Err(wrong(format!("{name} is missing"))),
    };
    let read = |name: &str, unit: Unit, text: String| {
        unit.read(&text).map_err(|error| wrong(format!("{name}: {error}")))
    };
    let digest =
        |name: &str, text: String| text.parse::<Digest>().map_err(|error| wrong(format!("{name}: {error}")));
    let title = AssetId(digest("title", take("title")?)?);
    let kind = serde_json::from_value(Value::from(take("kind")?));
    let kind = kind.map_err(|error| wrong(format!("kind: expected {}", names(&error))))?;
    let entity = digest("entity", take("entity")?)?;
    let seller = PersonId(digest("seller", take("seller")?)?.0);
    let cost = Credits(read("cost", Unit::Amount, take("cost")?)?);
    let points = read("haircut", Unit::Share, take("haircut")?)?;
    let haircut = u16::try_from(points).ok().and_then(BasisPoints::new).expect("a share is below the whole");
    // Thousandths, as credits are millionths.
    let thousandths = |name: &str, text: String| {
        let micro = read(name, Unit::Amount, text)?;
        if micro.is_multiple_of(1_000) {
            Ok(micro / 1_000)
        } else {
            Err(wrong(format!("{name}: expected at most three decimals")))
        }
    };
    let mrv = Mrv {
        hectares: thousandths("hectares", take("hectares")?)?,
        tonnes: thousandths("tonnes", take("tonnes")?)?,
    };
    if let Some(name) = table.keys().next() {
        return Err(wrong(format!("there is no {name:?}")));
    }
    Ok(Acquisition { title, kind, entity, seller, cost, haircut, mrv })
}

/// First epochs are numbers; whatever else is in a proposal is told by the node.
pub(super) fn epoch_of(action: &Action) -> Option<EpochId> {
    match action {
        Action::SetParameters(action) => Some(action.from),
        Action::RemoveWork(action) => Some(action.from),
        Action::Upgrade(version) => Some(version.from),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
