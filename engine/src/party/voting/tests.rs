//! What a party may sign, turn by turn, and after a restart.

use super::*;

const SHARD: ShardIndex = ShardIndex(0);
const ONE: PartyId = PartyId::ALL[0];
const TWO: PartyId = PartyId::ALL[1];

fn vote(position: u64, view: u32, header: u8) -> Vote {
    Vote { turn: Turn { position, view }, digest: Digest([header; 32]) }
}

#[test]
fn one_header_is_signed_for_a_turn_and_turns_only_grow() {
    let mut voting = Voting::new(TWO, SHARD);
    assert_eq!(voting.weigh(TWO, &vote(0, 0, 1)), Weighed::NotLeader);
    let record = voting.sign(vote(0, 1, 1), &[]).expect("nothing was signed");
    assert_eq!(voting.weigh(ONE, &vote(0, 1, 1)), Weighed::Again);
    assert_eq!(voting.weigh(ONE, &vote(0, 1, 2)), Weighed::Conflict);
    assert_eq!(voting.weigh(ONE, &vote(0, 0, 2)), Weighed::Late);
    for refused in [vote(0, 1, 1), vote(0, 1, 2), vote(0, 0, 2), vote(0, TERM, 2), vote(1, 0, 2)] {
        assert_eq!(voting.sign(refused, &[]), None, "{refused:?}");
    }
    let mut restored = Voting::restored(TWO, &record);
    assert_eq!(restored.sign(vote(0, 1, 2), &[]), None, "what was signed before the restart counts");
    assert!(restored.sign(vote(0, 2, 2), &[]).is_some());
}

#[test]
fn nothing_is_signed_once_the_set_is_frozen_whatever_restarts() {
    let root = Digest([7; 32]);
    let record = Voting::new(ONE, SHARD).freeze(root).expect("nothing was frozen");
    let mut restored = Voting::restored(ONE, &record);
    assert_eq!(restored.next_turn(), None);
    assert_eq!(restored.sign(vote(0, 0, 1), &[]), None);
    assert_eq!(restored.weigh(ONE, &vote(0, 0, 1)), Weighed::Late);
    assert_eq!(restored.freeze(Digest([8; 32])), None, "another root is never signed");
    assert_eq!(restored.freeze(root), Some(record));
}

#[test]
fn what_was_signed_stays_pledged_until_its_position_is_final_whatever_restarts() {
    let marks = [1, 2, 3].map(|n| Digest([n; 32]));
    let mut voting = Voting::new(TWO, SHARD);
    voting.anchored();
    voting.sign(vote(1, 0, 1), &marks[..1]).expect("nothing was signed");
    let record = voting.sign(vote(1, 1, 2), &marks[1..2]).expect("a later view");
    let mut restored = Voting::restored(TWO, &record);
    for _ in 0..2 {
        assert!(restored.has_pledged(&marks[..1]) && restored.has_pledged(&marks[1..]));
        assert!(!restored.has_pledged(&marks[2..]));
        restored.anchored();
    }
    assert!(!restored.has_pledged(&marks));
    let many = vec![marks[0]; MAX_PLEDGED + 1];
    assert_eq!(restored.sign(vote(2, 0, 1), &many), None, "a record has to fit on the disk");
}

#[test]
fn a_term_that_was_left_is_left_for_good() {
    let mut voting = Voting::new(TWO, SHARD);
    assert_eq!(voting.next_turn(), None, "party 1 leads position 0");
    let record = voting.give_up().expect("patience is over");
    assert_eq!(voting.next_turn(), Some(Turn { position: 0, view: TERM }));
    assert_eq!(voting.weigh(ONE, &vote(0, 0, 1)), Weighed::Late);
    assert_eq!(Voting::restored(TWO, &record).weigh(ONE, &vote(0, 0, 1)), Weighed::Late);
    assert_eq!(voting.give_up(), None, "nobody else is there");
    voting.hear(ONE, 0, 1);
    assert!(voting.give_up().is_some());
    voting.anchored();
    assert_eq!((voting.term(), voting.leader()), (0, TWO));
}

#[test]
fn a_party_that_restarts_proposes_in_a_view_of_its_own_and_signs_nothing_before_it_is_there_again() {
    let mut voting = Voting::new(ONE, SHARD);
    for _ in 0..3 {
        voting.anchored();
    }
    let record = voting.sign(vote(3, 0, 1), &[]).expect("party 1 leads position 3");
    let mut restored = Voting::restored(ONE, &record);
    assert_eq!(restored.next_turn(), None, "at position 0 there is nothing left to sign");
    assert_eq!(restored.sign(vote(0, 0, 2), &[]), None);
    assert_eq!(restored.record(), record);
    for _ in 0..3 {
        assert!(!restored.is_back());
        restored.anchored();
    }
    assert!(restored.is_back());
    assert_eq!(restored.next_turn(), Some(Turn { position: 3, view: 1 }));
}
