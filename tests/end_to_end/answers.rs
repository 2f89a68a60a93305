//! What an answer says beyond its ranks: which match is the query itself, which is a copy, and when nothing is similar.

use artificio_demo::Food;
use serde_json::{Value, json};

use super::pictures::{jpeg, png};
use super::workplace::{Workplace, found, put};

/// The same picture, saved again with another quality.
fn saved_again(bytes: &[u8]) -> Vec<u8> {
    let picture = image::load_from_memory(bytes).unwrap();
    let mut again = std::io::Cursor::new(Vec::new());
    picture.to_rgb8().write_with_encoder(image::codecs::jpeg::JpegEncoder::new_with_quality(&mut again, 80)).unwrap();
    again.into_inner()
}

fn match_of<'a>(record: &'a Value, path: &str) -> &'a Value {
    let all = record["matches"].as_array().unwrap();
    all.iter().find(|found| found["path"] == path).unwrap_or_else(|| panic!("{path} is not in {record:#}"))
}

#[test]
fn a_query_that_is_itself_in_the_inventory_is_marked() {
    let mut workplace = Workplace::new();
    workplace.stock(3);
    let original = jpeg(Food::Pizza, 7);
    put(workplace.inventory("same.jpg"), &original);
    put(workplace.inventory("again.jpg"), &saved_again(&original));
    workplace.start();
    workplace.wait_indexed(11);
    put(workplace.query("mine.jpg"), &original);
    let record = workplace.wait_record("mine");
    assert_eq!(match_of(&record, "same.jpg")["relation"], "identical", "{record:#}");
    assert_eq!(match_of(&record, "again.jpg")["relation"], "near_duplicate", "{record:#}");
    for other in record["matches"].as_array().unwrap().iter().filter(|found| found["path"] != "same.jpg") {
        assert_ne!(other["relation"], "identical");
    }
    let pizza = found(&record).into_iter().find(|path| path.starts_with("pizza_")).expect("other pizzas follow");
    assert_eq!(match_of(&record, &pizza)["relation"], Value::Null, "{record:#}");
}

#[test]
fn a_trimmed_and_mirrored_copy_of_the_query_is_marked_under_either_encoder() {
    for encoder in ["pretrained", "convolutional"] {
        let mut workplace = Workplace::with_settings(&format!("encoder = \"{encoder}\"\n[answer]\nresults = 7\n"));
        workplace.stock(2);
        let picture = image::load_from_memory(&jpeg(Food::Sushi, 7)).unwrap();
        let (width, height) = (picture.width(), picture.height());
        let part = picture.crop_imm(width / 8, height / 6, width * 4 / 5, height * 4 / 5).fliph();
        part.save(workplace.inventory("part.png")).unwrap();
        workplace.start();
        workplace.wait_indexed(7);
        put(workplace.query("mine.jpg"), &jpeg(Food::Sushi, 7));
        let record = workplace.wait_record("mine");
        for found in record["matches"].as_array().unwrap() {
            let wanted = if found["path"] == "part.png" { json!("near_duplicate") } else { Value::Null };
            assert_eq!(found["relation"], wanted, "{encoder}: {record:#}");
        }
        assert!(found(&record).contains(&"part.png".to_string()), "{encoder}: {record:#}");
    }
}

#[test]
fn copies_are_shown_as_one_when_the_settings_say_so() {
    let mut workplace = Workplace::with_settings("[answer]\ncollapse_duplicates = true\nresults = 3\n");
    workplace.stock(3);
    let original = jpeg(Food::Pizza, 7);
    for name in ["copy one.jpg", "copy two.jpg"] {
        put(workplace.inventory(name), &original);
    }
    put(workplace.inventory("copy three.jpg"), &saved_again(&original));
    workplace.start();
    workplace.wait_indexed(12);
    put(workplace.query("mine.jpg"), &original);
    let record = workplace.wait_record("mine");
    let first = &record["matches"][0];
    let mut copies = vec![first["path"].as_str().unwrap()];
    copies.extend(first["duplicates"].as_array().unwrap().iter().map(|copy| copy["path"].as_str().unwrap()));
    copies.sort_unstable();
    assert_eq!(copies, ["copy one.jpg", "copy three.jpg", "copy two.jpg"], "{record:#}");
    assert_eq!(found(&record).len(), 3, "what the copies leave free goes to others: {record:#}");
    let absolute = first["absolute_path"].as_str().unwrap();
    assert!(std::path::Path::new(absolute).is_file(), "{absolute}");
}

