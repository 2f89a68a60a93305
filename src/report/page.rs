//! The paper that a report's pictures are drawn on: a heading, room for the drawing, a footer, as on the sheets of answers.

use image::RgbImage;

use crate::answer::sheet::{Area, Canvas, Palette, Rgb, Theme, baseline, palette, typeset};
use crate::answer::text::{Line, Setting, Weight, fitted, line, paragraph};

pub(super) const WIDTH_PX: u32 = 1600;
pub(super) const MARGIN_PX: u32 = 64;

const LABEL: Setting = Setting { size_px: 16.0, weight: Weight::SemiBold };
const TITLE: Setting = Setting { size_px: 29.0, weight: Weight::SemiBold };
const TEXT: Setting = Setting { size_px: 17.0, weight: Weight::Regular };
const FOOTER: Setting = Setting { size_px: 14.5, weight: Weight::Regular };
const TEXT_LINE_PX: u32 = 26;
const MOST_TEXT_LINES: usize = 5;
/// Longer lines are hard to follow.
const TEXT_WIDTH_PX: f32 = 1_060.0;

/// What is said above a drawing.
pub(super) struct Heading {
    /// What the picture is of: "Loss".
    pub(super) label: String,
    /// In large type.
    pub(super) title: String,
    /// What is to be seen, in sentences.
    pub(super) text: String,
    /// Whether it is about something that went wrong.
    pub(super) is_warning: bool,
}

/// A page on which the heading stands already.
pub(super) struct Page {
    pub(super) canvas: Canvas,
    pub(super) palette: &'static Palette,
    /// Where to draw.
    pub(super) body: Area,
}

impl Page {
    /// With room of `body_px` height; `None` where that is too much for memory.
    pub(super) fn new(heading: &Heading, body_px: u32, theme: Theme) -> Option<Self> {
        let palette = palette(theme);
        let text = paragraph(&typeset(&heading.text), TEXT, TEXT_WIDTH_PX, MOST_TEXT_LINES);
        let text_top = MARGIN_PX + 76;
        let space = if body_px > 0 { 36 } else { 0 };
        let top = text_top + text.len() as u32 * TEXT_LINE_PX + space;
        let body = Area::new(MARGIN_PX, top, WIDTH_PX - 2 * MARGIN_PX, body_px);
        let canvas = Canvas::new(WIDTH_PX, body.bottom() + 44 + 82, palette.page)?;
        let mut page = Self { canvas, palette, body };
        let row = |y: u32, height: u32| Area::new(MARGIN_PX, y, body.width, height);
        let colour = if heading.is_warning { palette.warning } else { palette.accent };
        page.write(&heading.label, row(MARGIN_PX - 4, 22), LABEL, colour);
        page.write(&heading.title, row(MARGIN_PX + 20, 42), TITLE, palette.ink);
        for (number, line) in (0_u32..).zip(&text) {
            let area = row(text_top + number * TEXT_LINE_PX, TEXT_LINE_PX);
            page.canvas.text(line, area.x as f32, baseline(area, TEXT.size_px), palette.soft_ink);
        }
        Some(page)
    }

    /// Sets `text` into `area`, shortened in its middle where needed.
    pub(super) fn write(&mut self, text: &str, area: Area, setting: Setting, colour: Rgb) {
        let line = fitted(&typeset(text), setting, area.width as f32);
        self.canvas.text(&line, area.x as f32, baseline(area, setting.size_px), colour);
    }

    /// Sets `text` so that it ends with `area`.
    pub(super) fn write_at_end(&mut self, text: &str, area: Area, setting: Setting, colour: Rgb) {
        let line = line(&typeset(text), setting);
        let x = (area.right() as f32 - line.width_px).max(0.0);
        self.canvas.text(&line, x, baseline(area, setting.size_px), colour);
    }

    /// Sets `text` as a paragraph in the middle of the height of `area`.
    pub(super) fn write_beside(&mut self, text: &str, area: Area, setting: Setting, colour: Rgb) {
        let lines: Vec<Line> = paragraph(&typeset(text), setting, area.width as f32, 4);
        let line_px = (setting.size_px * 1.45) as u32;
        let mut row = area.centred(area.width, line_px * lines.len() as u32);
        row.height = line_px;
        for line in &lines {
            self.canvas.text(line, row.x as f32, baseline(row, setting.size_px), colour);
            row.y += line_px;
        }
    }

    /// The finished picture: `left` says what of, `right` explains.
    pub(super) fn finished(mut self, left: &str, right: &str) -> RgbImage {
        let palette = self.palette;
        let top = self.body.bottom() + 44;
        self.canvas.fill(Area { y: top, height: 1, ..self.body }, palette.line);
        let row = Area { y: top + 18, height: 24, ..self.body };
        let brand = Setting { weight: Weight::SemiBold, ..FOOTER };
        let brand_px = line("artificio", brand).width_px as u32 + 12;
        self.write("artificio", row, brand, palette.soft_ink);
        self.write_at_end(right, row, FOOTER, palette.quiet_ink);
        let right_px = if right.is_empty() { 0 } else { line(&typeset(right), FOOTER).width_px as u32 + 40 };
        let rest = Area { x: row.x + brand_px, width: row.width.saturating_sub(brand_px + right_px), ..row };
        self.write(left, rest, FOOTER, palette.quiet_ink);
        self.canvas.into_image()
    }
}
