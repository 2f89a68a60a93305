//! What similarities mean in this inventory: derived from the index and the catalog when a query asks, and followed as they change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::likeness::{LikenessScale, best_likeness};
use crate::catalog::Catalog;
use crate::config::Metric;
use crate::index::{Calibration, RowId, SampleNeighbours, SampledPicture, Snapshot};
use crate::model::Model;

/// What a query's similarities are compared with.
pub struct Scores {
    /// Random pairs of the inventory.
    pub pairs: Arc<Calibration>,
    /// The nearest others of the inventory's own pictures.
    pub likeness: LikenessScale,
}

/// The calibrations of one model and its index. They are a function of the snapshot that is asked about. Whoever asks first after a
/// change brings them up to date, in milliseconds unless nearly everything changed, and others wait for that.
#[derive(Default)]
pub(super) struct Calibrations(Mutex<Followed>);

#[derive(Default)]
struct Followed {
    /// Of the snapshot that all of this belongs to.
    generation: Option<u64>,
    neighbours: SampleNeighbours,
    /// By metric; measured when asked for.
    cosine: Option<Arc<Calibration>>,
    euclidean: Option<Arc<Calibration>>,
    /// Of each picture of the sample: its nearest others when they were read, and its likeness to them.
    best: HashMap<RowId, (Vec<RowId>, Option<f32>)>,
    likeness: LikenessScale,
}

impl Calibrations {
    /// As they are for `snapshot`, whose embeddings are of `model`.
    pub fn of(&self, snapshot: &Snapshot, model: &Model, metric: Metric, catalog: &Catalog) -> Scores {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.generation != Some(snapshot.generation()) {
            state.follow(snapshot, model, catalog);
            state.generation = Some(snapshot.generation());
        }
        let Followed { neighbours, cosine, euclidean, likeness, .. } = &mut *state;
        let pairs = match metric {
            Metric::Cosine => cosine,
            Metric::Euclidean => euclidean,
        };
        let measure = || Arc::new(Calibration::measure(snapshot, neighbours.sample(), metric));
        Scores { pairs: Arc::clone(pairs.get_or_insert_with(measure)), likeness: *likeness }
    }
}

impl Followed {
    fn follow(&mut self, snapshot: &Snapshot, model: &Model, catalog: &Catalog) {
        let ids = |sample: &[SampledPicture]| sample.iter().map(|member| member.id).collect::<Vec<_>>();
        let before = ids(self.neighbours.sample());
        self.neighbours.follow(snapshot);
        if before != ids(self.neighbours.sample()) {
            (self.cosine, self.euclidean) = (None, None);
        }
        let mut known = std::mem::take(&mut self.best);
        for (member, near) in self.neighbours.iter() {
            let others: Vec<RowId> = near.iter().map(|near| near.id).collect();
            let kept = known.remove(&member.id).filter(|(same, _)| *same == others);
            let best = kept.map_or_else(|| best_likeness(member, near, model, catalog), |(_, best)| best);
            self.best.insert(member.id, (others, best));
        }
        let best = self.best.values().filter_map(|(_, best)| *best).collect();
        self.likeness = LikenessScale::of(best, model);
    }
}
