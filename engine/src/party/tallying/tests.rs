//! Ten epochs of tallies over shares made up here, beside a count in the open; and what a party may send.

use super::*;
use crate::{effect::Effect, message::Letter};
use curve25519_dalek::scalar::Scalar;
use mpc::step::Name;
use primitives::{
    ChainId, Decode, Digest, Encode, EpochId, GovernanceParams, Preset, Region, RegionTag, ShardIndex, Tier,
};
use proofs::{
    committee::Signatures,
    epoch::EpochContext,
    tally::{Count, EpochRoot, Running, Totals},
    testing::{self, TestCommittee, TierShares},
};
use rand_core::RngCore;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const TIERS: [Tier; 2] = [Tier(1), Tier(2)];
const WORKS: u16 = 10;
const K: u32 = 3;

/// What one subscriber adds to a work.
fn plays(views: u64, backed: bool) -> Count {
    Count { listeners: 1, backed: if backed { views } else { 0 }, views, value: views << 18 }
}

fn region(n: u8) -> RegionTag {
    RegionTag(Region::try_from(n).ok())
}

/// A bundle: its group, and what it counts of works.
type Bundle = (Group, Vec<(u16, Count)>);

/// A change of a message on its way; `false` drops it.
type Tamper<'a> = &'a mut dyn FnMut(PartyId, PartyId, &mut PeerMessage) -> bool;

/// What an epoch came to for each party: the tally, or why it stopped; nothing if it waits.
type Outcomes = [Option<Result<(Tally, TallyProof), TallyFault>>; 3];

struct Committee {
    secrets: [PartySecrets; 3],
    context: Arc<EpochContext>,
    carried: [Carried; 3],
    kept: [Vec<Carried>; 3],
    book: Book,
    epoch: u64,
    rng: ChaCha20Rng,
}

impl Committee {
    fn new() -> Self {
        let keys = testing::committee(11);
        let params = GovernanceParams { k_anonymity: K, ..Preset::Spec.params() };
        let context = Arc::new(testing::context(&keys, WORKS, params));
        let TestCommittee { signers: [a, b, c], kem: [x, y, z], .. } = keys;
        let secrets = [(a, x), (b, y), (c, z)].map(|(signer, kem)| PartySecrets { signer, kem });
        let carried = PartyId::ALL.map(Carried::none);
        let rng = ChaCha20Rng::seed_from_u64(7);
        let kept = Default::default();
        Self { secrets, context, carried, kept, book: Book::default(), epoch: 1, rng }
    }

    /// The frozen sets of the three parties over some bundles.
    fn frozen(&mut self, bundles: &[Bundle]) -> ([Frozen; 3], SignedRoot) {
        let context = self.context.clone();
        let width = context.shard.width();
        let mut running = Running::default();
        let mut totals = PartyId::ALL.map(|party| ReplicatedTotals::new(party, width));
        for (group, counts) in bundles {
            let mut vector = vec![Scalar::ZERO; width];
            counts.iter().for_each(|(work, count)| vector[usize::from(*work)] += count.to_scalar());
            let shares = TierShares::of(&vector, &mut self.rng);
            running.add(*group, &shares.commitments(&context.works));
            for totals in &mut totals {
                let held = [totals.party(), totals.party().next()].map(PartyId::index);
                let pair = held.map(|i| (&shares.entries[i][..], shares.blindings[i]));
                totals.add(*group, pair).expect("as wide as the shard");
            }
        }
        let (chain, epoch, shard) = (ChainId(1), EpochId(self.epoch), ShardIndex(0));
        let root = EpochRoot { chain, epoch, shard, batches: 1, last: Digest([1; 32]) };
        let mut signatures = Signatures::default();
        for secrets in &self.secrets {
            signatures.insert(secrets.signer.party(), secrets.signer.sign(&root.digest()));
        }
        let frozen = totals.map(|totals| Frozen {
            party: totals.party(),
            context: context.clone(),
            root: root.clone(),
            running: running.clone(),
            totals,
        });
        (frozen, SignedRoot { root, signatures })
    }

