//! A vector that clones share piece by piece until one of them writes.

use std::sync::Arc;

/// Elements of one piece: a write after a clone copies that many, and a clone counts references to `len / PIECE`.
const PIECE: usize = 256;

/// A growing vector in shared pieces of [`PIECE`] elements.
#[derive(Clone)]
pub(super) struct SharedVec<T> {
    pieces: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T> Default for SharedVec<T> {
    fn default() -> Self {
        Self { pieces: Vec::new(), len: 0 }
    }
}

impl<T: Clone> SharedVec<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, i: usize) -> Option<&T> {
        self.pieces.get(i / PIECE)?.get(i % PIECE)
    }

    /// Writes element `i`, or appends it if `i` is the length. Panics beyond that.
    pub(super) fn put(&mut self, i: usize, value: T) {
        assert!(i <= self.len, "place {i} of {}", self.len);
        if i == PIECE * self.pieces.len() {
            self.pieces.push(Arc::default());
        }
        let piece = Arc::make_mut(&mut self.pieces[i / PIECE]);
        match piece.get_mut(i % PIECE) {
            Some(old) => *old = value,
            None => {
                piece.push(value);
                self.len += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_do_not_see_each_other() {
        let mut a = SharedVec::default();
        for i in 0..3 * PIECE {
            a.put(i, i);
        }
        let mut b = a.clone();
        b.put(5, 1000);
        b.put(3 * PIECE, 7);
        a.put(PIECE, 2000);
        assert_eq!((a.get(5), b.get(5)), (Some(&5), Some(&1000)));
        assert_eq!((a.get(PIECE), b.get(PIECE)), (Some(&2000), Some(&PIECE)));
        assert_eq!((a.len(), b.len()), (3 * PIECE, 3 * PIECE + 1));
        assert_eq!((a.get(3 * PIECE), b.get(3 * PIECE)), (None, Some(&7)));
    }
}
