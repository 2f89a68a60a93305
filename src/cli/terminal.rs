//! What a terminal has room for: texts laid out for its width, and cut to its height where they stand on a screen.

use std::io::IsTerminal;
use std::os::fd::AsFd;

use unicode_width::UnicodeWidthChar;

/// How many letters and lines a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Letters on a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

/// The size of what `stream` leads to; `None` where that is no terminal.
pub fn size(stream: &(impl AsFd + IsTerminal)) -> Option<Size> {
    let size = stream.is_terminal().then(|| rustix::termios::tcgetwinsize(stream).ok()).flatten()?;
    // A terminal that does not know its size says 0.
    let told = |told: u16, usual: usize| if told == 0 { usual } else { told.into() };
    Some(Size { columns: told(size.ws_col, 80), rows: told(size.ws_row, 24) })
}

/// Whether the terminal can do nothing but print, as its user says.
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// `text` with its prose broken at spaces for `columns`, further lines set in by `hang`. What a person may copy (a
/// command behind "mend:", a long path) and drawings stay as they are.
pub fn laid(text: &str, columns: usize, hang: usize) -> String {
    text.split_inclusive('\n').map(|line| laid_line(line, columns, hang)).collect()
}

fn laid_line(line: &str, columns: usize, hang: usize) -> String {
    let rest = line.trim_start();
    let is_drawing = rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start().starts_with('|');
    let is_command = rest.starts_with("mend: ") && rest.contains(['\'', '/', '`', '"', '=']);
    if width(line) <= columns || is_drawing || is_command {
        return line.to_string();
    }
    let mut laid = line[..line.len() - rest.len()].to_string();
    let mut used = width(&laid);
    for word in rest.split_inclusive(' ') {
        // Where a line has only begun, the next one would hold no more.
        if used > hang && used + width(word.trim_end()) > columns {
            laid.truncate(laid.trim_end().len());
            laid += &format!("\n{}", " ".repeat(hang));
            used = hang;
        }
        laid += word;
        used += width(word);
    }
    laid
}

/// The lines of `text` that a screen of that size has room for, and a word about those it has not.
pub fn fitting(text: &str, size: Size) -> String {
    let rows = |line: &str| width(line).max(1).div_ceil(size.columns.max(1));
    if text.lines().map(rows).sum::<usize>() < size.rows {
        return text.to_string();
    }
    let (mut shown, mut left) = (String::new(), size.rows.saturating_sub(2));
    for line in text.lines() {
        let Some(after) = left.checked_sub(rows(line)) else { break };
        left = after;
        shown += &format!("{line}\n");
    }
    let more: String = "... a taller window shows more".chars().take(size.columns.saturating_sub(1)).collect();
    shown + &more + "\n"
}

/// Columns that `text` takes; colours take none.
pub fn width(text: &str) -> usize {
    let mut letters = text.chars();
    let mut columns = 0;
    while let Some(letter) = letters.next() {
        match letter {
            '\x1b' => drop(letters.by_ref().find(|letter| *letter == 'm')),
            letter => columns += letter.width().unwrap_or(0),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_broken_at_spaces_and_set_in() {
        let text =
            "\x1b[31mproblem\x1b[0m  the picture is damaged and more\n         mend: cp 'a file' /somewhere/else\n";
        let expected = "\
\x1b[31mproblem\x1b[0m  the picture
         is damaged
         and more
         mend: cp 'a file' /somewhere/else
";
        assert_eq!(laid(text, 20, 9), expected);
        assert_eq!(laid(text, 80, 9), text);
    }

    #[test]
    fn names_and_drawings_are_not_broken() {
        let name = "state  /a/very/long/name/without/any/space.jpg: empty\n";
        assert_eq!(laid(name, 20, 7), "state  /a/very/long/name/without/any/space.jpg:\n       empty\n");
        assert_eq!(laid("  mend: copy it, or save it anew\n", 20, 4), "  mend: copy it, or\n    save it anew\n");
        let drawing = "           2 | results = 500\n             |           ^^^\n";
        assert_eq!(laid(drawing, 16, 11), drawing);
    }

    #[test]
    fn a_screen_is_not_scrolled() {
        let size = |rows| Size { columns: 10, rows };
        let text = "one\ntwo is of two rows\nthree\nfour\n";
        assert_eq!(fitting(text, size(6)), text);
        assert_eq!(fitting(text, size(5)), "one\ntwo is of two rows\n... a tal\n");
        assert_eq!(fitting(text, size(3)), "one\n... a tal\n");
    }

    #[test]
    fn wide_letters_take_two_columns_and_colours_none() {
        assert_eq!(width("\x1b[31m料理\x1b[0m 🍔é"), 8);
    }
}
