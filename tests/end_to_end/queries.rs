//! Pictures dropped into query/, alone and as sets, and the answers that stand in answer/.

use std::fs;

use artificio_demo::Food;
use serde_json::Value;

use super::arrivals::write_in_two_halves;
use super::pictures::{jpeg, png};
use super::waiting::undisturbed;
use super::workplace::{Workplace, found, is_sentence, put, touch};

#[test]
fn the_first_start_answers_the_first_query() {
    let mut workplace = Workplace::new();
    workplace.stock(4);
    put(workplace.query("lunch.png"), &png(Food::Pizza, 2_000));
    workplace.start();
    let record = workplace.wait_record_that("lunch", |record| record["status"] == "ok");

    assert_eq!(record["schema"], 1);
    assert!(is_sentence(record["message"].as_str().unwrap()), "{record:#}");
    assert_eq!(record["query"]["files"][0]["path"], "lunch.png");
    assert_eq!(record["query"]["set_mode"], Value::Null, "a single picture has no set mode");
    assert_eq!(record["metric"], "cosine");
    assert!(record["model"]["id"].is_string());
    assert!(record["timings_ms"]["total"].as_f64().unwrap() > 0.0);
    assert_matches_are_ordered(&record, 5);
    assert!(found(&record)[0].starts_with("pizza_"), "{record:#}");

    let sheet = image::open(workplace.sheet_path("lunch")).expect("the sheet is a picture");
    assert_eq!(sheet.width(), 1600);
    assert!(sheet.height() > 400);
    let colours: std::collections::HashSet<_> = sheet.to_rgb8().pixels().step_by(97).map(|pixel| pixel.0).collect();
    assert!(colours.len() > 500, "the sheet shows pictures, not {} colours", colours.len());

    workplace.wait_indexed(12);
    let status = workplace.wait_status("the answer in the status", |status| status["queries"]["answered"] == 1);
    assert_eq!(status["state"], "ready", "{status:#}");
    for (key, expected) in [("files", 12), ("indexed", 12), ("pending", 0), ("failed", 0)] {
        assert_eq!(status["inventory"][key], expected, "{status:#}");
    }
    assert_eq!(status["queries"], serde_json::json!({"answered": 1, "failed": 0, "pending": 0}));
    for key in ["encoder", "id", "trained_on", "training"] {
        assert!(status["model"].get(key).is_some(), "{key} is not in {status:#}");
    }
    assert_eq!(status["problems"], serde_json::json!([]));
}

fn assert_matches_are_ordered(record: &Value, count: usize) {
    let matches = record["matches"].as_array().unwrap();
    assert_eq!(matches.len(), count, "{record:#}");
    let mut above = f64::INFINITY;
    for (at, found) in matches.iter().enumerate() {
        assert_eq!(found["rank"], at + 1);
        let (similarity, closer) = (found["similarity"].as_f64().unwrap(), found["closer_than"].as_f64().unwrap());
        assert!(similarity <= above, "{record:#}");
        assert!((0.0..=1.0).contains(&closer), "{record:#}");
        above = similarity;
    }
}

#[test]
fn a_query_that_came_before_any_inventory_is_answered_again_when_there_is_some() {
    let mut workplace = Workplace::new();
    workplace.start();
    put(workplace.query("early.jpg"), &jpeg(Food::Burger, 2_000));
    let record = workplace.wait_record("early");
    assert_eq!(record["status"], "nothing_similar");
    assert!(is_sentence(record["message"].as_str().unwrap()), "{record:#}");
    workplace.stock(2);
    let record = workplace.wait_record_that("early", |record| record["status"] == "ok" && record["inventory"] == 6);
    assert!(found(&record)[0].starts_with("burger_"), "{record:#}");
}

