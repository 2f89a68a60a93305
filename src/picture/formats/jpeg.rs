//! JPEG. A file must be complete: decoders fill the missing part of a truncated one with grey and report no error.

use std::borrow::Cow;

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use jpeg_decoder::{Decoder, PixelFormat};

use super::memory::PixelLayout;
use super::{Bounds, Format, Opened, library};
use crate::picture::colour::{Colours, inks_to_srgb, to_srgb};
use crate::picture::decode::caught;
use crate::picture::{Resolution, Unusable};

/// Components of a picture in cyan, magenta, yellow and black.
const INKS: u8 = 4;

/// JPEG.
pub const JPEG: Format = Format { name: "JPEG", open };

/// Opens the JPEG that `bytes` begin with.
pub fn open<'a>(bytes: &'a [u8], _: &Bounds) -> Result<Opened<'a>, Unusable> {
    let has_inks = frame(bytes).is_some_and(|frame| frame.components == INKS);
    // Coefficients of two bytes for each value of a progressive one. Inks are decoded apart, put together, and become colours.
    let beside: fn(&PixelLayout) -> u64 =
        if has_inks { |layout| 4 * u64::from(INKS) * layout.pixels } else { |layout| 2 * layout.decoded };
    let Opened { mut header, decode } = library::open(Cow::Borrowed(bytes), ImageFormat::Jpeg, "JPEG", beside)?;
    header.is_cut_off = !has_end(bytes);
    let decode = Box::new(move |resolution: Resolution| {
        // Whatever the other decoder does not read, this one reads or refuses.
        match resolution.reduction(header.width, header.height) {
            1 if !has_inks => decode(resolution),
            by => reduced(bytes, by).map_or_else(|| decode(resolution), Ok),
        }
    });
    Ok(Opened { header, decode })
}

/// The picture with both sides divided by 1, 2, 4 or 8, in sRGB: of each block of 8×8 pixels only the low frequencies are computed.
/// `None` for what this decoder does not read: more than 8 bits, damage.
fn reduced(bytes: &[u8], by: u32) -> Option<DynamicImage> {
    caught(|| {
        let mut decoder = Decoder::new(bytes);
        decoder.read_info().ok()?;
        let info = decoder.info()?;
        let side = |pixels: u16| u32::from(pixels).div_ceil(by) as u16;
        let (width, height) = decoder.scale(side(info.width), side(info.height)).ok()?;
        let (width, height) = (u32::from(width), u32::from(height));
        let pixels = match info.pixel_format {
            PixelFormat::RGB24 => RgbImage::from_raw(width, height, decoder.decode().ok()?).map(DynamicImage::from),
            PixelFormat::L8 => GrayImage::from_raw(width, height, decoder.decode().ok()?).map(DynamicImage::from),
            PixelFormat::CMYK32 => {
                let inks = decoder.decode().ok()?;
                let rgb = inks_to_srgb(&inks, decoder.icc_profile().as_deref());
                return RgbImage::from_raw(width, height, rgb).map(DynamicImage::from);
            }
            PixelFormat::L16 => None,
        }?;
        Some(match decoder.icc_profile() {
            Some(profile) => to_srgb(pixels, &Colours::Profile(profile)),
            None => pixels,
        })
    })
    .flatten()
}

/// What the header of a JPEG says of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Values of a pixel: 1 of grey, 3 of colours, 4 of inks.
    pub components: u8,
}

/// The frame of a JPEG; `None` for a lossless one, as raw data is, and for what is none.
pub fn frame(bytes: &[u8]) -> Option<Frame> {
    if !bytes.starts_with(b"\xFF\xD8\xFF") {
        return None;
    }
    let mut at = 2;
    loop {
        let marker = next_marker(bytes, &mut at)?;
        let segment = bytes.get(at..)?;
        let number = |at: usize| Some(u32::from(u16::from_be_bytes([*segment.get(at)?, *segment.get(at + 1)?])));
        match marker {
            0xC0..=0xC2 => {
                return Some(Frame { width: number(5)?, height: number(3)?, components: *segment.get(7)? });
            }
            // Huffman tables, and no frame at all.
            0xC4 | 0xC8 | 0xCC => {}
            // Other kinds of frames, the end, and a scan without a frame.
            0xC3..=0xCF | 0xD9 | 0xDA => return None,
            _ => {}
        }
        at += if matches!(marker, 0x01 | 0xD0..=0xD8) { 0 } else { (number(0)? as usize).max(2) };
    }
}

