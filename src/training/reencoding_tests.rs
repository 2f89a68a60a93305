//! A whole inventory through another model, while it changes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use artificio_random::Random;

use super::*;
use crate::base::dot::dot;
use crate::catalog::{FileRow, FileState};
use crate::config::Encoder;
use crate::files::Stamp;
use crate::model::{Autoencoder, Backbone, FeatureKind, LinearAutoencoder};

const ID: &str = "m6-2026-11-26";

fn path(number: u32) -> PathBuf {
    format!("{number}.jpg").into()
}

fn hash(number: u32) -> Hash {
    Hash::of(&number.to_le_bytes())
}

fn features(number: u32) -> Rows {
    let mut random = Random::new(u64::from(number));
    Rows::from_values(Backbone::WIDTH, (0..Backbone::WIDTH).map(|_| random.between(0.0, 1.0)).collect()).unwrap()
}

/// A catalog whose picture of each number has the features of that number, and a model.
struct Inventory {
    _folder: tempfile::TempDir,
    catalog: Catalog,
    model: Model,
    handle: TrainingHandle,
    /// What was sent to be stored.
    stored: RefCell<BTreeMap<Hash, Vec<f32>>>,
}

impl Inventory {
    fn of(numbers: std::ops::Range<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(folder.path()).unwrap().catalog;
        let rows = (1_000..1_030).flat_map(|number| features(number).into_values()).collect();
        let autoencoder = LinearAutoencoder::fit(&Rows::from_values(Backbone::WIDTH, rows).unwrap(), 8).unwrap();
        let model = Model::trained(
            ID.into(),
            FeatureKind::of(Encoder::Pretrained),
            30,
            Autoencoder::Linear(Box::new(autoencoder)),
        );
        let inventory =
            Self { _folder: folder, catalog, model, handle: TrainingHandle::default(), stored: RefCell::default() };
        numbers.for_each(|number| inventory.put(&path(number), number));
        inventory
    }

    /// As the loop does it: the catalog first, then the record.
    fn put(&self, path: &Path, number: u32) {
        self.catalog.put_features(hash(number), Backbone::VERSION, features(number).values()).unwrap();
        let row = FileRow { path: path.into(), stamp: Stamp::NEVER, state: FileState::Read(hash(number)) };
        self.catalog.put_file(Root::Inventory, &row).unwrap();
        self.handle.record_change(|| path.into(), Some(hash(number)));
    }

    fn remove(&self, path: &Path) {
        self.catalog.remove_file(Root::Inventory, path).unwrap();
        self.handle.record_change(|| path.into(), None);
    }

    fn encode(&self, has_served: bool, meanwhile: &dyn Fn()) -> Index {
        let send = |event| {
            let TrainingEvent::Embeddings(embeddings) = event else { panic!("nothing else is sent") };
            self.stored.borrow_mut().extend(embeddings);
            meanwhile();
            Ok(())
        };
        let (catalog, model, handle) = (&self.catalog, &self.model, &self.handle);
        let reencoding = Reencoding { catalog, model, has_served, expected: 5, handle, send: &send };
        reencoding.run().unwrap_or_else(|_| panic!("nothing stops it"))
    }

    fn assert_has(&self, index: &Index, path: &Path, number: u32) {
        let kept = index.embedding(path).unwrap_or_else(|| panic!("{} is missing", path.display()));
        let expected = self.model.encode(&features(number));
        let (length, expected) = (|row: &[f32]| dot(row, row).sqrt(), expected.values());
        let cosine = dot(&kept, expected) / (length(&kept) * length(expected));
        assert!(cosine > 0.999, "{} is not {number}: {cosine}", path.display());
    }
}

