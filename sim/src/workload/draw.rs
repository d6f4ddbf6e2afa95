//! What a usage table lacks, drawn from the seed: tiers, regions, receipts, played fractions, creators, collaborators,
//! categories and prices. Also the measure of what was really drawn, so that a reader need not trust the intentions.
//!
//! Every draw has a generator of its own, seeded by its purpose and its subject: one more subscriber, or one more
//! kind of draw, leaves all others as they were.

use super::{CreatorSpec, EventSpec, SubscriberSpec, WorkSpec};
use primitives::{Domain, GovernanceParams, Region, RegionTag, Tier, hash, params::ONE_Q32};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha20Rng;
use serde::Serialize;
use std::collections::BTreeMap;

/// Tiers, each with its share of subscribers in percent: basic, standard, supporter.
pub const TIERS: [(Tier, u32); 3] = [(Tier(1), 60), (Tier(2), 30), (Tier(3), 10)];
/// Share of subscribers who have receipts at all, in percent.
pub const WITH_RECEIPTS_PERCENT: u32 = 60;
/// Share of their events that receipts back, in percent.
pub const BACKED_PERCENT: u32 = 85;
/// Share of each region among subscribers with receipts, in percent.
pub const REGION_WEIGHTS: [u32; primitives::limits::REGIONS as usize] = [30, 20, 14, 11, 9, 7, 5, 4];
/// Share of events played for one, two, three and four quarters, in percent.
pub const QUARTER_WEIGHTS: [u32; primitives::limits::MAX_QUARTERS as usize] = [5, 8, 12, 75];
/// Most works of one creator.
pub const MAX_WORKS_PER_CREATOR: usize = 5;
/// Share of works whose creator keeps everything, in percent.
pub const ALONE_PERCENT: u32 = 60;
/// Fewest and most people who share a work that is shared.
pub const SHARERS: (usize, usize) = (2, 4);
/// Share of each category of works, in percent.
pub const CATEGORY_WEIGHTS: [u32; 6] = [30, 25, 18, 12, 9, 6];
/// Share of works at the neutral price, in percent. The others are even over the bounds.
pub const NEUTRAL_PRICE_PERCENT: u32 = 70;
/// Steps between the price bounds.
const PRICE_STEPS: u64 = 20;
/// Everything, in basis points.
const WHOLE: u16 = 10_000;

/// The generator of one purpose and one subject.
pub(crate) fn rng(purpose: &str, seed: u64, subject: &str) -> ChaCha20Rng {
    let parts = [purpose.as_bytes(), &seed.to_le_bytes(), subject.as_bytes()];
    ChaCha20Rng::from_seed(hash::hash(Domain::Simulation, &parts).0)
}

fn percent(rng: &mut ChaCha20Rng, share: u32) -> bool {
    rng.gen_range(0..100) < share
}

/// A place drawn by weight.
fn pick(rng: &mut ChaCha20Rng, weights: &[u32]) -> usize {
    let mut ticket = rng.gen_range(0..weights.iter().sum());
    let mut place = 0;
    while ticket >= weights[place] {
        ticket -= weights[place];
        place += 1;
    }
    place
}

/// A subscriber with `counts` events of each work. Their order is shuffled; views of one work stay in order.
pub(super) fn subscriber(seed: u64, name: &str, counts: &[(usize, u16)]) -> SubscriberSpec {
    let (tier, _) = TIERS[pick(&mut rng("tier", seed, name), &TIERS.map(|(_, weight)| weight))];
    let mut receipts = rng("receipts", seed, name);
    let region = RegionTag(region(&mut receipts).and_then(|place| Region::all().nth(place)));

    let mut order: Vec<usize> =
        counts.iter().flat_map(|(work, n)| std::iter::repeat_n(*work, usize::from(*n))).collect();
    order.shuffle(&mut rng("order", seed, name));
    let mut played = rng("played", seed, name);
    let mut next_view: BTreeMap<usize, u16> = BTreeMap::new();
    let events = order.into_iter().map(|work| {
        let next = next_view.entry(work).or_default();
        let view = *next;
        *next += 1;
        let quarters = pick(&mut played, &QUARTER_WEIGHTS) as u8 + 1;
        let backed = region != RegionTag::NONE && percent(&mut receipts, BACKED_PERCENT);
        EventSpec { work, view, quarters, backed }
    });
    SubscriberSpec { name: name.to_owned(), tier, region, events: events.collect() }
}

