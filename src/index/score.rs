//! The arithmetic of the scan, compiled for the processor's widest vectors.

use std::ops::Range;

use pulp::Arch;

use crate::base::rows::Rows;
use crate::config::Metric;

/// Sums kept side by side, so that additions need not wait for each other.
const LANES: usize = 32;

/// Raises each `best[i]` to the similarity between `member` and row `i` of `embeddings`, where that is greater.
pub fn raise_to(best: &mut [f32], member: &[f32], embeddings: &Rows, metric: Metric) {
    Arch::new().dispatch(|| {
        for (best, embedding) in best.iter_mut().zip(embeddings.iter()) {
            *best = best.max(similarity(member, embedding, metric));
        }
    });
}

/// Fills the beginning of `table` with the similarities between rows of `embeddings`: `[rows.len(), columns.len()]`.
pub fn table(table: &mut [f32], embeddings: &Rows, rows: &Range<usize>, columns: &Range<usize>, metric: Metric) {
    Arch::new().dispatch(|| {
        for (line, row) in table.chunks_exact_mut(columns.len()).zip(rows.clone()) {
            for (value, column) in line.iter_mut().zip(columns.clone()) {
                *value = similarity(embeddings.row(row), embeddings.row(column), metric);
            }
        }
    });
}

/// Cosine: the inner product of unit-length embeddings. Euclidean: 1 / (1 + distance).
#[inline(always)]
pub fn similarity(a: &[f32], b: &[f32], metric: Metric) -> f32 {
    match metric {
        Metric::Cosine => sum_over(a, b, |a, b| a * b),
        Metric::Euclidean => 1.0 / (1.0 + sum_over(a, b, |a, b| (a - b) * (a - b)).sqrt()),
    }
}

#[inline(always)]
fn sum_over(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(&a, &b)| term(a, b)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_rest_are_both_counted() {
        for width in [1, 31, 32, 33, 100, 128] {
            let a: Vec<f32> = (0..width).map(|at| at as f32).collect();
            let b = vec![2.0; width];
            let expected: f32 = a.iter().sum::<f32>() * 2.0;
            assert_eq!(similarity(&a, &b, Metric::Cosine), expected, "width {width}");
        }
    }
}
