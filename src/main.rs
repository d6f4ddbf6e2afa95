//! The `cwe` command: parses, calls, prints.
//!
//! Results go to standard output, progress and errors to standard error, with `-o json` as one JSON object. Exit codes: 0 if all is well, 1 if something
//! that was checked does not hold or the ledger refused a transaction, 2 for bad input or a wrong call, 3 if the program
//! or a node failed, 4 if a node found a block that breaks a rule.

mod account;
mod audit;
mod bundle;
mod cli;
mod client;
mod demo;
mod epoch;
mod files;
mod gov;
mod init;
mod issuer;
mod node;
mod output;
mod party;
mod payouts;
mod progress;
mod secret;
mod sim;
mod steward;
mod stop;
mod work;

use clap::Parser;
use cli::{
    BundleCommand, Cli, ClientCommand, Command, EpochCommand, InitCommand, IssuerCommand, NodeCommand,
    PartyCommand, SimCommand, StewardCommand,
};
use output::Failure;
use std::process::ExitCode;

/// Exit code of a call that clap refuses.
const WRONG_CALL: u8 = 2;

fn main() -> ExitCode {
    let json = output::is_json_asked(std::env::args_os());
    let Cli { command, ends_with_stdin } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if json && error.use_stderr() => {
            output::wrong_call(&error);
            return ExitCode::from(WRONG_CALL);
        }
        Err(error) => error.exit(),
    };
    if ends_with_stdin && let Err(error) = stop::end_with_stdin() {
        let failure = Failure::Watch(error);
        output::error(&failure, json);
        return failure.code().into();
    }
    let result = match command {
        Command::Demo(arguments) if arguments.processes => demo::run_processes(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Epoch(EpochCommand::Fetch(arguments)) => epoch::fetch(&arguments),
        Command::Epoch(EpochCommand::Verify(arguments)) => epoch::verify(&arguments),
        Command::Epoch(EpochCommand::Audit(arguments)) => audit::run(&arguments),
        Command::Epoch(EpochCommand::Show(arguments)) => epoch::show(&arguments),
        Command::Bundle(BundleCommand::Show(arguments)) => bundle::show(&arguments),
        Command::Sim(SimCommand::Sweep(arguments)) => sim::sweep(&arguments),
        Command::Gov(command) => gov::run(&command),
        Command::Work(command) => work::run(&command),
        Command::Payouts(arguments) => payouts::run(&arguments),
        Command::Node(NodeCommand::Init(arguments)) => node::init(&arguments),
        Command::Node(NodeCommand::Run(arguments)) => node::run(&arguments),
        Command::Node(NodeCommand::Config(arguments)) => node::config_table(&arguments),
        Command::Node(NodeCommand::Export(arguments)) => node::export(&arguments),
        Command::Node(NodeCommand::Status(arguments)) => node::status(&arguments),
        Command::Party(PartyCommand::Run(arguments)) => party::run(&arguments),
        Command::Party(PartyCommand::Keys(arguments)) => party::keys(&arguments),
        Command::Init(InitCommand::Committee(arguments)) => init::committee(&arguments),
        Command::Steward(StewardCommand::Run(arguments)) => steward::run(&arguments),
        Command::Steward(StewardCommand::Abandon(arguments)) => steward::abandon(&arguments),
        Command::Issuer(IssuerCommand::Run(arguments)) => issuer::run(&arguments),
        Command::Issuer(IssuerCommand::Code(arguments)) => issuer::admission::make(&arguments),
        Command::Issuer(IssuerCommand::Codes(arguments)) => issuer::admission::show(&arguments),
        Command::Issuer(IssuerCommand::Revoke(arguments)) => issuer::admission::revoke(&arguments),
        Command::Client(ClientCommand::Submit(arguments)) => client::submit(&arguments),
        Command::Client(ClientCommand::Status(arguments)) => client::status(&arguments),
        Command::Party(PartyCommand::Status(arguments)) => party::status(&arguments),
        Command::Party(PartyCommand::Doctor(arguments)) => party::doctor(&arguments),
        Command::Party(PartyCommand::Backup(arguments)) => party::backup(&arguments),
        Command::Party(PartyCommand::Restore(arguments)) => party::restore(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::error(&failure, json);
            failure.code().into()
        }
    }
}