    /// One epoch over some bundles; `tamper` sees every letter.
    fn run(&mut self, bundles: &[Bundle], tamper: Tamper<'_>) -> Outcomes {
        let (frozen, root) = self.frozen(bundles);
        let (mut outcomes, mut mail) = ([const { None }; 3], VecDeque::new());
        let mut states = [const { None }; 3];
        let mut rngs = [0; 3].map(|_| ChaCha20Rng::seed_from_u64(self.rng.next_u64()));
        let mut kept = self.carried.clone();
        // Whether the party goes on.
        let mut take = |at: usize, next: Outcome, mail: &mut VecDeque<_>| match next {
            Ok(effects) => {
                for effect in effects {
                    match effect {
                        Effect::Send(Address::Party(to), Message::Peer(letter)) => {
                            mail.push_back((PartyId::from_index(at), to, letter));
                        }
                        Effect::Send(_, Message::Report(Report::Totals(_, _, opened, _))) => {
                            outcomes[at] = Some(Ok(*opened));
                        }
                        Effect::Keep(party, _, carried) => {
                            kept[party.index()] = carried.last().expect("it carries something").clone();
                            self.kept[party.index()] = carried;
                        }
                        _ => panic!("a tally sends nothing else"),
                    }
                }
                true
            }
            Err(fault) => {
                outcomes[at] = Some(Err(fault));
                false
            }
        };
        for (at, frozen) in frozen.into_iter().enumerate() {
            let book = (self.book.clone(), &self.carried[at]);
            let (mut tallying, _) = Tallying::new(frozen, book, &self.secrets[at]);
            let next = tallying.begin(&root, &mut rngs[at], &self.secrets[at]);
            states[at] = take(at, next, &mut mail).then_some(tallying);
        }
        while let Some((from, to, letter)) = mail.pop_front() {
            let mut letter = Letter::from_bytes(&letter.to_bytes()).expect("letters survive the wire");
            let carried = tamper(from, to, &mut letter.message);
            let at = to.index();
            let Some(state) = states[at].as_mut().filter(|_| carried) else { continue };
            let next = state.receive(from, letter.message, &mut rngs[at], &self.secrets[at]);
            if !take(at, next, &mut mail) {
                states[at] = None;
            }
        }
        self.carried = kept;
        self.epoch += 1;
        outcomes
    }

    /// An epoch of honest parties, which all come to the same.
    fn tally(&mut self, bundles: &[Bundle]) -> Tally {
        let outcomes = self.run(bundles, &mut |_, _, _| true);
        let [one, two, three] =
            outcomes.map(|outcome| outcome.expect("an end").expect("honest parties agree").0);
        assert!(one == two && two == three);
        self.book.before = one.after.clone();
        one
    }
}

/// The same in the open: what each cell has gathered, and how it is spread.
#[derive(Default)]
struct Plain(BTreeMap<(Tier, u16), (Count, BTreeMap<RegionTag, u64>)>);

impl Plain {
    /// Adds an epoch's bundles, and takes out what is to be published.
    fn tally(&mut self, bundles: &[Bundle]) -> (Totals, Squares) {
        let mut listeners = BTreeMap::<(Tier, u16), u64>::new();
        let mut totals = Totals::default();
        for (group, counts) in bundles {
            totals.touch(group.tier);
            for (work, count) in counts {
                let cell = (group.tier, *work);
                *listeners.entry(cell).or_default() += count.listeners;
                let (sum, backed) = self.0.entry(cell).or_default();
                *sum += *count;
                *backed.entry(group.region).or_default() += count.backed;
            }
        }
        let mut spread = BTreeMap::<(Option<Tier>, WorkIndex), BTreeMap<RegionTag, u64>>::new();
        for (cell, listeners) in listeners {
            if listeners >= u64::from(K) {
                let (count, backed) = self.0.remove(&cell).expect("it has listeners");
                totals.insert(cell.0, WorkIndex(cell.1), count);
                let regions = spread.entry((None, WorkIndex(cell.1))).or_default();
                backed.into_iter().for_each(|(region, n)| *regions.entry(region).or_default() += n);
            }
        }
        let square = |regions: BTreeMap<RegionTag, u64>| {
            regions.values().map(|n| u128::from(*n) * u128::from(*n)).sum::<u128>()
        };
        (totals, Squares::new(spread.into_iter().map(|(place, regions)| (place, square(regions)))))
    }
}

