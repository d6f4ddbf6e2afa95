//! The check of a record: recompute, never trust.

use super::{
    decimal::Decimal256,
    figures::{MoneyRecord, Scales, WorkRecord},
    finding::Finding,
    record::{EpochRecord, FORMAT, ShardRecord},
};
use crate::{
    modules::{
        dapr::{Inputs, discovery::Health, payout::check_splits, revenues_commitment, settle},
        usage::{
            Aggregate, CarriedUsage, Epoch, Opening, Phase, aggregate_digest, beacon_key, check_tally,
            follow, freeze,
        },
    },
    poseidon::Felt,
    state::{
        TableId,
        table::{key_felt, value_felt},
        tables::TABLES,
    },
};
use primitives::{Credits, Digest, EpochId, PartyId, ShardIndex};
use proofs::{
    committee::Committee,
    shard::Shard,
    tally::{Residual, Running, Tally},
};
use std::fmt;
use thiserror::Error;

/// A record that does not hold: everything that was found, in the order of the check.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Refused {
    /// What does not hold; at least one finding.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, finding) in self.findings.iter().enumerate() {
            write!(f, "{}{finding}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// What a state root is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchoring {
    /// The record's state root is the one that the caller trusts.
    Anchored,
    /// No root was given: the record is consistent, and may be of a chain that somebody made up.
    NotAnchored,
}

/// A record that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Epoch.
    pub epoch: EpochId,
    /// Whether it is known to be of the caller's chain.
    pub anchoring: Anchoring,
    /// Its state root.
    pub state_root: Digest,
    /// Works checked.
    pub works: usize,
    /// Shards checked.
    pub shards: usize,
    /// Batches checked.
    pub batches: u64,
    /// Bundles that they count.
    pub bundles: u64,
    /// Sum of payouts.
    pub paid: Credits,
}

/// A field element as a digest, the form in which roots are told.
pub fn root_digest(root: &Felt) -> Digest {
    Digest(crate::poseidon::felt_to_bytes(root))
}

/// Checks a record from scratch, and against `trusted_root` if one is given.
///
/// Every figure is recomputed from the totals, the totals are held against the commitments of signed headers, and all
/// the rest against the epoch's leaf under the state root.
pub fn verify(record: &EpochRecord, trusted_root: Option<Digest>) -> Result<Verdict, Refused> {
    let mut findings = Vec::new();
    let epoch = check(record, trusted_root, &mut findings);
    match epoch {
        Some(epoch) if findings.is_empty() => Ok(Verdict {
            epoch: record.epoch,
            anchoring: if trusted_root.is_some() { Anchoring::Anchored } else { Anchoring::NotAnchored },
            state_root: root_digest(&record.state.root),
            works: record.works.len(),
            shards: record.shards.len(),
            batches: epoch.batches(),
            bundles: epoch.bundles(),
            paid: record.revenue.paid,
        }),
        _ => Err(Refused { findings }),
    }
}

/// The whole check. Stages that do not need each other all run, so that a reader sees every figure that is wrong.
fn check(record: &EpochRecord, trusted: Option<Digest>, findings: &mut Vec<Finding>) -> Option<Epoch> {
    let found = root_digest(&record.state.root);
    if let Some(expected) = trusted.filter(|expected| *expected != found) {
        findings.push(Finding::TrustedRoot { expected, found });
    }
    if record.format != FORMAT {
        findings.push(Finding::Format { found: record.format });
    }
    if record.scales != Scales::default() {
        findings.push(Finding::Scales);
    }
    let opening = keep(record.opening(), findings)?;
    let shards = check_opening(record, &opening, findings)?;
    let committee = keep(record.committee_of_totals(&opening), findings)?;
    let seat = record.replacement.as_ref().map(|seated| seated.party);
    let mut epoch = Some(Epoch::open(&opening));
    let mut tallies = Vec::new();
    for ((index, shard), part) in (0..).map(ShardIndex).zip(&shards).zip(&record.shards) {
        let walked = keep(headers(record, (&opening, epoch.clone()), (index, part)), findings);
        let (walked, running) = walked.unwrap_or_default();
        let parts = part.before(index).and_then(|before| Ok((before, part.tally(index, &running)?)));
        if let Some((before, opened)) = keep(parts, findings) {
            if let Some(walked) = &walked {
                let sums = (&running, &before.commitments, &opened);
                keep(check_totals((&opening, &committee, seat), (shard, walked), part, sums), findings);
            }
            tallies.push((before, opened));
        }
        epoch = epoch.and(walked);
    }
    // Without the totals of a shard no figure can be compared.
    if tallies.len() < shards.len() {
        return None;
    }
    let epoch = check_figures(record, &opening, &tallies, epoch?, findings)?;
    keep(check_state(record, &epoch), findings);
    Some(epoch)
}

