//! `artificio evaluate`: where labels come from, what folders teach, that nobody's own label helps it, and what is written.

use std::path::{Path, PathBuf};

use artificio_demo::Food;
use serde_json::Value;

use super::pictures::jpeg;
use super::workplace::{Workplace, put};

const KINDS: [Food; 3] = [Food::Burger, Food::Pizza, Food::Sushi];
const EACH: u64 = 6;

/// A set of six pictures of each of three kinds, each in the folder that `folder_of` gives its kind and number.
fn set_in_folders(workplace: &Workplace, name: &str, folder_of: impl Fn(&str, u64) -> String) -> PathBuf {
    let set = workplace.root().join(name);
    for kind in KINDS {
        for seed in 0..EACH {
            let file = format!("{}_{seed}.jpg", kind.label());
            put(set.join("inventory").join(folder_of(kind.label(), seed)).join(file), &jpeg(kind, seed));
        }
    }
    set
}

fn evaluate(workplace: &Workplace, set: &Path, more: &[&str]) -> Value {
    let output = workplace.run(&[&["evaluate", set.to_str().unwrap(), "--json"], more].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is said of a call that is wrong.
fn refused(workplace: &Workplace, set: &Path, more: &[&str]) -> String {
    let output = workplace.run(&[&["evaluate", set.to_str().unwrap()], more].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn row<'a>(report: &'a Value, method: &str) -> Option<&'a Value> {
    report["rows"].as_array().unwrap().iter().find(|row| row["method"] == method)
}

/// The lines of the table that `--csv` writes, by the file name of the query and without its folder.
fn lines(workplace: &Workplace, set: &Path, name: &str) -> Vec<(String, String)> {
    let csv = workplace.root().join(name);
    evaluate(workplace, set, &["--label-by", "name", "--csv", csv.to_str().unwrap()]);
    let text = std::fs::read_to_string(csv).unwrap();
    let lines = text.lines().skip(1).map(|line| {
        let (path, answer) = line.split_once(',').unwrap();
        (path.rsplit('/').next().unwrap().to_string(), answer.to_string())
    });
    lines.collect()
}

#[test]
fn folders_are_labels_and_teach() {
    let workplace = Workplace::new();
    let set = set_in_folders(&workplace, "sorted", |kind, _| kind.into());
    let report = evaluate(&workplace, &set, &[]);
    assert_eq!((&report["label_by"], &report["folds"]), (&"folder".into(), &10.into()));
    assert!(row(&report, "untaught").is_some(), "{report:#}");
    let lesson = &report["models"][0]["folders"];
    assert!(lesson["message"].as_str().unwrap().contains("folder"), "{report:#}");
    // The same labels in file names, and nobody is taught.
    let flat = set_in_folders(&workplace, "flat", |_, _| ".".into());
    let report = evaluate(&workplace, &flat, &[]);
    assert_eq!((&report["label_by"], row(&report, "untaught")), (&"name".into(), None));
    assert_eq!(report["models"][0]["folders"], Value::Null);
    let problem = refused(&workplace, &flat, &["--label-by", "folder"]);
    assert!(problem.contains("inventory/burger_0.jpg: lies in no folder below inventory/"), "{problem}");
    let problem = refused(&workplace, &flat, &["--label-by", "folders"]);
    assert!(problem.contains("a file whose name ends with .csv"), "{problem}");
}

#[test]
fn a_file_gives_labels_and_its_mistakes_are_named() {
    let workplace = Workplace::new();
    let set = set_in_folders(&workplace, "flat", |_, _| ".".into());
    put(set.join("query/burger_0.jpg"), &jpeg(Food::Burger, 77));
    let file = workplace.root().join("labels.csv");
    let by_file = ["--label-by", file.to_str().unwrap(), "--per-label"];
    let mut text = String::from(
        "path,label\ninventory/burger_0.jpg,\"bread, with meat\"\nquery/burger_0.jpg,\"bread, with meat\"\n",
    );
    for kind in KINDS {
        for seed in 0..EACH {
            let label = if kind == Food::Burger { "\"bread, with meat\"" } else { "other" };
            if (kind, seed) != (Food::Burger, 0) {
                text += &format!("{}_{seed}.jpg,{label}\n", kind.label());
            }
        }
    }
    put(&file, text.as_bytes());
    let report = evaluate(&workplace, &set, &by_file);
    assert_eq!((&report["label_by"], &report["queries"]), (&"file".into(), &1.into()));
    assert_eq!(report["labels"][0]["label"], "bread, with meat");
    put(&file, text.replace("pizza_3", "pizza_33").as_bytes());
    let problem = refused(&workplace, &set, &by_file);
    assert!(problem.contains("labels.csv: line 12: there is no picture pizza_33.jpg"), "{problem}");
    put(&file, text.replace("sushi_5.jpg,other\n", "").as_bytes());
    let problem = refused(&workplace, &set, &by_file);
    assert!(problem.contains("1 of 19 pictures have no label in it, such as inventory/sushi_5.jpg"), "{problem}");
}

#[test]
fn a_pictures_own_folder_does_not_help_it() {
    let workplace = Workplace::new();
    let sorted = set_in_folders(&workplace, "sorted", |kind, _| kind.into());
    let misplaced = set_in_folders(&workplace, "misplaced", |kind, seed| match (kind, seed) {
        ("burger", 0) => "pizza".into(),
        _ => kind.into(),
    });
    let answer = |set: &Path, name: &str| {
        let lines = lines(&workplace, set, name);
        let (_, line) = lines.into_iter().find(|(query, _)| query == "burger_0.jpg").unwrap();
        line
    };
    // No model that answers it has seen it, so wherever it lies, it is answered the same.
    assert_eq!(answer(&sorted, "one.csv"), answer(&misplaced, "other.csv"));
}

#[test]
fn folders_at_random_are_found_by_chance() {
    let workplace = Workplace::new();
    // Each of three folders has two pictures of each kind.
    let set = set_in_folders(&workplace, "random", |_, seed| format!("folder{}", seed % 3));
    let report = evaluate(&workplace, &set, &["--label-by", "folder"]);
    for method in ["artificio", "untaught"] {
        // Of 17 others 5 lie in the same folder; of 18 queries more than 11 by chance is 1 of 1,000.
        let found = row(&report, method).unwrap()["p_at_1"].as_f64().unwrap();
        assert!(found <= 11.0 / 18.0, "{method}: {found}");
    }
}

#[test]
fn figures_have_intervals_and_details_are_written_where_they_are_wanted() {
    let workplace = Workplace::new();
    let set = set_in_folders(&workplace, "flat", |_, _| ".".into());
    let (csv, sheet) = (workplace.root().join("out.csv"), workplace.root().join("worst.png"));
    let more = ["--csv", csv.to_str().unwrap(), "--worst", sheet.to_str().unwrap(), "--per-label"];
    let report = evaluate(&workplace, &set, &more);
    for row in report["rows"].as_array().unwrap() {
        assert_eq!(row["recall_at_1"], row["p_at_1"]);
        for figure in ["p_at_1", "p_at_5", "p_at_10", "map", "recall_at_1", "recall_at_5", "recall_at_10"] {
            let of = |part: &Value| part[figure].as_f64().unwrap();
            let (low, high) = (of(&row["interval_95"]["low"]), of(&row["interval_95"]["high"]));
            assert!(low <= of(row) + 1e-9 && of(row) <= high + 1e-9, "{figure}: {row:#}");
        }
    }
    // The pictures' own table and the figures say the same.
    let text = std::fs::read_to_string(&csv).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    let column = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 18);
    let mean = |name: &str| {
        lines.iter().map(|line| line[column(name)].parse::<f64>().unwrap()).sum::<f64>() / lines.len() as f64
    };
    let artificio = row(&report, "artificio").unwrap();
    assert!((mean("average_precision") - artificio["map"].as_f64().unwrap()).abs() < 1e-5);
    assert!((mean("is_right") - artificio["p_at_1"].as_f64().unwrap()).abs() < 1e-9);
    assert!(lines.iter().all(|line| line[column("first_match")] != line[column("query")]), "nobody finds itself");
    let labels = report["labels"].as_array().unwrap();
    let names: Vec<_> = labels.iter().map(|label| label["label"].as_str().unwrap()).collect();
    assert_eq!(names, ["burger", "pizza", "sushi"]);
    assert!(labels.iter().all(|label| label["queries"] == EACH));
    assert!(image::open(&sheet).is_ok());
    let inside = set.join("inventory/worst.png");
    let problem = refused(&workplace, &set, &["--worst", inside.to_str().unwrap()]);
    assert!(problem.contains("lies among the measured pictures"), "{problem}");
    let problem = refused(&workplace, &set, &["--worst", "worst.gif"]);
    assert!(problem.contains("a sheet is a .png, .jpg or .webp file"), "{problem}");
}
