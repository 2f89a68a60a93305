//! Measures a new model for the gate: it and the model that serves look for the same pictures, held out from the trainings of
//! shadow models of both.

use std::collections::HashSet;

use super::fit_pictures::{FitPictures, FitSamples};
use super::history::sample_of;
use super::job::{Halt, TrainingJob};
use super::sketch::{ContentSample, SAMPLE_SIZE};
use super::views::SoughtPictures;
use crate::catalog::{Catalog, Root, TrainingSource};
use crate::config::{Bounded, Encoder, ModelSettings};
use crate::error::Trouble;
use crate::evaluate::gate::{Comparison, Evidence, FEWEST_PICTURES, FloorComparison, ViewOutcome};
use crate::model::{Model, TrainingError};
use crate::picture::Hash;

/// Pictures of the inventory, and of the training folder, that are looked for at most.
const MOST_SOUGHT: [usize; 2] = [128, 64];
/// Of the pictures of a root this share at most is held out from one shadow.
const HELD_OUT_SHARE: usize = 5;
/// Rows that shadows of one model are fitted to in all: with few pictures several shadows, without other pictures each, give as many
/// to examine as one does with many.
const MOST_FITTED: usize = 2_500;
/// With fewer pictures to train on, a shadow without some of them is much worse than its model: of 30 pictures nothing lies in its
/// directions but what it has seen.
const FEWEST_FITTED: usize = 100;
/// The training set must be worth at least this many distinct pictures, as a share of `min_train`.
const DISTINCT_SHARE: f32 = 0.25;

/// The models of one comparison: the new one, the one that serves, and the network as it is.
struct Compared<'a> {
    new: &'a Model,
    before: &'a Model,
    untrained: &'a Model,
}

/// How the models found the pictures of one root.
#[derive(Default)]
struct FoundByModels {
    new: Vec<ViewOutcome>,
    before: Vec<ViewOutcome>,
    untrained: Vec<ViewOutcome>,
}

impl TrainingJob {
    /// The evidence known before the training.
    pub(super) fn evidence_of(&self, pictures: &FitPictures) -> Evidence {
        let needed = match self.input.source {
            TrainingSource::Training => self.input.config.model.min_train.count() as f32 * DISTINCT_SHARE,
            TrainingSource::Inventory => 0.0,
        };
        Evidence {
            against: self.input.against.as_ref().map(|model| model.id().to_string()),
            against_untrained: self.input.against.as_ref().is_some_and(|model| model.trained_on() == 0),
            of_inventory: self.input.source == TrainingSource::Inventory,
            distinct: pictures.set.distinct(),
            distinct_needed: needed,
            ..Evidence::default()
        }
    }

