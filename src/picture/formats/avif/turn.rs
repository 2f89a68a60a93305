//! Crops, turns and mirrors a picture as its container says, in the order in which it says so.

use image::{RgbaImage, imageops};

use super::super::boxes::Numbers;
use super::items::Property;

/// `picture` after its transformations; `None` if one makes no sense.
pub fn turned<'a>(mut picture: RgbaImage, properties: impl Iterator<Item = Property<'a>>) -> Option<RgbaImage> {
    for (kind, content) in properties {
        picture = match &kind {
            b"clap" => cropped(picture, content)?,
            // Quarters against the clock.
            b"irot" => match content.first()? & 3 {
                0 => picture,
                1 => imageops::rotate270(&picture),
                2 => {
                    imageops::rotate180_in_place(&mut picture);
                    picture
                }
                _ => imageops::rotate90(&picture),
            },
            b"imir" => {
                // Top and bottom are exchanged, or left and right.
                match content.first()? & 1 {
                    0 => imageops::flip_vertical_in_place(&mut picture),
                    _ => imageops::flip_horizontal_in_place(&mut picture),
                }
                picture
            }
            _ => picture,
        };
    }
    Some(picture)
}

/// Width and height of a picture of `size` after its transformations; `None` if one makes no sense.
pub fn turned_size<'a>(mut size: [u32; 2], properties: impl Iterator<Item = Property<'a>>) -> Option<[u32; 2]> {
    for (kind, content) in properties {
        size = match &kind {
            b"clap" => aperture(size, content)?.map(|(_, length)| length),
            b"irot" if content.first()? & 1 == 1 => [size[1], size[0]],
            _ => size,
        };
    }
    Some(size)
}

fn cropped(picture: RgbaImage, content: &[u8]) -> Option<RgbaImage> {
    let [(x, width), (y, height)] = aperture(picture.dimensions().into(), content)?;
    if (width, height) == picture.dimensions() {
        return Some(picture);
    }
    Some(imageops::crop_imm(&picture, x, y, width, height).to_image())
}

/// The clean aperture: where it begins and how long it is, to the right and down. The file has its width and height, and how far its
/// middle lies right of and below that of the picture; fractions all.
fn aperture([width, height]: [u32; 2], content: &[u8]) -> Option<[(u32, u32); 2]> {
    let mut numbers = Numbers(content);
    let mut fraction = || {
        let (above, below) = (numbers.next(4)? as u32 as i32, numbers.next(4)? as u32 as i32);
        (below > 0).then(|| f64::from(above) / f64::from(below))
    };
    let (size, middle) = ([fraction()?, fraction()?], [fraction()?, fraction()?]);
    let side = |at: usize, whole: u32| {
        let from = (f64::from(whole) - size[at]) / 2.0 + middle[at];
        let (from, length) = (from.round(), size[at].round());
        let is_inside = from >= 0.0 && length >= 1.0 && from + length <= f64::from(whole);
        is_inside.then_some((from as u32, length as u32))
    };
    Some([side(0, width)?, side(1, height)?])
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    /// A picture of 3 × 2 pixels, each with its number, after these.
    fn numbers(properties: &[(&[u8; 4], &[u8])]) -> Option<(u32, Vec<u8>)> {
        let picture = RgbaImage::from_fn(3, 2, |x, y| Rgba([(y * 3 + x) as u8, 0, 0, 0]));
        let turned = turned(picture, properties.iter().map(|(kind, content)| (**kind, *content)))?;
        Some((turned.width(), turned.pixels().map(|pixel| pixel.0[0]).collect()))
    }

    fn aperture(numbers: [i32; 8]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn a_picture_is_turned_against_the_clock_and_mirrored_in_the_order_given() {
        assert_eq!(numbers(&[(b"irot", &[0])]), Some((3, vec![0, 1, 2, 3, 4, 5])));
        assert_eq!(numbers(&[(b"irot", &[1])]), Some((2, vec![2, 5, 1, 4, 0, 3])));
        assert_eq!(numbers(&[(b"irot", &[2])]), Some((3, vec![5, 4, 3, 2, 1, 0])));
        assert_eq!(numbers(&[(b"irot", &[3])]), Some((2, vec![3, 0, 4, 1, 5, 2])));
        assert_eq!(numbers(&[(b"imir", &[0])]), Some((3, vec![3, 4, 5, 0, 1, 2])));
        assert_eq!(numbers(&[(b"imir", &[1])]), Some((3, vec![2, 1, 0, 5, 4, 3])));
        assert_ne!(numbers(&[(b"irot", &[1]), (b"imir", &[1])]), numbers(&[(b"imir", &[1]), (b"irot", &[1])]));
        assert_eq!(numbers(&[(b"irot", &[])]), None);
    }

    #[test]
    fn a_crop_lies_around_the_middle_and_within_the_picture() {
        let crop = |numbers_of: [i32; 8]| numbers(&[(b"clap", &aperture(numbers_of))]);
        assert_eq!(crop([3, 1, 2, 1, 0, 1, 0, 1]), Some((3, vec![0, 1, 2, 3, 4, 5])));
        assert_eq!(crop([1, 1, 2, 1, 0, 1, 0, 1]), Some((1, vec![1, 4])));
        assert_eq!(crop([2, 1, 1, 1, 1, 2, -1, 2]), Some((2, vec![1, 2])));
        for outside in [
            [4, 1, 2, 1, 0, 1, 0, 1],
            [1, 1, 2, 1, 2, 1, 0, 1],
            [0, 1, 2, 1, 0, 1, 0, 1],
            [1, 0, 2, 1, 0, 1, 0, 1],
            [-1, 1, 2, 1, 0, 1, 0, 1],
        ] {
            assert_eq!(crop(outside), None, "{outside:?}");
        }
    }
}
