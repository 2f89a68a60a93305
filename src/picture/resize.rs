//! Resizes pictures: to the encoder's square input, and to the smaller copies for the sheet.

use std::borrow::Cow;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{InnerPixel, U8x4};
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, RgbaImage};

use super::Square;
use super::decode::caught;

/// The whole picture resized to a square of `side` pixels, without regard to its aspect ratio. The bilinear filter
/// widens with the reduction, as in Pillow. Transparent parts become white. `None` for a picture without pixels, or
/// when memory is short.
pub fn square(picture: &DynamicImage, side: usize) -> Option<Square> {
    let pixels = resample(four_channels(picture)?.as_ref(), side as u32, side as u32, Filter::Bilinear)?;
    Square::from_rgb(side, pixels.pixels().flat_map(|pixel| on_white(pixel.0)).collect())
}

/// A copy whose longer side is at most `longest` pixels, with its transparency. `None` for a picture without pixels, or
/// when memory is short.
pub fn shrink(picture: &DynamicImage, longest: u32) -> Option<RgbaImage> {
    let (width, height) = (picture.width(), picture.height());
    if width.max(height) <= longest {
        return four_channels(picture).map(Cow::into_owned);
    }
    let scale = f64::from(longest) / f64::from(width.max(height));
    let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
    resample(four_channels(picture)?.as_ref(), side(width), side(height), Filter::Bilinear)
}

/// Needs up to 600 MB more for the largest pictures, unless they have four channels. The library panics if it cannot allocate them.
fn four_channels(picture: &DynamicImage) -> Option<Cow<'_, RgbaImage>> {
    match picture {
        DynamicImage::ImageRgba8(picture) => Some(Cow::Borrowed(picture)),
        picture => caught(|| Cow::Owned(picture.to_rgba8())),
    }
}

/// The resampling filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// The nearest pixel.
    Nearest,
    /// Linear interpolation.
    Bilinear,
    /// Sharper; for enlarging.
    CatmullRom,
    /// Sharpest; for shrinking what people look at.
    Lanczos,
}

/// `picture` at another size, with premultiplied transparency; `None` only for a picture without pixels.
/// Uses the library's typed function for one pixel format: the untyped one takes a minute to compile for all formats.
pub fn resample(picture: &RgbaImage, width: u32, height: u32, filter: Filter) -> Option<RgbaImage> {
    let algorithm = match filter {
        Filter::Nearest => ResizeAlg::Nearest,
        Filter::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
        Filter::CatmullRom => ResizeAlg::Convolution(FilterType::CatmullRom),
        Filter::Lanczos => ResizeAlg::Convolution(FilterType::Lanczos3),
    };
    let is_opaque = picture.as_raw().chunks_exact(4).all(|pixel| pixel[3] == 255);
    let options = ResizeOptions::new().resize_alg(algorithm).use_alpha(!is_opaque);
    let source = TypedImageRef::<U8x4>::from_buffer(picture.width(), picture.height(), picture.as_raw()).ok()?;
    let mut target = TypedImage::<U8x4>::new(width, height);
    Resizer::new().resize_typed(&source, &mut target, &options).ok()?;
    RgbaImage::from_raw(width, height, U8x4::components(target.pixels()).to_vec())
}

fn on_white([red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
    let alpha = u32::from(alpha);
    [red, green, blue].map(|value| ((u32::from(value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transparent_picture_becomes_white() {
        let picture = RgbaImage::from_pixel(10, 4, image::Rgba([200, 0, 0, 0]));
        let square = square(&DynamicImage::ImageRgba8(picture), 224).unwrap();
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
        let picture = image::RgbImage::from_fn(224, 224, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
        let mirrored = DynamicImage::ImageRgb8(image::imageops::flip_horizontal(&picture));
        let plain = square(&DynamicImage::ImageRgb8(picture), 224).unwrap();
        assert!(plain.mirrored() == square(&mirrored, 224).unwrap());
    }
}
