//! Who plays what, in a form that is read from front to back: for each subscriber a row of (work, plays), in the order
//! of works, and for each work what it is. Names are kept aside.

use crate::workload::{Table, draw, synthetic};
use primitives::{CategoryId, Digest, Domain, GovernanceParams, WorkId, hash};
use std::collections::{BTreeMap, BTreeSet};

/// What a work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) category: CategoryId,
    pub(super) creator: u32,
    /// Where its price lies between the bounds; see [`draw::price_step`].
    price_step: Option<u64>,
}

impl Work {
    /// The price multiplier under `params`, Q32.
    pub(super) fn price(&self, params: &GovernanceParams) -> u64 {
        draw::price_at(self.price_step, params)
    }
}

/// Most subscribers of a synthetic market: it has up to 50 pairs for each, and 2^32 pairs in all.
pub const MAX_SYNTHETIC: usize = 1_000_000;

const _: () = assert!(
    MAX_SYNTHETIC as u64 * (synthetic::MAX_WORKS_PER_LISTENER as u64) < 1 << 32
        && crate::workload::table::MAX_ROWS < 1 << 32
);

/// Plays of works by subscribers, and what the works are.
///
/// What a table lacks is drawn from the market's seed as the demo draws it: the creator, category and price of a work,
/// and the region of a subscriber's receipts, if any. Memory is 12 bytes a pair, and names.
#[derive(Clone, Debug)]
pub struct Market {
    source: String,
    seed: u64,
    /// Where each subscriber's row begins; one more than there are subscribers.
    pub(super) rows: Vec<u32>,
    /// The work of each pair, ascending in a row.
    pub(super) works_of: Vec<u32>,
    /// The plays of each pair.
    pub(super) plays: Vec<u64>,
    /// Region of each subscriber's receipts, as a place among the regions.
    pub(super) regions: Vec<Option<u8>>,
    /// By creator and then name, so that a creator's works are neighbours in a row.
    pub(super) works: Vec<Work>,
    /// Ascending, so that the ledger breaks ties by place.
    pub(super) ids: Vec<WorkId>,
    work_names: Vec<String>,
    subscriber_names: Vec<String>,
}

impl Market {
    /// The market of a table; `seed` draws what the table lacks.
    pub fn new(table: &Table, seed: u64) -> Self {
        let works: BTreeSet<&str> = table.users().values().flatten().map(|(work, _)| work.as_str()).collect();
        let places: BTreeMap<&str, u32> = works.iter().copied().zip(0..).collect();
        let rows = table.users().iter().map(|(name, row)| {
            (name.clone(), row.iter().map(|(work, n)| (places[work.as_str()], *n)).collect())
        });
        Self::assemble(&table.source, seed, works.into_iter().map(str::to_owned).collect(), rows)
    }

    /// The market of `subscribers` synthetic listeners, shaped as [`synthetic`] says; `seed` draws everything.
    pub fn synthetic(seed: u64, subscribers: usize) -> Self {
        let popularity = synthetic::Popularity::new();
        let mut rows: Vec<(String, Vec<(u32, u64)>)> =
            (0..subscribers).map(|i| synthetic::listener_rows(seed, i, &popularity)).collect();
        let mut ranks: Vec<u32> = rows.iter().flat_map(|(_, row)| row).map(|(rank, _)| *rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        for (rank, _) in rows.iter_mut().flat_map(|(_, row)| row) {
            *rank = index(ranks.partition_point(|other| other < rank));
        }
        let names = ranks.into_iter().map(synthetic::work_name).collect();
        Self::assemble(synthetic::SOURCE, seed, names, rows.into_iter())
    }

    /// Lays out rows of (place in `names`, plays).
    fn assemble(
        source: &str,
        seed: u64,
        names: Vec<String>,
        rows: impl Iterator<Item = (String, Vec<(u32, u64)>)>,
    ) -> Self {
        let (owners, _) = draw::owners(seed, names.len());
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|place| (owners[*place], *place));
        let mut new_places = vec![0; names.len()];
        for (new, old) in (0..).zip(&order) {
            new_places[*old] = new;
        }
        let work = |place: &usize| Work {
            category: CategoryId(draw::category(seed, &names[*place])),
            creator: index(owners[*place]),
            price_step: draw::price_step(seed, &names[*place]),
        };
        let mut market = Self {
            source: source.to_owned(),
            seed,
            rows: vec![0],
            works_of: Vec::new(),
            plays: Vec::new(),
            regions: Vec::new(),
            works: order.iter().map(work).collect(),
            ids: (0..names.len()).map(work_id).collect(),
            work_names: order.iter().map(|place| names[*place].clone()).collect(),
            subscriber_names: Vec::new(),
        };
        for (name, mut row) in rows {
            for (place, _) in &mut row {
                *place = new_places[*place as usize];
            }
            row.sort_unstable();
            market.works_of.extend(row.iter().map(|pair| pair.0));
            market.plays.extend(row.iter().map(|pair| pair.1));
            market.rows.push(index(market.plays.len()));
            market.regions.push(draw::region_of(seed, &name).map(|place| place as u8));
            market.subscriber_names.push(name);
        }
        market
    }

    /// What the plays are, in a few words.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The seed that drew what the table lacks.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Digest of the market: its seed, and who plays what.
    pub fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(12 * self.pairs());
        for (subscriber, name) in self.subscriber_names.iter().enumerate() {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
            for pair in self.rows[subscriber] as usize..self.rows[subscriber + 1] as usize {
                bytes.extend_from_slice(&self.works_of[pair].to_le_bytes());
                bytes.extend_from_slice(&self.plays[pair].to_le_bytes());
            }
        }
        let names = self.work_names.join("\0");
        let parts = [
            b"market".as_slice(),
            &self.seed.to_le_bytes(),
            self.source.as_bytes(),
            names.as_bytes(),
            &bytes,
        ];
        hash::hash(Domain::Simulation, &parts)
    }

    /// Number of subscribers, `N`: each pays, also one who plays nothing.
    pub fn subscribers(&self) -> usize {
        self.regions.len()
    }

    /// Number of works.
    pub fn works(&self) -> usize {
        self.works.len()
    }

    /// Number of (subscriber, work) pairs.
    pub fn pairs(&self) -> usize {
        self.plays.len()
    }

    /// All plays of the table.
    pub fn total_plays(&self) -> u128 {
        self.plays.iter().map(|n| u128::from(*n)).sum()
    }

    /// Name of the work at a place.
    pub fn work_name(&self, work: usize) -> &str {
        &self.work_names[work]
    }

    /// Name of the subscriber at a place.
    pub fn subscriber_name(&self, subscriber: usize) -> &str {
        &self.subscriber_names[subscriber]
    }

    /// Category of the work at a place.
    pub fn category(&self, work: usize) -> CategoryId {
        self.works[work].category
    }

    /// Creator of the work at a place, as a number from 0.
    pub fn creator(&self, work: usize) -> u32 {
        self.works[work].creator
    }
}

/// An identifier whose order is that of places.
pub(super) fn work_id(place: usize) -> WorkId {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&(place as u64).to_be_bytes());
    WorkId(id)
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("markets have fewer than 2^32 pairs")
}
