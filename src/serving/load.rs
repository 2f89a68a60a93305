//! Loads the model and the index from the catalog.

use std::path::{Path, PathBuf};

use crate::base::rows::Rows;
use crate::catalog::{Catalog, ContentFacts, FileState, Root};
use crate::clock::{self, WallTime};
use crate::config::ModelSettings;
use crate::error::Trouble;
use crate::index::Index;
use crate::model::{FeatureKind, Model};
use crate::picture::Hash;

/// The model that serves, for commands that only read the catalog; an unusable one is left for the daemon to handle.
pub fn load_model_read_only(
    catalog: &Catalog,
    settings: &ModelSettings,
    features: FeatureKind,
) -> Result<Model, Trouble> {
    let trained = catalog.current_model()?.map_or(Ok(None), |row| Model::from_row(&row, &features))?;
    Ok(trained.unwrap_or_else(|| Model::untrained(settings, features)))
}

/// A picture of the inventory, as the catalog knows it.
#[derive(Debug, Clone, Copy)]
pub struct InventoryPicture<'a> {
    /// Relative to the inventory folder.
    pub path: &'a Path,
    /// Its content.
    pub content: Hash,
    /// The number of its content.
    pub number: i64,
    /// When it was taken, or else last changed.
    pub date: WallTime,
}

/// The pictures of the inventory as the catalog knows them, for [`picture_of`].
pub fn inventory_of(catalog: &Catalog) -> Result<Vec<(PathBuf, Hash, ContentFacts)>, Trouble> {
    let mut pictures = Vec::new();
    // Whether there are features of this version does not matter.
    catalog.each_known_file(Root::Inventory, "", |file, facts| match file.state {
        FileState::Read(content) => pictures.push((file.path, content, facts)),
        FileState::Unread | FileState::Failed { .. } => {}
    })?;
    Ok(pictures)
}

/// One of them.
pub fn picture_of((path, content, facts): &(PathBuf, Hash, ContentFacts)) -> InventoryPicture<'_> {
    InventoryPicture { path, content: *content, number: facts.number, date: facts.date }
}

/// The index of the inventory's embeddings under `model`, from the catalog or computed from the features.
pub fn load_index<'a>(
    catalog: &Catalog,
    model: &Model,
    inventory: impl Iterator<Item = InventoryPicture<'a>>,
) -> Result<Index, Trouble> {
    let mut index = Index::empty(model.embedding_width());
    let mut by_number: Vec<InventoryPicture<'_>> = inventory.collect();
    by_number.sort_unstable_by_key(|picture| picture.number);
    // Both in the order of the numbers: none is searched for.
    let mut at = 0;
    catalog.visit_embeddings(model.id(), |number, content, embedding| {
        at += by_number[at..].iter().take_while(|picture| picture.number < number).count();
        let files = by_number[at..].iter().take_while(|picture| picture.number == number);
        for picture in files.filter(|picture| picture.content == content) {
            index.put_dated(picture.path, embedding, picture.date);
        }
    })?;
    let is_complete = index.len() == by_number.len();
    for InventoryPicture { path, content, .. } in by_number.into_iter().filter(|_| !is_complete) {
        if !index.contains(path)
            && let Some(embedding) = embedding_of(catalog, model, content)?
        {
            index.put_dated(path, &embedding, catalog.date_of(Root::Inventory, path)?);
        }
    }
    // Rises from one process to the next as well: changes are fewer than microseconds.
    index.continue_from(clock::now_us());
    Ok(index)
}

/// The embedding of a content whose features are in the catalog.
pub fn embedding_of(catalog: &Catalog, model: &Model, hash: Hash) -> Result<Option<Vec<f32>>, Trouble> {
    let features = catalog.features(hash, &model.features().version)?;
    let rows = features.and_then(|features| Rows::from_values(model.features().width, features));
    Ok(rows.map(|rows| model.encode(&rows).into_values()))
}
