//! Tests of damage inside the catalog: nothing that was not written is ever given out, and whatever is wrong is found.

use std::fs;
use std::path::{Path, PathBuf};

use artificio_random::Random;
use tempfile::TempDir;

use super::*;
use crate::base::eight_bits;
use crate::catalog::{
    AnswerRow, AnswerState, Decision, FILE_NAME, FileRow, FileState, ModelRow, OrphanSweep, Retention, Root,
    TrainedPicture, TrainingSource,
};
use crate::clock::{LocalClock, WallTime};
use crate::config::Encoder;
use crate::files::Stamp;
use crate::picture::{MINIATURE_SIDE, Miniature, PictureMetadata};

const COUNT: u16 = 40;

/// What is known of one picture, all of it different from every other's.
struct Known {
    path: PathBuf,
    hash: Hash,
    stamp: Stamp,
    features: Vec<f32>,
    miniature: Miniature,
    embedding: Vec<f32>,
    metadata: PictureMetadata,
}

fn known() -> Vec<Known> {
    let of = |number: u16| Known {
        path: format!("{number}.jpg").into(),
        hash: Hash::of(&number.to_le_bytes()),
        stamp: Stamp { size: 1_000 + u64::from(number), mtime_ns: 7, ctime_ns: 7, inode: 90 + u64::from(number) },
        features: eight_bits::rounded(&[f32::from(number); 600]),
        miniature: Miniature::from_bytes(&[number as u8; MINIATURE_SIDE * MINIATURE_SIDE]).unwrap(),
        embedding: vec![f32::from(number) + 0.5; 100],
        metadata: PictureMetadata {
            taken: Some(WallTime::of_seconds(1_000_000 + i64::from(number))),
            camera: Some(format!("Camera {number}")),
            lens: number.is_multiple_of(2).then(|| format!("Lens {number}")),
            size: Some([u32::from(number), 7]),
        },
    };
    (0..COUNT).map(of).collect()
}

fn model(id: &str, weights: &[u8]) -> ModelRow {
    ModelRow {
        id: id.into(),
        created_s: 1,
        encoder: Encoder::Pretrained.into(),
        features_version: "v1".into(),
        trained_on: 36,
        source: TrainingSource::Inventory.into(),
        inventory_count: 0,
        reconstruction_error: 0.25,
        weights: weights.repeat(2_000),
        decision: Decision::Passed,
        reason: "as good as the model before".into(),
        figures: "{}".into(),
    }
}

fn answer(number: u16) -> AnswerRow {
    AnswerRow {
        query: format!("{number}.png").into(),
        name: format!("{number}"),
        content: Some(Hash::of(&number.to_le_bytes())),
        state: AnswerState::Ok,
        is_provisional: false,
        answered_s: 1_000,
    }
}

/// A catalog with all of it; the second half of the pictures is still in the journal.
fn filled() -> TempDir {
    let state = tempfile::tempdir().unwrap();
    let mut catalog = Catalog::open(state.path()).unwrap().catalog;
    for (at, pictures) in known().chunks(usize::from(COUNT) / 2).enumerate() {
        let put = |catalog: &Catalog| {
            for Known { path, hash, stamp, features, miniature, embedding, metadata } in pictures {
                let row = FileRow { path: path.clone(), stamp: *stamp, state: FileState::Read(*hash) };
                catalog.put_file(Root::Inventory, &row)?;
                catalog.put_features(*hash, "v1", features)?;
                catalog.put_miniature(*hash, miniature)?;
                catalog.put_embedding(*hash, "m2", embedding)?;
                catalog.put_metadata(*hash, metadata)?;
                let picture = TrainedPicture { root: Root::Inventory, content: *hash, folders: Some(vec![1; 9]) };
                catalog.put_trained_picture("m2", &picture)?;
            }
            catalog.put_model(&model(&format!("m{}", at + 1), &[at as u8 + 1]))?;
            catalog.make_current(Some(&format!("m{}", at + 1)))?;
            (0..10).try_for_each(|number| catalog.put_answer(&answer(number)))
        };
        catalog.together(put).unwrap();
        if at == 0 {
            catalog.checkpoint().unwrap();
        }
    }
    copy_of(state.path())
}

