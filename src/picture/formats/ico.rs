//! ICO: the largest of its pictures. One that is a PNG is read as such, whatever its colours are.

use std::borrow::Cow;

use image::ImageFormat;

use super::{Bounds, Format, Opened, library, png};
use crate::picture::Unusable;

/// ICO.
pub const ICO: Format = Format { name: "ICO", open };

fn open<'a>(bytes: &'a [u8], bounds: &Bounds) -> Result<Opened<'a>, Unusable> {
    match largest(bytes) {
        Some(picture) if picture.starts_with(png::SIGNATURE) => (png::PNG.open)(picture, bounds),
        _ => library::open(Cow::Borrowed(bytes), ImageFormat::Ico, ICO.name, |_| 0),
    }
}

/// The bytes of the largest picture: the table says sides of a byte, of which zero means 256, then bits, length and place.
fn largest(bytes: &[u8]) -> Option<&[u8]> {
    let count = usize::from(u16::from_le_bytes(*bytes.get(4..)?.first_chunk()?));
    let entries = bytes.get(6..6 + 16 * count)?.chunks_exact(16);
    let side = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
    let entry = entries.max_by_key(|entry| (side(entry[0]) * side(entry[1]), entry[6]))?;
    let number = |at: usize| Some(u32::from_le_bytes(*entry[at..].first_chunk()?) as usize);
    let (length, place) = (number(8)?, number(12)?);
    bytes.get(place..place.checked_add(length)?)
}
