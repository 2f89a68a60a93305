//! Which format a file is of, by its content.

use std::ffi::OsStr;
use std::path::Path;

use super::heif::{Codec, Container};
use super::{Format, ico, jpeg, jpeg2000, jxl, library, png, raw, tiff, webp};
use crate::picture::Unusable;

/// First bytes of the formats that are read. Whatever begins like another stands before it.
const READ: [(&[u8], &Format); 30] = [
    (b"\xFF\xD8\xFF", &jpeg::JPEG),
    (b"\x89PNG\r\n\x1A\n", &png::PNG),
    (b"GIF87a", &library::GIF),
    (b"GIF89a", &library::GIF),
    (b"BM", &library::BMP),
    (b"II*\0", &tiff::TIFF),
    (b"MM\0*", &tiff::TIFF),
    (b"II+\0", &tiff::TIFF),
    (b"MM\0+", &tiff::TIFF),
    (b"qoif", &library::QOI),
    (b"\0\0\x01\0", &ico::ICO),
    (b"RIFF", &webp::WEBP),
    (b"\xFF\x0A", &jxl::JXL),
    (b"\0\0\0\x0CJXL \r\n\x87\n", &jxl::JXL),
    (b"\0\0\0\x0CjP  \r\n\x87\n", &jpeg2000::JPEG_2000),
    (jpeg2000::CODESTREAM, &jpeg2000::JPEG_2000),
    // Olympus, Panasonic, Canon and Fujifilm have beginnings of their own.
    (b"IIRO", &raw::RAW),
    (b"IIRS", &raw::RAW),
    (b"MMOR", &raw::RAW),
    (b"IIU\0", &raw::RAW),
    (b"II\x1A\0\0\0HEAPCCDR", &raw::CRW),
    (b"FUJIFILMCCD-RAW ", &raw::RAF),
    (b"\0\0\0\x18ftypcrx ", &raw::CR3),
    (b"P1", &library::PNM),
    (b"P2", &library::PNM),
    (b"P3", &library::PNM),
    (b"P4", &library::PNM),
    (b"P5", &library::PNM),
    (b"P6", &library::PNM),
    (b"P7", &library::PNM),
];

/// First bytes of formats that often lie among pictures but are not read, with their names.
const NOT_READ: [(&[u8], &str); 5] =
    [(b"%PDF", "PDF"), (b"<svg", "SVG"), (b"<?xml", "SVG and XML"), (b"8BPS", "Photoshop"), (b"v/1\x01", "OpenEXR")];

/// What the files begin with whose boxes hold pictures.
const BRANDS_OF_PICTURES: [&[u8; 4]; 14] = [
    b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"jpeg", b"mif1", b"mif2", b"miaf",
    b"msf1", b"vvic",
];

/// The format of `bytes`, the content of the file at `path`. The name matters only for TGA, which has no signature, and for raw
/// files that say nowhere that they are.
///
/// # Errors
/// Why it is of none: a format that is not read, no picture, or too short to be told.
pub fn recognise(bytes: &[u8], path: &Path) -> Result<&'static Format, Unusable> {
    if let Some((_, name)) = NOT_READ.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Err(Unusable::Unsupported((*name).into()));
    }
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    match READ.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        Some((_, format)) if format.name == tiff::TIFF.name => Ok(of_directories(bytes, extension)),
        Some((_, format)) if is_whole(format, bytes) => Ok(format),
        _ if bytes.get(4..8) == Some(b"ftyp") => of_boxes(bytes),
        _ if extension.eq_ignore_ascii_case("tga") => Ok(&library::TGA),
        _ if READ.iter().any(|(beginning, _)| beginning.starts_with(bytes)) => Err(Unusable::CutOff),
        _ => Err(Unusable::NotAPicture),
    }
}

/// Whether what follows a format's first bytes is of that format as well, where they are few or others begin so.
fn is_whole(format: &Format, bytes: &[u8]) -> bool {
    if format.name == webp::WEBP.name {
        bytes.get(8..12) == Some(b"WEBP")
    } else if format.name == library::PNM.name {
        bytes.get(2).is_some_and(u8::is_ascii_whitespace)
    } else {
        true
    }
}

/// Of a file with TIFF's beginning, as most raw files have it.
fn of_directories(bytes: &[u8], extension: &str) -> &'static Format {
    if raw::is_raw(bytes) {
        &raw::RAW
    } else if raw::is_raw_name(extension) {
        &raw::RAW_BY_NAME
    } else {
        &tiff::TIFF
    }
}

/// Of a file of boxes, as video files are.
fn of_boxes(bytes: &[u8]) -> Result<&'static Format, Unusable> {
    let brand = bytes.get(8..12).unwrap_or_default();
    if !BRANDS_OF_PICTURES.iter().any(|known| brand == *known) {
        return Err(Unusable::Unsupported("video".into()));
    }
    let is_avif = brand.starts_with(b"avi");
    match Container::read(bytes).map(|container| container.codec()) {
        #[cfg(feature = "avif")]
        Some(Codec::Av1) => Ok(&super::avif::AVIF),
        #[cfg(not(feature = "avif"))]
        Some(Codec::Av1) => Err(Unusable::Unsupported("AVIF".into())),
        _ if is_avif && cfg!(not(feature = "avif")) => Err(Unusable::Unsupported("AVIF".into())),
        // Frames without a picture that stands for them, among others.
        Some(_) if is_avif => Err(Unusable::UnsupportedVariant("AVIF".into())),
        #[cfg(feature = "heic")]
        Some(Codec::Hevc) => Ok(&super::heic::HEIC),
        #[cfg(not(feature = "heic"))]
        Some(Codec::Hevc) => Err(Unusable::Unsupported("HEIC".into())),
        Some(Codec::Other(name)) => Err(Unusable::Unsupported(name.into())),
        None => Err(Unusable::CutOff),
    }
}
