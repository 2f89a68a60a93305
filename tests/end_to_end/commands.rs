//! Commands, their output and their exit codes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use artificio_demo::Food;
use serde_json::Value;

use super::pictures::jpeg;
use super::workplace::{Workplace, is_sentence, put};

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn help_names_every_command_and_wrong_usage_is_2() {
    let workplace = Workplace::new();
    let help = workplace.run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).unwrap();
    for word in ["run", "demo", "evaluate", "check", "status", "man", "completions", "--root", "--config", "Exit codes"]
    {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
    for arguments in [&["--no-such-option"][..], &["no-such-command"], &["evaluate"]] {
        assert_eq!(workplace.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_misspelt_folder_is_an_error_and_not_made() {
    let workplace = Workplace::new();
    let before = everything_below(workplace.root());
    let missing = workplace.root().join("mising");
    let named = missing.to_str().unwrap();
    let program = workplace.artificio(&[]).get_program().to_os_string();
    let refused = |arguments: &[&str]| {
        let output = std::process::Command::new(&program).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for arguments in [&["evaluate", named][..], &["--root", named, "train"]] {
        let message = refused(arguments);
        assert!(message.contains("there is no such folder"), "{message}");
    }
    // The demo would ignore both silently.
    assert!(refused(&["--root", named, "demo"]).contains("artificio demo '"));
    assert!(refused(&["--config", named, "demo"]).contains("settings of its own"));
    assert_eq!(everything_below(workplace.root()), before);
}

#[test]
fn a_name_writes_no_lines_of_its_own() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    put(workplace.inventory("a\nstate      ready\u{1b}[2J.jpg"), b"no picture");
    workplace.start();
    workplace.wait_status("the file found unusable", |status| status["inventory"]["failed"] == 1);
    let text = String::from_utf8(workplace.run(&["status"]).stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("state")).count(), 1, "{text}");
    assert!(text.contains("a\\nstate      ready\\u{1b}[2J.jpg: "), "{text}");
}

#[test]
fn the_manual_and_the_completions_need_no_folder_and_no_settings() {
    let workplace = Workplace::with_settings("[answer]\nreslts = 5");
    let before = everything_below(workplace.root());
    for (arguments, expected) in [
        (&["man"][..], ".SH COMMANDS"),
        (&["completions", "bash"], "complete -F _artificio"),
        (&["completions", "zsh"], "#compdef artificio"),
        (&["completions", "fish"], "complete -c artificio"),
    ] {
        let output = workplace.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(expected), "{arguments:?} printed\n{text}");
    }
    assert_eq!(workplace.run(&["completions", "tcsh"]).status.code(), Some(2));
    assert_eq!(everything_below(workplace.root()), before);
}

#[test]
fn a_second_instance_ends_with_3_and_the_first_goes_on() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    workplace.start();
    let second = workplace.run(&["run"]);
    assert_eq!(second.status.code(), Some(3));
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(text.contains(workplace.root().to_str().unwrap()), "{text}");
    workplace.assert_alive(0);
}

