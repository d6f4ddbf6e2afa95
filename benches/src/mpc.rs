//! What three parties compute on shares, and what they cannot do without.

use crate::{
    measure::{Plan, Side, by_turns},
    report::{Topic, digits, duration, grouped, load, ratio},
};
use ::mpc::{
    diversity::diversity,
    replicated::Share,
    session::{Abort, Session},
    share::ReplicatedTotals,
    step::Name,
    threshold::{LANE, threshold},
};
use curve25519_dalek::scalar::Scalar;
use parties::{Cells, Traffic};
use primitives::{
    PartyId,
    limits::{BACKED_SHIFT, LISTENER_SHIFT},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::hint::black_box;

mod parties;
mod peer;

/// Cells that are decided, and how many in a quick run.
const CELLS: [(usize, usize); 3] = [(256, 8), (1_024, 12), (4_096, 24)];
/// Seconds that the most cells may take with three parties in one process on two cores.
const TARGET: f64 = 2.0;
/// Listeners that a cell needs.
const LISTENERS: u32 = 5;
/// Works and regions of the sums of squares.
const WORKS: (usize, usize) = (128, 8);
/// Entries of a party's sums: works of a shard.
const WIDTH: usize = 1_024;

async fn decide(mut session: Session, cells: Vec<Share>) -> Result<usize, Abort> {
    let decided = threshold(&mut session, cells, LISTENERS).await?;
    Ok(decided.into_iter().filter(|enough| *enough).count())
}

async fn squares(mut session: Session, totals: Vec<Share>, regions: usize) -> Result<Vec<u128>, Abort> {
    diversity(&mut session, totals.chunks(regions).map(<[Share]>::to_vec).collect()).await
}

/// Bytes that one party sends in rounds of multiplications.
fn multiplied(traffic: &Traffic) -> usize {
    let opened = |name: &Name| {
        matches!(
            name,
            Name::OpenMasked
                | Name::Barrier
                | Name::CheckKey
                | Name::CheckZero
                | Name::OpenOutcome
                | Name::OpenSquares
        )
    };
    traffic.iter().filter(|(name, _)| !opened(name)).map(|(_, (_, bytes))| bytes).sum()
}

/// Floor of three parties: whatever they send of products is hidden by two streams, which are combined with it. Pieces
/// stay in the nearest cache.
fn floor(bytes: usize) -> u8 {
    const PIECE: usize = 1 << 13;
    let (mut sent, mut stream) = (vec![0; PIECE], vec![0; PIECE]);
    for key in 0..6 {
        let mut key = ChaCha20Rng::seed_from_u64(key);
        for _ in 0..bytes.div_ceil(PIECE) {
            key.fill_bytes(black_box(&mut stream));
            sent.iter_mut().zip(&stream).for_each(|(sent, byte)| *sent ^= byte);
        }
    }
    sent[0]
}

/// Measures all of it.
pub(crate) fn run(plan: &Plan) -> Topic {
    let mut topic = Topic::default();
    topic.paragraph(SETTING);
    let (mut rows, mut most, mut last) = (Vec::new(), Traffic::new(), (0, 0.0));
    for (full, tiny) in CELLS {
        let count = plan.size(full, tiny);
        eprintln!("threshold, {count} cells");
        let cells = Cells::new(count, LISTENER_SHIFT);
        let (_, traffic) = cells.by_turns(decide);
        let name = format!("threshold, {} cells", grouped(count as u64));
        let (row, wall) = row(&name, plan, &cells, &traffic, decide);
        rows.push(row);
        (most, last) = (traffic, (count, wall));
    }
    let (works, regions) = (plan.size(WORKS.0, 2), plan.size(WORKS.1, 3));
    eprintln!("diversity, {works} works");
    let cells = Cells::new(works * regions, BACKED_SHIFT);
    let protocol = move |session, totals| squares(session, totals, regions);
    let (_, traffic) = cells.by_turns(protocol);
    let name = format!("diversity, {works} works, {regions} regions");
    rows.push(row(&name, plan, &cells, &traffic, protocol).0);
    let head =
        ["", "processor time of all three", "wall time", "over floor", "spread", "rounds", "a party sends"];
    topic.table(head, &rows);
    let (count, wall) = last;
    topic.paragraph(&format!(
        "Processor time is that of the three parties by turns on one thread; wall time is with a thread for each, in one \
         process, while the load average was {} (our own threads among it). The target is {} cells in less than {TARGET} s \
         of wall time on two cores: {} here. Up to {} cells are decided together, and more in lanes one after the other.",
        load(),
        grouped(count as u64),
        duration(wall),
        grouped(LANE as u64)
    ));
    steps(&mut topic, "round of the threshold, most cells", &most);
    steps(&mut topic, "round of diversity", &traffic);
    accumulation(&mut topic, plan);
    peer::beside(&mut topic, plan);
    topic
}

/// The row of a protocol, and the seconds of wall time in it.
fn row<T: Send, F>(
    name: &str,
    plan: &Plan,
    cells: &Cells,
    traffic: &Traffic,
    protocol: impl Fn(Session, Vec<Share>) -> F + Copy + Sync,
) -> ([String; 7], f64)
where
    F: Future<Output = Result<T, Abort>> + Send + 'static,
{
    let bytes = multiplied(traffic);
    let [one, threads, least] = by_turns(
        plan,
        [
            Side::new("one thread", 1, || cells.by_turns(protocol)),
            Side::new("a thread each", 1, || cells.on_threads(protocol)).on_many_threads(),
            Side::new("floor", 1, || floor(bytes)),
        ],
    );
    let [middle, spread] = ratio(one.over(&least));
    let (rounds, sent) = traffic.values().fold((0, 0), |(r, b), (rounds, bytes)| (r + rounds, b + bytes));
    let wall = threads.seconds().median;
    let sent = format!("{} MB", digits(sent as f64 / 1e6));
    let row = [
        name.into(),
        duration(one.seconds().median),
        duration(wall),
        middle,
        spread,
        rounds.to_string(),
        sent,
    ];
    (row, wall)
}

fn steps(topic: &mut Topic, title: &str, traffic: &Traffic) {
    let row = |(name, (rounds, bytes)): (&Name, &(usize, usize))| {
        [name.as_str().into(), rounds.to_string(), grouped(*bytes as u64)]
    };
    topic.table([title, "rounds", "bytes of a party"], &traffic.iter().map(row).collect::<Vec<_>>());
}

/// What it costs to add a batch's sums to the totals.
fn accumulation(topic: &mut Topic, plan: &Plan) {
    let width = plan.size(WIDTH, 16);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let sums = [(); 2].map(|()| (0..width).map(|_| Scalar::random(&mut rng)).collect::<Vec<_>>());
    let mut totals = ReplicatedTotals::new(PartyId::ALL[0], width);
    let add =
        || totals.add((), sums.each_ref().map(|entries| (&entries[..], Scalar::ONE))).expect("one width");
    let [time] = by_turns(plan, [Side::new("totals", 1, add)]);
    topic.paragraph(&format!(
        "Before that, each batch's sums over {} works are added to the totals of its group, without a message: {} for two \
         shares, however many events the batch has. What an event costs until then is the topic on accumulation.",
        grouped(width as u64),
        duration(time.seconds().median),
    ));
}

const SETTING: &str = "Three parties decide on shares which cells have five listeners, and add up squares over regions, \
    with security against one malicious party. How many events the cells are of does not matter. The floor are the two \
    streams of ChaCha20 that hide each byte that a party sends of products, and combining them with it; above it are the \
    products themselves, their check, and moving what is kept until the check.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_five_listeners_are_found() {
        assert_eq!(Cells::new(12, LISTENER_SHIFT).by_turns(decide).0, 5);
        assert!(run(&Plan::QUICK).text.contains("open-masked"));
    }

    #[test]
    fn squares_of_regions_are_summed() {
        let sums = Cells::new(6, BACKED_SHIFT).by_turns(|session, totals| squares(session, totals, 3)).0;
        assert_eq!(sums, [5, 50]);
    }
}
