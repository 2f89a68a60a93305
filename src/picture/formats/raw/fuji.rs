//! Fujifilm's RAF: its head says where the JPEG is, which has EXIF data of its own.

use super::super::boxes::number;
use super::{Previews, part};

/// Where the place and the length of the JPEG stand.
const JPEG: usize = 84;

/// The preview of a RAF file.
pub fn previews(bytes: &[u8]) -> Option<Previews<'_>> {
    let (at, length) = (number(bytes.get(JPEG..)?, 4)?, number(bytes.get(JPEG + 4..)?, 4)?);
    Some(Previews { places: vec![part(bytes, at, length)], orientation: None })
}