/// The place of the region of a subscriber's receipts, if there are any: the first draws of `receipts`.
fn region(receipts: &mut ChaCha20Rng) -> Option<usize> {
    percent(receipts, WITH_RECEIPTS_PERCENT).then(|| pick(receipts, &REGION_WEIGHTS))
}

/// The place of the region of a subscriber's receipts, if there are any.
pub(crate) fn region_of(seed: u64, name: &str) -> Option<usize> {
    region(&mut rng("receipts", seed, name))
}

/// Creators and works. Works are dealt to creators in random order, one to [`MAX_WORKS_PER_CREATOR`] each.
pub(super) fn catalogue(
    seed: u64,
    names: &[String],
    params: &GovernanceParams,
) -> (Vec<CreatorSpec>, Vec<WorkSpec>) {
    let (owner, creators) = owners(seed, names.len());
    let works = names.iter().zip(&owner).map(|(name, creator)| WorkSpec {
        name: name.clone(),
        creator: *creator,
        splits: splits(seed, name, *creator, creators),
        category: category(seed, name),
        price: price_at(price_step(seed, name), params),
    });
    let works = works.collect();
    let width = creators.to_string().len();
    let creators = (1..=creators).map(|i| CreatorSpec { name: format!("creator-{i:0width$}") });
    (creators.collect(), works)
}

/// The creator of each of `works` works, and how many creators there are.
pub(crate) fn owners(seed: u64, works: usize) -> (Vec<usize>, usize) {
    let mut dealing = rng("creators", seed, "");
    let mut order: Vec<usize> = (0..works).collect();
    order.shuffle(&mut dealing);
    let mut owner = vec![0; works];
    let mut creators = 0;
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let size = 1 + pick(&mut dealing, &[1; MAX_WORKS_PER_CREATOR]);
        let (mine, others) = rest.split_at(size.min(rest.len()));
        for work in mine {
            owner[*work] = creators;
        }
        creators += 1;
        rest = others;
    }
    (owner, creators)
}

/// The category of a work.
pub(crate) fn category(seed: u64, work: &str) -> u16 {
    pick(&mut rng("category", seed, work), &CATEGORY_WEIGHTS) as u16
}

/// Who gets which share of a work, in basis points: the creator first. Everybody named gets something.
fn splits(seed: u64, work: &str, creator: usize, creators: usize) -> Vec<(usize, u16)> {
    let mut rng = rng("splits", seed, work);
    let alone = percent(&mut rng, ALONE_PERCENT);
    let spread = SHARERS.1 - SHARERS.0 + 1;
    let people = (SHARERS.0 + pick(&mut rng, &vec![1; spread])).min(creators);
    if alone || people < SHARERS.0 {
        return vec![(creator, WHOLE)];
    }
    let mut sharers: Vec<(usize, u16)> = Vec::new();
    let mut left = WHOLE;
    while sharers.len() < people - 1 {
        let other = rng.gen_range(0..creators as u64) as usize;
        if other == creator || sharers.iter().any(|(one, _)| *one == other) {
            continue;
        }
        // At most 2,500 for each of at most three others: the creator keeps at least a quarter.
        let share = rng.gen_range(100..=2_500);
        left -= share;
        sharers.push((other, share));
    }
    sharers.insert(0, (creator, left));
    sharers
}

/// Where a work's price lies between the bounds, in steps from the lower one; `None` for the neutral price.
pub(crate) fn price_step(seed: u64, work: &str) -> Option<u64> {
    let mut rng = rng("price", seed, work);
    (!percent(&mut rng, NEUTRAL_PRICE_PERCENT)).then(|| rng.gen_range(0..=PRICE_STEPS))
}

