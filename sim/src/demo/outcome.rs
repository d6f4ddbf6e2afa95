//! What a run came to: figures, verdicts, and the rows of its files.

use super::{
    ChainMoney, EarlierEpoch, OnLayer1, Statements, Verified,
    claims::Claimed,
    collect::{Away, Collected},
    evidence::{EvidenceRow, in_words},
    folder::Manifest,
    metrics::{ActorMetrics, EpochMetrics, Metrics, RegionMetrics, TierMetrics},
};
use crate::{
    adversary::Attack,
    check::{Comparison, TruthRow, event_value},
    progress::Stage,
    rogue::Adversary,
    workload::Workload,
    world::World,
};
use chain::light::{EpochRecord, SignerKeys, record::TierRecord};
use engine::Refusal;
use primitives::{PartyId, PersonId, Preset, RegionTag, WorkId};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A statement about the run, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The statement.
    pub claim: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was compared, or what is wrong.
    pub detail: String,
}

/// How an attack was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttackReport {
    /// What was tried.
    pub attack: String,
    /// The refusal that was expected.
    pub expected: String,
    /// What each party answered.
    pub seen: String,
    /// Whether it was refused as expected.
    pub as_expected: bool,
}

/// A row of `payouts.csv`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PayoutRow {
    /// Epoch.
    pub epoch: u64,
    /// Work.
    pub work_id: WorkId,
    /// Who is paid.
    pub payee: PersonId,
    /// How much, in micro-credits.
    pub amount_microcredits: u64,
    /// Whether it was claimed.
    pub claimed: bool,
}

/// What a run came to.
pub struct Outcome {
    /// How to get it again.
    pub manifest: Manifest,
    /// Figures.
    pub metrics: Metrics,
    /// What was checked.
    pub verdicts: Vec<Verdict>,
    /// How attacks were answered.
    pub attacks: Vec<AttackReport>,
    /// Accepted events of all epochs.
    pub rows: Vec<TruthRow>,
    /// Payouts.
    pub payouts: Vec<PayoutRow>,
    /// The public record.
    pub record: EpochRecord,
    /// Epochs before it.
    pub earlier: Vec<EarlierEpoch>,
    /// An honest bundle, as it was handed in: the first with receipts, if there is one.
    pub sample: Vec<u8>,
    /// Keys of the blind signers.
    pub signers: SignerKeys,
    /// What the parties published of accepted bundles.
    pub statements: Statements,
    /// Names of works.
    pub names: BTreeMap<WorkId, String>,
    /// The workload.
    pub workload: Workload,
    /// Evidence against a party.
    pub evidence: Vec<EvidenceRow>,
    /// What happened while an actor was away.
    pub away: Option<Away>,
    /// How long each stage took. Stages may overlap.
    pub timings: Vec<(Stage, Duration)>,
}

impl Outcome {
    /// Whether everything that was checked holds.
    pub fn holds(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.holds)
    }

    /// What a reader has to know of what this run does not show.
    pub fn notes(&self) -> Vec<String> {
        notes(self.metrics.k_anonymity)
    }
}

/// What a reader has to know of what a run with this threshold does not show.
pub fn notes(k_anonymity: u32) -> Vec<String> {
    match k_anonymity {
        0 | 1 => vec![format!(
            "k_anonymity is {k_anonymity}: a work that one subscriber alone played is published, and says what that one \
             played"
        )],
        k => vec![format!(
            "a work's usage in a tier is published from {k} listeners on; what has fewer is carried over, and its \
             share of the pool goes to published works meanwhile"
        )],
    }
}

/// Rows of the accepted events, by subscriber and in the order of their events.
pub(super) fn truth(workload: &Workload, world: &World, collected: &Collected) -> Vec<TruthRow> {
    let accepted = collected.honest.iter().filter(|(id, _)| collected.accepted.contains(id));
    let events = accepted.flat_map(|(_, handed)| {
        let at = |place: &usize| (handed.subscriber, *place, u8::from(handed.parcel.region));
        handed.parcel.events.iter().map(at)
    });
    let mut events: Vec<_> = events.collect();
    events.sort_unstable();
    let params = &world.params;
    let row = |(subscriber, place, region): (usize, usize, u8)| {
        let subscriber = &workload.subscribers[subscriber];
        let event = &subscriber.events[place];
        TruthRow {
            epoch: world.epoch.0,
            subscriber: subscriber.name.clone(),
            tier: subscriber.tier.0,
            region,
            work_id: world.works[event.work],
            view: event.view,
            quarters: event.quarters,
            backed: u8::from(event.backed),
            value: event_value(params.k, params.j_max, event.view, event.quarters),
        }
    };
    events.into_iter().map(row).collect()
}

