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
