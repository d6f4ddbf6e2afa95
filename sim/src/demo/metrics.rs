//! Figures of a run.

use super::{ChainMoney, OnLayer1};
use crate::{
    report::{several, thousands},
    workload::Capped,
};
use primitives::{Digest, Preset, RegionTag};
use serde::Serialize;
use std::collections::BTreeMap;

/// Figures of a run: `metrics.json`. Amounts are in micro-credits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    /// Decides every draw.
    pub seed: u64,
    /// Name of the parameters.
    pub preset: Preset,
    /// Threshold of the run.
    pub k_anonymity: u32,
    /// Threshold of the preset.
    pub k_anonymity_of_preset: u32,
    /// The party that was to cheat, and how, if one was.
    pub adversary: Option<String>,
    /// Whether the parties stopped. Their word is in `reason`; here they did not.
    pub aborted: bool,
    /// The party that evidence was found against, if there is any.
    pub named_party: Option<u8>,
    /// Why that party is named.
    pub reason: Option<String>,
    /// The party whose seat the standby took, if it did.
    pub replaced_party: Option<u8>,
    /// Works of which a cell was published in the last epoch.
    pub works_published: usize,
    /// Works of which usage is carried over from it, as the simulator knows.
    pub works_carried: usize,
    /// Part of all value that is carried over, as the simulator knows.
    pub value_carried_share: f64,
    /// The epochs of the run, in order.
    pub epochs: Vec<EpochMetrics>,
    /// Subscribers, those without an event among them.
    pub subscribers: usize,
    /// What was sold of each tier, and who was counted.
    pub tiers: Vec<TierMetrics>,
    /// Receipts in counted bundles, by region.
    pub regions: Vec<RegionMetrics>,
    /// Subscribers whose value reaches the cap, and their events beyond it, which were not handed in.
    pub capped: Capped,
    /// Bundles of which a party complained with evidence: they were struck.
    pub complaints: u64,
    /// Those of them that were about attacks.
    pub complaints_about_attacks: u64,
    /// Works.
    pub works: usize,
    /// Shards that they were dealt to.
    pub shards: usize,
    /// Creators.
    pub creators: usize,
    /// Events in everything that was handed in, attacks included; padding is not counted.
    pub events_submitted: u64,
    /// Events that were counted: rows of `workload.csv`.
    pub events_accepted: u64,
    /// Bundles that were handed in, attacks included.
    pub bundles_submitted: u64,
    /// Bundles in final batches.
    pub bundles_accepted: u64,
    /// Final batches.
    pub batches: u64,
    /// Bundles refused because they, or an event of them, had come before.
    pub duplicates_rejected: u64,
    /// Bundles refused because their proof does not hold.
    pub forged_rejected: u64,
    /// Refused bundles by the kind of their refusal.
    pub refusals: BTreeMap<String, u64>,
    /// Honest bundles that were not counted. There should be none.
    pub honest_rejected: u64,
    /// Whether every attack was refused as expected.
    pub attacks_refused_as_expected: bool,
    /// Whether a light client accepted the record against a replaying node's state root.
    pub tally_verified: bool,
    /// Whether a plaintext count by other code equals every opened total.
    pub totals_match_plaintext: bool,
    /// What subscribers paid.
    pub revenue: u64,
    /// The pool of creators.
    pub pool: u64,
    /// Sum of the claims that were paid.
    pub paid_total: u64,
    /// Claims that were paid.
    pub claims_ok: u64,
    /// Claims that were refused. There should be none.
    pub claims_refused: u64,
    /// Second claims that were tried.
    pub double_claims_tried: u64,
    /// Second claims that were refused.
    pub double_claims_rejected: u64,
    /// Funds of the chain, and rewards of those who run it.
    pub chain: ChainMoney,
    /// What L1 has in the end.
    pub layer1: OnLayer1,
    /// State root of the block that settled the epoch, from a node that replayed the log.
    pub state_root: Digest,
    /// Messages that each actor handled.
    pub actors: BTreeMap<String, ActorMetrics>,
    /// Messages that actors dropped as making no sense, by reason.
    pub messages_dropped: BTreeMap<String, u64>,
}

impl Metrics {
    /// Who was to cheat, in a sentence, if anybody was.
    pub fn adversary_in_words(&self) -> Option<String> {
        let adversary = self.adversary.as_ref()?;
        let named = match self.named_party {
            Some(party) => format!("party {party} is named with evidence"),
            None => "nobody is named".into(),
        };
        Some(format!(
            "Adversary {adversary}: the epoch was settled all the same, and {named}. It had no occasion, or the others went on without it."
        ))
    }

    /// Who was replaced, in a sentence, if anybody was.
    pub fn replaced_in_words(&self) -> Option<String> {
        let party = self.replaced_party?;
        Some(format!(
            "Party {party} was gone: the standby has its seat, and its shares from the two parties that stayed."
        ))
    }

    /// Whom the cap cut short, in a sentence.
    pub fn cap_in_words(&self) -> String {
        format!(
            "Capped subscribers: {} of {}, {} beyond the cap.",
            thousands(self.capped.subscribers),
            thousands(self.subscribers as u64),
            several(self.capped.events, "event", "events"),
        )
    }

    /// What stays closed for now, in a sentence.
    pub fn carried_in_words(&self) -> String {
        format!(
            "Carried over: usage of {}, {:.1} % of all value; cells are published from {} on.",
            several(self.works_carried as u64, "work", "works"),
            100.0 * self.value_carried_share,
            several(u64::from(self.k_anonymity.max(1)), "listener", "listeners"),
        )
    }

    /// What complaints were about, in a sentence. A bundle is struck for one reason alone: a share that does not open
    /// its commitment.
    pub fn complaints_in_words(&self) -> String {
        let about = match (self.complaints, self.complaints_about_attacks) {
            (0, _) => String::new(),
            (1, 1) => ", about the attack with a share that does not open its commitment".into(),
            (all, attacks) if all == attacks => {
                ", about attacks with a share that does not open its commitment".into()
            }
            (_, attacks) => format!(", {} of them about attacks", thousands(attacks)),
        };
        format!("Complaints handled: {}{about}.", thousands(self.complaints))
    }
}

/// What was published in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EpochMetrics {
    /// The epoch.
    pub epoch: u64,
    /// The party whose seat the standby took in it, if it did.
    pub replaced_party: Option<u8>,
    /// Works of which a cell was published.
    pub works_published: usize,
    /// Works of which usage is carried over.
    pub works_carried: usize,
    /// Part of all value that is carried over.
    pub value_carried_share: f64,
    /// Whether a plaintext count by other code equals every published total.
    pub totals_match_plaintext: bool,
    /// What works were paid.
    pub paid: u64,
}

/// Subscribers of a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TierMetrics {
    /// Tier.
    pub tier: u8,
    /// Subscriptions on record when the epoch opened: most subscribers that parties take in.
    pub sold: u64,
    /// Subscribers of whom a bundle was counted.
    pub subscribers: u64,
}

/// Receipts of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RegionMetrics {
    /// Region.
    pub region: RegionTag,
    /// Receipts that were spent.
    pub receipts: u64,
    /// Views that they stand for.
    pub views: u64,
}

/// How busy an actor was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ActorMetrics {
    /// Messages that it handled.
    pub messages: u64,
}
