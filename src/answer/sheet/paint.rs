//! Paints a sheet: combines content, geometry, text and colours into pixels.

use image::RgbImage;

use super::area::{Area, Scale};
use super::canvas::SheetCanvas;
use super::cell::MatchCell;
use super::examples::{ExampleAreas, Examples};
use super::layout::{HeadingAreas, Layout};
use super::theme::{Palette, Rgb};
use super::words::{
    bar, clean_name, closeness, decimals, matches_title, percent, pictures, query_label, thousands, typeset,
};
use super::{Footer, Match, Notice, QueryPicture, SheetContent, notice, picture};
use crate::answer::text::{Setting, Weight, fitted, line};
use crate::answer::{Grade, MEANING};

const LABEL_SIZE: f32 = 16.0;
const SUBTITLE_SIZE: f32 = 20.0;
const EXAMPLES_LABEL_SIZE: f32 = 14.5;
const REST_SIZE: f32 = 16.0;
/// Font size of a title as a share of its line height.
const TITLE_SHARE: f32 = 0.667;
const FOOTER_SIZE: f32 = 14.5;
const FOOTER_LINE: f32 = 22.0;
/// Opacity of a badge's edge, 0 to 255: a white badge on a white picture needs one.
const BADGE_EDGE_ALPHA: u8 = 44;

/// Draws everything that `layout` has places for.
pub(super) fn sheet(
    content: &SheetContent,
    queries: &[QueryPicture],
    matches: &[Match],
    notice: Option<&std::borrow::Cow<'_, Notice>>,
    layout: &Layout,
    palette: &Palette,
) -> RgbImage {
    // The limits on width, columns and matches bound the size, so this never fails.
    let Some(canvas) = SheetCanvas::new(layout.width, layout.height, palette.page) else {
        return RgbImage::new(1, 1);
    };
    let further = content.further_queries + content.queries.len() - queries.len();
    let mut painter = Painter { canvas, palette, scale: layout.scale };
    if let Some(heading) = layout.query {
        painter.heading(
            heading,
            &query_label(content.queries.len() + content.further_queries),
            &clean_name(&content.title),
            palette.accent,
        );
    }
    painter.matches_heading(layout, matches.len(), &content.footer);
    for (tile, panel) in queries.iter().zip(&layout.tiles) {
        painter.tile(tile, *panel, queries.len() > 1);
    }
    if let (Some(panel), further @ 1..) = (layout.tiles.last(), further) {
        painter.further(further, *panel);
    }
    for (examples, areas) in content.examples.iter().filter(|examples| examples.count() > 0).zip(&layout.examples) {
        painter.examples(examples, areas);
    }
    let digits = decimals(matches.iter().map(|found| found.closer_than));
    let sentences = painter.have_room_for_sentences(matches, &layout.cells, digits);
    for (found, cell) in matches.iter().zip(&layout.cells) {
        painter.cell(found, cell, &score(found, sentences, digits));
    }
    if let (Some(notice), Some(area)) = (notice, layout.notice) {
        let composed = notice::compose(notice, matches.is_empty(), area.width, layout.width);
        composed.draw(&mut painter.canvas, palette, notice.kind, area);
    }
    let note = matches.first().map(|found| match found.grade {
        Some(_) => MEANING,
        None => explanation(sentences),
    });
    painter.footer(content, layout.footer, note);
    painter.canvas.into_image()
}

/// A path with as many of its folders as fit, dropped from the outermost: the file's own name matters most.
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

struct Painter<'a> {
    canvas: SheetCanvas,
    palette: &'a Palette,
    scale: Scale,
}

