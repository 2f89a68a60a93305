//! How much memory a picture takes while it is decoded and made smaller, by its header. Measured for each format; see `docs/decisions/one-budget-of-memory.md`.

use image::{ColorType, ImageDecoder};

/// Channels of a picture that is resized, a byte each.
const CHANNELS: u64 = 4;

/// A picture once it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelLayout {
    /// How many pixels.
    pub pixels: u64,
    /// Their bytes.
    pub decoded: u64,
    /// Their channels.
    pub colour: ColorType,
}

impl PixelLayout {
    /// What `decoder` is going to fill.
    pub fn of(decoder: &impl ImageDecoder) -> Self {
        let (width, height) = decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        Self { pixels, decoded: decoder.total_bytes(), colour: decoder.color_type() }
    }
}

/// The memory in bytes that is needed at most at a time, for a picture that was read from `file_bytes` by a decoder that keeps
/// `beside` bytes beside the picture that it fills.
pub fn needed(layout: &PixelLayout, beside: u64, file_bytes: u64) -> u64 {
    let PixelLayout { pixels, decoded, colour } = *layout;
    // Turning it makes another one.
    let turning = decoded;
    // A copy with four channels, unless it has them, and one whose colours are multiplied by its transparency.
    let copy = if colour == ColorType::Rgba8 { 0 } else { CHANNELS * pixels };
    let multiplied = if colour.has_alpha() { CHANNELS * pixels } else { 0 };
    // Files are read whole, and copied by some decoders; rows that are resized are few.
    decoded + beside.max(turning).max(copy + multiplied) + pixels / 4 + 2 * file_bytes
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use image::DynamicImage;

    use crate::picture::{Bounds, open};

    const PIXELS: u64 = 400 * 300;

    /// What is reserved for a picture of 400 × 300 pixels, a pixel, without what the file takes.
    fn reserved(picture: &DynamicImage, format: image::ImageFormat) -> u64 {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        let bounds = Bounds { file_bytes: 1 << 30, pixels: 1 << 30, decode_ms: 1, memory_bytes: 0 };
        let reserved = open(bytes.get_ref(), Path::new("x"), &bounds).map(|picture| picture.memory_bytes()).unwrap();
        (reserved - 2 * bytes.get_ref().len() as u64 - PIXELS / 4) / PIXELS
    }

    /// Whole bytes a pixel; the peaks measured are below each: see the page on the budget.
    #[test]
    fn each_kind_of_picture_reserves_what_was_measured() {
        use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
        let (rgb, rgba) = (DynamicImage::new_rgb8(400, 300), DynamicImage::new_rgba8(400, 300));
        let (grey, deep) = (DynamicImage::new_luma8(400, 300), DynamicImage::new_rgba16(400, 300));
        let cases = [(&rgb, Jpeg, 9), (&grey, Jpeg, 5), (&rgb, Png, 7), (&rgba, Png, 8), (&grey, Png, 5)];
        let others = [(&deep, Png, 16), (&rgba, Gif, 8), (&rgb, Bmp, 7), (&rgb, Tiff, 10), (&rgba, WebP, 13)];
        for (picture, format, expected) in cases.into_iter().chain(others) {
            assert_eq!(reserved(picture, format), expected, "{:?} as {format:?}", picture.color());
        }
    }
}
