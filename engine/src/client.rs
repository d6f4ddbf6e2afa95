//! The subscriber's client: from a usage log to receipts of every bundle.
//!
//! | Module | What it does |
//! |---|---|
//! | [`log`] | reads what was played |
//! | `review` | what is asked of a log before anything is begun with it |
//! | `plan` | which plays count, and which bundle each goes into |
//! | [`journal`] | what is on disk, before anything leaves that rests on it |
//! | `make` | key, token, bundles |
//! | `backing` | receipts, and how it goes on without |
//! | [`submit`] | hands the bundles in to all three parties, in the order of the subscriber's chain of `Cum` |
//! | [`status`] | what became of them, checked against the record |
//! | [`outcome`] | what parties say for good, and what may be wrong with them |
//! | [`link`], [`http`] | signers, parties and record, as a client reaches them |
//! | `retire` | forgets what is secret of an epoch that is over |
//! | [`record`] | the record, read from a node in the same process or a full node of the client's own |
//!
//! A client may be killed between any two steps and started again. What it then sends is what it sent before, byte for
//! byte: the issuer signs one request of a subscriber in an epoch, and another spelling of a bundle would be refused as a
//! replay of the first. So each request and each bundle is on disk before it leaves.
//!
//! The token's issuer knows who asks and never sees the key that it signs. Signers of receipts know who asks and see no key
//! either, but they do see how many receipts of which denominations are asked for, and bundles show as many under the key:
//! docs/privacy.md has what follows from it. Nothing here writes a work, a key or an identifier to a log of the program.
//! That the parties do not learn the subscriber's address is for the network between: [`http::Circuits`] lead through an
//! anonymising one.

mod backing;
pub mod http;
pub mod journal;
pub mod link;
pub mod log;
mod make;
pub mod outcome;
mod plan;
pub mod record;
mod retire;
mod review;
pub mod status;
pub mod submit;

pub use crate::api::Receipt;
pub use backing::NotBacked;
pub use journal::{Disk, Folder, JournalError};
pub use link::{Answer, Clock, LinkError, MachineClock, Parties, Patience, Record, Signers, Standing};
pub use log::{Lines, LogError, Play, UsageLog};
pub use outcome::Trouble;
pub use plan::Summary;
pub use review::HandedIn;
pub use status::{BundleState, BundleStatus};
pub use submit::Report;

use crate::message::OpenedEpoch;
use journal::Journal;
use plan::Plan;
use primitives::{
    CodecError, Decode, Digest, Encode, EpochId, PartyId, Reader, RegionTag, Tier, Writer, codec_struct,
    limits,
};
use proofs::{blind::BlindError, bundle::ProveError, receipt::Denomination};
use rand_core::{CryptoRng, RngCore};
use std::time::Duration;
use thiserror::Error;

/// Whose client it is, and how it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The tier that is subscribed to.
    pub tier: Tier,
    /// The region that serves the subscriber, or [`RegionTag::NONE`]: then no play is backed.
    pub region: RegionTag,
    /// Window of the epoch in which the bundles say that they are handed in, below [`limits::WINDOWS`].
    pub window: u16,
    /// Longest time to wait between what issuers sign and the first bundle. How long is drawn: both know when they are asked.
    pub delay: Duration,
    /// How long to try.
    pub patience: Patience,
}

