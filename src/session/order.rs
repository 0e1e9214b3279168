//! Sorting for lists that people read.

use std::cmp::Ordering;

/// Sorts a list, equal ones in their order.
///
/// The standard library's sort is compiled anew for every type and comparison, 5 KiB each time; this one sorts
/// positions, once for all.
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut positions: Vec<u32> = (0..u32::try_from(items.len()).unwrap_or(u32::MAX)).collect();
    let at = |position: u32| items.get(position as usize);
    sort_positions(&mut positions, &mut |a, b| match (at(a), at(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    put_in_order(items, &mut positions);
}

/// Moves each item to where `positions` wants it, along the circles that these make: nothing is copied aside.
fn put_in_order<T>(items: &mut [T], positions: &mut [u32]) {
    for start in 0..items.len() {
        let mut at = start;
        while let Some(position) = positions.get_mut(at) {
            let from = std::mem::replace(position, at as u32) as usize;
            if from == start {
                break;
            }
            items.swap(at, from);
            at = from;
        }
    }
}

/// As [`sort_by`], by the keys of the items.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

fn sort_positions(positions: &mut [u32], compare: &mut dyn FnMut(u32, u32) -> Ordering) {
    // Positions are their own last criterion: none is equal to another, so the lighter unstable sort will do.
    positions.sort_unstable_by(|a, b| compare(*a, *b).then(a.cmp(b)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        let mut seed = 7_u32;
        for length in [0, 1, 2, 3, 30, 500] {
            let mut items: Vec<(u32, usize)> = (0..length)
                .map(|position| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 28, position)
                })
                .collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            sort_by_key(&mut items, |item| item.0);
            assert_eq!(items, expected);
        }
    }
}