#[test]
fn embeddings_that_another_training_left_under_the_same_name_are_not_taken() {
    let inventory = Inventory::of(0..5);
    for number in 0..5 {
        inventory.catalog.put_embedding(hash(number), ID, &[9.0; 8]).unwrap();
    }
    let index = inventory.encode(false, &|| {});
    (0..5).for_each(|number| inventory.assert_has(&index, &path(number), number));
    let stored = inventory.stored.borrow();
    assert_eq!(stored.len(), 5, "and they are replaced");
    assert!(stored.values().all(|embedding| embedding[..] != [9.0; 8]));
}

#[test]
fn of_a_model_that_served_before_only_the_missing_ones_are_stored() {
    let inventory = Inventory::of(0..5);
    let embedding = inventory.model.encode(&features(2)).into_values();
    inventory.catalog.put_embedding(hash(2), ID, &embedding).unwrap();
    let index = inventory.encode(true, &|| {});
    (0..5).for_each(|number| inventory.assert_has(&index, &path(number), number));
    assert!(inventory.stored.borrow().len() == 4 && !inventory.stored.borrow().contains_key(&hash(2)));
}

#[test]
fn what_comes_changes_and_goes_meanwhile_is_caught_up_with() {
    let inventory = Inventory::of(0..5);
    inventory.put(Path::new("copy.jpg"), 1);
    let is_first = RefCell::new(true);
    let meanwhile = || {
        if is_first.replace(false) {
            inventory.remove(&path(0));
            inventory.put(&path(1), 11);
            inventory.put(&path(5), 5);
            inventory.put(&path(6), 6);
            inventory.remove(&path(6));
        }
    };
    let index = inventory.encode(false, &meanwhile);
    assert_eq!(index.len(), 6);
    let now = [("1.jpg", 11), ("2.jpg", 2), ("3.jpg", 3), ("4.jpg", 4), ("5.jpg", 5), ("copy.jpg", 1)];
    now.iter().for_each(|(path, number)| inventory.assert_has(&index, Path::new(path), *number));
    let stored = inventory.stored.borrow();
    assert!([1, 2, 3, 4, 5, 11].iter().all(|number| stored.contains_key(&hash(*number))));
}

#[test]
fn the_last_changes_are_applied_in_their_order() {
    let inventory = Inventory::of(0..3);
    let mut index = inventory.encode(false, &|| {});
    let changes = [
        ("0.jpg".into(), Some(hash(2))),
        ("0.jpg".into(), Some(hash(1))),
        ("1.jpg".into(), None),
        ("2.jpg".into(), None),
        ("2.jpg".into(), Some(hash(2))),
        ("new.jpg".into(), Some(hash(77))),
    ];
    let stored = apply_changes(&inventory.catalog, &inventory.model, &mut index, &changes).unwrap();
    inventory.assert_has(&index, Path::new("0.jpg"), 1);
    inventory.assert_has(&index, Path::new("2.jpg"), 2);
    assert_eq!((index.len(), stored.len()), (2, 2), "of a content without features there is no embedding");
}

#[test]
fn a_cancelled_one_stops() {
    let inventory = Inventory::of(0..3);
    inventory.handle.cancel();
    let (catalog, model, handle) = (&inventory.catalog, &inventory.model, &inventory.handle);
    let reencoding = Reencoding { catalog, model, has_served: false, expected: 3, handle, send: &|_| Ok(()) };
    assert!(matches!(reencoding.run(), Err(Halt::Cancelled)));
}

#[test]
fn all_cores_together_encode_as_one_does() {
    let inventory = Inventory::of(0..0);
    for count in [0, 1, 2, 7] {
        let rows = (0..count).flat_map(|number| features(number).into_values()).collect();
        let rows = Rows::from_values(Backbone::WIDTH, rows).unwrap();
        let (one, all) = (inventory.model.encode(&rows), encode_on_all_cores(&inventory.model, &rows));
        assert_eq!((all.len(), all.width()), (count as usize, one.width()));
        assert!(one.values().iter().zip(all.values()).all(|(a, b)| (a - b).abs() < 1e-4));
    }
}