/// Why a client cannot go on. What it has so far is on disk, and it may start again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Its files cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The epoch does not have the tier.
    #[error("the epoch has no tier {tier}; its tiers are on the chain")]
    UnknownTier {
        /// The tier.
        tier: Tier,
    },
    /// The epoch has no signers of receipts for the region.
    #[error("the epoch has no signers of receipts for region {region}; choose another or none")]
    UnknownRegion {
        /// The region.
        region: RegionTag,
    },
    /// There is no such window.
    #[error("window {window} is not below {limit}", limit = limits::WINDOWS)]
    Window {
        /// The window.
        window: u16,
    },
    /// The folder is for something else.
    #[error("the folder is for another {what}; use one folder for each epoch and subscription")]
    OtherFolder {
        /// What differs.
        what: &'static str,
    },
    /// No play of the log counts. Nothing was begun, and no token was asked for.
    #[error(
        "no play of the log counts: of {}, the epoch does not have the works of {}, and less than a quarter was played of \
         {}; nothing was begun",
        .summary.plays, .summary.unknown, .summary.short
    )]
    NothingCounts {
        /// What became of the plays.
        summary: Summary,
    },
    /// The folder was begun with another log.
    #[error(
        "epoch {epoch} was begun with another log: it takes one of a subscription; hand that one in to its end, and other \
         plays in the next epoch"
    )]
    OtherLog {
        /// The folder's epoch.
        epoch: EpochId,
    },
    /// The record of the chain gives no answer.
    #[error("the record of the chain {0}")]
    Record(LinkError),
    /// A signer's key on the chain is no key.
    #[error("the key of the {who} on the chain cannot be used: {error}")]
    Key {
        /// Whose.
        who: &'static str,
        /// What is wrong.
        error: BlindError,
    },
    /// A signer gives nothing.
    #[error("the {who} {error}")]
    Signer {
        /// Which.
        who: &'static str,
        /// What it did.
        error: LinkError,
    },
    /// A signer's answer does not lead to a signature under its key on the chain.
    #[error("the answer of the {who} is no signature under its key on the chain: {error}; complain to it")]
    Forged {
        /// Which.
        who: &'static str,
        /// What is wrong.
        error: BlindError,
    },
    /// No bundle can be made.
    #[error("no bundle can be made: {0}")]
    Prove(ProveError),
    /// The epoch's window closed before all bundles were made: none was handed in.
    #[error("epoch {epoch} takes no bundles in any more, and nothing of the log was handed in")]
    Closed {
        /// The epoch.
        epoch: EpochId,
    },
    /// Two parties refuse a bundle: it is not counted, and none that goes on from it.
    #[error("bundle {bundle} is refused by {}: it is not counted, and no later one", spelled(.by))]
    Refused {
        /// Its place, from 0.
        bundle: usize,
        /// Who, and why in a word.
        by: Vec<(PartyId, String)>,
    },
    /// Fewer than two parties have taken a bundle in.
    #[error("bundle {bundle} was taken in by {promised} of 3 parties, and two are needed ({}); start again later", spelled(.troubles))]
    TooFewPromises {
        /// Its place, from 0.
        bundle: usize,
        /// Parties that have.
        promised: usize,
        /// What the others did.
        troubles: Vec<(PartyId, Trouble)>,
    },
}

fn spelled<T: std::fmt::Display>(list: &[(PartyId, T)]) -> String {
    let each: Vec<_> = list.iter().map(|(party, what)| format!("party {party}: {what}")).collect();
    if each.is_empty() { "nobody says why".into() } else { each.join("; ") }
}

/// How far a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// What will be handed in is decided.
    Planned(Summary),
    /// The token is there.
    Token,
    /// So many receipts were obtained.
    Receipts {
        /// Obtained.
        done: usize,
        /// In all, of those that are to be had.
        of: usize,
    },
    /// So many bundles are made.
    Made {
        /// Made.
        done: usize,
        /// In all.
        of: usize,
    },
    /// Nothing is handed in for so long: see [`Settings::delay`].
    Waits {
        /// How long.
        pause: Duration,
    },
    /// So many bundles were taken in by two parties or three.
    TakenIn {
        /// Taken in.
        done: usize,
        /// In all.
        of: usize,
    },
}

/// What a folder is for.
#[derive(PartialEq, Eq)]
struct Opening {
    contexts: Vec<Digest>,
    tier: Tier,
    region: RegionTag,
    window: u16,
}

impl Encode for Opening {
    fn encode(&self, w: &mut Writer) {
        w.seq(&self.contexts);
        self.tier.encode(w);
        self.region.encode(w);
        self.window.encode(w);
    }
}

impl Decode for Opening {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let contexts = r.seq(limits::MAX_SHARDS)?;
        let (tier, region) = (Decode::decode(r)?, Decode::decode(r)?);
        Ok(Self { contexts, tier, region, window: Decode::decode(r)? })
    }
}

/// That nothing more is made of the epoch, and what there was to decide.
struct Done {
    summary: Summary,
}

codec_struct!(Done { summary });

/// Names of the files.
mod file {
    use primitives::PartyId;

    pub(super) const EPOCH: &str = "epoch";
    pub(super) const FIRST: &str = "first";
    pub(super) const LAST: &str = "last";
    pub(super) const PLAN: &str = "plan";
    pub(super) const KEY: &str = "key";
    pub(super) const TOKEN: &str = "token";
    pub(super) const UNBACKED: &str = "unbacked";
    pub(super) const DONE: &str = "done";

