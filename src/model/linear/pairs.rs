//! How pictures of one kind differ, estimated without labels: from pairs that are each other's nearest.
//!
//! What varies between two pictures of the same kind distinguishes nothing, and gets less weight in an embedding. With labels that
//! is linear discriminant analysis (Fisher 1936), or within-class covariance normalisation (Hatch, Kajarekar and Stolcke,
//! Interspeech 2006); here mutual nearest neighbours stand in for the labels. The result is blended with the plain
//! variances, because few pictures have few pairs.

use super::eigen;
use crate::base::dot::dot;
use crate::base::nearest::first;
use crate::base::rows::Rows;
use crate::model::backend;
use crate::model::sample_weights::SAME_COSINE;

/// How much of the pairs' scatter is in the blend, the rest being the plain variances. By measurement on 22 tasks of three
/// labelled sets; flat around it.
const SHARE: f32 = 0.6;
/// What lies along a direction of blended variance a is scaled by a^-this before embeddings are compared: 0 leaves it, 0.5
/// whitens.
const POWER: f64 = 0.3;
/// Neighbours are searched for among embeddings scaled by (variance + noise)^-this.
const SEARCH_POWER: f32 = 0.2;
/// A picture with more copies than this before its first other neighbour makes no pair.
const MOST_COPIES: usize = 8;
/// Rows compared with all others at a time: bounds the memory.
const BLOCK: usize = 512;

/// Another basis of an embedding, in which it is scaled value by value.
pub(super) struct Basis {
    /// `[width, width]`, row after row: orthogonal, of unit length, that along which embeddings vary most first.
    pub(super) turn: Vec<f32>,
    /// `[width]`: what lies along each row is multiplied by this.
    pub(super) scales: Vec<f32>,
}

/// The basis in which embeddings are best compared. `embeddings` `[n, width]` lie along principal directions of the given
/// `variances` `[width]`, each uncertain by `noise`; `features` `[n, any]` show copies, and rows count by `weights` `[n]`.
pub(super) fn basis(embeddings: &Rows, features: &Rows, weights: &[f32], variances: &[f32], noise: f32) -> Basis {
    let width = embeddings.width();
    let scatter = scatter(embeddings, features, weights, variances, noise);
    let mut blend: Vec<f64> = scatter.iter().map(|value| f64::from(SHARE * value)).collect();
    for (at, variance) in variances.iter().enumerate() {
        blend[at * width + at] += f64::from((1.0 - SHARE) * variance + noise);
    }
    let eigen::Eigen { values, vectors } = eigen::symmetric(blend, width);
    // Rounding may leave a direction that holds nothing below zero.
    let floor = values.first().map_or(0.0, |first| first * 1e-9).max(f64::MIN_POSITIVE);
    let held = |vector: &[f64]| -> f64 {
        vector.iter().zip(variances).map(|(value, variance)| value * value * f64::from(*variance)).sum()
    };
    let mut rows: Vec<(&[f64], f64)> = vectors.chunks_exact(width).zip(values).collect();
    rows.sort_by(|one, other| held(other.0).total_cmp(&held(one.0)));
    Basis {
        turn: rows.iter().flat_map(|(vector, _)| vector.iter().map(|value| *value as f32)).collect(),
        scales: rows.iter().map(|(_, value)| value.max(floor).powf(-POWER) as f32).collect(),
    }
}

/// The mean of (a − b)(a − b)ᵀ over pairs, `[width, width]`, scaled so that its trace is the sum of the variances; without
/// pairs the variances themselves.
fn scatter(embeddings: &Rows, features: &Rows, weights: &[f32], variances: &[f32], noise: f32) -> Vec<f32> {
    let width = embeddings.width();
    let usual = weights.iter().sum::<f32>() / weights.len().max(1) as f32;
    let mut differences = Vec::new();
    for (one, other) in pairs(embeddings, features, variances, noise) {
        // The geometric mean of both weights, on either side of a product.
        let weight = (weights[one] / usual * (weights[other] / usual)).powf(0.25);
        differences.extend(embeddings.row(one).iter().zip(embeddings.row(other)).map(|(a, b)| weight * (a - b)));
    }
    let variance: f32 = variances.iter().sum();
    let held: f32 = differences.iter().map(|value| value * value).sum();
    if held <= variance * f32::EPSILON {
        let plain = |at: usize| if at / width == at % width { variances[at % width] } else { 0.0 };
        return (0..width * width).map(plain).collect();
    }
    let differences = backend::matrix(differences, width);
    let products = backend::values(differences.clone().transpose().matmul(differences));
    products.into_iter().map(|value| value * variance / held).collect()
}

/// Pictures that are each other's nearest, as positions; the smaller comes first.
fn pairs(embeddings: &Rows, features: &Rows, variances: &[f32], noise: f32) -> Vec<(usize, usize)> {
    let mut scaled = embeddings.clone();
    for at in 0..scaled.len() {
        for (value, variance) in scaled.row_mut(at).iter_mut().zip(variances) {
            *value *= (variance + noise).powf(-SEARCH_POWER);
        }
    }
    let nearest = nearest(scaled.at_unit_length(), &features.at_unit_length());
    let is_mutual = |&(one, other): &(usize, usize)| one < other && nearest[other] == Some(one);
    let pairs = nearest.iter().enumerate().filter_map(|(one, other)| Some((one, (*other)?)));
    pairs.filter(is_mutual).collect()
}

