//! Paints one match: its picture with rank and label, and below it its name, its folder and how similar it is.

use super::super::cell::MatchCell;
use super::super::layout::Layout;
use super::super::words::{bar, clean_name, closeness, percent, split_path, typeset};
use super::super::{Area, Match, picture};
use super::{BADGE_EDGE_ALPHA, Painter, baseline};
use crate::answer::Grade;
use crate::answer::text::{Setting, Weight, fitted, fitted_in_two, line};

/// Least font size of a label, in design units.
const LEAST_LABEL: f32 = 13.0;

/// Whether every file's name fits on one line below its picture.
pub fn names_fit(matches: &[Match], layout: &Layout) -> bool {
    matches.iter().zip(&layout.cells).all(|(found, cell)| {
        let setting = Setting { size_px: layout.scale.fine(cell.size.name), weight: Weight::SemiBold };
        line(split_path(&clean_name(&found.name)).1, setting).width_px <= cell.name.width as f32
    })
}

/// A path with as many of its folders as fit, dropped from the outermost: the innermost says most.
fn shortest_needed(path: &str, fits: impl Fn(&str) -> bool) -> &str {
    let mut rest = path;
    while !fits(rest) {
        match rest.split_once('/') {
            Some((_, inner)) if !inner.is_empty() => rest = inner,
            _ => break,
        }
    }
    rest
}

impl Painter<'_> {
    /// Whether every score fits below its picture as a sentence. Either all scores are sentences, or none.
    pub(super) fn have_room_for_sentences(&self, matches: &[Match], cells: &[MatchCell], digits: usize) -> bool {
        matches.iter().zip(cells).all(|(found, cell)| {
            let setting = self.setting(cell.size.score, Weight::Regular);
            line(&score(found, true, digits), setting).width_px <= cell.score.width as f32
        })
    }

    pub(super) fn cell(&mut self, found: &Match, cell: &MatchCell, score: &str) {
        let (palette, scale) = (self.palette, self.scale);
        picture::draw(&mut self.canvas, palette, cell.panel, scale.fine(cell.size.radius), found.picture.as_ref());
        self.badge(found.rank, cell);
        self.name(found, cell);
        let weight = if found.grade.is_some() { Weight::SemiBold } else { Weight::Regular };
        let ink = if found.grade == Some(Grade::Weak) { palette.quiet_ink } else { palette.soft_ink };
        self.text(score, cell.score, self.setting(cell.size.score, weight), ink);
        self.mark(found, cell);
        match found.grade {
            Some(grade) => self.steps(grade, cell.bar),
            None if found.closer_than.is_nan() => {}
            None => self.share(found.closer_than, cell.bar),
        }
    }

    /// The file's name on one or two lines, and its folder below.
    fn name(&mut self, found: &Match, cell: &MatchCell) {
        let path = clean_name(&found.name);
        let (folder, name) = split_path(&path);
        let setting = self.setting(cell.size.name, Weight::SemiBold);
        let width = cell.name.width as f32;
        let names = match cell.name_lines() {
            1 => vec![fitted(name, setting, width)],
            _ => fitted_in_two(name, setting, width),
        };
        self.lines(&names, cell.name, setting, self.palette.ink);
        if let (Some(folder), Some(area)) = (folder, cell.folder) {
            let setting = self.setting(cell.size.score, Weight::Regular);
            let fits = |folder: &str| line(folder, setting).width_px <= width;
            // Directly below the name, also where others have a line more.
            let y = cell.name.y + names.len() as u32 * cell.name.height;
            self.text(shortest_needed(folder, fits), Area { y, ..area }, setting, self.palette.quiet_ink);
        }
    }

    /// The grade as steps of a bar.
    fn steps(&mut self, grade: Grade, bar: Area) {
        let all = Grade::Same.steps();
        let gap = bar.height;
        let width = bar.width.saturating_sub(gap * (all - 1)) / all;
        for step in 0..all {
            let colour = match grade {
                _ if step >= grade.steps() => self.palette.track,
                Grade::Weak => self.palette.quiet_ink,
                _ => self.palette.accent,
            };
            let area = Area { x: bar.x + step * (width + gap), width: width.max(1), ..bar };
            self.canvas.fill_round(area, bar.height as f32, colour);
        }
    }

    fn share(&mut self, closer_than: f32, whole: Area) {
        let radius = whole.height as f32;
        self.canvas.fill_round(whole, radius, self.palette.track);
        let filled = (whole.width as f32 * bar(closer_than)) as u32;
        if filled > 0 {
            self.canvas.fill_round(Area { width: filled.max(whole.height), ..whole }, radius, self.palette.accent);
        }
    }

    /// Draws the match's label in the lower left corner of its panel.
    fn mark(&mut self, found: &Match, cell: &MatchCell) {
        let (palette, setting) =
            (self.palette, self.setting((cell.size.score * 0.92).max(LEAST_LABEL), Weight::SemiBold));
        let (inset, padding) = (self.scale.px(cell.size.badge * 0.24), setting.size_px * 0.7);
        let room = cell.panel.width.saturating_sub(2 * inset) as f32 - 2.0 * padding;
        let lines = found.mark.iter().map(|words| line(&clean_name(words), setting));
        let Some(line) = lines.into_iter().find(|line| line.width_px <= room) else { return };
        let height = (setting.size_px * 1.9) as u32;
        let label = Area::new(
            cell.panel.x + inset,
            cell.panel.bottom().saturating_sub(inset + height),
            (line.width_px + 2.0 * padding).ceil() as u32,
            height,
        );
        self.canvas.fill_round(label, height as f32, palette.badge);
        self.canvas.outline_round(label, height as f32, 1.0, palette.ink, BADGE_EDGE_ALPHA);
        self.canvas.text(&line, label.x as f32 + padding, baseline(label, setting.size_px), palette.on_badge);
    }

    fn badge(&mut self, rank: usize, cell: &MatchCell) {
        let palette = self.palette;
        let (background, ink) =
            if rank == 1 { (palette.accent, palette.on_accent) } else { (palette.badge, palette.on_badge) };
        let radius = cell.badge.width as f32;
        self.canvas.fill_round(cell.badge, radius, background);
        self.canvas.outline_round(cell.badge, radius, 1.0, palette.ink, BADGE_EDGE_ALPHA);
        let text = rank.to_string();
        let share = if text.len() < 3 { 0.5 } else { 0.36 };
        let setting = Setting { size_px: cell.badge.width as f32 * share, weight: Weight::SemiBold };
        let line = line(&text, setting);
        let x = cell.badge.x as f32 + (cell.badge.width as f32 - line.width_px) / 2.0;
        self.canvas.text(&line, x, baseline(cell.badge, setting.size_px), ink);
    }
}