/// A handful of subscribers, each with a few works.
fn bundles(rng: &mut ChaCha20Rng) -> Vec<Bundle> {
    let mut draw = |below: u32| rng.next_u32() % below;
    let subscriber = |draw: &mut dyn FnMut(u32) -> u32| {
        let tier = TIERS[draw(2) as usize];
        let region = if draw(3) == 0 { RegionTag::NONE } else { region(1 + draw(3) as u8) };
        let works: BTreeSet<u16> = (0..3).map(|_| draw(6) as u16).collect();
        let counts = works
            .into_iter()
            .map(|work| (work, plays(1 + u64::from(draw(4)), region != RegionTag::NONE && draw(2) == 0)));
        (Group { tier, region }, counts.collect())
    };
    (0..8).map(|_| subscriber(&mut draw)).collect()
}

#[test]
fn nothing_is_lost_or_counted_twice_over_ten_epochs() {
    let (mut committee, mut plain) = (Committee::new(), Plain::default());
    let mut rng = ChaCha20Rng::seed_from_u64(20);
    let (mut published, mut closed) = (0, 0);
    for epoch in 1..=10 {
        let bundles = bundles(&mut rng);
        let (totals, squares) = plain.tally(&bundles);
        let found = committee.tally(&bundles);
        assert_eq!((&found.totals, &found.squares), (&totals, &squares), "epoch {epoch}");
        published += totals.iter().map(|(_, works)| works.len()).sum::<usize>();
        closed += plain.0.len();
    }
    assert!(published > 20 && closed > 20, "{published} {closed}");
    // What is left: everybody listens once to everything.
    let all: Vec<Bundle> = TIERS
        .into_iter()
        .flat_map(|tier| {
            let everything = (0..WORKS).map(|work| (work, plays(1, false))).collect::<Vec<_>>();
            vec![(Group { tier, region: RegionTag::NONE }, everything); K as usize]
        })
        .collect();
    let (totals, squares) = plain.tally(&all);
    let found = committee.tally(&all);
    assert!(plain.0.is_empty());
    assert_eq!((found.totals, found.squares), (totals, squares));
}

/// This epoch's listeners alone decide.
#[test]
fn a_loyal_fan_never_publishes_a_work_by_coming_back() {
    let mut committee = Committee::new();
    let group = Group { tier: TIERS[0], region: region(2) };
    let fan = (group, vec![(7, plays(4, true))]);
    for _ in 0..10 {
        let tally = committee.tally(std::slice::from_ref(&fan));
        assert_eq!(tally.totals.get(TIERS[0], WorkIndex(7)), None);
    }
    let others = vec![(group, vec![(7, plays(1, false))]); K as usize];
    let tally = committee.tally(&others);
    let expected = Count { listeners: 13, backed: 40, views: 43, value: 43 << 18 };
    assert_eq!(tally.totals.get(TIERS[0], WorkIndex(7)), Some(&expected));
    assert_eq!(tally.squares.of(None, WorkIndex(7)), 1_600);
}

#[test]
fn a_resting_work_is_not_published_whoever_plays_it() {
    let mut committee = Committee::new();
    committee.book.resting = [WorkIndex(7)].into();
    let group = Group { tier: TIERS[0], region: RegionTag::NONE };
    let everybody = vec![(group, vec![(7, plays(1, false)), (8, plays(1, false))]); 5];
    let tally = committee.tally(&everybody);
    assert_eq!(tally.totals.get(TIERS[0], WorkIndex(7)), None);
    assert!(tally.totals.get(TIERS[0], WorkIndex(8)).is_some());
}

