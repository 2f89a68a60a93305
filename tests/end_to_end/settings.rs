//! The configuration file: mistakes are pointed at, changes take effect while the daemon runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use artificio_demo::Food;

use super::pictures::jpeg;
use super::workplace::{Workplace, put};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn mistakes_at_the_start_are_pointed_at() {
    let workplace = Workplace::new();
    let path = workplace.root().join("config/artificio.toml");
    fs::write(&path, "# mine\n[answer]\ntheme = \"light\"\n  reslts = 5\nresults = 0\n").unwrap();
    let output = workplace.run(&["run"]);
    assert_eq!(output.status.code(), Some(2));
    let expected = "\
artificio: PATH:4:3: unknown key `reslts`; did you mean `results`?
  |
4 |   reslts = 5
  |   ^^^^^^
PATH:5:11: 0 is out of range: from 1 to 50
  |
5 | results = 0
  |           ^
";
    assert_eq!(text(&output.stderr).replace(path.to_str().unwrap(), "PATH"), expected);
    assert_eq!(text(&output.stdout), "");
    // `check` has found a problem; `status` answers anyway, here that nothing runs.
    for (arguments, code) in [(&["check"][..], 1), (&["evaluate", "."], 2), (&["status"], 1)] {
        assert_eq!(workplace.run(arguments).status.code(), Some(code), "{arguments:?}");
    }
    assert!(text(&workplace.run(&["status"]).stderr).contains("not running"));
    let report: serde_json::Value = serde_json::from_slice(&workplace.run(&["check", "--json"]).stdout).unwrap();
    let found: Vec<&str> =
        report["problems"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert!(found.len() == 2 && found[0].starts_with("4:3: unknown key") && found[1].ends_with('^'), "{found:?}");
}

#[test]
fn a_configuration_that_is_asked_for_must_exist() {
    let workplace = Workplace::new();
    let output = workplace.run(&["--config", "/no/such.toml", "run"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/no/such.toml"), "{}", text(&output.stderr));
}

#[test]
fn a_mistake_while_it_runs_leaves_the_settings_in_force_until_it_is_fixed() {
    let mut workplace = Workplace::with_settings("[answer]\nresults = 4");
    workplace.stock(2);
    workplace.start();
    workplace.set("[answer]\nresults = \"many\"");
    let status = workplace.wait_status("the mistake", |status| status["state"] == "degraded");
    let problem = &status["problems"][0];
    assert!(problem["path"].as_str().unwrap().ends_with("config/artificio.toml"), "{problem:#}");
    assert!(problem["what"].as_str().unwrap().contains("expected a whole number"), "{problem:#}");
    assert!(!problem["remedy"].as_str().unwrap().is_empty());
    put(workplace.query("while_wrong.jpg"), &jpeg(Food::Pizza, 2_000));
    assert_eq!(workplace.wait_record("while_wrong")["matches"].as_array().unwrap().len(), 4);

    workplace.set("[answer]\nresults = 3");
    workplace.wait_status("the fix", |status| status["state"] == "ready" && status["problem_count"] == 0);
    put(workplace.query("fixed.jpg"), &jpeg(Food::Pizza, 2_001));
    assert_eq!(workplace.wait_record("fixed")["matches"].as_array().unwrap().len(), 3);
}

#[test]
fn what_is_excluded_leaves_the_inventory_and_comes_back_without_being_decoded_again() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    put(workplace.inventory("drafts/one/pizza.jpg"), &jpeg(Food::Pizza, 900));
    workplace.start();
    workplace.wait_indexed(7);
    let decoded = workplace.decoded();
    workplace.set("[folders]\nexclude = [\n  \"/drafts/\",\n  \"sushi_[\",\n]");
    let status = workplace.wait_status("the mistake", |status| status["state"] == "degraded");
    let problem = status["problems"][0]["what"].as_str().unwrap();
    assert!(problem.starts_with("10:3: the pattern `sushi_[` has a `[` without its `]`"), "{problem}");
    assert!(problem.ends_with("10 |   \"sushi_[\",\n   |   ^^^^^^^^^"), "{problem}");

    workplace.set("[folders]\nexclude = [\"/drafts/\", \"sushi_*\"]\n[answer]\nmin_likeness = 0");
    let status = workplace.wait_status("fewer", |status| status["inventory"]["indexed"] == 4);
    assert_eq!((&status["inventory"]["files"], &status["inventory"]["excluded"]), (&4.into(), &3.into()), "{status:#}");
    assert_eq!(status["awaiting_restart"], serde_json::json!([]));
    assert!(text(&workplace.run(&["status"]).stdout).contains("3 files and folders passed over"));
    put(workplace.query("sushi.jpg"), &jpeg(Food::Sushi, 0));
    let found = super::workplace::found(&workplace.wait_record("sushi"));
    assert!(!found.is_empty() && found.iter().all(|path| !path.contains("sushi")), "{found:?}");
    workplace.set("");
    workplace.wait_status("all", |status| status["inventory"]["indexed"] == 7);
    // Beside the query, which is a picture of the inventory.
    assert_eq!(workplace.decoded(), decoded, "what was known of their contents was kept");
}

/// The state folder is named in the very file that cannot be read as a whole any more.
#[test]
fn a_mistake_does_not_hide_a_service_whose_state_lies_elsewhere() {
    let folders = "[folders]\nstate = \"elsewhere\"\n";
    let workplace = Workplace::with_settings(folders);
    workplace.stock(1);
    let log = workplace.root().join("log");
    let mut command = workplace.artificio(&["run"]);
    let mut service = command.stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
    workplace.wait("the service", || workplace.run(&["status"]).status.success().then_some(()));
    workplace.set(&format!("{folders}[answer]\nresults = \n"));
    let reload = workplace.run(&["reload"]);
    let message = text(&reload.stderr);
    assert!(reload.status.code() == Some(1) && message.contains("a value is missing"), "{message}");
    let status = workplace.run(&["status"]);
    let message = text(&status.stdout);
    assert!(status.status.success() && message.contains("a value is missing") && message.contains("^"), "{message}");
    service.kill().unwrap();
    service.wait().unwrap();
}

#[test]
fn changes_hold_for_the_next_query() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    let more = "[answer]\nresults = 2\nwidth_px = 900\n[similarity]\nmetric = \"euclidean\"\nset_mode = \"nearest\"";
    // Saved as editors do: written next to it, then renamed to it.
    let path = workplace.root().join("config/artificio.toml");
    let text = format!("{}{more}\n", fs::read_to_string(&path).unwrap());
    fs::write(path.with_extension("toml.new"), text).unwrap();
    fs::rename(path.with_extension("toml.new"), &path).unwrap();
    workplace.wait("new settings", || workplace.log().contains("new settings in force").then_some(()));
    put(workplace.query("q/a.jpg"), &jpeg(Food::Pizza, 2_000));
    let record = workplace.wait_record("q");
    assert_eq!(record["matches"].as_array().unwrap().len(), 2);
    assert_eq!((&record["metric"], &record["query"]["set_mode"]), (&"euclidean".into(), &"nearest".into()));
    assert_eq!(image::open(workplace.sheet_path("q")).unwrap().width(), 900);
    // An existing answer is not redone because settings changed.
    workplace.wait_status("the answer counted", |status| status["queries"]["answered"] == 1);
}

#[test]
fn sighup_reads_the_settings_again_and_ends_nothing() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    workplace.start();
    workplace.set("[answer]\nresults = 1");
    workplace.signal("HUP");
    workplace.wait("new settings", || workplace.log().contains("new settings in force").then_some(()));
    put(workplace.query("q.jpg"), &jpeg(Food::Pizza, 2_000));
    assert_eq!(workplace.wait_record("q")["matches"].as_array().unwrap().len(), 1);
    workplace.signal("HUP");
    workplace.assert_alive(0);
}

