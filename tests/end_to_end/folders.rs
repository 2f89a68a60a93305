//! Folders teach: what pictures that somebody sorted give the model, and when it learns from them again.

use std::fs;

use artificio_demo::Food;
use serde_json::Value;

use super::models::models;
use super::pictures::jpeg;
use super::workplace::{Workplace, put};

const KINDS: [Food; 4] = [Food::Burger, Food::Pizza, Food::Sushi, Food::Egg];
const OF_EACH: u64 = 8;
const ALL: u64 = KINDS.len() as u64 * OF_EACH;

/// Pictures of four kinds, each kind in a folder.
fn sorted(workplace: &Workplace) {
    for kind in KINDS {
        for seed in 0..OF_EACH {
            put(workplace.inventory(format!("{}/{seed}.jpg", kind.label())), &jpeg(kind, seed));
        }
    }
}

/// The service with a first model of sorted pictures, of exactly as many as are needed.
fn taught(more: &str) -> (Workplace, Value) {
    let mut workplace = Workplace::with_settings(&format!("min_train = {ALL}\n{more}"));
    sorted(&workplace);
    workplace.start();
    let status = workplace.wait_status("a model", |status| status["model"]["trained_on"] == ALL);
    (workplace, status)
}

fn wait_other_model(workplace: &Workplace, than: &Value) -> Value {
    workplace.wait_status("another model", |status| status["model"]["id"] != than["model"]["id"])
}

fn sentence(status: &Value) -> &str {
    status["model"]["folders"]["message"].as_str().unwrap()
}

#[test]
fn sorted_pictures_teach_and_everything_that_names_the_model_says_what_they_gave() {
    let (mut workplace, status) = taught("retrain_after = 500");
    let folders = &status["model"]["folders"];
    assert_eq!((&folders["taught"], &folders["folders"], &folders["pictures"]), (&true.into(), &4.into(), &ALL.into()));
    assert!(folders["precision_after"].as_f64() > folders["precision_before"].as_f64(), "{folders:#}");
    assert!(sentence(&status).starts_with("4 folders taught: "), "{folders:#}");
    let text = |output: std::process::Output| String::from_utf8(output.stdout).unwrap();
    for command in ["status", "models"] {
        let said = text(workplace.run(&[command]));
        assert!(said.contains("4 folders taught: "), "{command}: {said}");
    }
    assert_eq!(&models(&workplace)["models"][0]["folders"], folders);
    assert!(workplace.log().contains(sentence(&status)), "{}", workplace.log());
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    assert_eq!(&workplace.wait_record("q")["model"]["folders"], folders);

    workplace.stop();
    workplace.start();
    let restarted = workplace.wait_all_done();
    assert_eq!(restarted["model"], status["model"], "nothing is trained again: {}", workplace.log());

    assert!(workplace.run(&["models", "rollback", "features"]).status.success());
    put(workplace.query("q2.jpg"), &jpeg(Food::Pizza, 2_001));
    let record = workplace.wait_record("q2");
    assert_eq!((&record["model"]["id"], &record["model"]["folders"]["taught"]), (&"features".into(), &false.into()));
    assert!(record["model"]["folders"]["message"].as_str().unwrap().contains("nothing is trained yet"), "{record:#}");
}

#[test]
fn the_setting_takes_effect_at_once_by_a_training_and_back() {
    let (workplace, first) = taught("retrain_after = 500");
    workplace.set(&format!("min_train = {ALL}\nretrain_after = 500\nlearn_from_folders = \"off\""));
    workplace.signal("HUP");
    let off = wait_other_model(&workplace, &first);
    assert_eq!((&off["model"]["folders"]["taught"], &off["model"]["trained_on"]), (&false.into(), &ALL.into()));
    assert!(sentence(&off).contains("learn_from_folders was off"), "{off:#}");
    // What somebody sorts now teaches nothing.
    fs::rename(workplace.inventory("pizza"), workplace.inventory("egg/pizza")).unwrap();
    assert_eq!(workplace.wait_all_done()["model"]["id"], off["model"]["id"], "{}", workplace.log());
    fs::rename(workplace.inventory("egg/pizza"), workplace.inventory("pizza")).unwrap();
    workplace.wait_all_done();

    workplace.set(&format!("min_train = {ALL}\nretrain_after = 500"));
    workplace.signal("HUP");
    let on = wait_other_model(&workplace, &off);
    assert_eq!(on["model"]["folders"], first["model"]["folders"]);
    assert_eq!(models(&workplace)["models"].as_array().unwrap().len(), 3);
}

#[test]
fn pictures_moved_to_others_are_learned_from_and_a_renamed_folder_is_not() {
    let (mut workplace, first) = taught("retrain_after = 6\nretrain_growth = 0.1");
    fs::rename(workplace.inventory("pizza"), workplace.inventory("italian")).unwrap();
    let renamed = workplace.wait_all_done();
    assert_eq!((&renamed["model"]["id"], &renamed["inventory"]["indexed"]), (&first["model"]["id"], &ALL.into()));
    // A restart compares with what was kept of the folders.
    workplace.stop();
    let move_eggs = |seeds: std::ops::Range<u64>| {
        for seed in seeds {
            fs::rename(
                workplace.inventory(format!("egg/{seed}.jpg")),
                workplace.inventory(format!("italian/e{seed}.jpg")),
            )
            .unwrap();
        }
    };
    move_eggs(0..5);
    workplace.start();
    assert_eq!(workplace.wait_all_done()["model"]["id"], first["model"]["id"], "five are too few: {}", workplace.log());
    fs::rename(workplace.inventory("egg/5.jpg"), workplace.inventory("italian/e5.jpg")).unwrap();
    let second = wait_other_model(&workplace, &first);
    assert_eq!((&second["model"]["trained_on"], &second["inventory"]["indexed"]), (&ALL.into(), &ALL.into()));
    assert_eq!(models(&workplace)["models"].as_array().unwrap().len(), 2, "{}", workplace.log());
}

#[test]
fn pictures_that_nobody_sorted_are_trained_on_as_ever_and_sorting_them_is_noticed() {
    let mut workplace = Workplace::with_settings("min_train = 9\nretrain_after = 6");
    workplace.stock(3);
    workplace.start();
    let flat = workplace.wait_status("a model", |status| status["model"]["trained_on"] == 9);
    assert_eq!(flat["model"]["folders"]["taught"], false);
    assert!(sentence(&flat).contains("not two"), "{flat:#}");
    for kind in ["burger", "pizza"] {
        fs::create_dir(workplace.inventory(kind)).unwrap();
        for seed in 0..3 {
            let name = format!("{kind}_{seed}.jpg");
            fs::rename(workplace.inventory(&name), workplace.inventory(kind).join(&name)).unwrap();
        }
    }
    let sorted = wait_other_model(&workplace, &flat);
    assert_eq!(sorted["model"]["folders"]["folders"], 2, "{sorted:#}");
}
