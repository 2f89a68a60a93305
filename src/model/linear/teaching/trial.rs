//! Whether what folders teach is found again in pictures that had no part in it.

use artificio_random::Random;

use super::within::{Scatter, members, normalised};
use crate::base::rows::Rows;
use crate::model::backend;
use crate::model::sample_weights::SAME_COSINE;

/// How much of the scatter within folders may be used. Weaker and stronger ones were no better on fourteen sets.
pub(super) const STRENGTHS: [f32; 3] = [0.2, 0.5, 0.8];
/// Parts of the pictures, each asked of a fit without it.
const FOLDS: usize = 5;
/// How often pictures and folders are halved: the fewer pictures, the more depends on the halves, and the less it costs.
const LEAST_HALVINGS: usize = 4;
const MOST_HALVINGS: usize = 24;
const HALVED_PICTURES: usize = 8_192;

/// Of each picture of a trial its folder, if it has one.
pub(super) type FolderOf = Vec<Option<u32>>;

/// How a picture found those of its folder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RankedOwn {
    /// Whether the nearest picture was one of them.
    pub(super) first: bool,
    /// The average precision of all.
    pub(super) precision: f32,
}

/// Pictures that are tried.
pub(super) struct FolderTrial {
    /// `[n, k]`, along principal directions.
    components: Rows,
    /// As they are without folders, at unit length.
    untaught: Rows,
    /// `[n, n]`: which are copies of one another. Finding those again would be no merit.
    are_copies: Vec<bool>,
}

/// By how much each strength of [`STRENGTHS`] changed the average precision, one value a picture.
pub(super) type Gains = [Vec<f32>; STRENGTHS.len()];

/// What is halved.
#[derive(Clone, Copy)]
pub(super) enum Halving {
    /// The pictures of every folder: does it carry over to pictures that were not seen?
    Pictures,
    /// The folders: does it carry over to kinds that were not seen?
    Folders,
}

impl FolderTrial {
    /// Of pictures with `components` `[n, k]`, `untaught` embeddings and `features` at unit length.
    pub(super) fn new(components: Rows, untaught: &Rows, features: Rows) -> Self {
        let width = features.width();
        let features = backend::matrix(features.into_values(), width);
        let cosines = backend::values(features.clone().matmul(features.transpose()));
        let are_copies = cosines.into_iter().map(|cosine| cosine > SAME_COSINE).collect();
        Self { components, untaught: untaught.at_unit_length(), are_copies }
    }

    /// How each picture finds those of its folder among all that have one, without folders.
    pub(super) fn untaught(&self, folders: &FolderOf) -> Vec<Option<RankedOwn>> {
        let all = with_folder(folders);
        self.outcomes(&self.untaught, folders, &all, &all)
    }

    /// Likewise as `fit` teaches in each of [`STRENGTHS`], every picture asked of a fit without it.
    pub(super) fn taught(&self, fit: &FolderOf, folders: &FolderOf) -> [Vec<Option<RankedOwn>>; STRENGTHS.len()] {
        let mut order = with_folder(folders);
        Random::new(0).shuffle(&mut order);
        let all = with_folder(folders);
        let mut found = STRENGTHS.map(|_| vec![None; folders.len()]);
        for fold in 0..FOLDS {
            let asking: Vec<usize> = order.iter().skip(fold).step_by(FOLDS).copied().collect();
            let mut others = fit.clone();
            asking.iter().for_each(|&at| others[at] = None);
            let Some(scatter) = Scatter::of(&self.components, &others) else { continue };
            for (strength, found) in STRENGTHS.iter().zip(&mut found) {
                let embeddings = normalised(&self.components, scatter.normalisation(*strength));
                let outcomes = self.outcomes(&embeddings, folders, &asking, &all);
                asking.iter().for_each(|&at| found[at] = outcomes[at]);
            }
        }
        found
    }

    /// What carries over: taught by one half, the other half asked among itself, both ways.
    pub(super) fn carried_over(&self, folders: &FolderOf, halving: Halving) -> Gains {
        let count = folders.len();
        let mut sums = STRENGTHS.map(|_| vec![(0.0_f32, 0_u32); count]);
        let rounds = (HALVED_PICTURES / count.max(1)).clamp(LEAST_HALVINGS, MOST_HALVINGS);
        for round in 0..rounds {
            let half = half_of(folders, halving, &mut Random::new(1 + round as u64));
            for side in [false, true] {
                let seen: FolderOf = folders.iter().zip(&half).map(|(f, h)| f.filter(|_| *h == side)).collect();
                let unseen: FolderOf = folders.iter().zip(&half).map(|(f, h)| f.filter(|_| *h != side)).collect();
                let Some(scatter) = Scatter::of(&self.components, &seen) else { continue };
                let before = self.untaught(&unseen);
                let asking = with_folder(&unseen);
                for (strength, sums) in STRENGTHS.iter().zip(&mut sums) {
                    let embeddings = normalised(&self.components, scatter.normalisation(*strength));
                    let after = self.outcomes(&embeddings, &unseen, &asking, &asking);
                    for ((before, after), (sum, times)) in before.iter().zip(&after).zip(sums) {
                        if let (Some(before), Some(after)) = (before, after) {
                            *sum += after.precision - before.precision;
                            *times += 1;
                        }
                    }
                }
            }
        }
        sums.map(|sums| {
            sums.into_iter().filter(|(_, times)| *times > 0).map(|(sum, times)| sum / times as f32).collect()
        })
    }

