//! `docs/record.schema.json` against the records that are really written: each is valid, and every key written is documented.

use artificio_demo::Food;
use serde_json::{Value, json};

use super::pictures::jpeg;
use super::workplace::{Workplace, put};

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/record.schema.json")).unwrap()
}

/// What `schema` says against `value`, each with its place: the keywords of JSON Schema 2020-12 that the schema uses, and,
/// being strict, every key that it does not name. A keyword that is not known here fails, so none is passed over.
///
/// Not by a library: jsonschema turns on serde_json's `float_roundtrip` for the tested program too, which then reads numbers
/// otherwise than the shipped one and is built on another burn; it and boon also bring some forty crates (ICU for host names).
fn faults(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        let is_kept = match keyword.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
                faults.extend(self::faults(root, target, value, place));
                true
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                other => panic!("type {other}"),
            },
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_f64() >= rule.as_f64(),
            "maximum" => value.as_f64() <= rule.as_f64(),
            "minLength" => value.as_str().is_some_and(|text| text.chars().count() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_some_and(|list| list.len() as u64 <= rule.as_u64().unwrap()),
            "pattern" => value.as_str().is_some_and(|text| matches_pattern(rule.as_str().unwrap(), text)),
            "required" => rule.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some()),
            "properties" => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    match rule.get(key) {
                        Some(rule) => faults.extend(self::faults(root, rule, inner, &format!("{place}/{key}"))),
                        None => faults.push(format!("{place}/{key} is not documented")),
                    }
                }
                true
            }
            "items" => {
                for (at, inner) in value.as_array().into_iter().flatten().enumerate() {
                    faults.extend(self::faults(root, rule, inner, &format!("{place}/{at}")));
                }
                true
            }
            other => panic!("the schema's keyword {other} is not known to this test"),
        };
        if !is_kept {
            faults.push(format!("{place}: {value} against {keyword} {rule}"));
        }
    }
    faults
}

fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern {
        "^/" => text.starts_with('/'),
        "^[0-9a-f]{64}$" => text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        "^(/|[A-Za-z0-9-]+:)" => {
            let is_node =
                |(node, _): (&str, &str)| node.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            text.starts_with('/') || text.split_once(':').filter(|(node, _)| !node.is_empty()).is_some_and(is_node)
        }
        other => panic!("the pattern {other} is not known to this test"),
    }
}

fn faults_of(record: &Value) -> Vec<String> {
    let schema = schema();
    faults(&schema, &schema, record, "")
}

fn assert_valid(record: &Value) {
    assert_eq!(faults_of(record), Vec::<String>::new(), "{record:#}");
}

#[test]
fn every_kind_of_record_is_valid() {
    let settings = "[answer]\nmin_likeness = 0.98\ncollapse_duplicates = true\n";
    let mut workplace = Workplace::with_settings(settings);
    workplace.start();
    put(workplace.query("early.jpg"), &jpeg(Food::Pizza, 7));
    let early = workplace.wait_record("early");
    assert_eq!(early["status"], "nothing_similar");
    assert_valid(&early);

    workplace.stock(2);
    for name in ["same.jpg", "copy of same.jpg"] {
        put(workplace.inventory(name), &jpeg(Food::Pizza, 7));
    }
    workplace.wait_indexed(8);
    let answered = workplace.wait_record_that("early", |record| record["status"] == "ok");
    assert_eq!(answered["matches"][0]["relation"], "identical");
    assert_eq!(answered["matches"][0]["duplicates"].as_array().unwrap().len(), 1);
    assert_valid(&answered);

    put(workplace.query("strange.jpg"), &jpeg(Food::Egg, 2_000));
    let strange = workplace.wait_record("strange");
    assert!(strange["nearest"].is_object(), "{strange:#}");
    assert_valid(&strange);

    put(workplace.query("set/one.jpg"), &jpeg(Food::Pizza, 7));
    put(workplace.query("set/two.jpg"), b"no picture");
    put(workplace.query("notes.jpg"), b"milk, eggs, bread");
    let partial = workplace.wait_record("set");
    assert_eq!((&partial["status"], &partial["skipped"][0]["path"]), (&json!("partial"), &json!("set/two.jpg")));
    assert_valid(&partial);
    let error = workplace.wait_record("notes");
    assert_eq!(error["status"], "error");
    assert_valid(&error);
}

#[test]
fn the_schema_refuses_what_is_not_a_record() {
    for broken in [json!([]), json!({"schema": 1, "status": "ok"}), json!({"schema": 2}), json!({"status": "fine"})] {
        assert!(!faults_of(&broken).is_empty(), "{broken}");
    }
    assert!(faults_of(&json!({"sheets": "a.png"})).contains(&"/sheets is not documented".to_string()));
}

#[test]
fn names_once_published_are_still_there() {
    let named = |path: &str| schema().pointer(path).is_some();
    for key in ["schema", "status", "message", "query", "model", "metric", "matches", "timings_ms"] {
        assert!(named(&format!("/properties/{key}")), "{key}");
    }
    for key in ["rank", "path", "similarity", "closer_than"] {
        assert!(named(&format!("/$defs/match/properties/{key}")), "{key}");
    }
}

#[test]
fn records_of_a_set_with_its_own_settings_and_of_a_refreshed_answer_are_valid() {
    let mut workplace = Workplace::with_settings("[answer]\nrefresh = \"inventory\"\nresults = 2\n");
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    put(workplace.query("set/one.jpg"), &jpeg(Food::Pizza, 2_000));
    put(workplace.query("set/not/other.jpg"), &jpeg(Food::Sushi, 2_000));
    put(workplace.query("set/yes/another.jpg"), &jpeg(Food::Pizza, 2_001));
    put(
        workplace.query("set/query.toml"),
        b"k = 3\ncrop = [0, 0, 0.9, 1]\nwithin = []\nnot_within = \"old\"\nbefore = 2100-01-01\n",
    );
    let first = workplace.wait_record_that("set", |record| record["settings"]["results"] == 3);
    assert_valid(&first);
    assert_eq!(first["settings"]["not_within"], serde_json::json!(["old"]));
    assert_eq!(
        (&first["query"]["yes"][0]["path"], &first["query"]["not"][0]["path"]),
        (&"set/yes/another.jpg".into(), &"set/not/other.jpg".into())
    );
    put(workplace.inventory("itself.jpg"), &jpeg(Food::Pizza, 2_000));
    assert_valid(&workplace.wait_record_that("set", |record| record.get("changes").is_some()));
}
