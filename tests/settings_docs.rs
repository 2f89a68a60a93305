//! The shipped settings file, its table in `docs/settings.md` and its JSON Schema are made from the types of the settings:
//! names, sentences, defaults and ranges are written once, in `src/config/sections.rs`.
//!
//! After a change of the settings: `ARTIFICIO_WRITE=1 cargo test --test settings_docs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use artificio::config::{Config, parse, schema};
use serde_json::Value;

/// Comments of the shipped file start at this column.
const COMMENT_COLUMN: usize = 40;

/// A section or a key, in the order of the types.
struct Entry {
    /// "[answer]" or "results = 5"
    line: String,
    name: String,
    sentence: String,
    /// Of a key: its default as TOML.
    default: String,
    /// Of a key: what it takes.
    schema: Value,
}

impl Entry {
    fn is_section(&self) -> bool {
        self.line.starts_with('[')
    }

    /// The words that a key takes, where it takes words.
    fn choices(&self) -> Vec<String> {
        let one_of = self.schema["oneOf"].as_array().into_iter().flatten();
        let mut words: Vec<&Value> = one_of.filter_map(|choice| choice.get("const")).collect();
        words.extend(self.schema["enum"].as_array().into_iter().flatten());
        words.into_iter().map(|word| word.as_str().unwrap().to_string()).collect()
    }

    fn range(&self) -> Option<String> {
        let bound = |name: &str| self.schema[name].as_f64();
        Some(format!("{} to {}", bound("minimum")?, bound("maximum")?))
    }
}

/// Sections and keys, each section before its keys.
fn entries() -> Vec<Entry> {
    let schema = schema();
    // A schema is sorted by name; only a file of the defaults has the order of the types.
    let file = toml::to_string(&Config::default()).unwrap();
    let (mut entries, mut section) = (Vec::new(), Value::Null);
    for line in file.lines().filter(|line| !line.is_empty()) {
        let (name, default) = line.split_once(" = ").unwrap_or((line.trim_matches(['[', ']']), ""));
        if line.starts_with('[') {
            section = schema["properties"][name].clone();
        }
        let about = if line.starts_with('[') { section.clone() } else { section["properties"][name].clone() };
        let sentence = about["description"].as_str().unwrap_or_else(|| panic!("{line} has no sentence")).to_string();
        let (line, name, default) = (line.to_string(), name.to_string(), default.to_string());
        entries.push(Entry { line, name, sentence, default, schema: about });
    }
    assert!(entries.len() > 30, "only {} entries: not the settings", entries.len());
    entries
}

fn shipped_file() -> String {
    let mut file = String::from(
        "# artificio: every setting with its default. Saved changes take effect at once, unless they need a restart.\n\
         # A mistake in here never stops a running daemon: it keeps its settings, and the log and status.json say what is wrong.\n",
    );
    for entry in entries() {
        let choices: Vec<String> = entry.choices().iter().map(|word| format!("\"{word}\"")).collect();
        let words = (!choices.is_empty()).then(|| choices.join(", "));
        let allowed = match (words, entry.range()) {
            (Some(words), Some(range)) => Some(format!("{words}, {range}")),
            (words, range) => words.or(range),
        };
        let comment = match allowed {
            Some(allowed) => format!("{} ({allowed}).", entry.sentence.trim_end_matches('.')),
            None => entry.sentence.clone(),
        };
        let gap = if entry.is_section() { "\n" } else { "" };
        file += &format!("{gap}{:COMMENT_COLUMN$}# {comment}\n", entry.line);
    }
    file
}

fn table() -> String {
    let mut text = String::from(
        "# Settings\n\nEvery setting of `config/artificio.toml`. This page is made from the types of the settings \
         (`tests/settings_docs.rs`);\nso are that file and [config.schema.json](config.schema.json), by which editors \
         complete and check it.\n",
    );
    for entry in entries() {
        let sentence = entry.sentence.replace('|', "\\|");
        if entry.is_section() {
            let head = "| key | default | allowed | meaning |\n|---|---|---|---|";
            text += &format!("\n## {}\n\n{sentence}\n\n{head}\n", entry.line);
            continue;
        }
        let choices: Vec<String> = entry.choices().iter().map(|word| format!("`\"{word}\"`")).collect();
        let allowed = match (entry.schema["type"].as_str(), entry.range()) {
            (Some("number"), Some(range)) => format!("{range}, with fractions"),
            (None, Some(range)) => format!("{}, {range}, with fractions", choices.join(", ")),
            (_, Some(range)) => range,
            (Some("boolean"), _) => "`true`, `false`".into(),
            _ if !choices.is_empty() => choices.join(", "),
            (Some("string"), _) => "text".into(),
            (Some("array"), _) => "a list of texts".into(),
            _ if entry.schema["type"].is_array() => "text, a list of texts, or names with texts".into(),
            _ => panic!("{}: a kind of value the table does not know: {}", entry.name, entry.schema),
        };
        text += &format!("| `{}` | `{}` | {allowed} | {sentence} |\n", entry.name, entry.default);
    }
    text
}

/// Compares `made` with the file at `path`, or writes it there when asked to.
fn assert_up_to_date(path: &str, made: &str) {
    let whole = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("ARTIFICIO_WRITE").is_some() {
        std::fs::write(&whole, made).unwrap();
    }
    let present = std::fs::read_to_string(&whole).unwrap_or_default();
    assert!(present == made, "{path} is out of date: ARTIFICIO_WRITE=1 cargo test --test settings_docs");
}

#[test]
fn the_schema_is_made_from_the_types() {
    assert_up_to_date("docs/config.schema.json", &format!("{:#}\n", schema()));
}

#[test]
fn the_table_is_made_from_the_types() {
    assert_up_to_date("docs/settings.md", &table());
}

#[test]
fn the_shipped_file_is_made_from_the_types() {
    let made = shipped_file();
    assert_eq!(parse(Path::new("artificio.toml"), &made).unwrap(), Config::default());
    assert_up_to_date("config/artificio.toml", &made);
}

/// Each choice and each end of a range is taken, and nothing beyond.
#[test]
fn the_program_allows_what_the_schema_allows() {
    let is_taken = |text: &str| parse(Path::new("x"), text).is_ok();
    assert!(is_taken(&shipped_file()) && is_taken(""));
    assert!(!is_taken("[answer]\nreslts = 5") && !is_taken("[anwser]") && !is_taken("answer = 5"));
    let mut section = String::new();
    for entry in entries() {
        if entry.is_section() {
            assert_eq!(entry.schema["additionalProperties"], false, "{}", entry.line);
            section.clone_from(&entry.line);
            continue;
        }
        let takes = |value: &str| is_taken(&format!("{section}\n{} = {value}", entry.name));
        assert_eq!(takes("[]"), entry.schema["type"] == "array", "{}", entry.line);
        assert!(takes(&entry.default) && !takes("{}"), "{}", entry.line);
        let choices = entry.choices();
        assert!(choices.iter().all(|word| takes(&format!("{word:?}"))), "{}", entry.line);
        assert!(choices.is_empty() || !takes("\"no such choice\""), "{}", entry.line);
        for (bound, beyond) in [("minimum", -1.0), ("maximum", 1.0)] {
            let Some(limit) = entry.schema[bound].as_f64() else { continue };
            let is_whole = entry.schema["type"] == "integer";
            let text = |number: f64| if is_whole { format!("{number}") } else { format!("{number:?}") };
            assert!(takes(&text(limit)) && !takes(&text(limit + beyond)), "{} {bound}", entry.line);
        }
    }
}
