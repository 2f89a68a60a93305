//! Mistakes against TOML itself, in words a person uses: its parser speaks of the grammar.
//!
//! A sentence of the parser that is not known here is shown as it is; `testdata/mistakes.txt` shows which are known.

use std::ops::Range;

use super::cause::Cause;
use super::read::Located;

/// The text around a mistake.
#[derive(Debug, Clone, Copy)]
struct LineContext<'a> {
    /// The marked text.
    marked: &'a str,
    /// The line up to it.
    before: &'a str,
    /// The line from there.
    after: &'a str,
}

impl<'a> LineContext<'a> {
    /// The place of `span` in `text`.
    fn of(text: &'a str, span: &Range<usize>) -> Self {
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

/// What the parser found in `text`, and where.
pub fn located(text: &str, error: &toml::de::Error) -> Located {
    let span = error.span().unwrap_or(0..0);
    let message = error.message().trim();
    let plain = plain(message, LineContext::of(text, &span));
    (span, Cause::Syntax(plain.map_or_else(|| message.replace('\n', ", "), Into::into)))
}

/// The commonest mistakes.
fn plain(message: &str, place: LineContext<'_>) -> Option<&'static str> {
    const PLAIN: [(&str, &str); 11] = [
        ("invalid basic string", "the closing quote is missing, or a character here cannot be part of a text"),
        ("invalid literal string", "the closing quote is missing"),
        ("missing opening quote", "the opening quote is missing"),
        ("missing escaped value", "a backslash in a text is written twice: \\\\"),
        ("duplicate key", "this is set a second time; keep one of the two"),
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
            _ => "`=` and a value are missing after the key",
        });
    }
    if message.starts_with("unexpected key or value") {
        let is_decimal = place.after.starts_with(',') && place.before.ends_with(|letter: char| letter.is_ascii_digit());
        return Some(match is_decimal {
            true => "a decimal is written with a point: 0.5",
            false => "the line should end here: one setting per line; a comment begins with `#`",
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
        "a number is written alone, without a unit or a sign after it"
    } else if word.starts_with(['“', '”', '„', '«', '»', '‘', '’', '`']) {
        "these are not plain quotes: write it \"like this\""
    } else {
        "text needs quotes: write it \"like this\""
    }
}
