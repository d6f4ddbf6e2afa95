//! `cwe gov`: proposals, votes, the council, juries, and the page on a change of parameters.

mod action;
mod impact;
mod propose;
mod show;

use crate::{
    account::{self, Facts, Node},
    cli::{
        Account,
        gov::{
            Challenge, Elect, GovCommand, JurorChoice, JuryVote, Numbered, NumberedOpen, OpenCase, Say, Vote,
        },
    },
    output::Failure,
};
use ::sim::impact::{ConfigError, ImpactError};
use action::ActionError;
use chain::{
    Payload,
    modules::governance::{self, Remedy, SayOf},
};
use primitives::Digest;
use serde_json::json;
use std::path::PathBuf;
use thiserror::Error;

/// Why there is no comparison, or no proposal.
#[derive(Debug, Error)]
pub(crate) enum GovFailure {
    /// A side cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nothing can be compared.
    #[error(transparent)]
    Impact(#[from] ImpactError),
    /// A proposal would do nothing that there is.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// A file is not the text of a proposal.
    #[error("{path}: its hash is {found}: it is not the text of proposal {number}", path = .path.display())]
    OtherText { path: PathBuf, number: String, found: Digest },
    /// It is not the time for that.
    #[error("refused by governance: not at this stage of proposal {number}: {stands}")]
    NotNow { number: u64, stands: String },
}

impl GovFailure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::OtherText { .. } | Self::NotNow { .. } => 1,
            Self::Impact(ImpactError::Economics(_)) => 3,
            _ => 2,
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Action(error) => error.advice(),
            _ => None,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        GovFailure::from(error).into()
    }
}

impl From<ImpactError> for Failure {
    fn from(error: ImpactError) -> Self {
        GovFailure::from(error).into()
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        GovFailure::from(error).into()
    }
}

/// Runs a command.
pub(crate) fn run(command: &GovCommand) -> Result<(), Failure> {
    match command {
        GovCommand::Impact(arguments) => impact::impact(arguments),
        GovCommand::Params(arguments) => impact::params(arguments),
        GovCommand::Propose(arguments) => propose::propose(arguments),
        GovCommand::Show(arguments) => show::show(arguments),
        GovCommand::Rules(arguments) => show::rules(arguments),
        GovCommand::Council(ask) => show::council(ask),
        GovCommand::Cases(ask) => show::cases(ask),
        GovCommand::Vote(Vote { proposal, choice, account }) => {
            let vote = governance::Vote { proposal: *proposal, choice: *choice };
            let facts = vec![("proposal", json!(proposal)), ("choice", json!(choice))];
            timely(*proposal, account, Payload::Vote(vote), facts)
        }
        GovCommand::Say(Say { proposal, text, account }) => {
            let document = account::document(text)?;
            let action = governance::Deliberate { proposal: *proposal, document };
            let facts = vec![("proposal", json!(proposal)), ("document", json!(document))];
            timely(*proposal, account, Payload::Deliberate(action), facts)
        }
        GovCommand::Approve(numbered) => say(numbered, governance::Say::Approve),
        GovCommand::Veto(numbered) => say(numbered, governance::Say::Veto),
        GovCommand::Withdraw(Numbered { number, account }) => {
            let action = governance::Withdraw { proposal: *number };
            timely(*number, account, Payload::Withdraw(action), one("proposal", *number))
        }
        GovCommand::CallElection(account) => call_election(account),
        GovCommand::Stand(Numbered { number, account }) => {
            let action = governance::Stand { election: *number };
            account::run(account, Payload::Stand(action), one("election", *number))
        }
        GovCommand::Elect(arguments) => elect(arguments),
        GovCommand::OpenCase(arguments) => open_case(arguments),
        GovCommand::WithdrawCase(Numbered { number, account }) => {
            let action = governance::WithdrawCase { case: *number };
            account::run(account, Payload::WithdrawCase(action), one("case", *number))
        }
        GovCommand::Challenge(Challenge { case, juror, account }) => {
            let action = governance::ChallengeJuror { case: *case, juror: *juror };
            let facts = vec![("case", json!(case)), ("juror", json!(juror))];
            account::run(account, Payload::ChallengeJuror(action), facts)
        }
        GovCommand::JuryVote(JuryVote { case, choice, account }) => {
            let grant = *choice == JurorChoice::Grant;
            let facts = vec![("case", json!(case)), ("grant", json!(grant))];
            account::run(account, Payload::JuryVote(governance::JuryVote { case: *case, grant }), facts)
        }
        GovCommand::Enact(numbered) => {
            let payload = |proposal| Payload::Enact(governance::Enact { proposal });
            let done = open(numbered, "proposal", payload);
            done.map_err(|failure| when(numbered.number, &numbered.send.ask.url, failure))
        }
        GovCommand::CloseElection(numbered) => {
            let payload = |election| Payload::CloseElection(governance::CloseElection { election });
            open(numbered, "election", payload)
        }
        GovCommand::DrawJury(numbered) => {
            open(numbered, "case", |case| Payload::DrawJury(governance::DrawJury { case }))
        }
        GovCommand::CloseCase(numbered) => {
            open(numbered, "case", |case| Payload::CloseCase(governance::CloseCase { case }))
        }
    }
}

