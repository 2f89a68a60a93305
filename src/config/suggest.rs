//! What may be meant by a name that does not exist: the section a key belongs in, or the nearest spelling.

use std::fmt;
use std::sync::LazyLock;

use super::Config;

/// All sections with their keys. Kept, because a file of another kind asks for it once a line.
static SECTIONS: LazyLock<toml::Table> = LazyLock::new(|| toml::Table::try_from(Config::default()).unwrap_or_default());

/// What a person may have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// The key exists, in this section.
    BelongsIn(String),
    /// A name that is spelled much like it.
    DidYouMean(&'static str),
    /// Nothing is near: all names there are.
    Known(&'static [&'static str]),
}

impl fmt::Display for Suggestion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BelongsIn(section) => write!(out, " here; it belongs in [{section}]"),
            Self::DidYouMean(name) => write!(out, "; did you mean `{name}`?"),
            Self::Known(names) => write!(out, "; known here: {}", names.join(", ")),
        }
    }
}

/// What may be meant by `given`, where a key of `known` is expected.
pub fn key(given: &str, known: &'static [&'static str]) -> Suggestion {
    section_of(given, known).map_or_else(|| choice(given, known), Suggestion::BelongsIn)
}

/// What may be meant by `given`, where one of `known` is expected.
pub fn choice(given: &str, known: &'static [&'static str]) -> Suggestion {
    let given = given.to_lowercase();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&given, name), *name))
        .filter(|(distance, name)| *distance <= name.len() / 2 || given.starts_with(name))
        .min();
    nearest.map_or(Suggestion::Known(known), |(_, name)| Suggestion::DidYouMean(name))
}

/// The section that has the key `given`, where `known` are the keys of another one, or the sections themselves.
fn section_of(given: &str, known: &[&str]) -> Option<String> {
    let is_all_of =
        |table: &toml::Table| table.len() == known.len() && known.iter().all(|key| table.contains_key(*key));
    let mut tables = SECTIONS.values().filter_map(toml::Value::as_table);
    if !is_all_of(&SECTIONS) && !tables.any(is_all_of) {
        return None;
    }
    let has = |table: &toml::Value| table.as_table().is_some_and(|table| table.contains_key(given));
    SECTIONS.iter().find(|(_, table)| has(table)).map(|(name, _)| name.clone())
}
