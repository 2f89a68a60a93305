//! How pictures of one folder differ, and embeddings in which that counts for little.
//!
//! Within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006), the classes being folders; its space is
//! that of linear discriminant analysis (Fisher 1936). The covariance is shrunk towards that of a sphere, as few pictures tell little
//! about many directions (Ledoit and Wolf, Journal of Multivariate Analysis 88, 2004).

use std::collections::BTreeMap;

use super::super::eigen;
use super::super::pairs::Basis;
use super::super::subspace::leading_directions;
use crate::base::rows::Rows;
use crate::model::backend;

/// The mean covariance of pictures within their folders.
pub(super) struct Scatter {
    width: usize,
    /// `[width, width]`
    covariance: Vec<f32>,
}

/// The rows in each folder that has at least two, by the folder's number.
pub(super) fn members(folder_of: &[Option<u32>]) -> BTreeMap<u32, Vec<usize>> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, folder) in folder_of.iter().enumerate() {
        if let Some(folder) = folder {
            members.entry(*folder).or_default().push(row);
        }
    }
    members.retain(|_, rows| rows.len() > 1);
    members
}

impl Scatter {
    /// Of `components` `[n, width]`, each in its folder. Every folder counts the same, so that one which everything was thrown
    /// into does not decide. `None` where no folder has two different pictures.
    pub(super) fn of(components: &Rows, folder_of: &[Option<u32>]) -> Option<Self> {
        let (width, members) = (components.width(), members(folder_of));
        let mut differences = Vec::new();
        for rows in members.values() {
            let mut mean = vec![0.0; width];
            for &row in rows {
                mean.iter_mut().zip(components.row(row)).for_each(|(mean, value)| *mean += value / rows.len() as f32);
            }
            let scale = ((rows.len() - 1) as f32 * members.len() as f32).sqrt().recip();
            for &row in rows {
                differences.extend(components.row(row).iter().zip(&mean).map(|(value, mean)| scale * (value - mean)));
            }
        }
        if differences.iter().all(|difference| difference.abs() < 1e-9) {
            return None;
        }
        let differences = backend::matrix(differences, width);
        let covariance = backend::values(differences.clone().transpose().matmul(differences));
        Some(Self { width, covariance })
    }

    /// What makes the covariance that of a unit sphere, `[width, width]`: the inverse of its Cholesky factor. Of it `strength` counts,
    /// 0 to 1, the rest is a sphere of the same trace. Rows times its transpose are the normalised rows.
    pub(super) fn normalisation(&self, strength: f32) -> Vec<f32> {
        let width = self.width;
        let trace: f64 = (0..width).map(|at| f64::from(self.covariance[at * width + at])).sum();
        let strength = f64::from(strength);
        let sphere = (1.0 - strength) * trace / width as f64;
        let entry = |row: usize, column: usize| {
            strength * f64::from(self.covariance[row * width + column]) + if row == column { sphere } else { 0.0 }
        };
        let factor = cholesky(width, entry);
        inverse_of_lower(&factor, width).into_iter().map(|value| value as f32).collect()
    }
}

/// The lower factor of a symmetric positive definite matrix, `[width, width]`.
fn cholesky(width: usize, entry: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut factor = vec![0.0; width * width];
    for row in 0..width {
        for column in 0..=row {
            let products = factor[row * width..][..column].iter().zip(&factor[column * width..][..column]);
            let rest = entry(row, column) - products.map(|(a, b)| a * b).sum::<f64>();
            factor[row * width + column] = match row == column {
                // Shrinking keeps it positive but for rounding.
                true => rest.max(f64::MIN_POSITIVE).sqrt(),
                false => rest / factor[column * width + column],
            };
        }
    }
    factor
}

fn inverse_of_lower(factor: &[f64], width: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; width * width];
    for row in 0..width {
        let (above, rest) = inverse.split_at_mut(row * width);
        let current = &mut rest[..width];
        current[row] = 1.0;
        for (before, share) in above.chunks_exact(width).zip(&factor[row * width..][..row]) {
            current.iter_mut().zip(before).for_each(|(value, before)| *value -= share * before);
        }
        let pivot = factor[row * width + row];
        current.iter_mut().for_each(|value| *value /= pivot);
    }
    inverse
}

/// `components` `[n, width]` normalised and at unit length.
pub(super) fn normalised(components: &Rows, normalisation: Vec<f32>) -> Rows {
    let width = components.width();
    let rows = backend::matrix(components.values().to_vec(), width);
    let values = backend::values(rows.matmul(backend::matrix(normalisation, width).transpose()));
    Rows::from_values(width, values).unwrap_or_else(|| Rows::empty(width)).at_unit_length()
}

