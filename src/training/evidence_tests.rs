//! Trainings from the features in a catalog to the verdict, and what is left of those that are broken off.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use artificio_random::Random;
use crossbeam_channel::unbounded;

use super::super::handle::TrainingHandle;
use super::super::job::{Successor, TrainingEnd, TrainingEvent, TrainingInput};
use super::super::sketch::ContentSketch;
use super::*;
use crate::catalog::{FileRow, FileState, ModelRow};
use crate::config::{Config, Metric};
use crate::files::Stamp;
use crate::model::{Backbone, Extractor, FeatureKind};
use crate::picture::EditedView;
use crate::quarantine::Guard;

const KINDS: usize = 12;

/// A catalog with features of pictures that were never drawn, and of views of them.
struct Workshop {
    /// Removed when this is dropped.
    _folder: tempfile::TempDir,
    catalog: Catalog,
    config: Config,
    extractor: Arc<Extractor>,
    serving: Model,
    samples: [HashMap<u32, f32>; 2],
}

/// What pictures of a kind have in common, and in which directions pictures differ: of `number` alone.
fn direction(number: u64) -> Vec<f32> {
    let mut random = Random::new(number);
    (0..Backbone::HEAD_WIDTH).map(|_| random.normal()).collect()
}

/// Features of a picture, of which a `share` is noise, and those of its views.
fn features(number: u32, share: f32) -> [Vec<f32>; 3] {
    let mut random = Random::new(1_000_000 + u64::from(number));
    let mut row: Vec<f32> = direction(u64::from(number) % KINDS as u64).into_iter().map(|value| value + 2.0).collect();
    for shared in 0..24 {
        let weight = 0.6 * random.normal();
        row.iter_mut().zip(direction(100 + shared)).for_each(|(value, step)| *value += weight * step);
    }
    let noise = |row: &[f32], share: f32, random: &mut Random| -> Vec<f32> {
        row.iter().map(|value| (1.0 - share) * value + share * 3.0 * random.normal()).collect()
    };
    let row = noise(&row, share, &mut random);
    // What a crop changes lies along other directions than what tells pictures apart, and along none.
    let view = |strength: f32, random: &mut Random| {
        let mut view = row.clone();
        for nuisance in 0..8 {
            let weight = strength * random.normal();
            view.iter_mut().zip(direction(500 + nuisance)).for_each(|(value, step)| *value += weight * step);
        }
        noise(&view, 0.2, random)
    };
    let views = [view(0.5, &mut random), view(0.8, &mut random)];
    let [cropped, altered] = views;
    // The part for the whole picture says all: the others are empty.
    [row, cropped, altered].map(|mut row| {
        row.resize(Backbone::WIDTH, 0.0);
        row
    })
}

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(folder.path()).unwrap().catalog;
        let mut config = Config::default();
        config.model.code_width = Bounded::new(64);
        let serving = Model::untrained(&config.model, FeatureKind::of(Encoder::Pretrained));
        let extractor = Arc::new(Extractor::load(Encoder::Pretrained).unwrap());
        Self { _folder: folder, catalog, config, extractor, serving, samples: Default::default() }
    }

    fn content(number: u32, share: f32) -> Hash {
        Hash::of(format!("{number} {share}").as_bytes())
    }

    fn put(&mut self, root: Root, numbers: std::ops::Range<u32>, share: f32) {
        let kind = FeatureKind::of(Encoder::Pretrained);
        for number in numbers {
            let content = Self::content(number, share);
            let [row, views @ ..] = features(number, share);
            self.catalog.put_features(content, &kind.version, &row).unwrap();
            for (view, row) in EditedView::ALL.into_iter().zip(&views) {
                self.catalog.put_features(content, &kind.of_view(view), row).unwrap();
            }
            let path = PathBuf::from(format!("{number}.jpg"));
            let row = FileRow { path, stamp: Stamp::NEVER, state: FileState::Read(content) };
            self.catalog.put_file(root, &row).unwrap();
            self.samples[usize::from(root == Root::Training)].insert(number, share);
        }
    }

    fn remove(&mut self, root: Root, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.catalog.remove_file(root, &PathBuf::from(format!("{number}.jpg"))).unwrap();
            self.samples[usize::from(root == Root::Training)].remove(&number);
        }
    }

    fn sample(&self, root: Root) -> ContentSample {
        let mut sketch = ContentSketch::default();
        for (number, share) in &self.samples[usize::from(root == Root::Training)] {
            sketch.insert(Self::content(*number, *share), &PathBuf::from(format!("{number}.jpg")));
        }
        sketch.sample()
    }

    /// Trains as the daemon does, under `id`; each event is kept, after which `goes_on` may end it.
    fn run(
        &mut self,
        id: &str,
        source: TrainingSource,
        goes_on: impl Fn(&TrainingEvent) -> bool,
    ) -> Option<TrainingEnd> {
        let (sender, events) = unbounded();
        let input = TrainingInput {
            catalog: self.catalog.readers(),
            id: id.into(),
            source,
            training: self.sample(Root::Training),
            inventory: self.sample(Root::Inventory),
            against: Some(self.serving.clone()),
            config: Arc::new(self.config.clone()),
            extractor: Arc::clone(&self.extractor),
            guard: Guard::none(),
            now_s: 0,
        };
        let job = TrainingJob { run: 1, input, handle: Arc::new(TrainingHandle::default()), sender };
        let ended = job.train().ok();
        drop(job);
        for message in events {
            match &message.event {
                TrainingEvent::Embeddings(embeddings) => {
                    for (hash, embedding) in embeddings {
                        self.catalog.put_embedding(*hash, id, embedding).unwrap();
                    }
                }
                TrainingEvent::TrainedOn(pictures) => {
                    pictures.iter().for_each(|picture| self.catalog.put_trained_picture(id, picture).unwrap());
                }
                _ => {}
            }
            if !goes_on(&message.event) {
                return None;
            }
        }
        ended
    }

    /// Trains, lets the model serve if it passes, and returns what was decided.
    fn train(&mut self, source: TrainingSource) -> (bool, String, Evidence) {
        let number = self.catalog.reserve_model_number().unwrap();
        let (row, model) = match self.run(&format!("m{number}"), source, |_| true).unwrap() {
            TrainingEnd::Ready(successor) => {
                let Successor { model, row, .. } = *successor;
                (row.unwrap(), Some(model))
            }
            TrainingEnd::Refused(row) => (*row, None),
            TrainingEnd::Cancelled | TrainingEnd::SameNetwork | TrainingEnd::NoNetwork(_) => {
                panic!("nobody cancels it")
            }
        };
        self.keep(&row, model)
    }

    fn keep(&mut self, row: &ModelRow, model: Option<Model>) -> (bool, String, Evidence) {
        self.catalog.put_model(row).unwrap();
        let passes = model.is_some();
        if let Some(model) = model {
            self.catalog.make_current(Some(&row.id)).unwrap();
            self.serving = model;
        }
        (passes, row.reason.clone(), serde_json::from_str(&row.figures).unwrap())
    }

    fn assert_all_embeddings_are_of_its_fit(&self) {
        let kind = self.serving.features();
        let page = self.catalog.next_features(None, &kind.version, kind.width, 10_000).unwrap();
        let mut compared = 0;
        for (content, made) in page.contents.iter().zip(self.serving.encode(&page.features).iter()) {
            if !self.catalog.files_with(Root::Inventory, *content).unwrap().is_empty() {
                let stored = self.catalog.embedding(*content, self.serving.id()).unwrap().expect("it is stored");
                let apart: f32 = stored.iter().zip(made).map(|(stored, made)| (stored - made).abs()).sum();
                assert!(apart < 1e-3 * made.iter().map(|value| value.abs()).sum::<f32>(), "{apart}");
                compared += 1;
            }
        }
        assert!(compared > 0 && compared == self.samples[0].len(), "{compared}");
    }
}

