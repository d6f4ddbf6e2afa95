//! Whether two lists of views tell the inputs behind them apart: the comparison, for the tests of this crate and of those
//! that build on it.
//!
//! A view is what somebody sees in a run, as bytes. Over runs on two inputs it is counted how often each bit is one. If
//! nothing depends on the input, all runs are equally good as runs of either: given how often a bit is one in all of
//! them, the count on one input is hypergeometric, whatever the chance of the bit. A bit that a view does not have, since
//! it is shorter than others, is never one.
//!
//! What depends on several bits together and on no single one is not found.

/// How often each bit of a view is one, over runs on one input.
#[derive(Clone, Debug, Default)]
pub struct Ones {
    runs: u16,
    counts: Vec<u16>,
}

impl Ones {
    /// Counts the view of one run more.
    pub fn add(&mut self, view: &[u8]) {
        self.runs += 1;
        self.counts.resize(self.counts.len().max(8 * view.len()), 0);
        for (counts, byte) in self.counts.as_chunks_mut::<8>().0.iter_mut().zip(view) {
            for (bit, count) in counts.iter_mut().enumerate() {
                // Never above the number of runs, so that nothing wraps: the loop needs no checks, which slow it down.
                *count = count.wrapping_add(u16::from(byte & 1 << bit != 0));
            }
        }
    }

    /// Runs so far.
    pub fn runs(&self) -> u16 {
        self.runs
    }

    /// Bits of the longest view.
    pub fn bits(&self) -> usize {
        self.counts.len()
    }

    /// The places of the bits whose counts are more than `bound` standard deviations apart, with both counts.
    ///
    /// # Panics
    /// If there are not as many runs on either input.
    pub fn apart(&self, other: &Self, bound: f64) -> Vec<(usize, [u16; 2])> {
        assert_eq!(self.runs, other.runs, "as many runs on either input");
        let runs = 2.0 * f64::from(self.runs);
        let count = |of: &Self, at| of.counts.get(at).copied().unwrap_or_default();
        let is_apart = |[one, other]: [u16; 2]| {
            let ones = f64::from(one) + f64::from(other);
            f64::from(one.abs_diff(other)) > bound * (ones * (1.0 - ones / runs)).sqrt()
        };
        let counts = (0..self.bits().max(other.bits())).map(|at| (at, [count(self, at), count(other, at)]));
        counts.filter(|(_, counts)| is_apart(*counts)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Views of 128 runs in which a bit is one so often, among others that are always the same.
    fn ones(count: u16) -> Ones {
        let mut ones = Ones::default();
        (0..128).for_each(|run| ones.add(&[0xff, u8::from(run < count) << 3, 0]));
        ones
    }

    #[test]
    fn the_bit_that_is_apart_is_named_and_no_other() {
        for (one, other) in [(64, 0), (128, 64), (0, 128)] {
            assert_eq!(ones(one).apart(&ones(other), 6.0), [(11, [one, other])]);
        }
        // A deviation is that of the sum of both counts: 8 here.
        assert_eq!(ones(40).apart(&ones(88), 6.0), []);
        assert_eq!(ones(39).apart(&ones(88), 6.0).len(), 1);
        assert_eq!(ones(0).apart(&ones(0), 6.0), []);
    }

    #[test]
    fn a_longer_view_is_apart_where_the_other_ends() {
        let (mut short, mut long) = (Ones::default(), Ones::default());
        for _ in 0..128 {
            short.add(&[7]);
            long.add(&[7, 1]);
        }
        assert_eq!((short.bits(), long.bits()), (8, 16));
        assert_eq!(short.apart(&long, 6.0), [(8, [0, 128])]);
        assert_eq!(long.apart(&short, 6.0), [(8, [128, 0])]);
    }
}
