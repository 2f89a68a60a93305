//! TIFF: scans and archives. The first page.

mod kinds;

use std::borrow::Cow;

use image::ImageFormat;

use super::{Bounds, Format, Opened, library};
use crate::picture::Unusable;

/// TIFF.
pub const TIFF: Format = Format { name: NAME, open };

const NAME: &str = "TIFF";

fn open<'a>(bytes: &'a [u8], _: &Bounds) -> Result<Opened<'a>, Unusable> {
    if let Some(opened) = kinds::with_profile_of_inks(bytes) {
        return opened;
    }
    // A strip may hold the whole picture.
    let opened =
        library::open(Cow::Borrowed(bytes), ImageFormat::Tiff, NAME, |layout| 2 * layout.decoded + layout.pixels);
    match opened {
        Err(Unusable::UnsupportedVariant(name)) => {
            kinds::open(bytes).unwrap_or(Err(Unusable::UnsupportedVariant(name)))
        }
        opened => opened,
    }
}
