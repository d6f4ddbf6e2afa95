//! Settlement: all figures of an epoch as a pure function of what is on record of it. The ledger calls it once; a
//! light client calls it again and compares.

use super::{
    SplitAmount, WorkFigures,
    discovery::{EpochFacts, WorkPayout, discovery, health},
    payout::{largest_remainder, split_payout, split_revenue},
    tree::payout_root,
    types::Settlement,
    weight::{WeightError, WorkUsage, WorkWeight, weights},
};
use crate::{
    modules::{
        treasury::Fund,
        usage::{ListedWork, Opening, Summary, TierRevenue},
    },
    state::State,
};
use primitives::{Credits, PersonId, Tier, WorkId, WorkIndex};
use proofs::tally::{Count, Tally};
use ruint::aliases::U256;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// What an epoch is settled from.
pub struct Inputs<'a> {
    /// What was fixed when it opened.
    pub opening: &'a Opening,
    /// Revenue of its tiers, ascending.
    pub revenues: &'a [TierRevenue],
    /// What it takes over.
    pub taken: &'a TakenOver,
    /// Its tallies, one for each shard, in order.
    pub tallies: &'a [&'a Tally],
}

/// What an epoch takes over from those before it, as they end: it may have opened earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOver {
    /// Most subscribers of earlier epochs whose usage is in the totals of a shard, by shard.
    pub pairs: Vec<u64>,
    /// Reputation of each work of the opening, in its order, Q32.
    pub reputations: Vec<u64>,
    /// Creator pools of earlier epochs that found no work with weight, and revenue of earlier epochs that were given up. They
    /// join this epoch's pool.
    pub carried: Credits,
}

impl State {
    /// What an epoch with these aggregates takes over, once the one before it is settled or given up.
    pub(crate) fn taken_over(&self, opening: &Opening) -> TakenOver {
        let reputation = |listed: &ListedWork| self.reputations.get(&listed.work).map_or(0, |r| r.reputation);
        TakenOver {
            pairs: self.aggregates_of(opening.epoch).map(|aggregate| aggregate.before.pairs).collect(),
            reputations: opening.works.iter().map(reputation).collect(),
            carried: self.fund(Fund::Carried),
        }
    }
}

/// Why an epoch cannot be settled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettleError {
    /// A tier's revenue is not on record, or is of no tier of the epoch.
    #[error("revenue of tier {tier} is missing or out of place")]
    Revenue {
        /// The tier.
        tier: Tier,
    },
    /// Fewer subscriptions than were on record when the epoch opened.
    #[error("{reported} subscriptions of tier {tier} are reported, {sold} were sold when the epoch opened")]
    FewerThanSold {
        /// The tier.
        tier: Tier,
        /// On record.
        sold: u64,
        /// Reported.
        reported: u64,
    },
    /// More listeners than subscriptions: somebody counted more subscribers than paid (chain spec 3.2, "consistent
    /// with reported tier payments").
    #[error(
        "work {work} has {listeners} listeners in tier {tier}, which sold {subscriptions} subscriptions, with usage of at \
         most {carried} subscribers of earlier epochs"
    )]
    Listeners {
        /// The work.
        work: WorkId,
        /// The tier.
        tier: Tier,
        /// Listeners counted.
        listeners: u64,
        /// Subscriptions sold.
        subscriptions: u64,
        /// Most subscribers of earlier epochs whose usage was carried over.
        carried: u64,
    },
    /// Totals that no usage can have.
    #[error(transparent)]
    Weight(#[from] WeightError),
    /// Sums of credits outgrow 64 bits.
    #[error("amounts outgrow 64 bits")]
    Overflow,
}