/// The EXIF data, in the first segment that has some.
pub fn exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut at = 2;
    loop {
        match next_marker(bytes, &mut at)? {
            // The end, and the first scan.
            0xD9 | 0xDA => return None,
            0x01 | 0xD0..=0xD8 => {}
            marker => {
                let length = usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?)).max(2);
                let segment = bytes.get(at + 2..at + length)?;
                // The byte after the name's end is nothing.
                if marker == 0xE1 && segment.starts_with(b"Exif\0") {
                    return segment.get(6..);
                }
                at += length;
            }
        }
    }
}

/// Whether the end-of-image marker follows the last scan of `bytes`, a JPEG from its first byte on.
/// What comes after it (a second picture, a maker's notes) does not matter.
/// Source: ITU-T T.81, Annex B: inside a scan 0xFF is followed by 0x00 or a restart marker, anything else ends it.
fn has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(marker) = next_marker(bytes, &mut at) {
        match marker {
            0xD9 => return true,
            0x01 | 0xD0..=0xD8 => {}
            _ => {
                let Some(length) = bytes.get(at..at + 2) else { return false };
                at += usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
            }
        }
    }
    false
}

/// Skips entropy-coded data, moves `at` behind the next marker and returns the marker's code.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let found = bytes.get(*at..)?.iter().position(|&byte| byte == 0xFF)?;
        *at += found + 1;
        match *bytes.get(*at)? {
            0xFF => {} // a fill byte: the next turn finds the second 0xFF
            0x00 => *at += 1,
            marker => {
                *at += 1;
                return Some(marker);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg() -> Vec<u8> {
        let picture = RgbImage::from_fn(64, 48, |x, y| image::Rgb([x as u8 * 4, y as u8 * 5, (x * y) as u8]));
        encoded(&picture)
    }

    fn encoded(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_smaller_picture_is_the_picture_made_smaller() {
        let picture = RgbImage::from_fn(64, 48, |x, y| image::Rgb([x as u8 * 3, y as u8 * 4, (x + y) as u8]));
        let bytes = encoded(&picture);
        let bounds = Bounds { file_bytes: 1 << 20, pixels: 4_000_000, decode_ms: 10_000, memory_bytes: 0 };
        let at = |resolution| (open(&bytes, &bounds).unwrap().decode)(resolution).unwrap().into_rgb8();
        let (whole, half) = (at(Resolution::WHOLE), at(Resolution::for_square(12)));
        assert_eq!((whole.dimensions(), half.dimensions()), ((64, 48), (32, 24)));
        for (x, y, pixel) in half.enumerate_pixels() {
            let among = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(right, down)| whole[(2 * x + right, 2 * y + down)].0);
            for (channel, value) in pixel.0.into_iter().enumerate() {
                let mean = among.iter().map(|pixel| u32::from(pixel[channel])).sum::<u32>() / 4;
                assert!(u32::from(value).abs_diff(mean) < 12, "{x} {y}: {value} instead of {mean}");
            }
        }
    }

    #[test]
    fn only_the_whole_file_has_an_end() {
        let whole = jpeg();
        assert!(has_end(&whole));
        for length in 0..whole.len() {
            assert!(!has_end(&whole[..length]), "{length} of {} bytes", whole.len());
        }
    }

    #[test]
    fn what_follows_the_end_does_not_matter() {
        let mut bytes = jpeg();
        bytes.extend_from_slice(b"notes \xFF\xD8\xFF\xE0");
        assert!(has_end(&bytes));
    }

    #[test]
    fn the_end_of_an_embedded_preview_is_not_the_end() {
        let (picture, preview) = (jpeg(), jpeg());
        let mut bytes = picture[..2].to_vec();
        bytes.extend_from_slice(&[0xFF, 0xE1]);
        bytes.extend_from_slice(&(preview.len() as u16 + 2).to_be_bytes());
        bytes.extend_from_slice(&preview);
        bytes.extend_from_slice(&picture[2..]);
        assert!(has_end(&bytes));
        assert!(!has_end(&bytes[..bytes.len() - 2]));
    }
}