impl Painter<'_> {
    fn setting(&self, units: f32, weight: Weight) -> Setting {
        Setting { size_px: self.scale.fine(units), weight }
    }

    /// Draws `text` into `area`, shortened in its middle where needed; returns its width in pixels.
    fn text(&mut self, text: &str, area: Area, setting: Setting, colour: Rgb) -> f32 {
        let line = fitted(text, setting, area.width as f32);
        self.canvas.text(&line, area.x as f32, baseline(area, setting.size_px), colour);
        line.width_px
    }

    fn heading(&mut self, heading: HeadingAreas, label: &str, title: &str, colour: Rgb) {
        self.text(label, heading.label, self.setting(LABEL_SIZE, Weight::SemiBold), colour);
        let size_px = heading.title.height as f32 * TITLE_SHARE;
        self.text(title, heading.title, Setting { size_px, weight: Weight::SemiBold }, self.palette.ink);
    }

    fn matches_heading(&mut self, layout: &Layout, matches: usize, footer: &Footer) {
        let title = matches_title(matches, footer.inventory);
        if let Some(heading) = layout.matches {
            let label = format!("Most similar {}", footer.scope);
            self.heading(heading, label.trim_end(), &title, self.palette.soft_ink);
        }
        if let Some(area) = layout.subtitle {
            let text = format!("{title}, the most similar first");
            self.text(&text, area, self.setting(SUBTITLE_SIZE, Weight::Regular), self.palette.soft_ink);
        }
    }

    fn tile(&mut self, tile: &QueryPicture, panel: Area, in_set: bool) {
        let radius = self.scale.fine(if panel.width > self.scale.px(180.0) { 12.0 } else { 7.0 });
        picture::draw(&mut self.canvas, self.palette, panel, radius, tile.picture.as_ref());
        let size = self.setting(if panel.width > self.scale.px(180.0) { 15.0 } else { 12.0 }, Weight::Regular);
        if tile.picture.is_none() && in_set && panel.width >= self.scale.px(64.0) {
            let inset = self.scale.px(8.0);
            let height = (size.size_px * 1.5) as u32;
            let area = Area::new(panel.x + inset, panel.bottom() - inset - height, panel.width - 2 * inset, height);
            let line = fitted(&clean_name(&tile.name), size, area.width as f32);
            let x = area.x as f32 + (area.width as f32 - line.width_px) / 2.0;
            self.canvas.text(&line, x, baseline(area, size.size_px), self.palette.soft_ink);
        }
    }

    /// How many query pictures are not shown, as a label in the lower right corner of the last that is.
    fn further(&mut self, further: usize, panel: Area) {
        let (palette, setting) = (self.palette, self.setting(REST_SIZE, Weight::SemiBold));
        let padding = setting.size_px * 0.6;
        let line = fitted(&format!("+{}", thousands(further)), setting, panel.width as f32 - 2.0 * padding);
        let (width, height) = ((line.width_px + 2.0 * padding).ceil() as u32, (setting.size_px * 1.7) as u32);
        let inset = self.scale.px(6.0);
        let [x, y] = [panel.right().saturating_sub(inset + width), panel.bottom().saturating_sub(inset + height)];
        let label = Area::new(x, y, width, height);
        self.canvas.fill_round(label, height as f32, palette.badge);
        self.canvas.outline_round(label, height as f32, 1.0, palette.ink, BADGE_EDGE_ALPHA);
        self.canvas.text(&line, x as f32 + padding, baseline(label, setting.size_px), palette.on_badge);
    }

    fn examples(&mut self, examples: &Examples, areas: &ExampleAreas) {
        let (palette, label) = (self.palette, self.setting(EXAMPLES_LABEL_SIZE, Weight::SemiBold));
        self.text(examples.label, areas.label, label, palette.soft_ink);
        let radius = self.scale.fine(7.0);
        for (example, panel) in examples.pictures.iter().zip(&areas.panels) {
            picture::draw(&mut self.canvas, palette, *panel, radius, example.as_ref());
        }
        if let Some(area) = areas.rest {
            self.canvas.fill_round(area, radius, palette.panel);
            let setting = self.setting(REST_SIZE, Weight::SemiBold);
            let rest = fitted(&format!("+{}", examples.count() - areas.panels.len()), setting, area.width as f32);
            let x = area.x as f32 + (area.width as f32 - rest.width_px) / 2.0;
            self.canvas.text(&rest, x, baseline(area, setting.size_px), palette.soft_ink);
        }
    }

    /// Whether every score fits below its picture as a sentence. Either all scores are sentences, or none.
    fn have_room_for_sentences(&self, matches: &[Match], cells: &[MatchCell], digits: usize) -> bool {
        matches.iter().zip(cells).all(|(found, cell)| {
            let setting = self.setting(cell.size.score, Weight::Regular);
            line(&score(found, true, digits), setting).width_px <= cell.score.width as f32
        })
    }

    fn cell(&mut self, found: &Match, cell: &MatchCell, score: &str) {
        let (palette, scale) = (self.palette, self.scale);
        picture::draw(&mut self.canvas, palette, cell.panel, scale.fine(cell.size.radius), found.picture.as_ref());
        self.badge(found.rank, cell);
        let setting = self.setting(cell.size.name, Weight::SemiBold);
        let name = clean_name(&found.name);
        let fits = |name: &str| line(name, setting).width_px <= cell.name.width as f32;
        self.text(shortest_needed(&name, fits), cell.name, setting, palette.ink);
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
        let (palette, setting) = (self.palette, self.setting(cell.size.score * 0.92, Weight::SemiBold));
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

    fn footer(&mut self, content: &SheetContent, area: Area, note: Option<&str>) {
        let (palette, scale) = (self.palette, self.scale);
        self.canvas.fill(Area { height: scale.px(1.0), ..area }, palette.line);
        let top = area.y + scale.px(20.0);
        let mut rest = Area::new(area.x, top, area.width, area.bottom() - top);
        let setting = self.setting(FOOTER_SIZE, Weight::Regular);
        if let Some(note) = note {
            let note = line(&typeset(note), setting);
            let x = area.right() as f32 - note.width_px;
            self.canvas.text(&note, x, baseline(rest, setting.size_px), palette.quiet_ink);
            rest.width = rest.width.saturating_sub(note.width_px as u32 + scale.px(40.0));
        }
        let brand = self.setting(FOOTER_SIZE, Weight::SemiBold);
        let brand_px = self.text("artificio", rest, brand, palette.soft_ink) + scale.fine(12.0);
        let rest = Area { x: rest.x + brand_px as u32, width: rest.width.saturating_sub(brand_px as u32), ..rest };
        let footer = &content.footer;
        let parts = [footer.model.as_str(), &pictures(footer.inventory), &footer.date];
        let parts = parts.iter().filter(|part| !part.trim().is_empty()).map(|part| clean_name(part));
        self.text(&parts.collect::<Vec<_>>().join("  ·  "), rest, setting, palette.quiet_ink);
        if !footer.folders.is_empty() {
            // On a line of its own, in the margin below: beside the others it would be cut.
            let y = rest.y + scale.px(FOOTER_LINE);
            let below = Area { y, width: area.right().saturating_sub(rest.x), ..rest };
            self.text(&clean_name(&footer.folders), below, setting, palette.quiet_ink);
        }
    }
}

/// The grade in words, or in one for small cells; where it is not known, the score as a sentence or a number.
fn score(found: &Match, sentence: bool, digits: usize) -> String {
    if let Some(grade) = found.grade {
        return if sentence { grade.words() } else { grade.name() }.into();
    }
    let share = found.closer_than;
    let known = if sentence { closeness(share, digits) } else { percent(share, digits) };
    let similarity =
        || if sentence { format!("similarity {:.2}", found.similarity) } else { format!("{:.2}", found.similarity) };
    typeset(&known.unwrap_or_else(similarity))
}

fn explanation(sentences: bool) -> &'static str {
    if sentences {
        "closer than 99 % of pairs: of 100 random pairs of inventory pictures, 99 are less similar"
    } else {
        "99 %: of 100 random pairs of inventory pictures, 99 are less similar"
    }
}

/// The baseline that centres capitals vertically in `area`; Inter's capitals are 0.727 em tall.
pub(super) fn baseline(area: Area, size_px: f32) -> f32 {
    (area.y as f32 + area.height as f32 / 2.0 + size_px * 0.363).round()
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
