//! Shortens a line of text in its middle, so that its beginning and end (a file's number and extension) stay readable.

use super::fonts::Fonts;
use super::{Line, Setting, shape};

/// Least share of the width for the end of a shortened name.
const END_SHARE: f32 = 0.57;
/// Largest share of the width at which a file name is kept whole and only the path before it is shortened.
const FILE_NAME_SHARE: f32 = 0.78;

/// Glyphs that must not be separated, such as a letter with its accents.
#[derive(Debug, Clone, Copy)]
struct Cluster {
    start: usize,
    end: usize,
    width: f32,
}

/// `text`, shortened to at most `width_px` where needed, and its shape.
pub(super) fn fit(fonts: &mut Fonts, text: &str, setting: Setting, width_px: f32) -> (String, Line) {
    let whole = one_line(fonts, text, setting);
    if whole.width_px <= width_px {
        return (text.to_string(), whole);
    }
    let clusters = clusters(&whole);
    let ellipsis_px = one_line(fonts, "…", setting).width_px;
    let mut room = width_px - ellipsis_px;
    // Shaping the shortened text may change widths (connected scripts, kerning), so the room shrinks until it fits.
    while room > 0.0 {
        let short = shortened(text, &clusters, room);
        let line = one_line(fonts, &short, setting);
        if line.width_px <= width_px {
            return (short, line);
        }
        room -= (line.width_px - width_px).max(setting.size_px * 0.25);
    }
    let line = one_line(fonts, "…", setting);
    if line.width_px <= width_px { ("…".to_string(), line) } else { (String::new(), Line::default()) }
}

/// `text` on at most two lines of `width_px`: the first has as much of its beginning as fits, the second the rest, shortened in its
/// middle where needed.
pub(super) fn fit_two(fonts: &mut Fonts, text: &str, setting: Setting, width_px: f32) -> Vec<Line> {
    let whole = one_line(fonts, text, setting);
    if whole.width_px <= width_px {
        return vec![whole];
    }
    let (beginning, rest) = text.split_at(first_line_end(text, &clusters(&whole), width_px));
    let first = one_line(fonts, beginning.trim_end(), setting);
    if beginning.is_empty() || rest.trim_start().is_empty() || first.width_px > width_px {
        return vec![fit(fonts, text, setting, width_px).1];
    }
    vec![first, fit(fonts, rest.trim_start(), setting, width_px).1]
}

/// Where the first of two lines ends: behind a space or a mark such as `_`, unless that leaves half of the line empty.
fn first_line_end(text: &str, clusters: &[Cluster], width_px: f32) -> usize {
    let (count, _) = taken(clusters.iter(), width_px);
    let ends = clusters[..count].iter().map(|cluster| cluster.end);
    let is_mark = |end: &usize| {
        text.get(..*end).is_some_and(|start| start.ends_with([' ', '-', '_', ',', '/', ')']))
            && text.get(*end..).is_some_and(|rest| !rest.starts_with([' ', '-', '_', ',', '.', ')']))
    };
    let marked = ends.clone().skip(count / 2).rfind(is_mark);
    marked.or(ends.clone().next_back()).unwrap_or(0)
}

fn one_line(fonts: &mut Fonts, text: &str, setting: Setting) -> Line {
    shape(fonts, text, setting, None).pop().unwrap_or_default()
}

/// Clusters in the order of the text, for both reading directions.
fn clusters(line: &Line) -> Vec<Cluster> {
    let glyphs = line.glyphs.iter().map(|glyph| Cluster { start: glyph.start, end: glyph.end, width: glyph.w });
    let mut clusters: Vec<Cluster> = glyphs.collect();
    clusters.sort_by_key(|cluster| cluster.start);
    clusters.dedup_by(|next, kept| {
        let same = next.start < kept.end || next.start == kept.start;
        if same {
            kept.end = kept.end.max(next.end);
            kept.width += next.width;
        }
        same
    });
    clusters
}

