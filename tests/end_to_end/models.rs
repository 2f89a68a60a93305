//! Which model serves: the gate, going back, training on request, and ends in the middle of a training.

use std::fs;
use std::time::Duration;

use artificio::catalog::{Catalog, FileRow, FileState, Root};
use artificio::picture::Hash;
use artificio_demo::Food;
use image::{ImageFormat, RgbImage};
use serde_json::Value;

use super::pictures::{jpeg, tiny};
use super::waiting::undisturbed;
use super::workplace::{Workplace, put};

/// A picture of nothing but noise.
pub fn noise(number: u32) -> Vec<u8> {
    let mut state = u64::from(number) + 1;
    let picture = RgbImage::from_fn(48, 48, |_, _| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bytes = (state >> 24).to_le_bytes();
        image::Rgb([bytes[0], bytes[1], bytes[2]])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Bmp).unwrap();
    bytes.into_inner()
}

fn train_on(workplace: &Workplace, from: u64, to: u64) {
    for seed in from..to {
        put(workplace.training(format!("{seed}.jpg")), &jpeg(Food::ALL[seed as usize % 6], 1_000 + seed / 6));
    }
}

/// When nothing is left to do, no training is under way either; as it is at the moment.
fn assert_no_training(workplace: &Workplace) -> Value {
    let status = workplace.wait_all_done();
    assert_eq!(status["model"]["training"], Value::Null, "{}", workplace.log());
    status
}