/// Signs what has its time in the life of a proposal.
fn timely(number: u64, account: &Account, payload: Payload, facts: Facts) -> Result<(), Failure> {
    let done = account::run(account, payload, facts);
    done.map_err(|failure| when(number, &account.send.ask.url, failure))
}

/// A refusal because of a proposal's stage says when its time is. What the node cannot tell stays as the ledger said it.
fn when(number: u64, url: &str, failure: Failure) -> Failure {
    if !matches!(&failure, Failure::Chain(error) if error.is_rule("governance", "Stage")) {
        return failure;
    }
    let answer = Node::connect(url).and_then(|node| node.ask("cwe_proposal", &[json!(number)]));
    match answer {
        Ok(answer) => GovFailure::NotNow { number, stands: show::stands(&answer["proposal"]) }.into(),
        Err(_) => failure,
    }
}

fn one(name: &'static str, number: u64) -> Facts {
    vec![(name, json!(number))]
}

fn open(
    NumberedOpen { number, send }: &NumberedOpen,
    name: &'static str,
    payload: impl FnOnce(u64) -> Payload,
) -> Result<(), Failure> {
    account::run_open(send, payload(*number), one(name, *number))
}

fn say(Numbered { number, account }: &Numbered, say: governance::Say) -> Result<(), Failure> {
    let facts = vec![("proposal", json!(number)), ("say", json!(say))];
    timely(*number, account, Payload::CouncilSay(SayOf { proposal: *number, say }), facts)
}

fn call_election(account: &Account) -> Result<(), Failure> {
    account::run_then(account, Payload::CallElection(governance::CallElection), Vec::new(), |wallet| {
        let council = wallet.node.ask("cwe_council", &[])?;
        Ok(vec![("election", council["election"]["number"].clone())])
    })
}

fn elect(Elect { election, choices, account }: &Elect) -> Result<(), Failure> {
    let mut choices = choices.clone();
    choices.sort();
    let facts = vec![("election", json!(election)), ("choices", json!(choices))];
    account::run(account, Payload::Elect(governance::Elect { election: *election, choices }), facts)
}

fn open_case(arguments: &OpenCase) -> Result<(), Failure> {
    let work =
        arguments.remove_work.as_ref().map(|work| propose::whole(work, &arguments.account.send.ask.url));
    let remedy = match (work.transpose()?, arguments.suspend, arguments.revoke) {
        (Some(work), _, _) => Remedy::RemoveWork(work),
        (_, Some(person), _) => Remedy::Suspend(person),
        (_, _, person) => Remedy::Revoke(person.expect("one of the three is required")),
    };
    let document = account::document(&arguments.text)?;
    let payload = Payload::OpenCase(governance::OpenCase { document, remedy });
    account::run_then(&arguments.account, payload, vec![("document", json!(document))], |wallet| {
        Ok(vec![("case", propose::newest(wallet, ["cwe_cases", "cases", "complainant"], document)?)])
    })
}