/// The catalog and its journal as they are at the moment.
fn copy_of(state: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in [FILE_NAME, "catalog.sqlite-wal"].into_iter().filter(|name| state.join(name).exists()) {
        fs::copy(state.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

/// What came of damage.
#[derive(Debug, Default)]
struct Outcome {
    /// The catalog was, or is to be, replaced.
    replaced: usize,
    /// Something is made again, because it is missing or was deleted.
    repaired: usize,
    /// Nothing is different.
    unchanged: usize,
}

/// Reads all that the service reads, and asserts that what it gets is what was written, or missing.
fn see_what_is_left(state: &Path, place: &str) -> Outcome {
    let opened = Catalog::open(state).unwrap_or_else(|error| panic!("{place}: {error}"));
    let (is_set_aside, catalog) = (opened.set_aside.is_some(), opened.catalog);
    let is_lost_in_journal = opened.journal.is_some();
    let dropped = catalog.drop_damaged_models();
    let read = read_everything(&catalog, place);
    catalog.check().unwrap_or_else(|error| panic!("{place}: {error}"));
    if is_set_aside || catalog.is_damaged() {
        return Outcome { replaced: 1, ..Outcome::default() };
    }
    let missing = read.unwrap_or_else(|error| panic!("{place}: {error}"));
    let rows = catalog.take_damaged_rows(1_000);
    let is_repaired = missing > 0 || !rows.is_empty() || is_lost_in_journal || dropped.unwrap().count > 0;
    for row in &rows {
        let repaired = catalog.delete_if_damaged(row).unwrap_or_else(|error| panic!("{place}: {row:?}: {error}"));
        assert!(repaired || catalog.is_damaged(), "{place}: {row:?}");
    }
    Outcome { repaired: usize::from(is_repaired), unchanged: usize::from(!is_repaired), ..Outcome::default() }
}

/// How much is missing.
fn read_everything(catalog: &Catalog, place: &str) -> Result<usize, Trouble> {
    let (mut found, all) = (0, known());
    let of = |hash: Hash| all.iter().find(|one| one.hash == hash);
    catalog.each_known_file(Root::Inventory, "v1", |FileRow { path, stamp, state }, facts| {
        let FileState::Read(hash) = state else { panic!("{place}: {}", path.display()) };
        let known = of(hash).unwrap_or_else(|| panic!("{place}: {hash:?}"));
        assert_eq!((&path, stamp), (&known.path, known.stamp), "{place}");
        let changed = LocalClock::of_system().at(stamp.mtime_ns);
        assert!([known.metadata.taken, Some(changed)].contains(&Some(facts.date)), "{place}: {}", facts.date);
        found += 1;
    })?;
    catalog.visit_embeddings("m2", |_, hash, embedding| {
        assert_eq!(embedding, of(hash).unwrap().embedding, "{place}");
        found += 1;
    })?;
    for known in &all {
        let Known { path, hash, features, miniature, embedding, metadata, stamp } = known;
        let contents = [
            catalog.features(*hash, "v1")?.inspect(|read| assert_eq!(read, features, "{place}")).is_some(),
            catalog.miniature(*hash)?.inspect(|read| assert!(read == miniature, "{place}")).is_some(),
            catalog.embedding(*hash, "m2")?.inspect(|read| assert_eq!(read, embedding, "{place}")).is_some(),
            catalog.metadata(*hash)?.inspect(|read| assert_eq!(read, metadata, "{place}")).is_some(),
            catalog.content_of(Root::Inventory, path)?.inspect(|read| assert_eq!(read, hash, "{place}")).is_some(),
            catalog.has_features(*hash, "v1")?,
        ];
        let date = catalog.date_of(Root::Inventory, path)?;
        let changed = LocalClock::of_system().at(stamp.mtime_ns);
        assert!([metadata.taken, Some(changed), Some(WallTime::UNKNOWN)].contains(&Some(date)), "{place}: {date}");
        let paths = catalog.files_with(Root::Inventory, *hash)?;
        assert!(paths.iter().all(|read| read == path), "{place}: {paths:?}");
        found += contents.into_iter().filter(|is_there| *is_there).count() + paths.len();
    }
    let mut end = None;
    loop {
        let page = catalog.next_features(end, "v1", 600, 7)?;
        for (hash, row) in page.contents.iter().zip(page.features.iter()) {
            assert_eq!(row, of(*hash).unwrap().features, "{place}");
            found += 1;
        }
        end = page.end;
        if end.is_none() {
            break;
        }
    }
    for (at, row) in catalog.answers()?.iter().enumerate() {
        assert!((0..10).any(|number| *row == answer(number)), "{place}: {at} {row:?}");
        found += 1;
    }
    let [one, two] = [model("m1", &[1]), model("m2", &[2])];
    for (row, serves) in catalog.models()? {
        assert!(row == one || (row == two && serves), "{place}: {}", row.id);
        found += 1;
    }
    found += catalog.contents_with_features("v1")?.len() + catalog.contents_with_miniatures()?.len();
    // Not one of those that were trained on can be told from another; they only decide when to train again.
    catalog.trained_pictures("m2", Root::Inventory, 1_000)?;
    Ok(usize::from(COUNT) * 12 + 12 - found)
}

#[test]
fn what_was_written_is_read() {
    let Outcome { unchanged, .. } = see_what_is_left(filled().path(), "whole");
    assert_eq!(unchanged, 1);
}

/// Each bit may be wrong, wherever: in the file and in its journal. `benches/flips.py` does the same with the running service.
#[test]
fn whatever_bit_is_wrong_nothing_is_read_that_was_not_written() {
    let [stopped, killed] = [filled(), filled()];
    Catalog::open(stopped.path()).unwrap().catalog.checkpoint().unwrap();
    let (mut random, mut seen) = (Random::new(16), Outcome::default());
    // More of them by hand: ARTIFICIO_FLIPS=1000.
    let flips = std::env::var("ARTIFICIO_FLIPS").map_or(50, |text| text.parse().unwrap());
    for (whole, name) in [(&stopped, FILE_NAME), (&killed, FILE_NAME), (&killed, "catalog.sqlite-wal")] {
        let length = usize::try_from(fs::metadata(whole.path().join(name)).unwrap().len()).unwrap();
        assert!(length > 50_000, "{name} has {length} bytes");
        for _ in 0..flips {
            let (state, at) = (copy_of(whole.path()), random.count(0, length - 1));
            let mut bytes = fs::read(state.path().join(name)).unwrap();
            bytes[at] ^= 1 << random.count(0, 7);
            fs::write(state.path().join(name), bytes).unwrap();
            let Outcome { replaced, repaired, unchanged } =
                see_what_is_left(state.path(), &format!("{name}, byte {at}"));
            seen.replaced += replaced;
            seen.repaired += repaired;
            seen.unchanged += unchanged;
        }
    }
    assert!(
        seen.repaired > 20 && seen.unchanged > 0 && seen.replaced > 0,
        "{seen:?}: the damage is not where it should be"
    );
}

/// Changes rows as no disk would: so that every value is one that could have been written.
#[test]
fn a_row_of_another_picture_or_kind_counts_as_missing_and_is_made_again() {
    let changes = [
        (
            "features of another",
            "UPDATE features SET row = (SELECT row FROM features AS f WHERE f.content = 2) WHERE content = 1",
        ),
        ("a text for features", "UPDATE features SET row = 'text' WHERE content = 1"),
        ("nothing for features", "UPDATE features SET row = x'' WHERE content = 1"),
        ("one value too few", "UPDATE codes SET row = substr(row, 5) WHERE content = 1"),
        (
            "another's number",
            "UPDATE codes SET content = 1000 + content WHERE content < 3; UPDATE codes SET content = 1003 - content WHERE content > 1000",
        ),
        (
            "two hashes exchanged",
            "UPDATE contents SET hash = zeroblob(32) WHERE id = 1; UPDATE contents SET hash = (SELECT hash FROM contents WHERE id = 1) || x'' WHERE id = 2",
        ),
        ("a hash too short", "UPDATE contents SET hash = x'01' WHERE id = 1"),
        ("another content", "UPDATE files SET content = 2 WHERE path = CAST('0.jpg' AS BLOB)"),
        ("another path", "UPDATE files SET path = CAST('other.jpg' AS BLOB) WHERE path = CAST('0.jpg' AS BLOB)"),
        ("a path that is a number", "UPDATE files SET path = 7 WHERE path = CAST('0.jpg' AS BLOB)"),
        ("a stamp that is a text", "UPDATE files SET size = 'large' WHERE path = CAST('0.jpg' AS BLOB)"),
        ("pixels missing", "UPDATE miniatures SET pixels = substr(pixels, 2) WHERE content = 1"),
        ("another answer's name", "UPDATE answers SET name = 'other' WHERE name = '3'"),
        ("an answer's content", "UPDATE answers SET content = x'00' WHERE name = '3'"),
        ("a model that is refused", "UPDATE models SET decision = 'refused' WHERE id = 'm2'"),
        ("another that serves", "UPDATE models SET is_current = 1 - is_current"),
        ("weights", "UPDATE models SET weights = weights || x'00' WHERE id = 'm2'"),
        ("a number that is a text", "UPDATE models SET trained_on = 'many' WHERE id = 'm2'"),
    ];
    let whole = filled();
    for (what, change) in changes {
        let state = copy_of(whole.path());
        let connection = rusqlite::Connection::open(state.path().join(FILE_NAME)).unwrap();
        connection.execute_batch(change).unwrap_or_else(|error| panic!("{what}: {error}"));
        drop(connection);
        let outcome = see_what_is_left(state.path(), what);
        assert_eq!((outcome.repaired, outcome.replaced), (1, 0), "{what}");
    }
}

#[test]
fn rows_of_other_kinds_stop_no_start_where_they_carry_no_checksum() {
    let state = filled();
    let connection = rusqlite::Connection::open(state.path().join(FILE_NAME)).unwrap();
    let change = "UPDATE contents SET gone_s = 'never';
                  INSERT INTO trained_pictures VALUES ('m2', 1, 'text', 7), ('m2', 1, x'01', NULL), (x'ff', 2, zeroblob(32), NULL)";
    connection.execute_batch(change).unwrap();
    drop(connection);
    let catalog = Catalog::open(state.path()).unwrap().catalog;
    assert_eq!(catalog.trained_pictures("m2", Root::Inventory, 1_000).unwrap().len(), usize::from(COUNT));
    assert!(!catalog.drop_orphaned_embeddings(None, 10).unwrap());
    let mut sweep = Some(OrphanSweep::begin());
    while let Some(here) = sweep {
        let retention = Retention { now_s: 1, days: 1 };
        sweep = catalog.sweep_orphans(here, Some(&["v1".into()]), retention, 10).unwrap();
    }
    assert!(!catalog.is_damaged());
}

#[test]
fn a_damaged_row_is_deleted_unless_it_was_written_again() {
    let state = filled();
    let connection = rusqlite::Connection::open(state.path().join(FILE_NAME)).unwrap();
    connection
        .execute_batch(
            "UPDATE features SET row = x'0000' WHERE content < 4; UPDATE codes SET row = x'' WHERE content = 9",
        )
        .unwrap();
    let catalog = Catalog::open(state.path()).unwrap().catalog;
    catalog.reader().unwrap().check().unwrap();
    let rows = catalog.take_damaged_rows(1_000);
    assert!(rows.len() == 4 && catalog.take_damaged_rows(1_000).is_empty(), "{rows:?}");
    let Known { hash, features, .. } = &known()[0];
    catalog.put_features(*hash, "v1", features).unwrap();
    let deleted = rows.iter().filter(|row| catalog.delete_if_damaged(row).unwrap()).count();
    assert_eq!(deleted, 3);
    assert!(catalog.has_features(*hash, "v1").unwrap() && !catalog.has_features(known()[1].hash, "v1").unwrap());
    catalog.put_damaged_rows(rows);
    assert_eq!(catalog.take_damaged_rows(3).len(), 3);
}

fn wal_bytes(state: &Path) -> u64 {
    fs::metadata(state.join("catalog.sqlite-wal")).unwrap().len()
}

#[test]
fn damage_is_found_where_it_is_read_and_by_the_check_wherever_it_is() {
    let state = tempfile::tempdir().unwrap();
    let mut catalog = Catalog::open(state.path()).unwrap().catalog;
    let hash = |number: u32| Hash::of(&number.to_le_bytes());
    let store =
        |catalog: &Catalog| (0..300).try_for_each(|number| catalog.put_features(hash(number), "t", &[0.5; 2432]));
    catalog.together(store).unwrap();
    let reader = catalog.reader().unwrap();
    assert!(wal_bytes(state.path()) > 0);
    reader.check().unwrap();
    assert!(!catalog.is_damaged() && !reader.is_damaged());
    catalog.checkpoint().unwrap();
    assert_eq!(wal_bytes(state.path()), 0, "an orderly stop leaves nothing in the journal");
    drop((catalog, reader));
    // The last fifth of the file is rows of features: a start reads none of them.
    let path = state.path().join(FILE_NAME);
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[length * 4 / 5..].fill(0xA5);
    fs::write(&path, &bytes).unwrap();
    let opened = Catalog::open(state.path()).unwrap();
    assert!(opened.set_aside.is_none() && opened.catalog.contents_with_features("t").unwrap().len() == 300);
    assert!(!opened.catalog.is_damaged());
    opened.catalog.reader().unwrap().check().unwrap();
    assert!(opened.catalog.is_damaged());
    drop(opened);
    let catalog = Catalog::open(state.path()).unwrap().catalog;
    assert!(catalog.features(hash(299), "t").is_err() && catalog.is_damaged());
    drop(catalog);
    let replaced = Catalog::replace(state.path(), "is damaged").unwrap();
    assert!(replaced.set_aside.unwrap().remedy.contains("damaged-1") && !replaced.catalog.is_damaged());
}

/// A reader in the middle of the file keeps the journal from being emptied.
#[test]
fn a_stop_ends_the_check_and_leaves_no_journal() {
    let state = filled();
    let catalog = Catalog::open(state.path()).unwrap().catalog;
    let connection = rusqlite::Connection::open(state.path().join(FILE_NAME)).unwrap();
    // More than the service is told of at a time: the check waits until some are repaired, which nobody does.
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
                INSERT INTO features SELECT 1, 'v' || (i + 1), x'00', 0 FROM n";
    connection.execute_batch(many).unwrap();
    let reader = catalog.reader().unwrap();
    let check = thread::spawn(move || reader.check());
    while catalog.health.add(DamagedRow::Answer { query: "probe".into() }) {
        thread::yield_now();
    }
    catalog.checkpoint().unwrap();
    assert_eq!(wal_bytes(state.path()), 0);
    check.join().unwrap().unwrap();
    assert!(!catalog.is_damaged());
}

/// Found by fuzzing: a row's place in its page led to zeros, so the row had number 0, and the same page was read for ever.
#[test]
fn rows_whose_numbers_do_not_rise_end_every_pass() {
    const PAGE: usize = 8_192;
    const LEAF_OF_A_TABLE: u8 = 0x0d;
    let whole = filled();
    let catalog = Catalog::open(whole.path()).unwrap().catalog;
    catalog.checkpoint().unwrap();
    drop(catalog);
    let bytes = fs::read(whole.path().join(FILE_NAME)).unwrap();
    // The first page's first 100 bytes are the file's own header.
    let leaves: Vec<usize> = (1..bytes.len() / PAGE).filter(|page| bytes[page * PAGE] == LEAF_OF_A_TABLE).collect();
    assert!(leaves.len() > 8, "{leaves:?}");
    for page in leaves {
        let state = tempfile::tempdir().unwrap();
        let mut changed = bytes.clone();
        let count = usize::from(u16::from_be_bytes([bytes[page * PAGE + 3], bytes[page * PAGE + 4]]));
        // The low byte of the place of the page's last row.
        changed[page * PAGE + 8 + 2 * count - 1] = 0;
        fs::write(state.path().join(FILE_NAME), changed).unwrap();
        see_what_is_left(state.path(), &format!("page {page}"));
        let Ok(opened) = Catalog::open(state.path()) else { continue };
        let (mut end, mut sweep) = (None, Some(OrphanSweep::begin()));
        while let Ok(page) = opened.catalog.next_features(end, "v1", 600, 7)
            && page.end.is_some()
        {
            end = page.end;
        }
        while let Some(from) = sweep {
            sweep = opened.catalog.sweep_orphans(from, None, Retention { now_s: 9, days: 1 }, 7).ok().flatten();
        }
    }
}
