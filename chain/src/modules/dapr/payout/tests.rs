use super::*;
use primitives::{Decode, Encode, Preset};
use proptest::{collection::vec, prelude::*};

fn work(n: u8) -> WorkId {
    WorkId([n; 32])
}

fn split(payee: u8, share: u16) -> Split {
    Split { payee: PersonId([payee; 32]), share: BasisPoints::new(share).expect("at most the whole") }
}

fn divide(pool: u64, shares: &[(u8, u64)]) -> Vec<u64> {
    let shares: Vec<_> = shares.iter().map(|(n, share)| (work(*n), U256::from(*share))).collect();
    largest_remainder(Credits(pool), &shares).into_iter().map(|c| c.0).collect()
}

#[test]
fn the_largest_remainders_get_the_units_that_are_left() {
    // exact parts 4.7, 2.9 and 2.4: two floors are raised
    assert_eq!(divide(10, &[(1, 47), (2, 29), (3, 24)]), [5, 3, 2]);
    assert_eq!(divide(10, &[(1, 1), (2, 1)]), [5, 5]);
    assert_eq!(divide(7, &[(1, 5)]), [7]);
    assert_eq!(divide(0, &[(1, 5), (2, 6)]), [0, 0]);
}

#[test]
fn equal_remainders_go_to_the_smaller_work() {
    assert_eq!(divide(1, &[(2, 1), (1, 1), (3, 1)]), [0, 1, 0]);
    assert_eq!(divide(5, &[(2, 1), (1, 1), (3, 1)]), [2, 2, 1]);
}

#[test]
fn shares_of_zero_earn_nothing() {
    assert_eq!(divide(10, &[(1, 0), (2, 0)]), [0, 0]);
    assert_eq!(divide(10, &[]), Vec::<u64>::new());
    assert_eq!(divide(2, &[(1, 0), (2, 1), (3, 1), (4, 1)]), [0, 1, 1, 0]);
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    let shares = [(work(1), U256::MAX), (work(2), U256::MAX), (work(3), U256::MAX)];
    let third = u64::MAX / 3;
    assert_eq!(largest_remainder(Credits(u64::MAX), &shares), [Credits(third); 3]);
}

#[test]
fn revenue_by_hand() {
    let spec = Preset::Spec.params();
    // 5 % eco, 8 % infrastructure, 2 % fee
    let split = split_revenue(&spec, Credits(1_000));
    let [fee, eco, infra, creators] = [20, 50, 80, 850].map(Credits);
    assert_eq!(split, RevenueSplit { revenue: Credits(1_000), fee, eco, infra, creators });
    // what deductions round off stays with creators
    assert_eq!(split_revenue(&spec, Credits(12)).creators, Credits(12));
    assert_eq!(RevenueSplit::from_bytes(&split.to_bytes()), Ok(split));
}

#[test]
fn splits_by_hand() {
    let splits = [split(1, 3_334), split(2, 3_333), split(3, 3_333)];
    assert_eq!(check_splits(&splits), Ok(()));
    // exact parts 33.34, 33.33 and 33.33
    assert_eq!(split_payout(Credits(100), &splits), [34, 33, 33].map(Credits));
    // exact parts 0.6668, 0.6666 and 0.6666
    assert_eq!(split_payout(Credits(2), &splits), [1, 1, 0].map(Credits));
    assert_eq!(split_payout(Credits(2), &[]), []);
}

#[test]
fn each_rule_of_splits_names_what_breaks_it() {
    let payee = PersonId([2; 32]);
    assert_eq!(check_splits(&[]), Err(SplitError::Empty));
    let many: Vec<_> = (0..=MAX_SPLITS as u8).map(|n| split(n, 1)).collect();
    let (count, limit) = (MAX_SPLITS + 1, MAX_SPLITS);
    assert_eq!(check_splits(&many), Err(SplitError::TooMany { count, limit }));
    let zero = [split(1, 10_000), split(2, 0)];
    assert_eq!(check_splits(&zero), Err(SplitError::ZeroShare { payee }));
    let twice = [split(2, 5_000), split(2, 5_000)];
    assert_eq!(check_splits(&twice), Err(SplitError::Duplicate { payee }));
    let late = [split(3, 5_000), split(2, 5_000)];
    assert_eq!(check_splits(&late), Err(SplitError::Unsorted { payee }));
    for (last, total) in [(4_999, 9_999), (5_001, 10_001)] {
        assert_eq!(check_splits(&[split(1, 5_000), split(2, last)]), Err(SplitError::NotWhole { total }));
    }
    assert_eq!(check_splits(&[split(1, 10_000)]), Ok(()));
}

