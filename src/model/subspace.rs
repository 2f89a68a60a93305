//! The leading principal directions of many rows: block subspace iteration with Rayleigh–Ritz.
//!
//! Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53 (2011), algorithm 4.4, on the smaller
//! of the two square matrices that the rows make. Large products are burn's; the block is orthogonalised on slices.

use artificio_random::Random;
use burn::tensor::Tensor;
use pulp::Arch;

use super::{backend, eigen};

/// Directions carried along beyond those asked for: they make the last ones converge faster.
const SPARE_DIRECTIONS: usize = 24;

/// A step that adds less than this share of the variance captured so far is the last.
const STANDSTILL: f64 = 1e-7;

const MAX_STEPS: usize = 100;

/// Directions with less than this share of the first one's variance are rounding, not data: float32 squares carry about
/// seven digits.
const NOISE: f64 = 1e-6;

/// Directions, and how much of the rows lies along each.
pub(super) struct Leading {
    /// `[count, width]`, orthogonal and of unit length, that of the largest variance first.
    pub(super) directions: Vec<f32>,
    /// `[count]`: the sum of the squares of all rows along the direction.
    pub(super) squares: Vec<f32>,
}

/// The leading directions of `rows`: at most `wanted`, fewer when the rows span fewer. `rows` `[n, width]` are already centred, or not, as the caller wants. The same rows give the same
/// directions, bit by bit.
pub(super) fn leading_directions(rows: Vec<f32>, width: usize, wanted: usize) -> Leading {
    let count = rows.len() / width;
    let data = backend::matrix(rows, width);
    let few_rows = count < width;
    let (square, size) = if few_rows {
        (data.clone().matmul(data.clone().transpose()), count)
    } else {
        (data.clone().transpose().matmul(data.clone()), width)
    };
    let block = iterate(&square, size, (wanted + SPARE_DIRECTIONS).min(size));
    let (directions, squares) = ritz(&square, block, size, wanted);
    let mut directions = if few_rows && !directions.is_empty() {
        backend::values(backend::matrix(directions, size).matmul(data))
    } else {
        directions
    };
    orthogonalise(&mut directions, width);
    directions.chunks_exact_mut(width).for_each(fix_sign);
    Leading { directions, squares }
}

/// Multiplies a block `[height, size]` by `square` and orthogonalises it until the variance it captures stands still.
fn iterate(square: &Tensor<2>, size: usize, height: usize) -> Vec<f32> {
    let mut block = scattered(height * size);
    orthogonalise(&mut block, size);
    let mut captured = 0.0;
    for _ in 0..MAX_STEPS {
        let mut next = backend::values(backend::matrix(block.clone(), size).matmul(square.clone()));
        let now: f64 = block.iter().zip(&next).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        orthogonalise(&mut next, size);
        block = next;
        if now <= captured * (1.0 + STANDSTILL) {
            break;
        }
        captured = now;
    }
    block
}

/// Rayleigh–Ritz: turns the block so that its rows are directions of `square`, largest first, and keeps what is data;
/// also the eigenvalue of each.
fn ritz(square: &Tensor<2>, block: Vec<f32>, size: usize, wanted: usize) -> (Vec<f32>, Vec<f32>) {
    let height = block.len() / size;
    let block = backend::matrix(block, size);
    let small = backend::values(block.clone().matmul(square.clone()).matmul(block.clone().transpose()));
    let symmetric = |at: usize| {
        let (row, column) = (at / height, at % height);
        f64::midpoint(f64::from(small[row * height + column]), f64::from(small[column * height + row]))
    };
    let pairs = eigen::symmetric((0..height * height).map(symmetric).collect(), height);
    let floor = pairs.values.first().map_or(0.0, |first| first * NOISE);
    let kept = pairs.values.iter().take(wanted).take_while(|&&value| value > floor).count();
    if kept == 0 {
        return (Vec::new(), Vec::new());
    }
    let turn = pairs.vectors[..kept * height].iter().map(|&value| value as f32).collect();
    let directions = backend::values(backend::matrix(turn, height).matmul(block));
    (directions, pairs.values[..kept].iter().map(|&value| value as f32).collect())
}