#[test]
fn a_folder_of_pictures_is_one_query() {
    let mut workplace = Workplace::new();
    workplace.stock(3);
    workplace.start();
    for seed in 0..3 {
        put(workplace.query(format!("dinner/part{seed}.jpg")), &jpeg(Food::Burger, 2_000 + seed));
    }
    let record = workplace.wait_record_that("dinner", |record| record["query"]["files"].as_array().unwrap().len() == 3);
    assert_eq!(record["status"], "ok", "{record:#}");
    assert_eq!(record["query"]["set_mode"], "mean");
    assert_eq!(record["query"]["files"][0]["path"], "dinner/part0.jpg");
    assert!(found(&record)[0].starts_with("burger_"), "{record:#}");
    assert!(!workplace.record_path("part0").exists(), "the members of a set have no answers of their own");

    put(workplace.query("dinner/late.jpg"), &jpeg(Food::Burger, 2_010));
    let record = workplace.wait_record_that("dinner", |record| record["query"]["files"].as_array().unwrap().len() == 4);
    assert_eq!(record["status"], "ok");

    put(workplace.query("dinner/damaged.jpg"), b"this is no picture at all");
    let record = workplace.wait_record_that("dinner", |record| record["status"] == "partial");
    assert!(record["message"].as_str().unwrap().contains("damaged.jpg"), "{record:#}");
    assert_eq!(found(&record).len(), 5);
    let files = record["query"]["files"].as_array().unwrap();
    let named =
        files.iter().find(|file| file["path"] == "dinner/damaged.jpg").expect("the bad picture is in the record");
    assert!(is_sentence(named["problem"].as_str().unwrap()));
    assert!(files.iter().all(|file| file["problem"].is_string() || file["blake3"].is_string()));

    fs::remove_file(workplace.query("dinner/damaged.jpg")).unwrap();
    workplace.wait_record_that("dinner", |record| record["status"] == "ok");
    assert_eq!(workplace.answers(), ["result_dinner.json", "result_dinner.png"], "one sheet, one record");
}

#[test]
fn a_set_with_folders_in_it_and_a_picture_like_name_is_one_query_too() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    put(workplace.query("x.png/deep/er/a.jpg"), &jpeg(Food::Pizza, 2_000));
    put(workplace.query("x.png/b.jpg"), &jpeg(Food::Pizza, 2_001));
    let record = workplace.wait_record_that("x.png", |record| record["query"]["files"].as_array().unwrap().len() == 2);
    assert_eq!(record["status"], "ok");
    assert!(found(&record)[0].starts_with("pizza_"), "{record:#}");
}

#[test]
fn a_touched_query_keeps_its_answer_and_a_replaced_one_gets_a_new_one() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    workplace.wait_record("q");
    workplace.wait_indexed(6);
    let written = workplace.written("q");

    touch(workplace.query("q.jpg"));
    workplace.assert_left_alone("q", written);
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    workplace.assert_left_alone("q", written);

    put(workplace.query("q.jpg"), &jpeg(Food::Burger, 2_000));
    let record = workplace.wait_record_that("q", |record| found(record)[0].starts_with("burger_"));
    assert_eq!(record["status"], "ok");

    fs::remove_file(workplace.query("q.jpg")).unwrap();
    let written = workplace.written("q");
    workplace.assert_left_alone("q", written);
}

#[test]
fn two_live_queries_of_one_stem_have_an_answer_each() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    put(workplace.query("dish.jpg"), &jpeg(Food::Pizza, 2_000));
    workplace.wait_record("dish");
    put(workplace.query("dish.png"), &png(Food::Burger, 2_000));
    let second = workplace.wait_record("dish.png");
    assert_eq!(second["query"]["files"][0]["path"], "dish.png");
    assert!(workplace.sheet_path("dish.png").exists());
    assert_eq!(workplace.record("dish").unwrap()["query"]["files"][0]["path"], "dish.jpg");

    // Who owns which name stays so over a restart.
    workplace.stop();
    workplace.start();
    put(workplace.query("dish.png"), &png(Food::Burger, 2_000));
    workplace.wait_record_that("dish.png", |record| found(record)[0].starts_with("burger_"));
    assert_eq!(workplace.record("dish").unwrap()["query"]["files"][0]["path"], "dish.jpg");
}