    /// Kinds of files that there are for each bundle.
    pub(super) const SENT: &str = "sent";
    pub(super) const FINAL: &str = "final";
    pub(super) const MISSING: &str = "missing";
    pub(super) const ABSENT: &str = "absent";

    /// A file of one bundle.
    pub(super) fn of(kind: &str, bundle: usize) -> String {
        format!("{kind}-{bundle:05}")
    }

    /// What a party said of a bundle.
    pub(super) fn outcome(bundle: usize, party: PartyId) -> String {
        format!("{}-{party}", of("outcome", bundle))
    }
}

/// A subscriber's client in one epoch.
pub struct Client {
    journal: Journal,
    epoch: OpenedEpoch,
    settings: Settings,
}

impl Client {
    /// A client that keeps its files on `disk`. Files that are there already are gone on from.
    ///
    /// # Errors
    /// If the files are of another epoch, tier, region or window, or the epoch does not have what the settings name.
    pub fn open(disk: Box<dyn Disk>, epoch: OpenedEpoch, settings: Settings) -> Result<Self, ClientError> {
        let Settings { tier, region, window, .. } = settings;
        let keys = &epoch.shards[0].keys;
        if !keys.tiers.contains_key(&tier) {
            return Err(ClientError::UnknownTier { tier });
        }
        if let Some(own) = region.0
            && !Denomination::all().all(|d| keys.regions.contains_key(&(own, d)))
        {
            return Err(ClientError::UnknownRegion { region });
        }
        if window >= limits::WINDOWS {
            return Err(ClientError::Window { window });
        }
        let contexts = epoch.shards.iter().map(|context| context.digest).collect();
        let (journal, own) = (Journal::new(disk), Opening { contexts, tier, region, window });
        match journal.get::<Opening>(file::EPOCH)? {
            None => journal.put(file::EPOCH, &own)?,
            Some(found) => {
                let differs = [
                    (found.contexts != own.contexts, "epoch"),
                    (found.tier != own.tier, "tier"),
                    (found.region != own.region, "region"),
                    (found.window != own.window, "window"),
                ];
                if let Some((_, what)) = differs.into_iter().find(|(differs, _)| *differs) {
                    return Err(ClientError::OtherFolder { what });
                }
            }
        }
        Ok(Self { journal, epoch, settings })
    }

    /// All there is to do with a log, from whatever step the last run came to: plan, token, receipts, bundles, and handing
    /// them in. What the bundles became is found out by [`Client::status`].
    ///
    /// Plays for which the issuer of receipts gives none are handed in as not backed: see [`Report::not_backed`].
    ///
    /// # Errors
    /// If a step fails. Started again, the client goes on from there.
    pub fn run(
        &self,
        log: &UsageLog,
        signers: &dyn Signers,
        (parties, clock): (&dyn Parties, &dyn Clock),
        rng: &mut (impl RngCore + CryptoRng),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, ClientError> {
        self.is_begun(log)?;
        if let Some(Done { summary }) = self.journal.get(file::DONE)? {
            return self.reported(summary);
        }
        let mut plan = self.plan(log, rng)?;
        progress(Progress::Planned(plan.summary));
        let bundles = self.make(&mut plan, signers, clock, rng, progress)?;
        if let Some(pause) = self.pause(rng)? {
            progress(Progress::Waits { pause });
            clock.sleep(pause);
        }
        // What leaves after the window is counted nowhere, and may have been as far as an earlier epoch's plays are asked for.
        if !bundles.is_empty() && !self.journal.has(&file::of(file::SENT, 0))? {
            self.check_open(clock)?;
        }
        self.submit(plan.summary, &bundles, (parties, clock), progress)
    }

    /// The plan on disk, which is of this log, or one of the log.
    fn plan(&self, log: &UsageLog, rng: &mut (impl RngCore + CryptoRng)) -> Result<Plan, ClientError> {
        match self.journal.get::<Plan>(file::PLAN)? {
            Some(mut plan) => {
                if let Some(lacking) = self.lacking()? {
                    lacking.apply(&mut plan);
                }
                Ok(plan)
            }
            None => {
                let plan = Plan::make(log, &self.epoch, &self.settings, rng)?;
                if plan.bundles.is_empty() {
                    return Err(ClientError::NothingCounts { summary: plan.summary });
                }
                if let (Some(first), Some(last)) = (log.first(), log.last()) {
                    self.journal.put(file::FIRST, &first)?;
                    self.journal.put(file::LAST, &last)?;
                }
                self.journal.put(file::PLAN, &plan)?;
                Ok(plan)
            }
        }
    }
}
