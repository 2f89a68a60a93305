//! The settings' schema and table are made of the shipped configuration file (its sentences) and of what the program
//! accepts (asked of the very parser), and stand in docs/ as they were made.
//!
//! After a change of the settings: `ARTIFICIO_WRITE=1 cargo test --test settings_docs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use artificio::config::{Config, parse};
use serde_json::{Map, Value, json};

/// The shipped file.
const SHIPPED: &str = include_str!("../config/artificio.toml");

/// One section of the file, or one key.
#[derive(Debug, Default)]
struct Entry {
    name: String,
    sentence: String,
    keys: Vec<Entry>,
}

/// What a key takes.
#[derive(Debug)]
enum Kind {
    Text,
    Choice(Vec<String>),
    Switch,
    Whole(i64, i64),
    Number(f64, f64),
}

/// The sections with their keys, in the file's order, each with the comment behind or above it.
fn entries() -> Vec<Entry> {
    let mut sections: Vec<Entry> = Vec::new();
    let mut above = String::new();
    for line in SHIPPED.lines() {
        // No value of the shipped file holds a hash.
        let (code, comment) = line.split_once('#').unwrap_or((line, ""));
        let (code, comment) = (code.trim(), comment.trim());
        if code.is_empty() {
            above = if comment.is_empty() { String::new() } else { format!("{above} {comment}").trim().to_string() };
            continue;
        }
        let sentence = format!("{} {comment}", std::mem::take(&mut above)).trim().to_string();
        if let Some(name) = code.strip_prefix('[') {
            let name = name.trim_end_matches(']').to_string();
            sections.push(Entry { name, sentence, keys: Vec::new() });
        } else if let Some((name, _)) = code.split_once('=') {
            let section = sections.last_mut().expect("keys stand in sections");
            section.keys.push(Entry { name: name.trim().into(), sentence, keys: Vec::new() });
        }
    }
    sections
}

/// What the parser says to a wrong value.
fn objection(section: &str, key: &str, value: &str) -> String {
    parse(Path::new("x"), &format!("[{section}]\n{key} = {value}\n")).err().unwrap_or_default()
}

/// The range that the parser names when a value is out of it: "... is out of range: from 1 to 50".
fn range<N: std::str::FromStr>(said: &str) -> (N, N) {
    let bounds = said.lines().next().and_then(|line| line.split_once("from ")?.1.split_once(" to "));
    let number = |text: &str| text.trim().parse().ok();
    bounds.and_then(|(low, high)| Some((number(low)?, number(high)?))).unwrap_or_else(|| panic!("no range in: {said}"))
}

fn kind(section: &str, key: &str, default: &toml::Value) -> Kind {
    match default {
        toml::Value::Boolean(_) => Kind::Switch,
        toml::Value::Integer(_) => {
            let (low, high) = range(&objection(section, key, "-9999999999"));
            Kind::Whole(low, high)
        }
        toml::Value::Float(_) => {
            let (low, high) = range(&objection(section, key, "-1e12"));
            Kind::Number(low, high)
        }
        toml::Value::String(default) => {
            let said = objection(section, key, "\"no such choice whatsoever\"");
            match said.split_once("known here: ") {
                None => Kind::Text,
                Some((_, known)) => {
                    let known: Vec<String> = known.lines().next().unwrap_or("").split(", ").map(Into::into).collect();
                    assert!(known.contains(default), "{default} in {known:?}");
                    Kind::Choice(known)
                }
            }
        }
        other => panic!("{section}.{key}: a kind of value the table does not know: {other}"),
    }
}

/// Calls `tell` with every section and key, its kind and its default.
fn for_each(mut tell: impl FnMut(&Entry, &Entry, &Kind, &toml::Value)) {
    let defaults = toml::Table::try_from(Config::default()).unwrap();
    let sections = entries();
    assert_eq!(sections.len(), defaults.len(), "every section has its place in the shipped file");
    for section in &sections {
        let values = defaults[&section.name].as_table().unwrap();
        assert_eq!(section.keys.len(), values.len(), "[{}] has all its keys in the shipped file", section.name);
        for key in &section.keys {
            let words = key.sentence.split_whitespace().count();
            assert!(words >= 2, "{}.{} has no sentence in the shipped file", section.name, key.name);
            let default = &values[&key.name];
            tell(section, key, &kind(&section.name, &key.name, default), default);
        }
    }
}

fn schema() -> String {
    let mut sections = Map::new();
    for_each(|section, key, kind, default| {
        let mut about = match kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Choice(choices) => json!({ "enum": choices }),
            Kind::Switch => json!({ "type": "boolean" }),
            Kind::Whole(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
            Kind::Number(low, high) => json!({ "type": "number", "minimum": low, "maximum": high }),
        };
        about["description"] = key.sentence.as_str().into();
        about["default"] = serde_json::to_value(default).unwrap();
        let place = sections.entry(&section.name).or_insert_with(|| {
            let mut about = json!({ "type": "object", "additionalProperties": false, "properties": {} });
            if !section.sentence.is_empty() {
                about["description"] = section.sentence.as_str().into();
            }
            about
        });
        place["properties"][&key.name] = about;
    });
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "artificio.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": Value::Object(sections),
    });
    format!("{schema:#}\n")
}

fn table() -> String {
    let mut text = String::from(
        "# Settings\n\nEvery setting of `config/artificio.toml`. This page is made from that file and from what the program accepts\n\
         (`tests/settings_docs.rs`); so is [config.schema.json](config.schema.json), by which editors complete and check it.\n",
    );
    let mut last = String::new();
    for_each(|section, key, kind, default| {
        if section.name != last {
            let sentence =
                if section.sentence.is_empty() { String::new() } else { format!("{}\n\n", section.sentence) };
            let head = "| key | default | allowed | meaning |\n|---|---|---|---|\n";
            write!(text, "\n## [{}]\n\n{sentence}{head}", section.name).unwrap();
            last.clone_from(&section.name);
        }
        let allowed = match kind {
            Kind::Text => "text".into(),
            Kind::Choice(choices) => choices.iter().map(|one| format!("`\"{one}\"`")).collect::<Vec<_>>().join(", "),
            Kind::Switch => "`true`, `false`".into(),
            Kind::Whole(low, high) => format!("{low} to {high}"),
            Kind::Number(low, high) => format!("{low} to {high}, with fractions"),
        };
        let sentence = key.sentence.replace('|', "\\|").replace('<', "&lt;");
        writeln!(text, "| `{}` | `{default}` | {allowed} | {sentence} |", key.name).unwrap();
    });
    text
}

/// Holds `made` against the file, or writes it when told to.
fn stands_in(name: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("ARTIFICIO_WRITE").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stands == made, "docs/{name} is old; make it anew: ARTIFICIO_WRITE=1 cargo test --test settings_docs");
}

#[test]
fn the_schema_is_what_the_program_accepts() {
    stands_in("config.schema.json", &schema());
}

#[test]
fn the_table_is_what_the_program_accepts() {
    stands_in("settings.md", &table());
}
