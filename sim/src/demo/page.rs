//! The run as the report shows it.

use super::Outcome;
use crate::report::{
    ActorCount, Fact, MoneyFlow, Provenance, RefusedAttack, RegionCount, ReportData, TierCount, Verdict,
    WorkPayout, credits, several, thousands,
};
use primitives::Credits;

/// What the report shows of a run.
pub(super) fn data(outcome: &Outcome) -> ReportData {
    let Outcome { manifest, metrics, workload, record, .. } = outcome;
    let fact = |label: &str, value: String| Fact { label: label.into(), value };
    let count = |label: &str, n: u64| fact(label, thousands(n));
    let verdict = |v: &super::Verdict| Verdict {
        claim: format!("{}.", v.claim),
        holds: v.holds,
        detail: v.detail.clone(),
    };
    let work = |work: &chain::light::figures::WorkRecord| WorkPayout {
        name: outcome.names.get(&work.work_id).cloned().unwrap_or_else(|| work.work_id.to_string()),
        payout: work.payout,
    };
    let attack = |attack: &super::AttackReport| RefusedAttack {
        attack: sentence(&attack.attack),
        refusal: sentence(&attack.seen),
        count: 1,
        refused: attack.as_expected,
    };
    ReportData {
        title: format!("Epoch {}", record.epoch),
        subtitle: format!(
            "{} and {}, {}",
            several(metrics.subscribers as u64, "subscriber", "subscribers"),
            several(metrics.works as u64, "work", "works"),
            workload.source
        ),
        verdicts: outcome.verdicts.iter().map(verdict).collect(),
        facts: vec![
            count("subscribers", metrics.subscribers as u64),
            count("events counted", metrics.events_accepted),
            count("bundles accepted", metrics.bundles_accepted),
            count("works published", record.health.published_works),
            fact("credits in the creator pool", credits(Credits(metrics.pool))),
            count("claims paid", metrics.claims_ok),
        ],
        money: MoneyFlow {
            revenue: record.revenue.revenue,
            creators: record.revenue.creators,
            eco_reserve: record.revenue.eco,
            infrastructure: record.revenue.infra,
            fee: record.revenue.fee,
        },
        payouts: record.works.iter().map(work).collect(),
        tiers: metrics
            .tiers
            .iter()
            .map(|t| TierCount { tier: t.tier.to_string(), sold: t.sold, counted: t.subscribers })
            .collect(),
        regions: metrics
            .regions
            .iter()
            .map(|r| RegionCount { region: r.region.to_string(), receipts: r.receipts, views: r.views })
            .collect(),
        counting: vec![metrics.carried_in_words(), metrics.cap_in_words(), metrics.complaints_in_words()],
        funds: metrics.chain.holdings(),
        rewards: metrics.chain.earned(),
        rewarded: metrics.chain.rewards_in_words(),
        attacks: outcome.attacks.iter().map(attack).collect(),
        actors: metrics
            .actors
            .iter()
            .map(|(name, actor)| ActorCount { name: name.clone(), messages: actor.messages })
            .collect(),
        remarks: remarks(outcome),
        provenance: Provenance {
            seed: manifest.seed,
            version: manifest.version.into(),
            config_hash: manifest.config_hash.to_string(),
            command: manifest.command.clone(),
        },
    }
}

fn remarks(outcome: &Outcome) -> Vec<Fact> {
    let fact = |label: &str, value: String| Fact { label: label.into(), value };
    let mut remarks: Vec<Fact> = outcome.notes().into_iter().map(|note| fact("note", note)).collect();
    remarks.extend(outcome.workload.notes.iter().map(|note| fact("workload", note.clone())));
    remarks.extend(outcome.workload.drawn.describe().into_iter().map(|(label, value)| fact(label, value)));
    let layer1 = &outcome.metrics.layer1;
    let gas: u64 = layer1.gas.values().map(|gas| gas.gas).sum();
    remarks.push(fact("L1", layer1.node.clone()));
    let contracts = layer1.contracts;
    for (name, address) in [
        ("AttestedRollup", contracts.rollup),
        ("EpochMirror", contracts.mirror),
        ("PayoutVault", contracts.vault),
        ("CweCredit", contracts.credit),
    ] {
        remarks.push(fact(name, address.to_string()));
    }
    for paid in &layer1.paid {
        let what = format!(
            "{} credits to {} by {}",
            credits(Credits(paid.holds)),
            paid.account,
            several(paid.claims, "claim", "claims")
        );
        remarks.push(fact(&format!("{} on L1", paid.creator), what));
    }
    remarks.push(fact("gas on L1", thousands(gas)));
    remarks.push(fact("state root", outcome.metrics.state_root.to_string()));
    remarks
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
