//! What the convolutional encoder sees of a picture: few enough pixels to be kept in the catalog with its embedding.

use image::RgbaImage;

use crate::base::rows::Rows;
use crate::picture::Square;

/// Side of the block of the square behind each pixel.
const BLOCK: usize = Pixels::SQUARE_SIDE / Pixels::SIDE;

/// Pictures of 56×56 pixels as rows of features: values 0 to 255.
pub struct Pixels;

impl Pixels {
    /// Pixels along an edge.
    pub const SIDE: usize = 56;

    /// Side of the squares they are made of, in pixels.
    pub const SQUARE_SIDE: usize = 224;

    /// Numbers in a row: `[56, 56, 3]`, RGB.
    pub const WIDTH: usize = Self::SIDE * Self::SIDE * 3;

    /// Part of the catalog's key for cached features.
    pub const VERSION: &'static str = "pixels56-3";

    /// Squares to rows `[n, 56 * 56 * 3]`; each pixel is the rounded mean of 4×4.
    pub fn features(pictures: &[Square]) -> Rows {
        let mut rows = Rows::empty(Self::WIDTH);
        for picture in pictures {
            let area = (BLOCK * BLOCK) as u32;
            let sums = picture.block_sums(Self::SIDE);
            let means: Vec<f32> = sums.iter().map(|sum| ((sum + area / 2) / area) as f32).collect();
            rows.push(&means);
        }
        rows
    }

    /// A row `[56 * 56 * 3]` as a picture; numbers beyond 0 to 255 are brought back to them.
    pub fn picture(row: &[f32]) -> RgbaImage {
        let opaque = |pixel: &[f32]| {
            let [red, green, blue] = std::array::from_fn(|at| pixel[at].round().clamp(0.0, 255.0) as u8);
            [red, green, blue, 255]
        };
        let bytes = row.chunks_exact(3).flat_map(opaque).collect();
        RgbaImage::from_raw(Self::SIDE as u32, Self::SIDE as u32, bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_picture_again() {
        let row: Vec<f32> = (0..Pixels::WIDTH).map(|at| at as f32 % 300.0 - 20.0).collect();
        let picture = Pixels::picture(&row);
        assert_eq!(picture.dimensions(), (Pixels::SIDE as u32, Pixels::SIDE as u32));
        assert_eq!((picture.get_pixel(0, 0).0, picture.get_pixel(7, 0).0), ([0, 0, 0, 255], [1, 2, 3, 255]));
        assert_eq!(picture.get_pixel(42, 1).0, [255; 4]);
    }

    #[test]
    fn a_pixel_is_the_mean_of_its_block() {
        let at = |place: usize| (place / 3 % Pixels::SQUARE_SIDE, place / 3 / Pixels::SQUARE_SIDE, place % 3);
        let value = |place: usize| match at(place) {
            (x, y, 0) => (x / 4 + y / 4) as u8,
            (x, _, 1) => (x % 4 * 10) as u8,
            _ => 255,
        };
        let side = Pixels::SQUARE_SIDE;
        let square = Square::from_rgb(side, (0..side * side * 3).map(value).collect()).unwrap();
        let rows = Pixels::features(&[square]);
        assert_eq!(rows.width(), Pixels::WIDTH);
        for y in 0..Pixels::SIDE {
            for x in 0..Pixels::SIDE {
                assert_eq!(rows.row(0)[(y * Pixels::SIDE + x) * 3..][..3], [(x + y) as f32, 15.0, 255.0]);
            }
        }
    }
}
