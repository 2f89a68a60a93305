//! Pictures that come into the inventory, leave it and move within it while the daemon runs.

use std::fs;
use std::time::{Duration, Instant};

use artificio_demo::Food;
use rusqlite::{Connection, OpenFlags};

use super::pictures::{jpeg, tiny};
use super::waiting::undisturbed;
use super::workplace::{Workplace, found, put};

/// Asks for a picture that stands in the inventory itself; returns where it was found.
fn ask_for(workplace: &Workplace, name: &str, picture: &[u8]) -> Vec<String> {
    put(workplace.query(format!("{name}.jpg")), picture);
    let record = workplace.wait_record(name);
    assert_eq!(record["status"], "ok", "{record:#}");
    found(&record)
}

#[test]
fn new_pictures_are_searchable_and_removed_ones_forgotten() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    let egg = jpeg(Food::Egg, 2_000);
    put(workplace.inventory("breakfast/egg.jpg"), &egg);
    workplace.wait_indexed(7);
    assert_eq!(ask_for(&workplace, "first", &egg)[0], "breakfast/egg.jpg");

    fs::remove_file(workplace.inventory("breakfast/egg.jpg")).unwrap();
    workplace.wait_indexed(6);
    let found = ask_for(&workplace, "second", &jpeg(Food::Egg, 2_001));
    assert!(!found.contains(&"breakfast/egg.jpg".to_string()), "{found:?}");
    workplace.stop();
    workplace.start();
    workplace.wait_indexed(6);
}

#[test]
fn a_replaced_picture_is_found_by_its_new_content_only() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    put(workplace.inventory("pizza_0.jpg"), &jpeg(Food::Egg, 2_000));
    let mut names = (0..).map(|number| format!("q{number}"));
    let record = workplace.wait("the new content", || {
        let name = names.next()?;
        put(workplace.query(format!("{name}.jpg")), &jpeg(Food::Egg, 2_000));
        let record = workplace.wait_record(&name);
        (found(&record)[0] == "pizza_0.jpg").then_some(record)
    });
    assert_eq!(record["inventory"], 6);
}

/// Contents whose features the catalog keeps, with the numbers of their rows: what is computed again is a row of another number.
fn features(workplace: &Workplace) -> Vec<(Vec<u8>, i64)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let catalog = Connection::open_with_flags(workplace.state("catalog.sqlite"), flags).unwrap();
    let mut statement = catalog
        .prepare("SELECT hash, features.rowid FROM features JOIN contents ON id = content ORDER BY hash")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_moved_picture_is_found_at_its_new_place_without_being_looked_at_again() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    let before = features(&workplace);
    assert_eq!(before.len(), 6);

    fs::create_dir(workplace.inventory("sorted")).unwrap();
    fs::rename(workplace.inventory("pizza_0.jpg"), workplace.inventory("sorted/renamed.jpg")).unwrap();
    fs::create_dir(workplace.inventory("old")).unwrap();
    fs::rename(workplace.inventory("sushi_0.jpg"), workplace.inventory("old/sushi_0.jpg")).unwrap();
    fs::rename(workplace.inventory("old"), workplace.inventory("older")).unwrap();
    workplace.wait("both at their new places", || {
        let status = workplace.wait_indexed(6);
        let paths: std::collections::BTreeSet<_> = paths_in_catalog(&workplace).into_iter().collect();
        let wanted =
            ["burger_0.jpg", "burger_1.jpg", "older/sushi_0.jpg", "pizza_1.jpg", "sorted/renamed.jpg", "sushi_1.jpg"];
        (paths.iter().eq(wanted.iter())).then_some(status)
    });
    assert_eq!(features(&workplace), before, "a moved picture was decoded again");
}

fn paths_in_catalog(workplace: &Workplace) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let catalog = Connection::open_with_flags(workplace.state("catalog.sqlite"), flags).unwrap();
    let mut statement = catalog.prepare("SELECT CAST(path AS TEXT) FROM files WHERE root = 1").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_new_place_is_what_answers_name() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    fs::rename(workplace.inventory("pizza_0.jpg"), workplace.inventory("moved.jpg")).unwrap();
    workplace.wait("the new name", || paths_in_catalog(&workplace).contains(&"moved.jpg".to_string()).then_some(()));
    workplace.wait_indexed(6);
    let found = ask_for(&workplace, "q", &jpeg(Food::Pizza, 0));
    assert_eq!(found[0], "moved.jpg");
    assert!(!found.contains(&"pizza_0.jpg".to_string()), "{found:?}");
}

