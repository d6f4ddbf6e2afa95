//! Arguments of `cwe gov` that ask a node, or sign.

mod examples;

use super::{Account, Ask, Impact, Params, Sending, WorkName, values};
use chain::modules::{governance::Choice, identity::Roles};
use clap::{Args, Subcommand, ValueEnum};
use examples::{
    CASE_EXAMPLES, ELECT_EXAMPLES, LIFE, PROPOSE_EXAMPLES, RULES_EXAMPLES, SHOW_EXAMPLES, VOTE_EXAMPLES,
};
use primitives::{Digest, EpochId, PersonId};
use std::path::PathBuf;

/// What governance asks.
#[derive(Debug, Subcommand)]
#[command(after_help = LIFE)]
pub(crate) enum GovCommand {
    /// Compare two sets of parameters on the same epochs, as one page
    Impact(Impact),
    /// Print a preset as a file to start a proposal from
    Params(Params),
    /// Make a proposal
    Propose(Box<Propose>),
    /// Vote on a proposal
    #[command(after_help = VOTE_EXAMPLES)]
    Vote(Vote),
    /// Show all proposals, or one with its count and what it changes
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowProposal),
    /// Show parameters and rules by the names that proposals use
    #[command(after_help = RULES_EXAMPLES)]
    Rules(ShowRules),
    /// Show who sits on the council, and its last election
    #[command(after_help = ELECT_EXAMPLES)]
    Council(Ask),
    /// Show cases before juries
    #[command(after_help = CASE_EXAMPLES)]
    Cases(Ask),
    /// Say something on a proposal: the hash of a text goes on record
    #[command(after_help = LIFE)]
    Say(Say),
    /// Approve of a proposal, as a councillor
    #[command(after_help = LIFE)]
    Approve(Numbered),
    /// Veto a proposal, as a councillor
    #[command(after_help = LIFE)]
    Veto(Numbered),
    /// Take a proposal of yours back before its vote begins
    #[command(after_help = LIFE)]
    Withdraw(Numbered),
    /// Enact a proposal that is ready. Anybody may
    #[command(after_help = LIFE)]
    Enact(NumberedOpen),
    /// Call an election of the council
    #[command(after_help = ELECT_EXAMPLES)]
    CallElection(Account),
    /// Stand for a seat in an election
    #[command(after_help = ELECT_EXAMPLES)]
    Stand(Numbered),
    /// Vote in an election
    #[command(after_help = ELECT_EXAMPLES)]
    Elect(Elect),
    /// Count an election that is over. Anybody may
    #[command(after_help = ELECT_EXAMPLES)]
    CloseElection(NumberedOpen),
    /// Bring a case before a jury
    #[command(after_help = CASE_EXAMPLES)]
    OpenCase(OpenCase),
    /// Take a case of yours back before anything of the beacon that draws its jury is known
    #[command(after_help = CASE_EXAMPLES)]
    WithdrawCase(Numbered),
    /// Draw the jury of a case. Anybody may
    #[command(after_help = CASE_EXAMPLES)]
    DrawJury(NumberedOpen),
    /// Challenge a juror of a case that you are a side of
    #[command(after_help = CASE_EXAMPLES)]
    Challenge(Challenge),
    /// Vote on a case, as a juror
    #[command(after_help = CASE_EXAMPLES)]
    JuryVote(JuryVote),
    /// Close a case that is decided. Anybody may
    #[command(after_help = CASE_EXAMPLES)]
    CloseCase(NumberedOpen),
}

/// Arguments of `cwe gov propose`.
#[derive(Debug, Args)]
#[command(after_help = PROPOSE_EXAMPLES)]
pub(crate) struct Propose {
    /// The text that says what and why
    #[arg(long, value_name = "FILE")]
    pub(crate) text: PathBuf,
    /// What it would do.
    #[command(flatten)]
    pub(crate) action: ActionArgs,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}

