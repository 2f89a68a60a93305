//! What is wrong with a configuration file, with line, column and caret.

use std::ops::Range;
use std::path::Path;

use unicode_width::UnicodeWidthChar;

use super::mistake::{Place, sentence};
use crate::error::{harmless, is_obeyed};

/// Columns of a line that are shown around what is marked. In a status on 60 columns, which sets it in by eleven, the
/// caret then still stands below its character.
const WINDOW_COLUMNS: usize = 44;
/// Of these, in front of the mark where the line is cut there.
const LEAD_COLUMNS: usize = 16;
/// What a tab is shown as: its true width depends on where a terminal, a log or a status puts the line.
const TAB: &str = "    ";

/// The message for `error` in `text`, the content of `path`.
pub fn describe(path: &Path, text: &str, error: &toml::de::Error) -> String {
    match error.span() {
        None => format!("{}: {}", path.display(), harmless(&sentence(error.message(), Place::default()))),
        Some(span) => point(path, text, &span, &sentence(error.message(), Place::of(text, &span))),
    }
}

/// The message that `what` is wrong at `span` of `text`, the content of `path`, with a drawing that points there.
pub fn point(path: &Path, text: &str, span: &Range<usize>, what: &str) -> String {
    let start = floor_to_character(text, span.start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let line = text[line_start..line_end].trim_end_matches('\r');
    let number = text[..line_start].matches('\n').count() + 1;
    let column = text[line_start..start].trim_start_matches('\u{feff}').chars().count() + 1;
    let end = floor_to_character(text, span.end).clamp(start, line_end);
    let (shown, carets) = drawn(line, &(start - line_start..end - line_start));
    let margin = " ".repeat(number.to_string().len());
    format!(
        "{}:{number}:{column}: {}\n{margin} |\n{number} | {shown}\n{margin} | {carets}",
        path.display(),
        harmless(what).replace('\n', "\\n")
    )
}

/// The part of `line` around `marked`, and the carets that stand below it wherever both are shown: a tab is so many
/// spaces, a wide letter two columns, and what a terminal would obey a mark of one.
fn drawn(line: &str, marked: &Range<usize>) -> (String, String) {
    let mut cells: Vec<(usize, String, usize)> = Vec::new();
    for (at, letter) in line.char_indices() {
        let (text, columns) = match letter {
            '\t' => (TAB.to_string(), TAB.len()),
            '\u{feff}' if at == 0 => continue,
            letter if is_obeyed(letter) => ("\u{fffd}".to_string(), 1),
            letter => (letter.to_string(), letter.width().unwrap_or(1)),
        };
        cells.push((at, text, columns));
    }
    let columns_of = |cells: &[(usize, String, usize)]| cells.iter().map(|cell| cell.2).sum::<usize>();
    let first = cells.iter().position(|cell| cell.0 >= marked.start).unwrap_or(cells.len());
    let last = cells.iter().rposition(|cell| cell.0 < marked.end).map_or(first, |last| (last + 1).max(first));
    let is_long = columns_of(&cells) > WINDOW_COLUMNS;
    let ends_inside = columns_of(&cells[..last]) <= WINDOW_COLUMNS;
    let from = match is_long && !ends_inside {
        true => (0..=first).find(|&from| columns_of(&cells[from..first]) <= LEAD_COLUMNS).unwrap_or(first),
        false => 0,
    };
    let to = (from..=cells.len()).rev().find(|&to| columns_of(&cells[from..to]) <= WINDOW_COLUMNS).unwrap_or(from);
    let cut = |is_cut: bool| if is_cut { "…" } else { "" };
    let text: String = cells[from..to].iter().map(|cell| cell.1.as_str()).collect();
    let shown = format!("{}{text}{}", cut(from > 0), cut(to < cells.len()));
    let space = usize::from(from > 0) + columns_of(&cells[from..first]);
    let carets = columns_of(&cells[first..last.min(to).max(first)]).max(1);
    (shown.trim_end().to_string(), format!("{}{}", " ".repeat(space), "^".repeat(carets)))
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
        parse(Path::new("artificio.toml"), text).unwrap_err()
    }

    /// One of each kind of mistake, as people make them.
    const MISTAKES: [&str; 46] = [
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