proptest! {
    #[test]
    fn parts_sum_to_the_pool_and_are_within_a_unit_of_exact(
        pool: u64, shares in vec(any::<[u64; 4]>(), 1..40), cut in 0usize..256,
    ) {
        let shares: Vec<_> =
            shares.into_iter().zip(0..).map(|(s, n)| (work(n), U256::from_limbs(s) >> cut)).collect();
        let parts = largest_remainder(Credits(pool), &shares);
        let total: U320 = shares.iter().map(|(_, s)| U320::from(*s)).fold(U320::ZERO, |a, b| a + b);
        let paid: u128 = parts.iter().map(|c| u128::from(c.0)).sum();
        prop_assert_eq!(paid, if total.is_zero() { 0 } else { pool.into() });
        for (part, (_, share)) in parts.iter().zip(&shares) {
            let exact = U320::from(pool) * U320::from(*share);
            prop_assert!(total.is_zero() || (U320::from(part.0) * total).abs_diff(exact) < total);
            prop_assert!(!share.is_zero() || part.0 == 0);
        }
    }

    #[test]
    fn a_larger_share_never_earns_less(
        pool in 0u64..200, shares in vec(0u64..50, 1..8), more in 1u64..50,
    ) {
        let mut shares: Vec<_> = shares.into_iter().zip(0..).map(|(s, n)| (n, s)).collect();
        let before = divide(pool, &shares)[0];
        shares[0].1 += more;
        prop_assert!(divide(pool, &shares)[0] >= before);
    }

    #[test]
    fn the_order_of_the_list_does_not_matter(pool: u64, shares in vec(0u64..50, 1..20)) {
        let mut shares: Vec<_> = shares.into_iter().zip(0..).map(|(s, n)| (n, s)).collect();
        let mut before = divide(pool, &shares);
        shares.reverse();
        before.reverse();
        prop_assert_eq!(before, divide(pool, &shares));
    }

    #[test]
    fn revenue_is_split_to_the_unit(revenue: u64, eco in 0u16..3_333, infra in 0u16..3_333, fee in 0u16..3_333) {
        let [eco_share, infra_share, fee_share] =
            [eco, infra, fee].map(|share| BasisPoints::new(share).expect("below the whole"));
        let params = GovernanceParams { eco_share, infra_share, fee_share, ..Preset::Spec.params() };
        prop_assert_eq!(params.check(), Ok(()));
        let split = split_revenue(&params, Credits(revenue));
        let parts = [split.fee, split.eco, split.infra, split.creators];
        prop_assert_eq!(parts.into_iter().sum::<Credits>(), Credits(revenue));
    }

    #[test]
    fn splits_are_paid_to_the_unit(amount: u64, cuts in proptest::collection::btree_set(1u16..10_000, 0..63)) {
        let ends = cuts.iter().copied().chain([10_000]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let splits: Vec<_> = ends.zip(starts).zip(0..).map(|((end, start), n)| split(n, end - start)).collect();
        prop_assert_eq!(check_splits(&splits), Ok(()));
        let parts = split_payout(Credits(amount), &splits);
        prop_assert_eq!(parts.into_iter().sum::<Credits>(), Credits(amount));
        let encoded: Vec<_> = splits.iter().map(|s| Split::from_bytes(&s.to_bytes())).collect();
        prop_assert!(encoded.into_iter().eq(splits.into_iter().map(Ok)));
    }
}
