//! Two measures of similarity that need no model: colours and coarse pixels. What they reach, a model has to beat.
//!
//! Both give rows of unit length, so the cosine of two of them is their product.

use crate::base::rows::to_unit_length;
use crate::picture::Square;

/// Bins for hue, saturation and value.
const HUES: usize = 8;
const SATURATIONS: usize = 3;
const VALUES: usize = 3;

/// Side of the squares that both measures take, in pixels.
pub const SQUARE_SIDE: usize = 224;

/// Side of the picture that [`pixels`] compares.
const COARSE_SIDE: usize = 32;

/// Square roots of the shares of pixels in 8 hues × 3 saturations × 3 values: `[72]`, unit length.
///
/// The root (the Hellinger kernel; Arandjelović and Zisserman, "Three things everyone should know", 2012) keeps one large
/// plain background from being all that counts: mAP .735 instead of .579 leave-one-out on `food`, .223 instead of .143 on
/// `grocery`.
pub fn histogram(picture: &Square) -> Vec<f32> {
    let mut counts = [0_u32; HUES * SATURATIONS * VALUES];
    picture.rgb().chunks_exact(3).for_each(|pixel| counts[bin(pixel[0], pixel[1], pixel[2])] += 1);
    let mut row: Vec<f32> = counts.iter().map(|&count| (count as f32).sqrt()).collect();
    // The roots of shares are of unit length by themselves: this is the division by the number of pixels.
    to_unit_length(&mut row);
    row
}

/// The bin of one pixel, in whole numbers, so that no rounding decides at the edge of a bin.
fn bin(red: u8, green: u8, blue: u8) -> usize {
    let (red, green, blue) = (i32::from(red), i32::from(green), i32::from(blue));
    let most = red.max(green).max(blue);
    let spread = most - red.min(green).min(blue);
    // Once around the circle of hues is 6 spreads. Greys have no hue and count as red.
    let hue = if spread == 0 {
        0
    } else if most == red {
        (green - blue).rem_euclid(6 * spread)
    } else if most == green {
        blue - red + 2 * spread
    } else {
        red - green + 4 * spread
    };
    let part = |share: i32, whole: i32, bins: usize| (share as usize * bins / whole.max(1) as usize).min(bins - 1);
    (part(hue, 6 * spread, HUES) * SATURATIONS + part(spread, most, SATURATIONS)) * VALUES + part(most, 255, VALUES)
}

/// The picture at 32×32 less its mean: `[32 * 32 * 3]`, unit length, or zeros for a picture of one grey.
pub fn pixels(picture: &Square) -> Vec<f32> {
    let sums: Vec<i64> = picture.block_sums(COARSE_SIDE).into_iter().map(i64::from).collect();
    // Times the number of sums, to stay in whole numbers: rounding would give a plain picture a pattern, and scaling to
    // unit length would then make that pattern all there is to compare.
    let (number, total) = (sums.len() as i64, sums.iter().sum::<i64>());
    let mut row: Vec<f32> = sums.iter().map(|sum| (sum * number - total) as f32).collect();
    to_unit_length(&mut row);
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::dot::dot;

    fn painted(colour: impl Fn(usize, usize) -> [u8; 3]) -> Square {
        let bytes = (0..SQUARE_SIDE * SQUARE_SIDE).flat_map(|at| colour(at % SQUARE_SIDE, at / SQUARE_SIDE)).collect();
        Square::from_rgb(SQUARE_SIDE, bytes).unwrap()
    }

    #[test]
    fn every_colour_falls_into_its_bin() {
        let at = |hue: usize, saturation: usize, value: usize| (hue * SATURATIONS + saturation) * VALUES + value;
        assert_eq!(bin(0, 0, 0), at(0, 0, 0));
        assert_eq!(bin(255, 255, 255), at(0, 0, 2));
        assert_eq!(bin(255, 0, 0), at(0, 2, 2));
        assert_eq!(bin(255, 255, 0), at(1, 2, 2)); // 60° of 360°: 1.33 of 8 bins
        assert_eq!(bin(0, 255, 0), at(2, 2, 2)); // 120°: 2.67
        assert_eq!(bin(0, 255, 255), at(4, 2, 2)); // 180°: 4
        assert_eq!(bin(0, 0, 255), at(5, 2, 2)); // 240°: 5.33
        assert_eq!(bin(255, 0, 255), at(6, 2, 2)); // 300°: 6.67
        assert_eq!(bin(255, 0, 1), at(7, 2, 2)); // just short of red again
        assert_eq!(bin(84, 84, 84), at(0, 0, 0)); // the edges of a third are 85 and 170
        assert_eq!(bin(85, 85, 85), at(0, 0, 1));
        assert_eq!(bin(170, 170, 170), at(0, 0, 2));
        assert_eq!(bin(30, 20, 20), at(0, 1, 0)); // saturation 10/30
    }

    #[test]
    fn a_histogram_holds_the_roots_of_shares() {
        let row = histogram(&painted(|x, _| if x < SQUARE_SIDE / 4 { [255, 0, 0] } else { [0, 0, 255] }));
        assert_eq!(row.len(), 72);
        assert!((row[bin(255, 0, 0)] - 0.5).abs() < 1e-6, "a quarter of the pixels");
        assert!((row[bin(0, 0, 255)] - 0.75_f32.sqrt()).abs() < 1e-6, "three quarters of the pixels");
        assert!((dot(&row, &row) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_histogram_does_not_see_where_a_colour_is_and_pixels_do() {
        let left = painted(|x, _| if x < SQUARE_SIDE / 2 { [200, 30, 30] } else { [240, 240, 240] });
        assert_eq!(histogram(&left), histogram(&left.mirrored()));
        // Hand-computed: red at one side, light grey at the other. Less the mean over all pixels and channels, 163.33,
        // the halves are (36.67, -133.33, -133.33) and 76.67 three times over.
        let [red, green, grey] = [110.0_f32 / 3.0, -400.0 / 3.0, 230.0 / 3.0];
        let expected = 2.0 * (red * grey + 2.0 * green * grey) / (red * red + 2.0 * green * green + 3.0 * grey * grey);
        assert!((dot(&pixels(&left), &pixels(&left.mirrored())) - expected).abs() < 1e-5);
    }

    #[test]
    fn pixels_have_unit_length_whatever_the_brightness() {
        let dark = painted(|x, y| [(x / 7) as u8, (y / 7) as u8, 0]);
        let bright = painted(|x, y| [(x / 7) as u8 + 100, (y / 7) as u8 + 100, 100]);
        assert_eq!(pixels(&dark).len(), 3072);
        // Adding 3072 products one after the other in f32 is good to four digits.
        assert!((dot(&pixels(&dark), &pixels(&dark)) - 1.0).abs() < 1e-4);
        assert!((dot(&pixels(&dark), &pixels(&bright)) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_picture_of_one_grey_has_no_pattern() {
        assert!(pixels(&painted(|_, _| [77, 77, 77])).iter().all(|value| *value == 0.0));
    }
}
