//! Computes the outputs of a decoded picture: square, features, shrunken copy. The service and the child process share it.

use image::DynamicImage;
use serde::{Deserialize, Serialize};

use crate::model::Extractor;
use crate::picture::{self, Square, Unusable};

/// The outputs to compute from a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// The square that the encoder takes.
    pub square: bool,
    /// The network's features of that square.
    pub features: bool,
    /// The picture itself, its longer side at most this many pixels.
    pub longest_px: Option<u32>,
}

impl Outputs {
    /// The picture at full size.
    pub const FULL_SIZE: Option<u32> = Some(u32::MAX);
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

/// Computes the requested outputs of a picture.
///
/// # Errors
/// [`Unusable::NotShrunk`] where there is not enough memory for a smaller copy.
pub fn extract(decoded: DynamicImage, outputs: Outputs, extractor: &Extractor) -> Result<Extracted, Unusable> {
    let size = [decoded.width(), decoded.height()];
    let square = (outputs.square || outputs.features)
        .then(|| picture::square(&decoded, extractor.side()).ok_or(Unusable::NotShrunk))
        .transpose()?;
    let features = square.as_ref().filter(|_| outputs.features);
    let features = features.map(|square| extractor.features(std::slice::from_ref(square)).into_values());
    let picture = outputs.longest_px.map(|longest| at_most(decoded, longest)).transpose()?;
    Ok(Extracted { square, features, picture, size })
}

fn at_most(decoded: DynamicImage, longest: u32) -> Result<DynamicImage, Unusable> {
    if decoded.width().max(decoded.height()) <= longest {
        return Ok(decoded);
    }
    picture::shrink(&decoded, longest).map(DynamicImage::ImageRgba8).ok_or(Unusable::NotShrunk)
}
