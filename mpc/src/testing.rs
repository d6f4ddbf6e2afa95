//! Three parties in one place.

use crate::{
    prss::{Prss, PrssKey},
    replicated::Share,
    session::{Abort, Attest, Computation, Message, Session},
    step::{Name, Step},
};
use primitives::{
    Digest, Domain, Encode, PartyId,
    field::{Plain, Residue},
    hash,
};
use rand_chacha::{ChaCha20Rng, rand_core::RngCore, rand_core::SeedableRng};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(crate) mod view;

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

/// A number with some limbs, each at its lowest bit, and the lowest bits of another.
pub(crate) fn limbs(shifts: &[(u64, u32)], lower: Residue, lower_bits: u32) -> Residue {
    let two = Residue::from(2);
    let power = |n: u32| two.powers().nth(n as usize).expect("powers have no end");
    let mut bytes = Plain::from(lower).to_canonical_bytes();
    for bit in lower_bits as usize..256 {
        bytes[bit / 8] &= !(1 << (bit % 8));
    }
    let lower = Residue::from(Plain::from_252_bits(&bytes));
    shifts.iter().fold(lower, |sum, (limb, shift)| sum + Residue::from(*limb) * power(*shift))
}

/// Signs with a hash that anybody could compute: tests change signatures, and forge none.
struct Named(PartyId);

fn signature(party: PartyId, digest: &Digest) -> [u8; 64] {
    hash::hash_wide(Domain::Barrier, &[&party.to_bytes(), &digest.0])
}

impl Attest for Named {
    fn sign(&self, digest: &Digest) -> [u8; 64] {
        signature(self.0, digest)
    }

    fn verify(&self, party: PartyId, digest: &Digest, found: &[u8; 64]) -> bool {
        *found == signature(party, digest)
    }
}

/// Whoever signs for a party in a test.
pub(crate) fn attest(party: PartyId) -> Box<dyn Attest> {
    Box::new(Named(party))
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
        let (computation, progress) =
            Computation::start(prss, attest(party), &protocol).expect("nothing has come yet");
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

/// The steps of a protocol, and where in their messages something is changed: in the first and the last byte and, where
/// a message carries a row of bits and its check in turn, in the first check and the last row.
fn places(step: Name, length: usize) -> BTreeSet<usize> {
    const WIDTH: usize = 1;
    let mut places = BTreeSet::from([0, length - 1]);
    if matches!(step, Name::CarrySave | Name::Generate | Name::Carry) {
        places.extend([WIDTH, length - WIDTH * (1 + 8 * 16)]);
    }
    places
}

/// What is to be noticed if a message of a step is changed.
fn is_expected(from: PartyId, step: Step, abort: &Abort) -> bool {
    // The last byte of a number may not be changed at will: then it is the spelling that is noticed.
    let spelling = *abort == Abort::Encoding { from, step };
    match step.name {
        Name::Barrier => *abort == Abort::Barrier { from, step },
        Name::OpenMasked | Name::OpenSquares => *abort == Abort::Copies { step } || spelling,
        Name::CheckKey | Name::CheckZero | Name::OpenOutcome => *abort == Abort::Copies { step } || spelling,
        // A part of a product that is wrong makes other copies of what is opened in the end.
        Name::CheckMask => matches!(abort, Abort::Product { .. } | Abort::Copies { .. }) || spelling,
        _ => matches!(abort, Abort::Product { .. }) || spelling,
    }
}

/// Runs a protocol again and again, on rows of one byte, each time with another message changed. No honest party comes
/// to a wrong outcome, and somebody notices, with the error of the step. Gives the names of all steps.
pub(crate) fn tampered<T: PartialEq + std::fmt::Debug>(
    protocol: impl Fn(&mut dyn FnMut(PartyId, PartyId, &mut Message)) -> [Outcome<T>; 3],
    right: &T,
) -> BTreeSet<Name> {
    let mut messages = BTreeMap::new();
    let outcomes = protocol(&mut |from, to, message| {
        messages.insert((from, to, message.step), message.body.len());
    });
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_some_and(|o| o.as_ref() == Ok(right))));
    for ((from, to, step), length) in &messages {
        for place in places(step.name, *length) {
            let outcomes = protocol(&mut |sender, receiver, message| {
                if (sender, receiver, message.step) == (*from, *to, *step) {
                    message.body[place] ^= 1;
                }
            });
            let aborts: Vec<_> = outcomes.iter().flatten().filter_map(|o| o.as_ref().err()).collect();
            assert!(!aborts.is_empty(), "{step} from {from} to {to}: nobody notices");
            assert!(
                aborts.iter().all(|abort| is_expected(*from, *step, abort)),
                "{step} from {from} to {to}: {aborts:?}"
            );
            for outcome in outcomes.iter().flatten().flatten() {
                assert_eq!(outcome, right, "{step} from {from} to {to}");
            }
        }
    }
    messages.keys().map(|(.., step)| step.name).collect()
}