#[test]
fn an_answer_says_nothing_similar_when_the_minimum_is_too_high() {
    let mut workplace = Workplace::with_settings("[answer]\nmin_score = 1.0");
    workplace.stock(4);
    workplace.start();
    workplace.wait_indexed(12);
    // Plain grey: less similar to any food than foods are to each other.
    let grey = image::RgbImage::from_pixel(200, 200, image::Rgb([128; 3]));
    grey.save(workplace.query("grey.png")).unwrap();
    let record = workplace.wait_record("grey");
    assert_eq!((&record["status"], &record["matches"]), (&"nothing_similar".into(), &serde_json::json!([])));
    assert!(workplace.sheet_path("grey").exists());
}

#[test]
fn each_changed_key_is_logged_and_what_needs_a_restart_is_named() {
    let mut workplace = Workplace::new();
    workplace.start();
    workplace.set("[answer]\nresults = 3\ntheme = \"dark\"\n[limits]\nworkers = 7");
    workplace.wait_status("the restart it waits for", |status| {
        status["awaiting_restart"] == serde_json::json!(["limits.workers"])
    });
    let log = workplace.log();
    for change in [
        "answer.results: 5 -> 3",
        "answer.theme: \"light\" -> \"dark\"",
        "limits.workers: 0 -> 7; this needs a restart",
    ] {
        assert!(log.contains(change), "{change} is missing in\n{log}");
    }
    workplace.set("[answer]\nresults = 3");
    let status =
        workplace.wait_status("the end of waiting", |status| status["awaiting_restart"] == serde_json::json!([]));
    assert_eq!(status["state"], "ready");
}

