//! Loads the model and the index from the catalog.

use std::path::{Path, PathBuf};

use crate::base::rows::Rows;
use crate::catalog::{Catalog, FileRow, FileState, Root};
use crate::clock;
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

/// The contents of the inventory as the catalog knows it.
pub fn inventory_of(catalog: &Catalog) -> Result<Vec<(PathBuf, Hash)>, Trouble> {
    let content = |row: FileRow| match row.state {
        FileState::Read(hash) => Some((row.path, hash)),
        FileState::Unread | FileState::Failed { .. } => None,
    };
    Ok(catalog.files(Root::Inventory)?.into_iter().filter_map(content).collect())
}

/// The index of the inventory's embeddings under `model`, from the catalog or computed from the features, with the pictures' dates.
pub fn load_index<'a>(
    catalog: &Catalog,
    model: &Model,
    inventory: impl Iterator<Item = (&'a Path, Hash)> + Clone,
) -> Result<Index, Trouble> {
    let mut index = Index::empty(model.embedding_width());
    let mut by_content: Vec<(Hash, &Path)> = inventory.clone().map(|(path, hash)| (hash, path)).collect();
    by_content.sort_unstable();
    catalog.visit_embeddings(model.id(), |hash, embedding| {
        let start = by_content.partition_point(|(other, _)| *other < hash);
        for (_, path) in by_content[start..].iter().take_while(|(other, _)| *other == hash) {
            index.put(path, embedding);
        }
    })?;
    drop(by_content);
    for (path, hash) in inventory {
        if !index.contains(path)
            && let Some(embedding) = embedding_of(catalog, model, hash)?
        {
            index.put(path, &embedding);
        }
    }
    catalog.each_date(Root::Inventory, |path, date| index.set_date(path, date))?;
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
