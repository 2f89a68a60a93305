//! Makes edited copies of a picture (cropped, mirrored, recoloured), to test whether a model still recognises it.

use image::{DynamicImage, RgbaImage, imageops};

use super::{Hash, Square, shrink, square};

/// A kind of edited copy. The random choices are derived from the picture's content hash, so they are always the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EditedView {
    /// A crop of 60 % of its width and height, at a random place.
    Cropped,
    /// A crop of half its width and height, mirrored, with other colours.
    Altered,
}

impl EditedView {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Cropped, Self::Altered];

    /// The name under which its features are stored. Change it whenever the edit changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cropped => "cropped-2",
            Self::Altered => "altered-2",
        }
    }
}

/// Both edited views of the picture with the hash `content`, as squares of `side` pixels; `None` for a picture without
/// pixels.
pub fn edited_views(picture: &DynamicImage, content: Hash, side: usize) -> Option<[Square; 2]> {
    // Twice the side, because a crop of half of it has to fill the encoder's square.
    let small = shrink(picture, 2 * side as u32)?;
    let chance = |at: usize| f32::from(content.0[at]) / 255.0;
    let cropped = square(&crop(&small, 0.6, [chance(0), chance(1)]), side)?;
    let altered = square(&crop(&small, 0.5, [chance(2), chance(3)]), side)?.mirrored();
    let altered = recoloured(&altered, [4, 5, 6, 7, 8].map(chance))?;
    Some([cropped, altered])
}

/// The crop with `share` of both sides, at the relative position `place` (0 to 1 in each direction).
fn crop(picture: &RgbaImage, share: f32, place: [f32; 2]) -> DynamicImage {
    let cut = |side: u32, place: f32| {
        let kept = ((side as f32 * share) as u32).max(1);
        (((side - kept) as f32 * place) as u32, kept)
    };
    let ((x, width), (y, height)) = (cut(picture.width(), place[0]), cut(picture.height(), place[1]));
    DynamicImage::ImageRgba8(imageops::crop_imm(picture, x, y, width, height).to_image())
}

/// Changes the brightness of each channel by up to 30 %, the saturation by a factor of 0.3 to 1.3, and the contrast by
/// a gamma of 0.6 to 1.65. `chance` holds random numbers from 0 to 1.
fn recoloured(square: &Square, chance: [f32; 5]) -> Option<Square> {
    let gains = [chance[0], chance[1], chance[2]].map(|chance| 0.7 + 0.6 * chance);
    let (power, colour) = ((chance[3] - 0.5).exp(), 0.3 + chance[4]);
    let mut bytes = Vec::with_capacity(square.rgb().len());
    for pixel in square.rgb().chunks_exact(3) {
        let grey = pixel.iter().map(|&value| f32::from(value)).sum::<f32>() / 3.0;
        for (&value, gain) in pixel.iter().zip(gains) {
            let coloured = ((grey + (f32::from(value) - grey) * colour) / 255.0).clamp(0.0, 1.0);
            bytes.push((coloured.powf(power) * gain * 255.0).min(255.0) as u8);
        }
    }
    Square::from_rgb(square.side(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> DynamicImage {
        DynamicImage::ImageRgb8(image::RgbImage::from_fn(90, 60, |x, y| image::Rgb([x as u8 * 2, y as u8 * 4, 90])))
    }

    #[test]
    fn the_same_content_gives_the_same_views_and_other_content_gives_other_views() {
        let [once, again, other] =
            [b"a", b"a", b"b"].map(|content| edited_views(&picture(), Hash::of(content), 64).unwrap());
        assert!(once == again && once[0] != other[0] && once[1] != other[1]);
        assert!(once[0] != square(&picture(), 64).unwrap());
    }

    #[test]
    fn a_crop_lies_in_the_picture_wherever_chance_puts_it() {
        let mut small = RgbaImage::new(10, 5);
        small.put_pixel(9, 4, image::Rgba([200, 0, 0, 255]));
        let last = crop(&small, 0.6, [1.0, 1.0]).to_rgba8();
        assert_eq!(last.dimensions(), (6, 3));
        assert_eq!(last.get_pixel(5, 2)[0], 200);
        assert_eq!(crop(&RgbaImage::new(1, 1), 0.5, [0.3, 1.0]).to_rgba8().dimensions(), (1, 1));
    }
}