    /// Lets the new model, the one it is compared with and the network as it is look for the same pictures.
    pub(super) fn examine(
        &self,
        catalog: &Catalog,
        pictures: &FitPictures,
        model: &Model,
        evidence: &mut Evidence,
    ) -> Result<(), Halt> {
        evidence.folders = model.folder_lesson().cloned();
        let Some(before) = &self.input.against else { return Ok(()) };
        let usual = ModelSettings::default().code_width.count();
        let is_narrower = model.embedding_width() < before.embedding_width().min(usual);
        evidence.narrower = is_narrower.then(|| model.embedding_width());
        let earlier = self.earlier_pictures(catalog, before)?;
        let untrained = Model::untrained(&self.input.config.model, self.features());
        let holds_out = model.encoder() == Encoder::Pretrained && pictures.set.len() >= FEWEST_FITTED;
        let folds = if holds_out { self.folds() } else { 1 };
        let held_out_share = holds_out.then_some(folds as f32 / HELD_OUT_SHARE as f32);
        let sought = self.sought(catalog, [model, before], held_out_share)?;
        let full = Compared { new: model, before, untrained: &untrained };
        let mut findings: [FoundByModels; 2] = Default::default();
        let is_repeatable = holds_out && (earlier.is_some() || !before.is_trained());
        for fold in 0..folds {
            self.check()?;
            let held_out: HashSet<Hash> = sought.iter().flat_map(|sought| sought.contents_of(fold, folds)).collect();
            let code_width = self.input.config.model.code_width;
            let new = match holds_out {
                true => self.shadow(pictures, &held_out, model, code_width)?,
                false => Some(model.clone()),
            };
            let width = Bounded::new(before.embedding_width() as u64);
            let old = match earlier.as_ref().filter(|_| is_repeatable) {
                Some(earlier) => self.shadow(earlier, &held_out, before, width)?,
                None => Some(before.clone()),
            };
            let (Some(new), Some(old)) = (new, old) else { continue };
            let shadows = Compared { new: &new, before: &old, untrained: &untrained };
            for (sought, findings) in sought.iter().zip(&mut findings) {
                let places = match holds_out {
                    true => sought.of_fold(fold, folds),
                    false => pictures.unseen_or_all(sought),
                };
                findings.add(sought, &shadows, &places);
            }
        }
        let lost = lost(&full, &sought[0]);
        let compared = findings.each_ref().map(|found| Comparison::of(&found.before, &found.new, [lost[1], lost[0]]));
        if before.is_trained() {
            let floor = findings.each_ref().map(|found| Comparison::of(&found.untrained, &found.new, [0.0, lost[0]]));
            evidence.floor = FloorComparison { inventory: floor[0], training: floor[1] };
        }
        [evidence.inventory, evidence.training] = match is_repeatable {
            true => compared,
            false => {
                evidence.not_held_out = Some(why_not_held_out(before, holds_out));
                self.compare_as_they_are(catalog, pictures, &full, &sought, lost)?
            }
        };
        self.check()
    }

    /// Where the training of the model before cannot be repeated: both models as they are, by pictures that both were trained on, or
    /// neither.
    fn compare_as_they_are(
        &self,
        catalog: &Catalog,
        pictures: &FitPictures,
        full: &Compared<'_>,
        sought: &[SoughtPictures; 2],
        lost: [f32; 2],
    ) -> Result<[Option<Comparison>; 2], Halt> {
        let mut compared = [None, None];
        for (sought, compared) in sought.iter().zip(&mut compared) {
            let known = catalog.trained_pictures(full.before.id(), sought.root, SAMPLE_SIZE)?;
            let known: HashSet<Hash> = known.into_iter().map(|picture| picture.content).collect();
            let is_fair = |at: &usize| known.contains(&sought.content(*at)) == pictures.contains(sought.content(*at));
            let fair = match full.before.is_trained() {
                true => (0..sought.len()).filter(is_fair).collect(),
                false => pictures.unseen_or_all(sought),
            };
            let mut findings = FoundByModels::default();
            findings.add(sought, full, &fair);
            *compared = Comparison::of(&findings.before, &findings.new, [lost[1], lost[0]]);
        }
        Ok(compared)
    }

    /// What the model before was trained on; `None` where that cannot be repeated.
    fn earlier_pictures(&self, catalog: &Catalog, before: &Model) -> Result<Option<FitPictures>, Trouble> {
        let row = if before.encoder() == Encoder::Pretrained { catalog.model(before.id())? } else { None };
        let Some((row, source)) = row.and_then(|row| row.source.known().map(|source| (row, source))) else {
            return Ok(None);
        };
        let pictures = catalog.trained_pictures(&row.id, source.root(), SAMPLE_SIZE)?;
        let asks_folders = pictures.iter().any(|picture| picture.folders.is_some());
        let inventory = match row.inventory_count {
            0 => None,
            _ => Some(sample_of(catalog.trained_pictures(&row.id, Root::Inventory, SAMPLE_SIZE)?)),
        };
        // Earlier programs did not always record it.
        if inventory.as_ref().is_some_and(ContentSample::is_empty) {
            return Ok(None);
        }
        let pictures = sample_of(pictures);
        let samples = FitSamples { source, pictures: &pictures, inventory: inventory.as_ref(), asks_folders };
        FitPictures::read_again(catalog, &self.features(), &samples)
    }

