//! What similarities mean in this inventory: derived from the index and the catalog when a query asks, and followed as they change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::likeness::{BestLikeness, LikenessScale, best_likeness};
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
    best: HashMap<RowId, (Vec<RowId>, BestLikeness)>,
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
            let kept = known.remove(&member.id).filter(|(same, best)| *same == others && best.is_final);
            let best = kept.map_or_else(|| best_likeness(member, near, model, catalog), |(_, best)| best);
            self.best.insert(member.id, (others, best));
        }
        let best = self.best.values().filter_map(|(_, best)| best.value).collect();
        self.likeness = LikenessScale::of(best, model);
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use artificio_random::Random;

    use super::*;
    use crate::base::rows::Rows;
    use crate::catalog::{FileRow, FileState, Root};
    use crate::config::{Encoder, ModelSettings};
    use crate::files::Stamp;
    use crate::index::Index;
    use crate::model::{Backbone, FeatureKind};
    use crate::picture::Hash;

    /// A catalog and an index of made-up pictures, without a trained model: embeddings are features.
    struct Inventory {
        _state: tempfile::TempDir,
        catalog: Catalog,
        model: Model,
        index: Index,
        random: Random,
    }

    impl Inventory {
        fn new() -> Self {
            let state = tempfile::tempdir().unwrap();
            let catalog = Catalog::open(state.path()).unwrap().catalog;
            let model = Model::untrained(&ModelSettings::default(), FeatureKind::of(Encoder::Pretrained));
            let index = Index::empty(model.embedding_width());
            Self { _state: state, catalog, model, index, random: Random::new(5) }
        }

        fn path(number: usize) -> PathBuf {
            format!("{:03}/{number}.jpg", number % 7).into()
        }

        /// Pictures around a few directions, as inventories have them.
        fn add(&mut self, number: usize) {
            let (path, hash) = (Self::path(number), Hash::of(&number.to_le_bytes()));
            let features: Vec<f32> = (0..Backbone::WIDTH)
                .map(|at| f32::from(u8::from(at % 9 == number % 9)) + 0.4 * self.random.normal())
                .collect();
            self.catalog.put_features(hash, Backbone::VERSION, &features).unwrap();
            let row = FileRow { path: path.clone(), stamp: Stamp::NEVER, state: FileState::Read(hash) };
            self.catalog.put_file(Root::Inventory, &row).unwrap();
            let stored = self.catalog.features(hash, Backbone::VERSION).unwrap().unwrap();
            let stored = Rows::from_values(Backbone::WIDTH, stored).unwrap();
            assert!(self.index.put(&path, self.model.encode(&stored).row(0)));
        }

        fn remove(&mut self, number: usize) {
            let path = Self::path(number);
            self.catalog.remove_file(Root::Inventory, &path).unwrap();
            self.index.remove([path.as_path()]);
        }

        fn scores(&self, followed: &Calibrations, index: &Index) -> (LikenessScale, Vec<f32>) {
            let scores = followed.of(&index.snapshot(), &self.model, Metric::Cosine, &self.catalog);
            let closer = (-20..=20).map(|at| scores.pairs.closer_than(at as f32 / 20.0)).collect();
            (scores.likeness, closer)
        }

        /// As after a restart: another order of the rows, and nothing known of earlier states.
        fn scores_after_restart(&self) -> (LikenessScale, Vec<f32>) {
            let mut index = Index::empty(self.model.embedding_width());
            for file in self.catalog.files(Root::Inventory).unwrap() {
                let FileState::Read(hash) = file.state else { continue };
                let features = self.catalog.features(hash, Backbone::VERSION).unwrap().unwrap();
                index.put(&file.path, self.model.encode(&Rows::from_values(Backbone::WIDTH, features).unwrap()).row(0));
            }
            self.scores(&Calibrations::default(), &index)
        }
    }

    #[test]
    fn what_similarities_mean_is_the_same_after_a_restart_whatever_came_and_went() {
        let (mut inventory, followed) = (Inventory::new(), Calibrations::default());
        (0..150).for_each(|number| inventory.add(number));
        let first = inventory.scores(&followed, &inventory.index);
        assert_eq!(first, inventory.scores_after_restart());
        for round in 0..6 {
            (0..20).for_each(|at| inventory.remove(round * 20 + at));
            (0..10).for_each(|at| inventory.add(150 + round * 10 + at));
            if round % 2 == 0 {
                inventory.add(130 + round);
            }
            assert_eq!(inventory.scores(&followed, &inventory.index), inventory.scores_after_restart(), "{round}");
        }
        assert_ne!(inventory.scores(&followed, &inventory.index), first, "the inventory is another one");
    }

    #[test]
    fn what_the_catalog_lacked_for_a_while_is_asked_for_again() {
        let (mut inventory, followed) = (Inventory::new(), Calibrations::default());
        (0..40).for_each(|number| inventory.add(number));
        let row = |number: usize| {
            let state = FileState::Read(Hash::of(&number.to_le_bytes()));
            FileRow { path: Inventory::path(number), stamp: Stamp::NEVER, state }
        };
        for number in 0..20 {
            inventory.catalog.remove_file(Root::Inventory, Path::new(&Inventory::path(number))).unwrap();
        }
        let lacking = inventory.scores(&followed, &inventory.index);
        (0..20).for_each(|number| inventory.catalog.put_file(Root::Inventory, &row(number)).unwrap());
        // As whoever repairs the catalog does.
        inventory.index.mark_changed();
        let repaired = inventory.scores(&followed, &inventory.index);
        assert_ne!(repaired.0, lacking.0);
        assert_eq!(repaired, inventory.scores_after_restart());
    }
}