/// Makes the rows of `block` orthogonal and of unit length, in order; a row that adds nothing becomes zero.
///
/// Gram–Schmidt, every row twice: Giraud, Langou and Rozložník, Computers & Mathematics with Applications 50 (2005).
fn orthogonalise(block: &mut [f32], width: usize) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for start in (0..block.len()).step_by(width) {
                let (before, rest) = block.split_at_mut(start);
                let row = &mut rest[..width];
                let length = dot(row, row).sqrt();
                for _ in 0..2 {
                    for other in before.chunks_exact(width) {
                        let share = dot(row, other);
                        row.iter_mut().zip(other).for_each(|(value, step)| *value -= share * step);
                    }
                }
                let left = dot(row, row).sqrt();
                let scale = if left > length * 1e-5 && left > 0.0 { left.recip() } else { 0.0 };
                row.iter_mut().for_each(|value| *value *= scale);
            }
        },
    );
}

/// Summed in sixteen lanes, so that it runs as vectors and in a fixed order.
#[inline(always)]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, left_rest) = left.as_chunks::<16>();
    let (right, right_rest) = right.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for (a, b) in left.iter().zip(right) {
        for lane in 0..16 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Numbers in −1..1 without pattern, always the same.
fn scattered(count: usize) -> Vec<f32> {
    let mut random = Random::new(0);
    std::iter::repeat_with(|| random.between(-1.0, 1.0)).take(count).collect()
}

/// A direction and its opposite are one thing; the one whose largest entry is positive stands for both.
fn fix_sign(direction: &mut [f32]) {
    let largest = direction.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    if largest.is_some_and(|value| value < 0.0) {
        direction.iter_mut().for_each(|value| *value = -*value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `rank` directions of falling weight, mixed into `count` rows.
    fn planted(count: usize, width: usize, rank: usize) -> (Vec<f32>, Vec<f32>) {
        let mut basis = scattered(rank * width);
        orthogonalise(&mut basis, width);
        let mut mix = scattered(2 * count * rank).split_off(count * rank);
        mix.chunks_exact_mut(rank).for_each(|row| {
            row.iter_mut().enumerate().for_each(|(at, value)| *value *= 0.7_f32.powi(at as i32));
        });
        (backend::values(backend::matrix(mix, rank).matmul(backend::matrix(basis.clone(), width))), basis)
    }

    #[test]
    fn a_planted_subspace_is_found_from_either_side() {
        for (count, width) in [(30, 100), (300, 64)] {
            let (rows, basis) = planted(count, width, 6);
            let found = leading_directions(rows, width, 12).directions;
            assert_eq!(found.len(), 6 * width, "no more directions than the rows span");
            for row in basis.chunks_exact(width) {
                let inside: f32 = found.chunks_exact(width).map(|direction| dot(direction, row).powi(2)).sum();
                assert!((inside - 1.0).abs() < 1e-4, "{inside}");
            }
        }
    }

    #[test]
    fn directions_are_orthogonal_ordered_and_always_the_same() {
        let (rows, _) = planted(200, 80, 40);
        let Leading { directions: found, squares } = leading_directions(rows.clone(), 80, 20);
        assert_eq!(found, leading_directions(rows.clone(), 80, 20).directions);
        let variance = |direction: &[f32]| rows.chunks_exact(80).map(|row| dot(row, direction).powi(2)).sum::<f32>();
        let variances: Vec<f32> = found.chunks_exact(80).map(variance).collect();
        assert!(variances.is_sorted_by(|a, b| *a >= b * 0.999), "{variances:?}");
        assert!(variances.iter().zip(&squares).all(|(a, b)| (a - b).abs() < 1e-3 * variances[0]), "{squares:?}");
        for (i, left) in found.chunks_exact(80).enumerate() {
            for (j, right) in found.chunks_exact(80).enumerate() {
                assert!((dot(left, right) - f32::from(u8::from(i == j))).abs() < 1e-5);
            }
        }
    }
}
