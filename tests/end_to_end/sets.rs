//! Query sets with settings of their own and with positive and negative examples, and answers that are refreshed.

use std::path::Path;

use artificio_demo::Food;
use serde_json::{Value, json};

use super::pictures::{jpeg, side_by_side};
use super::workplace::{Workplace, found, put};

/// A set of a pizza and a sushi in an inventory of both.
fn mixed_set() -> Workplace {
    let mut workplace = Workplace::new();
    workplace.stock(4);
    workplace.start();
    workplace.wait_indexed(12);
    put(workplace.query("both/pizza.jpg"), &jpeg(Food::Pizza, 2_000));
    put(workplace.query("both/sushi.jpg"), &jpeg(Food::Sushi, 2_000));
    workplace.wait_record_that("both", |record| record["query"]["files"].as_array().is_some_and(|all| all.len() == 2));
    workplace
}

#[test]
fn a_set_has_settings_of_its_own() {
    let workplace = mixed_set();
    put(
        workplace.query("both/query.toml"),
        b"k = 6\nset_mode = \"nearest\"\nmetric = \"euclidean\"\nmin_score = 0.1\n",
    );
    let record = workplace.wait_record_that("both", |record| record["metric"] == "euclidean");
    assert_eq!(found(&record).len(), 6, "{record:#}");
    assert_eq!(record["query"]["set_mode"], "nearest");
    assert_eq!(record["query"]["settings"], "both/query.toml");
    assert_eq!(record["query"]["files"].as_array().unwrap().len(), 2, "settings are no picture: {record:#}");

    put(workplace.query("both/query.toml"), b"k = 6\nmin_scor = 1\n");
    let record = workplace.wait_record_that("both", |record| record["status"] == "error");
    let message = record["message"].as_str().unwrap();
    assert!(message.contains("query.toml:2:1") && message.contains("did you mean `min_score`"), "{message}");

    put(workplace.query("both/query.toml"), format!("k = {}", "[".repeat(1_500_000)).as_bytes());
    let is_too_large = |record: &Value| record["message"].as_str().unwrap().contains("the 64 kB allowed for settings");
    workplace.wait_record_that("both", is_too_large);
}

#[test]
fn a_part_of_a_picture_is_searched_for() {
    let mut workplace = Workplace::new();
    workplace.stock(4);
    workplace.start();
    workplace.wait_indexed(12);
    let both = side_by_side(Food::Pizza, Food::Sushi, 2_000);
    put(workplace.query("table/both.png"), &both);
    put(workplace.query("table/query.toml"), b"k = 3\ncrop = [0.5, 0, 0.5, 1]\n");
    let asked = |kind: &'static str| {
        move |record: &Value| record["query"].get("crop").is_some() && found(record)[0].starts_with(kind)
    };
    let right = workplace.wait_record_that("table", asked("sushi_"));
    assert_eq!(right["query"]["crop"], json!([0.5, 0.0, 0.5, 1.0]));

    put(workplace.query("table/query.toml"), b"k = 3\ncrop = [0, 0, 0.5, 1]\n");
    workplace.wait_record_that("table", asked("pizza_"));
    let path = workplace.query("table/both.png");
    let output = workplace.run(&["query", "--json", "-k", "3", "--crop", "0.5,0,0.5,1", path.to_str().unwrap()]);
    let record: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(asked("sushi_")(&record), "{record:#}");

    put(workplace.query("table/query.toml"), b"crop = [5000, 0, 10, 10]\n");
    let record = workplace.wait_record_that("table", |record| record["status"] == "error");
    let message = record["message"].as_str().unwrap();
    assert!(message.contains("outside the picture") && message.contains("`crop`"), "{message}");
}

/// How much more similar the best pizza is than the best sushi.
fn lead(record: &Value) -> f64 {
    let matches = record["matches"].as_array().unwrap();
    let best = |kind: &str| {
        let is_of_kind = |found: &&Value| found["path"].as_str().unwrap().starts_with(kind);
        matches.iter().find(is_of_kind).map_or(0.0, |found| found["similarity"].as_f64().unwrap())
    };
    best("pizza_") - best("sushi_")
}

/// Whether a record's query has so many pictures in the folder `name`.
fn has(record: &Value, name: &str, count: usize) -> bool {
    record["query"][name].as_array().map_or(0, Vec::len) == count
}

