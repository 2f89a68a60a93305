//! What an autoencoder is trained on: training pictures, and the inventory with them.

use super::convolutional::Pixels;
use super::sample_weights::{SampleWeights, sample_weights, with_inventory};
use super::{Autoencoder, Backbone, FolderLabels, TrainingError};
use crate::base::rows::Rows;
use crate::config::ModelSettings;
use crate::picture::Hash;
use crate::progress::Progress;

/// Numbers in the rows of one kind that a training takes at most: 8192 rows of features, beyond which more change
/// nothing, or about two thousand small pictures.
const MOST_VALUES: usize = 8_192 * Backbone::WIDTH;

/// The daemon's: the same pictures give the same model.
pub const SEED: u64 = 1;

/// Features to train on, in an arbitrary order that is always the same.
pub struct TrainingSet {
    /// Of the training pictures, `[n, width]`.
    training: Rows,
    sample_weights: SampleWeights,
    /// Of the inventory, `[m, width]`; they all count the same.
    inventory: Rows,
    /// Of all of them.
    folders: FolderLabels,
    /// Of what is random in a training.
    seed: u64,
}

impl TrainingSet {
    /// Training pictures, weighted so that copies count once, with the pictures that are searched.
    pub fn of_training(training: Rows, inventory: Rows) -> Self {
        let folders = FolderLabels::default();
        Self { sample_weights: sample_weights(&contrasts(&training)), training, inventory, folders, seed: SEED }
    }

    /// Nothing but the pictures that are searched.
    pub fn of_inventory(inventory: Rows) -> Self {
        let sample_weights = SampleWeights { weights: vec![1.0; inventory.len()], distinct: inventory.len() as f32 };
        let folders = FolderLabels::default();
        Self { training: inventory, sample_weights, inventory: Rows::default(), folders, seed: SEED }
    }

    /// The same with another seed: pictures and seed together decide a training, to the bit.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The same, taught by the folders of its pictures: those of the training pictures, then those of the inventory.
    #[must_use]
    pub fn taught_by(self, folders: FolderLabels) -> Self {
        Self { folders, ..self }
    }

    /// The features of the training pictures, `[n, width]`; of the inventory where that is all there is.
    pub fn training(&self) -> &Rows {
        &self.training
    }

    /// How many inventory pictures are taken along.
    pub fn inventory_count(&self) -> usize {
        self.inventory.len()
    }

    /// How many different pictures the training pictures amount to.
    pub fn distinct(&self) -> f32 {
        self.sample_weights.distinct
    }

    /// Rows of one kind, `width` long, that a training takes at most.
    fn most_rows(width: usize) -> usize {
        MOST_VALUES / width.max(1)
    }

    /// The contents of a folder that a training takes, of the hashes `sorted` of all of them: as many as it has room for rows of
    /// `width`, those with the smallest hashes.
    pub fn contents_taken(sorted: &[Hash], width: usize) -> &[Hash] {
        &sorted[..sorted.len().min(Self::most_rows(width))]
    }

    /// Trains on all of it.
    ///
    /// # Errors
    /// When it was cancelled, or fewer than two of the pictures differ.
    pub fn train(&self, settings: &ModelSettings, follower: &dyn Progress) -> Result<Autoencoder, TrainingError> {
        self.train_without(&vec![false; self.len()], settings, follower)
    }

