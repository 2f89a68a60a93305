//! Which settings differ between two configurations.

use std::fmt;

use super::Config;

/// Sections and keys that a running daemon cannot change.
const NEED_RESTART: [&str; 6] = ["folders", "answer.on_answer", "limits.workers", "model.encoder", "index", "node"];

/// Keys of these sections that it can.
const TAKE_EFFECT: [&str; 1] = ["folders.exclude"];

/// A key whose value has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// "answer.results"
    pub key: String,
    /// The value before, as it would be written in the file.
    pub old: String,
    /// The value now.
    pub new: String,
}

impl KeyChange {
    /// Whether it takes effect only after a restart.
    pub fn needs_restart(&self) -> bool {
        let section = self.key.split('.').next().unwrap_or_default();
        let needs = NEED_RESTART.iter().any(|name| *name == self.key || *name == section);
        needs && !TAKE_EFFECT.contains(&self.key.as_str())
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} -> {}", self.key, self.old, self.new)
    }
}

/// The keys whose values differ, by their names.
pub fn changes(old: &Config, new: &Config) -> Vec<KeyChange> {
    let (old, new) = (keys(old), keys(new));
    let differing = old.into_iter().zip(new).filter(|(old, new)| old.1 != new.1);
    differing.map(|((key, old), (_, new))| KeyChange { key, old, new }).collect()
}

/// All keys with their values. Every configuration has the same ones.
fn keys(config: &Config) -> Vec<(String, String)> {
    let table = toml::Table::try_from(config).unwrap_or_default();
    let sections = table.into_iter().filter_map(|(section, values)| match values {
        toml::Value::Table(values) => Some((section, values)),
        _ => None,
    });
    sections
        .flat_map(|(section, values)| {
            values.into_iter().map(move |(key, value)| (format!("{section}.{key}"), value.to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    #[test]
    fn every_changed_key_is_named_with_both_values() {
        let old = Config::default();
        let text = "[answer]\nresults = 7\ntheme = \"dark\"\n[limits]\nworkers = 3\n[folders]\nquery = \"ask\"\nexclude = [\"*.psd\"]";
        let new = parse(Path::new("x"), text).unwrap();
        let found = changes(&old, &new);
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        let expected = [
            "answer.results: 5 -> 7",
            "answer.theme: \"light\" -> \"dark\"",
            "folders.exclude: [] -> [\"*.psd\"]",
            "folders.query: \"query\" -> \"ask\"",
            "limits.workers: 0 -> 3",
        ];
        assert_eq!(shown, expected);
        let restart: Vec<bool> = found.iter().map(KeyChange::needs_restart).collect();
        assert_eq!(restart, [false, false, false, true, true]);
        assert!(changes(&new, &new).is_empty());
    }

    #[test]
    fn keys_that_need_a_restart_exist_and_their_sentences_say_so() {
        let defaults = keys(&Config::default());
        for name in TAKE_EFFECT {
            assert!(defaults.iter().any(|(key, _)| key == name), "{name}");
        }
        for name in NEED_RESTART {
            assert!(defaults.iter().any(|(key, _)| key == name || key.starts_with(&format!("{name}."))), "{name}");
            let last = name.rsplit('.').next().unwrap();
            let shipped = include_str!("../../config/artificio.toml");
            let line = shipped.lines().find(|line| line.trim_start_matches('[').starts_with(last)).unwrap();
            assert!(line.contains("restart"), "{line}");
        }
    }
}
