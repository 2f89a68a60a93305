//! When the model learns, and from what.

use artificio_demo::Food;

use super::pictures::jpeg;
use super::workplace::{A_WHILE, Workplace, put};

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
    std::thread::sleep(A_WHILE);
    assert_eq!(workplace.status().unwrap()["model"], first["model"], "five new ones are too few");
    train_on(&workplace, 17, 18);
    let second = workplace.wait_status("a second model", |status| status["model"]["trained_on"] == 18);
    assert_ne!(second["model"]["id"], first["model"]["id"]);
    put(workplace.query("q2.jpg"), &jpeg(Food::Pizza, 2_001));
    assert_eq!(workplace.wait_record("q2")["model"]["id"], second["model"]["id"]);
    assert_eq!(second["inventory"]["indexed"], 3);
}

#[test]
fn without_training_pictures_the_inventory_serves_and_gives_way_to_better() {
    let mut workplace = Workplace::with_settings("min_train = 6");
    workplace.stock(2);
    workplace.start();
    let first = workplace.wait_status("a model", |status| status["model"]["trained_on"] == 6);
    train_on(&workplace, 0, 7);
    let second = workplace.wait_status("a better model", |status| status["model"]["trained_on"] == 7);
    assert_ne!(first["model"]["id"], second["model"]["id"]);
}

#[test]
fn where_the_inventory_must_not_serve_answers_come_from_features() {
    let mut workplace = Workplace::with_settings("min_train = 6\ntrain_on_inventory = false");
    workplace.stock(3);
    workplace.start();
    workplace.wait_indexed(9);
    std::thread::sleep(A_WHILE);
    let status = workplace.status().unwrap();
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

/// The same folders under either encoder: what each needs is read when it is asked for, and neither uses the other's model.
#[test]
fn the_convolutional_encoder_learns_from_nothing_and_gives_way_when_it_is_told_to() {
    const CONVOLUTIONAL: &str = "encoder = \"convolutional\"\ntrain_steps = 4\nmin_train = 6";
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
    workplace.set("min_train = 6");
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
