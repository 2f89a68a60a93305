//! When the model learns, and from what.

use artificio_demo::Food;

use super::models::models;
use super::pictures::jpeg;
use super::workplace::{Workplace, put};

fn train_on(workplace: &Workplace, from: u64, to: u64) {
    for seed in from..to {
        put(workplace.training(format!("{seed}.jpg")), &jpeg(Food::ALL[seed as usize % 6], 1_000 + seed / 6));
    }
}

#[test]
fn enough_training_pictures_make_a_model_and_enough_new_ones_another() {
    let mut workplace = Workplace::with_settings("min_train = 12\nretrain_after = 6");
    workplace.stock(1);
    train_on(&workplace, 0, 11);
    workplace.start();
    let status = workplace.wait_indexed(3);
    assert_eq!((&status["model"]["id"], &status["model"]["trained_on"]), (&"features".into(), &0.into()), "too few");

    train_on(&workplace, 11, 12);
    let first = workplace.wait_status("a first model", |status| status["model"]["trained_on"] == 12);
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    assert_eq!(workplace.wait_record("q")["model"]["id"], first["model"]["id"]);

    train_on(&workplace, 12, 17);
    let is_read = |seed: u32| {
        workplace.log().contains(&format!("{} read\n", workplace.training(format!("{seed}.jpg")).display()))
    };
    workplace.wait("the five new ones", || (12..17).all(is_read).then_some(()));
    assert_eq!(workplace.wait_all_done()["model"], first["model"], "five new ones are too few");
    train_on(&workplace, 17, 18);
    let second = workplace.wait_status("a second model", |status| status["model"]["trained_on"] == 18);
    assert_ne!(second["model"]["id"], first["model"]["id"]);
    put(workplace.query("q2.jpg"), &jpeg(Food::Pizza, 2_001));
    assert_eq!(workplace.wait_record("q2")["model"]["id"], second["model"]["id"]);
    assert_eq!(second["inventory"]["indexed"], 3);
}

#[test]
fn without_training_pictures_the_inventory_is_trained_on_until_there_are_some() {
    let mut workplace = Workplace::with_settings("min_train = 6");
    workplace.stock(2);
    workplace.start();
    let first = workplace.wait_status("a model", |status| status["model"]["trained_on"] == 6);
    train_on(&workplace, 0, 6);
    let second = workplace.wait_status("a better model", |status| status["model"]["id"] != first["model"]["id"]);
    assert_eq!(second["model"]["trained_on"], 6);
    assert_eq!(models(&workplace)["models"][0]["source"], "training");
}

#[test]
fn where_the_inventory_must_not_be_trained_on_answers_come_from_features() {
    let mut workplace = Workplace::with_settings("min_train = 6\ntrain_on_inventory = false");
    workplace.stock(3);
    workplace.start();
    workplace.wait_indexed(9);
    let status = workplace.wait_all_done();
    assert_eq!(status["model"]["training"], serde_json::Value::Null);
    assert_eq!((&status["model"]["id"], &status["model"]["trained_on"]), (&"features".into(), &0.into()));
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    assert_eq!(workplace.wait_record("q")["model"]["id"], "features");
}

#[test]
fn training_pictures_are_not_found() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    put(workplace.training("egg.jpg"), &jpeg(Food::Egg, 0));
    workplace.start();
    workplace.wait_indexed(3);
    put(workplace.query("q.jpg"), &jpeg(Food::Egg, 0));
    let record = workplace.wait_record("q");
    assert_eq!(super::workplace::found(&record).len(), 3, "{record:#}");
}

/// The same folders under either encoder: what each needs is read when it is needed, and neither uses the other's model.
#[test]
fn the_convolutional_encoder_learns_from_nothing_and_gives_way_when_the_settings_change() {
    const CONVOLUTIONAL: &str = "encoder = \"convolutional\"\ntrain_steps = 4\nmin_train = 9";
    let mut workplace = Workplace::with_settings(CONVOLUTIONAL);
    workplace.stock(3);
    workplace.start();
    let trained = workplace.wait_status("a training", |status| {
        status["model"]["trained_on"] == 9 || status["model"]["last_training"]["decision"] == "refused"
    });
    assert_eq!(trained["model"]["encoder"], "convolutional");
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    let record = workplace.wait_record("q");
    assert_eq!((&record["status"], &record["model"]["encoder"]), (&"ok".into(), &"convolutional".into()));
    assert_eq!(record["matches"].as_array().unwrap().len(), 5);

    workplace.stop();
    workplace.set("min_train = 9");
    workplace.start();
    let other = workplace.wait_status("a model of the other kind", |status| {
        status["model"]["encoder"] == "pretrained" && status["model"]["trained_on"] == 9
    });
    assert_eq!(other["inventory"]["indexed"], 9);
    put(workplace.query("q2.jpg"), &jpeg(Food::Pizza, 2_001));
    assert_eq!(workplace.wait_record("q2")["model"]["encoder"], "pretrained");

    workplace.stop();
    workplace.set(CONVOLUTIONAL);
    workplace.start();
    let back = workplace.wait_status("the first kind again", |status| status["inventory"]["indexed"] == 9);
    assert_eq!(back["model"]["encoder"], "convolutional");
}