    /// Trains on all but the rows held out: of the training pictures, then of the inventory, `[n]`.
    ///
    /// # Errors
    /// As of [`TrainingSet::train`].
    pub fn train_without(
        &self,
        is_held_out: &[bool],
        settings: &ModelSettings,
        follower: &dyn Progress,
    ) -> Result<Autoencoder, TrainingError> {
        let (of_training, of_inventory) = is_held_out.split_at(self.training.len());
        let weights = kept(self.sample_weights.weights.iter().copied(), of_training).collect::<Vec<_>>();
        let sample_weights = SampleWeights { distinct: weights.iter().sum(), weights };
        let rows = [(&self.training, of_training), (&self.inventory, of_inventory)];
        let rows = rows.into_iter().flat_map(|(rows, is_held_out)| kept(rows.iter(), is_held_out));
        let rows = rows.fold(Rows::empty(self.training.width()), |mut rows, row| {
            rows.push(row);
            rows
        });
        let inventory_count = of_inventory.iter().filter(|is_held_out| !**is_held_out).count();
        let weights = with_inventory(&sample_weights, inventory_count);
        Autoencoder::train(settings, &rows, &weights, &self.folders.without(is_held_out), self.seed, follower)
    }

    /// How many rows there are in all.
    pub fn len(&self) -> usize {
        self.training.len() + self.inventory.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn kept<'a, T>(items: impl Iterator<Item = T> + 'a, is_held_out: &'a [bool]) -> impl Iterator<Item = T> + 'a {
    items.zip(is_held_out).filter(|(_, is_held_out)| !**is_held_out).map(|(item, _)| item)
}

/// Rows of pixels less their own mean: it is what they have in common, and no cosine would distinguish them. Features of the
/// backbone stay as they are.
fn contrasts(rows: &Rows) -> Rows {
    let mut contrasts = rows.clone();
    if rows.width() == Pixels::WIDTH {
        for at in 0..rows.len() {
            let mean = rows.row(at).iter().sum::<f32>() / rows.width() as f32;
            contrasts.row_mut(at).iter_mut().for_each(|value| *value -= mean);
        }
    }
    contrasts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bounded;
    use crate::progress::Unfollowed;

    fn settings() -> ModelSettings {
        ModelSettings { code_width: Bounded::new(4), ..ModelSettings::default() }
    }

    /// `count` rows that vary along axis `axis` of 8 only.
    fn along(axis: usize, count: usize) -> Rows {
        let row =
            |number: usize| (0..8).map(move |at| if at == axis { 0.2 + number as f32 / count as f32 } else { 1.0 });
        Rows::from_values(8, (0..count).flat_map(row).collect()).unwrap()
    }

    /// ‖x − x'‖² / ‖x − mean‖² of rows that vary along `axis`.
    fn missed(autoencoder: &Autoencoder, axis: usize) -> f32 {
        autoencoder.reconstruction_error(&along(axis, 20))
    }

    #[test]
    fn both_kinds_of_pictures_are_trained_on() {
        let training_set = TrainingSet::of_training(along(1, 20), along(2, 20));
        assert_eq!((training_set.inventory_count(), training_set.training().len()), (20, 20));
        let both = training_set.train(&settings(), &Unfollowed).unwrap();
        assert!(missed(&both, 1) < 0.05 && missed(&both, 2) < 0.05);
        let alone = TrainingSet::of_inventory(along(2, 20)).train(&settings(), &Unfollowed).unwrap();
        assert!(missed(&alone, 1) > 0.1 && missed(&alone, 2) < 0.05);
    }

    #[test]
    fn what_is_held_out_is_not_trained_on() {
        let mut rows = along(1, 6).into_values();
        rows.extend(along(2, 30).into_values());
        let first_six: Vec<bool> = (0..36).map(|row| row < 6).collect();
        let training_set = TrainingSet::of_training(Rows::from_values(8, rows).unwrap(), Rows::empty(8));
        assert!(
            missed(&training_set.train(&settings(), &Unfollowed).unwrap(), 1)
                < missed(&training_set.train_without(&first_six, &settings(), &Unfollowed).unwrap(), 1)
        );
        assert!(training_set.train_without(&[true; 36], &settings(), &Unfollowed).is_err());
        let both = TrainingSet::of_training(along(1, 20), along(2, 20));
        let inventory: Vec<bool> = (0..40).map(|row| row >= 20).collect();
        assert!(missed(&both.train_without(&inventory, &settings(), &Unfollowed).unwrap(), 2) > 0.1);
    }
}