/// The basis of `components` `[n, k]` in which they are normalised, of at most `width` directions: those along which normalised
/// pictures vary most. Scaling values along orthogonal directions is all there is to it, so a decoder can undo it.
pub(super) fn basis(components: &Rows, normalisation: Vec<f32>, width: usize) -> Basis {
    let k = components.width();
    let normalise = backend::matrix(normalisation, k);
    let rows = backend::matrix(components.values().to_vec(), k).matmul(normalise.clone().transpose());
    let kept = leading_directions(backend::values(rows), k, width.min(k)).directions;
    let count = kept.len() / k;
    // [count, k]: normalise, then turn. Its singular value decomposition is A·S·V, of which A only turns embeddings once more.
    let both = backend::matrix(kept, k).matmul(normalise);
    let products = backend::values(both.clone().matmul(both.clone().transpose()));
    let symmetric = |at: usize| {
        let (row, column) = (at / count, at % count);
        f64::midpoint(f64::from(products[row * count + column]), f64::from(products[column * count + row]))
    };
    let eigen::Eigen { values, vectors } = eigen::symmetric((0..count * count).map(symmetric).collect(), count);
    let floor = values.first().map_or(0.0, |first| first * 1e-12).max(f64::MIN_POSITIVE);
    let scales: Vec<f32> = values.iter().map(|value| value.max(floor).sqrt() as f32).collect();
    let turned = |at: usize| (vectors[at] / f64::from(scales[at / count])) as f32;
    let turn = backend::matrix((0..count * count).map(turned).collect(), count).matmul(both);
    Basis { turn: backend::values(turn), scales }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::dot::dot;

    /// Four folders whose pictures differ along the third axis only, by one up or down.
    fn sorted() -> (Rows, Vec<Option<u32>>) {
        let mut rows = Rows::empty(3);
        let mut folder_of = Vec::new();
        for folder in 0..4_u32 {
            for side in [-1.0, 1.0] {
                let angle = std::f32::consts::TAU * folder as f32 / 4.0;
                rows.push(&[angle.cos(), angle.sin(), side]);
                folder_of.push(Some(folder));
            }
        }
        (rows, folder_of)
    }

    #[test]
    fn the_scatter_by_hand() {
        let (rows, folder_of) = sorted();
        let scatter = Scatter::of(&rows, &folder_of).unwrap();
        // Two pictures a folder, at -1 and 1: a variance of 2 by the unbiased estimate.
        for (at, value) in scatter.covariance.iter().enumerate() {
            assert!((value - if at == 8 { 2.0 } else { 0.0 }).abs() < 1e-6);
        }
        // A half of 2 and a half of a sphere whose trace is 2: 1/3, 1/3, 4/3.
        let normalisation = scatter.normalisation(0.5);
        for (at, variance) in [(0, 1.0 / 3.0), (4, 1.0 / 3.0), (8, 4.0 / 3.0_f32)] {
            assert!((normalisation[at] - variance.sqrt().recip()).abs() < 1e-5, "{normalisation:?}");
        }
    }

    #[test]
    fn every_folder_counts_the_same() {
        let (mut rows, mut folder_of) = sorted();
        for number in 0..100 {
            rows.push(&[(number % 2) as f32, 0.0, 0.0]);
            folder_of.push(Some(9));
        }
        let covariance = Scatter::of(&rows, &folder_of).unwrap().covariance;
        assert!((covariance[8] - 8.0 / 5.0).abs() < 1e-5 && covariance[0] < 0.06, "{covariance:?}");
    }

    #[test]
    fn without_two_different_pictures_in_a_folder_there_is_none() {
        let (rows, _) = sorted();
        assert!(Scatter::of(&rows, &[None; 8]).is_none());
        assert!(Scatter::of(&rows, &std::array::from_fn::<_, 8, _>(|at| Some(at as u32))).is_none());
        let copies = Rows::from_values(1, vec![3.0; 4]).unwrap();
        assert!(Scatter::of(&copies, &[Some(0); 4]).is_none());
    }

    #[test]
    fn a_basis_compares_as_the_normalised_rows_do() {
        let (rows, folder_of) = sorted();
        let normalisation = Scatter::of(&rows, &folder_of).unwrap().normalisation(0.8);
        let basis = basis(&rows, normalisation.clone(), 3);
        let normalised = normalised(&rows, normalisation);
        let embedding = |row: &[f32]| -> Vec<f32> {
            basis.turn.chunks_exact(3).zip(&basis.scales).map(|(along, scale)| scale * dot(along, row)).collect()
        };
        let embeddings = Rows::from_values(3, rows.iter().flat_map(embedding).collect()).unwrap().at_unit_length();
        for one in 0..8 {
            for other in 0..8 {
                let difference =
                    dot(embeddings.row(one), embeddings.row(other)) - dot(normalised.row(one), normalised.row(other));
                assert!(difference.abs() < 1e-4, "{difference}");
            }
        }
        for (one, along) in basis.turn.chunks_exact(3).enumerate() {
            for (other, across) in basis.turn.chunks_exact(3).enumerate() {
                assert!((dot(along, across) - f32::from(u8::from(one == other))).abs() < 1e-4);
            }
        }
    }
}
