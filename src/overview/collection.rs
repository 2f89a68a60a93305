//! Loads pictures of the inventory with their embeddings from the catalog: all of them, or a sample that is spread evenly.

use std::path::PathBuf;

use crate::base::rows::{Rows, to_unit_length};
use crate::catalog::{Catalog, FileState, ModelRow, Root};
use crate::config::{Config, Inventory};
use crate::error::{Fatal, Trouble};
use crate::network::features_in_force;
use crate::picture::Hash;

/// Pictures of the inventory with their embeddings; position `i` of each list belongs to the same picture.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    /// The model whose embeddings these are; "features" before the first training.
    pub model: String,
    /// Relative to the inventory folder, in their order.
    pub paths: Vec<PathBuf>,
    /// Embeddings at unit length, `[n, width]`.
    pub embeddings: Rows,
    /// Pictures of the inventory that have an embedding, of which these were chosen.
    pub total: usize,
    /// Pictures of the inventory that have no embedding yet.
    pub waiting: usize,
}

impl Collection {
    /// Reads at most `limit` pictures from the catalog in the configured state folder; also while a daemon uses it. Embeddings
    /// are of the model that serves, or features before the first training. Fails when there are none.
    pub fn read(config: &Config, limit: usize) -> Result<Self, Fatal> {
        let catalog = catalog(config)?;
        let kind = features_in_force(config);
        let model = serving_model(&catalog, config)?;
        let mut pictures = Vec::new();
        for file in catalog.files(Root::Inventory)? {
            if let FileState::Read(hash) = file.state {
                pictures.push((file.path, hash));
            }
        }
        let embedding = |hash: Hash| match &model {
            Some(id) => catalog.embedding(hash, id),
            None => catalog.features(hash, &kind.version),
        };
        let collection = Self::sampled(pictures, limit, embedding)?;
        match collection.paths.is_empty() {
            true => Err(nothing_read(&config.folders.inventory)),
            false => Ok(Self { model: model.unwrap_or_else(|| "features".into()), ..collection }),
        }
    }

    /// At most `limit` of `pictures`, which stand in the order of their paths. The hash of its path decides whether a picture is
    /// chosen: every folder has its share, the choice is the same each time, and a few newcomers change little of it. Only what
    /// is chosen is kept in memory. An embedding of another width than the others' counts as missing.
    fn sampled(
        pictures: Vec<(PathBuf, Hash)>,
        limit: usize,
        embedding: impl Fn(Hash) -> Result<Option<Vec<f32>>, Trouble>,
    ) -> Result<Self, Trouble> {
        let path_hash = |at: usize| Hash::of(pictures[at].0.as_os_str().as_encoded_bytes());
        let mut order: Vec<(Hash, usize)> = (0..pictures.len()).map(|at| (path_hash(at), at)).collect();
        order.sort_unstable();
        let (mut chosen, mut width, mut waiting) = (Vec::new(), None, 0);
        for (_, at) in order {
            match embedding(pictures[at].1)? {
                Some(row) if row.len() == *width.get_or_insert(row.len()) => {
                    if chosen.len() < limit {
                        chosen.push((at, row));
                    }
                }
                _ => waiting += 1,
            }
        }
        chosen.sort_unstable_by_key(|(at, _)| *at);
        let mut sample = Self { total: pictures.len() - waiting, waiting, ..Self::default() };
        sample.embeddings = Rows::empty(width.unwrap_or(0));
        for (at, mut row) in chosen {
            to_unit_length(&mut row);
            sample.embeddings.push(&row);
            sample.paths.push(pictures[at].0.clone());
        }
        Ok(sample)
    }

    /// How many pictures were chosen.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
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

/// The id of the model that serves; `None` before the first training.
pub(super) fn serving_model(catalog: &Catalog, config: &Config) -> Result<Option<String>, Trouble> {
    let kind = features_in_force(config);
    let serves = |row: &ModelRow| kind.are_taken_by(row);
    Ok(catalog.current_model()?.filter(serves).map(|row| row.id))
}

/// The error for an inventory without pictures.
pub(super) fn nothing_read(inventory: &Inventory) -> Fatal {
    let what = "no picture of it has been read yet; start artificio run and ask again";
    Fatal::Failed(format!("{}: {what}", inventory.shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(name: &str) -> (PathBuf, Hash) {
        (name.into(), Hash::of(name.as_bytes()))
    }

    /// One picture has no embedding, and one has that of another model.
    fn sampled(pictures: &[(PathBuf, Hash)], limit: usize) -> Collection {
        let row = |hash: Hash| match hash {
            _ if hash == Hash::of(b"unread") => None,
            _ if hash == Hash::of(b"odd") => Some(vec![1.0]),
            _ => Some(vec![3.0, f32::from(hash.0[0])]),
        };
        Collection::sampled(pictures.to_vec(), limit, |hash| Ok(row(hash))).unwrap()
    }

    #[test]
    fn a_sample_has_pictures_of_every_folder_and_newcomers_change_little_of_it() {
        let mut pictures: Vec<_> = (0..4000).map(|at| picture(&format!("{}/{at:04}.jpg", at / 1000))).collect();
        pictures.extend(["odd", "unread"].map(picture));
        let sample = sampled(&pictures, 400);
        assert_eq!((sample.len(), sample.total, sample.waiting), (400, 4000, 2));
        assert!(sample.paths.is_sorted() && sample.embeddings.len() == 400);
        for folder in ["0", "1", "2", "3"] {
            let share = sample.paths.iter().filter(|path| path.starts_with(folder)).count();
            assert!((70..130).contains(&share), "{share} of folder {folder}");
        }
        pictures.drain(..40);
        let later = sampled(&pictures, 400);
        let same = sample.paths.iter().filter(|path| later.paths.contains(path)).count();
        assert!((380..400).contains(&same), "{same}");
    }

    #[test]
    fn what_is_no_more_than_the_limit_is_shown_whole_and_in_order() {
        let pictures = ["a", "b", "odd", "c", "unread"].map(picture);
        for limit in [3, 5000] {
            let sample = sampled(&pictures, limit);
            assert_eq!((sample.paths, sample.total), (["a", "b", "c"].map(PathBuf::from).to_vec(), 3));
        }
    }
}