#[test]
fn a_party_that_lost_what_it_carried_says_so_before_anything_is_computed() {
    let mut committee = Committee::new();
    let group = Group { tier: TIERS[0], region: RegionTag::NONE };
    let fan = [(group, vec![(7, plays(4, false))])];
    committee.tally(&fan);
    let [one, ..] = PartyId::ALL;
    committee.carried[one.index()] = Carried::none(one);
    let [lost, ..] = committee.run(&fan, &mut |_, _, _| true);
    assert_eq!(lost.map(|outcome| outcome.map(|_| ())), Some(Err(TallyFault::Carried { tier: TIERS[0] })));
}

/// An epoch is given up after a party signed its totals: what is on record is what the party carried before.
#[test]
fn of_what_a_party_kept_it_takes_what_is_on_record() {
    let mut committee = Committee::new();
    let group = Group { tier: TIERS[0], region: RegionTag::NONE };
    let fan = [(group, vec![(7, plays(4, false))])];
    let [one, ..] = PartyId::ALL;
    let mut kept = vec![committee.carried[0].clone()];
    let mut records = vec![committee.book.before.clone()];
    for _ in 0..2 {
        committee.tally(&fan);
        kept.push(committee.carried[0].clone());
        records.push(committee.book.before.clone());
    }
    for (before, expected) in records.iter().zip(&kept) {
        let found = Carried::on_record(one, &kept, &committee.context, before);
        assert_eq!(found.opens(&committee.context, before), expected.opens(&committee.context, before));
        assert!(found.opens(&committee.context, before));
    }
    let nothing = Carried::on_record(one, &kept[..1], &committee.context, &records[2]);
    assert!(!nothing.opens(&committee.context, &records[2]));
}

fn crowd() -> Vec<Bundle> {
    let group = Group { tier: TIERS[0], region: region(1) };
    let lonely = (Group { tier: TIERS[0], region: region(2) }, vec![(2, plays(1, true))]);
    let mut bundles = vec![(group, vec![(1, plays(2, true))]); K as usize];
    bundles.push(lonely);
    bundles
}

/// Whatever one party changes: no honest party comes to a wrong tally, and one who is named did it.
#[test]
fn every_letter_that_is_tampered_with_is_noticed_or_changes_nothing() {
    let [_, liar, _] = PartyId::ALL;
    let (right, _) = Plain::default().tally(&crowd());
    let mut seen = BTreeMap::<String, usize>::new();
    Committee::new().run(&crowd(), &mut |from, _, message| {
        if from == liar {
            *seen.entry(kind(message)).or_default() += 1;
        }
        true
    });
    assert!(seen.len() > 8, "{seen:?}");
    for (step, letters) in seen {
        for letter in [0, letters - 1] {
            let mut number = 0;
            let outcomes = Committee::new().run(&crowd(), &mut |from, _, message| {
                if from == liar && kind(message) == step {
                    if number == letter {
                        change(message);
                    }
                    number += 1;
                }
                true
            });
            let mut noticed = false;
            for (party, outcome) in PartyId::ALL.into_iter().zip(outcomes).filter(|(p, _)| *p != liar) {
                match outcome {
                    Some(Ok((tally, _))) => assert_eq!(tally.totals, right, "{step} at party {party}"),
                    Some(Err(fault)) => {
                        noticed = true;
                        let named = fault.culprit();
                        assert!(named.is_none_or(|named| named == liar), "{step}: {fault}");
                    }
                    // It waits for somebody who stopped.
                    None => noticed = true,
                }
            }
            assert!(noticed, "{step}, letter {letter}");
        }
    }
}

