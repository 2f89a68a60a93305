//! Pictures that are nearly the same: copies at another size or quality, mirrored, brightened, trimmed.
//!
//! Every pair is compared by the trunk's features as they are. Most pairs are settled by their first components: with
//! heads `h`, `g` and the lengths of the rests `r`, `s`, a product is at most `h·g + r s` (Cauchy and Schwarz), so nothing
//! is missed.

use super::numbers::{cores, on_all_cores, product};
use crate::progress::Progress;
use crate::rows::{Rows, to_unit_length};

/// Components in a head.
const HEAD: usize = 64;
/// The components are sought among so many pictures, evenly taken.
const SAMPLE: usize = 1024;
const ROUNDS: usize = 4;
/// Room for rounding, so that a pair on the threshold is looked at in full.
const SLACK: f32 = 1e-4;

/// Pictures each of which is nearly the same as another of the group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Positions among the pictures, ascending.
    pub members: Vec<usize>,
    /// The least similarity that holds the group together.
    pub alike: f32,
}

/// Groups of pictures whose features, of unit length `[n, width]`, have a cosine of `threshold` or more, those most alike
/// first; `None` when the work was cancelled.
pub fn groups(features: &Rows, threshold: f32, progress: &dyn Progress) -> Option<Vec<Group>> {
    let mut pairs = pairs(features, threshold, progress)?;
    pairs.sort_by(|one, other| other.2.total_cmp(&one.2).then((one.0, one.1).cmp(&(other.0, other.1))));
    // The most alike first: the link that joins two groups is then the weakest of what it makes.
    let mut home: Vec<usize> = (0..features.len()).collect();
    let mut weakest = vec![1.0_f32; features.len()];
    for (one, other, alike) in pairs {
        let (one, other) = (root(&mut home, one), root(&mut home, other));
        if one != other {
            home[one.max(other)] = one.min(other);
            weakest[one.min(other)] = alike;
        }
    }
    let mut groups: Vec<Group> =
        weakest.iter().map(|alike| Group { members: Vec::new(), alike: alike.min(1.0) }).collect();
    for at in 0..features.len() {
        groups[root(&mut home, at)].members.push(at);
    }
    groups.retain(|group| group.members.len() > 1);
    groups.sort_by(|one, other| other.alike.total_cmp(&one.alike).then(one.members.cmp(&other.members)));
    Some(groups)
}

fn root(home: &mut [usize], mut at: usize) -> usize {
    while home[at] != at {
        home[at] = home[home[at]];
        at = home[at];
    }
    at
}

/// All pairs at or above the threshold.
fn pairs(features: &Rows, threshold: f32, progress: &dyn Progress) -> Option<Vec<(usize, usize, f32)>> {
    let count = features.len();
    let basis = basis(features);
    let heads = on_all_cores(count, |at| {
        let row = features.row(at);
        basis.iter().map(|direction| product(row, direction)).collect::<Vec<f32>>()
    });
    let rests: Vec<f32> = heads.iter().map(|head| (1.0 - product(head, head)).max(0.0).sqrt()).collect();
    let heads = Rows::from_values(basis.len().max(1), heads.concat()).unwrap_or_default();
    let partners = |at: usize| -> Vec<(usize, usize, f32)> {
        let (row, head, rest) = (features.row(at), heads.row(at), rests[at]);
        let may_be = |other: &usize| product(head, heads.row(*other)) + rest * rests[*other] >= threshold - SLACK;
        (at + 1..count)
            .filter(may_be)
            .map(|other| (at, other, product(row, features.row(other))))
            .filter(|(_, _, alike)| *alike >= threshold)
            .collect()
    };
    // Few have many after them and many have few: the cores take turns, so that each has its share of both.
    let (mut found, turn) = (Vec::new(), 64 * cores());
    for start in (0..count).step_by(turn) {
        if progress.is_cancelled() {
            return None;
        }
        let left = (count - start) as f32 / count as f32;
        progress.told(1.0 - left * left);
        let (many, cores) = (turn.min(count - start), cores());
        let turned = on_all_cores(cores, |core| {
            (start..start + many).skip(core).step_by(cores).flat_map(partners).collect::<Vec<_>>()
        });
        found.extend(turned.into_iter().flatten());
    }
    Some(found)
}

