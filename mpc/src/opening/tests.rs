//! The joint opening against its ideal twin, and every message of it changed in transit.

use super::*;
use crate::share::ReplicatedTotals;
use curve25519_dalek::{constants::RISTRETTO_BASEPOINT_POINT as BASE, scalar::Scalar};
use primitives::{Decode, Digest, Domain, Encode, hash};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// Two rows of two works under Pedersen commitments with made-up bases, and one statement over both: enough to make wrong
/// openings fail.
#[derive(Clone)]
struct Toy {
    works: [RistrettoPoint; 2],
    commitments: [Vec<RistrettoPoint>; 3],
    rng: ChaCha20Rng,
}

fn blinding_base() -> RistrettoPoint {
    BASE * Scalar::from(999_983u64)
}

impl Toy {
    /// The statement of one share: commitments less openings.
    fn target(&self, share: PartyId, rows: &Rows) -> RistrettoPoint {
        let commitments = &self.commitments[share.index()];
        let opened =
            rows.iter().flatten().zip(self.works.iter().cycle()).map(|(x, g)| x * g).sum::<RistrettoPoint>();
        commitments.iter().sum::<RistrettoPoint>() - opened
    }
}

impl Relation for Toy {
    type Nonce = Scalar;
    type Challenge = Scalar;
    type Witness = Scalar;

    fn announce(&mut self, _: PartyId, _: &Rows) -> (Scalar, Vec<RistrettoPoint>) {
        let nonce = Scalar::random(&mut self.rng);
        (nonce, vec![nonce * blinding_base()])
    }

    fn challenge(&self, openings: &[Rows; 3], announcements: &[Vec<RistrettoPoint>; 3]) -> Scalar {
        let bytes: Vec<u8> = openings.iter().flatten().flatten().flat_map(|x| x.to_bytes()).collect();
        let sum = announcements.iter().flatten().sum::<RistrettoPoint>().compress().0;
        Scalar::from_bytes_mod_order(hash::hash(Domain::Simulation, &[&bytes, &sum]).0)
    }

    fn respond(&self, nonce: Scalar, witness: &Scalar, challenge: &Scalar) -> Rows {
        vec![vec![nonce + challenge * witness]]
    }

    fn check(
        &self,
        share: PartyId,
        rows: &Rows,
        announcements: &[RistrettoPoint],
        c: &Scalar,
        responses: &Rows,
    ) -> bool {
        let [[z]] = responses.iter().map(Vec::as_slice).collect::<Vec<_>>()[..] else { return false };
        z * blinding_base() == announcements[0] + c * self.target(share, rows)
    }
}

struct World {
    relation: Toy,
    parties: [ReplicatedTotals<u8>; 3],
}

fn world() -> World {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let works = [BASE * Scalar::from(7u8), BASE * Scalar::from(11u8)];
    let mut parties = PartyId::ALL.map(|party| ReplicatedTotals::new(party, 2));
    let mut commitments = [const { Vec::new() }; 3];
    for group in 0..2u8 {
        let shares: [[Scalar; 2]; 3] =
            std::array::from_fn(|_| [Scalar::random(&mut rng), Scalar::random(&mut rng)]);
        let blindings: [Scalar; 3] = std::array::from_fn(|_| Scalar::random(&mut rng));
        for i in 0..3 {
            commitments[i]
                .push(works[0] * shares[i][0] + works[1] * shares[i][1] + blinding_base() * blindings[i]);
        }
        for party in &mut parties {
            let (own, next) = (party.party().index(), party.party().next().index());
            party.add(group, [(&shares[own], blindings[own]), (&shares[next], blindings[next])]).unwrap();
        }
    }
    World { relation: Toy { works, commitments, rng }, parties }
}

type Change<'a, M> = &'a dyn Fn(PartyId, PartyId, &mut M);