/// The step of a letter.
fn kind(message: &PeerMessage) -> String {
    match message {
        PeerMessage::Key(_) => "key".into(),
        PeerMessage::Compute(message) => message.step.name.as_str().into(),
        PeerMessage::Openings(_) => "openings".into(),
        PeerMessage::Reveal(_) => "reveal".into(),
        PeerMessage::Response(_) => "response".into(),
        PeerMessage::Left(_) => "left".into(),
        _ => panic!("a tally sends nothing else"),
    }
}

fn change(message: &mut PeerMessage) {
    match message {
        PeerMessage::Key(key) => key.0[0] ^= 1,
        PeerMessage::Compute(message) => match message.body.first_mut() {
            Some(byte) => *byte ^= 1,
            None => message.body.push(1),
        },
        PeerMessage::Openings(message) => message.rows[0][0] += Scalar::ONE,
        PeerMessage::Reveal(message) => message.announcements[0] += proofs::generators::bases().key,
        PeerMessage::Response(message) => message.rows[0][0] += Scalar::ONE,
        PeerMessage::Left(left) => {
            let base = proofs::generators::bases().key;
            left.0.values_mut().take(1).for_each(|pair| pair[0] += base);
        }
        _ => {}
    }
}

#[test]
fn who_opens_wrongly_or_before_the_barrier_or_sends_a_false_signature_is_named() {
    let [_, liar, _] = PartyId::ALL;
    let with = |change: &dyn Fn(&mut PeerMessage)| {
        let outcomes = Committee::new().run(&crowd(), &mut |from, _, message| {
            if from == liar {
                change(message);
            }
            true
        });
        let culprits = outcomes.into_iter().enumerate().filter(|(at, _)| *at != liar.index());
        culprits.map(|(_, outcome)| outcome?.err()?.culprit()).collect::<Vec<_>>()
    };
    let response = |message: &mut PeerMessage| {
        if let PeerMessage::Response(message) = message {
            message.rows[0][0] += Scalar::ONE;
        }
    };
    assert_eq!(with(&response), [Some(liar); 2]);
    let barrier = |message: &mut PeerMessage| {
        if let PeerMessage::Compute(message) = message
            && message.step.name == Name::Barrier
        {
            message.body[0] ^= 1;
        }
    };
    assert_eq!(with(&barrier), [Some(liar); 2]);
    let early = |message: &mut PeerMessage| {
        if let PeerMessage::Compute(message) = message
            && message.step.name == Name::Barrier
        {
            message.step.name = Name::CheckKey;
        }
    };
    assert_eq!(with(&early), [Some(liar); 2]);
}

#[test]
fn a_key_from_the_wrong_neighbour_and_a_second_key_name_their_sender() {
    let [one, two, three] = PartyId::ALL;
    let fault = |from: PartyId, keys: usize| {
        let mut committee = Committee::new();
        let (frozen, root) = committee.frozen(&crowd());
        let [first, ..] = frozen;
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let (mut tallying, _) =
            Tallying::new(first, (Book::default(), &Carried::none(one)), &committee.secrets[0]);
        tallying.begin(&root, rng, &committee.secrets[0]).expect("it begins");
        for _ in 0..keys {
            let message = PeerMessage::Key(PrssKey([1; 32]));
            if let Err(fault) = tallying.receive(from, message, rng, &committee.secrets[0]) {
                return Some(fault);
            }
        }
        None
    };
    assert_eq!(fault(three, 1), Some(TallyFault::Key { party: three }));
    assert_eq!(fault(two, 1), None);
    assert_eq!(fault(two, 2), Some(TallyFault::Twice { party: two }));
}

