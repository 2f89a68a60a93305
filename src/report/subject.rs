//! Loads what a training report is about: a model from the catalog, and the pictures that illustrate it.

use std::path::PathBuf;

use crate::base::rows::Rows;
use crate::catalog::{Catalog, FileState, ModelRow, Root, TrainingSource};
use crate::config::Config;
use crate::error::Trouble;
use crate::evaluate::gate::Evidence;
use crate::model::{Autoencoder, Backbone, FeatureKind};
use crate::network::features_in_force;
use crate::picture::{Bounds, Hash};

/// Most numbers in the rows of one kind; as many pictures as fit are taken, evenly over their order.
const MOST_VALUES: usize = 4_096 * Backbone::WIDTH;

/// A model, and what is needed to show it.
pub(super) struct Subject {
    /// As it is stored.
    pub(super) row: ModelRow,
    /// What the gate measured.
    pub(super) evidence: Option<Evidence>,
    /// The trained autoencoder; `None` if none was trained.
    pub(super) autoencoder: Option<Autoencoder>,
    /// Inventory pictures, relative to the inventory folder.
    pub(super) paths: Vec<PathBuf>,
    /// Their features `[n, width]`.
    pub(super) inventory: Rows,
    /// Features of training pictures `[m, width]`; empty if the model was trained on the inventory.
    pub(super) training: Rows,
    /// The inventory folder, and the limits for reading pictures.
    pub(super) folder: PathBuf,
    pub(super) bounds: Bounds,
}

impl Subject {
    /// Reads it from the catalog in the configured state folder; also while a daemon uses it.
    ///
    /// # Errors
    /// When the catalog cannot be read, or does not know the model.
    pub(super) fn read(config: &Config, id: &str) -> Result<Self, Trouble> {
        let catalog = Catalog::open_reader(&config.folders.state)?;
        let missing = || Trouble::new(format!("model {id} is not kept any more"), catalog_of(config), "train again");
        let row = catalog.model(id)?.ok_or_else(missing)?;
        let kind = kind_of(&row, config);
        let autoencoder =
            (!row.weights.is_empty()).then(|| Autoencoder::from_safetensors(&kind, &row.weights)).transpose();
        let autoencoder =
            autoencoder.map_err(|error| Trouble::new(error.to_string(), catalog_of(config), "train again"))?;
        let (paths, inventory) = inventory(&catalog, &kind)?;
        let training = match row.source.is(TrainingSource::Training) {
            true => training(&catalog, id, &kind)?,
            false => Rows::default(),
        };
        Ok(Self {
            evidence: serde_json::from_str(&row.figures).ok(),
            row,
            autoencoder,
            paths,
            inventory,
            training,
            folder: config.folders.inventory.to_path_buf(),
            bounds: Bounds::from(&config.limits),
        })
    }
}

/// The features that a model takes, as far as this program can tell: those in force, or those of its encoder.
fn kind_of(row: &ModelRow, config: &Config) -> FeatureKind {
    let in_force = features_in_force(config);
    let known = row.encoder.known().unwrap_or(config.model.encoder);
    if in_force.are_taken_by(row) { in_force } else { FeatureKind::of(known) }
}

fn catalog_of(config: &Config) -> PathBuf {
    config.folders.state.join(crate::catalog::FILE_NAME)
}

/// `most` of `all` positions, evenly taken.
pub(super) fn evenly(all: usize, most: usize) -> impl Iterator<Item = usize> {
    let count = all.min(most);
    (0..count).map(move |number| number * all / count)
}

fn inventory(catalog: &Catalog, kind: &FeatureKind) -> Result<(Vec<PathBuf>, Rows), Trouble> {
    let read = |state| if let FileState::Read(hash) = state { Some(hash) } else { None };
    let files: Vec<(PathBuf, Hash)> =
        catalog.files(Root::Inventory)?.into_iter().filter_map(|file| Some((file.path, read(file.state)?))).collect();
    let (mut paths, mut rows) = (Vec::new(), Rows::empty(kind.width));
    for at in evenly(files.len(), MOST_VALUES / kind.width) {
        let (path, hash) = &files[at];
        if catalog.features(*hash, &kind.version)?.is_some_and(|row| rows.push(&row)) {
            paths.push(path.clone());
        }
    }
    Ok((paths, rows))
}

fn training(catalog: &Catalog, id: &str, kind: &FeatureKind) -> Result<Rows, Trouble> {
    let pictures = catalog.trained_pictures(id, Root::Training, MOST_VALUES / kind.width)?;
    let contents: Vec<Hash> = pictures.into_iter().map(|picture| picture.content).collect();
    Ok(catalog.many_features(&contents, &kind.version, kind.width)?.1)
}
