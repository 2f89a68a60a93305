//! Pictures that models look for by changed views of them, and the features of these views.

use std::collections::HashMap;

use image::DynamicImage;

use super::job::{Halt, TrainingEvent, TrainingJob};
use super::regrouping::FolderNumbers;
use crate::base::rows::Rows;
use crate::catalog::{Catalog, Root};
use crate::config::Metric;
use crate::evaluate::gate::{SearchedViews, ViewOutcome, relative_reconstruction_error};
use crate::files::FileAt;
use crate::model::{FeatureKind, Model};
use crate::picture::{self, Bounds, EditedView, Hash, Resolution};
use crate::progress::Progress;

/// Pictures among which they are looked for.
const MOST_AMONG: usize = 1_024;
/// Pictures whose views are sent to be stored at a time.
const VIEWS_BATCH: usize = 16;

/// Pictures of a root to be found among others.
pub(super) struct SoughtPictures {
    /// Where they lie.
    pub(super) root: Root,
    /// All, `[n]`.
    contents: Vec<Hash>,
    /// Their features `[n, width]`.
    among: Rows,
    /// `[n]`: the folder of each that a model was taught by.
    folder_of: Vec<Option<u32>>,
    /// Which of them are sought.
    owners: Vec<usize>,
    /// Features of their views, as many of each as there are kinds `[m · kinds, width]`.
    views: Rows,
    metric: Metric,
}

impl SoughtPictures {
    /// How many are sought.
    pub(super) fn len(&self) -> usize {
        self.owners.len()
    }

    /// The content of a sought picture.
    pub(super) fn content(&self, at: usize) -> Hash {
        self.contents[self.owners[at]]
    }

    /// Which of the sought pictures are held out in one of several folds.
    pub(super) fn of_fold(&self, fold: usize, folds: usize) -> Vec<usize> {
        (fold..self.owners.len()).step_by(folds).collect()
    }

    /// Their contents.
    pub(super) fn contents_of(&self, fold: usize, folds: usize) -> impl Iterator<Item = Hash> {
        self.of_fold(fold, folds).into_iter().map(|at| self.content(at))
    }

    /// How `model` finds the sought pictures at `places`.
    pub(super) fn found_by(&self, model: &Model, places: &[usize]) -> Vec<ViewOutcome> {
        if places.is_empty() {
            return Vec::new();
        }
        let mut views = Rows::empty(self.views.width());
        let kinds = EditedView::ALL.len();
        places.iter().flat_map(|at| at * kinds..(at + 1) * kinds).for_each(|row| _ = views.push(self.views.row(row)));
        let owners: Vec<usize> = places.iter().map(|&at| self.owners[at]).collect();
        let gallery = model.encode(&self.among);
        let searched = SearchedViews { gallery: &gallery, folder_of: &self.folder_of, metric: self.metric };
        searched.find(&owners, &model.encode(&views))
    }

    /// The share of the variance of all that `model` loses.
    pub(super) fn lost_by(&self, model: &Model) -> f32 {
        model.restored(&self.among).map_or(0.0, |restored| relative_reconstruction_error(&self.among, &restored))
    }
}

impl TrainingJob {
    /// Prepares the search for the first `sought` pictures of a root among the first of them, taught by folders of this `depth`. `done`
    /// of `all` pictures were prepared before.
    pub(super) fn look_for(
        &self,
        catalog: &Catalog,
        root: Root,
        sought: usize,
        depth: Option<usize>,
        [done, all]: [usize; 2],
    ) -> Result<SoughtPictures, Halt> {
        let FeatureKind { version, width, .. } = self.features();
        let sample = self.sample(root);
        let among = &sample.hashes()[..sample.hashes().len().min(MOST_AMONG)];
        let (contents, among) = catalog.many_features(among, &version, width)?;
        let folder_of = folders_at(sample.pictures(), &contents, depth);
        let metric = self.input.config.similarity.metric;
        let (mut owners, mut views, mut new) = (Vec::new(), Rows::empty(width), Vec::new());
        for (at, &content) in contents.iter().enumerate().take(sought) {
            self.check()?;
            let found = match self.kept_views(catalog, content)? {
                Some(found) => Some(found),
                None => {
                    let file = self.input.file_with(catalog, root, content)?;
                    let folder = self.input.folder(root);
                    file.and_then(|file| self.make_views(content, &FileAt::below(folder, &file), &mut new))
                }
            };
            if let Some(found) = found {
                owners.push(at);
                found.iter().for_each(|view| _ = views.push(view));
            }
            if new.len() >= VIEWS_BATCH * EditedView::ALL.len() {
                self.send(TrainingEvent::Features(std::mem::take(&mut new)))?;
            }
            self.handle.set_share((done + at) as f32 / all as f32);
        }
        self.send(TrainingEvent::Features(new))?;
        Ok(SoughtPictures { root, contents, among, folder_of, owners, views, metric })
    }

    /// The stored features of all views of a content.
    fn kept_views(&self, catalog: &Catalog, content: Hash) -> Result<Option<Vec<Vec<f32>>>, Halt> {
        let kept = EditedView::ALL.map(|view| catalog.features(content, &self.features().of_view(view)));
        let kept = kept.into_iter().collect::<Result<Option<Vec<_>>, _>>()?;
        Ok(kept.filter(|views| views.iter().all(|view| view.len() == self.features().width)))
    }

    /// Reads a picture and computes the features of its views; `None` when it has changed or is gone, or the network fails.
    fn make_views(
        &self,
        content: Hash,
        place: &FileAt<'_>,
        new: &mut Vec<(Hash, String, Vec<f32>)>,
    ) -> Option<Vec<Vec<f32>>> {
        let bounds = Bounds::from(&self.input.config.limits);
        let contents = picture::read_still(place, &bounds).ok().filter(|contents| contents.hash == content)?;
        // The views are cut out of a copy of twice the side.
        let resolution = Resolution::for_copy(2 * self.input.extractor.side() as u32);
        let views = |decoded: DynamicImage| Ok(picture::edited_views(&decoded, content, self.input.extractor.side()));
        let squares = self.input.guard.decode(&contents, &place.absolute(), &bounds, resolution, views).ok()??;
        let features = self.input.extractor.features(&squares).ok()?;
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

/// The folder of each content, cut at this depth; of models that no folders taught, none.
fn folders_at(
    pictures: impl Iterator<Item = (Hash, FolderNumbers)>,
    contents: &[Hash],
    depth: Option<usize>,
) -> Vec<Option<u32>> {
    let Some(depth) = depth else { return vec![None; contents.len()] };
    let numbers: HashMap<Hash, FolderNumbers> = pictures.collect();
    contents.iter().map(|content| numbers.get(content)?.at_depth(depth)).collect()
}
