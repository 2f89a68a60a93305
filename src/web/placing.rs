//! Names of files that a browser sends, as they may stand in the query folder.

use std::ffi::OsStr;

use crate::error::is_obeyed;
use crate::watch::is_ignored;

/// A longer name is cut: the answer's name is made from it.
const LONGEST_BYTES: usize = 120;
/// So many names are tried: "a 2.jpg", "a 3.jpg" ...
const MOST_TRIES: usize = 10_000;
/// Instead of a name of which nothing is left.
const NAMELESS: &str = "picture";

/// `name` without folders, dots at its beginning and characters that something obeys; one that the daemon would not ignore.
pub fn harmless_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String =
        last.chars().map(|letter| if is_obeyed(letter) || letter == '\0' { '_' } else { letter }).collect();
    let clean = clean.trim().trim_start_matches('.').trim_end_matches(['.', ' ']);
    let (stem, end) = split(clean);
    let most = LONGEST_BYTES.saturating_sub(end.len());
    let cut = (0..=most.min(stem.len())).rev().find(|&at| stem.is_char_boundary(at)).unwrap_or(0);
    let name = format!("{}{end}", stem[..cut].trim_end());
    if name.is_empty() || name.starts_with('.') || is_ignored(OsStr::new(&name)) { NAMELESS.into() } else { name }
}

/// The name itself, then the same with a number.
pub fn numbered(name: &str) -> impl Iterator<Item = String> {
    let (stem, end) = split(name);
    let others = (2..MOST_TRIES).map(move |number| format!("{stem} {number}{end}"));
    std::iter::once(name.to_string()).chain(others)
}

/// A name and its ending with the dot; no ending where it is unusually long.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= 10 => name.split_at(at),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_browser_calls_a_file_its_name_stays_in_the_folder() {
        for (given, expected) in [
            ("burger.jpg", "burger.jpg"),
            ("größe 料理.png", "größe 料理.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\a.jpg", "a.jpg"),
            ("/", "picture"),
            ("", "picture"),
            ("..", "picture"),
            (".hidden.jpg", "hidden.jpg"),
            ("...", "picture"),
            ("a\n\u{202e}b\0.jpg", "a__b_.jpg"),
            ("a.jpg.part", "picture"),
            ("thumbs.db", "picture"),
            ("a.jpg ", "a.jpg"),
        ] {
            assert_eq!(harmless_name(given), expected, "{given:?}");
        }
        let long = harmless_name(&format!("{}.jpeg", "ü".repeat(300)));
        assert!(long.len() <= LONGEST_BYTES && long.ends_with("ü.jpeg"), "{long}");
        assert!(harmless_name(&"a.".repeat(300)).len() <= LONGEST_BYTES);
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let names: Vec<String> = numbered("a.b.jpg").take(3).collect();
        assert_eq!(names, ["a.b.jpg", "a.b 2.jpg", "a.b 3.jpg"]);
        assert_eq!(numbered("set").nth(1).unwrap(), "set 2");
    }
}
