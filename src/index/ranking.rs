//! From the pictures nearest to a query to their final order.

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

use super::averaging::{averaged, expanded, prepared, similarity};
use super::scan::{nearest, path_at};
use super::segment::{Segment, place};
use super::snapshot::AVERAGING_MINIMUM;
use super::{Found, PlainSimilarity, SearchMode};
use crate::base::dot::dot;
use crate::base::rows::Rows;
use crate::config::{Metric, SearchScope, SetMode};

/// So many pictures nearest to a query are averaged with one another and put in their final order. Measured: see
/// `docs/decisions/one-search.md`.
pub const SHORTLIST: usize = 300;

/// So many more are taken from the scan, whose order is not exact: those that belong to the shortlist are among them.
const MARGIN: usize = 100;

/// A picture found by its embedding alone.
struct Near<'a> {
    path: &'a Path,
    /// As it is compared.
    row: Vec<f32>,
    plain: PlainSimilarity,
}

impl Near<'_> {
    fn found(&self, similarity: f32) -> Found {
        Found { path: self.path.into(), similarity, plain: self.plain }
    }
}

/// The `k` pictures in `scope` that are most similar to the pictures `query`, `[m, width]`, best first; of equal ones, by path.
pub fn search(segments: &[Arc<Segment>], query: &Rows, how: SearchMode, scope: &SearchScope, k: usize) -> Vec<Found> {
    let members = members(query, how);
    let near = near(segments, &members, how.metric, scope, k);
    let shortlist = near.len().min(SHORTLIST);
    let ranked = match near.len() < AVERAGING_MINIMUM {
        true => near[..shortlist].iter().map(|near| near.plain.by_metric).collect(),
        false => reranked(&near[..shortlist], &members, how.metric),
    };
    let mut found: Vec<Found> = near.iter().zip(ranked).map(|(near, similarity)| near.found(similarity)).collect();
    found.sort_by(|a, b| best_first((a.similarity, &a.path), (b.similarity, &b.path)));
    // Those beyond the shortlist follow in the order in which they were found. Their similarities are of another kind: none may
    // exceed those before.
    let least = found.last().map_or(0.0, |last| last.similarity);
    let beyond = near[shortlist..].iter();
    found.extend(beyond.map(|near| near.found(near.plain.by_metric.min(least))));
    found.truncate(k);
    found
}

/// What is searched for: every picture of the query, or their mean.
pub(super) fn members(query: &Rows, how: SearchMode) -> Vec<Vec<f32>> {
    let members: Vec<Vec<f32>> = query.iter().map(|row| prepared(row.to_vec(), how.metric)).collect();
    match how.set_mode {
        SetMode::Nearest => members,
        SetMode::Mean => mean(&members).map(|embedding| prepared(embedding, how.metric)).into_iter().collect(),
    }
}

fn mean(rows: &[Vec<f32>]) -> Option<Vec<f32>> {
    let mut sum = rows.first()?.clone();
    for row in &rows[1..] {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sum.iter_mut().for_each(|sum| *sum /= rows.len() as f32);
    Some(sum)
}

/// The shortlist and, if more are wanted, those after it: by the exact similarity to the nearest of `members`.
fn near<'a>(
    segments: &'a [Arc<Segment>],
    members: &[Vec<f32>],
    metric: Metric,
    scope: &SearchScope,
    k: usize,
) -> Vec<Near<'a>> {
    let positions = nearest(segments, members, metric, scope, k.max(SHORTLIST) + MARGIN);
    let exact = |position| {
        let (segment, row) = place(position);
        let row = prepared(segments[segment].embedding(row), metric);
        let by_metric = to_nearest(members, &row, metric);
        let cosine = if metric == Metric::Cosine { by_metric } else { greatest_cosine(members, &row) };
        Near { path: path_at(segments, position), row, plain: PlainSimilarity { by_metric, cosine } }
    };
    let mut near: Vec<Near> = positions.into_iter().map(exact).collect();
    near.sort_by(|a, b| best_first((a.plain.by_metric, a.path), (b.plain.by_metric, b.path)));
    near.truncate(k.max(SHORTLIST));
    near
}

/// The similarities of a shortlist when it is averaged within itself, and each of `members` with its nearest there.
fn reranked(shortlist: &[Near<'_>], members: &[Vec<f32>], metric: Metric) -> Vec<f32> {
    let Some(width) = shortlist.first().map(|near| near.row.len()) else { return Vec::new() };
    let mut rows = Rows::empty(width);
    for near in shortlist {
        rows.push(&near.row);
    }
    let (rows, is_copy) = averaged(&rows, metric);
    let expanded: Vec<Vec<f32>> = members.iter().map(|member| expanded(member, &rows, &is_copy, metric)).collect();
    rows.iter().map(|row| to_nearest(&expanded, row, metric)).collect()
}

/// Without closures, so that it is compiled for the vectors of its caller.
#[inline(always)]
pub(super) fn to_nearest(members: &[Vec<f32>], row: &[f32], metric: Metric) -> f32 {
    let mut nearest = f32::NEG_INFINITY;
    for member in members {
        nearest = nearest.max(similarity(member, row, metric));
    }
    nearest
}

fn greatest_cosine(members: &[Vec<f32>], row: &[f32]) -> f32 {
    let length = |row: &[f32]| dot(row, row).sqrt().max(f32::MIN_POSITIVE);
    members.iter().map(|member| dot(member, row) / length(member) / length(row)).fold(-1.0, f32::max)
}

fn best_first(one: (f32, &Path), other: (f32, &Path)) -> Ordering {
    other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1))
}
