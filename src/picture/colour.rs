//! Colours of other profiles (Display P3, Adobe RGB, a camera's own, inks on paper) as those of sRGB, which sheets and the network
//! take all colours for.

use std::sync::Arc;

use image::DynamicImage;
use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout, MatrixCoefficients, TransferCharacteristics,
    Transform8BitExecutor, TransformOptions,
};

/// Profiles of pictures take a few kilobytes; those of printers, the largest, less than this.
pub const LARGEST_PROFILE_BYTES: usize = 4 << 20;
/// Levels by which colours may be off before a picture is changed: profiles of sRGB differ by rounding.
const UNSEEN_LEVELS: u8 = 2;

/// What a file says of its colours.
pub enum Colours {
    /// An ICC profile.
    Profile(Vec<u8>),
    /// Code points for primaries and brightness (ITU-T H.273).
    Codes(CicpProfile),
}

impl Colours {
    /// Of the code points `primaries` and `transfer`; `None` if they say nothing, or that the picture is one for bright screens
    /// (HDR), whose brightness sRGB cannot show.
    pub fn of_codes(primaries: u16, transfer: u16) -> Option<Self> {
        let color_primaries = CicpColorPrimaries::try_from(u8::try_from(primaries).ok()?).ok()?;
        let transfer_characteristics = TransferCharacteristics::try_from(u8::try_from(transfer).ok()?).ok()?;
        let is_known = color_primaries != CicpColorPrimaries::Unspecified
            && !matches!(
                transfer_characteristics,
                TransferCharacteristics::Unspecified
                    | TransferCharacteristics::Smpte2084
                    | TransferCharacteristics::Hlg
            );
        is_known.then_some(Self::Codes(CicpProfile {
            color_primaries,
            transfer_characteristics,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        }))
    }
}

/// `picture` in sRGB. It stays as it is where its colours are those of sRGB already, or the profile makes no sense or is one of
/// something else, such as grey.
pub fn to_srgb(picture: DynamicImage, colours: &Colours) -> DynamicImage {
    let Some((three, four)) = transforms(colours) else { return picture };
    match picture {
        DynamicImage::ImageRgba8(mut picture) => {
            convert(&mut picture, 4, &four);
            DynamicImage::ImageRgba8(picture)
        }
        DynamicImage::ImageRgb8(mut picture) => {
            convert(&mut picture, 3, &three);
            DynamicImage::ImageRgb8(picture)
        }
        DynamicImage::ImageRgb16(_) | DynamicImage::ImageRgb32F(_) => {
            let mut picture = picture.into_rgb8();
            convert(&mut picture, 3, &three);
            DynamicImage::ImageRgb8(picture)
        }
        DynamicImage::ImageRgba16(_) | DynamicImage::ImageRgba32F(_) => {
            let mut picture = picture.into_rgba8();
            convert(&mut picture, 4, &four);
            DynamicImage::ImageRgba8(picture)
        }
        grey => grey,
    }
}

/// Amounts of cyan, magenta, yellow and black, a byte each (255 is all), as RGB, three bytes a pixel: by the ICC profile of the
/// inks, or where there is none that makes sense, as if each ink took its colour from white.
pub fn inks_to_srgb(inks: &[u8], profile: Option<&[u8]>) -> Vec<u8> {
    const BLOCK: usize = 4_096;
    let transform = profile.and_then(of_inks);
    let mut rgb = vec![0; inks.len() / 4 * 3];
    for (inks, rgb) in inks.chunks(4 * BLOCK).zip(rgb.chunks_mut(3 * BLOCK)) {
        if transform.as_ref().is_none_or(|transform| transform.transform(inks, rgb).is_err()) {
            for (inks, rgb) in inks.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
                let paper = u32::from(255 - inks[3]);
                for (ink, value) in inks.iter().zip(rgb) {
                    *value = ((u32::from(255 - ink) * paper + 127) / 255) as u8;
                }
            }
        }
    }
    rgb
}

/// From a profile of four inks to sRGB.
fn of_inks(profile: &[u8]) -> Option<Executor> {
    let profile = parsed(profile)?;
    if profile.color_space != DataColorSpace::Cmyk {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, TransformOptions::default()).ok()
}

fn parsed(profile: &[u8]) -> Option<ColorProfile> {
    (profile.len() <= LARGEST_PROFILE_BYTES).then(|| ColorProfile::new_from_slice(profile).ok()).flatten()
}

type Executor = Arc<Transform8BitExecutor>;

