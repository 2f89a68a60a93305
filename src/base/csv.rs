//! Text as a column of a CSV file (RFC 4180).

use std::borrow::Cow;

/// Text that holds a comma, a quote or a line break stands in quotes.
pub fn quoted(text: &str) -> Cow<'_, str> {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_and_quotes_stay_one_column() {
        assert_eq!(quoted("a, \"b\".jpg"), "\"a, \"\"b\"\".jpg\"");
        assert_eq!(quoted("größe.jpg"), "größe.jpg");
    }
}
