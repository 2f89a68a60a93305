//! What is kept of a picture beside its pixels: when and with what it was taken, as its file says (EXIF), and its size.

use super::decode::caught;
use super::formats::exif::{self, ExifData};
use crate::clock::WallTime;

/// Beside its pixels. What a file does not say, or in a way that makes no sense, is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PictureMetadata {
    /// When it was taken, by the camera's clock.
    pub taken: Option<WallTime>,
    /// Maker and model of the camera.
    pub camera: Option<String>,
    /// Model of the lens.
    pub lens: Option<String>,
    /// Width and height in pixels, once it is upright.
    pub size: Option<[u32; 2]>,
}

impl PictureMetadata {
    /// From the bytes of a file. The size is known of JPEG and PNG alone, before a picture is decoded.
    pub fn of(file: &[u8]) -> Self {
        let read = || {
            let ExifData { taken, camera, lens } = ExifData::of(file);
            Self { taken, camera, lens, size: exif::size(file) }
        };
        caught(read).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
