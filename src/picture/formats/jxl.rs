//! JPEG XL, by the decoder that browsers use. It turns the picture itself.

use std::borrow::Cow;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use jxl::api::{
    AlphaMode, Event, JxlColorType, JxlDataFormat, JxlDecoder, JxlDecoderOptions, JxlOutputBuffer, JxlPixelFormat,
    JxlTransferFunction, ProfileLevel,
};
use jxl::error::Error;

use super::memory::{self, PixelLayout};
use super::{Bounds, Format, Header, Opened};
use crate::picture::Unusable;
use crate::picture::colour::{Colours, inks_to_srgb, to_srgb};

/// JPEG XL: of a moving one the first frame.
pub const JXL: Format = Format { name: "JPEG XL", open };

/// A frame that others are based on, and one that is being decoded: values of four bytes.
const BYTES_A_SAMPLE: u64 = 8;
/// Tables, whatever the size of the picture.
const TABLE_BYTES: u64 = 8 << 20;

/// A decoder that has read the header.
struct Begun<'a> {
    decoder: JxlDecoder,
    rest: &'a [u8],
    colour: JxlColorType,
    extra_channels: usize,
}

fn open<'a>(bytes: &'a [u8], bounds: &Bounds) -> Result<Opened<'a>, Unusable> {
    let mut options = JxlDecoderOptions::default();
    options.alpha_mode = AlphaMode::Unpremultiplied;
    options.max_profile_level = ProfileLevel::Main10;
    // Three colours, transparency, black, and one more channel for each pixel.
    options.sample_limit = usize::try_from(bounds.pixels.saturating_mul(6)).ok();
    let (mut decoder, mut rest) = (JxlDecoder::new(options), bytes);
    match decoder.process(&mut rest, None, None).map_err(explain)? {
        Event::BasicInfo => {}
        Event::NeedMoreInput { .. } => return Err(Unusable::CutOff),
        _ => return Err(nonsense()),
    }
    let (Some(info), Some(profile)) = (decoder.basic_info(), decoder.embedded_color_profile()) else {
        return Err(nonsense());
    };
    // The crate does not export the type of a channel's kind.
    let kinds: Vec<String> = info.extra_channels.iter().map(|channel| format!("{:?}", channel.ec_type)).collect();
    let has = |kind: &str| kinds.iter().any(|found| found == kind);
    let colour = match (profile.is_cmyk() && has("Black"), profile.channels() == 1, has("Alpha")) {
        (true, _, _) => JxlColorType::Cmyk,
        (false, true, false) => JxlColorType::Grayscale,
        (false, true, true) => JxlColorType::GrayscaleAlpha,
        (false, false, false) => JxlColorType::Rgb,
        (false, false, true) => JxlColorType::Rgba,
    };
    let (width, height) = (info.size.0 as u32, info.size.1 as u32);
    let extra_channels = info.extra_channels.len();
    let pixels = u64::from(width) * u64::from(height);
    let layout = PixelLayout {
        pixels,
        decoded: pixels * colour.samples_per_pixel() as u64,
        colour: if colour.has_alpha() { ColorType::Rgba8 } else { ColorType::Rgb8 },
    };
    let beside = pixels * (3 + extra_channels as u64) * BYTES_A_SAMPLE + TABLE_BYTES;
    let header = Header {
        width,
        height,
        orientation: Orientation::NoTransforms,
        decoded_bytes: layout.decoded,
        memory_bytes: memory::needed(&layout, beside, bytes.len() as u64),
        is_cut_off: false,
    };
    let begun = Begun { decoder, rest, colour, extra_channels };
    Ok(Opened { header, decode: Box::new(move |_| decode(begun, width, height)) })
}

fn decode(begun: Begun<'_>, width: u32, height: u32) -> Result<DynamicImage, Unusable> {
    let Begun { mut decoder, mut rest, colour, extra_channels } = begun;
    let format = JxlPixelFormat {
        color_type: colour,
        color_data_format: Some(JxlDataFormat::U8 { bit_depth: 8 }),
        extra_channel_format: vec![None; extra_channels],
    };
    decoder.set_pixel_format(format).map_err(explain)?;
    let profile = profile(&decoder);
    let row_bytes = width as usize * colour.samples_per_pixel();
    let mut pixels = vec![0; row_bytes * height as usize];
    loop {
        let mut buffer = [JxlOutputBuffer::new(&mut pixels, height as usize, row_bytes)];
        match decoder.process(&mut rest, Some(&mut buffer), None).map_err(explain)? {
            Event::FrameComplete { .. } => break,
            Event::NeedMoreInput { .. } => return Err(Unusable::CutOff),
            Event::Complete => return Err(nonsense()),
            Event::BasicInfo | Event::FrameHeader => {}
        }
    }
    let picture = match colour {
        JxlColorType::Grayscale => GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        JxlColorType::GrayscaleAlpha => GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::ImageLumaA8),
        JxlColorType::Rgba => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8),
        JxlColorType::Cmyk => {
            // Of 255 there is nothing.
            pixels.iter_mut().for_each(|ink| *ink = 255 - *ink);
            let rgb = inks_to_srgb(&pixels, profile.as_deref());
            return RgbImage::from_raw(width, height, rgb).map(DynamicImage::ImageRgb8).ok_or_else(nonsense);
        }
        _ => RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
    };
    let picture = picture.ok_or_else(nonsense)?;
    Ok(match profile {
        Some(profile) => to_srgb(picture, &Colours::Profile(profile)),
        None => picture,
    })
}

/// The profile of what is decoded, but of pictures for bright screens, whose brightness sRGB cannot show.
fn profile(decoder: &JxlDecoder) -> Option<Vec<u8>> {
    let profile = decoder.output_color_profile()?;
    let is_bright = matches!(profile.transfer_function(), Some(JxlTransferFunction::PQ | JxlTransferFunction::HLG));
    if is_bright { None } else { profile.try_as_icc().map(Cow::into_owned) }
}

fn nonsense() -> Unusable {
    Unusable::Damaged("its JPEG XL data makes no sense".into())
}

fn explain(error: Error) -> Unusable {
    match error {
        Error::OutOfBounds(_) | Error::SectionTooShort => Unusable::CutOff,
        Error::ImageSizeTooLarge(..) => Unusable::Damaged("it has more pixels and channels than are allowed".into()),
        _ => nonsense(),
    }
}