/// What `artificio models --json` prints.
pub fn models(workplace: &Workplace) -> Value {
    let output = workplace.run(&["models", "--json"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn states(models: &Value) -> Vec<String> {
    let models = models["models"].as_array().unwrap();
    models.iter().map(|model| model["state"].as_str().unwrap().to_string()).collect()
}

/// With a model of the inventory and a later one of the training folder, each of exactly as many pictures as are needed: then
/// no training begins before all of them are there.
fn two_models() -> Workplace {
    let mut workplace = Workplace::with_settings("min_train = 6\nretrain_after = 6");
    workplace.stock(2);
    workplace.start();
    let first = workplace.wait_status("a model", |status| status["model"]["trained_on"] == 6);
    train_on(&workplace, 0, 6);
    workplace.wait_status("a better model", |status| {
        status["model"]["id"] != first["model"]["id"] && status["model"]["trained_on"] == 6
    });
    workplace
}

#[test]
fn a_poisoned_training_folder_is_refused_with_a_message_and_the_inventory_serves() {
    // As many of either kind as are needed: then no training begins before all of them are there.
    let mut workplace = Workplace::with_settings("min_train = 15");
    workplace.stock(5);
    for number in 0..15 {
        put(workplace.training(format!("{number}.bmp")), &noise(number));
    }
    workplace.start();
    let status = workplace.wait_status("a model of the inventory", |status| status["model"]["trained_on"] == 15);
    assert_eq!(status["state"], "degraded", "{status:#}");
    let problem = &status["problems"][0];
    assert!(problem["what"].as_str().unwrap().contains("nearly all alike"), "{status:#}");
    assert!(problem["remedy"].as_str().unwrap().contains("look at the training folder"), "{status:#}");
    assert_eq!(states(&models(&workplace)), ["serves", "refused"]);
    assert_no_training(&workplace);
    assert_eq!(workplace.log().matches("is refused").count(), 1, "{}", workplace.log());

    // A restart says it again and does not try again; cleaning up ends it.
    workplace.stop();
    workplace.start();
    workplace.wait_status("the problem", |status| status["problem_count"] == 1);
    for number in 0..15 {
        fs::remove_file(workplace.training(format!("{number}.bmp"))).unwrap();
    }
    let status = workplace.wait_status("no problem", |status| status["state"] == "ready");
    assert_eq!(status["model"]["trained_on"], 15);
    assert_eq!(workplace.log().matches("is refused").count(), 1, "{}", workplace.log());
}

#[test]
fn going_back_under_the_running_service_is_at_once_and_lasts() {
    let mut workplace = two_models();
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    let second = workplace.wait_record("q")["model"]["id"].clone();
    let before = models(&workplace);
    assert_eq!((before["serving"].clone(), states(&before)), (second.clone(), vec!["serves".into(), "kept".into()]));
    assert!(before["models"][0]["figures"]["distinct"].as_f64() > Some(5.9), "{before:#}");

    let output = workplace.run(&["models", "rollback"]);
    assert!(output.status.success(), "{output:?}");
    let after = models(&workplace);
    assert_eq!(states(&after), ["kept", "serves"]);
    put(workplace.query("q2.jpg"), &jpeg(Food::Pizza, 2_001));
    assert_eq!(workplace.wait_record("q2")["model"]["id"], after["serving"]);
    assert_no_training(&workplace);
    workplace.stop();
    workplace.start();
    let status = assert_no_training(&workplace);
    assert_eq!(status["model"]["id"], after["serving"], "the same is not trained again: {}", workplace.log());
    assert_eq!(status["inventory"]["indexed"], 6);

    // Forward again, by name; then to no model at all.
    assert!(workplace.run(&["models", "rollback", second.as_str().unwrap()]).status.success());
    assert_eq!(models(&workplace)["serving"], second);
    assert!(workplace.run(&["models", "rollback", "features"]).status.success());
    put(workplace.query("q3.jpg"), &jpeg(Food::Pizza, 2_002));
    assert_eq!(workplace.wait_record("q3")["model"]["id"], "features");
}

#[test]
fn going_back_without_a_service_holds_from_its_next_start_on() {
    let mut workplace = two_models();
    workplace.stop();
    let output = workplace.run(&["models", "rollback"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(states(&models(&workplace)), ["kept", "serves"]);
    let unknown = workplace.run(&["models", "rollback", "m77"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no model m77"), "{unknown:?}");
    workplace.start();
    let model = workplace.wait_indexed(6)["model"].clone();
    assert_eq!((&model["id"], &model["trained_on"]), (&models(&workplace)["serving"], &6.into()));
    assert_eq!(states(&models(&workplace)), ["kept", "serves"]);
}

#[test]
fn a_training_on_request_is_made_with_and_without_a_service() {
    let mut workplace = Workplace::with_settings("min_train = 6\nretrain_after = 100");
    assert_eq!(workplace.run(&["models"]).status.code(), Some(1), "none has been trained");
    let output = workplace.run(&["train"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("6 pictures are needed"), "{output:?}");
    workplace.stock(2);
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    let output = workplace.run(&["train"]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("passed and serves from now on"), "{output:?}");
    assert!(workplace.record("q").is_none(), "queries are left to the service");

    workplace.start();
    let first = workplace.wait_indexed(6)["model"]["id"].clone();
    let output = workplace.run(&["train", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&printed["decision"], printed["id"] == first), (&"passed".into(), false), "{printed:#}");
    assert_eq!(models(&workplace)["serving"], printed["id"]);
}

/// In the middle of a training that takes seconds: held there until it goes on, with the id of the model that serves and the
/// number of inventory pictures.
fn in_training() -> (Workplace, Value, u64) {
    let mut workplace = Workplace::with_settings("min_train = 6\nretrain_after = 50");
    workplace.stock(2);
    workplace.start();
    workplace.wait_status("a model", |status| status["model"]["trained_on"] == 6);
    let (first, count) = undisturbed(|attempt| {
        let before = models(&workplace);
        for number in 150 * attempt..150 * (attempt + 1) {
            put(workplace.inventory(format!("{number}.png")), &tiny(number));
        }
        let status = workplace.wait_status("a training, or its end", |status| {
            !status["model"]["training"].is_null()
                || status["model"]["last_training"]["id"] != before["models"][0]["id"]
        });
        workplace.hold();
        if models(&workplace) != before || status["model"]["training"].is_null() {
            workplace.go_on();
            workplace.wait_all_done();
            return None;
        }
        assert!(status["model"]["training"]["pictures"].as_u64() > Some(6), "{status:#}");
        Some((before["serving"].clone(), 6 + 150 * u64::from(attempt + 1)))
    });
    (workplace, first, count)
}

#[test]
fn killed_in_the_middle_of_a_training_the_old_model_serves_on() {
    let (mut workplace, first, count) = in_training();
    workplace.kill();
    assert_eq!(models(&workplace)["serving"], first);
    workplace.set("min_train = 6\nretrain_after = 500");
    workplace.start();
    let status = workplace.wait_indexed(count);
    assert_eq!(status["model"]["id"], first);
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    assert_eq!(workplace.wait_record("q")["model"]["id"], first);
}

/// Embeddings that a killed training left behind are of a model that never came to be: the next model must not take them for its own.
#[test]
fn after_a_training_was_killed_the_next_model_has_a_name_and_embeddings_of_its_own() {
    let (mut workplace, first, count) = in_training();
    let killed = workplace.status().unwrap()["model"]["training"]["id"].as_str().unwrap().to_string();
    workplace.kill();
    let left_behind = [9.0; 4];
    let contents = |catalog: &Catalog| -> Vec<Hash> {
        let content = |file: FileRow| match file.state {
            FileState::Read(hash) => hash,
            FileState::Unread | FileState::Failed { .. } => panic!("{file:?}"),
        };
        catalog.files(Root::Inventory).unwrap().into_iter().map(content).collect()
    };
    let mut catalog = Catalog::open(&workplace.state("")).unwrap().catalog;
    let leave = |catalog: &Catalog| {
        contents(catalog).iter().try_for_each(|hash| catalog.put_embedding(*hash, &killed, &left_behind))
    };
    catalog.together(leave).unwrap();
    drop(catalog);

    workplace.start();
    let status = workplace.wait_status("another model", |status| {
        status["model"]["id"] != first && status["inventory"]["indexed"] == count
    });
    assert_ne!(status["model"]["id"], killed.as_str());
    let catalog = Catalog::open_reader(&workplace.state("")).unwrap();
    let contents = contents(&catalog);
    assert!(contents.len() > 100, "{} contents", contents.len());
    for hash in contents {
        let embedding = catalog.embedding(hash, status["model"]["id"].as_str().unwrap()).unwrap().expect("stored");
        assert_ne!(embedding, left_behind);
    }
}

#[test]
fn stopped_in_the_middle_of_a_training_it_ends_soon() {
    let (mut workplace, first, _) = in_training();
    let taken = workplace.stop();
    assert!(taken < Duration::from_secs(10), "{taken:?}");
    assert_eq!(models(&workplace)["serving"], first);
}

#[test]
fn settings_that_ask_for_another_model_break_a_training_off() {
    let (workplace, ..) = in_training();
    workplace.set("min_train = 6\nretrain_after = 50\ncode_width = 100");
    workplace.signal("HUP");
    workplace.go_on();
    workplace.wait("the end of the training", || workplace.log().contains("is cancelled").then_some(()));
    let status = workplace.wait_status("a model", |status| status["model"]["trained_on"].as_u64() > Some(6));
    assert!(status["model"]["last_training"]["decision"] == "passed", "{status:#}");
}

#[test]
fn pictures_that_keep_coming_do_not_keep_the_model_from_learning() {
    let mut workplace = Workplace::with_settings("min_train = 6");
    workplace.start();
    // Without a pause between them there is never quiet; a training waits for ten seconds of that at most.
    let mut numbers = 0..;
    let (_, taken) = workplace.wait_timed("a training", || {
        let number = numbers.next()?;
        put(workplace.inventory(format!("{number}.png")), &tiny(number));
        workplace.log().contains("training model").then_some(())
    });
    assert!(taken < Duration::from_secs(20), "{taken:?}");
}