fn margins(comparison: Option<Comparison>) -> [f32; 2] {
    let Comparison { before, after, .. } = comparison.expect("they were compared");
    [before.margin.unwrap(), after.margin.unwrap()]
}

/// The story: a training is broken off while embeddings are stored, pictures are removed, and it is trained again on the same day.
#[test]
fn no_embedding_of_another_fit_is_taken_whatever_was_broken_off_and_removed() {
    let mut workshop = Workshop::new();
    workshop.put(Root::Inventory, 0..80, 0.0);
    let broken_off = workshop.catalog.reserve_model_number().unwrap();
    let is_no_embedding = |event: &TrainingEvent| !matches!(event, TrainingEvent::Embeddings(_));
    assert!(workshop.run(&format!("m{broken_off}"), TrainingSource::Inventory, is_no_embedding).is_none());
    let left = |workshop: &Workshop| {
        workshop.catalog.embedding(Workshop::content(70, 0.0), &format!("m{broken_off}")).unwrap()
    };
    let of_another_fit = left(&workshop).expect("it was broken off in the middle");
    workshop.remove(Root::Inventory, 0..30);
    let (passes, reason, _) = workshop.train(TrainingSource::Inventory);
    assert!(passes && workshop.serving.id() != format!("m{broken_off}"), "{reason}");
    workshop.assert_all_embeddings_are_of_its_fit();
    // Even under the same name what was left would be replaced.
    let TrainingEnd::Ready(successor) =
        workshop.run(&format!("m{broken_off}"), TrainingSource::Inventory, |_| true).unwrap()
    else {
        panic!("it passes as before")
    };
    assert_ne!(left(&workshop).unwrap(), of_another_fit);
    workshop.serving = successor.model;
    workshop.assert_all_embeddings_are_of_its_fit();
}

