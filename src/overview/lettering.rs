//! Text on pictures that are not sheets of answers: names below thumbnails, captions.

use image::{Rgb, RgbImage};

use crate::answer::text::{Line, for_each_glyph};

/// Writes a line of text with its start at `x` on the baseline `y`.
pub fn write(sheet: &mut RgbImage, line: &Line, x: u32, y: u32, ink: [u8; 3]) {
    for_each_glyph(line, x as f32, y as f32, |glyph| {
        let placed = glyph.image.placement;
        let bytes = if glyph.is_coloured() { 4 } else { 1 };
        for (at, sample) in glyph.image.data.chunks_exact(bytes).enumerate() {
            let (right, down) = (at as u32 % placed.width.max(1), at as u32 / placed.width.max(1));
            let place = (glyph.left + right as i32, glyph.top + down as i32);
            let (Ok(x), Ok(y)) = (u32::try_from(place.0), u32::try_from(place.1)) else { continue };
            let Some(under) = sheet.get_pixel_mut_checked(x, y) else { continue };
            *under = Rgb(match *sample {
                [red, green, blue, alpha] => mixed(under.0, [red, green, blue], alpha),
                [alpha, ..] => mixed(under.0, ink, alpha),
                [] => under.0,
            });
        }
    });
}

/// `above` on `under`, by its opacity.
pub(super) fn mixed(under: [u8; 3], above: [u8; 3], alpha: u8) -> [u8; 3] {
    let alpha = u32::from(alpha);
    let channel = |at: usize| (u32::from(above[at]) * alpha + u32::from(under[at]) * (255 - alpha) + 127) / 255;
    [channel(0) as u8, channel(1) as u8, channel(2) as u8]
}