    /// How the pictures `asking` find those of their folder `among` others; `None` for those that are not asked, or have nothing to find.
    fn outcomes(
        &self,
        embeddings: &Rows,
        folders: &FolderOf,
        asking: &[usize],
        among: &[usize],
    ) -> Vec<Option<RankedOwn>> {
        let mut found = vec![None; folders.len()];
        if asking.is_empty() || among.is_empty() {
            return found;
        }
        let width = embeddings.width();
        let pick = |rows: &[usize]| {
            backend::matrix(rows.iter().flat_map(|&row| embeddings.row(row)).copied().collect(), width)
        };
        let similarities = backend::values(pick(asking).matmul(pick(among).transpose()));
        for (&one, row) in asking.iter().zip(similarities.chunks_exact(among.len())) {
            let others = among.iter().zip(row).filter(|(other, _)| !self.is_same(one, **other));
            let (own, foreign): (Vec<_>, Vec<_>) = others.partition(|(other, _)| folders[**other] == folders[one]);
            found[one] = outcome(own.into_iter().map(|(_, s)| *s).collect(), foreign.into_iter().map(|(_, s)| *s));
        }
        found
    }

    fn is_same(&self, one: usize, other: usize) -> bool {
        one == other || self.are_copies[one * self.components.len() + other]
    }
}

/// From the similarities of a picture to those of its folder and to others.
fn outcome(mut own: Vec<f32>, foreign: impl Iterator<Item = f32>) -> Option<RankedOwn> {
    own.sort_by(|a, b| b.total_cmp(a));
    let least = *own.last()?;
    // How many others come before each of its own: of equals, the others.
    let mut before = vec![0_usize; own.len()];
    for similarity in foreign.filter(|similarity| *similarity >= least) {
        before[own.partition_point(|own| *own > similarity)] += 1;
    }
    let (mut others, mut precision) = (0, 0.0);
    for (rank, before) in before.iter().enumerate() {
        others += before;
        precision += (rank + 1) as f32 / (rank + 1 + others) as f32;
    }
    Some(RankedOwn { first: before[0] == 0, precision: precision / own.len() as f32 })
}

fn with_folder(folders: &FolderOf) -> Vec<usize> {
    (0..folders.len()).filter(|&at| folders[at].is_some()).collect()
}

/// One half, evenly of every folder or of whole folders.
fn half_of(folders: &FolderOf, halving: Halving, random: &mut Random) -> Vec<bool> {
    let mut half = vec![false; folders.len()];
    let mut groups: Vec<Vec<usize>> = members(folders).into_values().collect();
    random.shuffle(&mut groups);
    for (number, group) in groups.iter_mut().enumerate() {
        random.shuffle(group);
        // Of odd numbers, the one half and the other get more in turn.
        let most = match halving {
            Halving::Pictures => (group.len() + number % 2) / 2,
            Halving::Folders => group.len() * (number % 2),
        };
        group[..most].iter().for_each(|&at| half[at] = true);
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_by_hand() {
        // Ranked own, other, own: precision 1 and 2/3.
        let found = outcome(vec![0.1, 0.9], [0.5, 0.0].into_iter()).unwrap();
        assert!(found.first && (found.precision - 5.0 / 6.0).abs() < 1e-6);
        // Of equals the other comes first.
        let tied = outcome(vec![0.5], [0.5].into_iter()).unwrap();
        assert!(!tied.first && (tied.precision - 0.5).abs() < 1e-6);
        assert_eq!(outcome(Vec::new(), [0.5].into_iter()), None);
    }

    #[test]
    fn halves_are_of_every_folder_or_of_whole_folders() {
        let folders: FolderOf = (0..40).map(|at| (at != 7).then_some(at / 10)).collect();
        let of_pictures = half_of(&folders, Halving::Pictures, &mut Random::new(5));
        let of_folders = half_of(&folders, Halving::Folders, &mut Random::new(5));
        for folder in 0..4 {
            let count = |half: &[bool]| half[folder * 10..][..10].iter().filter(|half| **half).count();
            assert!([4, 5].contains(&count(&of_pictures)), "{}", count(&of_pictures));
            assert!([0, 9, 10].contains(&count(&of_folders)), "{}", count(&of_folders));
        }
        assert!([19, 20].contains(&of_folders.iter().filter(|half| **half).count()));
        assert!(!of_pictures[7] && !of_folders[7]);
    }
}
