//! A slow reference model of the ledger, and histories that both have to agree on.
//!
//! The model is written from the rules, in plain maps and big numbers, and shares no code with the ledger but the types
//! of payloads and errors. Each transaction of a history gets the same answer from both, to the fields of the error.

mod compare;
mod draw;
mod eco;
mod elections;
mod epochs;
mod history;
mod identity;
mod jury;
mod killed;
mod model;
mod mutate;
mod nodes;
mod payouts;
mod proposals;
mod seen;
mod settings;
mod treasury;
mod weight;
mod works;

use history::History;
use seen::Seen;
use std::env;

/// Seeds of every test run, and blocks of each history.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=12;
const BLOCKS: usize = 50;
/// Seeds of a long run: `from..to`.
const LONG: &str = "CWE_REFERENCE_SEEDS";

/// Draws a history and compares ledger and model all the way.
fn history(seed: u64, blocks: usize) -> History {
    println!("seed {seed}");
    let mut history = History::new(seed);
    history.run(blocks);
    history.seen.outcomes(&history.model);
    history
}

fn report(seen: &Seen) {
    for ((kind, answer), count) in &seen.0 {
        println!("{count:6} {kind}: {answer}");
    }
}

/// Kinds of transactions that histories must have seen done, and refused.
const KINDS: [&str; 35] = [
    "Register",
    "SetStatus",
    "Rotate",
    "RegisterWork",
    "UpdateWork",
    "DeprecateWork",
    "Transfer",
    "AttestReserve",
    "Mint",
    "Burn",
    "PublishKeys",
    "OpenEpoch",
    "ReportRevenue",
    "FinaliseEpoch",
    "AbandonEpoch",
    "Claim",
    "PushValuation",
    "AcceptValuation",
    "BuyAsset",
    "Propose",
    "Withdraw",
    "Deliberate",
    "Vote",
    "CouncilSay",
    "Enact",
    "CallElection",
    "Stand",
    "Elect",
    "CloseElection",
    "OpenCase",
    "WithdrawCase",
    "DrawJury",
    "ChallengeJuror",
    "JuryVote",
    "CloseCase",
];

#[test]
fn ledger_and_model_agree_on_histories() {
    let mut seen = Seen::default();
    for seed in SEEDS {
        let history = history(seed, BLOCKS);
        // Once here, since it takes as long as the rest, and every time in the long run.
        if seed == *SEEDS.start() {
            history.replays();
        }
        seen.merge(history.seen);
    }
    report(&seen);
    let never_done = KINDS.iter().filter(|kind| seen.count(Some(kind), "done") == 0);
    let never_refused = KINDS.iter().filter(|kind| seen.of_kind(kind) == seen.count(Some(kind), "done"));
    let never_met = ANSWERS.iter().filter(|answer| seen.count(None, answer) == 0);
    assert_eq!(never_done.collect::<Vec<_>>(), [&""; 0], "never done");
    assert_eq!(never_refused.collect::<Vec<_>>(), [&""; 0], "never refused");
    assert_eq!(never_met.collect::<Vec<_>>(), [&""; 0], "rules that nothing ran into");
    let never_so = ENDS.iter().filter(|(what, end)| seen.count(Some(what), end) == 0);
    assert_eq!(never_so.collect::<Vec<_>>(), [&("", ""); 0], "what nothing came to");
}

#[test]
#[ignore = "takes as long as it has seeds, from..to in CWE_REFERENCE_SEEDS"]
fn ledger_and_model_agree_on_many_histories() {
    let Ok(range) = env::var(LONG) else {
        return println!("no seeds in {LONG}");
    };
    let (from, to) = range.split_once("..").expect("from..to");
    let bound = |text: &str| text.parse::<u64>().expect("a seed");
    let mut seen = Seen::default();
    for seed in bound(from)..bound(to) {
        let history = history(seed, BLOCKS);
        history.replays();
        seen.merge(history.seen);
    }
    report(&seen);
}

/// Rules that histories must have run into.
const ANSWERS: [&str; 49] = [
    "Envelope Nonce",
    "Envelope Signature",
    "Envelope Unsigned",
    "Envelope NeedlesslySigned",
    "Envelope NoAccount",
    "Envelope Fee",
    "Identity NotRegistrar",
    "Identity AlreadyRegistered",
    "Identity Step",
    "Identity Unknown",
    "Identity RotatedLately",
    "Work NotCreator",
    "Work CreatorNotActive",
    "Work TermsPlanned",
    "Work BackLater",
    "Treasury NotAuditor",
    "Treasury Reserve",
    "Treasury Balance",
    "Treasury NothingToMove",
    "Usage FewerThanSold",
    "Usage Settled",
    "Usage PreviousOpen",
    "Dapr PreviousNotOver",
    "Dapr AlreadyClaimed",
    "Dapr NotOwed",
    "Eco NotOracle",
    "Eco Interested",
    "Eco OtherRound",
    "Eco TooSoon",
    "Eco TooFewReports",
    "Governance HasVetoed",
    "Governance NotVoter",
    "Governance VoterTooLate",
    "Governance Stage",
    "Governance AlreadyVoted",
    "Governance NotCouncillor",
    "Governance NotTheCouncils",
    "Governance Heavier",
    "Governance NotApproved",
    "Governance Epoch",
    "Governance ElectionRuns",
    "Governance NoVacancy",
    "Governance ElectionTime",
    "Governance NoBeaconYet",
    "Governance NotComplainant",
    "Governance BeaconRevealed",
    "Governance NoChallengesNow",
    "Governance JurorVoted",
    "Governance Undecided",
];

/// What things in histories must have come to.
const ENDS: [(&str, &str); 15] = [
    ("epoch", "Finalised"),
    ("epoch", "Abandoned"),
    ("case", "Granted"),
    ("case", "Dismissed"),
    ("case", "NoJury"),
    ("case", "Withdrawn"),
    ("proposal", "Enacted"),
    ("proposal", "Vetoed"),
    ("proposal", "Withdrawn"),
    ("proposal", "Rejected"),
    ("proposal", "Expired"),
    ("council elected", "true"),
    ("council elected", "false"),
    ("asset", "Held"),
    ("asset", "Sold"),
];
