//! The daemon's own files lost or damaged: that costs time, not the ability to start, and no answer.

use std::fs;

use artificio_demo::Food;

use super::pictures::jpeg;
use super::workplace::{Workplace, put};

fn with_an_answer() -> Workplace {
    let mut workplace = Workplace::with_settings("min_train = 6");
    workplace.stock(2);
    workplace.start();
    workplace.wait_status("a model", |status| status["model"]["trained_on"] == 6);
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    workplace.wait_record("q");
    workplace.wait_status("quiet", |status| status["queries"]["pending"] == 0);
    workplace.stop();
    // With the journal SQLite would repair any damage to the file itself.
    let catalog = rusqlite::Connection::open(workplace.state("catalog.sqlite")).unwrap();
    let _: i64 = catalog.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
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
