//! How numbers and names are written on a sheet: scores in per cent, counts, and names made safe to show.

/// Shown for a name without any letters.
const NO_NAME: &str = "(no name)";

/// A name as it can be shown on one line: visible symbols replace line breaks, tabs and other invisible characters.
/// These symbols are in Inter, so that every machine can show them.
pub(super) fn clean_name(name: &str) -> String {
    let shown: String = name.chars().map(visible).collect();
    if shown.trim().is_empty() { NO_NAME.to_string() } else { shown }
}

/// The folders of a path, if it has any, and the file's own name.
pub(super) fn split_path(path: &str) -> (Option<&str>, &str) {
    match path.rsplit_once('/') {
        Some((folders, name)) if !folders.is_empty() && !name.is_empty() => (Some(folders), name),
        _ => (None, path),
    }
}

/// A detail as it can be shown in a paragraph: as [`clean_name`], but line breaks stay.
pub(super) fn clean_paragraph(text: &str) -> String {
    text.trim().chars().map(|character| if character == '\n' { character } else { visible(character) }).collect()
}

fn visible(character: char) -> char {
    match character {
        '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => '↵',
        '\t' => '⇥',
        // U+FFFD replaces bytes that are not UTF-8. Bidirectional controls can make `gpj.exe` look like `exe.jpg`.
        '\u{fffd}'
        | '\u{feff}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{61c}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '□',
        _ if character.is_control() => '□',
        _ => character,
    }
}

/// "closer than 99.2 % of pairs", or `None` if the share is not known (NaN).
pub fn closeness(closer_than: f32, digits: usize) -> Option<String> {
    percent(closer_than, digits).map(|percent| format!("closer than {percent} of pairs"))
}

/// A share of 0..1 in per cent with `digits` decimals. It is truncated, not rounded, so that it never overstates, and
/// only 1.0 itself is 100 %.
pub fn percent(share: f32, digits: usize) -> Option<String> {
    if share.is_nan() {
        return None;
    }
    // Half the distance between two f32 below 1, so that 0.992, stored as 0.99199998, is still 99.2 %.
    let share = f64::from(share).clamp(0.0, 1.0);
    if share == 1.0 {
        return Some("100 %".to_string());
    }
    let unit = 10_f64.powi(digits as i32);
    let most = 100.0 - 1.0 / unit;
    let cut = (((share + 3e-8) * 100.0 * unit).floor() / unit).min(most);
    Some(format!("{cut:.digits$} %"))
}

/// Decimals that `shares`, shown next to each other, need: 87 %, 99.2 %, 99.96 %. The one closest to 1 determines the
/// decimals of all, so that the numbers can be compared at a glance.
pub fn decimals(shares: impl Iterator<Item = f32>) -> usize {
    let needed = |share: f32| match f64::from(share) {
        share if share >= 1.0 || share.is_nan() => 0,
        share if share >= 0.999 - 3e-8 => 2,
        share if share >= 0.9 - 3e-8 => 1,
        _ => 0,
    };
    shares.map(needed).max().unwrap_or(0)
}

/// How much of a score's bar is filled, 0 to 1. The best of many pictures is closer than nearly all pairs, so a bar
/// proportional to the share would always look full. This bar is logarithmic: it grows by a quarter each time the share
/// of closer pairs falls to a tenth (90 %, 99 %, 99.9 %, 99.99 %).
pub(super) fn bar(closer_than: f32) -> f32 {
    let closer = 1.0 - f64::from(closer_than).clamp(0.0, 1.0);
    if closer <= 1e-4 { 1.0 } else { (-closer.log10() / 4.0) as f32 }
}

/// "Query", or "Query set · 3 pictures".
pub(super) fn query_label(queries: usize) -> String {
    if queries > 1 { format!("Query set · {}", pictures(queries)) } else { "Query".to_string() }
}

/// "5 of 1,208 pictures".
pub(super) fn matches_title(matches: usize, inventory: usize) -> String {
    format!("{} of {}", thousands(matches), pictures(inventory.max(matches)))
}

