//! What a record says of the file of a picture that was found.

use serde::Serialize;

use crate::picture::PictureMetadata;

/// What a picture's file says of it; what is not known is absent.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MetadataPart {
    /// When it was taken, by the camera's clock: ISO 8601, without a zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// Maker and model of the camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// Model of the lens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
    /// Pixels along a row, once it is upright; of camera raw those of the picture in it that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Rows, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

impl From<PictureMetadata> for MetadataPart {
    fn from(known: PictureMetadata) -> Self {
        Self {
            taken: known.taken.map(|taken| taken.to_string()),
            camera: known.camera,
            lens: known.lens,
            width: known.size.map(|[width, _]| width),
            height: known.size.map(|[_, height]| height),
        }
    }
}
