//! A mistake in a configuration file, in words a person uses: serde and the TOML parser speak of grammars and types.

use std::ops::Range;

use super::Config;

/// Longer values are shortened in a sentence; the drawing below it shows where they stand.
const LONGEST_SHOWN: usize = 40;

/// What stands where the mistake is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    /// The marked text.
    marked: &'a str,
    /// The line up to it.
    before: &'a str,
    /// The line from there.
    after: &'a str,
}

impl<'a> Place<'a> {
    /// The place of `span` in `text`.
    pub fn of(text: &'a str, span: &Range<usize>) -> Self {
        let marked = text.get(span.clone()).unwrap_or_default();
        let before = text.get(..span.start).unwrap_or_default();
        let after = text.get(span.start..).unwrap_or_default();
        Self {
            marked: marked.lines().next().unwrap_or_default(),
            before: before.rsplit('\n').next().unwrap_or_default(),
            after: after.lines().next().unwrap_or_default(),
        }
    }
}

/// The parser's `message` in words a person uses.
pub fn sentence(message: &str, place: Place<'_>) -> String {
    let message = message.trim();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown(if place.before.ends_with('[') { "section" } else { "key" }, rest);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return unknown("value", rest);
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        return wrong_type(found, expected, place);
    }
    if message == "wanted string or table" {
        return wrong_type("another value", "a string", place);
    }
    plain_syntax(message, place).map_or_else(|| message.replace('\n', ", "), Into::into)
}

fn wrong_type(found: &str, expected: &str, place: Place<'_>) -> String {
    if place.marked.starts_with("[[") {
        return "a section stands in single brackets, once".into();
    }
    let found = if place.marked.is_empty() { found } else { place.marked };
    let expected = match expected {
        "i64" | "u64" => "a whole number",
        "f64" => "a number",
        "a string" | "path string" => "text in quotes",
        "a boolean" => "true or false",
        other => other.strip_prefix("struct ").map_or(other, |_| "a section"),
    };
    format!("expected {expected}, found {}", shortened(found))
}

/// The commonest mistakes against TOML itself, which its parser tells in the grammar's words.
fn plain_syntax(message: &str, place: Place<'_>) -> Option<&'static str> {
    const PLAIN: [(&str, &str); 11] = [
        (
            "invalid basic string",
            "the closing quote is missing, or a character stands here that cannot stand in a text",
        ),
        ("invalid literal string", "the closing quote is missing"),
        ("missing opening quote", "the opening quote is missing"),
        ("missing escaped value", "a backslash in a text is written twice: \\\\"),
        ("duplicate key", "this is stated a second time; leave one of the two"),
        ("unexpected leading zero", "a number does not begin with 0"),
        ("invalid boolean", "write true or false: small letters, no quotes"),
        ("unclosed table", "the closing `]` is missing"),
        ("invalid unquoted key", "a key is made of letters a to z, numbers, `-` and `_`"),
        ("invalid key-value pair", "a [section] or a key with its value is expected here"),
        ("carriage return must", "a line ends with a carriage return alone; save the file with Unix line ends"),
    ];
    if message.starts_with("string values must be quoted") {
        return Some(not_a_value(place.marked));
    }
    if message.starts_with("key with no value") {
        let is_comment = [";", "/", "-", "'", "!"].iter().any(|start| place.before.trim_start().starts_with(start));
        return Some(match place.before.trim_end() {
            _ if is_comment => "a comment begins with `#`",
            before if before.ends_with(':') || place.after.starts_with(':') => {
                "`=` is written between a key and its value, not `:`"
            }
            _ => "`=` and a value are missing behind the key",
        });
    }
    if message.starts_with("unexpected key or value") {
        let is_decimal = place.after.starts_with(',') && place.before.ends_with(|letter: char| letter.is_ascii_digit());
        return Some(match is_decimal {
            true => "a decimal is written with a point: 0.5",
            false => "the line should end here: one setting a line, a comment behind `#`",
        });
    }
    PLAIN.iter().find(|(start, _)| message.starts_with(start)).map(|(_, plain)| *plain)
}

/// What is wrong with something that is neither a number nor in quotes.
fn not_a_value(marked: &str) -> &'static str {
    let word = marked.trim().to_ascii_lowercase();
    if word.is_empty() {
        "a value is missing"
    } else if ["yes", "no", "on", "off"].contains(&word.as_str()) {
        "write true or false: small letters, no quotes"
    } else if word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-' || letter == '+') {
        "a number stands alone, without a unit or a sign behind it"
    } else if word.starts_with(['“', '”', '„', '«', '»', '‘', '’', '`']) {
        "these are not the quotes that are meant: write it \"like this\""
    } else {
        "a text stands in quotes: write it \"like this\""
    }
}

/// "unknown key `reslts`; did you mean `results`?" from serde's "`reslts`, expected one of `results`, `theme`".
fn unknown(kind: &str, rest: &str) -> String {
    let Some((given, known)) = rest.strip_prefix('`').and_then(|rest| rest.split_once("`, expected ")) else {
        return format!("unknown {kind} {rest}");
    };
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let shown = shortened(given);
    if let Some(section) = (kind != "value").then(|| section_of(given, &known)).flatten() {
        return format!("unknown {kind} `{shown}` here; it belongs in [{section}]");
    }
    let given = given.to_lowercase();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&given, name), name))
        .filter(|(distance, name)| *distance <= name.len() / 2 || given.starts_with(**name))
        .min();
    match nearest {
        Some((_, name)) => format!("unknown {kind} `{shown}`; did you mean `{name}`?"),
        None => format!("unknown {kind} `{shown}`; known here: {}", known.join(", ")),
    }
}

/// The section that has the key `given`, where `known` are the keys of another one, or the sections themselves.
fn section_of(given: &str, known: &[&str]) -> Option<String> {
    let sections = toml::Table::try_from(Config::default()).ok()?;
    let is_all_of =
        |table: &toml::Table| table.len() == known.len() && known.iter().all(|key| table.contains_key(*key));
    let mut tables = sections.values().filter_map(toml::Value::as_table);
    if !is_all_of(&sections) && !tables.any(is_all_of) {
        return None;
    }
    let has = |table: &toml::Value| table.as_table().is_some_and(|table| table.contains_key(given));
    sections.iter().find(|(_, table)| has(table)).map(|(name, _)| name.clone())
}

fn shortened(text: &str) -> String {
    let mut letters = text.trim_end().chars();
    let start: String = letters.by_ref().take(LONGEST_SHOWN).collect();
    if letters.next().is_some() { start + "…" } else { start }
}
