//! What outlives the daemon: a restart repeats nothing and loses nothing.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use artificio_demo::Food;
use serde_json::Value;

use super::pictures::{jpeg, tiny};
use super::workplace::{Workplace, put};

/// Kills, each at another moment.
const KILLS: u32 = 200;

/// With a model of its own, two answers and an error answer.
fn settled_workplace() -> Workplace {
    let mut workplace = Workplace::with_settings("min_train = 6");
    workplace.stock(2);
    workplace.start();
    workplace.wait_status("a model", |status| status["model"]["trained_on"] == 6);
    put(workplace.query("one.jpg"), &jpeg(Food::Pizza, 2_000));
    put(workplace.query("set/a.jpg"), &jpeg(Food::Sushi, 2_000));
    put(workplace.query("set/b.jpg"), &jpeg(Food::Sushi, 2_001));
    put(workplace.query("wrong.jpg"), b"this is no picture at all");
    for name in ["one", "set", "wrong"] {
        workplace.wait_record(name);
    }
    workplace.wait_all_done();
    workplace
}

fn assert_nothing_repeated(workplace: &mut Workplace, end: impl FnOnce(&mut Workplace)) {
    let written = ["one", "set", "wrong"].map(|name| workplace.written(name));
    let before = workplace.status().unwrap();
    end(workplace);
    workplace.start();
    let after = workplace.wait_all_done();
    assert_eq!(["one", "set", "wrong"].map(|name| workplace.written(name)), written, "{}", workplace.log());
    for part in ["model", "inventory"] {
        assert_eq!(after[part], before[part], "{part}");
    }
    // One more: that of the wait.
    let answered = before["queries"]["answered"].as_u64().unwrap() + 1;
    assert_eq!(after["queries"], serde_json::json!({"answered": answered, "failed": 1, "pending": 0}));
    assert_eq!(before["queries"]["failed"], 1);
    assert!(!after["model"]["id"].as_str().unwrap().contains("features"));
}

#[test]
fn an_orderly_restart_repeats_nothing() {
    assert_nothing_repeated(&mut settled_workplace(), |workplace| {
        workplace.stop();
    });
}

#[test]
fn a_power_cut_repeats_nothing() {
    assert_nothing_repeated(&mut settled_workplace(), Workplace::kill);
}

/// What the answer to one and the same picture says of the inventory, and when.
fn asked_again(workplace: &Workplace, name: &str) -> (Value, u64) {
    put(workplace.query(format!("{name}.jpg")), &jpeg(Food::Pizza, 2_000));
    let record = workplace.wait_record(name);
    assert_eq!(record["status"], "ok", "{record:#}");
    let said = ["matches", "settings", "inventory", "model"].map(|key| record[key].clone());
    (said.into(), record["index_generation"].as_u64().unwrap())
}

/// Whatever came and went: a restart changes no match, no similarity, no grade, and not what "closer than" means. The number of
/// what is searched only rises, over a new model as well.
#[test]
fn a_restart_changes_nothing_that_an_answer_says() {
    let mut workplace = Workplace::with_settings("min_train = 1000");
    workplace.stock(5);
    workplace.start();
    workplace.wait_indexed(15);
    let (untrained, first) = asked_again(&workplace, "first");
    workplace.set("min_train = 15");
    workplace.wait_status("a model", |status| status["model"]["trained_on"] == 15);
    let (trained, second) = asked_again(&workplace, "second");
    assert!(trained != untrained && second > first, "{second} after {first}");
    for seed in 0..3 {
        put(workplace.inventory(format!("egg_{seed}.jpg")), &jpeg(Food::Egg, seed));
        fs::remove_file(workplace.inventory(format!("sushi_{seed}.jpg"))).unwrap();
    }
    workplace.wait("another inventory", || workplace.log().contains("sushi_2.jpg is gone").then_some(()));
    workplace.wait_indexed(15);
    let (before, third) = asked_again(&workplace, "third");
    assert!(third > second, "{third} after {second}");
    let mut last = third;
    let stop = |workplace: &mut Workplace| {
        workplace.stop();
    };
    for (name, end) in [("fourth", Workplace::kill as fn(&mut Workplace)), ("fifth", stop)] {
        end(&mut workplace);
        workplace.start();
        let (after, generation) = asked_again(&workplace, name);
        assert_eq!(after, before);
        assert!(generation > last, "{generation} after {last}");
        last = generation;
    }
}