#[test]
fn without_anything_similar_the_least_bad_is_not_shown() {
    let mut workplace = Workplace::with_settings("[answer]\nmin_likeness = 0.999\n");
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    put(workplace.query("strange.png"), &png(Food::Egg, 5));
    let record = workplace.wait_record("strange");
    assert_eq!(record["status"], "nothing_similar", "{record:#}");
    assert_eq!(record["matches"], json!([]));
    let nearest = record["nearest"]["path"].as_str().unwrap();
    assert!(record["message"].as_str().unwrap().contains(nearest), "{record:#}");

    workplace.set("[answer]\nmin_likeness = 0\n");
    workplace.wait("the new settings", || workplace.log().contains("new settings in force").then_some(()));
    put(workplace.query("unrelated.png"), &png(Food::Egg, 6));
    let record = workplace.wait_record("unrelated");
    assert_eq!((record["status"].as_str(), found(&record).len()), (Some("ok"), 5), "{record:#}");
}

#[test]
fn a_score_asked_for_leaves_out_what_does_not_reach_it() {
    let mut workplace = Workplace::with_settings("[answer]\nmin_score = 0.9\nresults = 9\n");
    workplace.stock(3);
    workplace.start();
    workplace.wait_indexed(9);
    put(workplace.query("lunch.jpg"), &jpeg(Food::Sushi, 2_000));
    let record = workplace.wait_record("lunch");
    let scores: Vec<f64> =
        record["matches"].as_array().unwrap().iter().map(|found| found["closer_than"].as_f64().unwrap()).collect();
    assert!(scores.len() < 9 && scores.iter().all(|&score| score >= 0.899_999), "{record:#}");
}

#[test]
fn a_sheet_is_of_the_format_asked_for_and_never_stands_there_twice() {
    let mut workplace = Workplace::with_settings("[answer]\nformat = \"jpeg\"\n");
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    put(workplace.query("lunch.jpg"), &jpeg(Food::Sushi, 2_000));
    let record = workplace.wait_record("lunch");
    assert_eq!(record["sheet"], "result_lunch.jpg");
    let sheet = |end: &str| workplace.root().join(format!("answer/result_lunch.{end}"));
    let read = |end: &str| image::guess_format(&std::fs::read(sheet(end)).unwrap()).unwrap();
    assert_eq!(read("jpg"), image::ImageFormat::Jpeg);

    workplace.set("[answer]\nformat = \"webp\"\ncolumns = 2\nresults = 4\n");
    workplace.wait("the new settings", || workplace.log().contains("new settings in force").then_some(()));
    put(workplace.query("lunch.jpg"), &jpeg(Food::Sushi, 2_001));
    workplace.wait_record_that("lunch", |record| record["sheet"] == "result_lunch.webp");
    assert_eq!(read("webp"), image::ImageFormat::WebP);
    workplace.wait("the earlier sheet to go", || (!sheet("jpg").exists()).then_some(()));
}

#[test]
fn an_answer_whose_place_is_taken_holds_up_no_other_and_is_said_once() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    workplace.start();
    workplace.wait_indexed(3);
    let taken = workplace.record_path("evil");
    std::fs::create_dir(&taken).unwrap();
    put(workplace.query("evil.jpg"), &jpeg(Food::Pizza, 1));
    let is_problem = |status: &Value| status["problems"].to_string().contains("result_evil.json");
    workplace.wait_status("the problem", is_problem);
    for number in 0..20 {
        put(workplace.query(format!("good_{number}.jpg")), &jpeg(Food::Burger, number));
        workplace.wait_record(&format!("good_{number}"));
    }
    // The moments at which it could have been said again: it was tried with each other answer before.
    let said = workplace.log().lines().filter(|line| line.contains("result_evil.json")).count();
    assert_eq!(said, 1, "{}", workplace.log());
    assert!(!workplace.log().contains("the disk"), "nothing is wrong with the disk: {}", workplace.log());
    std::fs::remove_dir(&taken).unwrap();
    workplace.wait_record("evil");
    workplace.wait_status("no problem", |status| !is_problem(status));
}