/// The price at a step.
pub(crate) fn price_at(step: Option<u64>, params: &GovernanceParams) -> u64 {
    match step {
        None => ONE_Q32.clamp(params.price_min, params.price_max),
        Some(step) => params.price_min + (params.price_max - params.price_min) / PRICE_STEPS * step,
    }
}

/// What was really drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DrawnShares {
    /// Subscribers of each tier.
    pub subscribers_by_tier: BTreeMap<u8, usize>,
    /// Subscribers of each region tag; 0 stands for those without receipts.
    pub subscribers_by_region: BTreeMap<u8, usize>,
    /// Events in all.
    pub events: usize,
    /// Events that a receipt backs.
    pub events_backed: usize,
    /// Events by quarters played: one, two, three, four.
    pub events_by_quarters: [usize; primitives::limits::MAX_QUARTERS as usize],
    /// Creators, collaborators among them.
    pub creators: usize,
    /// Works in all.
    pub works: usize,
    /// Works whose creator keeps everything.
    pub works_alone: usize,
    /// Works of each category.
    pub works_by_category: [usize; CATEGORY_WEIGHTS.len()],
    /// Works at the neutral price.
    pub works_at_neutral_price: usize,
}

impl DrawnShares {
    pub(super) fn measure(
        creators: &[CreatorSpec],
        works: &[WorkSpec],
        subscribers: &[SubscriberSpec],
        params: &GovernanceParams,
    ) -> Self {
        let neutral = ONE_Q32.clamp(params.price_min, params.price_max);
        let mut drawn = Self { creators: creators.len(), works: works.len(), ..Self::default() };
        for subscriber in subscribers {
            *drawn.subscribers_by_tier.entry(subscriber.tier.0).or_default() += 1;
            *drawn.subscribers_by_region.entry(subscriber.region.into()).or_default() += 1;
            for event in &subscriber.events {
                drawn.events += 1;
                drawn.events_backed += usize::from(event.backed);
                drawn.events_by_quarters[usize::from(event.quarters) - 1] += 1;
            }
        }
        for work in works {
            drawn.works_alone += usize::from(work.splits.len() == 1);
            drawn.works_by_category[usize::from(work.category)] += 1;
            drawn.works_at_neutral_price += usize::from(work.price == neutral);
        }
        drawn
    }

    /// The shares in words: what was drawn, and how it came out.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let subscribers = self.subscribers_by_tier.values().sum();
        let receipts = subscribers - self.subscribers_by_region.get(&0).copied().unwrap_or(0);
        let list = |label: &str, counts: &mut dyn Iterator<Item = (u8, usize)>, whole| {
            let parts: Vec<_> = counts.map(|(i, n)| format!("{label} {i}: {}", share(n, whole))).collect();
            parts.join(", ")
        };
        let number = |counts: &[usize], from: u8| (from..).zip(counts.to_vec());
        let by_tier = self.subscribers_by_tier.iter().map(|(t, n)| (*t, *n));
        let by_region = self.subscribers_by_region.iter().filter(|(r, _)| **r != 0).map(|(r, n)| (*r, *n));
        vec![
            ("tiers", list("tier", &mut by_tier.into_iter(), subscribers)),
            ("subscribers with receipts", share(receipts, subscribers)),
            ("subscribers with receipts, by region", list("region", &mut by_region.into_iter(), receipts)),
            ("events backed by receipts", share(self.events_backed, self.events)),
            ("quarters played", list("quarters", &mut number(&self.events_by_quarters, 1), self.events)),
            ("works that one creator keeps whole", share(self.works_alone, self.works)),
            ("works at the neutral price", share(self.works_at_neutral_price, self.works)),
            ("categories", list("category", &mut number(&self.works_by_category, 0), self.works)),
            ("creators", self.creators.to_string()),
        ]
    }
}

/// `n` of `whole` in percent, with one decimal, rounded down.
fn share(n: usize, whole: usize) -> String {
    let tenths = n as u64 * 1_000 / (whole as u64).max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests;
