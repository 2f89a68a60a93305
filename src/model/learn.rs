//! What an autoencoder learns from: training pictures, and the inventory beside them.

use super::convolutional::Pixels;
use super::weighing::{Weighed, beside_inventory, weigh};
use super::{Coder, Unlearned};
use crate::config::ModelSettings;
use crate::progress::Progress;
use crate::rows::Rows;

/// Numbers in the rows of one kind that a training takes at most: 8192 rows of 1280 features, which have nothing more to
/// learn from further ones, or about a thousand small pictures.
const MOST_VALUES: usize = 8_192 * 1_280;

/// The daemon's: the same pictures give the same model.
pub const SEED: u64 = 1;

/// Features to learn from, in an arbitrary order that is always the same.
pub struct Lesson {
    /// Of the training pictures, `[n, width]`.
    training: Rows,
    weighed: Weighed,
    /// Of the inventory, `[m, width]`; they all count the same.
    inventory: Rows,
    /// Of what is random in a training.
    seed: u64,
}

impl Lesson {
    /// Training pictures, weighed so that copies count once, beside the pictures that are searched.
    pub fn of_training(training: Rows, inventory: Rows) -> Self {
        Self { weighed: weigh(&contrasts(&training)), training, inventory, seed: SEED }
    }

    /// Nothing but the pictures that are searched.
    pub fn of_inventory(inventory: Rows) -> Self {
        let weighed = Weighed { weights: vec![1.0; inventory.len()], distinct: inventory.len() as f32 };
        Self { training: inventory, weighed, inventory: Rows::default(), seed: SEED }
    }

    /// The same with another seed: pictures and seed together decide a training, to the bit.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The features of the training pictures, `[n, width]`; of the inventory where that is all there is.
    pub fn training(&self) -> &Rows {
        &self.training
    }

    /// How many inventory pictures are taken along.
    pub fn beside(&self) -> usize {
        self.inventory.len()
    }

    /// How many different pictures the training pictures amount to.
    pub fn distinct(&self) -> f32 {
        self.weighed.distinct
    }

    /// Rows of one kind, `width` long, that a training takes at most.
    pub fn most_rows(width: usize) -> usize {
        MOST_VALUES / width.max(1)
    }

    /// Learns from all of it.
    ///
    /// # Errors
    /// When it was cancelled, or the pictures teach nothing: fewer than two of them differ.
    pub fn learn(&self, settings: &ModelSettings, follower: &dyn Progress) -> Result<Coder, Unlearned> {
        self.learn_without(0, settings, follower)
    }

    /// Learns from all but the first `held_out` training pictures.
    ///
    /// # Errors
    /// As of [`Lesson::learn`].
    pub fn learn_without(
        &self,
        held_out: usize,
        settings: &ModelSettings,
        follower: &dyn Progress,
    ) -> Result<Coder, Unlearned> {
        let width = self.training.width();
        let held_out = held_out.min(self.training.len());
        let weights = self.weighed.weights[held_out..].to_vec();
        let weighed = Weighed { distinct: weights.iter().sum(), weights };
        let rows = [&self.training.values()[held_out * width..], self.inventory.values()].concat();
        let rows = Rows::from_values(width, rows).unwrap_or_default();
        Coder::learn(settings, &rows, &beside_inventory(&weighed, self.inventory.len()), self.seed, follower)
    }
}

/// Rows of pixels less their own mean: it is what they have in common, and no cosine would tell them apart. Features of the
/// trunk stay as they are.
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
    fn missed(coder: &Coder, axis: usize) -> f32 {
        coder.reconstruction_error(&along(axis, 20))
    }

    #[test]
    fn both_kinds_of_pictures_are_learned_from() {
        let lesson = Lesson::of_training(along(1, 20), along(2, 20));
        assert_eq!((lesson.beside(), lesson.training().len()), (20, 20));
        let both = lesson.learn(&settings(), &Unfollowed).unwrap();
        assert!(missed(&both, 1) < 0.05 && missed(&both, 2) < 0.05);
        let alone = Lesson::of_inventory(along(2, 20)).learn(&settings(), &Unfollowed).unwrap();
        assert!(missed(&alone, 1) > 0.1 && missed(&alone, 2) < 0.05);
    }

    #[test]
    fn what_is_held_out_is_not_learned_from() {
        let mut rows = along(1, 6).into_values();
        rows.extend(along(2, 30).into_values());
        let lesson = Lesson::of_training(Rows::from_values(8, rows).unwrap(), Rows::empty(8));
        assert!(
            missed(&lesson.learn(&settings(), &Unfollowed).unwrap(), 1)
                < missed(&lesson.learn_without(6, &settings(), &Unfollowed).unwrap(), 1)
        );
        assert!(lesson.learn_without(99, &settings(), &Unfollowed).is_err());
    }
}
