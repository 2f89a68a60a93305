//! The formats that are read, a file each: what a header says, before a pixel is decoded, and the pixels.

#[cfg(feature = "avif")]
mod avif;
mod boxes;
pub mod exif;
#[cfg(feature = "heic")]
mod heic;
#[cfg_attr(
    not(all(feature = "avif", feature = "heic")),
    allow(dead_code, reason = "each of them uses other parts of it")
)]
mod heif;
mod ico;
mod jpeg;
mod jpeg2000;
mod jxl;
mod library;
mod memory;
mod png;
mod raw;
mod recognise;
#[cfg(test)]
mod tests;
mod tiff;
mod webp;

use image::DynamicImage;
use image::metadata::Orientation;

use super::{Bounds, Resolution, Unusable};

pub use recognise::recognise;

/// What a file's header says of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Pixels along a row, before the picture is turned.
    pub width: u32,
    /// Rows, before the picture is turned.
    pub height: u32,
    /// How it is turned once it is decoded.
    pub orientation: Orientation,
    /// The decoded pixels, in bytes.
    pub decoded_bytes: u64,
    /// The memory that is taken at most while it is decoded and made smaller, in bytes.
    pub memory_bytes: u64,
    /// The file's end is missing, which its decoder would not notice.
    pub is_cut_off: bool,
}

/// A file whose header was read.
pub struct Opened<'a> {
    /// What the header says.
    pub header: Header,
    /// Decodes the pixels, as they are stored: all of them, or a smaller picture that has the resolution.
    pub decode: Box<dyn FnOnce(Resolution) -> Result<DynamicImage, Unusable> + 'a>,
}

/// A format that is read.
pub struct Format {
    /// As a person names it.
    pub name: &'static str,
    /// Reads a file's header. It may panic on a damaged file, and takes no more memory than a few copies of the file.
    pub open: for<'a> fn(&'a [u8], &Bounds) -> Result<Opened<'a>, Unusable>,
}

/// Formats whose decoders are not memory-safe throughout, or take memory of which their headers do not speak.
const IN_A_PROCESS: [&str; 2] = ["AVIF", "JPEG 2000"];

/// Formats whose decoders take 40 to 135 nanoseconds for each pixel (`docs/formats.md`), JPEG 7.
const SLOW: [&str; 3] = ["HEIC", "AVIF", "JPEG XL"];

impl Format {
    /// Whether its decoder takes long for each pixel.
    pub fn is_slow(&self) -> bool {
        SLOW.contains(&self.name)
    }

    /// Whether pixels are decoded in a process of their own.
    pub fn needs_process(&self) -> bool {
        IN_A_PROCESS.contains(&self.name)
    }
}
