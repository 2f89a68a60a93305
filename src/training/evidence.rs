//! Measures a new model against the one that serves, for the gate: both look for the same pictures, some of which were held
//! out from the training of the new model's shadow.

use image::DynamicImage;

use super::job::{Halt, TrainingEvent, TrainingJob};
use crate::base::rows::Rows;
use crate::catalog::{Catalog, Root, TrainingSource};
use crate::error::Trouble;
use crate::evaluate::gate::{
    Comparison, Evidence, FEWEST_PICTURES, RetrievalQuality, relative_reconstruction_error, view_retrieval,
};
use crate::files::FileAt;
use crate::model::{FeatureKind, FolderLabels, Model, TrainingSet};
use crate::picture::{self, Bounds, EditedView, Hash};
use crate::progress::Progress;

/// Inventory pictures that are looked for by augmented views of them.
const MOST_SOUGHT: usize = 128;
/// Training pictures that are held out and looked for, and their share at most.
const MOST_HELD_OUT: usize = 64;
const HELD_OUT_SHARE: usize = 5;
/// Pictures among which they are looked for.
const MOST_AMONG: usize = 1_024;
/// The training set must be worth at least this many distinct pictures, as a share of `min_train`.
const DISTINCT_SHARE: f32 = 0.25;
/// Pictures whose views are sent to be stored at a time.
const VIEWS_BATCH: usize = 16;

/// Pictures to find among others.
struct Search {
    /// Features `[n, width]`.
    among: Rows,
    /// `[n]`: the folder of each that the new model was taught by.
    folder_of: Vec<Option<u32>>,
    /// Which of them each view shows, one entry a view.
    sought: Vec<usize>,
    /// Features of the views `[m, width]`.
    views: Rows,
}

impl Search {
    fn quality(&self, model: &Model) -> RetrievalQuality {
        let (among, views) = (model.encode(&self.among), model.encode(&self.views));
        let (mean_reciprocal_rank, separation) = view_retrieval(&among, &self.folder_of, &self.sought, &views);
        let restored = model.restored(&self.among);
        let lost = |restored| relative_reconstruction_error(&self.among, &restored);
        RetrievalQuality { mean_reciprocal_rank, separation, reconstruction_error: restored.map_or(0.0, lost) }
    }

    fn compare(&self, before: &Model, after: &Model) -> Option<Comparison> {
        let pictures = self.sought.len() / EditedView::ALL.len();
        let is_enough = pictures >= FEWEST_PICTURES && self.among.len() > FEWEST_PICTURES;
        is_enough.then(|| Comparison { pictures, before: self.quality(before), after: self.quality(after) })
    }
}

impl TrainingJob {
    /// The evidence known before the training.
    pub fn evidence_of(&self, training_set: &TrainingSet) -> Evidence {
        let needed = match self.input.source {
            TrainingSource::Training => self.input.config.model.min_train.count() as f32 * DISTINCT_SHARE,
            TrainingSource::Inventory => 0.0,
        };
        Evidence {
            against: self.input.against.as_ref().map(|model| model.id().to_string()),
            against_untrained: self.input.against.as_ref().is_some_and(|model| model.trained_on() == 0),
            of_inventory: self.input.source == TrainingSource::Inventory,
            distinct: training_set.distinct(),
            distinct_needed: needed,
            ..Evidence::default()
        }
    }

    /// Lets the new model and the one it is compared with look for the same pictures.
    pub(super) fn examine(
        &self,
        catalog: &Catalog,
        training_set: &TrainingSet,
        model: &Model,
        evidence: &mut Evidence,
    ) -> Result<(), Halt> {
        evidence.folders = model.folder_lesson().cloned();
        let Some(before) = &self.input.against else { return Ok(()) };
        let depth = model.folder_lesson().filter(|lesson| lesson.taught).map(|lesson| lesson.depth);
        let held_out = MOST_HELD_OUT.min(training_set.training().len() / HELD_OUT_SHARE);
        let holds_out = self.input.source == TrainingSource::Training && held_out >= FEWEST_PICTURES;
        let done = self.input.inventory.hashes().len().min(MOST_SOUGHT);
        let all = done + if holds_out { held_out } else { 0 };
        let search = self.search(catalog, Root::Inventory, MOST_SOUGHT, depth, [0, all])?;
        evidence.inventory = search.compare(before, model);
        self.check()?;
        if holds_out {
            let search = self.search(catalog, Root::Training, held_out, depth, [done, all])?;
            // For a convolutional encoder this takes as long as the training itself; a gate without held-out pictures would be worse.
            let shadow = training_set.train_without(held_out, &self.input.config.model, &*self.handle);
            let shadow = shadow.ok().map(|shadow| Model::trained(model.id().into(), model.trained_on(), shadow));
            evidence.training = shadow.and_then(|shadow| search.compare(before, &shadow));
        }
        self.check()
    }