/// Runs the three parties; each hook may change a message on its way from one party to another.
fn run(
    world: &World,
    openings: Change<'_, OpeningsMessage>,
    reveals: Change<'_, RevealMessage>,
    responses: Change<'_, ResponseMessage>,
) -> [Result<Opened, OpeningError>; 3] {
    fn carry<M: Clone + Encode + Decode>(
        sent: &[Option<M>; 3],
        to: PartyId,
        change: Change<'_, M>,
    ) -> Option<(M, M)> {
        let fetch = |from: PartyId| {
            let mut message =
                M::from_bytes(&sent[from.index()].as_ref()?.to_bytes()).expect("messages survive the wire");
            change(from, to, &mut message);
            Some(message)
        };
        Some((fetch(to.next())?, fetch(to.previous())?))
    }
    let mut errors = [None; 3];
    let mut first = [const { None }; 3];
    let states = world.parties.each_ref().map(|totals| {
        let party = totals.party();
        let rows = totals.own().map(|(_, sum)| sum.entries.clone()).collect();
        let witness = totals.own().map(|(_, sum)| sum.blinding).sum();
        let relation =
            Toy { rng: ChaCha20Rng::seed_from_u64(party.index() as u64), ..world.relation.clone() };
        let (state, message) = start(Digest([3; 32]), party, relation, rows, witness);
        first[party.index()] = Some(message);
        state
    });
    let mut second = [const { None }; 3];
    let states = states.map(|state| {
        let at = state.party();
        let (next, previous) = carry(&first, at, openings)?;
        let step = state.receive(next, previous).map_err(|e| errors[at.index()] = Some(e)).ok()?;
        second[at.index()] = Some(step.1);
        Some(step.0)
    });
    let mut third = [const { None }; 3];
    let states = states.map(|state| {
        let state = state?;
        let at = state.party();
        let (next, previous) = carry(&second, at, reveals)?;
        let step = state.receive(next, previous).map_err(|e| errors[at.index()] = Some(e)).ok()?;
        third[at.index()] = Some(step.1);
        Some(step.0)
    });
    let stopped = OpeningError::ViewsDiffer { party: PartyId::ALL[0] };
    let mut results = [const { None }; 3];
    for state in states.into_iter().flatten() {
        let at = state.party();
        if let Some((next, previous)) = carry(&third, at, responses) {
            results[at.index()] = Some(state.receive(next, previous));
        }
    }
    std::array::from_fn(|i| results[i].take().unwrap_or(Err(errors[i].unwrap_or(stopped))))
}

fn silent<M>(_: PartyId, _: PartyId, _: &mut M) {}

#[test]
fn three_honest_parties_open_what_the_ideal_functionality_says() {
    let world = world();
    let results = run(&world, &silent, &silent, &silent);
    let opened = results[0].clone().unwrap();
    assert_eq!(opened.totals, ideal::totals(&world.parties));
    for result in &results {
        assert_eq!(result.as_ref(), Ok(&opened));
    }
    // The sums of the messages are a proof about the sums of the shares.
    let reveal =
        world.relation.challenge(&opened.openings, &[opened.announcements.clone(), Vec::new(), Vec::new()]);
    let target: RistrettoPoint =
        PartyId::ALL.iter().map(|s| world.relation.target(*s, &opened.openings[s.index()])).sum();
    let response: Scalar = opened.responses.iter().flatten().flatten().sum();
    assert_eq!(response * blinding_base(), opened.announcements[0] + reveal * target);
}

#[test]
fn a_party_that_opens_wrongly_is_named_by_the_others() {
    for liar in PartyId::ALL {
        // The liar tells everybody the same wrong total, and believes it itself.
        let mut world = world();
        let mut lies = ReplicatedTotals::new(liar, 2);
        for ((group, own), (_, next)) in
            world.parties[liar.index()].own().zip(world.parties[liar.index()].next())
        {
            let mut entries = own.entries.clone();
            entries[0] += Scalar::ONE;
            lies.add(group, [(&entries, own.blinding), (&next.entries, next.blinding)]).unwrap();
        }
        world.parties[liar.index()] = lies;
        for (at, result) in PartyId::ALL.into_iter().zip(run(&world, &silent, &silent, &silent)) {
            assert_eq!(result, Err(OpeningError::WrongOpener { party: liar }), "seen by {at}");
        }
    }
}

