//! The model that serves and the index of its embeddings, always replaced together, so that a query never mixes two models.

mod feedback;
pub mod load;

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use crate::base::rows::Rows;
use crate::config::SetMode;
use crate::index::{Calibration, Found, Index};
use crate::model::Model;
use feedback::away_from;

/// A model, and the inventory's embeddings under it.
pub struct Serving {
    /// Turns features into embeddings.
    pub model: Model,
    /// The embeddings.
    pub index: Index,
    calibration: Mutex<Option<(u64, Arc<Calibration>)>>,
    identity: Arc<()>,
}

/// A search.
pub struct SearchRequest<'a> {
    /// Features of the query, one row a picture.
    pub positive: &'a Rows,
    /// Features of its negative examples.
    pub negative: &'a Rows,
    /// How the results of several pictures are combined.
    pub mode: SetMode,
    /// Number of matches.
    pub count: usize,
}

impl Serving {
    /// `model` with the `index` of its embeddings.
    pub fn new(model: Model, index: Index) -> Self {
        Self { model, index, calibration: Mutex::new(None), identity: Arc::new(()) }
    }

    /// Identifies this serving state; dead once another has replaced it.
    pub fn identity(&self) -> Weak<()> {
        Arc::downgrade(&self.identity)
    }

    /// The pictures most similar to a query, each with the share of inventory pairs that are less similar.
    pub fn search(&self, request: &SearchRequest<'_>) -> Vec<(Found, f32)> {
        let positive = self.model.encode(request.positive);
        let embeddings = match request.negative.is_empty() {
            true => positive,
            false => away_from(&positive, &self.model.encode(request.negative), self.index.metric()),
        };
        let found = self.index.search(&embeddings, request.mode, request.count);
        let calibration = self.calibration();
        let with_score = |found: Found| {
            let closer_than = calibration.closer_than(found.similarity);
            (found, closer_than)
        };
        found.into_iter().map(with_score).collect()
    }

    /// Measured once for each state of the index.
    fn calibration(&self) -> Arc<Calibration> {
        let generation = self.index.generation();
        let mut kept = self.calibration.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((measured, calibration)) if *measured == generation => Arc::clone(calibration),
            _ => {
                let calibration = Arc::new(Calibration::measure(&self.index));
                *kept = Some((generation, Arc::clone(&calibration)));
                calibration
            }
        }
    }
}

/// The serving state, shared by workers and the event loop. A query holds one read lock, so it sees one model.
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
}
