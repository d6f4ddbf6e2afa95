//! Letters that come before their time, kept within bounds until it is there.

use crate::message::{Address, Letter};
use primitives::Encode;
use std::collections::BTreeMap;

/// Most bytes of one sender's letters that are kept: several times what a party says in one step of the largest shards.
const MAX_BYTES: usize = 1 << 27;

/// Letters in the order in which they came.
#[derive(Default)]
pub(super) struct Ahead {
    letters: Vec<(Address, Letter)>,
    /// How many there are of each sender, and how long they are together.
    held: BTreeMap<Address, (usize, usize)>,
}

impl Ahead {
    /// Keeps a letter, if its sender has fewer than `most` here and there is room for its bytes.
    pub(super) fn keep(&mut self, from: Address, letter: Letter, most: usize) {
        let (count, bytes) = self.held.entry(from).or_default();
        let length = letter.to_bytes().len();
        if *count < most && *bytes + length <= MAX_BYTES {
            (*count, *bytes) = (*count + 1, *bytes + length);
            self.letters.push((from, letter));
        }
    }

    /// Gives all of them.
    pub(super) fn take(&mut self) -> Vec<(Address, Letter)> {
        std::mem::take(self).letters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{PeerMessage, Sitting};
    use primitives::{Digest, PartyId, ShardIndex};

    #[test]
    fn one_sender_takes_no_more_than_its_room_and_none_of_others() {
        let [one, two, _] = PartyId::ALL.map(Address::Party);
        let mut ahead = Ahead::default();
        let letter = |names: usize| {
            let message = PeerMessage::Batch(Digest::default(), vec![Digest::default(); names]);
            Letter { shard: ShardIndex(0), sitting: Sitting::default(), message }
        };
        (0..5).for_each(|_| ahead.keep(one, letter(1), 3));
        ahead.keep(two, letter(1), 3);
        assert_eq!(ahead.take().iter().map(|(from, _)| *from).collect::<Vec<_>>(), [one, one, one, two]);
        (0..3).for_each(|_| ahead.keep(one, letter(MAX_BYTES / 32 / 2), 9));
        assert_eq!(ahead.take().len(), 1, "two of them are longer than there is room for");
        ahead.keep(one, letter(1), 1);
        assert_eq!(ahead.take().len(), 1, "what was taken makes room");
    }
}
