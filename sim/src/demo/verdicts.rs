//! What is checked of a run, and what came of it. A check that found nothing to check says so.

use super::{
    metrics::Metrics,
    outcome::{AttackReport, Inputs, Verdict},
};
use crate::{
    check::Comparison,
    report::{credits, several},
};
use primitives::Credits;

/// Said of a check whose tick means nothing.
const NOTHING: &str = "there was nothing to check";

impl Inputs {
    /// Every statement about the run.
    pub(super) fn verdicts(&self, metrics: &Metrics, attacks: &[AttackReport]) -> Vec<Verdict> {
        let verdict =
            |claim: &str, holds: bool, detail: String| Verdict { claim: claim.into(), holds, detail };
        let light = match &self.verified.light {
            Ok(found) => format!(
                "{}, {}, the tally proof{}, {} and every payout recomputed; the state root is that of a node that \
                 replayed the log",
                several(found.batches, "header", "headers"),
                several(found.bundles, "bundle", "bundles"),
                if found.shards > 1 { format!(" of each of {} shards", found.shards) } else { String::new() },
                several(found.works as u64, "work", "works")
            ),
            Err(refused) => refused.to_string(),
        };
        let Comparison { works_published, cells, mismatches, .. } = self
            .earlier
            .iter()
            .map(|epoch| &epoch.comparison)
            .find(|comparison| !comparison.holds())
            .unwrap_or(&self.comparison);
        let totals = match mismatches.first() {
            None => format!(
                "a plaintext count by other code: {} with enough listeners, {} weighed, carried usage included{}",
                several(*works_published as u64, "work", "works"),
                several(*cells as u64, "cell", "cells"),
                match self.earlier.len() {
                    0 => String::new(),
                    earlier => format!("; {} epochs in all", earlier + 1),
                }
            ),
            Some(first) => {
                let differ = several(mismatches.len() as u64, "figure differs", "figures differ");
                format!("{differ}; first {first}")
            }
        };
        let claims_hold =
            metrics.claims_refused == 0 && metrics.double_claims_rejected == metrics.double_claims_tried;
        let layer1 = &self.layer1;
        let roots = if layer1.anchored { "the last root is the chain's" } else { "the last root is another" };
        let mirror =
            if layer1.mirror_equal { "equals the chain's record" } else { "differs from the chain's record" };
        let anchored = format!(
            "{} in {}, {roots}; the mirror of the epoch {mirror}",
            several(layer1.blocks, "block", "blocks"),
            several(layer1.batches, "attested batch", "attested batches")
        );
        let lies = layer1.refusals.iter().filter(|tried| tried.as_expected).count();
        let lies_refused = lies == layer1.refusals.len();
        let there: u64 = layer1.paid.iter().map(|paid| paid.holds).sum();
        let sent: u64 = layer1.paid.iter().map(|paid| paid.claims).sum();
        let paid_there = format!(
            "{} of them claimed {} credits with their own keys, by {}",
            layer1.paid.len(),
            credits(Credits(there)),
            several(sent, "claim", "claims")
        );
        let refused = attacks.iter().filter(|attack| attack.as_expected).count();
        vec![
            verdict("A light client accepts the epoch", metrics.tally_verified, light),
            verdict(
                "What is published is what it should be, and true",
                metrics.totals_match_plaintext,
                totals,
            ),
            verdict(
                "Creators were paid the whole pool",
                metrics.pool == metrics.paid_total + self.record.revenue.carried_out.0,
                pool(metrics, self.record.revenue.carried_out),
            ),
            verdict("Every payout was claimed once", claims_hold, claims(metrics)),
            verdict("L1 has the chain and the epoch", layer1.anchored && layer1.mirror_equal, anchored),
            verdict("Creators were paid on L1", layer1.paid_in_full(), paid_there),
            verdict(
                "L1 refused every lie",
                lies_refused,
                refused_of(lies, layer1.refusals.len(), "lies, each with its own error"),
            ),
            verdict(
                "Every attack was refused as expected",
                metrics.attacks_refused_as_expected,
                refused_of(refused, attacks.len(), "attacks"),
            ),
            verdict("Every honest bundle was counted", metrics.honest_rejected == 0, counted(metrics)),
        ]
    }
}

/// Where the pool went. Without a work that has enough listeners nobody is paid, and the next epoch's creators get it.
fn pool(metrics: &Metrics, carried: Credits) -> String {
    let paid =
        format!("{} of {} credits", credits(Credits(metrics.paid_total)), credits(Credits(metrics.pool)));
    match carried {
        Credits::ZERO => paid,
        carried => format!(
            "{paid}; {} are carried to the next epoch's, as no work of a pool weighs anything",
            credits(carried)
        ),
    }
}

/// What became of claims, and of those that were tried again.
pub(super) fn claims(metrics: &Metrics) -> String {
    let paid = several(metrics.claims_ok, "claim", "claims");
    let (refused, tried) = (metrics.double_claims_rejected, metrics.double_claims_tried);
    match tried {
        0 => format!("{paid} paid; none was tried a second time, as none was paid here: {NOTHING}"),
        tried => format!(
            "{paid} paid, {refused} of {}",
            several(tried, "second claim refused", "second claims refused")
        ),
    }
}

/// How many of those that had to be refused were.
pub(super) fn refused_of(refused: usize, tried: usize, what: &str) -> String {
    if tried == 0 { format!("none was tried: {NOTHING}") } else { format!("{refused} of {tried} {what}") }
}

/// What was counted, and what honest devices kept back because of the cap.
pub(super) fn counted(metrics: &Metrics) -> String {
    let bundles = several(metrics.bundles_accepted, "bundle", "bundles");
    let events = several(metrics.events_accepted, "event", "events");
    let capped = metrics.capped;
    match capped.events {
        0 => format!("{bundles}, {events}; the cap left out none"),
        left_out => format!(
            "{bundles}, {events}; the cap left out {} of {}, which were not handed in",
            several(left_out, "event", "events"),
            several(capped.subscribers, "subscriber", "subscribers")
        ),
    }
}
