//! Kinds of TIFF that the `image` crate does not turn into a picture, though its decoder reads them: palettes, brightness and
//! colour difference (most JPEG in TIFF), grey with transparency. And inks with a profile, which it ignores.

use std::borrow::Cow;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, GrayAlphaImage, RgbImage};
use tiff::TiffError;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

use super::super::memory::{self, PixelLayout};
use super::super::raw::directories::{self, Directories, PHOTOMETRIC};
use super::super::{Header, Opened};
use super::NAME;
use crate::picture::Unusable;
use crate::picture::colour::inks_to_srgb;

const BLACK_IS_ZERO: u8 = 1;
const PALETTE: u64 = 3;
const INKS: u64 = 5;

type PageDecoder<'a> = Decoder<Cursor<Cow<'a, [u8]>>>;

/// What the values of a pixel are.
enum Values {
    /// So many bits each, the number of a colour; three times as many values of 16 bits: all reds, all greens, all blues.
    Palette(u8, Vec<u16>),
    /// Brightness and two differences of colour, a byte each.
    Differences,
    /// Grey and its transparency, a byte each.
    GreyAndAlpha,
    /// Cyan, magenta, yellow and black, a byte each, and their ICC profile.
    Inks(Vec<u8>),
}

/// Opens `bytes` if they are a picture of inks with a profile.
pub fn with_profile_of_inks(bytes: &[u8]) -> Option<Result<Opened<'_>, Unusable>> {
    let (photometric, _) = Directories::of(bytes)?.place_of_first(PHOTOMETRIC)?;
    if photometric == INKS { open(bytes) } else { None }
}

/// Opens `bytes`; `None` if it is none of these kinds.
pub fn open(bytes: &[u8]) -> Option<Result<Opened<'_>, Unusable>> {
    // Palettes are refused by the decoder as such; the numbers of their colours are read as greys.
    let photometric = Directories::of(bytes)?.place_of_first(PHOTOMETRIC);
    let content = match photometric {
        Some((PALETTE, at)) => {
            let mut changed = bytes.to_vec();
            changed[at] = BLACK_IS_ZERO;
            Cow::Owned(changed)
        }
        _ => Cow::Borrowed(bytes),
    };
    let mut file = Decoder::new(Cursor::new(content)).ok()?;
    let (width, height) = file.dimensions().ok()?;
    let is_palette = photometric.is_some_and(|(value, _)| value == PALETTE);
    let is_planar = file.get_tag_u32(Tag::PlanarConfiguration).is_ok_and(|planes| planes != 1);
    let values = match file.colortype().ok()? {
        tiff::ColorType::Gray(bits @ (1 | 2 | 4 | 8)) if is_palette => {
            Values::Palette(bits, file.get_tag_u16_vec(Tag::ColorMap).ok().filter(|map| map.len() == 3 << bits)?)
        }
        tiff::ColorType::YCbCr(8) => Values::Differences,
        tiff::ColorType::Multiband { bit_depth: 8, num_samples: 2 } => Values::GreyAndAlpha,
        tiff::ColorType::CMYK(8) if !is_planar => match file.get_tag_u8_vec(Tag::IccProfile) {
            Ok(profile) => Values::Inks(profile),
            Err(error) if is_end(&error) => return Some(Err(Unusable::CutOff)),
            Err(_) => return None,
        },
        _ => return None,
    };
    let pixels = u64::from(width) * u64::from(height);
    let colour = if matches!(values, Values::GreyAndAlpha) { ColorType::La8 } else { ColorType::Rgb8 };
    let layout = PixelLayout { pixels, decoded: pixels * u64::from(colour.bytes_per_pixel()), colour };
    let header = Header {
        width,
        height,
        orientation: directories::orientation(bytes).unwrap_or(Orientation::NoTransforms),
        decoded_bytes: layout.decoded,
        // A strip, which may hold the whole picture, and what is in it, of at most four bytes a pixel.
        memory_bytes: memory::needed(&layout, 8 * pixels, 2 * bytes.len() as u64),
        is_cut_off: false,
    };
    Some(Ok(Opened { header, decode: Box::new(move |_| decode(file, &values, width, height)) }))
}

fn decode(mut file: PageDecoder<'_>, values: &Values, width: u32, height: u32) -> Result<DynamicImage, Unusable> {
    let nonsense = || Unusable::Damaged(format!("its {NAME} data makes no sense"));
    let bytes = match file.read_image() {
        Ok(DecodingResult::U8(bytes)) => bytes,
        Err(error) if is_end(&error) => return Err(Unusable::CutOff),
        Err(TiffError::UnsupportedError(_)) => return Err(Unusable::UnsupportedVariant(NAME.into())),
        _ => return Err(nonsense()),
    };
    let picture = match values {
        Values::Palette(bits, map) => {
            RgbImage::from_raw(width, height, coloured(&bytes, *bits, map, width)).map(DynamicImage::ImageRgb8)
        }
        Values::Differences => RgbImage::from_raw(width, height, from_differences(bytes)).map(DynamicImage::ImageRgb8),
        Values::GreyAndAlpha => GrayAlphaImage::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8),
        Values::Inks(profile) => {
            RgbImage::from_raw(width, height, inks_to_srgb(&bytes, Some(profile))).map(DynamicImage::ImageRgb8)
        }
    };
    picture.ok_or_else(nonsense)
}

/// Whether the file ends before what it should hold.
fn is_end(error: &TiffError) -> bool {
    matches!(error, TiffError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof)
}

/// The colours of numbers of `bits` bits each, the rows of which are whole bytes.
fn coloured(numbers: &[u8], bits: u8, map: &[u16], width: u32) -> Vec<u8> {
    let (bits, colours) = (usize::from(bits), map.len() / 3);
    // Some programs write values of eight bits.
    let shift = if map.iter().all(|value| *value < 256) { 0 } else { 8 };
    let colour = |number: usize| [0, 1, 2].map(|part| (map[part * colours + number] >> shift) as u8);
    let mut rgb = Vec::with_capacity(numbers.len() * 8 / bits * 3);
    for row in numbers.chunks((width as usize * bits).div_ceil(8)) {
        for at in 0..width as usize {
            let place = at * bits;
            let number =
                row.get(place / 8).map_or(0, |byte| usize::from(*byte) >> (8 - bits - place % 8) & ((1 << bits) - 1));
            rgb.extend(colour(number));
        }
    }
    rgb
}

/// From brightness and differences of colour (ITU-R BT.601, full range, as JFIF has it).
fn from_differences(mut pixels: Vec<u8>) -> Vec<u8> {
    for pixel in pixels.chunks_exact_mut(3) {
        let [luma, blue, red] = [0, 1, 2].map(|at| f32::from(pixel[at]));
        let (blue, red) = (blue - 128.0, red - 128.0);
        let rgb = [luma + 1.402 * red, luma - 0.344_14 * blue - 0.714_14 * red, luma + 1.772 * blue];
        pixel.copy_from_slice(&rgb.map(|value| value.round().clamp(0.0, 255.0) as u8));
    }
    pixels
}
