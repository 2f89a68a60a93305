//! The line of a settings file that a mistake is in, with carets below the place.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::error::Position;

/// So that the caret stands below its character also in a status on 60 columns, which is indented by eleven.
const EXCERPT_COLUMNS: usize = 48;

/// The place of `span` in `text`.
pub fn at(text: &str, span: &Range<usize>) -> Position {
    let start = floor_to_character(text, span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let number = text[..line_start].matches('\n').count() + 1;
    // Neither a byte order mark nor a carriage return is part of the line.
    let line = text[line_start..line_end].trim_start_matches('\u{feff}').trim_end_matches('\r');
    let line_start = line_end - text[line_start..line_end].trim_start_matches('\u{feff}').len();
    let in_line = |at: usize| at.saturating_sub(line_start).min(line.len());
    let marked = in_line(start)..in_line(floor_to_character(text, span.end).max(start));
    Position { line: number, column: line[..marked.start].chars().count() + 1, excerpt: excerpt(line, number, marked) }
}

fn excerpt(line: &str, number: usize, marked: Range<usize>) -> String {
    let snippet = Snippet::source(line).line_start(number).annotation(AnnotationKind::Primary.span(marked));
    Renderer::plain().term_width(EXCERPT_COLUMNS).render(&[Group::with_level(Level::ERROR).element(snippet)])
}

fn floor_to_character(text: &str, position: usize) -> usize {
    let position = position.min(text.len());
    (0..=position).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use unicode_width::UnicodeWidthChar;

    use crate::config::parse;

    fn message(text: &str) -> String {
        parse(Path::new("artificio.toml"), text).unwrap_err().to_string()
    }

    /// One of each kind of mistake, as people make them.
    const MISTAKES: [&str; 48] = [
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
        "[answer]\nresults = -3",
        "[answer]\nmin_score = nan",
        "[answer]\nmin_score = 90%",
        "[answer]\nmin_score = 0,5",
        "[watch]\nsettle_ms = 400ms",
        "[answer]\nresults = 05",
        "[answer]\nresults = [5]",
        "[answer]\nresults = 2026-01-01",
        "[answer]\ntheme = 5",
        "[answer]\ntheme = “dark”",
        "[answer]\ntheme = dark\"",
        "[answer]\ntheme = 'dark",
        "[answer]\ncollapse_duplicates = yes",
        "[answer]\ncollapse_duplicates = True",
        "[log]\nlevel = \"WARNING\"",
        "[answer]\nresults: 5",
        "[answer]\nresults = 5 theme = \"dark\"",
        "; mine\n[answer]",
        "[model]\nmetric = \"cosine\"",
        "results = 5",
        "[[answer]]\nresults = 5",
        "{\"answer\": {\"results\": 5}}",
        "[folders]\ninventory = \"C:\\pictures\"",
        "[folders]\ninventory = \"~/Pictures\"",
        "[folders]\nanswer = \"\"",
        "[folders]\nquery = \"a place with a very long name/料理/pictures/of/the/year/2026\" x # why",
        "[folders]\nexclude = [\n  \"*.psd\",\n  \"scans[\",\n]",
        "[answer]\non_answer = [\"notify-send\", \"{recrod}\"]",
        "[answer]\n\tresults\t=\t500\t# a few",
        "[answer]\ntheme = \"\u{1b}[31mred\"",
        "[answer]\r\nresults = 500\r\n",
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
            "artificio.toml:2:11: expected a whole number, found \"five\"\n  |\n2 | results = \"five\"\n  |           ^^^^^^"
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

    /// What stands above the first caret, on a terminal that gives wide letters two columns.
    fn pointed_at(text: &str) -> String {
        let message = message(text);
        let [.., shown, carets] = message.lines().collect::<Vec<_>>()[..] else { panic!("{message}") };
        let wanted = carets.find('^').unwrap();
        let mut columns = 0;
        let mut letters = shown.chars().skip_while(|letter| {
            let is_before = columns < wanted;
            columns += letter.width().unwrap_or(0);
            is_before
        });
        letters.next().map(String::from).unwrap_or_default()
    }

    #[test]
    fn the_caret_stands_below_its_letter_behind_tabs_wide_letters_and_far_out() {
        for text in [
            "[folders]\nquery = \"größe\" x",
            "[folders]\nquery = \"料理🍔\" x",
            "[folders]\n\t\tquery\t=\t\"料理\"\t x",
            "[folders]\nquery = \"a very long name, a very long name, a very long name\" x and more and more and more",
            "[folders]\nquery = \"\u{202e}txt\" x",
            "\u{feff}folders = {} x",
        ] {
            assert_eq!(pointed_at(text), "x", "{}", message(text));
        }
        assert!(message("[folders]\nquery = \"größe\" x").starts_with("artificio.toml:2:17: "));
    }

    #[test]
    fn a_drawing_fits_a_narrow_terminal_and_moves_no_cursor() {
        let long = format!("[answer]\ntheme = \"{}\" # {}", "x".repeat(300), "y".repeat(300));
        for text in [long.as_str(), "[answer]\nre\u{1b}[31msults = 5", "[answer]\ntheme = \"a\\u001b[31mred\""] {
            let message = message(text);
            assert!(message.lines().skip(1).all(|line| line.chars().count() <= 50), "{message}");
            assert!(!message.contains('\u{1b}'), "{message}");
        }
    }
}
