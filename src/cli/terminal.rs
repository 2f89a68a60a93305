//! Text for a terminal: wrapped to its width, cut to its height where it is redrawn in place, coloured where that is wanted.

use console::{AnsiCodeIterator, Style, Term, measure_text_width, truncate_str};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, fill};

/// What is printed before the remedy of a problem.
pub const FIX: &str = "fix: ";

/// How many columns and lines a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns of a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

/// The size of `terminal`; `None` where it is a file or a pipe.
pub fn size(terminal: &Term) -> Option<Size> {
    let (rows, columns) = terminal.is_term().then(|| terminal.size())?;
    Some(Size { columns: columns.into(), rows: rows.into() })
}

/// Whether the user says that the terminal can only print, without moving a cursor.
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// Whether standard output takes colours. `console` counts an empty `NO_COLOR` as set; <https://no-color.org> does not.
pub fn has_colours() -> bool {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Term::stdout().is_term() && !is_unwanted && !is_dumb()
}

/// `text` in a style, where there are colours.
pub fn styled(text: &str, style: &Style, has_colours: bool) -> String {
    style.clone().force_styling(has_colours).apply_to(text).to_string()
}

/// `text` as standard output has room for it: as it is into a file or a pipe, [`wrap`]ped on a terminal.
pub fn wrap_for_stdout(text: &str, indent: usize) -> String {
    size(&Term::stdout()).map_or_else(|| text.to_string(), |size| wrap(text, size.columns, indent))
}

/// `text` broken at spaces for `columns`, continued lines indented by `indent`. What a person may copy (a command after
/// [`FIX`], a long path) and excerpts of a file that point at a mistake stay as they are.
pub fn wrap(text: &str, columns: usize, indent: usize) -> String {
    text.split('\n').map(|line| wrap_line(line, columns, indent)).collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, columns: usize, indent: usize) -> String {
    let content = line.trim_start();
    let is_excerpt = content.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start().starts_with('|');
    let is_command = content.strip_prefix(FIX).is_some_and(|fix| fix.contains(['\'', '/', '`', '"', '=']));
    if measure_text_width(line) <= columns || is_excerpt || is_command {
        return line.to_string();
    }
    // A label stays with the first word, however long that is: the next line would hold no more of it.
    let (label, content) = split_at_column(line, indent);
    let margin = " ".repeat(indent);
    let options = Options::new(columns)
        .initial_indent(label)
        .subsequent_indent(&margin)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    fill(content, options)
}

/// The first `columns` of a line, and the rest; codes for colours take none.
fn split_at_column(line: &str, columns: usize) -> (&str, &str) {
    let (mut taken, mut end) = (0, 0);
    for (part, is_code) in AnsiCodeIterator::new(line) {
        if is_code {
            end += part.len();
            continue;
        }
        for letter in part.chars() {
            if taken >= columns {
                return line.split_at(end);
            }
            taken += measure_text_width(letter.encode_utf8(&mut [0; 4]));
            end += letter.len_utf8();
        }
    }
    (line, "")
}

/// The lines of `text` that a screen of that size has room for, and a last one that says if there are more.
pub fn fit_height(text: &str, size: Size) -> String {
    let rows = |line: &str| measure_text_width(line).max(1).div_ceil(size.columns.max(1));
    if text.lines().map(rows).sum::<usize>() < size.rows {
        return text.to_string();
    }
    let (mut shown, mut left) = (String::new(), size.rows.saturating_sub(2));
    for line in text.lines() {
        let Some(after) = left.checked_sub(rows(line)) else { break };
        left = after;
        shown += &format!("{line}\n");
    }
    shown + &truncate_str("... a taller window shows more", size.columns.saturating_sub(1), "") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_broken_at_spaces_and_indented() {
        let text =
            "\x1b[31mproblem\x1b[0m  the picture is damaged and more\n         fix: cp 'a file' /somewhere/else\n";
        let expected = "\
\x1b[31mproblem\x1b[0m  the picture
         is damaged
         and more
         fix: cp 'a file' /somewhere/else
";
        assert_eq!(wrap(text, 20, 9), expected);
        assert_eq!(wrap(text, 80, 9), text);
    }

    #[test]
    fn names_and_excerpts_are_not_broken() {
        let name = "state  /a/very/long/name/without/any/space.jpg: empty\n";
        assert_eq!(wrap(name, 20, 7), "state  /a/very/long/name/without/any/space.jpg:\n       empty\n");
        assert_eq!(wrap("  fix: copy it, or save it again\n", 20, 4), "  fix: copy it, or\n    save it again\n");
        let excerpt = "           2 | results = 500\n             |           ^^^\n";
        assert_eq!(wrap(excerpt, 16, 11), excerpt);
    }

    #[test]
    fn a_screen_is_not_scrolled() {
        let size = |rows| Size { columns: 10, rows };
        let text = "one\ntwo is of two rows\nthree\nfour\n";
        assert_eq!(fit_height(text, size(6)), text);
        assert_eq!(fit_height(text, size(5)), "one\ntwo is of two rows\n... a tal\n");
        assert_eq!(fit_height(text, size(3)), "one\n... a tal\n");
    }

    #[test]
    fn wide_letters_take_two_columns_and_colours_none() {
        assert_eq!(measure_text_width("\x1b[31m料理\x1b[0m 🍔é"), 8);
        assert_eq!(wrap("\x1b[31m料理\x1b[0m 料理 料理", 9, 2), "\x1b[31m料理\x1b[0m 料理\n  料理");
        assert_eq!(split_at_column("\x1b[31m料理\x1b[0m 🍔", 5), ("\x1b[31m料理\x1b[0m ", "🍔"));
    }

    #[test]
    fn a_style_is_a_code_before_and_after_or_nothing() {
        assert_eq!(styled("ready", &Style::new().green(), true), "\x1b[32mready\x1b[0m");
        assert_eq!(styled("ready", &Style::new().green(), false), "ready");
    }
}
