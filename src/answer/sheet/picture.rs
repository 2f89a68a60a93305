//! Draws one picture on its panel of the sheet: whole, undistorted, centred.
//!
//! A transparent picture has a checkerboard behind it. A placeholder stands for a missing one.

use image::RgbaImage;

use super::area::{Area, fitted_size};
use super::canvas::SheetCanvas;
use super::theme::Palette;
use crate::picture::{Filter, resample};

/// Pictures up to this side are enlarged without interpolation, which would only blur an icon.
const PIXEL_ART_SIDE: u32 = 32;

/// A picture nearly of its panel's shape fills it, and loses at most this share of its width or height: a strip of a few pixels beside
/// it would look like a mistake.
const MOST_CUT: f64 = 0.06;

/// Opacity of a panel's edge, 0 to 255.
const EDGE_ALPHA: u8 = 26;

/// Draws `picture`, or a placeholder, into `panel` with corners of `radius` pixels.
pub(super) fn draw(canvas: &mut SheetCanvas, palette: &Palette, panel: Area, radius: f32, picture: Option<&RgbaImage>) {
    canvas.fill(panel, palette.panel);
    let drawn = picture.and_then(|picture| {
        let (width, height) = fitted_size(picture.width(), picture.height(), panel);
        let place = panel.centred(width, height);
        match cut_to(picture, panel).filter(|_| touches(place, panel)) {
            Some(cut) => Some((panel, resized(&cut, panel)?)),
            None => Some((place, resized(picture, place)?)),
        }
    });
    match drawn {
        Some((place, pixels)) => {
            let square = (radius * 0.9).round().max(3.0) as u32;
            if pixels.chunks_exact(4).any(|pixel| pixel[3] < 255) {
                checkerboard(canvas, palette, place, square);
            }
            for (row, y) in pixels.chunks_exact(place.width as usize * 4).zip(place.y..) {
                canvas.blend_row(place.x, y, row);
            }
            if place != panel && place.width.min(place.height) as f32 > 4.0 * radius {
                canvas.cut_corners(place, radius * 0.6, palette.panel);
            }
        }
        None => placeholder(canvas, palette, panel),
    }
    canvas.cut_corners(panel, radius, palette.page);
    // Without an edge, a white picture would have no visible shape on the light background.
    canvas.outline_round(panel, radius, 1.0, palette.ink, EDGE_ALPHA);
}

/// Whether a picture at `place` is as large as its panel allows.
fn touches(place: Area, panel: Area) -> bool {
    place.width == panel.width || place.height == panel.height
}

/// The middle of `picture`, as much of it as has the shape of `panel`; `None` if it has that shape already, or more than
/// [`MOST_CUT`] would be lost.
fn cut_to(picture: &RgbaImage, panel: Area) -> Option<RgbaImage> {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let shape = f64::from(panel.width) / f64::from(panel.height.max(1));
    let (kept_width, kept_height) = ((height * shape).min(width), (width / shape).min(height));
    let lost = (1.0 - kept_width / width).max(1.0 - kept_height / height);
    let (kept_width, kept_height) = (kept_width.round() as u32, kept_height.round() as u32);
    let is_cut = (kept_width, kept_height) != picture.dimensions();
    (is_cut && lost <= MOST_CUT && kept_width > 0 && kept_height > 0).then(|| {
        let (x, y) = ((picture.width() - kept_width) / 2, (picture.height() - kept_height) / 2);
        image::imageops::crop_imm(picture, x, y, kept_width, kept_height).to_image()
    })
}

/// RGBA pixels of `picture` at the size of `place`; `None` for an empty picture.
fn resized(picture: &RgbaImage, place: Area) -> Option<Vec<u8>> {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return None;
    }
    if (width, height) == (place.width, place.height) {
        return Some(picture.as_raw().clone());
    }
    let filter = match width.max(height) {
        side if side <= PIXEL_ART_SIDE => Filter::Nearest,
        _ if place.width > width => Filter::CatmullRom,
        _ => Filter::Lanczos,
    };
    resample(picture, place.width, place.height, filter).map(RgbaImage::into_raw)
}

fn checkerboard(canvas: &mut SheetCanvas, palette: &Palette, place: Area, square: u32) {
    canvas.fill(place, palette.checker[0]);
    for (row, y) in (place.y..place.bottom()).step_by(square as usize).enumerate() {
        let first = place.x + if row % 2 == 0 { 0 } else { square };
        for x in (first..place.right()).step_by(2 * square as usize) {
            let size = (square.min(place.right() - x), square.min(place.bottom() - y));
            canvas.fill(Area::new(x, y, size.0, size.1), palette.checker[1]);
        }
    }
}

/// The usual icon for a missing picture: a frame with hills and a sun.
fn placeholder(canvas: &mut SheetCanvas, palette: &Palette, panel: Area) {
    let side = panel.width.min(panel.height);
    let (width, height) = (side * 36 / 100, side * 27 / 100);
    if height < 12 {
        return;
    }
    let frame = panel.centred(width, height);
    let unit = height as f32 / 10.0;
    let (left, top) = (frame.x as f32, frame.y as f32);
    let point = |x: f32, y: f32| (left + x * width as f32, top + y * height as f32);
    let sun = Area::new(frame.x + width / 5, frame.y + height / 5, height / 5, height / 5);
    canvas.fill_round(sun, height as f32, palette.line);
    canvas.fill_polygon(&[point(0.1, 0.86), point(0.36, 0.5), point(0.56, 0.86)], palette.line);
    canvas.fill_polygon(&[point(0.38, 0.86), point(0.65, 0.32), point(0.9, 0.86)], palette.line);
    canvas.outline_round(frame, unit * 1.2, unit * 0.55, palette.line, 255);
}
