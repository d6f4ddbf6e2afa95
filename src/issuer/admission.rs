//! `cwe issuer code`, `cwe issuer codes` and `cwe issuer revoke`: who may ask.

use super::{IssuerFailure, Settings, settings::Kind};
use crate::{
    cli::{Format, ListCodes, MakeCode, RevokeCode},
    files,
    output::{self, Failure, facts, table},
};
use engine::issuer::{
    Code, CodesError, Serving, Subscriber,
    codes::{self, CodeHash, Entry},
};
use rand_core::OsRng;
use serde_json::json;
use std::fs;

/// Digits of a hash in a table.
const SHOWN_DIGITS: usize = 16;

/// Somebody on the list of an issuer.
enum Listed {
    Subscriber(Subscriber),
    Serving(Serving),
}

impl Listed {
    fn code(&self) -> CodeHash {
        match self {
            Self::Subscriber(entry) => entry.code(),
            Self::Serving(entry) => entry.code(),
        }
    }

    fn whom(&self) -> String {
        match self {
            Self::Subscriber(entry) => format!("tier {}", entry.tier),
            Self::Serving(entry) => format!("{} views an epoch", entry.views),
        }
    }

    fn object(&self) -> serde_json::Value {
        match self {
            Self::Subscriber(entry) => json!({ "hash": entry.code, "tier": entry.tier, "views": null }),
            Self::Serving(entry) => json!({ "hash": entry.code, "tier": null, "views": entry.views }),
        }
    }
}

/// Makes a code and puts its hash on the list, in the place of another if that is named.
pub(crate) fn make(arguments: &MakeCode) -> Result<(), Failure> {
    let settings = Settings::read(&arguments.config).map_err(IssuerFailure::from)?;
    let code = Code::generate(&mut OsRng);
    if let Some(path) = &arguments.out {
        files::write_secret(path, code.reveal()).map_err(IssuerFailure::from)?;
    }
    let listed = list(&settings, arguments, &code).inspect_err(|_| {
        // A code that is on no list is nobody's.
        arguments.out.iter().for_each(|path| drop(fs::remove_file(path)));
    })?;
    let hash = listed.code().0;
    match (arguments.output, &arguments.out) {
        (Format::Json, out) => {
            let mut object = listed.object();
            object["code"] = json!(out.is_none().then(|| code.reveal()));
            (object["file"], object["codes"]) = (json!(out), json!(settings.codes));
            output::json(&object)
        }
        (Format::Table, Some(path)) => output::print(&facts(&[
            ["code".into(), format!("in {}", path.display())],
            ["for".into(), listed.whom()],
            ["hash".into(), hash.to_string()],
            ["list".into(), settings.codes.display().to_string()],
        ])),
        (Format::Table, None) => {
            eprintln!("hash {hash}: by it the code is revoked or replaced");
            output::print(&format!("{}\n", code.reveal()))
        }
    }
}

/// Puts the hash of a code on the list.
fn list(settings: &Settings, arguments: &MakeCode, code: &Code) -> Result<Listed, IssuerFailure> {
    let (path, hash) = (&settings.codes, code.hash());
    if let Some(digits) = &arguments.replace {
        return Ok(match settings.signs {
            Kind::Tokens => Listed::Subscriber(codes::replace(path, digits, hash)?),
            Kind::Receipts => Listed::Serving(codes::replace(path, digits, hash)?),
        });
    }
    let other = |flag| IssuerFailure::OtherKind {
        path: arguments.config.clone(),
        signs: settings.signs.name(),
        flag,
    };
    let listed = match settings.signs {
        Kind::Tokens => {
            let tier = arguments.tier().ok_or_else(|| other("--tier"))?;
            if !settings.tiers.contains(&tier) {
                let tiers: Vec<String> = settings.tiers.iter().map(ToString::to_string).collect();
                let (path, tiers) = (arguments.config.clone(), tiers.join(", "));
                return Err(IssuerFailure::NoTier { path, tier: tier.0, tiers });
            }
            Listed::Subscriber(Subscriber::new(hash, tier))
        }
        Kind::Receipts => {
            Listed::Serving(Serving::new(hash, arguments.views.ok_or_else(|| other("--views"))?))
        }
    };
    match &listed {
        Listed::Subscriber(entry) => codes::add(path, *entry)?,
        Listed::Serving(entry) => codes::add(path, *entry)?,
    }
    Ok(listed)
}

/// Shows the list, or one of it.
pub(crate) fn show(arguments: &ListCodes) -> Result<(), Failure> {
    let settings = Settings::read(&arguments.config).map_err(IssuerFailure::from)?;
    let path = &settings.codes;
    let listed: Result<Vec<Listed>, CodesError> = match settings.signs {
        Kind::Tokens => {
            codes::subscribers(path).map(|list| list.into_values().map(Listed::Subscriber).collect())
        }
        Kind::Receipts => codes::serving(path).map(|list| list.into_values().map(Listed::Serving).collect()),
    };
    let mut listed = listed.map_err(IssuerFailure::from)?;
    if let Some(file) = &arguments.of {
        let of = CodeHash::of(&files::secret(file).map_err(IssuerFailure::from)?);
        listed.retain(|entry| entry.code() == of);
        if listed.is_empty() {
            let (path, file) = (path.clone(), file.clone());
            return Err(IssuerFailure::Nobodys { path, file, hash: of.0 }.into());
        }
    }
    match arguments.output {
        Format::Json => {
            let list: Vec<_> = listed.iter().map(Listed::object).collect();
            output::json(&json!({ "codes": list, "list": path }))
        }
        Format::Table => {
            // So many digits name one of any list, and fit a line; the list and JSON have all of them.
            let digits = |entry: &Listed| entry.code().0.to_string()[..SHOWN_DIGITS].to_owned();
            let rows = listed.iter().map(|entry| [digits(entry), entry.whom()]).collect();
            output::print(&table(["hash begins with", "for"], 2, rows))
        }
    }
}

/// Takes a code off the list.
pub(crate) fn revoke(arguments: &RevokeCode) -> Result<(), Failure> {
    let settings = Settings::read(&arguments.config).map_err(IssuerFailure::from)?;
    let (path, digits) = (&settings.codes, &arguments.hash);
    let gone: Result<Listed, CodesError> = match settings.signs {
        Kind::Tokens => codes::revoke(path, digits).map(Listed::Subscriber),
        Kind::Receipts => codes::revoke(path, digits).map(Listed::Serving),
    };
    let gone = gone.map_err(IssuerFailure::from)?;
    match arguments.output {
        Format::Json => {
            let mut object = gone.object();
            object["codes"] = json!(path);
            output::json(&object)
        }
        Format::Table => output::print(&facts(&[
            ["revoked".into(), gone.code().0.to_string()],
            ["was for".into(), gone.whom()],
            ["list".into(), path.display().to_string()],
        ])),
    }
}