    /// The shadow of `model`; `None` where too little is left.
    fn shadow(
        &self,
        pictures: &FitPictures,
        held_out: &HashSet<Hash>,
        model: &Model,
        code_width: Bounded<2, 512>,
    ) -> Result<Option<Model>, Halt> {
        let settings = ModelSettings { code_width, ..self.input.config.model.clone() };
        match pictures.shadow(held_out, &settings, &*self.handle) {
            Ok(shadow) => Ok(Some(Model::trained(model.id().into(), self.features(), model.trained_on(), shadow))),
            Err(TrainingError::Cancelled) => Err(Halt::Cancelled),
            Err(TrainingError::Failed(_)) => Ok(None),
        }
    }

    /// Whether the new model is trained on pictures of that root.
    fn is_trained_on(&self, root: Root) -> bool {
        root == self.input.source.root() || (root == Root::Inventory && self.input.config.model.train_on_inventory)
    }

    /// How many shadows each model has.
    fn folds(&self) -> usize {
        let counts = ROOTS.map(|root| if self.is_trained_on(root) { self.sample(root).hashes().len() } else { 0 });
        let needed = |at: usize| (HELD_OUT_SHARE * counts[at].min(MOST_SOUGHT[at])).div_ceil(counts[at].max(1));
        let affordable = MOST_FITTED / counts.iter().sum::<usize>().max(1);
        needed(0).max(needed(1)).min(affordable).max(1)
    }

    /// The pictures to look for, in both roots; of those trained on a share at most that is held out from one shadow or another.
    fn sought(
        &self,
        catalog: &Catalog,
        models: [&Model; 2],
        held_out_share: Option<f32>,
    ) -> Result<[SoughtPictures; 2], Halt> {
        // A picture is looked for among those of other folders, if folders taught one of the models.
        let depth = models.iter().find_map(|model| model.folder_lesson().filter(|lesson| lesson.taught));
        let depth = depth.map(|lesson| lesson.depth);
        let count = |at: usize| {
            let all = self.sample(ROOTS[at]).hashes().len();
            let share = held_out_share.filter(|_| self.is_trained_on(ROOTS[at])).unwrap_or(1.0);
            MOST_SOUGHT[at].min((all as f32 * share) as usize)
        };
        // What is searched is what counts; training pictures stand in for too few of them.
        let is_standing_in = self.input.source == TrainingSource::Training && count(0) < FEWEST_PICTURES;
        let counts = [count(0), if is_standing_in { count(1) } else { 0 }];
        let all = counts[0] + counts[1];
        let inventory = self.look_for(catalog, Root::Inventory, counts[0], depth, [0, all])?;
        Ok([inventory, self.look_for(catalog, Root::Training, counts[1], depth, [counts[0], all])?])
    }

    /// The pictures of a root.
    pub(super) fn sample(&self, root: Root) -> &ContentSample {
        if root == Root::Training { &self.input.training } else { &self.input.inventory }
    }
}

/// In the order of [`MOST_SOUGHT`].
const ROOTS: [Root; 2] = [Root::Inventory, Root::Training];

impl FoundByModels {
    /// Lets the models look for the sought pictures at `places`.
    fn add(&mut self, sought: &SoughtPictures, models: &Compared<'_>, places: &[usize]) {
        self.new.extend(sought.found_by(models.new, places));
        self.before.extend(sought.found_by(models.before, places));
        self.untrained.extend(sought.found_by(models.untrained, places));
    }
}

/// The reconstruction errors of the new model and of the one before.
fn lost(models: &Compared<'_>, sought: &SoughtPictures) -> [f32; 2] {
    [models.new, models.before].map(|model| sought.lost_by(model))
}

fn why_not_held_out(before: &Model, holds_out: bool) -> String {
    let why = match (before.encoder(), holds_out) {
        (Encoder::Convolutional, _) => "holding pictures out would take another training".into(),
        (_, false) => format!("fewer than {FEWEST_FITTED} pictures are too few to train without some of them"),
        (_, true) => "features of what the one before was trained on are not kept any more".into(),
    };
    format!("both models as they are, as {why}")
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
