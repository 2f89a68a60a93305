//! The pictures of a training, by their contents, so that it can be repeated without some of them: such a shadow model shows how a
//! model does with pictures that it has not seen.

use std::collections::{HashMap, HashSet};

use super::regrouping::FolderNumbers;
use super::sketch::ContentSample;
use super::views::SoughtPictures;
use crate::base::rows::Rows;
use crate::catalog::{Catalog, TrainingSource};
use crate::config::ModelSettings;
use crate::error::Trouble;
use crate::evaluate::gate::FEWEST_PICTURES;
use crate::model::{Autoencoder, FeatureKind, FolderLabels, TrainingError, TrainingSet};
use crate::picture::Hash;
use crate::progress::Progress;

/// Of a training to be repeated at most this share of the pictures may have lost their features.
const MOST_LOST: f32 = 0.1;

/// What a model is trained on, and which contents these are.
pub(super) struct FitPictures {
    /// The features.
    pub(super) set: TrainingSet,
    /// The content of each row of it.
    contents: Vec<Hash>,
}

/// Samples to be trained on.
pub(super) struct FitSamples<'a> {
    /// Where they come from.
    pub(super) source: TrainingSource,
    /// Of the source.
    pub(super) pictures: &'a ContentSample,
    /// Of the inventory, where it is taken along with training pictures.
    pub(super) inventory: Option<&'a ContentSample>,
    /// Whether their folders may teach.
    pub(super) asks_folders: bool,
}

impl FitPictures {
    /// Reads the features that the catalog has: of all pictures of the samples, or as many as a fit takes.
    pub(super) fn read(catalog: &Catalog, kind: &FeatureKind, samples: &FitSamples<'_>) -> Result<Self, Trouble> {
        let mut contents = Vec::new();
        let mut read = |sample: &ContentSample| {
            let taken = TrainingSet::contents_taken(sample.hashes(), kind.width);
            let (found, rows) = catalog.many_features(taken, &kind.version, kind.width)?;
            contents.extend(found);
            Ok::<Rows, Trouble>(rows)
        };
        let of_source = read(samples.pictures)?;
        let set = match samples.source {
            TrainingSource::Inventory => TrainingSet::of_inventory(of_source),
            TrainingSource::Training => {
                let beside = samples.inventory.map_or_else(|| Ok(Rows::empty(kind.width)), &mut read)?;
                TrainingSet::of_training(of_source, beside)
            }
        };
        let folders = if samples.asks_folders {
            samples.folders(&contents, set.training().len())
        } else {
            FolderLabels::default()
        };
        Ok(Self { set: set.taught_by(folders), contents })
    }

    /// The same, if few of the pictures are missing: what would be fitted to the rest is another model.
    pub(super) fn read_again(
        catalog: &Catalog,
        kind: &FeatureKind,
        samples: &FitSamples<'_>,
    ) -> Result<Option<Self>, Trouble> {
        let count = |sample: &ContentSample| TrainingSet::contents_taken(sample.hashes(), kind.width).len();
        let needed = count(samples.pictures) + samples.inventory.map_or(0, count);
        let read = Self::read(catalog, kind, samples)?;
        let is_enough = needed > 0 && (needed - read.contents.len()) as f32 <= MOST_LOST * needed as f32;
        Ok(is_enough.then_some(read))
    }

    /// Whether a content is among them.
    pub(super) fn contains(&self, content: Hash) -> bool {
        self.contents.contains(&content)
    }

    /// The places of sought pictures that are not among them, if these are enough to compare by; else all.
    pub(super) fn unseen_or_all(&self, sought: &SoughtPictures) -> Vec<usize> {
        let unseen: Vec<usize> = (0..sought.len()).filter(|&at| !self.contains(sought.content(at))).collect();
        if unseen.len() >= FEWEST_PICTURES { unseen } else { (0..sought.len()).collect() }
    }

    /// Trains as for the model itself, but without some contents.
    pub(super) fn shadow(
        &self,
        held_out: &HashSet<Hash>,
        settings: &ModelSettings,
        follower: &dyn Progress,
    ) -> Result<Autoencoder, TrainingError> {
        let is_held_out: Vec<bool> = self.contents.iter().map(|content| held_out.contains(content)).collect();
        self.set.train_without(&is_held_out, settings, follower)
    }
}

impl FitSamples<'_> {
    /// The folders of rows with these contents: the first `of_source` are of the source, the others of the inventory.
    fn folders(&self, contents: &[Hash], of_source: usize) -> FolderLabels {
        let numbers = |sample: &ContentSample| sample.pictures().collect::<HashMap<Hash, FolderNumbers>>();
        let (first, second) = (numbers(self.pictures), self.inventory.map(numbers).unwrap_or_default());
        let numbers = |row: usize| if row < of_source { &first } else { &second }.get(&contents[row]).copied();
        // A folder of the same name in both roots is one folder.
        FolderLabels::at_depths(contents.len(), |row, depth| numbers(row)?.at_depth(depth))
    }
}
