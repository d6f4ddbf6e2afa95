use super::*;
use proptest::prelude::*;

fn entry(n: u64, units: u64) -> Entry {
    let mut name = [0; 32];
    name[..8].copy_from_slice(&n.to_le_bytes());
    Entry { key: key(&name), units, value: Digest(name) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_unit_belongs_to_the_entry_that_a_path_shows(units in prop::collection::vec(0u64..9, 1..40)) {
        let entries: Vec<_> = units.iter().enumerate().map(|(n, units)| entry(n as u64, *units)).collect();
        let tree = SumTree::new(entries).expect("distinct keys");
        let total: u64 = units.iter().sum();
        prop_assert_eq!(tree.root().units, total);
        prop_assert!(tree.at(total).is_none());
        let mut expected = tree.entries().iter().flat_map(|entry| vec![entry.key; entry.units as usize]);
        for unit in 0..total {
            let (entry, start, path) = tree.at(unit).expect("a unit");
            prop_assert_eq!(Some(entry.key), expected.next());
            prop_assert!(start <= unit && unit < start + entry.units);
            let shown = leaf(&entry.key, entry.units, &entry.value);
            prop_assert_eq!(path.place(&entry.key, shown), Some(Place { root: tree.root(), start }));
            prop_assert_eq!(SumPath::from_bytes(&path.to_bytes()), Ok(path));
        }
    }
}

#[test]
fn every_field_of_a_path_counts() {
    let tree = SumTree::new((0..20).map(|n| entry(n, n + 1)).collect()).expect("distinct keys");
    let (found, start, path) = tree.at(100).expect("a unit");
    let good = Some(Place { root: tree.root(), start });
    let place =
        |entry: &Entry, path: &SumPath| path.place(&entry.key, leaf(&entry.key, entry.units, &entry.value));
    assert_eq!(place(found, &path), good);
    assert_ne!(place(&Entry { units: found.units + 1, ..*found }, &path), good);
    assert_ne!(place(&Entry { value: Digest::default(), ..*found }, &path), good);
    // An entry under another key, and one that is moved to another place.
    assert_ne!(place(&entry(77, found.units), &path), good);
    let shown = leaf(&found.key, found.units, &found.value);
    let mut moved = found.key;
    moved.0[0] ^= 0x80;
    assert_ne!(path.place(&moved, shown), good);
    for at in 0..path.0.len() {
        for change in [|sum: &mut Sum| sum.units += 1, |sum: &mut Sum| sum.digest.0[0] ^= 1] {
            let mut other = path.clone();
            change(&mut other.0[at]);
            assert_ne!(place(found, &other), good, "sibling {at}");
        }
    }
    let mut short = path.clone();
    short.0.pop();
    assert_ne!(place(found, &short), good);
}

/// Two children that swap units keep their sum, and the classic tree of sums does not notice.
#[test]
fn units_of_both_children_are_bound() {
    let (left, right) = (entry(1, 5), entry(2, 7));
    let node = |l, r| fork(&leaf(&left.key, l, &left.value), &leaf(&right.key, r, &right.value));
    assert_ne!(node(5, 7), node(7, 5));
    let (a, b) = (Sum { digest: left.value, units: 5 }, Sum { digest: right.value, units: 7 });
    assert_ne!(fork(&a, &b), fork(&Sum { units: 6, ..a }, &Sum { units: 6, ..b }));
}

/// A cheater doubles everything by hanging one tree under both sides of a root. A sorted list twice over is out of order
/// at one place only; here at most every second unit can be shown at all.
#[test]
fn a_tree_under_both_sides_of_a_root_is_found_at_every_second_unit() {
    let entries: Vec<_> = (0..64).map(|n| entry(n, 1 + n % 3)).collect();
    let tree = SumTree::new(entries).expect("distinct keys");
    let doubled = fork(&tree.root(), &tree.root()).expect("a small sum");
    let half = tree.root().units;
    let shown = |unit: &u64| {
        let (entry, _, mut path) = tree.at(*unit % half).expect("a unit");
        path.0.push(tree.root());
        let place = path.place(&entry.key, leaf(&entry.key, entry.units, &entry.value));
        place.is_some_and(|p| p.root == doubled && (p.start..p.start + entry.units).contains(unit))
    };
    assert!((0..doubled.units).filter(shown).count() as u64 <= half);

    // The same where the copies stand a level lower, each under a side that its keys belong to.
    let entries: Vec<_> = tree.entries().iter().filter(|entry| !goes_right(&entry.key, 0)).copied().collect();
    let left = SumTree::new(entries).expect("distinct keys");
    let doubled = fork(&left.root(), &left.root()).expect("a small sum");
    let half = left.root().units;
    let shown = |unit: &u64| {
        let (entry, _, mut path) = left.at(*unit % half).expect("a unit");
        path.0.pop();
        path.0.push(left.root());
        let place = path.place(&entry.key, leaf(&entry.key, entry.units, &entry.value));
        place.is_some_and(|p| p.root == doubled && (p.start..p.start + entry.units).contains(unit))
    };
    assert!((0..doubled.units).filter(shown).count() as u64 <= half);
}

#[test]
fn what_no_tree_can_hold_is_refused() {
    let twice = SumTree::new(vec![entry(1, 1), entry(2, 1), entry(1, 3)]).map(|_| ());
    assert_eq!(twice, Err(SumError::Duplicate { key: entry(1, 1).key }));
    let most = SumTree::new(vec![entry(1, u64::MAX), entry(2, 1)]).map(|_| ());
    assert_eq!(most, Err(SumError::Overflow));
    let mut like = entry(1, 1);
    like.key.0[31] ^= 1;
    let alike = SumTree::new(vec![entry(1, 1), like]).map(|_| ());
    assert!(matches!(alike, Err(SumError::Depth { .. })), "{alike:?}");
    let long = SumPath(vec![Sum::default(); MAX_DEPTH + 1]);
    assert_eq!(long.place(&Digest::default(), Sum::default()), None);
    assert_eq!(
        SumPath::from_bytes(&long.to_bytes()),
        Err(CodecError::TooLong { count: MAX_DEPTH + 1, limit: MAX_DEPTH })
    );
    let top = Sum { digest: Digest::default(), units: u64::MAX };
    assert_eq!(SumPath(vec![top]).place(&Digest::default(), Sum { units: 1, ..top }), None);
}

#[test]
fn nothing_is_a_tree_without_units() {
    let tree = SumTree::new(Vec::new()).expect("nothing");
    assert_eq!(tree.root(), Sum::default());
    assert!(tree.at(0).is_none());
}