#[test]
fn each_model_is_compared_by_shadows_with_the_one_before_and_with_the_network() {
    let mut workshop = Workshop::new();
    workshop.put(Root::Inventory, 0..120, 0.0);
    let (passes, reason, evidence) = workshop.train(TrainingSource::Inventory);
    assert!(passes && evidence.against_untrained && evidence.floor == FloorComparison::default(), "{reason}");
    assert_eq!(evidence.inventory.unwrap().pictures, 120, "in five shadows each is held out once");
    workshop.put(Root::Inventory, 120..150, 0.0);
    let (passes, reason, evidence) = workshop.train(TrainingSource::Inventory);
    assert!(passes && evidence.against.as_deref() == Some("m1") && evidence.not_held_out.is_none(), "{reason}");
    let ([before, after], [floor, new]) = (margins(evidence.inventory), margins(evidence.floor.inventory));
    assert!(before > floor && after == new, "{before} {after} {floor}");
    // What serves has seen 120 of them; its shadow has not.
    let full = workshop.serving.clone();
    assert!(full.trained_on() == 150);
}

#[test]
fn where_the_training_before_cannot_be_repeated_that_is_said() {
    let mut workshop = Workshop::new();
    workshop.put(Root::Inventory, 0..110, 0.0);
    assert!(workshop.train(TrainingSource::Inventory).0);
    let kind = FeatureKind::of(Encoder::Pretrained);
    for number in 0..30 {
        // As if they had been removed and swept.
        let broken = kind.version.to_string() + "-gone";
        let content = Workshop::content(number, 0.0);
        workshop.catalog.put_features(content, &broken, &[]).unwrap();
        workshop.catalog.put_features(content, &kind.version, &[]).unwrap();
    }
    workshop.remove(Root::Inventory, 0..30);
    workshop.put(Root::Inventory, 110..150, 0.0);
    let (passes, reason, evidence) = workshop.train(TrainingSource::Inventory);
    assert!(passes && reason.contains("are not kept any more"), "{reason}");
    let compared = evidence.inventory.unwrap().pictures;
    assert_eq!((compared, evidence.floor.inventory.unwrap().pictures), (80, 120), "those that both were trained on");
}

#[test]
fn few_pictures_are_not_held_out_and_that_is_said() {
    let mut workshop = Workshop::new();
    workshop.put(Root::Inventory, 0..40, 0.0);
    let (passes, reason, evidence) = workshop.train(TrainingSource::Inventory);
    assert!(passes && reason.contains("fewer than 100 pictures are too few to train without some"), "{reason}");
    assert_eq!(evidence.inventory.unwrap().pictures, 40);
}

#[test]
fn pictures_that_only_the_new_model_has_seen_do_not_speak_for_it() {
    let mut workshop = Workshop::new();
    workshop.config.model.train_on_inventory = false;
    workshop.put(Root::Inventory, 0..80, 0.0);
    workshop.put(Root::Training, 0..45, 0.0);
    let (_, _, evidence) = workshop.train(TrainingSource::Training);
    assert_eq!(evidence.inventory.unwrap().pictures, 35);
    // With fewer than these there would be no verdict.
    workshop.put(Root::Training, 45..60, 0.0);
    workshop.serving = Model::untrained(&workshop.config.model, FeatureKind::of(Encoder::Pretrained));
    let (_, _, evidence) = workshop.train(TrainingSource::Training);
    assert_eq!(evidence.inventory.unwrap().pictures, 80);
}

#[test]
fn with_too_few_pictures_the_first_model_serves_without_a_verdict() {
    let mut workshop = Workshop::new();
    workshop.put(Root::Inventory, 0..15, 0.0);
    let (passes, reason, evidence) = workshop.train(TrainingSource::Inventory);
    assert!(passes && evidence.inventory.is_none() && reason.contains("there is no verdict"), "{reason}");
}

