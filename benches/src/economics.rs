//! Runs of the economics mode beside one pass over the plays.

use crate::{
    measure::{Plan, Samples, Side, by_turns, threads},
    report::{Topic, digits, duration, grouped, ratio},
};
use primitives::{Preset, params::q32};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use rayon::prelude::*;
use sim::economics::{self, Engine, Epoch, Evaluation, Market, Metrics, Rules, Scenario};
use std::{cell::Cell, sync::Arc};

/// Pairs of a subscriber and a work in a market.
const PAIRS: usize = 100_000;
/// Runs a minute that the project aims at, on two cores.
const TARGET: u64 = 10_000;
/// Mean plays to which a redrawn epoch is thinned.
const PLAYS: &str = "599";

/// A market of about `pairs` pairs: that of as many synthetic subscribers as it takes.
fn market(pairs: usize) -> Arc<Market> {
    let mut subscribers = pairs.div_ceil(50);
    loop {
        let market = Market::synthetic(6, subscribers);
        if market.pairs() >= pairs {
            return Arc::new(market);
        }
        subscribers += (subscribers * (pairs - market.pairs())).div_ceil(market.pairs());
    }
}

/// Rules whose runs are compared.
pub(crate) struct Cases {
    market: Arc<Market>,
    /// The plays of the table.
    pub(crate) epoch: Arc<Epoch>,
    /// Two that count the same plays otherwise.
    counting: [Rules; 2],
    /// Two that weigh the same counts otherwise.
    weighing: [Rules; 2],
    /// The plays of the table, and plays drawn anew for each run.
    scenarios: [Scenario; 2],
}

impl Cases {
    /// A market of about so many pairs.
    pub(crate) fn new(pairs: usize) -> Self {
        let market = market(pairs);
        let rules = Rules::preset(Preset::Spec);
        let with = |change: &dyn Fn(&mut Rules)| {
            let mut other = rules.clone();
            change(&mut other);
            [rules.clone(), other]
        };
        let plays = PLAYS.parse().expect("a number of plays");
        let scenario = |plays_per_subscriber| Scenario { rules: rules.clone(), plays_per_subscriber };
        Self {
            epoch: Epoch::draw(&market, 7, None),
            counting: with(&|rules| rules.params.j_max -= 1),
            weighing: with(&|rules| rules.params.alpha = q32(95, 100)),
            scenarios: [None, Some(plays)].map(scenario),
            market,
        }
    }

    fn evaluate(&self, engine: &mut Engine, rules: &Rules) -> Evaluation {
        engine.evaluate(&self.epoch, rules).expect("rules within bounds")
    }

    /// One run of a scenario, from the market to its figures.
    fn run(&self, scenario: &Scenario, seed: u64) -> Metrics {
        economics::run(&self.market, scenario, seed).expect("rules within bounds")
    }

    /// One run with the plays of the table.
    pub(crate) fn run_table(&self, seed: u64) -> Metrics {
        self.run(&self.scenarios[0], seed)
    }

    /// The plays of an epoch, drawn anew.
    fn draw(&self, seed: u64) -> Arc<Epoch> {
        Epoch::draw(&self.market, seed, self.scenarios[1].plays_per_subscriber)
    }

    /// One run of a sweep: other rules for the plays of one epoch, and their figures.
    fn sweep(&self, engine: &mut Engine, rules: &Rules) -> Metrics {
        self.evaluate(engine, rules).metrics()
    }
}

/// Pairs as an epoch holds them, made up: what one pass over them costs does not depend on whose they are.
pub(crate) struct Pairs {
    works: Vec<u32>,
    plays: Vec<u16>,
    count: usize,
}

impl Pairs {
    /// As many pairs over as many works as an epoch has.
    pub(crate) fn new(epoch: &Epoch) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        let count = epoch.market().works();
        let mut work = || rng.next_u64() % count as u64;
        let works = (0..epoch.pairs()).map(|_| work() as u32).collect();
        Self { works, plays: (0..epoch.pairs()).map(|at| at as u16).collect(), count }
    }

    /// Reads every pair once and adds its plays to its work.
    pub(crate) fn pass(&self) -> Vec<u64> {
        let mut totals = vec![0; self.count];
        for (work, plays) in self.works.iter().zip(&self.plays) {
            totals[*work as usize] += u64::from(*plays);
        }
        totals
    }
}

/// Calls `each` with 0, 1, 0, 1, ...
fn alternating<T>(mut each: impl FnMut(usize) -> T) -> impl FnMut() -> T {
    let turn = Cell::new(0);
    move || each(turn.replace(1 - turn.get()))
}

