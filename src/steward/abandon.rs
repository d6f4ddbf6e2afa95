//! `cwe steward abandon`: gives an epoch up on the chain, beside a steward that runs or without one.

use super::settings;
use crate::{
    account::{self, Wallet},
    cli::{Abandon, Ask, Sending},
    output::Failure,
};
use chain::{Payload, modules::usage::AbandonEpoch};
use primitives::{Digest, Domain, EpochId, hash};
use serde_json::json;
use std::{thread, time::Duration};

/// How often it is signed again if a running steward was quicker with the next number of the account.
const TRIES: u32 = 5;
/// How long is waited before that.
const AGAIN: Duration = Duration::from_secs(1);

/// Gives an epoch up.
pub(crate) fn abandon(arguments: &Abandon) -> Result<(), Failure> {
    let Abandon { config, epoch, text, dry_run, no_wait, output } = arguments;
    let own = settings::steward(config)?;
    let reason = match text {
        Some(path) => account::document(path)?,
        None => unexplained(*epoch),
    };
    let how = Sending { no_wait: *no_wait, dry_run: *dry_run, ask: Ask { url: own.node, output: *output } };
    let wallet = Wallet::of((own.key, &own.key_file), &how.ask.url, None, Some(own.chain))?;
    let payload = Payload::AbandonEpoch(AbandonEpoch { epoch: *epoch, reason });
    let mut tries = 1;
    loop {
        // A steward that runs goes by what is in blocks: what it has under way is to come first.
        wallet.wait_for_block()?;
        let facts = vec![("epoch", json!(epoch)), ("reason", json!(reason))];
        match account::run_by(&wallet, &how, payload.clone(), facts) {
            Err(Failure::Chain(error)) if tries < TRIES && error.is_rule("envelope", "Nonce") => tries += 1,
            done => return done,
        }
        thread::sleep(AGAIN);
    }
}

/// The reason of whoever gives none: the hash of a sentence that says nothing more.
fn unexplained(epoch: EpochId) -> Digest {
    hash::hash(Domain::Document, &[format!("epoch {epoch} was given up by the steward").as_bytes()])
}
