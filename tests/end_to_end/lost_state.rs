//! The daemon's own files lost or damaged: that costs time, not the ability to start, and no answer.

use std::fs;

use artificio_demo::Food;

use super::pictures::jpeg;
use super::workplace::{Workplace, found, put};

fn with_an_answer() -> Workplace {
    let mut workplace = Workplace::with_settings("min_train = 6");
    workplace.stock(2);
    workplace.start();
    workplace.wait_status("a model", |status| status["model"]["trained_on"] == 6);
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    workplace.wait_record("q");
    workplace.wait_status("quiet", |status| status["queries"]["pending"] == 0);
    workplace.stop();
    let journal = fs::metadata(workplace.state("catalog.sqlite-wal")).map_or(0, |found| found.len());
    assert_eq!(journal, 0, "an orderly stop leaves all of it in the catalog itself");
    workplace
}

fn assert_rebuilt(mut workplace: Workplace) -> Workplace {
    let answer = fs::read(workplace.sheet_path("q")).unwrap();
    assert!(!answer.is_empty());
    workplace.start();
    workplace.wait_indexed(6);
    workplace.wait_status("the model again", |status| status["model"]["trained_on"] == 6);
    workplace.wait_status("the answer again", |status| status["queries"]["answered"] == 1);
    assert_eq!(workplace.wait_record("q")["status"], "ok");
    assert!(workplace.sheet_path("q").exists());
    workplace.assert_alive(0);
    workplace
}

#[test]
fn a_lost_catalog_is_rebuilt() {
    let workplace = with_an_answer();
    fs::remove_file(workplace.state("catalog.sqlite")).unwrap();
    assert_rebuilt(workplace);
}

#[test]
fn a_lost_state_folder_is_rebuilt() {
    let workplace = with_an_answer();
    fs::remove_dir_all(workplace.state("")).unwrap();
    assert_rebuilt(workplace);
}

#[test]
fn a_damaged_catalog_is_set_aside_and_rebuilt() {
    let garbage = b"not a database, and longer than the header of one. ".repeat(100);
    let workplace = with_an_answer();
    fs::write(workplace.state("catalog.sqlite"), &garbage).unwrap();
    let workplace = assert_rebuilt(workplace);
    assert_eq!(fs::read(workplace.state("catalog.sqlite.damaged-1")).unwrap(), garbage);
    assert!(workplace.log().contains("damaged-1"), "{}", workplace.log());
}

#[test]
fn a_catalog_damaged_in_the_middle_is_set_aside_and_rebuilt() {
    let workplace = with_an_answer();
    let mut bytes = fs::read(workplace.state("catalog.sqlite")).unwrap();
    let length = bytes.len();
    bytes[4096..length / 2].fill(0xA5);
    fs::write(workplace.state("catalog.sqlite"), &bytes).unwrap();
    let workplace = assert_rebuilt(workplace);
    assert!(workplace.state("catalog.sqlite.damaged-1").exists());
}

/// The check of the whole file finds it a moment after the start, in the running service.
#[test]
fn damage_that_no_start_meets_is_found_and_the_catalog_rebuilt() {
    let workplace = with_an_answer();
    let path = workplace.state("catalog.sqlite");
    let (catalog, mut bytes) = (rusqlite::Connection::open(&path).unwrap(), fs::read(&path).unwrap());
    let places = "SELECT pgoffset, pgsize FROM dbstat WHERE name = 'features' AND pagetype = 'leaf'";
    let mut statement = catalog.prepare(places).unwrap();
    let places = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let places: Vec<(u32, u32)> = places.collect::<Result<_, _>>().unwrap();
    assert!(!places.is_empty(), "no rows of features");
    for (start, length) in places {
        bytes[start as usize..(start + length) as usize].fill(0xA5);
    }
    drop(statement);
    drop(catalog);
    fs::write(&path, &bytes).unwrap();
    let mut workplace = workplace;
    workplace.start();
    workplace.wait("the catalog set aside", || workplace.state("catalog.sqlite.damaged-1").exists().then_some(()));
    workplace.wait_status("all read again", |status| {
        status["model"]["trained_on"] == 6 && status["inventory"]["indexed"] == 6 && status["queries"]["answered"] == 1
    });
    assert_eq!(workplace.wait_record("q")["status"], "ok");
    workplace.assert_alive(0);
}

/// Features, miniatures and embeddings by their content.
fn vectors(workplace: &Workplace) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let catalog = rusqlite::Connection::open(workplace.state("catalog.sqlite")).unwrap();
    let all = "SELECT 'features ' || trunk, hash, row FROM features JOIN contents ON id = content
               UNION ALL SELECT 'miniature', hash, pixels FROM miniatures JOIN contents ON id = content
               UNION ALL SELECT 'embedding ' || model, hash, row FROM codes JOIN contents ON id = content ORDER BY 1, 2";
    let mut statement = catalog.prepare(all).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Whether two embeddings are the same but for the order in which sums were computed, or two other vectors exactly.
fn is_same(
    (kind, hash, one): &(String, Vec<u8>, Vec<u8>),
    (other_kind, other_hash, other): &(String, Vec<u8>, Vec<u8>),
) -> bool {
    let values = |bytes: &[u8]| -> Vec<f32> {
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
    };
    let is_near = || values(one).iter().zip(values(other)).all(|(a, b)| (a - b).abs() <= 1e-4 * (1.0 + b.abs()));
    let is_equal = one == other || (kind.starts_with("embedding") && one.len() == other.len() && is_near());
    (kind, hash) == (other_kind, other_hash) && is_equal
}