/// The value, or `None` with the finding put on the list.
fn keep<T>(result: Result<T, Finding>, findings: &mut Vec<Finding>) -> Option<T> {
    result.map_err(|finding| findings.push(finding)).ok()
}

/// What the ledger checked when the epoch opened; gives the shards, if the record is of as many.
fn check_opening(record: &EpochRecord, opening: &Opening, findings: &mut Vec<Finding>) -> Option<Vec<Shard>> {
    let key = beacon_key(record.chain, record.epoch, &opening.block, &opening.reveals);
    if key != opening.key {
        findings.push(Finding::BeaconKey);
    }
    if !opening.skipped().eq(record.beacon.skipped.iter().copied()) {
        findings.push(Finding::Skipped);
    }
    keep(opening.params.check().map_err(Finding::Params), findings);
    let ascending = opening.tiers.is_sorted_by(|a, b| a.tier < b.tier);
    let usable =
        |tier: &primitives::params::TierTerms| tier.max_bundles > 0 && tier.has_a_cap_below(&opening.params);
    if opening.tiers.is_empty() || !ascending || !opening.tiers.iter().all(usable) {
        findings.push(Finding::Tiers);
    }
    for listed in &opening.works {
        let work = listed.work;
        keep(check_splits(&listed.splits).map_err(|error| Finding::Splits { work, error }), findings);
    }
    let shards = keep(opening.shards().map_err(Finding::Shard), findings)?;
    let (expected, found) = (shards.len(), record.shards.len());
    if found != expected {
        findings.push(Finding::Shards { expected, found });
        return None;
    }
    Some(shards)
}

/// Walks the headers of a shard to its frozen root; gives the epoch there and the shard's running commitments. Where an
/// earlier shard does not hold, the walk begins at an epoch of which nothing is anchored.
fn headers(
    record: &EpochRecord,
    (opening, before): (&Opening, Option<Epoch>),
    (shard, part): (ShardIndex, &ShardRecord),
) -> Result<(Option<Epoch>, Running), Finding> {
    let mut epoch = before.unwrap_or_else(|| Epoch::open(opening));
    let mut running = Running::default();
    for (position, header) in (0u64..).zip(&part.headers) {
        let signed = record.header((shard, position), header)?;
        epoch = follow(record.chain, opening, epoch, &running, &signed).map_err(|error| Finding::Header {
            shard,
            position,
            error,
        })?;
        running = signed.header.running;
    }
    let root = record.signed_root(shard, &part.root);
    let epoch =
        freeze(record.chain, opening, epoch, &root).map_err(|error| Finding::Root { shard, error })?;
    Ok((Some(epoch), running))
}

/// Holds the tally of a shard against the commitments, and against the committee's signatures.
fn check_totals(
    (opening, committee, seat): (&Opening, &Committee, Option<PartyId>),
    (shard, epoch): (&Shard, &Epoch),
    part: &ShardRecord,
    (running, before, tally): (&Running, &Residual, &Tally),
) -> Result<(), Finding> {
    let index = shard.index();
    let root = epoch.shard(index).and_then(|shard| shard.root.as_ref());
    let root = &root.expect("the headers were walked to the root").root;
    check_tally(opening, shard, (root, running, before), tally, &part.proof)
        .map_err(|error| Finding::Tally { shard: index, error })?;
    let message = aggregate_digest(root, tally, &part.proof);
    let signed = part.aggregate_signatures.verify(committee, &message, seat);
    signed.map_err(|error| Finding::AggregateSignatures { shard: index, error })
}