/// Computes every figure of an epoch.
///
/// The creator pool is the creators' share of the revenue and what earlier epochs carried over. With
/// `pool_by_tier`, each tier's share is divided by that tier's usage alone, and carried money joins the tiers that
/// have usage, in proportion to their shares (the remainder to the first of them). A pool without any work of
/// weight is paid to nobody and is carried to the next epoch.
pub fn settle(inputs: &Inputs<'_>) -> Result<(Settlement, Summary), SettleError> {
    let Inputs { opening, revenues, taken, tallies } = *inputs;
    let params = &opening.params;
    check_revenues(opening, revenues)?;
    let published = &Published::of(opening, tallies);
    check_listeners(opening, revenues, (taken, published))?;
    let all = usage_of(opening, published, None);
    let all_weights = weights(params, &all)?;

    let mut summary = Summary { carried_in: taken.carried, ..split_all(opening, revenues)? };
    let pools = pools(opening, revenues, published, &summary)?;
    let mut payouts = vec![Credits::ZERO; all.len()];
    for (pool, weights) in &pools {
        let paid = largest_remainder(*pool, &shares(weights));
        for (sum, part) in payouts.iter_mut().zip(paid) {
            *sum = sum.checked_add(part).ok_or(SettleError::Overflow)?;
        }
    }
    summary.paid = total(payouts.iter().copied())?;
    let owed = summary.creators.checked_add(summary.carried_in).ok_or(SettleError::Overflow)?;
    summary.carried_out = owed.checked_sub(summary.paid).expect("pools are what is owed, and pay no more");
    summary.sum_of_weights = all_weights.iter().fold(U256::ZERO, |sum, w| sum + w.weight);

    let works: Vec<WorkFigures> = all
        .iter()
        .zip(&all_weights)
        .zip(&payouts)
        .zip(opening.works.iter().zip(&taken.reputations))
        .map(|(((usage, weight), payout), (listed, previous))| {
            let rank = discovery(params, usage, weight, *previous);
            let amounts = split_payout(*payout, &listed.splits);
            let split = |(split, amount): (&super::payout::Split, Credits)| SplitAmount {
                payee: split.payee,
                amount,
            };
            WorkFigures {
                work: usage.work,
                usage: usage.value,
                views: usage.views,
                listeners: usage.listeners,
                backed: usage.backed,
                bandwidth: weight.bandwidth,
                weight: weight.weight,
                payout: *payout,
                splits: listed.splits.iter().zip(amounts).map(split).collect(),
                previous_reputation: *previous,
                reputation: rank.reputation,
                discovery: rank.discovery_weight,
            }
        })
        .collect();
    let health = health_of(opening, revenues, &works);
    let settlement = Settlement { epoch: opening.epoch, works, health };
    let on_layer1 = settlement.leaves().filter(|leaf| leaf.payee.layer1_address().is_some());
    summary.on_layer1 = total(on_layer1.map(|leaf| leaf.amount))?;
    summary.payout_root = payout_root(&settlement);
    summary.figures = settlement.commitment();
    Ok((settlement, summary))
}

fn check_revenues(opening: &Opening, revenues: &[TierRevenue]) -> Result<(), SettleError> {
    for (i, terms) in opening.tiers.iter().enumerate() {
        let (tier, epoch) = (terms.tier, opening.epoch);
        let fits = |r: &&TierRevenue| {
            (r.epoch, r.tier) == (epoch, tier) && terms.price.checked_mul(r.subscriptions) == Some(r.revenue)
        };
        let reported = revenues.get(i).filter(fits).ok_or(SettleError::Revenue { tier })?.subscriptions;
        let sold = opening.sold(tier);
        if reported < sold {
            return Err(SettleError::FewerThanSold { tier, sold, reported });
        }
    }
    match revenues.get(opening.tiers.len()) {
        Some(extra) => Err(SettleError::Revenue { tier: extra.tier }),
        None => Ok(()),
    }
}

/// The opened total of a work in a tier; the work by its place in the opening.
struct Cell {
    tier: Tier,
    work: usize,
    count: Count,
}

/// What was published of all shards. Indices beyond a shard's works are padding: what is counted there weighs nothing.
struct Published {
    cells: Vec<Cell>,
    /// Sums over regions of squares of backed views: of a work over all tiers, or in one.
    squares: BTreeMap<(Option<Tier>, usize), u128>,
}

impl Published {
    fn of(opening: &Opening, tallies: &[&Tally]) -> Self {
        let mut published = Self { cells: Vec::new(), squares: BTreeMap::new() };
        for (places, tally) in opening.deal().iter().zip(tallies) {
            let place = |index: &WorkIndex| places.get(usize::from(index.0)).copied();
            for (tier, counts) in tally.totals.iter() {
                let of_works = counts
                    .iter()
                    .filter_map(|(index, count)| Some(Cell { tier, work: place(index)?, count: *count }));
                published.cells.extend(of_works);
            }
            let squares = tally.squares.iter();
            published
                .squares
                .extend(squares.filter_map(|(tier, index, sum)| Some(((tier, place(&index)?), sum))));
        }
        published
    }
}

/// Carried over usage of earlier subscribers counts with that of this epoch's.
fn check_listeners(
    opening: &Opening,
    revenues: &[TierRevenue],
    (taken, published): (&TakenOver, &Published),
) -> Result<(), SettleError> {
    let subscriptions: BTreeMap<_, _> = revenues.iter().map(|r| (r.tier, r.subscriptions)).collect();
    for Cell { tier, work, count } in &published.cells {
        let (listed, listeners) = (&opening.works[*work], count.listeners);
        let carried = taken.pairs[listed.shard.0 as usize];
        let subscriptions = subscriptions.get(tier).copied().unwrap_or(0);
        if listeners > subscriptions.saturating_add(carried) {
            let (work, tier) = (listed.work, *tier);
            return Err(SettleError::Listeners { work, tier, listeners, subscriptions, carried });
        }
    }
    Ok(())
}