/// The check finds what no start reads; what a start reads is not served.
#[test]
fn rows_that_are_not_what_was_written_are_made_again_by_the_running_service() {
    let mut workplace = with_an_answer();
    let before = vectors(&workplace);
    let catalog = rusqlite::Connection::open(workplace.state("catalog.sqlite")).unwrap();
    catalog
        .execute_batch(
            "UPDATE features SET row = (SELECT row FROM features AS f WHERE f.content = 2 AND f.trunk = features.trunk)
                 WHERE content = 1 AND trunk = (SELECT trunk FROM models);
             UPDATE codes SET row = (SELECT row FROM codes AS c WHERE c.content = 4) WHERE content IN (1, 3);
             UPDATE miniatures SET pixels = zeroblob(1024) WHERE content = 5;
             UPDATE files SET content = 7 - content WHERE root = 1 AND content IN (2, 5);",
        )
        .unwrap();
    drop(catalog);
    let is_as_before = |workplace: &Workplace| {
        let now = vectors(workplace);
        now.len() == before.len() && now.iter().zip(&before).all(|(one, other)| is_same(one, other))
    };
    assert!(!is_as_before(&workplace));
    workplace.launch();
    workplace.wait("what was there before", || is_as_before(&workplace).then_some(()));
    workplace.wait_indexed(6);
    for (name, kind) in [("burger_0", Food::Burger), ("pizza_0", Food::Pizza), ("sushi_0", Food::Sushi)] {
        put(workplace.query(format!("{name}.jpg")), &jpeg(kind, 0));
        let record = workplace.wait_record(name);
        assert_eq!(found(&record)[0], format!("{name}.jpg"), "{record:#}");
    }
    let said = workplace.log().matches("is not what was written").count();
    assert_eq!(said, 1, "{}", workplace.log());
    assert!(!workplace.state("catalog.sqlite.damaged-1").exists());
}

#[test]
fn a_model_that_is_not_what_was_written_never_serves() {
    let mut workplace = with_an_answer();
    let catalog = rusqlite::Connection::open(workplace.state("catalog.sqlite")).unwrap();
    let id: String = catalog.query_row("SELECT id FROM models WHERE is_current", [], |row| row.get(0)).unwrap();
    // One bit of a weight: it still reads as a model.
    let change = "UPDATE models SET weights = CAST(substr(weights, 1, length(weights) - 1) || x'00' AS BLOB)";
    assert_eq!(catalog.execute(change, []).unwrap(), 1);
    drop(catalog);
    workplace.start();
    let status = workplace.wait_status("another model", |status| status["model"]["trained_on"] == 6);
    assert_ne!(status["model"]["id"], id.as_str());
    assert!(workplace.log().contains("a model in the catalog is not what was written"), "{}", workplace.log());
    workplace.assert_alive(0);
    workplace.kill();
    // Killed, it has left a journal. What is lost of that is said.
    let path = workplace.state("catalog.sqlite-wal");
    let mut journal = fs::read(&path).unwrap();
    journal[5_000] ^= 1;
    fs::write(&path, &journal).unwrap();
    workplace.start();
    workplace.wait_indexed(6);
    assert!(workplace.log().contains("the catalog's journal is damaged"), "{}", workplace.log());
    workplace.assert_alive(1);
}

#[test]
fn an_empty_catalog_file_is_a_new_catalog() {
    let workplace = with_an_answer();
    fs::write(workplace.state("catalog.sqlite"), b"").unwrap();
    assert_rebuilt(workplace);
}

/// As an older program leaves it, which made no miniatures.
#[test]
fn a_catalog_without_miniatures_serves_while_they_are_made() {
    let mut workplace = with_an_answer();
    let catalog = rusqlite::Connection::open(workplace.state("catalog.sqlite")).unwrap();
    let count = |table: &str| -> i64 {
        catalog.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let features = count("features");
    assert_eq!((catalog.execute("DELETE FROM miniatures", []).unwrap(), count("miniatures")), (6, 0));
    workplace.launch();
    let status = workplace.wait_status("a start", |status| status["state"] == "ready");
    assert_eq!(status["inventory"]["indexed"], 6, "searchable from the start");
    workplace.wait("the miniatures", || (count("miniatures") == 6).then_some(()));
    workplace.wait_indexed(6);
    assert_eq!(count("features"), features, "the network had nothing to do");
    workplace.assert_alive(0);
}

#[test]
fn a_lost_answer_folder_is_made_again() {
    let mut workplace = with_an_answer();
    workplace.start();
    fs::rename(workplace.root().join("answer"), workplace.root().join("earlier_answers")).unwrap();
    put(workplace.query("later.jpg"), &jpeg(Food::Burger, 2_000));
    // Either it makes the folder again, or it says so and goes on when another does.
    workplace.wait("the folder, or a message about it", || {
        let is_said = workplace.status().is_some_and(|status| status["state"] == "degraded");
        (is_said || workplace.record("later").is_some()).then_some(())
    });
    fs::create_dir_all(workplace.root().join("answer")).unwrap();
    assert_eq!(workplace.wait_record("later")["status"], "ok");
    workplace.wait_status("an end of the trouble", |status| status["state"] == "ready");
}