/// Some keep settings as a link to the present version's folder and exchange the link.
#[test]
fn a_link_that_is_swapped_is_an_edit() {
    let mut workplace = Workplace::new();
    let config = workplace.root().join("config");
    for (version, results) in [("one", 3), ("two", 2)] {
        put(config.join(version).join("artificio.toml"), format!("[answer]\nresults = {results}\n").as_bytes());
    }
    fs::remove_file(config.join("artificio.toml")).unwrap();
    symlink("one", config.join("present")).unwrap();
    symlink("present/artificio.toml", config.join("artificio.toml")).unwrap();
    workplace.start();
    symlink("two", config.join("next")).unwrap();
    fs::rename(config.join("next"), config.join("present")).unwrap();
    workplace.wait("the swap", || workplace.log().contains("answer.results: 3 -> 2").then_some(()));
}

/// Saved in one of the ways that editors have.
fn save(path: &Path, text: &str, way: usize) {
    let new = path.with_extension("new");
    match way % 3 {
        0 => fs::write(path, text).unwrap(),
        1 => {
            fs::write(&new, text).unwrap();
            fs::rename(&new, path).unwrap();
        }
        _ => {
            fs::rename(path, path.with_extension("toml~")).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

#[test]
fn two_hundred_edits_half_of_them_invalid_lose_no_query_and_no_time() {
    const MISTAKES: [&str; 5] = [
        "[answer]\nresults = 0",
        "[answer",
        "[anwser]\nresults = 2",
        "[answer]\nresults = \"2\"",
        "[folders]\nanswer = \"query\"",
    ];
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    let (pid, path) = (workplace.pid(), workplace.root().join("config/artificio.toml"));
    let valid = fs::read_to_string(&path).unwrap();
    let mut old = 5;
    for edit in 0..100 {
        save(&path, MISTAKES[edit % MISTAKES.len()], edit);
        if edit % 2 == 0 {
            workplace.signal("HUP");
            sleep(Duration::from_millis(20));
        }
        if edit % 10 == 7 {
            // Noticed without a signal, and reported; most others are fixed before they are noticed.
            workplace.wait_status("the mistake", |status| {
                status["state"] == "degraded" && status["problems"].to_string().contains("did you mean `answer`?")
            });
        }
        let new = 1 + (old + edit % 3) % 6;
        save(&path, &format!("{valid}[answer]\nresults = {new}\n"), edit / 3);
        workplace.signal("HUP");
        // A signal that arrives late has the settings read while they are being saved, when there may be none: then it is
        // not `old` that they change from.
        assert_ne!(new, old);
        let change = format!(" -> {new}");
        workplace.wait(&format!("the change to {new}"), || {
            let log = workplace.log();
            let last = log.lines().rfind(|line| line.contains("answer.results: ")).unwrap_or_default();
            last.ends_with(&change).then_some(())
        });
        old = new;
        if edit % 5 == 0 {
            put(workplace.query(format!("during_{edit}.jpg")), &jpeg(Food::Pizza, 3_000 + edit as u64));
        }
    }
    for edit in (0..100).step_by(5) {
        let record = workplace.wait_record(&format!("during_{edit}"));
        assert_eq!(record["status"], "ok", "{record:#}");
    }
    put(workplace.query("after.jpg"), &jpeg(Food::Pizza, 4_000));
    assert_eq!(workplace.wait_record("after")["matches"].as_array().unwrap().len(), old);
    let status =
        workplace.wait_status("all fixed", |status| status["problem_count"] == 0 && status["state"] == "ready");
    assert_eq!((&status["pid"], &status["queries"]["failed"]), (&pid.into(), &0.into()));
}
