//! When to train, on what, and the training itself, on a thread beside the running service.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::catalog::{Catalog, ModelRow};
use crate::config::ModelSettings;
use crate::error::Trouble;
use crate::model::{Autoencoder, Model, PRETRAINED, Trunk};
use crate::picture::Hash;
use crate::rows::Rows;

/// Where training pictures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The training folder.
    Training,
    /// The inventory, while the training folder holds too few.
    Inventory,
}

impl Source {
    /// As kept in the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Inventory => "inventory",
        }
    }
}

/// The model that serves, as far as the policy cares.
#[derive(Debug, Default)]
pub struct Former {
    /// Contents it was trained on; empty before the first training.
    pub pictures: HashSet<Hash>,
    /// [`Source::name`]
    pub source: String,
}

/// What to train on now, if anything: enough pictures, and enough of them new to the `former` model.
pub fn due(
    settings: &ModelSettings,
    former: &Former,
    training: &HashSet<Hash>,
    inventory: &HashSet<Hash>,
) -> Option<Source> {
    let (source, pictures) = if training.len() >= settings.min_train.count() {
        (Source::Training, training)
    } else if settings.train_on_inventory && inventory.len() >= settings.min_train.count() {
        (Source::Inventory, inventory)
    } else {
        return None;
    };
    // A model trained on the inventory for want of better gives way as soon as there is better.
    if former.pictures.is_empty() || (source == Source::Training && former.source != source.name()) {
        return Some(source);
    }
    let new = pictures.difference(&former.pictures).count();
    let by_growth = (settings.retrain_growth.get() * former.pictures.len() as f32).ceil() as usize;
    (new >= settings.retrain_after.count().max(by_growth)).then_some(source)
}

/// Everything a training needs; it reads features from the catalog and writes nothing.
pub struct Order {
    /// Where the catalog is.
    pub state: PathBuf,
    /// The id of the new model.
    pub id: String,
    /// Where the pictures come from.
    pub source: Source,
    /// What to train on.
    pub pictures: Vec<Hash>,
    /// What needs codes.
    pub inventory: Vec<Hash>,
    /// Values in a code.
    pub code_width: usize,
    /// Seconds since 1970.
    pub now_s: i64,
}

/// A model ready to take over.
pub struct Trained {
    /// Ready to serve.
    pub model: Model,
    /// Ready to be kept.
    pub row: ModelRow,
    /// What it was trained on.
    pub pictures: Vec<Hash>,
    /// The inventory's contents, and their codes in the same order.
    pub codes: (Vec<Hash>, Rows),
}

/// Carries out an order. `None` when the pictures are too much alike to learn from.
pub fn train(order: Order) -> Result<Option<Trained>, Trouble> {
    let catalog = Catalog::open_reader(&order.state)?;
    let (pictures, features) = catalog.many_features(&order.pictures, Trunk::VERSION, Trunk::WIDTH)?;
    let Some(autoencoder) = Autoencoder::fit(&features, order.code_width) else { return Ok(None) };
    let row = ModelRow {
        id: order.id.clone(),
        created_s: order.now_s,
        encoder: PRETRAINED.into(),
        trunk: Trunk::VERSION.into(),
        trained_on: pictures.len(),
        source: order.source.name().into(),
        reconstruction_error: autoencoder.reconstruction_error(&features),
        weights: autoencoder.to_safetensors(),
    };
    let model = Model::trained(order.id, pictures.len(), autoencoder);
    let (hashes, inventory) = catalog.many_features(&order.inventory, Trunk::VERSION, Trunk::WIDTH)?;
    let codes = model.codes(&inventory);
    Ok(Some(Trained { model, row, pictures, codes: (hashes, codes) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Share, Within};

    fn hashes(from: u32, to: u32) -> HashSet<Hash> {
        (from..to).map(|number| Hash::of(&number.to_le_bytes())).collect()
    }

    fn settings() -> ModelSettings {
        ModelSettings {
            min_train: Within::new(20),
            retrain_after: Within::new(10),
            retrain_growth: Share::new(0.1),
            ..ModelSettings::default()
        }
    }

    fn former(pictures: HashSet<Hash>, source: Source) -> Former {
        Former { pictures, source: source.name().into() }
    }

    #[test]
    fn the_first_training_takes_the_folder_else_the_inventory() {
        let none = Former::default();
        assert_eq!(due(&settings(), &none, &hashes(0, 19), &hashes(0, 19)), None);
        assert_eq!(due(&settings(), &none, &hashes(0, 19), &hashes(0, 20)), Some(Source::Inventory));
        assert_eq!(due(&settings(), &none, &hashes(0, 20), &hashes(0, 20)), Some(Source::Training));
        let without = ModelSettings { train_on_inventory: false, ..settings() };
        assert_eq!(due(&without, &none, &hashes(0, 19), &hashes(0, 20)), None);
    }

    #[test]
    fn a_retraining_waits_for_enough_that_is_new() {
        let small = former(hashes(0, 30), Source::Training);
        assert_eq!(due(&settings(), &small, &hashes(0, 39), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &small, &hashes(0, 40), &hashes(0, 0)), Some(Source::Training));
        // Replaced pictures are new ones, though their number is the same.
        assert_eq!(due(&settings(), &small, &hashes(10, 40), &hashes(0, 0)), Some(Source::Training));
        let large = former(hashes(0, 1000), Source::Training);
        assert_eq!(due(&settings(), &large, &hashes(0, 1099), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &large, &hashes(0, 1100), &hashes(0, 0)), Some(Source::Training));
    }

    #[test]
    fn a_model_of_the_inventory_gives_way_to_training_pictures() {
        let inventory = former(hashes(0, 500), Source::Inventory);
        assert_eq!(due(&settings(), &inventory, &hashes(0, 20), &hashes(0, 500)), Some(Source::Training));
        assert_eq!(due(&settings(), &inventory, &hashes(0, 0), &hashes(0, 500)), None);
    }
}