/// For every row of `embeddings` the nearest other that is no copy of it. Both `embeddings` and `features` are of unit length.
fn nearest(embeddings: Rows, features: &Rows) -> Vec<Option<usize>> {
    let (count, width) = (embeddings.len(), embeddings.width());
    if count < 2 {
        return vec![None; count];
    }
    let values = embeddings.into_values();
    let all = backend::matrix(values.clone(), width).transpose();
    let mut nearest = Vec::with_capacity(count);
    for block in values.chunks(BLOCK * width) {
        let cosines = backend::values(backend::matrix(block.to_vec(), width).matmul(all.clone()));
        for row in cosines.chunks_exact(count) {
            let own = nearest.len();
            let others = (0..count).filter(|&other| other != own).collect();
            let closer = |a: &usize, b: &usize| row[*b].total_cmp(&row[*a]).then(a.cmp(b));
            let cosine = |other: usize| dot(features.row(own), features.row(other));
            nearest
                .push(first(others, MOST_COPIES + 1, closer).into_iter().find(|&other| cosine(other) <= SAME_COSINE));
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten kinds of pictures on a circle, two of each, which differ along a third axis; and features that are no copies.
    fn kinds() -> (Rows, Rows) {
        let (mut embeddings, mut features) = (Rows::empty(3), Rows::empty(20));
        for kind in 0..10 {
            for side in [-0.1, 0.1] {
                let angle = std::f32::consts::TAU * kind as f32 / 10.0;
                assert!(embeddings.push(&[angle.cos(), angle.sin(), side]));
                let mut row = vec![0.0; 20];
                row[features.len()] = 1.0;
                assert!(features.push(&row));
            }
        }
        (embeddings, features)
    }

    fn variances(embeddings: &Rows) -> Vec<f32> {
        (0..embeddings.width())
            .map(|at| embeddings.iter().map(|row| row[at] * row[at]).sum::<f32>() / embeddings.len() as f32)
            .collect()
    }

    #[test]
    fn what_varies_within_pairs_gets_less_weight_than_its_variance_says() {
        let (embeddings, features) = kinds();
        let variances = variances(&embeddings);
        let found = pairs(&embeddings, &features, &variances, 0.0);
        assert_eq!(found, (0..10).map(|kind| (2 * kind, 2 * kind + 1)).collect::<Vec<_>>());
        let basis = basis(&embeddings, &features, &[1.0; 20], &variances, 0.0);
        let along = |axis: usize| {
            let scaled = |row: usize| (basis.turn[row * 3 + axis] * basis.scales[row]).powi(2);
            (0..3).map(scaled).sum::<f32>().sqrt()
        };
        // By hand: variances 0.5, 0.5 and 0.01; all of the scatter is along the third.
        assert!((along(2) - (0.6 * 1.01 + 0.4 * 0.01_f32).powf(-0.3)).abs() < 1e-3, "{}", along(2));
        assert!((along(0) - (0.4 * 0.5_f32).powf(-0.3)).abs() < 1e-3, "{}", along(0));
        assert!(basis.turn[8].abs() > 0.999, "what varies least comes last");
    }

    #[test]
    fn copies_make_no_pairs_and_without_pairs_the_variances_decide() {
        let (embeddings, features) = kinds();
        let copies = Rows::from_values(1, vec![1.0; features.len()]).unwrap();
        let variances = variances(&embeddings);
        assert!(pairs(&embeddings, &copies, &variances, 0.0).is_empty());
        let basis = basis(&embeddings, &copies, &[1.0; 20], &variances, 0.5);
        for (scale, variance) in basis.scales.iter().zip(&variances) {
            assert!((scale - (variance + 0.5).powf(-0.3)).abs() < 1e-4);
        }
    }

    #[test]
    fn rows_of_weight_zero_change_nothing() {
        let (mut embeddings, mut features) = kinds();
        let variances = variances(&embeddings);
        let before = scatter(&embeddings, &features, &[1.0; 20], &variances, 0.0);
        for side in [-1.0, 1.0] {
            assert!(embeddings.push(&[9.0, 9.0, 30.0 + side]) && features.push(&[vec![0.0; 19], vec![side]].concat()));
        }
        let weights = [vec![1.0; 20], vec![0.0; 2]].concat();
        let after = scatter(&embeddings, &features, &weights, &variances, 0.0);
        assert!(before.iter().zip(&after).all(|(before, after)| (before - after).abs() < 1e-5));
        let small: Vec<f32> = weights.iter().map(|weight| weight * 1e-9).collect();
        assert_eq!(after, scatter(&embeddings, &features, &small, &variances, 0.0), "only their proportions count");
    }

    #[test]
    fn one_picture_or_none_is_no_special_case() {
        assert_eq!(nearest(Rows::from_values(2, vec![1.0, 0.0]).unwrap(), &Rows::empty(2)), [None]);
        assert!(nearest(Rows::empty(2), &Rows::empty(2)).is_empty());
    }
}