#[test]
fn an_error_answer_for_an_empty_file_is_not_repeated_either() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    workplace.start();
    put(workplace.query("empty.jpg"), b"");
    workplace.wait_record("empty");
    let written = workplace.written("empty");
    workplace.stop();
    workplace.start();
    // An empty file is waited for, seven seconds in all, before it is given up: another one, later than the first.
    put(workplace.query("empty_later.jpg"), b"");
    workplace.wait_record("empty_later");
    workplace.assert_left_alone("empty", written);
}

#[test]
fn what_came_while_nothing_ran_is_done_at_the_next_start() {
    let mut workplace = settled_workplace();
    workplace.stop();
    assert_eq!(workplace.run(&["status"]).status.code(), Some(1), "status says that nothing runs");
    put(workplace.query("new.jpg"), &jpeg(Food::Burger, 2_000));
    put(workplace.query("one.jpg"), &jpeg(Food::Burger, 2_001));
    put(workplace.query("set/late.jpg"), &jpeg(Food::Burger, 2_002));
    put(workplace.inventory("late.jpg"), &jpeg(Food::Egg, 0));
    fs::remove_file(workplace.inventory("sushi_0.jpg")).unwrap();
    workplace.start();
    workplace.wait_record_that("new", |record| record["status"] == "ok");
    let blake3 = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let hash = blake3(&jpeg(Food::Burger, 2_001));
    workplace.wait_record_that("one", |record| record["query"]["files"][0]["blake3"] == hash.as_str());
    workplace.wait_record_that("set", |record| record["query"]["files"].as_array().unwrap().len() == 3);
    workplace.wait_indexed(6);
}

#[test]
fn killed_again_and_again_it_loses_no_query_and_leaves_no_half_answer() {
    let mut workplace = Workplace::new();
    for number in 0..40 {
        put(workplace.inventory(format!("{number}.png")), &tiny(number));
    }
    let mut seen = HashMap::new();
    for round in 0..KILLS {
        workplace.launch();
        put(workplace.query(format!("q{round}.png")), &tiny(1_000 + round));
        // Spread evenly over the start and what comes after it, in no order.
        std::thread::sleep(Duration::from_millis(u64::from(20 + round * 317 % 503)));
        workplace.kill();
        for entry in fs::read_dir(workplace.root().join("answer")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let written = fs::metadata(&path).unwrap().modified().unwrap();
            if seen.insert(path.clone(), written) == Some(written) {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            match path.extension().and_then(|end| end.to_str()) {
                Some("json") => drop(serde_json::from_slice::<Value>(&bytes).expect("a whole record")),
                Some("png") => drop(image::load_from_memory(&bytes).expect("a whole sheet")),
                Some("html") => assert!(bytes.trim_ascii_end().ends_with(b"</html>"), "a whole gallery"),
                _ => assert!(
                    path.file_name().unwrap().to_str().unwrap().starts_with(".artificio-"),
                    "{}",
                    path.display()
                ),
            }
        }
    }
    workplace.start();
    let status = workplace.wait_indexed(40);
    assert_eq!(status["problem_count"], 0, "{status:#}");
    for round in 0..KILLS {
        workplace.wait_record_that(&format!("q{round}"), |record| record["status"] == "ok");
    }
    workplace.wait("the gallery", || workplace.root().join("answer/index.html").exists().then_some(()));
    let left = fs::read_dir(workplace.root().join("answer")).unwrap().map(|entry| entry.unwrap().file_name());
    let (hidden, answers): (Vec<_>, Vec<_>) = left.partition(|name| name.to_str().unwrap().starts_with('.'));
    assert_eq!(hidden, [".thumbnails"], "half-written files are swept at the start: {hidden:?}");
    assert_eq!(answers.len(), 2 * KILLS as usize + 1, "a sheet and a record each, and the gallery: {answers:?}");
}

#[test]
fn stopped_in_the_middle_of_its_work_it_ends_soon_and_well() {
    let mut workplace = Workplace::with_settings("min_train = 4");
    workplace.start();
    let mut count = 0;
    // More and more, until the test sees it at work.
    workplace.wait("some work", || {
        for _ in 0..100 {
            put(workplace.inventory(format!("{count}.png")), &tiny(count));
            count += 1;
        }
        let status = workplace.status()?;
        (count >= 300 && status["inventory"]["pending"].as_u64() > Some(0)).then_some(())
    });
    let taken = workplace.stop();
    assert!(taken < Duration::from_secs(10), "{taken:?}");
    workplace.start();
    workplace.wait_indexed(count.into());
}