#[test]
fn status_shows_what_the_daemon_does_and_fails_when_there_is_none() {
    let mut workplace = Workplace::new();
    let output = workplace.run(&["status"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("not running"));
    workplace.stock(1);
    workplace.start();
    workplace.wait_indexed(3);
    let output = workplace.run(&["status", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(json(&output)["inventory"]["indexed"], 3);
    let text = String::from_utf8(workplace.run(&["status"]).stdout).unwrap();
    assert!(text.contains("inventory  3 searchable, 0 waiting, 0 unusable"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours into a pipe: {text:?}");
    let status = json(&output);
    assert!(status["started_s"].as_i64().unwrap() > 1_700_000_000);
    assert_eq!((&status["degraded_by"], &status["inventory"]["per_second"]), (&serde_json::json!([]), &Value::Null));

    // --watch goes on until the service ends.
    let mut command = workplace.artificio(&["status", "--watch", "--json"]);
    let mut watch = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (sender, printed) = std::sync::mpsc::channel();
    let output = BufReader::new(watch.stdout.take().unwrap());
    let reader = std::thread::spawn(move || output.lines().try_for_each(|line| sender.send(line.unwrap())));
    put(workplace.query("q.jpg"), &jpeg(Food::Egg, 1));
    let is_counted = |line: &String| serde_json::from_str::<Value>(line).unwrap()["queries"]["answered"] == 1;
    workplace.wait("the answer in what it prints", || printed.try_iter().find(is_counted));
    workplace.kill();
    assert_eq!(watch.wait().unwrap().code(), Some(1));
    reader.join().unwrap().unwrap();
    assert!(printed.try_iter().all(|line| is_counted(&line)), "it goes on until the service ends");
    assert_eq!(workplace.run(&["status"]).status.code(), Some(1), "a stale status.json is not believed");
}

#[test]
fn check_finds_what_is_wrong_and_says_how_to_fix_it() {
    let mut workplace = Workplace::new();
    let before = everything_below(workplace.root());
    let output = workplace.run(&["check", "--json"]);
    let report = json(&output);
    assert_eq!(
        (output.status.code(), &report["ok"], &report["problems"]),
        (Some(0), &true.into(), &serde_json::json!([]))
    );
    assert_eq!(workplace.run(&["check"]).status.code(), Some(0));
    assert_eq!(everything_below(workplace.root()), before, "check only looks");

    std::fs::remove_dir(workplace.training("")).unwrap();
    let output = workplace.run(&["check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&output);
    assert_eq!(report["ok"], false);
    let problem = &report["problems"][0];
    assert!(problem["path"].as_str().unwrap().ends_with("img_train_raw"));
    assert!(is_sentence(problem["what"].as_str().unwrap()));
    assert!(problem["remedy"].as_str().unwrap().starts_with("mkdir -p"), "{problem:#}");

    // The service makes the folder, and is itself worth a note.
    workplace.stock(1);
    workplace.start();
    workplace.wait_indexed(3);
    let output = workplace.run(&["check", "--json"]);
    let report = json(&output);
    assert_eq!((output.status.code(), &report["problems"]), (Some(0), &serde_json::json!([])));
    assert!(report["notes"].to_string().contains("an instance works on these folders"), "{report:#}");
    workplace.stop();
    // With its journal SQLite would repair the file.
    let _ = std::fs::remove_file(workplace.state("catalog.sqlite-wal"));
    std::fs::write(workplace.state("catalog.sqlite"), "not a catalog any more, though there is text in it").unwrap();
    let output = workplace.run(&["check"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && text.contains("the catalog is damaged"), "{text}");
}

#[test]
fn check_of_a_new_place_finds_no_problem() {
    let workplace = Workplace::new();
    let place = workplace.root().join("new");
    std::fs::create_dir(&place).unwrap();
    let program = workplace.artificio(&[]).get_program().to_os_string();
    let output = std::process::Command::new(program).arg("check").current_dir(&place).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
}

#[test]
fn answers_inside_a_watched_folder_are_refused() {
    let workplace = Workplace::with_settings("[folders]\nanswer = \"query/answers\"");
    let output = workplace.run(&["run"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("lies inside"));
    let output = workplace.run(&["check", "--json"]);
    assert_eq!((output.status.code(), &json(&output)["ok"]), (Some(1), &Value::Bool(false)));
}

fn everything_below(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { everything_below(&path) } else { BTreeSet::from([path]) }).collect()
}

#[test]
fn evaluate_measures_in_every_way_and_leaves_no_trace() {
    let workplace = Workplace::new();
    let folder = workplace.root().join("labelled");
    for kind in [Food::Burger, Food::Pizza, Food::Sushi] {
        for seed in 0..4 {
            let name = format!("{}_{seed}.jpg", kind.label());
            put(folder.join("inventory").join(name), &jpeg(kind, seed));
        }
        put(folder.join("query").join(format!("{}_q.jpg", kind.label())), &jpeg(kind, 2_000));
    }
    let before = everything_below(workplace.root());
    for more in [&["--json"][..], &["--json", "--leave-one-out"], &["--json", "--encoder", "pretrained"]] {
        let arguments = [&["evaluate", folder.to_str().unwrap()], more].concat();
        let output = workplace.run(&arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let report = json(&output);
        let rows = report["rows"].as_array().unwrap();
        let methods: Vec<_> = rows.iter().map(|row| row["method"].as_str().unwrap()).collect();
        let sets = if more.contains(&"--leave-one-out") { &["set_mean", "set_nearest"][..] } else { &[] };
        assert_eq!(methods, [&["artificio", "features", "histogram", "pixels", "euclidean"][..], sets].concat());
        for row in rows {
            for figure in ["p_at_1", "p_at_5", "p_at_10", "map"] {
                let value = row[figure].as_f64().unwrap();
                assert!((0.0..=1.0).contains(&value), "{row:#}");
            }
        }
        assert!(rows[0]["map"].as_f64().unwrap() > rows[3]["map"].as_f64().unwrap(), "better than pixels: {report:#}");
    }
    assert_eq!(everything_below(workplace.root()), before);
    // Another seed trains another network; the same seed the same one. The settings say how long, and by which metric.
    let settings = workplace.root().join("config/artificio.toml");
    put(settings, b"[model]\ntrain_steps = 3\n[similarity]\nmetric = \"euclidean\"\n");
    let both = |seed: &str| {
        let arguments = ["evaluate", folder.to_str().unwrap(), "--json", "--encoder", "all", "--seed", seed];
        json(&workplace.run(&arguments))
    };
    let first = both("1");
    let names: Vec<_> = first["rows"].as_array().unwrap().iter().map(|row| row["method"].clone()).collect();
    assert_eq!((&names[0], &names[4], &names[5]), (&"artificio".into(), &"cosine".into(), &"convolutional".into()));
    assert_eq!(first["models"].as_array().unwrap().len(), 2);
    assert_eq!(first, both("1"));
    assert_ne!(first["models"][1]["reconstruction_error"], both("2")["models"][1]["reconstruction_error"]);
    assert_eq!(workplace.run(&["evaluate", "/no/such/folder"]).status.code(), Some(2));
}
