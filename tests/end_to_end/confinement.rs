//! The service as a service manager starts it: confined to its folders, it does all that it does otherwise.

use std::fs;

use artificio_demo::Food;
use serde_json::json;

use super::pictures::jpeg;
use super::skipping::skip;
use super::workplace::{Workplace, put};

/// Where a service manager would listen. Nobody does, which the service does not mind.
fn manager(place: &Workplace) -> String {
    format!("NOTIFY_SOCKET={}", place.root().join("notify").display())
}

fn ask(place: &Workplace, name: &str) {
    put(place.query(format!("{name}.jpg")), &jpeg(Food::Burger, 2_000));
    assert_eq!(place.wait_record(name)["status"], "ok");
}

fn wait_log(place: &Workplace, words: &str) {
    place.wait(words, || place.log().contains(words).then_some(()));
}

/// Exchanges a folder for an empty one.
fn exchange(place: &Workplace, folder: &str) {
    let path = place.root().join(folder);
    fs::rename(&path, path.with_extension("aside")).unwrap();
    fs::create_dir(&path).unwrap();
}

#[test]
fn a_confined_service_does_all_it_does_and_begins_again_where_it_may_not_go() {
    let mut place = Workplace::with_settings("min_train = 6\nretrain_after = 100");
    place.stock(2);
    let address = manager(&place);
    place.launch_by(&["env", &address]);
    let status = place.wait_indexed(6);
    if status["confined"]["by"] != json!(["landlock", "seccomp"]) {
        return skip(&format!("Landlock and seccomp: confined {}", status["confined"]["message"]));
    }
    let shown = String::from_utf8(place.run(&["status"]).stdout).unwrap();
    assert!(shown.contains("confined   to its folders (Landlock), to ordinary system calls (seccomp)"), "{shown}");

    ask(&place, "a");
    place.wait_gallery("a.jpg");
    // The trial of a suspect is a child.
    put(place.inventory("crash.png"), b"artificio test fault: panic\n");
    place.wait_status("the trial", |status| status["problems"].to_string().contains("crash.png"));
    assert!(place.run(&["train"]).status.success(), "a request, and a training\n{}", place.log());
    // As editors save.
    let file = place.root().join("config/artificio.toml");
    let saved = fs::read_to_string(&file).unwrap() + "[answer]\nresults = 2\n";
    fs::write(file.with_extension("new"), saved).unwrap();
    fs::rename(file.with_extension("new"), &file).unwrap();
    wait_log(&place, "answer.results: 5 -> 2");
    // What lies below the root is read, whichever folder it is.
    exchange(&place, "query");
    ask(&place, "b");
    let status = place.wait_status("no trouble", |status| status["state"] == "ready");
    assert_eq!(status["problem_count"], 1, "that of the picture: {status:#}");
    for thread in fs::read_dir(format!("/proc/{}/task", place.pid())).unwrap() {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        assert!(status.contains("NoNewPrivs:\t1\n") && status.contains("Seccomp:\t2\n"), "{status}");
    }

    exchange(&place, "answer");
    assert_eq!(place.wait_end().code(), Some(1), "it is started again after this");
    let log = place.log();
    let last = log.trim_end().lines().last().unwrap();
    assert!(last.contains("/answer: this folder is not the one that was there at the start"), "{last}");
    place.launch_by(&["env", &address]);
    ask(&place, "c");
    place.stop();
}

#[test]
fn a_service_that_nobody_starts_again_is_not_confined_and_goes_on_with_another_folder() {
    let mut place = Workplace::new();
    place.stock(2);
    place.start();
    let confined = place.status().unwrap()["confined"].clone();
    assert_eq!(confined["by"], json!([]));
    assert!(confined["message"].as_str().unwrap().starts_with("no: no service manager started it"), "{confined}");
    exchange(&place, "answer");
    ask(&place, "a");
    place.stop();
}
