//! Finding what is false in a list that does not hold together.

/// Calls `found` for each item that is left when lists that fail are halved, in order. `items` fails, as a whole, and is
/// not empty. Where a left half holds the right one does not, and is not asked about.
pub(crate) fn halve<T>(items: &[T], fails: &mut impl FnMut(&[T]) -> bool, found: &mut impl FnMut(&T)) {
    if let [only] = items {
        found(only);
        return;
    }
    let (left, right) = items.split_at(items.len() / 2);
    let left_fails = fails(left);
    let right_fails = !left_fails || fails(right);
    if left_fails {
        halve(left, fails, found);
    }
    if right_fails {
        halve(right, fails, found);
    }
}