#[test]
fn two_versions_of_an_opening_stop_everybody_and_frame_nobody() {
    let world = world();
    let [one, two, three] = PartyId::ALL;
    let twice = |from, to, message: &mut OpeningsMessage| {
        if (from, to) == (three, two) {
            message.rows[0][0] += Scalar::ONE;
        }
    };
    for result in run(&world, &twice, &silent, &silent) {
        let error = result.unwrap_err();
        assert!(matches!(error, OpeningError::ViewsDiffer { .. }), "{error}");
        assert_eq!(error.culprit(), None);
    }
    let commitment = |from, to, message: &mut OpeningsMessage| {
        if (from, to) == (three, one) {
            message.commitment.0[0] ^= 1;
        }
    };
    assert!(matches!(run(&world, &commitment, &silent, &silent)[0], Err(OpeningError::ViewsDiffer { .. })));
}

#[test]
fn an_announcement_that_was_not_committed_to_names_its_party() {
    let world = world();
    for liar in PartyId::ALL {
        let change = |from, _, message: &mut RevealMessage| {
            if from == liar {
                message.announcements[0] += blinding_base();
            }
        };
        let results = run(&world, &silent, &change, &silent);
        for honest in [liar.next(), liar.previous()] {
            assert_eq!(results[honest.index()], Err(OpeningError::Announcement { party: liar }));
        }
    }
}

#[test]
fn a_false_view_stops_the_opening() {
    let world = world();
    let change = |from, _, message: &mut RevealMessage| {
        if from == PartyId::ALL[1] {
            message.view.0[5] ^= 1;
        }
    };
    let results = run(&world, &silent, &change, &silent);
    assert_eq!(results[0], Err(OpeningError::ViewsDiffer { party: PartyId::ALL[1] }));
}

#[test]
fn a_wrong_response_names_its_party() {
    let world = world();
    for liar in PartyId::ALL {
        let change = |from, _, message: &mut ResponseMessage| {
            if from == liar {
                message.rows[0][0] += Scalar::ONE;
            }
        };
        let results = run(&world, &silent, &silent, &change);
        let none = |from, _, message: &mut ResponseMessage| {
            if from == liar {
                message.rows.clear();
            }
        };
        let silent_ones = run(&world, &silent, &silent, &none);
        for honest in [liar.next(), liar.previous()] {
            let wrong = Err(OpeningError::WrongOpener { party: liar });
            assert_eq!((&results[honest.index()], &silent_ones[honest.index()]), (&wrong, &wrong));
        }
    }
}

#[test]
fn announcements_of_another_number_name_their_party() {
    let world = world();
    let [one, two, _] = PartyId::ALL;
    let change = |from, _, message: &mut RevealMessage| {
        if from == two {
            message.announcements.push(blinding_base());
        }
    };
    // What was committed to is one announcement: another number is another announcement.
    let error = OpeningError::Announcement { party: two };
    assert_eq!(run(&world, &silent, &change, &silent)[one.index()], Err(error));
}

#[test]
fn openings_of_another_shape_name_their_party() {
    let world = world();
    let change = |from, _, message: &mut OpeningsMessage| {
        if from == PartyId::ALL[2] {
            message.rows[1].pop();
        }
    };
    assert_eq!(
        run(&world, &change, &silent, &silent)[0],
        Err(OpeningError::Shape { party: PartyId::ALL[2] })
    );
}

#[test]
fn messages_have_one_encoding() {
    let message = ResponseMessage { rows: vec![vec![Scalar::ONE]] };
    let mut bytes = message.to_bytes();
    assert_eq!(ResponseMessage::from_bytes(&bytes), Ok(message));
    *bytes.last_mut().unwrap() = 0xff;
    assert!(ResponseMessage::from_bytes(&bytes).is_err());
    assert!(RevealMessage::from_bytes(&[0xff; 64]).is_err());
    assert!(OpeningsMessage::from_bytes(&u32::MAX.to_bytes()).is_err());
}
