//! Decodes a file's bytes into an upright picture within limits; damaged bytes give an error, not a panic.

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::OsStr;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use image::error::{ImageError, UnsupportedErrorKind};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::{Bounds, Unusable, jpeg, memory, png};

/// First bytes of formats that often lie among pictures but are not supported, with their names. `format_of`
/// distinguishes the `ftyp` formats.
const KNOWN_BEGINNINGS: [(&[u8], &str); 9] = [
    (b"%PDF", "PDF"),
    (b"<svg", "SVG"),
    (b"<?xml", "SVG and XML"),
    (b"8BPS", "Photoshop"),
    (b"\xFF\x0A", "JPEG XL"),
    (b"\0\0\0\x0CJXL ", "JPEG XL"),
    (b"\0\0\0\x0CjP  ", "JPEG 2000"),
    (b"\0\0\x01\0", "icon (ICO)"),
    (b"v/1\x01", "OpenEXR"),
];

/// First bytes of the supported formats: a shorter file with such a beginning may still be incomplete.
const BEGINNINGS_OF_READ_FORMATS: [&[u8]; 9] =
    [b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1A\n", b"GIF87a", b"GIF89a", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"qoif"];

/// Decodes `bytes`, the content of the file at `path`, and rotates the picture by its EXIF orientation. The name
/// matters only for TGA, which has no signature.
pub fn decode(bytes: &[u8], path: &Path, bounds: &Bounds) -> Result<DynamicImage, Unusable> {
    decode_within(bytes, path, bounds, &mut |_| Ok(()))
}

/// The same; before a pixel is decoded, `reserve` gets the memory in bytes that is going to be needed: see `picture::memory`.
pub fn decode_within(
    bytes: &[u8],
    path: &Path,
    bounds: &Bounds,
    reserve: &mut dyn FnMut(u64) -> Result<(), Unusable>,
) -> Result<DynamicImage, Unusable> {
    #[cfg(debug_assertions)]
    super::faults::act(bytes);
    let format = format_of(bytes, path)?;
    // Some damaged files make decoders panic (tiff 0.11 even does on a valid planar LZW file).
    let result = caught(|| decode_upright(bytes, format, bounds, reserve));
    result.unwrap_or_else(|| Err(Unusable::Damaged(format!("the {} decoder gave up on it", name(format)))))
}

/// The result of `work` on one picture; `None` if it panics, so that a panic costs this picture only. `work` uses
/// nothing shared, so no broken state can leak out.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    result.ok()
}

fn decode_upright(
    bytes: &[u8],
    format: ImageFormat,
    bounds: &Bounds,
    reserve: &mut dyn FnMut(u64) -> Result<(), Unusable>,
) -> Result<DynamicImage, Unusable> {
    let slim = if format == ImageFormat::Png { png::without_profiles(bytes) } else { Cow::Borrowed(bytes) };
    let mut reader = ImageReader::with_format(Cursor::new(slim.as_ref()), format);
    reader.limits(Limits::default());
    let mut decoder = reader.into_decoder().map_err(|error| explain(error, format))?;
    let (width, height) = decoder.dimensions();
    bounds.check_header(width, height, decoder.total_bytes(), bytes.len() as u64)?;
    if format == ImageFormat::Jpeg && !jpeg::has_end(bytes) {
        return Err(Unusable::CutOff);
    }
    reserve(memory::needed(format, &decoder, bytes.len() as u64))?;
    // An invalid orientation is ignored: the pixels are fine.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| explain(error, format))?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn format_of(bytes: &[u8], path: &Path) -> Result<ImageFormat, Unusable> {
    if let Some((_, name)) = KNOWN_BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Err(Unusable::Unsupported((*name).into()));
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        let kind = match bytes.get(8..12) {
            Some(b"avif" | b"avis") => "AVIF",
            Some(b"crx ") => "camera raw (CR3)",
            Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1") => "HEIC",
            _ => "video",
        };
        return Err(Unusable::Unsupported(kind.into()));
    }
    match image::guess_format(bytes) {
        Ok(format) if format.reading_enabled() => Ok(format),
        Ok(_) => Err(Unusable::NotAPicture),
        Err(_) if path.extension().and_then(OsStr::to_str).is_some_and(|text| text.eq_ignore_ascii_case("tga")) => {
            Ok(ImageFormat::Tga)
        }
        Err(_) if BEGINNINGS_OF_READ_FORMATS.iter().any(|beginning| beginning.starts_with(bytes)) => {
            Err(Unusable::CutOff)
        }
        Err(_) => Err(Unusable::NotAPicture),
    }
}

fn explain(error: ImageError, format: ImageFormat) -> Unusable {
    let ended_early = |error: &ImageError| {
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            if cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof) {
                return true;
            }
            source = cause.source();
        }
        let text = error.to_string().to_lowercase();
        ["unexpected end", "unexpected eof", "failed to fill whole buffer", "no more data"]
            .iter()
            .any(|hint| text.contains(hint))
    };
    match &error {
        ImageError::Limits(_) => Unusable::Damaged("it needs more memory than a picture of its size should".into()),
        ImageError::Unsupported(unsupported) => match unsupported.kind() {
            UnsupportedErrorKind::Format(_) => Unusable::NotAPicture,
            _ => Unusable::UnsupportedVariant(name(format).into()),
        },
        ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => Unusable::CutOff,
        _ if ended_early(&error) => Unusable::CutOff,
        _ => Unusable::Damaged(format!("its {} data makes no sense", name(format))),
    }
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::Gif => "GIF",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Tga => "TGA",
        ImageFormat::Qoi => "QOI",
        _ => "picture",
    }
}

thread_local! {
    /// Whether this thread is decoding a picture, where panics are caught and reported in plain words.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Hides caught panics of decoders from the terminal; any other panic is printed as usual. Takes effect once per
/// process.
pub fn silence_caught_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                print(panic);
            }
        }));
    });
}
