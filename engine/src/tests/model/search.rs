//! The search over the model: every state that can be reached, and whether the honest parties can go on from each.

use super::{Found, Model, Plant, State, Violation};
use crate::tests::model::MAX_STATES;
use primitives::PartyId;
use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

impl Model {
    fn rivals(&self, state: &State) -> bool {
        let valid: Vec<_> =
            state.signed.iter().map(|(h, _)| *h).filter(|h| self.can_be_valid(state, *h)).collect();
        valid.iter().any(|a| valid.iter().any(|b| a.turn.position == b.turn.position && a != b))
    }

    /// Goes through every state, and holds each against what must never be.
    fn search(&self) -> Result<Found, Violation> {
        let mut seen = HashMap::new();
        let (mut waiting, mut found) = (VecDeque::new(), Found::default());
        let (mut back, mut ended) = (Vec::<(u32, u32)>::new(), Vec::new());
        let start = self.start();
        seen.insert(name(&start), 0u32);
        waiting.push_back((0u32, start));
        while let Some((at, state)) = waiting.pop_front() {
            found.rivals |= self.rivals(&state);
            if state.chain.len() as u64 == self.batches {
                ended.push(at);
            }
            let mut others = Vec::new();
            let mut steps = Vec::new();
            for party in state.honest.keys() {
                steps.extend(self.honest_steps(&state, *party, &mut others)?);
            }
            self.other_steps(&state, &mut others)?;
            let honest = steps.len();
            for (nth, next) in steps.into_iter().chain(others).enumerate() {
                let fresh = seen.len() as u32;
                assert!(seen.len() < MAX_STATES, "the model has grown too large to be searched");
                let to = *seen.entry(name(&next)).or_insert(fresh);
                if nth < honest && to != at {
                    back.push((to, at));
                }
                if to == fresh {
                    waiting.push_back((to, next));
                }
            }
        }
        found.states = seen.len();
        if reaching(&ended, back, seen.len()) == seen.len() { Ok(found) } else { Err(Violation::Stuck) }
    }
}

/// How many states lead to one of `ended`, by edges that are given backwards.
fn reaching(ended: &[u32], mut back: Vec<(u32, u32)>, states: usize) -> usize {
    back.sort_unstable();
    let mut reached = vec![false; states];
    let mut waiting = ended.to_vec();
    ended.iter().for_each(|at| reached[*at as usize] = true);
    while let Some(at) = waiting.pop() {
        let first = back.partition_point(|(to, _)| *to < at);
        for (_, from) in back[first..].iter().take_while(|(to, _)| *to == at) {
            if !std::mem::replace(&mut reached[*from as usize], true) {
                waiting.push(*from);
            }
        }
    }
    reached.into_iter().filter(|reached| *reached).count()
}

/// 128 bits that stand for a state. Two states of some millions share theirs with a chance below 2^-80.
fn name(state: &State) -> u128 {
    let half = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        state.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

/// Batches, restarts, and proposals of the malicious party in each of its terms.
const SEARCHES: [(u64, u32, u32); 3] = [(2, 0, 1), (1, 0, 2), (1, 1, 1)];

#[test]
fn no_interleaving_frames_an_honest_party_or_leaves_the_honest_ones_stuck() {
    for malicious in PartyId::ALL {
        for (batches, restarts, attempts) in SEARCHES {
            let model = Model { malicious, plant: Plant::Nothing, batches, restarts, attempts };
            let found = model.search().expect("nothing that must not be");
            let states = found.states;
            println!(
                "{malicious} malicious, {batches} batches, {restarts} restarts, {attempts} attempts: {states} states"
            );
            assert!(states > 100, "the search went nowhere");
            // Two headers of one position may both have two signatures. The chain takes one: it is the arbiter.
            assert!(found.rivals);
        }
    }
}

#[test]
fn the_search_finds_a_party_that_forgets_its_votes_or_sends_them_before_they_are_stored() {
    for malicious in PartyId::ALL {
        for plant in [Plant::Forgets, Plant::SendsFirst] {
            let found = Model { malicious, plant, batches: 1, restarts: 1, attempts: 1 }.search();
            assert_eq!(found.err(), Some(Violation::Framed), "{malicious} malicious");
        }
    }
}
