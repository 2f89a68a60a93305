//! From the pictures nearest to a query to their final order.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::averaging::{Averaged, averaged, expanded, prepared, similarity};
use super::scan::{nearest, path_at};
use super::segment::{Segment, place};
use super::snapshot::AVERAGING_MINIMUM;
use super::{Found, PlainSimilarity, Ranked, Reason, RemotePicture, RemoteRow, SearchMode};
use crate::base::dot::dot;
use crate::base::nearest::NearestList;
use crate::base::rows::Rows;
use crate::config::{Metric, SearchScope, SetMode};

/// So many pictures nearest to a query are averaged with one another and put in their final order. Measured: see
/// `docs/decisions/one-search.md`.
pub const SHORTLIST: usize = 300;

/// So many more are taken from the scan, whose order is not exact: those that belong to the shortlist are among them.
const MARGIN: usize = 100;

/// Of a query of many pictures, not all that each was averaged with are named.
const MOST_EXPANDED_WITH: usize = 12;

/// A picture found by its embedding alone.
struct Near<'a> {
    path: &'a Path,
    remote: Option<&'a RemotePicture>,
    /// As it is compared.
    row: Vec<f32>,
    plain: PlainSimilarity,
}

/// How similar a picture is once neighbours count, and why.
struct Rank {
    similarity: f32,
    member: usize,
    /// Positions in the shortlist.
    neighbours: Vec<usize>,
}

impl<'a> Near<'a> {
    /// `row` as it is compared.
    fn new(path: &'a Path, row: Vec<f32>, members: &[Vec<f32>], metric: Metric) -> Self {
        let by_metric = to_nearest(members, &row, metric);
        let cosine = if metric == Metric::Cosine { by_metric } else { greatest_cosine(members, &row) };
        Self { path, remote: None, row, plain: PlainSimilarity { by_metric, cosine } }
    }

    fn of_other(other: &'a RemoteRow, members: &[Vec<f32>], metric: Metric) -> Self {
        let row = prepared(other.embedding.clone(), metric);
        Self { remote: Some(&other.picture), ..Self::new(&other.path, row, members, metric) }
    }
}

/// The `k` pictures in `scope` that are most similar to the pictures `query`, `[m, width]`, best first; of equal ones, by path. `others`
/// are those of other nodes that may be among them.
pub fn search(
    segments: &[Arc<Segment>],
    others: &[RemoteRow],
    query: &Rows,
    how: SearchMode,
    scope: &SearchScope,
    k: usize,
) -> Ranked {
    let members = members(query, how);
    let mut near = near(segments, &members, how.metric, scope, k);
    if !others.is_empty() {
        near.extend(others.iter().map(|other| Near::of_other(other, &members, how.metric)));
        near.sort_by(|a, b| best_first((a.plain.by_metric, a.path), (b.plain.by_metric, b.path)));
        near.truncate(k.max(SHORTLIST));
    }
    let shortlist = near.len().min(SHORTLIST);
    let alone = |near: &Near<'_>| Rank {
        similarity: near.plain.by_metric,
        member: nearest_member(&members, &near.row, how.metric),
        neighbours: Vec::new(),
    };
    let (ranks, expanded_with) = match near.len() < AVERAGING_MINIMUM {
        true => (near[..shortlist].iter().map(alone).collect(), Vec::new()),
        false => reranked(&near[..shortlist], &members, how.metric),
    };
    let mut order: Vec<(usize, Rank)> = ranks.into_iter().enumerate().collect();
    order.sort_by(|a, b| best_first((a.1.similarity, near[a.0].path), (b.1.similarity, near[b.0].path)));
    // Those beyond the shortlist follow in the order in which they were found. Their similarities are of another kind: none may
    // exceed those before.
    let least = order.last().map_or(0.0, |(_, last)| last.similarity);
    let beyond = near[shortlist..].iter().map(|near| {
        let rank = alone(near);
        Rank { similarity: rank.similarity.min(least), ..rank }
    });
    let all = order.into_iter().chain((shortlist..).zip(beyond)).take(k).enumerate();
    let path_of = |at: &usize| near[*at].path.to_path_buf();
    let found = all.map(|(place, (at, rank))| Found {
        path: path_of(&at),
        similarity: rank.similarity,
        plain: near[at].plain,
        remote: near[at].remote.cloned(),
        reason: Reason {
            place: place + 1,
            alone: at + 1,
            member: rank.member,
            neighbours: rank.neighbours.iter().map(path_of).collect(),
        },
    });
    Ranked { found: found.collect(), expanded_with: expanded_with.iter().map(path_of).collect() }
}

/// The `count` pictures nearest to one of the pictures `members`, with their similarities.
pub fn nearest_alone(
    segments: &[Arc<Segment>],
    members: &Rows,
    metric: Metric,
    scope: &SearchScope,
    count: usize,
) -> Vec<(PathBuf, f32)> {
    let members = self::members(members, SearchMode { metric, set_mode: SetMode::Nearest });
    let near = near(segments, &members, metric, scope, count);
    near.into_iter().take(count).map(|near| (near.path.to_path_buf(), near.plain.by_metric)).collect()
}

/// What is searched for: every picture of the query, or their mean.
pub fn members(query: &Rows, how: SearchMode) -> Vec<Vec<f32>> {
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
        Near::new(path_at(segments, position), row, members, metric)
    };
    let mut near: Vec<Near> = positions.into_iter().map(exact).collect();
    near.sort_by(|a, b| best_first((a.plain.by_metric, a.path), (b.plain.by_metric, b.path)));
    near.truncate(k.max(SHORTLIST));
    near
}

/// The similarities of a shortlist when it is averaged within itself, and each of `members` with its nearest there; and which these
/// nearest are.
fn reranked(shortlist: &[Near<'_>], members: &[Vec<f32>], metric: Metric) -> (Vec<Rank>, Vec<usize>) {
    let Some(width) = shortlist.first().map(|near| near.row.len()) else { return (Vec::new(), Vec::new()) };
    let mut rows = Rows::empty(width);
    for near in shortlist {
        rows.push(&near.row);
    }
    let Averaged { rows, is_copy, lists } = averaged(&rows, metric);
    let (expanded, nearest): (Vec<Vec<f32>>, Vec<NearestList>) =
        members.iter().map(|member| expanded(member, &rows, &is_copy, metric)).unzip();
    let positions = |list: &NearestList| -> Vec<usize> { list.iter().map(|(at, _)| *at as usize).collect() };
    let mut expanded_with: Vec<usize> = Vec::new();
    for at in nearest.iter().flat_map(positions).take(MOST_EXPANDED_WITH) {
        if !expanded_with.contains(&at) {
            expanded_with.push(at);
        }
    }
    let rank = |(row, list): (&[f32], &NearestList)| Rank {
        similarity: to_nearest(&expanded, row, metric),
        member: nearest_member(&expanded, row, metric),
        neighbours: positions(list),
    };
    (rows.iter().zip(&lists).map(rank).collect(), expanded_with)
}

/// Which of `members` a picture is most similar to.
fn nearest_member(members: &[Vec<f32>], row: &[f32], metric: Metric) -> usize {
    if members.len() < 2 {
        return 0;
    }
    let similarities = members.iter().map(|member| similarity(member, row, metric)).enumerate();
    // Of equal ones the first.
    similarities.rev().max_by(|one, other| one.1.total_cmp(&other.1)).map_or(0, |(at, _)| at)
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
