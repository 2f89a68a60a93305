//! Formats that the `image` crate decodes, and what is the same for all of them.

use std::borrow::Cow;
use std::io::Cursor;

use image::error::{ImageError, UnsupportedErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::memory::{self, PixelLayout};
use super::{Format, Header, Opened};
use crate::picture::Unusable;
use crate::picture::colour::{Colours, to_srgb};

/// GIF: the first frame.
pub const GIF: Format = Format {
    name: "GIF",
    // A frame, and the canvas on which it is laid.
    open: |bytes, _| open(Cow::Borrowed(bytes), ImageFormat::Gif, "GIF", |layout| 4 * layout.pixels),
};
/// BMP.
pub const BMP: Format = Format { name: "BMP", open: |bytes, _| plain(bytes, ImageFormat::Bmp, "BMP") };
/// TGA.
pub const TGA: Format = Format { name: "TGA", open: |bytes, _| plain(bytes, ImageFormat::Tga, "TGA") };
/// QOI.
pub const QOI: Format = Format { name: "QOI", open: |bytes, _| plain(bytes, ImageFormat::Qoi, "QOI") };
/// PNM: PBM, PGM, PPM and PAM.
pub const PNM: Format = Format { name: "PNM", open: |bytes, _| plain(bytes, ImageFormat::Pnm, "PNM") };

/// A format whose decoder keeps nothing beside the picture that it fills.
fn plain<'a>(bytes: &'a [u8], format: ImageFormat, name: &'static str) -> Result<Opened<'a>, Unusable> {
    open(Cow::Borrowed(bytes), format, name, |_| 0)
}

/// Opens `bytes`, a file of `format`, called `name`. `beside` says how many bytes the decoder keeps beside the picture.
pub fn open<'a>(
    bytes: Cow<'a, [u8]>,
    format: ImageFormat,
    name: &'static str,
    beside: fn(&PixelLayout) -> u64,
) -> Result<Opened<'a>, Unusable> {
    let file_bytes = bytes.len() as u64;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(Limits::default());
    let mut decoder = reader.into_decoder().map_err(|error| explain(&error, name))?;
    let (width, height) = decoder.dimensions();
    let layout = PixelLayout::of(&decoder);
    let header = Header {
        width,
        height,
        // An invalid orientation is ignored: the pixels are fine.
        orientation: decoder.orientation().unwrap_or(Orientation::NoTransforms),
        decoded_bytes: layout.decoded,
        memory_bytes: memory::needed(&layout, beside(&layout), file_bytes),
        is_cut_off: false,
    };
    let decode = Box::new(move |_| {
        // An invalid profile is ignored like an orientation.
        let profile = decoder.icc_profile().ok().flatten();
        let picture = DynamicImage::from_decoder(decoder).map_err(|error| explain(&error, name))?;
        Ok(match profile {
            Some(profile) => to_srgb(picture, &Colours::Profile(profile)),
            None => picture,
        })
    });
    Ok(Opened { header, decode })
}

fn explain(error: &ImageError, name: &'static str) -> Unusable {
    match error {
        ImageError::Limits(_) => Unusable::Damaged("it needs more memory than a picture of its size should".into()),
        ImageError::Unsupported(unsupported) => match unsupported.kind() {
            UnsupportedErrorKind::Format(_) => Unusable::NotAPicture,
            _ => Unusable::UnsupportedVariant(name.into()),
        },
        ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => Unusable::CutOff,
        _ if ended_early(error) => Unusable::CutOff,
        _ => Unusable::Damaged(format!("its {name} data makes no sense")),
    }
}

fn ended_early(error: &ImageError) -> bool {
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
}
