//! Paints a sheet: combines content, geometry, text and colours into pixels.

mod captions;

use image::RgbImage;

use super::area::{Area, Scale};
use super::arrangement::is_narrow;
use super::canvas::SheetCanvas;
use super::examples::{ExampleAreas, Examples};
use super::layout::{FOOTER_LINE, HeadingAreas, Layout};
use super::theme::{Palette, Rgb};
use super::words::{clean_name, decimals, matches_title, pictures, query_label, thousands, typeset};
use super::{Footer, Match, Notice, QueryPicture, SheetContent, notice, picture};
use crate::answer::text::{Line, Setting, Weight, fitted, fitted_in_two, line, paragraph};
use crate::answer::{MEANING, ORDER, rises};

pub(super) use captions::names_fit;

use captions::{explanation, score};

const LABEL_SIZE: f32 = 16.0;
const SUBTITLE_SIZE: f32 = 20.0;
const EXAMPLES_LABEL_SIZE: f32 = 14.5;
const REST_SIZE: f32 = 16.0;
/// Font size of a title as a share of its line height; and where a long one is on two lines.
const TITLE_SHARE: f32 = 0.667;
const TITLE_SHARE_IN_TWO: f32 = 0.43;
const FOOTER_SIZE: f32 = 14.5;
const FOOTER_ROW: f32 = 38.0;
/// What the words mean takes one line, or two on a narrow sheet.
const NOTE_LINES: usize = 2;
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
    let order = rises(matches.iter().filter_map(|found| found.grade)).then_some(ORDER);
    painter.footer(content, layout.footer, (note, order));
    painter.canvas.into_image()
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
        let area = heading.title;
        let setting = |share: f32| Setting { size_px: area.height as f32 * share, weight: Weight::SemiBold };
        if line(title, setting(TITLE_SHARE)).width_px <= area.width as f32 {
            self.text(title, area, setting(TITLE_SHARE), self.palette.ink);
            return;
        }
        let setting = setting(TITLE_SHARE_IN_TWO);
        let rows = Area { height: area.height / 2, ..area };
        self.lines(&fitted_in_two(title, setting, area.width as f32), rows, setting, self.palette.ink);
    }

    /// Draws lines one below the other, the first of them in `row`.
    fn lines(&mut self, lines: &[Line], mut row: Area, setting: Setting, colour: Rgb) {
        for line in lines {
            self.canvas.text(line, row.x as f32, baseline(row, setting.size_px), colour);
            row.y += row.height;
        }
    }

    fn matches_heading(&mut self, layout: &Layout, matches: usize, footer: &Footer) {
        let title = matches_title(matches, footer.inventory);
        if let Some(heading) = layout.matches {
            let label = format!("Most similar {}", footer.scope);
            self.heading(heading, label.trim_end(), &title, self.palette.soft_ink);
        }
        if let Some(area) = layout.subtitle {
            let setting = self.setting(SUBTITLE_SIZE, Weight::Regular);
            let whole = format!("{title}, the most similar first");
            let text = if line(&whole, setting).width_px <= area.width as f32 { &whole } else { &title };
            self.text(text, area, setting, self.palette.soft_ink);
        }
    }

    fn tile(&mut self, tile: &QueryPicture, panel: Area, in_set: bool) {
        let radius = self.scale.fine(if panel.width > self.scale.px(180.0) { 12.0 } else { 7.0 });
        picture::draw(&mut self.canvas, self.palette, panel, radius, tile.picture.as_ref());
        let size = self.setting(if panel.width > self.scale.px(180.0) { 15.0 } else { 13.0 }, Weight::Regular);
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

    /// Where the answer comes from, what its words mean, and what folders taught: beside one another where there is room, else on
    /// lines of their own.
    fn footer(&mut self, content: &SheetContent, area: Area, (note, order): (Option<&str>, Option<&str>)) {
        let (palette, scale) = (self.palette, self.scale);
        self.canvas.fill(Area { height: scale.px(1.0), ..area }, palette.line);
        let mut row = Area::new(area.x, area.y + scale.px(20.0), area.width, scale.px(FOOTER_ROW));
        let setting = self.setting(FOOTER_SIZE, Weight::Regular);
        let is_beside = !is_narrow(scale.units(area.width + 2 * area.x));
        let room = if is_beside { f32::MAX } else { area.width as f32 };
        let notes = note.map_or_else(Vec::new, |note| paragraph(&typeset(note), setting, room, NOTE_LINES));
        let taken = if is_beside { notes.first().map_or(0, |note| note.width_px as u32 + scale.px(40.0)) } else { 0 };
        let brand = self.setting(FOOTER_SIZE, Weight::SemiBold);
        let brand_px = self.text("artificio", row, brand, palette.soft_ink) as u32 + scale.px(12.0);
        let footer = &content.footer;
        let parts = [footer.model.as_str(), &pictures(footer.inventory), &footer.how, &footer.date];
        let parts = parts.iter().filter(|part| !part.trim().is_empty()).map(|part| clean_name(part));
        let rest = Area { x: row.x + brand_px, width: row.width.saturating_sub(brand_px + taken), ..row };
        self.text(&parts.collect::<Vec<_>>().join("  ·  "), rest, setting, palette.quiet_ink);
        let mut left = row.x + brand_px;
        for note in &notes {
            let mut x = row.right() as f32 - note.width_px;
            if !is_beside {
                row.y += scale.px(FOOTER_LINE);
                (x, left) = (row.x as f32, row.x);
            }
            self.canvas.text(note, x, baseline(row, setting.size_px), palette.quiet_ink);
        }
        // In the margin below. On a narrow sheet there is no room.
        let order = order.filter(|_| is_beside).map(|order| line(&typeset(order), setting));
        if let Some(order) = &order {
            let below = Area { y: row.y + scale.px(FOOTER_LINE), ..row };
            let x = row.right() as f32 - order.width_px;
            self.canvas.text(order, x, baseline(below, setting.size_px), palette.quiet_ink);
        }
        if !footer.folders.is_empty() {
            // On a line of its own: beside the others it would be cut.
            let taken = order.map_or(0, |order| order.width_px as u32 + scale.px(40.0));
            let width = (area.right() - left).saturating_sub(taken);
            let below = Area { x: left, y: row.y + scale.px(FOOTER_LINE), width, ..row };
            self.text(&clean_name(&footer.folders), below, setting, palette.quiet_ink);
        }
    }
}

/// The baseline that centres capitals vertically in `area`; Inter's capitals are 0.727 em tall.
pub(super) fn baseline(area: Area, size_px: f32) -> f32 {
    (area.y as f32 + area.height as f32 / 2.0 + size_px * 0.363).round()
}
