//! The plays of one epoch, drawn from a market.

mod poisson;

use super::{Market, PlaysPerSubscriber};
use crate::workload::draw;
use poisson::Poisson;
use rand::Rng;
use std::sync::Arc;

/// Most plays of one work by one subscriber in an epoch: one a minute for 45 days. More are taken for this many.
pub const MAX_PLAYS_PER_PAIR: u16 = u16::MAX;

/// Pairs with at least one play, and what follows from them whatever the rules.
#[derive(Debug)]
pub struct Epoch {
    /// Where it was drawn from.
    pub(super) market: Arc<Market>,
    seed: u64,
    /// Where each subscriber's row begins.
    pub(super) rows: Vec<u32>,
    /// The work of each pair, ascending in a row.
    pub(super) works_of: Vec<u32>,
    /// The plays of each pair, at least one.
    pub(super) plays: Vec<u16>,
    /// Subscribers who play each work.
    pub(super) listeners: Vec<u32>,
    /// Hundredths of a backed view that each subscriber's count of backed views starts with.
    pub(super) phases: Vec<u8>,
    /// Most plays of a pair.
    pub(super) max_plays: u16,
    /// The work with the most listeners, the first such; `None` if nothing was played.
    pub(super) widest: Option<u32>,
    /// Who plays that work: subscriber and plays.
    pub(super) widest_plays: Vec<(u32, u16)>,
}

/// A market and how much of it is played: what the epochs of many seeds share.
///
/// With `plays_per_subscriber`, a pair of the table has a Poisson number of plays with the mean
/// `plays * X * subscribers / total plays`; without, the table's own plays. The distributions are set up once.
#[derive(Clone, Debug)]
pub struct Thinning {
    market: Arc<Market>,
    scale: Option<f64>,
    /// The distribution of each pair; empty without a scale, and for a market so large that they are set up as they are
    /// needed.
    distributions: Vec<Poisson>,
}

/// Most pairs whose distributions are kept: 120 megabytes.
const MAX_KEPT: usize = 5_000_000;

impl Thinning {
    /// Prepares draws from a market.
    pub fn new(market: &Arc<Market>, plays_per_subscriber: Option<PlaysPerSubscriber>) -> Self {
        let (subscribers, total) = (market.subscribers() as f64, market.total_plays().max(1) as f64);
        let scale = plays_per_subscriber.map(|x| x.get() * subscribers / total);
        let kept = scale.filter(|_| market.pairs() <= MAX_KEPT);
        let distributions =
            kept.map(|scale| market.plays.iter().map(|n| Poisson::new(*n as f64 * scale)).collect());
        Self { market: market.clone(), scale, distributions: distributions.unwrap_or_default() }
    }

    /// Plays of a pair in an epoch.
    fn plays(&self, pair: usize, rng: &mut impl Rng) -> u16 {
        let plays = self.market.plays[pair];
        let Some(scale) = self.scale else { return plays.min(MAX_PLAYS_PER_PAIR.into()) as u16 };
        let distribution = self.distributions.get(pair).copied();
        let drawn = distribution.unwrap_or_else(|| Poisson::new(plays as f64 * scale)).sample(rng);
        drawn.min(MAX_PLAYS_PER_PAIR.into()) as u16
    }

    /// The epoch of a seed. Each subscriber has a generator of its own.
    pub fn draw(&self, seed: u64) -> Arc<Epoch> {
        let market = &self.market;
        let subscribers = market.subscribers();
        let mut epoch = Epoch {
            market: market.clone(),
            seed,
            rows: vec![0],
            works_of: Vec::with_capacity(market.pairs()),
            plays: Vec::with_capacity(market.pairs()),
            listeners: vec![0; market.works()],
            phases: Vec::with_capacity(subscribers),
            max_plays: 0,
            widest: None,
            widest_plays: Vec::new(),
        };
        for subscriber in 0..subscribers {
            let mut rng = draw::rng("plays", seed, market.subscriber_name(subscriber));
            epoch.phases.push(rng.gen_range(0..100));
            for pair in market.rows[subscriber] as usize..market.rows[subscriber + 1] as usize {
                let plays = self.plays(pair, &mut rng);
                if plays > 0 {
                    epoch.works_of.push(market.works_of[pair]);
                    epoch.plays.push(plays);
                    epoch.listeners[market.works_of[pair] as usize] += 1;
                }
            }
            epoch.rows.push(epoch.plays.len() as u32);
        }
        epoch.max_plays = epoch.plays.iter().copied().max().unwrap_or(0);
        epoch.find_widest();
        Arc::new(epoch)
    }
}

impl Epoch {
    /// The epoch of a seed: [`Thinning`] for one draw.
    pub fn draw(
        market: &Arc<Market>,
        seed: u64,
        plays_per_subscriber: Option<PlaysPerSubscriber>,
    ) -> Arc<Self> {
        Thinning::new(market, plays_per_subscriber).draw(seed)
    }

    fn find_widest(&mut self) {
        let most = self.listeners.iter().copied().max().filter(|most| *most > 0);
        self.widest = self.listeners.iter().position(|n| Some(*n) == most).map(|place| place as u32);
        let Some(work) = self.widest else { return };
        for subscriber in 0..self.phases.len() {
            let row = self.row(subscriber);
            if let Ok(place) = self.works_of[row.clone()].binary_search(&work) {
                self.widest_plays.push((subscriber as u32, self.plays[row.start + place]));
            }
        }
    }

    /// The pairs of a subscriber.
    pub(super) fn row(&self, subscriber: usize) -> std::ops::Range<usize> {
        self.rows[subscriber] as usize..self.rows[subscriber + 1] as usize
    }

    /// The market.
    pub fn market(&self) -> &Arc<Market> {
        &self.market
    }

    /// The seed that drew it.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Pairs with a play.
    pub fn pairs(&self) -> usize {
        self.plays.len()
    }

    /// All plays.
    pub fn total_plays(&self) -> u64 {
        self.plays.iter().map(|n| u64::from(*n)).sum()
    }

    /// Subscribers who play the work at a place.
    pub fn listeners(&self, work: usize) -> u32 {
        self.listeners[work]
    }

    /// The work with the most listeners, the first such: the one on which splits and faked receipts are tried. It
    /// depends on no rule, and is published if any work is.
    pub fn widest_work(&self) -> Option<usize> {
        self.widest.map(|work| work as usize)
    }
}
