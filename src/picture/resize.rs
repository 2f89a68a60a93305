//! Pictures made smaller: the encoder's square, and copies for the sheet.

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage, RgbaImage};

use super::{SQUARE_SIDE, Square};

/// The whole picture squashed to 224×224 by a bilinear filter as wide as the shrinking asks for (as Pillow does),
/// transparent parts on white.
pub fn square(picture: &DynamicImage) -> Option<Square> {
    let side = SQUARE_SIDE as u32;
    Square::from_rgb(resized(on_white(picture).into_raw(), picture.width(), picture.height(), side, side, PixelType::U8x3)?)
}

/// A copy whose longer side is at most `longest` pixels, transparency kept; `None` only for a picture without pixels.
pub fn shrink(picture: &DynamicImage, longest: u32) -> Option<RgbaImage> {
    let (width, height) = (picture.width(), picture.height());
    if width.max(height) <= longest {
        return Some(picture.to_rgba8());
    }
    let scale = f64::from(longest) / f64::from(width.max(height));
    let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
    let pixels = resized(picture.to_rgba8().into_raw(), width, height, side(width), side(height), PixelType::U8x4)?;
    RgbaImage::from_raw(side(width), side(height), pixels)
}

fn resized(pixels: Vec<u8>, width: u32, height: u32, to_width: u32, to_height: u32, kind: PixelType) -> Option<Vec<u8>> {
    let source = Image::from_vec_u8(width, height, pixels, kind).ok()?;
    let mut target = Image::new(to_width, to_height, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    Some(target.into_vec())
}

fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let pixels = picture.to_rgba8();
    let mut flat = RgbImage::new(pixels.width(), pixels.height());
    for (from, to) in pixels.pixels().zip(flat.pixels_mut()) {
        let [colour @ .., alpha] = from.0;
        to.0 = colour.map(|value| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        });
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transparent_picture_stands_on_white() {
        let picture = RgbaImage::from_pixel(10, 4, image::Rgba([200, 0, 0, 0]));
        let square = square(&DynamicImage::ImageRgba8(picture)).unwrap();
        assert!(square.rgb().iter().all(|&value| value == 255));
    }

    #[test]
    fn shrinking_keeps_the_proportions_and_never_enlarges() {
        let picture = DynamicImage::new_rgb8(4000, 3000);
        assert_eq!(shrink(&picture, 400).unwrap().dimensions(), (400, 300));
        let line = DynamicImage::new_rgb8(5000, 1);
        assert_eq!(shrink(&line, 100).unwrap().dimensions(), (100, 1));
        let small = DynamicImage::new_rgb8(3, 2);
        assert_eq!(shrink(&small, 400).unwrap().dimensions(), (3, 2));
    }

    #[test]
    fn a_mirrored_square_is_the_square_of_the_mirrored_picture() {
        let picture = RgbImage::from_fn(224, 224, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
        let mirrored = DynamicImage::ImageRgb8(image::imageops::flip_horizontal(&picture));
        let plain = square(&DynamicImage::ImageRgb8(picture)).unwrap();
        assert!(plain.mirrored() == square(&mirrored).unwrap());
    }
}