/// "1 picture", "1,208 pictures".
pub fn pictures(count: usize) -> String {
    let noun = if count == 1 { "picture" } else { "pictures" };
    format!("{} {noun}", thousands(count))
}

/// "1,208".
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Replaces the space before a per cent sign by a narrow one.
pub(super) fn typeset(text: &str) -> String {
    text.replace(" %", "\u{202f}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(share: f32) -> Option<String> {
        percent(share, decimals(std::iter::once(share)))
    }

    #[test]
    fn a_share_is_never_overstated() {
        let table: [(f32, &str); 21] = [
            (1.0, "100 %"),
            (0.999_999_94, "99.99 %"),
            (0.99999, "99.99 %"),
            (0.99996, "99.99 %"),
            (0.9999, "99.99 %"),
            (0.99989, "99.98 %"),
            (0.9996, "99.96 %"),
            (0.99951, "99.95 %"),
            (0.999, "99.90 %"),
            (0.99899, "99.8 %"),
            (0.992, "99.2 %"),
            (0.97, "97.0 %"),
            (0.9, "90.0 %"),
            (0.8999, "89 %"),
            (0.873, "87 %"),
            (0.5, "50 %"),
            (0.1, "10 %"),
            (0.0421, "4 %"),
            (0.0, "0 %"),
            (-0.3, "0 %"),
            (1.7, "100 %"),
        ];
        for (share, expected) in table {
            assert_eq!(alone(share).unwrap(), expected, "{share}");
        }
        assert_eq!(alone(f32::NAN), None);
    }

    #[test]
    fn no_share_below_one_reads_100() {
        let mut share = 1.0_f32;
        for _ in 0..20_000 {
            share = share.next_down();
            assert!(!alone(share).unwrap().contains("100"), "{share}");
        }
    }

    #[test]
    fn figures_next_to_each_other_have_the_same_decimals() {
        let shares = [1.0, 0.9996, 0.992, 0.5];
        let digits = decimals(shares.into_iter());
        let figures: Vec<String> = shares.iter().filter_map(|&share| percent(share, digits)).collect();
        assert_eq!(figures, ["100 %", "99.96 %", "99.20 %", "50.00 %"]);
    }

    #[test]
    fn a_better_score_has_a_longer_bar() {
        let bars = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0].map(bar);
        assert!(bars.is_sorted(), "{bars:?}");
        for (bar, expected) in bars[2..].iter().zip([0.25, 0.5, 0.75, 1.0, 1.0]) {
            assert!((bar - expected).abs() < 0.001, "{bars:?}");
        }
    }

    #[test]
    fn the_score_is_a_sentence() {
        assert_eq!(closeness(0.992, 1).unwrap(), "closer than 99.2 % of pairs");
    }

    #[test]
    fn what_is_invisible_in_a_name_becomes_visible() {
        assert_eq!(clean_name("a\nb\tc\0d\u{202e}.jpg"), "a↵b⇥c□d□.jpg");
        assert_eq!(clean_name(""), "(no name)");
        assert_eq!(clean_name("  "), "(no name)");
        assert_eq!(clean_name("שלום 🍔.jpg"), "שלום 🍔.jpg");
        assert_eq!(clean_paragraph(" one\ntwo\u{7} "), "one\ntwo□");
    }

    #[test]
    fn a_path_is_its_folders_and_its_name() {
        assert_eq!(split_path("a/b c/d.jpg"), (Some("a/b c"), "d.jpg"));
        for path in ["d.jpg", "/", "/d.jpg", "odd/", ""] {
            assert_eq!(split_path(path), (None, path));
        }
    }

    #[test]
    fn counts_read_well() {
        assert_eq!(pictures(1), "1 picture");
        assert_eq!(matches_title(5, 1_234_567), "5 of 1,234,567 pictures");
        assert_eq!(query_label(1), "Query");
        assert_eq!(query_label(3), "Query set · 3 pictures");
    }
}
