//! Makes small copies of many pictures, on all cores.

use std::fmt;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{ImageError, RgbImage, RgbaImage};

use crate::base::parallel::map_followed;
use crate::error::Trouble;
use crate::files::FileAt;
use crate::isolation;
use crate::picture::{self, Bounds, Filter, Resolution};
use crate::progress::Progress;

/// Encoded at this quality, of 100.
const JPEG_QUALITY: u8 = 88;

/// A small copy of a picture, or why there is none.
pub type Thumbnail = Result<RgbaImage, Trouble>;

/// Copies of the pictures at `paths` below `folder`, whole and undistorted, longer side `side_px` or less; `None` when the
/// work was cancelled.
pub fn thumbnails(
    folder: &Path,
    paths: &[PathBuf],
    side_px: u32,
    bounds: &Bounds,
    progress: &dyn Progress,
) -> Option<Vec<Thumbnail>> {
    // Each free core takes the next picture, because sizes differ by orders of magnitude.
    map_followed(paths.len(), progress, |at| thumbnail(&FileAt::below(folder, &paths[at]), side_px, bounds))
}

fn thumbnail(place: &FileAt<'_>, side_px: u32, bounds: &Bounds) -> Thumbnail {
    let path = &place.absolute();
    let decoded = picture::read_still(place, bounds)
        .and_then(|contents| isolation::decode(&contents.bytes, path, bounds, Resolution::for_copy(side_px)))
        .map_err(|problem| Trouble::new(problem.to_string(), path, problem.remedy()))?;
    // In two steps: the first is quick and leaves enough for the second, which is sharp.
    picture::shrink(&decoded, side_px * 2)
        .and_then(|larger| {
            let scale = f64::from(side_px) / f64::from(larger.width().max(larger.height()));
            let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
            match scale < 1.0 {
                true => picture::resample(&larger, side(larger.width()), side(larger.height()), Filter::Lanczos),
                false => Some(larger),
            }
        })
        .ok_or_else(|| Trouble::new("the picture has no pixels", path, "take it away"))
}

/// The picture on white, without transparency.
pub fn on_white(picture: &RgbaImage) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(u32::from);
        image::Rgb([red, green, blue].map(|value| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8))
    })
}

/// A picture could not be encoded: a side is over 65,535 pixels.
#[derive(Debug)]
pub struct NotEncoded(ImageError);

impl fmt::Display for NotEncoded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the picture could not be encoded: {}", self.0)
    }
}

/// JPEG bytes.
///
/// # Errors
/// When the encoder fails: a side is over 65,535 pixels.
pub fn to_jpeg(picture: &RgbImage) -> Result<Vec<u8>, NotEncoded> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    picture.write_with_encoder(encoder).map_err(NotEncoded)?;
    Ok(bytes)
}
