//! How a device cuts its events into bundles: the one public rule, so that the sizes of a subscriber's bundles say how
//! many events there are and nothing else.

use primitives::limits::BUNDLE_SIZES;

/// With more events left than this, the largest bundle is filled.
const LARGE_FROM: usize = 96;

const _: () = assert!(LARGE_FROM.is_multiple_of(BUNDLE_SIZES[1]) && LARGE_FROM < BUNDLE_SIZES[2]);

/// How `events` events of one shard are cut into bundles: how many go into each, in order.
pub fn sizes(events: usize) -> Vec<usize> {
    let [small, middle, large] = BUNDLE_SIZES;
    let mut sizes = Vec::new();
    let mut left = events;
    while left > 0 {
        let take = if left > LARGE_FROM {
            large
        } else if left > small {
            middle
        } else {
            small
        };
        sizes.push(take.min(left));
        left -= take.min(left);
    }
    sizes
}

/// Padding events that bundles of `events` events of one shard need.
pub fn padding(events: usize) -> usize {
    let size = |n: &usize| BUNDLE_SIZES.into_iter().find(|size| size >= n).expect("a bundle holds them");
    sizes(events).iter().map(|n| size(n) - n).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_into_as_few_padded_bundles_as_the_rule_says() {
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(8), [8]);
        assert_eq!(sizes(9), [9]);
        assert_eq!(sizes(40), [32, 8]);
        assert_eq!(sizes(96), [32, 32, 32]);
        assert_eq!(sizes(97), [97]);
        assert_eq!(sizes(230), [128, 102]);
        assert_eq!(sizes(300), [128, 128, 32, 12]);
        assert_eq!((padding(8), padding(9), padding(97)), (0, 23, 31));
    }

    #[test]
    fn every_event_is_in_a_bundle() {
        for events in 0..600 {
            assert_eq!(sizes(events).iter().sum::<usize>(), events);
            assert!(padding(events) < BUNDLE_SIZES[1]);
            assert!(sizes(events).len() <= events.div_ceil(BUNDLE_SIZES[1]), "{events} events of one shard");
        }
    }
}
