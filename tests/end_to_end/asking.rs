//! `artificio query`: answers on the terminal, with a daemon running and without one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use artificio_demo::Food;
use serde_json::Value;

use super::pictures::jpeg;
use super::workplace::{Workplace, found, put};

/// A picture that lies somewhere else.
fn elsewhere(workplace: &Workplace, name: &str, bytes: &[u8]) -> String {
    let path = workplace.root().join("elsewhere").join(name);
    put(&path, bytes);
    path.to_str().unwrap().to_string()
}

/// Everything below the folders that are not to be touched, with its size.
fn contents(workplace: &Workplace) -> BTreeMap<PathBuf, u64> {
    let folders =
        ["query", "answer", "db/img_inventory_raw", "db/img_train_raw"].map(|name| workplace.root().join(name));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap());
    files.map(|entry| (entry.path(), entry.metadata().unwrap().len())).collect()
}

fn json(workplace: &Workplace, arguments: &[&str]) -> Value {
    let output = workplace.run(&[&["query", "--json"], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_terminal_answers_as_the_folder_does_and_touches_nothing() {
    let mut workplace = Workplace::new();
    workplace.stock(3);
    workplace.start();
    workplace.wait_indexed(9);
    let lunch = elsewhere(&workplace, "lunch.jpg", &jpeg(Food::Sushi, 2_000));
    put(workplace.query("lunch.jpg"), &jpeg(Food::Sushi, 2_000));
    let written = workplace.wait_record("lunch");
    workplace.wait_gallery("lunch.jpg");
    let before = contents(&workplace);

    let with_daemon = json(&workplace, &[&lunch]);
    assert_eq!(found(&with_daemon), found(&written));
    assert_eq!(with_daemon["query"]["content"], written["query"]["content"]);
    workplace.stop();
    let without_daemon = json(&workplace, &[&lunch, "-k", "2"]);
    assert_eq!(found(&without_daemon), found(&written)[..2]);
    assert_eq!(contents(&workplace), before);

    let output = workplace.run(&["query", &lunch]);
    let text = String::from_utf8(output.stdout).unwrap();
    let first = &found(&written)[0];
    let grade = written["matches"][0]["grade"].as_str().unwrap();
    assert!(text.lines().nth(1).unwrap().contains(first.as_str()) && text.contains(&format!(" 1  {grade} ")), "{text}");
}

#[test]
fn several_pictures_are_a_set_and_the_sheet_goes_where_the_option_says() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    let one = elsewhere(&workplace, "one.jpg", &jpeg(Food::Pizza, 2_000));
    let two = elsewhere(&workplace, "two.jpg", &jpeg(Food::Pizza, 2_001));
    let folder = workplace.root().join("elsewhere");
    let sheet = workplace.root().join("mine.webp");
    let record = json(&workplace, &[&one, &two, "--sheet", sheet.to_str().unwrap()]);
    assert_eq!(record["query"]["set_mode"], "mean");
    assert_eq!(image::guess_format(&std::fs::read(&sheet).unwrap()).unwrap(), image::ImageFormat::WebP);
    let by_folder = json(&workplace, &[folder.to_str().unwrap()]);
    assert_eq!(found(&by_folder), found(&record));
}

#[test]
fn a_folder_is_asked_with_its_examples_and_settings_as_in_the_query_folder() {
    let mut workplace = Workplace::with_settings("[answer]\nresults = 4\n");
    workplace.stock(3);
    workplace.start();
    workplace.wait_indexed(9);
    let files = [
        ("set/one.jpg", jpeg(Food::Pizza, 2_000)),
        ("set/deeper/two.jpg", jpeg(Food::Sushi, 2_000)),
        ("set/not/wrong.jpg", jpeg(Food::Pizza, 0)),
        ("set/yes/right.jpg", jpeg(Food::Sushi, 2_001)),
        ("set/yes/.hidden.jpg", jpeg(Food::Burger, 2_001)),
        ("set/query.toml", b"k = 8\nset_mode = \"nearest\"\n".to_vec()),
    ];
    for (name, bytes) in &files {
        elsewhere(&workplace, name, bytes);
        put(workplace.query(name), bytes);
    }
    let is_whole = |record: &Value| record["query"]["yes"].is_array() && record["settings"]["results"] == 8;
    let written = workplace.wait_record_that("set", |record| is_whole(record) && record["query"]["not"].is_array());
    let folder = workplace.root().join("elsewhere/set");
    let folder = folder.to_str().unwrap();
    let asked = json(&workplace, &[folder]);
    assert_eq!(found(&asked), found(&written));
    for key in ["/message", "/settings", "/query/content", "/query/set_mode", "/status"] {
        assert_eq!(asked.pointer(key), written.pointer(key), "{key}: {asked:#}");
    }
    assert!(asked["message"].as_str().unwrap().contains("Not shown: 1 picture that is the same"), "{asked:#}");
    assert_eq!(found(&json(&workplace, &[folder, "-k", "2"])).len(), 2, "what is asked for on the command line counts");

    elsewhere(&workplace, "other/query.toml", b"k = 2\n");
    let other = workplace.root().join("elsewhere/other");
    let output = workplace.run(&["query", folder, other.to_str().unwrap()]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && message.contains("one query has one file of settings"), "{message}");
}

#[test]
fn a_query_may_be_about_some_folders_of_the_inventory() {
    let mut workplace = Workplace::new();
    for number in 0..3 {
        put(workplace.inventory(format!("new/{number}.jpg")), &jpeg(Food::Pizza, number));
        put(workplace.inventory(format!("old/{number}.jpg")), &jpeg(Food::Pizza, 100 + number));
    }
    workplace.start();
    workplace.wait_indexed(6);
    put(workplace.query("set/query.toml"), b"within = \"new\"\n");
    put(workplace.query("set/one.jpg"), &jpeg(Food::Pizza, 2_000));
    let is_within = |record: &Value, count: usize, folder: &str| {
        let found = found(record);
        assert!(found.len() == count && found.iter().all(|path| path.starts_with(folder)), "{record:#}");
    };
    let record = workplace.wait_record_that("set", |record| record["status"] == "ok");
    is_within(&record, 3, "new/");
    assert_eq!((&record["settings"]["within"], &record["inventory"]), (&serde_json::json!(["new"]), &3.into()));
    assert!(record["message"].as_str().unwrap().contains("of 3 pictures within new"), "{record:#}");

    let set = workplace.query("set");
    let set = set.to_str().unwrap();
    is_within(&json(&workplace, &[set]), 3, "new/");
    is_within(&json(&workplace, &[set, "--not-within", "new"]), 3, "old/");
    is_within(&json(&workplace, &[set, "--within", "./old/", "--within", "new", "-k", "2"]), 2, "");
    let nothing = json(&workplace, &[set, "--within", "shirts"]);
    assert_eq!(nothing["status"], "nothing_similar");
    assert!(nothing["message"].as_str().unwrap().contains("lies within shirts"), "{nothing:#}");
    let output = workplace.run(&["query", set, "--within", "../elsewhere"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && message.contains("no folder inside the inventory"), "{message}");
}

/// A picture whose file says (EXIF) when it was taken: one directory, the date alone.
fn taken(picture: &[u8], date: &str) -> Vec<u8> {
    let entry = [0x32, 0x01, 2, 0, 20, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0];
    let exif = [&b"Exif\0\0II*\0\x08\0\0\0\x01\0"[..], &entry, date.as_bytes(), b"\0"].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&picture[..2], b"\xFF\xE1", &length, &exif, &picture[2..]].concat()
}

#[test]
fn a_query_may_be_about_some_time() {
    let mut workplace = Workplace::new();
    for (number, date) in ["2024:05:31 23:59:59", "2024:06:01 00:00:00", "2024:06:30 12:00:00"].into_iter().enumerate()
    {
        put(workplace.inventory(format!("{number}.jpg")), &taken(&jpeg(Food::Pizza, number as u64), date));
    }
    // Without a date of its own: the time of its last change counts.
    put(workplace.inventory("3.jpg"), &jpeg(Food::Pizza, 3));
    let changed = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_718_000_000);
    std::fs::File::options().write(true).open(workplace.inventory("3.jpg")).unwrap().set_modified(changed).unwrap();
    workplace.start();
    workplace.wait_indexed(4);
    put(workplace.query("set/query.toml"), b"after = 2024-06-01\nbefore = \"2024-07-01\"\n");
    put(workplace.query("set/one.jpg"), &jpeg(Food::Pizza, 2_000));
    let sorted = |record: &Value| {
        let mut paths = found(record);
        paths.sort_unstable();
        paths
    };
    let record = workplace.wait_record_that("set", |record| record["status"] == "ok");
    assert_eq!(sorted(&record), ["1.jpg", "2.jpg", "3.jpg"], "{record:#}");
    let settings = &record["settings"];
    assert_eq!((settings["after"].as_str(), settings["before"].as_str()), (Some("2024-06-01"), Some("2024-07-01")));
    let message = record["message"].as_str().unwrap();
    assert!(message.contains("of 3 pictures taken since 2024-06-01 and before 2024-07-01"), "{message}");
    for found in record["matches"].as_array().unwrap() {
        let expected = match found["path"].as_str().unwrap() {
            "1.jpg" => Some("2024-06-01T00:00:00"),
            "2.jpg" => Some("2024-06-30T12:00:00"),
            _ => None,
        };
        assert_eq!(found.get("taken").and_then(Value::as_str), expected, "{found:#}");
        assert!(found["width"].as_u64() > Some(0) && found["height"].as_u64() > Some(0), "{found:#}");
    }

    let lunch = elsewhere(&workplace, "lunch.jpg", &jpeg(Food::Pizza, 2_000));
    assert_eq!(sorted(&json(&workplace, &[&lunch, "--before", "2024-06-01"])), ["0.jpg"]);
    assert_eq!(
        sorted(&json(&workplace, &[&lunch, "--after", "2024-06-01T00:01", "--before", "2024-06-30 12:01"])),
        ["2.jpg", "3.jpg"]
    );
    let nothing = json(&workplace, &[&lunch, "--after", "2030-01-01"]);
    assert_eq!(nothing["status"], "nothing_similar");
    assert!(nothing["message"].as_str().unwrap().contains("is taken since 2030-01-01"), "{nothing:#}");
    let output = workplace.run(&["query", &lunch, "--after", "tomorrow"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && message.contains("\"tomorrow\" is no date"), "{message}");
}

#[test]
fn what_cannot_be_answered_is_said_in_a_sentence() {
    let workplace = Workplace::new();
    let lunch = elsewhere(&workplace, "lunch.jpg", &jpeg(Food::Sushi, 2_000));
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let output = workplace.run(&[&["query"], arguments].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert!(message.contains(words), "{message}");
    };
    refused(&[&lunch], 1, "no pictures have been read yet");
    refused(&["/not/there.jpg"], 2, "there is no such picture");
    refused(&[&lunch, "-k", "0"], 2, "1..=50");
    refused(&[&lunch, "--sheet", "sheet.bmp"], 2, "a sheet is a .png, .jpg or .webp file");
    refused(&[&lunch, "--sheet", &lunch], 2, "would replace the picture itself");
}

#[test]
fn a_file_that_is_no_picture_fails_with_its_reason() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    workplace.start();
    workplace.wait_indexed(3);
    let text = elsewhere(&workplace, "notes.jpg", b"milk, eggs, bread");
    let output = workplace.run(&["query", &text]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stdout).unwrap();
    assert!(message.contains("notes.jpg") && message.contains("What to do"), "{message}");
}