/// Measures runs of every kind, on one thread and on all.
pub(crate) fn run(plan: &Plan) -> Topic {
    let pairs = plan.size(PAIRS, 500);
    eprintln!("economics, {pairs} pairs");
    let cases = Cases::new(pairs);
    let floor = Pairs::new(&cases.epoch);
    let evaluation = cases.evaluate(&mut Engine::default(), &cases.counting[0]);
    let [mut counting, mut weighing, mut sweeping] = [(); 3].map(|()| Engine::default());
    let [table, redrawn, draw, count, weigh, sweep, figures, pass] = by_turns(
        plan,
        [
            Side::new("a run with the plays of the table", 1, || cases.run_table(1)),
            Side::new("a run with plays drawn anew", 1, || cases.run(&cases.scenarios[1], 1)),
            Side::new("plays drawn anew", 1, || cases.draw(1)),
            Side::new(
                "evaluation, counted anew",
                1,
                alternating(|at| cases.evaluate(&mut counting, &cases.counting[at])),
            ),
            Side::new(
                "evaluation, weighed anew",
                1,
                alternating(|at| cases.evaluate(&mut weighing, &cases.weighing[at])),
            ),
            Side::new(
                "evaluation, counted anew, and figures",
                1,
                alternating(|at| cases.sweep(&mut sweeping, &cases.counting[at])),
            ),
            Side::new("figures", 1, || evaluation.metrics()),
            Side::new("floor", 1, || floor.pass()),
        ],
    );
    let mut topic = Topic::default();
    topic.paragraph(&format!(
        "A synthetic market of {} pairs of a subscriber and a work ({} subscribers, {} works), under the \
         parameters of the specification, on one thread. The floor is one pass over the pairs: each read \
         once, its plays added to its work. The figures contain every attack.",
        grouped(cases.market.pairs() as u64),
        grouped(cases.market.subscribers() as u64),
        grouped(cases.market.works() as u64),
    ));
    let row = |what: &str, time: &Samples| {
        let [middle, spread] = ratio(time.over(&pass));
        let seconds = time.seconds().median;
        [what.into(), duration(seconds), grouped((60.0 / seconds) as u64), middle, spread]
    };
    topic.table(
        ["one run", "time", "a minute, one core", "time / floor", "spread"],
        &[
            row("plays drawn anew, evaluated, figures", &redrawn),
            row("of which drawing", &draw),
            row("plays of the table, evaluated, figures", &table),
            row("one epoch, other rules of counting, figures", &sweep),
            row("of which counting, weights, payouts", &count),
            row("of which figures", &figures),
            row("one epoch, other weights, payouts", &weigh),
            row("floor: one pass", &pass),
        ],
    );
    topic.paragraph(&many_threads(plan, &cases));
    topic
}

/// Runs a minute on all cores, in wall time.
fn many_threads(plan: &Plan, cases: &Cases) -> String {
    let (cores, runs) = (threads(0), plan.size(64, 4));
    let rules = |at: usize| &cases.counting[at % cases.counting.len()];
    let sweep = || {
        let each = |engine: &mut Engine, at: usize| cases.sweep(engine, rules(at));
        cores.install(|| (0..runs).into_par_iter().map_init(Engine::default, each).collect::<Vec<_>>())
    };
    let redrawn = || {
        let each = |at: usize| cases.run(&cases.scenarios[1], at as u64);
        cores.install(|| (0..runs).into_par_iter().map(each).collect::<Vec<_>>())
    };
    let [sweep, redrawn] = by_turns(
        plan,
        [
            Side::new("sweep on all cores", runs, sweep).on_many_threads(),
            Side::new("plays drawn anew on all cores", runs, redrawn).on_many_threads(),
        ],
    );
    let rate = |samples: &Samples| grouped((60.0 / samples.seconds().median) as u64);
    format!(
        "In wall time on {} threads, beside whatever else the machine did: {} runs a minute of a sweep \
         over rules, {} with plays drawn anew. The figures of one core do not suffer from that: they add up \
         over cores that are free. The aim is {} a minute on two cores, {} ms of a core for each run. {WHY}",
        cores.current_num_threads(),
        rate(&sweep),
        rate(&redrawn),
        grouped(TARGET),
        digits(2.0 * 60_000.0 / TARGET as f64),
    )
}

const WHY: &str = "A sweep over rules is bounded by counting, where every play is looked up in the values \
    of its place and every subscriber is capped, and by 256-bit weights and the largest remainders of all \
    works, which do not depend on the number of pairs. Plays drawn anew are bounded by the draws \
    themselves, one Poisson number for each pair; an experiment draws an epoch once and evaluates many \
    rules on it. Runs share nothing but the market, so they spread over cores as they are.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_every_kind_pay_and_differ_where_they_should() {
        let cases = Cases::new(500);
        assert!(cases.market.pairs() >= 500);
        let mut engine = Engine::default();
        for [one, other] in [&cases.counting, &cases.weighing] {
            let [one, other] = [one, other].map(|rules| cases.evaluate(&mut engine, rules));
            assert_ne!(one.payouts(), other.payouts());
            assert_eq!(one.payouts().iter().sum::<u64>(), other.payouts().iter().sum::<u64>());
        }
        let [table, redrawn] = cases.scenarios.each_ref().map(|scenario| cases.run(scenario, 1));
        assert!(table.gini > 0.0 && redrawn.gini > 0.0);
        let pairs = Pairs::new(&cases.epoch);
        let plays: u64 = pairs.plays.iter().map(|n| u64::from(*n)).sum();
        assert_eq!(pairs.pass().iter().sum::<u64>(), plays);
    }

    #[test]
    fn everything_is_measured_once() {
        assert!(run(&Plan::QUICK).text.contains("a minute"));
    }
}
