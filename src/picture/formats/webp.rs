//! WebP, lossy and lossless; of a moving one the first frame.

use std::borrow::Cow;

use image::ImageFormat;

use super::{Format, library};

/// WebP: of a moving one the first frame.
pub const WEBP: Format = Format {
    name: "WebP",
    // Planes of brightness and colour, and a frame.
    open: |bytes, _| library::open(Cow::Borrowed(bytes), ImageFormat::WebP, "WebP", |layout| 9 * layout.pixels),
};
