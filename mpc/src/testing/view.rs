//! Whether what a party receives tells two inputs apart: a statistical test.
//!
//! A protocol is run so many times on each of two inputs that have the same outcome, with fresh randomness. Of every
//! message that a party receives the first and the last bytes are kept, and for each of their bits the test compares how
//! often it is one. If nothing depends on the inputs, the difference of the two counts is that of two binomial ones: it
//! is beyond [`BOUND`] deviations with a chance of less than 10^-8 for a bit, and less than 10^-3 for all bits together.
//! A bit whose chance of being one is half on one input and all or nothing on the other is found with a chance above
//! 0.99 in [`RUNS`] runs of each. What depends on several bits together and on no single one is not found.

use super::{Outcome, run};
use crate::{
    replicated::Share,
    session::{Abort, Session},
    views::Ones,
};
use primitives::{PartyId, field::Residue};

/// Runs for each input.
const RUNS: u64 = 128;
/// Deviations that two counts may be apart.
const BOUND: f64 = 5.8;
/// Bytes that are kept of the beginning of a message: three numbers.
const FIRST: usize = 96;
/// Bytes that are kept of its end.
const LAST: usize = 32;

/// Shares of which an observer holds zeros: what it lacks is the number itself, so that it sees whatever a mask does not
/// hide.
pub(crate) fn seen_by(observer: PartyId, party: PartyId, number: Residue) -> Share {
    Share::known(party, observer.previous(), number)
}

/// How often each bit is one that is kept of what the parties receive.
fn ones<T, F>(first: u64, expected: &T, protocol: &impl Fn(Session) -> F) -> [Ones; 3]
where
    T: PartialEq,
    F: Future<Output = Result<T, Abort>> + Send + 'static,
{
    let mut ones = [(); 3].map(|()| Ones::default());
    for seed in first..first + RUNS {
        let mut views = [(); 3].map(|()| Vec::<u8>::new());
        let outcomes: [Outcome<T>; 3] = run(seed, protocol, |_, to, message| {
            let view = &mut views[to.index()];
            view.extend(message.body.iter().take(FIRST));
            view.extend(message.body.iter().rev().take(LAST));
        });
        assert!(outcomes.into_iter().all(|outcome| outcome.is_some_and(|o| o.as_ref() == Ok(expected))));
        ones.iter_mut().zip(views).for_each(|(ones, view)| ones.add(&view));
    }
    ones
}

/// The parties whose views tell two runs of a protocol apart, one on each input.
pub(crate) fn tell_apart<T, F, G>(
    expected: &T,
    one: impl Fn(Session) -> F,
    other: impl Fn(Session) -> G,
) -> Vec<PartyId>
where
    T: PartialEq,
    F: Future<Output = Result<T, Abort>> + Send + 'static,
    G: Future<Output = Result<T, Abort>> + Send + 'static,
{
    let (one, other) = (ones(0, expected, &one), ones(RUNS, expected, &other));
    let tells = |party: &PartyId| {
        let (one, other) = (&one[party.index()], &other[party.index()]);
        assert_eq!(one.bits(), other.bits(), "as much is sent for either input");
        !one.apart(other, BOUND).is_empty()
    };
    PartyId::ALL.into_iter().filter(tells).collect()
}