#[test]
fn a_whole_tree_moved_in_is_found_and_moved_out_is_forgotten() {
    let mut workplace = Workplace::new();
    workplace.start();
    let (elsewhere, within) = (workplace.root().join("elsewhere"), workplace.inventory("a/tree"));
    for number in 0..30 {
        let depth: String = (0..number % 4).map(|level| format!("level{level}/")).collect();
        put(elsewhere.join(format!("{depth}{number}.png")), &tiny(number));
    }
    fs::create_dir_all(within.parent().unwrap()).unwrap();
    fs::rename(&elsewhere, &within).unwrap();
    workplace.wait_indexed(30);
    let deep = paths_in_catalog(&workplace);
    assert!(deep.contains(&"a/tree/level0/level1/level2/3.png".to_string()), "{deep:?}");
    // One of them stays: an inventory that is suddenly empty is taken to be unmounted.
    fs::rename(within.join("0.png"), workplace.inventory("0.png")).unwrap();
    fs::rename(&within, &elsewhere).unwrap();
    workplace.wait_indexed(1);
}

#[test]
fn folders_made_one_in_another_lose_nothing() {
    let mut workplace = Workplace::new();
    workplace.start();
    for number in 0..60 {
        put(workplace.inventory(format!("{number}/b/c/{number}.png")), &tiny(number));
    }
    workplace.wait_indexed(60);
}

#[test]
fn the_same_content_under_two_names_is_looked_at_once_and_found_twice() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    let egg = jpeg(Food::Egg, 1);
    put(workplace.inventory("egg.jpg"), &egg);
    put(workplace.inventory("copies/egg again.jpg"), &egg);
    workplace.start();
    workplace.wait_indexed(5);
    assert_eq!(features(&workplace).len(), 4);
    let found = ask_for(&workplace, "q", &egg);
    let mut best = found[..2].to_vec();
    best.sort();
    assert_eq!(best, ["copies/egg again.jpg", "egg.jpg"]);
    fs::remove_file(workplace.inventory("egg.jpg")).unwrap();
    workplace.wait_indexed(4);
    assert_eq!(ask_for(&workplace, "q2", &jpeg(Food::Egg, 2_000))[0], "copies/egg again.jpg");
}

#[test]
fn an_empty_inventory_is_taken_for_unmounted_and_still_answers() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    workplace.start();
    workplace.wait_indexed(3);
    let (inventory, away) = (workplace.inventory(""), workplace.root().join("away"));
    fs::rename(&inventory, &away).unwrap();
    let status = workplace.wait_status("the loss", |status| status["state"] == "degraded");
    assert_eq!(status["inventory"]["indexed"], 3, "nothing is forgotten: {status:#}");
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    let record = workplace.wait_record("q");
    assert_eq!((&record["status"], found(&record).len()), (&"partial".into(), 3), "{record:#}");
    fs::rename(&away, &inventory).unwrap();
    workplace.wait_status("the return", |status| status["state"] == "ready" && status["inventory"]["indexed"] == 3);
}

#[test]
fn a_picture_that_takes_long_to_arrive_costs_nothing_meanwhile() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    workplace.start();
    workplace.wait_indexed(3);
    let soon = jpeg(Food::Egg, 1);
    let (spent, count) = undisturbed(|attempt| {
        let (egg, late) = (jpeg(Food::Egg, 2 + u64::from(attempt)), format!("late_{attempt}.jpg"));
        let (started, known) = (Instant::now(), 3 + 2 * u64::from(attempt));
        put(workplace.inventory(&late), &egg[..egg.len() / 2]);
        // Something to train on: that waits for the late one too.
        put(workplace.inventory(format!("soon_{attempt}.jpg")), &soon);
        workplace.wait_status("the whole one", |status| status["inventory"]["indexed"] == known + 1);
        let before = workplace.processor_ms();
        std::thread::sleep(Duration::from_secs(4));
        let spent = workplace.processor_ms() - before;
        // Half a picture is given up after seven seconds, and that is work.
        let is_waiting = started.elapsed() < Duration::from_millis(6_500);
        put(workplace.inventory(&late), &egg);
        workplace.wait_indexed(known + 2);
        is_waiting.then_some((spent, known + 2))
    });
    assert!(spent < 400, "{spent} ms of work in four seconds of waiting");
    workplace.wait_indexed(count);
}
