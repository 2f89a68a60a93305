//! Embeddings compared as they are, without averaging: the order in which pictures follow after the shortlist.

use pulp::{Arch, Simd, WithSimd};

use super::SearchMode;
use super::averaging::prepared;
use super::ranking::{members, to_nearest};
use crate::base::rows::Rows;

/// Embeddings to be compared with queries, all of them with each.
#[derive(Debug, Clone)]
pub struct PlainComparison {
    /// As they are compared.
    rows: Rows,
    how: SearchMode,
}

impl PlainComparison {
    /// With `embeddings` `[n, width]`.
    pub fn new(embeddings: &Rows, how: SearchMode) -> Self {
        let mut rows = Rows::empty(embeddings.width());
        embeddings.iter().for_each(|row| _ = rows.push(&prepared(row.to_vec(), how.metric)));
        Self { rows, how }
    }

    /// How similar each is to each of `queries`, which are embeddings of one or several pictures, `[m, width]`: `[n]` for each
    /// query. The rows are read from memory once for all of them.
    pub fn similarities(&self, queries: &[Rows]) -> Vec<Vec<f32>> {
        let queries: Vec<_> = queries.iter().map(|query| members(query, self.how)).collect();
        Arch::new().dispatch(Compare { queries: &queries, with: self })
    }
}

/// Not a closure: those are not compiled for the vectors of the dispatch.
struct Compare<'a> {
    queries: &'a [Vec<Vec<f32>>],
    with: &'a PlainComparison,
}

impl WithSimd for Compare<'_> {
    type Output = Vec<Vec<f32>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<Vec<f32>> {
        let mut similarities = vec![vec![0.0; self.with.rows.len()]; self.queries.len()];
        for (at, row) in self.with.rows.iter().enumerate() {
            for (query, members) in self.queries.iter().enumerate() {
                similarities[query][at] = to_nearest(members, row, self.with.how.metric);
            }
        }
        similarities
    }
}