#[test]
fn a_query_that_comes_back_does_not_take_the_answer_of_its_successor() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    put(workplace.query("dish.jpg"), &jpeg(Food::Pizza, 2_000));
    workplace.wait_record("dish");
    fs::remove_file(workplace.query("dish.jpg")).unwrap();
    workplace.wait_all_done();
    // Its answer stays, so the next one gets another name.
    put(workplace.query("dish.png"), &png(Food::Burger, 2_000));
    assert_eq!(workplace.wait_record("dish.png")["query"]["name"], "dish.png");
    assert_eq!(workplace.record("dish").unwrap()["query"]["name"], "dish.jpg");
    // Once the answer is deleted, its name is free.
    for answer in [workplace.record_path("dish"), workplace.sheet_path("dish")] {
        fs::remove_file(answer).unwrap();
    }
    put(workplace.query("dish.jpeg"), &jpeg(Food::Burger, 2_001));
    workplace.wait_record_that("dish", |record| record["query"]["name"] == "dish.jpeg");

    put(workplace.query("dish.jpg"), &jpeg(Food::Burger, 2_000));
    workplace.wait_record_that("dish.jpg", |record| found(record)[0].starts_with("burger_"));
    assert_eq!(workplace.record("dish").unwrap()["query"]["name"], "dish.jpeg", "both are live: each has its own");
}

#[test]
fn a_slow_writer_gets_exactly_one_answer() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    let pictures = [("jpeg.jpg", jpeg(Food::Pizza, 2_000)), ("png.png", png(Food::Pizza, 2_000))];
    let names = undisturbed(|attempt| {
        let named = pictures.iter().map(|(name, bytes)| (format!("{attempt}_{name}"), bytes)).collect::<Vec<_>>();
        let too_early = write_in_two_halves(&workplace, &named)?;
        assert!(too_early.is_empty(), "halves of {too_early:?} were answered\n{}", workplace.log());
        Some([0, 1].map(|at| named[at].0.clone()))
    });
    for name in &names {
        let record = workplace.wait_record(name.rsplit_once('.').unwrap().0);
        assert_eq!(record["status"], "ok", "{record:#}");
    }
    workplace.wait_all_done();
    for name in names {
        let answers = workplace.log().matches(&format!("/{name} answered in ")).count();
        assert_eq!(answers, 1, "{}", workplace.log());
    }
}

#[test]
fn a_half_written_query_keeps_its_name_against_a_whole_one() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    let pizza = jpeg(Food::Pizza, 2_000);
    put(workplace.query("dish.jpg"), &pizza[..pizza.len() / 2]);
    // Once as it is, and once more because half of it is missing.
    workplace.wait("a second try", || (workplace.log().matches("dish.jpg settled").count() >= 2).then_some(()));
    put(workplace.query("dish.png"), &png(Food::Burger, 2_000));
    workplace.wait_record("dish.png");
    put(workplace.query("dish.jpg"), &pizza);
    workplace.wait_record_that("dish", |record| record["query"]["name"] == "dish.jpg" && record["status"] == "ok");
    assert_eq!(workplace.record("dish.png").unwrap()["query"]["name"], "dish.png");
}

#[test]
fn a_deleted_answer_is_written_again_when_the_query_comes_back() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    workplace.start();
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    workplace.wait_record("q");
    workplace.wait_status("quiet", |status| status["queries"]["pending"] == 0);
    for path in [workplace.query("q.jpg"), workplace.record_path("q"), workplace.sheet_path("q")] {
        fs::remove_file(path).unwrap();
    }
    workplace.wait_all_done();
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    assert_eq!(workplace.wait_record("q")["status"], "ok");
}