/// The grade in words, or in one for small cells; where it is not known, the score as a sentence or a number.
pub(super) fn score(found: &Match, sentence: bool, digits: usize) -> String {
    if let Some(grade) = found.grade {
        return if sentence { grade.words() } else { grade.name() }.into();
    }
    let share = found.closer_than;
    let known = if sentence { closeness(share, digits) } else { percent(share, digits) };
    let similarity =
        || if sentence { format!("similarity {:.2}", found.similarity) } else { format!("{:.2}", found.similarity) };
    typeset(&known.unwrap_or_else(similarity))
}

pub(super) fn explanation(sentences: bool) -> &'static str {
    if sentences {
        "closer than 99 % of pairs: of 100 random pairs of inventory pictures, 99 are less similar"
    } else {
        "99 %: of 100 random pairs of inventory pictures, 99 are less similar"
    }
}

#[cfg(test)]
mod tests {
    use super::shortest_needed;

    #[test]
    fn folders_go_before_the_name_does() {
        let within = |limit: usize| move |name: &str| name.len() <= limit;
        assert_eq!(shortest_needed("a/bc/name.jpg", within(13)), "a/bc/name.jpg");
        assert_eq!(shortest_needed("a/bc/name.jpg", within(12)), "bc/name.jpg");
        assert_eq!(shortest_needed("a/bc/name.jpg", within(9)), "name.jpg");
        assert_eq!(shortest_needed("a/bc/name.jpg", within(3)), "name.jpg");
        assert_eq!(shortest_needed("odd/", within(1)), "odd/");
    }
}
