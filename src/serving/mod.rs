//! The model that serves, what makes the features it takes, and the index of its embeddings, always replaced together, so that a query
//! never mixes two models.

mod calibrations;
pub mod feedback;
mod likeness;
pub mod load;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::base::rows::Rows;
use crate::catalog::Catalog;
use crate::config::{Metric, SearchScope};
use crate::index::{Index, Ranked, RemoteRow, SearchMode, Snapshot};
use crate::model::{Extractor, Model};
use calibrations::Calibrations;
use feedback::{WEIGHTS, moved};

pub use calibrations::Scores;
pub use likeness::{COMPARED, LikenessScale, compares_features};

/// After so many changes of the index [`View::scores`] is asked for ahead of a query, which would have to wait for it: with the
/// untrained model this takes 0.2 seconds of a core.
const CHANGES_TO_MEASURE: u64 = 4_096;

/// A model, and the inventory's embeddings under it.
pub struct Serving {
    /// Makes features.
    pub extractor: Arc<Extractor>,
    /// Turns features into embeddings.
    pub model: Arc<Model>,
    /// The embeddings.
    pub index: Index,
    calibrations: Arc<Calibrations>,
    /// The generation of the index for which [`View::scores`] was last asked for ahead of a query; [`NEVER`] at first.
    measured: AtomicU64,
}

const NEVER: u64 = u64::MAX;

/// A search.
#[derive(Clone, Copy)]
pub struct SearchRequest<'a> {
    /// Features of the query, one row a picture.
    pub query: &'a Rows,
    /// Features of its positive examples.
    pub positive: &'a Rows,
    /// Features of its negative examples.
    pub negative: &'a Rows,
    /// How embeddings are compared, and the results of several pictures combined.
    pub mode: SearchMode,
    /// Which pictures may be found.
    pub scope: &'a SearchScope,
    /// Number of matches.
    pub count: usize,
}

impl Serving {
    /// `model` with the `index` of its embeddings, and what makes the features that it takes.
    pub fn new(extractor: Arc<Extractor>, model: Model, index: Index) -> Self {
        let measured = AtomicU64::new(NEVER);
        Self { extractor, model: Arc::new(model), index, calibrations: Arc::default(), measured }
    }

    /// Whether [`View::scores`] is to be asked for ahead of a query: the first time, and after many changes. `true` is the answer
    /// once.
    pub fn is_to_be_measured(&self) -> bool {
        let (generation, measured) = (self.index.generation(), self.measured.load(Ordering::Relaxed));
        let is_due = measured == NEVER || generation.abs_diff(measured) >= CHANGES_TO_MEASURE;
        if is_due {
            self.measured.store(generation, Ordering::Relaxed);
        }
        is_due
    }

    /// Both as they are now, to be searched without a lock.
    pub fn view(&self) -> View {
        View {
            model: Arc::clone(&self.model),
            snapshot: self.index.snapshot(),
            calibrations: Arc::clone(&self.calibrations),
        }
    }
}

/// A model with the inventory's embeddings under it, as they were at one moment.
pub struct View {
    /// Turns features into embeddings.
    pub model: Arc<Model>,
    /// The embeddings.
    pub snapshot: Snapshot,
    calibrations: Arc<Calibrations>,
}

impl View {
    /// The pictures most similar to a query, of which `embeddings` are what is searched for; `others` are pictures of other nodes.
    pub fn search(&self, embeddings: &Rows, others: &[RemoteRow], request: &SearchRequest<'_>) -> Ranked {
        self.snapshot.search_among(others, embeddings, request.mode, request.scope, request.count)
    }

    /// What is searched for: the query, moved by its examples.
    pub fn embeddings(&self, request: &SearchRequest<'_>) -> Rows {
        let query = self.model.encode(request.query);
        if request.positive.is_empty() && request.negative.is_empty() {
            return query;
        }
        let (positive, negative) = (self.model.encode(request.positive), self.model.encode(request.negative));
        moved(&query, &positive, &negative, WEIGHTS, request.mode.metric)
    }

    /// What similarities by `metric` mean in this inventory, whose features are in `catalog`.
    pub fn scores(&self, metric: Metric, catalog: &Catalog) -> Scores {
        self.calibrations.of(&self.snapshot, &self.model, metric, catalog)
    }
}

/// The serving state, shared by workers and the event loop. It is locked only to look something up, to change a picture, or
/// to take a [`View`].
#[derive(Clone)]
pub struct Shared(Arc<RwLock<Serving>>);

impl Shared {
    /// Shares `serving`.
    pub fn new(serving: Serving) -> Self {
        Self(Arc::new(RwLock::new(serving)))
    }

    /// Locks for reading. A panic elsewhere does not make the embeddings wrong, so a poisoned lock is taken anyway.
    pub fn read(&self) -> RwLockReadGuard<'_, Serving> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks for writing.
    pub fn write(&self) -> RwLockWriteGuard<'_, Serving> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// What makes features now.
    pub fn extractor(&self) -> Arc<Extractor> {
        Arc::clone(&self.read().extractor)
    }

    /// Model and embeddings as they are now.
    pub fn view(&self) -> View {
        self.read().view()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Encoder, ModelSettings};
    use crate::model::FeatureKind;

    #[test]
    fn it_is_measured_at_first_and_after_many_changes() {
        let model = Model::untrained(&ModelSettings::default(), FeatureKind::of(Encoder::Convolutional));
        let index = Index::empty(model.embedding_width());
        let mut serving = Serving::new(Arc::new(Extractor::Pixels), model, index);
        assert!(serving.is_to_be_measured() && !serving.is_to_be_measured());
        let embedding = vec![1.0; serving.model.embedding_width()];
        let mut measured_at = Vec::new();
        for number in 1..=2 * CHANGES_TO_MEASURE + 1 {
            serving.index.put(Path::new(&format!("{}.jpg", number % 9)), &embedding);
            if serving.is_to_be_measured() {
                measured_at.push(number);
            }
        }
        assert_eq!(measured_at, [CHANGES_TO_MEASURE, 2 * CHANGES_TO_MEASURE]);
    }
}
