//! HEIC, the pictures of phones: HEVC in a HEIF container. `heic-decoder` reads it, whose own limits are wide, and which looks at
//! the canvas of a picture made of tiles but not at its tiles. So all is added up here first.

use heic_decoder::bitreader::strip_emulation_prevention;
use heic_decoder::hevc::nal::{NAL_SPS, parse_nal_header};
use heic_decoder::hevc::params::parse_sps;
use heic_decoder::isobmff::{ParsedHeif, ResolvedImage, parse};
use heic_decoder::{DecodedImage, HeifError};
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, RgbImage, RgbaImage};
use rayon_core::{ThreadPool, ThreadPoolBuilder};

use super::heif::{Container, unmultiply, without_property_0};
use super::memory::{self, PixelLayout};
use super::{Bounds, Format, Header, Opened};
use crate::picture::Unusable;
use crate::picture::colour::{Colours, to_srgb};

/// HEIC: of a sequence the first picture.
pub const HEIC: Format = Format { name: "HEIC", open };

/// Bytes that the decoder keeps of each coded pixel beside the picture: three planes of four bytes each, and as much again while
/// tiles are laid on a canvas or turned.
const BYTES_A_CODED_PIXEL: u64 = 18;

fn open<'a>(bytes: &'a [u8], bounds: &Bounds) -> Result<Opened<'a>, Unusable> {
    let container = Container::read(bytes).ok_or_else(nonsense)?;
    container.check_work(bytes.len() as u64)?;
    let bytes = without_property_0(bytes);
    let parsed = parse(&bytes).map_err(explain)?;
    let coded = coded_pixels(&parsed)?;
    let has_transparency = parsed.alpha.is_some();
    drop(parsed);
    if coded > 2 * bounds.pixels {
        return Err(too_much());
    }
    // Turned and cropped already.
    let info = heic_decoder::probe(&bytes).map_err(explain)?;
    let (width, height) = u32::try_from(info.width).ok().zip(u32::try_from(info.height).ok()).ok_or_else(nonsense)?;
    let pixels = u64::from(width) * u64::from(height);
    // What lies outside of a crop is decoded as well.
    if coded.saturating_sub(pixels) > bounds.pixels {
        return Err(too_much());
    }
    let colour = if has_transparency { ColorType::Rgba8 } else { ColorType::Rgb8 };
    let layout = PixelLayout { pixels, decoded: pixels * u64::from(colour.bytes_per_pixel()), colour };
    let beside = coded * BYTES_A_CODED_PIXEL;
    let header = Header {
        width,
        height,
        orientation: Orientation::NoTransforms,
        decoded_bytes: layout.decoded,
        memory_bytes: memory::needed(&layout, beside, 2 * bytes.len() as u64),
        is_cut_off: false,
    };
    let decode = Box::new(move |_| on_this_thread(|| decode(&bytes))?);
    Ok(Opened { header, decode })
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, Unusable> {
    let mut decoded: DecodedImage = heic_decoder::decode(bytes).map_err(explain)?;
    let colours = colours(&mut decoded);
    let (width, height) = (decoded.width as u32, decoded.height as u32);
    let picture = if decoded.alpha.is_some() {
        let mut rgba = decoded.to_rgba8().map_err(explain)?;
        if rgba.premultiplied {
            unmultiply(&mut rgba.data);
        }
        RgbaImage::from_raw(width, height, rgba.data).map(DynamicImage::ImageRgba8)
    } else {
        let rgb = decoded.to_rgb8().map_err(explain)?;
        RgbImage::from_raw(width, height, rgb.data).map(DynamicImage::ImageRgb8)
    };
    let picture = picture.ok_or_else(nonsense)?;
    drop(decoded);
    Ok(match colours {
        Some(colours) => to_srgb(picture, &colours),
        None => picture,
    })
}

/// The profile, or else the code points that stand for one.
fn colours(decoded: &mut DecodedImage) -> Option<Colours> {
    if let Some(profile) = decoded.metadata.icc_profile.take() {
        return Some(Colours::Profile(profile));
    }
    let info = decoded.color_info?;
    Colours::of_codes(info.color_primaries, info.transfer_characteristics)
}

/// The pixels that are decoded: those of all tiles, of the transparency, and of the picture that another one is based on.
fn coded_pixels(parsed: &ParsedHeif) -> Result<u64, Unusable> {
    let mut pixels = 0;
    for image in parsed.images.iter().chain(&parsed.reference_image) {
        pixels += pixels_of(image)?;
    }
    // The canvas, on which the tiles are laid.
    let canvas = parsed.grid.map_or(0, |grid| u64::from(grid.output_width) * u64::from(grid.output_height));
    let alpha = parsed.alpha.as_ref().map_or(Ok(0), |alpha| coded_pixels(&alpha.image))?;
    Ok(pixels.max(canvas) + alpha)
}

fn pixels_of(image: &ResolvedImage) -> Result<u64, Unusable> {
    let mut sizes = image.hevc_config.nalus_of_type(NAL_SPS).filter_map(|unit| {
        let (header, payload) = parse_nal_header(unit).ok()?;
        (header.nal_unit_type == NAL_SPS && header.nuh_layer_id == 0).then_some(payload)
    });
    let size = parse_sps(&strip_emulation_prevention(sizes.next().ok_or_else(nonsense)?)).map_err(explain)?;
    Ok(u64::from(size.pic_width_in_luma_samples) * u64::from(size.pic_height_in_luma_samples))
}

/// Runs `work` where the decoder's threads are this one alone: pictures are decoded by many threads already.
fn on_this_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Unusable> {
    thread_local! {
        static POOL: Option<ThreadPool> = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().ok();
    }
    POOL.with(|pool| match pool {
        Some(pool) => Ok(pool.install(work)),
        None => Err(Unusable::System("no pool of threads can be made for the HEIC decoder".into())),
    })
}

fn nonsense() -> Unusable {
    Unusable::Damaged("its HEIC data makes no sense".into())
}

fn too_much() -> Unusable {
    Unusable::Damaged("its parts have more pixels than are allowed".into())
}

fn explain(error: HeifError) -> Unusable {
    match error {
        HeifError::Truncated { .. } => Unusable::CutOff,
        HeifError::Unsupported(_) => Unusable::UnsupportedVariant("HEIC".into()),
        HeifError::LimitExceeded(_) => too_much(),
        _ => nonsense(),
    }
}
