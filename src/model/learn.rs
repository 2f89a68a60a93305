//! What an autoencoder learns from: training pictures, and the inventory beside them.

use super::Autoencoder;
use super::weighing::{Weighed, beside_inventory, weigh};
use crate::rows::Rows;

/// Rows of one kind that a fit takes at most; 1280 dimensions have nothing more to learn from further ones.
pub const MOST_ROWS: usize = 8_192;

/// Features to learn from, in an arbitrary order that is always the same.
pub struct Lesson {
    /// Of the training pictures, `[n, width]`.
    training: Rows,
    weighed: Weighed,
    /// Of the inventory, `[m, width]`; they all count the same.
    inventory: Rows,
}

impl Lesson {
    /// Training pictures, weighed so that copies count once, beside the pictures that are searched.
    pub fn of_training(training: Rows, inventory: Rows) -> Self {
        Self { weighed: weigh(&training), training, inventory }
    }

    /// Nothing but the pictures that are searched.
    pub fn of_inventory(inventory: Rows) -> Self {
        let weighed = Weighed { weights: vec![1.0; inventory.len()], distinct: inventory.len() as f32 };
        Self { training: inventory, weighed, inventory: Rows::default() }
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

    /// Learns from all of it; `None` when fewer than two pictures differ.
    pub fn learn(&self, code_width: usize) -> Option<Autoencoder> {
        self.learn_without(0, code_width)
    }

    /// Learns from all but the first `held_out` training pictures.
    pub fn learn_without(&self, held_out: usize, code_width: usize) -> Option<Autoencoder> {
        let width = self.training.width();
        let weights = self.weighed.weights.get(held_out..)?.to_vec();
        let weighed = Weighed { distinct: weights.iter().sum(), weights };
        let rows = [&self.training.values()[held_out * width..], self.inventory.values()].concat();
        let rows = Rows::from_values(width, rows)?;
        Autoencoder::fit_weighted(&rows, &beside_inventory(&weighed, self.inventory.len()), code_width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn both_kinds_of_pictures_are_learned_from() {
        let lesson = Lesson::of_training(along(1, 20), along(2, 20));
        assert_eq!((lesson.beside(), lesson.training().len()), (20, 20));
        let both = lesson.learn(4).unwrap();
        assert!(missed(&both, 1) < 0.05 && missed(&both, 2) < 0.05);
        let alone = Lesson::of_inventory(along(2, 20)).learn(4).unwrap();
        assert!(missed(&alone, 1) > 0.1 && missed(&alone, 2) < 0.05);
    }

    #[test]
    fn what_is_held_out_is_not_learned_from() {
        let mut rows = along(1, 6).into_values();
        rows.extend(along(2, 30).into_values());
        let lesson = Lesson::of_training(Rows::from_values(8, rows).unwrap(), Rows::empty(8));
        assert!(missed(&lesson.learn(4).unwrap(), 1) < missed(&lesson.learn_without(6, 4).unwrap(), 1));
        assert!(lesson.learn_without(99, 4).is_none());
    }
}
