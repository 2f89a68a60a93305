//! JPEG 2000, as archives and libraries keep their scans: a codestream alone, or in a JP2 file. Its decoder is safe, but a small file can
//! say that its picture lies in millions of pieces, for each of which the decoder keeps something: it runs in a process of its own.

use hayro_jpeg2000::{ColorSpace, DecodeError, DecodeSettings, DecoderContext, DecodingError, Image};
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};

use super::boxes::{find, number};
use super::memory::{self, PixelLayout};
use super::{Bounds, Format, Header, Opened};
use crate::picture::colour::{Colours, inks_to_srgb, to_srgb};
use crate::picture::{Resolution, Unusable};

/// JPEG 2000.
pub const JPEG_2000: Format = Format { name: "JPEG 2000", open };

/// What a codestream begins with: its start, and the marker of its sizes.
pub const CODESTREAM: &[u8] = b"\xFF\x4F\xFF\x51";
/// What a codestream ends with. It stands nowhere else in one, but for comments.
const END: &[u8] = b"\xFF\xD9";
/// Bytes behind the end, with which some programs fill up.
const MOST_FILL: usize = 64;
/// Where a codestream says how many channels it has: behind nine numbers of sizes.
const CHANNELS_AT: usize = 40;
/// Four inks and transparency.
const MOST_CHANNELS: u64 = 5;
/// A number of four bytes for each channel of a pixel.
const BYTES_A_SAMPLE: u64 = 4;
/// Beside them for one channel its coefficients and what becomes of them, and for each piece what is known of it, which is little in files
/// that somebody wants to read.
const BYTES_A_PIXEL: u64 = 12;

fn open<'a>(bytes: &'a [u8], _: &Bounds) -> Result<Opened<'a>, Unusable> {
    let codestream =
        if bytes.starts_with(CODESTREAM) { bytes } else { find(bytes, b"jp2c").ok_or(Unusable::CutOff)? };
    let channels = codestream.get(CHANNELS_AT..).and_then(|from| number(from, 2)).ok_or(Unusable::CutOff)?;
    if channels > MOST_CHANNELS {
        return Err(Unusable::UnsupportedVariant("JPEG 2000 with more than five channels".into()));
    }
    let image = Image::new(bytes, &DecodeSettings::default()).map_err(explain)?;
    let (width, height) = (image.width(), image.height());
    let pixels = u64::from(width) * u64::from(height);
    let of_colour = u64::from(image.color_space().num_channels()) + u64::from(image.has_alpha());
    // A palette makes several of one.
    let made = channels.max(of_colour);
    let layout = PixelLayout { pixels, decoded: made * pixels, colour: ColorType::Rgba8 };
    let header = Header {
        width,
        height,
        orientation: Orientation::NoTransforms,
        decoded_bytes: layout.decoded,
        // The file is in both processes, and between them.
        memory_bytes: memory::needed(&layout, pixels * (made * BYTES_A_SAMPLE + BYTES_A_PIXEL), 2 * bytes.len() as u64),
        is_cut_off: !is_whole(codestream),
    };
    Ok(Opened { header, decode: Box::new(move |resolution| decode(bytes, (width, height), resolution)) })
}

fn is_whole(codestream: &[u8]) -> bool {
    let last = &codestream[codestream.len().saturating_sub(MOST_FILL)..];
    last.windows(END.len()).any(|bytes| bytes == END)
}

/// The wavelets of a smaller picture are decoded alone.
fn decode(bytes: &[u8], (width, height): (u32, u32), resolution: Resolution) -> Result<DynamicImage, Unusable> {
    let reduction = resolution.reduction(width, height);
    let settings = DecodeSettings {
        target_resolution: (reduction > 1).then_some((width / reduction, height / reduction)),
        ..DecodeSettings::default()
    };
    let image = Image::new(bytes, &settings).map_err(explain)?;
    let (colours, has_alpha) = (image.color_space(), image.has_alpha());
    let (width, height) = (image.width(), image.height());
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(explain)?;
    let channels = decoded.components().len();
    let samples = width as usize * height as usize;
    if decoded.components().iter().any(|channel| channel.samples().len() != samples) {
        return Err(nonsense());
    }
    let pixels = decoded.data_u8();
    let picture = match (channels, has_alpha) {
        (1, _) => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        (2, _) => GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::ImageLumaA8),
        (3, _) => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
        (4, true) => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8),
        (4 | 5, _) => RgbImage::from_raw(width, height, light(&pixels, channels, colours)).map(DynamicImage::ImageRgb8),
        _ => None,
    };
    let picture = picture.ok_or_else(nonsense)?;
    Ok(match colours {
        // Those of grey are ignored, those of inks are applied.
        ColorSpace::Icc { profile, num_channels: 3 } => to_srgb(picture, &Colours::Profile(profile.clone())),
        _ => picture,
    })
}

/// Four inks as RGB. A fifth channel is transparency, which print has not.
fn light(pixels: &[u8], channels: usize, colours: &ColorSpace) -> Vec<u8> {
    let profile = match colours {
        ColorSpace::Icc { profile, num_channels: 4 } => Some(profile.as_slice()),
        _ => None,
    };
    if channels == 4 {
        return inks_to_srgb(pixels, profile);
    }
    let inks: Vec<u8> = pixels.chunks_exact(channels).flat_map(|pixel| pixel[..4].iter().copied()).collect();
    inks_to_srgb(&inks, profile)
}

fn nonsense() -> Unusable {
    Unusable::Damaged("its JPEG 2000 data makes no sense".into())
}

fn explain(error: DecodeError) -> Unusable {
    match error {
        DecodeError::Decoding(DecodingError::UnexpectedEof) => Unusable::CutOff,
        _ => nonsense(),
    }
}