/// Each of two epochs in a row is given up after this party signed its totals.
#[test]
fn two_epochs_given_up_in_a_row_lose_nothing_that_was_carried() {
    let mut committee = Committee::new();
    let ([one, ..], shard) = (PartyId::ALL, ShardIndex(0));
    let shelf = crate::party::Shelf::default();
    let group = Group { tier: TIERS[0], region: RegionTag::NONE };
    committee.tally(&[(group, vec![(7, plays(4, false))])]);
    shelf.put(one, shard, committee.kept[0].clone()).unwrap();
    let (on_record, carried) = (committee.book.before.clone(), committee.carried.clone());
    for lost in 1..=2 {
        committee.carried = carried.clone();
        committee.run(&[(group, vec![(3 + lost, plays(1, false))])], &mut |_, _, _| true);
        shelf.put(one, shard, committee.kept[0].clone()).unwrap();
        let kept = &shelf.of(one)[&shard];
        let found = Carried::on_record(one, kept, &committee.context, &on_record);
        assert!(found.opens(&committee.context, &on_record), "lost after {lost} epochs that were given up");
    }
}

/// The first epoch is given up after the parties signed its totals. Nothing is on record of what they kept.
#[test]
fn after_a_first_epoch_that_was_given_up_the_next_is_opened() {
    let mut committee = Committee::new();
    let group = Group { tier: TIERS[0], region: RegionTag::NONE };
    let fan = [(group, vec![(7, plays(4, false))])];
    committee.run(&fan, &mut |_, _, _| true);
    let before = committee.book.before.clone();
    let (kept, context) = (committee.carried.clone(), committee.context.clone());
    committee.carried =
        PartyId::ALL.map(|p| Carried::on_record(p, &kept[p.index()..=p.index()], &context, &before));
    committee.tally(&fan);
}

/// The same with a tier that is on record and another that is not.
#[test]
fn after_an_epoch_that_was_given_up_a_tier_that_is_not_on_record_counts_for_nothing() {
    let mut committee = Committee::new();
    let of = |tier| (Group { tier, region: RegionTag::NONE }, vec![(7, plays(4, false))]);
    committee.tally(&[of(TIERS[0])]);
    let (before, first) = (committee.book.before.clone(), committee.carried.clone());
    committee.run(&[of(TIERS[1])], &mut |_, _, _| true);
    let (second, context) = (committee.carried.clone(), committee.context.clone());
    let kept = |p: PartyId| [first[p.index()].clone(), second[p.index()].clone()];
    committee.carried = PartyId::ALL.map(|p| Carried::on_record(p, &kept(p), &context, &before));
    committee.tally(&[of(TIERS[0]), of(TIERS[1])]);
}

#[test]
fn whoever_says_wrongly_what_is_carried_on_is_named() {
    let (group, one) = (Group { tier: TIERS[0], region: RegionTag::NONE }, [(7, plays(4, false))]);
    for liar in PartyId::ALL {
        for at in [0, 1] {
            let mut committee = Committee::new();
            let outcomes = committee.run(&[(group, one.to_vec())], &mut |from, _, message| {
                if let PeerMessage::Left(left) = message
                    && from == liar
                {
                    left.0.values_mut().for_each(|pair| pair[at] += proofs::generators::bases().blinding);
                }
                true
            });
            // The other holder of the share knows who lies; the third hears two things of it.
            let (holder, third) =
                if at == 0 { (liar.previous(), liar.next()) } else { (liar.next(), liar.previous()) };
            let fault = |party: PartyId| outcomes[party.index()].clone().expect("an end").map(|_| ());
            assert_eq!(fault(holder), Err(TallyFault::Left { party: liar }));
            assert_eq!(fault(third), Err(TallyFault::LeftApart));
        }
    }
}

#[test]
fn who_speaks_of_other_groups_than_are_carried_on_is_named() {
    let (group, one) = (Group { tier: TIERS[0], region: RegionTag::NONE }, vec![(7, plays(4, false))]);
    let liar = PartyId::ALL[1];
    let outcomes = Committee::new().run(&[(group, one)], &mut |from, _, message| {
        if let PeerMessage::Left(left) = message
            && from == liar
        {
            left.0.clear();
        }
        true
    });
    for party in [liar.next(), liar.previous()] {
        let fault = outcomes[party.index()].clone().expect("an end").map(|_| ());
        assert_eq!(fault, Err(TallyFault::Left { party: liar }));
    }
}