#[test]
fn a_narrower_code_width_passes_the_gate_like_any_other_model() {
    let mut workshop = Workshop::new();
    workshop.put(Root::Inventory, 0..100, 0.0);
    workshop.config.model.code_width = Bounded::new(2);
    let (passes, reason, _) = workshop.train(TrainingSource::Inventory);
    assert!(!passes && reason.contains("the network as it is") && reason.contains("only 2 values"), "{reason}");
    workshop.config.model.code_width = Bounded::new(64);
    assert!(workshop.train(TrainingSource::Inventory).0);
    workshop.config.model.code_width = Bounded::new(2);
    let (passes, reason, _) = workshop.train(TrainingSource::Inventory);
    assert!(!passes && reason.contains("only 2 values (code_width)"), "{reason}");
    workshop.config.model.code_width = Bounded::new(60);
    assert!(workshop.train(TrainingSource::Inventory).0);
}

#[test]
fn models_are_compared_as_queries_will_compare_them() {
    let mut workshop = Workshop::new();
    workshop.put(Root::Inventory, 0..60, 0.0);
    let (_, _, by_cosine) = workshop.train(TrainingSource::Inventory);
    workshop.serving = Model::untrained(&workshop.config.model, FeatureKind::of(Encoder::Pretrained));
    workshop.config.similarity.metric = Metric::Euclidean;
    let (_, _, by_distance) = workshop.train(TrainingSource::Inventory);
    assert_ne!(margins(by_cosine.inventory), margins(by_distance.inventory));
}

#[test]
fn a_poisoned_training_folder_is_refused_and_one_of_the_same_kinds_is_not() {
    let mut workshop = Workshop::new();
    workshop.config.model.train_on_inventory = false;
    workshop.put(Root::Inventory, 0..60, 0.0);
    workshop.put(Root::Training, 1_000..1_030, 1.0);
    let (passes, reason, _) = workshop.train(TrainingSource::Training);
    assert!(!passes && reason.contains("less well than the network as it is"), "{reason}");
    workshop.remove(Root::Training, 1_000..1_030);
    workshop.put(Root::Training, 1_000..1_120, 0.0);
    let (passes, reason, _) = workshop.train(TrainingSource::Training);
    assert!(passes, "{reason}");
}

/// Noise creeps into the training folder: of what serves, the margin never falls below that of the network.
#[test]
fn twenty_trainings_on_ever_worse_pictures_do_not_sink_below_the_network() {
    let mut workshop = Workshop::new();
    workshop.config.model.train_on_inventory = false;
    workshop.put(Root::Inventory, 0..40, 0.0);
    let (mut served, mut lowest) = (0, f32::INFINITY);
    for step in 0..20 {
        workshop.put(Root::Training, 1_000..1_060, step as f32 / 20.0);
        let (passes, _, evidence) = workshop.train(TrainingSource::Training);
        let with_network = if evidence.against_untrained { evidence.inventory } else { evidence.floor.inventory };
        let [network, margin] = margins(with_network);
        if passes {
            served += 1;
            lowest = lowest.min(margin - network);
        }
    }
    assert!(lowest >= -crate::evaluate::gate::ALLOWED_LOSS, "{lowest}");
    assert!((4..20).contains(&served), "{served} served");
}

/// Each is hardly worse than the one before.
#[test]
fn twenty_small_losses_do_not_add_up() {
    let mut workshop = Workshop::new();
    workshop.put(Root::Inventory, 0..100, 0.0);
    let (mut margins_served, mut by_floor) = (Vec::new(), 0);
    for width in std::iter::once(64).chain((6..25).rev()) {
        workshop.config.model.code_width = Bounded::new(width);
        let (passes, reason, evidence) = workshop.train(TrainingSource::Inventory);
        let with_network = if evidence.against_untrained { evidence.inventory } else { evidence.floor.inventory };
        let [network, margin] = margins(with_network);
        if passes {
            margins_served.push(margin - network);
        }
        by_floor += usize::from(reason.contains("less well than the network as it is"));
    }
    let lowest = margins_served.iter().copied().fold(f32::INFINITY, f32::min);
    assert!(lowest >= -crate::evaluate::gate::ALLOWED_LOSS, "{margins_served:?}");
    assert!(by_floor > 0, "what came out below was refused for that: {margins_served:?}");
}
