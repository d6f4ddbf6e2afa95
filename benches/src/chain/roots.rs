//! Bringing the root of a table up to date, by the number of leaves that changed.

use super::blocks::{nodes_above, sponge};
use crate::{
    measure::{Plan, Samples, Side, Watch, by_turns},
    report::{Topic, duration, grouped, ratio},
};
use ::chain::{
    poseidon::{Felt, hash2},
    state::tree::IndexedTree,
};
use rayon::ThreadPool;

/// Leaves that change between two roots.
const CHANGED: [usize; 4] = [1, 16, 256, 4_096];

/// A tree, some of its keys at equal distances, and a value that none of them has yet.
struct Changing {
    tree: IndexedTree,
    keys: Vec<Felt>,
    hashes: usize,
    value: u64,
}

fn key(n: usize) -> Felt {
    hash2(Felt::from(n as u64), Felt::from(1u64))
}

impl Changing {
    fn new(full: &IndexedTree, changed: usize) -> Self {
        let step = full.len() / changed;
        let places: Vec<usize> = (0..changed).map(|at| at * step).collect();
        // The key of number n has the position after the sentinel's and those of the keys before it.
        let positions: Vec<u32> = places.iter().map(|at| *at as u32 + 1).collect();
        let leaves = changed * sponge(3);
        Self {
            tree: full.clone(),
            keys: places.into_iter().map(key).collect(),
            hashes: leaves + nodes_above(&positions),
            value: 0,
        }
    }

    /// Gives every key another value.
    fn change(&mut self) {
        self.value += 1;
        for key in &self.keys {
            self.tree.update(*key, Felt::from(self.value)).expect("a key of the tree");
        }
    }

    fn side(&mut self, name: &'static str) -> Side<'_> {
        let leaves = self.keys.len();
        Side::with_setup(name, leaves, |watch| {
            self.change();
            watch.time(|| self.tree.root());
        })
    }

    fn side_on<'a>(&'a mut self, cores: &'a ThreadPool, name: &'static str) -> Side<'a> {
        let leaves = self.keys.len();
        let root = move |watch: &mut Watch| {
            self.change();
            watch.time(|| cores.install(|| self.tree.root()));
        };
        Side::with_setup(name, leaves, root).on_many_threads()
    }
}

/// What a changed leaf costs, alone and with others.
pub(super) fn measure(plan: &Plan, cores: &ThreadPool, topic: &mut Topic) {
    let size = plan.size(16_384, 16);
    let mut full = IndexedTree::new();
    (0..size).for_each(|n| full.insert(key(n), Felt::from(0u64)).expect("different keys"));
    full.root();
    let sides = |_| CHANGED.map(|changed| Changing::new(&full, changed.min(size)));
    let [mut alone, mut spread] = [(); 2].map(sides);
    let counts = alone.each_ref().map(|tree| (tree.keys.len(), tree.hashes));
    let hashes = plan.size(1_000, 10);
    let [a, b, c, d] = alone.each_mut().map(|tree| tree.side("root"));
    let [e, f, g, h] = spread.each_mut().map(|tree| tree.side_on(cores, "root, all cores"));
    let hash = Side::new("hash", hashes, || super::hash_all(hashes));
    let [a, b, c, d, e, f, g, h, hash] = by_turns(plan, [a, b, c, d, e, f, g, h, hash]);
    let row = |(((leaves, hashes), time), threads): (((usize, usize), Samples), Samples)| {
        let each = hashes as f64 / leaves as f64;
        let floor = Samples::sum(&[(each, &hash)]);
        let [middle, spread] = ratio(time.over(&floor));
        let seconds = |samples: &Samples| duration(samples.seconds().median);
        let [time, floor, threads] = [&time, &floor, &threads].map(seconds);
        [grouped(leaves as u64), time, format!("{each:.1}"), floor, middle, spread, threads]
    };
    topic.paragraph(&format!(
        "The root of a table of {} records, after the values of some of them changed, for each changed leaf: its \
         own hash and every node above changed leaves once. In the last column all cores hash.",
        grouped(size as u64)
    ));
    let rows: Vec<_> = counts.into_iter().zip([a, b, c, d]).zip([e, f, g, h]).map(row).collect();
    topic.table(
        ["leaves changed", "for each", "hashes in the floor", "floor", "time / floor", "spread", "all cores"],
        &rows,
    );
}
