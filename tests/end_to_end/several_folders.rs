//! An inventory of several folders, each with a name.

use std::fs;

use artificio_demo::Food;
use serde_json::Value;

use super::degraded::problem_with;
use super::pictures::jpeg;
use super::workplace::{Workplace, found, put};

/// Pizzas in one folder, sushi in the other.
fn two_folders() -> Workplace {
    let workplace = Workplace::with_settings("[folders]\ninventory = [\"shop\", \"scans\"]\n");
    for seed in 0..3 {
        put(workplace.root().join(format!("shop/2024/pizza_{seed}.jpg")), &jpeg(Food::Pizza, seed));
        put(workplace.root().join(format!("scans/sushi_{seed}.jpg")), &jpeg(Food::Sushi, seed));
    }
    workplace
}

/// The files that the matches of a record name by their absolute paths.
fn absolute(record: &Value) -> Vec<String> {
    let matches = record["matches"].as_array().unwrap();
    matches.iter().map(|found| found["absolute_path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn pictures_of_all_folders_are_found_followed_and_kept() {
    let mut workplace = two_folders();
    workplace.start();
    workplace.wait_indexed(6);
    put(workplace.query("lunch.jpg"), &jpeg(Food::Pizza, 0));
    let record = workplace.wait_record("lunch");
    assert_eq!(found(&record)[0], "shop/2024/pizza_0.jpg");
    let real = workplace.root().join("shop/2024/pizza_0.jpg");
    assert_eq!(absolute(&record)[0], real.to_str().unwrap(), "people are told where it lies");

    // Events come from both, and what was removed is no longer found.
    put(workplace.root().join("scans/new/sushi_9.jpg"), &jpeg(Food::Sushi, 9));
    workplace.wait_indexed(7);
    fs::remove_file(workplace.root().join("shop/2024/pizza_2.jpg")).unwrap();
    workplace.wait_indexed(6);
    put(workplace.query("asked/sushi.jpg"), &jpeg(Food::Sushi, 9));
    put(workplace.query("asked/query.toml"), b"within = \"scans\"\nk = 9\n");
    let record = workplace.wait_record_that("asked", |record| record["settings"]["results"] == 9);
    let paths = found(&record);
    assert_eq!((paths[0].as_str(), paths.len()), ("scans/new/sushi_9.jpg", 4), "{record:#}");

    // One of them is away, while the service runs and over a restart: its pictures are still found.
    fs::rename(workplace.root().join("scans"), workplace.root().join("elsewhere")).unwrap();
    workplace.wait_status("the folder as away", |status| problem_with(status, "suddenly empty"));
    assert_eq!(workplace.status().unwrap()["inventory"]["indexed"], 6);
    workplace.stop();
    workplace.start();
    workplace.wait_status("the folder as away", |status| problem_with(status, "suddenly empty"));
    put(workplace.query("later.jpg"), &jpeg(Food::Sushi, 9));
    let record = workplace.wait_record("later");
    assert_eq!((&record["status"], &record["matches"][0]["away"]), (&"partial".into(), &true.into()), "{record:#}");
    let decoded = workplace.decoded().len();
    fs::rename(workplace.root().join("elsewhere"), workplace.root().join("scans")).unwrap();
    workplace.wait_status("nothing away", |status| !problem_with(status, "suddenly empty"));
    workplace.wait_all_done();
    assert_eq!(workplace.status().unwrap()["inventory"]["indexed"], 6);
    assert_eq!(workplace.decoded().len(), decoded, "what came back was known");
    workplace.stop();

    // A folder that is taken out of the settings is gone, not away.
    workplace.set("[folders]\ninventory = { shop = \"shop\", more = \"more\" }\n");
    put(workplace.root().join("more/egg.jpg"), &jpeg(Food::Egg, 1));
    workplace.start();
    workplace.wait_indexed(3);
    assert!(!problem_with(&workplace.status().unwrap(), "suddenly empty"));
}

#[test]
fn a_folder_that_is_not_there_is_said_and_waited_for() {
    let mut workplace = two_folders();
    fs::rename(workplace.root().join("scans"), workplace.root().join("elsewhere")).unwrap();
    workplace.start();
    workplace.wait_indexed(3);
    let status = workplace.wait_status("the folder as missing", |status| problem_with(status, "the folder is missing"));
    let scans = workplace.root().join("scans");
    let problems = status["problems"].as_array().unwrap();
    assert!(problems.iter().any(|problem| problem["path"] == scans.to_str().unwrap()), "{status:#}");
    fs::rename(workplace.root().join("elsewhere"), &scans).unwrap();
    workplace.wait_indexed(6);
    workplace.wait_status("no problem", |status| !problem_with(status, "the folder is missing"));
}

#[test]
fn links_that_others_make_are_still_not_followed() {
    let mut workplace = two_folders();
    let secret = workplace.root().join("secret");
    put(secret.join("egg.jpg"), &jpeg(Food::Egg, 1));
    std::os::unix::fs::symlink(&secret, workplace.root().join("shop/link")).unwrap();
    std::os::unix::fs::symlink(secret.join("egg.jpg"), workplace.root().join("shop/egg.jpg")).unwrap();
    workplace.start();
    workplace.wait_indexed(6);
    workplace.wait_all_done();
    assert_eq!(workplace.status().unwrap()["inventory"]["files"], 6);
}
