//! The model that serves and the index of its embeddings, always replaced together, so that a query never mixes two models.

pub mod feedback;
pub mod load;

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::base::rows::Rows;
use crate::config::Metric;
use crate::index::{Calibration, Found, Index, SearchMode, Snapshot};
use crate::model::Model;
use feedback::{WEIGHTS, moved};

/// A model, and the inventory's embeddings under it.
pub struct Serving {
    /// Turns features into embeddings.
    pub model: Arc<Model>,
    /// The embeddings.
    pub index: Index,
    calibrations: Arc<Calibrations>,
}

/// A search.
pub struct SearchRequest<'a> {
    /// Features of the query, one row a picture.
    pub query: &'a Rows,
    /// Features of its positive examples.
    pub positive: &'a Rows,
    /// Features of its negative examples.
    pub negative: &'a Rows,
    /// How embeddings are compared, and the results of several pictures combined.
    pub mode: SearchMode,
    /// Number of matches.
    pub count: usize,
}

impl Serving {
    /// `model` with the `index` of its embeddings.
    pub fn new(model: Model, index: Index) -> Self {
        Self { model: Arc::new(model), index, calibrations: Arc::default() }
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
    /// The pictures most similar to a query, each with the share of inventory pairs that are less similar.
    pub fn search(&self, request: &SearchRequest<'_>) -> Vec<(Found, f32)> {
        let metric = request.mode.metric;
        let embeddings = self.embeddings(request);
        let found = self.snapshot.search(&embeddings, request.mode, request.count);
        let calibration = self.calibrations.of(&self.snapshot, metric);
        let with_score = |found: Found| {
            let closer_than = calibration.closer_than(found.similarity);
            (found, closer_than)
        };
        found.into_iter().map(with_score).collect()
    }

    /// What is searched for: the query, moved by its examples.
    fn embeddings(&self, request: &SearchRequest<'_>) -> Rows {
        let query = self.model.encode(request.query);
        if request.positive.is_empty() && request.negative.is_empty() {
            return query;
        }
        let (positive, negative) = (self.model.encode(request.positive), self.model.encode(request.negative));
        moved(&query, &positive, &negative, WEIGHTS, request.mode.metric)
    }
}

/// The last calibration by each metric.
#[derive(Default)]
struct Calibrations {
    cosine: Mutex<Option<Measured>>,
    euclidean: Mutex<Option<Measured>>,
}

/// A calibration, and the version of the sample it was measured on.
type Measured = (u64, Arc<Calibration>);

impl Calibrations {
    /// Measured once for each state of the sample.
    fn of(&self, snapshot: &Snapshot, metric: Metric) -> Arc<Calibration> {
        let last = match metric {
            Metric::Cosine => &self.cosine,
            Metric::Euclidean => &self.euclidean,
        };
        let version = snapshot.sample_version();
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((measured, calibration)) if *measured == version => Arc::clone(calibration),
            _ => {
                let calibration = Arc::new(snapshot.calibration(metric));
                *last = Some((version, Arc::clone(&calibration)));
                calibration
            }
        }
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

    /// Model and embeddings as they are now.
    pub fn view(&self) -> View {
        self.read().view()
    }
}
