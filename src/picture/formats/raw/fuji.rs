//! Fujifilm's RAF: its head says where the JPEG is, which has EXIF data of its own.

use super::super::boxes::number;
use super::super::jpeg;
use super::{Previews, part};

/// Where the place and the length of the JPEG stand.
const JPEG: usize = 84;

/// The preview of a RAF file.
pub fn previews(bytes: &[u8]) -> Option<Previews<'_>> {
    let (at, length) = (number(bytes.get(JPEG..)?, 4)?, number(bytes.get(JPEG + 4..)?, 4)?);
    Some(Previews { places: vec![part(bytes, at, length)], orientation: None })
}

/// The EXIF data of that JPEG, of which the file may end early.
pub fn exif(bytes: &[u8]) -> Option<&[u8]> {
    let at = usize::try_from(number(bytes.get(JPEG..)?, 4)?).ok()?;
    jpeg::exif(bytes.get(at..)?)
}