/// The directions in which features differ most from nothing, `HEAD` at most, of unit length and at right angles: by
/// orthogonal iteration.
fn basis(features: &Rows) -> Vec<Vec<f32>> {
    let count = features.len().min(SAMPLE);
    let sample: Vec<&[f32]> = (0..count).map(|number| features.row(number * features.len() / count.max(1))).collect();
    let width = features.width();
    let mut basis: Vec<Vec<f32>> = (0..HEAD.min(width).min(count))
        .map(|number| (0..width).map(|at| ((at * (2 * number + 3) + number + 1) as f32).sin()).collect())
        .collect();
    for _ in 0..ROUNDS {
        basis = on_all_cores(basis.len(), |number| {
            let mut next = vec![0.0_f32; width];
            for row in &sample {
                let along = product(row, &basis[number]);
                next.iter_mut().zip(*row).for_each(|(sum, value)| *sum += along * value);
            }
            next
        });
        straighten(&mut basis);
    }
    basis
}

/// Gram and Schmidt's, twice: once leaves rounding behind.
fn straighten(basis: &mut [Vec<f32>]) {
    for at in 0..basis.len() {
        let (former, rest) = basis.split_at_mut(at);
        let Some(row) = rest.first_mut() else { return };
        to_unit_length(row);
        for _ in 0..2 {
            for other in former.iter() {
                let along = product(row, other);
                row.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
            }
        }
        // What is left of a direction that the others span is noise: no direction at all is safe.
        if product(row, row) < 1e-8 {
            row.fill(0.0);
        }
        to_unit_length(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Unfollowed;

    /// Pictures at all sorts of distances.
    fn features(count: usize) -> Rows {
        let mut rows = Rows::empty(96);
        for at in 0..count {
            let near = (at / 3) as f32;
            let mut row: Vec<f32> = (0..96)
                .map(|value| 1.0 + (near * 1.7 + value as f32 * near).sin() + 0.3 * ((at * value) as f32).cos())
                .collect();
            to_unit_length(&mut row);
            rows.push(&row);
        }
        rows
    }

    #[test]
    fn no_pair_is_missed_and_none_is_made_up() {
        let features = features(150);
        for threshold in [0.7, 0.9, 0.97] {
            let found = pairs(&features, threshold, &Unfollowed).unwrap();
            let all = (0..150).flat_map(|one| (one + 1..150).map(move |other| (one, other)));
            let mut wanted: Vec<(usize, usize)> =
                all.filter(|(one, other)| product(features.row(*one), features.row(*other)) >= threshold).collect();
            assert!(!wanted.is_empty() && wanted.len() < 150 * 149 / 2, "{} at {threshold}", wanted.len());
            let mut found: Vec<(usize, usize)> = found.into_iter().map(|(one, other, _)| (one, other)).collect();
            found.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(found, wanted);
        }
    }

    #[test]
    fn who_is_like_one_of_a_group_belongs_to_it() {
        // Three in a row, each .95 like its neighbour, and one apart.
        let step = 0.95_f32.acos();
        let place = |turns: f32| [(step * turns).cos(), (step * turns).sin(), 0.0];
        let rows = [place(0.0), [0.0, 0.0, 1.0], place(2.0), place(1.0)].concat();
        let found = groups(&Rows::from_values(3, rows).unwrap(), 0.9, &Unfollowed).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].members, [0, 2, 3]);
        assert!((found[0].alike - 0.95).abs() < 1e-3, "{}", found[0].alike);
        assert!(groups(&Rows::default(), 0.9, &Unfollowed).unwrap().is_empty());
    }
}
