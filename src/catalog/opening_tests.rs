//! Tests of opening: what lies in the catalog's place, and what is in it, is not always a catalog.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rusqlite::Connection;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::*;
use crate::catalog::{Decision, FileState, ModelRow, Root};
use crate::picture::Hash;

/// A state folder with a catalog of one picture, all of it in the file.
fn state_with_a_catalog() -> TempDir {
    let state = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(state.path()).unwrap().catalog;
    catalog.put_features(Hash::of(b"one"), "v1", &[1.0]).unwrap();
    catalog.checkpoint().unwrap();
    state
}

/// What may lie in the place of a file, and wait for ever, or lead elsewhere.
fn put_in_place(path: &Path, kind: &str) {
    let _ = fs::remove_file(path);
    let fifo = |path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    match kind {
        "a folder" => fs::create_dir(path).unwrap(),
        "a FIFO" => fifo(path),
        "a socket" => drop(UnixListener::bind(path).unwrap()),
        "a link to itself" => symlink(path, path).unwrap(),
        "a dangling link" => symlink(path.with_file_name("nowhere"), path).unwrap(),
        "a link to a FIFO" => {
            fifo(&path.with_file_name("fifo"));
            symlink(path.with_file_name("fifo"), path).unwrap();
        }
        "a link to a device" => symlink("/dev/zero", path).unwrap(),
        _ => unreachable!("{kind}"),
    }
}

const KINDS: [&str; 7] =
    ["a folder", "a FIFO", "a socket", "a link to itself", "a dangling link", "a link to a FIFO", "a link to a device"];

#[test]
fn what_is_no_file_in_the_catalogs_place_is_moved_away_and_never_opened() {
    for kind in KINDS {
        let state = state_with_a_catalog();
        put_in_place(&state.path().join(FILE_NAME), kind);
        assert!(Catalog::open_reader(state.path()).is_err(), "{kind}");
        let looked = Catalog::inspect(state.path()).unwrap();
        assert!(matches!(looked, crate::catalog::CatalogState::Unusable(_)), "{kind}: {looked:?}");
        let opened = Catalog::open(state.path()).unwrap();
        let said = opened.set_aside.expect(kind).to_string();
        assert!(said.contains("instead of a file") && said.contains("damaged-1"), "{said}");
        assert!(fs::symlink_metadata(state.path().join("catalog.sqlite.damaged-1")).is_ok(), "{kind}");
        opened.catalog.put_features(Hash::of(b"two"), "v1", &[1.0]).unwrap();
    }
}

#[test]
fn what_is_no_file_in_the_journals_place_is_moved_away_and_the_catalog_stays() {
    for companion in ["-wal", "-shm", "-journal"] {
        for kind in KINDS {
            let state = state_with_a_catalog();
            put_in_place(&named(&state.path().join(FILE_NAME), companion), kind);
            assert!(Catalog::open_reader(state.path()).is_err(), "{companion} {kind}");
            assert!(Catalog::inspect(state.path()).is_err(), "{companion} {kind}");
            let opened = Catalog::open(state.path()).unwrap();
            assert!(opened.set_aside.is_none() && opened.journal.is_some(), "{companion} {kind}");
            assert!(opened.catalog.has_features(Hash::of(b"one"), "v1").unwrap(), "{companion} {kind}");
            opened.catalog.put_features(Hash::of(b"two"), "v1", &[1.0]).unwrap();
        }
    }
}

#[test]
fn names_of_files_set_aside_are_given_once() {
    let state = state_with_a_catalog();
    symlink("nowhere", state.path().join("catalog.sqlite.damaged-1")).unwrap();
    fs::write(state.path().join("catalog.sqlite-wal.damaged-2"), b"of another time").unwrap();
    fs::write(state.path().join(FILE_NAME), b"this was a database once, and is long enough to have had a header")
        .unwrap();
    let trouble = Catalog::open(state.path()).unwrap().set_aside.expect("reported");
    assert!(trouble.what.contains("damaged") && trouble.remedy.contains("damaged-3"), "{trouble}");
    assert!(Catalog::open(state.path()).unwrap().set_aside.is_none());
}