/// What a proposal would do: exactly one thing.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ActionArgs {
    /// Set what differs in this file of parameters, as `cwe gov impact` takes one, from what holds in the epoch of --from
    #[arg(long, value_name = "TOML")]
    pub(crate) file: Option<PathBuf>,
    /// Set a parameter or a rule, with --from; can be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Give an office to the person of --to: auditor, oracle, registrar, steward, treasurer or sequencer
    #[arg(long, value_name = "ROLE", value_parser = values::role)]
    pub(crate) give: Vec<Roles>,
    /// Take an office from the person of --to
    #[arg(long, value_name = "ROLE", value_parser = values::role)]
    pub(crate) take: Vec<Roles>,
    /// Pay from a fund to the person of --to, in credits
    #[arg(long, value_name = "FUND=AMOUNT")]
    pub(crate) spend: Option<String>,
    /// Take a work out for good, with --from
    #[arg(long, value_name = "WORK", value_parser = values::work)]
    pub(crate) remove_work: Option<WorkName>,
    /// Take a work out until its creator updates it, with --from
    #[arg(long, value_name = "WORK", value_parser = values::work)]
    pub(crate) deprecate_work: Option<WorkName>,
    /// Recall a councillor
    #[arg(long, value_name = "PERSON")]
    pub(crate) recall: Option<PersonId>,
    /// Put another version of a module in force, with --from and --code
    #[arg(long, value_name = "MODULE=VERSION")]
    pub(crate) upgrade: Option<String>,
    /// Put the text on record as a decision that no code carries out
    #[arg(long)]
    pub(crate) resolve: bool,
    /// Buy an ecological asset: a TOML file with title, kind, entity, seller, cost, haircut, hectares, tonnes
    #[arg(long, value_name = "FILE")]
    pub(crate) acquire: Option<PathBuf>,
    /// Offer an ecological asset to the person of --to, in credits, with --until
    #[arg(long, value_name = "ASSET=PRICE")]
    pub(crate) offer: Option<String>,
    /// Take the offer of an ecological asset back
    #[arg(long, value_name = "ASSET")]
    pub(crate) withdraw_offer: Option<Digest>,
    /// Approve a valuation, by its round
    #[arg(long, value_name = "ASSET=ROUND")]
    pub(crate) approve_valuation: Option<String>,
    /// Drop what oracles report of an ecological asset
    #[arg(long, value_name = "ASSET")]
    pub(crate) reject_valuation: Option<Digest>,
    /// Approve a service that nodes run, with the most units of one of its jobs
    #[arg(long, value_name = "MANIFEST=UNITS")]
    pub(crate) approve_service: Option<String>,
    /// Withdraw a service
    #[arg(long, value_name = "MANIFEST")]
    pub(crate) withdraw_service: Option<Digest>,
    /// Whom --give, --take, --spend and --offer are about
    #[arg(long, value_name = "PERSON")]
    pub(crate) to: Option<PersonId>,
    /// First epoch in which it holds
    #[arg(long, value_name = "EPOCH", value_parser = values::number::<EpochId>)]
    pub(crate) from: Option<EpochId>,
    /// Epoch by which governance looks at what --set or --file changes again
    #[arg(long, value_name = "EPOCH", value_parser = values::number::<EpochId>)]
    pub(crate) review_by: Option<EpochId>,
    /// Hash of the source or the specification that --upgrade is about
    #[arg(long, value_name = "HASH")]
    pub(crate) code: Option<Digest>,
    /// Until when --offer stands, in seconds since 1970
    #[arg(long, value_name = "SECONDS", value_parser = values::number::<u64>)]
    pub(crate) until: Option<u64>,
}

/// Arguments of `cwe gov vote`.
#[derive(Debug, Args)]
pub(crate) struct Vote {
    /// Number of the proposal
    #[arg(value_name = "PROPOSAL", value_parser = values::number::<u64>)]
    pub(crate) proposal: u64,
    /// yes, no, or abstain, which counts for the quorum alone
    #[arg(value_name = "CHOICE", value_parser = values::choice)]
    pub(crate) choice: Choice,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}