/// The beginning and the end of `text` that together take at most `room` pixels, with an ellipsis between them.
fn shortened(text: &str, clusters: &[Cluster], room: f32) -> String {
    let end_room = room * END_SHARE;
    let name_start = text.rfind('/').unwrap_or(text.len());
    let name_px: f32 = clusters.iter().filter(|cluster| cluster.start >= name_start).map(|cluster| cluster.width).sum();
    let end_room = if name_px <= room * FILE_NAME_SHARE { end_room.max(name_px + 0.01) } else { end_room };
    let (tail, tail_px) = taken(clusters.iter().rev(), end_room);
    let (head, _) = taken(clusters.iter(), room - tail_px);
    let head_end = if head == 0 { 0 } else { clusters[head - 1].end };
    let tail_start = if tail == 0 { text.len() } else { clusters[clusters.len() - tail].start };
    let beginning = text.get(..head_end).unwrap_or_default();
    let end = text.get(tail_start.max(head_end)..).unwrap_or_default();
    format!("{}…{}", beginning.trim_end(), end.trim_start())
}

/// How many of `clusters` fit into `room` pixels, and their width.
fn taken<'a>(clusters: impl Iterator<Item = &'a Cluster>, room: f32) -> (usize, f32) {
    let mut taken = (0, 0.0);
    for cluster in clusters {
        if taken.1 + cluster.width > room {
            break;
        }
        taken = (taken.0 + 1, taken.1 + cluster.width);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::super::{Weight, fitted, fitted_text};
    use super::*;

    const SETTING: Setting = Setting { size_px: 15.0, weight: Weight::Regular };

    #[test]
    fn what_fits_is_unchanged() {
        assert_eq!(fitted_text("burger5.jpg", SETTING, 300.0), "burger5.jpg");
    }

    #[test]
    fn the_beginning_and_the_end_stay_and_the_line_fits() {
        let name = "a-very-long-name-of-a-picture-taken-on-a-day-in-summer-0042.jpeg";
        for width in [90.0_f32, 120.0, 180.0, 260.0, 400.0] {
            let short = fitted_text(name, SETTING, width);
            assert!(short.starts_with("a-v") && short.ends_with("2.jpeg") && short.contains('…'), "{width}: {short}");
            let line = fitted(name, SETTING, width);
            assert!(line.width_px <= width && line.width_px > width - 25.0, "{width}: {}", line.width_px);
        }
    }

    #[test]
    fn a_path_is_shortened_before_its_file_name() {
        let short = fitted_text("fruit-and-vegetables/from-the-market/2024/pear-07.jpg", SETTING, 180.0);
        assert!(short.ends_with("/pear-07.jpg") && short.starts_with("fr"), "{short}");
    }

    #[test]
    fn two_lines_hold_a_long_name_whole_and_the_end_of_a_longer_one() {
        use super::super::{fitted_in_two, line};
        let glyphs = |text: &str, width: f32| -> Vec<usize> {
            let lines = fitted_in_two(text, SETTING, width);
            assert!(lines.iter().all(|line| line.width_px <= width), "{text}");
            lines.iter().map(|line| line.glyphs.len()).collect()
        };
        assert_eq!(glyphs("burger5.jpg", 300.0), [11]);
        let name = "2024-06-14 Sommerfest (bearbeitet, final, v2).jpg";
        let first = "2024-06-14 Sommerfest";
        assert_eq!(glyphs(name, 200.0), [first.len(), name.len() - first.len() - 1]);
        let [beginning, end] = glyphs(&"ab".repeat(100), 200.0)[..] else { panic!("not two lines") };
        assert!(beginning > 15 && end > 12 && beginning + end < 100);
        assert_eq!(glyphs(&"字".repeat(80), 10.0).len(), 1, "no room");
        assert!(line("a", SETTING).width_px > 3.0 && fitted_in_two("ab", SETTING, 3.0)[0].glyphs.is_empty());
    }

    #[test]
    fn names_of_255_bytes_in_any_script_fit() {
        for letter in ["w", "я", "字", "ם", "م", "e\u{301}", "🍔"] {
            let name = letter.repeat(255 / letter.len());
            assert!(fitted(&name, SETTING, 150.0).width_px <= 150.0, "{letter}");
            assert!(!fitted_text(&name, SETTING, 150.0).starts_with('\u{301}'));
        }
    }

    #[test]
    fn no_room_at_all_shows_nothing_rather_than_too_much() {
        assert_eq!(fitted_text("burger5.jpg", SETTING, 3.0), "");
    }
}
