//! The index as it was at one moment, to be searched without any lock.

use std::path::PathBuf;
use std::sync::Arc;

use super::segment::{Name, Segment};
use super::{Found, Ranked, RemoteRow, SearchMode, ranking};
use crate::base::rows::Rows;
use crate::config::{Metric, SearchScope};

/// With fewer pictures than this the nearest are not near: embeddings are compared as they are.
pub(super) const AVERAGING_MINIMUM: usize = 12;

/// All embeddings of an [`super::Index`], shared with it as long as it does not change them.
#[derive(Debug, Clone)]
pub struct Snapshot {
    width: usize,
    segments: Vec<Arc<Segment>>,
    generation: u64,
}

impl Snapshot {
    pub(super) fn new(width: usize, segments: Vec<Arc<Segment>>, generation: u64) -> Self {
        Self { width, segments, generation }
    }

    /// Pictures in it.
    pub fn len(&self) -> usize {
        self.segments.iter().map(|segment| segment.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Values in an embedding.
    pub fn width(&self) -> usize {
        self.width
    }

    /// That of the index when this was taken.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The `k` pictures most similar to `query`, embeddings of one or several pictures `[m, width]`, best first;
    /// pictures equally similar in the order of their paths.
    ///
    /// The [`super::SHORTLIST`] pictures that are nearest by their embeddings alone are averaged, each with its nearest among
    /// them, and so is the query; that decides their order. Further pictures follow by their embeddings alone.
    pub fn search(&self, query: &Rows, how: SearchMode, k: usize) -> Vec<Found> {
        self.search_within(query, how, &SearchScope::default(), k).found
    }

    /// The same among the pictures in `scope`, as if there were no others.
    pub fn search_within(&self, query: &Rows, how: SearchMode, scope: &SearchScope, k: usize) -> Ranked {
        self.search_among(&[], query, how, scope, k)
    }

    /// The same with pictures of other nodes among them: all of those that are nearest, in `scope` as well.
    pub fn search_among(
        &self,
        others: &[RemoteRow],
        query: &Rows,
        how: SearchMode,
        scope: &SearchScope,
        k: usize,
    ) -> Ranked {
        if query.width() != self.width {
            return Ranked::default();
        }
        ranking::search(&self.segments, others, query, how, scope, k)
    }

    /// The paths of all pictures.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.segments.iter().flat_map(|segment| (0..segment.len()).map(move |row| segment.name(row)))
    }

    /// The `count` pictures in `scope` that are nearest to one of `members`, `[m, width]`, by their embeddings alone, best first, each
    /// with its similarity.
    pub fn nearest(&self, members: &Rows, metric: Metric, scope: &SearchScope, count: usize) -> Vec<(PathBuf, f32)> {
        if members.width() != self.width {
            return Vec::new();
        }
        ranking::nearest_alone(&self.segments, members, metric, scope, count)
    }

    /// Pictures in `scope`.
    pub fn count_within(&self, scope: &SearchScope) -> usize {
        if scope.is_everything() {
            return self.len();
        }
        let segments = self.segments.iter();
        segments.map(|segment| (0..segment.len()).filter(|row| segment.is_in(scope, *row)).count()).sum()
    }
}