/// Each as `sqlite3 catalog.sqlite` takes it.
const OTHER_TABLES: [&str; 10] = [
    "DROP TABLE miniatures",
    "DROP TABLE answers",
    "DROP INDEX files_by_content",
    "ALTER TABLE features RENAME COLUMN row TO raw",
    "ALTER TABLE models DROP COLUMN figures",
    "CREATE TABLE others (id)",
    "CREATE TRIGGER away AFTER INSERT ON files BEGIN DELETE FROM files; END",
    "PRAGMA writable_schema = on; UPDATE sqlite_schema SET sql = replace(sql, 'row BLOB NOT NULL', 'row BLOB') WHERE name = 'codes'",
    "PRAGMA writable_schema = on; UPDATE sqlite_schema SET rootpage = 4 WHERE name = 'codes'",
    "PRAGMA writable_schema = on; UPDATE sqlite_schema SET sql = replace(sql, 'hash BLOB', 'hash TEXT') WHERE name = 'contents'",
];

#[test]
fn a_catalog_without_its_tables_is_set_aside() {
    for change in OTHER_TABLES {
        let state = state_with_a_catalog();
        let connection = Connection::open(state.path().join(FILE_NAME)).unwrap();
        connection.execute_batch(change).unwrap();
        drop(connection);
        let opened = Catalog::open(state.path()).unwrap();
        let said = opened.set_aside.unwrap_or_else(|| panic!("taken as it is: {change}"));
        assert!(said.what.contains("is damaged"), "{change}: {said}");
        drop(opened.catalog);
        assert!(Catalog::open(state.path()).unwrap().set_aside.is_none());
    }
}

#[test]
fn an_unknown_version_is_set_aside_too() {
    let state = state_with_a_catalog();
    let connection = Connection::open(state.path().join(FILE_NAME)).unwrap();
    connection.pragma_update(None, "user_version", 9_999).unwrap();
    drop(connection);
    assert!(Catalog::open_reader(state.path()).unwrap_err().what.contains("version 9999"));
    let trouble = Catalog::open(state.path()).unwrap().set_aside.expect("reported");
    assert!(trouble.what.contains("version 9999"), "{trouble}");
}

/// The first page has the header and the definitions: of a flip there either nothing comes, or the catalog is set aside.
#[test]
fn no_flip_in_the_first_page_stops_the_start() {
    let whole = state_with_a_catalog();
    let bytes = fs::read(whole.path().join(FILE_NAME)).unwrap();
    let (mut set_aside, mut random) = (0, artificio_random::Random::new(16));
    for number in 0..200 {
        let at = if number < 100 { number } else { random.count(100, 8_191) };
        let state = tempfile::tempdir().unwrap();
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << random.count(0, 7);
        fs::write(state.path().join(FILE_NAME), &bytes).unwrap();
        let opened = Catalog::open(state.path()).unwrap_or_else(|error| panic!("byte {at}: {error}"));
        let has_it = opened.catalog.features(Hash::of(b"one"), "v1").unwrap().is_some();
        assert_eq!(has_it, opened.set_aside.is_none(), "byte {at}");
        set_aside += usize::from(opened.set_aside.is_some());
    }
    assert!((60..190).contains(&set_aside), "{set_aside} of 200: the damage is not where it should be");
}

/// Written by the program of 23 November 2026, on four pictures.
const OF_VERSION_1: &[u8] = include_bytes!("testdata/version-1.sqlite");

#[test]
fn an_old_catalog_is_brought_up_and_nothing_is_lost() {
    let state = tempfile::tempdir().unwrap();
    fs::write(state.path().join(FILE_NAME), OF_VERSION_1).unwrap();
    assert!(Catalog::open_reader(state.path()).unwrap_err().what.contains("another version"));
    for _ in 0..2 {
        let opened = Catalog::open(state.path()).unwrap();
        assert_eq!(opened.set_aside, None);
        let catalog = opened.catalog;
        let model = catalog.current_model().unwrap().expect("it served before");
        assert_eq!((model.trained_on, model.inventory_count, model.decision), (4, 0, Decision::Unchecked));
        let files = catalog.files(Root::Inventory).unwrap();
        assert_eq!(files.len(), 4);
        for file in files {
            let FileState::Read(hash) = file.state else { panic!("{file:?}") };
            assert!(catalog.features(hash, &model.features_version).unwrap().is_some());
            assert!(catalog.embedding(hash, &model.id).unwrap().is_some());
        }
        // Miniatures are made later: the pictures are read again for them.
        assert!(catalog.contents_with_miniatures().unwrap().is_empty());
        catalog.put_model(&ModelRow { id: "m2".into(), ..model }).unwrap();
        catalog.forget_model("m2").unwrap();
    }
}