/// Arguments of `cwe gov show`.
#[derive(Debug, Args)]
pub(crate) struct ShowProposal {
    /// Number of the proposal; all of them without one
    #[arg(value_name = "PROPOSAL", value_parser = values::number::<u64>)]
    pub(crate) proposal: Option<u64>,
    /// Check that this is the text that the proposal is about
    #[arg(long, value_name = "FILE", requires = "proposal")]
    pub(crate) text: Option<PathBuf>,
    /// Which node.
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// Arguments of `cwe gov rules`.
#[derive(Debug, Args)]
pub(crate) struct ShowRules {
    /// Epoch in which they hold, as far as is decided now [default: the running one]
    #[arg(long, value_name = "EPOCH", value_parser = values::number::<EpochId>)]
    pub(crate) epoch: Option<EpochId>,
    /// Which node.
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// Arguments of `cwe gov say`.
#[derive(Debug, Args)]
pub(crate) struct Say {
    /// Number of the proposal
    #[arg(value_name = "PROPOSAL", value_parser = values::number::<u64>)]
    pub(crate) proposal: u64,
    /// The text
    #[arg(long, value_name = "FILE")]
    pub(crate) text: PathBuf,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}

/// A number, and who signs.
#[derive(Debug, Args)]
pub(crate) struct Numbered {
    /// Number of the proposal, the election or the case
    #[arg(value_name = "N", value_parser = values::number::<u64>)]
    pub(crate) number: u64,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}

/// A number of something that anybody may ask for.
#[derive(Debug, Args)]
pub(crate) struct NumberedOpen {
    /// Number of the proposal, the election or the case
    #[arg(value_name = "N", value_parser = values::number::<u64>)]
    pub(crate) number: u64,
    /// How it is sent.
    #[command(flatten)]
    pub(crate) send: Sending,
}

/// Arguments of `cwe gov elect`.
#[derive(Debug, Args)]
pub(crate) struct Elect {
    /// Number of the election
    #[arg(value_name = "ELECTION", value_parser = values::number::<u64>)]
    pub(crate) election: u64,
    /// Whom you approve of: no more than there are seats
    #[arg(value_name = "PERSON", required = true)]
    pub(crate) choices: Vec<PersonId>,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}

/// Arguments of `cwe gov open-case`.
#[derive(Debug, Args)]
#[command(override_usage = "\
cwe gov open-case [OPTIONS] --text <FILE> --key <KEYFILE>
       <--remove-work <WORK>|--suspend <PERSON>|--revoke <PERSON>>")]
#[command(group = clap::ArgGroup::new("remedy").required(true).args(["remove_work", "suspend", "revoke"]))]
pub(crate) struct OpenCase {
    /// The complaint
    #[arg(long, value_name = "FILE")]
    pub(crate) text: PathBuf,
    /// Ask that a work be removed
    #[arg(long, value_name = "WORK", value_parser = values::work)]
    pub(crate) remove_work: Option<WorkName>,
    /// Ask that a person be suspended
    #[arg(long, value_name = "PERSON")]
    pub(crate) suspend: Option<PersonId>,
    /// Ask that a person be revoked
    #[arg(long, value_name = "PERSON")]
    pub(crate) revoke: Option<PersonId>,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}

/// Arguments of `cwe gov challenge`.
#[derive(Debug, Args)]
pub(crate) struct Challenge {
    /// Number of the case
    #[arg(value_name = "CASE", value_parser = values::number::<u64>)]
    pub(crate) case: u64,
    /// The juror
    #[arg(value_name = "PERSON")]
    pub(crate) juror: PersonId,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}

/// What a juror says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum JurorChoice {
    /// What is asked for is granted.
    Grant,
    /// It is not.
    Dismiss,
}

/// Arguments of `cwe gov jury-vote`.
#[derive(Debug, Args)]
pub(crate) struct JuryVote {
    /// Number of the case
    #[arg(value_name = "CASE", value_parser = values::number::<u64>)]
    pub(crate) case: u64,
    /// What you say
    #[arg(value_name = "CHOICE", value_enum)]
    pub(crate) choice: JurorChoice,
    /// Who signs.
    #[command(flatten)]
    pub(crate) account: Account,
}
