//! What is wrong with a configuration file, with line, column, caret and the key that was probably meant.

use std::path::Path;

/// The message for `error` in `text`, the content of `path`.
pub fn describe(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let what = sentence(error.message());
    let Some(span) = error.span() else {
        return format!("{}: {what}", path.display());
    };
    let start = floor_to_character(text, span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let line_number = text[..line_start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let marked = text[start..floor_to_character(text, span.end).clamp(start, line_end)].chars().count().max(1);
    let margin = " ".repeat(line_number.to_string().len());
    format!(
        "{path}:{line_number}:{column}: {what}\n{margin} |\n{line_number} | {line}\n{margin} | {space}{carets}",
        path = path.display(),
        line = &text[line_start..line_end],
        space = " ".repeat(column - 1),
        carets = "^".repeat(marked),
    )
}

fn floor_to_character(text: &str, position: usize) -> usize {
    let position = position.min(text.len());
    (0..=position).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// serde's message in words a person uses.
fn sentence(message: &str) -> String {
    let message = message.trim();
    for (prefix, kind) in [("unknown field ", "key"), ("unknown variant ", "value")] {
        if let Some(rest) = message.strip_prefix(prefix) {
            return unknown(kind, rest);
        }
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("expected {}, found {}", plain_type(expected), plain_value(found));
    }
    plain_syntax(message).map_or_else(|| message.replace('\n', ", "), Into::into)
}

/// serde's "integer `5`" as the number that stands there.
fn plain_value(found: &str) -> String {
    let number = ["integer `", "floating point `"].iter().find_map(|kind| found.strip_prefix(kind));
    number.map_or_else(|| found.into(), |number| number.split('`').next().unwrap_or(number).into())
}

/// The commonest mistakes against TOML itself, which its parser tells in the grammar's words.
fn plain_syntax(message: &str) -> Option<&'static str> {
    const PLAIN: [(&str, &str); 4] = [
        ("string values must be quoted", "a value is missing, or a text without quotes: write it \"like this\""),
        (
            "invalid basic string",
            "the closing quote is missing, or a character stands here that cannot stand in a text",
        ),
        ("key with no value", "`=` and a value are missing behind the key"),
        ("duplicate key", "this is stated a second time; leave one of the two"),
    ];
    PLAIN.iter().find(|(start, _)| message.starts_with(start)).map(|(_, plain)| *plain)
}

fn plain_type(expected: &str) -> &str {
    match expected {
        "i64" | "u64" => "a whole number",
        "f64" => "a number",
        "a string" | "path string" => "text in quotes",
        "a boolean" => "true or false",
        other => other.strip_prefix("struct ").map_or(other, |_| "a section"),
    }
}

/// "unknown key `reslts`; did you mean `results`?" from serde's "`reslts`, expected one of `results`, `theme`".
fn unknown(kind: &str, rest: &str) -> String {
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let given = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, name)| *distance <= name.len() / 2)
        .min();
    match nearest {
        Some((_, name)) => format!("unknown {kind} `{given}`; did you mean `{name}`?"),
        None => format!("unknown {kind} `{given}`; known here: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    fn message(text: &str) -> String {
        parse(Path::new("artificio.toml"), text).unwrap_err()
    }

    /// One of each kind of mistake, as people make them.
    const MISTAKES: [&str; 17] = [
        "[answer]\nreslts = 5",
        "[anwser]\nresults = 5",
        "[answer]\nresults = 0",
        "[answer]\nmin_score = 1.5",
        "[answer]\nresults = \"five\"",
        "[answer]\nresults = 2.5",
        "[folders]\nquery = 5",
        "[model]\ntrain_on_inventory = \"yes\"",
        "[answer]\ntheme = \"purple\"",
        "[answer]\ntheme = dark",
        "[answer]\ntheme = \"dark",
        "[answer]\nresults 5",
        "[answer]\nresults =",
        "[answer]\nresults = 5\nresults = 6",
        "[answer]\nresults = 5\n[answer]\ntheme = \"dark\"",
        "answer = 5",
        "[watch]\nsettle_ms = 99999999999999999999",
    ];

    /// After a change: `ARTIFICIO_WRITE=1 cargo test config::report`, and read what it prints now.
    #[test]
    fn each_kind_of_mistake_prints_what_is_kept_beside_this_file() {
        let printed: String = MISTAKES.iter().map(|text| format!("{}\n\n", message(text))).collect();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/testdata/mistakes.txt");
        if std::env::var_os("ARTIFICIO_WRITE").is_some() {
            std::fs::write(path, &printed).unwrap();
        }
        assert_eq!(printed, std::fs::read_to_string(path).unwrap_or_default());
    }

    #[test]
    fn a_misspelt_key_is_pointed_at_with_the_one_meant() {
        assert_eq!(
            message("# mine\n[answer]\nreslts = 5\n"),
            "artificio.toml:3:1: unknown key `reslts`; did you mean `results`?\n  |\n3 | reslts = 5\n  | ^^^^^^"
        );
    }

    #[test]
    fn a_number_out_of_range_is_pointed_at_with_its_range() {
        assert_eq!(
            message("[answer]\nresults = 500"),
            "artificio.toml:2:11: 500 is out of range: from 1 to 50\n  |\n2 | results = 500\n  |           ^^^"
        );
    }

    #[test]
    fn a_wrong_type_says_what_is_expected() {
        assert_eq!(
            message("[answer]\nresults = \"five\""),
            "artificio.toml:2:11: expected a whole number, found string \"five\"\n  |\n2 | results = \"five\"\n  |           ^^^^^^"
        );
    }

    #[test]
    fn a_wrong_choice_lists_the_right_ones() {
        assert_eq!(
            message("[answer]\ntheme = \"purple\""),
            "artificio.toml:2:9: unknown value `purple`; known here: light, dark\n  |\n2 | theme = \"purple\"\n  |         ^^^^^^^^"
        );
    }

    #[test]
    fn broken_toml_is_pointed_at_too() {
        let text = message("[answer\nresults = 5");
        assert!(text.starts_with("artificio.toml:1:8: "), "{text}");
        assert!(text.contains("1 | [answer\n  |        ^"), "{text}");
    }

    #[test]
    fn letters_of_several_bytes_do_not_shift_the_caret() {
        let text = message("[folders]\nquery = \"größe\" x");
        assert!(text.starts_with("artificio.toml:2:17: "), "{text}");
    }
}
