//! Three parties in one place.

use crate::{
    prss::{Prss, PrssKey},
    replicated::Share,
    session::{Abort, Computation, Message, Session},
};
use primitives::{
    Digest, PartyId,
    field::{Plain, Residue},
};
use rand_chacha::{ChaCha20Rng, rand_core::RngCore, rand_core::SeedableRng};
use std::collections::VecDeque;

pub(crate) fn number(seed: u64) -> Residue {
    let mut bytes = [0; 32];
    ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    Plain::from_252_bits(&bytes).into()
}

/// Shares of a number, for each party.
pub(crate) fn shared(x: Residue, seed: u64) -> [Share; 3] {
    let (first, second) = (number(seed + 100), number(seed + 200));
    let shares = [first, second, x - first - second];
    PartyId::ALL.map(|party| Share { own: shares[party.index()], next: shares[party.next().index()] })
}

/// The number that shares are of, whose copies must agree.
pub(crate) fn open(shares: [Share; 3]) -> Residue {
    for party in PartyId::ALL {
        assert_eq!(shares[party.index()].next, shares[party.next().index()].own);
    }
    shares.iter().map(|share| share.own).sum()
}

/// The three parties' randomness.
pub(crate) fn sessions(seed: u64) -> [Prss; 3] {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let keys = [(); 3].map(|()| PrssKey::generate(&mut rng));
    PartyId::ALL.map(|party| {
        let pair = [party, party.next()].map(|key| keys[key.index()].clone());
        Prss::new(party, pair, Digest([7; 32]))
    })
}

/// What a party's computation came to; `None` if it waits in vain.
pub(crate) type Outcome<T> = Option<Result<T, Abort>>;

/// Runs a protocol of three parties. `tamper` sees each message before it is delivered.
pub(crate) fn run<T, F>(
    seed: u64,
    protocol: impl Fn(Session) -> F,
    mut tamper: impl FnMut(PartyId, PartyId, &mut Message),
) -> [Outcome<T>; 3]
where
    F: Future<Output = Result<T, Abort>> + Send + 'static,
{
    let mut outcomes: [Outcome<T>; 3] = [const { None }; 3];
    let mut mail = VecDeque::new();
    let mut parties = sessions(seed).map(|prss| {
        let party = prss.party();
        let (computation, progress) = Computation::start(prss, &protocol).expect("nothing has come yet");
        mail.extend(progress.send.into_iter().map(|(to, message)| (party, to, message)));
        outcomes[party.index()] = progress.outcome.map(Ok);
        computation
    });
    while let Some((from, to, mut message)) = mail.pop_front() {
        if outcomes[to.index()].is_some() {
            continue;
        }
        tamper(from, to, &mut message);
        match parties[to.index()].receive(from, message) {
            Ok(progress) => {
                mail.extend(progress.send.into_iter().map(|(next, message)| (to, next, message)));
                outcomes[to.index()] = progress.outcome.map(Ok);
            }
            Err(abort) => outcomes[to.index()] = Some(Err(abort)),
        }
    }
    outcomes
}