/// Recomputes every figure and compares; gives the settled epoch.
fn check_figures(
    record: &EpochRecord,
    opening: &Opening,
    tallies: &[(CarriedUsage, Tally)],
    mut epoch: Epoch,
    findings: &mut Vec<Finding>,
) -> Option<Epoch> {
    let revenues = record.revenues();
    let (taken, tallied): (_, Vec<&Tally>) =
        (record.taken_over(), tallies.iter().map(|(_, tally)| tally).collect());
    let inputs = Inputs { opening, revenues: &revenues, taken: &taken, tallies: &tallied };
    let settled = settle(&inputs).map_err(Finding::Settle);
    let (settlement, summary) = keep(settled, findings)?;
    let works = opening.works.iter().zip(&settlement.works);
    for ((listed, figures), found) in works.zip(&record.works) {
        compare_work(&WorkRecord::new(record.epoch, listed, figures), found, findings);
    }
    compare_money(&MoneyRecord::from(&summary), &record.revenue, findings);
    compare_health(&settlement.health, &record.health, findings);
    if record.sum_of_weights != Decimal256(summary.sum_of_weights) {
        findings.push(Finding::SumOfWeights);
    }
    if record.payout_root != summary.payout_root {
        findings.push(Finding::PayoutRoot);
    }
    for ((shard, part), (before, tally)) in (0..).map(ShardIndex).zip(&record.shards).zip(tallies) {
        let (proof, signatures) = (part.proof.clone(), part.aggregate_signatures.clone());
        let (before, tally) = (before.clone(), tally.clone());
        let aggregate = Aggregate { epoch: record.epoch, shard, before, tally, proof, signatures };
        epoch = epoch.aggregated(&aggregate);
    }
    let revenues = Some(revenues_commitment(&revenues));
    Some(Epoch { phase: Phase::Finalised, revenues, summary: Some(summary), ..epoch })
}

macro_rules! compare {
    ($expected:ident, $found:ident, [$($field:ident),* $(,)?], $report:expr) => {
        $(if $expected.$field != $found.$field {
            $report(stringify!($field));
        })*
    };
}

fn compare_work(expected: &WorkRecord, found: &WorkRecord, findings: &mut Vec<Finding>) {
    let work = expected.work_id;
    let mut report = |field| findings.push(Finding::Work { work, field });
    compare!(
        expected,
        found,
        [
            work_id,
            weighted_usage,
            raw_usage,
            bandwidth,
            epoch,
            shard,
            resting,
            payout,
            discovery_weight,
            reputation,
            previous_reputation,
            category,
            price,
            creator,
            listeners,
            views,
            backed,
            splits,
        ],
        report
    );
}

fn compare_money(expected: &MoneyRecord, found: &MoneyRecord, findings: &mut Vec<Finding>) {
    macro_rules! compare_amounts {
        ($($field:ident),* $(,)?) => {
            $(if expected.$field != found.$field {
                let (field, expected, found) = (stringify!($field), expected.$field, found.$field);
                findings.push(Finding::Money { field, expected, found });
            })*
        };
    }
    compare_amounts!(revenue, fee, eco, infra, creators, carried_in, paid, on_layer1, carried_out);
}

fn compare_health(expected: &Health, found: &Health, findings: &mut Vec<Finding>) {
    let mut report = |field| findings.push(Finding::Health { field });
    compare!(
        expected,
        found,
        [
            active_works,
            published_works,
            creators_paid,
            subscribers,
            events,
            gini,
            top_percent_share,
            effective_works,
            backed_share,
            categories,
        ],
        report
    );
}

/// Holds the epoch's leaf against the state root.
fn check_state(record: &EpochRecord, epoch: &Epoch) -> Result<(), Finding> {
    let state = &record.state;
    let (key, value) = (key_felt::<Epoch>(&record.epoch), value_felt(epoch));
    state.leaf.verify(state.leaf.root(), key, value).map_err(Finding::Leaf)?;
    let root = state.table.root(state.leaf.root()).map_err(Finding::TablePath)?;
    // The place in the list says which table it is: a leaf of another table proves nothing about epochs.
    let right_table = (state.table.position, state.table.count) == (TableId::Epoch as u32, TABLES);
    if right_table && root == state.root { Ok(()) } else { Err(Finding::Table) }
}
