//! Loads all pictures of the inventory with their embeddings from the catalog, for commands that need them at once.

use std::path::{Path, PathBuf};

use crate::base::rows::{Rows, to_unit_length};
use crate::catalog::{Catalog, FileState, ModelRow, Root};
use crate::config::Config;
use crate::error::{Fatal, Trouble};
use crate::model::FeatureKind;
use crate::picture::Hash;

/// The inventory's pictures with their embeddings; position `i` of each list belongs to the same picture.
#[derive(Debug, Clone)]
pub struct Collection {
    /// The model whose embeddings these are; "features" before the first training.
    pub model: String,
    /// Relative to the inventory folder, in their order.
    pub paths: Vec<PathBuf>,
    /// Contents.
    pub hashes: Vec<Hash>,
    /// Embeddings at unit length, `[n, width]`.
    pub embeddings: Rows,
    /// Pictures of the inventory that have no embedding yet.
    pub waiting: usize,
}

impl Collection {
    /// Reads it from the catalog in the configured state folder; also while a daemon uses it. Embeddings are of the model that
    /// serves, or features before the first training.
    pub fn read(config: &Config) -> Result<Self, Fatal> {
        let catalog = catalog(config)?;
        let kind = FeatureKind::of(config.model.encoder);
        let serves = |row: &ModelRow| row.features_version == kind.version && row.encoder.is(config.model.encoder);
        let model = catalog.current_model()?.filter(serves).map(|row| row.id);
        let mut pictures = Vec::new();
        for file in catalog.files(Root::Inventory)? {
            if let FileState::Read(hash) = file.state {
                pictures.push((file.path, hash));
            }
        }
        let embedding = |hash: Hash| match &model {
            Some(id) => catalog.embedding(hash, id),
            None => catalog.features(hash, kind.version),
        };
        let mut collection = Self::empty(model.as_deref().unwrap_or("features"));
        for (path, hash) in pictures {
            match embedding(hash)? {
                Some(row) => collection.push(path, hash, row),
                None => collection.waiting += 1,
            }
        }
        Ok(collection)
    }

    /// Without pictures.
    pub fn empty(model: &str) -> Self {
        let (paths, hashes) = (Vec::new(), Vec::new());
        Self { model: model.into(), paths, hashes, embeddings: Rows::default(), waiting: 0 }
    }

    /// Adds a picture. One whose embedding has another width than the others' counts as not encoded yet.
    pub fn push(&mut self, path: PathBuf, hash: Hash, mut embedding: Vec<f32>) {
        to_unit_length(&mut embedding);
        if self.paths.is_empty() {
            self.embeddings = Rows::empty(embedding.len());
        }
        if self.embeddings.push(&embedding) {
            self.paths.push(path);
            self.hashes.push(hash);
        } else {
            self.waiting += 1;
        }
    }

    /// How many pictures there are.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Fails when there are no pictures; `inventory` is for the message.
    pub fn some_or_fail(&self, inventory: &Path) -> Result<(), Fatal> {
        if self.is_empty() { Err(nothing_read(inventory)) } else { Ok(()) }
    }

    /// At most `limit` of the pictures, taken evenly over the order of their paths, so that every folder has its share.
    pub fn thinned(&self, limit: usize) -> Self {
        if self.len() <= limit {
            return self.clone();
        }
        let mut thinned = Self::empty(&self.model);
        for at in (0..limit).map(|number| number * self.len() / limit) {
            thinned.push(self.paths[at].clone(), self.hashes[at], self.embeddings.row(at).to_vec());
        }
        thinned
    }
}

/// The catalog, for reading.
pub(super) fn catalog(config: &Config) -> Result<Catalog, Fatal> {
    let path = config.folders.state.join(crate::catalog::FILE_NAME);
    if !path.exists() {
        let what = "there is no catalog yet";
        let remedy = "start artificio run, and ask again when it has read the inventory";
        return Err(Trouble::new(what, path, remedy).into());
    }
    Ok(Catalog::open_reader(&config.folders.state)?)
}

/// The error for an inventory without pictures.
pub(super) fn nothing_read(inventory: &Path) -> Fatal {
    let what = "no picture of it has been read yet; start artificio run and ask again";
    Fatal::Failed(format!("{}: {what}", inventory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_takes_pictures_from_everywhere() {
        let mut collection = Collection::empty("m1");
        for number in 0..10_u8 {
            collection.push(format!("{number}.jpg").into(), Hash::of(&[number]), vec![1.0, f32::from(number)]);
        }
        collection.push("odd.jpg".into(), Hash::of(b"odd"), vec![1.0]);
        assert_eq!((collection.len(), collection.waiting), (10, 1));
        let names: Vec<_> = collection.thinned(3).paths.iter().map(|path| path.display().to_string()).collect();
        assert_eq!(names, ["0.jpg", "3.jpg", "6.jpg"]);
        assert_eq!(collection.thinned(50).len(), 10);
    }
}
