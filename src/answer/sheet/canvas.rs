//! The drawing surface of a sheet: opaque pixels, and the shapes, pictures and texts that can be drawn on it.

use image::RgbImage;
use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform};

use super::area::Area;
use super::theme::Rgb;
use crate::answer::text::{GlyphImage, Line, for_each_glyph};

/// A cubic curve with its control points at this share of the radius is a quarter of a circle.
const QUARTER_CIRCLE: f32 = 0.552_284_8;

/// A sheet in progress. Every pixel stays opaque.
pub(super) struct SheetCanvas {
    pixels: Pixmap,
}

impl SheetCanvas {
    /// A sheet of one colour; `None` if it has no pixels or too many for memory.
    pub fn new(width: u32, height: u32, colour: Rgb) -> Option<Self> {
        let mut pixels = Pixmap::new(width, height)?;
        pixels.fill(Color::from_rgba8(colour[0], colour[1], colour[2], 255));
        Some(Self { pixels })
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, area: Area, colour: Rgb) {
        if let Some(rect) = rect(area) {
            self.pixels.fill_rect(rect, &paint(colour), Transform::identity(), None);
        }
    }

    /// Fills a rectangle with round corners.
    pub fn fill_round(&mut self, area: Area, radius: f32, colour: Rgb) {
        let mut path = PathBuilder::new();
        push_round(&mut path, area, radius, 0.0);
        self.fill_path(path.finish(), FillRule::Winding, colour);
    }

    /// Rounds the corners of what was drawn into `area`, by painting them with `background`.
    pub fn cut_corners(&mut self, area: Area, radius: f32, background: Rgb) {
        let Some(rect) = rect(area) else { return };
        let mut path = PathBuilder::new();
        path.push_rect(rect);
        push_round(&mut path, area, radius, 0.0);
        self.fill_path(path.finish(), FillRule::EvenOdd, background);
    }

    /// Fills a polygon.
    pub fn fill_polygon(&mut self, corners: &[(f32, f32)], colour: Rgb) {
        let mut path = PathBuilder::new();
        for (index, (x, y)) in corners.iter().enumerate() {
            if index == 0 { path.move_to(*x, *y) } else { path.line_to(*x, *y) }
        }
        path.close();
        self.fill_path(path.finish(), FillRule::Winding, colour);
    }

    /// Draws the outline of a rectangle with round corners, just inside it, in a colour of `alpha` (0 to 255).
    pub fn outline_round(&mut self, area: Area, radius: f32, width_px: f32, colour: Rgb, alpha: u8) {
        let mut path = PathBuilder::new();
        push_round(&mut path, area, radius, width_px / 2.0);
        self.stroke_path(path.finish(), width_px, colour, alpha);
    }

    fn stroke_path(&mut self, path: Option<Path>, width_px: f32, colour: Rgb, alpha: u8) {
        let Some(path) = path else { return };
        let mut paint = paint(colour);
        paint.set_color_rgba8(colour[0], colour[1], colour[2], alpha);
        let stroke =
            Stroke { width: width_px, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    }

    fn fill_path(&mut self, path: Option<Path>, rule: FillRule, colour: Rgb) {
        if let Some(path) = path {
            self.pixels.fill_path(&path, &paint(colour), rule, Transform::identity(), None);
        }
    }

    /// Blends one row of RGBA pixels onto the sheet, from (`x`, `y`) to the right.
    pub fn blend_row(&mut self, x: u32, y: u32, row: &[u8]) {
        let width = self.pixels.width();
        if y >= self.pixels.height() || x >= width {
            return;
        }
        let count = (row.len() / 4).min((width - x) as usize);
        let start = (y as usize * width as usize + x as usize) * 4;
        let target = &mut self.pixels.data_mut()[start..start + count * 4];
        for (under, over) in target.chunks_exact_mut(4).zip(row.chunks_exact(4)) {
            blend(under, [over[0], over[1], over[2]], over[3]);
        }
    }

    /// Draws a line of text with its start at `x` and its baseline at `baseline`, in pixels.
    pub fn text(&mut self, line: &Line, x: f32, baseline: f32, colour: Rgb) {
        for_each_glyph(line, x, baseline, |glyph| self.glyph(&glyph, colour));
    }

    fn glyph(&mut self, glyph: &GlyphImage<'_>, colour: Rgb) {
        let (width, height) = (glyph.image.placement.width as usize, glyph.image.placement.height as usize);
        let bytes = if glyph.is_coloured() { 4 } else { 1 };
        let (sheet_width, sheet_height) = (self.pixels.width() as i64, self.pixels.height() as i64);
        let data = self.pixels.data_mut();
        for (index, sample) in glyph.image.data.chunks_exact(bytes).take(width * height).enumerate() {
            let x = i64::from(glyph.left) + (index % width) as i64;
            let y = i64::from(glyph.top) + (index / width) as i64;
            if x < 0 || y < 0 || x >= sheet_width || y >= sheet_height {
                continue;
            }
            let start = ((y * sheet_width + x) * 4) as usize;
            let under = &mut data[start..start + 4];
            match sample {
                [red, green, blue, alpha] => blend(under, [*red, *green, *blue], *alpha),
                _ => blend(under, colour, sample[0]),
            }
        }
    }

    /// The finished sheet.
    pub fn into_image(self) -> RgbImage {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        let data = self.pixels.take();
        let mut rgb = Vec::with_capacity(data.len() / 4 * 3);
        for pixel in data.chunks_exact(4) {
            rgb.extend_from_slice(&pixel[..3]);
        }
        RgbImage::from_raw(width, height, rgb).unwrap_or_default()
    }
}

fn blend(under: &mut [u8], over: Rgb, alpha: u8) {
    let alpha = u32::from(alpha);
    for (under, over) in under.iter_mut().zip(over) {
        *under = ((u32::from(over) * alpha + u32::from(*under) * (255 - alpha) + 127) / 255) as u8;
    }
}

fn paint(colour: Rgb) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(colour[0], colour[1], colour[2], 255);
    paint
}

fn rect(area: Area) -> Option<Rect> {
    Rect::from_xywh(area.x as f32, area.y as f32, area.width as f32, area.height as f32)
}

/// Adds a rectangle with round corners that lies `inset` pixels inside of `area`.
fn push_round(path: &mut PathBuilder, area: Area, radius: f32, inset: f32) {
    let (left, top) = (area.x as f32 + inset, area.y as f32 + inset);
    let (right, bottom) = (area.right() as f32 - inset, area.bottom() as f32 - inset);
    let radius = (radius - inset).max(0.0).min((right - left) / 2.0).min((bottom - top) / 2.0);
    let handle = radius * (1.0 - QUARTER_CIRCLE);
    path.move_to(left + radius, top);
    path.line_to(right - radius, top);
    path.cubic_to(right - handle, top, right, top + handle, right, top + radius);
    path.line_to(right, bottom - radius);
    path.cubic_to(right, bottom - handle, right - handle, bottom, right - radius, bottom);
    path.line_to(left + radius, bottom);
    path.cubic_to(left + handle, bottom, left, bottom - handle, left, bottom - radius);
    path.line_to(left, top + radius);
    path.cubic_to(left, top + handle, left + handle, top, left + radius, top);
    path.close();
}