    /// Prepares the search for the first `sought` pictures of a root among the first of them, taught by folders of this `depth`. `done`
    /// of `all` pictures were prepared before.
    fn search(
        &self,
        catalog: &Catalog,
        root: Root,
        sought: usize,
        depth: Option<usize>,
        [done, all]: [usize; 2],
    ) -> Result<Search, Halt> {
        let FeatureKind { version, width } = self.features();
        let pictures = if root == Root::Training { &self.input.training } else { &self.input.inventory };
        let among = &pictures.hashes()[..pictures.hashes().len().min(MOST_AMONG)];
        let (contents, among) = catalog.many_features(among, version, width)?;
        let folder_of = folders_at(catalog, root, &contents, depth)?;
        let mut search = Search { among, folder_of, sought: Vec::new(), views: Rows::empty(width) };
        let mut new = Vec::new();
        for (at, content) in contents.into_iter().enumerate().take(sought) {
            self.check()?;
            let views = match self.kept_views(catalog, content)? {
                Some(views) => Some(views),
                None => {
                    let file = self.input.file_with(catalog, root, content)?;
                    let folder = self.input.folder(root);
                    file.and_then(|file| self.make_views(content, &FileAt::below(folder, &file), &mut new))
                }
            };
            for view in views.into_iter().flatten() {
                search.sought.push(at);
                search.views.push(&view);
            }
            if new.len() >= VIEWS_BATCH * EditedView::ALL.len() {
                self.send(TrainingEvent::Views(std::mem::take(&mut new)))?;
            }
            self.handle.set_share((done + at) as f32 / all as f32);
        }
        self.send(TrainingEvent::Views(new))?;
        Ok(search)
    }

    /// The stored features of all views of a content.
    fn kept_views(&self, catalog: &Catalog, content: Hash) -> Result<Option<Vec<Vec<f32>>>, Halt> {
        let kept = EditedView::ALL.map(|view| catalog.features(content, &self.features().of_view(view)));
        let kept = kept.into_iter().collect::<Result<Option<Vec<_>>, _>>()?;
        Ok(kept.filter(|views| views.iter().all(|view| view.len() == self.features().width)))
    }

    /// Reads a picture and computes the features of its views; `None` when it has changed or is gone.
    fn make_views(
        &self,
        content: Hash,
        place: &FileAt<'_>,
        new: &mut Vec<(Hash, String, Vec<f32>)>,
    ) -> Option<Vec<Vec<f32>>> {
        let bounds = Bounds::from(&self.input.config.limits);
        let contents = picture::read_still(place, &bounds).ok().filter(|contents| contents.hash == content)?;
        let views = |decoded: DynamicImage| Ok(picture::edited_views(&decoded, content, self.input.extractor.side()));
        let squares = self.input.guard.decode(&contents, &place.absolute(), &bounds, views).ok()??;
        let features = self.input.extractor.features(&squares);
        let features: Vec<Vec<f32>> = features.iter().map(<[f32]>::to_vec).collect();
        new.extend(
            EditedView::ALL
                .iter()
                .zip(&features)
                .map(|(view, row)| (content, self.features().of_view(*view), row.clone())),
        );
        Some(features)
    }
}

/// The folder of each content, cut at this depth; of a model that no folders taught, none.
fn folders_at(
    catalog: &Catalog,
    root: Root,
    contents: &[Hash],
    depth: Option<usize>,
) -> Result<Vec<Option<u32>>, Trouble> {
    let Some(depth) = depth else { return Ok(vec![None; contents.len()]) };
    let paths = contents.iter().map(|content| catalog.files_with(root, *content)).collect::<Result<Vec<_>, _>>()?;
    let labels = FolderLabels::of(&paths);
    let level = labels.levels().iter().rfind(|level| level.depth <= depth);
    Ok(level.map_or_else(|| vec![None; contents.len()], |level| level.folder_of.clone()))
}
