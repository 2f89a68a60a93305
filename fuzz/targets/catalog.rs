//! A catalog with any of its bytes changed: it opens or is set aside, and what is read from it is what was written, or nothing.

#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use artificio::base::eight_bits;
use artificio::catalog::{AnswerRow, AnswerState, Catalog, FILE_NAME, FileRow, FileState, Root};
use artificio::files::Stamp;
use artificio::picture::{Hash, MINIATURE_SIDE, Miniature};
use libfuzzer_sys::fuzz_target;

const FEATURES: &str = "lite0-288-layers-1";
const MODEL: &str = "m1-20261127";
const PICTURES: u8 = 40;

/// The file as the program leaves it when it stops.
static WRITTEN: OnceLock<Vec<u8>> = OnceLock::new();

fn content(number: u8) -> Hash {
    Hash::of(&[number])
}

fn features(number: u8) -> Vec<f32> {
    let exact: Vec<f32> = (0..2_432_u16).map(|at| f32::from(at % 7 + u16::from(number)) / 64.0).collect();
    eight_bits::rounded(&exact)
}

fn embedding(number: u8) -> Vec<f32> {
    (0..192_u16).map(|at| f32::from(at % 5 + u16::from(number)) / 64.0).collect()
}

fn miniature(number: u8) -> Miniature {
    Miniature::from_bytes(&[number; MINIATURE_SIDE * MINIATURE_SIDE]).expect("of the right size")
}

fn path(number: u8) -> String {
    format!("holiday/{number:03}.jpg")
}

fn write() -> Vec<u8> {
    let state = tempfile::tempdir().expect("a folder");
    let mut catalog = Catalog::open(state.path()).expect("a new one").catalog;
    let store = |catalog: &Catalog| {
        for number in 0..PICTURES {
            let hash = content(number);
            let row = FileRow { path: path(number).into(), stamp: Stamp::NEVER, state: FileState::Read(hash) };
            catalog.put_file(Root::Inventory, &row)?;
            catalog.put_features(hash, FEATURES, &features(number))?;
            catalog.put_miniature(hash, &miniature(number))?;
            catalog.put_embedding(hash, MODEL, &embedding(number))?;
        }
        catalog.put_answer(&AnswerRow {
            query: "q.jpg".into(),
            name: "q".into(),
            content: Some(content(0)),
            state: AnswerState::Ok,
            is_provisional: false,
            answered_s: 1,
        })
    };
    catalog.together(store).expect("written");
    catalog.checkpoint().expect("checkpointed");
    drop(catalog);
    std::fs::read(state.path().join(FILE_NAME)).expect("there")
}

fn assert_true_or_missing(catalog: &Catalog) {
    for number in 0..PICTURES {
        let hash = content(number);
        if let Ok(Some(found)) = catalog.features(hash, FEATURES) {
            assert_eq!(found, features(number), "features of {number}");
        }
        if let Ok(Some(found)) = catalog.embedding(hash, MODEL) {
            assert_eq!(found, embedding(number), "embedding of {number}");
        }
        if let Ok(Some(found)) = catalog.miniature(hash) {
            assert_eq!(found.bytes(), miniature(number).bytes(), "miniature of {number}");
        }
        if let Ok(Some(found)) = catalog.content_of(Root::Inventory, Path::new(&path(number))) {
            assert_eq!(found, hash, "the content at {}", path(number));
        }
    }
    let _ = (catalog.current_model(), catalog.models(), catalog.answers(), catalog.check());
}

fuzz_target!(
    init: {
        WRITTEN.get_or_init(write);
    },
    |changes: Vec<(u32, u8)>| {
        let mut bytes = WRITTEN.get_or_init(write).clone();
        for (at, value) in changes {
            let at = at as usize % bytes.len();
            bytes[at] = value;
        }
        let state = tempfile::tempdir().expect("a folder");
        std::fs::write(state.path().join(FILE_NAME), bytes).expect("written");
        let opened = Catalog::open(state.path()).expect("it opens, or is set aside");
        assert_true_or_missing(&opened.catalog);
    }
);
