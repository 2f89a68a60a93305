//! Earlier trainings, as far as the policy needs them: their pictures, and whether their models passed.

use crate::catalog::{Catalog, Decision, Root, TrainedPicture, TrainingSource};
use crate::error::Trouble;
use crate::model::FeatureKind;

use super::regrouping::FolderNumbers;
use super::sketch::{ContentSample, SAMPLE_SIZE};

/// The last training on pictures from one source, whether its model passed or not.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The contents there were.
    pub pictures: ContentSample,
    /// Those of the inventory that it was trained on as well, where it asked for their folders.
    pub inventory: ContentSample,
    /// Whether it asked for folders.
    pub asked_folders: bool,
    /// Inventory pictures that it was trained on as well.
    pub inventory_count: usize,
    /// Whether its model serves; not so when it was refused or rolled back.
    pub serves: bool,
    /// Why its model was refused, if it was.
    pub refused: Option<String>,
}

/// The earlier trainings.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct TrainingHistory {
    /// On the training folder.
    pub training: Option<Attempt>,
    /// On the inventory alone.
    pub inventory: Option<Attempt>,
    /// Whether the model that serves was trained on the training folder, in the last attempt or before.
    pub serves_training: bool,
    /// Whether it was, and without the inventory.
    pub serves_training_alone: bool,
}

impl TrainingHistory {
    /// What the catalog knows of earlier trainings on features of this kind.
    pub fn load(catalog: &Catalog, kind: &FeatureKind) -> Result<Self, Trouble> {
        let current = catalog.current_model()?;
        let serves = |id: &str| current.as_ref().is_some_and(|current| current.id == id);
        let last = |source: TrainingSource| {
            let Some(row) = catalog.last_model(kind.encoder, source)? else { return Ok(None) };
            // With other features nothing is comparable: it counts as no attempt.
            if !kind.are_taken_by(&row) {
                return Ok(None);
            }
            let read = |root| catalog.trained_pictures(&row.id, root, SAMPLE_SIZE);
            let pictures = read(source.root())?;
            let inventory = if source == TrainingSource::Training { read(Root::Inventory)? } else { Vec::new() };
            Ok::<_, Trouble>(Some(Attempt {
                asked_folders: pictures.iter().any(|picture| picture.folders.is_some()),
                pictures: sample_of(pictures),
                inventory: sample_of(inventory),
                inventory_count: row.inventory_count,
                serves: serves(&row.id),
                refused: (row.decision == Decision::Refused).then_some(row.reason),
            }))
        };
        let of_training =
            current.as_ref().filter(|row| row.source.is(TrainingSource::Training) && kind.are_taken_by(row));
        Ok(Self {
            training: last(TrainingSource::Training)?,
            inventory: last(TrainingSource::Inventory)?,
            serves_training: of_training.is_some(),
            serves_training_alone: of_training.is_some_and(|current| current.inventory_count == 0),
        })
    }
}

/// The sample that they were.
pub(super) fn sample_of(pictures: Vec<TrainedPicture>) -> ContentSample {
    let known = |picture: TrainedPicture| {
        (picture.content, picture.folders.map(|bytes| FolderNumbers::from_bytes(&bytes)).unwrap_or_default())
    };
    ContentSample::of_sorted(pictures.into_iter().map(known).collect())
}