/// Everything that an outcome is made from.
pub(super) struct Inputs {
    pub(super) manifest: Manifest,
    pub(super) adversary: Option<Adversary>,
    pub(super) preset: Preset,
    pub(super) workload: Workload,
    pub(super) world: World,
    pub(super) collected: Collected,
    pub(super) messages: BTreeMap<String, u64>,
    pub(super) rows: Vec<TruthRow>,
    pub(super) comparison: Comparison,
    pub(super) record: EpochRecord,
    pub(super) earlier: Vec<EarlierEpoch>,
    pub(super) claimed: Claimed,
    pub(super) money: ChainMoney,
    pub(super) layer1: OnLayer1,
    pub(super) verified: Verified,
    pub(super) timings: Vec<(Stage, Duration)>,
}

impl Inputs {
    /// Draws the conclusions.
    pub(super) fn conclude(self) -> Outcome {
        let attacks = self.collected.attacks.iter().map(|attack| self.report(attack)).collect::<Vec<_>>();
        let metrics = self.metrics(&attacks);
        let verdicts = self.verdicts(&metrics, &attacks);
        let names = self.world.works.iter().zip(&self.workload.works);
        let payout = |(claim, claimed): &(chain::modules::dapr::Claim, bool)| PayoutRow {
            epoch: claim.epoch.0,
            work_id: claim.work,
            payee: claim.payee,
            amount_microcredits: claim.amount.0,
            claimed: *claimed,
        };
        let rows =
            self.earlier.iter().flat_map(|epoch| epoch.rows.iter().cloned()).chain(self.rows).collect();
        Outcome {
            manifest: self.manifest,
            metrics,
            verdicts,
            attacks,
            rows,
            payouts: self.claimed.claims.iter().map(payout).collect(),
            record: self.record,
            earlier: self.earlier,
            sample: self.collected.sample.map_or_else(Vec::new, |parcel| parcel.bytes.to_vec()),
            signers: self.collected.signers,
            statements: self.collected.statements,
            names: names.map(|(id, spec)| (*id, spec.name.clone())).collect(),
            workload: self.workload,
            evidence: EvidenceRow::of(&self.collected.evidence, None),
            away: self.collected.away,
            timings: self.timings,
        }
    }

    fn report(&self, attack: &Attack) -> AttackReport {
        let seen = self.collected.seen(attack);
        // The bytes of a duplicate are those of a bundle that was accepted once.
        let duplicate = attack.expected.refusal() == Refusal::Duplicate;
        let counted = !duplicate && self.collected.accepted.contains(&attack.parcel.id);
        AttackReport {
            attack: attack.name.clone(),
            expected: attack.expected.refusal().to_string(),
            seen: if counted { "it was counted".into() } else { describe(&seen) },
            as_expected: attack.expected.met(&seen) && !counted,
        }
    }

    fn metrics(&self, attacks: &[AttackReport]) -> Metrics {
        let Self { collected, claimed, world, .. } = self;
        let honest: u64 = collected.honest.values().map(|h| h.parcel.events.len() as u64).sum();
        let refused = collected.refusals.values().chain(collected.duplicates.values());
        let mut refusals: BTreeMap<String, u64> = BTreeMap::new();
        for by_party in refused {
            *refusals.entry(kind(by_party).to_owned()).or_default() += 1;
        }
        let of = |kinds: &[&str]| kinds.iter().filter_map(|kind| refusals.get(*kind)).sum();
        let claims_ok = claimed.claims.iter().filter(|(_, paid)| *paid).count() as u64;
        let money = &self.record.revenue;
        Metrics {
            seed: self.workload.seed,
            preset: self.preset,
            k_anonymity: world.params.k_anonymity,
            k_anonymity_of_preset: self.preset.params().k_anonymity,
            adversary: self.adversary.map(|adversary| adversary.to_string()),
            aborted: false,
            named_party: collected.evidence.first().map(|evidence| u8::from(evidence.party())),
            reason: collected.evidence.first().map(in_words),
            replaced_party: self.epochs().iter().find_map(|epoch| epoch.replaced_party),
            epochs: self.epochs(),
            works_published: self.comparison.works_published,
            works_carried: self.comparison.works_carried,
            value_carried_share: self.comparison.value_carried_share(),
            subscribers: self.workload.subscribers.len(),
            tiers: self.tiers(),
            regions: self.regions(),
            capped: self.workload.capped,
            complaints: collected.struck.len() as u64,
            complaints_about_attacks: collected
                .attacks
                .iter()
                .filter(|attack| collected.struck.contains(&attack.parcel.id))
                .count() as u64,
            works: world.works.len(),
            shards: self.record.shards.len(),
            creators: world.creators.len(),
            events_submitted: honest + collected.attacks.iter().map(|attack| attack.events).sum::<u64>(),
            events_accepted: self.rows.len() as u64,
            bundles_submitted: (collected.honest.len() + collected.attacks.len()) as u64,
            bundles_accepted: collected.accepted.len() as u64,
            batches: collected.batches,
            duplicates_rejected: of(&["duplicate", "replay"]),
            forged_rejected: of(&["proof"]),
            honest_rejected: collected.honest.keys().filter(|id| !collected.accepted.contains(id)).count()
                as u64,
            attacks_refused_as_expected: attacks.iter().all(|attack| attack.as_expected),
            tally_verified: self.verified.light.is_ok(),
            totals_match_plaintext: self.comparison.holds()
                && self.earlier.iter().all(|epoch| epoch.comparison.holds()),
            revenue: money.revenue.0,
            pool: money.creators.0 + money.carried_in.0,
            paid_total: claimed.paid.0,
            claims_ok,
            claims_refused: claimed.claims.len() as u64 - claims_ok,
            double_claims_tried: claimed.doubles_tried,
            double_claims_rejected: claimed.doubles_rejected,
            state_root: self.verified.root,
            actors: self
                .messages
                .iter()
                .map(|(name, n)| (name.clone(), ActorMetrics { messages: *n }))
                .collect(),
            chain: self.money.clone(),
            layer1: self.layer1.clone(),
            messages_dropped: collected.dropped.clone(),
            refusals,
        }
    }

