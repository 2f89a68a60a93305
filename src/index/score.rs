//! The arithmetic of the scan, compiled for the processor's widest vectors.

use std::ops::Range;

use pulp::Arch;

use crate::base::dot::{dot, squared_distance};
use crate::base::rows::Rows;
use crate::config::Metric;

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

/// Cosine: the dot product of unit-length embeddings. Euclidean: 1 / (1 + distance).
#[inline(always)]
pub fn similarity(a: &[f32], b: &[f32], metric: Metric) -> f32 {
    match metric {
        Metric::Cosine => dot(a, b),
        Metric::Euclidean => 1.0 / (1.0 + squared_distance(a, b).sqrt()),
    }
}