/// The same picture in smaller, saved again.
fn saved_again(path: &Path) -> Vec<u8> {
    let picture = image::open(path).unwrap();
    let smaller = picture.resize(picture.width() * 3 / 4, picture.height(), image::imageops::FilterType::Triangle);
    let mut bytes = std::io::Cursor::new(Vec::new());
    smaller.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn what_is_in_not_never_comes_back_and_the_sheet_is_still_full() {
    let mut workplace = Workplace::with_settings("[answer]\nresults = 4\ncollapse_duplicates = true\n");
    workplace.stock(4);
    // More copies than a search for four looks at.
    for copy in 0..70 {
        put(workplace.inventory(format!("copies/{copy}.jpg")), &jpeg(Food::Pizza, 0));
    }
    workplace.start();
    workplace.wait_indexed(82);
    put(workplace.query("set/pizza.jpg"), &jpeg(Food::Pizza, 2_000));
    workplace.wait_record("set");

    put(workplace.query("set/not/the_same.jpg"), &jpeg(Food::Pizza, 0));
    put(workplace.query("set/not/nearly.png"), &saved_again(&workplace.inventory("pizza_1.jpg")));
    let record = workplace.wait_record_that("set", |record| has(record, "not", 2));
    let shown = found(&record);
    assert_eq!(shown.len(), 4, "{record:#}");
    let is_rejected = |path: &String| path.starts_with("copies/") || path == "pizza_0.jpg" || path == "pizza_1.jpg";
    assert!(!shown.iter().any(is_rejected), "{record:#}");
    let matches = record["matches"].as_array().unwrap();
    let behind = matches.iter().flat_map(|found| found["duplicates"].as_array().unwrap());
    assert!(!behind.map(|copy| copy["path"].as_str().unwrap().into()).any(|path| is_rejected(&path)), "{record:#}");
    let message = record["message"].as_str().unwrap();
    assert!(message.contains("kept away from 2 pictures in not/"), "{message}");
    assert!(message.ends_with("Not shown: 72 pictures that are each the same as one in not/, or nearly."), "{message}");

    for name in ["the_same.jpg", "nearly.png"] {
        std::fs::remove_file(workplace.query("set/not").join(name)).unwrap();
    }
    let record = workplace.wait_record_that("set", |record| has(record, "not", 0));
    assert!(found(&record).iter().any(is_rejected), "{record:#}");
}

#[test]
fn positive_examples_of_a_set_pull_similar_pictures_up() {
    let workplace = mixed_set();
    let before = workplace.record("both").unwrap();
    for seed in [2_001, 2_002] {
        put(workplace.query(format!("both/yes/sushi_{seed}.jpg")), &jpeg(Food::Sushi, seed));
    }
    let record = workplace.wait_record_that("both", |record| has(record, "yes", 2));
    assert!(lead(&record) < lead(&before), "{} before, {} now: {record:#}", lead(&before), lead(&record));
    assert!(has(&record, "files", 2), "examples are not what is asked: {record:#}");
    assert!(record["message"].as_str().unwrap().contains("drawn towards 2 pictures in yes/"), "{record:#}");
    assert_ne!(record["query"]["content"], before["query"]["content"]);

    put(workplace.query("both/yes/sushi_2001.jpg"), b"no picture");
    let record = workplace.wait_record_that("both", |record| record["status"] == "partial");
    assert_eq!(record["skipped"][0]["path"], "both/yes/sushi_2001.jpg", "{record:#}");
    std::fs::remove_dir_all(workplace.query("both/yes")).unwrap();
    let record = workplace.wait_record_that("both", |record| has(record, "yes", 0));
    assert_eq!(record["query"]["content"], before["query"]["content"]);
    assert_eq!(found(&record), found(&before));
}

#[test]
fn negative_examples_of_a_set_push_similar_pictures_down() {
    let workplace = mixed_set();
    let before = lead(&workplace.record("both").unwrap());
    for seed in [2_001, 2_002] {
        put(workplace.query(format!("both/not/sushi_{seed}.jpg")), &jpeg(Food::Sushi, seed));
    }
    let record = workplace
        .wait_record_that("both", |record| record["query"]["not"].as_array().is_some_and(|all| all.len() == 2));
    assert!(lead(&record) > before, "{before} before, {} now: {record:#}", lead(&record));
    assert!(found(&record)[0].starts_with("pizza_"), "{record:#}");
    assert!(record["message"].as_str().unwrap().contains("kept away from 2 pictures"), "{record:#}");
}

#[test]
fn an_answer_is_refreshed_when_a_better_picture_comes_and_only_then() {
    let mut workplace = Workplace::with_settings("[answer]\nrefresh = \"inventory\"\nresults = 2\n");
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    let first = workplace.wait_record("q");
    assert_eq!(first.get("changes"), None);
    put(workplace.inventory("itself.jpg"), &jpeg(Food::Pizza, 2_000));
    let record = workplace.wait_record_that("q", |record| found(record)[0] == "itself.jpg");
    assert_eq!(record["changes"]["added"], json!(["itself.jpg"]), "{record:#}");
    workplace.wait_status("quiet", |status| status["queries"]["pending"] == 0);
    let written = workplace.written("q");
    put(workplace.inventory("far.jpg"), &jpeg(Food::Sushi, 77));
    workplace.wait_indexed(8);
    workplace.assert_left_alone("q", written);
}

/// The pictures of a set are read one after another, and only the tiles of those that the sheet shows are kept.
#[test]
fn a_set_takes_no_more_memory_for_more_pictures() {
    const PICTURES: u64 = 300;
    let mut workplace = Workplace::with_settings("[limits]\nworkers = 1");
    workplace.stock(1);
    workplace.start();
    workplace.wait_indexed(3);
    let small = image::load_from_memory(&jpeg(Food::Pizza, 2_000)).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    let large = small.resize_exact(1_300, 1_300, image::imageops::FilterType::Nearest);
    large.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let before_mib = workplace.memory_kib("VmHWM") >> 10;
    workplace.hold();
    for number in 0..PICTURES {
        // What follows the end of a JPEG is no part of the picture, but makes another content.
        put(workplace.query(format!("set/{number}.jpg")), &[bytes.get_ref(), number.to_string().as_bytes()].concat());
    }
    workplace.go_on();
    let is_whole = |record: &Value| record["query"]["files"].as_array().is_some_and(|all| all.len() as u64 == PICTURES);
    let record = workplace.wait_record_that("set", is_whole);
    assert_eq!(record["status"], "ok", "{record:#}");
    let memory_mib = workplace.memory_kib("VmHWM") >> 10;
    eprintln!("{PICTURES} pictures of 1300 × 1300: {memory_mib} MiB at most, {before_mib} MiB before");
    assert!(memory_mib < before_mib + 150, "{memory_mib} MiB, {before_mib} MiB before");
}