/// From a profile to sRGB, for three and four channels.
fn transforms(colours: &Colours) -> Option<(Executor, Executor)> {
    let profile = match colours {
        Colours::Profile(bytes) => parsed(bytes)?,
        Colours::Codes(codes) => ColorProfile::new_from_cicp(*codes),
    };
    if profile.color_space != DataColorSpace::Rgb {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    let to = |layout| profile.create_transform_8bit(layout, &srgb, layout, TransformOptions::default()).ok();
    let three = to(Layout::Rgb)?;
    let levels = [0, 64, 128, 192, 255];
    let probe: Vec<u8> = levels
        .iter()
        .flat_map(|red| levels.iter().flat_map(move |green| levels.map(|blue| [*red, *green, blue])))
        .flatten()
        .collect();
    let mut seen = vec![0; probe.len()];
    three.transform(&probe, &mut seen).ok()?;
    let is_seen = probe.iter().zip(&seen).any(|(one, other)| one.abs_diff(*other) > UNSEEN_LEVELS);
    if is_seen { Some((three, to(Layout::Rgba)?)) } else { None }
}

/// Row after row, so that it takes the memory of one.
fn convert(pixels: &mut [u8], channels: usize, transform: &Executor) {
    let mut row = Vec::new();
    for part in pixels.chunks_mut(4_096 * channels) {
        row.clear();
        row.extend_from_slice(part);
        // It fails for rows that are no whole pixels only.
        let _ = transform.transform(&row, part);
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    /// The profile in a file among the fuzzer's seeds: "CGATS001Compat-v2-micro" by Clinton Ingram, in the public domain (CC0).
    fn profile_of_inks() -> &'static [u8] {
        let file = include_bytes!("../../fuzz/seeds/picture/inks.tiff");
        let begin = file.windows(4).position(|bytes| bytes == b"acsp").unwrap() - 36;
        let length = u32::from_be_bytes(*file[begin..].first_chunk().unwrap());
        &file[begin..begin + length as usize]
    }

    #[test]
    fn inks_have_the_colours_of_their_profile() {
        let inks: Vec<u8> = [[0, 0, 0, 0], [255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 0, 255]].concat();
        let profile = profile_of_inks();
        let near = |seen: Vec<u8>, expected: [[u8; 3]; 4]| {
            for (seen, expected) in seen.iter().zip(expected.as_flattened()) {
                assert!(seen.abs_diff(*expected) <= 4, "{seen} instead of {expected}");
            }
        };
        // As LittleCMS has it.
        let printed = [[255, 255, 255], [0, 174, 239], [236, 0, 140], [35, 31, 32]];
        near(inks_to_srgb(&inks, Some(profile)), printed);
        let plain = [[255, 255, 255], [0, 255, 255], [255, 0, 255], [0, 0, 0]];
        let rgb = ColorProfile::new_display_p3().encode().unwrap();
        for profile in [None, Some(b"no profile".as_slice()), Some(&profile[..300]), Some(&rgb)] {
            near(inks_to_srgb(&inks, profile), plain);
        }
        // More than a block, and the last of it.
        let many = inks.repeat(5_000);
        let converted = inks_to_srgb(&many, Some(profile));
        assert_eq!(converted.len(), 60_000);
        near(converted[59_988..].to_vec(), printed);
    }

    #[test]
    fn colours_of_wide_profiles_become_those_of_srgb_and_transparency_stays() {
        let p3 = Colours::Profile(ColorProfile::new_display_p3().encode().unwrap());
        let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(5_000, 2, Rgb([200, 120, 60])));
        let converted = to_srgb(picture, &p3).into_rgb8();
        // As LittleCMS has it, within a level.
        for (value, expected) in converted.get_pixel(4_999, 1).0.into_iter().zip([213_u8, 117, 45]) {
            assert!(value.abs_diff(expected) <= 2, "{:?}", converted.get_pixel(4_999, 1));
        }
        let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(2, 2, Rgba([200, 120, 60, 99])));
        assert_eq!(to_srgb(clear, &p3).into_rgba8().get_pixel(0, 0).0[3], 99);
        let deep = DynamicImage::ImageRgb8(RgbImage::from_pixel(3, 3, Rgb([200, 120, 60])));
        let deep = to_srgb(DynamicImage::ImageRgb16(deep.into_rgb16()), &p3).into_rgb8();
        assert_eq!(deep.get_pixel(0, 0), converted.get_pixel(0, 0));
    }

    #[test]
    fn what_is_srgb_already_or_makes_no_sense_stays() {
        let picture = || DynamicImage::ImageRgb8(RgbImage::from_fn(64, 4, |x, y| Rgb([x as u8 * 4, y as u8, 77])));
        let srgb = Colours::Profile(ColorProfile::new_srgb().encode().unwrap());
        for colours in
            [srgb, Colours::Profile(b"no profile".to_vec()), Colours::Profile(vec![0; LARGEST_PROFILE_BYTES + 1])]
        {
            assert_eq!(to_srgb(picture(), &colours), picture());
        }
        let grey = DynamicImage::new_luma8(3, 3);
        let p3 = Colours::Profile(ColorProfile::new_display_p3().encode().unwrap());
        assert_eq!(to_srgb(grey.clone(), &p3), grey);
    }
}
