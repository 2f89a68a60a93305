//! One picture of originals over what the decoder makes of their codes, for people who want to see what a code holds.

use image::{Rgb, RgbImage};

use super::encoder::Convolutional;
use super::pixels::Pixels;
use crate::rows::Rows;

/// Each pixel is drawn as a block of so many.
const ENLARGED: u32 = 3;

/// Pictures side by side before the next pair of lines begins.
const ACROSS: u32 = 8;

/// Between pairs of lines, in pixels.
const GAP: u32 = 12;

/// Originals `[n, 56 * 56 * 3]`, 0 to 255, in lines of eight, each line over that of their reconstructions.
pub fn reconstructions(encoder: &Convolutional, pixels: &Rows) -> RgbImage {
    let back = encoder.decode(&encoder.encode(pixels));
    let (side, count) = (Pixels::SIDE as u32 * ENLARGED, pixels.len() as u32);
    let pair = 2 * side + GAP;
    let height = (count.div_ceil(ACROSS) * pair).saturating_sub(GAP);
    let mut sheet = RgbImage::from_pixel(count.min(ACROSS) * side, height, Rgb([255; 3]));
    for (number, (original, painted)) in (0_u32..).zip(pixels.iter().zip(back.iter())) {
        let (left, top) = (number % ACROSS * side, number / ACROSS * pair);
        paint(&mut sheet, left, top, original);
        paint(&mut sheet, left, top + side, painted);
    }
    sheet
}

fn paint(sheet: &mut RgbImage, left: u32, top: u32, pixels: &[f32]) {
    let side = Pixels::SIDE as u32 * ENLARGED;
    for (y, x) in (0..side * side).map(|at| (at / side, at % side)) {
        let at = ((y / ENLARGED) as usize * Pixels::SIDE + (x / ENLARGED) as usize) * 3;
        let pixel = std::array::from_fn(|channel| pixels[at + channel].round().clamp(0.0, 255.0) as u8);
        sheet.put_pixel(left + x, top + y, Rgb(pixel));
    }
}
