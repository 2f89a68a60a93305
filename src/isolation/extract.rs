//! Computes the outputs of a decoded picture: square, features, shrunken copy. The service and the child process share it.

use image::DynamicImage;
use serde::{Deserialize, Serialize};

use crate::base::rows::Rows;
use crate::config::Crop;
use crate::model::Extractor;
use crate::picture::{self, Resolution, Square, Unusable};

/// The outputs to compute from a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// The square that the encoder takes.
    pub square: bool,
    /// The network's features of that square.
    pub features: bool,
    /// The picture itself, its longer side at most this many pixels.
    pub longest_px: Option<u32>,
    /// The part of the picture that they are made of; all of it by default.
    pub crop: Option<Crop>,
}

impl Outputs {
    /// The picture at full size.
    pub const FULL_SIZE: Option<u32> = Some(u32::MAX);

    /// The resolution that they are made from, squares of `side` pixels.
    pub fn resolution(&self, side: usize) -> Resolution {
        if self.crop.is_some() {
            return Resolution::WHOLE;
        }
        let square = if self.square || self.features { Resolution::for_square(side as u32) } else { Resolution::LEAST };
        square.and(self.longest_px.map_or(Resolution::LEAST, Resolution::for_copy))
    }
}

/// The requested outputs, and no others.
pub struct Extracted {
    /// The square that the encoder takes.
    pub square: Option<Square>,
    /// The network's features of the square, [`crate::model::FeatureKind::width`] values.
    pub features: Option<Vec<f32>>,
    /// The picture, upright.
    pub picture: Option<DynamicImage>,
    /// Width and height of the whole picture, upright.
    pub size: [u32; 2],
}

/// Computes the requested outputs of a picture, `whole` pixels wide and high, which was decoded to their resolution or a higher one.
///
/// # Errors
/// [`Unusable::NotShrunk`] where there is not enough memory for a smaller copy, [`Unusable::OutsideOfIt`] where the part is not in it,
/// [`Unusable::NoFeatures`] where a network of the user's own fails.
pub fn extract(
    decoded: DynamicImage,
    whole: (u32, u32),
    outputs: Outputs,
    extractor: &Extractor,
) -> Result<Extracted, Unusable> {
    let without_features = Outputs { square: outputs.square || outputs.features, features: false, ..outputs };
    let mut extracted = extract_pixels(decoded, whole, without_features, extractor.side())?;
    let square = extracted.square.as_ref().filter(|_| outputs.features);
    extracted.features = square.map(|square| features_of(square, extractor)).transpose()?;
    Ok(extracted)
}

/// The requested outputs but for features, with squares of `side` pixels.
pub(super) fn extract_pixels(
    decoded: DynamicImage,
    whole: (u32, u32),
    outputs: Outputs,
    side: usize,
) -> Result<Extracted, Unusable> {
    let decoded = match outputs.crop {
        Some(crop) => cut_out(&decoded, crop)?,
        None => decoded,
    };
    let square = outputs.square.then(|| picture::square(&decoded, side).ok_or(Unusable::NotShrunk)).transpose()?;
    let picture = outputs.longest_px.map(|longest| at_most(decoded, longest)).transpose()?;
    Ok(Extracted { square, features: None, picture, size: whole.into() })
}

/// The features of one square.
///
/// # Errors
/// [`Unusable::NoFeatures`] where a network of the user's own fails.
pub fn features_of(square: &Square, extractor: &Extractor) -> Result<Vec<f32>, Unusable> {
    let features = extractor.features(std::slice::from_ref(square));
    features.map(Rows::into_values).map_err(|problem| Unusable::NoFeatures(problem.to_string()))
}

fn cut_out(decoded: &DynamicImage, crop: Crop) -> Result<DynamicImage, Unusable> {
    let (width, height) = (decoded.width(), decoded.height());
    let part = crop.within(width, height).ok_or(Unusable::OutsideOfIt { width, height })?;
    let [x, y, width, height] = part;
    Ok(decoded.crop_imm(x, y, width, height))
}

/// The picture itself where its longer side is no longer, else a smaller copy.
pub(super) fn at_most(decoded: DynamicImage, longest: u32) -> Result<DynamicImage, Unusable> {
    if decoded.width().max(decoded.height()) <= longest {
        return Ok(decoded);
    }
    picture::shrink(&decoded, longest).map(DynamicImage::ImageRgba8).ok_or(Unusable::NotShrunk)
}
