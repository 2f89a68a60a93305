//! The scan: the best of all pictures by their coarse embeddings, found in one pass over memory.

use std::path::Path;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};

use super::quantised::QuantisedQuery;
use super::segment::{CAPACITY, RowHead, Segment, place};
use crate::base::dot::dot;
use crate::base::nearest::keep_first;
use crate::config::{Metric, SearchScope};

/// A picture that may be among the best: its position, and its score, which orders as similarity does.
type Candidate = (u32, f32);

/// One embedding that all others are compared with.
struct Probe {
    query: QuantisedQuery,
    /// Euclidean length, squared.
    square: f32,
}

impl Probe {
    fn new(embedding: &[f32]) -> Self {
        Self { query: QuantisedQuery::new(embedding), square: dot(embedding, embedding) }
    }

    #[inline(always)]
    fn score(&self, coarse: &[i8], head: &RowHead, metric: Metric) -> f32 {
        let product = self.query.dot(coarse, head.scale);
        match metric {
            // The query has unit length. A row of zeros is similar to nothing.
            Metric::Cosine if head.length > 0.0 => product / head.length,
            Metric::Cosine => 0.0,
            Metric::Euclidean => 2.0 * product - head.length * head.length - self.square,
        }
    }
}

/// The positions of the `count` pictures that come nearest to one of `members`, in no order. Of equal ones those whose
/// paths come first. None outside of `scope`.
pub fn nearest(
    segments: &[Arc<Segment>],
    members: &[Vec<f32>],
    metric: Metric,
    scope: &SearchScope,
    count: usize,
) -> Vec<u32> {
    let probes: Vec<Probe> = members.iter().map(|member| Probe::new(member)).collect();
    let mut best = Best {
        segments,
        scope: Some(scope).filter(|scope| !scope.is_everything()),
        count,
        floor: f32::NEG_INFINITY,
        candidates: Vec::new(),
    };
    if count > 0 && !probes.is_empty() {
        for (number, segment) in segments.iter().enumerate() {
            Arch::new().dispatch(SegmentScan { best: &mut best, number, segment, probes: &probes, metric });
        }
    }
    best.finish()
}

/// The best so far, and some more that are dropped from time to time.
struct Best<'a> {
    segments: &'a [Arc<Segment>],
    /// Where it is not everything.
    scope: Option<&'a SearchScope>,
    count: usize,
    /// What a score has to reach; rises as candidates are dropped.
    floor: f32,
    candidates: Vec<Candidate>,
}

/// A segment to be scanned. Not a closure: those are not compiled for the vectors of the dispatch.
struct SegmentScan<'a, 'b> {
    best: &'a mut Best<'b>,
    number: usize,
    segment: &'a Segment,
    probes: &'a [Probe],
    metric: Metric,
}

impl WithSimd for SegmentScan<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let first = self.number * CAPACITY;
        for (at, (coarse, head)) in self.segment.coarse().enumerate() {
            let mut score = f32::NEG_INFINITY;
            for probe in self.probes {
                score = score.max(probe.score(coarse, head, self.metric));
            }
            if score >= self.best.floor {
                self.best.take(((first + at) as u32, score));
            }
        }
    }
}

impl Best<'_> {
    fn take(&mut self, candidate: Candidate) {
        let (segment, row) = place(candidate.0);
        if self.scope.is_some_and(|scope| !self.segments[segment].is_in(scope, row)) {
            return;
        }
        self.candidates.push(candidate);
        if self.candidates.len() >= 2 * self.count + 64 {
            self.drop_surplus();
        }
    }

    fn drop_surplus(&mut self) {
        let segments = self.segments;
        keep_first(&mut self.candidates, self.count, |a, b| {
            b.1.total_cmp(&a.1).then_with(|| path_at(segments, a.0).cmp(path_at(segments, b.0)))
        });
        if self.candidates.len() == self.count {
            self.floor = self.candidates.iter().map(|(_, score)| *score).fold(f32::INFINITY, f32::min);
        }
    }

    fn finish(mut self) -> Vec<u32> {
        self.drop_surplus();
        self.candidates.into_iter().map(|(position, _)| position).collect()
    }
}

/// The path at a position.
pub fn path_at(segments: &[Arc<Segment>], position: u32) -> &Path {
    let (segment, row) = place(position);
    segments[segment].path(row)
}