/// Usage of every work of the epoch, in its order, over all tiers or in one.
fn usage_of(opening: &Opening, published: &Published, tier: Option<Tier>) -> Vec<WorkUsage> {
    let listed = |(place, listed): (usize, &ListedWork)| WorkUsage {
        work: listed.work,
        category: listed.category,
        price: listed.price,
        value: 0,
        views: 0,
        listeners: 0,
        backed: 0,
        backed_squares: published.squares.get(&(tier, place)).copied().unwrap_or(0),
    };
    let mut usage: Vec<WorkUsage> = opening.works.iter().enumerate().map(listed).collect();
    for Cell { work, count, .. } in published.cells.iter().filter(|cell| tier.is_none_or(|t| cell.tier == t))
    {
        let work = &mut usage[*work];
        work.value += count.value;
        work.views += count.views;
        work.listeners += count.listeners;
        work.backed += count.backed;
    }
    usage
}

fn total(amounts: impl Iterator<Item = Credits>) -> Result<Credits, SettleError> {
    amounts.into_iter().try_fold(Credits::ZERO, Credits::checked_add).ok_or(SettleError::Overflow)
}

/// Splits the revenue of each pool's source: of all tiers at once, or of each tier, whose parts then add up.
fn split_all(opening: &Opening, revenues: &[TierRevenue]) -> Result<Summary, SettleError> {
    let revenue = total(revenues.iter().map(|r| r.revenue))?;
    let parts: Vec<_> = if opening.params.pool_by_tier {
        revenues.iter().map(|r| split_revenue(&opening.params, r.revenue)).collect()
    } else {
        vec![split_revenue(&opening.params, revenue)]
    };
    Ok(Summary {
        revenue,
        fee: total(parts.iter().map(|p| p.fee))?,
        eco: total(parts.iter().map(|p| p.eco))?,
        infra: total(parts.iter().map(|p| p.infra))?,
        creators: total(parts.iter().map(|p| p.creators))?,
        carried_in: Credits::ZERO,
        paid: Credits::ZERO,
        on_layer1: Credits::ZERO,
        carried_out: Credits::ZERO,
        sum_of_weights: U256::ZERO,
        payout_root: Default::default(),
        figures: Default::default(),
    })
}

fn shares(weights: &[WorkWeight]) -> Vec<(WorkId, U256)> {
    weights.iter().map(|w| (w.work, w.weight)).collect()
}

/// The pools of an epoch, each with the weights that divide it.
fn pools(
    opening: &Opening,
    revenues: &[TierRevenue],
    published: &Published,
    summary: &Summary,
) -> Result<Vec<(Credits, Vec<WorkWeight>)>, SettleError> {
    let params = &opening.params;
    if !params.pool_by_tier {
        let pool = summary.creators.checked_add(summary.carried_in).ok_or(SettleError::Overflow)?;
        return Ok(vec![(pool, weights(params, &usage_of(opening, published, None))?)]);
    }
    let mut pools = Vec::new();
    for TierRevenue { tier, revenue, .. } in revenues {
        let weights = weights(params, &usage_of(opening, published, Some(*tier)))?;
        if weights.iter().any(|w| !w.weight.is_zero()) {
            pools.push((split_revenue(params, *revenue).creators, weights));
        }
    }
    // Carried money: floors in proportion, the remainder to the first pool.
    let whole = pools.iter().map(|(pool, _)| u128::from(pool.0)).sum::<u128>().max(1);
    let mut left = summary.carried_in;
    for (pool, _) in pools.iter_mut().rev() {
        let part = u128::from(summary.carried_in.0) * u128::from(pool.0) / whole;
        let part = Credits(u64::try_from(part).expect("a part of what is carried"));
        left = left.checked_sub(part).expect("parts are floors of shares of the whole");
        *pool = pool.checked_add(part).ok_or(SettleError::Overflow)?;
    }
    if let Some((first, _)) = pools.first_mut() {
        *first = first.checked_add(left).ok_or(SettleError::Overflow)?;
    }
    Ok(pools)
}

fn health_of(opening: &Opening, revenues: &[TierRevenue], works: &[WorkFigures]) -> super::discovery::Health {
    let published: Vec<WorkPayout> = works
        .iter()
        .zip(&opening.works)
        .filter(|(work, _)| work.views > 0)
        .map(|(work, listed)| WorkPayout {
            category: listed.category,
            value: work.usage,
            views: work.views,
            backed: work.backed,
            payout: work.payout,
        })
        .collect();
    let splits = works.iter().flat_map(|work| &work.splits).filter(|split| split.amount != Credits::ZERO);
    let paid: BTreeSet<PersonId> = splits.map(|split| split.payee).collect();
    let facts = EpochFacts {
        active_works: opening.works.iter().filter(|listed| !listed.resting).count() as u64,
        creators_paid: paid.len() as u64,
        subscribers: revenues.iter().map(|r| r.subscriptions).fold(0, u64::saturating_add),
        events: works.iter().map(|work| work.views).sum(),
    };
    health(&facts, &published)
}