    /// What was published in each epoch.
    fn epochs(&self) -> Vec<EpochMetrics> {
        let earlier = self.earlier.iter().map(|epoch| (&epoch.record, &epoch.comparison));
        let last = (&self.record, &self.comparison);
        let figures = |(record, comparison): (&EpochRecord, &Comparison)| EpochMetrics {
            epoch: record.epoch.0,
            replaced_party: record.replacement.as_ref().map(|seated| u8::from(seated.party)),
            works_published: comparison.works_published,
            works_carried: comparison.works_carried,
            value_carried_share: comparison.value_carried_share(),
            totals_match_plaintext: comparison.holds(),
            paid: record.revenue.paid.0,
        };
        earlier.chain([last]).map(figures).collect()
    }

    /// What was sold of each tier, and who was counted.
    fn tiers(&self) -> Vec<TierMetrics> {
        let Collected { honest, accepted, .. } = &self.collected;
        let counted = honest.iter().filter(|(id, _)| accepted.contains(id));
        let counted: BTreeSet<usize> = counted.map(|(_, handed)| handed.subscriber).collect();
        let of_tier = |record: &TierRecord| {
            let tier = |subscriber: &&usize| self.workload.subscribers[**subscriber].tier == record.tier;
            let subscribers = counted.iter().filter(tier).count() as u64;
            TierMetrics { tier: record.tier.0, sold: record.sold, subscribers }
        };
        self.record.tiers.iter().map(of_tier).collect()
    }

    /// Receipts that were spent, by region.
    fn regions(&self) -> Vec<RegionMetrics> {
        let Collected { honest, accepted, .. } = &self.collected;
        let mut regions: BTreeMap<RegionTag, (u64, u64)> = BTreeMap::new();
        for (_, handed) in honest.iter().filter(|(id, _)| accepted.contains(id)) {
            let (receipts, views) = regions.entry(handed.parcel.region).or_default();
            *receipts += handed.parcel.receipts.0;
            *views += handed.parcel.receipts.1;
        }
        regions.remove(&RegionTag::NONE);
        let figures = |(region, (receipts, views))| RegionMetrics { region, receipts, views };
        regions.into_iter().map(figures).collect()
    }
}

/// The kind of a refused bundle: what a party found by itself, before what it heard from others.
fn kind(by_party: &BTreeMap<PartyId, Refusal>) -> &'static str {
    let heard = |refusal: &&Refusal| matches!(refusal, Refusal::Objected { .. } | Refusal::NotInTime);
    let found = by_party.values().find(|refusal| !heard(refusal)).or_else(|| by_party.values().next());
    found.map_or("none", Refusal::kind)
}

/// What the parties answered, in words.
fn describe(seen: &BTreeMap<PartyId, Refusal>) -> String {
    let mut values = seen.values();
    match values.next() {
        None => "nobody refused it".into(),
        Some(first) if seen.len() == PartyId::ALL.len() && values.all(|other| other == first) => {
            format!("all three parties: {first}")
        }
        Some(_) => {
            let one = |(party, refusal): (&PartyId, &Refusal)| format!("party {party}: {refusal}");
            seen.iter().map(one).collect::<Vec<_>>().join("; ")
        }
    }
}
